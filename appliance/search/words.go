package search

import (
	"strings"

	"posthouse/appliance/markup"
)

// words are the folded words of a message, in lines that are searched apart.
func (x *Index) words(text string, files []string) string {
	b := make([]byte, 0, len(text)+16)
	add := func(s string) {
		at := len(b)
		if at > 0 {
			b = append(b, '\n')
		}
		from := len(b)
		if b = x.fold.Append(b, s); len(b) == from {
			b = b[:at]
		}
	}
	shown, links := markup.Shown(text, x.state.NameOf)
	add(shown)
	if shown != text {
		if plain := markup.Plain(text); plain != shown {
			add(plain)
		}
	}
	for _, link := range links {
		add(link)
	}
	for _, name := range files {
		add(name)
	}
	return string(b)
}

// contains reports whether a message with these words is an answer.
func (q *query) matches(words string) bool {
	for _, t := range q.terms {
		if !strings.Contains(words, t) {
			return false
		}
	}
	return true
}
