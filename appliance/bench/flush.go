package bench

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"sync"
	"time"
)

// stopwatch notes when messages were sent and how long their answers took.
type stopwatch struct {
	began time.Time
	open  map[*conn][]time.Duration // oldest first; answers come in order
	done  []answered
}

type answered struct{ at, took time.Duration }

func (w *stopwatch) start(c *conn, now time.Duration) { w.open[c] = append(w.open[c], now) }

func (w *stopwatch) stop(c *conn, now time.Duration) {
	if list := w.open[c]; len(list) > 0 {
		w.done = append(w.done, answered{list[0], now - list[0]})
		w.open[c] = list[1:]
	}
}

// window is a time in which state was flushed, Unix ns.
type window struct{ from, to int64 }

// windows collects them from the server's log.
type windows struct {
	mu   sync.Mutex
	list []window
	line *regexp.Regexp
}

func newWindows() *windows {
	return &windows{line: regexp.MustCompile(`msg="state flushed".* began=(\d+) took=(\d+)`)}
}

func (w *windows) read(line string) {
	m := w.line.FindStringSubmatch(line)
	if m == nil {
		return
	}
	from, _ := strconv.ParseInt(m[1], 10, 64)
	took, _ := strconv.ParseInt(m[2], 10, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, window{from, from + took})
}

// touches reports whether a time overlaps one of the windows, which are in
// order.
func touches(list []window, from, to int64) bool {
	i := sort.Search(len(list), func(i int) bool { return list[i].to >= from })
	return i < len(list) && list[i].from <= to
}

// flush compares answers that waited while state was written with the others,
// at half of the rate the server can take.
func flush(ctx context.Context, s *Setup, r *Report) error {
	n := s.clients(pairCount)
	w := newWindows()
	server, _, err := s.startServer(ctx, serverOptions{dir: "flush", set: []string{"log.level=debug", "session.heartbeat=5m"}, lines: w.read})
	if err != nil {
		return err
	}
	defer server.stop()
	s.say("flush: accounts", "落盘：创建账号")
	people, err := server.people(ctx, 2*n, 1)
	if err != nil {
		return err
	}
	p, err := openPairs(ctx, server, people, n)
	if err != nil {
		return err
	}
	defer p.close()
	s.say("flush: run", "落盘：测量")
	top, err := p.load(ctx, 0, s.length()/4, s.length()/2)
	if err != nil {
		return err
	}
	p.answers = &stopwatch{began: p.began, open: map[*conn][]time.Duration{}}
	half, err := p.load(ctx, top.rate()/2, 0, time.Duration(s.Rounds)*s.length())
	if err != nil {
		return err
	}
	if err := pause(ctx, 200*time.Millisecond); err != nil { // the log of the last flush
		return err
	}
	var inside, outside Histogram
	var flushing time.Duration
	w.mu.Lock()
	defer w.mu.Unlock()
	from := p.began.Add(p.answers.done[0].at).UnixNano()
	flushes := 0
	for _, x := range w.list {
		if x.from >= from {
			flushing += time.Duration(x.to - x.from)
			flushes++
		}
	}
	for _, a := range p.answers.done {
		at := p.began.Add(a.at).UnixNano()
		if touches(w.list, at, at+int64(a.took)) {
			inside.Add(a.took)
		} else {
			outside.Add(a.took)
		}
	}
	if flushes == 0 {
		return fmt.Errorf("no flush of state was logged: %w", errLate)
	}
	r.add("rate", half.rate(), "1/s", "messages a second, half of the most", "每秒消息（最大值的一半）")
	r.add("flushes", float64(flushes), "", "flushes of state", "状态落盘次数")
	r.add("flush_mean", milli(flushing/time.Duration(flushes)), "ms", "  one takes", "  每次耗时")
	r.add("inside", float64(inside.Count()), "", "answers during a flush", "落盘期间的应答数")
	r.add("inside_p99", milli(inside.Quantile(.99)), "ms", "  p99", "  p99")
	r.add("outside", float64(outside.Count()), "", "answers outside", "其余应答数")
	r.add("outside_p99", milli(outside.Quantile(.99)), "ms", "  p99", "  p99")
	r.add("p99_ratio", ratio(milli(inside.Quantile(.99)), milli(outside.Quantile(.99))), "x", "p99 during a flush, ratio to outside", "落盘期间与其余 p99 之比")
	return nil
}
