package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"posthouse/appliance/fold"
	"posthouse/appliance/wire"
)

// Bounds of a query, in characters after folding.
const (
	MinQuery = 2
	MaxQuery = 200
)

// maxGrams is how many grams of a query propose messages; more would cost more
// than they rule out.
const maxGrams = 12

// query is what is looked for.
type query struct {
	terms []string // folded; every one must be in the words
	grams []gram   // every answer has these …
	open  gram     // … or, when there are none, this pair of letters and whatever follows
}

// quotes are the pairs that make one text of a query, before folding.
func quoted(s string) (inner string, ok bool) {
	s = strings.TrimSpace(s)
	for _, pair := range [][2]string{{`"`, `"`}, {"“", "”"}, {"「", "」"}, {"＂", "＂"}} {
		if rest, found := strings.CutPrefix(s, pair[0]); found {
			if inner, found = strings.CutSuffix(rest, pair[1]); found {
				return inner, true
			}
		}
	}
	return s, false
}

// parse reads a query as the package comment tells.
func parse(f *fold.Folder, text string) (*query, error) {
	if len(text) > 16*MaxQuery {
		return nil, tooLong()
	}
	whole := f.Text(strings.ToValidUTF8(text, "\uFFFD"))
	var terms []string
	if inner, ok := quoted(text); ok {
		if part := f.Text(strings.ToValidUTF8(inner, "\uFFFD")); utf8.RuneCountInString(part) >= MinQuery {
			terms = []string{part}
		}
	}
	switch n := utf8.RuneCountInString(whole); {
	case n < MinQuery:
		return nil, wire.BadParam("query", "type at least two characters", "请至少输入两个字符")
	case n > MaxQuery:
		return nil, tooLong()
	}
	if terms == nil {
		terms = strings.Split(whole, " ")
		if slices.ContainsFunc(terms, func(t string) bool { return utf8.RuneCountInString(t) < MinQuery }) {
			terms = []string{whole}
		}
	}
	return compile(terms), nil
}

func tooLong() error {
	return wire.Refusef(wire.TooLarge, "a query has at most %d characters", "搜索词最多 %d 个字符", MaxQuery)
}

// compile finds the grams of folded terms.
func compile(terms []string) *query {
	q := &query{terms: terms}
	for _, t := range terms {
		list, open := sought(t)
		q.grams = append(q.grams, list...)
		if open != 0 {
			q.open = open
		}
	}
	slices.Sort(q.grams)
	q.grams = slices.Compact(q.grams)
	if len(q.grams) > 0 {
		q.open = 0
	}
	return q
}
