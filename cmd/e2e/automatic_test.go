package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// An action is allowed to run by itself, runs when its alert opens, is told in
// the room and in the audit, and is forbidden again.
func TestAnActionIsAllowedToRunByItself(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "watch.interval=1s")
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/automatic")
	p.fill("#list-q", "MemoryLeak")
	p.until("the actions of one alert", `location.search.includes("q=MemoryLeak") && [...document.querySelectorAll("tbody tr")].every((r) => r.innerText.includes("MemoryLeakSuspected"))`)
	p.click("tbody a", "Return memory")
	p.finds("main .badge", "not allowed")
	p.finds("#runs", "")
	p.expects(`status of 422 .*/admin/automatic`)
	p.fill("#f-typed", "something")
	p.click("form.stack button.primary", "")
	p.finds("#e-typed", "Type free_memory")
	p.fill("#f-per_hour", "99")
	p.fill("#f-typed", "free_memory")
	p.click("form.stack button.primary", "")
	p.finds("#e-per_hour", "1 to 12")
	p.fill("#f-per_hour", "2")
	p.fill("#f-typed", "free_memory")
	p.click("form.stack button.primary", "")
	p.finds("main .badge", "runs by itself")
	p.finds("main dd", "2 times an hour")
	p.expects(refusedConnections)

	o.stop()
	rule := "groups:\n- name: e2e\n  interval: 1s\n  rules:\n  - alert: MemoryLeakSuspected\n    expr: process_resident_memory_bytes > 1\n    labels: {severity: warning, which: e2e}\n    annotations: {summary: memory grows, summary_zh: 内存增长}\n"
	must(t, os.WriteFile(filepath.Join(o.dir, "watch", "rules", "e2e.yml"), []byte(rule), 0o600))
	o.start()
	one := "/admin/automatic/one?alert=MemoryLeakSuspected&action=free_memory"
	await(t, func() string { return "a run by itself" }, func() bool {
		p.open(one)
		there, err := evaluate[bool](p, `!!document.querySelector("#runs li a")`)
		return err == nil && there
	})
	p.open("/admin/automatic?state=on")
	p.until("one row with a last run", `document.querySelectorAll("tbody tr").length === 1 && document.querySelector("tbody tr time")`)
	p.open("/admin/audit?action=runbook")
	p.finds("main td", "runbook.auto")
	p.until("who ran it", `[...document.querySelectorAll("tbody tr")].some((r) => r.innerText.includes("runbook.free_memory") && r.innerText.includes("Posthouse"))`)
	o.owner.card(o.owner.operatorsRoom(), "automatically")

	p.open(one)
	p.click("a.danger", "Forbid")
	p.fill("dialog input[name=typed]", "free_memory")
	p.click("dialog button.danger", "Forbid")
	p.finds("main .badge", "not allowed")
}
