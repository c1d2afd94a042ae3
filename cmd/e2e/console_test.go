package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"posthouse/appliance/client"
)

// consolePages are the pages of the operator's console, and what can be opened
// on them. A new page is one line. at is an address; open, where there is
// one, brings up the rest.
func consolePages() []consolePage {
	return []consolePage{
		{name: "overview", at: "/admin"},
		{name: "all checks", at: "/admin", open: func(w *walker) { w.click("#all-checks summary", "") }},
		{name: "rules", at: "/admin/rules"},
		{name: "rules found", at: "/admin/rules?q=CPU&severity=warning"},
		{name: "one rule", at: "/admin/rules/rule?id=shipped%2Fhost.yml%2Fhost%2FHighCPUUsage", open: func(w *walker) { w.finds(".chart h3", "HighCPUUsage") }},
		{name: "disabling a rule", at: "/admin/rules/rule?id=shipped%2Fhost.yml%2Fhost%2FHighCPUUsage", open: func(w *walker) { w.click("a.danger", ""); w.finds("dialog[open] h2", "") }},
		{name: "new rule", at: "/admin/rules/edit"},
		{name: "rule tried", at: "/admin/rules/edit?id=shipped%2Fhost.yml%2Fhost%2FHighCPUUsage", open: func(w *walker) {
			w.click("button[value=preview]", "")
			w.finds("#preview", "")
			w.finds(".chart h3", "")
		}},
		{name: "rule files", at: "/admin/rules/file?name=shipped%2Fhost.yml"},
		{name: "alerts", at: "/admin/alerts", open: func(w *walker) { w.finds(".alert-card h3", "") }},
		{name: "alert to silence", at: "/admin/alerts", open: func(w *walker) { w.click(".alert-card summary", ""); w.finds(".alert-card textarea", "") }},
		{name: "one alert", at: "/admin/alerts", open: func(w *walker) { w.click(".alert-card h3 a", ""); w.finds("#timeline li", "") }},
		{name: "history of alerts", at: "/admin/alerts/history"},
		{name: "silences", at: "/admin/silences"},
		{name: "quiet hours", at: "/admin/quiet"},
		{name: "channels", at: "/admin/channels"},
		{name: "new mail channel", at: "/admin/channels/edit?kind=email"},
		{name: "new DingTalk channel", at: "/admin/channels/edit?kind=dingtalk"},
		{name: "silence of more", at: "/admin/alerts", open: func(w *walker) {
			w.click(".alert-card summary", "")
			w.click(".alert-card a[href*='/admin/silences?fp=']", "")
			w.click("button[value=preview]", "")
			w.finds("#silence-preview", "")
		}},
		{name: "automatic actions", at: "/admin/automatic"},
		{name: "one automatic action", at: "/admin/automatic/one?alert=MemoryLeakSuspected&action=free_memory"},
		{name: "health", at: "/admin/health"},
		{name: "checklists", at: "/admin/checklists"},
		{name: "runbooks", at: "/admin/cases"},
		{name: "audit", at: "/admin/audit"},
		{name: "audit searched", at: "/admin/audit?q=zzz"},
		{name: "people", at: "/admin/people"},
		{name: "people searched", at: "/admin/people?q=zzz"},
		{name: "sessions", at: "/admin/sessions"},
		{name: "sessions of nobody", at: "/admin/sessions?q=zzz"},
		{name: "one session", at: "/admin/sessions", open: func(w *walker) {
			w.click("#list tbody a", "")
			w.finds("a[data-dialog=disconnect]", "")
			w.click("a[data-dialog=disconnect]", "")
			w.finds("dialog[open] h2", "")
		}},
		{name: "operations", at: "/admin/operations"},
		{name: "storage", at: "/admin/storage"},
		{name: "storage, compaction", at: "/admin/storage", open: func(w *walker) { w.click("a[data-dialog=compact]", ""); w.finds("dialog[open] h2", "") }},
		{name: "metrics", at: "/admin/metrics"},
		{name: "metrics searched", at: "/admin/metrics?q=latency&type=histogram"},
		{name: "my logins", at: "/admin/account"},
		{name: "query", at: "/admin/query"},
		{name: "query answered", at: "/admin/query?q=sum+by+(job)+(up)&from=now-1h"},
		{name: "query refused", at: "/admin/query?q=sum(", open: func(w *walker) { w.finds("p.note.warning", "") }},
		{name: "help", at: "/admin/help"},
		{name: "gallery", at: "/admin/gallery"},
		{name: "typed confirmation", at: "/admin/gallery", open: func(w *walker) { w.click("a.danger", ""); w.finds("dialog[open] h2", "") }},
		{name: "password again", at: "/admin/sudo"},
		{name: "nothing there", at: "/admin/nowhere", complains: `status of 404 .*/admin/nowhere`},
		{name: "menu of the person", at: "/admin", open: func(w *walker) { w.click(".person summary", ""); w.finds(".person-menu button", "") }},
		{name: "navigation", at: "/admin", open: func(w *walker) {
			if w.width == 360 {
				w.click(".menu-link", "")
			}
			w.finds("#nav a", "")
		}},
		{name: "palette", at: "/admin", open: func(w *walker) { w.press("Ctrl+K"); w.finds("dialog [role=option]", "") }},
		{name: "palette that finds a person", at: "/admin", open: func(w *walker) {
			w.press("Ctrl+K")
			w.finds("dialog [role=option]", "")
			w.types("bo")
			w.finds("dialog [role=option]", "Bo Lin")
		}},
		{name: "palette that finds an action", at: "/admin", open: func(w *walker) {
			w.press("Ctrl+K")
			w.finds("dialog [role=option]", "")
			w.types(map[string]string{"en": "dark", "zh": "深色"}[w.lang])
			w.finds("dialog [role=option]", map[string]string{"en": "Dark", "zh": "深色"}[w.lang])
		}},
		{name: "keys", at: "/admin", open: func(w *walker) { w.key("?", "Slash", 191, "?"); w.finds("dialog kbd", "?") }},
	}
}

type consolePage struct {
	name      string
	at        string
	open      func(w *walker)
	complains string // what the browser's console says of it, as it must
}

// Every page of the console in both languages, light and dark, wide and
// narrow: nothing for axe-core to find, nothing to scroll sideways, no
// complaint in the browser's console.
func TestEveryConsolePage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	for _, lang := range []string{"en", "zh"} {
		for _, width := range []int64{1280, 360} {
			t.Run(fmt.Sprintf("%s-%d", lang, width), func(t *testing.T) {
				t.Parallel()
				w := &walker{tab: shared.tab(t, "ann", o.url()), lang: lang, width: width}
				w.speaks(map[string]string{"en": "en-GB", "zh": "zh-CN"}[lang])
				w.size(width, 900)
				w.open("/admin/login")
				w.looksAt(view{"console login", func(w *walker) {}})
				w.expects(`status of 422 .*/admin/login`)
				w.fill("#f-login", "ann")
				w.fill("#f-password", "not this one")
				w.click("button.primary", "")
				w.finds("#form-error", "")
				w.looksAt(view{"console login refused", func(w *walker) {}})
				w.logsInConsole("ann")
				for _, p := range consolePages() {
					if p.complains != "" {
						w.expects(p.complains)
					}
					w.looksAt(view{"console " + p.name, func(w *walker) {
						w.open(p.at)
						w.until("the page "+p.name, `document.querySelector("main h1")?.innerText`)
						w.connected()
						if p.open != nil {
							p.open(w)
						}
					}})
					if w.width > 360 {
						w.shot("console " + p.name)
					}
				}
			})
		}
	}
}

// logsInConsole logs in at the console's own page.
func (p *tab) logsInConsole(login string) {
	p.t.Helper()
	p.open("/admin/login")
	p.fill("#f-login", login)
	p.fill("#f-password", password)
	p.click("button.primary", "")
	p.until("the console", `location.pathname === "/admin" && document.querySelector("#nav")`)
}

// connected waits until the stream of the page is open, where it has one.
func (p *tab) connected() {
	p.t.Helper()
	p.until("the console's light", `document.querySelector(".light.live") || !document.body.dataset.topics`)
}

// Without script: logging in, reading, searching, the navigation, language and theme,
// a form, a dialog, logging out.
func TestConsoleWithoutScript(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	p := shared.tab(t, "ann", o.url())
	command(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.size(360, 800)
	p.logsInConsole("ann")
	p.click(".person summary", "")
	p.click(".looks button", "中文")
	p.until("Chinese", `document.documentElement.lang === "zh-CN"`)
	p.click(".person summary", "")
	p.click(".looks button", "深色")
	p.until("the dark theme", `document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).backgroundColor === "rgb(18, 23, 21)"`)
	p.click(".menu-link", "")
	p.click("#nav a", "人员")
	p.fill("#list-q", "lin")
	p.click(".listbar button", "显示")
	p.until("one row", `location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 1`)
	p.open("/admin/gallery")
	p.click("a.danger", "")
	p.finds("dialog h2", "删除示例")
	p.click("dialog a", "取消")
	p.misses("dialog h2", "")
	p.open("/admin")
	p.click(".person summary", "")
	p.click(".person-menu button", "退出登录")
	p.until("the login page", `location.pathname === "/admin/login"`)
	p.open("/admin/people?q=x")
	p.until("the login page, and the way back", `location.pathname === "/admin/login" && document.querySelector("input[name=to]").value === "/admin/people?q=x"`)
}

// With script: the list changes while one types and the address with it, the
// dialog wants the name, the light tells of a break, a page whose login ended
// goes to the door.
func TestConsoleIsLive(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.connected()

	p.open("/admin/people")
	p.connected()
	p.fill("#list-q", "lin")
	p.until("one row without a new page", `location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 1 && document.activeElement.id === "list-q"`)
	p.run(`history.back()`)
	p.until("both rows again", `!location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 2`)

	p.open("/admin/gallery")
	p.connected()
	p.click("a.danger", "")
	p.until("a button that waits for the name", `document.querySelector("dialog[open] button.danger").disabled`)
	p.fill("dialog input[name=typed]", "example-1")
	p.until("a button that may be pressed", `!document.querySelector("dialog[open] button.danger").disabled`)
	p.press("Escape")
	p.until("the focus back where it was", `!document.querySelector("dialog[open]") && document.activeElement.matches("a.danger")`)

	p.open("/admin")
	p.connected()
	p.network(false)
	p.until("the light say how old the figures are", `document.querySelector(".light.lost") && document.body.classList.contains("stale")`)
	p.network(true)
	p.until("the light come back by itself", `document.querySelector(".light.live") && !document.body.classList.contains("stale")`)

	q := p.beside(shared)
	q.open("/admin/account")
	q.click(".person summary", "")
	q.click(".person-menu button", "Log out")
	q.until("the login page", `location.pathname === "/admin/login"`)
	p.expects(`status of 401 .*/admin/events`)
	p.until("the other tab at the door", `location.pathname === "/admin/login"`)
}
