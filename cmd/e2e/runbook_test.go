package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// An alert fires through the real rules; its evidence is there, a step is tried
// and run in the browser, and the audit and the operators' room know of it.
func TestRunbookOfAFiringAlertIsCompleted(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "watch.interval=1s")
	o.stop()
	rule := "groups:\n- name: e2e\n  interval: 1s\n  rules:\n  - alert: MemoryLeakSuspected\n    expr: process_resident_memory_bytes > 1\n    labels: {severity: warning, which: e2e}\n    annotations: {summary: memory grows, summary_zh: 内存增长}\n"
	must(t, os.WriteFile(filepath.Join(o.dir, "watch", "rules", "e2e.yml"), []byte(rule), 0o600))
	o.start()

	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	await(t, func() string { return "the case to open" }, func() bool {
		p.open("/admin/cases")
		there, err := evaluate[bool](p, `[...document.querySelectorAll("main td a")].some(a => a.textContent.includes("MemoryLeakSuspected"))`)
		return err == nil && there
	})
	p.click("main td a", "MemoryLeakSuspected")
	p.until("the evidence", `document.querySelector("#finding-top tbody tr") && document.querySelector("#finding-heap tbody tr")`)
	p.click("#step-free_memory button[value=try]", "")
	p.finds(".acts li", "would go back to the system")
	p.click("#step-free_memory button[value=run]", "")
	p.finds(".acts li", "were given back")
	p.until("the cool-down", `document.querySelector("#step-free_memory") && !document.querySelector("#step-free_memory button[value=run]")`)
	p.click("#step-acknowledge button[value=run]", "")
	p.finds(".acts li", "is on it")
	p.open("/admin/audit?action=runbook")
	p.finds("main td", "runbook.free_memory")
	p.finds("main td", "runbook.acknowledge")
	p.open("/")
	p.enters("Operators' room")
	p.until("what was done, in the room", `document.body.innerText.includes("were given back") && document.body.innerText.includes("is on it")`)
}
