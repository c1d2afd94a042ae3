package admin

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func automaticRoutes() []Route {
	title, one := words.Of("Automatic actions", "自动处理"), words.Of("Automatic action", "自动处理设置")
	return []Route{
		{Method: "GET", Path: "/admin/automatic", Title: title, Group: Alerting, Icon: "bolt", Need: Sees, Handle: (*Admin).automaticPage},
		{Method: "GET", Path: "/admin/automatic/one", Title: one, Under: "/admin/automatic", Need: Sees, Handle: (*Admin).oneAutomatic},
		{Method: "POST", Path: "/admin/automatic", Title: one, Under: "/admin/automatic", Need: Manages, Handle: (*Admin).setAutomatic},
	}
}

// mayRun is an action that could run by itself for an alert, and whether it
// may.
type mayRun struct {
	alert  string
	action runbook.Action
	p      runbook.Permission
}

// mayRuns are the steps of runbooks that could run by themselves, and what else
// was allowed; those that are allowed come first.
func (a *Admin) mayRuns() []mayRun {
	books := a.o.Minding.Books
	var out []mayRun
	given := map[[2]string]runbook.Permission{}
	for _, p := range books.Permissions() {
		given[[2]string{p.Alert, p.Action}] = p
	}
	can := map[string]runbook.Action{}
	for _, act := range books.Can() {
		if act.Auto && len(act.Asks) == 0 {
			can[act.ID] = act
		}
	}
	add := func(alert, action string) {
		act, ok := can[action]
		if known := slices.ContainsFunc(out, func(m mayRun) bool { return m.alert == alert && m.action.ID == action }); ok && !known {
			out = append(out, mayRun{alert, act, given[[2]string{alert, action}]})
		}
	}
	for _, p := range books.Permissions() {
		add(p.Alert, p.Action)
	}
	for _, book := range runbook.All() {
		for _, s := range book.Steps {
			add(book.Alert, s.Action)
		}
	}
	slices.SortStableFunc(out, func(x, y mayRun) int {
		if x.p.On != y.p.On {
			return map[bool]int{true: -1, false: 1}[x.p.On]
		}
		return cmp.Or(cmp.Compare(x.alert, y.alert), cmp.Compare(x.action.ID, y.action.ID))
	})
	return out
}

// runsShown bounds the list of runs by itself.
const runsShown = 20

func (a *Admin) automaticView(v console.View, m mayRun) console.Automatic {
	out := console.Automatic{Alert: m.alert, Action: m.action.ID, Title: v.In(m.action.Title), Does: v.In(m.action.Does), On: m.p.On, PerHour: m.p.PerHour, Broken: v.In(m.p.Broken),
		Rest: v.Span(m.action.Rest)}
	for _, r := range a.o.Minding.Books.AutoRuns(m.alert, m.action.ID, runsShown) {
		run := console.AutoRun{Case: r.Case, At: r.At, Result: v.In(r.Result), Failed: r.Failed}
		out.Runs = append(out.Runs, run)
	}
	return out
}

func (a *Admin) automaticPage(r *Request) {
	if a.o.Minding.Books == nil {
		r.without()
		return
	}
	l := r.List("")
	all := a.mayRuns()
	if r.Query("state") == "on" {
		all = slices.DeleteFunc(all, func(m mayRun) bool { return !m.p.On })
	}
	rows := Pick(&l, all, func(m mayRun, q string) bool {
		return Holds(q, m.alert, m.action.ID, m.action.Title.EN, m.action.Title.ZH)
	}, nil)
	v := r.View(r.Route.Title)
	var list []console.Automatic
	for _, m := range rows {
		list = append(list, a.automaticView(v, m))
	}
	if r.WantsCSV() {
		var out [][]string
		for _, x := range list {
			last := ""
			if len(x.Runs) > 0 {
				last = x.Runs[0].At.UTC().Format(time.RFC3339)
			}
			out = append(out, []string{x.Alert, x.Action, x.Title, x.State(v), strconv.Itoa(x.PerHour), x.Rest, last})
		}
		r.CSV("automatic", []string{v.Say("Alert", "告警"), v.Say("Action", "操作"), v.Say("Title", "名称"), v.Say("State", "状态"), v.Say("Times an hour", "每小时次数"), v.Say("Cool-down", "冷却时间"), v.Say("Last run (UTC)", "最近执行（UTC）")}, out)
		return
	}
	r.Page(func(v console.View) templ.Component { return console.AutomaticPage(v, l, list) })
}

// theAutomatic finds the row that a request names; without one it is answered.
func (a *Admin) theAutomatic(r *Request, alert, action string) (mayRun, bool) {
	if a.o.Minding.Books == nil {
		r.without()
		return mayRun{}, false
	}
	for _, m := range a.mayRuns() {
		if m.alert == alert && m.action.ID == action {
			return m, true
		}
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("No such action can run by itself for this alert.", "此告警没有可自动执行的该操作。"))
	return mayRun{}, false
}

func (a *Admin) oneAutomatic(r *Request) {
	m, ok := a.theAutomatic(r, r.Query("alert"), r.Query("action"))
	if !ok {
		return
	}
	f := console.Form{Values: map[string]string{"per_hour": strconv.Itoa(max(1, m.p.PerHour))}}
	r.Page(func(v console.View) templ.Component { return console.AutomaticOne(v, a.automaticView(v, m), f) })
}

// setAutomatic allows or forbids. The books keep the audit.
func (a *Admin) setAutomatic(r *Request) {
	m, ok := a.theAutomatic(r, r.Form("alert"), r.Form("action"))
	if !ok {
		return
	}
	f, on := r.Filled(), r.Form("on") == "yes"
	refuse := func(field string, why words.Text) {
		f.Errors[field] = why.In(r.Tongue())
		f.Values["typed"] = ""
		r.Invalid(func(v console.View) templ.Component { return console.AutomaticOne(v, a.automaticView(v, m), f) })
	}
	if !r.Typed(m.action.ID) {
		refuse("typed", words.Of("Type "+m.action.ID+" to confirm.", "请输入 "+m.action.ID+" 以确认。"))
		return
	}
	perHour := max(1, m.p.PerHour)
	if on {
		n, err := strconv.Atoi(strings.TrimSpace(r.Form("per_hour")))
		if err != nil {
			n = 0
		}
		perHour = n
	}
	err := a.o.Minding.Books.Allow(r.ctx, r.person(), m.alert, m.action.ID, on, perHour)
	var refused *runbook.Refusal
	switch {
	case errors.As(err, &refused):
		refuse("per_hour", refused.Text)
	case err != nil:
		r.Fault(err)
	case on:
		r.Done(oneAutomaticPath(m), words.Of(fmt.Sprintf("Allowed: at most %d times an hour.", perHour), fmt.Sprintf("已允许：每小时最多 %d 次。", perHour)))
	default:
		r.Done(oneAutomaticPath(m), words.Of("Forbidden: it does not run by itself any more.", "已禁止：不再自动执行。"))
	}
}

func oneAutomaticPath(m mayRun) string {
	return "/admin/automatic/one?" + url.Values{"alert": {m.alert}, "action": {m.action.ID}}.Encode()
}
