package rule

import (
	"sort"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"

	"posthouse/sysmon/words"
)

// State is how a rule stands.
type State string

// The states. Pending means that the condition holds, but not long enough yet.
const (
	Unknown  State = "unknown" // not evaluated yet
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	NoData   State = "no_data" // a metric that the rule needs has no series
	Failed   State = "error"   // the evaluation failed
	Disabled State = "disabled"
)

// Title is the state in words.
func (s State) Title() words.Text {
	switch s {
	case Inactive:
		return words.Of("Inactive", "正常")
	case Pending:
		return words.Of("Pending", "待触发")
	case Firing:
		return words.Of("Firing", "告警中")
	case NoData:
		return words.Of("No data", "无数据")
	case Failed:
		return words.Of("Error", "评估出错")
	case Disabled:
		return words.Of("Disabled", "已停用")
	}
	return words.Of("Not evaluated yet", "尚未评估")
}

// Alert is one active instance of a rule.
type Alert struct {
	State       State // Pending or Firing
	Labels      map[string]string
	Annotations map[string]string
	Value       float64
	ActiveAt    time.Time // since when the condition holds
	FiredAt     time.Time // zero while pending
}

// Rule is one rule and how it stands.
type Rule struct {
	ID       string // shipped/host.yml/host/HighCPUUsage
	File     string
	Group    string
	Interval time.Duration
	Spec     Spec // as it is evaluated
	Original Spec // as its file has it, before the operator's change
	Form     *Form
	Shipped  bool // comes with the program
	Changed  bool // replaced by the operator
	State    State
	Since    time.Time // when no data or the error began, or the oldest alert
	Reason   words.Text
	Alerts   []Alert // oldest first
	At       time.Time
	Took     time.Duration
}

// Severity is its label of that name: warning, serious, critical, or what a
// foreign file says.
func (r Rule) Severity() string { return r.Spec.Labels["severity"] }

// Rules lists every rule, shipped ones first, in the order of the files.
func (m *Manager) Rules() []Rule {
	live := map[string]rules.Rule{}
	groups := m.Groups()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range groups {
		running := m.set.running(g.File(), g.Name())
		for i, r := range g.Rules() {
			if i < len(running) && running[i].spec.Name() == r.Name() {
				live[running[i].id] = r
			}
		}
	}
	var out []Rule
	for _, f := range m.set.files {
		for _, e := range f.entries {
			out = append(out, m.describe(e, live[e.id]))
		}
	}
	return out
}

// Rule finds a rule by its id.
func (m *Manager) Rule(id string) (Rule, bool) {
	for _, r := range m.Rules() {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// describe puts together what is known of a rule; live is nil when it is not
// evaluated. The caller holds the lock.
func (m *Manager) describe(e *entry, live rules.Rule) Rule {
	r := Rule{ID: e.id, File: e.file, Group: e.group, Interval: e.interval, Spec: e.spec, Original: e.original,
		Form: e.form, Shipped: e.shipped(), Changed: e.changed, State: Unknown}
	if r.Interval == 0 {
		r.Interval = m.o.Interval
	}
	if e.disabled {
		r.State = Disabled
		return r
	}
	if live == nil || live.GetEvaluationTimestamp().IsZero() {
		return r
	}
	r.State, r.At, r.Took = Inactive, live.GetEvaluationTimestamp(), live.GetEvaluationDuration()
	if alerting, ok := live.(*rules.AlertingRule); ok {
		r.addAlerts(alerting)
	}
	n := m.notes[e.id]
	switch {
	case live.Health() == rules.HealthBad:
		r.State, r.Since = Failed, n.since
		if err := live.LastError(); err != nil {
			r.Reason = words.Of(err.Error(), "评估失败："+err.Error())
		}
	case n.state == NoData && r.State == Inactive:
		list := strings.Join(n.missing, ", ")
		r.State, r.Since = NoData, n.since
		r.Reason = words.Of("no series of "+list, "没有 "+list+" 的数据")
	}
	return r
}

func (r *Rule) addAlerts(ar *rules.AlertingRule) {
	for _, a := range ar.ActiveAlerts() {
		s := Pending
		if a.State == rules.StateFiring {
			s = Firing
		}
		if r.State != Firing {
			r.State = s
		}
		r.Alerts = append(r.Alerts, Alert{State: s, Labels: a.Labels.Map(), Annotations: a.Annotations.Map(),
			Value: a.Value, ActiveAt: a.ActiveAt, FiredAt: a.FiredAt})
	}
	sort.Slice(r.Alerts, func(i, j int) bool { return r.Alerts[i].ActiveAt.Before(r.Alerts[j].ActiveAt) })
	if len(r.Alerts) > 0 {
		r.Since = r.Alerts[0].ActiveAt
	}
}
