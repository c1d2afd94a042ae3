package rule

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// need is what an expression cannot do without: one metric, all of some
// needs, or any of some. The zero need is always met.
type need struct {
	metric string
	all    []need
	any    []need
}

// needOf tells which metrics have to have series now for an expression to say
// anything. Labels are not looked at: before the first failure no series has
// status="500". Not needed are the past (offset, @), the right side of unless,
// what absent() asks for, and the alerts themselves.
func needOf(e parser.Expr) need {
	switch e := e.(type) {
	case *parser.ParenExpr:
		return needOf(e.Expr)
	case *parser.UnaryExpr:
		return needOf(e.Expr)
	case *parser.StepInvariantExpr:
		return needOf(e.Expr)
	case *parser.MatrixSelector:
		return needOf(e.VectorSelector)
	case *parser.SubqueryExpr:
		if e.OriginalOffset != 0 || e.Timestamp != nil || e.StartOrEnd != 0 {
			return need{}
		}
		return needOf(e.Expr)
	case *parser.VectorSelector:
		return needOfSelector(e)
	case *parser.AggregateExpr:
		return needOf(e.Expr)
	case *parser.Call:
		return needOfCall(e)
	case *parser.BinaryExpr:
		return needOfBinary(e)
	}
	return need{}
}

func needOfSelector(e *parser.VectorSelector) need {
	if e.OriginalOffset != 0 || e.Timestamp != nil || e.StartOrEnd != 0 {
		return need{}
	}
	name := e.Name
	for _, m := range e.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			name = m.Value
		}
	}
	if name == "ALERTS" || name == "ALERTS_FOR_STATE" {
		return need{}
	}
	return need{metric: name}
}

func needOfCall(e *parser.Call) need {
	if e.Func.Name == "absent" || e.Func.Name == "absent_over_time" {
		return need{}
	}
	var n need
	for _, a := range e.Args {
		if below := needOf(a); !below.none() {
			n.all = append(n.all, below)
		}
	}
	return n
}

func needOfBinary(e *parser.BinaryExpr) need {
	left, right := needOf(e.LHS), needOf(e.RHS)
	switch e.Op {
	case parser.LUNLESS:
		return left
	case parser.LOR:
		if left.none() || right.none() {
			return need{}
		}
		return need{any: []need{left, right}}
	}
	return need{all: []need{left, right}}
}

func (n need) none() bool { return n.metric == "" && len(n.all) == 0 && len(n.any) == 0 }

// missing lists the metrics for want of which the need is not met.
func (n need) missing(has func(metric string) bool) []string {
	var out []string
	if n.metric != "" && !has(n.metric) {
		out = append(out, n.metric)
	}
	for _, a := range n.all {
		out = merge(out, a.missing(has))
	}
	var none []string
	for _, a := range n.any {
		m := a.missing(has)
		if len(m) == 0 {
			return out
		}
		none = merge(none, m)
	}
	return merge(out, none)
}

func merge(to, from []string) []string {
	for _, f := range from {
		known := false
		for _, t := range to {
			known = known || t == f
		}
		if !known {
			to = append(to, f)
		}
	}
	return to
}

// presence remembers for a minute which metrics have series.
type presence struct {
	asked map[string]time.Time
	found map[string]bool
}

const presenceFor = time.Minute

// has asks whether a metric has a series at t. An error of the query counts as
// present: it is an error of its own where it matters.
func (m *Manager) has(ctx context.Context, metric string, t time.Time) bool {
	m.mu.Lock()
	at, known := m.present.asked[metric]
	found := m.present.found[metric]
	m.mu.Unlock()
	if known && t.Sub(at) >= 0 && t.Sub(at) < presenceFor {
		return found
	}
	v, err := m.o.Query(ctx, "count({__name__="+strconv.Quote(metric)+"})", t)
	found = err != nil || len(v) > 0
	m.mu.Lock()
	m.present.asked[metric], m.present.found[metric] = t, found
	m.mu.Unlock()
	return found
}
