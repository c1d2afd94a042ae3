package markup

import (
	"strconv"
	"strings"
)

const blanks = " \t"

// parseBlocks parses whole lines. quoted: they come from within a quote.
func parseBlocks(lines []string, quoted bool) []Block {
	var out []Block
	for i := 0; i < len(lines); {
		line := lines[i]
		if isBlank(line) {
			i++
			continue
		}
		var b Block
		if f, ok := openFence(line); ok {
			b, i = takeFence(lines, i+1, f)
		} else if !quoted && isQuote(line) {
			b, i = takeQuote(lines, i)
		} else if m, ok := itemMark(line); ok {
			b, i = takeList(lines, i, m)
		} else {
			b, i = takeParagraph(lines, i, quoted)
		}
		out = append(out, b)
	}
	return out
}

func isBlank(line string) bool { return strings.Trim(line, blanks) == "" }

func isQuote(line string) bool { return line == ">" || strings.HasPrefix(line, "> ") }

// startsBlock reports whether line cannot be part of a paragraph.
func startsBlock(line string, quoted bool) bool {
	if isBlank(line) || !quoted && isQuote(line) {
		return true
	}
	if _, ok := openFence(line); ok {
		return true
	}
	_, ok := itemMark(line)
	return ok
}

func takeParagraph(lines []string, i int, quoted bool) (Block, int) {
	start := i
	var text []string
	for ; i < len(lines) && (i == start || !startsBlock(lines[i], quoted)); i++ {
		text = append(text, strings.TrimRight(lines[i], blanks))
	}
	return Block{Kind: Paragraph, Inline: parseInline(strings.Join(text, "\n"))}, i
}

func takeQuote(lines []string, i int) (Block, int) {
	var inner []string
	for ; i < len(lines) && isQuote(lines[i]); i++ {
		inner = append(inner, strings.TrimPrefix(lines[i][1:], " "))
	}
	return Block{Kind: Quote, Blocks: parseBlocks(inner, true)}, i
}

// fence is the opening line of a code block: its count of backticks and what
// stands behind them.
type fence struct {
	ticks int
	info  string
}

func openFence(line string) (fence, bool) {
	rest := strings.TrimLeft(line, " ")
	if len(line)-len(rest) > 3 {
		return fence{}, false
	}
	info := strings.TrimLeft(rest, "`")
	f := fence{ticks: len(rest) - len(info), info: strings.Trim(info, blanks)}
	return f, f.ticks >= 3 && strings.IndexByte(info, '`') < 0
}

// takeFence reads the code whose first line is lines[i].
func takeFence(lines []string, i int, f fence) (Block, int) {
	b := Block{Kind: CodeBlock}
	var code []string
	if isLang(f.info) {
		b.Lang = f.info
	} else if f.info != "" {
		code = append(code, f.info)
	}
	for ; i < len(lines); i++ {
		end := strings.Trim(lines[i], blanks)
		if len(end) >= f.ticks && strings.Trim(end, "`") == "" {
			i++
			break
		}
		code = append(code, lines[i])
	}
	b.Text = strings.Join(code, "\n")
	return b, i
}

func isLang(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, r := range s {
		if !isAlnum(r) && !strings.ContainsRune("_+#.-", r) {
			return false
		}
	}
	return true
}

// mark is the beginning of a list item.
type mark struct {
	kind   Kind
	indent int
	number int
	rest   string // what follows the marker, trimmed, never empty
}

func itemMark(line string) (mark, bool) {
	body := strings.TrimLeft(line, blanks)
	m := mark{kind: Bullets, indent: indentOf(line)}
	n := 0
	for n < len(body) && n < 10 && body[n] >= '0' && body[n] <= '9' {
		n++
	}
	switch {
	case n == 0 && body != "" && (body[0] == '-' || body[0] == '*'):
	case n > 0 && n < 10 && n < len(body) && body[n] == '.':
		m.kind = Numbers
		m.number, _ = strconv.Atoi(body[:n])
	default:
		return mark{}, false
	}
	after := body[n+1:]
	m.rest = strings.Trim(after, blanks)
	return m, m.rest != "" && (after[0] == ' ' || after[0] == '\t')
}

func indentOf(line string) int {
	n := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}

// takeList reads the list whose first item is lines[i], which m describes.
func takeList(lines []string, i int, m mark) (Block, int) {
	list, deep := Block{Kind: m.kind}, m.indent+2
	for {
		var it Item
		it, i = takeItem(lines, i+1, m, deep)
		if m.indent >= deep {
			nest(&list.Items[len(list.Items)-1], m.kind, it)
		} else {
			list.Items = append(list.Items, it)
		}
		if i == len(lines) || isBlank(lines[i]) {
			return list, i
		}
		var ok bool
		if m, ok = itemMark(lines[i]); !ok || m.indent < deep && m.kind != list.Kind {
			return list, i
		}
	}
}

// takeItem reads an item that m begins and that goes on at lines[i].
func takeItem(lines []string, i int, m mark, deep int) (Item, int) {
	text := []string{m.rest}
	for ; i < len(lines) && indentOf(lines[i]) >= deep && !startsBlock(lines[i], true); i++ {
		text = append(text, strings.Trim(lines[i], blanks))
	}
	return Item{Number: m.number, Inline: parseInline(strings.Join(text, "\n"))}, i
}

// nest appends it to the last list in parent, or to a new one of kind.
func nest(parent *Item, kind Kind, it Item) {
	if n := len(parent.Blocks); n == 0 || parent.Blocks[n-1].Kind != kind {
		parent.Blocks = append(parent.Blocks, Block{Kind: kind})
	}
	last := &parent.Blocks[len(parent.Blocks)-1]
	last.Items = append(last.Items, it)
}
