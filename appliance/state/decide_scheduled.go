package state

import (
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

func noScheduled() error {
	return wire.Refuse(wire.NotFound, "there is no such scheduled message", "没有这条定时消息")
}

// ownScheduled finds a scheduled message of the caller.
func (b *Batch) ownScheduled(sid id.ID) (*scheduled, error) {
	u, err := b.caller()
	if err != nil {
		return nil, err
	}
	sc := b.s.scheduled[sid]
	if sc == nil || u == nil || sc.Scheduled.User != u.ID {
		return nil, noScheduled()
	}
	return sc, nil
}

func (b *Batch) ahead(at int64) error {
	if at <= b.now || at > b.now+aheadMost.Milliseconds() {
		return wire.BadParam("at", "in the future, at most a year ahead", "须在将来，至多一年")
	}
	return nil
}

// CreateScheduled keeps a message until its time. Scheduled holds what the
// caller chose.
type CreateScheduled struct{ Scheduled record.Scheduled }

func (c *CreateScheduled) message() *SendMessage {
	m := &c.Scheduled
	return &SendMessage{Room: m.Room, Text: m.Text, ReplyTo: m.ReplyTo, Thread: m.Thread, Files: m.Files}
}

func (c *CreateScheduled) scopes(b *Batch, sc *scopes) {
	c.message().scopes(b, sc)
	sc.write(scScheduled, uint64(b.actor.User), 0)
}

func (c *CreateScheduled) decide(b *Batch) (Outcome, error) {
	if _, err := b.caller(); err != nil {
		return Outcome{}, err
	}
	ref, err := b.used(c.Scheduled.Key, b.actor.User)
	if err != nil {
		return Outcome{}, err
	}
	if ref != (keyRef{}) {
		if ref.Other == 0 || b.s.notices[ref.Other] != nil {
			return Outcome{}, otherUse()
		}
		return Outcome{Again: true, Entity: ref.Other}, nil
	}
	m := c.Scheduled
	r, err := b.writable(m.Room)
	if err != nil {
		return Outcome{}, err
	}
	if err := b.text(m.Text, len(m.Files) > 0); err != nil {
		return Outcome{}, err
	}
	if err := b.files(m.Files, false); err != nil {
		return Outcome{}, err
	}
	if err := b.answers(r, c.message()); err != nil {
		return Outcome{}, err
	}
	if err := b.ahead(m.At); err != nil {
		return Outcome{}, err
	}
	if len(b.s.userScheduled[b.actor.User]) >= wire.MaxScheduled {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d scheduled messages", "最多 %d 条定时消息", wire.MaxScheduled)
	}
	m.ID, m.User, m.Created = b.newID(), b.actor.User, b.now
	b.take(m.Key, m.User)
	return Outcome{Body: &record.ScheduledPut{Scheduled: m}, Entity: m.ID}, nil
}

// UpdateScheduled changes a scheduled message; nil and zero stay.
type UpdateScheduled struct {
	Scheduled id.ID
	Text      *string
	At        int64
}

func (c *UpdateScheduled) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scScheduled, uint64(b.actor.User), 0)
}

func (c *UpdateScheduled) decide(b *Batch) (Outcome, error) {
	old, err := b.ownScheduled(c.Scheduled)
	if err != nil {
		return Outcome{}, err
	}
	m := old.Scheduled
	if c.Text != nil {
		m.Text = *c.Text
	}
	if c.At != 0 {
		m.At = c.At
	}
	if err := b.text(m.Text, len(m.Files) > 0); err != nil {
		return Outcome{}, err
	}
	if c.At != 0 || old.FailedAt != 0 {
		if err := b.ahead(m.At); err != nil {
			return Outcome{}, err
		}
	}
	if m.Text == old.Scheduled.Text && m.At == old.Scheduled.At && old.FailedAt == 0 {
		return Outcome{Entity: m.ID}, nil
	}
	return Outcome{Body: &record.ScheduledPut{Scheduled: m}, Entity: m.ID}, nil
}

// RemoveScheduled removes a scheduled message unsent.
type RemoveScheduled struct{ Scheduled id.ID }

func (c *RemoveScheduled) scopes(b *Batch, sc *scopes) { b.spendScheduled(c.Scheduled, sc) }

// spendScheduled is what removing one touches.
func (b *Batch) spendScheduled(sid id.ID, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scScheduled, uint64(b.actor.User), 0)
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	if m := b.s.scheduled[sid]; m != nil {
		for _, fid := range m.Scheduled.Files {
			sc.write(scFile, uint64(fid), 0)
		}
	}
}

func (c *RemoveScheduled) decide(b *Batch) (Outcome, error) {
	m, err := b.ownScheduled(c.Scheduled)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Body: &record.ScheduledRemoved{Scheduled: m.Scheduled.ID}, Entity: m.Scheduled.ID}, nil
}

// SendScheduled sends a scheduled message as its author: when its time has
// come, or at once with Now. Mentions finds whom a text mentions.
type SendScheduled struct {
	Scheduled id.ID
	Now       bool
	Mentions  func(text string) (logins []string, all bool)
}

// message is the message that a scheduled one becomes.
func (c *SendScheduled) message(m *record.Scheduled) *SendMessage {
	s := &SendMessage{Room: m.Room, Key: derivedKey("scheduled", m.ID), Text: m.Text, ReplyTo: m.ReplyTo, Thread: m.Thread, Files: m.Files, scheduled: m.ID}
	s.Logins, s.All = c.Mentions(m.Text)
	return s
}

func (c *SendScheduled) scopes(b *Batch, sc *scopes) {
	b.spendScheduled(c.Scheduled, sc)
	b.s.mu.RLock()
	m := b.s.scheduled[c.Scheduled]
	b.s.mu.RUnlock()
	if m != nil {
		c.message(&m.Scheduled).scopes(b, sc)
	}
}

func (c *SendScheduled) decide(b *Batch) (Outcome, error) {
	m, err := b.ownScheduled(c.Scheduled)
	if err != nil {
		return Outcome{}, err
	}
	if !c.Now && (m.Scheduled.At > b.now || m.FailedAt != 0) {
		return Outcome{}, nil
	}
	out, err := c.message(&m.Scheduled).decide(b)
	if err == nil && out.Again { // its author, who can know the key, has sent a message with it
		return Outcome{}, otherUse()
	}
	return out, err
}

// FailScheduled keeps a scheduled message that could not be sent, with the
// reason. The box runs it; one that was moved meanwhile still waits.
type FailScheduled struct {
	Scheduled id.ID
	Why       wire.Text
}

func (c *FailScheduled) scopes(b *Batch, sc *scopes) {
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	if m := b.s.scheduled[c.Scheduled]; m != nil {
		sc.write(scScheduled, uint64(m.Scheduled.User), 0)
	}
}

func (c *FailScheduled) decide(b *Batch) (Outcome, error) {
	m := b.s.scheduled[c.Scheduled]
	if m == nil || !b.actor.Operator {
		return Outcome{}, noScheduled()
	}
	if m.FailedAt != 0 || m.Scheduled.At > b.now {
		return Outcome{Entity: c.Scheduled}, nil
	}
	return Outcome{Body: &record.ScheduledFailed{Scheduled: c.Scheduled, En: c.Why.En, Zh: c.Why.Zh}, Entity: c.Scheduled}, nil
}
