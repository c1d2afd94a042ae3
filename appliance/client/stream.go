package client

import (
	"context"
	"errors"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Synced is the type of an event that the Client itself makes: the stream has
// begun (again). Its data is a *wire.SyncStart. With Reset everything known
// before is void.
const Synced wire.EventType = "client.synced"

// Event is one event as it arrived.
type Event struct {
	Position uint64 // 0: not a record
	Type     wire.EventType
	Data     any  // pointer to the struct of wire.Events, *wire.SyncStart, or jsontext.Value when the type is not known
	Filled   bool // a message that was fetched to fill a hole
}

// Message is the new entry of a room that the event brings; false for events of
// other types. Entries about the room itself have a Change and no Text.
func (e Event) Message() (*wire.Message, bool) {
	m, ok := e.Data.(*wire.Message)
	return m, ok && e.Type == wire.EventMessage
}

// stream is what the reader knows. Only the reader touches it.
type stream struct {
	heads    map[id.ID]uint64 // newest number of each room that was delivered
	owed     map[id.ID]uint64 // number up to which messages are to be fetched, after a reset
	seen     []uint64         // hashes of the events at Client.position
	seed     maphash.Seed
	discard  bool // until sync.start is answered
	byFrame  bool // log in with the first frame: the header got lost on the way
	draining bool // the server stops
	drain    time.Duration
	finished error // ends the connection
}

var (
	errDrained  = errors.New("the server stops")
	errNoHeader = errors.New("the Authorization header did not reach the server")
)

// run is the reader: it connects, reads until the connection breaks, pauses,
// and does so again.
func (c *Client) run() {
	c.reader.seed = maphash.MakeSeed()
	if c.events != nil {
		defer close(c.events)
	}
	wait := c.opt.Backoff
	for first := true; ; first = false {
		before := c.Stats().Connects
		err := c.connection()
		if c.Err() != nil {
			return
		}
		worked := c.Stats().Connects > before
		if errors.Is(err, errNoHeader) {
			continue
		}
		if first && !worked || permanent(err) {
			c.giveUp(err)
			return
		}
		if worked {
			wait = c.opt.Backoff
		}
		if d := c.reader.drain; d > 0 {
			c.reader.drain, wait = 0, c.opt.Backoff
			err = pause(c.ctx, d+jitter(d/2+c.opt.Backoff))
		} else {
			err = pause(c.ctx, jitter(wait))
			wait = min(2*wait, 64*c.opt.Backoff)
		}
		if err != nil {
			c.giveUp(ErrClosed)
			return
		}
	}
}

// permanent reports whether connecting again is useless.
func permanent(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Kind == wire.Unauthenticated
}

func (c *Client) giveUp(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.announce()
}

// connection opens one connection and reads it to its end.
func (c *Client) connection() error {
	o := c.opt
	o.Token = c.HTTP.Token()
	ctx, cancel := context.WithTimeout(c.ctx, o.Timeout)
	conn, err := DialConn(ctx, o)
	cancel()
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	if c.ctx.Err() != nil { // Close did not see it
		_ = conn.Close()
		return ErrClosed
	}
	l := newLink(c, conn)
	r := &c.reader
	r.discard, r.draining, r.finished = true, false, nil
	if r.byFrame {
		l.authenticate(o.Token)
	} else {
		l.resync.Store(true)
		l.nudge()
	}
	c.done.Go(l.write)
	conn.SetIdle(o.Timeout) // until the heartbeat is known
	err = conn.Read(func(frame []byte) error { return c.frame(l, frame) })
	c.unlink()
	_ = conn.Close() // it has ended already, or is to
	l.end()
	return err
}

// unlink leads later calls elsewhere.
func (c *Client) unlink() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = nil
	c.announce()
}

// inFrame is an answer or an event.
type inFrame struct {
	ID     jsontext.Value  `json:"id"`
	Result jsontext.Value  `json:"result"`
	Error  *wire.ErrorBody `json:"error"`
	Method string          `json:"method"`
	Params struct {
		Position uint64         `json:"position"`
		Type     wire.EventType `json:"type"`
		Data     jsontext.Value `json:"data"`
	} `json:"params"`
}

// frame takes one frame; an error ends the connection.
func (c *Client) frame(l *link, b []byte) error {
	var f inFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return errors.Join(errors.New("the server sent what is not the protocol"), err)
	}
	switch {
	case f.Method == "event":
		c.event(l, f.Params.Position, f.Params.Type, f.Params.Data)
	case len(f.ID) > 0:
		n, err := strconv.ParseUint(string(f.ID), 10, 64)
		if err != nil {
			break // an answer to nobody: the id of a frame that could not be read
		}
		answered := l.take(n)
		switch {
		case answered == nil: // the caller has gone
		case f.Error != nil:
			answered(nil, refused(f.Error))
		default:
			answered(f.Result, nil)
		}
	}
	if c.reader.draining && l.idle() {
		return errDrained
	}
	return c.reader.finished
}

// synced takes the answer of sync.start. It runs on the reader, or with
// ErrLost when the connection ends.
func (c *Client) synced(l *link, v jsontext.Value, err error) {
	r := &c.reader
	var e *wire.Error
	switch {
	case errors.Is(err, ErrLost):
		return
	case errors.As(err, &e) && e.Kind == wire.Unauthenticated && !r.byFrame:
		r.byFrame, r.finished = true, errNoHeader
		return
	case err != nil:
		r.finished = err
		return
	}
	s := &wire.SyncStart{}
	if err := json.Unmarshal(v, s); err != nil {
		r.finished = err
		return
	}
	if s.HeartbeatMS > 0 {
		l.beat.Store(s.HeartbeatMS * int64(time.Millisecond))
		l.conn.SetIdle(l.silence())
		l.nudge()
	}
	if !c.deliver(Event{Type: Synced, Data: s}) {
		l.behind.Store(true) // no room for it: ask again later
		l.nudge()
		return
	}
	r.discard = false
	defer c.repay(l)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Reset {
		c.stats.Resets++
		c.position, c.since, r.seen = s.Position, s.Position, nil
		r.reset(s.Rooms)
	}
	switch {
	case r.draining:
	case c.link != l:
		c.link = l
		c.stats.Connects++
	default:
		c.stats.Resyncs++
	}
	c.user = s.User.ID
	c.announce()
}

// reset takes over the rooms of a reset. What was written meanwhile in rooms
// that were known is owed.
func (r *stream) reset(rooms []wire.Room) {
	before := r.heads
	r.heads, r.owed = make(map[id.ID]uint64, len(rooms)), map[id.ID]uint64{}
	for i := range rooms {
		room, head := rooms[i].ID, rooms[i].Head
		r.heads[room] = head
		if had, known := before[room]; known && had < head {
			r.heads[room], r.owed[room] = had, head
		}
	}
}

// repay fetches what is owed. It is tried again when the stream begins again.
func (c *Client) repay(l *link) {
	r := &c.reader
	for room, head := range r.owed {
		if r.heads[room] < head && !c.fill(l, c.Position(), room, r.heads[room], head+1) {
			return
		}
		delete(r.owed, room)
	}
}

// settle notes that a heartbeat which was sent when the newest position was at
// has been answered: the server writes the events of one record together, so
// all those of that position are here.
func (c *Client) settle(at uint64) {
	if c.reader.discard {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = max(c.since, at)
}

// event takes one event.
func (c *Client) event(l *link, position uint64, kind wire.EventType, data jsontext.Value) {
	r := &c.reader
	if position > 0 && (r.discard || c.again(position, kind, data)) {
		return
	}
	e := Event{Position: position, Type: kind}
	if err := c.decode(&e, data); err != nil {
		r.finished = err
		return
	}
	switch d := e.Data.(type) {
	case *wire.Drain:
		r.drain = max(time.Duration(d.ReconnectAfterMS)*time.Millisecond, 1)
		r.draining = true
		c.unlink()
		l.conn.SetIdle(5 * time.Second) // for answers on their way
	case *wire.ResetNotice:
		r.discard = true
		l.resync.Store(true)
		l.nudge()
	case *wire.Message:
		if kind == wire.EventMessage && !c.inOrder(l, &e, d) {
			return
		}
	case *wire.RoomRef:
		if kind == wire.EventLeft {
			delete(r.heads, d.Room)
		}
	}
	if !c.deliver(e) {
		c.fallBehind(l, position)
		return
	}
	if m, ok := e.Data.(*wire.Message); ok && kind == wire.EventMessage {
		r.heads[m.Room] = m.Seq
	}
	c.arrived(l, position, kind, data)
}

func (c *Client) decode(e *Event, data jsontext.Value) error {
	t, known := c.types[e.Type]
	if !known {
		e.Data = slices.Clone(data)
		return nil
	}
	v := reflect.New(t).Interface()
	if err := json.Unmarshal(data, v); err != nil {
		return errors.Join(errors.New("the server sent an event that is not of the protocol"), err)
	}
	e.Data = v
	return nil
}

// again reports whether an event had arrived before.
func (c *Client) again(position uint64, kind wire.EventType, data jsontext.Value) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if position > c.position {
		return false
	}
	// The last record may have been told in part only.
	if position == c.position && !slices.Contains(c.reader.seen, c.reader.hash(kind, data)) {
		return false
	}
	c.stats.Duplicates++
	return true
}

func (r *stream) hash(kind wire.EventType, data []byte) uint64 {
	return maphash.Bytes(r.seed, data) ^ maphash.String(r.seed, string(kind))
}

// arrived moves the position on and confirms it.
func (c *Client) arrived(l *link, position uint64, kind wire.EventType, data []byte) {
	c.mu.Lock()
	c.stats.Events++
	if position > 0 {
		if position != c.position {
			c.reader.seen = c.reader.seen[:0]
		}
		c.reader.seen = append(c.reader.seen, c.reader.hash(kind, data))
		c.position = position
		c.since = max(c.since, position-1)
		c.announce()
	}
	c.mu.Unlock()
	if position == 0 {
		return
	}
	if c.opt.Ack != AckNever {
		l.ack(position)
	}
}

// deliver hands an event over. It is false when there is no room for it.
func (c *Client) deliver(e Event) bool {
	if c.opt.OnEvent != nil {
		c.opt.OnEvent(e)
		return true
	}
	select {
	case c.events <- e:
		return true
	default:
		return false
	}
}

// fallBehind leaves what follows with the server until the consumer has caught
// up. What is not a record is lost.
func (c *Client) fallBehind(l *link, position uint64) {
	if position == 0 {
		c.mu.Lock()
		c.stats.Dropped++
		c.mu.Unlock()
		return
	}
	c.reader.discard = true
	l.behind.Store(true)
	l.nudge()
}

// inOrder reports whether a message may be delivered: it drops those that have
// been there and fills the hole before it.
func (c *Client) inOrder(l *link, e *Event, m *wire.Message) bool {
	head, known := c.reader.heads[m.Room]
	switch {
	case !known || m.Seq == head+1:
		return true
	case m.Seq <= head:
		c.mu.Lock()
		c.stats.Duplicates++
		c.mu.Unlock()
		return false
	}
	c.mu.Lock()
	c.stats.Gaps++
	c.mu.Unlock()
	return c.fill(l, e.Position, m.Room, head, m.Seq)
}

// fill fetches the messages between two numbers and delivers them. When that
// fails the connection ends, or the stream begins again: then they are fetched
// once more.
func (c *Client) fill(l *link, position uint64, room id.ID, after, before uint64) bool {
	for after+1 < before {
		ctx, cancel := context.WithTimeout(c.ctx, c.opt.Timeout)
		page, err := ask[wire.History](ctx, c.HTTP.API, "room.history",
			wire.HistoryParams{Room: room, After: after, FromStart: after == 0, Limit: 200})
		cancel()
		var e *wire.Error
		if errors.As(err, &e) && (e.Kind == wire.NotFound || e.Kind == wire.Forbidden) {
			return true // no longer a member: the event that says so follows
		}
		if err != nil {
			c.reader.finished = err
			return false
		}
		last := after
		for i := range page.Messages {
			m := &page.Messages[i]
			if m.Seq <= after || m.Seq >= before {
				continue
			}
			if !c.deliver(Event{Position: m.Position, Type: wire.EventMessage, Data: m, Filled: true}) {
				c.fallBehind(l, position)
				return false
			}
			after = m.Seq
			c.reader.heads[room] = after
			c.mu.Lock()
			c.stats.Filled++
			c.mu.Unlock()
		}
		if after == last { // the server has no more: they are gone for good
			return true
		}
	}
	return true
}
