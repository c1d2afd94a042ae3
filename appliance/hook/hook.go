package hook

import (
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"strings"
	"time"

	"posthouse/appliance/wire"
)

// Format names the sender that a payload comes from.
type Format string

// The formats. Auto is found out for each payload.
const (
	Auto         Format = ""
	DingTalk     Format = "dingtalk"
	Slack        Format = "slack"
	Mattermost   Format = "mattermost"
	Grafana      Format = "grafana"
	Alertmanager Format = "alertmanager"
	GitLab       Format = "gitlab"
	Jenkins      Format = "jenkins"
	GitHub       Format = "github"
	Plain        Format = "plain"
)

// Formats lists what a hook can be pinned to.
func Formats() []Format {
	return []Format{DingTalk, Slack, Mattermost, Grafana, Alertmanager, GitLab, Jenkins, GitHub, Plain}
}

// Request is a payload as it came.
type Request struct {
	Type   string                   // Content-Type
	Header func(name string) string // of the request; empty when there is none
	Query  func(name string) string
	Body   []byte
}

// Options say how to translate. Person and Zone may be left out.
type Options struct {
	Format Format
	Lang   string // zh or en: of the words around what came
	Max    int    // bytes of the message; 0 = 16 KiB
	// Person finds the login of somebody by mobile, login, name or id in the
	// sender's own terms. kind is "mobile" or "login".
	Person func(kind, value string) (login string, ok bool)
	Zone   *time.Location // of times that are told; UTC if nil
}

// Message is a payload made readable.
type Message struct {
	Format Format
	Text   string // safe Markdown; empty: nothing to tell
	Name   string // the name the payload wants to be shown with, one line
	Raw    string // what a keyword is looked for in
}

const defaultMax = 16 << 10

// Translate turns a payload into a message. The error is a refusal in both
// languages: InvalidParams when it cannot be understood.
func Translate(r Request, o Options) (Message, *wire.Error) {
	if o.Max <= 0 {
		o.Max = defaultMax
	}
	if o.Person == nil {
		o.Person = func(string, string) (string, bool) { return "", false }
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	body, plain := unwrap(r)
	if plain && len(body) > mostText {
		body = body[:mostText]
	}
	if plain && (o.Format == Auto || o.Format == Plain) {
		return finish(Message{Format: Plain, Text: paragraphs(string(body)), Raw: string(body)}, o)
	}
	f := o.Format
	if f == Auto {
		f = detect(r, body)
	}
	t := &translator{o: o, r: r, body: body}
	var m Message
	var err error
	switch f {
	case DingTalk:
		m, err = t.dingtalk()
	case Slack, Mattermost:
		m, err = t.slack(f == Mattermost)
	case Grafana, Alertmanager:
		m, err = t.alerts(f == Grafana)
	case GitLab:
		m, err = t.gitlab()
	case Jenkins:
		m, err = t.jenkins()
	case GitHub:
		m, err = t.github()
	case Plain:
		m, err = t.plain()
	default:
		err = errShape
	}
	m.Format = f
	if err != nil {
		return m, refuse(f, err)
	}
	return finish(m, o)
}

var errShape = errors.New("unknown shape")
var errEmpty = errors.New("nothing to show")

func refuse(f Format, err error) *wire.Error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return wire.Refuse(wire.InvalidParams, "the body is not JSON", "请求体不是 JSON")
	case errors.Is(err, errEmpty):
		return wire.Refusef(wire.InvalidParams, "the payload (%s) holds no text", "载荷（%s）没有文本", string(f))
	}
	return wire.Refuse(wire.InvalidParams, "the payload is of no known format: dingtalk, slack, mattermost, grafana, alertmanager, gitlab, jenkins, github or {\"text\": …}",
		"无法识别载荷格式：支持 dingtalk、slack、mattermost、grafana、alertmanager、gitlab、jenkins、github 或 {\"text\": …}")
}

func finish(m Message, o Options) (Message, *wire.Error) {
	m.Name = short(oneLine(m.Name), 60)
	m.Text = strings.TrimSpace(cut(resolve(m.Text), o.Max, o.Lang))
	return m, nil
}

// translator is one payload on its way.
type translator struct {
	o    Options
	r    Request
	body []byte
}

func (t *translator) say(en, zh string) string { return wire.Text{En: en, Zh: zh}.In(t.o.Lang) }

// decode reads JSON leniently: a field of another type than expected is as if
// it were not there.
func (t *translator) decode(into any) error {
	err := json.Unmarshal(t.body, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return nil
	}
	if errors.As(err, &wrong) {
		return errShape
	}
	return err
}

// unwrap takes the JSON out of a form; plain says that the body is text.
func unwrap(r Request) (body []byte, plain bool) {
	media, _, err := mime.ParseMediaType(r.Type)
	if err != nil {
		media = strings.ToLower(strings.TrimSpace(strings.SplitN(r.Type, ";", 2)[0]))
	}
	switch media {
	case "application/x-www-form-urlencoded":
		if trimmed := strings.TrimSpace(string(r.Body)); strings.HasPrefix(trimmed, "{") {
			return r.Body, false // curl -d without a type
		}
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return r.Body, false
		}
		if p := form.Get("payload"); p != "" {
			return []byte(p), false
		}
		return []byte(form.Get("text")), true
	case "text/plain":
		trimmed := strings.TrimSpace(string(r.Body))
		return r.Body, !strings.HasPrefix(trimmed, "{")
	}
	return r.Body, false
}

// detect finds the format by headers, then by shape.
func detect(r Request, body []byte) Format {
	header := func(name string) bool { return r.Header != nil && r.Header(name) != "" }
	switch {
	case header("X-Gitlab-Event"):
		return GitLab
	case header("X-GitHub-Event"), header("X-Gitea-Event"), header("X-Gogs-Event"):
		return GitHub
	}
	var shape map[string]json.RawMessage
	if json.Unmarshal(body, &shape) != nil {
		return Slack // whose translator tells what is wrong
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := shape[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("msgtype"):
		return DingTalk
	case has("alerts", "orgId"):
		return Grafana
	case has("alerts"):
		return Alertmanager
	case has("object_kind"):
		return GitLab
	case has("build", "name"):
		return Jenkins
	case has("text"), has("attachments"), has("blocks"):
		return Slack
	}
	return Format("unknown")
}

func (t *translator) plain() (Message, error) {
	var p struct {
		Text str `json:"text"`
		Name str `json:"username"`
	}
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	if strings.TrimSpace(string(p.Text)) == "" {
		return Message{}, errEmpty
	}
	return Message{Text: paragraphs(string(p.Text)), Name: string(p.Name), Raw: string(p.Text)}, nil
}

// str takes any JSON scalar as text, of which it keeps a bounded beginning;
// anything else is empty.
type str string

const mostText = 64 << 10 // bytes of one value

// UnmarshalJSON implements json.Unmarshaler.
func (s *str) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
		*s = ""
	case b[0] == '"':
		var v string
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		if len(v) > mostText {
			v = strings.ToValidUTF8(v[:mostText], "") + "…"
		}
		*s = str(v)
	default:
		*s = str(b)
	}
	return nil
}
