package markup

import (
	"strings"
	"unicode/utf8"
)

// role says what a token is in the tree: a leaf, or one end of a pair.
type role uint8

const (
	leaf role = iota
	opens
	closes
)

// token is a piece of the text s[start:end]. A mark begins as a leaf of kind
// Text and becomes an end of a pair when its partner is found.
type token struct {
	start, end int32
	role       role
	kind       Kind
	value      string // of Link the address, of Code, Mention and All the text
}

// The marks that can be open, at most one of each.
const (
	boldMark = iota
	starMark
	underMark
	strikeMark
	markCount
)

const maxTicks = 8

// scanner cuts one paragraph or item into tokens and pairs its marks. Every
// field that points at a token holds an index into toks.
type scanner struct {
	s        string
	toks     []token
	open     [markCount]int    // the opening mark, or -1
	brackets []int             // opening brackets
	bare     [2]int            // the last two bare links, or -1, newest first
	parens   map[int]int       // see parentheses
	noTicks  [maxTicks + 1]int // no closing run of n backticks before this offset
}

func parseInline(s string) []Inline {
	sc := scanner{s: s, parens: parentheses(s), bare: [2]int{-1, -1}}
	for i := range sc.open {
		sc.open[i] = -1
	}
	for i := 0; i < len(s); {
		i = sc.step(i)
	}
	next := 0
	return sc.build(&next, false)
}

// step adds the tokens that begin at s[i] and returns where they end.
func (sc *scanner) step(i int) int {
	switch c := sc.s[i]; c {
	case '\n':
		return sc.leaf(Break, i, i+1)
	case '`':
		return sc.code(i)
	case '*', '_', '~':
		return sc.mark(i, c)
	case '[':
		sc.brackets = append(sc.brackets, len(sc.toks))
		return sc.leaf(Text, i, i+1)
	case ']':
		return sc.bracket(i)
	case '@':
		return sc.mention(i)
	case 'h', 'H':
		if sc.isAddress(i) {
			return sc.address(i)
		}
	}
	return sc.text(i)
}

// text adds s[i], whatever it is, and what follows that can begin nothing.
func (sc *scanner) text(i int) int {
	for j := i + 1; j < len(sc.s); j++ {
		switch sc.s[j] {
		case '\n', '`', '*', '_', '~', '[', ']', '@':
			return sc.leaf(Text, i, j)
		case 'h', 'H':
			if sc.isAddress(j) {
				return sc.leaf(Text, i, j)
			}
		}
	}
	return sc.leaf(Text, i, len(sc.s))
}

func (sc *scanner) leaf(kind Kind, start, end int) int {
	sc.toks = append(sc.toks, token{start: int32(start), end: int32(end), kind: kind})
	return end
}

// run returns the end of the run of c that begins at i.
func (sc *scanner) run(i int, c byte) int {
	for i < len(sc.s) && sc.s[i] == c {
		i++
	}
	return i
}

// before and after return the neighbours of an offset, a line feed at the ends.
func (sc *scanner) before(i int) rune {
	if i == 0 {
		return '\n'
	}
	r, _ := utf8.DecodeLastRuneInString(sc.s[:i])
	return r
}

func (sc *scanner) after(i int) rune {
	if i == len(sc.s) {
		return '\n'
	}
	r, _ := utf8.DecodeRuneInString(sc.s[i:])
	return r
}

func (sc *scanner) code(i int) int {
	body := sc.run(i, '`')
	n := body - i
	if n > maxTicks || body < sc.noTicks[n] {
		return sc.leaf(Text, i, body)
	}
	for j := body; ; {
		for j < len(sc.s) && sc.s[j] != '`' && sc.s[j] != '\n' {
			j++
		}
		if j == len(sc.s) || sc.s[j] == '\n' {
			sc.noTicks[n] = j
			return sc.leaf(Text, i, body)
		}
		end := sc.run(j, '`')
		if end-j == n {
			sc.leaf(Code, i, end)
			sc.toks[len(sc.toks)-1].value = trimCode(sc.s[body:j])
			return end
		}
		j = end
	}
}

func trimCode(s string) string {
	if len(s) > 2 && s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
		return s[1 : len(s)-1]
	}
	return s
}

// mark handles a run of *, _ or ~.
func (sc *scanner) mark(i int, c byte) int {
	end := sc.run(i, c)
	n, before, after := end-i, sc.before(i), sc.after(end)
	canOpen, canClose := !isSpace(after), !isSpace(before)
	if n == 1 {
		canOpen = canOpen && !isWord(before)
		canClose = canClose && !isWord(after)
	}
	switch {
	case c == '*' && n == 1:
		sc.single(i, starMark, canOpen, canClose)
	case c == '_' && n == 1:
		sc.single(i, underMark, canOpen, canClose)
	case c == '~' && n == 2:
		sc.double(i, strikeMark, canOpen, canClose)
	case c == '*' && n == 2:
		// A run of three opened bold outside italic; bold ends first.
		if b := sc.open[boldMark]; canClose && b >= 0 && sc.open[starMark] == b+1 {
			sc.swap(b)
		}
		sc.double(i, boldMark, canOpen, canClose)
	case c == '*' && n == 3:
		sc.triple(i, canOpen, canClose)
	default:
		sc.leaf(Text, i, end)
	}
	return end
}

func (sc *scanner) single(i, m int, canOpen, canClose bool) {
	sc.pair(i, i+1, m, canOpen, canClose)
}

func (sc *scanner) double(i, m int, canOpen, canClose bool) {
	sc.pair(i, i+2, m, canOpen, canClose)
}

// triple handles a run of three *: what is open ends, the inner mark first, or
// else both begin, bold outside.
func (sc *scanner) triple(i int, canOpen, canClose bool) {
	bold, star := sc.open[boldMark], sc.open[starMark]
	switch {
	case !canClose || bold < 0 && star < 0:
		sc.double(i, boldMark, canOpen, false)
		sc.single(i+2, starMark, canOpen, false)
	case star > bold:
		sc.single(i, starMark, false, true)
		sc.double(i+1, boldMark, false, true)
	default:
		sc.double(i, boldMark, false, true)
		sc.single(i+2, starMark, false, true)
	}
}

// swap turns bold, italic, opened by one run of three, into italic, bold. Token
// b is the bold one.
func (sc *scanner) swap(b int) {
	sc.toks[b].end--
	sc.toks[b+1].start--
	sc.open[starMark], sc.open[boldMark] = b, b+1
}

// pair adds the mark s[start:end]: the partner of an open one, or an open one,
// or text.
func (sc *scanner) pair(start, end, m int, canOpen, canClose bool) {
	at := sc.open[m]
	if canClose && at >= 0 {
		kind := [markCount]Kind{Bold, Italic, Italic, Strike}[m]
		sc.close(at, kind, "", start, end)
		return
	}
	if canOpen {
		sc.open[m] = len(sc.toks)
	}
	sc.leaf(Text, start, end)
}

// close pairs the token at with a new one and makes text of what opened since.
func (sc *scanner) close(at int, kind Kind, url string, start, end int) {
	sc.toks[at].role, sc.toks[at].kind, sc.toks[at].value = opens, kind, url
	sc.toks = append(sc.toks, token{start: int32(start), end: int32(end), role: closes, kind: kind})
	for m := range sc.open {
		if sc.open[m] >= at {
			sc.open[m] = -1
		}
	}
	for n := len(sc.brackets); n > 0 && sc.brackets[n-1] >= at; n-- {
		sc.brackets = sc.brackets[:n-1]
	}
}

// bracket handles the "]" at s[i].
func (sc *scanner) bracket(i int) int {
	n := len(sc.brackets)
	if n == 0 {
		return sc.leaf(Text, i, i+1)
	}
	at := sc.brackets[n-1]
	sc.brackets = sc.brackets[:n-1]
	end, ok := sc.parens[i+1]
	if !ok {
		return sc.leaf(Text, i, i+1)
	}
	url := sc.s[i+2 : end]
	if !okURL(url) || !sc.okLabel(at, i, url) {
		return sc.leaf(Text, i, i+1)
	}
	sc.close(at, Link, url, i, end+1)
	sc.brackets = sc.brackets[:0] // a link is in no link
	return end + 1
}

// okLabel judges the text between the bracket at and the one at s[end].
func (sc *scanner) okLabel(at, end int, url string) bool {
	visible := strings.IndexFunc(sc.s[sc.toks[at].end:end], func(r rune) bool { return !isSpace(r) })
	if visible < 0 || sc.bare[1] > at {
		return false
	}
	return sc.bare[0] < at || sc.toks[sc.bare[0]].value == url
}

func (sc *scanner) mention(i int) int {
	end := i + 1
	for end < len(sc.s) && (isAlnum(rune(sc.s[end])) || strings.IndexByte("._-", sc.s[end]) >= 0) {
		end++
	}
	end = i + 1 + len(strings.TrimRight(sc.s[i+1:end], "._-"))
	before, after := sc.before(i), sc.after(end)
	login := sc.s[i+1 : end]
	if login == "" || len(login) > 64 || !isAlnum(rune(login[0])) ||
		isWord(before) || before == '@' || before == '/' || isWord(after) || after == '@' {
		return sc.text(i)
	}
	kind := Mention
	if strings.EqualFold(login, "all") {
		kind = All
	}
	sc.leaf(kind, i, end)
	sc.toks[len(sc.toks)-1].value = login
	return end
}

// isAddress reports whether a bare address begins at s[i].
func (sc *scanner) isAddress(i int) bool {
	rest := sc.s[i:]
	return (hasScheme(rest, "http://") || hasScheme(rest, "https://")) && !isWord(sc.before(i))
}

// address handles the bare address at s[i]. One that is not in order is text as
// a whole, so that nothing is scanned twice.
func (sc *scanner) address(i int) int {
	end := bareEnd(sc.s, i)
	if !okURL(sc.s[i:end]) {
		return sc.leaf(Text, i, end)
	}
	sc.bare[1], sc.bare[0] = sc.bare[0], len(sc.toks)
	sc.leaf(Link, i, end)
	sc.toks[len(sc.toks)-1].value = sc.s[i:end]
	return end
}

// build turns the tokens from *next up to the end of the pair they are in into
// a tree, and leaves *next behind that end.
func (sc *scanner) build(next *int, inLink bool) []Inline {
	var out []Inline
	text := int32(-1) // where the last piece of out begins in s, when it is text
	for *next < len(sc.toks) {
		t := sc.toks[*next]
		*next++
		if t.role == closes {
			return out
		}
		if t.role == opens {
			in := sc.build(next, inLink || t.kind == Link)
			out, text = append(out, Inline{Kind: t.kind, URL: t.value, Inline: in}), -1
			continue
		}
		plain := t.kind == Text || inLink && t.kind != Code && t.kind != Break
		switch {
		case plain && text >= 0:
			out[len(out)-1].Text = sc.s[text:t.end]
		case plain:
			text = t.start
			out = append(out, Inline{Kind: Text, Text: sc.s[t.start:t.end]})
		case t.kind == Link:
			in := []Inline{{Kind: Text, Text: t.value}}
			out, text = append(out, Inline{Kind: Link, URL: t.value, Inline: in}), -1
		default:
			out, text = append(out, Inline{Kind: t.kind, Text: t.value}), -1
		}
	}
	return out
}
