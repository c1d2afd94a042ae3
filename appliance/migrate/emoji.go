package migrate

import "strings"

// emoji finds emoji by their short names. It is read only once made.
type emoji map[string]string

func newEmoji() emoji {
	fields := strings.Fields(emojiTable)
	e := make(emoji, len(fields)/2)
	for i := 0; i+1 < len(fields); i += 2 {
		e[fields[i]] = fields[i+1]
	}
	return e
}

// tones are the names of skin tones, of Slack and of Mattermost.
func tone(name string) (string, bool) {
	switch name {
	case "skin-tone-2", "light_skin_tone":
		return "\U0001F3FB", true
	case "skin-tone-3", "medium_light_skin_tone":
		return "\U0001F3FC", true
	case "skin-tone-4", "medium_skin_tone":
		return "\U0001F3FD", true
	case "skin-tone-5", "medium_dark_skin_tone":
		return "\U0001F3FE", true
	case "skin-tone-6", "dark_skin_tone":
		return "\U0001F3FF", true
	}
	return "", false
}

// find gives the characters of a short name such as wave, wave::skin-tone-3 or
// wave_dark_skin_tone. ok is false for a name that is not in Unicode: an
// organisation's own.
func (e emoji) find(name string) (string, bool) {
	base, modifier := name, ""
	if b, t, ok := strings.Cut(name, "::"); ok {
		base = b
		modifier, _ = tone(t)
	} else if strings.HasSuffix(name, "_skin_tone") {
		for _, t := range []string{"_medium_light_skin_tone", "_medium_dark_skin_tone", "_light_skin_tone", "_medium_skin_tone", "_dark_skin_tone"} {
			if b, ok := strings.CutSuffix(name, t); ok {
				base = b
				modifier, _ = tone(t[1:])
				break
			}
		}
	}
	found, ok := e[base]
	if !ok {
		return "", false
	}
	plain, takes := strings.CutSuffix(found, "!")
	if !takes || modifier == "" {
		return plain, true
	}
	for i := range plain {
		if i > 0 { // after the first character, in place of its variation selector
			return plain[:i] + modifier + strings.TrimPrefix(plain[i:], "\uFE0F"), true
		}
	}
	return plain + modifier, true
}

// name characters of emoji, of both systems.
func emojiName(s string) bool {
	if len(s) == 0 || len(s) > 100 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' || c == '\'') {
			return false
		}
	}
	return true
}

// replace writes the names between colons in a text as characters. Unknown
// ones stay and are told to own, unless they are numbers, as in 10:30:00.
func (e emoji) replace(text string, own func(name string)) string {
	if strings.Count(text, ":") < 2 {
		return text
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, ':')
		if i < 0 {
			break
		}
		j := strings.IndexByte(text[i+1:], ':')
		if j < 0 {
			break
		}
		name := text[i+1 : i+1+j]
		if !emojiName(name) {
			b.WriteString(text[:i+1])
			text = text[i+1:]
			continue
		}
		rest := text[i+j+2:]
		full := name
		if strings.HasPrefix(rest, ":skin-tone-") && len(rest) > len(":skin-tone-x") && rest[len(":skin-tone-x")] == ':' {
			full, rest = name+":"+rest[:len(":skin-tone-x")], rest[len(":skin-tone-x:"):]
		}
		found, ok := e.find(full)
		if !ok {
			if strings.Trim(name, "0123456789") != "" && own != nil {
				own(name)
			}
			b.WriteString(text[:i+1+j]) // the second colon may begin a name
			text = text[i+1+j:]
			continue
		}
		b.WriteString(text[:i])
		b.WriteString(found)
		text = rest
	}
	b.WriteString(text)
	return b.String()
}
