package migrate

import "strings"

// mrkdwn turns Slack's text format into the Markdown of this system.
//
//	<@U1> <@U1|ann>        a mention
//	<!here> <!channel> <!everyone>   @all
//	<!subteam^S1|@team>    @team
//	<!date^…|noon>         noon
//	<#C1|general>          #general
//	<https://x|label>      [label](https://x); without a label the address
//	*bold* ~strike~        **bold** ~~strike~~
//	_italic_ `code`        stay
//	```code```             a fence on lines of its own
//	• item                 - item
//	&gt; &gt;&gt;&gt;      quotes
//	&amp; &lt; &gt;        & < >
//	:name:                 the emoji
type mrkdwn struct {
	emoji   emoji
	own     func(name string)      // an emoji that is not Unicode's
	channel func(id string) string // name of a room; may be nil
	count   func()                 // a mention
}

func (m *mrkdwn) convert(text string) string {
	text = strings.ReplaceAll(noNUL(text), "\r\n", "\n")
	var b strings.Builder
	for {
		before, rest, fence := strings.Cut(text, "```")
		m.lines(&b, before)
		if !fence {
			break
		}
		code, after, closed := strings.Cut(rest, "```")
		if !closed {
			m.lines(&b, "```"+rest)
			break
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte('\n')
		}
		b.WriteString("```\n" + strings.Trim(entities(m.bare(code)), "\n") + "\n```")
		if after = strings.TrimPrefix(after, "\n"); after != "" {
			b.WriteByte('\n')
		}
		text = after
	}
	return b.String()
}

func entities(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// lines converts text outside of fences.
func (m *mrkdwn) lines(b *strings.Builder, text string) {
	quoting := false
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if rest, ok := strings.CutPrefix(line, "&gt;&gt;&gt;"); ok {
			quoting, line = true, strings.TrimPrefix(rest, " ")
		} else if rest, ok := strings.CutPrefix(line, "&gt;"); ok && !quoting {
			b.WriteString("> ")
			line = strings.TrimPrefix(rest, " ")
		}
		if quoting {
			b.WriteString("> ")
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		for _, bullet := range []string{"• ", "◦ ", "▪︎ ", "▪ "} {
			if rest, ok := strings.CutPrefix(line[len(indent):], bullet); ok {
				b.WriteString(indent + "- ")
				line = rest
				break
			}
		}
		m.inline(b, line)
	}
}

// inline converts one line. Code stays as it is.
func (m *mrkdwn) inline(b *strings.Builder, line string) {
	for line != "" {
		i := strings.IndexByte(line, '`')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(line[i+1:], '`')
		}
		if j < 0 {
			m.marks(b, line)
			return
		}
		m.marks(b, line[:i])
		b.WriteString("`" + entities(m.bare(line[i+1:i+1+j])) + "`")
		line = line[i+j+2:]
	}
}

// marks converts links, mentions, marks and emoji. Marks may stand around a
// link, so that links are held aside while marks are converted.
func (m *mrkdwn) marks(b *strings.Builder, s string) {
	var held []string
	var flat strings.Builder
	for s = strings.ReplaceAll(s, hole, ""); s != ""; {
		i := strings.IndexByte(s, '<')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(s[i:], '>')
		}
		if j < 0 {
			flat.WriteString(s)
			break
		}
		flat.WriteString(s[:i] + hole)
		held = append(held, m.angle(s[i+1:i+j]))
		s = s[i+j+1:]
	}
	for n, part := range strings.Split(m.plain(flat.String()), hole) {
		if n > 0 {
			b.WriteString(held[n-1])
		}
		b.WriteString(part)
	}
}

// hole stands for a link while marks are converted. It is a character that
// means nothing in text.
const hole = "\x01"

// plain converts marks, entities and emoji of text without links.
func (m *mrkdwn) plain(s string) string {
	s = doubled(s, '*')
	s = doubled(s, '~')
	return m.emoji.replace(entities(s), m.own)
}

// doubled writes a pair of marks as two each: *bold* is **bold** here. A mark
// opens at the beginning or after what is no word, and closes likewise.
func doubled(s string, mark byte) string {
	if strings.Count(s, string(mark)) < 2 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != mark || i > 0 && (alnum(s[i-1]) || s[i-1] == mark) || i+1 >= len(s) || s[i+1] == ' ' || s[i+1] == mark {
			b.WriteByte(s[i])
			i++
			continue
		}
		end := -1
		for j := i + 1; j < len(s); j++ {
			if s[j] == mark && s[j-1] != ' ' && (j+1 == len(s) || !alnum(s[j+1]) && s[j+1] != mark) {
				end = j
				break
			}
		}
		if end < 0 {
			b.WriteString(s[i:])
			break
		}
		b.WriteByte(mark)
		b.WriteString(s[i:end])
		b.WriteByte(mark)
		b.WriteByte(mark)
		i = end + 1
	}
	return b.String()
}

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// angle converts what stands between < and >.
func (m *mrkdwn) angle(s string) string {
	target, label, labelled := strings.Cut(s, "|")
	label = entities(label)
	switch {
	case strings.HasPrefix(target, "@"):
		if m.count != nil {
			m.count()
		}
		return MarkMention + target[1:] + MarkMention
	case strings.HasPrefix(target, "#"):
		if label == "" && m.channel != nil {
			label = m.channel(target[1:])
		}
		if label == "" {
			label = target[1:]
		}
		return "#" + label
	case target == "!here" || target == "!channel" || target == "!everyone":
		return "@all"
	case strings.HasPrefix(target, "!"):
		if labelled {
			return label
		}
		return target[1:]
	}
	target = entities(target)
	bare := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "http://"), "https://")
	switch {
	case !strings.Contains(target, ":") && !labelled:
		return "<" + target + ">" // no link
	case !labelled || label == target || label == bare:
		if strings.HasPrefix(target, "mailto:") {
			return bare
		}
		return target
	case strings.ContainsAny(label, "[]") || strings.ContainsAny(target, " ()"):
		return label + " " + target
	}
	return "[" + label + "](" + target + ")"
}

// bare gives the text of links and mentions in code.
func (m *mrkdwn) bare(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(s[i:], '>')
		}
		if j < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		target, label, ok := strings.Cut(s[i+1:i+j], "|")
		if !ok {
			label = target
		}
		b.WriteString(label)
		s = s[i+j+1:]
	}
}
