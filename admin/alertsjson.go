package admin

import (
	"cmp"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/words"
)

// AlertJSON is an alert for programs: GET /admin/alerts/json and the rows of
// GET /admin/alerts/history/json.
type AlertJSON struct {
	Fingerprint string            `json:"fingerprint"`
	Episode     string            `json:"episode"`
	Name        string            `json:"name"`
	Severity    string            `json:"severity"`
	Summary     string            `json:"summary"`
	Host        string            `json:"host"`
	Value       string            `json:"value"`
	Threshold   string            `json:"threshold"`
	Since       time.Time         `json:"since"`
	Ended       time.Time         `json:"ended,omitzero"` // absent: it fires
	Times       int               `json:"times,omitzero"` // episodes in 7 days; of what fires
	AckBy       string            `json:"ack_by,omitempty"`
	AckAt       time.Time         `json:"ack_at,omitzero"`
	Assignee    string            `json:"assignee,omitempty"`
	State       string            `json:"state"` // active, acknowledged, silenced, inhibited, quiet, ended
	Labels      map[string]string `json:"labels"`
}

// OneAlertJSON is all that is known of an alert: GET /admin/alerts/one/json.
type OneAlertJSON struct {
	AlertJSON
	Details     string            `json:"details,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Source      string            `json:"source,omitempty"`
	Runbook     string            `json:"runbook"`         // address; of this server when it begins with a slash
	Means       string            `json:"means,omitempty"` // what the runbook says
	Evidence    []EvidenceJSON    `json:"evidence,omitempty"`
	Timeline    []alert.Event     `json:"timeline"` // oldest first
}

// EvidenceJSON is what was found when the alert opened.
type EvidenceJSON struct {
	Title string     `json:"title"`
	At    time.Time  `json:"at"`
	Head  []string   `json:"head,omitempty"`
	Rows  [][]string `json:"rows,omitempty"`
	Text  string     `json:"text,omitempty"`
	Error string     `json:"error,omitempty"`
}

// SilenceJSON is one of GET /admin/silences/json.
type SilenceJSON struct {
	ID       string    `json:"id"`
	Matchers []string  `json:"matchers"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Author   string    `json:"author"`
	Reason   string    `json:"reason"`
	State    string    `json:"state"` // pending, active, expired
	Affects  int       `json:"affects"`
}

func stateOf(x alert.Active) string {
	switch {
	case !x.Firing():
		return "ended"
	case x.AckBy != "":
		return "acknowledged"
	case len(x.SilencedBy) > 0:
		return "silenced"
	case x.Inhibited:
		return "inhibited"
	case len(x.Quiet) > 0:
		return "quiet"
	}
	return "active"
}

func (r *Request) alertJSON(x alert.Active) AlertJSON {
	return AlertJSON{Fingerprint: x.Fingerprint, Episode: x.ID(), Name: x.Name(), Severity: x.Severity(), Summary: x.Summary().In(r.Tongue()), Host: cmp.Or(x.Item.Host, x.Labels["instance"]),
		Value: x.Annotations["value"], Threshold: x.Annotations["threshold"], Since: x.Start, Ended: x.End, Times: x.Times, AckBy: x.AckBy, AckAt: x.AckAt, Assignee: x.Assignee,
		State: stateOf(x), Labels: x.Labels}
}

func (a *Admin) alertsJSON(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	out := []AlertJSON{}
	for _, x := range m.Active(r.ctx) {
		out = append(out, r.alertJSON(x))
	}
	r.JSON(map[string]any{"alerts": out})
}

// alertHistoryJSON takes q, name, severity, state, limit and, for the next
// page, before: the episode of the last row.
func (a *Admin) alertHistoryJSON(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	limit, err := strconv.Atoi(r.Query("limit"))
	if r.Query("limit") != "" && (err != nil || limit < 1 || limit > mostHistory) {
		r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("limit is a number from 1 to 10000.", "limit 为 1 到 10000 的整数。"))
		return
	}
	before := r.Query("before")
	if before != "" {
		_, found, err := m.Episode(before)
		if err != nil {
			r.Fault(err)
			return
		}
		if !found { // the newest would come again, and who pages would never end
			r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("before names no episode: it may have been forgotten meanwhile.", "before 指定的记录不存在，可能已过期。"))
			return
		}
	}
	list, more, err := m.History(alert.Query{Text: r.Query("q"), Name: r.Query("name"), Severity: r.Query("severity"), State: r.Query("state"), Before: before, Limit: limit})
	if err != nil {
		r.Fault(err)
		return
	}
	out := []AlertJSON{}
	for _, e := range list {
		out = append(out, r.alertJSON(alert.Active{Episode: e}))
	}
	r.JSON(map[string]any{"alerts": out, "more": more})
}

// oneAlertJSON gives the newest episode of fp.
func (a *Admin) oneAlertJSON(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	x, found, err := m.One(r.ctx, r.Query("fp"))
	if err != nil {
		r.Fault(err)
		return
	}
	if !found {
		r.Trouble(fasthttp.StatusNotFound, words.Of("This alert has not fired, or so long ago that it is forgotten.", "该告警没有触发过，或因时间过久已被清除。"))
		return
	}
	lang := r.Tongue()
	out := OneAlertJSON{AlertJSON: r.alertJSON(x), Details: x.Details().In(lang), Annotations: x.Annotations, Source: x.Source, Runbook: runbookLink(x), Timeline: x.Events}
	if books := a.o.Minding.Books; books != nil {
		out.Means = books.Of(x.Name()).Means.In(lang)
		if c, err := books.CaseOf(x.Fingerprint); err == nil {
			out.Means = books.For(c.Alert).Means.In(lang)
			for _, f := range c.Findings {
				e := EvidenceJSON{Title: f.Title.In(lang), At: f.At, Rows: f.Rows, Text: f.Text, Error: f.Error}
				for _, h := range f.Head {
					e.Head = append(e.Head, h.In(lang))
				}
				out.Evidence = append(out.Evidence, e)
			}
		}
	}
	r.JSON(out)
}

func (a *Admin) silencesJSON(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	list, err := m.Silences(r.ctx)
	if err != nil {
		r.Fault(err)
		return
	}
	out := []SilenceJSON{}
	for _, s := range list {
		out = append(out, SilenceJSON(s))
	}
	r.JSON(map[string]any{"silences": out})
}
