package migrate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of this system, in characters.
const (
	maxRunes = 100
	maxTopic = 500
)

// Login makes a login of a name of the other system: a-z, 0-9, dot, hyphen and
// underscore, 1 to 64 of them, a letter or digit at both ends; fallback when
// nothing is left of it.
func Login(name, fallback string) string {
	for _, s := range []string{name, fallback, "user"} {
		if at := strings.IndexByte(s, '@'); at > 0 {
			s = s[:at]
		}
		var b strings.Builder
		for _, r := range strings.ToLower(s) {
			switch {
			case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-':
				b.WriteRune(r)
			case b.Len() > 0 && (unicode.IsSpace(r) || unicode.IsPunct(r)):
				b.WriteByte('-')
			}
		}
		out := b.String()
		if len(out) > 60 { // room for a number after it
			out = out[:60]
		}
		out = strings.Trim(out, ".-_")
		if out != "" && out != "all" && out != "here" {
			return out
		}
	}
	return "user"
}

// oneLine makes a text fit for one line of at most so many characters.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r == '\u202e', r == '\u202d', r >= '\u2066' && r <= '\u2068', r == utf8.RuneError:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > most {
		s = strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
	}
	return s
}

// Name makes a display name.
func Name(name, fallback string) string {
	if s := oneLine(name, maxRunes); s != "" {
		return s
	}
	if s := oneLine(fallback, maxRunes); s != "" {
		return s
	}
	return "?"
}

// trimText takes away what a message may not hold: a NUL that does not mark a
// mention, and space around it.
func trimText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Trim(s, " \t\r\n")
}

// noNUL takes marks out of a text that comes from outside.
func noNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// Text writes mentions out: login gives the login of a person's ID, or nothing
// when there is no such person.
func (e *Entry) Render(login func(person string) string) string {
	if !strings.Contains(e.Text, MarkMention) {
		return e.Text
	}
	var b strings.Builder
	parts := strings.Split(e.Text, MarkMention)
	for i, p := range parts {
		if i%2 == 0 || i == len(parts)-1 {
			b.WriteString(p)
			continue
		}
		name := login(p)
		if name == "" {
			b.WriteString("@" + p)
			continue
		}
		if r, _ := utf8.DecodeLastRuneInString(b.String()); r == '@' || r == '/' || word(r) {
			b.WriteByte(' ')
		}
		b.WriteString("@" + name)
		if r, n := utf8.DecodeRuneInString(parts[i+1]); n > 0 && (r == '@' || word(r)) {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// word reports what a mention may not stand beside.
func word(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0xC0 && r <= 0x1FFF && r != 0xD7 && r != 0xF7
}

// Split cuts a text into parts of at most so many bytes, at the ends of lines
// where that is possible, between characters otherwise.
func Split(s string, most int) []string {
	var out []string
	for len(s) > most {
		cut := strings.LastIndexByte(s[:most+1], '\n')
		if cut < most/2 {
			cut = most
			for cut > 0 && !utf8.RuneStart(s[cut]) {
				cut--
			}
		}
		out = append(out, s[:cut])
		s = strings.TrimPrefix(s[cut:], "\n")
	}
	return append(out, s)
}
