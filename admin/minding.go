package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Minding is what judges the box and helps when something is wrong. What is
// nil has no pages.
type Minding struct {
	Health *health.Health
	Books  *runbook.Books
	Lists  *checklist.Lists
	// Profile reads a kept profile by its name.
	Profile func(name string) ([]byte, error)
	// Audit notes what was done here.
	Audit func(ctx context.Context, e wire.AuditEntry) error
}

func mindingRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/cases", Title: words.Of("Runbooks", "处理手册"), Group: Alerting, Icon: "book", Need: Sees, Handle: (*Admin).casesPage},
		{Method: "GET", Path: "/admin/cases/{id}", Title: words.Of("Runbook", "处理手册"), Under: "/admin/cases", Need: Sees, Handle: (*Admin).casePage},
		{Method: "GET", Path: "/admin/runbooks/{name}", Title: words.Of("Runbook", "处理手册"), Under: "/admin/cases", Need: Sees, Handle: (*Admin).bookPage},
		{Method: "POST", Path: "/admin/cases/{id}/do", Need: Manages, Handle: (*Admin).doStep},
		{Method: "POST", Path: "/admin/cases/{id}/again", Need: Manages, Handle: (*Admin).collectAgain},
		{Method: "GET", Path: "/admin/health", Title: words.Of("Health", "健康"), Group: Checking, Icon: "heart", Need: Sees, Handle: (*Admin).healthPage},
		{Method: "POST", Path: "/admin/health/weights", Title: words.Of("Health", "健康"), Under: "/admin/health", Need: Manages, Handle: (*Admin).setWeights},
		{Method: "GET", Path: "/admin/checklists", Title: words.Of("Checklists", "检查清单"), Group: Checking, Icon: "tasks", Need: Sees, Handle: (*Admin).checklistsPage},
		{Method: "GET", Path: "/admin/checklists/{id}", Title: words.Of("Report", "检查报告"), Under: "/admin/checklists", Need: Sees, Handle: (*Admin).reportPage},
		{Method: "POST", Path: "/admin/checklists/{id}/run", Need: Manages, Handle: (*Admin).runChecklist},
		{Method: "GET", Path: "/admin/audit", Title: words.Of("Audit", "审计"), Group: Reference, Icon: "shield", Need: Sees, Handle: (*Admin).auditPage},
		{Method: "GET", Path: "/admin/profiles/{name}", Title: words.Of("Profile", "剖析文件"), Under: "/admin/cases", Need: Manages, Sudo: true, Handle: (*Admin).profile},
	}
}

// without answers that nothing watches the box.
func (r *Request) without() {
	r.Trouble(fasthttp.StatusNotFound, words.Of("This server does not watch itself: set watch.enabled, or read its log for the reason.", "本服务器未启用自我监控：请设置 watch.enabled，或在日志中查看原因。"))
}

// note tells the audit what a page did, and what came of it: done, refused or
// failed. A fault is logged, not told.
func (a *Admin) note(r *Request, action, object, detail, outcome string) {
	if a.o.Minding.Audit == nil {
		return
	}
	e := wire.AuditEntry{Actor: r.User, Address: r.Address.String(), Action: action, Object: object, Detail: detail, Outcome: outcome}
	if r.Operator { // the socket has no address
		e.Name, e.Role, e.Address = "operator", "operator", "local"
	}
	if err := a.o.Minding.Audit(r.ctx, e); err != nil {
		a.o.Log.Error("audit", "action", action, "error", err)
	}
}

// ---- health ----------------------------------------------------------------------

func (a *Admin) healthPage(r *Request) {
	if a.o.Minding.Health == nil {
		r.without()
		return
	}
	w := a.o.Minding.Health.Weights()
	f := console.Form{Values: map[string]string{}}
	for name, v := range map[string]float64{"cpu": w.CPU, "memory": w.Memory, "rtt": w.RTT, "loss": w.Loss, "rtt_full": w.RTTFull, "loss_full": w.LossAll, "warn": w.Warn} {
		f.Values[name] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	a.showHealth(r, f, false)
}

func (a *Admin) showHealth(r *Request, f console.Form, wrong bool) {
	at := a.o.Now()
	if n, err := strconv.ParseInt(r.Query("at"), 10, 64); err == nil && n > 0 && n < at.Unix() {
		at = time.Unix(n, 0)
	}
	h := a.o.Minding.Health
	now, err := h.At(r.ctx, a.o.Now())
	if err != nil {
		r.Fault(err)
		return
	}
	changes, err := h.Changes(r.ctx, r.Query("alert"), at)
	if err != nil {
		r.Fault(err)
		return
	}
	disks, err := h.Forecasts(r.ctx, a.o.Now())
	if err != nil {
		r.Fault(err)
		return
	}
	advice, err := h.Advise(r.ctx, a.o.Now())
	if err != nil {
		r.Fault(err)
		return
	}
	draw := func(v console.View) templ.Component {
		return console.HealthPage(v, healthView(v, now, changes, disks, advice, at, f))
	}
	if wrong {
		r.Invalid(draw)
		return
	}
	r.Page(draw)
}

func healthView(v console.View, now health.Report, changes []health.Change, disks []health.Forecast, advice []health.Advice, at time.Time, f console.Form) console.Health {
	out := console.Health{Known: now.Status != health.Unknown, Score: strconv.FormatFloat(now.Score, 'f', -1, 64), Level: levelOf(now.Status),
		Sentence: v.In(now.Sentence), Bound: v.In(now.Bound), Weights: f, At: at}
	for _, t := range now.Terms {
		line := console.HealthTerm{Name: v.In(t.Name), Value: runbook.Figure(t.Value, t.Unit), Points: strconv.FormatFloat(t.Points, 'f', 1, 64)}
		if t.Most > 0 {
			line.Ratio = t.Points / t.Most
		}
		out.Terms = append(out.Terms, line)
	}
	for _, c := range now.Checks {
		out.Checks = append(out.Checks, console.Check{ID: c.ID, Title: v.In(c.Name), Level: levelOf(c.Status), Detail: v.In(c.Text), Href: c.Link, Cure: v.Say("Look", "查看")})
	}
	for _, c := range changes {
		out.Changes = append(out.Changes, console.HealthChange{At: c.At, Before: v.Say(v.Span(c.Before)+" before", v.Span(c.Before)+"前"),
			What: v.In(c.What), Who: c.Who, Detail: c.Detail, Why: v.In(c.Why), Href: c.Link})
	}
	for _, d := range disks {
		line := console.HealthDisk{Mount: d.Mount, Used: runbook.Figure(d.Used, "bytes") + " / " + runbook.Figure(d.Size, "bytes"), Days: console.DayText(v, d.Days), Ratio: d.Used / d.Size, Full: d.Full}
		if !d.Week.Known {
			line.Days, line.Full = v.Say("a day of figures is needed for a forecast", "至少一天的数据后可预测"), time.Time{}
		} else {
			line.Growth = v.Say("7 days: ", "7 天：") + runbook.Figure(d.Week.PerDay, "bytes") + v.Say(" a day, 30 days: ", "/天，30 天：") + runbook.Figure(d.Month.PerDay, "bytes") + v.Say(" a day", "/天")
		}
		out.Disks = append(out.Disks, line)
	}
	for _, x := range advice {
		line := console.HealthAdvice{Level: levelOf(x.Status), Text: v.In(x.Text)}
		for _, d := range x.Data {
			line.Data = append(line.Data, console.Known{Name: v.In(d.Name), Value: d.Value})
		}
		out.Advice = append(out.Advice, line)
	}
	return out
}

func (a *Admin) setWeights(r *Request) {
	if a.o.Minding.Health == nil {
		r.without()
		return
	}
	var w health.Weights
	f := r.Filled()
	for name, to := range map[string]*float64{"cpu": &w.CPU, "memory": &w.Memory, "rtt": &w.RTT, "loss": &w.Loss, "rtt_full": &w.RTTFull, "loss_full": &w.LossAll, "warn": &w.Warn} {
		v, err := strconv.ParseFloat(strings.TrimSpace(r.Form(name)), 64)
		if err != nil {
			f.Errors[name] = words.Of("a number", "请填写数字").In(r.Tongue())
		}
		*to = v
	}
	err := error(nil)
	if len(f.Errors) == 0 {
		if err = a.o.Minding.Health.SetWeights(w); errors.Is(err, health.ErrWeights) {
			f.Errors[""] = words.Of("Each from 0 to 100 and together not more than 100; the bounds above 0.", "各项为 0 到 100，合计不超过 100，上限值须大于 0。").In(r.Tongue())
		}
	}
	switch {
	case len(f.Errors) > 0:
		a.showHealth(r, f, true)
	case err != nil:
		r.Fault(err)
	default:
		a.note(r, "health.weights", "", fmt.Sprintf("%+v", w), "done")
		r.Done("/admin/health", words.Of("The weights are saved.", "权重已保存。"))
	}
}

// ---- checklists ------------------------------------------------------------------

func (a *Admin) checklistView(v console.View, r checklist.Report) console.Checklist {
	out := console.Checklist{Period: string(r.Period), Title: v.In(r.Period.Title()), ID: r.ID, At: r.At, Level: levelOf(r.Status), Host: r.Host, Signature: r.Signature,
		Genuine: a.o.Minding.Lists.Verify(r)}
	if r.Score > 0 {
		out.Score = strconv.FormatFloat(r.Score, 'f', -1, 64)
	}
	for _, i := range r.Items {
		out.Items = append(out.Items, console.Check{ID: i.ID, Title: v.In(i.Name), Level: levelOf(i.Status), Detail: v.In(i.Text), Href: i.Link, Cure: v.Say("What to do", "如何处理")})
	}
	for _, d := range r.Forecast {
		out.Disks = append(out.Disks, console.HealthDisk{Mount: d.Mount, Used: runbook.Figure(d.Used, "bytes") + " / " + runbook.Figure(d.Size, "bytes"), Ratio: d.Used / max(1, d.Size), Days: console.DayText(v, d.Days)})
	}
	return out
}

// earlier is how many reports of a period a page links to.
const earlier = 12

func (a *Admin) checklistsPage(r *Request) {
	l := a.o.Minding.Lists
	if l == nil {
		r.without()
		return
	}
	r.Page(func(v console.View) templ.Component {
		var out []console.Checklist
		for _, p := range checklist.Periods() {
			one := console.Checklist{Period: string(p), Title: v.In(p.Title())}
			if last, err := l.Last(p); err == nil {
				one = a.checklistView(v, last)
			}
			one.Next = l.Next(p, a.o.Now())
			for i, id := range l.Reports(p) {
				if i > 0 && i <= earlier {
					one.Older = append(one.Older, console.Tab{Href: "/admin/checklists/" + id, Title: strings.TrimPrefix(id, string(p)+"-")})
				}
			}
			out = append(out, one)
		}
		return console.ChecklistsPage(v, out)
	})
}

func (a *Admin) reportPage(r *Request) {
	if a.o.Minding.Lists == nil {
		r.without()
		return
	}
	report, err := a.o.Minding.Lists.Report(r.Arg("id"))
	switch {
	case errors.Is(err, checklist.ErrNoReport):
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such report: it may be too old.", "没有这份报告，可能已过期删除。"))
	case err != nil:
		r.Fault(err)
	case r.Query("format") == "json":
		body, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			r.Fault(err)
			return
		}
		r.ctx.SetContentType("application/json")
		r.ctx.Response.Header.Set("Content-Disposition", `attachment; filename="`+report.ID+`.json"`)
		r.ctx.Response.SetBodyRaw(body)
	default:
		t := report.Period.Title()
		day := report.Due.Format(time.DateOnly)
		r.PageOf(words.Of(t.EN+" "+day, t.ZH+" "+day), func(v console.View) templ.Component { return console.ChecklistReport(v, a.checklistView(v, report)) })
	}
}

func (a *Admin) runChecklist(r *Request) {
	l := a.o.Minding.Lists
	if l == nil {
		r.without()
		return
	}
	for _, p := range checklist.Periods() {
		if string(p) != r.Arg("id") {
			continue
		}
		if _, err := l.Now(r.ctx, p); err != nil {
			r.Fault(err)
			return
		}
		a.note(r, "checklist.run", string(p), "", "done")
		r.Done("/admin/checklists", words.Of("The checks have run.", "检查已运行。"))
		return
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such checklist.", "没有这份检查清单。"))
}

// ---- audit -----------------------------------------------------------------------

// auditFile bounds an export, in pages of the audit.
const auditFile = 100

func (a *Admin) auditPage(r *Request) {
	l := r.List("")
	p := wire.AuditListParams{Text: l.Search, Action: r.Query("action"), Outcome: r.Query("outcome"), Limit: min(l.Size, wire.AuditPage)}
	if n, err := strconv.ParseUint(r.Query("before"), 10, 64); err == nil {
		p.Before = n
	}
	pages := 1
	if r.WantsCSV() {
		pages, p.Limit, p.Before = auditFile, wire.AuditPage, 0
	}
	var all []wire.AuditEntry
	for range pages {
		result, err := r.Call("audit.list", p)
		list, ok := result.(wire.AuditList)
		if err != nil || !ok {
			r.Error(err)
			return
		}
		all = append(all, list.Entries...)
		if p.Before = list.Next; p.Before == 0 {
			break
		}
	}
	v := r.View(r.Route.Title)
	if r.WantsCSV() {
		var rows [][]string
		for _, e := range all {
			rows = append(rows, []string{strconv.FormatUint(e.Position, 10), time.UnixMilli(e.At).UTC().Format(time.RFC3339), e.Name, e.Role, e.Address, e.Action, e.Object, e.Detail, e.Outcome})
		}
		r.CSV("audit", []string{v.Say("Position", "位置"), v.Say("When", "时间"), v.Say("Who", "操作者"), v.Say("Role", "角色"), v.Say("Address", "地址"), v.Say("Action", "操作"), v.Say("Object", "对象"), v.Say("Detail", "内容"), v.Say("Outcome", "结果")}, rows)
		return
	}
	next := ""
	if p.Before != 0 {
		q := url.Values{}
		for name, values := range l.Query {
			q[name] = values
		}
		q.Set("before", strconv.FormatUint(p.Before, 10))
		next = l.Path + "?" + q.Encode()
	}
	var lines []console.AuditLine
	for _, e := range all {
		line := console.AuditLine{At: time.UnixMilli(e.At), Who: e.Name, Role: e.Role, Address: e.Address, Action: e.Action, Deed: v.In(Deed(e.Action)), Object: e.Object, Detail: e.Detail, Outcome: e.Outcome, Level: console.Good}
		switch e.Outcome {
		case "refused":
			line.Level = console.Warning
		case "failed":
			line.Level = console.Critical
		case "tried":
			line.Level = console.Info
		}
		if line.Who == "" {
			line.Who = v.Say("the server", "服务器")
		}
		lines = append(lines, line)
	}
	r.Page(func(v console.View) templ.Component { return console.AuditPage(v, l, lines, next) })
}

// profile gives a kept profile to take along.
func (a *Admin) profile(r *Request) {
	name := r.Arg("name")
	if a.o.Minding.Profile == nil {
		r.without()
		return
	}
	body, err := a.o.Minding.Profile(name)
	if err != nil {
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such profile: it may be too old.", "没有这份剖析文件，可能已过期删除。"))
		return
	}
	r.ctx.SetContentType("application/octet-stream")
	r.ctx.Response.Header.Set("Content-Disposition", `attachment; filename="`+strings.Map(func(c rune) rune {
		if c == '"' || c < ' ' || c > '~' {
			return '_'
		}
		return c
	}, name)+`"`)
	r.ctx.Response.SetBodyRaw(body)
}
