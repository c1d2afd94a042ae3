package wire

import (
	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
)

// Empty is the params or result of a method that needs or tells nothing.
type Empty struct{}

// Done is the result of a change: the position at which it became durable.
type Done struct {
	Position uint64 `json:"position" doc:"journal position of the change; 0 = nothing had to change|更改所在的日志位置；0 表示无需更改"`
}

// ---- setup, session, account ------------------------------------------------

type (
	SetupStatus struct {
		Open         bool   `json:"open" doc:"true until the first owner exists|首位所有者创建前为 true"`
		Organisation string `json:"organisation,omitzero" doc:"name shown to people|组织名称"`
	}
	SetupParams struct {
		Token        string `json:"token" doc:"one-time token of the setup link|初始化链接中的一次性令牌"`
		Organisation string `json:"organisation" doc:"name shown to people|组织名称"`
		Login        string `json:"login" doc:"login of the owner|所有者登录名"`
		Name         string `json:"name" doc:"display name|显示名"`
		Password     string `json:"password" doc:"8-256 bytes|密码，8-256 字节"`
		DeviceName   string `json:"device_name,omitzero" doc:"what this device is called|设备名"`
		Cookie       bool   `json:"cookie,omitzero" doc:"log in with a cookie, for browsers|浏览器使用 cookie 登录"`
	}
	LoginParams struct {
		Login      string `json:"login" doc:"login name, in any case|登录名，不分大小写"`
		Password   string `json:"password" doc:"password|密码"`
		DeviceName string `json:"device_name,omitzero" doc:"what this device is called|设备名"`
		Kind       string `json:"kind,omitzero" doc:"browser, app or bot; default app|设备类型，默认 app"`
		Cookie     bool   `json:"cookie,omitzero" doc:"true: the token comes as an HttpOnly cookie and not in the result|true 表示令牌只放入 HttpOnly cookie"`
	}
	ConfirmParams struct {
		Password string `json:"password" doc:"the caller's password|本人密码"`
	}
	Session struct {
		User    User   `json:"user" doc:"who is logged in|已登录的用户"`
		Device  id.ID  `json:"device" doc:"this device|本设备"`
		Token   string `json:"token,omitzero" doc:"device token: Authorization: Bearer <token>; shown once|设备令牌，只显示一次"`
		Expires int64  `json:"expires" doc:"unused until then it ends, ms|若不使用，到期时间（毫秒）"`
		Console string `json:"console,omitzero" doc:"in session.me, for auditors and above: where the operators' console is; absent when it cannot be opened from the caller's address|仅 session.me 且审计员及以上：控制台地址；调用者地址不允许访问时缺省"`
	}
	DeviceList struct {
		Devices []Device `json:"devices" doc:"devices, newest first|设备，新的在前"`
	}
	DeviceParam struct {
		Device id.ID `json:"device" doc:"device|设备"`
	}
	UserParam struct {
		User id.ID `json:"user" doc:"account|账号"`
	}
	UserOptional struct {
		User id.ID `json:"user,omitzero" doc:"account; the caller if absent|账号，缺省为调用者"`
	}
	PasswordParams struct {
		Old string `json:"old" doc:"present password|当前密码"`
		New string `json:"new" doc:"new password, 8-256 bytes|新密码，8-256 字节"`
	}
	ProfileParams struct {
		Name   *string `json:"name,omitzero" doc:"display name|显示名"`
		Title  *string `json:"title,omitzero" doc:"position|职务"`
		Email  *string `json:"email,omitzero" doc:"e-mail|邮箱"`
		Phone  *string `json:"phone,omitzero" doc:"phone|电话"`
		Avatar *id.ID  `json:"avatar,omitzero" doc:"a picture uploaded by the caller; empty removes it|头像文件，空值移除"`
	}
)

// ---- directory ---------------------------------------------------------------

type (
	DirectoryParams struct {
		Query      string `json:"query,omitzero" doc:"part of name or login, pinyin or initials|姓名、登录名的一部分，或拼音、首字母"`
		Department id.ID  `json:"department,omitzero" doc:"only this department and those below|仅此部门及下级"`
		After      id.ID  `json:"after,omitzero" doc:"continue after this account|从此账号之后继续"`
		Limit      int    `json:"limit,omitzero" doc:"1-500, default 100|1-500，默认 100"`
	}
	UserList struct {
		Users []User `json:"users" doc:"accounts by name|按姓名排序的账号"`
		More  bool   `json:"more,omitzero" doc:"there are more|还有更多"`
	}
	UserResult struct {
		User     User   `json:"user" doc:"account|账号"`
		Position uint64 `json:"position,omitzero" doc:"journal position of the change|更改所在的日志位置"`
	}
	UsersParam struct {
		Users []id.ID `json:"users" doc:"up to 500 accounts|最多 500 个账号"`
	}
	DepartmentList struct {
		Departments []Department `json:"departments" doc:"the whole tree|完整的部门树"`
	}
	DepartmentPut struct {
		ID     id.ID  `json:"id,omitzero" doc:"absent: make a new one|缺省则新建"`
		Parent id.ID  `json:"parent,omitzero" doc:"department above|上级部门"`
		Name   string `json:"name" doc:"1-100 characters|1-100 个字符"`
		Order  int    `json:"order,omitzero" doc:"place among its siblings|排序"`
	}
	DepartmentResult struct {
		Department Department `json:"department" doc:"department|部门"`
		Position   uint64     `json:"position" doc:"journal position|日志位置"`
	}
	DepartmentParam struct {
		Department id.ID `json:"department" doc:"department|部门"`
	}
	UserCreate struct {
		Login      string `json:"login" doc:"1-64 of a-z 0-9 . _ -|登录名"`
		Name       string `json:"name" doc:"display name|显示名"`
		Password   string `json:"password,omitzero" doc:"8-256 bytes; absent for bots and accounts that log in later|密码，8-256 字节"`
		Role       Role   `json:"role,omitzero" doc:"default member|默认 member"`
		Department id.ID  `json:"department,omitzero" doc:"department|部门"`
		Title      string `json:"title,omitzero" doc:"position|职务"`
		Email      string `json:"email,omitzero" doc:"e-mail|邮箱"`
		Phone      string `json:"phone,omitzero" doc:"phone|电话"`
		Bot        bool   `json:"bot,omitzero" doc:"a program|机器人"`
		Probe      bool   `json:"probe,omitzero" doc:"a virtual user; role member, made on the box itself only|虚拟用户，角色须为 member，仅可在服务器本机新建"`
	}
	UserUpdate struct {
		User       id.ID   `json:"user" doc:"account|账号"`
		Name       *string `json:"name,omitzero" doc:"display name|显示名"`
		Role       *Role   `json:"role,omitzero" doc:"role|角色"`
		Department *id.ID  `json:"department,omitzero" doc:"department|部门"`
		Title      *string `json:"title,omitzero" doc:"position|职务"`
		Email      *string `json:"email,omitzero" doc:"e-mail|邮箱"`
		Phone      *string `json:"phone,omitzero" doc:"phone|电话"`
		Disabled   *bool   `json:"disabled,omitzero" doc:"true ends all sessions at once|true 立即结束所有会话"`
	}
	UserPassword struct {
		User     id.ID  `json:"user" doc:"account|账号"`
		Password string `json:"password" doc:"new password, 8-256 bytes|新密码"`
	}
	TokenCreate struct {
		User id.ID  `json:"user" doc:"account, usually a bot|账号，通常为机器人"`
		Name string `json:"name" doc:"what the device is called|设备名"`
	}
	ImportParams struct {
		CSV    string `json:"csv" doc:"UTF-8 CSV with a header: login,name,department,title,email,phone,role,password; department is a path like A/B|带表头的 CSV"`
		DryRun bool   `json:"dry_run,omitzero" doc:"only tell what would happen|只预演"`
	}
	ImportRow struct {
		Line     int    `json:"line" doc:"line of the file|文件行号"`
		Login    string `json:"login" doc:"login|登录名"`
		Action   string `json:"action" doc:"create, update, unchanged or error|动作"`
		Reason   string `json:"reason,omitzero" doc:"why not, in the caller's language|原因"`
		Password string `json:"password,omitzero" doc:"made up for the new account; shown once|新账号的初始密码，只显示一次"`
	}
	ImportResult struct {
		Rows        []ImportRow `json:"rows" doc:"one per line|逐行结果"`
		Created     int         `json:"created" doc:"accounts made|新建数"`
		Updated     int         `json:"updated" doc:"accounts changed|更新数"`
		Errors      int         `json:"errors" doc:"lines refused|错误数"`
		Departments int         `json:"departments" doc:"departments made|新建部门数"`
		DryRun      bool        `json:"dry_run" doc:"nothing was changed|仅预演，未更改"`
	}
	InviteCreate struct {
		Hours      int     `json:"hours,omitzero" doc:"valid for 1-720 hours, default 72|有效小时数"`
		Uses       int     `json:"uses,omitzero" doc:"1-1000, default 1|可用次数"`
		Department id.ID   `json:"department,omitzero" doc:"put them there|加入的部门"`
		Rooms      []id.ID `json:"rooms,omitzero" doc:"rooms they join, at most 50|自动加入的房间"`
		Note       string  `json:"note,omitzero" doc:"remark|备注"`
	}
	InviteResult struct {
		Invite   Invite `json:"invite" doc:"invitation|邀请"`
		Position uint64 `json:"position" doc:"journal position|日志位置"`
	}
	InviteList struct {
		Invites []Invite `json:"invites" doc:"invitations, newest first|邀请，新的在前"`
	}
	InviteParam struct {
		Invite id.ID `json:"invite" doc:"invitation|邀请"`
	}
	InviteCode struct {
		Code string `json:"code" doc:"secret of the link|链接密钥"`
	}
	InviteInfo struct {
		Organisation string `json:"organisation" doc:"who invites|组织名称"`
		Inviter      string `json:"inviter" doc:"display name|邀请人"`
		Expires      int64  `json:"expires" doc:"time, ms|失效时间（毫秒）"`
	}
	InviteAccept struct {
		Code       string `json:"code" doc:"secret of the link|链接密钥"`
		Login      string `json:"login" doc:"wished login|想用的登录名"`
		Name       string `json:"name" doc:"display name|显示名"`
		Password   string `json:"password" doc:"8-256 bytes|密码"`
		DeviceName string `json:"device_name,omitzero" doc:"device name|设备名"`
		Cookie     bool   `json:"cookie,omitzero" doc:"as in session.login|同 session.login"`
	}
)

// ---- rooms --------------------------------------------------------------------

type (
	RoomCreate struct {
		Kind    RoomKind `json:"kind" doc:"group, channel or announcement|group、channel 或 announcement"`
		Name    string   `json:"name" doc:"1-100 characters|1-100 个字符"`
		Topic   string   `json:"topic,omitzero" doc:"up to 500 characters|至多 500 字符"`
		Members []id.ID  `json:"members,omitzero" doc:"first members beside the caller|除自己外的初始成员"`
		Key     string   `json:"key,omitzero" doc:"client key (UUID): the same key again answers with the same room|客户端键（UUID）"`
	}
	RoomParam struct {
		Room id.ID `json:"room" doc:"room|房间"`
	}
	RoomResult struct {
		Room     Room   `json:"room" doc:"room|房间"`
		Position uint64 `json:"position,omitzero" doc:"journal position|日志位置"`
	}
	RoomList struct {
		Rooms    []Room `json:"rooms" doc:"rooms of the caller, newest entry first|调用者的房间"`
		Position uint64 `json:"position" doc:"the list is true at this position|列表对应的日志位置"`
	}
	DiscoverParams struct {
		Query string `json:"query,omitzero" doc:"part of the name, pinyin or initials|名称的一部分，或拼音、首字母"`
		Limit int    `json:"limit,omitzero" doc:"1-200, default 50|1-200，默认 50"`
	}
	RoomUpdate struct {
		Room     id.ID   `json:"room" doc:"room|房间"`
		Name     *string `json:"name,omitzero" doc:"new name|新名称"`
		Topic    *string `json:"topic,omitzero" doc:"new topic|新主题"`
		Archived *bool   `json:"archived,omitzero" doc:"true: nobody can write|true 则不可发言"`
	}
	MembersChange struct {
		Room  id.ID      `json:"room" doc:"room|房间"`
		Users []id.ID    `json:"users" doc:"1-1000 accounts|1-1000 个账号"`
		Role  MemberRole `json:"role,omitzero" doc:"role of the added; default member|加入者角色，默认 member"`
	}
	MemberRoleParams struct {
		Room id.ID      `json:"room" doc:"room|房间"`
		User id.ID      `json:"user" doc:"member|成员"`
		Role MemberRole `json:"role" doc:"owner, moderator, member or reader|新角色"`
	}
	MembersParams struct {
		Room  id.ID      `json:"room" doc:"room|房间"`
		Query string     `json:"query,omitzero" doc:"part of name or login, pinyin or initials|姓名、登录名的一部分，或拼音、首字母"`
		Role  MemberRole `json:"role,omitzero" doc:"only those with this role|仅此角色"`
		After id.ID      `json:"after,omitzero" doc:"continue after this account|从此账号之后继续"`
		Limit int        `json:"limit,omitzero" doc:"1-1000, default 200|1-1000，默认 200"`
	}
	MemberList struct {
		Members []RoomMember `json:"members" doc:"members in the order of their IDs|按 ID 排序的成员"`
		More    bool         `json:"more,omitzero" doc:"there are more|还有更多"`
	}
	HistoryParams struct {
		Room      id.ID  `json:"room" doc:"room|房间"`
		Before    uint64 `json:"before,omitzero" doc:"entries with a smaller number; newest page if both are absent|此序号之前"`
		After     uint64 `json:"after,omitzero" doc:"entries with a larger number, oldest of them first; after=0 with from_start|此序号之后"`
		FromStart bool   `json:"from_start,omitzero" doc:"the first page of the room|从房间开头开始"`
		At        int64  `json:"at,omitzero" doc:"ms since 1970: from the first entry of this time or later on; the newest page when there is none; not together with another position|1970 年以来的毫秒数：从此时间起的第一条开始；没有则为最新一页；不能与其他位置参数同用"`
		Thread    uint64 `json:"thread,omitzero" doc:"only this thread|仅此话题"`
		Limit     int    `json:"limit,omitzero" doc:"1-200, default 50|1-200，默认 50"`
	}
	History struct {
		Messages []Message `json:"messages" doc:"entries, smallest number first|条目，序号小的在前"`
		Head     uint64    `json:"head" doc:"newest number of the room|房间最新序号"`
		Position uint64    `json:"position" doc:"the page is true at this position|页面对应的日志位置"`
		More     bool      `json:"more" doc:"there are more in this direction|该方向还有更多"`
	}
	ReadParams struct {
		Room id.ID  `json:"room" doc:"room|房间"`
		Seq  uint64 `json:"seq" doc:"read up to this number|读到的序号"`
	}
	ReadResult struct {
		Seq      uint64 `json:"seq" doc:"read mark now; never goes back|当前已读序号，不会后退"`
		Unread   uint64 `json:"unread" doc:"unread after it|其后未读数"`
		Position uint64 `json:"position" doc:"journal position; 0 = it stood there already|日志位置；0 表示未变化"`
	}
	TypingParams struct {
		Room id.ID `json:"room" doc:"room|房间"`
	}
)

// ---- messages ------------------------------------------------------------------

type (
	SendParams struct {
		Room    id.ID    `json:"room" doc:"room|房间"`
		Key     string   `json:"key" doc:"client key, a UUID (version 7 is best), made once per message: the same key again gets the same answer|客户端键（UUID，建议 v7），同一键再次发送得到同样的回答"`
		Text    string   `json:"text,omitzero" doc:"text in the Markdown subset|文本"`
		ReplyTo uint64   `json:"reply_to,omitzero" doc:"number of the message answered|回复的序号"`
		Thread  uint64   `json:"thread,omitzero" doc:"number of the thread's first message|话题首条序号"`
		Files   []id.ID  `json:"files,omitzero" doc:"up to 20 files the caller uploaded or may see|至多 20 个文件"`
		Foreign *Foreign `json:"foreign,omitzero" doc:"own payload of a bot or gateway; text is the fallback and must be there|机器人载荷，必须附文本"`
	}
	Sent struct {
		ID       id.Message `json:"id" doc:"opaque message id|消息 ID"`
		Seq      uint64     `json:"seq" doc:"number in the room|房间内序号"`
		Position uint64     `json:"position" doc:"journal position: it is on disk|日志位置：已写入磁盘"`
		Time     int64      `json:"time" doc:"when it was stored, ms|存储时间（毫秒）"`
		Again    bool       `json:"again,omitzero" doc:"this key had been sent before; nothing new was stored|此键已发送过，未重复存储"`
	}
	ForwardParams struct {
		Message id.Message `json:"message" doc:"the original|原消息"`
		Room    id.ID      `json:"room" doc:"where to|目标房间"`
		Key     string     `json:"key" doc:"client key, as in message.send|客户端键"`
	}
	MessageParam struct {
		Message id.Message `json:"message" doc:"message|消息"`
	}
	MessageResult struct {
		Message Message `json:"message" doc:"message|消息"`
	}
	EditParams struct {
		Message id.Message `json:"message" doc:"message|消息"`
		Text    string     `json:"text" doc:"new text|新文本"`
	}
	ReactParams struct {
		Message id.Message `json:"message" doc:"message|消息"`
		Emoji   string     `json:"emoji" doc:"1-32 bytes|1-32 字节"`
		On      bool       `json:"on" doc:"put or take away|添加或移除"`
	}
	PinParams struct {
		Message id.Message `json:"message" doc:"message|消息"`
		On      bool       `json:"on" doc:"pin or unpin|置顶或取消"`
	}
	Revision struct {
		Text string `json:"text" doc:"text before the edit|编辑前文本"`
		At   int64  `json:"at" doc:"when that text was stored, ms|该文本存储时间（毫秒）"`
	}
	Revisions struct {
		Revisions []Revision `json:"revisions" doc:"earlier texts, oldest first|历史文本，旧的在前"`
	}
	MessageList struct {
		Messages []Message `json:"messages" doc:"messages|消息"`
	}
	Journey struct {
		Message id.Message `json:"message" doc:"message|消息"`
		Stored  int64      `json:"stored" doc:"when it became durable, ms|落盘时间（毫秒）"`
		Steps   []Step     `json:"steps" doc:"one per device; a person without devices has one with an empty device|每设备一项"`
		More    bool       `json:"more,omitzero" doc:"the room has more than 200 members|超过 200 名成员"`
	}
	Reader struct {
		User id.ID `json:"user" doc:"account|账号"`
		At   int64 `json:"at,omitzero" doc:"when the read mark passed it, ms|已读时间（毫秒）"`
	}
	Readers struct {
		Read   []Reader `json:"read" doc:"members who have read it|已读成员"`
		Unread []id.ID  `json:"unread" doc:"members who have not|未读成员"`
	}
)

// ---- files, key-value store, presence, sync --------------------------------------

type (
	FileParam struct {
		File id.ID `json:"file" doc:"file|文件"`
	}
	FileResult struct {
		File File `json:"file" doc:"file|文件"`
	}
	FileList struct {
		Files []File `json:"files" doc:"files|文件"`
	}
	UsageParams struct {
		Subject id.ID `json:"subject,omitzero" doc:"account or room; the caller if absent|账号或房间"`
	}
	KVGet struct {
		Scope string `json:"scope" doc:"user or device|user 或 device"`
		Key   string `json:"key" doc:"1-128 bytes|1-128 字节"`
	}
	KVPut struct {
		Scope string         `json:"scope" doc:"user or device|user 或 device"`
		Key   string         `json:"key" doc:"1-128 bytes|1-128 字节"`
		Value jsontext.Value `json:"value,omitzero" doc:"any JSON up to 16 KiB; absent removes the key|任意 JSON，至多 16 KiB；缺省则删除"`
	}
	KVList struct {
		Scope  string `json:"scope" doc:"user or device|user 或 device"`
		Prefix string `json:"prefix,omitzero" doc:"only keys that begin so|键前缀"`
	}
	KVEntries struct {
		Entries []KV `json:"entries" doc:"entries by key|按键排序"`
	}
	PresenceParams struct {
		Users []id.ID `json:"users" doc:"people to watch, at most 500; replaces the earlier list|关注的人，至多 500，替换之前的列表"`
	}
	PresenceList struct {
		Presence []Presence `json:"presence" doc:"states now; changes follow as events|当前状态，变化以事件推送"`
	}
	AuthParams struct {
		Token string `json:"token" doc:"device token|设备令牌"`
	}
	SyncParams struct {
		Since uint64 `json:"since" doc:"last position the client has seen; 0 = nothing yet|客户端已见的最后位置；0 表示没有"`
	}
	SyncStart struct {
		Position    uint64 `json:"position" doc:"head of the journal now|当前日志位置"`
		Reset       bool   `json:"reset" doc:"too far back: drop what you have and begin with rooms|落后太多：丢弃本地数据，从 rooms 开始"`
		Rooms       []Room `json:"rooms,omitzero" doc:"with reset: all rooms and their heads|reset 时的全部房间"`
		User        User   `json:"user" doc:"the caller|调用者"`
		Device      id.ID  `json:"device" doc:"this device|本设备"`
		ServerTime  int64  `json:"server_time" doc:"ms|服务器时间（毫秒）"`
		HeartbeatMS int64  `json:"heartbeat_ms" doc:"send sync.ping this often|心跳间隔（毫秒）"`
		Version     string `json:"version" doc:"version of the server|服务器版本"`
	}
	AckParams struct {
		Position uint64 `json:"position" doc:"everything up to here has arrived on this device|本设备已收到此位置之前的全部"`
	}
	Pong struct {
		ServerTime int64  `json:"server_time" doc:"ms|服务器时间（毫秒）"`
		Position   uint64 `json:"position" doc:"head of the journal now|当前日志位置"`
	}
	OrganisationName struct {
		Name string `json:"name" doc:"name shown to people, 1-100 characters|组织名称，1-100 个字符"`
	}
	ServerInfo struct {
		Version      string `json:"version" doc:"version|版本"`
		Organisation string `json:"organisation" doc:"organisation|组织"`
		Setup        bool   `json:"setup" doc:"waiting for its first owner|等待初始化"`
		Ready        bool   `json:"ready" doc:"takes messages|可收发消息"`
		MessageBytes int    `json:"message_bytes" doc:"bytes of UTF-8 in a message, at most; longer text goes as a file|一条消息最多的 UTF-8 字节数，更长的文本作为文件发送"`
		UploadBytes  int64  `json:"upload_bytes" doc:"bytes of a file, at most|文件最多的字节数"`
	}
	StatusResult struct {
		Version        string   `json:"version" doc:"version|版本"`
		Uptime         int64    `json:"uptime_ms" doc:"ms since the start|运行时间（毫秒）"`
		Position       uint64   `json:"position" doc:"head of the journal|日志位置"`
		Flushed        uint64   `json:"flushed" doc:"position of the state file|状态文件位置"`
		Users          int      `json:"users" doc:"accounts|账号数"`
		Rooms          int      `json:"rooms" doc:"rooms|房间数"`
		Messages       uint64   `json:"messages" doc:"messages stored|消息数"`
		Files          int      `json:"files" doc:"files|文件数"`
		FileBytes      int64    `json:"file_bytes" doc:"bytes of files|文件字节数"`
		Sessions       int      `json:"sessions" doc:"live connections|在线连接数"`
		Online         int      `json:"online" doc:"people online|在线人数"`
		Search         uint64   `json:"search,omitzero" doc:"position of the index of messages|消息索引的位置"`
		SearchBuilding int      `json:"search_building,omitzero" doc:"it is being made, so many percent|索引正在建立的百分比"`
		SearchProblem  string   `json:"search_problem,omitzero" doc:"why it no longer follows|索引停止的原因"`
		ReadOnly       string   `json:"read_only,omitzero" doc:"why nothing can be stored|只读原因"`
		Certificate    string   `json:"certificate,omitzero" doc:"fingerprint of the CA|CA 指纹"`
		CertExpires    int64    `json:"certificate_expires,omitzero" doc:"end of the certificate, ms|证书到期（毫秒）"`
		Addresses      []string `json:"addresses,omitzero" doc:"addresses to open|访问地址"`
	}
	SetupLink struct {
		URL string `json:"url" doc:"one-time link; empty when setup is done|一次性链接"`
	}
	SessionInfo struct {
		User     id.ID  `json:"user" doc:"account|账号"`
		Device   id.ID  `json:"device" doc:"device|设备"`
		Address  string `json:"address" doc:"peer address|对端地址"`
		Since    int64  `json:"since" doc:"connected since, ms|连接时间（毫秒）"`
		LastBeat int64  `json:"last_beat" doc:"last sign of life, ms|最后心跳（毫秒）"`
		RTT      int64  `json:"rtt_us" doc:"round trip, µs|往返时间（微秒）"`
		Queue    int    `json:"queue_bytes" doc:"bytes waiting for the socket|待发送字节"`
		State    string `json:"state" doc:"active, lagging or suspect|状态"`

		Connection uint64 `json:"connection" doc:"number of the connection, as in the log|连接编号，与日志一致"`
		Agent      string `json:"agent,omitzero" doc:"what the client calls itself|客户端标识"`
		Frames     int    `json:"queue_frames" doc:"frames waiting for the socket|待发送帧数"`
		Unacked    int    `json:"unacked" doc:"messages sent and not acknowledged|已发送未确认的消息数"`
		Missed     int    `json:"missed" doc:"heartbeats missed|丢失的心跳次数"`
		Probe      bool   `json:"probe,omitzero" doc:"of a virtual user|虚拟用户的连接"`
	}
	SessionList struct {
		Sessions []SessionInfo `json:"sessions" doc:"live connections|在线连接"`
	}
)
