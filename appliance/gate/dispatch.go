package gate

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// typing is told to rooms of up to this many members, and at most once in
// typingEvery for a room and session.
const (
	typingMembers = 500
	typingEvery   = 2 * time.Second
	typingRooms   = 16
)

// typed is when a session last told a room that its user is typing.
type typed struct {
	room id.ID
	at   int64 // ticks
}

// handle carries out one frame. It may wait in admit, which is how a client
// that does not read its answers is slowed down.
func (s *session) handle(text []byte) {
	g := s.g
	req, err := wire.Decode(text)
	id := req.ID
	if err != nil && len(id) == 0 {
		id = jsontext.Value("null")
	}
	trace := newTrace()
	if !s.admit() {
		return
	}
	if err != nil {
		s.reply(id, nil, err, trace)
		return
	}
	spec, known := g.specs[req.Method]
	if !known {
		s.reply(id, nil, wire.Refusef(wire.MethodNotFound, "there is no method %.60q", "没有方法 %.60q", req.Method), trace)
		return
	}
	actor, now := s.who(), g.now()
	if actor.User == 0 && req.Method != "session.authenticate" {
		s.reply(id, nil, notLoggedIn(), trace)
		s.shut(closeNoLogin, "log in first", true)
		return
	}
	if actor.User != 0 && !s.probe { // before it is authenticated nobody knows whether it is virtual
		g.meters.methods[spec.Name].Inc()
	}
	if g.draining.Load() && spec.Class != wire.Free {
		s.reply(id, nil, stopping(), trace)
		return
	}
	if spec.Class != wire.Free && req.Method != "session.authenticate" {
		if err := g.allow(spec, actor.User, s.from); err != nil {
			s.reply(id, nil, err, trace)
			return
		}
	}
	if req.Method == "sync.start" { // answers in one step with the beginning of the stream
		s.start(req, actor, now, trace)
		return
	}
	if result, err, done := s.own(req, actor, now); done {
		s.reply(id, result, err, trace)
		return
	}
	if spec.Access == wire.Public && spec.Class == wire.Auth && spec.Name != "invite.show" {
		s.reply(id, nil, wire.Refusef(wire.InvalidRequest, "this begins a session: use POST /api/%s", "此方法会建立会话：请使用 POST /api/%s", spec.Name), trace)
		return
	}
	call := &chat.Call{Context: g.ctx, Actor: actor, Lang: s.lang, Trace: trace, Address: s.address, Now: now}
	ended := s.watched(call, spec)
	g.service.Do(call, req.Method, req.Params, func(result any, err *wire.Error) {
		ended(err)
		s.reply(id, result, err, trace)
	})
}

// watched counts a call, has it listed while it is under way, and lets queries
// be cancelled. Messages are not listed: they are many, and what is with the
// writer cannot be taken back.
func (s *session) watched(call *chat.Call, spec wire.Spec) (ended func(err *wire.Error)) {
	g, began, name := s.g, time.Now(), actionOf(spec.Name)
	user, trace := call.Actor.User, call.Trace
	var running *meter.Running
	stop := context.CancelFunc(func() {})
	if spec.Class != wire.Post {
		var cancel func()
		if spec.Class == wire.Query {
			call.Context, stop = context.WithCancel(g.ctx)
			cancel = stop
		}
		running = g.o.Operations.Begin(meter.KindCall, spec.Name, user.String(), trace, cancel)
	}
	return func(err *wire.Error) {
		stop()
		took := time.Since(began)
		switch {
		case running != nil:
			running.End()
		case took >= meter.SlowAfter:
			g.o.Operations.Note(meter.Operation{Kind: meter.KindCall, Name: spec.Name, User: user.String(), Trace: trace, Began: began}, took)
		}
		if name != "" && !s.probe {
			g.meters.acted(name, statusOf(err), took)
		}
	}
}

func stopping() *wire.Error {
	e := wire.Refuse(wire.Unavailable, "the server stops; nothing was done, come back in a moment", "服务器即将停止，未做任何更改，请稍后重连")
	e.RetryAfter = 1000
	return e
}

// reply ends a call that admit let in. It may be called on any goroutine.
func (s *session) reply(id jsontext.Value, result any, err *wire.Error, trace string) {
	if login, ok := result.(*chat.LoggedIn); ok {
		result = login.Session
	}
	if err != nil {
		s.g.meters.errors.With(string(err.Kind)).Inc()
	}
	f := s.g.answer(id, s.g.filled(result), err, s.lang, trace)
	if f == nil {
		s.answered()
		return
	}
	s.push(f)
}

// own carries out the methods that the gate answers itself, sync.start
// excepted. done is false for all others.
func (s *session) own(req wire.Request, actor chat.Actor, now time.Time) (result any, err *wire.Error, done bool) {
	switch req.Method {
	case "session.authenticate":
		result, err = s.authenticate(req.Params, now)
	case "sync.ack":
		var p wire.AckParams
		if err = wire.DecodeParams(req.Params, &p); err == nil {
			s.ack(p.Position, now)
		}
		result = wire.Empty{}
	case "sync.ping":
		result = wire.Pong{ServerTime: now.UnixMilli(), Position: s.g.service.Position()}
	case "presence.watch":
		var p wire.PresenceParams
		if err = wire.DecodeParams(req.Params, &p); err == nil {
			result, err = s.g.watch(s, p.Users)
		}
	case "room.typing":
		var p wire.TypingParams
		if err = wire.DecodeParams(req.Params, &p); err == nil {
			err = s.typing(p.Room, actor)
		}
		result = wire.Empty{}
	case "server.sessions":
		result, err = s.g.sessions(actor)
	default:
		return nil, nil, false
	}
	return result, err, true
}

// authenticate logs the session in with a token, once. Wrong tokens count
// against the address.
func (s *session) authenticate(params []byte, now time.Time) (any, *wire.Error) {
	var p wire.AuthParams
	if err := wire.DecodeParams(params, &p); err != nil {
		return nil, err
	}
	if s.loggedIn.Load() {
		return nil, wire.Refuse(wire.InvalidRequest, "this connection is logged in already", "此连接已登录")
	}
	actor, err := s.g.service.Authenticate(p.Token, now)
	if err != nil {
		if wait := s.g.limiter.take(addressKey(s.from, forPublic), s.g.limit().Public, s.g.ticks()); wait > 0 {
			err = tooOften(wait)
			s.shut(closeNoLogin, "too often", true)
		}
		return nil, err
	}
	if err = s.login(actor); err != nil {
		return nil, err
	}
	if !s.probe {
		s.g.meters.methods["session.authenticate"].Inc()
	}
	user, _ := s.g.service.User(actor.User)
	return wire.Session{User: user, Device: actor.Device}, nil
}

// login puts the session under its account. The account is looked at again
// after that: a record that ended it may have gone by in between.
func (s *session) login(actor chat.Actor) *wire.Error {
	g := s.g
	s.user, s.device, s.probe = actor.User, actor.Device, g.virtual(actor.User)
	if !g.hub.login(s, actor.User, g.limit().SocketsPerUser) {
		return tooManySockets(g.limit().SocketsPerUser)
	}
	s.loggedIn.Store(true)
	s.mu.Lock()
	s.actor = actor
	ending := s.ending
	s.mu.Unlock()
	if ending { // whoever ended it may have come before loggedIn
		s.depart()
		return nil
	}
	g.presence.changed(actor.User)
	s.recheck()
	return nil
}

// typing tells the other members of a room, those that follow the stream.
func (s *session) typing(room id.ID, actor chat.Actor) *wire.Error {
	g := s.g
	if !g.service.IsMember(room, actor.User) {
		return wire.Refuse(wire.NotFound, "no such room", "没有该房间")
	}
	if !s.mayType(room, g.ticks()) || g.service.MemberCount(room) > typingMembers {
		return nil
	}
	f, err := passing(wire.EventTyping, wire.Typing{Room: room, User: actor.User})
	if err != nil {
		return wire.Refuse(wire.Internal, "a fault of the server", "服务器故障")
	}
	var members []id.ID
	g.service.Members(room, func(user id.ID) bool {
		members = append(members, user)
		return true
	})
	var sessions []*session
	for _, user := range members {
		if user != actor.User {
			sessions = g.hub.of(user, sessions)
		}
	}
	for _, other := range sessions {
		other.pass(f)
	}
	return nil
}

// pass pushes an event that is no record to a session that follows the stream.
func (s *session) pass(f *frame) {
	if s.live.Load() {
		s.push(f)
	}
}

// mayType counts a notice of typing. It is the reader's.
func (s *session) mayType(room id.ID, now int64) bool {
	oldest := 0
	for i := range s.typed {
		t := &s.typed[i]
		if t.room == room {
			if now-t.at < int64(typingEvery) {
				return false
			}
			t.at = now
			return true
		}
		if t.at < s.typed[oldest].at {
			oldest = i
		}
	}
	if len(s.typed) < typingRooms {
		s.typed = append(s.typed, typed{room, now})
		return true
	}
	if now-s.typed[oldest].at < int64(typingEvery) {
		return false
	}
	s.typed[oldest] = typed{room, now}
	return true
}

// start begins the stream: after since, if everything after it is still in the
// ring, or else from the beginning, with the caller's rooms. Ordering and
// absence of gaps are the matter of follow and pump.
func (s *session) start(req wire.Request, actor chat.Actor, now time.Time, trace string) {
	g := s.g
	var p wire.SyncParams
	if err := wire.DecodeParams(req.Params, &p); err != nil {
		s.reply(req.ID, nil, err, trace)
		return
	}
	since := p.Since
	user, _ := g.service.User(actor.User)
	result := wire.SyncStart{User: user, Device: actor.Device, ServerTime: now.UnixMilli(),
		HeartbeatMS: g.o.Heartbeat.Milliseconds(), Version: g.o.Version, Position: g.service.Position()}
	index, ok := uint64(0), false
	if since > 0 && since <= result.Position {
		index, ok = g.ring.after(since)
	}
	switch {
	case s.probe:
	case ok:
		g.meters.caughtUp.Inc()
	case p.Since > 0:
		g.meters.anew.Inc()
	}
	for attempt := 0; !ok && attempt < 5; attempt++ { // the ring may turn over meanwhile
		result.Reset = true
		result.Rooms, result.Position = g.service.Snapshot(actor)
		since = result.Position
		index, ok = g.ring.after(since)
	}
	if !ok {
		s.reply(req.ID, nil, wire.Refuse(wire.Unavailable, "too much is going on; try again", "服务器繁忙，请重试"), trace)
		return
	}
	f := g.answer(req.ID, result, nil, s.lang, trace)
	if f == nil { // a notification; the stream begins all the same
		s.answered()
		f = &frame{data: controlFrame(opPong, nil)}
	}
	s.follow(f, index, since)
}
