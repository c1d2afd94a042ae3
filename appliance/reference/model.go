package reference

import (
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// field is one member of a JSON object.
type field struct {
	Name     string
	Type     reflect.Type
	Optional bool
	Doc      wire.Text
}

// fields lists the members of a struct as they travel.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || name == "" {
			continue
		}
		en, zh, _ := strings.Cut(f.Tag.Get("doc"), "|")
		out = append(out, field{Name: name, Type: f.Type, Doc: wire.Text{En: en, Zh: zh},
			Optional: strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")})
	}
	return out
}

// shape is how a Go type travels as JSON.
type shape int

const (
	shapeAny     shape = iota // any JSON value
	shapeID                   // id.ID: a string
	shapeMessage              // id.Message: a string
	shapeEnum                 // a named string type with a list of values
	shapeString
	shapeBool
	shapeInteger
	shapeArray
	shapeObject
)

func shapeOf(t reflect.Type) shape {
	switch t {
	case reflect.TypeFor[id.ID]():
		return shapeID
	case reflect.TypeFor[id.Message]():
		return shapeMessage
	case reflect.TypeFor[jsontext.Value]():
		return shapeAny
	}
	switch t.Kind() {
	case reflect.String:
		if t.PkgPath() != "" {
			return shapeEnum
		}
		return shapeString
	case reflect.Bool:
		return shapeBool
	case reflect.Slice:
		return shapeArray
	case reflect.Struct:
		return shapeObject
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return shapeInteger
	}
	panic("reference: no JSON form for " + t.String())
}

// bare is a type without the pointer that makes it optional.
func bare(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// isEmpty reports whether a type is the empty object.
func isEmpty(t reflect.Type) bool { return t == reflect.TypeFor[wire.Empty]() }

// enum is a named string type and its values.
type enum struct {
	Type   reflect.Type
	Values []string
}

// enums lists the named string types of the protocol.
func enums() []enum {
	kinds := enum{Type: reflect.TypeFor[wire.Kind]()}
	for _, k := range wire.KindTable() {
		kinds.Values = append(kinds.Values, string(k.Kind))
	}
	events := enum{Type: reflect.TypeFor[wire.EventType]()}
	for _, e := range wire.Events() {
		events.Values = append(events.Values, string(e.Type))
	}
	return []enum{
		enumOf(wire.Owner, wire.Admin, wire.Auditor, wire.Member),
		enumOf(wire.RoomOwner, wire.RoomModerator, wire.RoomPlain, wire.RoomReader),
		enumOf(wire.Direct, wire.Group, wire.Channel, wire.Announcement, wire.Notes),
		kinds, events,
	}
}

func enumOf[T ~string](values ...T) enum {
	e := enum{Type: reflect.TypeFor[T]()}
	for _, v := range values {
		e.Values = append(e.Values, string(v))
	}
	return e
}

func valuesOf(t reflect.Type) []string {
	for _, e := range enums() {
		if e.Type == t {
			return e.Values
		}
	}
	panic("reference: no values for " + t.String())
}

// object is a struct of the protocol and where it is used.
type object struct {
	Type reflect.Type
	Uses []string // "params of message.send", in English
}

// objects lists every struct reached from the tables, in order of first use.
func objects() []object {
	var list []object
	index := map[reflect.Type]int{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		t = bare(t)
		if t.Kind() == reflect.Slice && t != reflect.TypeFor[jsontext.Value]() {
			walk(t.Elem())
			return
		}
		if t.Kind() != reflect.Struct || shapeOf(t) != shapeObject {
			return
		}
		if _, seen := index[t]; seen {
			return
		}
		index[t] = len(list)
		list = append(list, object{Type: t})
		for _, f := range fields(t) {
			walk(f.Type)
		}
	}
	use := func(t reflect.Type, how string) {
		walk(t)
		list[index[t]].Uses = append(list[index[t]].Uses, how)
	}
	for _, m := range wire.Table() {
		use(m.Params, "params of "+m.Name)
		use(m.Result, "result of "+m.Name)
	}
	for _, e := range wire.Events() {
		use(e.Data, "data of event "+string(e.Type))
	}
	use(reflect.TypeFor[wire.ErrorBody](), "error of an answer")
	return list
}

// limit is a number that both sides must know.
type limit struct {
	Name  string // name of the constant in package wire
	Value int
	Doc   wire.Text
}

// limits lists the constants of package wire.
func limits() []limit {
	return []limit{
		{"MaxDepth", wire.MaxDepth, wire.Text{En: "nesting of JSON in a frame or body", Zh: "帧或请求体中 JSON 的嵌套层数"}},
		{"MaxRequestID", wire.MaxRequestID, wire.Text{En: "bytes of a JSON-RPC id", Zh: "JSON-RPC id 的字节数"}},
		{"MaxFiles", wire.MaxFiles, wire.Text{En: "files in one message", Zh: "每条消息的文件数"}},
		{"MaxMentions", wire.MaxMentions, wire.Text{En: "people mentioned in one message", Zh: "每条消息 @ 的人数"}},
		{"MaxEmoji", wire.MaxEmoji, wire.Text{En: "bytes of a reaction", Zh: "表情回应的字节数"}},
		{"MaxReactions", wire.MaxReactions, wire.Text{En: "different reactions under one message", Zh: "每条消息不同表情的数量"}},
		{"MaxForeign", wire.MaxForeign, wire.Text{En: "bytes of a foreign payload", Zh: "外部载荷的字节数"}},
		{"MaxKVValue", wire.MaxKVValue, wire.Text{En: "bytes of a value in the key-value store", Zh: "键值存储中值的字节数"}},
		{"MaxKVKey", wire.MaxKVKey, wire.Text{En: "bytes of a key in the key-value store", Zh: "键值存储中键的字节数"}},
		{"MaxKVEntries", wire.MaxKVEntries, wire.Text{En: "entries per person and per device", Zh: "每人、每设备的条目数"}},
		{"MaxName", wire.MaxName, wire.Text{En: "characters of a name", Zh: "名称的字符数"}},
		{"MaxTopic", wire.MaxTopic, wire.Text{En: "characters of a topic", Zh: "主题的字符数"}},
		{"MinPassword", wire.MinPassword, wire.Text{En: "bytes of a password, at least", Zh: "密码最少字节数"}},
		{"MaxPassword", wire.MaxPassword, wire.Text{En: "bytes of a password, at most", Zh: "密码最多字节数"}},
		{"LiveReceipts", wire.LiveReceipts, wire.Text{En: "members up to which receipts travel live in a group", Zh: "实时推送回执的群组成员上限"}},
		{"MaxPinned", wire.MaxPinned, wire.Text{En: "pinned messages in a room", Zh: "房间的置顶消息数"}},
		{"SearchPage", wire.SearchPage, wire.Text{En: "messages found in one page", Zh: "每页找到的消息数"}},
		{"NamesPage", wire.NamesPage, wire.Text{En: "people, and rooms, found by name", Zh: "按名称找到的人员数与房间数"}},
		{"MaxHookWords", wire.MaxHookWords, wire.Text{En: "keywords or trigger words of a hook", Zh: "钩子的关键词或触发词数"}},
		{"MaxHooksPerRoom", wire.MaxHooksPerRoom, wire.Text{En: "hooks in a room", Zh: "房间的钩子数"}},
		{"MaxHooksPerPerson", wire.MaxHooksPerPerson, wire.Text{En: "hooks made by one person who is no admin", Zh: "非管理员每人创建的钩子数"}},
		{"MaxHooks", wire.MaxHooks, wire.Text{En: "hooks in all", Zh: "钩子总数"}},
		{"MaxImport", wire.MaxImport, wire.Text{En: "entries of one call of import.*", Zh: "一次 import.* 调用的条目数"}},
		{"MaxNoticeText", wire.MaxNoticeText, wire.Text{En: "bytes of a notice", Zh: "通知正文字节数"}},
		{"MaxNoticeRooms", wire.MaxNoticeRooms, wire.Text{En: "rooms that one notice addresses", Zh: "一个通知发送到的房间数"}},
		{"MaxNoticeDepartments", wire.MaxNoticeDepartments, wire.Text{En: "departments that one notice addresses", Zh: "一个通知发送到的部门数"}},
		{"MaxNoticeUsers", wire.MaxNoticeUsers, wire.Text{En: "people that an admin or owner addresses by name", Zh: "管理员或所有者点名的人数"}},
		{"MaxNoticeUsersPlain", wire.MaxNoticeUsersPlain, wire.Text{En: "people that anybody else addresses by name", Zh: "其他人点名的人数"}},
		{"MaxNoticesOpen", wire.MaxNoticesOpen, wire.Text{En: "open notices of one author", Zh: "每人未关闭的通知数"}},
		{"MaxNoticesDay", wire.MaxNoticesDay, wire.Text{En: "notices of one author in 24 hours", Zh: "每人 24 小时内的通知数"}},
		{"MaxNoticePeopleDay", wire.MaxNoticePeopleDay, wire.Text{En: "people asked by the notices of one author in 24 hours", Zh: "每人 24 小时内的通知合计要求的人次"}},
		{"MaxReminders", wire.MaxReminders, wire.Text{En: "automatic reminders of one notice", Zh: "一个通知的自动提醒次数"}},
		{"AuditPage", wire.AuditPage, wire.Text{En: "entries of the audit in one page", Zh: "每页审计记录数"}},
		{"MaxAuditWord", wire.MaxAuditWord, wire.Text{En: "bytes of action, role and address of an entry of the audit", Zh: "审计记录中操作、角色、地址的字节数"}},
		{"MaxAuditText", wire.MaxAuditText, wire.Text{En: "bytes of name, object and detail of an entry of the audit, each", Zh: "审计记录中名称、对象、内容各自的字节数"}},
		{"MaxScheduled", wire.MaxScheduled, wire.Text{En: "scheduled messages of one person", Zh: "每人的定时消息数"}},
	}
}

// accessName is the level as programs read it.
func accessName(a wire.Access) string {
	return [...]string{"public", "logged_in", "sees", "manages", "operator"}[a]
}

// className is the rate class as programs read it.
func className(c wire.Class) string {
	return [...]string{"query", "write", "post", "auth", "free"}[c]
}
