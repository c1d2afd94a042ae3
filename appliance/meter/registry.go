package meter

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// Types of families. Untyped is for a gauge that must go by a name ending in
// _total.
const (
	TypeCounter   = "counter"
	TypeGauge     = "gauge"
	TypeHistogram = "histogram"
	TypeUntyped   = "untyped"
)

// Text is what a person reads, in English and 简体中文.
type Text struct{ EN, ZH string }

// Say makes a Text.
func Say(en, zh string) Text { return Text{EN: en, ZH: zh} }

// Family describes a metric for the people who read it.
type Family struct {
	Name   string // as exposed, without _bucket, _sum, _count
	Alias  string // a second name, which WriteAll alone writes; empty = none
	Type   string // set by the Registry, but for TypeUntyped
	Unit   string // base unit: seconds, bytes, ratio, by the end of the name; empty: a number of things
	Labels []string
	Help   Text   // what it counts
	Normal Text   // what is usual
	Action Text   // what to do when it is not
	Source string // the part of the server that counts
}

// Counter counts up. Its zero value is ready.
type Counter = metrics.Counter

// family is a described metric and how its samples are written.
type family struct {
	Family
	samples func(w *bytes.Buffer, name string)
}

// Registry names metrics.
type Registry struct {
	mu       sync.RWMutex
	families map[string]*family
}

// New makes a Registry without metrics.
func New() *Registry { return &Registry{families: map[string]*family{}} }

// add panics when a name is taken or a description is missing: any test that
// opens the server finds that.
func (r *Registry) add(f Family, kind string, samples func(w *bytes.Buffer, name string)) {
	if f.Type != TypeUntyped {
		f.Type = kind
	}
	if f.Name == "" || f.Help.EN == "" || f.Help.ZH == "" {
		panic(fmt.Sprintf("metric %q is not described in both languages", f.Name))
	}
	for _, unit := range []string{"seconds", "bytes", "ratio"} {
		if f.Unit == "" && strings.HasSuffix(strings.TrimSuffix(f.Name, "_total"), "_"+unit) {
			f.Unit = unit
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.families[f.Name] != nil {
		panic("metric " + f.Name + " is there twice")
	}
	r.families[f.Name] = &family{Family: f, samples: samples}
}

// Counter gives a counter its name.
func (r *Registry) Counter(f Family, c *Counter) {
	r.add(f, TypeCounter, func(w *bytes.Buffer, name string) { sample(w, name, float64(c.Get())) })
}

// CounterFunc is a counter that is kept elsewhere; read must never go back.
func (r *Registry) CounterFunc(f Family, read func() float64) {
	r.add(f, TypeCounter, func(w *bytes.Buffer, name string) { sample(w, name, read()) })
}

// Counters gives counters with labels their name.
func (r *Registry) Counters(f Family, c *Counters) {
	f.Labels = c.labels
	r.add(f, TypeCounter, func(w *bytes.Buffer, name string) {
		c.each(func(values []string, one *Counter) { sample(w, name, float64(one.Get()), pairs(c.labels, values)...) })
	})
}

// Gauge is a figure that is read when somebody asks.
func (r *Registry) Gauge(f Family, read func() float64) {
	r.add(f, TypeGauge, func(w *bytes.Buffer, name string) { sample(w, name, read()) })
}

// Gauges are figures with labels. read calls yield with each, and a value for
// every label.
func (r *Registry) Gauges(f Family, read func(yield func(v float64, values ...string))) {
	r.add(f, TypeGauge, func(w *bytes.Buffer, name string) {
		read(func(v float64, values ...string) { sample(w, name, v, pairs(f.Labels, values)...) })
	})
}

// CounterFuncs are counters with labels that are kept elsewhere.
func (r *Registry) CounterFuncs(f Family, read func(yield func(v float64, values ...string))) {
	r.add(f, TypeCounter, func(w *bytes.Buffer, name string) {
		read(func(v float64, values ...string) { sample(w, name, v, pairs(f.Labels, values)...) })
	})
}

// Histogram gives a histogram its name.
func (r *Registry) Histogram(f Family, h *Histogram) {
	r.add(f, TypeHistogram, func(w *bytes.Buffer, name string) { h.write(w, name) })
}

// Histograms gives histograms with labels their name.
func (r *Registry) Histograms(f Family, h *Histograms) {
	f.Labels = h.labels
	r.add(f, TypeHistogram, func(w *bytes.Buffer, name string) {
		h.each(func(values []string, one *Histogram) { one.write(w, name, pairs(h.labels, values)...) })
	})
}

// Describe tells every family, by name.
func (r *Registry) Describe() []Family {
	list := r.list()
	out := make([]Family, len(list))
	for i, f := range list {
		out[i] = f.Family
	}
	return out
}

func (r *Registry) list() []*family {
	r.mu.RLock()
	list := make([]*family, 0, len(r.families))
	for _, f := range r.families {
		list = append(list, f)
	}
	r.mu.RUnlock()
	slices.SortFunc(list, func(a, b *family) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// WritePrometheus writes everything under its clean name: promtool check
// metrics finds nothing to say about it. Errors of w are its owner's.
func (r *Registry) WritePrometheus(w io.Writer) { r.write(w, false) }

// WriteAll writes the aliases too.
func (r *Registry) WriteAll(w io.Writer) { r.write(w, true) }

func (r *Registry) write(w io.Writer, aliases bool) {
	var b bytes.Buffer
	for _, f := range r.list() {
		names := []string{f.Name}
		if aliases && f.Alias != "" {
			names = append(names, f.Alias)
		}
		for _, name := range names {
			from := b.Len()
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, helpEscape(f.Help.EN), name, f.Type)
			head := b.Len()
			f.samples(&b, name)
			if b.Len() == head { // no samples yet: say nothing
				b.Truncate(from)
			}
		}
	}
	_, _ = w.Write(b.Bytes())
}

func helpEscape(s string) string { return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s) }

func pairs(names, values []string) []string {
	out := make([]string, 0, 2*len(names))
	for i, name := range names {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		out = append(out, name, value)
	}
	return out
}

// sample writes one line. labels are pairs of name and value.
func sample(w *bytes.Buffer, name string, v float64, labels ...string) {
	w.WriteString(name)
	if len(labels) > 0 {
		w.WriteByte('{')
		for i := 0; i+1 < len(labels); i += 2 {
			if i > 0 {
				w.WriteByte(',')
			}
			w.WriteString(labels[i])
			w.WriteString(`="`)
			escapeLabel(w, labels[i+1])
			w.WriteByte('"')
		}
		w.WriteByte('}')
	}
	w.WriteByte(' ')
	w.WriteString(number(v))
	w.WriteByte('\n')
}

func escapeLabel(w *bytes.Buffer, s string) {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\':
			w.WriteString(`\\`)
		case '"':
			w.WriteString(`\"`)
		case '\n':
			w.WriteString(`\n`)
		default:
			w.WriteByte(c)
		}
	}
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case math.IsNaN(v):
		return "NaN"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
