package doctext

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// part is one XML file of a document.
type part struct {
	file *zip.File
	kind string // word, cells, shared, slides, open
}

// documentParts finds the parts with text in the order a reader meets them.
// ECMA-376 names them for Office Open XML, OASIS OpenDocument 1.3 part 2 for
// the others.
func documentParts(z *zip.Reader) []part {
	var out []part
	for _, f := range z.File {
		dir, name := path.Split(f.Name)
		switch {
		case dir == "word/" && (name == "document.xml" || hasNumber(name, "header") || hasNumber(name, "footer") || name == "footnotes.xml" || name == "endnotes.xml" || name == "comments.xml"):
			out = append(out, part{f, "word"})
		case f.Name == "xl/sharedStrings.xml":
			out = append(out, part{f, "shared"})
		case dir == "xl/worksheets/" && hasNumber(name, "sheet"):
			out = append(out, part{f, "cells"})
		case dir == "ppt/slides/" && hasNumber(name, "slide"), dir == "ppt/notesSlides/" && hasNumber(name, "notesSlide"):
			out = append(out, part{f, "slides"})
		case f.Name == "content.xml":
			out = append(out, part{f, "open"})
		}
		if len(out) >= 2000 {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b part) int { return order(a.file.Name) - order(b.file.Name) })
	return out
}

func hasNumber(name, stem string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(name, ".xml"), stem)
	return ok && strings.HasSuffix(name, ".xml") && strings.Trim(rest, "0123456789") == ""
}

// order puts the text of the document before what stands around it, and
// numbered parts in their order.
func order(name string) int {
	n, _ := strconv.Atoi(strings.Trim(path.Base(name), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ."))
	n = min(max(n, 0), 99999)
	if base := path.Base(name); base != "document.xml" && strings.HasPrefix(name, "word/") || strings.HasPrefix(name, "ppt/notes") {
		return 1_000_000 + n
	}
	return n
}

// readXML gathers the text of one part.
func readXML(ctx context.Context, r io.Reader, kind string, out *collector) error {
	d := xml.NewDecoder(r)
	d.Strict = true
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("charset %q is not supported", charset)
	}
	depth, words := 0, 0
	cell := "" // type of the spreadsheet cell
	for i := 0; ; i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errors.New("nested too deep")
			}
			if e.Name.Local == "c" && kind == "cells" {
				cell = attribute(e, "t")
			}
			if holdsText(kind, e.Name.Local, cell) {
				words++
			}
			switch e.Name.Local {
			case "tab", "br", "s":
				if kind == "word" || kind == "slides" || kind == "open" {
					out.add(" ")
				}
			}
		case xml.EndElement:
			depth--
			if holdsText(kind, e.Name.Local, cell) {
				words--
			}
			switch e.Name.Local {
			case "p", "h", "si", "c", "table-cell":
				out.line()
			}
		case xml.CharData:
			if words > 0 {
				out.add(string(e[:min(len(e), MaxText+utf8.UTFMax)])) // what is behind has no room
			}
		}
		if out.cut {
			return nil
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// holdsText reports whether the characters inside an element are text. A cell
// of type s holds the number of a shared string, which is read on its own.
func holdsText(kind, element, cell string) bool {
	switch kind {
	case "cells":
		return element == "t" || element == "v" && cell != "s"
	case "open":
		return element == "p" || element == "h"
	}
	return element == "t"
}

func readHTML(text string, out *collector) {
	z := html.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(1 << 20)
	hidden := 0
	for !out.cut {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if hidden == 0 {
				out.add(string(z.Text()))
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style:
				hidden++
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.Script, atom.Style:
				hidden = max(0, hidden-1)
			case atom.P, atom.Div, atom.Li, atom.Td, atom.Th, atom.Tr, atom.H1, atom.H2, atom.H3, atom.H4, atom.Title:
				out.line()
			}
		case html.SelfClosingTagToken:
		}
	}
}
