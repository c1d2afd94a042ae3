package wire

import "posthouse/appliance/id"

// Bounds of search.
const (
	SearchPage = 50 // most hits of one page
	NamesPage  = 50 // most people, and most rooms
)

type (
	SearchParams struct {
		Query  string `json:"query" doc:"2-200 characters: terms apart by spaces must all occur; in double quotes, or when a term has one character, it is one text|2-200 个字符：空格分隔的各词都须出现；用双引号或含单字时按整句查找"`
		Room   id.ID  `json:"room,omitzero" doc:"only this room; else all rooms of the caller|仅此房间；缺省为调用者的全部房间"`
		Sender id.ID  `json:"sender,omitzero" doc:"only messages of this account|仅此人的消息"`
		Files  bool   `json:"files,omitzero" doc:"only messages with files|仅带附件的消息"`
		After  int64  `json:"after,omitzero" doc:"sent at or after this time, ms|不早于此时间（毫秒）"`
		Before int64  `json:"before,omitzero" doc:"sent before this time, ms|早于此时间（毫秒）"`
		Page   uint64 `json:"page,omitzero" doc:"next of the page before; absent for the first|上一页的 next；第一页缺省"`
		Limit  int    `json:"limit,omitzero" doc:"1-50, default 20|1-50，默认 20"`
	}
	Mark struct {
		From int `json:"from" doc:"first UTF-16 unit of what was found|命中起点（UTF-16 单元）"`
		To   int `json:"to" doc:"unit after it|命中终点"`
	}
	Snippet struct {
		Text  string `json:"text" doc:"plain text around what was found, one line|命中处前后的纯文本，单行"`
		Marks []Mark `json:"marks,omitzero" doc:"what was found in it|命中位置"`
	}
	SearchHit struct {
		Message Message `json:"message" doc:"message|消息"`
		Snippet Snippet `json:"snippet" doc:"why it was found|命中摘要"`
		File    id.ID   `json:"file,omitzero" doc:"file of the message whose text the snippet is from; the snippet begins with its name|摘要取自该消息的此文件正文，摘要以文件名开头"`
	}
	SearchResult struct {
		Hits     []SearchHit `json:"hits" doc:"what was found, newest first; may be fewer than limit, even none, while next is set|结果，新的在前；next 存在时可能少于 limit，甚至为空"`
		Next     uint64      `json:"next,omitzero" doc:"page to ask for to go on; absent: that was all|继续查找时的 page；缺省表示已到末尾"`
		Position uint64      `json:"position" doc:"the answer is true at this journal position|结果对应的日志位置"`
		Building int         `json:"building,omitzero" doc:"the index is being made, so many percent; older messages are found already|索引正在建立的百分比，已可查到较早的消息"`
	}
	NamesParams struct {
		Query string `json:"query" doc:"part of a name or login, pinyin or initials|姓名、登录名的一部分，或拼音、首字母"`
		Limit int    `json:"limit,omitzero" doc:"people and rooms each, 1-50, default 10|人员与房间各自的上限，1-50，默认 10"`
	}
	NamedRoom struct {
		ID      id.ID    `json:"id" doc:"room|房间"`
		Kind    RoomKind `json:"kind" doc:"group, channel or announcement|房间类型"`
		Name    string   `json:"name" doc:"name|名称"`
		Members int      `json:"members" doc:"number of members|成员数"`
		Member  bool     `json:"member" doc:"the caller is one; else it can be joined|调用者已加入；否则可加入"`
	}
	NamesResult struct {
		Users []User      `json:"users" doc:"people, best match first|人员，最匹配的在前"`
		Rooms []NamedRoom `json:"rooms" doc:"rooms, best match first|房间，最匹配的在前"`
	}
)

func searchTable() []Spec {
	return []Spec{
		row[SearchParams, SearchResult]("search.messages", LoggedIn, Query, "Finds messages of the caller's rooms by any part of two or more characters of their text, the names of their files or the text of their documents (plain text, HTML, docx, xlsx, pptx, odt, ods, odp), newest first.", "在调用者的房间中按文本、文件名或文档正文（纯文本、HTML、docx、xlsx、pptx、odt、ods、odp）的任意两个及以上字符查找消息，新的在前。"),
		row[NamesParams, NamesResult]("search.names", LoggedIn, Query, "Finds people, and rooms the caller is in or may join, by name, login, pinyin or initials.", "按姓名、登录名、拼音或首字母查找人员，以及已加入或可加入的房间。"),
		row[Empty, Done]("search.rebuild", Operator, Write, "Throws the index of messages away and makes it anew, beside searches.", "丢弃并重建消息索引，期间仍可搜索。"),
	}
}
