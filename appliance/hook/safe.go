package hook

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"posthouse/appliance/markup"
)

const zw = "\u200b" // between two characters that would be markup together

// A mention that the format itself asks for travels between these until the
// text is whole; they are dropped from whatever comes in.
const (
	markOpen  = '\uE000'
	markClose = '\uE001'
)

func mention(login string) string { return string(markOpen) + login + string(markClose) }

// clean drops what no text needs: controls, what turns the direction of
// writing, and our own marks.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r >= 0x7f && r <= 0x9f, r == 0x061c, r >= 0x200b && r <= 0x200f,
			r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r >= 0xe000 && r <= 0xe00f:
			return -1
		}
		return r
	}, s)
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' ||
		r >= 0xC0 && r <= 0x1FFF && r != 0xD7 && r != 0xF7
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == 0xA0 || r == 0x3000 }

// escape makes text of s, at the beginning of a line or behind words of ours:
// no mark, link, list, quote or mention is in it. Lines stay lines.
func escape(s string) string { return escapeClean(clean(s)) }

// escapeClean is escape for what was cleaned already, with marks of mentions.
func escapeClean(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if beginsBlock(line) {
			b.WriteString(zw)
		}
		escapeLine(&b, line)
	}
	return b.String()
}

// beginsBlock reports whether a line would begin a quote or a list.
func beginsBlock(line string) bool {
	if line == ">" || strings.HasPrefix(line, "> ") {
		return true
	}
	rest := strings.TrimLeft(line, " \t")
	if digits := strings.TrimLeft(rest, "0123456789"); len(digits) < len(rest) {
		return strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ".\t") || digits == "."
	}
	return len(rest) > 0 && (rest[0] == '-' || rest[0] == '*') && (len(rest) == 1 || rest[1] == ' ' || rest[1] == '\t')
}

func escapeLine(b *strings.Builder, line string) {
	prev := rune(-1) // unknown
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case c == '`':
			b.WriteByte('\'')
			prev, i = '\'', i+1
		case c == '*' || c == '_' || c == '~':
			end := i
			for end < len(line) && line[end] == c {
				end++
			}
			next := rune(-1)
			if end < len(line) {
				next, _ = utf8.DecodeRuneInString(line[end:])
			}
			writeRun(b, line[i:end], prev, next)
			prev, i = rune(c), end
		case c == ']':
			b.WriteByte(c)
			if i+1 == len(line) || line[i+1] == '(' {
				b.WriteString(zw)
			}
			prev, i = ']', i+1
		case c == '@':
			b.WriteByte(c)
			if i+1 == len(line) || isWord(rune(line[i+1])) {
				b.WriteString(zw)
			}
			prev, i = '@', i+1
		case (c == 'h' || c == 'H') && !isWord(prev) && schemeLen(line[i:]) > 0:
			n := schemeLen(line[i:]) - 2
			b.WriteString(line[i:i+n] + zw + "//")
			prev, i = '/', i+n+2
		default:
			r, n := utf8.DecodeRuneInString(line[i:])
			b.WriteString(line[i : i+n])
			prev, i = r, i+n
		}
	}
}

// writeRun writes a run of marks so that it neither opens nor closes anything.
func writeRun(b *strings.Builder, run string, prev, next rune) {
	if len(run) == 1 && run != "~" && prev >= 0 && next >= 0 && isWord(prev) && isWord(next) ||
		prev >= 0 && next >= 0 && isBlank(prev) && isBlank(next) {
		b.WriteString(run)
		return
	}
	b.WriteString(zw + run + zw)
}

// schemeLen is the length of http:// or https:// at the beginning of s, or 0.
func schemeLen(s string) int {
	for _, scheme := range [2]string{"https://", "http://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return len(scheme)
		}
	}
	return 0
}

// oneLine joins lines and spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// short cuts s to a number of characters.
func short(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes-1]) + "…"
}

// field is a foreign value of one line as text.
func field(s string) string { return escapeClean(short(oneLine(s), 300)) }

// bold puts text that is safe already into bold.
func bold(s string) string {
	s = strings.Trim(s, " ")
	if s == "" || strings.HasPrefix(s, zw) || strings.HasSuffix(s, zw) {
		return s
	}
	return "**" + s + "**"
}

// code is a foreign value of one line as code.
func code(s string) string {
	s = strings.ReplaceAll(short(oneLine(s), 300), "`", "'")
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// fence is foreign text of several lines as code.
func fence(s string) string {
	s = strings.Trim(clean(s), "\n")
	longest, run := 2, 0
	for _, c := range []byte(s) {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	ticks := strings.Repeat("`", longest+1)
	return ticks + "\n" + s + "\n" + ticks
}

// paragraphs is foreign text of several lines as text, in which bare addresses
// stay what they are.
func paragraphs(s string) string {
	lines := strings.Split(clean(s), "\n")
	for i, line := range lines {
		lines[i] = bareLinks(line)
	}
	return strings.Join(lines, "\n")
}

// bareLinks is escape for one line, but for bare addresses.
func bareLinks(line string) string {
	var b strings.Builder
	if beginsBlock(line) {
		b.WriteString(zw)
	}
	for {
		at := -1
		for i := 0; i < len(line); i++ {
			if (line[i] == 'h' || line[i] == 'H') && schemeLen(line[i:]) > 0 && (i == 0 || !isWord(lastRune(line[:i]))) {
				at = i
				break
			}
		}
		if at < 0 {
			escapeLine(&b, line)
			return b.String()
		}
		end := len(line)
		if n := strings.IndexFunc(line[at:], func(r rune) bool { return r <= 0x20 || r >= 0x7f || strings.ContainsRune("<>\"`\\^{|}*'[]()", r) }); n >= 0 {
			end = at + n
		}
		target := strings.TrimRight(line[at:end], "?!.,:;_~")
		escapeLine(&b, line[:at])
		b.WriteString(address(target))
		if line = line[at+len(target):]; len(line) > 0 && target == "" {
			escapeLine(&b, line)
			return b.String()
		}
	}
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// safeURL is an address as a link may carry it: http or https, a host, no user,
// everything else percent-encoded. ok is false when it is not one.
func safeURL(s string) (string, bool) {
	s = strings.TrimSpace(clean(s))
	n := schemeLen(s)
	if n == 0 || len(s) > 1800 {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Host == "" {
		return "", false
	}
	host := len(s)
	if i := strings.IndexAny(s[n:], "/?#"); i >= 0 {
		host = n + i
	}
	var b strings.Builder
	b.WriteString(s[:host])
	for _, c := range []byte(s[host:]) {
		if c <= 0x20 || c >= 0x7f || strings.IndexByte("<>\"`\\^{|}*()[]'", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	out := b.String()
	return out, len(out) <= 2000 && linksTo("[x]("+out+")", out)
}

// linksTo reports whether markup sees a text as one link and nothing else.
func linksTo(text, target string) bool {
	tree := markup.Parse(text)
	return len(tree) == 1 && len(tree[0].Inline) == 1 && tree[0].Inline[0].Kind == markup.Link && tree[0].Inline[0].URL == target
}

// link is a link with a label, or text when the target is no address.
func link(label, target string) string {
	label = strings.NewReplacer("[", "(", "]", ")").Replace(short(oneLine(label), 300))
	to, ok := safeURL(target)
	switch {
	case !ok && label == "":
		return escapeClean(short(oneLine(target), 300))
	case !ok:
		return escapeClean(label)
	case label == "":
		return address(to)
	}
	return "[" + escapeClean(label) + "](" + to + ")"
}

// address shows a target as itself.
func address(target string) string {
	to, ok := safeURL(target)
	switch {
	case !ok:
		return escape(target)
	case linksTo(to, to):
		return to
	}
	return "[" + escape(to) + "](" + to + ")"
}

// resolve puts in the mentions that formats asked for.
func resolve(s string) string {
	var b strings.Builder
	for {
		at := strings.IndexRune(s, markOpen)
		if at < 0 {
			break
		}
		b.WriteString(s[:at])
		s = s[at+utf8.RuneLen(markOpen):]
		login, rest, ok := strings.Cut(s, string(markClose))
		if !ok {
			break
		}
		if before := lastRune(b.String()); b.Len() > 0 && (isWord(before) || before == '@' || before == '/') {
			b.WriteByte(' ')
		}
		b.WriteString("@" + login)
		if next, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, "._-")); rest != "" && (isWord(next) || next == '@') {
			b.WriteByte(' ')
		}
		s = rest
	}
	b.WriteString(s)
	return strings.Map(func(r rune) rune {
		if r == markOpen || r == markClose {
			return -1
		}
		return r
	}, b.String())
}

// cut shortens a whole text to max bytes, with a note.
func cut(s string, max int, lang string) string {
	if len(s) <= max {
		return s
	}
	note := "\n\n… (cut: the message was longer)"
	if lang == "zh" {
		note = "\n\n…（内容过长，已截断）"
	}
	const room = 20 // for the end of a block of code
	keep := max - len(note) - room
	if keep < 0 {
		keep = 0
	}
	for keep > 0 && !utf8.RuneStart(s[keep]) {
		keep--
	}
	head := s[:keep]
	if at := strings.LastIndexByte(head, '\n'); at > len(head)*3/4 {
		head = head[:at]
	} else if at := strings.LastIndexAny(head, " \n"); at > len(head)*3/4 {
		head = head[:at] // no half address that leads elsewhere
	}
	tree := markup.Parse(head + "\n\nx")
	if n := len(tree); n > 0 && tree[n-1].Kind == markup.CodeBlock {
		head += "\n````````"
	}
	return head + note
}
