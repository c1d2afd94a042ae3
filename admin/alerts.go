package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Alerts is what the pages of alerting show and change.
type Alerts struct {
	// Manager keeps what fires. Nil: this server does not watch itself.
	Manager *alert.Manager
	// Changes counts what changed in the lists, for the stream. Nil: they are
	// not live.
	Changes func() uint64
	// Waiting are alerts whose rule is pending, has no data, or errs.
	Waiting func(ctx context.Context) []Waiting
	// Did is told what somebody did, for the audit. May be nil.
	Did func(r *Request, action, object, detail string)
}

// The states of Waiting.
const (
	Pending = "pending"
	NoData  = "nodata"
	Errs    = "error"
)

// Waiting is an alert whose rule is not sure, or cannot be.
type Waiting struct {
	State    string // Pending, NoData, Errs
	Name     string
	Severity string
	Summary  words.Text
	Host     string
	Value    string
	Since    time.Time
	Error    string
}

func alertRoutes() []Route {
	post := func(path string, f func(*Admin, *Request)) Route {
		return Route{Method: "POST", Path: "/admin/alerts/" + path, Need: Manages, Handle: f}
	}
	return []Route{
		{Method: "GET", Path: "/admin/alerts", Title: words.Of("Alerts", "告警"), Group: Alerting, Icon: "bell", Badge: "alerts", Need: Sees, Topics: []string{"alerts"}, Handle: (*Admin).alertsPage},
		{Method: "GET", Path: "/admin/alerts/one", Title: words.Of("Alert", "告警详情"), Under: "/admin/alerts", Need: Sees, Topics: []string{"alerts"}, Handle: (*Admin).oneAlert},
		{Method: "GET", Path: "/admin/alerts/history", Title: words.Of("History of alerts", "告警历史"), Group: Alerting, Icon: "history", Need: Sees, Handle: (*Admin).alertHistory},
		{Method: "GET", Path: "/admin/alerts/json", Need: Sees, Handle: (*Admin).alertsJSON},
		{Method: "GET", Path: "/admin/alerts/one/json", Need: Sees, Handle: (*Admin).oneAlertJSON},
		{Method: "GET", Path: "/admin/alerts/history/json", Need: Sees, Handle: (*Admin).alertHistoryJSON},
		{Method: "GET", Path: "/admin/silences/json", Need: Sees, Handle: (*Admin).silencesJSON},
		post("ack", (*Admin).ackAlert),
		post("unack", (*Admin).unackAlert),
		post("assign", (*Admin).assignAlert),
		post("comment", (*Admin).commentAlert),
		post("silence", (*Admin).silenceAlert),
	}
}

// manager is what keeps alerts; without one the request is answered.
func (a *Admin) manager(r *Request) *alert.Manager {
	if a.o.Alerts.Manager == nil {
		r.Trouble(fasthttp.StatusNotFound, words.Of("This server does not watch itself: watch.enabled is false.", "本服务器未启用监控：watch.enabled 为 false。"))
	}
	return a.o.Alerts.Manager
}

func (a *Admin) alertsPage(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	only := r.Query("name")
	if only == "" {
		only = r.Query("alertname")
	}
	r.Page(func(v console.View) templ.Component {
		p := console.Alerts{Heartbeat: heartbeat(v, m), Only: only, People: r.minders()}
		for _, t := range m.Findings() {
			p.Findings = append(p.Findings, v.In(t))
		}
		for _, x := range m.Active(r.ctx) {
			if only == "" || x.Name() == only {
				p.Firing = append(p.Firing, alertView(v, x))
			}
		}
		if f := a.o.Alerts.Waiting; f != nil {
			for _, w := range f(r.ctx) {
				if only == "" || w.Name == only {
					p.Waiting = append(p.Waiting, waitingView(v, w))
				}
			}
		}
		return console.AlertsPage(v, p)
	})
}

func heartbeat(v console.View, m *alert.Manager) string {
	b := m.Heartbeat()
	switch {
	case b.Channel == "":
		return ""
	case b.Sent.IsZero():
		return v.Say("Heartbeat to "+b.Channel+": not taken yet.", "到 "+b.Channel+" 的心跳：尚未成功。")
	}
	ago := v.Span(time.Since(b.Sent))
	return v.Say("Heartbeat to "+b.Channel+": taken "+ago+" ago.", "到 "+b.Channel+" 的心跳："+ago+"前成功。")
}

func waitingView(v console.View, w Waiting) console.Waiting {
	state := map[string]string{Pending: v.Say("pending", "待定"), NoData: v.Say("no data", "无数据"), Errs: v.Say("error", "出错")}[w.State]
	return console.Waiting{Name: w.Name, Summary: v.In(w.Summary), Host: w.Host, Value: w.Value, Level: console.Level(w.Severity), State: w.State, Word: state, Since: w.Since, Error: w.Error}
}

func alertView(v console.View, x alert.Active) console.Alert {
	return console.Alert{FP: x.Fingerprint, Name: x.Name(), Summary: v.In(x.Summary()), Details: v.In(x.Details()), Level: console.Level(x.Severity()), Host: x.Item.Host,
		Value: x.Item.Value, Threshold: x.Item.Threshold, Since: x.Start, Ended: x.End, Times: x.Times, Runbook: runbookLink(x), AckBy: x.AckBy, Assignee: x.Assignee, AckAt: x.AckAt,
		Silenced: len(x.SilencedBy) > 0, Inhibited: x.Inhibited, Quiet: strings.Join(x.Quiet, ", "), Firing: x.Firing()}
}

// runbookLink is where the steps are: on the alert's page, or where its rule
// says.
func runbookLink(x alert.Active) string {
	if u := x.RunbookURL(); u != "" {
		return u
	}
	return alert.AlertPath(x.Fingerprint) + "#runbook"
}

// minders are the people an alert can be assigned to.
func (r *Request) minders() []console.Option {
	if r.Call == nil {
		return nil
	}
	all, err := r.everybody("")
	if err != nil {
		return nil // the list is shown without names
	}
	var out []console.Option
	for _, u := range all {
		if !u.Disabled && (u.Role == wire.Owner || u.Role == wire.Admin) {
			out = append(out, console.Option{Value: u.Login, Title: u.Name})
		}
	}
	return out
}

func (a *Admin) oneAlert(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	x, found, err := m.One(r.ctx, r.Query("fp"))
	if err == nil && found && r.Query("episode") != "" && r.Query("episode") != x.ID() {
		var e alert.Episode
		if e, found, err = m.Episode(r.Query("episode")); found {
			x = alert.Active{Episode: e, Item: notify.Item{Host: e.Labels["instance"], Value: e.Annotations["value"], Threshold: e.Annotations["threshold"]}, Times: x.Times}
		}
	}
	if err != nil {
		r.Fault(err)
		return
	}
	if !found {
		r.Trouble(fasthttp.StatusNotFound, words.Of("This alert has not fired, or so long ago that it is forgotten.", "该告警没有触发过，或因时间过久已被清除。"))
		return
	}
	before, _, err := m.History(alert.Query{Name: x.Name(), Limit: 200})
	if err != nil {
		r.Fault(err)
		return
	}
	title := x.Summary()
	r.PageOf(title, func(v console.View) templ.Component {
		p := console.OneAlert{Alert: alertView(v, x), Lost: x.Lost, People: r.minders(), Labels: pairs(x.Labels), Annotations: pairs(furtherAnnotations(x.Annotations)), Source: x.SourceURL()}
		for i := len(x.Events) - 1; i >= 0; i-- {
			p.Timeline = append(p.Timeline, timelineLine(v, x.Events[i]))
		}
		for _, e := range before {
			if e.Fingerprint == x.Fingerprint && e.Start.Before(x.Start) && len(p.Before) < 10 {
				p.Before = append(p.Before, historyRow(v, e))
			}
		}
		return a.withRunbook(r, v, x, console.OneAlertPage(v, p))
	})
}

// pairs are names and values, by name.
func pairs(m map[string]string) []console.Option {
	var out []console.Option
	for name, value := range m {
		out = append(out, console.Option{Value: name, Title: value})
	}
	slices.SortFunc(out, func(a, b console.Option) int { return strings.Compare(a.Value, b.Value) })
	return out
}

// furtherAnnotations are those that the page of an alert does not show as its
// summary, figures or links.
func furtherAnnotations(all map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range all {
		switch name {
		case "summary", "summary_zh", "description", "description_zh", "value", "threshold", "runbook", "runbook_url", "link":
		default:
			out[name] = value
		}
	}
	return out
}

// timelineLine says an event in the reader's language.
func timelineLine(v console.View, e alert.Event) console.TimelineLine {
	say := map[string]string{
		alert.Fired: v.Say("began", "开始触发"), alert.Ended: v.Say("over", "已恢复"), alert.Told: v.Say("told "+e.Object, "已通知 "+e.Object),
		alert.NotTold: v.Say("could not tell "+e.Object, "通知 "+e.Object+" 失败"), alert.Withheld: v.Say("withheld from "+e.Object+" by its rate limit", e.Object+" 超出频率限制，暂缓通知"),
		alert.Acknowledged: v.Say("acknowledged", "已确认"), alert.Unacked: v.Say("acknowledgement taken back", "撤回确认"),
		alert.Assigned: v.Say("assigned to "+e.Object, "指派给 "+e.Object), alert.Commented: v.Say("comment", "评论"),
		alert.Raised: v.Say("escalated to "+e.Object, "升级通知 "+e.Object), alert.Silenced: v.Say("silenced", "已静默"), alert.Action: v.Say("step", "执行步骤")}[e.Kind]
	if e.Kind == alert.Assigned && e.Object == "" {
		say = v.Say("assigned to nobody", "取消指派")
	}
	text := e.Text
	if e.ZH != "" {
		text = v.Say(e.Text, e.ZH)
	}
	return console.TimelineLine{At: e.At, What: say, Who: e.Who, Text: text}
}

// back is where a form came from, unless that was not a page of alerts.
func (r *Request) back(fp string) string {
	if to := r.Form("to"); strings.HasPrefix(to, "/admin/alerts") {
		return to
	}
	return alert.AlertPath(fp)
}

// act does something to an alert and goes back to where the form was.
func (a *Admin) act(r *Request, action, detail string, said words.Text, f func(m *alert.Manager, fp string) error) {
	m := a.manager(r)
	if m == nil {
		return
	}
	fp := r.Form("fp")
	err := f(m, fp)
	var bad *notify.Invalid
	switch {
	case errors.Is(err, alert.ErrGone):
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such alert now.", "现在没有这个告警。"))
	case errors.As(err, &bad):
		r.Trouble(fasthttp.StatusUnprocessableEntity, bad.Text)
	case err != nil:
		r.Fault(err)
	default:
		a.did(r, action, fp, detail)
		r.Done(r.back(fp), said)
	}
}

func (a *Admin) did(r *Request, action, object, detail string) {
	if a.o.Alerts.Did != nil {
		a.o.Alerts.Did(r, action, object, detail)
	}
}

func (a *Admin) ackAlert(r *Request) {
	a.act(r, "alert.ack", "", words.Of("Acknowledged.", "已确认。"), func(m *alert.Manager, fp string) error { return m.Ack(fp, r.who()) })
}

func (a *Admin) unackAlert(r *Request) {
	a.act(r, "alert.unack", "", words.Of("Taken back.", "已撤回。"), func(m *alert.Manager, fp string) error { return m.Unack(fp, r.who()) })
}

func (a *Admin) assignAlert(r *Request) {
	to := strings.TrimSpace(r.Form("assignee"))
	if to != "" && !slices.ContainsFunc(r.minders(), func(o console.Option) bool { return o.Value == to }) {
		r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("No owner or admin has this login.", "没有使用该登录名的所有者或管理员。"))
		return
	}
	a.act(r, "alert.assign", to, words.Of("Assigned.", "已指派。"), func(m *alert.Manager, fp string) error { return m.Assign(fp, r.who(), to) })
}

func (a *Admin) commentAlert(r *Request) {
	a.act(r, "alert.comment", "", words.Of("Noted.", "已记录。"), func(m *alert.Manager, fp string) error { return m.Comment(fp, r.who(), r.Form("text")) })
}

// silenceAlert silences one alert by all of its labels, or, without fp, what
// the lines of matchers match.
func (a *Admin) silenceAlert(r *Request) {
	if list := lines(r.Form("matchers")); r.Form("fp") == "" && len(list) > 0 {
		a.silenceMatching(r, list)
		return
	}
	a.act(r, "alert.silence", r.Form("reason"), words.Of("Silenced.", "已静默。"), func(m *alert.Manager, fp string) error {
		x, found, err := m.One(r.ctx, fp)
		if err != nil {
			return err
		}
		if !found {
			return alert.ErrGone
		}
		s, err := r.silence(exactly(x.Labels))
		if err != nil {
			return err
		}
		_, err = m.Silence(r.ctx, s)
		return err
	})
}

func (a *Admin) silenceMatching(r *Request, list []string) {
	m := a.manager(r)
	if m == nil {
		return
	}
	id, err := addSilence(r, m, list)
	var bad *notify.Invalid
	switch {
	case errors.As(err, &bad):
		r.Trouble(fasthttp.StatusUnprocessableEntity, bad.Text)
	case err != nil:
		r.Fault(err)
	default:
		a.did(r, "silence.add", id, strings.Join(list, ", "))
		r.Done("/admin/silences", words.Of("Silenced.", "已静默。"))
	}
}

// lines are the lines of a form's field that have something in them.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func historyRow(v console.View, e alert.Episode) console.HistoryRow {
	lasted := v.Say("still firing", "仍在触发")
	if !e.Firing() {
		lasted = v.Span(e.End.Sub(e.Start))
	}
	return console.HistoryRow{ID: e.ID(), FP: e.Fingerprint, Name: e.Name(), Summary: v.In(e.Summary()), Host: e.Labels["instance"], Level: console.Level(e.Severity()),
		Start: e.Start, End: e.End, Lasted: lasted, AckBy: e.AckBy, Assignee: e.Assignee}
}

// mostHistory bounds what one list or file takes.
const mostHistory = 10_000

func (a *Admin) alertHistory(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	l := r.List("")
	all, _, err := m.History(alert.Query{Limit: mostHistory})
	if err != nil {
		r.Fault(err)
		return
	}
	v := r.View(r.Route.Title)
	names := map[string]bool{}
	var kept []alert.Episode
	q := alert.Query{Text: l.Search, Name: r.Query("name"), Severity: r.Query("severity"), State: r.Query("state")}
	for i := range all {
		names[all[i].Name()] = true
		if q.Takes(&all[i]) {
			kept = append(kept, all[i])
		}
	}
	l.Search, q.Text = "", l.Search
	rows := Pick(&l, kept, nil, nil)
	l.Search = q.Text
	if r.WantsCSV() {
		a.historyCSV(r, v, rows)
		return
	}
	options := []console.Option{{Value: "", Title: v.Say("all", "全部")}}
	for n := range names {
		options = append(options, console.Option{Value: n, Title: n})
	}
	slices.SortFunc(options[1:], func(a, b console.Option) int { return strings.Compare(a.Value, b.Value) })
	r.Page(func(v console.View) templ.Component {
		var out []console.HistoryRow
		for _, e := range rows {
			out = append(out, historyRow(v, e))
		}
		return console.AlertHistoryPage(v, l, options, out)
	})
}

func (a *Admin) historyCSV(r *Request, v console.View, list []alert.Episode) {
	var out [][]string
	for _, e := range list {
		end := ""
		if !e.Firing() {
			end = e.End.UTC().Format(time.RFC3339)
		}
		out = append(out, []string{e.Start.UTC().Format(time.RFC3339), end, e.Severity(), e.Name(), v.In(e.Summary()), e.Labels["instance"], e.Annotations["value"], e.Annotations["threshold"], e.AckBy, e.Assignee})
	}
	r.CSV("alerts", []string{v.Say("Began (UTC)", "开始（UTC）"), v.Say("Ended (UTC)", "结束（UTC）"), v.Say("Severity", "级别"), v.Say("Alert", "告警"), v.Say("Summary", "摘要"), v.Say("Host", "主机"),
		v.Say("Value", "当前值"), v.Say("Threshold", "阈值"), v.Say("Acknowledged by", "确认人"), v.Say("Assigned to", "负责人")}, out)
}

// alertsLive tells pages of alerts that something changed.
func (a *Admin) alertsLive() Live {
	return Live{Topic: "alerts", Every: time.Second, Data: func(context.Context, string) string {
		if a.o.Alerts.Changes == nil {
			return ""
		}
		return fmt.Sprintf("%d", a.o.Alerts.Changes())
	}}
}
