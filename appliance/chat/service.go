package chat

import (
	"context"
	"io"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Service answers calls.
type Service struct{}

// Do carries out one call. reply is called exactly once, possibly on another
// goroutine (messages: after the fsync) and possibly before Do returns; it
// must not block. The result is a value of the method's result type, or a
// *LoggedIn for methods that begin a session.
func (s *Service) Do(c *Call, method string, params []byte, reply func(result any, err *wire.Error)) {
}

// Authenticate finds the device of a token. The error is Unauthenticated.
func (s *Service) Authenticate(token string, now time.Time) (Actor, *wire.Error) {
	return Actor{}, nil
}

// StillValid reports whether an actor's device and account may still be used,
// and its present role.
func (s *Service) StillValid(a Actor) (Actor, bool) { return a, true }

// Position is the head of the journal that readers may see.
func (s *Service) Position() uint64 { return 0 }

// Watch gives a channel that receives (size 1) whenever Position has grown.
func (s *Service) Watch() (wake <-chan struct{}, cancel func()) { return nil, nil }

// Records reads records after a position, at most max, from memory or the
// journal. Records are shared: read only.
func (s *Service) Records(after uint64, max int) ([]record.Record, error) { return nil, nil }

// Deliveries tells what events a record becomes.
func (s *Service) Deliveries(r record.Record) []Delivery { return nil }

// Members calls yield with each member of a room until it returns false.
func (s *Service) Members(room id.ID, yield func(user id.ID) bool) {}

// Concerns reports whether a delivery may and should reach an actor now:
// membership is looked up at delivery time.
func (s *Service) Concerns(a Actor, d *Delivery) bool { return false }

// IsMember reports whether an account is a member of a room.
func (s *Service) IsMember(room, user id.ID) bool { return false }

// MemberCount is the number of members of a room.
func (s *Service) MemberCount(room id.ID) int { return 0 }

// Snapshot is the start of a client that has nothing: the caller's rooms, true
// at the position given.
func (s *Service) Snapshot(a Actor) (rooms []wire.Room, position uint64) { return nil, 0 }

// User is an account as others see it.
func (s *Service) User(user id.ID) (wire.User, bool) { return wire.User{}, false }

// SaveMarks makes it durable how far devices have got. It does not wait.
func (s *Service) SaveMarks(marks []record.DeviceMark) {}

// Upload tells the size and quota rules before an upload begins: an error
// refuses it (too large, quota, not logged in).
func (s *Service) AllowUpload(a Actor, size int64) *wire.Error { return nil }

// StoreFile makes a finished upload a file of the actor. The same upload id
// again answers with the same file.
func (s *Service) StoreFile(ctx context.Context, a Actor, f record.File) (wire.File, *wire.Error) {
	return wire.File{}, nil
}

// OpenFile tells whether an actor may read a file and what it is. NotFound
// also when the actor may not know of it.
func (s *Service) OpenFile(a Actor, file id.ID) (record.File, *wire.Error) {
	return record.File{}, nil
}

// ReadOnly says why nothing can be stored now; nil = it can.
func (s *Service) ReadOnly() error { return nil }

var _ io.Reader
