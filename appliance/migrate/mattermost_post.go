package migrate

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// mmPost is a post, a direct_post or a reply.
type mmPost struct {
	Team      string         `json:"team"`
	Channel   string         `json:"channel"`
	Members   []string       `json:"channel_members"`
	User      string         `json:"user"`
	Type      string         `json:"type"`
	Message   string         `json:"message"`
	Props     jsontext.Value `json:"props"`
	CreateAt  int64          `json:"create_at"`
	EditAt    int64          `json:"edit_at"`
	FlaggedBy []string       `json:"flagged_by"`
	Reactions []struct {
		User  string `json:"user"`
		Emoji string `json:"emoji_name"`
	} `json:"reactions"`
	Replies     []mmPost `json:"replies"`
	Attachments []struct {
		Path string `json:"path"`
	} `json:"attachments"`
	Pinned bool `json:"is_pinned"`
}

// post takes a post with its replies.
func (m *mattermost) post(room *Room, p *mmPost) error {
	root := m.postKey(room, p)
	kept, err := m.one(room, p, nil)
	if err != nil {
		return err
	}
	threads := 0
	for i := range p.Replies {
		thread := &root
		if !kept {
			thread = nil
			m.lost.add(NotThreads, oneLine(p.Replies[i].Message, 60))
		}
		ok, err := m.one(room, &p.Replies[i], thread)
		if err != nil {
			return err
		}
		if ok && kept {
			threads = 1
		}
	}
	m.plan.Totals.Threads += threads
	return nil
}

func (m *mattermost) postKey(room *Room, p *mmPost) Key {
	return key(Mattermost, room.source, p.User, fmt.Sprint(p.CreateAt))
}

// one takes one message; false when it is left out.
func (m *mattermost) one(room *Room, p *mmPost, thread *Key) (bool, error) {
	if p.User == "" || p.CreateAt <= 0 || p.CreateAt > 1<<46 {
		m.lost.add(NotDamaged, "a message without author or time: "+oneLine(p.Message, 40))
		return false, nil
	}
	if what := mmLoss(p.Type); what != "" {
		m.lost.add(what, oneLine(p.Message, 60))
		return false, nil
	}
	e := &Entry{Key: m.postKey(room, p), Author: p.User, At: p.CreateAt, Thread: thread, Text: m.markdown(p.Message)}
	if p.EditAt > p.CreateAt {
		e.EditedAt = p.EditAt
	}
	if p.Pinned {
		e.PinnedAt = p.CreateAt
	}
	props := readProps(p.Props)
	for i := range props.Attachments {
		if more := m.attachment(&props.Attachments[i]); more != "" && !strings.Contains(e.Text, more) {
			e.Text = strings.TrimLeft(e.Text+"\n"+more, "\n")
		}
	}
	if props.Override != "" && e.Text != "" {
		e.Text = "**" + oneLine(strings.ReplaceAll(noNUL(props.Override), "*", ""), 60) + "**\n" + e.Text
	}
	for _, u := range p.FlaggedBy {
		m.lost.add(NotPersonal, u)
	}
	for _, x := range p.Reactions {
		if x.User != "" {
			m.reactors[x.User] = struct{}{}
			m.reaction(e, x.Emoji, []string{x.User})
		}
	}
	for _, a := range p.Attachments {
		m.attach(e, a.Path)
	}
	if strings.TrimSpace(e.Text) == "" && len(e.Files) == 0 {
		return false, nil
	}
	return true, m.take(room, e)
}

// mmLoss tells of a post that is not taken what it is.
func mmLoss(kind string) string {
	switch {
	case kind == "system_join_channel", kind == "system_leave_channel", kind == "system_join_team", kind == "system_leave_team",
		kind == "system_add_to_channel", kind == "system_remove_from_channel", kind == "system_add_to_team", kind == "system_remove_from_team",
		kind == "system_join_leave", kind == "system_add_remove", kind == "system_auto_responder":
		return NotJoins
	case strings.HasPrefix(kind, "system_"):
		return NotSystem
	case strings.HasPrefix(kind, "custom_calls"):
		return NotHuddles
	case strings.HasPrefix(kind, "custom_"):
		return NotPlaybooks
	}
	return ""
}

func (m *mattermost) attach(e *Entry, at string) {
	name := Name(path.Base(strings.ReplaceAll(at, "\\", "/")), "file")
	f := File{Key: key(Mattermost, "file", at), Name: name}
	for _, p := range []string{m.prefix + "data/" + at, m.prefix + at} {
		if p, ok := safePath(p); ok && m.ar.files[p] != nil {
			f.Path, f.Size = p, m.ar.size(p)
			break
		}
	}
	e.Files = append(e.Files, f)
}

func (m *mattermost) attachment(a *slackAttachment) string {
	var lines []string
	add := func(t string) {
		if t = strings.TrimSpace(t); t != "" {
			lines = append(lines, t)
		}
	}
	add(m.markdown(a.Pretext))
	title := oneLine(noNUL(a.Title), 200)
	if a.TitleLink != "" && title != "" && !strings.ContainsAny(title, "[]") && !strings.ContainsAny(a.TitleLink, " ()") {
		title = "[" + title + "](" + noNUL(a.TitleLink) + ")"
	} else if title != "" {
		title = "**" + strings.ReplaceAll(title, "*", "") + "**"
	}
	add(title)
	add(m.markdown(a.Text))
	for _, f := range a.Fields {
		add(m.markdown(f.Title + ": " + f.Value))
	}
	if len(lines) == 0 {
		add(m.markdown(a.Fallback))
	}
	return strings.Join(lines, "\n")
}

// markdown turns Mattermost's Markdown into the subset of this system: headings
// become bold lines, pictures become links, __bold__ becomes **bold**, "+ item"
// becomes "- item", ">quote" gets its blank, ~~~ becomes ```. Tables and what
// else there is stay as they were written. Mentions are marked, and names of
// emoji become characters, outside of code.
func (m *mattermost) markdown(text string) string {
	text = strings.ReplaceAll(noNUL(text), "\r\n", "\n")
	lines := strings.Split(text, "\n")
	fence := ""
	for i, line := range lines {
		bare := strings.TrimLeft(line, " ")
		if len(line)-len(bare) < 4 && (strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~")) {
			mark := bare[:3]
			if fence == "" {
				fence = mark
			} else if fence == mark {
				fence = ""
			} else {
				continue
			}
			lines[i] = "```" + strings.TrimLeft(bare[3:], "~`")
			continue
		}
		if fence == "" {
			lines[i] = m.inlineLine(line)
		}
	}
	return strings.Join(lines, "\n")
}

func (m *mattermost) inlineLine(line string) string {
	bare := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(bare)]
	head := strings.TrimLeft(bare, "#")
	switch n := len(bare) - len(head); {
	case n > 0 && n <= 6 && strings.HasPrefix(head, " ") && strings.TrimSpace(head) != "":
		return "**" + m.codeless(strings.ReplaceAll(strings.Trim(head, " #"), "**", "")) + "**"
	case strings.HasPrefix(bare, "+ "):
		return indent + "- " + m.codeless(bare[2:])
	case strings.HasPrefix(bare, ">"):
		return "> " + m.codeless(strings.TrimPrefix(bare[1:], " "))
	}
	return indent + m.codeless(bare)
}

// codeless converts what is not between backticks.
func (m *mattermost) codeless(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '`')
		if i < 0 {
			break
		}
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		j := strings.Index(s[i+n:], s[i:i+n])
		if j < 0 {
			break
		}
		b.WriteString(m.words(s[:i]) + s[i:i+n+j+n])
		s = s[i+n+j+n:]
	}
	return b.String() + m.words(s)
}

func (m *mattermost) words(s string) string {
	s = strings.ReplaceAll(s, "![", "[")
	if strings.Count(s, "__") > 1 {
		s = underlined(s)
	}
	return m.mentions(m.emoji.replace(s, func(n string) { m.lost.add(NotEmoji, ":"+n+":") }))
}

// underlined writes __bold__ as **bold**.
func underlined(s string) string {
	parts := strings.Split(s, "__")
	var b strings.Builder
	b.WriteString(parts[0])
	for i := 1; i < len(parts); i++ {
		inside := parts[i]
		before := parts[i-1]
		opens := before == "" || !alnum(before[len(before)-1])
		closes := i+1 < len(parts) && (parts[i+1] == "" || !alnum(parts[i+1][0]))
		if opens && closes && inside != "" && strings.TrimSpace(inside) == inside {
			b.WriteString("**" + inside + "**" + parts[i+1])
			i++
			continue
		}
		b.WriteString("__" + inside)
	}
	return b.String()
}

// mentions marks the names after an @.
func (m *mattermost) mentions(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '@')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		n := i + 1
		for n < len(s) && (alnum(s[n]) || s[n] == '.' || s[n] == '_' || s[n] == '-') {
			n++
		}
		name := strings.TrimRight(s[i+1:n], ".-_")
		b.WriteString(s[:i])
		switch lower := strings.ToLower(name); {
		case name == "" || i > 0 && (alnum(s[i-1]) || s[i-1] == '/' || s[i-1] == '@'):
			b.WriteString("@" + name)
		case lower == "channel" || lower == "here" || lower == "all":
			b.WriteString("@all")
		default:
			b.WriteString(MarkMention + lower + MarkMention)
		}
		s = s[i+1+len(name):]
	}
}
