// Package bundle owns the file that an operator hands to whoever helps: a zip
// archive of plain texts, with a README in English and 简体中文 that lists them.
//
// It promises a bounded size: a part is at most MaxPart bytes and all parts
// together at most MaxTotal, before compression. What is longer is cut at the
// end of a line, the last line says so, and the README too. What could not be
// had is in the README with the reason. What may be in a part is for whoever
// adds it to decide: this package looks into none.
//
// The archive: README.txt, then the parts in the order in which they were
// added, deflated, each with the time that New was given.
//
// It runs no goroutines; a Bundle is for one.
package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// Bounds of a bundle, in bytes before compression.
const (
	MaxPart  = 2 << 20
	MaxTotal = 16 << 20
)

// Bundle collects parts.
type Bundle struct {
	at    time.Time
	about words.Text
	parts []part
	size  int
}

type part struct {
	name string
	what words.Text
	lack words.Text // why it is missing; empty: it is there
	body []byte
	of   int // bytes that there were
	cut  bool
}

// New begins a bundle. about says what it is, at the head of its README.
func New(at time.Time, about words.Text) *Bundle { return &Bundle{at: at.UTC(), about: about} }

// Add adds a part under the name of its file. what says what it is.
func (b *Bundle) Add(name string, what words.Text, body []byte) {
	p := part{name: name, what: what, body: body, of: len(body)}
	room := max(0, min(MaxPart, MaxTotal-b.size))
	if len(body) > room {
		kept := body[:room]
		if i := bytes.LastIndexByte(kept, '\n'); i >= 0 {
			kept = kept[:i+1]
		}
		p.cut = true
		p.body = fmt.Appendf(bytes.Clone(kept), "--- cut: %d of %d bytes are here / 已截断：此处为 %d / %d 字节 ---\n", len(kept), len(body), len(kept), len(body))
		b.size += len(kept)
	} else {
		b.size += len(body)
	}
	b.parts = append(b.parts, p)
}

// Lack notes a part that could not be had, and why.
func (b *Bundle) Lack(name string, what, why words.Text) {
	b.parts = append(b.parts, part{name: name, what: what, lack: why})
}

// Zip makes the archive.
func (b *Bundle) Zip() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	list := append([]part{{name: "README.txt", body: []byte(b.readme())}}, b.parts...)
	for _, p := range list {
		if p.lack != (words.Text{}) {
			continue
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: b.at})
		if err == nil {
			_, err = w.Write(p.body)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", p.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("end the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// readme tells what is in the archive, in both languages.
func (b *Bundle) readme() string {
	var s strings.Builder
	for _, lang := range []string{"en", "zh"} {
		say := func(en, zh string) string { return words.Of(en, zh).In(lang) }
		fmt.Fprintf(&s, "%s\n%s\n\n", b.about.In(lang), b.at.Format("2006-01-02 15:04:05 UTC"))
		fmt.Fprintf(&s, say("At most %d MiB a file and %d MiB in all; what is longer is cut and says so.\n\n", "每个文件至多 %d MiB，合计至多 %d MiB；超出部分被截断并注明。\n\n"), MaxPart>>20, MaxTotal>>20)
		for _, p := range b.parts {
			fmt.Fprintf(&s, "  %-18s %s\n", p.name, p.what.In(lang))
			switch {
			case p.lack != (words.Text{}):
				fmt.Fprintf(&s, "  %-18s %s%s\n", "", say("not here: ", "未包含："), p.lack.In(lang))
			case p.cut:
				fmt.Fprintf(&s, "  %-18s %s\n", "", fmt.Sprintf(say("cut: it had %d bytes", "已截断：原有 %d 字节"), p.of))
			}
		}
		s.WriteString("\n")
	}
	return s.String()
}
