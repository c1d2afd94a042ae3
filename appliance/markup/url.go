package markup

import "strings"

const maxURL = 2048 // bytes

// badInURL reports what no address may hold. It must refuse whatever a browser
// would drop, or read as a separator, before it looks at the scheme.
func badInURL(r rune) bool {
	return isSpace(r) || r < 0x20 || r >= 0x7f && r <= 0xA0 || r == 0xFFFD ||
		r < 0x80 && strings.IndexByte("<>\"`\\", byte(r)) >= 0
}

// hasScheme reports whether s begins with scheme, which is in lower case.
func hasScheme(s, scheme string) bool {
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// okURL judges an address that holds nothing bad in the sense of badInURL.
func okURL(u string) bool {
	switch {
	case len(u) > maxURL:
		return false
	case hasScheme(u, "http://"):
		return okAuthority(u[len("http://"):])
	case hasScheme(u, "https://"):
		return okAuthority(u[len("https://"):])
	case hasScheme(u, "mailto:"):
		to, _, _ := strings.Cut(u[len("mailto:"):], "?")
		at := strings.IndexByte(to, '@')
		return at > 0 && at < len(to)-1
	}
	return false
}

// okAuthority judges host and port at the beginning of rest.
func okAuthority(rest string) bool {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if strings.HasPrefix(rest, "[") {
		host, port, ok := strings.Cut(rest[1:], "]")
		return ok && len(host) >= 2 && strings.Trim(host, "0123456789abcdefABCDEF:.") == "" &&
			(port == "" || port[0] == ':' && isPort(port[1:]))
	}
	host, port, hasPort := strings.Cut(rest, ":")
	if hasPort && !isPort(port) {
		return false
	}
	letters := 0
	for _, r := range host {
		switch {
		case isAlnum(r) || isWideHost(r):
			letters++
		case r != '.' && r != '-' && r != '_':
			return false
		}
	}
	return letters > 0
}

func isPort(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

// isWideHost reports letters beyond ASCII that may be in a host's name: no
// full-width forms, which browsers map to ASCII separators.
func isWideHost(r rune) bool {
	return r >= 0xC0 && r <= 0x1FFF || r >= 0x3040 && r <= 0x30FF ||
		r >= 0x3400 && r <= 0x9FFF || r >= 0xAC00 && r <= 0xD7A3
}

// bareEnd returns where the bare address beginning at s[i] ends.
func bareEnd(s string, i int) int {
	start, round, square := i, 0, 0
scan:
	for ; i < len(s) && s[i] > 0x20 && s[i] < 0x7f; i++ {
		switch s[i] {
		case '<', '>', '"', '`', '\\', '^', '{', '|', '}', '*':
			break scan
		case '(':
			round++
		case '[':
			square++
		case ')':
			if round--; round < 0 {
				break scan
			}
		case ']':
			if square--; square < 0 {
				break scan
			}
		}
	}
	return start + len(strings.TrimRight(s[start:i], "?!.,:;'_~"))
}

// parentheses maps the offset of each "(" in s to that of its ")", where what
// is between has balanced parentheses and nothing bad in an address.
func parentheses(s string) map[int]int {
	if !strings.Contains(s, "](") {
		return nil
	}
	pairs := make(map[int]int)
	var open []int
	for i, r := range s {
		switch {
		case r == '(':
			open = append(open, i)
		case r == ')' && len(open) > 0:
			pairs[open[len(open)-1]] = i
			open = open[:len(open)-1]
		case badInURL(r):
			open = open[:0]
		}
	}
	return pairs
}
