package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean makes text that people wrote harmless to a terminal: control
// characters, escape sequences, characters that turn the direction of writing
// and bytes that are no text are written as escapes.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case printable(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// printable keeps the joiner that emoji are made with.
func printable(r rune) bool {
	return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) || r == 0x200d
}

// columns is how many columns of a terminal a clean text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// table prints aligned columns. Cells are cleaned.
type table struct {
	head  []string
	rows  [][]string
	right []int // columns of numbers
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) error {
	lines := append([][]string{t.head}, t.rows...)
	wide := make([]int, len(t.head))
	for i, row := range lines {
		row = append([]string(nil), row...)
		for j := range row {
			row[j] = clean(row[j])
			wide[j] = max(wide[j], columns(row[j]))
		}
		lines[i] = row
	}
	right := make([]bool, len(t.head))
	for _, j := range t.right {
		right[j] = true
	}
	var b strings.Builder
	for _, row := range lines {
		var line strings.Builder
		for j, cell := range row {
			pad := strings.Repeat(" ", wide[j]-columns(cell))
			if right[j] {
				cell, pad = pad+cell, ""
			}
			line.WriteString(cell + pad + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeJSON prints a value for programs. Outside of ASCII only printable
// characters are written as they are.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	_, err := io.WriteString(w, harmless(b.String()))
	return err
}

// harmless escapes what clean would escape, inside of JSON text.
func harmless(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x7f || printable(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return b.String()
}

// when is a moment (Unix ms) for people, in the time zone of the machine.
func when(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Format("2006-01-02 15:04")
}
