package gate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// fake is a scripted service: rooms, members and messages in memory.
type fake struct {
	mu       sync.RWMutex
	base     uint64 // position before the first record
	records  []record.Record
	members  map[id.ID][]id.ID
	heads    map[id.ID]uint64
	tokens   map[string]chat.Actor
	gone     map[id.ID]bool // devices
	saved    map[id.ID]record.DeviceMark
	watchers map[chan struct{}]bool
	readOnly error
	do       func(c *chat.Call, method string, params []byte, reply func(any, *wire.Error)) bool
}

func newFake() *fake {
	return &fake{members: map[id.ID][]id.ID{}, heads: map[id.ID]uint64{}, tokens: map[string]chat.Actor{},
		gone: map[id.ID]bool{}, saved: map[id.ID]record.DeviceMark{}, watchers: map[chan struct{}]bool{}}
}

// device makes a device of a user; the token is user/device.
func (f *fake) device(user, device id.ID) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	token := fmt.Sprintf("%d/%d", user, device)
	f.tokens[token] = chat.Actor{User: user, Device: device, Role: wire.Member}
	return token
}

func (f *fake) join(room id.ID, users ...id.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[room] = append(f.members[room], users...)
}

func (f *fake) publish(user id.ID, body record.Body) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.publishLocked(user, body)
}

func (f *fake) publishLocked(user id.ID, body record.Body) uint64 {
	pos := f.base + uint64(len(f.records)) + 1
	f.records = append(f.records, record.Record{Pos: pos, Time: time.Now().UnixMilli(), User: user, Body: body})
	for w := range f.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
	return pos
}

func (f *fake) send(room, user id.ID, text string) (seq, pos uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads[room]++
	seq = f.heads[room]
	return seq, f.publishLocked(user, &record.MessageSent{Room: room, Seq: seq, Count: seq, Text: text})
}

func (f *fake) endDevice(user, device id.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone[device] = true
	f.publishLocked(user, &record.DeviceRemoved{Device: device, User: user})
}

func (f *fake) Do(c *chat.Call, method string, params []byte, reply func(any, *wire.Error)) {
	if f.do != nil && f.do(c, method, params, reply) {
		return
	}
	switch method {
	case "message.send":
		var p wire.SendParams
		if err := wire.DecodeParams(params, &p); err != nil {
			reply(nil, err)
			return
		}
		if !f.IsMember(p.Room, c.Actor.User) {
			reply(nil, wire.Refuse(wire.NotFound, "no such room", "没有该房间"))
			return
		}
		seq, pos := f.send(p.Room, c.Actor.User, p.Text)
		reply(wire.Sent{ID: id.Message{Room: p.Room, Seq: seq}, Seq: seq, Position: pos, Time: c.Now.UnixMilli()}, nil)
	case "session.login":
		var p wire.LoginParams
		if err := wire.DecodeParams(params, &p); err != nil {
			reply(nil, err)
			return
		}
		reply(&chat.LoggedIn{Session: wire.Session{Device: 7, Token: "fresh"}, Cookie: p.Cookie, MaxAge: time.Hour}, nil)
	case "session.me":
		reply(wire.Session{User: wire.User{ID: c.Actor.User}, Device: c.Actor.Device}, nil)
	case "server.info":
		reply(wire.ServerInfo{Version: "test", Ready: true}, nil)
	case "server.status":
		reply(wire.StatusResult{Version: "test"}, nil)
	case "session.logout":
		f.endDevice(c.Actor.User, c.Actor.Device)
		reply(wire.Done{}, nil)
	case "setup.link":
		if !c.Actor.Operator {
			reply(nil, wire.Refuse(wire.Forbidden, "operator only", "仅限操作员"))
			return
		}
		reply(wire.SetupLink{URL: "https://box/setup"}, nil)
	default:
		reply(nil, wire.Refuse(wire.MethodNotFound, "not in the fake", "测试桩没有此方法"))
	}
}

func (f *fake) Authenticate(token string, _ time.Time) (chat.Actor, *wire.Error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	a, ok := f.tokens[token]
	if !ok || f.gone[a.Device] {
		return chat.Actor{}, wire.Refuse(wire.Unauthenticated, "log in again", "请重新登录")
	}
	return a, nil
}

func (f *fake) StillValid(a chat.Actor) (chat.Actor, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return a, !f.gone[a.Device]
}

func (f *fake) Position() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.base + uint64(len(f.records))
}

func (f *fake) Retell(*chat.Delivery) []byte { return nil }

func (f *fake) Pace(func() uint64) {}

func (f *fake) CaughtUp() {}

func (f *fake) Watch() (<-chan struct{}, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := make(chan struct{}, 1)
	f.watchers[w] = true
	return w, func() { f.mu.Lock(); delete(f.watchers, w); f.mu.Unlock() }
}

func (f *fake) Records(after uint64, most int) ([]record.Record, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if after < f.base {
		return nil, fmt.Errorf("gone")
	}
	from := int(after - f.base)
	return slices.Clone(f.records[min(from, len(f.records)):min(from+most, len(f.records))]), nil
}

func (f *fake) Deliveries(r record.Record) []chat.Delivery {
	switch b := r.Body.(type) {
	case *record.MessageSent:
		frame, _ := wire.AppendEvent(nil, r.Pos, wire.EventMessage, wire.Message{
			ID: id.Message{Room: b.Room, Seq: b.Seq}, Room: b.Room, Seq: b.Seq, Position: r.Pos, Time: r.Time, Sender: r.User, Text: b.Text})
		d := chat.Delivery{Position: r.Pos, Type: wire.EventMessage, Frame: frame, Room: b.Room, Seq: b.Seq, Sender: r.User}
		if r.User < firstProbe {
			d.Time = r.Time
		}
		return []chat.Delivery{d}
	case *record.Organisation: // two events of one record, for everybody
		frame, _ := wire.AppendEvent(nil, r.Pos, wire.EventDepartment, wire.DepartmentChanged{})
		d := chat.Delivery{Position: r.Pos, Type: wire.EventDepartment, Frame: frame, Everyone: true}
		return []chat.Delivery{d, d}
	}
	return nil
}

func (f *fake) Members(room id.ID, yield func(id.ID) bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, user := range f.members[room] {
		if !yield(user) {
			return
		}
	}
}

func (f *fake) Concerns(a chat.Actor, d *chat.Delivery) bool {
	return d.Everyone || (d.Room != 0 && f.IsMember(d.Room, a.User)) || slices.Contains(d.Users, a.User)
}

func (f *fake) IsMember(room, user id.ID) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Contains(f.members[room], user)
}

func (f *fake) MemberCount(room id.ID) int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.members[room])
}

func (f *fake) Snapshot(a chat.Actor) ([]wire.Room, uint64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var rooms []wire.Room
	for room, members := range f.members {
		if slices.Contains(members, a.User) {
			rooms = append(rooms, wire.Room{ID: room, Head: f.heads[room]})
		}
	}
	return rooms, f.base + uint64(len(f.records))
}

// Accounts from here on are virtual users.
const firstProbe = 900

func (f *fake) User(user id.ID) (wire.User, bool) {
	return wire.User{ID: user, Probe: user >= firstProbe}, true
}

func (f *fake) SaveMarks(marks []record.DeviceMark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range marks {
		f.saved[m.Device] = m
	}
}

func (f *fake) markOf(device id.ID) record.DeviceMark {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.saved[device]
}

func (f *fake) AllowUpload(chat.Actor, int64) *wire.Error { return nil }
func (f *fake) StoreFile(context.Context, chat.Actor, record.File) (wire.File, *wire.Error) {
	return wire.File{}, nil
}
func (f *fake) OpenFile(chat.Actor, id.ID) (record.File, *wire.Error) {
	return record.File{}, wire.Refuse(wire.NotFound, "no such file", "没有该文件")
}
func (f *fake) ReadOnly() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.readOnly
}

func (f *fake) KnowsHook(string) (id.ID, bool) { return 0, false }

func (f *fake) Post(context.Context, *chat.Posted) chat.PostAnswer {
	return chat.PostAnswer{Status: 404, Unknown: true}
}
