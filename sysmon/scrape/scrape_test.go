package scrape

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"posthouse/sysmon/store"
)

// bench is a store, a source that says what the test wants, and a clock.
type bench struct {
	t    *testing.T
	s    *store.Store
	scr  *Scraper
	says atomic.Pointer[func(w io.Writer)]
	at   time.Time
}

func newBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, at: time.Now().Truncate(time.Second).Add(-time.Hour)}
	var err error
	if b.s, err = store.Open(t.TempDir(), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.text("")
	o := Options{Store: b.s, Instance: "box", Targets: []Target{{Job: "chat", Source: func(w io.Writer) { (*b.says.Load())(w) }}}}
	if change != nil {
		change(&o)
	}
	b.scr = New(o)
	return b
}

func (b *bench) text(s string) { b.does(func(w io.Writer) { io.WriteString(w, s) }) }

func (b *bench) does(f func(w io.Writer)) { b.says.Store(&f) }

// round makes one, 15 s after the one before.
func (b *bench) round() Status {
	b.t.Helper()
	b.at = b.at.Add(15 * time.Second)
	if err := b.scr.Once(context.Background(), b.at); err != nil {
		b.t.Fatal(err)
	}
	return b.scr.Status()[0]
}

// holds is every sample of a metric: series{labels} value value …, a stale
// marker as S.
func (b *bench) holds(name string) string {
	b.t.Helper()
	q, err := b.s.Queryable().Querier(0, b.at.Add(time.Hour).UnixMilli())
	if err != nil {
		b.t.Fatal(err)
	}
	defer q.Close()
	var out []string
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", name))
	for set.Next() {
		line := set.At().Labels().String()
		it := set.At().Iterator(nil)
		for it.Next() != 0 {
			if _, v := it.At(); value.IsStaleNaN(v) {
				line += " S"
			} else {
				line += fmt.Sprint(" ", v)
			}
		}
		out = append(out, line)
	}
	if set.Err() != nil {
		b.t.Fatal(set.Err())
	}
	return strings.Join(out, "\n")
}

func (b *bench) want(name, want string) {
	b.t.Helper()
	if got := b.holds(name); got != want {
		b.t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

func TestRoundsAreStoredWithTheirLabels(t *testing.T) {
	b := newBench(t, nil)
	b.text("# HELP cups Cups of tea.\n# TYPE cups counter\ncups{kind=\"green\"} 1\ncups{kind=\"black\",job=\"tea\"} 2\n")
	if st := b.round(); st.Err != nil || st.Samples != 2 {
		t.Fatalf("status %+v", st)
	}
	b.text("cups{kind=\"green\"} 3\n")
	b.round()
	b.want("cups", `{__name__="cups", exported_job="tea", instance="box", job="chat", kind="black"} 2 S
{__name__="cups", instance="box", job="chat", kind="green"} 1 3`)
	b.want("up", `{__name__="up", instance="box", job="chat"} 1 1`)
	b.want("scrape_samples_scraped", `{__name__="scrape_samples_scraped", instance="box", job="chat"} 2 1`)
	if m := b.s.Metadata()["cups"]; m.Type != "counter" || m.Help != "Cups of tea." {
		t.Errorf("metadata %+v", m)
	}
	b.text("cups{kind=\"green\"} 4\ncups{kind=\"black\",job=\"tea\"} 5\n")
	b.round()
	b.want("cups", `{__name__="cups", exported_job="tea", instance="box", job="chat", kind="black"} 2 S 5
{__name__="cups", instance="box", job="chat", kind="green"} 1 3 4`)
}

// A source that fails in any way is down with everything it says, and comes
// back.
func TestABrokenSourceIsDown(t *testing.T) {
	for name, broken := range map[string]func(w io.Writer){
		"not the format": func(w io.Writer) { io.WriteString(w, "a 1\nb{ 2\n") },
		"a value":        func(w io.Writer) { io.WriteString(w, "a many\n") },
		"twice":          func(w io.Writer) { io.WriteString(w, "a 1\na 2\n") },
		"panic":          func(w io.Writer) { io.WriteString(w, "a 1\n"); panic("no") },
		"endless": func(w io.Writer) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, strings.Repeat("# nothing\n", 1000))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.MaxBytes = 1 << 20 })
			b.text("a 1\n")
			b.round()
			b.does(broken)
			if st := b.round(); st.Err == nil {
				t.Error("the source is up")
			}
			b.text("a 7\n")
			b.round()
			b.want("a", `{__name__="a", instance="box", job="chat"} 1 S 7`)
			b.want("up", `{__name__="up", instance="box", job="chat"} 1 0 1`)
		})
	}
}

// A source that hangs costs its own round alone; it is not asked again before
// it has ended, and what it says then is too late.
func TestASourceThatHangs(t *testing.T) {
	release := make(chan struct{})
	asked := 0
	b := newBench(t, func(o *Options) {
		o.Timeout = time.Second // of the other one too
		o.Targets = append(o.Targets, Target{Job: "slow", Source: func(w io.Writer) {
			asked++
			<-release
			fmt.Fprintf(w, "late %d\n", asked)
		}})
	})
	b.text("a 1\n")
	b.round()
	b.round()
	b.want("up", `{__name__="up", instance="box", job="chat"} 1 1
{__name__="up", instance="box", job="slow"} 0 0`)
	close(release)
	for deadline := time.Now().Add(time.Minute); b.scr.Status()[1].Err != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the source does not come back")
		}
		b.round()
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	b.want("late", `{__name__="late", instance="box", job="slow"} 2`)
}

// When the rounds end every series does, so that a stop is a gap.
func TestTheEndIsMarked(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Interval = time.Hour })
	b.text("a 1\n")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.scr.Run(ctx) }()
	for deadline := time.Now().Add(time.Minute); b.scr.Status() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no round was made")
		}
	}
	cancel()
	<-done
	b.at = time.Now().Add(time.Hour)
	b.want("a", `{__name__="a", instance="box", job="chat"} 1 S`)
	b.want("up", `{__name__="up", instance="box", job="chat"} 1 S`)
}

// Rounds come every second while somebody watches, and no longer.
func TestWatchedRoundsComeEverySecond(t *testing.T) {
	now := time.Now()
	s := New(Options{Now: func() time.Time { return now }})
	if got := s.interval(); got != 15*time.Second {
		t.Errorf("unwatched: %s", got)
	}
	s.Watched()
	if got := s.interval(); got != time.Second {
		t.Errorf("watched: %s", got)
	}
	now = now.Add(WatchedFor)
	if got := s.interval(); got != 15*time.Second {
		t.Errorf("no longer watched: %s", got)
	}
	now = now.Add(-time.Hour) // the clock was set back
	if got := s.interval(); got != 15*time.Second {
		t.Errorf("after the clock was set back: %s", got)
	}
}

// A source that brings ten thousand new series every round costs the store its
// cap, not the box.
func TestNewSeriesWithoutEnd(t *testing.T) {
	b := newBench(t, nil)
	n := 0
	b.does(func(w io.Writer) {
		for range 10_000 {
			n++
			fmt.Fprintf(w, "flood{n=\"%d\"} 1\n", n)
		}
	})
	for range 12 {
		b.round()
	}
	if st := b.s.Stats(); st.Series > 20_000 {
		t.Errorf("%d series", st.Series)
	}
	if len(b.scr.targets[0].series) > (forgotten+2)*10_000 {
		t.Errorf("%d series remembered", len(b.scr.targets[0].series))
	}
	b.text("a 1\n")
	for range forgotten + 2 {
		b.round()
	}
	if len(b.scr.targets[0].series) != 1 {
		t.Errorf("%d series remembered after the flood", len(b.scr.targets[0].series))
	}
}

func BenchmarkRound(b *testing.B) {
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "m%d_total{kind=\"some\",card=\"eth%d\"} %d\n", i/20, i%20, i)
	}
	scr := New(Options{Store: s, Instance: "box", Targets: []Target{{Job: "x", Source: func(w io.Writer) { io.WriteString(w, text.String()) }}}})
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		if err := scr.Once(context.Background(), at); err != nil {
			b.Fatal(err)
		}
	}
}

// A clock that goes back and forth costs the rounds of the time that was there
// before, and nothing else: no source is down, and the rounds go on.
func TestAClockThatJumps(t *testing.T) {
	b := newBench(t, nil)
	b.text("x 1\n")
	for _, step := range []time.Duration{0, 0, -40 * time.Second, 0, 0, 10 * time.Minute, -2 * time.Minute, 3 * time.Minute, 0} {
		b.at = b.at.Add(step)
		if st := b.round(); st.Err != nil || st.Samples != 1 {
			t.Errorf("after a step of %v: %+v", step, st)
		}
	}
	if st := b.s.Stats(); st.OutOfOrder == 0 || !st.Taking || st.Newest.Sub(b.at) != 0 {
		t.Errorf("the newest sample is of %v, the last round of %v: %+v", st.Newest, b.at, st)
	}
}
