package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"

	"posthouse/admin"
	"posthouse/appliance/client"
	"posthouse/sysmon/board"
	"posthouse/sysmon/notify"
)

// consolePage is something that can be seen in the operator's console. at is
// an address, in which furnishConsole's names stand in braces; open, where there
// is one, brings up the rest.
type consolePage struct {
	name      string
	at        string
	open      func(w *walker)
	complains string // what the browser's console says of it, as it must
}

const highCPU = "shipped%2Fhost.yml%2Fhost%2FHighCPUUsage"

// consolePages are the pages of the console, and what can be opened on them. A
// new page is one line; TestEveryConsoleRouteIsLookedAt misses it.
func consolePages() []consolePage {
	var out []consolePage
	for _, list := range [][]consolePage{overviewPages(), setupPages(), boardPages(), alertPages(), notifyPages(), checkPages(), lookupPages(), framePages()} {
		out = append(out, list...)
	}
	return out
}

func finding(css, text string) func(*walker) { return func(w *walker) { w.finds(css, text) } }

func opening(css, then string) func(*walker) {
	return func(w *walker) { w.click(css, ""); w.finds(then, "") }
}

func overviewPages() []consolePage {
	return []consolePage{
		{name: "overview", at: "/admin", open: finding(".tile", "")},
		{name: "all checks", at: "/admin", open: opening("#all-checks summary", "#all-checks li")},
		{name: "menu of the person", at: "/admin", open: opening(".person summary", ".person-menu button")},
		{name: "navigation", at: "/admin#nav", open: finding("#nav a", "")},
		{name: "palette", at: "/admin", open: func(w *walker) { w.press("Ctrl+K"); w.finds("dialog [role=option]", "") }},
		{name: "palette that finds a person", at: "/admin", open: func(w *walker) {
			w.press("Ctrl+K")
			w.finds("dialog [role=option]", "")
			w.types("bo l")
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

// setupPages are the wizard of the first run.
func setupPages() []consolePage {
	return []consolePage{
		{name: "setting up", at: "/admin/setup", open: finding("[aria-current=step]", "")},
		{name: "set-up, another host name", at: "/admin/setup/host?name=chat.example.lan", open: finding("#considered .note.serious", "chat.example.lan")},
		{name: "set-up, a name that is none", at: "/admin/setup/host?name=co.uk", open: finding("#considered .note.critical", "co.uk")},
		{name: "set-up, language", at: "/admin/setup/name", open: opening("#change-language summary", "#change-language pre")},
		{name: "set-up, new channel", at: "/admin/setup/notices?kind=email", open: finding("#f-set-host", "")},
		{name: "set-up, one kind of device", at: "/admin/setup/certificate", open: opening(".devices summary", ".devices li")},
		{name: "set-up, invitations", at: "/admin/setup/people", open: finding("#f-uses", "")},
		{name: "set-up, the end", at: "/admin/setup/finish", open: finding("#setup-left li", "")},
	}
}

// boardPages are the dashboards as they are shipped.
func boardPages() []consolePage {
	out := []consolePage{{name: "dashboards", at: "/admin/boards", open: finding(".board-link a", "")}}
	for _, b := range board.Boards() {
		out = append(out, consolePage{name: "dashboard " + b.ID, at: "/admin/boards/" + b.ID + "?from=now-15m", open: func(w *walker) {
			w.until("its charts", `document.querySelector(".chart") && !/Loading …|正在加载……/.test(document.querySelector("main").innerText)`)
		}})
	}
	return out
}

func alertPages() []consolePage {
	return []consolePage{
		{name: "alerts", at: "/admin/alerts", open: finding(".alert-card h3", "")},
		{name: "alert to silence", at: "/admin/alerts", open: opening(".alert-card summary", ".alert-card textarea")},
		{name: "alert of a rule with its runbook", at: "/admin/alerts/one?fp={alert}", open: finding("#runbook, #evidence", "")},
		{name: "alert from outside", at: "/admin/alerts/one?fp={outside}", open: finding("#timeline li", "")},
		{name: "history of alerts", at: "/admin/alerts/history"},
		{name: "history of alerts searched", at: "/admin/alerts/history?name=zzz"},
		{name: "runbooks", at: "/admin/cases", open: finding("main td a", "MemoryLeakSuspected")},
		{name: "runbook", at: "/admin/cases/{case}", open: finding("#step-free_memory", "")},
		{name: "rules", at: "/admin/rules"},
		{name: "rules found", at: "/admin/rules?q=CPU&severity=warning"},
		{name: "one rule", at: "/admin/rules/rule?id=" + highCPU, open: finding(".chart h3", "HighCPUUsage")},
		{name: "disabling a rule", at: "/admin/rules/rule?id=" + highCPU, open: opening("a.danger", "dialog[open] h2")},
		{name: "new rule", at: "/admin/rules/edit"},
		{name: "rule tried", at: "/admin/rules/edit?id=" + highCPU, open: func(w *walker) {
			w.click("button[value=preview]", "")
			w.finds("#preview", "")
			w.finds(".chart h3", "")
		}},
		{name: "runbook of an alert that has not opened", at: "/admin/runbooks/HighCPUUsage"},
		{name: "automatic actions", at: "/admin/automatic"},
		{name: "one automatic action", at: "/admin/automatic/one?alert=MemoryLeakSuspected&action=free_memory"},
		{name: "rule files", at: "/admin/rules/file?name=shipped%2Fhost.yml"},
		{name: "own rule file", at: "/admin/rules/file?name=e2e.yml"},
	}
}

func notifyPages() []consolePage {
	out := []consolePage{
		{name: "silences", at: "/admin/silences", open: finding("main td", "")},
		{name: "new silence", at: "/admin/silences", open: finding("#f-matchers", "")},
		{name: "silence of more", at: "/admin/alerts", open: func(w *walker) {
			w.click(".alert-card summary", "")
			w.click(".alert-card a[href*='/admin/silences?fp=']", "")
			w.click("button[value=preview]", "")
			w.finds("#silence-preview", "")
		}},
		{name: "quiet hours", at: "/admin/quiet", open: finding("main", "night")},
		{name: "channels", at: "/admin/channels", open: finding("main a", "night duty")},
		{name: "channel", at: "/admin/channels/edit?id={channel}"},
		{name: "removing a channel", at: "/admin/channels", open: opening("a.danger", "dialog[open] h2")},
	}
	for _, k := range notify.Kinds() {
		out = append(out, consolePage{name: "new channel " + k.Name, at: "/admin/channels/edit?kind=" + k.Name})
	}
	return out
}

func checkPages() []consolePage {
	return []consolePage{
		{name: "health", at: "/admin/health"},
		{name: "checklists", at: "/admin/checklists"},
		{name: "checklist report", at: "/admin/checklists/{report}"},
		{name: "probes and subnets", at: "/admin/probes", open: finding("main", "10.3.0.0/16")},
		{name: "probe", at: "/admin/probes/at/{probe}"},
		{name: "new probe", at: "/admin/probes/new"},
		{name: "host", at: "/admin/host"},
		{name: "host, programs searched", at: "/admin/host?q=zzz"},
	}
}

func lookupPages() []consolePage {
	return []consolePage{
		{name: "people", at: "/admin/people"},
		{name: "people searched", at: "/admin/people?q=zzz"},
		{name: "account", at: "/admin/people/bo", open: finding("#role-form select", "")},
		{name: "own account and the rights of roles", at: "/admin/people/ann", open: opening(".rights summary", ".rights dd")},
		{name: "disabling an account", at: "/admin/people/bo", open: opening("a[data-dialog=disable]", "dialog[open] h2")},
		{name: "invitations", at: "/admin/invitations", open: finding("main td", "night shift")},
		{name: "revoking an invitation", at: "/admin/invitations", open: opening("a.danger", "dialog[open] h2")},
		{name: "invitation made", at: "/admin/invitations", open: opening("#invite-form button", "#invite-link")},
		{name: "sessions", at: "/admin/sessions"},
		{name: "sessions of nobody", at: "/admin/sessions?q=zzz"},
		{name: "one session", at: "/admin/sessions/{connection}"},
		{name: "disconnecting a session", at: "/admin/sessions/{connection}", open: opening("a[data-dialog=disconnect]", "dialog[open] h2")},
		{name: "operations", at: "/admin/operations"},
		{name: "storage", at: "/admin/storage"},
		{name: "storage, compaction", at: "/admin/storage", open: opening("a[data-dialog=compact]", "dialog[open] h2")},
		{name: "metrics", at: "/admin/metrics"},
		{name: "metrics searched", at: "/admin/metrics?q=latency&type=histogram"},
		{name: "audit", at: "/admin/audit"},
		{name: "audit searched", at: "/admin/audit?q=zzz"},
		{name: "query", at: "/admin/query"},
		{name: "query answered", at: "/admin/query?q=sum+by+(job)+(up)&from=now-1h", open: finding(".chart, main td", "")},
		{name: "query refused", at: "/admin/query?q=sum(", open: finding("p.note.warning", "")},
		{name: "query completed", at: "/admin/query", open: func(w *walker) {
			w.click("#query-q, textarea[name=q]", "")
			w.types("node_cpu")
			w.finds(".offers [role=option]", "node_cpu")
		}},
	}
}

func framePages() []consolePage {
	return []consolePage{
		{name: "my logins", at: "/admin/account"},
		{name: "help", at: "/admin/help"},
		{name: "gallery", at: "/admin/gallery"},
		{name: "typed confirmation", at: "/admin/gallery", open: opening("a.danger", "dialog[open] h2")},
		{name: "password again", at: "/admin/sudo"},
		{name: "nothing there", at: "/admin/nowhere", complains: `status of 404 .*/admin/nowhere`},
	}
}

// furnishConsole makes something to see on every page of the console, and gives
// what addresses of it need.
func (o *office) furnishConsole() map[string]string {
	o.t.Helper()
	o.hire("bo", "Bo Lin", client.Options{})
	o.sendsAlert("RaidDegraded", "critical", map[string]any{"endsAt": time.Now().Add(2 * time.Hour), "generatorURL": "http://prometheus.example/graph",
		"annotations": map[string]string{"summary": "a disk is gone", "value": "1", "threshold": "0", "runbook_url": "https://wiki.example/raid", "dashboard": strings.Repeat("x", 300)}})
	c := newConsole(o.t, o.url())
	c.login("ann")
	post := func(path string, pairs ...string) {
		o.t.Helper()
		form := url.Values{"csrf": {c.csrf}}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		if res, text := c.ask(path, form); res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusOK {
			o.t.Fatalf("POST %s: %s\n%.600s", path, res.Status, text)
		}
	}
	post("/admin/rules/file", "file", "e2e.yml", "text", "groups:\n- name: e2e\n  interval: 1s\n  rules:\n  - alert: MemoryLeakSuspected\n    expr: process_resident_memory_bytes > 1\n"+
		"    labels: {severity: warning, which: e2e}\n    annotations: {summary: memory grows, summary_zh: 内存增长}\n")
	post("/admin/silences", "matchers", `alertname="HighCPUUsage"`, "for", "4h", "reason", "压力测试 load test")
	post("/admin/silences", "matchers", `instance="ups"`, "from", time.Now().AddDate(0, 0, 2).Format("2006-01-02T15:04"), "for", "4h", "reason", "停电检修 power cut")
	post("/admin/quiet", "name", "night 夜间", "day1", "on", "from", "22:00", "until", "07:00", "warning", "on")
	post("/admin/channels/edit", "kind", "webhook", "name", "night duty 夜班", "lang", "zh", "per_hour", "60", "set-url", "http://127.0.0.1:9/notify")
	post("/admin/probes/save", "name", "printer 打印机", "kind", "tcp", "target", "127.0.0.1:9", "every", "60", "patience", "1")
	post("/admin/probes/agents", "agent", "workshop", "subnet", "10.3.0.0/16 三号车间", "every", "60")
	post("/admin/invitations", "hours", "72", "uses", "3", "note", "night shift 夜班")
	for _, id := range []string{"daily", "weekly", "monthly"} {
		post("/admin/checklists/" + id + "/run")
	}
	look := func(at, pattern string) string {
		found := ""
		await(o.t, func() string { return pattern + " at " + at }, func() bool {
			_, text := c.ask(at, nil)
			m := regexp.MustCompile(pattern).FindStringSubmatch(text)
			if m != nil {
				found = m[1]
			}
			return m != nil
		})
		return found
	}
	return map[string]string{
		"outside":    look("/admin/alerts?name=RaidDegraded", `/admin/alerts/one\?fp=([0-9a-f]+)`),
		"alert":      look("/admin/alerts?name=MemoryLeakSuspected", `/admin/alerts/one\?fp=([0-9a-f]+)`),
		"case":       look("/admin/cases", `/admin/cases/([^"]+)">MemoryLeakSuspected`),
		"channel":    look("/admin/channels", `/admin/channels/edit\?id=([^"&]+)`),
		"report":     look("/admin/checklists", `/admin/checklists/(daily-[^"?]+)"`),
		"probe":      look("/admin/probes", `/admin/probes/at/([^"]+)">printer`),
		"connection": look("/admin/sessions?q=bo", `/admin/sessions/(\d+)"`),
	}
}

// Every page of the console in both languages, wide and narrow, light and
// dark: nothing for axe-core to find, nothing to scroll sideways, no complaint
// in the browser's console.
func TestEveryConsolePage(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "watch.interval=2s", "console.status_page=true")
	named := o.furnishConsole()
	for _, lang := range []string{"en", "zh"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := &walker{tab: shared.tab(t, "ann", o.url()), lang: lang}
			w.speaks(map[string]string{"en": "en-GB", "zh": "zh-CN"}[lang])
			w.wide(1280)
			w.open("/admin/status")
			w.finds("#status-box", "")
			w.everyWay("status")
			w.open("/admin/login")
			w.everyWay("login")
			w.expects(`status of 422 .*/admin/login`)
			w.fill("#f-login", "ann")
			w.fill("#f-password", "not this one")
			w.click("button.primary", "")
			w.finds("#form-error", "")
			w.everyWay("login refused")
			w.logsInConsole("ann")
			links := map[string]string{} // and the page they are on
			for _, p := range consolePages() {
				at := p.at
				for name, value := range named {
					at = strings.ReplaceAll(at, "{"+name+"}", value)
				}
				if p.complains != "" {
					w.expects(p.complains)
				}
				w.open("about:blank") // an address that differs by its fragment alone is no new page
				w.open(at)
				w.until("the page "+p.name, `document.querySelector("main h1")?.innerText`)
				w.connected()
				if p.open != nil {
					p.open(w)
				}
				w.everyWay(p.name)
				for _, href := range ask[[]string](w.tab, `[...document.querySelectorAll("a[href^='/admin']")].map((a) => a.getAttribute("href").split("#")[0])`) {
					links[href] = p.name
				}
			}
			if lang == "en" { // the links are the same
				w.leadsSomewhere(links)
			}
		})
	}
}

// leadsSomewhere wants a page at the end of every link.
func (w *walker) leadsSomewhere(links map[string]string) {
	w.t.Helper()
	c := newConsole(w.t, w.site)
	c.login("ann")
	asked := map[string]bool{} // one link of a kind
	for href, from := range links {
		u, err := url.Parse(href)
		must(w.t, err)
		parts := strings.SplitN(u.Path, "/", 5)
		kind := strings.Join(parts[:min(len(parts), 4)], "/") + strings.Join(slices.Sorted(maps.Keys(u.Query())), "&")
		if asked[kind] {
			continue
		}
		asked[kind] = true
		if res, _ := c.ask(href, nil); res.StatusCode != http.StatusOK && from != "nothing there" {
			w.t.Errorf("a link on %q leads to %s: %s", from, href, res.Status)
		}
	}
}

// everyWay looks at the page as it is: wide and narrow, light and dark. What
// colours do not decide is looked for in the light theme only, and what they do
// is the same at both widths.
func (w *walker) everyWay(name string) {
	w.t.Helper()
	for _, width := range []int64{1280, 360} {
		w.wide(width)
		for _, scheme := range []string{"light", "dark"} {
			w.scheme(scheme)
			w.still()
			page := fmt.Sprintf("%s, %d, %s", name, width, scheme)
			switch {
			case scheme == "light":
				w.accessible(page)
			case width == 1280:
				w.legible(page)
			}
			if width == 360 {
				w.fits(name, scheme == "dark")
			} else if over := ask[int](w.tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				w.t.Errorf("%s is %d pixels too wide", page, over)
			}
			w.pictured(page)
		}
	}
	w.scheme("light")
	w.wide(1280)
}

func (w *walker) wide(width int64) {
	w.t.Helper()
	w.width = width
	w.size(width, 900)
}

// pictured takes a picture of the whole page, down to its end, when pictures
// are wanted.
func (w *walker) pictured(name string) {
	dir := os.Getenv("POSTHOUSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	w.t.Helper()
	r := command(w.tab, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	must(w.t, os.MkdirAll(dir, 0o700))
	must(w.t, os.WriteFile(filepath.Join(dir, strings.NewReplacer("/", "-", " ", "-", ",", "").Replace("console-"+w.lang+"-"+name)+".png"), r.Data, 0o600))
}

// A page of the console that consolePages has no line for is one that nobody
// looks at.
func TestEveryConsoleRouteIsLookedAt(t *testing.T) {
	t.Parallel()
	noPage := regexp.MustCompile(`^/admin/(events|find|alerts/json|alerts/one/json|alerts/history/json|silences/json|data/.*|profiles/\{name\})$`) // data and downloads
	looked := []string{"/admin/login", "/admin/status"}
	for _, p := range consolePages() {
		path, _, _ := strings.Cut(p.at, "#")
		path, _, _ = strings.Cut(path, "?")
		looked = append(looked, path)
	}
	argument := regexp.MustCompile(`\{[^}]*\}`)
next:
	for _, r := range admin.Routes() {
		if r.Method != http.MethodGet || noPage.MatchString(r.Path) {
			continue
		}
		pattern := regexp.MustCompile("^" + argument.ReplaceAllString(r.Path, "[^/]+") + "$")
		for _, path := range looked {
			if path == r.Path || pattern.MatchString(path) {
				continue next
			}
		}
		t.Errorf("no line of consolePages shows %s", r.Path)
	}
}
