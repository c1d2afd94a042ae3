package gate

import (
	"strconv"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// meters are the gate's figures. Those of people leave virtual users out.
//
// A delivery is a new message that was handed to a device of somebody else than
// its author while that device followed the stream; it is acknowledged when the
// device confirms a position at or after it. It is counted when that is decided:
// with its acknowledgement, or as missing once the device has not acknowledged
// it for ten seconds and has given a sign of life since. So a laptop that is shut
// is no loss: what was on its way when the connection ended counts as left, and
// the device gets it when it comes back. What a device takes later, because
// it was away, is neither: its account counted as offline when the message was
// sent. The latency of a delivery begins when the server accepted the message
// and ends when the acknowledgement has come in, both by the server's clock, so
// that no clock of a device has to be corrected; it holds the way back of the
// acknowledgement instead of the way up of the message.
type meters struct {
	connections meter.Counter // WebSockets
	tcp         meter.Counter
	refused     meter.Counter
	pushed      meter.Counter
	dropped     meter.Counter
	behind      meter.Counter
	resets      meter.Counter
	evicted     meter.Counter
	limited     meter.Counter
	panics      meter.Counter
	missed      meter.Counter
	deliveries  meter.Counter
	left        meter.Counter // deliveries open when the session ended
	acks        meter.Counter
	offline     meter.Counter
	caughtUp    meter.Counter // returns that were served from the ring …
	anew        meter.Counter // … and those that had to begin anew

	duration *meter.Histogram
	fanout   *meter.Histogram
	latency  *meter.Histogram
	rtt      *meter.Histogram
	requests *meter.Counters
	took     *meter.Histograms
	errors   *meter.Counters

	calls   *meter.Counters
	methods map[string]*meter.Counter // those of calls, by method; only read

	actions map[string]*action // by what the client asks for
	done    *meter.Counters
	lasted  *meter.Histograms

	talk rooms
}

// action is one of the few things that people do all day.
type action struct {
	ok, refused, failed *meter.Counter
	took                *meter.Histogram
}

// Actions as they are called in metrics.
const (
	actionLogin  = "login"
	actionSend   = "send"
	actionPush   = "push"
	actionPull   = "pull"
	actionUpload = "upload"
	actionSearch = "search"
)

// actionOf is the action that a method is part of; empty for most.
func actionOf(method string) string {
	switch method {
	case "session.login":
		return actionLogin
	case "message.send", "message.forward":
		return actionSend
	case "room.history", "room.list", "message.get":
		return actionPull
	case "search.messages", "search.names":
		return actionSearch
	}
	return ""
}

func newMeters() *meters {
	m := &meters{
		duration: meter.NewHistogram(1, 10, 60, 600, 3600, 8*3600, 24*3600),
		fanout:   meter.NewHistogram(meter.Latency()...),
		latency:  meter.NewHistogram(meter.Fine()...),
		rtt:      meter.NewHistogram(meter.Latency()...),
		requests: meter.NewCounters("method", "endpoint", "status").Beside(failuresOf),
		took:     meter.NewHistograms([]string{"endpoint"}, meter.Fine()...),
		errors:   meter.NewCounters("kind"),
		calls:    meter.NewCounters("method"),
		methods:  map[string]*meter.Counter{},
		actions:  map[string]*action{},
		done:     meter.NewCounters("action", "result"),
		lasted:   meter.NewHistograms([]string{"action"}, meter.Latency()...),
	}
	m.talk.last = map[id.ID]time.Time{}
	for _, spec := range wire.Table() {
		m.methods[spec.Name] = m.calls.With(spec.Name)
	}
	for _, kind := range wire.KindTable() {
		m.errors.With(string(kind.Kind))
	}
	m.requests.With("GET", "/health/ready", "200")
	m.took.With("/health/ready")
	for _, name := range []string{actionLogin, actionSend, actionPush, actionPull, actionUpload, actionSearch} {
		m.actions[name] = &action{ok: m.done.With(name, "ok"), refused: m.done.With(name, "refused"), failed: m.done.With(name, "error"), took: m.lasted.With(name)}
	}
	return m
}

// failuresOf are the failures that an endpoint may have once it is used.
func failuresOf(request []string) [][]string {
	return [][]string{{request[0], request[1], "500"}, {request[0], request[1], "503"}}
}

// acted counts an action by the status that its answer has over HTTP.
func (m *meters) acted(name string, status int, took time.Duration) {
	a := m.actions[name]
	if a == nil {
		return
	}
	switch {
	case status >= 500:
		a.failed.Inc()
	case status >= 400:
		a.refused.Inc()
	default:
		a.ok.Inc()
	}
	a.took.Took(took)
}

// statusOf is the status that an outcome has over HTTP.
func statusOf(err *wire.Error) int {
	if err == nil {
		return 200
	}
	return err.Kind.Info().Status
}

// request counts an HTTP request. The endpoint is one of a fixed list.
func (m *meters) request(method, endpoint string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BAD":
	default:
		method = "OTHER"
	}
	m.requests.With(method, endpoint, strconv.Itoa(status)).Inc()
	m.took.With(endpoint).Took(took)
}

// rooms are where people write, and when the last message came.
type rooms struct {
	mu   sync.Mutex
	last map[id.ID]time.Time
}

// conversation is how long after its last message a room counts as active.
const conversation = time.Minute

func (t *rooms) in(room id.ID, now time.Time) {
	t.mu.Lock()
	t.last[room] = now
	t.mu.Unlock()
}

// active counts the rooms with a message in the last minute and forgets the
// others.
func (t *rooms) active(now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for room, at := range t.last {
		if now.Sub(at) >= conversation {
			delete(t.last, room)
		}
	}
	return len(t.last)
}

// queues are the frames that wait for sockets: all of them, the longest queue,
// and how many sessions do not keep up.
func (g *Gate) queues() (total, longest, slow int) {
	most := g.limit().QueueFrames
	for _, s := range g.hub.every() {
		s.mu.Lock()
		total += s.waiting
		longest = max(longest, s.waiting)
		if s.stream && !s.live.Load() || s.waiting > most/2 {
			slow++
		}
		s.mu.Unlock()
	}
	return total, longest, slow
}
