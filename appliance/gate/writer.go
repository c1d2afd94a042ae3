package gate

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"time"
)

var errFault = errors.New("fault of the server")

// oneWrite is about how many bytes go into one write, and largest the biggest
// buffer that is kept for the next.
const (
	oneWrite = 64 << 10
	largest  = oneWrite + 16<<10
	pumped   = 128 // events read from the ring at once
)

// outbox is what a writer needs while it runs.
type outbox struct {
	control []byte   // control frames, before everything else
	frames  []*frame // of this write
	buf     []byte
	events  []*event // read from the ring
	last    bool     // the close frame is among it
}

func (o *outbox) reset() {
	clear(o.frames)
	clear(o.events)
	o.control, o.frames, o.events, o.last = o.control[:0], o.frames[:0], o.events[:0], false
	if cap(o.buf) > largest {
		o.buf = nil
	}
}

// bytes is what is to be written, in one piece.
func (o *outbox) bytes() []byte {
	if len(o.control) == 0 && len(o.frames) == 1 {
		return o.frames[0].data
	}
	o.buf = append(o.buf[:0], o.control...)
	for _, f := range o.frames {
		o.buf = append(o.buf, f.data...)
	}
	return o.buf
}

// write is the writer: it runs while there is something to write.
func (s *session) write() {
	defer s.g.tasks.Done()
	defer s.g.caught("writer")
	done := false
	defer func() {
		if !done { // a panic; caught recovers it
			s.broken(errFault)
		}
	}()
	// Whoever is about to add to the queue goes first: an answer and the event
	// that follows it then leave in one write.
	runtime.Gosched()
	o := s.g.outboxes.Get().(*outbox)
	for s.next(o) {
		if _, err := s.conn.Conn.Write(o.bytes()); err != nil {
			s.broken(err)
			break
		}
		if o.last {
			_ = s.conn.Conn.SetReadDeadline(time.Now().Add(lingering))
			halfClose(s.conn.Conn)
		}
	}
	o.reset()
	s.g.outboxes.Put(o)
	done = true
}

// broken ends a session whose write failed or came to its deadline.
func (s *session) broken(err error) {
	reason := "write: " + err.Error()
	if timeout, ok := err.(interface{ Timeout() bool }); ok && timeout.Timeout() {
		reason = "does not read"
		s.g.meters.evicted.Inc()
		s.g.meters.actions[actionPush].failed.Inc()
	}
	s.abort(reason)
	s.mu.Lock()
	s.writing = false
	s.mu.Unlock()
}

// next settles what was written and takes what comes next. false: nothing.
func (s *session) next(o *outbox) bool {
	for {
		s.mu.Lock()
		s.settle(o)
		o.reset()
		if s.dead {
			s.writing = false
			s.mu.Unlock()
			return false
		}
		s.take(o)
		switch {
		case len(o.frames) > 0 || len(o.control) > 0:
			limit := s.g.limit().SocketWrite
			if s.ending {
				limit = min(limit, lingering)
			}
			_ = s.conn.Conn.SetWriteDeadline(time.Now().Add(limit)) // an error shows in the write
			s.mu.Unlock()
			return true
		case s.stream && !s.live.Load():
			s.mu.Unlock()
			s.pump(o)
		default:
			s.writing = false
			s.queue = nil
			s.mu.Unlock()
			return false
		}
	}
}

// settle accounts for what was written. The lock is held.
func (s *session) settle(o *outbox) {
	if len(o.frames) == 0 {
		return
	}
	messages, events := 0, false
	for _, f := range o.frames {
		s.waiting--
		s.queued -= len(f.data)
		if f.call {
			s.calls--
		}
		if f.pos > 0 {
			events = true
			s.wrote(f)
			if f.seq > 0 {
				messages++
			}
		}
	}
	if events {
		s.pushed(o, messages)
		s.touched()
	}
	s.makeRoom()
}

// pushed counts the messages of one write, and how long the last of them that
// is new took from its acceptance to the socket.
func (s *session) pushed(o *outbox, messages int) {
	if messages == 0 || s.probe {
		return
	}
	s.g.meters.pushed.Add(messages)
	push := s.g.meters.actions[actionPush]
	push.ok.Add(messages)
	for _, f := range slices.Backward(o.frames) {
		if s.counts(f) {
			push.took.Took(time.Duration(s.g.now().UnixMilli()-f.at) * time.Millisecond)
			return
		}
	}
}

// take moves what goes into one write from the queue to o. The lock is held.
func (s *session) take(o *outbox) {
	if s.pong != nil {
		o.control = append(o.control, s.pong...)
		s.pong = nil
	}
	if s.ping {
		s.ping = false
		o.control = append(o.control, controlFrame(opPing, binary.BigEndian.AppendUint64(nil, uint64(s.pinged.Load())))...)
	}
	size, n := len(o.control), 0
	for n < len(s.queue) && (n == 0 || size+len(s.queue[n].data) <= oneWrite) {
		size += len(s.queue[n].data)
		n++
	}
	o.frames = append(o.frames, s.queue[:n]...)
	if n == len(s.queue) {
		clear(s.queue)
		s.queue = s.queue[:0]
	} else {
		rest := copy(s.queue, s.queue[n:])
		clear(s.queue[rest:])
		s.queue = s.queue[:rest]
	}
	if s.closing != nil && len(s.queue) == 0 {
		o.frames = append(o.frames, &frame{data: s.closing})
		s.waiting++
		s.queued += len(s.closing)
		s.closing, o.last = nil, true
	}
}

// pump takes the next events from the ring into the queue, those that concern
// the session's account at this moment. At the end of the ring the session
// becomes live.
func (s *session) pump(o *outbox) {
	s.mu.Lock()
	i, stretch, after, actor := s.cursor, s.stretch, s.after, s.actor
	s.mu.Unlock()
	events, next, ok := s.g.ring.read(i, o.events[:0], pumped)
	o.events = events
	wanted := events[:0]
	for _, e := range events {
		if e.pos > after && (e.d.Device == 0 || e.d.Device == actor.Device) && s.g.service.Concerns(actor, &e.d) {
			wanted = append(wanted, e)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending || s.stretch != stretch {
		return
	}
	if !ok {
		s.stream = false
		s.g.meters.resets.Inc()
		if f := s.g.resetFrame(); f != nil {
			s.put(f)
		}
		return
	}
	s.cursor = next
	for _, e := range wanted {
		s.put(&e.frame)
	}
	// Under both locks: an event that is appended after this look is delivered
	// by the fan-out, every one before it has been taken here.
	s.g.ring.mu.RLock()
	if s.cursor == s.g.ring.next {
		s.live.Store(true)
	}
	s.g.ring.mu.RUnlock()
}
