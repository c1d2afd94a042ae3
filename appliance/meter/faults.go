package meter

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// MaxFaults is how many groups of faults are remembered.
const MaxFaults = 200

// maxStack bounds the stack kept with a group, in bytes.
const maxStack = 8 << 10

// Fault is a group of faults of the server: those of one place whose texts
// differ in figures only.
type Fault struct {
	Where       string // part of the server, or method
	Text        string // of the last one
	Count       uint64
	First, Last time.Time
	Trace       string // of the last one, for the log
	Stack       string // of the last one
	Panic       bool
}

// Faults groups what must not happen: panics and internal errors.
type Faults struct {
	now    func() time.Time
	counts *Counters
	mu     sync.Mutex
	groups map[string]*Fault
}

// NewFaults makes one.
func NewFaults() *Faults {
	f := &Faults{now: time.Now, counts: NewCounters("kind"), groups: map[string]*Fault{}}
	f.counts.With("error")
	f.counts.With("panic")
	return f
}

// located is an error that knows where it arose.
type located struct {
	error
	stack string
}

// Unwrap gives the error itself.
func (l *located) Unwrap() error { return l.error }

// Here notes the caller's stack with an error that must not happen, so that
// Faults.Error can tell where it arose. The text stays as it is, and nil nil.
func Here(err error) error {
	if err == nil {
		return nil
	}
	return &located{err, string(debug.Stack())}
}

// Error notes an internal error, with the stack of the place where Here was
// called for it, or else with the caller's.
func (f *Faults) Error(where, trace string, err error) {
	var at *located
	if !errors.As(err, &at) {
		at = &located{stack: string(debug.Stack())}
	}
	f.note(where, trace, fmt.Sprint(err), false, at.stack)
}

// Panic notes what recover returned; it is called by the deferred function.
func (f *Faults) Panic(where, trace string, p any) string {
	stack := string(debug.Stack())
	f.note(where, trace, fmt.Sprint(p), true, stack)
	return stack
}

func (f *Faults) note(where, trace, text string, panicked bool, stack string) {
	kind := "error"
	if panicked {
		kind = "panic"
	}
	f.counts.With(kind).Inc()
	key := where + "\x00" + figureless(text)
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.groups[key]
	if g == nil {
		if len(f.groups) >= MaxFaults {
			f.forget()
		}
		g = &Fault{Where: where, First: f.now(), Panic: panicked}
		f.groups[key] = g
	}
	g.Count++
	g.Last, g.Text, g.Trace, g.Stack = f.now(), cut(text, 1<<10), trace, cut(stack, maxStack)
}

// forget drops the group that was seen last the longest ago.
func (f *Faults) forget() {
	oldest := ""
	for key, g := range f.groups {
		if oldest == "" || g.Last.Before(f.groups[oldest].Last) {
			oldest = key
		}
	}
	delete(f.groups, oldest)
}

// List tells the groups, the latest first.
func (f *Faults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Fault, 0, len(f.groups))
	for _, g := range f.groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Fault) int { return b.Last.Compare(a.Last) })
	return out
}

// figureless is a text with each run of digits and hex as one sign.
func figureless(s string) string {
	var b strings.Builder
	for _, word := range strings.Fields(cut(s, 256)) {
		if strings.IndexFunc(word, unicode.IsDigit) >= 0 {
			word = "#"
		}
		b.WriteString(word)
		b.WriteByte(' ')
	}
	return b.String()
}

func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// Measure names the figures.
func (f *Faults) Measure(r *Registry) {
	r.Counters(Family{Name: "im_faults_total", Source: "meter",
		Help:   Say("Faults of the server, by kind: panic or error.", "服务器内部故障数，按类别：panic 或 error。"),
		Normal: Say("Zero.", "零。"),
		Action: Say("Open Operations: each group has its stack; report it with the version.", "打开“操作”页面查看调用栈，并附版本号反馈。")}, f.counts)
}
