package hook

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"posthouse/appliance/wire"
)

// headers of the forges; the rest is told apart by shape.
func events() []string { return []string{"", "gitlab", "github"} }

// FuzzTranslate: whatever comes makes a message within its bounds, or a refusal;
// nobody is called but whom the format may call, and links lead to http alone.
func FuzzTranslate(f *testing.F) {
	for i, path := range payloads(f) {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, uint8(i))
		f.Add([]byte(strings.ReplaceAll(string(raw), "e", "@all [x](http://e)")), uint8(i+3))
	}
	f.Fuzz(func(t *testing.T, body []byte, how uint8) {
		formats := append(Formats(), Auto)
		format := formats[int(how)%len(formats)]
		event := events()[int(how/16)%3]
		r := Request{Type: []string{"application/json", "application/x-www-form-urlencoded", "text/plain"}[int(how/5)%3], Body: body,
			Header: func(name string) string {
				if event != "" && strings.EqualFold(name, "X-"+event+"-Event") {
					return "push"
				}
				return ""
			}}
		const most = 2000
		m, refused := Translate(r, Options{Format: format, Lang: []string{"en", "zh"}[how%2], Max: most, Person: func(string, string) (string, bool) { return "somebody", true }})
		if refused != nil {
			if refused.Kind != wire.InvalidParams || refused.Text.Zh == "" {
				t.Fatalf("refused as %+v", refused)
			}
			return
		}
		if len(m.Text) > most || !utf8.ValidString(m.Text) || strings.ContainsAny(m.Text, "\x00\u202e") || strings.ContainsRune(m.Text, markOpen) {
			t.Fatalf("%d bytes: %q", len(m.Text), m.Text)
		}
		got := look(m.Text)
		if m.Format != DingTalk && m.Format != Slack && m.Format != Mattermost && (got.all || len(got.mentions) > 0) {
			t.Fatalf("%s calls %+v in %q", m.Format, got, m.Text)
		}
		for _, login := range got.mentions {
			if login != "somebody" {
				t.Fatalf("calls %q in %q", login, m.Text)
			}
		}
		for _, l := range got.links {
			if schemeLen(l) == 0 {
				t.Fatalf("links to %q", l)
			}
		}
	})
}

func TestTranslatingIsLinear(t *testing.T) {
	for name, piece := range map[string]string{"links": "http://a ", "ticks": "`", "marks": "*", "brackets": "[x](http://a)", "refs": "<http://a|b>", "lines": "\n- a", "quotes": "> ", "html": "<br><font>"} {
		body := `{"text":"` + strings.ReplaceAll(strings.Repeat(piece, 900_000/len(piece)), "\n", `\n`) + `"}`
		for _, format := range []Format{Slack, Mattermost, Plain} {
			m, refused := Translate(Request{Type: "application/json", Body: []byte(body)}, Options{Format: format})
			if refused == nil && len(m.Text) > defaultMax {
				t.Errorf("%s as %s: %d bytes", name, format, len(m.Text))
			}
		}
	}
}
