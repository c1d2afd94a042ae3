package gate

import (
	"slices"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// readAtOnce is how many records are read from the service in one go.
const readAtOnce = 512

// fillRing reads the records before the head, as many as the ring may hold
// events, so that clients that come back after a restart find what they missed.
func (g *Gate) fillRing() {
	head := g.service.Position()
	from := head - min(head, uint64(g.limit().RingEvents))
	g.ring.begin(from)
	for at := from; at < head; {
		records, err := g.service.Records(at, readAtOnce)
		if err != nil || len(records) == 0 {
			g.log.Warn("recent records cannot be read; clients that come back start anew", "after", at, keyError, err)
			g.ring.begin(head)
			return
		}
		at = records[len(records)-1].Pos
		g.ring.append(g.events(records), at)
	}
}

func (g *Gate) events(records []record.Record) []*event {
	var events []*event
	for _, r := range records {
		events = append(events, g.eventsOf(r)...)
	}
	return events
}

// eventsOf makes the events of one record. One that cannot be told is left out:
// nobody must be kept from everything after it.
func (g *Gate) eventsOf(r record.Record) (events []*event) {
	defer g.caught("events of a record")
	for _, d := range g.service.Deliveries(r) {
		events = append(events, newEvent(d))
	}
	return events
}

// fanOut reads the journal's records as they come, puts their events into the
// ring, and hands them to the live sessions they concern.
func (g *Gate) fanOut(wake <-chan struct{}) {
	at := g.ring.position()
	for _, s := range g.hub.every() {
		s.fallBehind() // after a fault: events may be in the ring and not in the queues
	}
	f := fanner{g: g}
	g.told.Store(at)
	g.service.Pace(g.told.Load)
	defer g.service.Pace(nil)
	for {
		records, err := g.service.Records(at, readAtOnce)
		if err != nil {
			g.log.Error("read records", "after", at, keyError, err)
			select {
			case <-g.ctx.Done():
				return
			case <-time.After(time.Second):
			}
			continue
		}
		if len(records) == 0 {
			select {
			case <-g.ctx.Done():
				return
			case <-wake:
			}
			continue
		}
		g.retell(records)
		events := g.events(records)
		at = records[len(records)-1].Pos
		index := g.ring.append(events, at)
		for i, e := range events {
			f.spread(index+uint64(i), e)
		}
		g.meters.fanout.Took(time.Duration(g.now().UnixMilli()-records[len(records)-1].Time) * time.Millisecond)
		for _, r := range records {
			g.ended(r)
		}
		g.told.Store(at)
		g.service.CaughtUp()
		if g.ctx.Err() != nil {
			return
		}
	}
}

// retell puts messages that were recalled or edited into the ring as they are
// now: whoever was away must not be shown first what was taken back since.
func (g *Gate) retell(records []record.Record) {
	for _, r := range records {
		switch b := r.Body.(type) {
		case *record.MessageRecalled:
			g.ring.replace(b.Room, b.Seq, g.retold)
		case *record.MessageEdited:
			g.ring.replace(b.Room, b.Seq, g.retold)
		}
	}
}

func (g *Gate) retold(e *event) *event {
	d := e.d
	if d.Frame = g.service.Retell(&d); d.Frame == nil {
		return e
	}
	return newEvent(d)
}

// fanner is what fanOut keeps between events.
type fanner struct {
	g        *Gate
	users    []id.ID
	sessions []*session
}

// spread hands an event to the sessions it concerns. Of a room with many more
// members than there are people online, the people are asked.
func (f *fanner) spread(index uint64, e *event) {
	g, d := f.g, &e.d
	f.users = f.users[:0]
	switch {
	case d.Everyone:
		f.users = g.hub.accounts(f.users)
	case d.Room == 0:
		f.users = append(f.users, d.Users...)
	default:
		f.audience(d)
	}
	g.hub.mu.RLock()
	f.sessions = f.sessions[:0]
	for _, user := range f.users {
		f.sessions = append(f.sessions, g.hub.users[user]...)
	}
	g.hub.mu.RUnlock()
	for _, s := range f.sessions {
		s.deliver(index, e)
	}
	if e.at > 0 {
		g.meters.offline.Add(f.away(d))
		g.meters.talk.in(d.Room, g.now())
	}
}

// away is how many members of a message's room, its author left out, are not
// online. It is asked after audience, and users holds members.
func (f *fanner) away(d *chat.Delivery) int {
	online := 0
	f.g.hub.mu.RLock()
	for _, user := range f.users {
		if user != d.Sender && len(f.g.hub.users[user]) > 0 {
			online++
		}
	}
	f.g.hub.mu.RUnlock()
	others := f.g.service.MemberCount(d.Room)
	if d.Sender != 0 && f.g.service.IsMember(d.Room, d.Sender) {
		others--
	}
	return max(0, others-online)
}

func (f *fanner) audience(d *chat.Delivery) {
	service := f.g.service
	if service.MemberCount(d.Room) <= 4*f.g.hub.online()+64 {
		service.Members(d.Room, func(user id.ID) bool {
			f.users = append(f.users, user)
			return true
		})
		return
	}
	f.users = f.g.hub.accounts(f.users)
	f.users = slices.DeleteFunc(f.users, func(user id.ID) bool { return !service.IsMember(d.Room, user) })
}

// ended looks again at the sessions that a record may have ended or given
// another role.
func (g *Gate) ended(r record.Record) {
	var sessions []*session
	switch b := r.Body.(type) {
	case *record.UserPut:
		sessions = g.hub.of(b.User.ID, nil)
	case *record.PasswordSet:
		sessions = g.hub.of(b.User, nil)
	case *record.DevicePut:
		if b.Replaces != 0 {
			sessions = g.hub.of(b.Device.User, nil)
		}
	case *record.DeviceRemoved:
		sessions = g.hub.of(b.User, nil)
	case *record.DevicesRemoved:
		for _, s := range g.hub.every() {
			if s.loggedIn.Load() && slices.Contains(b.Devices, s.device) {
				sessions = append(sessions, s)
			}
		}
	}
	for _, s := range sessions {
		s.recheck()
	}
}

// resetFrame tells a session that it fell too far behind.
func (g *Gate) resetFrame() *frame {
	f, err := passing(wire.EventReset, wire.ResetNotice{Reason: "too far behind"})
	if err != nil {
		g.log.Error("encode event", keyError, err)
		return nil
	}
	return f
}
