package markup

import "strings"

// Kind names what a Block or an Inline is. The strings are the kinds of the
// JSON tree in testdata/vectors.json and of webui/src/markup_parse.ts.
type Kind string

// Kinds of Block.
const (
	Paragraph Kind = "paragraph" // Inline
	CodeBlock Kind = "codeblock" // Text, Lang
	Quote     Kind = "quote"     // Blocks
	Bullets   Kind = "bullets"   // Items
	Numbers   Kind = "numbers"   // Items with Number
)

// Kinds of Inline.
const (
	Text    Kind = "text"    // Text
	Break   Kind = "break"   // nothing: the line ends here
	Code    Kind = "code"    // Text
	Bold    Kind = "bold"    // Inline
	Italic  Kind = "italic"  // Inline
	Strike  Kind = "strike"  // Inline
	Link    Kind = "link"    // URL, Inline
	Mention Kind = "mention" // Text: the login as written, without @
	All     Kind = "all"     // Text: "all" as written, without @
)

// Block is one block of a message; which fields are set follows from Kind.
type Block struct {
	Kind   Kind     `json:"kind"`
	Text   string   `json:"text,omitempty"`
	Lang   string   `json:"lang,omitempty"`
	Inline []Inline `json:"inline,omitempty"`
	Blocks []Block  `json:"blocks,omitempty"`
	Items  []Item   `json:"items,omitempty"`
}

// Item is one entry of a list. Number is as written, 0 in bullets. Blocks are
// the lists nested in it.
type Item struct {
	Number int      `json:"number,omitempty"`
	Inline []Inline `json:"inline,omitempty"`
	Blocks []Block  `json:"blocks,omitempty"`
}

// Inline is a piece of a line; which fields are set follows from Kind.
type Inline struct {
	Kind   Kind     `json:"kind"`
	Text   string   `json:"text,omitempty"`
	URL    string   `json:"url,omitempty"`
	Inline []Inline `json:"inline,omitempty"`
}

// Parse returns the blocks of text in order; none for an empty one.
func Parse(text string) []Block {
	return parseBlocks(strings.Split(normalise(text), "\n"), false)
}

func normalise(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' || r >= 0x7f && r <= 0x9f {
			return 0xFFFD
		}
		return r
	}, text)
}

// isSpace is the class Space of the package comment.
func isSpace(r rune) bool {
	switch {
	case r <= 0x20:
		return r == ' ' || r == '\t' || r == '\n'
	case r < 0x2000:
		return r == 0xA0 || r == 0xAD || r == 0x61C || r == 0x1680 || r == 0x180E
	}
	return r <= 0x200F || r >= 0x2028 && r <= 0x202F || r >= 0x205F && r <= 0x206F ||
		r == 0x3000 || r == 0xFEFF
}

// isWord is the class Word of the package comment.
func isWord(r rune) bool {
	return isAlnum(r) || r >= 0xC0 && r <= 0x1FFF && r != 0xD7 && r != 0xF7
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
