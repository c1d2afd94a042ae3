package state

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Actor is who asks for a command. The operator of the box (the command line
// over the unix socket, and the box's own janitors) may do what an owner may.
type Actor struct {
	User     id.ID
	Device   id.ID
	Operator bool
}

// Command is a wish. Decide turns it into a record, or refuses it with a
// *wire.Error; any other error is a fault of the store.
type Command interface {
	// scopes tells what the command reads and writes, so that a batch never
	// decides on something that an earlier command of it will change.
	scopes(b *Batch, sc *scopes)
	decide(b *Batch) (Outcome, error)
}

// Outcome is what was decided: a record to append, or an answer that needs
// none.
type Outcome struct {
	Body  record.Body // nil: nothing had to change
	Ref   id.Message  // message concerned
	Again bool        // the client key had been used: Ref or Room is what it made
	Room  id.ID
	File  id.ID
	Pos   uint64 // Again: position of what it made
	Time  int64  // Again: when

	Entity id.ID // notice or scheduled message concerned
}

// ErrNextBatch says that a command depends on an earlier one of the same
// batch: commit that first, then decide again.
var ErrNextBatch = fmt.Errorf("depends on an earlier command of this batch")

type scope struct {
	what byte
	a, b uint64
}

type scopes struct{ reads, writes []scope }

func (s *scopes) read(what byte, a, b uint64)  { s.reads = append(s.reads, scope{what, a, b}) }
func (s *scopes) write(what byte, a, b uint64) { s.writes = append(s.writes, scope{what, a, b}) }

// What scopes can be of.
const (
	scUser      = 'u' // an account and its devices
	scDirectory = 'd' // logins, departments, invitations
	scRoom      = 'r' // a room's properties and members
	scMessage   = 'm' // one message
	scRead      = 'k' // one person's read mark in a room
	scFile      = 'f' // one file
	scQuota     = 'q' // storage used by a person or room
	scDirect    = 'p' // the direct room of two people
	scKV        = 'v' // a key-value store
	scUpload    = 'l' // uploads of a person
	scPins      = 'n' // pinned messages of a room
	scReaction  = 'e' // one person's reactions to a message
	scNotices   = 'o' // notices of an author
	scNotice    = 't' // one notice, or one person's confirmation of it
	scScheduled = 's' // scheduled messages of a person
	scHooks     = 'h' // all hooks
)

// Batch decides a run of commands against durable state plus a small overlay.
// It holds a read transaction: End must follow soon.
type Batch struct {
	s       *State
	tx      *lookup
	drops   uint64 // s.drops when tx began
	now     int64
	actor   Actor
	heads   map[id.ID]Head
	keys    map[clientKey]struct{}
	written map[scope]struct{}
	imports map[[16]byte]uint64 // imported by this batch: number of the message, or of its thread's first
	into    map[id.ID]uint64    // rooms this batch imports into: number of the last message
	sc      scopes
	dice    [256]byte
	left    int
}

// Begin starts a batch. now is the time of its decisions.
func (s *State) Begin(now time.Time) *Batch {
	b := &Batch{s: s, now: now.UnixMilli(), heads: map[id.ID]Head{}, imports: map[[16]byte]uint64{}, into: map[id.ID]uint64{},
		keys: map[clientKey]struct{}{}, written: map[scope]struct{}{}}
	b.tx = &lookup{db: s.db}
	s.mu.RLock()
	b.drops = s.drops
	s.mu.RUnlock()
	return b
}

// refresh ends the read transaction when a generation was dropped since it
// began: what it held is only in the file now, and an older transaction would
// not see it. The caller holds the lock.
func (b *Batch) refresh() {
	if b.drops != b.s.drops {
		b.tx.end()
		b.drops = b.s.drops
	}
}

// End releases the batch. The decided records must be durable and applied
// before the next Begin, or never.
func (b *Batch) End() { b.tx.end() }

// Decide decides one command for an actor. The sequencer is the only caller,
// from one goroutine, between Begin and End.
func (b *Batch) Decide(a Actor, c Command) (Outcome, error) {
	b.actor = a
	b.sc.reads, b.sc.writes = b.sc.reads[:0], b.sc.writes[:0]
	c.scopes(b, &b.sc)
	if len(b.written) > 0 {
		for _, list := range [2][]scope{b.sc.reads, b.sc.writes} {
			for _, sc := range list {
				if _, ok := b.written[sc]; ok {
					return Outcome{}, ErrNextBatch
				}
			}
		}
	}
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	b.refresh()
	out, err := c.decide(b)
	if err == nil && out.Body != nil {
		for _, sc := range b.sc.writes {
			b.written[sc] = struct{}{}
		}
	}
	return out, err
}

// Record makes the record of an outcome; the journal gives its position.
func (b *Batch) Record(a Actor, out Outcome) record.Record {
	return record.Record{Time: b.now, User: a.User, Device: a.Device, Body: out.Body}
}

// newID rolls the dice for an identifier that nothing carries yet.
func (b *Batch) newID() id.ID {
	for {
		if b.left < 8 {
			_, _ = rand.Read(b.dice[:]) // never fails
			b.left = len(b.dice)
		}
		v := id.ID(binary.BigEndian.Uint64(b.dice[b.left-8:]))
		b.left -= 8
		if v != 0 && b.s.users[v] == nil && b.s.rooms[v] == nil && b.s.devices[v] == nil && b.s.files[v] == nil && b.s.notices[v] == nil && b.s.scheduled[v] == nil {
			return v
		}
	}
}

// next gives the next number of a room's timeline.
func (b *Batch) next(r *room, message bool) (seq, count uint64) {
	h, ok := b.heads[r.rec.ID]
	if !ok {
		h = r.head
	}
	h.Seq++
	if message {
		h.Count++
	}
	b.heads[r.rec.ID] = h
	return h.Seq, h.Count
}

// used looks up a client key. A key of an earlier command of this batch waits
// for the next one.
func (b *Batch) used(key []byte, user id.ID) (keyRef, error) {
	k := clientKey{[16]byte(key), user}
	if _, ok := b.keys[k]; ok {
		return keyRef{}, ErrNextBatch
	}
	return b.s.clientKey(b.tx, k)
}

func (b *Batch) take(key []byte, user id.ID) { b.keys[clientKey{[16]byte(key), user}] = struct{}{} }

// caller is the account that acts; nil for the operator.
func (b *Batch) caller() (*record.User, error) {
	if b.actor.Operator {
		return nil, nil
	}
	u := b.s.users[b.actor.User]
	if u == nil || u.Disabled {
		return nil, wire.Refuse(wire.Unauthenticated, "this account does not exist or is disabled", "账号不存在或已停用")
	}
	if d := b.s.devices[b.actor.Device]; b.actor.Device != 0 && (d == nil || d.User != u.ID) {
		return nil, wire.Refuse(wire.Unauthenticated, "this device has been logged out", "此设备已退出登录")
	}
	return u, nil
}

func rank(r string) int {
	switch wire.Role(r) {
	case wire.Owner:
		return 4
	case wire.Admin:
		return 3
	case wire.Auditor:
		return 2
	case wire.Member:
		return 1
	}
	return 0
}

// manager refuses everyone below admin.
func (b *Batch) manager() (int, error) {
	u, err := b.caller()
	if err != nil {
		return 0, err
	}
	if u == nil {
		return rank(string(wire.Owner)), nil
	}
	if r := rank(u.Role); r >= rank(string(wire.Admin)) {
		return r, nil
	}
	return 0, wire.Refuse(wire.Forbidden, "only an admin or owner may do that", "只有管理员或所有者可以这样做")
}

// Essential reports whether a command is taken even when the disk is nearly
// full: logging in and out, taking things back, making room, and the audit of it.
func Essential(c Command) bool {
	switch c.(type) {
	case *AddDevice, *RemoveDevice, *SweepDevices, *SetPassword, *UpdateUser, *RecallMessage, *MarkRead,
		*DiscardFile, *SweepFiles, *RemoveMembers, *RevokeInvite, *ConfirmNotice, *RemoveScheduled, *Audit:
		return true
	}
	return false
}

// Probe decides a command and throws the outcome away: a dry run. The error is
// the refusal it would meet now.
func (s *State) Probe(a Actor, c Command, now time.Time) error {
	b := s.Begin(now)
	defer b.End()
	_, err := b.Decide(a, c)
	return err
}
