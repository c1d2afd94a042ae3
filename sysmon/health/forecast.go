package health

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Forecast says when a disk will be full.
type Forecast struct {
	Mount, Device string
	Size, Used    float64 // bytes, as df tells them: without what the system keeps back for itself
	Week, Month   Growth  // from 7 and 30 days
	Days          float64 // until it is full at the faster of the two; +Inf: it does not fill up
	Full          time.Time
	Line          []Point // used bytes of 30 days, to draw
}

// Growth is the trend of some days.
type Growth struct {
	PerDay   float64 // bytes
	Days     float64 // until full; +Inf when it does not grow
	Span     time.Duration
	Cleanups int  // sudden drops
	Known    bool // there was a day of data at least
}

// Forecasts are those of every mounted disk, the one that is full first at the
// beginning.
func (h *Health) Forecasts(ctx context.Context, at time.Time) ([]Forecast, error) {
	const step = 2 * time.Hour
	sizes, err := h.opt.Source.Instant(ctx, `max by (mountpoint, device) (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes)`, at)
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	lines, err := h.opt.Source.Range(ctx, `max by (mountpoint, device) (node_filesystem_size_bytes - node_filesystem_free_bytes)`, at.Add(-30*24*time.Hour), at, step)
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	var out []Forecast
	for _, l := range lines {
		f := Forecast{Mount: l.Labels["mountpoint"], Device: l.Labels["device"], Line: l.Points}
		for _, s := range sizes {
			if s.Labels["mountpoint"] == f.Mount && s.Labels["device"] == f.Device {
				f.Size = s.Value
			}
		}
		if len(l.Points) == 0 || f.Size <= 0 {
			continue
		}
		f.Used = l.Points[len(l.Points)-1].Value
		week := slices.IndexFunc(l.Points, func(p Point) bool { return p.At.After(at.Add(-7 * 24 * time.Hour)) })
		if week < 0 {
			continue
		}
		f.Week, f.Month = Grow(l.Points[week:], f.Size), Grow(l.Points, f.Size)
		f.Days = min(f.Week.Days, f.Month.Days)
		if !math.IsInf(f.Days, 0) && f.Days < 36500 {
			f.Full = at.Add(time.Duration(f.Days * 24 * float64(time.Hour)))
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Forecast) int {
		switch {
		case a.Days < b.Days:
			return -1
		case a.Days > b.Days:
			return 1
		}
		return 0
	})
	return out, nil
}

// Grow is the trend of used bytes on a disk of a size, as the package comment
// says. Points are in the order of time.
func Grow(points []Point, size float64) Growth {
	g := Growth{Days: math.Inf(1)}
	if len(points) < 3 {
		return g
	}
	first, last := points[0], points[len(points)-1]
	if g.Span = last.At.Sub(first.At); g.Span < 24*time.Hour {
		return g
	}
	g.Known = true
	free := size - last.Value
	y, drops, regular := levelled(points, size)
	if regular {
		points, y = peaks(points)
	}
	g.Cleanups = drops
	var slopes []float64
	for i := range points {
		for j := i + 1; j < len(points); j++ {
			if d := points[j].At.Sub(points[i].At).Hours() / 24; d > 0 {
				slopes = append(slopes, (y[j]-y[i])/d)
			}
		}
	}
	slices.Sort(slopes)
	g.PerDay = slopes[len(slopes)/2]
	if g.PerDay*3650 > free { // within ten years
		g.Days = max(0, free/g.PerDay)
	}
	return g
}

// levelled adds isolated clean-ups back: drops of more than half a percent of
// the disk. regular: there are more than two a week, and nothing was added.
func levelled(points []Point, size float64) (y []float64, drops int, regular bool) {
	y = make([]float64, len(points))
	most := 2 * max(1, int(math.Round(points[len(points)-1].At.Sub(points[0].At).Hours()/24/7)))
	added := 0.0
	for i, p := range points {
		if i > 0 {
			if d := points[i-1].Value - p.Value; d > size/200 {
				added += d
				drops++
			}
		}
		y[i] = p.Value + added
	}
	return y, drops, drops > most
}

// peaks are the largest values of each day.
func peaks(points []Point) (days []Point, y []float64) {
	for _, p := range points {
		if n := len(days); n == 0 || p.At.Sub(days[n-1].At) >= 24*time.Hour {
			days, y = append(days, p), append(y, p.Value)
		} else if p.Value > y[n-1] {
			y[n-1] = p.Value
		}
	}
	return days, y
}
