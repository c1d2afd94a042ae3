// Package pages holds the HTML pages that are no part of the chat client's own
// drawing: the shell it starts in and the pages of errors. They are templ
// components; `go run ./webui/build/pages` writes pages_templ.go. They hold no script and no style of their
// own, so a strict Content-Security-Policy fits them.
package pages

import (
	"bytes"
	"context"
	"strings"

	"github.com/a-h/templ"
)

// View is what every page needs.
type View struct {
	Lang   string // zh or en
	Script string // address of the bundle
	Style  string // address of the style sheet
}

// Trouble is what an error page tells, in the reader's language.
type Trouble struct {
	Title string
	Text  string
	Trace string // to be found in the log; empty: none
}

func (v View) tag() string {
	if v.Lang == "zh" {
		return "zh-CN"
	}
	return "en"
}

func (v View) name() string { return v.say("Posthouse", "驿站") }

func (v View) say(en, zh string) string {
	if v.Lang == "zh" {
		return zh
	}
	return en
}

// Render gives a component's HTML.
func Render(c templ.Component) []byte {
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		// Writing to memory under a context that does not end cannot fail.
		return nil
	}
	return b.Bytes()
}

// Language picks zh or en from an Accept-Language header: the first of the two
// with the highest weight, en when neither is there.
func Language(accept string) string {
	best, weight := "en", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := quality(params)
		lang := strings.ToLower(tag)
		if lang, _, _ = strings.Cut(lang, "-"); (lang == "zh" || lang == "en") && q > weight {
			best, weight = lang, q
		}
	}
	return best
}
