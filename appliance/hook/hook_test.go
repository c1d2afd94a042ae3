package hook

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/markup"
)

var update = flag.Bool("update", false, "write testdata/*.md anew")

// people whom payloads of testdata mention.
func people(kind, value string) (string, bool) {
	who := map[string]string{"mobile 18012345678": "wang", "login li.lei": "li.lei", "login U024BE7LH": "mona"}
	login, ok := who[kind+" "+value]
	return login, ok
}

// posted is a payload of testdata as its sender posts it.
func posted(t testing.TB, path string) Request {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	r := Request{Type: "application/json", Body: body}
	headers := map[string]string{}
	switch sender, event, _ := strings.Cut(strings.TrimSuffix(name, filepath.Ext(name)), "-"); {
	case strings.HasSuffix(name, ".form"):
		r.Type = "application/x-www-form-urlencoded"
	case strings.HasSuffix(name, ".txt"):
		r.Type = "text/plain; charset=utf-8"
	case sender == "gitlab":
		headers["X-Gitlab-Event"] = event
	case sender == "github":
		headers["X-GitHub-Event"] = event
	case sender == "gitea":
		headers["X-Gitea-Event"] = event
	}
	r.Header = func(name string) string { return headers[name] }
	return r
}

func payloads(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.json", "*.form", "*.txt"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	if len(out) < 20 {
		t.Fatalf("only %d payloads", len(out))
	}
	return out
}

func TestPayloadsBecomeTheMessagesOfTheGoldenFiles(t *testing.T) {
	for _, path := range payloads(t) {
		r := posted(t, path)
		sender, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), "-")
		o := Options{Lang: "en", Person: people}
		if sender == "mattermost" || sender == "plain" {
			o.Format = Format(sender)
		}
		m, refused := Translate(r, o)
		if refused != nil {
			t.Errorf("%s: %v", path, refused)
			continue
		}
		if want := Format(strings.Replace(sender, "gitea", "github", 1)); m.Format != want {
			t.Errorf("%s is taken for %s", path, m.Format)
		}
		o.Lang = "zh"
		zh, _ := Translate(r, o)
		got := "name: " + m.Name + "\n---- en\n" + m.Text + "\n---- zh\n" + zh.Text + "\n---- html\n" + markup.HTML(m.Text) + "\n"
		golden := path + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, []byte(got)) {
			t.Errorf("%s:\n%s\n==== want\n%s", path, got, want)
		}
	}
}

// found is what a text makes markup do.
type found struct {
	links, mentions []string
	all             bool
	marks           int
}

func look(text string) found {
	var f found
	var inline func([]markup.Inline)
	inline = func(list []markup.Inline) {
		for _, x := range list {
			switch x.Kind {
			case markup.Link:
				f.links = append(f.links, x.URL)
			case markup.Mention:
				f.mentions = append(f.mentions, x.Text)
			case markup.All:
				f.all = true
			case markup.Text, markup.Break:
			default:
				f.marks++
			}
			inline(x.Inline)
		}
	}
	var blocks func([]markup.Block)
	blocks = func(list []markup.Block) {
		for _, b := range list {
			if b.Kind != markup.Paragraph {
				f.marks++
			}
			inline(b.Inline)
			blocks(b.Blocks)
			for _, item := range b.Items {
				inline(item.Inline)
				blocks(item.Blocks)
			}
		}
	}
	blocks(markup.Parse(text))
	return f
}

func FuzzEscapedTextIsText(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, text := range []string{escape(a), "x " + escape(a) + " y " + escape(b), escape(a) + "\n" + escape(b)} {
			if got := look(text); len(got.links)+len(got.mentions)+got.marks > 0 || got.all {
				t.Fatalf("%q and %q make %+v of %q", a, b, got, text)
			}
		}
		got := look(bold(field(a)) + ": " + link(b, "https://ok.example/x") + " " + code(a) + "\n" + quote(escape(b)))
		if len(got.mentions) > 0 || got.all || slices.ContainsFunc(got.links, func(l string) bool { return l != "https://ok.example/x" }) {
			t.Fatalf("%q and %q make %+v", a, b, got)
		}
	})
}

func hostile() []string {
	return []string{"@all", "@ann", "[x](http://evil.example)", "](http://evil.example)", "**b**", "a*b*c", "`code`", "```\nx", "> q", "- l", "1. n", "http://evil.example",
		"h", "ttp://evil.example", "[click", "~~s~~", "_i_", "<b>", "\u202e@all", "@\u200ball", "\uE000all\uE001", "\uE010all\uE011", "***", "* ", "]", "(", "http://", "@", "*", "a@b.c"}
}
