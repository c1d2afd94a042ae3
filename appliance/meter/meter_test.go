package meter

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func text(write func(*bytes.Buffer)) string {
	var b bytes.Buffer
	write(&b)
	return b.String()
}

func words(name string) Family {
	return Family{Name: name, Help: Say("Things there are.", "数量。")}
}

// The text is what Prometheus' own linter takes, labels with every odd
// character included.
func TestTextPassesPromtool(t *testing.T) {
	r := New()
	var c Counter
	c.Add(3)
	r.Counter(words("things_total"), &c)
	users := words("im_active_users_total")
	users.Type = TypeUntyped
	r.Gauge(users, func() float64 { return 7 })
	h := NewHistogram(1, 10, 60)
	f := words("session_duration_seconds")
	f.Alias = "session_duration_sec"
	r.Histogram(f, h)
	h.Took(10 * time.Second)
	odd := NewCounters("kind")
	odd.With("a\"b\\c\nd").Inc()
	r.Counters(words("odd_total"), odd)
	r.Counters(words("silent_total"), NewCounters("kind"))

	clean := text(func(b *bytes.Buffer) { r.WritePrometheus(b) })
	for _, want := range []string{"things_total 3\n", "im_active_users_total 7\n", `session_duration_seconds_bucket{le="1"} 0` + "\n",
		`session_duration_seconds_bucket{le="10"} 1` + "\n", "session_duration_seconds_sum 10\n", `odd_total{kind="a\"b\\c\nd"} 1` + "\n"} {
		if !strings.Contains(clean, want) {
			t.Errorf("no %q in\n%s", want, clean)
		}
	}
	if strings.Contains(clean, "session_duration_sec_") || strings.Contains(clean, "silent") {
		t.Errorf("an alias or an empty family in\n%s", clean)
	}
	if all := text(func(b *bytes.Buffer) { r.WriteAll(b) }); !strings.Contains(all, `session_duration_sec_bucket{le="10"} 1`) {
		t.Errorf("no alias in\n%s", all)
	}
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(clean)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	if got := r.Describe(); len(got) != 5 || got[0].Name != "im_active_users_total" || got[2].Unit != "seconds" || got[2].Type != TypeHistogram {
		t.Errorf("described %+v", got)
	}
}

func TestQuantilesAgreeWithTheBuckets(t *testing.T) {
	h := NewHistogram(Latency()...)
	if !math.IsNaN(h.Quantile(.5)) {
		t.Error("a quantile of nothing")
	}
	for i := range 1000 {
		h.Observe(float64(i) / 1000)
	}
	h.Observe(-1)
	if p50, p95 := h.Quantile(.5), h.Quantile(.95); math.Abs(p50-.5) > .01 || math.Abs(p95-.95) > .01 {
		t.Errorf("p50 %v, p95 %v", p50, p95)
	}
	if h.Within(.1) != 102 {
		t.Errorf("%d within 100 ms", h.Within(.1))
	}
}

// Quantiles of what people feel come out within a tenth of what a load
// generator measures, whatever the scale: waiting times spread about a median
// with a long tail, as those of requests do.
func TestFineQuantilesAreWithinATenth(t *testing.T) {
	const samples = 20_000
	for _, median := range []float64{.001, .0028, .009, .027, .083, .17, .45, 1.3} {
		for _, spread := range []float64{.35, .5, .8} {
			h := NewHistogram(Fine()...)
			var all []float64
			for i := range samples {
				v := median * math.Exp(spread*math.Sqrt2*math.Erfinv(2*(float64(i)+.5)/samples-1))
				h.Observe(v)
				all = append(all, v)
			}
			for q, off := range map[float64]float64{.5: .1, .95: .1, .99: .15} { // fewer samples say where P99 is
				want := all[int(q*samples)]
				if got := h.Quantile(q); want < 10 && math.Abs(got/want-1) > off {
					t.Errorf("median %v s, spread %v: p%v is %v, want %v", median, spread, q*100, got, want)
				}
			}
		}
	}
	for _, limit := range []float64{.2, .8, 5} {
		if !slices.Contains(Fine(), limit) {
			t.Errorf("%v s, which an alert judges, is no bound", limit)
		}
	}
}

func TestSeriesAreBounded(t *testing.T) {
	c := NewCounters("who", "what")
	for i := range 2 * MaxSeries {
		c.With(fmt.Sprint(i), "x").Inc()
	}
	if n := c.With("other", "other").Get(); n != MaxSeries {
		t.Errorf("%d under other", n)
	}
	if len(c.all) > MaxSeries+1 {
		t.Errorf("%d series", len(c.all))
	}
}

func TestSlowOperationsAreKeptAndCancelled(t *testing.T) {
	var told []Operation
	o := NewOperations(func(op Operation) { told = append(told, op) })
	now := time.Now()
	o.now = func() time.Time { return now }
	stopped := 0
	quick := o.Begin(KindHTTP, "quick", "ann", "t1", nil)
	long := o.Begin(KindCall, "search.messages", "bo", "t2", func() { stopped++ })
	now = now.Add(300 * time.Millisecond)
	quick.End()
	now = now.Add(time.Second)
	if list := o.UnderWay(time.Second); len(list) != 1 || list[0].Name != "search.messages" || !list[0].Cancelable || list[0].Took != 1300*time.Millisecond {
		t.Fatalf("under way: %+v", list)
	}
	if _, found, done := o.Cancel(long.op.ID); !found || !done || stopped != 1 {
		t.Errorf("cancel: %v %v, stopped %d times", found, done, stopped)
	}
	_, _, _ = o.Cancel(long.op.ID)
	long.End()
	long.End()
	if _, found, _ := o.Cancel(long.op.ID); found || stopped != 1 {
		t.Errorf("an ended operation is found; stopped %d times", stopped)
	}
	if slow := o.Slow(); len(slow) != 1 || len(told) != 1 || slow[0].User != "bo" || !slow[0].Cancelled || o.counts.With(KindCall).Get() != 1 {
		t.Errorf("slow: %+v, told %+v", slow, told)
	}
	for i := range MaxSlow + 10 {
		o.Note(Operation{Kind: KindTx, Name: fmt.Sprint(i)}, 2*time.Second)
	}
	if slow := o.Slow(); len(slow) != MaxSlow || slow[0].Name != fmt.Sprint(MaxSlow+9) || slow[MaxSlow-1].Name != "10" {
		t.Errorf("%d kept, first %q, last %q", len(slow), slow[0].Name, slow[len(slow)-1].Name)
	}
}

// readTorn is where an error arises.
func readTorn() error { return Here(errors.New("torn")) }

func TestAFaultKnowsWhereItArose(t *testing.T) {
	f := NewFaults()
	torn := errors.New("no stack")
	f.Error("room.list", "t1", fmt.Errorf("read page: %w", readTorn()))
	f.Error("room.get", "t2", torn)
	for _, g := range f.List() {
		if there := strings.Contains(g.Stack, "readTorn"); there != (g.Where == "room.list") {
			t.Errorf("%s: %q with the stack\n%s", g.Where, g.Text, g.Stack)
		}
	}
	if err := Here(torn); !errors.Is(err, torn) || err.Error() != "no stack" || Here(nil) != nil {
		t.Errorf("%v is another error", err)
	}
}

func TestFaultsAreGrouped(t *testing.T) {
	f := NewFaults()
	for i := range 5 {
		f.Error("room.list", fmt.Sprint("t", i), fmt.Errorf("read page %d: %w", i, errors.New("torn")))
	}
	func() {
		defer func() { f.Panic("writer", "t9", recover()) }()
		panic("index out of range")
	}()
	list := f.List()
	if len(list) != 2 || !list[0].Panic || list[1].Count != 5 || list[1].Trace != "t4" || list[1].First.After(list[1].Last) {
		t.Fatalf("groups %+v", list)
	}
	if !strings.Contains(list[0].Stack, "TestFaultsAreGrouped") {
		t.Errorf("stack:\n%s", list[0].Stack)
	}
	for i := range 2 * MaxFaults {
		f.Error(fmt.Sprint("place ", i), "", errors.New("x"))
	}
	if n := len(f.List()); n != MaxFaults {
		t.Errorf("%d groups", n)
	}
}

func BenchmarkCounter(b *testing.B) {
	var c Counter
	for b.Loop() {
		c.Inc()
	}
}

func BenchmarkCountersWith(b *testing.B) {
	c := NewCounters("method", "endpoint", "status")
	b.ReportAllocs()
	for b.Loop() {
		c.With("POST", "/api/message.send", "200").Inc()
	}
}

func BenchmarkHistogram(b *testing.B) {
	h := NewHistogram(Latency()...)
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(.003)
	}
}

func BenchmarkOperation(b *testing.B) {
	o := NewOperations(nil)
	b.ReportAllocs()
	for b.Loop() {
		o.Begin(KindCall, "message.send", "", "t", nil).End()
	}
}
