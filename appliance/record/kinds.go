package record

import "posthouse/appliance/id"

// The kinds. A number once given is never given again.
const (
	KindOrganisation      Kind = 1
	KindUserPut           Kind = 2
	KindPasswordSet       Kind = 3
	KindDevicePut         Kind = 4
	KindDeviceRemoved     Kind = 5
	KindDepartmentPut     Kind = 6
	KindDepartmentRemoved Kind = 7
	KindInvitePut         Kind = 8
	KindInviteRemoved     Kind = 9
	KindRoomPut           Kind = 10
	KindMembersChanged    Kind = 11
	KindMessageSent       Kind = 12
	KindMessageEdited     Kind = 13
	KindMessageRecalled   Kind = 14
	KindReactionSet       Kind = 15
	KindPinSet            Kind = 16
	KindReadMarked        Kind = 17
	KindDeviceMarks       Kind = 18
	KindFileStored        Kind = 19
	KindFileRemoved       Kind = 20
	KindKVSet             Kind = 21
	KindAccountOpened     Kind = 22
	KindDevicesRemoved    Kind = 23
	KindHookMade          Kind = 24
	KindHookPut           Kind = 25
	KindHookRemoved       Kind = 26
	KindNoticePut         Kind = 27
	KindNoticeConfirmed   Kind = 28
	KindNoticeReminded    Kind = 29
	KindNoticeClosed      Kind = 30
	KindScheduledPut      Kind = 31
	KindScheduledRemoved  Kind = 32
	KindScheduledFailed   Kind = 33
	KindAudited           Kind = 34
)

func blank(k Kind) Body {
	switch k {
	case KindOrganisation:
		return new(Organisation)
	case KindUserPut:
		return new(UserPut)
	case KindPasswordSet:
		return new(PasswordSet)
	case KindDevicePut:
		return new(DevicePut)
	case KindDeviceRemoved:
		return new(DeviceRemoved)
	case KindDepartmentPut:
		return new(DepartmentPut)
	case KindDepartmentRemoved:
		return new(DepartmentRemoved)
	case KindInvitePut:
		return new(InvitePut)
	case KindInviteRemoved:
		return new(InviteRemoved)
	case KindRoomPut:
		return new(RoomPut)
	case KindMembersChanged:
		return new(MembersChanged)
	case KindMessageSent:
		return new(MessageSent)
	case KindMessageEdited:
		return new(MessageEdited)
	case KindMessageRecalled:
		return new(MessageRecalled)
	case KindReactionSet:
		return new(ReactionSet)
	case KindPinSet:
		return new(PinSet)
	case KindReadMarked:
		return new(ReadMarked)
	case KindDeviceMarks:
		return new(DeviceMarks)
	case KindFileStored:
		return new(FileStored)
	case KindFileRemoved:
		return new(FileRemoved)
	case KindKVSet:
		return new(KVSet)
	case KindAccountOpened:
		return new(AccountOpened)
	case KindDevicesRemoved:
		return new(DevicesRemoved)
	case KindHookMade:
		return new(HookMade)
	case KindHookPut:
		return new(HookPut)
	case KindHookRemoved:
		return new(HookRemoved)
	case KindNoticePut:
		return new(NoticePut)
	case KindNoticeConfirmed:
		return new(NoticeConfirmed)
	case KindNoticeReminded:
		return new(NoticeReminded)
	case KindNoticeClosed:
		return new(NoticeClosed)
	case KindScheduledPut:
		return new(ScheduledPut)
	case KindScheduledRemoved:
		return new(ScheduledRemoved)
	case KindScheduledFailed:
		return new(ScheduledFailed)
	case KindAudited:
		return new(Audited)
	}
	return nil
}

// Organisation names the organisation.
type Organisation struct {
	Name string `cbor:"1,keyasint,omitempty"`
}

// User is an account as state keeps it, without its password.
type User struct {
	ID         id.ID  `cbor:"1,keyasint"`
	Login      string `cbor:"2,keyasint"` // canonical: lower case ASCII
	Name       string `cbor:"3,keyasint,omitempty"`
	Role       string `cbor:"4,keyasint"`
	Department id.ID  `cbor:"5,keyasint,omitempty"`
	Title      string `cbor:"6,keyasint,omitempty"`
	Email      string `cbor:"7,keyasint,omitempty"`
	Phone      string `cbor:"8,keyasint,omitempty"`
	Avatar     id.ID  `cbor:"9,keyasint,omitempty"`
	Bot        bool   `cbor:"10,keyasint,omitempty"`
	Disabled   bool   `cbor:"11,keyasint,omitempty"`
	Created    int64  `cbor:"12,keyasint"`           // Unix ms
	Probe      bool   `cbor:"13,keyasint,omitempty"` // a virtual user, left out of every figure about people
}

// UserPut makes an account or replaces its profile. Disabling ends all of the
// account's devices in the same step.
type UserPut struct {
	User User `cbor:"1,keyasint"`
}

// PasswordSet replaces an account's password and removes the devices listed.
type PasswordSet struct {
	User    id.ID   `cbor:"1,keyasint"`
	PHC     string  `cbor:"2,keyasint"` // argon2id in PHC string form
	Devices []id.ID `cbor:"3,keyasint,omitempty"`
}

// Device is one logged-in browser, app or bot.
type Device struct {
	ID      id.ID  `cbor:"1,keyasint"`
	User    id.ID  `cbor:"2,keyasint"`
	Name    string `cbor:"3,keyasint,omitempty"`
	Form    string `cbor:"4,keyasint"` // browser, app, bot
	Token   []byte `cbor:"5,keyasint"` // SHA-256 of the device token, 32 bytes
	Address string `cbor:"6,keyasint,omitempty"`
	Created int64  `cbor:"7,keyasint"` // Unix ms
	Idle    int64  `cbor:"8,keyasint"` // ms without use after which it ends; 0 = never
}

// DevicePut makes a device and ends the one it replaces, if any.
type DevicePut struct {
	Device   Device `cbor:"1,keyasint"`
	Replaces id.ID  `cbor:"2,keyasint,omitempty"`
}

// DeviceRemoved ends a device's session.
type DeviceRemoved struct {
	Device id.ID `cbor:"1,keyasint"`
	User   id.ID `cbor:"2,keyasint"`
}

// DevicesRemoved ends sessions that nobody used for too long.
type DevicesRemoved struct {
	Devices []id.ID `cbor:"1,keyasint"`
}

// Department is a node of the tree of departments.
type Department struct {
	ID     id.ID  `cbor:"1,keyasint"`
	Parent id.ID  `cbor:"2,keyasint,omitempty"`
	Name   string `cbor:"3,keyasint"`
	Order  int    `cbor:"4,keyasint,omitempty"`
}

// DepartmentPut makes or replaces a department.
type DepartmentPut struct {
	Department Department `cbor:"1,keyasint"`
}

// DepartmentRemoved removes an empty department.
type DepartmentRemoved struct {
	Department id.ID `cbor:"1,keyasint"`
}

// Invite is an invitation.
type Invite struct {
	ID         id.ID   `cbor:"1,keyasint"`
	Code       []byte  `cbor:"2,keyasint"` // SHA-256 of the secret of the link
	CreatedBy  id.ID   `cbor:"3,keyasint"`
	Created    int64   `cbor:"4,keyasint"`
	Expires    int64   `cbor:"5,keyasint"`
	Uses       int     `cbor:"6,keyasint"` // left
	Used       int     `cbor:"7,keyasint,omitempty"`
	Department id.ID   `cbor:"8,keyasint,omitempty"`
	Rooms      []id.ID `cbor:"9,keyasint,omitempty"`
	Note       string  `cbor:"10,keyasint,omitempty"`
}

// InvitePut makes an invitation.
type InvitePut struct {
	Invite Invite `cbor:"1,keyasint"`
}

// InviteRemoved makes an invitation worthless.
type InviteRemoved struct {
	Invite id.ID `cbor:"1,keyasint"`
}

// AccountOpened is a new account together with its password and, for setup and
// invitations, its first device: all of it or nothing.
type AccountOpened struct {
	User         User    `cbor:"1,keyasint"`
	PHC          string  `cbor:"2,keyasint,omitempty"`
	Device       *Device `cbor:"3,keyasint,omitempty"`
	Invite       id.ID   `cbor:"4,keyasint,omitempty"` // one use of it is spent
	Organisation string  `cbor:"5,keyasint,omitempty"` // set by the first owner
	Joins        []Join  `cbor:"6,keyasint,omitempty"`
}

// Join is a room that a new account joins, with the line that says so.
type Join struct {
	Room  id.ID  `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"`
	Count uint64 `cbor:"3,keyasint"`
	Role  string `cbor:"4,keyasint,omitempty"` // empty: member
}

// Room is a room as state keeps it, without members and messages.
type Room struct {
	ID        id.ID  `cbor:"1,keyasint"`
	Form      string `cbor:"2,keyasint"` // direct, group, channel, announcement, notes
	Name      string `cbor:"3,keyasint,omitempty"`
	Topic     string `cbor:"4,keyasint,omitempty"`
	Created   int64  `cbor:"5,keyasint"`
	CreatedBy id.ID  `cbor:"6,keyasint,omitempty"`
	Archived  bool   `cbor:"7,keyasint,omitempty"`
	Low       id.ID  `cbor:"8,keyasint,omitempty"` // direct: the smaller of the two accounts; notes: the account
	High      id.ID  `cbor:"9,keyasint,omitempty"` // direct: the larger
}

// RoomPut makes a room or replaces its properties. Seq 0 writes no line into
// the timeline.
type RoomPut struct {
	Room    Room     `cbor:"1,keyasint"`
	Members []Member `cbor:"2,keyasint,omitempty"` // first members, when it is made
	Seq     uint64   `cbor:"3,keyasint,omitempty"`
	Count   uint64   `cbor:"4,keyasint,omitempty"`
	Change  *Change  `cbor:"5,keyasint,omitempty"`
	Key     []byte   `cbor:"6,keyasint,omitempty"` // client key, 16 bytes
}

// Member is a member of a room.
type Member struct {
	User  id.ID  `cbor:"1,keyasint"`
	Role  string `cbor:"2,keyasint"`
	Since int64  `cbor:"3,keyasint"`
}

// MembersChanged adds, removes or re-roles members, with one line in the
// timeline. Seq 0 writes none.
type MembersChanged struct {
	Room    id.ID    `cbor:"1,keyasint"`
	Seq     uint64   `cbor:"2,keyasint"`
	Count   uint64   `cbor:"3,keyasint"`
	Put     []Member `cbor:"4,keyasint,omitempty"` // added or with a new role
	Removed []id.ID  `cbor:"5,keyasint,omitempty"`
	Change  Change   `cbor:"6,keyasint"`
}

// Change is what a line written by the room itself tells.
type Change struct {
	What  string  `cbor:"1,keyasint"`
	Users []id.ID `cbor:"2,keyasint,omitempty"`
	Role  string  `cbor:"3,keyasint,omitempty"`
	Text  string  `cbor:"4,keyasint,omitempty"`
}

// MessageSent is a message.
type MessageSent struct {
	Room     id.ID    `cbor:"1,keyasint"`
	Seq      uint64   `cbor:"2,keyasint"`
	Count    uint64   `cbor:"3,keyasint"`
	Key      []byte   `cbor:"4,keyasint"` // client key, a UUID of 16 bytes
	Text     string   `cbor:"5,keyasint,omitempty"`
	ReplyTo  uint64   `cbor:"6,keyasint,omitempty"`
	Thread   uint64   `cbor:"7,keyasint,omitempty"`
	Mentions []id.ID  `cbor:"8,keyasint,omitempty"`
	All      bool     `cbor:"9,keyasint,omitempty"`
	Files    []id.ID  `cbor:"10,keyasint,omitempty"`
	Foreign  *Foreign `cbor:"11,keyasint,omitempty"`
	Forward  *Forward `cbor:"12,keyasint,omitempty"`

	Scheduled id.ID  `cbor:"15,keyasint,omitempty"` // the scheduled message that this sends and removes
	Notice    id.ID  `cbor:"16,keyasint,omitempty"` // the notice that this shows in the room
	As        string `cbor:"17,keyasint,omitempty"` // name that a hook's message is shown with, instead of its bot's

	// Of a message that an import brought; the acting account is then the
	// operator, and Sender is who wrote it elsewhere, At when (Unix ms).
	Sender   id.ID     `cbor:"13,keyasint,omitempty"`
	At       int64     `cbor:"14,keyasint,omitempty"`
	Imported *Imported `cbor:"18,keyasint,omitempty"`
}

// Imported is what had happened to a message before it was imported.
type Imported struct {
	EditedAt  int64      `cbor:"1,keyasint,omitempty"` // last edit, Unix ms; 0 = never
	PinnedAt  int64      `cbor:"2,keyasint,omitempty"` // Unix ms; 0 = not pinned
	Reactions []Reaction `cbor:"3,keyasint,omitempty"`
}

// Reaction is one emoji under an imported message and who put it there.
type Reaction struct {
	Emoji string  `cbor:"1,keyasint"`
	Users []id.ID `cbor:"2,keyasint"`
}

// Foreign is a payload that a bot or gateway carries.
type Foreign struct {
	Type    string `cbor:"1,keyasint"`
	Payload []byte `cbor:"2,keyasint"` // JSON
}

// Forward is where a forwarded message came from.
type Forward struct {
	Room   id.ID  `cbor:"1,keyasint"`
	Seq    uint64 `cbor:"2,keyasint"`
	Sender id.ID  `cbor:"3,keyasint"`
	Time   int64  `cbor:"4,keyasint"`
}

// MessageEdited replaces a message's text; state keeps the earlier one.
type MessageEdited struct {
	Room     id.ID   `cbor:"1,keyasint"`
	Seq      uint64  `cbor:"2,keyasint"`
	Version  int     `cbor:"3,keyasint"` // 1 = first edit
	Text     string  `cbor:"4,keyasint"`
	Mentions []id.ID `cbor:"5,keyasint,omitempty"`
	All      bool    `cbor:"6,keyasint,omitempty"`
}

// MessageRecalled takes a message back. State drops the text, its revisions
// and its files; the journal keeps the record of what was said and done.
type MessageRecalled struct {
	Room id.ID  `cbor:"1,keyasint"`
	Seq  uint64 `cbor:"2,keyasint"`
}

// ReactionSet puts or takes away a reaction of the acting account.
type ReactionSet struct {
	Room  id.ID  `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"`
	Emoji string `cbor:"3,keyasint"`
	On    bool   `cbor:"4,keyasint,omitempty"`
}

// PinSet pins or unpins a message.
type PinSet struct {
	Room id.ID  `cbor:"1,keyasint"`
	Seq  uint64 `cbor:"2,keyasint"`
	On   bool   `cbor:"3,keyasint,omitempty"`
}

// ReadMarked moves the acting account's read mark forward.
type ReadMarked struct {
	Room  id.ID  `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"`
	Count uint64 `cbor:"3,keyasint"` // count of the message at Seq
}

// DeviceMark is how far one device has got.
type DeviceMark struct {
	Device   id.ID  `cbor:"1,keyasint"`
	Pushed   uint64 `cbor:"2,keyasint,omitempty"` // journal position
	PushedAt int64  `cbor:"3,keyasint,omitempty"` // Unix ms
	Acked    uint64 `cbor:"4,keyasint,omitempty"`
	AckedAt  int64  `cbor:"5,keyasint,omitempty"`
	Seen     int64  `cbor:"6,keyasint,omitempty"` // last sign of life, Unix ms
}

// DeviceMarks is what a second of pushing and acknowledging came to.
type DeviceMarks struct {
	Marks []DeviceMark `cbor:"1,keyasint"`
}

// File is an attachment.
type File struct {
	ID       id.ID  `cbor:"1,keyasint"`
	Name     string `cbor:"2,keyasint"`
	Size     int64  `cbor:"3,keyasint"`
	Type     string `cbor:"4,keyasint"`
	SHA256   []byte `cbor:"5,keyasint"`
	Width    int    `cbor:"6,keyasint,omitempty"`
	Height   int    `cbor:"7,keyasint,omitempty"`
	Duration int64  `cbor:"8,keyasint,omitempty"`
	Voice    bool   `cbor:"9,keyasint,omitempty"`
	Owner    id.ID  `cbor:"10,keyasint"`
	Created  int64  `cbor:"11,keyasint"`
	Upload   string `cbor:"12,keyasint,omitempty"` // id of the upload it came from: the same upload again is the same file
}

// FileStored is a finished upload whose content is on disk.
type FileStored struct {
	File File `cbor:"1,keyasint"`
}

// FileRemoved forgets a file that nothing refers to any more.
type FileRemoved struct {
	Files []id.ID `cbor:"1,keyasint"`
}

// KVSet sets or removes an entry of a person's or device's store.
type KVSet struct {
	Subject id.ID  `cbor:"1,keyasint"` // account or device
	Device  bool   `cbor:"2,keyasint,omitempty"`
	Key     string `cbor:"3,keyasint"`
	Value   []byte `cbor:"4,keyasint,omitempty"` // JSON; empty = removed
}

// Hook is a door of a room for another program: it posts here, is told of what
// happens here, or answers a command.
type Hook struct {
	ID       id.ID    `cbor:"1,keyasint"`
	Form     string   `cbor:"2,keyasint"`           // incoming, outgoing, command
	Room     id.ID    `cbor:"3,keyasint,omitempty"` // none: a command of every room
	Bot      id.ID    `cbor:"4,keyasint"`           // account that its messages are sent by
	Name     string   `cbor:"5,keyasint"`
	Text     string   `cbor:"6,keyasint,omitempty"`  // what it is for
	Token    []byte   `cbor:"7,keyasint,omitempty"`  // incoming: SHA-256 of the token of the URL, 32 bytes
	Secret   string   `cbor:"8,keyasint,omitempty"`  // as it is: signatures are made and checked with it
	Format   string   `cbor:"9,keyasint,omitempty"`  // incoming: pinned format
	Keywords []string `cbor:"10,keyasint,omitempty"` // incoming: a message needs one of them
	Names    bool     `cbor:"11,keyasint,omitempty"` // incoming: a payload may name its sender
	Lang     string   `cbor:"12,keyasint,omitempty"` // zh or en: of words that the hook adds
	URL      string   `cbor:"13,keyasint,omitempty"` // outgoing, command: where to
	Events   []string `cbor:"14,keyasint,omitempty"` // outgoing
	Words    []string `cbor:"15,keyasint,omitempty"` // outgoing: a message begins with one of them
	Word     string   `cbor:"16,keyasint,omitempty"` // command, without the slash
	Hint     string   `cbor:"17,keyasint,omitempty"` // command: its arguments
	Disabled bool     `cbor:"18,keyasint,omitempty"`
	Creator  id.ID    `cbor:"19,keyasint,omitempty"`
	Created  int64    `cbor:"20,keyasint"`           // Unix ms
	Since    uint64   `cbor:"21,keyasint,omitempty"` // journal position after which an outgoing one is told
}

// HookMade is a new hook together with its bot, who joins the room.
type HookMade struct {
	Hook Hook   `cbor:"1,keyasint"`
	Bot  User   `cbor:"2,keyasint"`
	Seq  uint64 `cbor:"3,keyasint,omitempty"` // of the line that says so; 0 = the hook has no room
	Role string `cbor:"4,keyasint,omitempty"` // of the bot in the room
	// Count of the room at that line.
	Count uint64 `cbor:"5,keyasint,omitempty"`
}

// HookPut replaces a hook's properties; its bot goes by its name.
type HookPut struct {
	Hook Hook `cbor:"1,keyasint"`
}

// HookRemoved ends a hook: its bot is disabled and leaves the room.
type HookRemoved struct {
	Hook  id.ID  `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint,omitempty"` // of the line that says so; 0 = the bot was in no room
	Count uint64 `cbor:"3,keyasint,omitempty"`
	Room  id.ID  `cbor:"4,keyasint,omitempty"`
	Bot   id.ID  `cbor:"5,keyasint"`
}

// Kind implements Body.
func (*Organisation) Kind() Kind      { return KindOrganisation }
func (*UserPut) Kind() Kind           { return KindUserPut }
func (*PasswordSet) Kind() Kind       { return KindPasswordSet }
func (*DevicePut) Kind() Kind         { return KindDevicePut }
func (*DeviceRemoved) Kind() Kind     { return KindDeviceRemoved }
func (*DevicesRemoved) Kind() Kind    { return KindDevicesRemoved }
func (*DepartmentPut) Kind() Kind     { return KindDepartmentPut }
func (*DepartmentRemoved) Kind() Kind { return KindDepartmentRemoved }
func (*InvitePut) Kind() Kind         { return KindInvitePut }
func (*InviteRemoved) Kind() Kind     { return KindInviteRemoved }
func (*AccountOpened) Kind() Kind     { return KindAccountOpened }
func (*RoomPut) Kind() Kind           { return KindRoomPut }
func (*MembersChanged) Kind() Kind    { return KindMembersChanged }
func (*MessageSent) Kind() Kind       { return KindMessageSent }
func (*MessageEdited) Kind() Kind     { return KindMessageEdited }
func (*MessageRecalled) Kind() Kind   { return KindMessageRecalled }
func (*ReactionSet) Kind() Kind       { return KindReactionSet }
func (*PinSet) Kind() Kind            { return KindPinSet }
func (*ReadMarked) Kind() Kind        { return KindReadMarked }
func (*DeviceMarks) Kind() Kind       { return KindDeviceMarks }
func (*FileStored) Kind() Kind        { return KindFileStored }
func (*FileRemoved) Kind() Kind       { return KindFileRemoved }
func (*KVSet) Kind() Kind             { return KindKVSet }
func (*HookMade) Kind() Kind          { return KindHookMade }
func (*HookPut) Kind() Kind           { return KindHookPut }
func (*HookRemoved) Kind() Kind       { return KindHookRemoved }
