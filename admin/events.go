package admin

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Live is a topic whose data is a state: the same for everybody who may look,
// made anew for each language while somebody follows it.
type Live struct {
	Topic string
	Every time.Duration // not more often than once a second
	// Data is one JSON value or one piece of HTML; empty: nothing to say.
	Data func(ctx context.Context, lang string) string
}

const (
	beatEvery     = 15 * time.Second // comment that keeps a connection open
	checkEvery    = 3 * time.Second  // is the login still good?
	streamsOfOne  = 8
	streamsAtOnce = 500
	streamQueue   = 64
	followsAtOnce = 32
	farewell      = "bye"
)

// event is what goes down a stream.
type event struct {
	n     uint64
	topic string
	data  string
}

// hub hands events to streams.
type hub struct {
	now   func() time.Time
	start string // of every id: a number of another server means nothing here
	stop  context.CancelFunc
	ctx   context.Context
	done  chan struct{}

	mu      sync.Mutex
	n       uint64
	streams []*stream
	topics  []Live
	states  map[string]event // by topic and language
	due     map[string]time.Time
	closed  bool
}

// stream is one open page.
type stream struct {
	user, device id.ID
	lang         string
	topics       map[string]bool
	queue        chan event
	end          string // why it ended; set before over is closed
	over         chan struct{}
}

func newHub(now func() time.Time, topics []Live) *hub {
	ctx, stop := context.WithCancel(context.Background())
	h := &hub{now: now, start: strconv.FormatInt(now().UnixNano(), 36), stop: stop, ctx: ctx, done: make(chan struct{}),
		topics: topics, states: map[string]event{}, due: map[string]time.Time{}}
	go h.run()
	return h
}

// run asks the topics that are followed.
func (h *hub) run() {
	defer close(h.done)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-second.C:
			h.refresh(h.now())
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	for _, s := range slices.Clone(h.streams) {
		h.drop(s, "drain")
	}
	h.mu.Unlock()
	h.stop()
	<-h.done
}

// refresh asks what is due and followed, and tells what changed. The topics
// are asked without the lock.
func (h *hub) refresh(now time.Time) {
	type question struct {
		live Live
		lang string
	}
	var ask []question
	h.mu.Lock()
	for _, t := range h.topics {
		for _, lang := range []string{"en", "zh"} {
			key := t.Topic + " " + lang
			followed := slices.ContainsFunc(h.streams, func(s *stream) bool { return s.topics[t.Topic] && s.lang == lang })
			if followed && !now.Before(h.due[key]) {
				h.due[key] = now.Add(max(t.Every, time.Second) - 100*time.Millisecond)
				ask = append(ask, question{t, lang})
			}
		}
	}
	h.mu.Unlock()
	for _, q := range ask {
		ctx, cancel := context.WithTimeout(h.ctx, 10*time.Second)
		data := q.live.Data(ctx, q.lang)
		cancel()
		h.tell(q.live.Topic, q.lang, data)
	}
}

// tell takes over a state and sends it if it changed.
func (h *hub) tell(topic, lang, data string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := topic + " " + lang
	if data == "" || h.states[key].data == data {
		return
	}
	h.n++
	e := event{h.n, topic, data}
	h.states[key] = e
	for _, s := range slices.Clone(h.streams) {
		if s.topics[topic] && s.lang == lang {
			h.give(s, e)
		}
	}
}

// give puts an event into a stream's queue; one that does not read is dropped.
func (h *hub) give(s *stream, e event) {
	select {
	case s.queue <- e:
	default:
		h.drop(s, "")
	}
}

// drop ends a stream. The lock is held.
func (h *hub) drop(s *stream, why string) {
	if i := slices.Index(h.streams, s); i >= 0 {
		h.streams = slices.Delete(h.streams, i, i+1)
		s.end = why
		close(s.over)
	}
}

func (h *hub) leave(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s, "")
}

// join adds a stream and gives what it has not seen, after its last id.
func (h *hub) join(s *stream, last string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.streams) >= streamsAtOnce {
		return false
	}
	mine := 0
	for _, o := range h.streams {
		if o.user == s.user {
			mine++
		}
	}
	for i := 0; mine >= streamsOfOne && i < len(h.streams); i++ { // the oldest go
		if h.streams[i].user == s.user {
			h.drop(h.streams[i], "full")
			mine--
			i--
		}
	}
	seen := uint64(0)
	if start, n, ok := strings.Cut(last, "."); ok && start == h.start {
		if v, err := strconv.ParseUint(n, 10, 64); err == nil {
			seen = v
		}
	}
	var missed []event
	for topic := range s.topics {
		if e, ok := h.states[topic+" "+s.lang]; ok && e.n > seen {
			missed = append(missed, e)
		}
		h.due[topic+" "+s.lang] = time.Time{} // what is shown may be old
	}
	slices.SortFunc(missed, func(a, b event) int { return int(int64(a.n) - int64(b.n)) })
	h.streams = append(h.streams, s)
	for _, e := range missed[max(0, len(missed)-streamQueue):] {
		h.give(s, e)
	}
	return true
}

// events is the stream of one page.
func (a *Admin) events(r *Request) {
	s := &stream{user: r.User, device: r.Device, lang: r.Tongue(), topics: map[string]bool{}, queue: make(chan event, streamQueue), over: make(chan struct{})}
	for _, t := range strings.FieldsFunc(r.Query("topics"), func(c rune) bool { return c == ' ' || c == '+' || c == ',' }) {
		if len(s.topics) < followsAtOnce {
			s.topics[t] = true
		}
	}
	expires := a.expires(r)
	if !a.hub.join(s, r.lastEvent()) {
		r.ctx.Response.Header.Set("Retry-After", "30")
		r.ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		return
	}
	h := &r.ctx.Response.Header
	h.SetContentType("text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	w := writer{hub: a.hub, stream: s, still: r.Still, operator: r.Operator, expires: expires, stopping: r.ctx.Done(),
		here: func() { a.people.still(s.device, a.o.Now()) }}
	r.ctx.SetBodyStreamWriter(w.write)
}

// lastEvent is the id of the last event that a page has seen. A browser that
// comes back by itself says it in a header, a page that does in the address.
func (r *Request) lastEvent() string {
	if last := r.ctx.Request.Header.Peek("Last-Event-ID"); len(last) > 0 {
		return string(last)
	}
	return r.Query("after")
}

// expires is when the login ends by itself; zero: not soon.
func (a *Admin) expires(r *Request) time.Time {
	if r.Operator {
		return time.Time{}
	}
	result, err := r.Call("session.me", wire.Empty{})
	if me, ok := result.(wire.Session); err == nil && ok && me.Expires > 0 {
		return time.UnixMilli(me.Expires)
	}
	return time.Time{}
}

// writer writes one stream until it ends.
type writer struct {
	hub      *hub
	stream   *stream
	still    func() (wire.Role, bool)
	operator bool
	expires  time.Time
	stopping <-chan struct{}
	here     func()
}

// write is one goroutine of the server. It ends when the reader is gone (a
// write fails), the login is over, or the server stops.
func (w writer) write(out *bufio.Writer) {
	defer w.hub.leave(w.stream)
	beat, check := time.NewTicker(beatEvery), time.NewTicker(checkEvery)
	defer beat.Stop()
	defer check.Stop()
	fmt.Fprint(out, "retry: 2000\n: hello\n\n")
	for out.Flush() == nil {
		select {
		case e := <-w.stream.queue:
			w.event(out, e)
		case <-beat.C:
			fmt.Fprint(out, ": still here\nevent: beat\ndata: 1\n\n")
		case <-check.C:
			if !w.valid() {
				w.bye(out, "login")
				return
			}
			w.here()
		case <-w.stream.over:
			w.bye(out, w.stream.end)
			return
		case <-w.stopping:
			w.bye(out, "drain")
			return
		}
	}
}

func (w writer) valid() bool {
	if w.operator {
		return true
	}
	role, ok := w.still()
	return ok && role != wire.Member && (w.expires.IsZero() || w.hub.now().Before(w.expires))
}

func (w writer) event(out *bufio.Writer, e event) {
	fmt.Fprintf(out, "id: %s.%d\nevent: %s\n", w.hub.start, e.n, e.topic)
	for line := range strings.SplitSeq(e.data, "\n") {
		fmt.Fprintf(out, "data: %s\n", strings.TrimRight(line, "\r"))
	}
	fmt.Fprint(out, "\n")
}

// bye says why a stream ends; without a reason it breaks, and the page comes
// back with its last id.
func (w writer) bye(out *bufio.Writer, why string) {
	if why != "" {
		fmt.Fprintf(out, "event: %s\ndata: %s\n\n", farewell, why)
		_ = out.Flush() // the reader may be gone
	}
}
