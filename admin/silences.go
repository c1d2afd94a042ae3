package admin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func silenceRoutes() []Route {
	quiet := words.Of("Quiet hours", "免打扰时段")
	silences := words.Of("Silences", "静默")
	return []Route{
		{Method: "GET", Path: "/admin/silences", Title: silences, Group: Alerting, Icon: "silence", Need: Sees, Handle: (*Admin).silencesPage},
		{Method: "POST", Path: "/admin/silences", Title: silences, Need: Manages, Handle: (*Admin).addSilence},
		{Method: "POST", Path: "/admin/silences/end", Title: silences, Need: Manages, Handle: (*Admin).endSilence},
		{Method: "GET", Path: "/admin/quiet", Title: quiet, Under: "/admin/silences", Need: Sees, Handle: (*Admin).quietPage},
		{Method: "POST", Path: "/admin/quiet", Title: quiet, Under: "/admin/silences", Need: Manages, Handle: (*Admin).addQuiet},
		{Method: "POST", Path: "/admin/quiet/remove", Title: quiet, Need: Manages, Handle: (*Admin).removeQuiet},
	}
}

// silencesPage lists silences. With fp in the address the form has the labels
// of that alert.
func (a *Admin) silencesPage(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	f := console.Form{}
	if fp := r.Query("fp"); fp != "" {
		x, found, err := m.One(r.ctx, fp)
		if err != nil {
			r.Fault(err)
			return
		}
		if found {
			f.Values = map[string]string{"matchers": strings.Join(exactly(x.Labels), "\n")}
		}
	}
	a.showSilences(r, m, f, nil, r.Page)
}

// exactly are the matchers of all labels of an alert.
func exactly(labels map[string]string) []string {
	var list []string
	for name, value := range labels {
		list = append(list, name+"="+strconv.Quote(value))
	}
	slices.Sort(list)
	return list
}

// mostPreview bounds the alerts that a preview names.
const mostPreview = 20

func (a *Admin) previewSilence(r *Request, m *alert.Manager, list []string) {
	f := r.Filled()
	found, err := m.Matching(list)
	if err != nil {
		if r.mistake(&f, err, map[string]string{"matcher": "matchers"}) {
			a.showSilences(r, m, f, nil, r.Invalid)
		}
		return
	}
	p := &console.SilencePreview{More: max(0, len(found)-mostPreview)}
	for _, e := range found[:min(len(found), mostPreview)] {
		p.Alerts = append(p.Alerts, console.Option{Value: alert.AlertPath(e.Fingerprint), Title: e.Summary().In(r.Tongue())})
	}
	a.showSilences(r, m, f, p, r.Page)
}

func (a *Admin) showSilences(r *Request, m *alert.Manager, f console.Form, preview *console.SilencePreview, answer func(func(console.View) templ.Component)) {
	list, err := m.Silences(r.ctx)
	if err != nil {
		r.Fault(err)
		return
	}
	var rows []console.SilenceRow
	for _, s := range list {
		rows = append(rows, console.SilenceRow{ID: s.ID, Matchers: strings.Join(s.Matchers, ", "), Author: s.Author, Reason: s.Reason, State: s.State, Start: s.Start, End: s.End, Affects: s.Affects})
	}
	answer(func(v console.View) templ.Component { return console.SilencesPage(v, rows, f, time.Now(), preview) })
}

// mistake puts what is wrong into a form, and reports whether it was the
// form's fault. names gives the field for a setting.
func (r *Request) mistake(f *console.Form, err error, names map[string]string) bool {
	var bad *notify.Invalid
	if !errors.As(err, &bad) {
		r.Fault(err)
		return false
	}
	field := bad.Field
	if n, ok := names[field]; ok {
		field = n
	}
	f.Errors[field] = bad.Text.In(r.Tongue())
	if _, shown := f.Values[field]; !shown {
		f.Errors[""] = bad.Text.In(r.Tongue())
	}
	return true
}

func (a *Admin) addSilence(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	list := lines(r.Form("matchers"))
	if r.Form("do") == "preview" {
		a.previewSilence(r, m, list)
		return
	}
	id, err := addSilence(r, m, list)
	if err != nil {
		f := r.Filled()
		if r.mistake(&f, err, map[string]string{"matcher": "matchers", "end": "for", "start": "from"}) {
			a.showSilences(r, m, f, nil, r.Invalid)
		}
		return
	}
	a.did(r, "silence.add", id, strings.Join(list, ", "))
	r.Done("/admin/silences", words.Of("Silenced.", "已静默。"))
}

// lateStart is how far back a silence may begin that is taken to begin now: what
// filling a form takes.
const lateStart = time.Hour

// silence reads the fields for (a duration), from (a time; empty: now) and
// reason of a form.
func (r *Request) silence(matchers []string) (alert.Silence, error) {
	s := alert.Silence{Matchers: matchers, Author: r.who(), Reason: r.Form("reason")}
	begin := time.Now()
	if text := r.Form("from"); text != "" {
		at, err := readMoment(text, begin)
		if err != nil {
			return s, &notify.Invalid{Field: "from", Text: words.Of("this is no time; write it as 2026-12-24 22:00", "时间格式不正确，请写成 2026-12-24 22:00")}
		}
		switch {
		case at.Before(begin.Add(-lateStart)):
			return s, &notify.Invalid{Field: "from", Text: words.Of("this is over: leave it empty to begin now", "该时间已过：留空表示立即开始")}
		case at.After(begin):
			s.Start, begin = at, at
		}
	}
	if d, err := time.ParseDuration(r.Form("for")); err == nil { // else it is refused for ending now
		s.End = begin.Add(d)
	}
	return s, nil
}

func addSilence(r *Request, m *alert.Manager, matchers []string) (id string, err error) {
	s, err := r.silence(matchers)
	if err != nil {
		return "", err
	}
	return m.Silence(r.ctx, s)
}

func (a *Admin) endSilence(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	err := m.Expire(r.ctx, r.Form("id"))
	var bad *notify.Invalid
	if errors.As(err, &bad) {
		r.Trouble(fasthttp.StatusNotFound, bad.Text)
		return
	}
	if err != nil {
		r.Fault(err)
		return
	}
	a.did(r, "silence.end", r.Form("id"), "")
	r.Done("/admin/silences", words.Of("The silence is over.", "静默已结束。"))
}

func (a *Admin) quietPage(r *Request) {
	if m := a.manager(r); m != nil {
		a.showQuiet(r, m, console.Form{}, r.Page)
	}
}

func (a *Admin) showQuiet(r *Request, m *alert.Manager, f console.Form, answer func(func(console.View) templ.Component)) {
	answer(func(v console.View) templ.Component {
		var rows []console.QuietRow
		for _, q := range m.Plan().Quiet {
			row := console.QuietRow{ID: q.ID, Name: q.Name, Hours: q.From + "–" + q.To, Zone: q.Zone, Now: q.Lasts(time.Now())}
			if row.Zone == "" {
				row.Zone = v.Say("time of the server", "服务器时间")
			}
			var days, sev []string
			for _, d := range q.Days {
				days = append(days, v.Days()[d])
			}
			for _, s := range q.Severities {
				sev = append(sev, v.LevelWord(console.Level(s)))
			}
			row.Days, row.Severities = strings.Join(days, " "), strings.Join(sev, ", ")
			rows = append(rows, row)
		}
		return console.QuietPage(v, rows, f)
	})
}

func (a *Admin) addQuiet(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	q := alert.Quiet{Name: strings.TrimSpace(r.Form("name")), From: r.Form("from"), To: r.Form("until"), Zone: strings.TrimSpace(r.Form("zone"))}
	for d := range 7 {
		if r.Form(fmt.Sprintf("day%d", d)) == "on" {
			q.Days = append(q.Days, d)
		}
	}
	for _, s := range alert.Severities() {
		if r.Form(s) == "on" {
			q.Severities = append(q.Severities, s)
		}
	}
	p := m.Plan()
	p.Quiet = append(p.Quiet, q)
	if err := m.SetPlan(p); err != nil {
		f := r.Filled()
		if r.mistake(&f, err, nil) {
			a.showQuiet(r, m, f, r.Invalid)
		}
		return
	}
	a.did(r, "quiet.add", q.Name, "")
	r.Done("/admin/quiet", words.Of("Added.", "已添加。"))
}

func (a *Admin) removeQuiet(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	p := m.Plan()
	for i, q := range p.Quiet {
		if q.ID != r.Form("id") {
			continue
		}
		if !r.Typed(q.Name) {
			r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("The name that was typed is another: nothing was removed.", "输入的名称不一致，没有删除任何内容。"))
			return
		}
		p.Quiet = append(p.Quiet[:i], p.Quiet[i+1:]...)
		if err := m.SetPlan(p); err != nil {
			r.Fault(err)
			return
		}
		a.did(r, "quiet.remove", q.Name, "")
		r.Done("/admin/quiet", words.Of("Removed.", "已删除。"))
		return
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("These quiet hours are gone.", "该免打扰时段已不存在。"))
}
