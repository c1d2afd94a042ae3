package meter

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Kinds of operations.
const (
	KindHTTP     = "http"     // a request
	KindTransfer = "transfer" // an upload or download, as long as the other side takes
	KindCall     = "call"     // a call over a WebSocket
	KindTx       = "tx"       // a transaction of the store
)

const (
	// SlowAfter is how long an operation may take before it counts as slow.
	SlowAfter = time.Second
	// MaxSlow is how many slow operations are remembered.
	MaxSlow = 500
)

// Operation is something that takes time.
type Operation struct {
	ID         uint64
	Kind, Name string // what: a kind, and a method, endpoint or transaction
	User       string // who asked; empty: nobody in particular
	Trace      string // finds it in the log
	Began      time.Time
	Took       time.Duration // so far, while it is under way
	Cancelable bool
	Cancelled  bool
}

// Running is an operation under way. End it once.
type Running struct {
	o          *Operations
	op         Operation
	cancel     func()
	cancelled  atomic.Bool
	prev, next *Running
}

// Operations knows what is under way and what took long.
type Operations struct {
	now    func() time.Time
	told   func(Operation)
	ids    atomic.Uint64
	counts *Counters

	mu    sync.Mutex
	first Running // a ring of those under way

	slowMu sync.Mutex
	slow   []Operation // circular
	at     int
}

// NewOperations makes one. told is called with every slow operation when it
// ends, on the goroutine that ended it; it may be nil.
func NewOperations(told func(Operation)) *Operations {
	o := &Operations{now: time.Now, told: told, counts: NewCounters("kind")}
	o.first.prev, o.first.next = &o.first, &o.first
	for _, kind := range []string{KindHTTP, KindTransfer, KindCall, KindTx} {
		o.counts.With(kind)
	}
	return o
}

// Begin notes that an operation begins. cancel, if it is not nil, must stop
// it; it may be called once, on any goroutine.
func (o *Operations) Begin(kind, name, user, trace string, cancel func()) *Running {
	r := &Running{o: o, op: Operation{ID: o.ids.Add(1), Kind: kind, Name: name, User: user, Trace: trace, Began: o.now()}, cancel: cancel}
	o.mu.Lock()
	r.prev, r.next = o.first.prev, &o.first
	r.prev.next, r.next.prev = r, r
	o.mu.Unlock()
	return r
}

// As names the operation and who asked, when that is known only later.
func (r *Running) As(name, user string) {
	r.o.mu.Lock()
	r.op.Name = name
	if user != "" {
		r.op.User = user
	}
	r.o.mu.Unlock()
}

// End notes that the operation is over.
func (r *Running) End() {
	o := r.o
	o.mu.Lock()
	if r.next == nil {
		o.mu.Unlock()
		return
	}
	r.prev.next, r.next.prev = r.next, r.prev
	r.prev, r.next = nil, nil
	op := r.op
	o.mu.Unlock()
	op.Cancelled = r.cancelled.Load()
	o.Note(op, o.now().Sub(op.Began))
}

// Note remembers an operation that was not begun here, if it was slow.
func (o *Operations) Note(op Operation, took time.Duration) {
	if took < SlowAfter {
		return
	}
	op.Took = took
	o.counts.With(op.Kind).Inc()
	o.slowMu.Lock()
	if len(o.slow) < MaxSlow {
		o.slow = append(o.slow, op)
	} else {
		o.slow[o.at] = op
		o.at = (o.at + 1) % MaxSlow
	}
	o.slowMu.Unlock()
	if o.told != nil {
		o.told(op)
	}
}

// UnderWay tells the operations that have taken at least so long, the longest
// first.
func (o *Operations) UnderWay(atLeast time.Duration) []Operation {
	now := o.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []Operation
	for r := o.first.next; r != &o.first; r = r.next {
		op := r.op
		if op.Took = now.Sub(op.Began); op.Took >= atLeast {
			op.Cancelable, op.Cancelled = r.cancel != nil, r.cancelled.Load()
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b Operation) int { return a.Began.Compare(b.Began) })
	return out
}

// Slow tells the slow operations, the latest first.
func (o *Operations) Slow() []Operation {
	o.slowMu.Lock()
	defer o.slowMu.Unlock()
	out := append(slices.Clone(o.slow[o.at:]), o.slow[:o.at]...)
	slices.Reverse(out)
	return out
}

// Cancel stops an operation under way. found is false when it has ended,
// cancelled false when nothing can stop it.
func (o *Operations) Cancel(id uint64) (op Operation, found, cancelled bool) {
	o.mu.Lock()
	var r *Running
	for at := o.first.next; at != &o.first; at = at.next {
		if at.op.ID == id {
			r, op, found = at, at.op, true
		}
	}
	o.mu.Unlock()
	if !found || r.cancel == nil {
		return op, found, false
	}
	if !r.cancelled.Swap(true) {
		r.cancel()
	}
	return op, true, true
}

// Measure names the figures.
func (o *Operations) Measure(r *Registry) {
	r.Counters(Family{Name: "im_slow_operations_total", Source: "meter",
		Help:   Say("Operations that took longer than a second, by kind: http, call, tx, transfer.", "耗时超过一秒的操作数，按类别：http、call、tx、transfer。"),
		Normal: Say("Below one a minute without transfers, which take as long as the other side does.", "除传输外低于每分钟一次；传输时长取决于对端。"),
		Action: Say("Open Operations: it tells which, whose and how long.", "打开“操作”页面，查看具体操作、发起者与耗时。")}, o.counts)
	r.Gauge(Family{Name: "im_operations_under_way", Source: "meter",
		Help:   Say("Requests, calls and transfers under way.", "正在进行的请求、调用与传输。"),
		Normal: Say("Near zero at rest.", "空闲时接近零。"),
		Action: Say("Open Operations and cancel what hangs.", "打开“操作”页面，取消卡住的操作。")}, func() float64 {
		o.mu.Lock()
		defer o.mu.Unlock()
		n := 0
		for at := o.first.next; at != &o.first; at = at.next {
			n++
		}
		return float64(n)
	})
}
