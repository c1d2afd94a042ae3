package wire

import "posthouse/appliance/id"

// MaxImport is how many entries one call of import.* takes.
const MaxImport = 500

// ImportUpload is the name of the upload of a file that an import brings,
// after the name that the import gave it: the same name again is the same file.
func ImportUpload(name string) string { return "import:" + name }

type (
	ImportPerson struct {
		Login    string `json:"login" doc:"login|登录名"`
		Name     string `json:"name" doc:"display name|显示名"`
		Title    string `json:"title,omitzero" doc:"position|职务"`
		Email    string `json:"email,omitzero" doc:"e-mail|邮箱"`
		Phone    string `json:"phone,omitzero" doc:"phone|电话"`
		Bot      bool   `json:"bot,omitzero" doc:"a program|机器人"`
		Disabled bool   `json:"disabled,omitzero" doc:"may not log in|已停用"`
		Created  int64  `json:"created,omitzero" doc:"time, ms|创建时间（毫秒）"`
	}
	ImportPeople struct {
		People []ImportPerson `json:"people" doc:"1-500 accounts to make, without passwords|1-500 个待建账号，不设密码"`
	}
	ImportFound struct {
		ID     id.ID  `json:"id,omitzero" doc:"account, room or file; absent: there is none|账号、房间或文件；缺省表示没有"`
		Reason string `json:"reason,omitzero" doc:"why it was refused, in the caller's language|拒绝原因"`
	}
	ImportRows struct {
		Rows []ImportFound `json:"rows" doc:"one per entry, in order|逐项结果，顺序一致"`
	}
	ImportedRoom struct {
		Key     string   `json:"key,omitzero" doc:"import key, a UUID; absent for direct and notes|导入键（UUID）；direct 与 notes 缺省"`
		Kind    RoomKind `json:"kind" doc:"group, channel, direct or notes|group、channel、direct 或 notes"`
		Name    string   `json:"name,omitzero" doc:"name|名称"`
		Topic   string   `json:"topic,omitzero" doc:"topic|主题"`
		Created int64    `json:"created,omitzero" doc:"time, ms|创建时间（毫秒）"`
		By      id.ID    `json:"by,omitzero" doc:"account that made it|创建者"`
		Pair    []id.ID  `json:"pair,omitzero" doc:"the two people of direct; of notes the one, twice|direct 的两人；notes 为同一人两次"`
	}
	ImportRooms struct {
		Rooms  []ImportedRoom `json:"rooms" doc:"1-500 rooms|1-500 个房间"`
		DryRun bool           `json:"dry_run,omitzero" doc:"only look|仅查看"`
	}
	ImportRoomRow struct {
		Room   id.ID  `json:"room,omitzero" doc:"room; absent: would be made|房间；缺省表示将新建"`
		Made   bool   `json:"made,omitzero" doc:"made now|刚刚新建"`
		Busy   bool   `json:"busy,omitzero" doc:"people have written in it: it takes no imported messages|已有人发言，不再接收导入消息"`
		Reason string `json:"reason,omitzero" doc:"why it was refused|拒绝原因"`
	}
	ImportRoomRows struct {
		Rows []ImportRoomRow `json:"rows" doc:"one per room, in order|逐项结果，顺序一致"`
	}
	ImportFiles struct {
		Names []string `json:"names" doc:"1-500 names that the import gave|1-500 个导入名"`
	}
	ImportReaction struct {
		Emoji string  `json:"emoji" doc:"emoji or short text|表情"`
		Users []id.ID `json:"users" doc:"who, in order|表态的人，按先后"`
	}
	ImportMessage struct {
		Key       string           `json:"key" doc:"import key, a UUID derived from where the message came from: the same again changes nothing|由来源导出的 UUID，重复导入不会改变任何内容"`
		Sender    id.ID            `json:"sender" doc:"author|作者"`
		At        int64            `json:"at" doc:"when it was written, ms|写作时间（毫秒）"`
		Text      string           `json:"text,omitzero" doc:"text in the Markdown subset|文本"`
		Thread    string           `json:"thread,omitzero" doc:"key of the thread's first message|话题首条消息的导入键"`
		Files     []id.ID          `json:"files,omitzero" doc:"up to 20 files|至多 20 个文件"`
		EditedAt  int64            `json:"edited_at,omitzero" doc:"last edit, ms|最后编辑时间（毫秒）"`
		PinnedAt  int64            `json:"pinned_at,omitzero" doc:"pinned, ms|置顶时间（毫秒）"`
		Reactions []ImportReaction `json:"reactions,omitzero" doc:"reactions|表情回应"`
	}
	ImportMessages struct {
		Room     id.ID           `json:"room" doc:"room made by import.rooms|由 import.rooms 创建的房间"`
		Messages []ImportMessage `json:"messages" doc:"1-500 messages, oldest first|1-500 条消息，旧的在前"`
	}
	ImportRefusal struct {
		Index  int    `json:"index" doc:"place in messages, from 0|在 messages 中的位置，从 0 起"`
		Kind   Kind   `json:"kind" doc:"kind of the refusal|拒绝种类"`
		Reason string `json:"reason" doc:"why, in the caller's language|原因"`
	}
	ImportDone struct {
		Added    int             `json:"added" doc:"messages stored|新存储的消息数"`
		Again    int             `json:"again" doc:"messages that were there already|已存在的消息数"`
		Refused  []ImportRefusal `json:"refused,omitzero" doc:"messages refused|被拒绝的消息"`
		Position uint64          `json:"position" doc:"journal position: all of it is on disk|日志位置：已写入磁盘"`
	}
	ImportOpen struct {
		Room     id.ID   `json:"room" doc:"room|房间"`
		Owners   []id.ID `json:"owners" doc:"owners of the room|房主"`
		Users    []id.ID `json:"users" doc:"other members|其他成员"`
		Archived bool    `json:"archived,omitzero" doc:"it stays archived|保持归档"`
	}
	ImportLimits struct {
		UserQuota   int64 `json:"user_quota" doc:"bytes of files a person may own|个人文件配额字节"`
		RoomQuota   int64 `json:"room_quota" doc:"bytes of files in a room|房间文件配额字节"`
		FileBytes   int64 `json:"file_bytes" doc:"bytes of one file|单个文件字节"`
		TextBytes   int   `json:"text_bytes" doc:"bytes of a message's text|消息文本字节"`
		RoomMembers int   `json:"room_members" doc:"members of a room|房间成员数"`
		UserRooms   int   `json:"user_rooms" doc:"rooms of a person|个人房间数"`
	}
)

func importTable() []Spec {
	return []Spec{
		row[Empty, ImportLimits]("import.limits", Operator, Query, "Bounds that an import must keep.", "导入须遵守的限制。"),
		row[ImportPeople, ImportRows]("import.people", Operator, Write, "Makes accounts for people of another system, without passwords.", "为其他系统的人员新建账号，不设密码。"),
		row[ImportRooms, ImportRoomRows]("import.rooms", Operator, Write, "Finds or makes the rooms of another system; they begin archived and without members.", "查找或新建其他系统的房间；初始为归档且没有成员。"),
		row[ImportFiles, ImportRows]("import.files", Operator, Query, "Finds files that were imported before.", "查找已导入的文件。"),
		row[ImportMessages, ImportDone]("import.messages", Operator, Post, "Puts messages of another system, with their authors and times, at the end of a room that holds nothing else. They count as read and notify nobody.", "将其他系统的消息连同作者与时间追加到仅含导入消息的房间；视为已读，不通知任何人。"),
		row[ImportOpen, Done]("import.open", Operator, Write, "Gives an imported room its members and ends its archived state.", "为导入的房间加入成员并解除归档。"),
	}
}
