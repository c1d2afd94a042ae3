// Package pinyin owns how the names of people and rooms are found by the
// readings of their characters. It is pure: no I/O, no goroutines.
//
// A name is a row of syllables: each Chinese character is one, with all its
// readings (重 is zhong and chong, 曾 is zeng and ceng), and so is each run of
// other letters and digits. A query without its spaces and apostrophes matches
// when it is a beginning of some syllable, followed by a beginning of the next
// one, and so on: zs, zhangs, zsan, zhang san and zhangsan all find 张三. ü is
// both v and u. Otherwise a query is a part of the name itself, or of the login,
// folded as package fold tells.
package pinyin

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"

	"posthouse/appliance/fold"
)

// Rank is how well a name matches; a smaller one is better.
type Rank int

// The ranks.
const (
	Same   Rank = iota // the name or login itself
	Begins             // the name or login begins with the query
	Reads              // its reading does
	Within             // somewhere in the name or login
	Inside             // a reading that begins at a later syllable
	None               // no match
)

// Reader reads names. It is safe for concurrent use.
type Reader struct{ fold *fold.Folder }

// New makes a Reader.
func New() *Reader { return &Reader{fold.New()} }

// Key is what is kept of a name to match it: the folded name, and each syllable
// behind a line feed, its readings apart by spaces.
type Key string

// Key reads a name.
func (r *Reader) Key(name string) Key {
	var b strings.Builder
	name = r.fold.Text(name)
	b.WriteString(name)
	word := false
	for _, c := range name {
		readings := readingsOf(c)
		switch {
		case readings != "":
			b.WriteByte('\n')
			b.WriteString(readings)
			word = false
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			if !word {
				b.WriteByte('\n')
			}
			b.WriteRune(c)
			word = true
		default:
			word = false
		}
	}
	return Key(b.String())
}

// readingsOf lists the readings of a character without tones.
func readingsOf(c rune) string {
	var list []string
	add := func(s string) {
		for _, have := range list {
			if have == s {
				return
			}
		}
		list = append(list, s)
	}
	if c < 0x3007 {
		return ""
	}
	for _, toned := range strings.Split(pinyin.PinyinDict[int(c)], ",") {
		// ü, whatever its tone, is u with U+0308 and then the tone.
		plain := strings.ReplaceAll(norm.NFD.String(toned), "u\u0308", "v")
		plain = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, plain)
		if plain != "" {
			add(plain)
			add(strings.ReplaceAll(plain, "v", "u"))
		}
	}
	return strings.Join(list, " ")
}

// Query is what is looked for.
type Query struct {
	text    string // folded
	letters string // without spaces and apostrophes
}

// Empty reports whether everything matches.
func (q Query) Empty() bool { return q.text == "" }

// maxLetters bounds a query; readings are no longer.
const maxLetters = 100

// Query reads a query. The empty one matches everything.
func (r *Reader) Query(s string) Query {
	q := Query{text: r.fold.Text(s)}
	q.letters = strings.Map(func(c rune) rune {
		if c == ' ' || c == '\'' || c == '’' {
			return -1
		}
		return c
	}, q.text)
	return q
}

// Match tells how well a name with a login, which may be empty, matches.
func (q Query) Match(k Key, login string) Rank {
	if q.text == "" {
		return Same
	}
	name, syllables, _ := strings.Cut(string(k), "\n")
	switch {
	case name == q.text || login == q.text:
		return Same
	case strings.HasPrefix(name, q.text) || strings.HasPrefix(login, q.text):
		return Begins
	}
	reading := None
	if len(q.letters) > 0 && len(q.letters) <= maxLetters && syllables != "" {
		reading = readingRank(strings.Split(syllables, "\n"), q.letters)
	}
	if reading == Reads {
		return reading
	}
	if strings.Contains(name, q.text) || strings.Contains(login, q.text) {
		return Within
	}
	return reading
}

func readingRank(syllables []string, letters string) Rank {
	failed := make(map[[2]int]bool)
	for from := range syllables {
		if goesOn(syllables, from, letters, 0, failed) {
			if from == 0 {
				return Reads
			}
			return Inside
		}
	}
	return None
}

// goesOn reports whether the letters from at on are beginnings of the syllables
// from i on. failed holds the places where they are not.
func goesOn(syllables []string, i int, letters string, at int, failed map[[2]int]bool) bool {
	if at == len(letters) {
		return true
	}
	if i == len(syllables) || failed[[2]int{i, at}] {
		return false
	}
	for reading := range strings.SplitSeq(syllables[i], " ") {
		n := 0
		for n < len(reading) && at+n < len(letters) && reading[n] == letters[at+n] {
			n++
		}
		for ; n > 0; n-- {
			if utf8.RuneStart((letters + "x")[at+n]) && goesOn(syllables, i+1, letters, at+n, failed) {
				return true
			}
		}
	}
	failed[[2]int{i, at}] = true
	return false
}
