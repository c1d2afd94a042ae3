package chat

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/outhook"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// PostByHook sends an answer of a hook's target by the hook's bot; it is what
// an outhook.Engine posts with. The same key again sends nothing.
func PostByHook(ctx context.Context, q *sequencer.Sequencer, h *record.Hook, room id.ID, text string, key [16]byte) error {
	_, err := q.Submit(ctx, state.Actor{User: h.Bot}, &state.SendMessage{Room: room, Hook: h.ID, Key: key[:], Text: text})
	return err
}

func noEngine() error {
	return wire.Refuse(wire.Unavailable, "this server calls no other programs", "本服务器不调用其他程序")
}

// kept finds a hook that the caller looks after.
func (s *Service) kept(c *Call, hid id.ID) (record.Hook, error) {
	h, ok := s.s.Hook(hid)
	if !ok || !s.allHooks(c) && (h.Room == 0 || !s.s.KeepsDoors(h.Room, c.Actor.User)) {
		return h, noHook()
	}
	if s.opt.Hooks == nil {
		return h, noEngine()
	}
	return h, nil
}

// allHooks reports whether the caller looks after the hooks of every room.
func (s *Service) allHooks(c *Call) bool {
	return c.Actor.Operator || c.Actor.Role == wire.Admin || c.Actor.Role == wire.Owner
}

const mostDead = 200 // dead letters in one answer

func (s *Service) hookDead(c *Call, p *wire.HookParam) (wire.DeadList, error) {
	h, err := s.kept(c, p.Hook)
	if err != nil {
		return wire.DeadList{}, err
	}
	list, more, err := s.opt.Hooks.Dead(h.ID, mostDead)
	if list == nil {
		list = []wire.DeadLetter{}
	}
	return wire.DeadList{Dead: list, More: more}, err
}

func (s *Service) hookRetry(c *Call, p *wire.DeadParams) (wire.DeadResult, error) {
	return s.dig(c, p, (*outhook.Engine).Retry)
}

func (s *Service) hookDiscard(c *Call, p *wire.DeadParams) (wire.DeadResult, error) {
	return s.dig(c, p, (*outhook.Engine).Discard)
}

func (s *Service) dig(c *Call, p *wire.DeadParams, do func(e *outhook.Engine, hook id.ID, which []string) (int, error)) (wire.DeadResult, error) {
	h, err := s.kept(c, p.Hook)
	if err != nil {
		return wire.DeadResult{}, err
	}
	if len(p.Deliveries) > mostDead {
		return wire.DeadResult{}, wire.BadParam("deliveries", "at most 200", "最多 200 个")
	}
	n, err := do(s.opt.Hooks, h.ID, p.Deliveries)
	return wire.DeadResult{Count: n}, err
}

// ---- commands --------------------------------------------------------------------

func (s *Service) commandList(c *Call, p *wire.RoomParam) (wire.CommandList, error) {
	if err := s.within(c, p.Room); err != nil {
		return wire.CommandList{}, err
	}
	out := wire.CommandList{Commands: []wire.Command{}}
	for _, b := range wire.BuiltinCommands() {
		out.Commands = append(out.Commands, wire.Command{Command: b.Command, Hint: b.Hint, Description: b.Doc.In(c.Lang), Builtin: true})
	}
	for _, h := range append(s.s.HooksOf(0, "command"), s.s.HooksOf(p.Room, "command")...) {
		if !h.Disabled {
			out.Commands = append(out.Commands, wire.Command{Command: h.Word, Hint: h.Hint, Description: h.Text, Hook: h.ID})
		}
	}
	slices.SortStableFunc(out.Commands, func(a, b wire.Command) int { return strings.Compare(a.Command, b.Command) })
	return out, nil
}

// commandRun calls a command from a goroutine of its own: the caller's
// connection is read on meanwhile.
func (s *Service) commandRun(c *Call, p *wire.CommandRun, done func(wire.CommandAnswer, error)) error {
	k, err := key(p.Key)
	if err != nil {
		return err
	}
	if err := s.within(c, p.Room); err != nil || c.Actor.User == 0 {
		return noRoom()
	}
	word, args, _ := strings.Cut(strings.TrimSpace(p.Text), " ")
	if i := strings.IndexByte(word, '\n'); i >= 0 {
		word, args = word[:i], word[i+1:]+" "+args
	}
	name, slash := strings.CutPrefix(word, "/")
	if !slash || name == "" || len(p.Text) > s.s.MessageBytes() {
		return wire.BadParam("text", "a slash, a command and its arguments", "须为斜杠、命令词与参数")
	}
	name = strings.ToLower(name)
	h, ok := s.s.Command(p.Room, name)
	switch {
	case slices.ContainsFunc(wire.BuiltinCommands(), func(b wire.Builtin) bool { return b.Command == name }):
		return wire.Refusef(wire.Conflict, "/%s is done by the client itself", "/%s 由客户端自身完成", name)
	case !ok:
		return wire.Refusef(wire.NotFound, "there is no command /%.40s in this room; to send a text that begins with a slash, put a blank before it",
			"此房间没有命令 /%.40s；要发送以斜杠开头的文本，请在前面加一个空格", name)
	case s.opt.Hooks == nil:
		return noEngine()
	}
	go func() {
		a, err := s.runCommand(c, p, &h, k, strings.TrimSpace(args))
		if err != nil {
			err = refusal(c, err)
		}
		done(a, err)
	}()
	return nil
}

func (s *Service) runCommand(c *Call, p *wire.CommandRun, h *record.Hook, key []byte, args string) (wire.CommandAnswer, error) {
	a, err := s.opt.Hooks.Run(c.Context, h, p.Room, c.Actor.User, args, p.Key)
	if err != nil {
		return wire.CommandAnswer{}, err
	}
	out := wire.CommandAnswer{Text: a.Text, Visibility: "me", Bot: h.Bot}
	if !a.Room {
		return out, nil
	}
	cmd := &state.SendMessage{Room: p.Room, Hook: h.ID, For: c.Actor.User, Key: commandKey(key, c.Actor.User), Text: a.Text}
	cmd.Logins, cmd.All = markup.Mentions(a.Text)
	r, err := s.q.Submit(c.Context, state.Actor{User: h.Bot}, cmd)
	if err != nil {
		return out, err
	}
	out.Visibility, out.Message, out.Position = "room", r.Ref, r.Position()
	return out, nil
}

// commandKey is the key of the bot's message: people make keys of their own, so
// the person is in it.
func commandKey(key []byte, user id.ID) []byte {
	sum := sha256.Sum256(append([]byte("command "+user.String()+" "), key...))
	k := sum[:16]
	k[6], k[8] = k[6]&0x0f|0x80, k[8]&0x3f|0x80
	return k
}
