package gate

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/fasthttp/websocket"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
)

// session is one WebSocket.
type session struct {
	g       *Gate
	number  uint64 // names the connection in the log
	ws      *websocket.Conn
	conn    *peer      // written to by the writer alone
	from    netip.Addr // of the person, behind trusted proxies too
	address string     // the same as text
	lang    string
	since   int64 // Unix ms
	user    id.ID // set once, before the hub lists the session under it
	device  id.ID
	probe   bool // of a virtual user; set with user
	agent   unique.Handle[string]

	beat     atomic.Int64 // last sign of life, ticks
	pinged   atomic.Int64 // when the last ping was asked for, ticks; 0 = answered
	rtt      atomic.Int64 // ns
	suspect  atomic.Bool
	missed   atomic.Uint32 // heartbeats
	waits    atomic.Int64  // since when the oldest open delivery does, Unix ms; 0: none
	loggedIn atomic.Bool

	renewed int64 // ticks; of the reader, as the next two
	frames  bucket
	typed   []typed

	// live says that the fan-out puts events into the queue. It becomes true
	// under mu and the ring's lock together.
	live atomic.Bool

	mu      sync.Mutex
	actor   chat.Actor
	queue   []*frame
	waiting int // frames in the queue and with the writer
	queued  int // bytes of those
	calls   int // not answered, or the answer is not written
	writing bool
	ping    bool
	pong    []byte
	room    chan struct{} // the reader waits on it for calls or queue to shrink

	stream   bool   // between sync.start and reset
	stretch  uint64 // counts sync.start
	cursor   uint64 // index of the next event to take
	after    uint64 // events up to this position were seen before the stream
	fresh    uint64 // messages after this position are deliveries; those before are catching up
	ending   bool   // takes nothing in any more
	closing  []byte // the close frame, until it is written
	dead     bool   // the connection is closed
	why      string // of the end, for the log
	progress progress
	arrival  arrival
	watching []id.ID // presence
}

// push puts a frame into the queue. Frames that are no records are not sent
// again: a full queue drops them, answers excepted (their number is bounded by
// the calls).
func (s *session) push(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	if !f.call && s.full(len(f.data)) {
		s.g.meters.dropped.Inc()
		return
	}
	s.put(f)
}

func (s *session) full(more int) bool {
	return s.waiting >= s.g.limit().QueueFrames || s.queued+more > s.g.limit().QueueBytes
}

// put is push with the lock held and the checks done.
func (s *session) put(f *frame) {
	s.queue = append(s.queue, f)
	s.waiting++
	s.queued += len(f.data)
	s.wake()
}

// wake makes sure that a writer runs. The lock is held.
func (s *session) wake() {
	if s.writing || s.dead {
		return
	}
	s.writing = true
	s.g.tasks.Add(1) // the reader's own count keeps the gate's above zero
	go s.write()
}

// deliver hands a live session the event of index i. A full queue makes the
// session fall behind: its writer takes up at i from the ring.
func (s *session) deliver(i uint64, e *event) {
	if !s.live.Load() || (e.d.Device != 0 && e.d.Device != s.device) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live.Load() || i < s.cursor || e.pos <= s.after {
		return
	}
	if s.full(len(e.data)) {
		s.live.Store(false)
		s.cursor = i
		s.g.meters.behind.Inc()
		s.wake()
		return
	}
	s.cursor = i + 1
	s.put(&e.frame)
}

// counts reports whether a frame on its way to the session is a delivery: a new
// message of somebody else. The lock is held.
func (s *session) counts(f *frame) bool {
	return f.at > 0 && f.sender != s.user && f.pos > s.fresh && !s.probe
}

// fallBehind makes the session take what it lacks from the ring.
func (s *session) fallBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live.Load() {
		s.live.Store(false)
		s.wake()
	}
}

// follow begins the stream with its answer: every event from index i on with a
// position after the one given follows it.
func (s *session) follow(answer *frame, i, after uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	kept := s.queue[:0]
	for _, f := range s.queue {
		if f.pos > 0 { // of the stream before
			s.waiting--
			s.queued -= len(f.data)
			continue
		}
		kept = append(kept, f)
	}
	clear(s.queue[len(kept):])
	s.queue = kept
	s.stretch++
	s.stream, s.cursor, s.after, s.fresh = true, i, after, s.g.ring.position()
	s.live.Store(false)
	s.put(answer)
}

// shut ends the session with a close frame: after everything that waits when
// flush is set, at once otherwise. Only the first call counts.
func (s *session) shut(code int, reason string, flush bool) {
	defer s.depart()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.end(reason)
	s.closing = closeFrameOf(code, reason)
	if !flush {
		s.drop()
	}
	if s.writing { // it may stand in a write that nobody reads
		_ = s.conn.Conn.SetWriteDeadline(time.Now().Add(lingering))
	}
	s.wake()
}

// lingering is how long a connection is kept after its close frame, so that
// the frame is not lost with a reset.
const lingering = time.Second

// abort ends the session and its connection without a word.
func (s *session) abort(reason string) {
	defer s.depart()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(reason)
	s.drop()
	s.closing = nil
	s.kill()
}

// depart takes a session that ends from its account: it is offline from now
// on, however long its connection lingers.
func (s *session) depart() {
	if s.loggedIn.Load() {
		s.g.hub.logout(s, s.user)
		s.g.presence.changed(s.user)
	}
}

// end, drop and kill are called with the lock held.
func (s *session) end(reason string) {
	if !s.ending {
		s.why = reason
	}
	s.ending, s.stream = true, false
	s.live.Store(false)
	s.makeRoom()
}

func (s *session) drop() {
	for _, f := range s.queue {
		s.waiting--
		s.queued -= len(f.data)
	}
	s.queue = nil
}

func (s *session) kill() {
	if !s.dead {
		s.dead = true
		s.conn.kill()
	}
}

func (s *session) makeRoom() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// admit counts a call. It waits while the session has too many calls that are
// not answered yet, or too much that is not read by the other side, and reports
// false when the session ended.
func (s *session) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ending && (s.calls >= s.g.limit().CallsInFlight || s.queued > s.g.limit().QueueBytes) {
		if s.room == nil {
			s.room = make(chan struct{})
		}
		room := s.room
		s.mu.Unlock()
		<-room
		s.mu.Lock()
	}
	if s.ending {
		return false
	}
	s.calls++
	return true
}

// answered ends a call that has no answer frame.
func (s *session) answered() {
	s.mu.Lock()
	s.calls--
	s.makeRoom()
	s.mu.Unlock()
}

func (s *session) who() chat.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actor
}

// recheck closes the session if its device or account ended, and takes over
// the role it has now.
func (s *session) recheck() {
	actor, valid := s.g.service.StillValid(s.who())
	if !valid {
		s.shut(closeNoLogin, "session ended", false)
		return
	}
	s.mu.Lock()
	s.actor = actor
	s.mu.Unlock()
}

// quiet reports whether nothing is on its way: no call, no frame, and the
// stream is at the end of the ring.
func (s *session) quiet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending || (s.calls == 0 && s.waiting == 0 && (!s.stream || s.live.Load()))
}

func allQuiet(sessions []*session) bool {
	for _, s := range sessions {
		if !s.quiet() {
			return false
		}
	}
	return true
}

// halfClose ends our direction only.
func halfClose(c net.Conn) {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite()
	}
}
