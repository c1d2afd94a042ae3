package notify

import (
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"posthouse/sysmon/words"
)

// Channel is one way out of the box as an admin set it up.
type Channel struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Lang     string            `json:"lang"` // zh, en, or Both for a room
	Off      bool              `json:"off,omitempty"`
	NoEnd    bool              `json:"quiet_resolved,omitempty"` // no message when all is well again
	PerHour  int               `json:"per_hour,omitempty"`       // rate limit; 0: DefaultPerHour
	Settings map[string]string `json:"set"`
}

// DefaultPerHour is how many messages an hour a channel takes when it says
// nothing else.
const DefaultPerHour = 60

// OperatorsRoom names the operators' own room where a room is chosen.
const OperatorsRoom = "operators"

// Both is the language of a room whose members read Chinese or English: each
// message holds both.
const Both = "both"

// Bounds of what an admin may enter.
const (
	maxChannels = 100
	maxSetting  = 16 << 10
	maxName     = 100
)

// Mask stands for a secret wherever it would be shown.
const Mask = "••••••••"

// Field is one setting of a kind of channel; forms are made from it.
type Field struct {
	Key      string
	Label    words.Text
	Help     words.Text
	Form     string // text, url, number, lines, choice, check
	Choices  []string
	Default  string
	Secret   bool
	Required bool
}

// Kind describes a sort of channel.
type Kind struct {
	Name   string
	Title  words.Text
	Fields []Field
	// Chat says that it works only while the chat does.
	Chat bool
	// Ack says that the other side wants to hear of acknowledgements.
	Ack bool
}

func text(key, en, zh string) Field {
	return Field{Key: key, Label: words.Of(en, zh), Form: "text"}
}
func (f Field) must() Field                { f.Required = true; return f }
func (f Field) hidden() Field              { f.Secret = true; return f }
func (f Field) form(s string) Field        { f.Form = s; return f }
func (f Field) preset(s string) Field      { f.Default = s; return f }
func (f Field) help(en, zh string) Field   { f.Help = words.Of(en, zh); return f }
func (f Field) oneOf(list ...string) Field { f.Form, f.Choices = "choice", list; return f }
func robot(def, en, zh string) Field {
	return text("url", "Address", "地址").must().form("url").preset(def).help(en, zh)
}
func signer(en, zh string) Field {
	return text("secret", "Signing secret", "加签密钥").hidden().help(en, zh)
}
func phones() Field {
	return text("phones", "Phone numbers", "手机号").must().form("lines").help("One a line, with country code for a modem: +8613800138000", "每行一个；用调制解调器时请带国家代码：+8613800138000")
}

// Kinds lists every sort of channel, in the order of the form.
func Kinds() []Kind {
	return []Kind{
		{Name: "email", Title: words.Of("E-mail", "电子邮件"), Fields: emailFields()},
		{Name: "dingtalk", Title: words.Of("DingTalk robot", "钉钉机器人"), Fields: []Field{
			robot("https://oapi.dingtalk.com/robot/send", "Or a relay that passes the request on", "也可以填写转发服务的地址"),
			text("token", "access_token", "access_token").must().hidden(), signer("Begins with SEC", "以 SEC 开头"),
			text("mobiles", "Mention these mobile numbers", "@ 这些手机号").form("lines")}},
		{Name: "wecom", Title: words.Of("WeCom robot", "企业微信机器人"), Fields: []Field{
			robot("https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "Or a relay", "也可以填写转发服务的地址"),
			text("token", "key", "key").must().hidden()}},
		{Name: "feishu", Title: words.Of("Feishu robot", "飞书机器人"), Fields: []Field{
			robot("https://open.feishu.cn/open-apis/bot/v2/hook", "The token is added to it", "令牌会接在后面"),
			text("token", "Token", "令牌").must().hidden(), signer("", "")}},
		{Name: "sms-aliyun", Title: words.Of("SMS by Aliyun", "阿里云短信"), Fields: []Field{
			robot("https://dysmsapi.aliyuncs.com/", "Or a gateway that speaks the same", "也可以填写兼容的网关"),
			text("key", "AccessKey ID", "AccessKey ID").must(), text("secret", "AccessKey secret", "AccessKey Secret").must().hidden(),
			text("sign", "Signature name", "签名名称").must(), text("template", "Template code", "模板代码").must().help("A template with one variable", "带一个变量的模板"),
			text("variable", "Variable of the template", "模板变量名").preset("content"), phones()}},
		{Name: "sms", Title: words.Of("SMS gateway by HTTP", "短信网关（HTTP）"), Fields: smsFields()},
		{Name: "modem", Title: words.Of("SMS by a serial modem", "串口短信调制解调器"), Fields: []Field{
			text("device", "Device", "设备").must().preset("/dev/ttyUSB0"), text("baud", "Baud rate", "波特率").form("number").preset("115200"),
			text("pin", "PIN of the SIM card", "SIM 卡 PIN").hidden(), phones()}},
		{Name: "pagerduty", Title: words.Of("PagerDuty", "PagerDuty"), Ack: true, Fields: []Field{
			robot("https://events.pagerduty.com/v2/enqueue", "", ""), text("token", "Integration key", "集成密钥").must().hidden()}},
		{Name: "webhook", Title: words.Of("Webhook", "Webhook"), Fields: []Field{
			robot("", "Gets the notice as JSON by POST", "以 POST 方式接收 JSON"), signer("Signs the body: X-Posthouse-Signature", "用于签名：X-Posthouse-Signature"),
			text("token", "Bearer token", "Bearer 令牌").hidden()}},
		{Name: "am-webhook", Title: words.Of("Webhook in Alertmanager's form", "Alertmanager 格式的 Webhook"), Fields: []Field{
			robot("", "Whatever takes notices from an Alertmanager", "任何能接收 Alertmanager 通知的服务"), text("token", "Bearer token", "Bearer 令牌").hidden()}},
		{Name: "alertmanager", Title: words.Of("Another Alertmanager", "另一个 Alertmanager"), Fields: []Field{
			robot("", "Its address, as http://host:9093", "其地址，如 http://host:9093"), text("user", "User name", "用户名"), text("token", "Password", "密码").hidden()}},
		{Name: "room", Title: words.Of("Room in this chat", "本系统的房间"), Chat: true, Fields: []Field{
			text("room", "Room", "房间").must().preset(OperatorsRoom).help("Name or ID of a room, as ops; operators is the operators' own, whose members are the owners and admins", "房间的名称或编号，如 ops；operators 为值班室，成员是所有者与管理员")}},
	}
}

func emailFields() []Field {
	return []Field{
		text("host", "SMTP server", "SMTP 服务器").must(), text("port", "Port", "端口").form("number").preset("587"),
		text("security", "Encryption", "加密方式").oneOf("starttls", "tls", "none").preset("starttls").help("none: for a relay in the building that wants no password", "none：仅用于内网中不需要密码的中继"),
		text("user", "User name", "用户名").help("Empty: a relay without login", "留空：无需登录的中继"), text("password", "Password", "密码").hidden(),
		text("from", "From", "发件人").must(), text("to", "To", "收件人").must().form("lines").help("One address a line", "每行一个地址"),
		text("ca", "Certificate of your own authority (PEM)", "自有 CA 证书（PEM）").form("lines"),
	}
}

func smsFields() []Field {
	return []Field{
		robot("", "{phone}, {text} and {timestamp} are replaced, here and in the body", "地址与正文中的 {phone}、{text}、{timestamp} 会被替换"),
		text("method", "Method", "方法").oneOf("POST", "GET").preset("POST"),
		text("type", "Content type", "内容类型").oneOf("application/json", "application/x-www-form-urlencoded", "text/plain").preset("application/json"),
		text("body", "Body", "正文").form("lines").preset(`{"phone":"{phone}","text":"{text}"}`),
		text("token", "Secret for {token}", "{token} 的值").hidden(), text("header", "Authorization header", "Authorization 头").hidden(),
		text("ok", "An answer in order contains", "成功应答包含的文字").help("Empty: any 2xx", "留空：任意 2xx 即可"), phones(),
	}
}

// KindOf finds a kind.
func KindOf(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// get is a setting, or its default.
func (c *Channel) get(key string) string {
	if v := strings.TrimSpace(c.Settings[key]); v != "" {
		return v
	}
	k, _ := KindOf(c.Kind)
	for _, f := range k.Fields {
		if f.Key == key {
			return f.Default
		}
	}
	return ""
}

// list is a setting of several lines.
func (c *Channel) list(key string) []string {
	return strings.FieldsFunc(c.get(key), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ';' || r == ' ' })
}

// Invalid is a setting that cannot work, with what to do.
type Invalid struct {
	Field string // key; empty: the channel itself
	Text  words.Text
}

func (e *Invalid) Error() string { return e.Text.EN }

func invalid(field, en, zh string, args ...any) error {
	return &Invalid{Field: field, Text: words.Of(fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...))}
}

// Check refuses what cannot work; its error is an *Invalid.
func (c *Channel) Check() error {
	k, ok := KindOf(c.Kind)
	switch {
	case !ok:
		return invalid("kind", "there is no channel of the kind %q", "没有 %q 这种渠道", c.Kind)
	case strings.TrimSpace(c.Name) == "" || len(c.Name) > maxName:
		return invalid("name", "give the channel a name of at most %d bytes", "请给渠道起一个不超过 %d 字节的名称", maxName)
	case c.Lang != "zh" && c.Lang != "en" && !(c.Lang == Both && k.Chat):
		return invalid("lang", "the language is zh or en, of a room also both", "语言只能是 zh 或 en，房间可以两者都用")
	case c.PerHour < 0 || c.PerHour > 100000:
		return invalid("per_hour", "the rate limit is 0 to 100000 an hour", "每小时上限为 0 到 100000")
	}
	known := map[string]bool{}
	for _, f := range k.Fields {
		known[f.Key] = true
		if err := c.checkField(f); err != nil {
			return err
		}
	}
	for key := range c.Settings {
		if !known[key] {
			return invalid(key, "%s has no setting %q", "%s 没有设置项 %q", c.Kind, key)
		}
	}
	if c.Kind == "email" && c.get("security") == "none" && c.get("password") != "" {
		return invalid("security", "a password is never sent in the clear: choose starttls or tls", "不会明文发送密码：请选择 starttls 或 tls")
	}
	return nil
}

func (c *Channel) checkField(f Field) error {
	v := c.get(f.Key)
	switch {
	case v == "" && f.Required:
		return wrong(f, " is missing", "不能为空")
	case len(v) > maxSetting:
		return wrong(f, " is longer than 16 KiB", "超过 16 KiB")
	case v == "":
		return nil
	case f.Form != "lines" && strings.ContainsAny(v, "\r\n\x00"):
		return wrong(f, " is one line", "只能是一行")
	}
	switch f.Form {
	case "url":
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return invalid(f.Key, "the address begins with http:// or https:// and holds no password", "地址以 http:// 或 https:// 开头，且不含密码")
		}
	case "number":
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 10_000_000 {
			return wrong(f, " is a whole number", "应为整数")
		}
	case "choice":
		for _, s := range f.Choices {
			if s == v {
				return nil
			}
		}
		return invalid(f.Key, "choose one of: %s", "请从中选择：%s", strings.Join(f.Choices, ", "))
	}
	return c.checkPeople(f.Key)
}

func (c *Channel) checkPeople(key string) error {
	switch {
	case key == "from" || key == "to":
		for _, a := range strings.FieldsFunc(c.get(key), func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
			if _, err := mail.ParseAddress(strings.TrimSpace(a)); err != nil {
				return invalid(key, "%q is no mail address", "%q 不是邮件地址", strings.TrimSpace(a))
			}
		}
	case key == "phones" || key == "mobiles":
		for _, p := range c.list(key) {
			if d := strings.TrimPrefix(p, "+"); len(d) < 3 || len(d) > 20 || strings.Trim(d, "0123456789") != "" {
				return invalid(key, "%q is no phone number", "%q 不是电话号码", p)
			}
		}
	}
	return nil
}

// wrong says of a field what is wrong with it.
func wrong(f Field, en, zh string) error {
	return &Invalid{Field: f.Key, Text: words.Of(f.Label.EN+en, f.Label.ZH+zh)}
}

// Masked is a copy without secrets, for pages and answers.
func (c Channel) Masked() Channel {
	out := c
	out.Settings = map[string]string{}
	for k, v := range c.Settings {
		out.Settings[k] = v
	}
	k, _ := KindOf(c.Kind)
	for _, f := range k.Fields {
		if f.Secret && c.Settings[f.Key] != "" {
			out.Settings[f.Key] = Mask
		}
	}
	return out
}

// Merge fills secrets that come back masked from the channel as it was, while
// it still talks to the same place: a secret typed for one server is not sent
// to another.
func (c Channel) Merge(old Channel) Channel {
	out := c
	same := old.Kind == c.Kind && old.Settings["url"] == c.Settings["url"] && old.Settings["host"] == c.Settings["host"]
	out.Settings = map[string]string{}
	for k, v := range c.Settings {
		if v == Mask {
			v = ""
			if same {
				v = old.Settings[k]
			}
		}
		out.Settings[k] = v
	}
	return out
}

// scrub removes the channel's secrets from a text.
func (c *Channel) scrub(s string) string {
	k, _ := KindOf(c.Kind)
	for _, f := range k.Fields {
		if v := c.Settings[f.Key]; f.Secret && len(v) > 3 {
			s = strings.ReplaceAll(strings.ReplaceAll(s, v, "••••"), url.QueryEscape(v), "••••")
		}
	}
	return s
}
