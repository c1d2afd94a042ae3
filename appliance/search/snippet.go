package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// A snippet begins so many characters before the first thing found, and has so
// many at most.
const (
	snippetLead  = 30
	snippetRunes = 160
	maxMarks     = 20
)

// snippet is the part of a message's words that shows why it was found, or of
// the text of one of its files, with the file's name before it.
func (s *scan) snippet(text string, files []record.File) (out wire.Snippet, file id.ID, err error) {
	shown, links := markup.Shown(text, s.x.state.NameOf)
	parts := []string{shown}
	for i := range files {
		parts = append(parts, files[i].Name)
	}
	parts = append(append(parts, links...), markup.Plain(text))
	for _, part := range parts {
		if out := s.x.snippetOf(part, s.want); len(out.Marks) > 0 {
			return out, 0, nil
		}
	}
	for i := range files {
		k, ok := s.x.keyOf(&files[i])
		if !ok {
			continue
		}
		text, err := s.texts.text(k)
		if err != nil {
			return out, 0, err
		}
		if out = s.x.snippetOf(text, s.want); len(out.Marks) > 0 {
			return named(out, files[i].Name), files[i].ID, nil
		}
	}
	return s.x.snippetOf(shown, s.want), 0, nil
}

// named puts the name of a file before a snippet.
func named(s wire.Snippet, name string) wire.Snippet {
	head := strings.Map(oneLine, name) + ": "
	s.Text = head + s.Text
	for i := range s.Marks {
		s.Marks[i].From += len16(head)
		s.Marks[i].To += len16(head)
	}
	return s
}

func (x *Index) snippetOf(text string, q *query) wire.Snippet {
	var spans [][2]int
	for _, t := range q.terms {
		spans = append(spans, x.fold.Spans(text, t, maxMarks)...)
	}
	slices.SortFunc(spans, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	from, before := 0, ""
	if len(spans) > 0 {
		from = back(text, spans[0][0], snippetLead)
	}
	if from > 0 {
		before = "…"
	}
	to := forward(text, from, snippetRunes)
	out := wire.Snippet{Text: before + strings.Map(oneLine, text[from:to])}
	if to < len(text) {
		out.Text += "…"
	}
	at := 0
	for _, s := range spans {
		if s[0] < max(at, from) || s[0] >= to || len(out.Marks) == maxMarks {
			continue
		}
		at = min(s[1], to)
		out.Marks = append(out.Marks, wire.Mark{From: len16(before) + len16(text[from:s[0]]), To: len16(before) + len16(text[from:at])})
	}
	return out
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\t' {
		return ' '
	}
	return r
}

// back is the offset n characters before another one.
func back(s string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return at
}

func forward(s string, at, n int) int {
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// len16 is the length in UTF-16 code units.
func len16(s string) (n int) {
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}
