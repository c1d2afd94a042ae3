package markup

import (
	"strings"
	"testing"
)

func TestShownIsWhatCanBeSelected(t *testing.T) {
	name := func(login string) string { return map[string]string{"zhang": "张三"}[login] }
	for text, want := range map[string]string{
		"":                        "",
		"plain 文本，没有标记":           "plain 文本，没有标记",
		"**bold** and _it_ `x*y`": "bold and it x*y",
		"- one\n- two\n  - deep":  "one\ntwo\ndeep",
		"1. first\n2. second":     "first\nsecond",
		"> said\n> so\n\nyes":     "said\nso\nyes",
		"```go\nfunc f()\n```":    "func f()",
		"[手册](https://wiki.example/a) https://b.example": "手册 https://b.example",
		"@Zhang 请看 @nobody @all":                         "@张三 请看 @nobody @all",
		"call 3. floor":                                  "call 3. floor",
	} {
		if got, _ := Shown(text, name); got != want {
			t.Errorf("%q shows %q, want %q", text, got, want)
		}
	}
	if _, links := Shown("[手册](https://wiki.example/a) https://b.example", nil); len(links) != 1 || links[0] != "https://wiki.example/a" {
		t.Errorf("links %q", links)
	}
}

// The words are those of Plain, whatever the text is.
func FuzzShown(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := Shown(text, nil)
		plain := Plain(text)
		for _, line := range strings.Split(got, "\n") {
			if !isBare(text) && !strings.Contains(plain, line) {
				t.Fatalf("%.200q shows %.200q, which is not in %.200q", text, line, plain)
			}
		}
	})
}
