package gate

import (
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

const (
	receiptEvery = 100 * time.Millisecond
	saveEvery    = time.Second
	maxPending   = 1024 // messages pushed and not acknowledged, per session
)

// progress is how far a session's device has got. It belongs to the session's
// lock.
type progress struct {
	pending  []pending // pushed, not acknowledged, oldest first; nil when all are
	receipts []wire.Receipt
	mark     record.DeviceMark
	listed   bool // among the marks' dirty sessions
}

type pending struct {
	pos, seq uint64
	room     id.ID
	at       int64 // when the message of a delivery was accepted, Unix ms; 0: no delivery
	missing  bool  // counted as a delivery that was not acknowledged
}

// marks collects the sessions that made progress.
type marks struct {
	mu    sync.Mutex
	dirty []*session
	wake  chan struct{}
	save  map[id.ID]record.DeviceMark
}

func newMarks() *marks {
	return &marks{wake: make(chan struct{}, 1), save: make(map[id.ID]record.DeviceMark)}
}

func (m *marks) list(s *session) {
	m.mu.Lock()
	m.dirty = append(m.dirty, s)
	first := len(m.dirty) == 1
	m.mu.Unlock()
	if first {
		m.signal()
	}
}

func (m *marks) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// merge adds a mark to those to be saved. Marks never go back.
func (m *marks) merge(add record.DeviceMark) {
	if add.Device == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.save[add.Device]
	if add.Pushed < old.Pushed {
		add.Pushed, add.PushedAt = old.Pushed, old.PushedAt
	}
	if add.Acked < old.Acked {
		add.Acked, add.AckedAt = old.Acked, old.AckedAt
	}
	add.Seen = max(add.Seen, old.Seen)
	m.save[add.Device] = add
}

// wrote notes an event that was written to the socket. The lock is held.
func (s *session) wrote(f *frame) {
	p := &s.progress
	p.mark.Pushed = max(p.mark.Pushed, f.pos)
	if f.seq == 0 {
		return
	}
	if len(p.pending) == maxPending {
		s.forgetOpen(maxPending / 4)
		p.pending = p.pending[:copy(p.pending, p.pending[maxPending/4:])]
	}
	at := int64(0)
	if s.counts(f) {
		at = f.at
	}
	if f.sender != s.user {
		p.receipt(s, f.room).Pushed = f.seq
	}
	one := pending{pos: f.pos, seq: f.seq, room: f.room, at: at}
	if f.pos <= p.mark.Acked { // the answer came before this note of what it answers
		r := p.receipt(s, f.room)
		r.Acked = max(r.Acked, f.seq)
		s.g.meters.acknowledged([]pending{one}, p.mark.AckedAt)
		return
	}
	p.pending = append(p.pending, one)
	if at > 0 && s.waits.Load() == 0 {
		s.waits.Store(at)
	}
}

// receipt finds or makes the receipt of a room.
func (p *progress) receipt(s *session, room id.ID) *wire.Receipt {
	for i := len(p.receipts) - 1; i >= 0 && i > len(p.receipts)-32; i-- {
		if p.receipts[i].Room == room {
			return &p.receipts[i]
		}
	}
	p.receipts = append(p.receipts, wire.Receipt{Room: room, User: s.user, Device: s.device})
	return &p.receipts[len(p.receipts)-1]
}

// touched lists the session for the next round of marks. The lock is held.
func (s *session) touched() {
	now := s.g.now().UnixMilli()
	s.progress.mark.PushedAt = now
	s.list(now)
}

func (s *session) list(now int64) {
	s.progress.mark.Seen = now
	if !s.progress.listed {
		s.progress.listed = true
		s.g.marks.list(s)
	}
}

// ack notes that everything up to a position has arrived on the device.
func (s *session) ack(position uint64, now time.Time) {
	position = min(position, s.g.ring.position())
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.progress
	if position <= p.mark.Acked {
		return
	}
	p.mark.Acked, p.mark.AckedAt = position, now.UnixMilli()
	n := 0
	for n < len(p.pending) && p.pending[n].pos <= position {
		r := p.receipt(s, p.pending[n].room)
		r.Acked = max(r.Acked, p.pending[n].seq)
		n++
	}
	s.g.meters.acknowledged(p.pending[:n], now.UnixMilli())
	p.pending = p.pending[:copy(p.pending, p.pending[n:])]
	if len(p.pending) == 0 && cap(p.pending) > 16 {
		p.pending = nil
	}
	s.open()
	s.list(now.UnixMilli())
}

// leave saves what a session that ends knows of its device.
func (s *session) leave() {
	s.mu.Lock()
	mark := s.progress.mark
	s.leaveOpen()
	s.mu.Unlock()
	mark.Device, mark.Seen = s.device, s.g.now().UnixMilli()
	s.g.marks.merge(mark)
	s.g.marks.signal()
}

// mark tells receipts a tenth of a second after the first of them, and saves
// the marks once a second. It sleeps while there are none.
func (g *Gate) mark() {
	saved := time.Now()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.marks.wake:
		}
		timer.Reset(receiptEvery)
		select {
		case <-g.ctx.Done():
			return
		case <-timer.C:
		}
		g.tellReceipts()
		if time.Since(saved) >= saveEvery {
			saved = time.Now()
			g.saveMarks()
		} else if g.unsaved() {
			g.marks.signal()
		}
	}
}

func (g *Gate) unsaved() bool {
	g.marks.mu.Lock()
	defer g.marks.mu.Unlock()
	return len(g.marks.save) > 0
}

// tellReceipts collects the progress of the dirty sessions and tells receipts
// to the live sessions of members of small rooms. A device is not told of
// itself alone.
func (g *Gate) tellReceipts() {
	g.marks.mu.Lock()
	dirty := g.marks.dirty
	g.marks.dirty = nil
	g.marks.mu.Unlock()
	rooms := make(map[id.ID][]wire.Receipt)
	for _, s := range dirty {
		s.mu.Lock()
		s.progress.listed = false
		receipts, mark := s.progress.receipts, s.progress.mark
		s.progress.receipts = nil
		s.mu.Unlock()
		mark.Device = s.device
		g.marks.merge(mark)
		for _, r := range receipts {
			if r.Pushed != 0 || r.Acked != 0 {
				rooms[r.Room] = append(rooms[r.Room], r)
			}
		}
	}
	for room, receipts := range rooms {
		g.tellRoom(room, receipts)
	}
}

func (g *Gate) tellRoom(room id.ID, receipts []wire.Receipt) {
	if g.service.MemberCount(room) > wire.LiveReceipts {
		return
	}
	f, err := passing(wire.EventReceipts, wire.ReceiptList{Receipts: receipts})
	if err != nil {
		g.log.Error("encode event", keyError, err)
		return
	}
	members := make([]id.ID, 0, wire.LiveReceipts)
	g.service.Members(room, func(user id.ID) bool {
		members = append(members, user)
		return true
	})
	var sessions []*session
	for _, user := range members {
		sessions = g.hub.of(user, sessions)
	}
	for _, s := range sessions {
		if len(receipts) > 1 || receipts[0].Device != s.device {
			s.pass(f)
		}
	}
}

// saveMarks hands the collected marks to the service.
func (g *Gate) saveMarks() {
	g.marks.mu.Lock()
	save := g.marks.save
	g.marks.save = make(map[id.ID]record.DeviceMark)
	g.marks.mu.Unlock()
	if len(save) == 0 {
		return
	}
	list := make([]record.DeviceMark, 0, len(save))
	for _, m := range save {
		list = append(list, m)
	}
	g.service.SaveMarks(list)
}
