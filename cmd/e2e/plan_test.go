package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The plan in the browser: two steps of the escalation, saved and read again;
// quiet hours made and removed; what cannot work is said at its field.
func TestThePlanOfAlertingIsEdited(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/channels/edit?kind=webhook")
	p.fill("#f-name", "night shift")
	p.fill("#f-set-url", "http://127.0.0.1:9/")
	p.click("form.stack button.primary", "Save")
	p.finds(".alert-card strong", "night shift")

	step := func(n, minutes, channel string) {
		p.fill("#f-after-"+n, minutes)
		p.click("input[name^=step-"+n+"-]"+channel, "")
	}
	save := func() {
		p.submits("form[action='/admin/channels/plan'] button.primary", "Save") // the word of the time before may be there still
		p.finds(".toast", "Saved")
	}
	step("0", "10", "")
	save()
	p.until("a second step to fill in", `document.querySelector("#f-after-0")?.value === "10" && document.querySelector("#f-after-1")`)
	step("1", "45", ":last-of-type")
	p.click("input[name=sev-1-serious]", "")
	save()
	p.reload()
	p.until("both steps as they were saved", `document.querySelector("#f-after-0").value === "10" && document.querySelector("#f-after-1").value === "45" && document.querySelector("#f-after-2")
		&& document.querySelector("input[name=sev-0-serious]").checked && document.querySelector("input[name=sev-1-critical]").checked && !document.querySelector("input[name=sev-1-serious]").checked
		&& document.querySelectorAll("input[name^=step-1-]:checked").length === 1 && document.querySelectorAll("input[name^=step-2-]:checked").length === 0`)
	raw, err := os.ReadFile(filepath.Join(o.dir, "watch", "alerting.json"))
	must(t, err)
	var plan struct {
		Escalation []struct {
			After      string   `json:"after"`
			Channels   []string `json:"channels"`
			Severities []string `json:"severities"`
		} `json:"escalation"`
	}
	must(t, json.Unmarshal(raw, &plan))
	if e := plan.Escalation; len(e) != 2 || e[0].After != "10m0s" || e[1].After != "45m0s" || len(e[0].Channels) != 1 || len(e[1].Severities) != 1 || e[1].Severities[0] != "critical" {
		t.Errorf("the plan on the disk: %+v", plan)
	}
	p.expects(`status of 422 .*/admin/channels/plan`)
	p.fill("#f-after-1", "99999")
	p.click("form[action='/admin/channels/plan'] button.primary", "Save")
	p.finds("#form-error", "step 2 of the escalation")
	p.until("what was filled in", `document.querySelector("#f-after-1").value === "99999" && document.querySelector("#f-after-2")`)

	// A step without channels goes.
	p.open("/admin/channels")
	p.click("input[name^=step-0-]:checked", "")
	save()
	p.until("one step", `document.querySelector("#f-after-0").value === "45" && !document.querySelector("#f-after-2")`)

	p.open("/admin/quiet")
	p.expects(`status of 422 .*/admin/quiet`)
	p.fill("#f-name", "night")
	p.fill("#f-zone", "Mars/Base")
	p.click("form.stack button.primary", "Add")
	p.finds("#e-zone", "Asia/Shanghai")
	p.fill("#f-zone", "Asia/Shanghai")
	p.click("form.stack button.primary", "Add")
	p.finds(".alert-card", "22:00–07:00")
	p.finds(".alert-card", "Asia/Shanghai")
	p.reload()
	p.finds(".alert-card strong", "night")
	p.click("a.danger", "Remove")
	p.fill("dialog input[name=typed]", "night")
	p.click("dialog button.danger", "Remove")
	p.finds("main", "There are no quiet hours")
	p.open("/admin/audit?action=quiet")
	p.finds("main td", "quiet.remove")
}

// On a telephone: a silence is made from an alert, loosened, previewed, and
// ended.
func TestASilenceOfMoreOnATelephone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	o.alarm("FanStopped", "serious", "the fan stands still")
	o.alarm("FanStopped", "warning", "the fan is loud")
	p := shared.tab(t, "ann", o.url())
	p.size(360, 800)
	p.logsInConsole("ann")
	p.open("/admin/alerts")
	p.click(".alert-card.serious summary", "")
	p.click(".alert-card.serious a", "Silence more than this alert: the fan stands still")
	p.until("all labels of the alert", `document.querySelector("#f-matchers")?.value === 'alertname="FanStopped"\ninstance="nas"\nseverity="serious"'`)
	p.click("button[value=preview]", "")
	p.finds("#silence-preview", "it would silence 1.")
	p.fill("#f-matchers", `alertname="FanStopped"`)
	p.fill("#f-reason", "a new fan comes")
	p.click("button[value=preview]", "")
	p.finds("#silence-preview", "it would silence 2.")
	p.finds("#silence-preview a", "the fan is loud")
	p.expects(`status of 422 .*/admin/silences`)
	p.fill("#f-matchers", `alertname=~"("`)
	p.click("button[value=preview]", "")
	p.finds("#e-matchers", "is no matcher")
	p.fill("#f-matchers", `alertname="FanStopped"`)
	p.click("#new button.primary", "Silence")
	p.finds("tbody tr", "a new fan comes")
	p.until("two alerts silenced", `[...document.querySelectorAll("tbody td[data-label='Firing now']")].map((e) => e.innerText.trim()).join() === "2"`)
	if ask[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the page is wider than the telephone")
	}
	p.open("/admin/alerts")
	p.until("both marked", `[...document.querySelectorAll(".alert-card .alert-head")].filter((e) => e.innerText.includes("silenced")).length === 2`)
	p.open("/admin/silences")
	p.click("tbody button", "End now")
	p.finds("tbody .badge", "over")
	p.open("/admin/audit?action=silence")
	p.finds("main td", "silence.end")
}
