package store

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
)

// A chart with wide steps reads rates from the roll-up, and shows what the raw
// samples say: also at the end, which is not rolled up yet, and around resets.
func TestWideStepsReadTheRollUp(t *testing.T) {
	b := newBox(t, Options{})
	b.s.Describe("sent", metadata.Metadata{Type: model.MetricTypeCounter})
	begin := b.time()
	b.runs(30*time.Hour, func(i int, put func(labels.Labels, float64)) {
		put(named("sent"), float64(i%1000)*30)
		put(named("level"), 10+20*float64(i%2))
	})
	b.tend()
	q, err := b.s.Queryable().Querier(begin.UnixMilli(), b.now.Load())
	if err != nil {
		t.Fatal(err)
	}
	samples := func(h *storage.SelectHints, name string) (n int) {
		h.Start, h.End = begin.UnixMilli(), b.now.Load()
		for set := q.Select(t.Context(), false, h, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name)); set.Next(); {
			for it := set.At().Iterator(nil); it.Next() != 0; {
				n++
			}
		}
		return n
	}
	fiveMinutes := (5 * time.Minute).Milliseconds()
	wide := samples(&storage.SelectHints{Step: 4 * fiveMinutes, Range: fiveMinutes, Func: "rate"}, "sent")
	if narrow := samples(&storage.SelectHints{Step: fiveMinutes, Range: fiveMinutes, Func: "rate"}, "sent"); narrow != 30*240 || wide > narrow/2 {
		t.Errorf("%d samples are read in narrow steps and %d in wide ones", narrow, wide)
	}
	if n := samples(&storage.SelectHints{Step: 4 * fiveMinutes, Func: "avg"}, "level"); n != 30*240 {
		t.Errorf("%d samples of a gauge are read, want all", n)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	e := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute})
	for _, expr := range []string{"rate(sent[5m])", "increase(sent[1h]) / 3600", "rate(sent[7m])"} {
		query, err := e.NewRangeQuery(t.Context(), b.s.Queryable(), nil, expr, begin.Add(2*time.Hour), b.time().Add(-time.Minute), 1008*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		res := query.Exec(t.Context())
		m, err := res.Matrix()
		if err != nil || len(m) != 1 || len(m[0].Floats) != 100 {
			t.Fatalf("%s: %v %v", expr, err, m)
		}
		for _, p := range m[0].Floats {
			at := time.UnixMilli(p.T)
			// Right after a reset both extrapolate from little.
			since := at.Sub(begin) % (1000 * 15 * time.Second)
			if want := b.one(expr, at); math.Abs(p.F-want) > 0.02*want && since > 10*time.Minute {
				t.Errorf("%s at %s (%v after a reset): %v, of raw samples %v", expr, at.UTC(), since, p.F, want)
			}
		}
		query.Close()
	}
}
