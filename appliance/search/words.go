package search

import (
	"strings"

	"posthouse/appliance/markup"
	"posthouse/appliance/record"
)

// words are the folded words of a message but its documents', in lines that are searched apart.
func (x *Index) words(text string, files []record.File) string {
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
	for i := range files {
		add(files[i].Name)
	}
	return string(b)
}

// lacking are the terms that are not in a folded text.
func lacking(terms []string, words string) (out []string) {
	for _, t := range terms {
		if !strings.Contains(words, t) {
			out = append(out, t)
		}
	}
	return out
}
