package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/sysmon/notify"
	texts "posthouse/sysmon/words"
)

// operators is the room of those who mind the box: all owners and admins, and
// the box itself as a bot. An alert that the box posted, there or in another room, is
// acknowledged by a reaction ✅ of an owner or admin, or by answering it with
// "ack" (确认, 收到). The chat has a button for it.
type operators struct {
	b *box
	// ack acknowledges an alert, by its fingerprint, for a person. May be nil.
	ack func(ctx context.Context, fingerprint, who string) error

	mu     sync.Mutex
	bot    id.ID
	room   id.ID
	synced time.Time
	alert  *regexp.Regexp
}

const (
	boxLogin      = "posthouse"
	boxName       = "Posthouse 驿站"
	operatorsName = "Operators' room · 值班室"
	syncEvery     = time.Minute
)

func newOperators(b *box, ack func(ctx context.Context, fingerprint, who string) error) *operators {
	return &operators{b: b, ack: ack, alert: regexp.MustCompile(`[?&]fp=([0-9a-f]{16})\b`)}
}

// open finds or makes the bot and the room, and brings the members up to date.
func (o *operators) open(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.room != 0 && time.Since(o.synced) < syncEvery {
		return nil
	}
	managers := o.managers()
	if len(managers) == 0 {
		return notify.ErrNobody
	}
	if err := o.enter(ctx); err != nil {
		return err
	}
	me := state.Actor{User: o.bot}
	if o.room == 0 {
		key := sha256.Sum256([]byte("the room of the operators"))
		r, err := o.b.seq.Submit(ctx, me, &state.CreateRoom{Form: wire.Group, Name: operatorsName, Key: key[:16], Members: managers,
			Topic: "Alerts, checks and what was done about them. React with ✅ to acknowledge. 告警、检查与处理记录，以 ✅ 回应即为确认。"})
		if err != nil {
			return fmt.Errorf("make the operators' room: %w", err)
		}
		o.room = r.Outcome.Room
	}
	if err := o.sync(ctx, me, managers); err != nil {
		return fmt.Errorf("bring the operators' room up to date: %w", err)
	}
	o.synced = time.Now()
	return nil
}

// enter finds or makes the bot. An account of a person with its login is left
// alone.
func (o *operators) enter(ctx context.Context) error {
	if o.bot != 0 {
		return nil
	}
	for _, login := range []string{boxLogin, boxLogin + "-box"} {
		u, ok := o.b.state.UserByLogin(login)
		if ok && !u.Bot {
			continue
		}
		box := state.Actor{Operator: true}
		switch {
		case ok && u.Disabled:
			on := false
			if _, err := o.b.seq.Submit(ctx, box, &state.UpdateUser{User: u.ID, Disabled: &on}); err != nil {
				return fmt.Errorf("enable the box's own account: %w", err)
			}
		case !ok:
			r, err := o.b.seq.Submit(ctx, box, &state.OpenAccount{User: record.User{Login: login, Name: boxName, Role: string(wire.Member), Bot: true}})
			if err != nil {
				return fmt.Errorf("make the box's own account: %w", err)
			}
			u.ID = r.Body.(*record.AccountOpened).User.ID
		}
		o.bot = u.ID
		return nil
	}
	return fmt.Errorf("people have the logins %s and %s-box: give one another", boxLogin, boxLogin)
}

// managers are the owners and admins.
func (o *operators) managers() []id.ID {
	var out []id.ID
	p := wire.DirectoryParams{Limit: 500}
	for {
		list := o.b.state.Directory(p, false)
		for _, u := range list.Users {
			if (u.Role == wire.Owner || u.Role == wire.Admin) && !u.Bot && !u.Disabled {
				out = append(out, u.ID)
			}
			p.After = u.ID
		}
		if !list.More || len(list.Users) == 0 {
			return out
		}
	}
}

func (o *operators) sync(ctx context.Context, me state.Actor, managers []id.ID) error {
	r, ok, err := o.b.state.Room(o.room, o.bot, false)
	if err != nil {
		return err
	}
	if !ok { // a person took the bot out
		if _, err := o.b.seq.Submit(ctx, state.Actor{Operator: true}, &state.AddMembers{Room: o.room, Users: []id.ID{o.bot}, Role: string(wire.RoomOwner)}); err != nil {
			return err
		}
	}
	if r.Archived {
		on := false
		if _, err := o.b.seq.Submit(ctx, me, &state.UpdateRoom{Room: o.room, Archived: &on}); err != nil {
			return err
		}
	}
	var gone []id.ID
	missing := slices.Clone(managers)
	o.b.state.EachMember(o.room, func(u id.ID) bool {
		missing = slices.DeleteFunc(missing, func(m id.ID) bool { return m == u })
		if u != o.bot && !slices.Contains(managers, u) {
			gone = append(gone, u)
		}
		return true
	})
	if len(missing) > 0 {
		if _, err := o.b.seq.Submit(ctx, state.Actor{Operator: true}, &state.AddMembers{Room: o.room, Users: missing}); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		_, err = o.b.seq.Submit(ctx, state.Actor{Operator: true}, &state.RemoveMembers{Room: o.room, Users: gone})
	}
	return err
}

// say is a text in the language of the box, or in both when it has none.
func (o *operators) say(t texts.Text) string {
	switch o.b.live.Load().Server.Language {
	case "zh":
		return t.ZH
	case "en":
		return t.EN
	}
	if t.EN == t.ZH {
		return t.EN
	}
	return t.ZH + "\n\n" + t.EN
}

// Post writes to the room, as the box.
func (o *operators) Post(ctx context.Context, t texts.Text) error {
	return o.PostIn(ctx, notify.OperatorsRoom, o.say(t))
}

// PostIn writes to a room, by its ID or name, or to the operators' own.
func (o *operators) PostIn(ctx context.Context, room, text string) error {
	if err := o.open(ctx); err != nil {
		return err
	}
	o.mu.Lock()
	to, bot := o.room, o.bot
	o.mu.Unlock()
	if room != notify.OperatorsRoom && room != "" {
		rid, err := o.find(ctx, room)
		if err != nil {
			return fmt.Errorf("post to room %s: %w", room, err)
		}
		if to = rid; !o.b.state.IsMember(rid, bot) {
			if _, err := o.b.seq.Submit(ctx, state.Actor{Operator: true}, &state.AddMembers{Room: rid, Users: []id.ID{bot}}); err != nil {
				return fmt.Errorf("enter room %s: %w", room, err)
			}
		}
	}
	return o.send(ctx, to, 0, text)
}

// find is the room that an ID or a name means.
func (o *operators) find(ctx context.Context, name string) (id.ID, error) {
	name = strings.TrimPrefix(name, "#")
	if rid, err := id.Parse(name); err == nil {
		return rid, nil
	}
	var list wire.RoomList
	if err := (offline{ctx, o.b, "en"}).call("room.all", wire.DiscoverParams{Query: name, Limit: 100000}, &list); err != nil {
		return 0, err
	}
	found := slices.DeleteFunc(list.Rooms, func(r wire.Room) bool { return !strings.EqualFold(r.Name, name) || r.Archived })
	if len(found) != 1 {
		return 0, fmt.Errorf("%d rooms are called so: give the ID of one", len(found))
	}
	return found[0].ID, nil
}

// send writes to a room where the box is a member; to answers a message.
func (o *operators) send(ctx context.Context, room id.ID, to uint64, text string) error {
	o.mu.Lock()
	bot := o.bot
	o.mu.Unlock()
	if most := o.b.state.MessageBytes(); len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	key := uuid.New()
	if _, err := o.b.seq.Submit(ctx, state.Actor{User: bot}, &state.SendMessage{Room: room, Key: key[:], Text: text, ReplyTo: to}); err != nil {
		return fmt.Errorf("post to room: %w", err)
	}
	return nil
}

// follow looks for acknowledgements until ctx ends. What was said while the
// box was off is not looked at.
func (o *operators) follow(ctx context.Context) {
	wake, cancel := o.b.seq.Watch()
	defer cancel()
	at := o.b.seq.Position()
	for {
		list, err := o.b.seq.Records(at, 256)
		if err != nil {
			if ctx.Err() == nil {
				o.b.log.Warn("look for acknowledgements", "error", err)
			}
			at = o.b.seq.Position()
		}
		for i := range list {
			at = list[i].Pos
			o.look(ctx, &list[i])
		}
		if len(list) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
	}
}

// known is the box's own account, 0 while there is none.
func (o *operators) known() id.ID {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, login := range []string{boxLogin, boxLogin + "-box"} {
		if u, ok := o.b.state.UserByLogin(login); o.bot == 0 && ok && u.Bot {
			o.bot = u.ID
		}
	}
	return o.bot
}

// look finds out whether a record acknowledges alerts, in any room where the
// box told of them.
func (o *operators) look(ctx context.Context, r *record.Record) {
	var at id.Message
	switch body := r.Body.(type) {
	case *record.ReactionSet:
		if body.On && strings.HasPrefix(body.Emoji, "✅") {
			at = id.Message{Room: body.Room, Seq: body.Seq}
		}
	case *record.MessageSent:
		if acknowledges(body.Text) {
			at = id.Message{Room: body.Room, Seq: max(body.ReplyTo, body.Thread)}
		}
	}
	if at.Seq == 0 || r.User == 0 || o.ack == nil {
		return
	}
	bot := o.known()
	m, found, err := o.b.state.Message(at)
	if bot == 0 || r.User == bot || err != nil || !found || m.Sender != bot {
		return
	}
	var list []string
	for _, match := range o.alert.FindAllStringSubmatch(m.Text, 200) {
		if !slices.Contains(list, match[1]) {
			list = append(list, match[1])
		}
	}
	if len(list) > 0 {
		o.acknowledge(ctx, at, list, r.User)
	}
}

// acknowledge acknowledges the alerts of one message for a person who may.
func (o *operators) acknowledge(ctx context.Context, at id.Message, list []string, user id.ID) {
	role, alive := o.b.state.Alive(user, 0)
	u, _ := o.b.state.User(user)
	done, why := 0, texts.Text{}
	for _, fp := range list {
		e := wire.AuditEntry{Actor: user, Action: "alert.ack", Object: fp, Detail: "in the chat", Outcome: "refused"}
		if alive && (role == wire.Owner || role == wire.Admin) {
			var bad *notify.Invalid
			err := o.ack(ctx, fp, u.Login)
			switch {
			case err == nil:
				e.Outcome, done = "done", done+1
			case errors.As(err, &bad):
				e.Outcome, why = "failed", bad.Text
			default:
				e.Outcome, why = "failed", texts.Of(err.Error(), err.Error())
			}
		} else {
			why = texts.Of("only owners and admins acknowledge alerts", "只有所有者和管理员可以确认告警")
		}
		if err := o.b.chat.Audit(ctx, e); err != nil {
			o.b.log.Warn("audit of an acknowledgement", "error", err)
		}
	}
	text := texts.Of(fmt.Sprintf("✅ %s is on it.", u.Name), fmt.Sprintf("✅ %s 正在处理。", u.Name))
	if done == 0 {
		text = texts.Of("Not acknowledged: "+why.EN+".", "未能确认："+why.ZH+"。")
	}
	if err := o.send(ctx, at.Room, at.Seq, o.say(text)); err != nil {
		o.b.log.Warn("answer an acknowledgement", "error", err)
	}
}

// Tended tells the room that somebody acknowledged an alert elsewhere.
func (o *operators) Tended(ctx context.Context, who, what string) {
	if o.known() == 0 {
		return // nobody was told there
	}
	if err := o.Post(ctx, texts.Of(fmt.Sprintf("✅ %s is on it: %s", who, what), fmt.Sprintf("✅ %s 正在处理：%s", who, what))); err != nil {
		o.b.log.Warn("the operators' room is not told", "error", err)
	}
}

// acknowledges reports whether an answer says that somebody is on it.
func acknowledges(text string) bool {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(text), "/.!。！")) {
	case "ack", "acknowledge", "确认", "收到", "處理中", "处理中":
		return true
	}
	return false
}

// firstChannel is what tells of alerts on a box that nobody has set up.
func (s *server) firstChannel() notify.Channel {
	lang := s.cfg.Server.Language
	if lang == "auto" {
		lang = notify.Both
	}
	return notify.Channel{Name: operatorsName, Kind: "room", Lang: lang, Settings: map[string]string{"room": notify.OperatorsRoom}}
}
