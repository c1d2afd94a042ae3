package state

import (
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

func noRoom() error { return wire.Refuse(wire.NotFound, "there is no such room", "没有这个房间") }

func roomRank(r string) int {
	switch wire.MemberRole(r) {
	case wire.RoomOwner:
		return 4
	case wire.RoomModerator:
		return 3
	case wire.RoomPlain:
		return 2
	case wire.RoomReader:
		return 1
	}
	return 0
}

// member finds a room the caller is a member of. Who is not gets the answer
// that it does not exist. The operator counts as an owner.
func (b *Batch) member(rid id.ID) (*room, int, error) {
	u, err := b.caller()
	if err != nil {
		return nil, 0, err
	}
	r := b.s.rooms[rid]
	if r == nil {
		return nil, 0, noRoom()
	}
	if u == nil {
		return r, roomRank(string(wire.RoomOwner)), nil
	}
	m := r.members[u.ID]
	if m == nil {
		return nil, 0, noRoom()
	}
	return r, roomRank(m.Role), nil
}

func (b *Batch) moderator(rid id.ID) (*room, int, error) {
	r, rank, err := b.member(rid)
	if err == nil && rank < roomRank(string(wire.RoomModerator)) {
		err = wire.Refuse(wire.Forbidden, "only moderators and owners of the room may do that", "只有房间的主持人或房主可以这样做")
	}
	return r, rank, err
}

func fixed(r *room) bool {
	return r.rec.Form == string(wire.Direct) || r.rec.Form == string(wire.Notes)
}

func notFixed(r *room) error {
	if fixed(r) {
		return wire.Refuse(wire.Forbidden, "direct rooms and notes stay as they are", "私聊与个人笔记不可更改")
	}
	return nil
}

// person finds an account that may be put into a room.
func (b *Batch) person(uid id.ID) (*record.User, error) {
	u := b.s.users[uid]
	if u == nil || u.Disabled {
		return nil, wire.Refusef(wire.NotFound, "there is no account %s, or it is disabled", "账号 %s 不存在或已停用", uid)
	}
	return u, nil
}

func (b *Batch) roomForMore(uid id.ID) error {
	if len(b.s.userRooms[uid]) >= b.s.opt.Limits.RoomsPerUser {
		return wire.Refusef(wire.QuotaExceeded, "nobody can be in more than %d rooms", "每人最多加入 %d 个房间", b.s.opt.Limits.RoomsPerUser)
	}
	return nil
}

// CreateRoom makes a group, channel or announcement room.
type CreateRoom struct {
	Form    wire.RoomKind
	Name    string
	Topic   string
	Members []id.ID
	Key     []byte // 16 bytes, or nil
}

func (c *CreateRoom) scopes(b *Batch, sc *scopes) { sc.read(scUser, uint64(b.actor.User), 0) }

func (c *CreateRoom) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	if u == nil {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator has no rooms: log in as a person", "操作员没有房间，请以个人身份登录")
	}
	if c.Key != nil {
		ref, err := b.used(c.Key, u.ID)
		if err != nil {
			return Outcome{}, err
		}
		if ref.Other != 0 {
			return Outcome{}, otherUse()
		}
		if ref.Seq != 0 {
			return Outcome{}, wire.Refuse(wire.Conflict, "this key was used for a message: make a new one for the room", "此键已用于消息，请为房间生成新键")
		}
		if ref.Room != 0 {
			return Outcome{Again: true, Room: ref.Room}, nil
		}
	}
	rec := record.Room{Form: string(c.Form), Created: b.now, CreatedBy: u.ID}
	switch c.Form {
	case wire.Group, wire.Channel, wire.Announcement:
	default:
		return Outcome{}, wire.BadParam("kind", "group, channel or announcement; direct rooms are made by room.direct", "须为 group、channel 或 announcement；私聊用 room.direct")
	}
	if rec.Name, err = line("name", c.Name, 1, wire.MaxName); err != nil {
		return Outcome{}, err
	}
	if rec.Topic, err = line("topic", c.Topic, 0, wire.MaxTopic); err != nil {
		return Outcome{}, err
	}
	if err := b.roomForMore(u.ID); err != nil {
		return Outcome{}, err
	}
	if len(c.Members)+1 > b.s.opt.Limits.MembersPerRoom {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d members", "最多 %d 名成员", b.s.opt.Limits.MembersPerRoom)
	}
	members := []record.Member{{User: u.ID, Role: string(wire.RoomOwner), Since: b.now}}
	seen := map[id.ID]bool{u.ID: true}
	for _, m := range c.Members {
		if seen[m] {
			continue
		}
		seen[m] = true
		if _, err := b.person(m); err != nil {
			return Outcome{}, err
		}
		if err := b.roomForMore(m); err != nil {
			return Outcome{}, err
		}
		members = append(members, record.Member{User: m, Role: string(wire.RoomPlain), Since: b.now})
	}
	slices.SortFunc(members, func(x, y record.Member) int { return cmpID(x.User, y.User) })
	rec.ID = b.newID()
	if c.Key != nil {
		b.take(c.Key, u.ID)
	}
	return Outcome{Room: rec.ID, Body: &record.RoomPut{Room: rec, Members: members, Seq: 1, Key: c.Key,
		Change: &record.Change{What: "created", Text: rec.Name}}}, nil
}

func cmpID(a, b id.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// OpenDirect finds or makes the room of the caller and one other person; with
// oneself, the notes to self.
type OpenDirect struct{ User id.ID }

func (c *OpenDirect) pair(b *Batch) pair {
	return pair{min(b.actor.User, c.User), max(b.actor.User, c.User)}
}

func (c *OpenDirect) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scUser, uint64(c.User), 0)
	p := c.pair(b)
	sc.write(scDirect, uint64(p.low), uint64(p.high))
}

func (c *OpenDirect) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	if u == nil {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator has no rooms: log in as a person", "操作员没有房间，请以个人身份登录")
	}
	p := c.pair(b)
	if rid, ok := b.s.directs[p]; ok {
		return Outcome{Room: rid}, nil
	}
	if _, err := b.person(c.User); err != nil {
		return Outcome{}, err
	}
	rec := record.Room{ID: b.newID(), Form: string(wire.Direct), Created: b.now, CreatedBy: u.ID, Low: p.low, High: p.high}
	members := []record.Member{{User: p.low, Role: string(wire.RoomPlain), Since: b.now}}
	if p.low == p.high {
		rec.Form = string(wire.Notes)
		members[0].Role = string(wire.RoomOwner)
	} else {
		members = append(members, record.Member{User: p.high, Role: string(wire.RoomPlain), Since: b.now})
	}
	return Outcome{Room: rec.ID, Body: &record.RoomPut{Room: rec, Members: members}}, nil
}

// UpdateRoom renames, sets the topic, archives or brings back. One change at a
// time is told in the timeline, the others are in the record too.
type UpdateRoom struct {
	Room     id.ID
	Name     *string
	Topic    *string
	Archived *bool
}

func (c *UpdateRoom) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scRoom, uint64(c.Room), 0)
}

func (c *UpdateRoom) decide(b *Batch) (Outcome, error) {
	r, _, err := b.moderator(c.Room)
	if err == nil {
		err = notFixed(r)
	}
	if err != nil {
		return Outcome{}, err
	}
	rec := *r.rec
	ch := &record.Change{}
	if c.Topic != nil {
		if rec.Topic, err = line("topic", *c.Topic, 0, wire.MaxTopic); err != nil {
			return Outcome{}, err
		}
		ch.What, ch.Text = "topic", rec.Topic
	}
	if c.Name != nil {
		if rec.Name, err = line("name", *c.Name, 1, wire.MaxName); err != nil {
			return Outcome{}, err
		}
		if rec.Name != r.rec.Name {
			ch.What, ch.Text = "renamed", rec.Name
		}
	}
	if c.Archived != nil && *c.Archived != rec.Archived {
		rec.Archived = *c.Archived
		ch.What, ch.Text = "archived", ""
		if !rec.Archived {
			ch.What = "restored"
		}
	}
	if rec == *r.rec {
		return Outcome{Room: c.Room}, nil
	}
	seq, count := b.next(r, false)
	return Outcome{Room: c.Room, Body: &record.RoomPut{Room: rec, Seq: seq, Count: count, Change: ch}}, nil
}

// JoinRoom joins a channel or announcement room.
type JoinRoom struct{ Room id.ID }

func (c *JoinRoom) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scRoom, uint64(c.Room), 0)
}

func (c *JoinRoom) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	r := b.s.rooms[c.Room]
	if u == nil || r == nil {
		return Outcome{}, noRoom()
	}
	if r.members[u.ID] != nil {
		return Outcome{Room: c.Room}, nil
	}
	if r.rec.Form != string(wire.Channel) && r.rec.Form != string(wire.Announcement) {
		return Outcome{}, noRoom()
	}
	if r.rec.Archived {
		return Outcome{}, archived()
	}
	return b.add(r, []id.ID{u.ID}, string(wire.RoomPlain), "joined")
}

func archived() error {
	return wire.Refuse(wire.Forbidden, "the room is archived", "房间已归档")
}

// AddMembers adds people to a room.
type AddMembers struct {
	Room  id.ID
	Users []id.ID
	Role  string
}

func (c *AddMembers) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scRoom, uint64(c.Room), 0)
}

func (c *AddMembers) decide(b *Batch) (Outcome, error) {
	r, mine, err := b.member(c.Room)
	if err == nil {
		err = notFixed(r)
	}
	if err != nil {
		return Outcome{}, err
	}
	role := c.Role
	if role == "" {
		role = string(wire.RoomPlain)
	}
	open := r.rec.Form == string(wire.Group) && mine >= roomRank(string(wire.RoomPlain)) && roomRank(role) <= roomRank(string(wire.RoomPlain))
	if mine < roomRank(string(wire.RoomModerator)) && !open {
		_, _, err := b.moderator(c.Room)
		return Outcome{}, err
	}
	if roomRank(role) == 0 || roomRank(role) > mine {
		return Outcome{}, wire.BadParam("role", "one of owner, moderator, member, reader, and not above your own", "须为 owner、moderator、member 或 reader，且不高于自己")
	}
	if r.rec.Archived {
		return Outcome{}, archived()
	}
	var fresh []id.ID
	for _, uid := range c.Users {
		if r.members[uid] != nil || slices.Contains(fresh, uid) {
			continue
		}
		if _, err := b.person(uid); err != nil {
			return Outcome{}, err
		}
		fresh = append(fresh, uid)
	}
	if len(fresh) == 0 {
		return Outcome{Room: c.Room}, nil
	}
	return b.add(r, fresh, role, "added")
}

func (b *Batch) add(r *room, users []id.ID, role, what string) (Outcome, error) {
	if len(r.members)+len(users) > b.s.opt.Limits.MembersPerRoom {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d members", "最多 %d 名成员", b.s.opt.Limits.MembersPerRoom)
	}
	body := &record.MembersChanged{Room: r.rec.ID, Change: record.Change{What: what, Users: users}}
	if len(r.members) == 0 { // everybody had left: somebody must look after it
		role = string(wire.RoomOwner)
	}
	for _, uid := range users {
		if err := b.roomForMore(uid); err != nil {
			return Outcome{}, err
		}
		body.Put = append(body.Put, record.Member{User: uid, Role: role, Since: b.now})
	}
	body.Seq, body.Count = b.next(r, false)
	return Outcome{Room: r.rec.ID, Body: body}, nil
}

// RemoveMembers removes people, or (Leave) the caller.
type RemoveMembers struct {
	Room  id.ID
	Users []id.ID
	Leave bool
}

func (c *RemoveMembers) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scRoom, uint64(c.Room), 0)
}

func (c *RemoveMembers) decide(b *Batch) (Outcome, error) {
	find := b.moderator
	what := "removed"
	if c.Leave {
		find, what = b.member, "left"
		c.Users = []id.ID{b.actor.User}
	}
	r, mine, err := find(c.Room)
	if err == nil {
		err = notFixed(r)
	}
	if err != nil {
		return Outcome{}, err
	}
	body := &record.MembersChanged{Room: c.Room, Change: record.Change{What: what}}
	for _, uid := range c.Users {
		m := r.members[uid]
		if m == nil || slices.Contains(body.Removed, uid) {
			continue
		}
		if roomRank(m.Role) > mine {
			return Outcome{}, wire.Refuse(wire.Forbidden, "a moderator cannot remove an owner", "主持人不能移除房主")
		}
		body.Removed = append(body.Removed, uid)
	}
	if len(body.Removed) == 0 {
		return Outcome{Room: c.Room}, nil
	}
	if left := len(r.members) - len(body.Removed); left > 0 && !hasOwner(r, body.Removed) {
		return Outcome{}, wire.Refuse(wire.Conflict, "this is the last owner: make another member owner first", "这是最后一位房主，请先指定另一位")
	}
	body.Change.Users = body.Removed
	body.Seq, body.Count = b.next(r, false)
	return Outcome{Room: c.Room, Body: body}, nil
}

// hasOwner reports whether an owner stays when some members go. A room
// without members needs none.
func hasOwner(r *room, without []id.ID) bool {
	for _, m := range r.members {
		if m.Role == string(wire.RoomOwner) && !slices.Contains(without, m.User) {
			return true
		}
	}
	return false
}

// SetMemberRole gives a member another role.
type SetMemberRole struct {
	Room id.ID
	User id.ID
	Role string
}

func (c *SetMemberRole) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scRoom, uint64(c.Room), 0)
}

func (c *SetMemberRole) decide(b *Batch) (Outcome, error) {
	r, mine, err := b.member(c.Room)
	if err == nil {
		err = notFixed(r)
	}
	if err == nil && mine < roomRank(string(wire.RoomOwner)) {
		err = wire.Refuse(wire.Forbidden, "only owners of the room may do that", "只有房主可以这样做")
	}
	if err != nil {
		return Outcome{}, err
	}
	if roomRank(c.Role) == 0 {
		return Outcome{}, wire.BadParam("role", "one of owner, moderator, member, reader", "须为 owner、moderator、member 或 reader")
	}
	m := r.members[c.User]
	if m == nil {
		return Outcome{}, wire.Refuse(wire.NotFound, "this person is not a member", "此人不是成员")
	}
	if m.Role == c.Role {
		return Outcome{Room: c.Room}, nil
	}
	if m.Role == string(wire.RoomOwner) && !hasOwner(r, []id.ID{c.User}) {
		return Outcome{}, wire.Refuse(wire.Conflict, "this is the last owner: make another member owner first", "这是最后一位房主，请先指定另一位")
	}
	body := &record.MembersChanged{Room: c.Room, Put: []record.Member{{User: c.User, Role: c.Role, Since: m.Since}},
		Change: record.Change{What: "role", Users: []id.ID{c.User}, Role: c.Role}}
	body.Seq, body.Count = b.next(r, false)
	return Outcome{Room: c.Room, Body: body}, nil
}
