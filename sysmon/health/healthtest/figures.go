// Package healthtest owns stored figures for tests: a real time series database
// in a directory and the real query engine over it. It runs the goroutines of
// the database; they end with the test.
package healthtest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"posthouse/sysmon/health"
)

// Figures is a health.Source that a test fills.
type Figures struct {
	t  testing.TB
	db *tsdb.DB
	e  *promql.Engine
}

// New opens an empty one.
func New(t testing.TB) *Figures {
	t.Helper()
	opt := tsdb.DefaultOptions()
	opt.RetentionDuration = (400 * 24 * time.Hour).Milliseconds()
	opt.OutOfOrderTimeWindow = (60 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Figures{t, db, promql.NewEngine(promql.EngineOpts{MaxSamples: 5e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})}
}

// Put writes one series: f from a time to another, every step. A NaN is a gap.
func (f *Figures) Put(from, to time.Time, step time.Duration, value func(at time.Time) float64, name string, pairs ...string) {
	f.t.Helper()
	a := f.db.Appender(context.Background())
	set := labels.FromStrings(append([]string{"__name__", name}, pairs...)...)
	var ref storage.SeriesRef
	for at := from; !at.After(to); at = at.Add(step) {
		v := value(at)
		if math.IsNaN(v) {
			continue
		}
		var err error
		if ref, err = a.Append(ref, set, at.UnixMilli(), v); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		f.t.Fatal(err)
	}
}

// Instant implements health.Source.
func (f *Figures) Instant(ctx context.Context, expr string, at time.Time) ([]health.Sample, error) {
	q, err := f.e.NewInstantQuery(ctx, f.db, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	r := q.Exec(ctx)
	if r.Err != nil {
		return nil, r.Err
	}
	var out []health.Sample
	switch v := r.Value.(type) {
	case promql.Vector:
		for _, s := range v {
			out = append(out, health.Sample{Labels: s.Metric.Map(), Value: s.F})
		}
	case promql.Scalar:
		out = append(out, health.Sample{Value: v.V})
	default:
		return nil, fmt.Errorf("%s is a %T", expr, v)
	}
	return out, nil
}

// Range implements health.Source.
func (f *Figures) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]health.Series, error) {
	q, err := f.e.NewRangeQuery(ctx, f.db, nil, expr, from, to, step)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	m, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, err
	}
	var out []health.Series
	for _, s := range m {
		l := health.Series{Labels: s.Metric.Map()}
		for _, p := range s.Floats {
			l.Points = append(l.Points, health.Point{At: time.UnixMilli(p.T), Value: p.F})
		}
		out = append(out, l)
	}
	return out, nil
}
