package config

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says which layer a value comes from. Higher layers win.
type Kind int

// The layers, weakest first.
const (
	FromDefault Kind = iota
	FromFile
	FromEnvironment
	FromCommandLine
)

// Source says where a value comes from. File, Line and Column (from 1, in
// characters) are set for FromFile; File alone may be set when a whole file is
// meant, or names the file behind a POSTHOUSE_..._FILE variable. Name is the
// variable of FromEnvironment and the key of FromCommandLine.
type Source struct {
	Kind         Kind
	File         string
	Line, Column int
	Name         string
}

// String is Text("en").
func (s Source) String() string { return s.Text("en") }

// Text names the source for people, in lang ("zh…" or English).
func (s Source) Text(lang string) string {
	zh := chinese(lang)
	switch s.Kind {
	case FromFile:
		switch {
		case s.Line == 0:
			return s.File
		case s.Column == 0:
			return fmt.Sprintf("%s:%d", s.File, s.Line)
		}
		return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column)
	case FromEnvironment:
		at := s.Name
		if s.File != "" {
			at += " (" + s.File + ")"
		}
		if zh {
			return "环境变量 " + at
		}
		return "environment " + at
	case FromCommandLine:
		if zh {
			return "命令行 " + s.Name
		}
		return "command line " + s.Name
	}
	if zh {
		return "默认值"
	}
	return "default"
}

// Sources says for every key where its value comes from.
type Sources map[string]Source

// Error is one problem. Key is "section.key", or empty when the problem is not
// about a key. English and Chinese say the same thing.
type Error struct {
	Source
	Key              string
	English, Chinese string
	Err              error // the system's error behind it, if any
}

// Error is Text("en").
func (e *Error) Error() string { return e.Text("en") }

// Unwrap gives the system's error, if any.
func (e *Error) Unwrap() error { return e.Err }

// Text is the whole sentence in lang: place, key, problem.
func (e *Error) Text(lang string) string {
	var b strings.Builder
	if e.Kind != FromDefault {
		b.WriteString(e.Source.Text(lang) + ": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	if chinese(lang) {
		b.WriteString(e.Chinese)
	} else {
		b.WriteString(e.English)
	}
	return b.String()
}

// Errors is every problem that was found, in the order of files and lines.
// errors.As finds the single *Error values in it.
type Errors []*Error

// Error is Text("en").
func (es Errors) Error() string { return es.Text("en") }

// Text is one problem a line, in lang.
func (es Errors) Text(lang string) string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Text(lang)
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single problems.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Text is the message of any error in lang: both-language problems of this
// package in the wanted one, anything else as it is.
func Text(err error, lang string) string {
	var es Errors
	if errors.As(err, &es) {
		return es.Text(lang)
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Text(lang)
	}
	return err.Error()
}

// text is one sentence in both languages.
type text struct{ en, zh string }

func say(en, zh string, args ...any) *text {
	return &text{fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)}
}

func chinese(lang string) bool { return strings.HasPrefix(strings.ToLower(lang), "zh") }

// problems collects errors; a key is complained about once.
type problems struct {
	list []*Error
	bad  map[string]bool
}

func (p *problems) add(at Source, key string, t *text, err error) {
	if key != "" {
		if p.bad == nil {
			p.bad = map[string]bool{}
		}
		p.bad[key] = true
	}
	p.list = append(p.list, &Error{Source: at, Key: key, English: t.en, Chinese: t.zh, Err: err})
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	rank := map[string]int{} // files in the order they were first complained about
	for _, e := range p.list {
		if _, ok := rank[e.File]; !ok {
			rank[e.File] = len(rank)
		}
	}
	sort.SliceStable(p.list, func(i, j int) bool {
		a, b := p.list[i], p.list[j]
		switch {
		case a.Kind != b.Kind:
			return a.Kind < b.Kind
		case a.File != b.File:
			return rank[a.File] < rank[b.File]
		case a.Line != b.Line:
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	return Errors(p.list)
}
