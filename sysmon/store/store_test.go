package store

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
)

// box is a store under test with a clock that the test sets.
type box struct {
	t   *testing.T
	s   *Store
	o   Options
	dir string
	now atomic.Int64 // milliseconds
}

// noon is where most tests begin: aligned to six hours.
func noon() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }

func newBox(t *testing.T, o Options) *box {
	b := &box{t: t, dir: t.TempDir(), o: o}
	b.clock(noon())
	b.o.Now = func() time.Time { return time.UnixMilli(b.now.Load()) }
	b.o.Tend = time.Hour // the test tends
	if testing.Verbose() {
		b.o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	b.open()
	t.Cleanup(func() {
		if b.s != nil {
			b.close()
		}
	})
	return b
}

func (b *box) clock(t time.Time) { b.now.Store(t.UnixMilli()) }
func (b *box) time() time.Time   { return time.UnixMilli(b.now.Load()) }

func (b *box) open() {
	b.t.Helper()
	s, err := Open(b.dir, b.o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.s = s
}

func (b *box) close() {
	b.t.Helper()
	if err := b.s.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
	b.s = nil
}

// put adds one sample at the box's time.
func (b *box) put(l labels.Labels, v float64) error {
	app := b.s.Appender(context.Background())
	if _, err := app.Append(0, l, b.now.Load(), v); err != nil {
		_ = app.Rollback()
		return err
	}
	return app.Commit()
}

// runs lets time pass in steps of 15 s, with the samples that values tells.
func (b *box) runs(d time.Duration, values func(i int, put func(l labels.Labels, v float64))) {
	b.t.Helper()
	end := b.time().Add(d)
	refs := map[uint64]storage.SeriesRef{}
	for i := 0; b.time().Before(end); i++ {
		app := b.s.Appender(context.Background())
		values(i, func(l labels.Labels, v float64) {
			ref, err := app.Append(refs[l.Hash()], l, b.now.Load(), v)
			if err != nil {
				b.t.Fatalf("append %s at %s: %v", l, b.time().UTC(), err)
			}
			refs[l.Hash()] = ref
		})
		if err := app.Commit(); err != nil {
			b.t.Fatal(err)
		}
		b.clock(b.time().Add(15 * time.Second))
		if i%240 == 239 {
			b.tend()
		}
	}
}

func (b *box) tend() { b.s.tendOnce(context.Background()) }

// asks runs a PromQL expression at the box's time.
func (b *box) asks(expr string) promql.Vector { return b.asksAt(expr, b.time()) }

func (b *box) asksAt(expr string, at time.Time) promql.Vector {
	b.t.Helper()
	e := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})
	q, err := e.NewInstantQuery(context.Background(), b.s.Queryable(), nil, expr, at)
	if err != nil {
		b.t.Fatal(err)
	}
	defer q.Close()
	v, err := q.Exec(context.Background()).Vector()
	if err != nil {
		b.t.Fatalf("%s: %v", expr, err)
	}
	return append(promql.Vector(nil), v...)
}

// one is the single figure of an expression; NaN: there is none.
func (b *box) one(expr string, at time.Time) float64 {
	b.t.Helper()
	v := b.asksAt(expr, at)
	if len(v) == 0 {
		return math.NaN()
	}
	if len(v) > 1 {
		b.t.Fatalf("%s: %d series", expr, len(v))
	}
	return v[0].F
}

// gives checks a figure, to within a hundred-thousandth.
func (b *box) gives(expr string, at time.Time, want float64) {
	b.t.Helper()
	got := b.one(expr, at)
	if math.IsNaN(want) && math.IsNaN(got) || math.Abs(got-want) <= 1e-5*math.Abs(want) {
		return
	}
	b.t.Errorf("%s at %s gives %v, want %v", expr, at.UTC().Format(time.DateTime), got, want)
}

func named(name string, pairs ...string) labels.Labels {
	return labels.FromStrings(append([]string{"__name__", name, "job", "test"}, pairs...)...)
}

func TestRawAndRollUpAreReadAsOne(t *testing.T) {
	b := newBox(t, Options{Raw: 12 * time.Hour})
	b.s.Describe("sent", metadata.Metadata{Type: model.MetricTypeCounter})
	begin := b.time()
	// Two days: a counter that grows by 30 every 15 s and begins anew every
	// 1,000 steps, and a gauge that swings between 10 and 30.
	b.runs(48*time.Hour, func(i int, put func(labels.Labels, float64)) {
		put(named("sent"), float64(i%1000)*30)
		put(named("level"), 10+20*float64(i%2))
		put(named("still"), 123456789.123)
	})
	b.tend()
	st := b.s.Stats()
	if age := b.time().Sub(st.RawFrom); age < 12*time.Hour || age > 40*time.Hour {
		t.Fatalf("raw samples begin %v ago", age)
	}
	if !st.RollFrom.Before(begin.Add(time.Hour)) {
		t.Fatalf("the roll-up begins at %v", st.RollFrom)
	}
	seam := st.RawFrom
	t.Logf("raw from %v, newest %v", seam, st.Newest)
	for _, at := range []time.Time{begin.Add(3 * time.Hour), seam.Add(-time.Hour), seam, seam.Add(2 * time.Minute), b.time().Add(-time.Minute)} {
		if got := b.one("avg_over_time(level[1h])", at); math.Abs(got-20) > 1 {
			t.Errorf("the mean at %v is %v, want 20", at, got)
		}
		b.gives("still", at, 123456789.123)
		if n := len(b.asksAt("level", at)); n != 1 {
			t.Errorf("%d series at %v", n, at)
		}
	}
	b.gives("level:max5m", begin.Add(3*time.Hour), 30)
	b.gives("level:min5m", begin.Add(3*time.Hour), 10)
	b.gives("max_over_time(level:max5m[1h])", b.time().Add(-8*time.Hour), 30)

	// Resets happen every 250 minutes; the increase in between is 2 a second.
	b.gives("rate(sent[5m])", begin.Add(2*time.Hour), 2)
	b.gives("rate(sent[1m])", begin.Add(2*time.Hour), 2)
	// Across the seam samples lie closer on one side; rate() extrapolates.
	if got := b.one("rate(sent[5m])", seam.Add(time.Minute)); math.Abs(got-2) > 0.3 {
		t.Errorf("rate across the seam is %v, want 2", got)
	}
	for h := 3; h < 47; h++ {
		at := begin.Add(time.Duration(h) * time.Hour)
		if got := b.one("rate(sent[1h])", at); math.Abs(got-2) > 0.01*2 {
			t.Errorf("rate over the hour to %v is %v, want 2", at, got)
		}
	}
	// Nothing is seen twice, and nothing is missing, around the seam.
	points := b.one("count_over_time(level[10m])", seam.Add(10*time.Minute-time.Second))
	if points != 40 {
		t.Errorf("%v samples in the ten minutes after the seam, want 40", points)
	}
	if points := b.one("count_over_time(level[1h])", seam.Add(-time.Second)); points != 12 {
		t.Errorf("%v points in the hour before the seam, want 12", points)
	}
	b.close()
	b.open()
	b.gives("still", begin.Add(3*time.Hour), 123456789.123)
	b.gives("still", b.time().Add(-time.Minute), 123456789.123)
}

func TestTenThousandNewSeriesASecond(t *testing.T) {
	b := newBox(t, Options{MaxSeries: 5000, MaxShare: 0.6})
	refused := 0
	for second := range 20 {
		app := b.s.Appender(context.Background())
		for i := range 10_000 {
			_, err := app.Append(0, named("flood", "id", fmt.Sprint(second*10_000+i)), b.now.Load(), 1)
			if err != nil {
				refused++
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
		// The others go on.
		app = b.s.Appender(context.Background())
		for i := range 1000 {
			if _, err := app.Append(0, labels.FromStrings("__name__", "good", "job", "other", "id", fmt.Sprint(i)), b.now.Load(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
		b.clock(b.time().Add(time.Second))
	}
	st := b.s.Stats()
	if st.Series != 4000 || st.Jobs[0] != (JobSeries{"test", 3000}) || st.Refused != 197_000 || refused != 197_000 {
		t.Errorf("series %d, jobs %v, refused %d and %d", st.Series, st.Jobs, st.Refused, refused)
	}
}

func TestClockThatJumps(t *testing.T) {
	b := newBox(t, Options{})
	one := func(i int, put func(labels.Labels, float64)) { put(named("x"), float64(i)) }
	b.runs(5*time.Hour, one)
	before := b.time()

	// Ten years ahead for ten minutes, then back.
	b.clock(before.AddDate(10, 0, 0))
	b.runs(10*time.Minute, one)
	b.clock(before.Add(10 * time.Minute))
	if err := b.put(named("x"), 1); err == nil {
		t.Error("a sample ten years before the newest was taken before the clock was looked at")
	}
	b.tend()
	b.runs(time.Hour, one)
	if got := b.one("count_over_time(x[7h])", b.time()); got != 5*240+240 {
		t.Errorf("%v samples after the clock came back, want 1440", got)
	}
	// Half an hour back and forth, many times.
	for range 5 {
		b.clock(b.time().Add(30 * time.Minute))
		b.runs(time.Minute, one)
		b.clock(b.time().Add(-31 * time.Minute))
		b.tend()
		b.runs(2*time.Minute, one)
	}
	b.runs(4*time.Hour, one)
	if got := b.one("count_over_time(x[5h])", b.time()); got < 4*240+5*8 || got > 4*240+5*8+240 {
		t.Errorf("%v samples, want about 1000", got)
	}
	st := b.s.Stats()
	if st.OutOfBounds+st.OutOfOrder == 0 || st.Ahead < 6 || !st.Taking {
		t.Errorf("stats %+v", st)
	}

	// A clock of 1970 waits, and what is stored stays.
	was := b.time()
	b.clock(time.Unix(1000, 0))
	b.tend()
	if b.s.Stats().Trouble == nil {
		t.Error("nothing is said about a clock of 1970")
	}
	b.clock(was)
	b.tend()
	if b.s.Stats().Ahead != st.Ahead {
		t.Error("samples were set aside for a clock of 1970")
	}
	b.runs(time.Minute, one)
}

// A jump ahead that is true deletes nothing, and skipping years costs no time.
func TestYearsOff(t *testing.T) {
	b := newBox(t, Options{Raw: 24 * time.Hour})
	one := func(i int, put func(labels.Labels, float64)) { put(named("x"), float64(i)) }
	b.runs(10*time.Hour, one)
	was := b.time()
	b.clock(was.AddDate(20, 0, 0))
	begin := time.Now()
	b.runs(9*time.Hour, one)
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("nine hours after twenty years took %v", took)
	}
	b.gives("count_over_time(x[10h])", was.Add(-15*time.Second), 10*240)
	b.gives("count_over_time(x[1h])", b.time().Add(-15*time.Second), 240)
}

func nothing() float64 { return math.NaN() }

func kindOf(t string) metadata.Metadata { return metadata.Metadata{Type: model.MetricType(t)} }
