package client

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/wire"
)

// link is one connection of a Client: its writer, and the calls that wait for
// an answer.
type link struct {
	client *Client
	conn   *Conn
	out    chan []byte   // frames of callers
	wake   chan struct{} // size 1: look at the fields below
	gone   chan struct{} // closed when the connection has ended

	beat   atomic.Int64  // ns between heartbeats
	acked  atomic.Uint64 // position to confirm
	resync atomic.Bool   // sync.start is due
	behind atomic.Bool   // sync.start is due once the consumer has caught up

	mu      sync.Mutex
	each    []uint64 // positions to confirm one by one
	next    uint64
	waiting map[uint64]func(answer jsontext.Value, err error) // called by the reader, or by end
}

func newLink(c *Client, conn *Conn) *link {
	l := &link{client: c, conn: conn, out: make(chan []byte, 64), wake: make(chan struct{}, 1),
		gone: make(chan struct{}), waiting: map[uint64]func(jsontext.Value, error){}}
	l.beat.Store(int64(20 * time.Second))
	return l
}

// frame makes a request and remembers who waits for the answer. It fails when
// the connection has ended.
func (l *link) frame(method string, body []byte, answered func(jsontext.Value, error)) ([]byte, uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		return nil, 0, false
	}
	l.next++
	l.waiting[l.next] = answered
	b := make([]byte, 0, len(method)+len(body)+64)
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = strconv.AppendUint(b, l.next, 10)
	b = append(b, `,"method":"`...)
	b = append(b, method...)
	b = append(b, `","params":`...)
	b = append(b, body...)
	return append(b, '}'), l.next, true
}

type answer struct {
	value jsontext.Value
	err   error
}

// ask sends a request and waits for its answer.
func (l *link) ask(ctx context.Context, method string, body []byte) ([]byte, error) {
	got := make(chan answer, 1)
	frame, n, ok := l.frame(method, body, func(v jsontext.Value, err error) {
		got <- answer{append(jsontext.Value(nil), v...), err}
	})
	if !ok {
		return nil, ErrLost
	}
	select {
	case l.out <- frame:
	case <-ctx.Done():
		l.take(n)
		return nil, ctx.Err()
	case <-l.gone:
		return nil, ErrLost
	}
	select {
	case a := <-got:
		return a.value, a.err
	case <-ctx.Done():
		l.take(n)
		return nil, ctx.Err()
	}
}

// take gives the one who waits for an answer, once.
func (l *link) take(n uint64) func(jsontext.Value, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.waiting[n]
	delete(l.waiting, n)
	return f
}

// idle reports whether nobody waits for an answer.
func (l *link) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) == 0
}

// end tells everybody who waits that the connection is gone.
func (l *link) end() {
	l.mu.Lock()
	waiting := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	close(l.gone)
	for _, f := range waiting {
		f(nil, ErrLost)
	}
}

func (l *link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// ack has the writer confirm a position: in time, or at once.
func (l *link) ack(position uint64) {
	if l.client.opt.Ack == AckTogether {
		l.acked.Store(position)
	} else {
		l.mu.Lock()
		l.each = append(l.each, position)
		l.mu.Unlock()
	}
	l.nudge()
}

// looks is how often the writer looks whether a slow consumer has caught up.
const looks = 20 * time.Millisecond

// write is the writer: it joins what waits into one write, and sends
// heartbeats and confirmations.
func (l *link) write() {
	w := writer{link: l, beat: time.NewTicker(time.Duration(l.beat.Load())), delay: time.NewTimer(time.Hour)}
	defer w.beat.Stop()
	defer w.delay.Stop()
	w.delay.Stop()
	for w.round() {
		if len(w.batch) == 0 {
			continue
		}
		if err := l.conn.Write(w.batch...); err != nil {
			_ = l.conn.Drop() // the reader tells why
			return
		}
		clear(w.batch)
	}
}

type writer struct {
	link  *link
	batch [][]byte
	beat  *time.Ticker
	every time.Duration
	delay *time.Timer // of a confirmation
	armed bool
	acked uint64
}

// round waits for something to write and puts it into batch. It is false when
// the connection has ended.
func (w *writer) round() bool {
	l := w.link
	w.batch = w.batch[:0]
	var look <-chan time.Time
	if l.behind.Load() {
		look = time.After(looks)
	}
	select {
	case <-l.gone:
		return false
	case f := <-l.out:
		w.batch = append(w.batch, f)
		for len(l.out) > 0 && len(w.batch) < 64 {
			w.batch = append(w.batch, <-l.out)
		}
	case <-l.wake:
		w.woken()
	case <-w.delay.C:
		w.armed = false
		w.confirm()
	case <-w.beat.C:
		at := l.client.Position()
		w.request("sync.ping", "{}", func(_ jsontext.Value, err error) {
			if err == nil {
				l.client.settle(at)
			}
		})
	case <-look:
		if q := l.client.events; len(q) <= cap(q)/2 {
			l.behind.Store(false)
			l.resync.Store(true)
			l.nudge()
		}
	}
	return true
}

func (w *writer) woken() {
	l := w.link
	if l.resync.CompareAndSwap(true, false) {
		since := l.client.Since()
		w.request("sync.start", `{"since":`+strconv.FormatUint(since, 10)+`}`, func(v jsontext.Value, err error) {
			l.client.synced(l, v, err)
		})
	}
	if every := time.Duration(l.beat.Load()); every != w.every {
		w.every = every
		w.beat.Reset(every)
	}
	if l.acked.Load() != w.acked && !w.armed {
		w.armed = true
		w.delay.Reset(l.client.opt.AckDelay)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.each {
		w.batch = append(w.batch, ackFrame(p))
	}
	l.each = l.each[:0]
}

func (w *writer) confirm() {
	if p := w.link.acked.Load(); p != w.acked {
		w.acked = p
		w.batch = append(w.batch, ackFrame(p))
	}
}

func ackFrame(position uint64) []byte {
	b := append(make([]byte, 0, 80), `{"jsonrpc":"2.0","method":"sync.ack","params":{"position":`...)
	return append(strconv.AppendUint(b, position, 10), "}}"...)
}

func (w *writer) request(method, params string, answered func(jsontext.Value, error)) {
	if f, _, ok := w.link.frame(method, []byte(params), answered); ok {
		w.batch = append(w.batch, f)
	}
}

// silence is how long a connection may be silent before it counts as broken.
func (l *link) silence() time.Duration {
	return 2*time.Duration(l.beat.Load()) + time.Second
}

// authenticate logs in with the first frame, for a server behind something
// that removes the header.
func (l *link) authenticate(token string) {
	r := &l.client.reader
	body, err := encode(wire.AuthParams{Token: token})
	if err != nil {
		r.finished = err
		return
	}
	frame, _, ok := l.frame("session.authenticate", body, func(_ jsontext.Value, err error) {
		if err != nil {
			r.finished = err
			return
		}
		l.resync.Store(true)
		l.nudge()
	})
	if ok {
		l.out <- frame // empty so far
	}
}
