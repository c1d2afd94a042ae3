package reference

import (
	"bytes"
	"html/template"
	"reflect"
	"strings"

	"posthouse/appliance/wire"
)

// Page gives the reference as one HTML page without scripts, in English or,
// for "zh", in Chinese. It links to /static/reference.css, which Stylesheet
// gives, and reads well without it.
func Page(lang string) []byte {
	w := writer{lang: "en"}
	prose := proseEn
	if strings.HasPrefix(lang, "zh") {
		w.lang, prose = "zh", proseZh
	}
	t := template.New("page").Funcs(template.FuncMap{
		"t": w.text, "link": w.typeLink, "say": w.say, "n": limitValue, "transport": w.transport, "post": func(m wire.Spec) bool { return !m.Socket }, "frame": func(m wire.Spec) bool { return !beginsSession(m) },
		"curl": exampleCurl, "request": exampleRequest, "answer": exampleAnswer, "example": exampleEvent,
	})
	template.Must(t.Parse(pageTemplate)) // constant: a test runs both languages
	template.Must(t.New("prose").Parse(prose))
	var b bytes.Buffer
	if err := t.Execute(&b, w.view()); err != nil {
		panic("reference: " + err.Error())
	}
	return b.Bytes()
}

// writer puts things into a language.
type writer struct{ lang string }

func (w writer) text(t wire.Text) string { return t.In(w.lang) }

// view is what the template shows.
type view struct {
	Lang, Other string
	Groups      []groupView
	Events      []eventView
	Kinds       []wire.KindInfo
	Types       []typeView
	Enums       []enum
	Limits      []limit
}

type groupView struct {
	Name    string
	Title   wire.Text
	Methods []methodView
}

type methodView struct {
	wire.Spec
	Access, Class wire.Text
	Params        []field
	Result        []field
}

type eventView struct {
	wire.EventSpec
	Fields []field
}

type typeView struct {
	Name   string
	Fields []field
}

func (w writer) view() view {
	v := view{Lang: w.lang, Other: "zh", Kinds: wire.KindTable(), Enums: enums(), Limits: limits()}
	if w.lang == "zh" {
		v.Other = "en"
	}
	top := map[reflect.Type]bool{}
	for _, m := range wire.Table() {
		name := group(m.Name)
		at := -1
		for i := range v.Groups {
			if v.Groups[i].Name == name {
				at = i
			}
		}
		if at < 0 {
			at = len(v.Groups)
			v.Groups = append(v.Groups, groupView{Name: name, Title: groupTitle(name)})
		}
		top[m.Params] = true
		v.Groups[at].Methods = append(v.Groups[at].Methods, methodView{Spec: m, Access: accessText(m.Access),
			Class: classText(m.Class), Params: fields(m.Params), Result: fields(m.Result)})
	}
	for _, e := range wire.Events() {
		v.Events = append(v.Events, eventView{e, fields(e.Data)})
	}
	for _, o := range objects() {
		if !top[o.Type] && !isEmpty(o.Type) {
			v.Types = append(v.Types, typeView{o.Type.Name(), fields(o.Type)})
		}
	}
	return v
}

// typeLink names a type, with a link where there is more to know.
func (w writer) typeLink(t reflect.Type) template.HTML {
	t = bare(t)
	if isEmpty(t) {
		return template.HTML(w.word("none"))
	}
	switch shapeOf(t) {
	case shapeID:
		return "ID"
	case shapeMessage:
		return "MessageID"
	case shapeString:
		return template.HTML(w.word("string"))
	case shapeBool:
		return template.HTML(w.word("boolean"))
	case shapeInteger:
		return template.HTML(w.word("integer"))
	case shapeArray:
		return template.HTML(w.word("array of")) + " " + w.typeLink(t.Elem())
	case shapeEnum, shapeObject:
		name := t.Name()
		return template.HTML(`<a href="#type-` + name + `">` + name + `</a>`) // a Go identifier
	case shapeAny:
	}
	return template.HTML(w.word("any JSON"))
}

// limitValue is a constant of package wire by its name.
func limitValue(name string) int {
	for _, l := range limits() {
		if l.Name == name {
			return l.Value
		}
	}
	panic("reference: no limit " + name)
}

func accessText(a wire.Access) wire.Text {
	return [...]wire.Text{
		{En: "anybody", Zh: "任何人"},
		{En: "any account", Zh: "任何账号"},
		{En: "auditor, admin or owner", Zh: "审计员、管理员或所有者"},
		{En: "admin or owner", Zh: "管理员或所有者"},
		{En: "operator: the command line on the box", Zh: "操作员：服务器本机的命令行"},
	}[a]
}

func classText(c wire.Class) wire.Text {
	return [...]wire.Text{
		{En: "query", Zh: "查询 query"},
		{En: "write", Zh: "更改 write"},
		{En: "post", Zh: "消息 post"},
		{En: "auth", Zh: "认证 auth"},
		{En: "free: not counted", Zh: "不计数 free"},
	}[c]
}

func groupTitle(name string) wire.Text {
	switch name {
	case "server":
		return wire.Text{En: "The server", Zh: "服务器"}
	case "setup":
		return wire.Text{En: "First start", Zh: "初始化"}
	case "session":
		return wire.Text{En: "Sessions and devices", Zh: "会话与设备"}
	case "account":
		return wire.Text{En: "One's own account", Zh: "自己的账号"}
	case "invite":
		return wire.Text{En: "Invitations", Zh: "邀请"}
	case "directory":
		return wire.Text{En: "Directory", Zh: "通讯录"}
	case "organisation":
		return wire.Text{En: "The organisation", Zh: "组织"}
	case "search":
		return wire.Text{En: "Search", Zh: "搜索"}
	case "notice":
		return wire.Text{En: "Notices", Zh: "通知"}
	case "scheduled":
		return wire.Text{En: "Scheduled messages", Zh: "定时消息"}
	case "hook":
		return wire.Text{En: "Webhooks", Zh: "Webhook（网络钩子）"}
	case "command":
		return wire.Text{En: "Slash commands", Zh: "斜杠命令"}
	case "audit":
		return wire.Text{En: "Audit", Zh: "审计"}
	case "import":
		return wire.Text{En: "Import", Zh: "导入"}
	case "department":
		return wire.Text{En: "Departments", Zh: "部门"}
	case "user":
		return wire.Text{En: "Accounts", Zh: "账号管理"}
	case "room":
		return wire.Text{En: "Rooms", Zh: "房间"}
	case "message":
		return wire.Text{En: "Messages", Zh: "消息"}
	case "file":
		return wire.Text{En: "Files", Zh: "文件"}
	case "kv":
		return wire.Text{En: "Key-value store", Zh: "键值存储"}
	case "presence":
		return wire.Text{En: "Presence", Zh: "在线状态"}
	case "sync":
		return wire.Text{En: "The stream of events", Zh: "事件流"}
	}
	return wire.Text{En: name, Zh: name}
}

// say gives the fixed words of the page.
func (w writer) say(en string) (string, error) {
	zh, ok := map[string]string{
		"string": "字符串", "boolean": "布尔", "integer": "整数", "array of": "数组：", "any JSON": "任意 JSON",
		"Posthouse: how to talk to it": "驿站：接口参考", "Skip to the text": "跳到正文", "Contents": "目录", "Methods": "方法",
		"Events": "事件", "Errors": "错误", "Types": "类型", "Limits of the protocol": "协议限制", "Other language": "English",
		"Parameters": "参数", "Result": "结果", "Name": "名称", "Type": "类型", "Needed": "必填", "Always": "必有", "Meaning": "含义",
		"yes": "是", "no": "否", "none": "无", "Who": "谁可调用", "Rate class": "频率类别", "Transport": "传输方式",
		"WebSocket only": "仅 WebSocket", "WebSocket, POST": "WebSocket、POST", "POST only: it begins a session": "仅 POST：此方法会建立会话",
		"As a frame": "帧示例", "Answer": "应答", "With curl": "curl 示例", "Data": "数据", "record, with a position": "记录，带 position",
		"not a record": "非记录，无 position", "Kind": "kind", "Code": "code", "HTTP status": "HTTP 状态", "Value": "值", "Values": "取值", "Limit": "限制",
		"Rules": "规则",
	}[en]
	switch {
	case !ok:
		return "", missingWord(en)
	case w.lang == "zh":
		return zh, nil
	case en == "Other language":
		return "中文", nil
	}
	return en, nil
}

// word is say for words that are known to be there.
func (w writer) word(en string) string {
	s, err := w.say(en)
	if err != nil {
		panic("reference: " + err.Error())
	}
	return s
}

// transport names the ways to call a method.
func (w writer) transport(m wire.Spec) string {
	switch {
	case m.Socket:
		return w.word("WebSocket only")
	case beginsSession(m):
		return w.word("POST only: it begins a session")
	}
	return w.word("WebSocket, POST")
}

// beginsSession reports whether the answer carries a new token, which belongs
// to HTTP: a WebSocket is somebody's from its first frame on.
func beginsSession(m wire.Spec) bool {
	return m.Access == wire.Public && m.Result == reflect.TypeFor[wire.Session]() && !m.Socket
}

// missingWord tells of a word of the page that has no translation.
type missingWord string

// Error names the word.
func (m missingWord) Error() string { return "no translation of " + string(m) }
