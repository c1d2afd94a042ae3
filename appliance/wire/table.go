package wire

import "reflect"

// Access is who may call a method. Finer rules (membership, room roles) are
// decided by the state.
type Access int

// Access levels. Operator is the local command line over the unix socket;
// it may call everything.
const (
	Public   Access = iota // nobody needs to be logged in
	LoggedIn               // any account
	Sees                   // auditor, admin, owner
	Manages                // admin, owner
	Operator               // the command line on the box
)

// String names the level in the reference.
func (a Access) String() string {
	return [...]string{"public", "logged in", "auditor, admin or owner", "admin or owner", "operator on the box"}[a]
}

// Class is the rate limit a method counts against.
type Class int

// Classes of methods.
const (
	Query Class = iota // reads
	Write              // changes
	Post               // messages
	Auth               // passwords: counted per account and per address
	Free               // heartbeats and acknowledgements: not counted
)

// Spec is one row of the table of methods.
type Spec struct {
	Name   string
	Params reflect.Type // a struct type of this package
	Result reflect.Type
	Access Access
	Class  Class
	Socket bool // needs a connection: WebSocket only
	Doc    Text
}

func row[P, R any](name string, access Access, class Class, en, zh string) Spec {
	return Spec{Name: name, Params: reflect.TypeFor[P](), Result: reflect.TypeFor[R](),
		Access: access, Class: class, Doc: Text{en, zh}}
}

func socket(s Spec) Spec { s.Socket = true; return s }

// Table is the one table of methods, in the order of the reference.
func Table() []Spec {
	var t []Spec
	for _, part := range [][]Spec{accountTable(), directoryTable(), roomTable(), messageTable(), noticeTable(), dataTable(), searchTable(), hookTable(), operatorTable(), auditTable(), importTable()} {
		t = append(t, part...)
	}
	return t
}

func accountTable() []Spec {
	return []Spec{
		row[Empty, ServerInfo]("server.info", Public, Query, "What this server is and whether it waits for its first owner.", "服务器信息以及是否等待初始化。"),
		row[SetupParams, Session]("setup.complete", Public, Auth, "Makes the first owner with the token of the setup link and logs in. Works once.", "使用初始化链接的令牌创建首位所有者并登录，仅一次有效。"),
		row[LoginParams, Session]("session.login", Public, Auth, "Logs in and makes a device.", "登录并创建设备。"),
		row[Empty, Session]("session.me", LoggedIn, Query, "Who is logged in on this device.", "本设备登录的是谁。"),
		row[ConfirmParams, Done]("session.confirm", LoggedIn, Auth, "Checks the caller's own password once more, before something dangerous. Changes nothing.", "在危险操作之前再次核对本人密码，不做任何更改。"),
		row[Empty, Done]("session.logout", LoggedIn, Write, "Ends this device's session; its token is worthless afterwards.", "结束本设备会话，令牌随即失效。"),
		row[UserOptional, DeviceList]("session.devices", LoggedIn, Query, "Devices of the caller (or, for auditors and above, of anyone).", "调用者（审计员及以上可查任何人）的设备。"),
		row[DeviceParam, Done]("session.revoke", LoggedIn, Write, "Ends a device's session: its connections close within a second. One's own; an admin also those of others, an owner's excepted.", "吊销设备：其连接在一秒内断开。本人的设备；管理员还可吊销他人的，所有者的除外。"),
		row[PasswordParams, Done]("account.password", LoggedIn, Auth, "Changes the caller's password and ends all other sessions.", "修改密码并结束其他会话。"),
		row[ProfileParams, UserResult]("account.update", LoggedIn, Write, "Changes the caller's profile; absent fields stay.", "修改个人资料，缺省字段不变。"),
		row[InviteCode, InviteInfo]("invite.show", Public, Auth, "Tells who invites, before one accepts.", "接受前查看邀请信息。"),
		row[InviteAccept, Session]("invite.accept", Public, Auth, "Makes an account from an invitation and logs in.", "凭邀请创建账号并登录。"),
	}
}

func directoryTable() []Spec {
	return []Spec{
		row[DirectoryParams, UserList]("directory.list", LoggedIn, Query, "Finds people by name, login or department.", "按姓名、登录名或部门查找人员。"),
		row[UsersParam, UserList]("directory.get", LoggedIn, Query, "Looks up people by their IDs; unknown ones are left out.", "按 ID 查询人员，未知的略去。"),
		row[Empty, DepartmentList]("department.list", LoggedIn, Query, "The tree of departments.", "部门树。"),
		row[DepartmentPut, DepartmentResult]("department.put", Manages, Write, "Makes or changes a department.", "新建或修改部门。"),
		row[DepartmentParam, Done]("department.remove", Manages, Write, "Removes an empty department.", "删除空部门。"),
		row[OrganisationName, Done]("organisation.rename", Manages, Write, "Gives the organisation another name; clients show it with their next connection.", "修改组织名称，客户端下次连接时显示。"),
		row[UserCreate, UserResult]("user.create", Manages, Auth, "Makes an account.", "新建账号。"),
		row[UserUpdate, UserResult]("user.update", Manages, Write, "Changes an account; disabling it ends its sessions at once.", "修改账号；停用会立即结束其会话。"),
		row[UserPassword, Done]("user.password", Manages, Auth, "Sets a password and ends the account's sessions.", "重置密码并结束该账号的会话。"),
		row[TokenCreate, Session]("user.token", Manages, Write, "Makes a device token for an account, for bots.", "为账号（机器人）创建设备令牌。"),
		row[ImportParams, ImportResult]("user.import", Manages, Auth, "Makes and updates accounts and departments from CSV, with a dry run.", "从 CSV 导入账号与部门，可预演。"),
		row[InviteCreate, InviteResult]("invite.create", Manages, Write, "Makes an invitation link and its QR code.", "创建邀请链接与二维码。"),
		row[Empty, InviteList]("invite.list", Sees, Query, "Invitations that can still be used.", "仍有效的邀请。"),
		row[InviteParam, Done]("invite.revoke", Manages, Write, "Makes an invitation worthless.", "作废邀请。"),
	}
}

func roomTable() []Spec {
	return []Spec{
		row[Empty, RoomList]("room.list", LoggedIn, Query, "The caller's rooms with heads, read marks and unread counts.", "调用者的房间，含最新条目、已读位置与未读数。"),
		row[RoomParam, RoomResult]("room.get", LoggedIn, Query, "One room.", "单个房间。"),
		row[DiscoverParams, RoomList]("room.discover", LoggedIn, Query, "Channels and announcement rooms that can be joined.", "可加入的频道与公告房间。"),
		row[RoomCreate, RoomResult]("room.create", LoggedIn, Write, "Makes a room; the caller becomes its owner.", "创建房间，调用者为房主。"),
		row[UserParam, RoomResult]("room.direct", LoggedIn, Write, "The room of the caller and one other person; made if needed. With oneself: notes to self.", "与某人的私聊房间，没有则创建；对象为自己则为个人笔记。"),
		row[RoomUpdate, RoomResult]("room.update", LoggedIn, Write, "Renames, sets the topic, archives. Moderators and owners.", "改名、改主题、归档；限主持人与房主。"),
		row[RoomParam, RoomResult]("room.join", LoggedIn, Write, "Joins a channel or announcement room.", "加入频道或公告房间。"),
		row[RoomParam, Done]("room.leave", LoggedIn, Write, "Leaves a room. The last owner hands over first.", "离开房间；最后一位房主需先移交。"),
		row[MembersParams, MemberList]("room.members", LoggedIn, Query, "Members with roles and read marks.", "成员、角色与已读位置。"),
		row[MembersChange, Done]("room.add", LoggedIn, Write, "Adds people. In groups any member; elsewhere moderators and owners.", "添加成员；群组中任何成员可加，其他房间限主持人与房主。"),
		row[MembersChange, Done]("room.remove", LoggedIn, Write, "Removes people. Moderators and owners.", "移除成员；限主持人与房主。"),
		row[MemberRoleParams, Done]("room.role", LoggedIn, Write, "Sets a member's role. Owners.", "设置成员角色；限房主。"),
		row[HistoryParams, History]("room.history", LoggedIn, Query, "A page of the timeline, in either direction.", "时间线分页，双向。"),
		row[RoomParam, MessageList]("room.pins", LoggedIn, Query, "Pinned messages, last pinned first.", "置顶消息。"),
		row[ReadParams, ReadResult]("room.read", LoggedIn, Write, "Moves the caller's read mark forward.", "前移已读位置。"),
		socket(row[TypingParams, Empty]("room.typing", LoggedIn, Free, "Tells the room that the caller is typing, for 5 seconds. Not kept.", "告知正在输入（5 秒），不存储。")),
	}
}

func messageTable() []Spec {
	return []Spec{
		row[SendParams, Sent]("message.send", LoggedIn, Post, "Sends a message. The answer means that it is on disk.", "发送消息。收到回答即已落盘。"),
		row[ForwardParams, Sent]("message.forward", LoggedIn, Post, "Sends a message on to another room.", "转发消息。"),
		row[MessageParam, MessageResult]("message.get", LoggedIn, Query, "One message.", "单条消息。"),
		row[EditParams, Done]("message.edit", LoggedIn, Post, "Changes one's own message; the earlier text is kept.", "编辑自己的消息，保留历史。"),
		row[MessageParam, Revisions]("message.revisions", LoggedIn, Query, "Earlier texts of an edited message.", "消息的历史文本。"),
		row[MessageParam, Done]("message.recall", LoggedIn, Post, "Takes a message back for everyone; that it was there stays visible. Author; moderators and owners of the room.", "为所有人撤回消息，保留撤回痕迹；限作者、主持人与房主。"),
		row[ReactParams, Done]("message.react", LoggedIn, Post, "Puts or takes away a reaction.", "添加或移除表情回应。"),
		row[PinParams, Done]("message.pin", LoggedIn, Write, "Pins or unpins. Members of direct rooms and groups; moderators and owners elsewhere.", "置顶或取消置顶。"),
		row[MessageParam, Readers]("message.readers", LoggedIn, Query, "Who has read a message and who has not.", "谁已读、谁未读。"),
		row[MessageParam, Journey]("message.journey", LoggedIn, Query, "Where the message is: per device stored, pushed, acknowledged, read. For its author, auditors and above.", "消息去向：各设备的存储、推送、确认、已读；限作者、审计员及以上。"),
	}
}

func dataTable() []Spec {
	return []Spec{
		row[FileParam, FileResult]("file.get", LoggedIn, Query, "What is known of a file.", "文件信息。"),
		row[FileParam, Done]("file.discard", LoggedIn, Write, "Throws away an uploaded file that no message carries.", "丢弃未被消息引用的文件。"),
		row[UsageParams, Usage]("file.usage", LoggedIn, Query, "Storage used and allowed, per person or room.", "个人或房间的存储用量与配额。"),
		row[KVGet, KV]("kv.get", LoggedIn, Query, "One entry of the key-value store.", "读取键值。"),
		row[KVPut, Done]("kv.put", LoggedIn, Write, "Sets or removes an entry. Kept for ever and sent to all devices of the person (scope user).", "设置或删除键值；user 范围会同步到本人所有设备。"),
		row[KVList, KVEntries]("kv.list", LoggedIn, Query, "Entries by prefix.", "按前缀列出键值。"),
		socket(row[PresenceParams, PresenceList]("presence.watch", LoggedIn, Query, "Watches people's presence.", "关注人员在线状态。")),
		socket(row[AuthParams, Session]("session.authenticate", Public, Auth, "Logs a WebSocket in with a device token, as its first frame.", "以设备令牌认证 WebSocket，须为首帧。")),
		socket(row[SyncParams, SyncStart]("sync.start", LoggedIn, Query, "Begins the stream of events after a position. Everything since that concerns the caller follows as events.", "从某一位置开始事件流。")),
		socket(row[AckParams, Empty]("sync.ack", LoggedIn, Free, "Confirms that events up to a position have arrived on this device. Send it as a notification.", "确认本设备已收到某位置之前的事件，应以通知发送。")),
		socket(row[Empty, Pong]("sync.ping", LoggedIn, Free, "Heartbeat of the client.", "客户端心跳。")),
	}
}

func hookTable() []Spec {
	return []Spec{
		row[HookCreate, HookResult]("hook.create", LoggedIn, Auth, "Makes a hook and its bot. Moderators and owners of the room, admins anywhere but for outgoing ones; by default only admins choose the addresses that outgoing hooks and commands call. Address and secret are shown once.", "创建钩子及其机器人；限房间主持人、房主及管理员，发送钩子不含不在房间内的管理员；默认仅管理员可设定发送钩子与命令访问的地址。地址与密钥只显示一次。"),
		row[HookListParams, HookList]("hook.list", LoggedIn, Query, "Hooks of a room, or all that the caller looks after. Other members see names only.", "房间的钩子，或调用者可管理的全部；其他成员只看到名称。"),
		row[HookUpdate, HookResult]("hook.update", LoggedIn, Write, "Changes a hook.", "修改钩子。"),
		row[HookParam, Done]("hook.remove", LoggedIn, Write, "Removes a hook; its address is worthless at once and its bot leaves.", "删除钩子，地址立即失效，机器人离开。"),
		row[HookRotate, HookResult]("hook.rotate", LoggedIn, Write, "Gives a hook a new token or secret; the old one is worthless at once.", "更换令牌或密钥，旧的立即失效。"),
		row[HookParam, DeadList]("hook.dead", LoggedIn, Query, "Deliveries of an outgoing hook that were given up.", "发送钩子的死信。"),
		row[DeadParams, DeadResult]("hook.retry", LoggedIn, Write, "Puts dead letters back into the hook's queue.", "重新投递死信。"),
		row[DeadParams, DeadResult]("hook.discard", LoggedIn, Write, "Throws dead letters away.", "丢弃死信。"),
		row[RoomParam, CommandList]("command.list", LoggedIn, Query, "Slash commands of a room, those of the client included.", "房间可用的斜杠命令，含客户端内置命令。"),
		row[CommandRun, CommandAnswer]("command.run", LoggedIn, Post, "Runs a slash command: its program is called and its answer told to the caller or posted to the room.", "运行斜杠命令：调用其程序，回答仅自己可见或发到房间。"),
	}
}

func operatorTable() []Spec {
	return []Spec{
		row[Empty, StatusResult]("server.status", Sees, Query, "Figures of the running server.", "运行状态。"),
		row[Empty, SessionList]("server.sessions", Sees, Query, "Live connections.", "在线连接。"),
		row[DirectoryParams, UserList]("user.list", Sees, Query, "All accounts, disabled ones too.", "全部账号，含已停用。"),
		row[DiscoverParams, RoomList]("room.all", Operator, Query, "All rooms, by name.", "全部房间。"),
		row[RoomParam, RoomResult]("room.inspect", Operator, Query, "Any room, without being a member.", "查看任意房间。"),
		row[Empty, SetupLink]("setup.link", Operator, Write, "A new one-time setup link; the earlier one is worthless.", "新的一次性初始化链接，旧链接作废。"),
	}
}
