package notify

import (
	"fmt"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// The events a message tells of.
const (
	Firing      = "firing"      // at least one alert fires
	Resolved    = "resolved"    // all of the group are over
	Escalated   = "escalated"   // nobody acknowledged in time
	Acknowledge = "acknowledge" // somebody took it; only PagerDuty is told
	Digest      = "digest"      // what happened in quiet hours, or was withheld by a rate limit
	Probe       = "test"        // the test button
)

// Message is one notice: a group of alerts, or a digest.
type Message struct {
	Event    string     `json:"event"`              // one of the constants
	Title    words.Text `json:"title"`              // one line
	Note     words.Text `json:"note,omitzero"`      // a sentence above the alerts
	Severity string     `json:"severity"`           // of the gravest alert: warning, serious, critical
	Group    string     `json:"group"`              // the same for all messages of one group of alerts
	GroupBy  []Pair     `json:"group_by,omitempty"` // the labels the group shares
	Receiver string     `json:"receiver"`
	Host     string     `json:"host"` // the box that speaks
	Link     string     `json:"link"` // to the list of alerts
	Items    []Item     `json:"alerts"`
	More     int        `json:"more,omitempty"` // alerts beyond Items
}

// Pair is a label of a group.
type Pair struct{ Name, Value string }

// Item is one alert in a message.
type Item struct {
	Fingerprint string            `json:"fingerprint"` // hex
	Name        string            `json:"name"`
	Severity    string            `json:"severity"`
	Firing      bool              `json:"firing"`
	Summary     words.Text        `json:"summary"`
	Details     words.Text        `json:"details,omitzero"`
	Host        string            `json:"host"`
	Value       string            `json:"value"`
	Threshold   string            `json:"threshold"`
	Since       time.Time         `json:"since"`
	Ended       time.Time         `json:"ended,omitzero"`
	Link        string            `json:"link"`
	Runbook     string            `json:"runbook"`
	Source      string            `json:"source,omitempty"` // generatorURL
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Severity is the word for a level.
func Severity(level string) words.Text {
	switch level {
	case "critical":
		return words.Of("critical", "紧急")
	case "serious":
		return words.Of("serious", "严重")
	}
	return words.Of("warning", "警告")
}

// heads are the words before the title.
func (m *Message) head(lang string) string {
	var t words.Text
	switch m.Event {
	case Resolved:
		t = words.Of("Resolved", "已恢复")
	case Escalated:
		t = words.Of("Nobody has acknowledged", "无人确认")
	case Digest:
		t = words.Of("Digest", "汇总")
	case Probe:
		t = words.Of("Test", "测试")
	default:
		t = Severity(m.Severity)
	}
	return "[" + t.In(lang) + "] "
}

// Subject is the message in one line without line breaks.
func (m *Message) Subject(lang string) string {
	return m.head(lang) + line(m.Title.In(lang))
}

func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// rows are the facts of an alert, name and value.
func (it *Item) rows(lang string) [][2]string {
	say := func(en, zh string) string { return words.Of(en, zh).In(lang) }
	out := [][2]string{{say("Host", "主机"), it.Host}, {say("Value", "当前值"), it.Value},
		{say("Threshold", "阈值"), it.Threshold}, {say("Since", "开始时间"), stamp(it.Since)}}
	if !it.Ended.IsZero() && !it.Firing {
		out = append(out, [2]string{say("Ended", "结束时间"), stamp(it.Ended)})
	}
	out = append(out, [2]string{say("Runbook", "处理步骤"), it.Runbook}, [2]string{say("Link", "链接"), it.Link})
	kept := out[:0]
	for _, r := range out {
		if r[1] != "" {
			kept = append(kept, r)
		}
	}
	return kept
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

func (it *Item) title(lang string) string {
	state := ""
	if !it.Firing {
		state = words.Of("resolved", "已恢复").In(lang) + " · "
	}
	s := line(it.Summary.In(lang))
	if s == "" {
		s = it.Name
	}
	return state + Severity(it.Severity).In(lang) + " · " + s
}

func (m *Message) more(lang string) string {
	if m.More == 0 {
		return ""
	}
	return fmt.Sprintf(words.Of("and %d more: %s", "另有 %d 条：%s").In(lang), m.More, m.Link)
}

// Text is the message as plain text, at most limit bytes (0: no limit).
func (m *Message) Text(lang string, limit int) string {
	return m.render(lang, limit, func(b *strings.Builder, it *Item) {
		fmt.Fprintf(b, "%s\n", it.title(lang))
		if d := strings.TrimSpace(it.Details.In(lang)); d != "" {
			fmt.Fprintf(b, "  %s\n", line(d))
		}
		for _, r := range it.rows(lang) {
			fmt.Fprintf(b, "  %s: %s\n", r[0], line(r[1]))
		}
	}, func(s string) string { return s })
}

// Markdown is the message in the small Markdown that DingTalk, WeCom and
// Feishu have in common: headings, bold, links, lists.
func (m *Message) Markdown(lang string, limit int) string {
	return m.render(lang, limit, func(b *strings.Builder, it *Item) {
		fmt.Fprintf(b, "**%s**\n\n", escape(it.title(lang)))
		if d := strings.TrimSpace(it.Details.In(lang)); d != "" {
			fmt.Fprintf(b, "%s\n\n", escape(line(d)))
		}
		for _, r := range it.rows(lang) {
			v := escape(line(r[1]))
			if strings.HasPrefix(r[1], "http://") || strings.HasPrefix(r[1], "https://") {
				v = "[" + escape(short(r[1])) + "](" + r[1] + ")"
			}
			fmt.Fprintf(b, "- %s: %s\n", r[0], v)
		}
	}, escape)
}

// AckMark ends the link of an alert that fires in a card of a room: the chat
// offers to acknowledge it there.
const AckMark = "#ack"

// maxCard bounds a message to a room, in bytes of one language.
const maxCard = 4000

// card is the message for a room of the chat.
func (m *Message) card(lang string) string {
	c := *m
	c.Items = append([]Item(nil), m.Items...)
	for i := range c.Items {
		if it := &c.Items[i]; it.Firing && m.Event != Probe {
			it.Link += AckMark
		}
	}
	if lang == Both {
		return c.Markdown("zh", maxCard) + "\n\n" + c.Markdown("en", maxCard)
	}
	return c.Markdown(lang, maxCard)
}

// short is a link without scheme and fragment, for people.
func short(url string) string {
	_, s, _ := strings.Cut(url, "://")
	s, _, _ = strings.Cut(s, "#")
	return clip(s, 60)
}

// escape keeps the text of an alert from becoming markup or a mention.
func escape(s string) string {
	return strings.NewReplacer("*", "＊", "<", "＜", ">", "＞", "[", "［", "]", "］", "`", "'", "@", "＠", "#", "＃", "~", "～").Replace(s)
}

// render writes alerts while they fit; those left out are counted.
func (m *Message) render(lang string, limit int, one func(*strings.Builder, *Item), esc func(string) string) string {
	head := esc(m.Subject(lang)) + "\n\n"
	if n := strings.TrimSpace(m.Note.In(lang)); n != "" {
		head += esc(n) + "\n\n"
	}
	out, left := head, *m
	for i := range m.Items {
		var b strings.Builder
		one(&b, &m.Items[i])
		b.WriteByte('\n')
		left.More = m.More + len(m.Items) - i
		tail := len(left.more(lang)) + 1
		if limit > 0 && len(out)+b.Len()+tail > limit {
			return clip(out, limit-tail) + left.more(lang)
		}
		out += b.String()
	}
	return strings.TrimSpace(out + m.more(lang))
}

// Short is the message in a few words for a screen of a telephone: at most
// limit characters, the link kept whole when it fits.
func (m *Message) Short(lang string, limit int) string {
	s := m.Subject(lang)
	if len(m.Items) > 0 {
		it := &m.Items[0]
		for _, r := range [][2]string{{"", it.Host}, {"=", it.Value}, {">", it.Threshold}} {
			if r[1] != "" && !strings.Contains(s, r[1]) {
				s += " " + line(r[1])
			}
		}
		if !it.Since.IsZero() {
			s += " " + it.Since.Format("15:04")
		}
	}
	link := m.Link
	if len(m.Items) == 1 && m.Items[0].Link != "" {
		link = m.Items[0].Link
	}
	n := len([]rune(link)) + 1
	if link == "" || n > limit-10 {
		return runes(s, limit)
	}
	return runes(s, limit-n) + " " + link
}

func runes(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// clip cuts at a whole character so that at most n bytes remain.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if n < 4 {
		return ""
	}
	cut := n - len("…")
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
