package state

import (
	"slices"
	"strings"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

func noMessage() error {
	return wire.Refuse(wire.NotFound, "there is no such message", "没有这条消息")
}

// writable finds a room the caller may write in.
func (b *Batch) writable(rid id.ID) (*room, error) {
	r, mine, err := b.member(rid)
	if err != nil {
		return nil, err
	}
	if b.actor.Operator {
		return nil, wire.Refuse(wire.Forbidden, "the operator does not write messages: log in as a person", "操作员不能发消息，请以个人身份登录")
	}
	switch {
	case r.rec.Archived:
		return nil, archived()
	case mine <= roomRank(string(wire.RoomReader)):
		return nil, wire.Refuse(wire.Forbidden, "readers do not write in this room", "读者不能在此房间发言")
	case r.rec.Form == string(wire.Announcement) && mine < roomRank(string(wire.RoomModerator)):
		return nil, wire.Refuse(wire.Forbidden, "only owners and moderators write in an announcement room", "公告房间只有房主与主持人可以发言")
	case r.rec.Form == string(wire.Direct):
		other := r.rec.Low
		if other == b.actor.User {
			other = r.rec.High
		}
		if u := b.s.users[other]; u == nil || u.Disabled {
			return nil, wire.Refuse(wire.Forbidden, "the other person's account is disabled", "对方账号已停用")
		}
	}
	return r, nil
}

// text checks a message's text.
func (b *Batch) text(s string, mayBeEmpty bool) error {
	if len(s) > b.s.opt.Limits.MessageBytes {
		return wire.Refusef(wire.TooLarge, "a message has at most %d bytes; send longer text as a file", "消息最多 %d 字节，更长的文本请作为文件发送", b.s.opt.Limits.MessageBytes)
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return wire.BadParam("text", "valid UTF-8 without NUL", "须为有效的 UTF-8 且不含 NUL")
	}
	if !mayBeEmpty && strings.TrimSpace(s) == "" {
		return wire.BadParam("text", "a message needs a text or a file", "消息须有文本或文件")
	}
	return nil
}

// SendMessage sends or, with From, forwards a message.
type SendMessage struct {
	Room    id.ID
	Key     []byte // client key, 16 bytes
	Text    string
	ReplyTo uint64
	Thread  uint64
	Logins  []string // mentioned in Text
	All     bool     // @all in Text
	Files   []id.ID
	Foreign *record.Foreign
	From    id.Message
	Hook    id.ID  // the caller is the bot of this hook, and need not be a member
	For     id.ID  // with Hook: the person whose command it answers
	As      string // name it is shown with

	scheduled id.ID // the scheduled message that it sends
}

func (c *SendMessage) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scRoom, uint64(c.Room), 0)
	if c.From.Seq != 0 {
		sc.read(scRoom, uint64(c.From.Room), 0)
		sc.read(scMessage, uint64(c.From.Room), c.From.Seq)
		sc.write(scQuota, uint64(c.Room), 0)
	}
	if len(c.Files) > 0 {
		sc.write(scQuota, uint64(c.Room), 0)
		for _, f := range c.Files {
			sc.write(scFile, uint64(f), 0)
		}
	}
	if c.Hook != 0 {
		sc.read(scHooks, 0, 0)
		sc.read(scUser, uint64(c.For), 0)
	}
	for _, seq := range []uint64{c.ReplyTo, c.Thread} {
		if seq != 0 {
			sc.read(scMessage, uint64(c.Room), seq)
		}
	}
}

func (c *SendMessage) decide(b *Batch) (Outcome, error) {
	ref, err := b.used(c.Key, b.actor.User)
	if err != nil {
		return Outcome{}, err
	}
	if ref.Room != 0 && ref.Room != c.Room {
		return Outcome{}, wire.Refuse(wire.Conflict, "this key was used in another room: make a new key for each message", "此键已用于其他房间，请为每条消息生成新键")
	}
	if ref != (keyRef{}) {
		return b.again(ref)
	}
	var r *room
	if c.Hook != 0 {
		r, err = b.through(c)
	} else {
		r, err = b.writable(c.Room)
	}
	if err != nil {
		return Outcome{}, err
	}
	body := &record.MessageSent{Room: c.Room, Key: c.Key, Text: c.Text, ReplyTo: c.ReplyTo, Thread: c.Thread, Files: c.Files, Foreign: c.Foreign, Scheduled: c.scheduled, As: c.As}
	if c.From.Seq != 0 {
		if err := b.forward(c.From, body); err != nil {
			return Outcome{}, err
		}
	} else {
		if err := b.text(c.Text, len(c.Files) > 0); err != nil {
			return Outcome{}, err
		}
		body.Mentions, body.All = b.mentions(r, c.Logins, c.All)
		if err := b.files(body.Files, false); err != nil {
			return Outcome{}, err
		}
	}
	if err := b.fits(r, body.Files); err != nil {
		return Outcome{}, err
	}
	if err := b.answers(r, c); err != nil {
		return Outcome{}, err
	}
	body.Seq, body.Count = b.next(r, true)
	b.take(c.Key, b.actor.User)
	return Outcome{Body: body, Ref: id.Message{Room: c.Room, Seq: body.Seq}, Room: c.Room}, nil
}

// again answers a key that was used before with what it made then.
func (b *Batch) again(ref keyRef) (Outcome, error) {
	if ref.Other != 0 {
		return Outcome{}, otherUse()
	}
	if ref.Seq == 0 {
		return Outcome{}, wire.Refuse(wire.Conflict, "this key made a room: make a new key for each message", "此键已用于创建房间，请为每条消息生成新键")
	}
	m, err := b.s.message(b.tx, ref.Room, ref.Seq)
	if err != nil || m == nil {
		return Outcome{}, err
	}
	return Outcome{Again: true, Ref: id.Message{Room: ref.Room, Seq: ref.Seq}, Room: ref.Room, Pos: m.Pos, Time: m.Time}, nil
}

// answers checks the message replied to and the thread's first message. A
// reply into a thread from its middle goes to the thread's first message.
func (b *Batch) answers(r *room, c *SendMessage) error {
	for _, seq := range []uint64{c.ReplyTo, c.Thread} {
		if seq == 0 {
			continue
		}
		m, err := b.s.message(b.tx, r.rec.ID, seq)
		if err != nil {
			return err
		}
		if m == nil || m.Change != nil {
			return wire.Refuse(wire.NotFound, "the message answered does not exist in this room", "所回复的消息不在此房间")
		}
		if seq == c.Thread && m.Thread != 0 {
			return wire.BadParam("thread", "the number of the thread's first message", "须为话题首条消息的序号")
		}
	}
	return nil
}

func (b *Batch) mentions(r *room, logins []string, all bool) ([]id.ID, bool) {
	var out []id.ID
	for _, l := range logins {
		uid := b.s.logins[strings.ToLower(l)]
		if uid != 0 && r.members[uid] != nil && !slices.Contains(out, uid) && len(out) < wire.MaxMentions {
			out = append(out, uid)
		}
	}
	return out, all && !fixed(r)
}

// forward copies what the caller may see of another message.
func (b *Batch) forward(from id.Message, body *record.MessageSent) error {
	r, _, err := b.member(from.Room)
	if err != nil {
		return noMessage()
	}
	m, err := b.s.message(b.tx, r.rec.ID, from.Seq)
	if err != nil {
		return err
	}
	if m == nil || m.Change != nil || m.RecalledAt != 0 {
		return noMessage()
	}
	for _, f := range m.Files {
		sc := scope{scFile, uint64(f), 0}
		if _, busy := b.written[sc]; busy {
			return ErrNextBatch
		}
		b.sc.writes = append(b.sc.writes, sc)
	}
	body.Text, body.Files, body.Foreign = m.Text, m.Files, m.Foreign
	body.Forward = &record.Forward{Room: from.Room, Seq: from.Seq, Sender: m.Sender, Time: m.Time}
	if m.Forward != nil {
		body.Forward = m.Forward
	}
	return b.files(body.Files, true)
}

// files checks that the caller may attach them: uploaded by the caller, or in
// a room the caller is in.
func (b *Batch) files(files []id.ID, seen bool) error {
	for i, fid := range files {
		f := b.s.files[fid]
		if f == nil || !seen && !b.s.mayRead(b.actor.User, f) {
			return wire.Refusef(wire.NotFound, "there is no file %s", "没有文件 %s", fid)
		}
		if slices.Contains(files[:i], fid) {
			return wire.BadParam("files", "each file once", "每个文件只能出现一次")
		}
	}
	return nil
}

// fits checks the room's quota.
func (b *Batch) fits(r *room, files []id.ID) error {
	if len(files) == 0 {
		return nil
	}
	total := r.bytes
	for _, fid := range files {
		f := b.s.files[fid]
		if !slices.ContainsFunc(f.Rooms, func(ref roomRef) bool { return ref.Room == r.rec.ID }) {
			total += f.File.Size
		}
	}
	if total > b.s.opt.Limits.RoomQuota {
		return wire.Refusef(wire.QuotaExceeded, "the files of this room would pass its quota of %d bytes", "此房间的文件将超过 %d 字节的配额", b.s.opt.Limits.RoomQuota)
	}
	return nil
}

// target finds a message the caller may see.
func (b *Batch) target(ref id.Message) (*room, int, *Message, error) {
	r, mine, err := b.member(ref.Room)
	if err != nil {
		return nil, 0, nil, noMessage()
	}
	m, err := b.s.message(b.tx, ref.Room, ref.Seq)
	if err != nil {
		return nil, 0, nil, err
	}
	if m == nil || m.Change != nil {
		return nil, 0, nil, noMessage()
	}
	return r, mine, m, nil
}

func recalled() error {
	return wire.Refuse(wire.Conflict, "the message was taken back", "消息已被撤回")
}

func (b *Batch) touch(ref id.Message, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scRoom, uint64(ref.Room), 0)
	sc.write(scMessage, uint64(ref.Room), ref.Seq)
}

// EditMessage replaces the text of one's own message.
type EditMessage struct {
	Message id.Message
	Text    string
	Logins  []string
	All     bool
}

func (c *EditMessage) scopes(b *Batch, sc *scopes) { b.touch(c.Message, sc) }

func (c *EditMessage) decide(b *Batch) (Outcome, error) {
	_, _, m, err := b.target(c.Message)
	if err != nil {
		return Outcome{}, err
	}
	r, err := b.writable(c.Message.Room)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case m.Sender != b.actor.User:
		return Outcome{}, wire.Refuse(wire.Forbidden, "only the author may edit a message", "只有作者可以编辑消息")
	case m.RecalledAt != 0:
		return Outcome{}, recalled()
	case m.Notice != 0:
		return Outcome{}, wire.Refuse(wire.Forbidden, "a notice stays as it was sent: close it and send another", "通知不可编辑，请关闭后另发")
	case m.Forward != nil:
		return Outcome{}, wire.Refuse(wire.Forbidden, "a forwarded message stays as it was", "转发的消息不可编辑")
	}
	if err := b.text(c.Text, len(m.Files) > 0); err != nil {
		return Outcome{}, err
	}
	if c.Text == m.Text {
		return Outcome{Ref: c.Message}, nil
	}
	if m.Edits >= 1000 {
		return Outcome{}, wire.Refuse(wire.QuotaExceeded, "a message can be edited 1000 times", "一条消息最多编辑 1000 次")
	}
	body := &record.MessageEdited{Room: c.Message.Room, Seq: c.Message.Seq, Version: m.Edits + 1, Text: c.Text}
	body.Mentions, body.All = b.mentions(r, c.Logins, c.All)
	return Outcome{Body: body, Ref: c.Message}, nil
}

// RecallMessage takes a message back for everyone.
type RecallMessage struct{ Message id.Message }

func (c *RecallMessage) scopes(b *Batch, sc *scopes) {
	b.touch(c.Message, sc)
	sc.write(scPins, uint64(c.Message.Room), 0)
	sc.write(scQuota, uint64(c.Message.Room), 0)
}

func (c *RecallMessage) decide(b *Batch) (Outcome, error) {
	r, mine, m, err := b.target(c.Message)
	if err != nil {
		return Outcome{}, err
	}
	if m.RecalledAt != 0 {
		return Outcome{Ref: c.Message}, nil
	}
	if m.Sender != b.actor.User && (mine < roomRank(string(wire.RoomModerator)) || r.rec.Form == string(wire.Direct)) {
		return Outcome{}, wire.Refuse(wire.Forbidden, "only the author, moderators and owners may take a message back", "只有作者、主持人与房主可以撤回消息")
	}
	for _, f := range m.Files {
		sc := scope{scFile, uint64(f), 0}
		if _, busy := b.written[sc]; busy {
			return Outcome{}, ErrNextBatch
		}
		b.sc.writes = append(b.sc.writes, sc)
	}
	return Outcome{Body: &record.MessageRecalled{Room: c.Message.Room, Seq: c.Message.Seq}, Ref: c.Message}, nil
}

// React puts or takes away a reaction of the caller.
type React struct {
	Message id.Message
	Emoji   string
	On      bool
}

// Reactions of different people to one message are independent: only the bound
// on their kinds may be passed by those of one batch.
func (c *React) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scRoom, uint64(c.Message.Room), 0)
	sc.read(scMessage, uint64(c.Message.Room), c.Message.Seq)
	sc.write(scReaction, uint64(c.Message.Room)^uint64(b.actor.User), c.Message.Seq)
}

func (c *React) decide(b *Batch) (Outcome, error) {
	r, _, m, err := b.target(c.Message)
	if err != nil {
		return Outcome{}, err
	}
	if b.actor.Operator {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator does not react: log in as a person", "操作员不能表态，请以个人身份登录")
	}
	if n := len(c.Emoji); n == 0 || n > wire.MaxEmoji {
		return Outcome{}, wire.BadParam("emoji", "1 to 32 bytes", "1 到 32 字节")
	}
	if _, err := line("emoji", c.Emoji, 1, wire.MaxEmoji); err != nil || strings.TrimSpace(c.Emoji) != c.Emoji {
		return Outcome{}, wire.BadParam("emoji", "no spaces around it, no control characters", "首尾不含空格，且不含控制字符")
	}
	if m.RecalledAt != 0 {
		return Outcome{}, recalled()
	}
	if r.rec.Archived {
		return Outcome{}, archived()
	}
	i := slices.IndexFunc(m.Reactions, func(x Reaction) bool { return x.Emoji == c.Emoji })
	has := i >= 0 && slices.Contains(m.Reactions[i].Users, b.actor.User)
	if has == c.On {
		return Outcome{Ref: c.Message}, nil
	}
	if i < 0 && len(m.Reactions) >= wire.MaxReactions {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d different reactions", "最多 %d 种表情", wire.MaxReactions)
	}
	return Outcome{Body: &record.ReactionSet{Room: c.Message.Room, Seq: c.Message.Seq, Emoji: c.Emoji, On: c.On}, Ref: c.Message}, nil
}

// Pin pins or unpins a message.
type Pin struct {
	Message id.Message
	On      bool
}

func (c *Pin) scopes(b *Batch, sc *scopes) {
	b.touch(c.Message, sc)
	sc.write(scPins, uint64(c.Message.Room), 0)
}

func (c *Pin) decide(b *Batch) (Outcome, error) {
	r, mine, m, err := b.target(c.Message)
	if err != nil {
		return Outcome{}, err
	}
	small := r.rec.Form == string(wire.Direct) || r.rec.Form == string(wire.Group) || r.rec.Form == string(wire.Notes)
	if mine < roomRank(string(wire.RoomModerator)) && !(small && mine >= roomRank(string(wire.RoomPlain))) {
		_, _, err := b.moderator(c.Message.Room)
		return Outcome{}, err
	}
	if m.RecalledAt != 0 {
		return Outcome{}, recalled()
	}
	if r.rec.Archived {
		return Outcome{}, archived()
	}
	if (m.PinnedAt != 0) == c.On {
		return Outcome{Ref: c.Message}, nil
	}
	if c.On && len(r.extra.Pins) >= wire.MaxPinned {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d pinned messages", "最多 %d 条置顶", wire.MaxPinned)
	}
	return Outcome{Body: &record.PinSet{Room: c.Message.Room, Seq: c.Message.Seq, On: c.On}, Ref: c.Message}, nil
}

// MarkRead moves the caller's read mark forward; it never goes back.
type MarkRead struct {
	Room id.ID
	Seq  uint64
}

func (c *MarkRead) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scRoom, uint64(c.Room), 0)
	sc.write(scRead, uint64(c.Room), uint64(b.actor.User))
}

func (c *MarkRead) decide(b *Batch) (Outcome, error) {
	r, _, err := b.member(c.Room)
	if err != nil {
		return Outcome{}, err
	}
	if b.actor.Operator {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator has no read marks", "操作员没有已读位置")
	}
	if c.Seq > r.head.Seq {
		return Outcome{}, wire.Refusef(wire.InvalidParams, "seq: the room ends at %d", "seq：房间最新序号为 %d", r.head.Seq)
	}
	if old := b.s.reads[roomUser{c.Room, b.actor.User}]; c.Seq == 0 || old != nil && old.Seq >= c.Seq {
		return Outcome{Room: c.Room}, nil
	}
	count := r.head.Count
	if c.Seq < r.head.Seq {
		m, err := b.s.message(b.tx, c.Room, c.Seq)
		if err != nil {
			return Outcome{}, err
		}
		if m == nil {
			return Outcome{}, noMessage()
		}
		count = m.Count
	}
	return Outcome{Room: c.Room, Body: &record.ReadMarked{Room: c.Room, Seq: c.Seq, Count: count}}, nil
}
