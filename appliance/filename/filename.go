// Package filename makes what strangers say about a file safe to use: its
// name, the Content-Disposition to send it with, and its media type.
//
// It promises that nothing it returns can end a header line, name another
// directory, read backwards, or make a browser run what was uploaded. It does
// no I/O, keeps no state and runs no goroutines.
//
// Sources: RFC 6266 and RFC 8187 for Content-Disposition; "Naming Files, Paths,
// and Namespaces" of the Windows documentation for the names that Windows
// keeps to itself.
package filename

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxBytes is the longest name Sanitize returns: what ext4, xfs and NTFS
	// can hold.
	MaxBytes = 255
	// Fallback is the name of a file whose own has nothing usable in it.
	Fallback = "file"

	maxExtension = 32
)

// Sanitize makes a file name out of what a client sent: the part after the last
// slash or backslash; without control characters, line separators and the
// characters that change the direction of text; with an underscore for bytes
// that are not UTF-8 and for the characters Windows does not allow (<>:"|?*);
// without white space around it or dots and spaces at its end; with an
// underscore before names of Windows devices; at most MaxBytes long, cut before
// the extension and between characters; Fallback when nothing is left.
// Sanitize(Sanitize(x)) is Sanitize(x).
func Sanitize(name string) string {
	// Cutting can bring up a dot, a space or a device's name: once more then.
	// Each round shortens or is the last; 255 bytes cannot hold many rounds.
	for range MaxBytes {
		next := cut(clean(name))
		if next == name {
			break
		}
		name = next
	}
	return name
}

func clean(name string) string {
	name = strings.ToValidUTF8(name, "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case dropped(r):
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimLeftFunc(name, unicode.IsSpace)
	name = strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
	if name == "" {
		return Fallback
	}
	if device(name) {
		name = "_" + name
	}
	return name
}

// dropped says whether a character has no place in a name: it cannot be seen,
// or it changes how the others are seen. The joiners U+200C and U+200D stay;
// Persian, Hindi and emoji need them.
func dropped(r rune) bool {
	switch {
	case unicode.IsControl(r), r == utf8.RuneError:
		return true
	case r == 0x061C, r == 0x200E, r == 0x200F, // marks
		r >= 0x202A && r <= 0x202E, // embeddings and overrides
		r >= 0x2066 && r <= 0x206F: // isolates, deprecated format characters
		return true
	case r == 0x00AD, r == 0x200B, r == 0x2028, r == 0x2029, r == 0x2060, r == 0xFEFF,
		r >= 0xFFF9 && r <= 0xFFFB, r == 0xE0001:
		return true
	}
	return false
}

// device says whether Windows takes name for a device, whatever follows its
// first dot.
func device(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	rest, ok := strings.CutPrefix(base, "COM")
	if !ok {
		rest, ok = strings.CutPrefix(base, "LPT")
	}
	if !ok || utf8.RuneCountInString(rest) != 1 {
		return false
	}
	return strings.Contains("0123456789¹²³", rest)
}

func cut(name string) string {
	if len(name) <= MaxBytes {
		return name
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= maxExtension {
		ext = name[i:]
	}
	n := MaxBytes - len(ext)
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n] + ext
}

// ContentDisposition is the field's value for a file: "inline" or "attachment",
// the name in ASCII for old clients, and, when that is not all of it, the name
// in UTF-8. The name is sanitized first.
func ContentDisposition(name string, inline bool) string {
	name = Sanitize(name)
	var b strings.Builder
	if inline {
		b.WriteString("inline")
	} else {
		b.WriteString("attachment")
	}
	ascii := asciiName(name)
	b.WriteString(`; filename="` + ascii + `"`)
	if ascii != name {
		b.WriteString("; filename*=UTF-8''")
		writeExtValue(&b, name)
	}
	return b.String()
}

// asciiName puts underscores for everything but printable ASCII, and for what
// clients are known to unescape: quote, backslash and percent.
func asciiName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
}

// writeExtValue writes the value-chars of RFC 8187.
func writeExtValue(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}
