package markup

import (
	"html"
	"strconv"
	"strings"
)

// HTML renders text for a page of the server. Everything but the tags of the
// package comment is escaped, and links open elsewhere and tell nothing of where
// they came from. Paragraphs keep their leading blanks: show them with
// white-space: pre-wrap, and unicode-bidi: isolate around the message.
func HTML(text string) string {
	var w strings.Builder
	for _, b := range Parse(text) {
		blockHTML(&w, b)
	}
	return w.String()
}

func blockHTML(w *strings.Builder, b Block) {
	switch b.Kind {
	case Paragraph:
		element(w, "p", "", func() { inlineHTML(w, b.Inline) })
	case CodeBlock:
		class := ""
		if b.Lang != "" {
			class = attr("class", "language-"+b.Lang)
		}
		element(w, "pre", "", func() {
			element(w, "code", class, func() { w.WriteString(html.EscapeString(b.Text)) })
		})
	case Quote:
		element(w, "blockquote", "", func() { blocksHTML(w, b.Blocks) })
	case Bullets:
		element(w, "ul", "", func() { itemsHTML(w, b) })
	case Numbers:
		element(w, "ol", "", func() { itemsHTML(w, b) })
	}
}

func blocksHTML(w *strings.Builder, blocks []Block) {
	for _, b := range blocks {
		blockHTML(w, b)
	}
}

func itemsHTML(w *strings.Builder, list Block) {
	for _, it := range list.Items {
		value := ""
		if list.Kind == Numbers {
			value = attr("value", strconv.Itoa(it.Number))
		}
		element(w, "li", value, func() {
			inlineHTML(w, it.Inline)
			blocksHTML(w, it.Blocks)
		})
	}
}

func inlineHTML(w *strings.Builder, pieces []Inline) {
	for _, n := range pieces {
		inner := func() { inlineHTML(w, n.Inline) }
		switch n.Kind {
		case Text:
			w.WriteString(html.EscapeString(n.Text))
		case Break:
			w.WriteString("<br>")
		case Code:
			element(w, "code", "", func() { w.WriteString(html.EscapeString(n.Text)) })
		case Bold:
			element(w, "strong", "", inner)
		case Italic:
			element(w, "em", "", inner)
		case Strike:
			element(w, "del", "", inner)
		case Link:
			element(w, "a", attr("href", n.URL)+
				attr("rel", "noopener noreferrer nofollow")+attr("target", "_blank"), inner)
		case Mention, All:
			element(w, "span", attr("class", "mention"), func() {
				w.WriteString("@" + html.EscapeString(n.Text))
			})
		}
	}
}

func element(w *strings.Builder, tag, attrs string, inner func()) {
	w.WriteString("<" + tag + attrs + ">")
	inner()
	w.WriteString("</" + tag + ">")
}

func attr(name, value string) string {
	return " " + name + `="` + html.EscapeString(value) + `"`
}

// Plain renders text for previews and notices: the words without the marks, a
// line each for what is a line, lists with "- " or their number, quotes with
// "> ", links as their text. The caller shortens it.
func Plain(text string) string {
	return strings.Join(plainBlocks(nil, "", Parse(text)), "\n")
}

// plainBlocks appends the lines of blocks, each behind indent, to lines.
func plainBlocks(lines []string, indent string, blocks []Block) []string {
	for _, b := range blocks {
		switch b.Kind {
		case Paragraph:
			lines = plainLines(lines, indent, indent, plainInline(b.Inline))
		case CodeBlock:
			lines = plainLines(lines, indent, indent, b.Text)
		case Quote:
			lines = plainBlocks(lines, indent+"> ", b.Blocks)
		default:
			for _, it := range b.Items {
				first := indent + "- "
				if b.Kind == Numbers {
					first = indent + strconv.Itoa(it.Number) + ". "
				}
				lines = plainLines(lines, first, indent+"  ", plainInline(it.Inline))
				lines = plainBlocks(lines, indent+"  ", it.Blocks)
			}
		}
	}
	return lines
}

// plainLines appends the lines of text, the first behind first, others behind
// rest.
func plainLines(lines []string, first, rest, text string) []string {
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, first+line)
		first = rest
	}
	return lines
}

func plainInline(pieces []Inline) string {
	var w strings.Builder
	writePlain(&w, pieces)
	return w.String()
}

func writePlain(w *strings.Builder, pieces []Inline) {
	for _, n := range pieces {
		switch n.Kind {
		case Break:
			w.WriteByte('\n')
		case Mention, All:
			w.WriteByte('@')
		}
		w.WriteString(n.Text)
		writePlain(w, n.Inline)
	}
}

// MaxMentions is the most logins Mentions reports; further ones are left out.
const MaxMentions = 100

// Mentions returns whom text calls: logins in lower case in order of appearance,
// each once, and whether it calls everyone. Nobody has checked that the logins
// exist, or that the author may call everyone.
func Mentions(text string) (logins []string, all bool) {
	if !strings.Contains(text, "@") {
		return nil, false
	}
	c := calls{seen: make(map[string]bool)}
	c.blocks(Parse(text))
	return c.logins, c.all
}

type calls struct {
	seen   map[string]bool
	logins []string
	all    bool
}

func (c *calls) blocks(blocks []Block) {
	for _, b := range blocks {
		if b.Kind == Quote {
			continue
		}
		c.inline(b.Inline)
		for _, it := range b.Items {
			c.inline(it.Inline)
			c.blocks(it.Blocks)
		}
	}
}

func (c *calls) inline(pieces []Inline) {
	for _, n := range pieces {
		switch n.Kind {
		case All:
			c.all = true
		case Mention:
			login := strings.ToLower(n.Text)
			if !c.seen[login] && len(c.logins) < MaxMentions {
				c.seen[login] = true
				c.logins = append(c.logins, login)
			}
		}
		c.inline(n.Inline)
	}
}
