package meter

import (
	"bytes"
	"math"
	"sync/atomic"
	"time"
)

// Histogram counts values by upper bound.
type Histogram struct {
	bounds []float64
	counts []atomic.Uint64 // one more than bounds
	sum    atomic.Uint64   // bits of a float64
}

// NewHistogram makes a histogram; bounds ascend.
func NewHistogram(bounds ...float64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Latency are bounds in seconds for what people wait for, a tenth of a
// millisecond to half a minute.
func Latency() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// Fine are bounds in seconds for what alerts judge: close enough that quantiles
// between half a millisecond and ten seconds come out within a tenth, and with
// the limits themselves, 0.2, 0.8 and 5 s, among them.
func Fine() []float64 {
	return []float64{.0001, .00025, .0005, .00075, .001, .0015, .002, .0025, .003, .004, .005, .0075, .01, .015, .02, .03, .04, .05, .06, .075,
		.1, .125, .15, .2, .25, .3, .4, .5, .6, .8, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 30}
}

// Observe counts a value. One that is below zero, because a clock was set,
// counts as zero.
func (h *Histogram) Observe(v float64) { h.ObserveN(v, 1) }

// ObserveN counts a value n times.
func (h *Histogram) ObserveN(v float64, n uint64) {
	if v < 0 || v != v {
		v = 0
	}
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(n)
	v *= float64(n)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

// Took counts a duration, in seconds.
func (h *Histogram) Took(d time.Duration) { h.Observe(d.Seconds()) }

// Since counts the time since began, in seconds.
func (h *Histogram) Since(began time.Time) { h.Took(time.Since(began)) }

// Count is how many values were counted.
func (h *Histogram) Count() (n uint64) {
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// Within is how many values were at most bound, which must be one of the
// histogram's bounds.
func (h *Histogram) Within(bound float64) (n uint64) {
	for i, b := range h.bounds {
		if b > bound {
			break
		}
		n += h.counts[i].Load()
	}
	return n
}

// Quantile is the value below which a share q of the values lies, as
// histogram_quantile reads the buckets: linear within one. NaN without values.
func (h *Histogram) Quantile(q float64) float64 {
	total := h.Count()
	if total == 0 {
		return math.NaN()
	}
	want, seen, low := q*float64(total), 0.0, 0.0
	for i, bound := range h.bounds {
		n := float64(h.counts[i].Load())
		if n > 0 && seen+n >= want {
			return low + (bound-low)*(want-seen)/n
		}
		seen, low = seen+n, bound
	}
	return low
}

func (h *Histogram) write(w *bytes.Buffer, name string, labels ...string) {
	var total uint64
	line := append(append(make([]string, 0, len(labels)+2), labels...), "le", "")
	for i := range h.counts {
		total += h.counts[i].Load()
		line[len(line)-1] = "+Inf"
		if i < len(h.bounds) {
			line[len(line)-1] = number(h.bounds[i])
		}
		sample(w, name+"_bucket", float64(total), line...)
	}
	sample(w, name+"_sum", math.Float64frombits(h.sum.Load()), labels...)
	sample(w, name+"_count", float64(total), labels...)
}
