package wire

import (
	"reflect"

	"posthouse/appliance/id"
)

// EventType names what an event tells.
type EventType string

// Events that are records: they carry a position and are sent again after an
// absence.
const (
	EventMessage    EventType = "message"    // Message: a new entry of a room
	EventEdited     EventType = "edited"     // Message: its text changed
	EventRecalled   EventType = "recalled"   // Message: taken back
	EventReaction   EventType = "reaction"   // ReactionChange
	EventPinned     EventType = "pinned"     // PinChange
	EventThread     EventType = "thread"     // ThreadChange: a thread has a new reply
	EventRead       EventType = "read"       // ReadChange
	EventRoom       EventType = "room"       // RoomChange: name, topic, archive
	EventJoined     EventType = "joined"     // RoomRef: the caller is now a member
	EventLeft       EventType = "left"       // RoomRef: the caller no longer is
	EventMembers    EventType = "members"    // MembersChanged
	EventUser       EventType = "user"       // User: a profile changed
	EventDepartment EventType = "department" // DepartmentChanged
	EventKV         EventType = "kv"         // KVChange: of the caller
	EventDevices    EventType = "devices"    // DevicesChanged: of the caller
	EventNotice     EventType = "notice"     // NoticeChange: of one that asks the caller or that the caller sent
	EventScheduled  EventType = "scheduled"  // ScheduledChange: of the caller
)

// Events that are not records: they carry no position.
const (
	EventTyping   EventType = "typing"   // Typing
	EventPresence EventType = "presence" // PresenceList: changes only
	EventReceipts EventType = "receipts" // ReceiptList
	EventDrain    EventType = "drain"    // Drain: the server stops; come back later
	EventReset    EventType = "reset"    // ResetNotice: too slow; call sync.start again
)

type (
	ReactionChange struct {
		Message id.Message `json:"message" doc:"message|消息"`
		User    id.ID      `json:"user" doc:"who|谁"`
		Emoji   string     `json:"emoji" doc:"reaction|表情"`
		On      bool       `json:"on" doc:"put or taken away|添加或移除"`
	}
	PinChange struct {
		Message id.Message `json:"message" doc:"message|消息"`
		By      id.ID      `json:"by" doc:"who|谁"`
		At      int64      `json:"at" doc:"when, ms; 0 = unpinned|时间（毫秒），0 为取消"`
	}
	ThreadChange struct {
		Message   id.Message `json:"message" doc:"first message of the thread|话题首条消息"`
		Replies   int        `json:"replies" doc:"messages in the thread|话题回复数"`
		LastReply int64      `json:"last_reply" doc:"time of the newest of them, ms|最新回复时间（毫秒）"`
	}
	ReadChange struct {
		Room  id.ID  `json:"room" doc:"room|房间"`
		User  id.ID  `json:"user" doc:"who|谁"`
		Seq   uint64 `json:"seq" doc:"read up to|已读序号"`
		Count uint64 `json:"count" doc:"count of the message read up to|该消息的 count"`
		At    int64  `json:"at" doc:"when, ms|时间（毫秒）"`
	}
	RoomChange struct {
		Room     id.ID  `json:"room" doc:"room|房间"`
		Name     string `json:"name" doc:"name|名称"`
		Topic    string `json:"topic" doc:"topic|主题"`
		Archived bool   `json:"archived" doc:"archived|已归档"`
	}
	RoomRef struct {
		Room id.ID `json:"room" doc:"room|房间"`
	}
	MembersChanged struct {
		Room    id.ID      `json:"room" doc:"room|房间"`
		Added   []id.ID    `json:"added,omitzero" doc:"now members|新成员"`
		Removed []id.ID    `json:"removed,omitzero" doc:"no longer members|已移除"`
		Role    MemberRole `json:"role,omitzero" doc:"role of the added, or new role|角色"`
	}
	DepartmentChanged struct {
		Department Department `json:"department" doc:"department|部门"`
		Removed    bool       `json:"removed,omitzero" doc:"it is gone|已删除"`
	}
	KVChange struct {
		Scope string `json:"scope" doc:"user or device|user 或 device"`
		Entry KV     `json:"entry" doc:"entry; value null = removed|条目；值为 null 即删除"`
	}
	DevicesChanged struct {
		User id.ID `json:"user" doc:"whose devices|谁的设备"`
	}
	Typing struct {
		Room id.ID `json:"room" doc:"room|房间"`
		User id.ID `json:"user" doc:"who|谁"`
	}
	ReceiptList struct {
		Receipts []Receipt `json:"receipts" doc:"how far devices have got|各设备进度"`
	}
	Drain struct {
		ReconnectAfterMS int64 `json:"reconnect_after_ms" doc:"wait this long, then reconnect|等待多少毫秒后重连"`
	}
	ResetNotice struct {
		Reason string `json:"reason" doc:"why|原因"`
	}
)

// EventSpec is one row of the table of events.
type EventSpec struct {
	Type   EventType
	Data   reflect.Type
	Record bool // carries a position
	Doc    Text
}

// Events is the table of events, in the order of the reference.
func Events() []EventSpec {
	r := func(t EventType, data reflect.Type, record bool, en, zh string) EventSpec {
		return EventSpec{t, data, record, Text{en, zh}}
	}
	return []EventSpec{
		r(EventMessage, reflect.TypeFor[Message](), true, "A new entry of a room.", "房间新条目。"),
		r(EventEdited, reflect.TypeFor[Message](), true, "The message as it is after an edit.", "编辑后的消息。"),
		r(EventRecalled, reflect.TypeFor[Message](), true, "The message after it was taken back.", "撤回后的消息。"),
		r(EventReaction, reflect.TypeFor[ReactionChange](), true, "A reaction was put or taken away.", "表情回应变化。"),
		r(EventPinned, reflect.TypeFor[PinChange](), true, "A message was pinned or unpinned.", "置顶变化。"),
		r(EventThread, reflect.TypeFor[ThreadChange](), true, "A thread has a new reply.", "话题有新回复。"),
		r(EventRead, reflect.TypeFor[ReadChange](), true, "A read mark moved: one's own always, others' in small rooms.", "已读位置变化：自己的总会推送，他人的仅在小房间推送。"),
		r(EventRoom, reflect.TypeFor[RoomChange](), true, "A room's name, topic or archive changed.", "房间名称、主题或归档变化。"),
		r(EventJoined, reflect.TypeFor[RoomRef](), true, "The caller became a member: ask room.get.", "自己成为成员：请调用 room.get。"),
		r(EventLeft, reflect.TypeFor[RoomRef](), true, "The caller is no longer a member: forget the room.", "自己不再是成员：请移除该房间。"),
		r(EventMembers, reflect.TypeFor[MembersChanged](), true, "Members or their roles changed.", "成员或角色变化。"),
		r(EventUser, reflect.TypeFor[User](), true, "A profile changed or an account was made.", "资料变化或新账号。"),
		r(EventDepartment, reflect.TypeFor[DepartmentChanged](), true, "The tree of departments changed.", "部门树变化。"),
		r(EventKV, reflect.TypeFor[KVChange](), true, "An entry of the caller's key-value store changed.", "调用者键值变化。"),
		r(EventDevices, reflect.TypeFor[DevicesChanged](), true, "The caller's list of devices changed.", "调用者设备变化。"),
		r(EventNotice, reflect.TypeFor[NoticeChange](), true, "A notice was sent, confirmed, reminded of or closed.", "通知已发送、确认、提醒或关闭。"),
		r(EventScheduled, reflect.TypeFor[ScheduledChange](), true, "A scheduled message of the caller was put, removed, sent or could not be sent.", "调用者的定时消息已保存、删除、发送或发送失败。"),
		r(EventTyping, reflect.TypeFor[Typing](), false, "Somebody is typing; true for 5 seconds.", "有人正在输入，5 秒内有效。"),
		r(EventPresence, reflect.TypeFor[PresenceList](), false, "Presence of watched people changed.", "关注人员在线状态变化。"),
		r(EventReceipts, reflect.TypeFor[ReceiptList](), false, "Devices received or acknowledged messages.", "设备收到或确认了消息。"),
		r(EventDrain, reflect.TypeFor[Drain](), false, "The server stops; reconnect after the time given.", "服务器即将停止，请在指定时间后重连。"),
		r(EventReset, reflect.TypeFor[ResetNotice](), false, "This connection fell too far behind: call sync.start again.", "此连接落后太多：请重新调用 sync.start。"),
	}
}
