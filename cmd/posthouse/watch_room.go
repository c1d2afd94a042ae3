package main

import (
	"context"
	"crypto/sha256"
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
	texts "posthouse/sysmon/words"
)

// operators is the room of those who mind the box: all owners and admins, and
// the box itself as a bot. An alert that was posted there is acknowledged by a
// reaction ✅, or by answering it with "ack" (确认, 收到).
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
	// operatorsRoom names the room where a channel of notices is chosen.
	operatorsRoom = "operators"
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
		return wire.Refuse(wire.Unavailable, "nobody has an account yet", "还没有任何账号")
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
	return o.PostIn(ctx, operatorsRoom, o.say(t))
}

// PostIn writes to a room, by its ID, or to the operators' own.
func (o *operators) PostIn(ctx context.Context, room, text string) error {
	if err := o.open(ctx); err != nil {
		return err
	}
	o.mu.Lock()
	to, bot := o.room, o.bot
	o.mu.Unlock()
	if room != operatorsRoom && room != "" {
		rid, err := id.Parse(room)
		if err != nil {
			return fmt.Errorf("post to room %s: %w", room, err)
		}
		if to = rid; !o.b.state.IsMember(rid, bot) {
			if _, err := o.b.seq.Submit(ctx, state.Actor{Operator: true}, &state.AddMembers{Room: rid, Users: []id.ID{bot}}); err != nil {
				return fmt.Errorf("enter room %s: %w", room, err)
			}
		}
	}
	if most := o.b.state.MessageBytes(); len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	key := uuid.New()
	_, err := o.b.seq.Submit(ctx, state.Actor{User: bot}, &state.SendMessage{Room: to, Key: key[:], Text: text})
	if err != nil {
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

// look finds out whether a record acknowledges an alert.
func (o *operators) look(ctx context.Context, r *record.Record) {
	o.mu.Lock()
	room, bot := o.room, o.bot
	o.mu.Unlock()
	if room == 0 || r.User == 0 || r.User == bot || o.ack == nil {
		return
	}
	seq := uint64(0)
	switch body := r.Body.(type) {
	case *record.ReactionSet:
		if body.Room == room && body.On && strings.HasPrefix(body.Emoji, "✅") {
			seq = body.Seq
		}
	case *record.MessageSent:
		if body.Room == room && acknowledges(body.Text) {
			seq = max(body.ReplyTo, body.Thread)
		}
	}
	if seq == 0 {
		return
	}
	role, ok := o.b.state.Alive(r.User, 0)
	m, found, err := o.b.state.Message(id.Message{Room: room, Seq: seq})
	if !ok || role != wire.Owner && role != wire.Admin || err != nil || !found || m.Sender != bot {
		return
	}
	u, _ := o.b.state.User(r.User)
	seen := map[string]bool{}
	for _, match := range o.alert.FindAllStringSubmatch(m.Text, 50) {
		if fp := match[1]; !seen[fp] {
			seen[fp] = true
			o.acknowledge(ctx, fp, u)
		}
	}
}

func (o *operators) acknowledge(ctx context.Context, fp string, u wire.User) {
	e := wire.AuditEntry{Actor: u.ID, Action: "alert.acknowledge", Object: fp, Detail: "in the operators' room", Outcome: "done"}
	text := texts.Of(fmt.Sprintf("✅ %s is on it.", u.Name), fmt.Sprintf("✅ %s 正在处理。", u.Name))
	if err := o.ack(ctx, fp, u.Login); err != nil {
		e.Outcome, e.Detail = "failed", err.Error()
		text = texts.Of("That was not acknowledged: "+err.Error(), "未能确认："+err.Error())
	}
	if err := o.b.chat.Audit(ctx, e); err != nil {
		o.b.log.Warn("audit of an acknowledgement", "error", err)
	}
	if err := o.Post(ctx, text); err != nil {
		o.b.log.Warn("answer in the operators' room", "error", err)
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
