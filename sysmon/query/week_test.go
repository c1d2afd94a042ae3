package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"posthouse/sysmon/store"
)

// BenchmarkWeek fills a store with eight days of 2,000 series every 15 s, and
// reports what a day costs on disk, what a year of the roll-up would, how long
// a dashboard of 12 panels over seven days takes (and how much CPU, which does
// not depend on what else the machine does), and the process's memory:
//
//	go test -run '^$' -bench Week -benchtime 1x -timeout 30m ./sysmon/query
//
// A fifth of the series are gauges that wander, a tenth never change, the
// others are counters of which half move.
func BenchmarkWeek(b *testing.B) {
	const days, series = 8, 2000
	now := start()
	var clock atomic.Int64 // now, for the store's own goroutine
	clock.Store(now.UnixMilli())
	s, err := store.Open(b.TempDir(), store.Options{Raw: 30 * 24 * time.Hour, Tend: 200 * time.Millisecond, Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range 20 {
		s.Describe(fmt.Sprintf("c%d_total", i), metadata.Metadata{Type: model.MetricTypeCounter})
	}
	dice := rand.New(rand.NewPCG(1, 2))
	ls, refs, vs := make([]labels.Labels, series), make([]storage.SeriesRef, series), make([]float64, series)
	for i := range ls {
		name := fmt.Sprintf("c%d_total", i%20)
		if i < series*3/10 {
			name = fmt.Sprintf("g%d", i%20)
		}
		ls[i] = labels.FromStrings("__name__", name, "instance", "box", "job", "chat", "n", fmt.Sprint(i))
	}
	began, samples := time.Now(), 0
	for range days * 5760 {
		now = now.Add(15 * time.Second)
		clock.Store(now.UnixMilli())
		app := s.Appender(context.Background())
		for i := range ls {
			switch {
			case i < series*2/10:
				vs[i] += dice.NormFloat64()
			case i >= series*3/10 && i%2 == 0:
				vs[i] += float64(dice.IntN(50))
			}
			if refs[i], err = app.Append(refs[i], ls[i], now.UnixMilli(), vs[i]); err != nil {
				b.Fatal(err)
			}
			samples++
		}
		if err := app.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	perSample := time.Since(began).Seconds() * 1e9 / float64(samples)
	// Until what can be cut, merged and rolled up is: nothing changes any more.
	st, same := s.Stats(), 0
	for tick, deadline := time.NewTicker(time.Second), time.Now().Add(10*time.Minute); same < 5; <-tick.C {
		was := st
		if st = s.Stats(); st.RollBytes > 0 && st.RawBytes == was.RawBytes && st.RollBytes == was.RollBytes && st.LogBytes == was.LogBytes {
			same++
		} else {
			same = 0
		}
		if time.Now().After(deadline) {
			b.Fatalf("the store does not come to rest: %+v", st)
		}
	}
	e := New(s.Queryable(), Limits{})
	debug.FreeOSMemory()
	atRest := rss(b)
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		var panels sync.WaitGroup // at once, as a browser asks
		for p := range 12 {
			expr := fmt.Sprintf("sum(rate(c%d_total[5m]))", p)
			if p%2 == 0 {
				expr = fmt.Sprintf("avg(g%d)", p)
			}
			panels.Go(func() {
				if _, err := e.Range(context.Background(), expr, now.Add(-7*24*time.Hour), now, 7*24*time.Hour/600); err != nil {
					b.Error(err)
				}
			})
		}
		panels.Wait()
	}
	b.StopTimer()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/dashboard")
	b.ReportMetric((float64(after.Utime.Nano()+after.Stime.Nano())-float64(before.Utime.Nano()+before.Stime.Nano()))/1e6/float64(b.N), "cpu-ms/dashboard")
	b.ReportMetric(perSample, "ns/sample")
	b.ReportMetric(atRest, "MB-RSS-at-rest")
	b.ReportMetric(float64(st.RawBytes)/days/1e6, "MB/day")
	b.ReportMetric(float64(st.RollBytes)/days*365/1e6, "rolled-MB/year")
	b.ReportMetric(float64(st.LogBytes)/1e6, "log-MB")
	runtime.KeepAlive(s)
}

// rss is the memory of this process in MB.
func rss(b *testing.B) float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}
