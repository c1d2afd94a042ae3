package store

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Queryable reads both databases as one. Each querier must be closed; it
// holds back an opening anew meanwhile.
func (s *Store) Queryable() storage.Queryable { return queryable{s} }

type queryable struct{ s *Store }

// Querier reads from mint to maxt, both inclusive, in milliseconds. The error
// is ErrClosed while the database is not open.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	s := q.s
	s.mu.RLock()
	if s.raw == nil && s.roll == nil {
		s.mu.RUnlock()
		return nil, ErrClosed
	}
	seam := s.rawBegins()
	out := &querier{s: s, mint: mint, maxt: maxt, rolled: seam - 1}
	if s.roll != nil {
		for _, b := range s.roll.Blocks() {
			out.rolled = max(out.rolled, b.MaxTime()-1)
		}
	}
	var parts []storage.Querier
	if s.roll != nil {
		parts = append(parts, &rollQuerier{of: out, maxt: min(maxt, seam-1)})
	}
	if s.raw != nil && maxt >= seam {
		raw, err := s.raw.Querier(max(mint, seam), maxt)
		if err != nil {
			s.mu.RUnlock()
			return nil, err
		}
		parts = append(parts, rawQuerier{raw, out})
		out.opened = append(out.opened, raw)
	}
	out.Querier = storage.NewMergeQuerier(parts, nil, storage.ChainedSeriesMerge)
	return out, nil
}

// rawBegins is the time of the oldest raw sample; MaxInt64: there is none. mu
// is held.
func (s *Store) rawBegins() int64 {
	if s.raw == nil {
		return math.MaxInt64
	}
	begin := s.raw.Head().MinTime()
	for _, b := range s.raw.Blocks() {
		begin = min(begin, b.MinTime())
	}
	return begin
}

// querier is the merge of both.
type querier struct {
	storage.Querier
	s          *Store
	mint, maxt int64
	rolled     int64 // the end of the roll-up

	mu     sync.Mutex
	opened []storage.Querier
	closed bool
}

// Close releases both databases.
func (q *querier) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.closed = true
	var errs []error
	for _, o := range q.opened {
		errs = append(errs, o.Close())
	}
	q.s.mu.RUnlock()
	return errors.Join(errs...)
}

// coarse says whether a question is about increases in steps so wide that it is
// answered from the roll-up as far as that goes: of a counter it has the exact
// values at the ends of its windows, and a twentieth of the samples to read.
func coarse(h *storage.SelectHints) bool {
	return h != nil && h.Step >= 2*window && h.Range >= window && (h.Func == "rate" || h.Func == "increase")
}

// rawQuerier reads raw samples, unless the roll-up answers.
type rawQuerier struct {
	storage.Querier
	of *querier
}

func (r rawQuerier) Select(ctx context.Context, sorted bool, h *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	if !coarse(h) || r.of.rolled < r.of.mint {
		return r.Querier.Select(ctx, sorted, h, ms...)
	}
	part := *h
	if part.Start = max(part.Start, r.of.rolled+1); part.Start > part.End {
		return storage.EmptySeriesSet()
	}
	return r.Querier.Select(ctx, sorted, &part, ms...)
}

// rollQuerier opens the roll-up only when something is asked of it: most
// questions are about the last hours.
type rollQuerier struct {
	of   *querier
	maxt int64 // the moment before raw samples begin, or the end of the question
}

func (r *rollQuerier) open(maxt int64) (storage.Querier, error) {
	if maxt < r.of.mint {
		return storage.NoopQuerier(), nil
	}
	q, err := r.of.s.roll.Querier(r.of.mint-window, maxt+window) // with neighbours
	if err != nil {
		return nil, err
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.of.opened = append(r.of.opened, q)
	return q, nil
}

// Select answers before the seam; NAME:min5m and NAME:max5m, which raw samples
// do not have, over the whole time.
func (r *rollQuerier) Select(ctx context.Context, sorted bool, h *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	maxt := r.maxt
	for _, m := range ms {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && (strings.HasSuffix(m.Value, minSuffix) || strings.HasSuffix(m.Value, maxSuffix)) {
			maxt = r.of.maxt
		}
	}
	if coarse(h) {
		maxt = min(r.of.maxt, max(maxt, r.of.rolled))
	}
	q, err := r.open(maxt)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	part := storage.SelectHints{Start: r.of.mint, End: r.of.maxt}
	if h != nil {
		part = *h
	}
	part.End = min(part.End, maxt) // the hints, not the querier, bound what a block gives
	step := finerStep(h)
	if step == 0 {
		return q.Select(ctx, sorted, &part, ms...)
	}
	until := part.End
	part.Start, part.End = part.Start-window, part.End+window // a line needs both ends
	return finerSet{q.Select(ctx, sorted, &part, ms...), finerWay{step, until, ofCounter(h)}}
}

func (r *rollQuerier) LabelValues(ctx context.Context, name string, h *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	q, err := r.open(r.of.maxt)
	if err != nil {
		return nil, nil, err
	}
	return q.LabelValues(ctx, name, h, ms...)
}

func (r *rollQuerier) LabelNames(ctx context.Context, h *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	q, err := r.open(r.of.maxt)
	if err != nil {
		return nil, nil, err
	}
	return q.LabelNames(ctx, h, ms...)
}

// Close does nothing: the querier closes what was opened.
func (r *rollQuerier) Close() error { return nil }
