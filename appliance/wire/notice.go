package wire

import "posthouse/appliance/id"

// Notice is a text that people are asked to confirm. Rooms, departments, users
// and waiting are told only to its author and to auditors and above.
type Notice struct {
	ID          id.ID        `json:"id" doc:"notice|通知"`
	Author      id.ID        `json:"author" doc:"who sent it|发送者"`
	Title       string       `json:"title" doc:"one line|标题"`
	Text        string       `json:"text,omitzero" doc:"text in the Markdown subset|正文（Markdown 子集）"`
	Created     int64        `json:"created" doc:"when it was sent, ms|发送时间（毫秒）"`
	Deadline    int64        `json:"deadline,omitzero" doc:"to be confirmed until, ms|截止时间（毫秒）"`
	RemindEvery int64        `json:"remind_every_ms,omitzero" doc:"between automatic reminders, ms|自动提醒间隔（毫秒）"`
	RemindMost  int          `json:"remind_most,omitzero" doc:"most automatic reminders|自动提醒次数上限"`
	Reminders   int          `json:"reminders,omitzero" doc:"automatic reminders so far|已自动提醒次数"`
	RemindedAt  int64        `json:"reminded_at,omitzero" doc:"last reminder, ms|最近提醒时间（毫秒）"`
	ClosedAt    int64        `json:"closed_at,omitzero" doc:"closed: nobody is asked any more, ms|关闭时间（毫秒）"`
	Audience    int          `json:"audience" doc:"how many were asked|应确认人数"`
	Confirmed   int          `json:"confirmed" doc:"how many confirmed|已确认人数"`
	Waiting     *int         `json:"waiting,omitzero" doc:"how many have not and still could|未确认人数"`
	Mine        string       `json:"mine,omitzero" doc:"the caller: waiting, confirmed or gone; absent if not asked|调用者：waiting、confirmed 或 gone；未被要求则缺省"`
	ConfirmedAt int64        `json:"confirmed_at,omitzero" doc:"when the caller confirmed, ms|调用者确认时间（毫秒）"`
	Rooms       []id.ID      `json:"rooms,omitzero" doc:"rooms addressed|发送到的房间"`
	Departments []id.ID      `json:"departments,omitzero" doc:"departments addressed, with those below|发送到的部门（含下级）"`
	Users       []id.ID      `json:"users,omitzero" doc:"people addressed by name|点名的人"`
	Everyone    bool         `json:"everyone,omitzero" doc:"everybody was addressed|全员"`
	Messages    []id.Message `json:"messages,omitzero" doc:"messages that show it, in rooms of the caller|调用者房间中展示它的消息"`
}

// NoticePerson is how one person of an audience stands.
type NoticePerson struct {
	User        id.ID  `json:"user" doc:"account|账号"`
	State       string `json:"state" doc:"waiting, confirmed or gone (has left or is disabled)|waiting、confirmed 或 gone（已离开或停用）"`
	ConfirmedAt int64  `json:"confirmed_at,omitzero" doc:"ms|确认时间（毫秒）"`
}

// NoticeDepartment counts an audience by department.
type NoticeDepartment struct {
	Department id.ID `json:"department,omitzero" doc:"department; absent: people in none|部门；缺省为无部门"`
	Audience   int   `json:"audience" doc:"asked|应确认"`
	Confirmed  int   `json:"confirmed" doc:"confirmed|已确认"`
	Waiting    int   `json:"waiting" doc:"not yet|未确认"`
}

type (
	NoticeSend struct {
		Key         string  `json:"key" doc:"UUID made before the first try; the same key again is the same notice|首次尝试前生成的 UUID；相同的键即同一通知"`
		Title       string  `json:"title" doc:"1-100 characters|1-100 个字符"`
		Text        string  `json:"text,omitzero" doc:"at most 16384 bytes, in the Markdown subset|至多 16384 字节（Markdown 子集）"`
		Rooms       []id.ID `json:"rooms,omitzero" doc:"at most 50; in groups and direct rooms any member, elsewhere moderators and owners|至多 50 个；群组与私聊任何成员可发，其他房间限主持人与房主"`
		Departments []id.ID `json:"departments,omitzero" doc:"at most 100, with those below; admins and owners|至多 100 个，含下级；限管理员与所有者"`
		Users       []id.ID `json:"users,omitzero" doc:"at most 20; admins and owners 500|至多 20 人；管理员与所有者 500 人"`
		Everyone    bool    `json:"everyone,omitzero" doc:"every account; admins and owners|全员；限管理员与所有者"`
		Deadline    int64   `json:"deadline,omitzero" doc:"ms, at most a year ahead; may be passed, is shown|截止时间（毫秒），至多一年；逾期仍可确认，会显示逾期"`
		RemindEvery int64   `json:"remind_every_ms,omitzero" doc:"15 minutes to 1 day; absent: no automatic reminders|15 分钟到 1 天；缺省不自动提醒"`
		RemindMost  int     `json:"remind_most,omitzero" doc:"1-50, default 10|1-50，默认 10"`
	}
	NoticeSent struct {
		Notice   Notice `json:"notice" doc:"the notice|通知"`
		Position uint64 `json:"position" doc:"journal position|日志位置"`
		Again    bool   `json:"again,omitzero" doc:"the key had been used: nothing was sent now|键已用过，本次未再发送"`
	}
	NoticeListParams struct {
		Box   string `json:"box,omitzero" doc:"waiting (default): what waits for the caller; received: all the caller was asked; sent: by the caller; all: auditors and above|waiting（默认）待我确认；received 我收到的全部；sent 我发送的；all 限审计员及以上"`
		After id.ID  `json:"after,omitzero" doc:"continue after this notice|从此通知之后继续"`
		Limit int    `json:"limit,omitzero" doc:"1-100, default 50|1-100，默认 50"`
	}
	NoticeList struct {
		Notices []Notice `json:"notices" doc:"newest first|新的在前"`
		More    bool     `json:"more" doc:"there are more|还有更多"`
		Waiting int      `json:"waiting" doc:"how many wait for the caller|待调用者确认的数量"`
	}
	NoticeParam struct {
		Notice id.ID `json:"notice" doc:"notice|通知"`
	}
	NoticeGetParams struct {
		Notice id.ID  `json:"notice" doc:"notice|通知"`
		People bool   `json:"people,omitzero" doc:"list people and departments too: its author, auditors and above|同时列出人员与部门；限作者、审计员及以上"`
		State  string `json:"state,omitzero" doc:"only waiting, confirmed or gone|仅 waiting、confirmed 或 gone"`
		Query  string `json:"query,omitzero" doc:"part of a name or login|姓名或登录名的一部分"`
		After  id.ID  `json:"after,omitzero" doc:"continue after this account|从此账号之后继续"`
		Limit  int    `json:"limit,omitzero" doc:"1-500, default 100|1-500，默认 100"`
	}
	NoticeState struct {
		Notice      Notice             `json:"notice" doc:"the notice|通知"`
		People      []NoticePerson     `json:"people,omitzero" doc:"by department and name|按部门与姓名"`
		More        bool               `json:"more,omitzero" doc:"there are more people|还有更多人"`
		Departments []NoticeDepartment `json:"departments,omitzero" doc:"counts of the whole audience|全部人员按部门统计"`
	}
	NoticeChange struct {
		What   string `json:"what" doc:"new, confirmed, reminded or closed|new、confirmed、reminded 或 closed"`
		Notice Notice `json:"notice" doc:"as it is, without what only its author is told|通知现状，不含仅作者可见的内容"`
		User   id.ID  `json:"user,omitzero" doc:"who did it; absent: the clock|操作者；缺省为定时"`
		At     int64  `json:"at" doc:"when, ms|时间（毫秒）"`
		Asked  bool   `json:"asked,omitzero" doc:"the receiver is asked to confirm|要求接收者确认"`
	}
)

// ScheduledMessage is a message that waits for its time. Only its author sees
// it.
type ScheduledMessage struct {
	ID       id.ID  `json:"id" doc:"scheduled message|定时消息"`
	Room     id.ID  `json:"room" doc:"room|房间"`
	Text     string `json:"text,omitzero" doc:"text in the Markdown subset|文本（Markdown 子集）"`
	ReplyTo  uint64 `json:"reply_to,omitzero" doc:"sequence number of the message answered|所回复消息的序号"`
	Thread   uint64 `json:"thread,omitzero" doc:"sequence number of the thread's first message|所属话题首条的序号"`
	Files    []File `json:"files,omitzero" doc:"attachments|附件"`
	At       int64  `json:"at" doc:"when it is to be sent, ms|发送时间（毫秒）"`
	Created  int64  `json:"created" doc:"time, ms|创建时间（毫秒）"`
	FailedAt int64  `json:"failed_at,omitzero" doc:"it could not be sent, ms|发送失败时间（毫秒）"`
	ReasonEn string `json:"reason_en,omitzero" doc:"why it could not be sent, in English|失败原因（英文）"`
	ReasonZh string `json:"reason_zh,omitzero" doc:"why it could not be sent, in Chinese|失败原因（中文）"`
}

type (
	ScheduledCreate struct {
		Room    id.ID   `json:"room" doc:"room|房间"`
		Key     string  `json:"key" doc:"UUID made before the first try|首次尝试前生成的 UUID"`
		Text    string  `json:"text,omitzero" doc:"text in the Markdown subset|文本（Markdown 子集）"`
		ReplyTo uint64  `json:"reply_to,omitzero" doc:"sequence number of the message answered|所回复消息的序号"`
		Thread  uint64  `json:"thread,omitzero" doc:"sequence number of the thread's first message|所属话题首条的序号"`
		Files   []id.ID `json:"files,omitzero" doc:"at most 20; kept until it is sent or removed|至多 20 个；保留至发送或删除"`
		At      int64   `json:"at" doc:"when, ms; 1 minute to 1 year ahead|发送时间（毫秒），1 分钟至 1 年后"`
	}
	ScheduledUpdate struct {
		Scheduled id.ID   `json:"scheduled" doc:"scheduled message|定时消息"`
		Text      *string `json:"text,omitzero" doc:"new text; absent stays|新文本，缺省不变"`
		At        int64   `json:"at,omitzero" doc:"new time, ms; absent stays|新时间（毫秒），缺省不变"`
	}
	ScheduledParam struct {
		Scheduled id.ID `json:"scheduled" doc:"scheduled message|定时消息"`
	}
	ScheduledListParams struct {
		Room id.ID `json:"room,omitzero" doc:"only of this room|仅此房间"`
	}
	ScheduledList struct {
		Scheduled []ScheduledMessage `json:"scheduled" doc:"the next first|临近的在前"`
	}
	ScheduledResult struct {
		Scheduled ScheduledMessage `json:"scheduled" doc:"as it is|现状"`
		Position  uint64           `json:"position" doc:"journal position|日志位置"`
		Again     bool             `json:"again,omitzero" doc:"the key had been used: nothing was made now|键已用过，本次未再创建"`
	}
	ScheduledChange struct {
		What      string            `json:"what" doc:"put, removed, sent or failed|put、removed、sent 或 failed"`
		ID        id.ID             `json:"id" doc:"scheduled message|定时消息"`
		Scheduled *ScheduledMessage `json:"scheduled,omitzero" doc:"as it is, while it waits|仍在等待时的现状"`
		Message   id.Message        `json:"message,omitzero" doc:"the message it became|成为的消息"`
	}
)

// Limits of notices and scheduled messages.
const (
	MaxNoticeText        = 16384 // bytes
	MaxNoticeRooms       = 50
	MaxNoticeDepartments = 100
	MaxNoticeUsers       = 500 // named by an admin or owner
	MaxNoticeUsersPlain  = 20  // named by anybody else
	MaxNoticesOpen       = 100 // of one author
	MaxNoticesDay        = 1000
	MaxNoticePeopleDay   = 1000000 // whom the notices of one author ask in 24 hours; one notice may ask more
	MaxReminders         = 50      // automatic, of one notice
	MaxScheduled         = 100     // of one person
)

func noticeTable() []Spec {
	return []Spec{
		row[NoticeSend, NoticeSent]("notice.send", LoggedIn, Post, "Sends a notice that people confirm. Whom it asks is decided now; rooms get a message that shows it.", "发送须确认的通知。被要求的人此刻确定；房间会收到展示它的消息。"),
		row[NoticeListParams, NoticeList]("notice.list", LoggedIn, Query, "Notices that wait for the caller, were received or sent.", "待确认、已收到或已发送的通知。"),
		row[NoticeGetParams, NoticeState]("notice.get", LoggedIn, Query, "One notice; for its author, auditors and above also who confirmed and who has not.", "单个通知；作者、审计员及以上还可查看谁已确认、谁未确认。"),
		row[NoticeParam, Done]("notice.confirm", LoggedIn, Write, "Confirms a notice. Once; again changes nothing.", "确认通知；重复确认无影响。"),
		row[NoticeParam, Done]("notice.remind", LoggedIn, Write, "Reminds those who have not confirmed, at most every 5 minutes. Its author, admins and owners.", "提醒未确认的人，至多每 5 分钟一次；限作者、管理员与所有者。"),
		row[NoticeParam, Done]("notice.close", LoggedIn, Write, "Closes a notice: nobody is asked any more. Its author, admins and owners.", "关闭通知，不再要求确认；限作者、管理员与所有者。"),
		row[ScheduledCreate, ScheduledResult]("scheduled.create", LoggedIn, Post, "Keeps a message and sends it at its time, once.", "保存消息并在指定时间发送一次。"),
		row[ScheduledListParams, ScheduledList]("scheduled.list", LoggedIn, Query, "The caller's scheduled messages, failed ones too.", "调用者的定时消息，含失败的。"),
		row[ScheduledUpdate, ScheduledResult]("scheduled.update", LoggedIn, Write, "Changes text or time; one that failed waits again.", "修改文本或时间；失败的重新等待。"),
		row[ScheduledParam, Done]("scheduled.remove", LoggedIn, Write, "Removes a scheduled message unsent.", "删除定时消息，不发送。"),
		row[ScheduledParam, Sent]("scheduled.send", LoggedIn, Post, "Sends a scheduled message now.", "立即发送定时消息。"),
	}
}
