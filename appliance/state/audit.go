package state

import (
	"encoding/binary"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// audited is an entry of the audit as state keeps it.
type audited struct {
	Pos   uint64         `cbor:"1,keyasint"`
	Entry record.Audited `cbor:"2,keyasint"`
}

// Audit writes an entry of the audit. Only the box itself does.
type Audit struct{ Entry record.Audited }

func (*Audit) scopes(*Batch, *scopes) {}

func (c *Audit) decide(b *Batch) (Outcome, error) {
	e := c.Entry
	switch {
	case !b.actor.Operator:
		return Outcome{}, wire.Refuse(wire.Forbidden, "only the server itself writes the audit", "审计记录只由服务器写入")
	case e.Actor != 0 && b.s.users[e.Actor] == nil:
		return Outcome{}, wire.BadParam("actor", "there is no such account", "没有这个账号")
	case !slices.Contains(wire.AuditOutcomes(), e.Outcome):
		return Outcome{}, wire.BadParam("outcome", "of done, refused, failed and tried", "须为 done、refused、failed 或 tried")
	case e.Action == "" || len(e.Action) > wire.MaxAuditWord || len(e.Address) > wire.MaxAuditWord || len(e.Role) > wire.MaxAuditWord ||
		len(e.Name) > wire.MaxAuditText || len(e.Object) > wire.MaxAuditText || len(e.Detail) > wire.MaxAuditText:
		return Outcome{}, wire.BadParam("action", "an entry of the audit that is too long, or without an action", "审计记录过长或缺少操作")
	}
	if e.At == 0 {
		e.At = b.now
	}
	return Outcome{Body: &e}, nil
}

func (s *State) applyAudited(r *record.Record, body *record.Audited) {
	a := &audited{Pos: r.Pos, Entry: *body}
	s.tail.audits = append(s.tail.audits, a)
	s.put(bAudit, r.Pos, 0, a)
}

// audit: entries under their positions, of accounts that exist, none from after
// the position of the file.
func (c *checker) audit(tx *bolt.Tx) error {
	b := tx.Bucket([]byte(bAudit))
	if b == nil {
		return nil
	}
	return b.ForEach(func(k, v []byte) error {
		var a audited
		if err := c.s.unseal(bAudit, k, v, &a); err != nil {
			return err
		}
		if at := binary.BigEndian.Uint64(k); a.Pos != at || at > c.s.flushed.Load() {
			c.bad("entry of the audit at %d stands at %d", a.Pos, at)
		}
		if a.Entry.Actor != 0 && c.s.users[a.Entry.Actor] == nil || a.Entry.Action == "" {
			c.bad("entry of the audit at %d is of nobody or of nothing", a.Pos)
		}
		return nil
	})
}

// auditScan bounds how many entries one page looks at.
const auditScan = 20000

// Audits is a page of the audit, newest first. It looks at 20,000 entries at
// most: Next is then set although fewer than the limit were found.
func (s *State) Audits(p wire.AuditListParams) (wire.AuditList, error) {
	f := auditPage{p: p, left: auditScan, limit: p.Limit, text: strings.ToLower(p.Text)}
	if f.limit <= 0 || f.limit > wire.AuditPage {
		f.limit = wire.AuditPage
	}
	s.mu.RLock()
	lists := [2][]*audited{s.tail.audits}
	if s.flushing != nil {
		lists[1] = s.flushing.audits
	}
	for _, list := range lists {
		for _, a := range slices.Backward(list) {
			if !f.take(a) {
				break
			}
		}
	}
	s.mu.RUnlock()
	// A flush may have written some of these meanwhile: stored goes on below the
	// last of them.
	err := s.db.view("audit", func(tx *bolt.Tx) error { return f.stored(s, tx) })
	return f.out, err
}

// auditPage collects a page while entries come by, newest first.
type auditPage struct {
	p     wire.AuditListParams
	text  string
	limit int
	left  int
	last  uint64 // position of the entry before; 0 = none yet
	full  bool
	out   wire.AuditList
}

func (f *auditPage) stored(s *State, tx *bolt.Tx) error {
	b := tx.Bucket([]byte(bAudit))
	if b == nil || f.full {
		return nil
	}
	from := f.last
	if from == 0 {
		from = f.p.Before
	}
	c := b.Cursor()
	var k, v []byte
	if from == 0 {
		k, v = c.Last()
	} else if k, _ = c.Seek(binary.BigEndian.AppendUint64(nil, from)); k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	for ; k != nil; k, v = c.Prev() {
		a := new(audited)
		if err := s.unseal(bAudit, k, v, a); err != nil {
			return err
		}
		if !f.take(a) {
			return nil
		}
	}
	return nil
}

// take adds an entry when it is wanted; it is false when the page is full.
func (f *auditPage) take(a *audited) bool {
	if f.full || f.last != 0 && a.Pos >= f.last || f.p.Before != 0 && a.Pos >= f.p.Before {
		return !f.full
	}
	if len(f.out.Entries) == f.limit || f.left == 0 {
		f.full, f.out.Next = true, f.last
		return false
	}
	f.last = a.Pos
	f.left--
	if e := &a.Entry; f.wants(e) {
		f.out.Entries = append(f.out.Entries, wire.AuditEntry{Position: a.Pos, At: e.At, Actor: e.Actor, Name: e.Name, Role: e.Role,
			Address: e.Address, Action: e.Action, Object: e.Object, Detail: e.Detail, Outcome: e.Outcome})
	}
	return true
}

func (f *auditPage) wants(e *record.Audited) bool {
	p := &f.p
	return (p.Actor == 0 || p.Actor == e.Actor) &&
		(p.Action == "" || e.Action == p.Action || strings.HasPrefix(e.Action, p.Action+".")) &&
		(p.Outcome == "" || p.Outcome == e.Outcome) &&
		e.At >= p.From && (p.To == 0 || e.At < p.To) &&
		(f.text == "" || strings.Contains(strings.ToLower(e.Name+"\n"+e.Action+"\n"+e.Object+"\n"+e.Detail+"\n"+e.Address), f.text))
}
