package markup

import "strings"

// Shown tells what a reader sees of text, for finding it again: each block,
// item and line a line of its own, without the signs of lists and quotes, which
// nobody can select, and mentions as nameOf shows them. links are the addresses
// behind the texts of links. nameOf gets a login in lower case and answers empty
// for nobody's; nil shows logins as written.
func Shown(text string, nameOf func(login string) string) (lines string, links []string) {
	if isBare(text) {
		return text, nil
	}
	w := shown{nameOf: nameOf}
	w.blocks(Parse(text))
	return w.b.String(), w.links
}

// isBare reports whether text can hold no markup but addresses, which are
// shown as they are.
func isBare(text string) bool {
	if text == "" || strings.ContainsAny(text, "`*_~[@\n\r") {
		return false
	}
	c := text[0]
	return c > ' ' && c != '>' && c != '-' && (c < '0' || c > '9')
}

type shown struct {
	b      strings.Builder
	links  []string
	nameOf func(string) string
}

func (w *shown) line() {
	if w.b.Len() > 0 {
		w.b.WriteByte('\n')
	}
}

func (w *shown) blocks(blocks []Block) {
	for _, b := range blocks {
		switch b.Kind {
		case Paragraph:
			w.line()
			w.inline(b.Inline)
		case CodeBlock:
			w.line()
			w.b.WriteString(b.Text)
		case Quote:
			w.blocks(b.Blocks)
		default:
			for _, it := range b.Items {
				w.line()
				w.inline(it.Inline)
				w.blocks(it.Blocks)
			}
		}
	}
}

func (w *shown) inline(pieces []Inline) {
	for _, n := range pieces {
		switch n.Kind {
		case Break:
			w.b.WriteByte('\n')
		case Link:
			if plainInline(n.Inline) != n.URL {
				w.links = append(w.links, n.URL)
			}
		case Mention:
			w.b.WriteByte('@')
			if w.nameOf != nil {
				if name := w.nameOf(strings.ToLower(n.Text)); name != "" {
					w.b.WriteString(name)
					continue
				}
			}
		case All:
			w.b.WriteByte('@')
		}
		w.b.WriteString(n.Text)
		w.inline(n.Inline)
	}
}
