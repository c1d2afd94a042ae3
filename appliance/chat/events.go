package chat

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Deliveries tells what events a record becomes, in the order in which a
// client must see them. Messages are told as they are now, so that an old
// record never brings back a text that was recalled.
func (s *Service) Deliveries(r record.Record) []Delivery {
	d := deliverer{s: s, r: r}
	switch b := r.Body.(type) {
	case *record.UserPut:
		d.user(b.User.ID)
		if b.User.Disabled {
			d.devices(b.User.ID)
		}
	case *record.AccountOpened:
		d.user(b.User.ID)
		for _, j := range b.Joins {
			d.joined(j.Room, []id.ID{b.User.ID})
			d.add(wire.EventMembers, wire.MembersChanged{Room: j.Room, Added: []id.ID{b.User.ID}, Role: wire.RoomPlain}, Delivery{Room: j.Room})
			d.message(wire.EventMessage, j.Room, j.Seq)
		}
	case *record.PasswordSet:
		d.devices(b.User)
	case *record.DevicePut:
		d.devices(b.Device.User)
	case *record.DeviceRemoved:
		d.devices(b.User)
	case *record.DepartmentPut:
		d.add(wire.EventDepartment, wire.DepartmentChanged{Department: wire.Department{ID: b.Department.ID, Parent: b.Department.Parent,
			Name: b.Department.Name, Order: b.Department.Order}}, Delivery{Everyone: true})
	case *record.DepartmentRemoved:
		d.add(wire.EventDepartment, wire.DepartmentChanged{Department: wire.Department{ID: b.Department}, Removed: true}, Delivery{Everyone: true})
	case *record.RoomPut:
		d.room(b)
	case *record.MembersChanged:
		d.members(b)
	case *record.MessageSent:
		if b.Scheduled != 0 {
			d.scheduled("sent", b.Scheduled, r.User, id.Message{Room: b.Room, Seq: b.Seq})
		}
		if m, ok := s.s.Fresh(&r, b); ok {
			d.add(wire.EventMessage, &m, Delivery{Room: b.Room, Seq: b.Seq, Sender: m.Sender})
		} else {
			d.message(wire.EventMessage, b.Room, b.Seq)
		}
		if n := len(d.list); n > 0 && b.Imported == nil && !s.s.IsProbe(r.User) {
			d.list[n-1].Time = r.Time
		}
		if b.Thread != 0 {
			d.thread(id.Message{Room: b.Room, Seq: b.Thread})
		}
	case *record.MessageEdited:
		d.message(wire.EventEdited, b.Room, b.Seq)
	case *record.MessageRecalled:
		d.message(wire.EventRecalled, b.Room, b.Seq)
	case *record.ReactionSet:
		d.add(wire.EventReaction, wire.ReactionChange{Message: id.Message{Room: b.Room, Seq: b.Seq}, User: r.User, Emoji: b.Emoji, On: b.On}, Delivery{Room: b.Room})
	case *record.PinSet:
		ch := wire.PinChange{Message: id.Message{Room: b.Room, Seq: b.Seq}, By: r.User}
		if b.On {
			ch.At = r.Time
		}
		d.add(wire.EventPinned, ch, Delivery{Room: b.Room})
	case *record.ReadMarked:
		to := Delivery{Users: []id.ID{r.User}}
		if s.s.MemberCount(b.Room) <= wire.LiveReceipts {
			to = Delivery{Room: b.Room}
		}
		d.add(wire.EventRead, wire.ReadChange{Room: b.Room, User: r.User, Seq: b.Seq, Count: b.Count, At: r.Time}, to)
	case *record.KVSet:
		d.kv(b)
	case *record.HookMade:
		d.hookMade(b)
	case *record.HookPut:
		d.user(b.Hook.Bot)
	case *record.HookRemoved:
		d.hookRemoved(b)
	default:
		d.later()
	}
	return d.list
}

// eventSize is room for the event of an ordinary message.
const eventSize = 640

// Retell is the frame of a message's delivery as the message is now; nil when
// it is not one of a message.
func (s *Service) Retell(d *Delivery) []byte {
	switch d.Type {
	case wire.EventMessage, wire.EventEdited, wire.EventRecalled:
	default:
		return nil
	}
	t := deliverer{s: s, r: record.Record{Pos: d.Position}}
	t.message(d.Type, d.Room, d.Seq)
	if len(t.list) == 0 {
		return nil
	}
	return t.list[0].Frame
}

type deliverer struct {
	s    *Service
	r    record.Record
	list []Delivery
}

func (d *deliverer) add(t wire.EventType, data any, to Delivery) {
	frame, err := wire.AppendEvent(make([]byte, 0, eventSize), d.r.Pos, t, data)
	if err != nil {
		d.s.opt.Log.Error("encode event", "position", d.r.Pos, "type", string(t), "error", err)
		return
	}
	to.Position, to.Type, to.Frame = d.r.Pos, t, frame
	d.list = append(d.list, to)
}

func (d *deliverer) user(uid id.ID) {
	u, ok := d.s.s.User(uid)
	switch {
	case !ok:
	case u.Probe:
		d.add(wire.EventUser, u, Delivery{Users: []id.ID{uid}})
	default:
		d.add(wire.EventUser, u, Delivery{Everyone: true})
	}
}

func (d *deliverer) devices(uid id.ID) {
	d.add(wire.EventDevices, wire.DevicesChanged{User: uid}, Delivery{Users: []id.ID{uid}})
}

func (d *deliverer) joined(room id.ID, users []id.ID) {
	d.add(wire.EventJoined, wire.RoomRef{Room: room}, Delivery{Users: users})
}

func (d *deliverer) message(t wire.EventType, room id.ID, seq uint64) {
	m, ok, err := d.s.s.Message(id.Message{Room: room, Seq: seq})
	if err != nil || !ok {
		d.s.opt.Log.Error("message of a record", "position", d.r.Pos, "error", err)
		return
	}
	d.add(t, &m, Delivery{Room: room, Seq: seq, Sender: m.Sender})
}

// thread tells how many replies the thread of a message has by now.
func (d *deliverer) thread(first id.Message) {
	m, ok, err := d.s.s.Message(first)
	if err != nil || !ok {
		d.s.opt.Log.Error("first message of a thread", "position", d.r.Pos, "error", err)
		return
	}
	d.add(wire.EventThread, wire.ThreadChange{Message: first, Replies: m.Replies, LastReply: m.LastReply}, Delivery{Room: first.Room})
}

func (d *deliverer) room(b *record.RoomPut) {
	rid := b.Room.ID
	if len(b.Members) > 0 {
		users := make([]id.ID, 0, len(b.Members))
		for _, m := range b.Members {
			users = append(users, m.User)
		}
		d.joined(rid, users)
	} else {
		d.add(wire.EventRoom, wire.RoomChange{Room: rid, Name: b.Room.Name, Topic: b.Room.Topic, Archived: b.Room.Archived}, Delivery{Room: rid})
	}
	if b.Seq != 0 {
		d.message(wire.EventMessage, rid, b.Seq)
	}
}

func (d *deliverer) members(b *record.MembersChanged) {
	ch := wire.MembersChanged{Room: b.Room, Removed: b.Removed}
	for _, m := range b.Put {
		ch.Added, ch.Role = append(ch.Added, m.User), wire.MemberRole(m.Role)
	}
	if len(b.Put) > 0 && b.Change.What != "role" {
		d.joined(b.Room, ch.Added)
	}
	if len(b.Removed) > 0 {
		d.add(wire.EventLeft, wire.RoomRef{Room: b.Room}, Delivery{Users: b.Removed})
	}
	d.add(wire.EventMembers, ch, Delivery{Room: b.Room})
	if b.Seq != 0 {
		d.message(wire.EventMessage, b.Room, b.Seq)
	}
}

func (d *deliverer) kv(b *record.KVSet) {
	e := wire.KVChange{Scope: "user", Entry: wire.KV{Key: b.Key, Value: b.Value, Version: d.r.Pos}}
	if len(b.Value) == 0 {
		e.Entry.Value = jsontext.Value("null")
	}
	to := Delivery{Users: []id.ID{b.Subject}}
	if b.Device {
		e.Scope = "device"
		to = Delivery{Users: []id.ID{d.r.User}, Device: b.Subject}
	}
	d.add(wire.EventKV, e, to)
}

// Concerns reports whether a delivery may and should reach an actor now:
// membership is looked up at delivery time.
func (s *Service) Concerns(a Actor, d *Delivery) bool {
	switch {
	case d.Everyone:
		return true
	case d.Room != 0:
		return s.s.IsMember(d.Room, a.User)
	}
	return slices.Contains(d.Users, a.User) && (d.Device == 0 || d.Device == a.Device)
}
