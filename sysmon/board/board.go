// Package board owns dashboards as data: which panels there are, the PromQL
// behind them, and what they are called. The console draws them, and the same
// data become Grafana dashboards. It runs no goroutines.
//
// An expression may contain $__rate_interval, as in Grafana: a window that holds
// at least four samples and is not shorter than the distance of two points.
// Fill puts it in.
package board

import (
	"strconv"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// Kind is how a panel is drawn.
type Kind string

// The kinds. A Stat is a figure in large type with its run; the last value of
// its only series.
const (
	Line    Kind = "line"
	Area    Kind = "area"
	Stacked Kind = "stacked"
	Bars    Kind = "bars"
	Stat    Kind = "stat"
)

// Board is one dashboard.
type Board struct {
	ID     string // in its address: host, api, …
	Title  words.Text
	About  words.Text // what it is for, in a sentence
	Icon   string     // a name of the console's icons
	Panels []Panel
}

// Panel is one chart.
type Panel struct {
	ID    string // within its board; kept for ever: what people hid is remembered by it
	Title words.Text
	Help  words.Text // what it shows, what is usual, what to do when it is not
	// Unit is that of the values: empty (a number), /s, bytes, bytes/s, bits/s,
	// ratio (0 to 1), percent, seconds, days, celsius.
	Unit       string
	Kind       Kind
	Wide       bool // takes the whole row
	Queries    []Query
	Thresholds []Threshold
	// Alerts are the names of the alerts whose firing is shown in the panel.
	Alerts []string
}

// Query is one expression; it may give several series.
type Query struct {
	Expr string
	// Legend names a series: {{label}} is the value of a label. Empty: its
	// labels.
	Legend words.Text
}

// Threshold is a line at a value.
type Threshold struct {
	Value    float64 // in the panel's unit
	Severity string  // warning, serious, critical
	Alert    string  // whose limit it is; may be empty
	Below    bool    // below is what is bad
}

// ratePlaceholder is what Fill replaces.
const ratePlaceholder = "$__rate_interval"

// Fill gives the expression for points that are a step apart, of samples taken
// every interval.
func (q Query) Fill(step, interval time.Duration) string {
	window := max(4*interval, step+interval)
	return strings.ReplaceAll(q.Expr, ratePlaceholder, strconv.FormatInt(int64(window/time.Second), 10)+"s")
}

// Name is what a series is called in a language.
func (q Query) Name(lang string, labels map[string]string) string {
	text := q.Legend.In(lang)
	if text == "" {
		return ""
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{{")
		b.WriteString(before)
		if !ok {
			break
		}
		label, after, closed := strings.Cut(rest, "}}")
		if !closed {
			b.WriteString("{{" + rest)
			break
		}
		b.WriteString(labels[strings.TrimSpace(label)])
		text = after
	}
	return strings.TrimSpace(b.String())
}
