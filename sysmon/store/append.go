package store

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"posthouse/sysmon/words"
)

// counts is what the store counts about itself.
type counts struct {
	taken, outOfOrder, outOfBounds, duplicate, capped, pausedLost, other atomic.Uint64
	reopened, damaged, ahead, rolledWindows                              atomic.Uint64
}

// Appender begins a transaction of samples. It must end with Commit or
// Rollback. While the store cannot write, each Append answers ErrPaused.
func (s *Store) Appender(ctx context.Context) storage.Appender {
	s.mu.RLock()
	a := &appender{s: s, gen: s.generation}
	if condition(s.state.Load()) == taking && s.raw != nil {
		a.to = s.raw.Appender(ctx)
	}
	return a
}

// A reference to a series given to callers carries the opening it is of in
// its highest bits: after another opening the same number may be another
// series.
const (
	refBits = 40 // the database uses no more
	refMask = 1<<refBits - 1
)

// appender is a transaction of the raw database that counts what is refused.
type appender struct {
	s     *Store
	to    storage.Appender // nil: everything is refused
	gen   uint64
	taken uint64
	ended bool
}

func (a *appender) in(ref storage.SeriesRef) storage.SeriesRef {
	if uint64(ref)>>refBits != a.gen&(1<<(64-refBits)-1) {
		return 0
	}
	return ref & refMask
}

func (a *appender) out(ref storage.SeriesRef) storage.SeriesRef {
	if ref == 0 {
		return 0
	}
	return ref | storage.SeriesRef(a.gen<<refBits)
}

// Append adds a sample; see storage.Appender. Its errors besides those of the
// library are ErrSeriesCap and ErrPaused.
func (a *appender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	c := &a.s.counts
	if a.to == nil {
		c.pausedLost.Add(1)
		return 0, ErrPaused
	}
	got, err := a.to.Append(a.in(ref), l, t, v)
	switch {
	case err == nil:
		a.taken++
	case errors.Is(err, ErrSeriesCap):
		c.capped.Add(1)
	case errors.Is(err, storage.ErrOutOfOrderSample):
		c.outOfOrder.Add(1)
	case errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrTooOldSample):
		if c.outOfBounds.Add(1); t >= a.s.o.Now().UnixMilli()-60_000 {
			a.s.poke() // the clock came back: the future stands in the way
		}
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		c.duplicate.Add(1)
	default:
		c.other.Add(1)
	}
	return a.out(got), err
}

// Commit writes the samples. An error means that none of them was kept, and
// that the store will open its database anew.
func (a *appender) Commit() error {
	if !a.end() {
		return tsdb.ErrAppenderClosed
	}
	defer a.s.mu.RUnlock()
	if a.to == nil {
		return ErrPaused
	}
	if err := guard("commit samples", a.to.Commit); err != nil {
		a.s.counts.pausedLost.Add(a.taken)
		a.s.fail(err, sayWriteFailed(err))
		return err
	}
	a.s.counts.taken.Add(a.taken)
	return nil
}

// Rollback drops the samples.
func (a *appender) Rollback() error {
	if !a.end() {
		return nil
	}
	defer a.s.mu.RUnlock()
	if a.to == nil {
		return nil
	}
	if err := guard("roll back samples", a.to.Rollback); err != nil {
		a.s.fail(err, sayWriteFailed(err))
		return err
	}
	return nil
}

func (a *appender) end() bool {
	was := a.ended
	a.ended = true
	return !was
}

func sayWriteFailed(err error) words.Text {
	if isFull(err) {
		return words.Of("The disk is full: no metrics are recorded until there is room.", "磁盘已满：在腾出空间之前不记录指标。")
	}
	return words.Of("Writing metrics failed: "+err.Error()+". The database is being opened anew.", "写入指标失败："+err.Error()+"。正在重新打开数据库。")
}

// SetOptions is for out-of-order samples, which are always refused here.
func (a *appender) SetOptions(o *storage.AppendOptions) {
	if a.to != nil {
		a.to.SetOptions(o)
	}
}

// AppendExemplar keeps nothing: exemplars are not stored.
func (a *appender) AppendExemplar(ref storage.SeriesRef, _ labels.Labels, _ exemplar.Exemplar) (storage.SeriesRef, error) {
	return ref, nil
}

// AppendHistogram adds a native histogram to the raw samples.
func (a *appender) AppendHistogram(ref storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if a.to == nil {
		return 0, ErrPaused
	}
	got, err := a.to.AppendHistogram(a.in(ref), l, t, h, fh)
	return a.out(got), err
}

// AppendHistogramSTZeroSample keeps nothing: a start is seen by the fall.
func (a *appender) AppendHistogramSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64, _ *histogram.Histogram, _ *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return ref, nil
}

// UpdateMetadata notes type, unit and help of a metric by its name.
func (a *appender) UpdateMetadata(ref storage.SeriesRef, l labels.Labels, m metadata.Metadata) (storage.SeriesRef, error) {
	a.s.Describe(l.Get(model.MetricNameLabel), m)
	return ref, nil
}

// AppendSTZeroSample keeps nothing: a start is seen by the fall.
func (a *appender) AppendSTZeroSample(ref storage.SeriesRef, _ labels.Labels, _, _ int64) (storage.SeriesRef, error) {
	return ref, nil
}
