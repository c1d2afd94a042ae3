package wire

import (
	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
)

// Role is what an account may do on the whole box.
type Role string

// Roles, from most to least. An auditor sees what an admin sees and changes
// nothing.
const (
	Owner   Role = "owner"
	Admin   Role = "admin"
	Auditor Role = "auditor"
	Member  Role = "member"
)

// MemberRole is what a member may do in one room.
type MemberRole string

// Room roles, from most to least; a reader reads and reacts, no more.
const (
	RoomOwner     MemberRole = "owner"
	RoomModerator MemberRole = "moderator"
	RoomPlain     MemberRole = "member"
	RoomReader    MemberRole = "reader"
)

// RoomKind is the shape of a room.
type RoomKind string

// The kinds of rooms.
const (
	Direct       RoomKind = "direct"       // two people; made by room.direct
	Group        RoomKind = "group"        // private, members are added
	Channel      RoomKind = "channel"      // anyone may find and join it
	Announcement RoomKind = "announcement" // anyone may join, owners and moderators write
	Notes        RoomKind = "notes"        // one person's notes to self
)

// User is a person or bot as others see it.
type User struct {
	ID         id.ID  `json:"id" doc:"account|账号"`
	Login      string `json:"login" doc:"name to log in with and to mention|登录名，也用于 @"`
	Name       string `json:"name" doc:"display name|显示名"`
	Role       Role   `json:"role" doc:"owner, admin, auditor or member|角色"`
	Department id.ID  `json:"department,omitzero" doc:"department|部门"`
	Title      string `json:"title,omitzero" doc:"position in the organisation|职务"`
	Email      string `json:"email,omitzero" doc:"e-mail address|邮箱"`
	Phone      string `json:"phone,omitzero" doc:"phone number|电话"`
	Avatar     id.ID  `json:"avatar,omitzero" doc:"picture, a file|头像文件"`
	Bot        bool   `json:"bot,omitzero" doc:"a program, not a person|机器人"`
	Disabled   bool   `json:"disabled,omitzero" doc:"may not log in|已停用"`
	Created    int64  `json:"created" doc:"time, ms|创建时间（毫秒）"`
	Probe      bool   `json:"probe,omitzero" doc:"a virtual user that tests the server; not in the directory, and in no figure about people|用于检测服务器的虚拟用户，不在通讯录中，也不计入任何业务数据"`
}

// Department is a node of the tree of departments.
type Department struct {
	ID     id.ID  `json:"id" doc:"department|部门"`
	Parent id.ID  `json:"parent,omitzero" doc:"department above; none at the top|上级部门"`
	Name   string `json:"name" doc:"name|名称"`
	Order  int    `json:"order,omitzero" doc:"place among its siblings|排序"`
	People int    `json:"people,omitzero" doc:"accounts in it and below, without disabled ones; in department.list only|本部门及下级的账号数，不含已停用；仅 department.list 提供"`
}

// Device is one logged-in browser, app or bot of an account.
type Device struct {
	ID       id.ID  `json:"id" doc:"device|设备"`
	User     id.ID  `json:"user" doc:"account|账号"`
	Name     string `json:"name" doc:"what it calls itself|设备名"`
	Kind     string `json:"kind" doc:"browser, app or bot|browser、app 或 bot"`
	Address  string `json:"address,omitzero" doc:"address it logged in from|登录时的地址"`
	Created  int64  `json:"created" doc:"time of login, ms|登录时间（毫秒）"`
	LastSeen int64  `json:"last_seen" doc:"time it was last connected, ms|最近在线（毫秒）"`
	Online   bool   `json:"online" doc:"has a live connection now|当前在线"`
	Current  bool   `json:"current,omitzero" doc:"the device that asks|即本设备"`
}

// Room is a room as one member sees it.
type Room struct {
	ID          id.ID      `json:"id" doc:"room|房间"`
	Kind        RoomKind   `json:"kind" doc:"direct, group, channel, announcement or notes|房间类型"`
	Name        string     `json:"name" doc:"name; empty for direct rooms|名称；私聊为空"`
	Topic       string     `json:"topic,omitzero" doc:"what it is about|主题"`
	Created     int64      `json:"created" doc:"time, ms|创建时间（毫秒）"`
	CreatedBy   id.ID      `json:"created_by,omitzero" doc:"account that made it|创建者"`
	Archived    bool       `json:"archived,omitzero" doc:"nobody can write any more|已归档，不可再发言"`
	Members     int        `json:"members" doc:"number of members|成员数"`
	Peer        id.ID      `json:"peer,omitzero" doc:"the other person of a direct room|私聊对方"`
	Head        uint64     `json:"head" doc:"sequence number of the newest entry|最新条目的序号"`
	Position    uint64     `json:"position" doc:"journal position of the newest entry|最新条目的日志位置"`
	Last        *Message   `json:"last,omitzero" doc:"newest entry|最新条目"`
	MyRole      MemberRole `json:"my_role,omitzero" doc:"the caller's role; empty if not a member|调用者的角色"`
	MyRead      uint64     `json:"my_read" doc:"sequence number the caller has read up to|已读到的序号"`
	Unread      uint64     `json:"unread" doc:"messages after my_read, derived|未读数，由已读位置推算"`
	MentionsNew int        `json:"mentions_new,omitzero" doc:"unread messages that mention the caller|未读的@数"`
}

// RoomMember is a member of a room.
type RoomMember struct {
	User   id.ID      `json:"user" doc:"account|账号"`
	Role   MemberRole `json:"role" doc:"role in the room|房间内角色"`
	Since  int64      `json:"since" doc:"time of joining, ms|加入时间（毫秒）"`
	Read   uint64     `json:"read" doc:"sequence number read up to|已读到的序号"`
	ReadAt int64      `json:"read_at,omitzero" doc:"time of that, ms|已读时间（毫秒）"`
}

// File is an attachment. Content: GET /files/<id>/<name>; a picture also has
// GET /files/<id>/thumbnail/<edge>.
type File struct {
	ID       id.ID  `json:"id" doc:"file|文件"`
	Name     string `json:"name" doc:"name, made safe|安全化后的文件名"`
	Size     int64  `json:"size" doc:"bytes|字节数"`
	Type     string `json:"type" doc:"media type it is served with|媒体类型"`
	SHA256   string `json:"sha256" doc:"hash of the content, hex|内容的 SHA-256"`
	Width    int    `json:"width,omitzero" doc:"pixels, pictures|宽（像素）"`
	Height   int    `json:"height,omitzero" doc:"pixels, pictures|高（像素）"`
	Duration int64  `json:"duration_ms,omitzero" doc:"length of a voice note, ms|语音时长（毫秒）"`
	Voice    bool   `json:"voice,omitzero" doc:"recorded as a voice note|语音消息"`
	Owner    id.ID  `json:"owner" doc:"account that uploaded it|上传者"`
	Created  int64  `json:"created" doc:"time, ms|上传时间（毫秒）"`
}

// Foreign is a payload that a bot or gateway carries in a message. Posthouse
// keeps it as it is; the message's text is the plain-text fallback.
type Foreign struct {
	Type    string         `json:"type" doc:"namespaced type, such as com.example.poll|带命名空间的类型"`
	Payload jsontext.Value `json:"payload" doc:"any JSON value up to 16 KiB|任意 JSON 值，最多 16 KiB"`
}

// Forwarded says where a forwarded message came from.
type Forwarded struct {
	Message id.Message `json:"message,omitzero" doc:"the original|原消息"`
	Sender  id.ID      `json:"sender" doc:"who wrote it|原作者"`
	Time    int64      `json:"time" doc:"when, ms|原发送时间（毫秒）"`
}

// Reaction is one emoji under a message and who put it there.
type Reaction struct {
	Emoji string  `json:"emoji" doc:"emoji or short text, 1-32 bytes|表情，1-32 字节"`
	Users []id.ID `json:"users" doc:"who, in order|表态的人，按先后"`
}

// Recalled tells that a message was taken back for everyone. The text is gone
// from clients; that it was there stays visible.
type Recalled struct {
	By id.ID `json:"by" doc:"account|撤回者"`
	At int64 `json:"at" doc:"time, ms|撤回时间（毫秒）"`
}

// Change is what a line written by the room itself tells.
type Change struct {
	What  string     `json:"what" doc:"created, joined, added, left, removed, role, renamed, topic, archived or restored|变化种类"`
	Users []id.ID    `json:"users,omitzero" doc:"whom it concerns|涉及的人"`
	Role  MemberRole `json:"role,omitzero" doc:"new role|新角色"`
	Text  string     `json:"text,omitzero" doc:"new name or topic|新名称或主题"`
}

// Message is one entry of a room's timeline.
type Message struct {
	ID         id.Message  `json:"id" doc:"opaque message id|消息 ID（不透明）"`
	Room       id.ID       `json:"room" doc:"room|房间"`
	Seq        uint64      `json:"seq" doc:"number in the room, from 1, without gaps|房间内序号，从 1 起无间断"`
	Count      uint64      `json:"count" doc:"messages up to this one, without lines of the room itself|到此为止的消息数（不含系统行）"`
	Position   uint64      `json:"position" doc:"journal position|日志位置"`
	Time       int64       `json:"time" doc:"when it was stored, ms|存储时间（毫秒）"`
	Sender     id.ID       `json:"sender" doc:"author, or actor of a change|作者"`
	Key        string      `json:"key,omitzero" doc:"the sender's client key|发送方客户端键"`
	As         string      `json:"as,omitzero" doc:"name to show instead of the sender's: a hook that may name its senders set it|显示名：允许自定名称的钩子所设"`
	Text       string      `json:"text,omitzero" doc:"text in the Markdown subset, or the fallback of foreign|文本（Markdown 子集）"`
	ReplyTo    uint64      `json:"reply_to,omitzero" doc:"sequence number of the message answered|所回复消息的序号"`
	Thread     uint64      `json:"thread,omitzero" doc:"sequence number of the thread's first message|所属话题首条的序号"`
	Mentions   []id.ID     `json:"mentions,omitzero" doc:"people mentioned|被@的人"`
	MentionAll bool        `json:"mention_all,omitzero" doc:"@all|@所有人"`
	Files      []File      `json:"files,omitzero" doc:"attachments|附件"`
	Foreign    *Foreign    `json:"foreign,omitzero" doc:"payload of a bot or gateway|机器人或网关的载荷"`
	Forwarded  *Forwarded  `json:"forwarded,omitzero" doc:"origin of a forwarded message|转发来源"`
	Change     *Change     `json:"change,omitzero" doc:"set when the room itself speaks|房间系统行"`
	Edits      int         `json:"edits,omitzero" doc:"how often it was edited|编辑次数"`
	EditedAt   int64       `json:"edited_at,omitzero" doc:"last edit, ms|最后编辑时间（毫秒）"`
	Recalled   *Recalled   `json:"recalled,omitzero" doc:"taken back for everyone|已撤回"`
	Reactions  []Reaction  `json:"reactions,omitzero" doc:"reactions|表情回应"`
	PinnedAt   int64       `json:"pinned_at,omitzero" doc:"pinned, ms|置顶时间（毫秒）"`
	PinnedBy   id.ID       `json:"pinned_by,omitzero" doc:"who pinned it|置顶者"`
	Replies    int         `json:"replies,omitzero" doc:"messages in the thread it began|话题回复数"`
	LastReply  int64       `json:"last_reply,omitzero" doc:"time of the newest of them, ms|最新话题回复的时间（毫秒）"`
	Preview    *ReplyQuote `json:"preview,omitzero" doc:"the message answered, shortened|被回复消息的摘要"`
	Notice     id.ID       `json:"notice,omitzero" doc:"the notice that it shows|所展示的通知"`
	Imported   bool        `json:"imported,omitzero" doc:"brought over from another system, whose author and time it shows: tell nobody about it|由其他系统导入，作者与时间为原始值：不要通知任何人"`
}

// ReplyQuote is the beginning of a message that another one answers.
type ReplyQuote struct {
	Sender id.ID  `json:"sender" doc:"who wrote it|作者"`
	Text   string `json:"text" doc:"the first 120 characters|前 120 个字符"`
}

// Step is how far one device of one person is with a message.
type Step struct {
	User     id.ID  `json:"user" doc:"account|账号"`
	Device   id.ID  `json:"device" doc:"device|设备"`
	Name     string `json:"name" doc:"device name|设备名"`
	Online   bool   `json:"online" doc:"connected now|当前在线"`
	State    string `json:"state" doc:"stored, pushed, acknowledged or read|状态"`
	PushedAt int64  `json:"pushed_at,omitzero" doc:"written to its connection, ms; exact to a second|推送时间（毫秒）"`
	AckedAt  int64  `json:"acked_at,omitzero" doc:"the device confirmed it, ms; exact to a second|确认时间（毫秒）"`
	ReadAt   int64  `json:"read_at,omitzero" doc:"the person's read mark passed it, ms|已读时间（毫秒）"`
	LastSeen int64  `json:"last_seen,omitzero" doc:"the device was last connected, ms|设备最近连接时间（毫秒）"`
}

// Invite is an invitation link.
type Invite struct {
	ID         id.ID   `json:"id" doc:"invitation|邀请"`
	Code       string  `json:"code,omitzero" doc:"secret of the link; shown once|链接密钥，只显示一次"`
	URL        string  `json:"url,omitzero" doc:"link; shown once|链接，只显示一次"`
	QR         string  `json:"qr,omitzero" doc:"QR code of the link as a data: URL (PNG); shown once|二维码"`
	CreatedBy  id.ID   `json:"created_by" doc:"account|创建者"`
	Created    int64   `json:"created" doc:"time, ms|创建时间（毫秒）"`
	Expires    int64   `json:"expires" doc:"time, ms|失效时间（毫秒）"`
	Uses       int     `json:"uses" doc:"how many may still use it|剩余可用次数"`
	Used       int     `json:"used" doc:"how many did|已用次数"`
	Department id.ID   `json:"department,omitzero" doc:"department they are put in|加入的部门"`
	Rooms      []id.ID `json:"rooms,omitzero" doc:"rooms they join|自动加入的房间"`
	Note       string  `json:"note,omitzero" doc:"remark|备注"`
}

// Usage is storage used by one person or room.
type Usage struct {
	Subject id.ID `json:"subject" doc:"account or room|账号或房间"`
	Files   int   `json:"files" doc:"number of files|文件数"`
	Bytes   int64 `json:"bytes" doc:"bytes used|已用字节"`
	Quota   int64 `json:"quota" doc:"bytes allowed|配额字节"`
}

// Presence tells whether a person can be reached.
type Presence struct {
	User  id.ID  `json:"user" doc:"account|账号"`
	State string `json:"state" doc:"online, suspect (a connection is silent) or offline|在线、可疑（连接无响应）或离线"`
	Since int64  `json:"since,omitzero" doc:"in this state since, ms|此状态开始时间（毫秒）"`
}

// KV is one entry of the key-value store of a person or device.
type KV struct {
	Key     string         `json:"key" doc:"1-128 bytes|键，1-128 字节"`
	Value   jsontext.Value `json:"value" doc:"any JSON value up to 16 KiB|任意 JSON 值，最多 16 KiB"`
	Version uint64         `json:"version" doc:"journal position of the last change|最后修改的日志位置"`
}

// Receipt tells how far one device has got with a room. Receipts are not
// records; the durable form is what message.journey answers.
type Receipt struct {
	Room   id.ID  `json:"room" doc:"room|房间"`
	User   id.ID  `json:"user" doc:"account|账号"`
	Device id.ID  `json:"device" doc:"device|设备"`
	Pushed uint64 `json:"pushed" doc:"sequence number pushed up to|已推送到的序号"`
	Acked  uint64 `json:"acked" doc:"sequence number acknowledged up to|已确认到的序号"`
}
