package webui

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMarkupInjections looks at what comes of texts that want to be more than
// text: the tags and attributes that a message may have, and links of three
// schemes.
func TestMarkupInjections(t *testing.T) {
	vm := markupScript(t)
	tag := regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)((?: [a-z]+="[^"]*")*)>`)
	attribute := regexp.MustCompile(` ([a-z]+)="([^"]*)"`)
	allowed := strings.Fields("p br pre code blockquote ul ol li strong em del a span")
	pieces := []string{"<script>x</script>", `"><img src=x onerror=x>`, "<svg/onload=x>", "javascript:x", "data:text/html,<b>", "java\tscript:x", "\u202e", "\u2066", "//evil.example", "https://a.example/\"onclick=\"x",
		"https://a.example@evil.example", "https://b\u0430nk.example", "mailto:a@b\" onclick=", "vbscript:x", "file:///etc/passwd", "@<b>", "@all\u202e", "👨‍👩‍👧\u200d<b>", "&lt;b&gt;", "```html\" onclick=\"x\n<b>\n```"}
	wraps := []string{"%", "[x](%)", "[%](https://a.example)", "[%](%)", "**%**", "_%_", "`%`", "> %", "- %", "1. %", "```\n%\n```", "```%\nx\n```", "![%](%)", "<%>", "[%][1]\n\n[1]: %"}
	for _, wrap := range wraps {
		for _, piece := range pieces {
			text := strings.ReplaceAll(wrap, "%", piece)
			for _, fn := range []string{"answerHTML", "answerSelf"} {
				html := call(t, vm, fn, text)
				rest := tag.ReplaceAllStringFunc(html, func(found string) string {
					m := tag.FindStringSubmatch(found)
					if !slices.Contains(allowed, m[2]) {
						t.Errorf("%q makes the element %s", text, found)
					}
					for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
						switch {
						case a[1] == "href" && !regexp.MustCompile(`^(https?://|mailto:)`).MatchString(a[2]):
							t.Errorf("%q makes the link %s", text, a[2])
						case !slices.Contains(strings.Fields("class value href rel target"), a[1]):
							t.Errorf("%q makes the attribute %s", text, a[0])
						}
					}
					return ""
				})
				if strings.ContainsAny(rest, "<>") {
					t.Errorf("%q leaves %q", text, rest)
				}
			}
		}
	}
}
