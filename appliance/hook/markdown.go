package hook

import (
	"fmt"
	"regexp"
	"strings"

	"posthouse/appliance/markup"
)

// Markdown is what another program wrote for people, in at most max bytes: its
// marks and links stay, its mentions become text. lang is that of the note when
// it is cut.
func Markdown(s string, max int, lang string) string {
	if len(s) > mostText {
		s = strings.ToValidUTF8(s[:mostText], "")
	}
	return strings.TrimSpace(cut(rewrite(widen(clean(s))), max, lang))
}

// widen puts what our Markdown does not have into what it has: headings become
// bold, pictures links, a few tags nothing. Code stays as it is.
func widen(s string) string {
	lines := strings.Split(s, "\n")
	fenced := false
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		if strings.HasPrefix(trimmed, "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			continue
		}
		line = tags().Replace(line)
		line = fontTag.ReplaceAllString(line, "")
		line = picture.ReplaceAllString(line, "[$1](")
		line = emptyLabel.ReplaceAllString(line, "[🖼](")
		line = shiftedQuote.ReplaceAllString(line, "> ")
		if m := heading.FindStringSubmatch(line); m != nil {
			title := strings.TrimSpace(strings.TrimRight(m[2], "# "))
			if title != "" && !strings.ContainsAny(title, "*[") {
				title = "**" + title + "**"
			}
			line = m[1] + title
		}
		if rule.MatchString(line) {
			line = ""
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

var (
	// A quote of other dialects may stand a little to the right.
	shiftedQuote = regexp.MustCompile(`^ {1,3}> ?`)
	heading      = regexp.MustCompile(`^((?:> )?) {0,3}#{1,6}[ \t]+(.*)$`)
	picture      = regexp.MustCompile(`!\[([^\[\]]*)\]\(`)
	emptyLabel   = regexp.MustCompile(`\[[ \t]*\]\(`)
	rule         = regexp.MustCompile(`^ {0,3}(?:-{3,}|\*{3,}|_{3,}|={3,}|(?:[-*_] ){2,}[-*_])[ \t]*$`)
	fontTag      = regexp.MustCompile(`(?i)</?(?:font|span|b|strong|i|em|u|div|p|center)(?:[ \t][^<>]{0,200})?>`)
)

func tags() *strings.Replacer {
	return strings.NewReplacer("<br>", "\n", "<br/>", "\n", "<br />", "\n", "<BR>", "\n")
}

// rewrite parses Markdown and writes it again, so that what is text in the one
// is text in the other, whatever will stand around it.
func rewrite(s string) string {
	var b strings.Builder
	writeBlocks(&b, markup.Parse(s), "")
	return b.String()
}

func writeBlocks(b *strings.Builder, blocks []markup.Block, indent string) {
	for i, x := range blocks {
		if i > 0 {
			b.WriteString("\n" + indent + "\n")
		}
		switch x.Kind {
		case markup.Paragraph:
			b.WriteString(indented(inlines(x.Inline, 0), indent))
		case markup.CodeBlock:
			b.WriteString(indented(fence(x.Text), indent))
		case markup.Quote:
			var in strings.Builder
			writeBlocks(&in, x.Blocks, "")
			b.WriteString("> " + strings.ReplaceAll(in.String(), "\n", "\n> "))
		case markup.Bullets, markup.Numbers:
			writeItems(b, x, indent, 0)
		}
	}
}

func indented(s, indent string) string { return strings.ReplaceAll(s, "\n", "\n"+indent) }

func writeItems(b *strings.Builder, list markup.Block, indent string, depth int) {
	for i, item := range list.Items {
		if i > 0 || depth > 0 {
			b.WriteString("\n" + indent)
		}
		mark := "- "
		if list.Kind == markup.Numbers {
			mark = fmt.Sprintf("%d. ", item.Number)
		}
		b.WriteString(strings.Repeat("  ", depth) + mark)
		b.WriteString(strings.ReplaceAll(inlines(item.Inline, 0), "\n", "\n"+indent+strings.Repeat("  ", depth+1)))
		for _, nested := range item.Blocks {
			writeItems(b, nested, indent, depth+1)
		}
	}
}

func inlines(list []markup.Inline, italics int) string {
	var b strings.Builder
	for _, x := range list {
		switch x.Kind {
		case markup.Text:
			b.WriteString(escapeClean(x.Text))
		case markup.Break:
			b.WriteByte('\n')
		case markup.Code:
			b.WriteString(code(x.Text))
		case markup.Bold:
			b.WriteString(bold(inlines(x.Inline, italics)))
		case markup.Italic:
			b.WriteString(marked(inlines(x.Inline, italics+1), [2]string{"_", "*"}[italics%2]))
		case markup.Strike:
			b.WriteString(marked(inlines(x.Inline, italics), "~~"))
		case markup.Link:
			b.WriteString(link(strings.ReplaceAll(words(x.Inline), x.URL, ""), x.URL))
		case markup.Mention, markup.All:
			b.WriteString("@" + zw + x.Text)
		}
	}
	return b.String()
}

func marked(s, mark string) string {
	if s == "" || strings.HasPrefix(s, zw) || strings.HasSuffix(s, zw) {
		return s
	}
	return mark + s + mark
}

// words is the text of inlines without their marks.
func words(list []markup.Inline) string {
	var b strings.Builder
	for _, x := range list {
		switch x.Kind {
		case markup.Break:
			b.WriteByte(' ')
		case markup.Mention, markup.All:
			b.WriteString("@" + x.Text)
		default:
			b.WriteString(x.Text)
			b.WriteString(words(x.Inline))
		}
	}
	return b.String()
}
