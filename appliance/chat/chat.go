// Package chat owns what the methods of the protocol mean: it turns parameters
// into commands for the sequencer, answers queries from state, and tells which
// events a record becomes and whom they concern. It knows no transport.
//
// Choices. Passwords are hashed with argon2id (19 MiB, 2 passes; at most two at
// a time, fifty waiting). A failed login says the same and costs the same
// whether the account exists or not. Five failures in a row on an account, or
// twenty from one address, slow that account or address down to one try a
// minute, or three seconds; who logged in from an address before has tries of
// their own there, so a colleague cannot lock anybody out. The setup link works
// for an hour and only while there is no account.
//
// What the clock asks for (reminders, scheduled messages, and messages of
// notices that a crash left out) is done by Due, which the wiring calls every
// second from one goroutine. A scheduled message that is refused at its time is
// kept with the reason; one that cannot be stored now is tried again.
//
// What changes who may do what (accounts, roles, passwords, tokens, invitations,
// departments, the logins of others, hooks, the setup link) stands in the audit,
// under the name of its method, when it was done, refused for want of a right, or
// failed; of what is personal the audit has that it changed, not the values.
// Methods that a role may not call at all, and mistakes in parameters, are not in
// it: they would let anybody fill it.
//
// It runs no goroutines of its own but one for each call of a slash command; it is safe for concurrent use.
package chat

import (
	"context"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Actor is who calls: an account on a device, nobody, or the operator of the
// box through the unix socket.
type Actor struct {
	User     id.ID
	Device   id.ID
	Role     wire.Role
	Operator bool
}

// Call is one request with everything about its caller.
type Call struct {
	Context context.Context
	Actor   Actor
	Lang    string // zh or en
	Trace   string // trace id, for the log and the answer of a refusal
	Address string // peer address without port
	Now     time.Time
}

// Delivery is one event on its way: encoded once for everybody it concerns.
type Delivery struct {
	Position uint64
	Type     wire.EventType
	Frame    []byte  // the JSON text of the whole notification
	Room     id.ID   // concerns the members of this room …
	Users    []id.ID // … or these accounts (when Room is zero) …
	Everyone bool    // … or every account
	Device   id.ID   // only this device of the account, when set
	Seq      uint64  // for messages: number in the room, so that receipts can be told per room
	Sender   id.ID   // for messages
	Time     int64   // for new messages that count: when they were accepted, Unix ms; 0 for virtual users'
}

// LoggedIn is the result of a method that begins a session. The door puts the
// token into a cookie when Cookie is set, and never into a log.
type LoggedIn struct {
	Session wire.Session
	Cookie  bool
	MaxAge  time.Duration // of the cookie
}
