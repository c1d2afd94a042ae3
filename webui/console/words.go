package console

import (
	"math"
	"strconv"
	"time"
)

// ago is a moment as seen from the time of the page.
func (v View) ago(at time.Time) string {
	if d := v.Now.Sub(at); d >= 0 {
		return v.Say(v.Span(d.Truncate(time.Second))+" ago", v.Span(d.Truncate(time.Second))+"前")
	}
	return v.Say("in ", "") + v.Span(at.Sub(v.Now).Truncate(time.Second)) + v.Say("", "后")
}

// sparkText is a sparkline for those who do not see it.
func (v View) sparkText(label string, points []float64) string {
	low, high, last := math.Inf(1), math.Inf(-1), math.NaN()
	for _, p := range points {
		if !math.IsNaN(p) {
			low, high, last = min(low, p), max(high, p), p
		}
	}
	if low > high {
		return label + v.Say(": no data in the last hour", "：最近一小时没有数据")
	}
	return label + v.Say(", last hour: from ", "，最近一小时：最低 ") + v.Number(low) + v.Say(" to ", "，最高 ") + v.Number(high) + v.Say(", now ", "，当前 ") + v.Number(last)
}

func (v View) plain(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	return strconv.FormatFloat(f, 'f', 4, 64)
}
