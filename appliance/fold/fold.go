// Package fold owns when two texts count as the same to somebody who searches.
// It is pure: no I/O, no goroutines.
//
// A text is folded rune by rune, so that folding a part of a text gives a part
// of the folded text; whatever was cut out of a text is found in it:
//
//   - decomposed for compatibility (NFKD): full-width forms, ligatures, Roman
//     numerals and circled digits become what they stand for;
//   - without U+0300–036F: accents of Latin, Greek and Cyrillic letters do not
//     count (é is e, й is и);
//   - in lower case, by the simple mapping, and ς is σ;
//   - traditional Chinese characters become simplified ones, each for itself
//     (後 and 后 are one, and so are 乾, 幹 and 干);
//   - what is invisible goes: soft hyphen, zero-width characters, marks of
//     direction, variation selectors;
//   - each run of white space and control characters becomes one space, and
//     none is left at either end.
package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version grows with every change of what Text gives: an index that was made
// with another one is worthless.
const Version = 1

// Folder folds. It is safe for concurrent use.
type Folder struct {
	simple []rune // of firstHan and what follows; 0 = itself
	rare   map[rune]rune
}

const firstHan, lastHan = 0x3400, 0x9FFF

// New makes a Folder; it holds a table of about 110 kB.
func New() *Folder {
	f := &Folder{simple: make([]rune, lastHan-firstHan+1), rare: map[rune]rune{}}
	var from rune
	for _, r := range traditional {
		switch {
		case from == 0:
			from = r
			continue
		case from >= firstHan && from <= lastHan:
			f.simple[from-firstHan] = r
		default:
			f.rare[from] = r
		}
		from = 0
	}
	return f
}

// Text folds a text.
func (f *Folder) Text(s string) string { return string(f.Append(make([]byte, 0, len(s)), s)) }

// Append appends the folded text to b.
func (f *Folder) Append(b []byte, s string) []byte {
	w := writer{f: f, b: b, start: len(b)}
	for _, r := range s {
		w.add(r)
	}
	return w.b
}

// Spans finds every place where a folded text occurs in one that is not: byte
// offsets of s, in order, apart from each other, at most max.
func (f *Folder) Spans(s, folded string, max int) [][2]int {
	if folded == "" {
		return nil
	}
	w := writer{f: f}
	var from []int // of each byte of w.b, the rune of s that made it
	for at, r := range s {
		had := len(w.b)
		w.add(r)
		for range len(w.b) - had {
			from = append(from, at)
		}
	}
	var out [][2]int
	for at := 0; len(out) < max; {
		i := strings.Index(string(w.b[at:]), folded)
		if i < 0 {
			break
		}
		first, last := from[at+i], from[at+i+len(folded)-1]
		_, size := utf8.DecodeRuneInString(s[last:])
		out = append(out, [2]int{first, last + size})
		at += i + len(folded)
	}
	return out
}

// writer folds one text. A space waits until something follows it.
type writer struct {
	f     *Folder
	b     []byte
	start int
	space bool
}

func (w *writer) put(r rune) {
	if w.space {
		if len(w.b) > w.start {
			w.b = append(w.b, ' ')
		}
		w.space = false
	}
	w.b = utf8.AppendRune(w.b, r)
}

func (w *writer) add(r rune) {
	switch {
	case r <= ' ':
		w.space = true
	case r < 0x7F:
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		w.put(r)
	case r >= firstHan && r <= lastHan:
		if to := w.f.simple[r-firstHan]; to != 0 {
			r = to
		}
		w.put(r)
	case r > 0xFF00 && r <= 0xFF5E:
		w.add(r - 0xFEE0)
	case r == 0x3001 || r == 0x3002:
		w.put(r)
	default:
		w.decompose(r)
	}
}

// decompose adds a rune that may be several, or none.
func (w *writer) decompose(r rune) {
	var raw [utf8.UTFMax]byte
	n := utf8.EncodeRune(raw[:], r)
	d := norm.NFKD.Properties(raw[:n]).Decomposition()
	if d == nil {
		d = raw[:n]
		if r >= 0xAC00 && r <= 0xD7A3 {
			d = norm.NFKD.Bytes(d) // Hangul syllables are computed, not listed
		}
	}
	for _, p := range string(d) {
		switch {
		case unicode.IsSpace(p) || unicode.IsControl(p):
			w.space = true
		case invisible(p):
		case p >= firstHan && p <= lastHan && w.f.simple[p-firstHan] != 0:
			w.put(w.f.simple[p-firstHan])
		case p == 'ς':
			w.put('σ')
		default:
			if to, ok := w.f.rare[p]; ok {
				p = to
			}
			w.put(unicode.ToLower(p))
		}
	}
}

// invisible are accents and characters that leave nothing on the screen.
func invisible(r rune) bool {
	switch {
	case r >= 0x300 && r <= 0x36F:
		return true
	case r < 0x2000:
		return r == 0xAD || r == 0x61C || r == 0x180E
	}
	return r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060 && r <= 0x206F ||
		r >= 0xFE00 && r <= 0xFE0F || r == 0xFEFF
}
