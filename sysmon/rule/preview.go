package rule

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// maxSteps bounds how many times an expression is evaluated for a preview, a
// timeline or lines to draw: 7 days in minutes.
const maxSteps = 7*24*60 + 1

// Period is a stretch of time in which an alert fired.
type Period struct {
	Labels map[string]string
	From   time.Time
	To     time.Time // the end that was looked at, when Open
	Open   bool      // it still fires at the end
	Value  float64   // furthest from the beginning's value
}

// Preview is what a rule would have done.
type Preview struct {
	From, To time.Time
	Step     time.Duration // how exact the times are
	Periods  []Period      // by beginning
	Times    int           // how often it would have fired
}

// errNoRange is what previews answer without Options.Range.
var errNoRange = errors.New("evaluate over time: not configured")

// stepFor is the evaluation interval, or wider when the stretch is long.
func (m *Manager) stepFor(from, to time.Time) time.Duration {
	step := m.o.Interval
	if wide := (to.Sub(from)/maxSteps + time.Second - 1).Truncate(time.Second); wide > step {
		step = max(wide, time.Minute)
	}
	return step
}

func (m *Manager) evaluate(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
	if m.o.Range == nil {
		return nil, errNoRange
	}
	if !to.After(from) {
		return nil, fmt.Errorf("evaluate over time: the end %s is not after the beginning %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return m.o.Range(ctx, expr, from, to, step)
}

// Preview tells when a rule would have fired, by what is stored. hold is empty,
// or the condition that keeps a firing alert firing (Form.Hold).
func (m *Manager) Preview(ctx context.Context, s Spec, hold string, from, to time.Time) (Preview, error) {
	step := m.stepFor(from, to)
	start := from.Add(-s.For).Add(-step)
	active, err := m.evaluate(ctx, s.Expr, start, to, step)
	if err != nil {
		return Preview{}, fmt.Errorf("preview rule: %w", err)
	}
	held := map[string]map[int64]bool{}
	if hold != "" {
		matrix, err := m.evaluate(ctx, hold, start, to, step)
		if err != nil {
			return Preview{}, fmt.Errorf("preview rule: %w", err)
		}
		for _, series := range matrix {
			at := map[int64]bool{}
			for _, p := range series.Floats {
				at[p.T] = true
			}
			held[key(series.Metric)] = at
		}
	}
	out := Preview{From: from, To: to, Step: step}
	for _, series := range active {
		r := replay{spec: s, step: step, held: held[key(series.Metric)], labels: unnamed(series.Metric).Map()}
		out.Periods = append(out.Periods, r.run(series.Floats, start, from, to)...)
	}
	sort.SliceStable(out.Periods, func(i, j int) bool { return out.Periods[i].From.Before(out.Periods[j].From) })
	out.Times = len(out.Periods)
	return out, nil
}

// key tells series apart as alerts do: without the name of the metric.
func key(l labels.Labels) string { return unnamed(l).String() }

func unnamed(l labels.Labels) labels.Labels {
	return l.DropReserved(func(name string) bool { return name == model.MetricNameLabel })
}

// Hold is the condition under which a firing alert goes on: empty without a
// recovery threshold.
func (f Form) Hold() string {
	if f.Bound.Kind != Static && f.Bound.Kind != "" || f.Recovery == nil {
		return ""
	}
	return operand(f.Expr) + " " + f.Op + " " + number(*f.Recovery)
}

// replay goes through one series as Prometheus's alerting rules do.
type replay struct {
	spec   Spec
	step   time.Duration
	held   map[int64]bool
	labels map[string]string

	activeAt, firedAt, calmSince int64 // milliseconds, 0: not
	value                        float64
}

func (r *replay) run(points []promql.FPoint, start, from, to time.Time) []Period {
	var out []Period
	end := func(at int64, open bool) {
		if at >= from.UnixMilli() {
			out = append(out, Period{Labels: r.labels, From: time.UnixMilli(max(r.firedAt, from.UnixMilli())).UTC(), To: time.UnixMilli(at).UTC(), Open: open, Value: r.value})
		}
		r.activeAt, r.firedAt, r.calmSince = 0, 0, 0
	}
	i := 0
	last := start.UnixMilli()
	for t := start.UnixMilli(); t <= to.UnixMilli(); t += r.step.Milliseconds() {
		last = t
		for i < len(points) && points[i].T < t {
			i++
		}
		active := i < len(points) && points[i].T == t
		switch {
		case active || r.firedAt != 0 && r.held[t]:
			r.calmSince = 0
			if r.activeAt == 0 {
				r.activeAt = t
			}
			if r.firedAt == 0 && t-r.activeAt >= r.spec.For.Milliseconds() {
				r.firedAt = t
				r.value = points[i].F
			}
			if active && r.firedAt != 0 {
				r.value = points[i].F
			}
		case r.firedAt == 0:
			r.activeAt = 0
		default:
			if r.calmSince == 0 {
				r.calmSince = t
			}
			if t-r.calmSince >= r.spec.KeepFiringFor.Milliseconds() {
				end(t, false)
			}
		}
	}
	if r.firedAt != 0 {
		end(last, true)
	}
	return out
}

// Drawn are the points of the figure and its bounds, to be drawn.
type Drawn struct {
	Step                time.Duration
	Value, Lower, Upper promql.Matrix
}

// Draw evaluates the figure of a form and its bounds.
func (m *Manager) Draw(ctx context.Context, f Form, from, to time.Time) (Drawn, error) {
	if bad := f.complete().check(); bad != nil {
		return Drawn{}, errors.New(bad.EN)
	}
	lines := f.Lines()
	out := Drawn{Step: max(m.stepFor(from, to), (to.Sub(from) / 1000).Truncate(time.Second))}
	for _, l := range []struct {
		expr string
		to   *promql.Matrix
	}{{lines.Value, &out.Value}, {lines.Lower, &out.Lower}, {lines.Upper, &out.Upper}} {
		if l.expr == "" {
			continue
		}
		matrix, err := m.evaluate(ctx, l.expr, from, to, out.Step)
		if err != nil {
			return Drawn{}, fmt.Errorf("draw bounds: %w", err)
		}
		*l.to = matrix
	}
	return out, nil
}

// Span is a stretch of time in which a rule was in one state.
type Span struct {
	State    State
	Labels   map[string]string // of the alert; empty for no data and errors
	From, To time.Time
}

// Timeline tells in which states a rule was, from ALERTS and what is recorded
// beside it. Where there is no span it was inactive, or nothing ran.
func (m *Manager) Timeline(ctx context.Context, id string, from, to time.Time) ([]Span, error) {
	m.mu.Lock()
	e := m.set.byID[id]
	m.mu.Unlock()
	if e == nil {
		return nil, fmt.Errorf("timeline: no rule %s", id)
	}
	selector := labels.NewBuilder(labels.EmptyLabels()).Set(model.MetricNameLabel, "ALERTS").Set("alertname", e.spec.Alert)
	if s := e.spec.Labels["severity"]; s != "" {
		selector.Set("severity", s)
	}
	exprs := []string{selectorOf(stateMetric, "rule", id)}
	if e.spec.Alert != "" {
		exprs = append(exprs, selector.Labels().String())
	}
	step := m.stepFor(from, to)
	var out []Span
	for _, expr := range exprs {
		matrix, err := m.evaluate(ctx, expr, from, to, step)
		if err != nil {
			return nil, fmt.Errorf("timeline: %w", err)
		}
		for _, series := range matrix {
			out = append(out, spansOf(series, step)...)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].From.Before(out[j].From) })
	return out, nil
}

func selectorOf(metric, label, v string) string {
	return labels.FromStrings(model.MetricNameLabel, metric, label, v).String()
}

func spansOf(series promql.Series, step time.Duration) []Span {
	s := Span{State: State(series.Metric.Get("alertstate"))}
	if s.State == "" {
		s.State = State(series.Metric.Get("state"))
	} else {
		s.Labels = labels.NewBuilder(series.Metric).Del("alertstate", model.MetricNameLabel).Labels().Map()
	}
	var out []Span
	var last int64
	for _, p := range series.Floats {
		at := time.UnixMilli(p.T).UTC()
		if len(out) > 0 && p.T-last <= step.Milliseconds() {
			out[len(out)-1].To = at.Add(step)
		} else {
			s.From, s.To = at, at.Add(step)
			out = append(out, s)
		}
		last = p.T
	}
	return out
}
