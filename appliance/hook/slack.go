package hook

import (
	"encoding/json"
	"regexp"
	"strings"
)

type slackPayload struct {
	Text        str               `json:"text"`
	Name        str               `json:"username"`
	Attachments []slackAttachment `json:"attachments"`
	Blocks      []slackBlock      `json:"blocks"`
}

type slackAttachment struct {
	Fallback   str          `json:"fallback"`
	Color      str          `json:"color"`
	Pretext    str          `json:"pretext"`
	Author     str          `json:"author_name"`
	AuthorLink str          `json:"author_link"`
	Title      str          `json:"title"`
	TitleLink  str          `json:"title_link"`
	Text       str          `json:"text"`
	Image      str          `json:"image_url"`
	Footer     str          `json:"footer"`
	Blocks     []slackBlock `json:"blocks"`
	Fields     []struct {
		Title str `json:"title"`
		Value str `json:"value"`
	} `json:"fields"`
	Actions []struct {
		Name str `json:"name"`
		Text str `json:"text"`
		URL  str `json:"url"`
	} `json:"actions"`
}

// slackText is a text object, or a bare string where Slack allows one.
type slackText struct {
	Type str `json:"type"`
	Text str `json:"text"`
}

type slackBlock struct {
	Type      str            `json:"type"`
	Text      slackText      `json:"text"`
	Fields    []slackText    `json:"fields"`
	Elements  []slackElement `json:"elements"`
	Accessory slackElement   `json:"accessory"`
	Image     str            `json:"image_url"`
	Alt       str            `json:"alt_text"`
}

// slackElement is an element of a context, an actions or a rich_text block.
type slackElement struct {
	Type     str            `json:"type"`
	Text     looseText      `json:"text"`
	URL      str            `json:"url"`
	Image    str            `json:"image_url"`
	Alt      str            `json:"alt_text"`
	Name     str            `json:"name"`
	User     str            `json:"user_id"`
	Range    str            `json:"range"`
	Elements []slackElement `json:"elements"`
}

// looseText is the text of an element: a string or a text object.
type looseText struct{ slackText }

// UnmarshalJSON implements json.Unmarshaler.
func (l *looseText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, &l.slackText)
	}
	l.Type = "mrkdwn"
	return l.Text.UnmarshalJSON(b)
}

// slack reads what Slack and Mattermost take; markdown says that texts are
// Markdown, as Mattermost's are.
func (t *translator) slack(markdown bool) (Message, error) {
	var p slackPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	rich := func(s str) string { return t.mrkdwn(string(s), markdown) }
	parts := []string{}
	if len(p.Blocks) == 0 || strings.TrimSpace(blockRaw(p.Blocks)) == "" {
		parts = append(parts, rich(p.Text))
	}
	parts = append(parts, t.blocks(p.Blocks, rich))
	raw := string(p.Text) + "\n" + blockRaw(p.Blocks)
	for _, a := range firstOf(p.Attachments, mostItems) {
		parts = append(parts, t.attachment(a, rich))
		raw += "\n" + string(a.Title+"\n"+a.Pretext+"\n"+a.Text+"\n"+a.Fallback)
	}
	m := Message{Text: join("\n\n", parts...), Name: string(p.Name), Raw: raw}
	if m.Text == "" {
		return m, errEmpty
	}
	return m, nil
}

func (t *translator) attachment(a slackAttachment, rich func(str) string) string {
	title := link(string(a.Title), string(a.TitleLink))
	var fields, actions []string
	for _, f := range firstOf(a.Fields, mostItems) {
		fields = append(fields, join(": ", bold(field(string(f.Title))), flat(rich(f.Value))))
	}
	for _, x := range firstOf(a.Actions, mostItems) {
		label := x.Text
		if label == "" {
			label = x.Name
		}
		if x.URL != "" {
			actions = append(actions, link(string(label), string(x.URL)))
		}
	}
	image := ""
	if a.Image != "" {
		image = link("🖼", string(a.Image))
	}
	body := join("\n", link(string(a.Author), string(a.AuthorLink)), bold(title), rich(a.Text), t.blocks(a.Blocks, rich),
		strings.Join(fields, "\n"), strings.Join(actions, " · "), image, field(string(a.Footer)))
	if body == "" && strings.TrimSpace(string(a.Pretext)) == "" {
		body = paragraphs(string(a.Fallback))
	}
	if light := colour(string(a.Color)); light != "" && body != "" {
		body = light + " " + body
	}
	return join("\n", rich(a.Pretext), body)
}

// flat keeps a value on the line of its name.
func flat(s string) string {
	if strings.Contains(s, "```") {
		return "\n" + s
	}
	return strings.ReplaceAll(strings.TrimSpace(s), "\n\n", "\n")
}

// colour is a light for the colours that mean something.
func colour(c string) string {
	switch strings.ToLower(strings.TrimSpace(c)) {
	case "danger", "#a30200", "#d63232", "#ff0000", "#f00", "#d00000", "#e01e5a", "#8c0d0d":
		return "🔴"
	case "warning", "#daa038", "#ffa500", "#ffcc00", "#ecb22e":
		return "🟡"
	case "good", "#2eb886", "#36a64f", "#00ff00", "#0f0", "#2eb67d", "#1aaa55":
		return "🟢"
	}
	return ""
}

func (t *translator) blocks(list []slackBlock, rich func(str) string) string {
	var parts []string
	for _, b := range firstOf(list, 50) {
		switch b.Type {
		case "header":
			parts = append(parts, bold(field(string(b.Text.Text))))
		case "section":
			parts = append(parts, t.section(b, rich))
		case "context", "actions":
			var line []string
			for _, e := range firstOf(b.Elements, mostItems) {
				line = append(line, t.element(e, rich))
			}
			parts = append(parts, join(" · ", line...))
		case "image":
			parts = append(parts, link("🖼 "+string(b.Alt), string(b.Image)))
		case "rich_text":
			parts = append(parts, t.richText(b.Elements, 0))
		}
	}
	return join("\n\n", parts...)
}

func (t *translator) section(b slackBlock, rich func(str) string) string {
	var fields []string
	for _, f := range firstOf(b.Fields, mostItems) {
		fields = append(fields, textObject(f, rich))
	}
	return join("\n", textObject(b.Text, rich), join("\n", fields...), t.element(b.Accessory, rich))
}

func textObject(x slackText, rich func(str) string) string {
	if x.Type == "plain_text" {
		return paragraphs(string(x.Text))
	}
	return rich(x.Text)
}

func (t *translator) element(e slackElement, rich func(str) string) string {
	switch {
	case e.Image != "":
		return link("🖼 "+string(e.Alt), string(e.Image))
	case e.URL != "":
		return link(string(e.Text.Text), string(e.URL))
	case e.Type == "button" || e.Type == "static_select":
		return "" // nothing here could be pressed
	}
	return textObject(e.Text.slackText, rich)
}

// richText is the text of a rich_text block; its styles are left out.
func (t *translator) richText(list []slackElement, depth int) string {
	if depth > 4 {
		return ""
	}
	var b strings.Builder
	for _, e := range firstOf(list, 200) {
		switch e.Type {
		case "text":
			b.WriteString(paragraphs(string(e.Text.Text)))
		case "link":
			b.WriteString(link(string(e.Text.Text), string(e.URL)))
		case "user":
			b.WriteString(t.person(string(e.User), string(e.User)))
		case "emoji":
			b.WriteString(":" + field(string(e.Name)) + ":")
		case "broadcast":
			b.WriteString(mention("all"))
		case "rich_text_preformatted":
			b.WriteString("\n" + fence(plainOf(e.Elements)) + "\n")
		case "rich_text_list":
			for _, item := range firstOf(e.Elements, 50) {
				b.WriteString("\n- " + t.richText(item.Elements, depth+1))
			}
			b.WriteString("\n")
		default:
			b.WriteString(t.richText(e.Elements, depth+1))
			b.WriteString("\n")
		}
	}
	return strings.Trim(b.String(), "\n")
}

func plainOf(list []slackElement) string {
	var b strings.Builder
	for _, e := range firstOf(list, 200) {
		b.WriteString(string(e.Text.Text))
	}
	return b.String()
}

func blockRaw(list []slackBlock) string {
	var b strings.Builder
	for _, x := range firstOf(list, 50) {
		b.WriteString(string(x.Text.Text) + "\n")
		for _, f := range firstOf(x.Fields, mostItems) {
			b.WriteString(string(f.Text) + "\n")
		}
		for _, e := range firstOf(x.Elements, mostItems) {
			b.WriteString(string(e.Text.Text) + "\n" + plainOf(e.Elements))
		}
	}
	return b.String()
}

// person is somebody whom a payload mentions.
func (t *translator) person(ref, shown string) string {
	for _, name := range []string{shown, ref} {
		if login, ok := t.o.Person("login", strings.TrimPrefix(name, "@")); ok {
			return mention(login)
		}
	}
	return "@" + zw + field(strings.TrimPrefix(shown, "@"))
}

var (
	slackCode  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	slackRef   = regexp.MustCompile(`<([^<>\n]+)>`)
	singleStar = regexp.MustCompile(`(^|[^*\pL\pN])\*([^*\s](?:[^*\n]*[^*\s])?)\*($|[^*\pL\pN])`)
	singleWave = regexp.MustCompile(`(^|[^~\pL\pN])~([^~\s](?:[^~\n]*[^~\s])?)~($|[^~\pL\pN])`)
)

func entities() *strings.Replacer {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
}

// mrkdwn turns Slack's marks into safe Markdown. What a <…> stands for is put
// in when the rest is safe, under a number between two private characters.
func (t *translator) mrkdwn(s string, markdown bool) string {
	const open, shut = "\uE012", "\uE013"
	s = strings.NewReplacer(open, "", shut, "").Replace(clean(s))
	var refs []string
	hold := func(made string) string {
		refs = append(refs, made)
		return open + strings.Repeat("\uE014", len(refs)) + shut
	}
	text := func(part string) string {
		part = slackRef.ReplaceAllStringFunc(part, func(m string) string {
			if len(refs) >= 100 {
				return m[1 : len(m)-1]
			}
			return hold(t.reference(m[1 : len(m)-1]))
		})
		if !markdown {
			part = singleStar.ReplaceAllString(part, "$1**$2**$3")
			part = singleWave.ReplaceAllString(part, "$1~~$2~~$3")
		}
		return entities().Replace(part)
	}
	var b strings.Builder
	last := 0
	for _, at := range slackCode.FindAllStringIndex(s, -1) {
		b.WriteString(text(s[last:at[0]]))
		b.WriteString(codeOf(s[at[0]:at[1]]))
		last = at[1]
	}
	b.WriteString(text(s[last:]))
	out := rewrite(widen(b.String()))
	for i := len(refs); i > 0; i-- {
		out = strings.ReplaceAll(out, open+strings.Repeat("\uE014", i)+shut, refs[i-1])
	}
	return out
}

// codeOf is a piece of code of Slack's, whose fences may stand within a line.
func codeOf(s string) string {
	s = entities().Replace(slackRef.ReplaceAllStringFunc(s, func(m string) string {
		target, _, _ := strings.Cut(m[1:len(m)-1], "|")
		return target
	}))
	if in, ok := strings.CutPrefix(s, "```"); ok {
		in = strings.TrimSuffix(in, "```")
		if info, rest, ok := strings.Cut(in, "\n"); ok && isInfo(info) {
			return "\n```" + info + "\n" + rest + "\n```\n"
		}
		return "\n" + fence(in) + "\n"
	}
	return s
}

func isInfo(s string) bool {
	return len(s) <= 20 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+#-") == ""
}

// reference is what stands in a <…>.
func (t *translator) reference(in string) string {
	target, label, labelled := strings.Cut(in, "|")
	target, label = entities().Replace(target), entities().Replace(label)
	switch {
	case strings.HasPrefix(target, "@"):
		shown := target[1:]
		if labelled {
			shown = label
		}
		return t.person(target[1:], shown)
	case strings.HasPrefix(target, "#"):
		if !labelled {
			label = target[1:]
		}
		return "#" + field(strings.TrimPrefix(label, "#"))
	case target == "!here" || target == "!channel" || target == "!everyone":
		return mention("all")
	case strings.HasPrefix(target, "!"):
		return field(label)
	case schemeLen(target) > 0:
		return link(label, target)
	case strings.HasPrefix(target, "mailto:"):
		return field(strings.TrimPrefix(target, "mailto:"))
	case labelled:
		return field(label) + " (" + field(target) + ")"
	}
	return field("<" + target + ">")
}
