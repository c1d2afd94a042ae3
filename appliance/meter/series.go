package meter

import (
	"slices"
	"strings"
	"sync"
)

// MaxSeries is how many combinations of labels one family may have.
const MaxSeries = 2000

// series finds one metric by the values of its labels.
type series[T any] struct {
	labels []string
	fresh  func() *T
	beside func(values []string) [][]string // what is made together with one; may be nil
	mu     sync.RWMutex
	all    map[string]*entry[T]
}

type entry[T any] struct {
	values []string
	one    *T
}

func (s *series[T]) with(values []string) *T {
	var scratch [96]byte
	key := scratch[:0]
	for _, v := range values {
		key = append(append(key, v...), 0)
	}
	s.mu.RLock()
	e := s.all[string(key)]
	s.mu.RUnlock()
	if e != nil {
		return e.one
	}
	return s.make(string(key), values)
}

func (s *series[T]) make(key string, values []string) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.all[key]; e != nil {
		return e.one
	}
	if len(s.all) >= MaxSeries {
		values = make([]string, len(s.labels))
		for i := range values {
			values[i] = "other"
		}
		key = strings.Repeat("other\x00", len(values))
		if e := s.all[key]; e != nil {
			return e.one
		}
	}
	e := &entry[T]{values: slices.Clone(values), one: s.fresh()}
	s.all[key] = e
	if s.beside != nil {
		for _, others := range s.beside(e.values) {
			s.add(others)
		}
	}
	return e.one
}

// add makes one that is not there yet, unless there are too many. The caller
// holds the lock.
func (s *series[T]) add(values []string) {
	key := strings.Join(values, "\x00") + "\x00"
	if s.all[key] == nil && len(s.all) < MaxSeries {
		s.all[key] = &entry[T]{values: slices.Clone(values), one: s.fresh()}
	}
}

// each calls yield by the values of the labels.
func (s *series[T]) each(yield func(values []string, one *T)) {
	s.mu.RLock()
	list := make([]*entry[T], 0, len(s.all))
	for _, e := range s.all {
		list = append(list, e)
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *entry[T]) int { return slices.Compare(a.values, b.values) })
	for _, e := range list {
		yield(e.values, e.one)
	}
}

// Counters are counters with labels.
type Counters struct{ series[Counter] }

// NewCounters makes counters with the labels named.
func NewCounters(labels ...string) *Counters {
	return &Counters{series[Counter]{labels: labels, fresh: func() *Counter { return new(Counter) }, all: map[string]*entry[Counter]{}}}
}

// Beside has other counters made together with a new one, at zero: others gives
// the values of their labels. A counter that begins with its first event has no
// value before it, and the event is in no increase.
func (c *Counters) Beside(others func(values []string) [][]string) *Counters {
	c.beside = others
	return c
}

// With finds the counter of the labels' values, in their order. It costs no
// allocation once the counter is there.
func (c *Counters) With(values ...string) *Counter { return c.with(values) }

// Histograms are histograms with labels and the same bounds.
type Histograms struct{ series[Histogram] }

// NewHistograms makes histograms with the labels named.
func NewHistograms(labels []string, bounds ...float64) *Histograms {
	return &Histograms{series[Histogram]{labels: labels, fresh: func() *Histogram { return NewHistogram(bounds...) }, all: map[string]*entry[Histogram]{}}}
}

// With finds the histogram of the labels' values, in their order.
func (h *Histograms) With(values ...string) *Histogram { return h.with(values) }
