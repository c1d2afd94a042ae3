package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

const (
	window     = int64(5 * 60 * 1000)      // milliseconds one figure stands for
	rollSpan   = int64(6 * 60 * 60 * 1000) // milliseconds rolled up at once
	rawSettles = int64(60 * 60 * 1000)     // the head takes samples that much older than its newest
	minSuffix  = ":min5m"
	maxSuffix  = ":max5m"
)

// rollUp makes the blocks of the roll-up that can be made and are missing,
// at most a few at a time; wrote says that there were any, more that some are
// left. mu is held for reading.
func (s *Store) rollUp(ctx context.Context, few int) (wrote, more bool, err error) {
	if s.raw == nil || s.roll == nil {
		return wrote, false, nil
	}
	from, to := s.rawBegins(), s.raw.Head().MaxTime()-rawSettles
	if from == math.MaxInt64 || s.raw.Head().MaxTime() == math.MinInt64 {
		return wrote, false, nil
	}
	covered := s.rawSpans()
	for w := floor(from, rollSpan); w+rollSpan <= to; w = nextSpan(covered, w+rollSpan) {
		if s.rolled[w] || overlaps(s.roll.Blocks(), w, w+rollSpan) {
			continue
		}
		if few == 0 {
			return wrote, true, nil
		}
		if err := guard("roll up", func() error { return s.rollSpan(ctx, w) }); err != nil {
			return wrote, false, err
		}
		s.rolled[w], wrote = true, true
		s.counts.rolledWindows.Add(1)
		few--
	}
	return wrote, false, nil
}

// rawSpans are the times that raw blocks cover, unsorted, and last the head.
func (s *Store) rawSpans() (spans [][2]int64) {
	for _, b := range s.raw.Blocks() {
		spans = append(spans, [2]int64{b.MinTime(), b.MaxTime()})
	}
	return append(spans, [2]int64{s.raw.Head().MinTime(), s.raw.Head().MaxTime()})
}

// nextSpan is the first beginning of a span from w on that has raw samples:
// years that a clock skipped are not walked through.
func nextSpan(covered [][2]int64, w int64) int64 {
	next := int64(math.MaxInt64 / 2)
	for _, c := range covered {
		if c[1] >= w {
			next = min(next, max(w, floor(c[0], rollSpan)))
		}
	}
	return next
}

func floor(t, step int64) int64 { return t - ((t%step)+step)%step }

// windowEnd is the end of the window that holds t: windows are open at the
// left.
func windowEnd(t int64) int64 { return floor(t-1, window) + window }

func overlaps(blocks []*tsdb.Block, from, to int64) bool {
	for _, b := range blocks {
		if b.MinTime() < to && b.MaxTime() > from {
			return true
		}
	}
	return false
}

// rollSpan writes the block of the windows that end within [w, w+rollSpan).
func (s *Store) rollSpan(ctx context.Context, w int64) (err error) {
	first, last := w-window+1, w+rollSpan-window
	q, err := s.raw.Querier(first-2*window, last)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	out, done, err := s.scratchHead()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()

	all, err := labels.NewMatcher(labels.MatchNotEqual, model.MetricNameLabel, "")
	if err != nil {
		return err
	}
	app := out.Appender(ctx)
	set := q.Select(ctx, true, nil, all)
	var it chunkenc.Iterator
	written, batch := 0, 0
	for set.Next() {
		series := set.At()
		it = series.Iterator(it)
		r := &roller{from: w, counter: s.kinds.counter(series.Labels().Get(model.MetricNameLabel))}
		if err := r.run(it, series.Labels(), app); err != nil {
			return errors.Join(fmt.Errorf("roll up %s: %w", series.Labels(), err), app.Rollback())
		}
		written += r.written
		if batch += r.written; batch > 50_000 {
			if err := app.Commit(); err != nil {
				return err
			}
			app, batch = out.Appender(ctx), 0
		}
	}
	if err := set.Err(); err != nil {
		return errors.Join(err, app.Rollback())
	}
	if err := app.Commit(); err != nil || written == 0 {
		return err
	}
	return s.writeBlock(ctx, rollDir, out, out.MinTime(), out.MaxTime()+1)
}

// scratchHead is a head without a log, in which a block is gathered.
func (s *Store) scratchHead() (h *tsdb.Head, done func() error, err error) {
	dir, err := os.MkdirTemp(s.dir, "gather-")
	if err != nil {
		return nil, nil, err
	}
	o := tsdb.DefaultHeadOptions()
	// A head refuses what is older than its newest sample by half of this. A span
	// of many series is committed in parts, and each part begins with the span.
	o.ChunkRange = 4 * rollSpan
	o.ChunkDirRoot = dir
	o.ChunkWriteBufferSize = 64 << 10
	o.StripeSize = 512
	h, err = tsdb.NewHead(nil, s.log, nil, nil, o, nil)
	if err == nil {
		err = h.Init(math.MinInt64)
	}
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return h, func() error { return errors.Join(h.Close(), os.RemoveAll(dir)) }, nil
}

// roller makes the figures of one series.
type roller struct {
	from    int64 // figures before are not written, only remembered
	counter bool
	written int

	end        int64 // of the window being filled; 0: none
	n          int
	sum        float64
	least, top float64
	lastT      int64 // of the newest sample seen; 0: none
	last       float64
	wroteT     int64
}

func (r *roller) run(it chunkenc.Iterator, l labels.Labels, app storage.Appender) error {
	to := target{app: app, l: l}
	for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
		if vt != chunkenc.ValFloat {
			continue
		}
		t, v := it.At()
		if value.IsStaleNaN(v) {
			continue
		}
		if err := r.add(&to, t, v); err != nil {
			return err
		}
	}
	if err := it.Err(); err != nil {
		return err
	}
	return r.flush(&to)
}

func (r *roller) add(to *target, t int64, v float64) error {
	end := windowEnd(t)
	if end != r.end {
		if err := r.flush(to); err != nil {
			return err
		}
		r.end, r.n, r.sum, r.least, r.top = end, 0, 0, math.Inf(1), math.Inf(-1)
	}
	if r.counter && end >= r.from {
		reset := r.lastT > 0 && v < r.last
		if reset && windowEnd(r.lastT) == end {
			if err := r.write(to, r.lastT, r.last); err != nil {
				return err
			}
		}
		if (reset || r.lastT == 0 || t-r.lastT > window) && t != end {
			if err := r.write(to, t, v); err != nil {
				return err
			}
		}
	}
	r.n++
	r.sum += v
	r.least, r.top = math.Min(r.least, v), math.Max(r.top, v)
	r.lastT, r.last = t, v
	return nil
}

// flush writes the figures of the window that was being filled.
func (r *roller) flush(to *target) error {
	if r.n == 0 || r.end < r.from {
		return nil
	}
	if r.counter {
		return r.write(to, r.end, r.last)
	}
	mean := r.least
	if r.least != r.top {
		mean = short(r.sum / float64(r.n))
	}
	if err := r.write(to, r.end, mean); err != nil {
		return err
	}
	return to.bounds(r.end, short(r.least), short(r.top))
}

func (r *roller) write(to *target, t int64, v float64) (err error) {
	if t <= r.wroteT {
		return nil
	}
	r.wroteT = t
	r.written++
	to.ref, err = to.app.Append(to.ref, to.l, t, v)
	return err
}

// target is where the figures of one series go: the series itself, and for
// what is no counter those of its least and its greatest.
type target struct {
	app               storage.Appender
	l                 labels.Labels
	ref, least, top   storage.SeriesRef
	leastName, topped labels.Labels
}

func (to *target) bounds(t int64, least, top float64) (err error) {
	if to.leastName.IsEmpty() {
		name := to.l.Get(model.MetricNameLabel)
		b := labels.NewBuilder(to.l)
		to.leastName = b.Set(model.MetricNameLabel, name+minSuffix).Labels()
		to.topped = b.Set(model.MetricNameLabel, name+maxSuffix).Labels()
	}
	if to.least, err = to.app.Append(to.least, to.leastName, t, least); err != nil {
		return err
	}
	to.top, err = to.app.Append(to.top, to.topped, t, top)
	return err
}

// short rounds to 17 significant bits: runs of zeros are what the chunks of
// the database store well.
func short(v float64) float64 {
	const cut = 52 - 16
	bits := math.Float64bits(v)
	if bits>>52&0x7ff == 0x7ff {
		return v // infinite or not a number
	}
	r := math.Float64frombits((bits + 1<<(cut-1)) &^ (1<<cut - 1))
	if math.IsInf(r, 0) {
		return v
	}
	return r
}
