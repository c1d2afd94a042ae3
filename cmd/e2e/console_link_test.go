package e2e

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// Whoever may see the console finds it in the menu of the chat; others do not.
func TestChatLeadsToTheConsole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bob := o.hire("bob", "Bob", client.Options{})
	_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: "aude", Name: "aude", Password: password, Role: wire.Auditor})
	must(t, err)
	for _, login := range []string{"ann", "aude"} {
		p := shared.tab(t, login, o.url())
		p.logsIn(login)
		p.click("nav.side button", "Menu")
		p.click("[role=menuitem]", "Operators' console")
		p.until("the console", `location.pathname === "/admin" && document.querySelector("#nav")`)
		p.click(".nav-foot a", "To the chat")
		p.until("the chat", `location.pathname === "/"`)
	}
	p := shared.tab(t, "bob", o.url())
	p.logsIn("bob")
	p.click("nav.side button", "Menu")
	p.finds("[role=menuitem]", "")
	p.misses("[role=menuitem]", "Operators' console")
	var me wire.Session
	must(t, bob.Call(background(t), "session.me", wire.Empty{}, &me))
	if me.Console != "" {
		t.Errorf("a member is told of the console at %q", me.Console)
	}

	shut := openOffice(t, "console.allowed_networks=192.0.2.0/24")
	must(t, shut.owner.Call(background(t), "session.me", wire.Empty{}, &me))
	if me.Console != "" {
		t.Errorf("who cannot open the console is sent to %q", me.Console)
	}
	apart := freePort(t)
	away := openOffice(t, "console.listen="+apart)
	must(t, away.owner.Call(background(t), "session.me", wire.Empty{}, &me))
	if _, port, _ := strings.Cut(apart, ":"); me.Console != "https://"+hostName+":"+port+"/admin" {
		t.Errorf("the console apart is said to be at %q", me.Console)
	}
}

// The palette finds alerts, rules, dashboards and their charts, metrics,
// settings and actions, in both languages, and nothing that the role may not
// open.
func TestPaletteFinds(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: "aude", Name: "aude", Password: password, Role: wire.Auditor})
	must(t, err)
	ann, aude := newConsole(t, o.url()), newConsole(t, o.url())
	ann.login("ann")
	aude.login("aude")
	finds := func(c *console, q, lang string) []string {
		t.Helper()
		res, text := c.ask("/admin/find?q="+url.QueryEscape(q), nil, "Accept-Language", lang)
		var list []struct{ Title, Group, Href string }
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatalf("%s: %s: %v", q, res.Status, err)
		}
		var out []string
		for _, f := range list {
			out = append(out, f.Group+": "+f.Title+" "+f.Href)
		}
		return out
	}
	holds := func(list []string, want string) bool {
		return slices.ContainsFunc(list, func(f string) bool { return strings.HasPrefix(f, want) })
	}
	await(t, func() string { return "the palette to find the alert" }, func() bool {
		return holds(finds(ann, "raid", "en"), "Alert: RaidDegraded /admin/alerts/one?fp=")
	})
	for _, x := range []struct{ q, lang, want string }{
		{"highcpu", "en", "Rule: HighCPUUsage /admin/rules/rule?id=shipped%2F"},
		{"business", "en", "Dashboard: Business /admin/boards/"},
		{"业务", "zh", "仪表盘: 业务指标 /admin/boards/"},
		{"im_messages_sent", "en", "Metric: im_messages_sent_total /admin/metrics?q=im_messages_sent_total"},
		{"quiet", "en", "Setting: Quiet hours /admin/quiet"},
		{"钉钉", "zh", "操作: 新建渠道：钉钉 /admin/channels/edit?kind=dingtalk"},
		{"ann", "en", "Person: 安娜 Ann /admin/people/ann"},
	} {
		if got := finds(ann, x.q, x.lang); !holds(got, x.want) {
			t.Errorf("%q finds %q, want %q", x.q, got, x.want)
		}
	}
	for _, q := range []string{"new rule", "new probe", "new channel"} {
		if got := finds(aude, q, "en"); len(got) > 0 {
			t.Errorf("an auditor is offered %q", got)
		}
	}
	if got := finds(aude, "highcpu", "en"); !holds(got, "Rule: HighCPUUsage") {
		t.Errorf("an auditor finds %q", got)
	}
}
