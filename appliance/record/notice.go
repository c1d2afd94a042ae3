package record

import "posthouse/appliance/id"

// Notice is a text that people are asked to confirm. Audience is decided when
// it is sent and never changes.
type Notice struct {
	ID          id.ID   `cbor:"1,keyasint"`
	Author      id.ID   `cbor:"2,keyasint"`
	Title       string  `cbor:"3,keyasint"`
	Text        string  `cbor:"4,keyasint,omitempty"`
	Rooms       []id.ID `cbor:"5,keyasint,omitempty"` // addressed; each gets a message
	Departments []id.ID `cbor:"6,keyasint,omitempty"` // addressed, with those below
	Users       []id.ID `cbor:"7,keyasint,omitempty"` // addressed by name
	Everyone    bool    `cbor:"8,keyasint,omitempty"`
	Audience    []id.ID `cbor:"9,keyasint"`            // whom it asks, ascending
	Deadline    int64   `cbor:"10,keyasint,omitempty"` // Unix ms; 0 = none
	Every       int64   `cbor:"11,keyasint,omitempty"` // ms between automatic reminders; 0 = none
	Reminders   int     `cbor:"12,keyasint,omitempty"` // most automatic reminders
	Created     int64   `cbor:"13,keyasint"`           // Unix ms
	Key         []byte  `cbor:"14,keyasint"`           // client key, a UUID of 16 bytes
}

// NoticePut sends a notice. The messages in its rooms follow as records of
// their own, which name it.
type NoticePut struct {
	Notice Notice `cbor:"1,keyasint"`
}

// NoticeConfirmed says that the acting account confirmed a notice.
type NoticeConfirmed struct {
	Notice id.ID `cbor:"1,keyasint"`
}

// NoticeReminded reminds everyone who has not confirmed.
type NoticeReminded struct {
	Notice id.ID `cbor:"1,keyasint"`
	Auto   bool  `cbor:"2,keyasint,omitempty"` // by the clock, not by a person
}

// NoticeClosed ends a notice: nobody is asked any more.
type NoticeClosed struct {
	Notice id.ID `cbor:"1,keyasint"`
}

// Scheduled is a message that waits for its time.
type Scheduled struct {
	ID      id.ID   `cbor:"1,keyasint"`
	User    id.ID   `cbor:"2,keyasint"` // who will have sent it
	Room    id.ID   `cbor:"3,keyasint"`
	Text    string  `cbor:"4,keyasint,omitempty"`
	ReplyTo uint64  `cbor:"5,keyasint,omitempty"`
	Thread  uint64  `cbor:"6,keyasint,omitempty"`
	Files   []id.ID `cbor:"7,keyasint,omitempty"`
	At      int64   `cbor:"8,keyasint"`  // Unix ms
	Created int64   `cbor:"9,keyasint"`  // Unix ms
	Key     []byte  `cbor:"10,keyasint"` // client key, a UUID of 16 bytes
}

// ScheduledPut makes a scheduled message or replaces its text and time; one
// that had failed waits again. The MessageSent that names it sends and removes
// it in one step.
type ScheduledPut struct {
	Scheduled Scheduled `cbor:"1,keyasint"`
}

// ScheduledRemoved removes a scheduled message unsent.
type ScheduledRemoved struct {
	Scheduled id.ID `cbor:"1,keyasint"`
}

// ScheduledFailed says that a scheduled message could not be sent at its time,
// and why, in English and Chinese. It stays until its author decides.
type ScheduledFailed struct {
	Scheduled id.ID  `cbor:"1,keyasint"`
	En        string `cbor:"2,keyasint"`
	Zh        string `cbor:"3,keyasint"`
}

// Kind implements Body.
func (*NoticePut) Kind() Kind        { return KindNoticePut }
func (*NoticeConfirmed) Kind() Kind  { return KindNoticeConfirmed }
func (*NoticeReminded) Kind() Kind   { return KindNoticeReminded }
func (*NoticeClosed) Kind() Kind     { return KindNoticeClosed }
func (*ScheduledPut) Kind() Kind     { return KindScheduledPut }
func (*ScheduledRemoved) Kind() Kind { return KindScheduledRemoved }
func (*ScheduledFailed) Kind() Kind  { return KindScheduledFailed }
