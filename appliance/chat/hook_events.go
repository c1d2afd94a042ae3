package chat

import (
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// hookMade tells of a new bot and of its joining the room.
func (d *deliverer) hookMade(b *record.HookMade) {
	d.user(b.Bot.ID)
	if b.Seq == 0 {
		return
	}
	room, bot := b.Hook.Room, []id.ID{b.Bot.ID}
	d.add(wire.EventMembers, wire.MembersChanged{Room: room, Added: bot, Role: wire.MemberRole(b.Role)}, Delivery{Room: room})
	d.message(wire.EventMessage, room, b.Seq)
}

// hookRemoved tells of a bot that left; the line in the room names both.
func (d *deliverer) hookRemoved(b *record.HookRemoved) {
	d.user(b.Bot)
	if b.Seq == 0 {
		return
	}
	d.add(wire.EventMembers, wire.MembersChanged{Room: b.Room, Removed: []id.ID{b.Bot}}, Delivery{Room: b.Room})
	d.message(wire.EventMessage, b.Room, b.Seq)
}
