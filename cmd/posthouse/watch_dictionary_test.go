package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/admin"
	"posthouse/sysmon/board"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	"posthouse/sysmon/runbook"
)

// dictionary are the families of a running server by name, with their labels.
type dictionary map[string][]string

func newDictionary(s *server) dictionary {
	d := dictionary{}
	for _, f := range s.watch.Families() {
		own := append([]string{model.MetricNameLabel, "instance", "job"}, f.Labels...)
		switch f.Type {
		case "histogram":
			d[f.Name+"_bucket"] = append(own, "le")
			d[f.Name+"_sum"], d[f.Name+"_count"] = own, own
		case "summary":
			d[f.Name+"_sum"], d[f.Name+"_count"] = own, own
		}
		d[f.Name] = own
	}
	// The labels of the alerts themselves are those that their rules leave.
	d["ALERTS"] = append(d["ALERTS"], "subnet", "probe", "channel", "mountpoint", "device")
	return d
}

// families are those that a selector finds.
func (d dictionary) families(sel *parser.VectorSelector) []string {
	for _, m := range sel.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Value != "" {
			return slices.DeleteFunc(slices.Sorted(maps.Keys(d)), func(name string) bool { return !m.Matches(name) })
		}
	}
	return slices.Sorted(maps.Keys(d))
}

// wrong lists what an expression names that does not exist.
func (d dictionary) wrong(expr string) []string {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			found := d.families(n)
			if len(found) == 0 {
				out = append(out, "no metric "+n.String())
			}
			for _, m := range n.LabelMatchers {
				if len(found) > 0 && !slices.ContainsFunc(found, func(f string) bool { return slices.Contains(d[f], m.Name) }) {
					out = append(out, fmt.Sprintf("%s has no label %s", n, m.Name))
				}
			}
		case *parser.AggregateExpr:
			if !n.Without {
				out = append(out, d.unknownLabels(n.Grouping, n.Expr)...)
			}
		case *parser.BinaryExpr:
			if n.VectorMatching != nil && n.VectorMatching.On {
				out = append(out, d.unknownLabels(n.VectorMatching.MatchingLabels, n.LHS)...)
				out = append(out, d.unknownLabels(n.VectorMatching.MatchingLabels, n.RHS)...)
			}
		}
		return nil
	})
	return out
}

// unknownLabels are those that no series below an expression has, and no
// label_replace makes.
func (d dictionary) unknownLabels(wanted []string, below parser.Expr) []string {
	has := map[string]bool{}
	parser.Inspect(below, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			for _, f := range d.families(n) {
				for _, l := range d[f] {
					has[l] = true
				}
			}
		case *parser.Call:
			if n.Func.Name == "label_replace" {
				has[n.Args[1].(*parser.StringLiteral).Val] = true
			}
		}
		return nil
	})
	var out []string
	for _, l := range wanted {
		if !has[l] {
			out = append(out, fmt.Sprintf("%s: nothing there has the label %s", below, l))
		}
	}
	return out
}

// listener notes what is asked of the figures.
type listener struct {
	health.Source
	mu    sync.Mutex
	asked map[string]bool
}

func (l *listener) note(expr string) {
	l.mu.Lock()
	l.asked[expr] = true
	l.mu.Unlock()
}

func (l *listener) Instant(ctx context.Context, expr string, at time.Time) ([]health.Sample, error) {
	l.note(expr)
	return l.Source.Instant(ctx, expr, at)
}

func (l *listener) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]health.Series, error) {
	l.note(expr)
	return l.Source.Range(ctx, expr, from, to, step)
}

// expressions are all that the program comes with, by where they stand.
func expressions(t *testing.T, s *server) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range s.watch.Rules.Rules() {
		out["rule "+r.ID] = r.Spec.Expr
	}
	for _, b := range board.Boards() {
		for _, p := range b.Panels {
			for i, q := range p.Queries {
				out[fmt.Sprintf("board %s/%s/%d", b.ID, p.ID, i)] = q.Fill(time.Minute, 15*time.Second)
			}
		}
	}
	for _, b := range runbook.All() {
		for _, e := range b.Evidence {
			if e.Expr != "" {
				out["runbook "+b.Alert+"/"+e.ID] = e.Expr
			}
		}
		if b.Peak != "" {
			out["runbook "+b.Alert] = b.Peak
		}
	}
	for expr := range asked(t, s) {
		out["asked: "+expr] = expr
	}
	return out
}

// asked is what the health, the checklists and the overview ask.
func asked(t *testing.T, s *server) map[string]bool {
	t.Helper()
	ctx := t.Context()
	l := &listener{Source: health.Figures(s.watch.Query), asked: map[string]bool{}}
	h, err := health.Open(t.TempDir(), health.Options{Source: l})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.At(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Changes(ctx, "HighCPUUsage", time.Now()); err != nil {
		t.Fatal(err)
	}
	lists, err := checklist.Open(t.TempDir(), checklist.Options{Source: l, Health: h})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range checklist.Periods() {
		if _, err := lists.Now(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	f := admin.NewFigures(l, h, time.Now, s.log)
	f.Tiles(ctx)
	f.Gauges(ctx)
	f.Checks(ctx)
	if len(l.asked) < 30 {
		t.Errorf("only %d questions were heard", len(l.asked))
	}
	return l.asked
}

// Every metric and label that comes with the program is one that the running
// parts describe.
func TestEveryExpressionNamesWhatExists(t *testing.T) {
	d := newDesk(t)
	d.serveTLS("--set", "watch.remote_write_url=http://127.0.0.1:9/write") // what sends describes its figures too
	known := newDictionary(d.server)
	all := expressions(t, d.server)
	if len(all) < 250 {
		t.Errorf("only %d expressions were found", len(all))
	}
	for _, where := range slices.Sorted(maps.Keys(all)) {
		for _, what := range known.wrong(all[where]) {
			t.Errorf("%s: %s", where, what)
		}
	}
	for _, bad := range []string{`im_messages_lost_total`, `rate(im_action_total{deed="login"}[5m])`, `sum by (kind) (rate(im_action_total[5m]))`, `{__name__=~".*skew.*"}`} {
		if len(known.wrong(bad)) == 0 {
			t.Errorf("%s is not noticed", bad)
		}
	}
}
