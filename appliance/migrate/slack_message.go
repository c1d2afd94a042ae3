package migrate

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type slackMessage struct {
	Type     string `json:"type"`
	Subtype  string `json:"subtype"`
	User     string `json:"user"`
	BotID    string `json:"bot_id"`
	Username string `json:"username"`
	Text     string `json:"text"`
	TS       string `json:"ts"`
	ThreadTS string `json:"thread_ts"`
	Profile  struct {
		RealName string `json:"real_name"`
		Name     string `json:"name"`
	} `json:"user_profile"`
	BotProfile struct {
		Name string `json:"name"`
	} `json:"bot_profile"`
	Edited struct {
		TS string `json:"ts"`
	} `json:"edited"`
	Comment struct {
		User    string `json:"user"`
		Comment string `json:"comment"`
	} `json:"comment"`
	Reactions []struct {
		Name  string   `json:"name"`
		Users []string `json:"users"`
		Count int      `json:"count"`
	} `json:"reactions"`
	Files       []slackFile       `json:"files"`
	File        *slackFile        `json:"file"`
	Attachments []slackAttachment `json:"attachments"`
	Blocks      []jsontext.Value  `json:"blocks"`
	PinnedTo    []string          `json:"pinned_to"`
	IsEphemeral bool              `json:"is_ephemeral"`
}

type slackFile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Mimetype string `json:"mimetype"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode"`
	Filetype string `json:"filetype"`
}

type slackAttachment struct {
	Pretext   string `json:"pretext"`
	Title     string `json:"title"`
	TitleLink string `json:"title_link"`
	Text      string `json:"text"`
	Fallback  string `json:"fallback"`
	FromURL   string `json:"from_url"`
	Original  string `json:"original_url"`
	IsShare   bool   `json:"is_share"`
	Author    string `json:"author_name"`
	Fields    []struct {
		Title string `json:"title"`
		Value string `json:"value"`
	} `json:"fields"`
	Blocks []jsontext.Value `json:"blocks"`
}

// day reads one daily file.
func (s *slack) day(ctx context.Context, name string) error {
	folder := path.Base(path.Dir(name))
	room := s.rooms[folder]
	return s.ar.array(ctx, name, maxJSON, s.bad, func(raw jsontext.Value) error {
		var m slackMessage
		if err := json.Unmarshal(raw, &m, tolerant()); err != nil {
			s.lost.add(NotDamaged, name+": "+err.Error())
			return nil
		}
		return s.message(room, &m)
	})
}

// slackTime reads "1355517523.000005" as Unix milliseconds.
func slackTime(ts string) (int64, bool) {
	sec, frac, _ := strings.Cut(ts, ".")
	v, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || v <= 0 || v > 1<<36 {
		return 0, false
	}
	ms, err := strconv.ParseInt((frac + "000")[:3], 10, 64)
	return v*1000 + ms, err == nil && ms >= 0
}

func (s *slack) message(room *Room, m *slackMessage) error {
	at, ok := slackTime(m.TS)
	if !ok || m.Type != "" && m.Type != "message" {
		s.lost.add(NotDamaged, "a message without a time")
		return nil
	}
	if what := slackLoss(m); what != "" {
		s.lost.add(what, oneLine(s.text.bare(noNUL(m.Text)), 60))
		return nil
	}
	e := &Entry{Key: key(Slack, s.team, room.source, m.TS), At: at, Author: s.who(m)}
	e.Text = s.body(m)
	if m.Subtype == "me_message" && e.Text != "" && !strings.Contains(e.Text, "\n") {
		e.Text = "_" + e.Text + "_"
	}
	if t, ok := slackTime(m.Edited.TS); ok {
		e.EditedAt = t
	}
	if m.ThreadTS == m.TS && m.TS != "" {
		s.roots[room.source+" "+m.TS] = struct{}{}
	} else if m.ThreadTS != "" {
		root := key(Slack, s.team, room.source, m.ThreadTS)
		e.Thread = &root
		s.wanted[room.source+" "+m.ThreadTS]++
	}
	if t, ok := s.pins[room.source][m.TS]; ok {
		e.PinnedAt = max(t, at)
	} else if slices.Contains(m.PinnedTo, room.source) {
		e.PinnedAt = at
	}
	s.react(e, m)
	if m.File != nil {
		m.Files = append(m.Files, *m.File)
	}
	s.attach(e, m.Files)
	return s.take(room, e)
}

// slackLoss tells of a message that is not taken what it is.
func slackLoss(m *slackMessage) string {
	switch m.Subtype {
	case "", "bot_message", "me_message", "file_share", "thread_broadcast", "reply_broadcast", "file_comment", "file_mention", "slackbot_response", "document_mention", "assistant_app_thread":
		if m.IsEphemeral {
			return NotSystem
		}
		return ""
	case "channel_join", "channel_leave", "group_join", "group_leave", "bot_add", "bot_remove", "app_conversation_join", "app_conversation_leave":
		return NotJoins
	case "tombstone", "message_deleted":
		return NotDeleted
	case "huddle_thread", "sh_room_created", "sh_room_shared":
		return NotHuddles
	case "ekm_access_denied":
		return NotDamaged
	case "channel_topic", "channel_purpose", "channel_name", "channel_archive", "channel_unarchive", "group_topic", "group_purpose", "group_name",
		"group_archive", "group_unarchive", "channel_convert_to_private", "channel_convert_to_public", "channel_posting_permissions", "channel_canvas_updated",
		"pinned_item", "unpinned_item", "reminder_add", "bot_disable", "bot_enable", "tabbed_canvas_updated", "message_changed", "message_replied":
		return NotSystem
	}
	return NotKnown
}

// who finds the author.
func (s *slack) who(m *slackMessage) string {
	user, name := m.User, m.Profile.RealName
	if name == "" {
		name = m.Profile.Name
	}
	if m.Subtype == "file_comment" && m.Comment.User != "" {
		user = m.Comment.User
	}
	if user == "" && m.BotID != "" {
		if known, ok := s.bots[m.BotID]; ok {
			return known
		}
		if name = m.BotProfile.Name; name == "" {
			name = m.Username
		}
		return s.author(m.BotID, name, true)
	}
	if user == "" {
		return s.author("unknown", "slack-unknown", true)
	}
	return s.author(user, name, m.BotID != "")
}

// body is the text of a message; of one from a program without text, what its
// layout says.
func (s *slack) body(m *slackMessage) string {
	text := m.Text
	if m.Subtype == "file_comment" && m.Comment.Comment != "" {
		text = m.Comment.Comment
	}
	out := s.text.convert(text)
	for _, raw := range m.Blocks {
		if !richText(raw) {
			s.lost.add(NotBlocks, oneLine(out, 60))
			break
		}
	}
	if strings.TrimSpace(out) == "" {
		out = s.text.convert(blockTexts(m.Blocks))
	}
	for i := range m.Attachments {
		a := &m.Attachments[i]
		if (a.FromURL != "" || a.Original != "") && !a.IsShare {
			s.lost.add(NotPreviews, a.FromURL)
			continue
		}
		if more := s.attachment(a); more != "" && !strings.Contains(out, more) {
			out = strings.TrimLeft(out+"\n"+more, "\n")
		}
	}
	if m.Username != "" && s.named(m) != m.Username && out != "" {
		out = "**" + oneLine(strings.ReplaceAll(noNUL(m.Username), "*", ""), 60) + "**\n" + out
	}
	return out
}

// named is how the program that wrote a message is called here.
func (s *slack) named(m *slackMessage) string {
	id := m.User
	if id == "" {
		if id = s.bots[m.BotID]; id == "" {
			id = m.BotID
		}
	}
	if name := s.called[id]; name != "" {
		return name
	}
	return m.Username
}

func (s *slack) attachment(a *slackAttachment) string {
	var lines []string
	add := func(t string) {
		if t = strings.TrimSpace(t); t != "" {
			lines = append(lines, t)
		}
	}
	add(s.text.convert(a.Pretext))
	title := s.text.convert(a.Title)
	if a.TitleLink != "" && title != "" && !strings.ContainsAny(title, "[]\n") && !strings.ContainsAny(a.TitleLink, " ()") {
		title = "[" + title + "](" + noNUL(a.TitleLink) + ")"
	} else if title != "" {
		title = "**" + strings.ReplaceAll(title, "*", "") + "**"
	}
	add(title)
	add(s.text.convert(a.Text))
	for _, f := range a.Fields {
		add(s.text.convert(f.Title + ": " + f.Value))
	}
	if len(lines) == 0 {
		add(s.text.convert(blockTexts(a.Blocks)))
	}
	if len(lines) == 0 {
		add(s.text.convert(a.Fallback))
	}
	out := strings.Join(lines, "\n")
	if a.IsShare && out != "" {
		out = "> " + strings.ReplaceAll(out, "\n", "\n> ")
	}
	return out
}

func richText(raw jsontext.Value) bool {
	var b struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(raw, &b, tolerant()) == nil && b.Type == "rich_text"
}

// blockDepth bounds how deep the layout of a message is looked into.
const blockDepth = 12

// blockTexts collects the texts of a layout, a line each.
func blockTexts(blocks []jsontext.Value) string {
	var lines []string
	for _, raw := range blocks {
		var v any
		if json.Unmarshal(raw, &v, tolerant()) == nil {
			var b strings.Builder
			blockText(&b, v, 0)
			if t := strings.TrimSpace(b.String()); t != "" {
				lines = append(lines, t)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func blockText(b *strings.Builder, v any, depth int) {
	if depth > blockDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			blockText(b, x, depth+1)
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		switch kind {
		case "user":
			if id, ok := v["user_id"].(string); ok {
				b.WriteString("<@" + id + ">")
			}
			return
		case "emoji":
			if n, ok := v["name"].(string); ok {
				b.WriteString(":" + n + ":")
			}
			return
		case "link":
			if u, ok := v["url"].(string); ok {
				b.WriteString("<" + u)
				if t, ok := v["text"].(string); ok {
					b.WriteString("|" + t)
				}
				b.WriteString(">")
			}
			return
		}
		if t, ok := v["text"].(string); ok {
			b.WriteString(t)
		} else {
			blockText(b, v["text"], depth+1)
		}
		for _, k := range []string{"title", "fields", "elements", "accessory"} {
			if v[k] != nil {
				if b.Len() > 0 && (k == "fields" || strings.HasPrefix(kind, "rich_text_") && kind != "rich_text_section") {
					b.WriteByte('\n')
				}
				blockText(b, v[k], depth+1)
			}
		}
		if kind == "rich_text_section" || kind == "mrkdwn" || kind == "plain_text" {
			b.WriteByte('\n')
		}
	}
}

// maxReactions is how many different reactions a message can have here.
const maxReactions = 50

func (s *slack) react(e *Entry, m *slackMessage) {
	for _, x := range m.Reactions {
		s.reaction(e, x.Name, x.Users)
		if x.Count > len(x.Users) { // the export names at most fifty people
			s.lost.addN(NotReactions, ":"+x.Name+":", x.Count-len(x.Users))
		}
	}
}

func (r *reader) reaction(e *Entry, name string, people []string) {
	found, ok := r.emoji.find(name)
	if !ok {
		r.lost.add(NotEmoji, ":"+name+":")
		if found = ":" + oneLine(strings.TrimSpace(noNUL(name)), 30) + ":"; len(found) > 32 || found == "::" {
			r.lost.add(NotReactions, name)
			return
		}
	}
	var who []string
	for _, p := range people {
		if !r.known[p] && r.plan.System == Slack { // Mattermost may name people before it lists them
			r.lost.add(NotReactions, p)
		} else if !slices.Contains(who, p) {
			who = append(who, p)
		}
	}
	if len(who) == 0 {
		return
	}
	for i := range e.Reactions {
		if e.Reactions[i].Emoji == found {
			for _, p := range who {
				if !slices.Contains(e.Reactions[i].People, p) {
					e.Reactions[i].People = append(e.Reactions[i].People, p)
				}
			}
			return
		}
	}
	if len(e.Reactions) >= maxReactions {
		r.lost.addN(NotReactions, found, len(who))
		return
	}
	e.Reactions = append(e.Reactions, Reaction{found, who})
}

func (s *slack) attach(e *Entry, files []slackFile) {
	seen := map[string]bool{}
	for _, f := range files {
		if f.ID == "" || seen[f.ID] {
			continue
		}
		seen[f.ID] = true
		if f.Mode == "tombstone" || f.Mode == "hidden_by_limit" {
			s.lost.add(NotDeleted, f.Name)
			continue
		}
		if f.Filetype == "quip" || f.Filetype == "canvas" || f.Filetype == "list" {
			s.lost.add(NotCanvas, f.Title)
			continue
		}
		name := f.Name
		if name == "" {
			name = f.Title
		}
		out := File{Key: key(Slack, s.team, "file", f.ID), Name: Name(name, f.ID), Size: f.Size, Type: f.Mimetype, Path: s.uploads[f.ID]}
		if out.Path != "" {
			out.Size = s.ar.size(out.Path)
		}
		e.Files = append(e.Files, out)
	}
}
