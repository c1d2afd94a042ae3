package client

import (
	"context"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// API gives the common methods of the table as Go methods. Client and HTTP
// have it; every error that the server gave is a *wire.Error. The methods that
// need a connection (Typing, WatchPresence, Ping) work on a Client alone.
type API struct {
	call func(ctx context.Context, method string, params, result any) error
}

// Call calls any method of the table. Params nil means no parameters; result,
// a pointer, may be nil.
func (a API) Call(ctx context.Context, method string, params, result any) error {
	return a.call(ctx, method, params, result)
}

func ask[R any](ctx context.Context, a API, method string, params any) (R, error) {
	var r R
	err := a.call(ctx, method, params, &r)
	return r, err
}

// Info tells what the server is.
func (a API) Info(ctx context.Context) (wire.ServerInfo, error) {
	return ask[wire.ServerInfo](ctx, a, "server.info", nil)
}

// Me tells who is logged in.
func (a API) Me(ctx context.Context) (wire.Session, error) {
	return ask[wire.Session](ctx, a, "session.me", nil)
}

// Logout ends this device's session.
func (a API) Logout(ctx context.Context) error { return a.call(ctx, "session.logout", nil, nil) }

// Devices lists the caller's devices.
func (a API) Devices(ctx context.Context) ([]wire.Device, error) {
	r, err := ask[wire.DeviceList](ctx, a, "session.devices", nil)
	return r.Devices, err
}

// Revoke ends a device's session.
func (a API) Revoke(ctx context.Context, device id.ID) error {
	return a.call(ctx, "session.revoke", wire.DeviceParam{Device: device}, nil)
}

// Directory finds people.
func (a API) Directory(ctx context.Context, p wire.DirectoryParams) (wire.UserList, error) {
	return ask[wire.UserList](ctx, a, "directory.list", p)
}

// CreateUser makes an account.
func (a API) CreateUser(ctx context.Context, p wire.UserCreate) (wire.User, error) {
	r, err := ask[wire.UserResult](ctx, a, "user.create", p)
	return r.User, err
}

// CreateToken makes a device token for an account, for bots.
func (a API) CreateToken(ctx context.Context, user id.ID, name string) (wire.Session, error) {
	return ask[wire.Session](ctx, a, "user.token", wire.TokenCreate{User: user, Name: name})
}

// Rooms lists the caller's rooms.
func (a API) Rooms(ctx context.Context) (wire.RoomList, error) {
	return ask[wire.RoomList](ctx, a, "room.list", nil)
}

// Room looks at one room.
func (a API) Room(ctx context.Context, room id.ID) (wire.Room, error) {
	r, err := ask[wire.RoomResult](ctx, a, "room.get", wire.RoomParam{Room: room})
	return r.Room, err
}

// CreateRoom makes a room. An empty key is filled in.
func (a API) CreateRoom(ctx context.Context, p wire.RoomCreate) (wire.Room, error) {
	if p.Key == "" {
		p.Key = NewKey()
	}
	r, err := ask[wire.RoomResult](ctx, a, "room.create", p)
	return r.Room, err
}

// Direct is the room of the caller and another person, made if needed.
func (a API) Direct(ctx context.Context, user id.ID) (wire.Room, error) {
	r, err := ask[wire.RoomResult](ctx, a, "room.direct", wire.UserParam{User: user})
	return r.Room, err
}

// Join joins a channel or announcement room.
func (a API) Join(ctx context.Context, room id.ID) (wire.Room, error) {
	r, err := ask[wire.RoomResult](ctx, a, "room.join", wire.RoomParam{Room: room})
	return r.Room, err
}

// Leave leaves a room.
func (a API) Leave(ctx context.Context, room id.ID) error {
	return a.call(ctx, "room.leave", wire.RoomParam{Room: room}, nil)
}

// AddMembers adds people to a room.
func (a API) AddMembers(ctx context.Context, room id.ID, users ...id.ID) error {
	return a.call(ctx, "room.add", wire.MembersChange{Room: room, Users: users}, nil)
}

// RemoveMembers removes people from a room.
func (a API) RemoveMembers(ctx context.Context, room id.ID, users ...id.ID) error {
	return a.call(ctx, "room.remove", wire.MembersChange{Room: room, Users: users}, nil)
}

// Members lists members of a room.
func (a API) Members(ctx context.Context, p wire.MembersParams) (wire.MemberList, error) {
	return ask[wire.MemberList](ctx, a, "room.members", p)
}

// History reads a page of a room's timeline.
func (a API) History(ctx context.Context, p wire.HistoryParams) (wire.History, error) {
	return ask[wire.History](ctx, a, "room.history", p)
}

// Read moves the caller's read mark forward.
func (a API) Read(ctx context.Context, room id.ID, seq uint64) (wire.ReadResult, error) {
	return ask[wire.ReadResult](ctx, a, "room.read", wire.ReadParams{Room: room, Seq: seq})
}

// Typing tells a room that the caller is typing.
func (a API) Typing(ctx context.Context, room id.ID) error {
	return a.call(ctx, "room.typing", wire.TypingParams{Room: room}, nil)
}

// Send sends a text. When it returns without an error the message is on disk,
// once: after a break of the connection it is sent again with the same key
// until ctx ends.
func (a API) Send(ctx context.Context, room id.ID, text string) (wire.Sent, error) {
	return a.SendMessage(ctx, wire.SendParams{Room: room, Text: text})
}

// SendMessage is Send with all its parameters. An empty key is filled in.
func (a API) SendMessage(ctx context.Context, p wire.SendParams) (wire.Sent, error) {
	if p.Key == "" {
		p.Key = NewKey()
	}
	return ask[wire.Sent](ctx, a, "message.send", p)
}

// Forward sends a message on to another room. An empty key is filled in.
func (a API) Forward(ctx context.Context, p wire.ForwardParams) (wire.Sent, error) {
	if p.Key == "" {
		p.Key = NewKey()
	}
	return ask[wire.Sent](ctx, a, "message.forward", p)
}

// Message looks at one message.
func (a API) Message(ctx context.Context, m id.Message) (wire.Message, error) {
	r, err := ask[wire.MessageResult](ctx, a, "message.get", wire.MessageParam{Message: m})
	return r.Message, err
}

// Edit changes one's own message.
func (a API) Edit(ctx context.Context, m id.Message, text string) (wire.Done, error) {
	return ask[wire.Done](ctx, a, "message.edit", wire.EditParams{Message: m, Text: text})
}

// Recall takes a message back for everyone.
func (a API) Recall(ctx context.Context, m id.Message) (wire.Done, error) {
	return ask[wire.Done](ctx, a, "message.recall", wire.MessageParam{Message: m})
}

// React puts or takes away a reaction.
func (a API) React(ctx context.Context, m id.Message, emoji string, on bool) (wire.Done, error) {
	return ask[wire.Done](ctx, a, "message.react", wire.ReactParams{Message: m, Emoji: emoji, On: on})
}

// Pin pins or unpins a message.
func (a API) Pin(ctx context.Context, m id.Message, on bool) (wire.Done, error) {
	return ask[wire.Done](ctx, a, "message.pin", wire.PinParams{Message: m, On: on})
}

// Readers tells who has read a message.
func (a API) Readers(ctx context.Context, m id.Message) (wire.Readers, error) {
	return ask[wire.Readers](ctx, a, "message.readers", wire.MessageParam{Message: m})
}

// Journey tells where a message is.
func (a API) Journey(ctx context.Context, m id.Message) (wire.Journey, error) {
	return ask[wire.Journey](ctx, a, "message.journey", wire.MessageParam{Message: m})
}

// File tells what is known of a file.
func (a API) File(ctx context.Context, file id.ID) (wire.File, error) {
	r, err := ask[wire.FileResult](ctx, a, "file.get", wire.FileParam{File: file})
	return r.File, err
}

// GetKV reads an entry of the key-value store; scope is user or device.
func (a API) GetKV(ctx context.Context, scope, key string) (wire.KV, error) {
	return ask[wire.KV](ctx, a, "kv.get", wire.KVGet{Scope: scope, Key: key})
}

// PutKV sets an entry, or removes it when the value is nil.
func (a API) PutKV(ctx context.Context, p wire.KVPut) (wire.Done, error) {
	return ask[wire.Done](ctx, a, "kv.put", p)
}

// WatchPresence names the people whose presence is told.
func (a API) WatchPresence(ctx context.Context, users ...id.ID) (wire.PresenceList, error) {
	return ask[wire.PresenceList](ctx, a, "presence.watch", wire.PresenceParams{Users: users})
}

// Ping is one heartbeat and its answer.
func (a API) Ping(ctx context.Context) (wire.Pong, error) {
	return ask[wire.Pong](ctx, a, "sync.ping", nil)
}

// Status gives figures of the running server.
func (a API) Status(ctx context.Context) (wire.StatusResult, error) {
	return ask[wire.StatusResult](ctx, a, "server.status", nil)
}

// Sessions lists live connections.
func (a API) Sessions(ctx context.Context) ([]wire.SessionInfo, error) {
	r, err := ask[wire.SessionList](ctx, a, "server.sessions", nil)
	return r.Sessions, err
}
