package state

import (
	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// Message is a timeline entry as state keeps it.
type Message struct {
	Pos        uint64          `cbor:"1,keyasint"`
	Time       int64           `cbor:"2,keyasint"`
	Sender     id.ID           `cbor:"3,keyasint,omitempty"`
	Count      uint64          `cbor:"4,keyasint"`
	Key        []byte          `cbor:"5,keyasint,omitempty"`
	Text       string          `cbor:"6,keyasint,omitempty"`
	ReplyTo    uint64          `cbor:"7,keyasint,omitempty"`
	Thread     uint64          `cbor:"8,keyasint,omitempty"`
	Mentions   []id.ID         `cbor:"9,keyasint,omitempty"`
	All        bool            `cbor:"10,keyasint,omitempty"`
	Files      []id.ID         `cbor:"11,keyasint,omitempty"`
	Foreign    *record.Foreign `cbor:"12,keyasint,omitempty"`
	Forward    *record.Forward `cbor:"13,keyasint,omitempty"`
	Change     *record.Change  `cbor:"14,keyasint,omitempty"`
	Edits      int             `cbor:"15,keyasint,omitempty"`
	EditedAt   int64           `cbor:"16,keyasint,omitempty"`
	RecalledBy id.ID           `cbor:"17,keyasint,omitempty"`
	RecalledAt int64           `cbor:"18,keyasint,omitempty"`
	Reactions  []Reaction      `cbor:"19,keyasint,omitempty"`
	PinnedAt   int64           `cbor:"20,keyasint,omitempty"`
	PinnedBy   id.ID           `cbor:"21,keyasint,omitempty"`
	Replies    int             `cbor:"22,keyasint,omitempty"` // of a thread's first message
	ThreadLast uint64          `cbor:"23,keyasint,omitempty"` // of a thread's first message
	ThreadPrev uint64          `cbor:"24,keyasint,omitempty"` // the thread's message before; 0 = none
	Notice     id.ID           `cbor:"30,keyasint,omitempty"` // the notice that it shows
	Imported   bool            `cbor:"40,keyasint,omitempty"` // Time and Sender are those of another system
	As         string          `cbor:"28,keyasint,omitempty"` // name a hook's message is shown with
}

// Reaction is one emoji and who put it there, in order.
type Reaction struct {
	Emoji string  `cbor:"1,keyasint"`
	Users []id.ID `cbor:"2,keyasint"`
}

// Revision is an earlier text of a message.
type Revision struct {
	Text string `cbor:"1,keyasint"`
	At   int64  `cbor:"2,keyasint"` // when that text was stored
}

// Head is the end of a room's timeline.
type Head struct {
	Seq   uint64 // newest entry
	Count uint64 // messages among them
	Pos   uint64 // journal position of the newest entry
	Time  int64
}

// passed is when a mark reached a number.
type passed struct {
	Seq uint64 `cbor:"1,keyasint"`
	At  int64  `cbor:"2,keyasint"`
}

const (
	readTimes  = 8   // how many passages of a read mark are remembered
	markTimes  = 64  // how many passages of a device mark are remembered
	maxMention = 100 // unread mentions remembered per person and room
)

// readMark is how far a person has read in a room.
type readMark struct {
	Seq      uint64   `cbor:"1,keyasint"`
	Count    uint64   `cbor:"2,keyasint"`
	Times    []passed `cbor:"3,keyasint,omitempty"` // oldest first, the last readTimes
	Mentions []uint64 `cbor:"4,keyasint,omitempty"` // unread messages that mention the person
}

func (r *readMark) at() int64 {
	if r == nil || len(r.Times) == 0 {
		return 0
	}
	return r.Times[len(r.Times)-1].At
}

// passedAt is when seq was passed; 0 when that is no longer remembered,
// because only keep passages are.
func passedAt(times []passed, seq uint64, keep int) int64 {
	for i, p := range times {
		if p.Seq >= seq {
			if i == 0 && len(times) >= keep {
				return 0
			}
			return p.At
		}
	}
	return 0
}

// markLog is how far a device has got with the stream.
type markLog struct {
	User   id.ID    `cbor:"1,keyasint"`
	Pushed []passed `cbor:"2,keyasint,omitempty"` // Seq is a journal position
	Acked  []passed `cbor:"3,keyasint,omitempty"`
	Seen   int64    `cbor:"4,keyasint,omitempty"`
}

func last(p []passed) uint64 {
	if len(p) == 0 {
		return 0
	}
	return p[len(p)-1].Seq
}

func appendPassed(p []passed, seq uint64, at int64, keep int) []passed {
	if seq <= last(p) {
		return p
	}
	n := make([]passed, 0, min(len(p)+1, keep))
	if len(p) >= keep {
		p = p[len(p)-keep+1:]
	}
	return append(append(n, p...), passed{seq, at})
}

// extra is what a room carries beside its properties.
type extra struct {
	Pins []uint64 `cbor:"1,keyasint,omitempty"` // in the order of pinning
	Alls []uint64 `cbor:"2,keyasint,omitempty"` // the last messages with @all
}

// fileState is a file and where it is used.
type fileState struct {
	File     record.File `cbor:"1,keyasint"`
	Rooms    []roomRef   `cbor:"2,keyasint,omitempty"` // messages that carry it, per room
	Avatars  int         `cbor:"3,keyasint,omitempty"`
	BinSince int64       `cbor:"4,keyasint,omitempty"` // nothing has referred to it since, ms
	Used     bool        `cbor:"5,keyasint,omitempty"` // something once did

	Scheduled int `cbor:"6,keyasint,omitempty"` // scheduled messages that carry it
}

type roomRef struct {
	Room id.ID `cbor:"1,keyasint"`
	N    int   `cbor:"2,keyasint"`
}

func (f *fileState) refs() int {
	n := f.Avatars + f.Scheduled
	for _, r := range f.Rooms {
		n += r.N
	}
	return n
}

type kvEntry struct {
	Value   []byte `cbor:"1,keyasint"`
	Version uint64 `cbor:"2,keyasint"`
}

type secret struct {
	PHC string `cbor:"1,keyasint"`
}

type keyRef struct {
	Room  id.ID  `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint,omitempty"` // 0 = the room itself was made with the key
	Other id.ID  `cbor:"3,keyasint,omitempty"` // the notice or scheduled message that was made with the key
}

// notice is a notice with everything resident about it.
type notice struct {
	rec       *record.Notice
	mark      *noticeMark
	at        []int64 // when each of rec.Audience confirmed, ms; 0 = not yet
	confirmed int
}

// noticeMark is what changes about a notice, but for confirmations.
type noticeMark struct {
	Posts     []noticePost `cbor:"1,keyasint,omitempty"`
	Reminded  int64        `cbor:"2,keyasint,omitempty"` // last reminder, ms
	Reminders int          `cbor:"3,keyasint,omitempty"` // automatic ones
	Closed    int64        `cbor:"4,keyasint,omitempty"` // ms
}

// noticePost is a message that shows a notice in a room.
type noticePost struct {
	Room id.ID  `cbor:"1,keyasint"`
	Seq  uint64 `cbor:"2,keyasint"`
}

type confirmation struct {
	At int64 `cbor:"1,keyasint"` // ms
}

// scheduled is a scheduled message and, when it could not be sent, why.
type scheduled struct {
	Scheduled record.Scheduled `cbor:"1,keyasint"`
	FailedAt  int64            `cbor:"2,keyasint,omitempty"` // ms; 0 = it waits
	En        string           `cbor:"3,keyasint,omitempty"`
	Zh        string           `cbor:"4,keyasint,omitempty"`
}

type meta struct {
	Format       int    `cbor:"1,keyasint"`
	Applied      uint64 `cbor:"2,keyasint"` // journal position the file stands for
	Organisation string `cbor:"3,keyasint,omitempty"`
	Messages     uint64 `cbor:"4,keyasint,omitempty"` // sent so far
}

type (
	roomUser struct{ room, user id.ID }
	msgKey   struct {
		room id.ID
		seq  uint64
	}
	clientKey struct {
		key  [16]byte
		user id.ID
	}
	pair struct{ low, high id.ID }
)

// room is a room with everything resident about it.
type room struct {
	rec     *record.Room
	extra   *extra
	members map[id.ID]*record.Member
	head    Head
	bytes   int64 // of files in its messages, each counted once
	files   int
}
