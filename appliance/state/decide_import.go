package state

import (
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// operatorOnly refuses everybody who works through the network.
func (b *Batch) operatorOnly() error {
	if b.actor.Operator {
		return nil
	}
	return wire.Refuse(wire.Forbidden, "only the command line on the box imports", "只有本机命令行可以导入")
}

// ImportAccount makes an account without a password for a person of another
// system. A disabled one begins disabled.
type ImportAccount struct{ User record.User }

func (c *ImportAccount) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *ImportAccount) decide(b *Batch) (Outcome, error) {
	if err := b.operatorOnly(); err != nil {
		return Outcome{}, err
	}
	c.User.Role = string(wire.Member)
	u, err := b.newUser(c.User)
	if err != nil {
		return Outcome{}, err
	}
	if len(b.s.users) == 0 {
		return Outcome{}, wire.Refuse(wire.Conflict, "make the first owner before you import: posthouse setup, or posthouse user add LOGIN --role owner",
			"导入前请先创建首位所有者：posthouse setup，或 posthouse user add 登录名 --role owner")
	}
	u.ID = b.newID()
	if u.Created <= 0 || u.Created > b.now {
		u.Created = b.now
	}
	return Outcome{Body: &record.AccountOpened{User: *u}}, nil
}

// ImportRoom finds or makes the room of another system's. Direct rooms and
// notes are found by their people and have them as members at once; all others
// are found by their key, begin archived and without members, and stay so
// until OpenImport: nobody sees half of a room.
type ImportRoom struct {
	Key     []byte // 16 bytes; nil for direct rooms and notes
	Form    wire.RoomKind
	Name    string
	Topic   string
	Created int64 // Unix ms
	By      id.ID // who made it; zero = not known
	Pair    [2]id.ID
}

func (c *ImportRoom) scopes(_ *Batch, sc *scopes) {
	if c.Key == nil {
		sc.write(scDirect, uint64(min(c.Pair[0], c.Pair[1])), uint64(max(c.Pair[0], c.Pair[1])))
	}
}

func (c *ImportRoom) decide(b *Batch) (Outcome, error) {
	if err := b.operatorOnly(); err != nil {
		return Outcome{}, err
	}
	rec := record.Room{Form: string(c.Form), Created: c.Created, CreatedBy: c.By}
	if rec.Created <= 0 || rec.Created > b.now {
		rec.Created = b.now
	}
	if c.Key == nil {
		return b.importPair(c, rec)
	}
	ref, err := b.used(c.Key, 0)
	if err != nil {
		return Outcome{}, err
	}
	if ref.Seq != 0 {
		return Outcome{}, wire.Refuse(wire.Conflict, "this key was used for a message", "此键已用于消息")
	}
	if ref.Room != 0 {
		return Outcome{Again: true, Room: ref.Room}, nil
	}
	if c.Form != wire.Group && c.Form != wire.Channel {
		return Outcome{}, wire.BadParam("kind", "group, channel, direct or notes", "须为 group、channel、direct 或 notes")
	}
	if rec.Name, err = line("name", c.Name, 1, wire.MaxName); err != nil {
		return Outcome{}, err
	}
	if rec.Topic, err = line("topic", c.Topic, 0, wire.MaxTopic); err != nil {
		return Outcome{}, err
	}
	if c.By != 0 && b.s.users[c.By] == nil {
		return Outcome{}, noAccount(c.By)
	}
	rec.Archived = true
	rec.ID = b.newID()
	b.take(c.Key, 0)
	return Outcome{Room: rec.ID, Body: &record.RoomPut{Room: rec, Key: c.Key}}, nil
}

func noAccount(uid id.ID) error {
	return wire.Refusef(wire.NotFound, "there is no account %s", "账号 %s 不存在", uid)
}

func (b *Batch) importPair(c *ImportRoom, rec record.Room) (Outcome, error) {
	p := pair{min(c.Pair[0], c.Pair[1]), max(c.Pair[0], c.Pair[1])}
	if rid, ok := b.s.directs[p]; ok {
		return Outcome{Again: true, Room: rid}, nil
	}
	for _, uid := range []id.ID{p.low, p.high} {
		if b.s.users[uid] == nil {
			return Outcome{}, noAccount(uid)
		}
		if err := b.roomForMore(uid); err != nil {
			return Outcome{}, err
		}
	}
	rec.ID, rec.Low, rec.High, rec.Form = b.newID(), p.low, p.high, string(wire.Direct)
	members := []record.Member{{User: p.low, Role: string(wire.RoomPlain), Since: rec.Created}}
	if p.low == p.high {
		rec.Form, members[0].Role = string(wire.Notes), string(wire.RoomOwner)
	} else {
		members = append(members, record.Member{User: p.high, Role: string(wire.RoomPlain), Since: rec.Created})
	}
	return Outcome{Room: rec.ID, Body: &record.RoomPut{Room: rec, Members: members}}, nil
}

// ImportMessage puts a message of another system at the end of a room that
// holds nothing but such messages. Its key is derived from where it came from:
// the same one again changes nothing.
type ImportMessage struct {
	Room     id.ID
	Key      []byte // 16 bytes
	Sender   id.ID
	At       int64 // Unix ms
	Text     string
	Thread   []byte // key of the thread's first message, or nil
	Logins   []string
	Files    []id.ID
	Imported *record.Imported
}

func (c *ImportMessage) scopes(_ *Batch, sc *scopes) {
	sc.read(scRoom, uint64(c.Room), 0)
	sc.read(scUser, uint64(c.Sender), 0)
	if len(c.Files) > 0 {
		sc.write(scQuota, uint64(c.Room), 0)
		for _, f := range c.Files {
			sc.write(scFile, uint64(f), 0)
		}
	}
	if c.Imported != nil && c.Imported.PinnedAt != 0 {
		sc.write(scPins, uint64(c.Room), 0)
	}
}

func (c *ImportMessage) decide(b *Batch) (Outcome, error) {
	if err := b.operatorOnly(); err != nil {
		return Outcome{}, err
	}
	ref, err := b.used(c.Key, 0)
	if err != nil {
		return Outcome{}, err
	}
	if ref.Room != 0 {
		return b.again(ref)
	}
	r, err := b.receiver(c.Room)
	if err != nil {
		return Outcome{}, err
	}
	if err := b.importable(c, r); err != nil {
		return Outcome{}, err
	}
	body := &record.MessageSent{Room: c.Room, Key: c.Key, Text: c.Text, Files: c.Files, Sender: c.Sender, At: min(c.At, b.now), Imported: c.Imported}
	for _, login := range c.Logins {
		if uid := b.s.logins[login]; uid != 0 && !slices.Contains(body.Mentions, uid) && len(body.Mentions) < wire.MaxMentions {
			body.Mentions = append(body.Mentions, uid)
		}
	}
	if body.Thread, err = b.thread(c.Room, c.Thread); err != nil {
		return Outcome{}, err
	}
	body.Seq, body.Count = b.next(r, true)
	b.take(c.Key, 0)
	b.into[c.Room], b.imports[[16]byte(c.Key)] = body.Seq, body.Seq
	if body.Thread != 0 {
		b.imports[[16]byte(c.Key)] = body.Thread
	}
	return Outcome{Body: body, Ref: id.Message{Room: c.Room, Seq: body.Seq}, Room: c.Room}, nil
}

// receiver finds a room that takes imported messages.
func (b *Batch) receiver(rid id.ID) (*room, error) {
	r := b.s.rooms[rid]
	if r == nil {
		return nil, noRoom()
	}
	head, moved := b.heads[rid]
	if last, mine := b.into[rid]; mine && moved && last == head.Seq {
		return r, nil
	}
	if moved { // by somebody else, in this batch
		return nil, ErrNextBatch
	}
	ok, err := b.s.receiving(b.tx, r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wire.Refuse(wire.Conflict, "people have written in this room already: imported messages would come after theirs", "房间中已有新消息，导入的消息会排在其后")
	}
	return r, nil
}

// importable checks what an imported message holds.
func (b *Batch) importable(c *ImportMessage, r *room) error {
	if b.s.users[c.Sender] == nil {
		return noAccount(c.Sender)
	}
	if c.At <= 0 {
		return wire.BadParam("at", "when it was written, Unix ms", "写作时间，Unix 毫秒")
	}
	if err := b.text(c.Text, len(c.Files) > 0); err != nil {
		return err
	}
	if err := b.files(c.Files, true); err != nil {
		return err
	}
	if err := b.fits(r, c.Files); err != nil {
		return err
	}
	if c.Imported == nil {
		return nil
	}
	if len(c.Imported.Reactions) > wire.MaxReactions {
		return wire.Refusef(wire.QuotaExceeded, "at most %d different reactions", "最多 %d 种表情", wire.MaxReactions)
	}
	for _, x := range c.Imported.Reactions {
		if n := len(x.Emoji); n == 0 || n > wire.MaxEmoji {
			return wire.BadParam("emoji", "1 to 32 bytes", "1 到 32 字节")
		}
		if _, err := line("emoji", x.Emoji, 1, wire.MaxEmoji); err != nil {
			return err
		}
		for _, uid := range x.Users {
			if b.s.users[uid] == nil {
				return noAccount(uid)
			}
		}
	}
	if c.Imported.PinnedAt != 0 && len(r.extra.Pins) >= wire.MaxPinned {
		return wire.Refusef(wire.QuotaExceeded, "at most %d pinned messages", "最多 %d 条置顶", wire.MaxPinned)
	}
	return nil
}

// thread finds the number of the first message of the thread that a message
// imported with a key is in or begins. One that is not there is no thread.
func (b *Batch) thread(rid id.ID, key []byte) (uint64, error) {
	if key == nil {
		return 0, nil
	}
	if seq, ok := b.imports[[16]byte(key)]; ok {
		return seq, nil
	}
	ref, err := b.s.clientKey(b.tx, clientKey{[16]byte(key), 0})
	if err != nil || ref.Room != rid || ref.Seq == 0 {
		return 0, err
	}
	m, err := b.s.message(b.tx, rid, ref.Seq)
	if err != nil || m == nil {
		return 0, err
	}
	if m.Thread != 0 {
		return m.Thread, nil
	}
	return ref.Seq, nil
}

// OpenImport gives an imported room its members, all at once and without a
// line, as long as it has none; what was imported before is history to them,
// not unread. Disabled accounts stay members.
type OpenImport struct {
	Room   id.ID
	Owners []id.ID
	Users  []id.ID
}

func (c *OpenImport) scopes(_ *Batch, sc *scopes) { sc.write(scRoom, uint64(c.Room), 0) }

func (c *OpenImport) decide(b *Batch) (Outcome, error) {
	if err := b.operatorOnly(); err != nil {
		return Outcome{}, err
	}
	r := b.s.rooms[c.Room]
	if r == nil {
		return Outcome{}, noRoom()
	}
	if err := notFixed(r); err != nil {
		return Outcome{}, err
	}
	if _, moved := b.heads[c.Room]; moved { // read marks are made from what is applied
		return Outcome{}, ErrNextBatch
	}
	if len(r.members) > 0 {
		return Outcome{Room: c.Room, Again: true}, nil
	}
	body := &record.MembersChanged{Room: c.Room, Change: record.Change{What: "added"}}
	seen := map[id.ID]bool{}
	add := func(users []id.ID, role wire.MemberRole) error {
		for _, uid := range users {
			if seen[uid] {
				continue
			}
			seen[uid] = true
			if b.s.users[uid] == nil {
				return noAccount(uid)
			}
			if err := b.roomForMore(uid); err != nil {
				return err
			}
			body.Put = append(body.Put, record.Member{User: uid, Role: string(role), Since: b.now})
		}
		return nil
	}
	if err := add(c.Owners, wire.RoomOwner); err != nil {
		return Outcome{}, err
	}
	if err := add(c.Users, wire.RoomPlain); err != nil {
		return Outcome{}, err
	}
	switch {
	case len(body.Put) == 0:
		return Outcome{Room: c.Room}, nil
	case len(body.Put) > b.s.opt.Limits.MembersPerRoom:
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d members", "最多 %d 名成员", b.s.opt.Limits.MembersPerRoom)
	}
	body.Put[0].Role = string(wire.RoomOwner) // somebody must look after it
	slices.SortFunc(body.Put, func(x, y record.Member) int { return cmpID(x.User, y.User) })
	return Outcome{Room: c.Room, Body: body}, nil
}

// UnarchiveImport ends the archived state in which an imported room began, as
// long as it has no members.
type UnarchiveImport struct{ Room id.ID }

func (c *UnarchiveImport) scopes(_ *Batch, sc *scopes) { sc.write(scRoom, uint64(c.Room), 0) }

func (c *UnarchiveImport) decide(b *Batch) (Outcome, error) {
	if err := b.operatorOnly(); err != nil {
		return Outcome{}, err
	}
	r := b.s.rooms[c.Room]
	if r == nil {
		return Outcome{}, noRoom()
	}
	if len(r.members) > 0 || !r.rec.Archived {
		return Outcome{Room: c.Room}, nil
	}
	rec := *r.rec
	rec.Archived = false
	return Outcome{Room: c.Room, Body: &record.RoomPut{Room: rec}}, nil
}
