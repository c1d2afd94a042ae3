package state

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

func noHook() error { return wire.Refuse(wire.NotFound, "there is no such hook", "没有这个钩子") }

// doorkeeper refuses everyone who may not look after the hooks of a room:
// moderators and owners of it, and admins. Commands of every room (zero) are
// for admins. An outgoing hook (outgoing) tells what is said in a room, so that
// an admin who is not in it may only remove it.
func (b *Batch) doorkeeper(rid id.ID, outgoing bool) (*room, error) {
	u, err := b.caller()
	if err != nil {
		return nil, err
	}
	admin := u == nil || rank(u.Role) >= rank(string(wire.Admin))
	r := b.s.rooms[rid]
	switch {
	case rid == 0 && admin:
		return nil, nil
	case rid == 0:
		return nil, wire.Refuse(wire.Forbidden, "only an admin or owner may do that for all rooms", "只有管理员或所有者可以对所有房间这样做")
	case r == nil:
		return nil, noRoom()
	case admin && outgoing && u != nil && (r.members[u.ID] == nil || roomRank(r.members[u.ID].Role) < roomRank(string(wire.RoomModerator))):
		return nil, wire.Refuse(wire.Forbidden, "only moderators and owners of the room decide which programs are told what is said in it",
			"只有房间的主持人或房主可以决定把房间内容发给哪些程序")
	case admin:
		return r, nil
	}
	r, _, err = b.moderator(rid)
	return r, err
}

// chooser refuses everyone who may not choose an address that this server
// calls.
func (b *Batch) chooser(form string) error {
	u, err := b.caller()
	if err != nil || u == nil || form == "incoming" || b.s.opt.Limits.ModeratorsCall || rank(u.Role) >= rank(string(wire.Admin)) {
		return err
	}
	return wire.Refuse(wire.Forbidden, "only an admin or owner of the server chooses the addresses it calls; they may let moderators of rooms do it with hooks.makers in the configuration",
		"只有服务器的管理员或所有者可以选择服务器访问的地址；他们也可以在配置 hooks.makers 中允许房间主持人这样做")
}

// speaksFor reports whether an account is the bot of a hook. It is a member of
// the hook's room to write there; nobody reads the room through it.
func (s *State) speaksFor(uid id.ID) bool {
	for _, h := range s.hooks {
		if h.Bot == uid {
			return true
		}
	}
	return false
}

// MakeHook makes a hook and its bot, who joins the room.
type MakeHook struct{ Hook record.Hook } // ID, Bot, Creator, Created and Since are decided here

func (c *MakeHook) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scDirectory, 0, 0)
	sc.write(scHooks, 0, 0)
	if c.Hook.Room != 0 {
		sc.write(scRoom, uint64(c.Hook.Room), 0)
	}
}

func (c *MakeHook) decide(b *Batch) (Outcome, error) {
	h := c.Hook
	r, err := b.doorkeeper(h.Room, h.Form == "outgoing")
	if err != nil {
		return Outcome{}, err
	}
	if err := b.chooser(h.Form); err != nil {
		return Outcome{}, err
	}
	if r != nil && r.rec.Archived {
		return Outcome{}, archived()
	}
	if r != nil && fixed(r) {
		return Outcome{}, wire.Refuse(wire.Forbidden, "a direct room or notes have no hooks", "私聊与个人笔记不能设置钩子")
	}
	if err := b.fitsHook(&h); err != nil {
		return Outcome{}, err
	}
	h.ID, h.Bot, h.Creator, h.Created, h.Since = b.newID(), b.newID(), b.actor.User, b.now, b.s.applied
	body := &record.HookMade{Hook: h, Bot: record.User{ID: h.Bot, Login: "hook-" + h.Bot.String(), Name: h.Name,
		Role: string(wire.Member), Bot: true, Created: b.now}}
	if r != nil {
		if len(r.members) == 0 {
			return Outcome{}, wire.Refuse(wire.Conflict, "nobody is in this room: join it first", "房间里没有人，请先加入")
		}
		if len(r.members) >= b.s.opt.Limits.MembersPerRoom {
			return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d members", "最多 %d 名成员", b.s.opt.Limits.MembersPerRoom)
		}
		body.Role = string(wire.RoomPlain)
		if r.rec.Form == string(wire.Announcement) && h.Form != "outgoing" {
			body.Role = string(wire.RoomModerator)
		}
		body.Seq, body.Count = b.next(r, false)
	}
	return Outcome{Body: body, Room: h.Room}, nil
}

// fitsHook checks and trims the fields that people give.
func (b *Batch) fitsHook(h *record.Hook) error {
	var err error
	if h.Name, err = line("name", h.Name, 1, wire.MaxName); err != nil {
		return err
	}
	if h.Text, err = line("description", h.Text, 0, wire.MaxTopic); err != nil {
		return err
	}
	if h.Hint, err = line("hint", h.Hint, 0, wire.MaxName); err != nil {
		return err
	}
	for _, list := range []struct {
		name  string
		words []string
	}{{"keywords", h.Keywords}, {"words", h.Words}} {
		if len(list.words) > wire.MaxHookWords {
			return wire.BadParam(list.name, "at most 20", "最多 20 个")
		}
		for i := range list.words {
			if list.words[i], err = line(list.name, list.words[i], 1, wire.MaxName); err != nil {
				return err
			}
		}
	}
	if len(h.Secret) > 256 || !utf8.ValidString(h.Secret) || h.Form != "incoming" && len(h.Secret) < 16 {
		return wire.BadParam("secret", "at most 256 bytes", "最多 256 字节")
	}
	switch h.Form {
	case "incoming":
		if len(h.Token) != 32 || h.Room == 0 {
			return wire.BadParam("room", "an incoming hook needs a room", "接收钩子须属于一个房间")
		}
	case "outgoing":
		if h.Room == 0 {
			return wire.BadParam("room", "an outgoing hook needs a room", "发送钩子须属于一个房间")
		}
		if len(h.Events) == 0 {
			h.Events = []string{"message"}
		}
		for i, e := range h.Events {
			if !slices.Contains(wire.HookEvents(), e) || slices.Contains(h.Events[:i], e) {
				return wire.BadParam("events", "of message, edited, recalled and members, each once", "取 message、edited、recalled、members，各一次")
			}
		}
	case "command":
		return b.fitsCommand(h)
	default:
		return wire.BadParam("kind", "incoming, outgoing or command", "须为 incoming、outgoing 或 command")
	}
	return b.roomForHook(h)
}

func (b *Batch) fitsCommand(h *record.Hook) error {
	h.Word = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(h.Word), "/"))
	n := utf8.RuneCountInString(h.Word)
	odd := strings.ContainsFunc(h.Word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' })
	if n < 1 || n > 32 || odd {
		return wire.BadParam("command", "1 to 32 letters, digits, - or _, without the slash", "1 到 32 个文字、数字、- 或 _，不含斜杠")
	}
	for _, c := range wire.BuiltinCommands() {
		if c.Command == h.Word {
			return wire.Refusef(wire.Conflict, "/%s is a command of the chat itself", "/%s 是内置命令", h.Word)
		}
	}
	for _, other := range b.s.hooks {
		if other.ID != h.ID && other.Form == "command" && other.Word == h.Word && (other.Room == 0 || h.Room == 0 || other.Room == h.Room) {
			return wire.Refusef(wire.Conflict, "the command /%s exists already", "命令 /%s 已存在", h.Word)
		}
	}
	return b.roomForHook(h)
}

// roomForHook keeps the numbers of hooks bounded.
func (b *Batch) roomForHook(h *record.Hook) error {
	if b.s.hooks[h.ID] != nil {
		return nil
	}
	n, mine := 0, 0
	for _, other := range b.s.hooks {
		if other.Room == h.Room {
			n++
		}
		if other.Creator == b.actor.User {
			mine++
		}
	}
	if u := b.s.users[b.actor.User]; u != nil && rank(u.Role) < rank(string(wire.Admin)) && mine >= wire.MaxHooksPerPerson {
		return wire.Refusef(wire.QuotaExceeded, "at most %d hooks made by one person: remove old ones, or ask an admin", "每人最多创建 %d 个钩子，请删除旧的或联系管理员", wire.MaxHooksPerPerson)
	}
	if n >= wire.MaxHooksPerRoom || len(b.s.hooks) >= wire.MaxHooks {
		return wire.Refusef(wire.QuotaExceeded, "at most %d hooks in a room, %d in all", "每个房间最多 %d 个钩子，总共 %d 个", wire.MaxHooksPerRoom, wire.MaxHooks)
	}
	return nil
}

// UpdateHook changes a hook. Change sets what is to change; it must do the
// same each time. Form, room, bot and the like stay.
type UpdateHook struct {
	Hook   id.ID
	Change func(h *record.Hook)
}

func (c *UpdateHook) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scHooks, 0, 0)
	sc.write(scDirectory, 0, 0)
	b.hookScopes(c.Hook, sc, false)
}

// hookScopes are the room and the bot of a hook.
func (b *Batch) hookScopes(hid id.ID, sc *scopes, leaves bool) {
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	if h := b.s.hooks[hid]; h != nil {
		sc.write(scUser, uint64(h.Bot), 0)
		if leaves {
			sc.write(scRoom, uint64(h.Room), 0)
		} else {
			sc.read(scRoom, uint64(h.Room), 0)
		}
	}
}

func (c *UpdateHook) decide(b *Batch) (Outcome, error) {
	old := b.s.hooks[c.Hook]
	if old == nil {
		return Outcome{}, noHook()
	}
	if _, err := b.doorkeeper(old.Room, old.Form == "outgoing"); err != nil {
		return Outcome{}, hidden(err)
	}
	h := *old
	h.Keywords, h.Words, h.Events = slices.Clone(old.Keywords), slices.Clone(old.Words), slices.Clone(old.Events)
	c.Change(&h)
	if h.URL != old.URL {
		if err := b.chooser(h.Form); err != nil {
			return Outcome{}, err
		}
	}
	if err := b.fitsHook(&h); err != nil {
		return Outcome{}, err
	}
	return Outcome{Body: &record.HookPut{Hook: h}}, nil
}

// hidden turns "no such room" into "no such hook".
func hidden(err error) error {
	if e, ok := err.(*wire.Error); ok && e.Kind == wire.NotFound {
		return noHook()
	}
	return err
}

// RemoveHook ends a hook. What its bot wrote stays.
type RemoveHook struct{ Hook id.ID }

func (c *RemoveHook) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scHooks, 0, 0)
	sc.write(scDirectory, 0, 0)
	b.hookScopes(c.Hook, sc, true)
}

func (c *RemoveHook) decide(b *Batch) (Outcome, error) {
	h := b.s.hooks[c.Hook]
	if h == nil {
		return Outcome{}, noHook()
	}
	if _, err := b.doorkeeper(h.Room, false); err != nil {
		return Outcome{}, hidden(err)
	}
	body := &record.HookRemoved{Hook: h.ID, Room: h.Room, Bot: h.Bot}
	if r := b.s.rooms[h.Room]; r != nil && r.members[h.Bot] != nil {
		if len(r.members) > 1 && !hasOwner(r, []id.ID{h.Bot}) {
			return Outcome{}, wire.Refuse(wire.Conflict, "the hook's bot is the last owner: make another member owner first", "钩子的机器人是最后一位房主，请先指定另一位")
		}
		body.Seq, body.Count = b.next(r, false)
	}
	return Outcome{Body: body, Room: h.Room}, nil
}

// through finds the room that a hook's bot writes in for a command: with For,
// the room is one where that person may write.
func (b *Batch) through(c *SendMessage) (*room, error) {
	h := b.s.hooks[c.Hook]
	if h == nil || h.Bot != b.actor.User {
		return nil, noHook()
	}
	if _, err := b.caller(); err != nil {
		return nil, wire.Refuse(wire.Forbidden, "the hook's bot is disabled", "钩子的机器人已停用")
	}
	r := b.s.rooms[c.Room]
	switch {
	case h.Disabled:
		return nil, wire.Refuse(wire.Forbidden, "the hook is disabled", "钩子已停用")
	case r == nil || h.Room != 0 && h.Room != c.Room:
		return nil, noRoom()
	case r.rec.Archived:
		return nil, archived()
	case h.Room != 0 && r.members[h.Bot] == nil:
		return nil, wire.Refuse(wire.Forbidden, "the hook's bot was taken out of the room: add it again", "钩子的机器人已被移出房间，请重新加入")
	}
	if c.For != 0 {
		bot := b.actor
		b.actor = Actor{User: c.For}
		_, err := b.writable(c.Room)
		b.actor = bot
		return r, err
	}
	return r, nil
}
