package rule

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/teststorage"
)

// bench is a real storage and a real engine, and the clock in the test's hand.
type bench struct {
	t      testing.TB
	store  *teststorage.TestStorage
	engine *promql.Engine
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return &bench{t: t, store: teststorage.New(t, func(o *tsdb.Options) {
		o.MinBlockDuration, o.MaxBlockDuration = (100 * day).Milliseconds(), (100 * day).Milliseconds() // what is recorded late is not refused
	}), engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: newParser()})}
}

func (b *bench) options() Options {
	return Options{Query: rules.EngineQueryFunc(b.engine, b.store), Range: b.over, Queryable: b.store, Appendable: b.store}
}

func (b *bench) over(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
	q, err := b.engine.NewRangeQuery(ctx, b.store, nil, expr, from, to, step)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, res.Err
	}
	m, err := res.Matrix()
	if err != nil {
		return nil, err
	}
	out := make(promql.Matrix, 0, len(m)) // the query's own memory goes back to its pool
	for _, s := range m {
		s.Floats = append([]promql.FPoint(nil), s.Floats...)
		out = append(out, s)
	}
	return out, nil
}

// load stores series from the beginning of time and returns where the first of
// them ends.
func (b *bench) load(start time.Time, step time.Duration, series []input) time.Duration {
	b.t.Helper()
	app := b.store.Appender(b.t.Context())
	longest, shortest := 0, math.MaxInt
	type point struct {
		l labels.Labels
		v parser.SequenceValue
	}
	byTime := map[int][]point{}
	for _, in := range series {
		l, values, err := newParser().(interface {
			ParseSeriesDesc(string) (labels.Labels, []parser.SequenceValue, error)
		}).ParseSeriesDesc(in.series + " " + in.values(step))
		if err != nil {
			b.t.Fatalf("%s: %v", in.series, err)
		}
		for i, v := range values {
			byTime[i] = append(byTime[i], point{l, v})
		}
		longest, shortest = max(longest, len(values)), min(shortest, len(values))
	}
	for i := range longest {
		for _, p := range byTime[i] {
			if p.v.Omitted {
				continue
			}
			if _, err := app.Append(0, p.l, start.Add(time.Duration(i)*step).UnixMilli(), p.v.Value); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		b.t.Fatal(err)
	}
	return time.Duration(shortest) * step
}

// groups loads the groups of a manager without running them.
func (b *bench) groups(m *Manager) []*rules.Group {
	b.t.Helper()
	pm := rules.NewManager(&rules.ManagerOptions{QueryFunc: m.o.Query, NotifyFunc: m.notify, Context: b.t.Context(),
		Appendable: m.o.Appendable, Queryable: m.o.Queryable, Logger: m.o.Logger, GroupLoader: loader{m}, Parser: newParser(),
		OutageTolerance: outageTolerance, ForGracePeriod: graceAfterStart, ResendDelay: resendDelay})
	var names []string
	for _, f := range m.set.files {
		names = append(names, f.name)
	}
	loaded, errs := pm.LoadGroups(m.o.Interval, labels.EmptyLabels(), m.o.ExternalURL, nil, false, names...)
	if errs != nil {
		b.t.Fatal(errs)
	}
	var out []*rules.Group
	for _, g := range loaded {
		for _, r := range g.Rules() {
			if ar, ok := r.(*rules.AlertingRule); ok {
				ar.SetRestored(true)
			}
		}
		out = append(out, g)
	}
	return out
}

func open(t testing.TB, o Options) *Manager {
	t.Helper()
	m, err := Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func inMinutes(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
