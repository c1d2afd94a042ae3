package store

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// finerStep is how far apart points of the roll-up must lie at most for the
// range selector that asks; 0: as they are.
func finerStep(h *storage.SelectHints) int64 {
	switch {
	case coarse(h):
		return window / 5 // not far from what raw samples on the other side of the seam are like
	case h == nil || h.Range <= 0 || h.Range >= 2*window:
		return 0
	}
	switch h.Func {
	case "rate", "increase", "irate", "delta", "idelta", "deriv", "avg_over_time", "min_over_time", "max_over_time", "last_over_time":
		return max(window/((5*window+h.Range-1)/h.Range), 1000) // evenly, for rate() extrapolates by the mean distance
	}
	return 0
}

// ofCounter says whether a fall is a reset to the function that asks.
func ofCounter(h *storage.SelectHints) bool {
	return h.Func == "rate" || h.Func == "increase" || h.Func == "irate"
}

// finerWay is how points are put in between.
type finerWay struct {
	step    int64
	until   int64 // the last point that is given
	counter bool
}

// finerSet is a set of series with points in between.
type finerSet struct {
	storage.SeriesSet
	way finerWay
}

func (f finerSet) At() storage.Series { return finerSeries{f.SeriesSet.At(), f.way} }

type finerSeries struct {
	storage.Series
	way finerWay
}

// Iterator reads the series with points in between.
func (f finerSeries) Iterator(old chunkenc.Iterator) chunkenc.Iterator {
	var inner chunkenc.Iterator
	if was, ok := old.(*finer); ok {
		inner = was.in
	}
	return &finer{in: f.Series.Iterator(inner), finerWay: f.way}
}

// finer puts points on the straight line between neighbours that are at most
// a window apart; across the fall of a counter, which is a reset, it puts none.
type finer struct {
	in chunkenc.Iterator
	finerWay

	begun, between bool
	t, t1, t2      int64 // where it stands; the neighbours
	v1, v2         float64
	kind           chunkenc.ValueType
}

// Next goes to the next point, made or stored.
func (f *finer) Next() chunkenc.ValueType {
	if kind := f.next(); kind == chunkenc.ValNone || f.t <= f.until {
		return kind
	}
	f.kind, f.between = chunkenc.ValNone, false
	return f.kind
}

func (f *finer) next() chunkenc.ValueType {
	if f.between {
		if f.t += f.step; f.t < f.t2 {
			return chunkenc.ValFloat
		}
		f.between, f.t = false, f.t2
		return f.kind
	}
	if f.begun && f.kind == chunkenc.ValNone {
		return chunkenc.ValNone
	}
	wasFloat, t1, v1 := f.begun && f.kind == chunkenc.ValFloat, f.t2, f.v2
	f.kind = f.in.Next()
	f.begun = true
	if f.kind != chunkenc.ValFloat {
		if f.kind != chunkenc.ValNone {
			f.t = f.in.AtT()
		}
		return f.kind
	}
	f.t2, f.v2 = f.in.At()
	f.t = f.t2
	if wasFloat && f.t2-t1 <= window && f.t2-t1 > f.step && (f.v2 >= v1 || !f.counter) {
		f.between, f.t1, f.v1, f.t = true, t1, v1, t1+f.step
	}
	return chunkenc.ValFloat
}

// millis is a time in milliseconds since the Unix epoch.
type millis = int64

// Seek goes to the first point at or after t.
func (f *finer) Seek(t millis) chunkenc.ValueType {
	if f.begun && (f.kind == chunkenc.ValNone || f.t >= t) {
		return f.kind
	}
	if !f.begun {
		// One neighbour before t is needed for the line to it.
		f.kind, f.begun = f.in.Seek(t-window), true
		if f.kind == chunkenc.ValNone {
			return f.kind
		}
		if f.kind == chunkenc.ValFloat {
			f.t2, f.v2 = f.in.At()
			f.t = f.t2
		} else {
			f.t = f.in.AtT()
		}
		if f.t > f.until {
			f.kind = chunkenc.ValNone
			return f.kind
		}
	}
	for f.t < t {
		if k := f.Next(); k == chunkenc.ValNone {
			return k
		}
	}
	return f.kind
}

// At is the point it stands on.
func (f *finer) At() (int64, float64) {
	if f.between {
		return f.t, f.v1 + (f.v2-f.v1)*float64(f.t-f.t1)/float64(f.t2-f.t1)
	}
	return f.t2, f.v2
}

func (f *finer) AtHistogram(h *histogram.Histogram) (int64, *histogram.Histogram) {
	return f.in.AtHistogram(h)
}

func (f *finer) AtFloatHistogram(h *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return f.in.AtFloatHistogram(h)
}

func (f *finer) AtT() int64  { return f.t }
func (f *finer) AtST() int64 { return f.in.AtST() }
func (f *finer) Err() error  { return f.in.Err() }
