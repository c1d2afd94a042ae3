package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/dop251/goja"

	"posthouse/webui/bundle"
)

// axeSum is the SHA-256 of axe.min.js of axe-core 4.12.0 as npm has it; the
// gzip file beside its licence holds just that.
const axeSum = "a0afc408abecbe06ff7675033e7ea2c4046618162167aaa4ce1030b10963dece"

// axeCore is the script of axe-core.
var axeCore = sync.OnceValues(func() (string, error) {
	packed, err := os.ReadFile("testdata/axe-core/axe.min.js.gz")
	if err != nil {
		return "", err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("unpack axe-core: %w", err)
	}
	code, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("unpack axe-core: %w", err)
	}
	if sum := sha256.Sum256(code); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("axe-core is not the pinned one: %x", sum)
	}
	return string(code), nil
})

// accessible wants axe-core to find nothing on the page as it is: WCAG 2.2
// A and AA and its best practices. The script comes in through the debugger,
// which the policy of the page does not bind.
func (p *tab) accessible(page string) {
	p.t.Helper()
	p.axe(page, `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`)
}

// legible is accessible for what colours alone decide: the same page again in
// another theme.
func (p *tab) legible(page string) {
	p.t.Helper()
	p.axe(page, `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`)
}

func (p *tab) axe(page, only string) {
	p.t.Helper()
	code, err := axeCore()
	must(p.t, err)
	if ask[bool](p, `!window.axe`) {
		p.run(code)
	}
	found := ask[[]string](p, `axe.run(document, {preload: false, resultTypes: ["violations"], runOnly: `+only+`}).then((r) => r.violations.flatMap((v) => v.nodes.slice(0, 5).map((n) =>
	v.id + ": " + n.target.join(" ") + " " + [...n.any, ...n.all, ...n.none].map((c) => c.message).join("; ") + "\n\t\t" + n.html.slice(0, 200))))`)
	if len(found) > 0 {
		p.t.Errorf("%s: %d violations:\n\t%s", page, len(found), strings.Join(found, "\n\t"))
	}
}

// still waits until nothing on the page fades or moves: half-transparent text
// has another contrast.
func (p *tab) still() {
	p.t.Helper()
	p.run(`new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))`)
	p.until("the page stand still", `document.readyState === "complete" && document.getAnimations().every((a) => a.playState !== "running" || a.effect?.getTiming().iterations === Infinity)`)
}

// speaks sets what language the browser asks for.
func (p *tab) speaks(tag string) {
	p.t.Helper()
	command(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: ask[string](p, `navigator.userAgent`), AcceptLanguage: tag})
}

// clientWords are the words of the chat client, by language and key.
var clientWords = sync.OnceValues(func() (map[string]map[string]string, error) {
	code, err := bundle.Script("../../webui/src/words.ts", false)
	if err != nil {
		return nil, err
	}
	vm := goja.New()
	if _, err := vm.RunString(string(code)); err != nil {
		return nil, err
	}
	v, err := vm.RunString(`JSON.stringify({en: module.en, zh: module.zh})`)
	if err != nil {
		return nil, err
	}
	var out map[string]map[string]string
	return out, json.Unmarshal([]byte(v.String()), &out)
})

// word is what the chat client says for a key: of a sentence with {places},
// its longest part between them.
func word(t *testing.T, lang, key string) string {
	t.Helper()
	words, err := clientWords()
	must(t, err)
	text, ok := words[lang][key]
	if !ok {
		t.Fatalf("the chat client has no word %q", key)
	}
	longest := ""
	for part := range strings.SplitSeq(text, "{") {
		if _, after, found := strings.Cut(part, "}"); found {
			part = after
		}
		if part = strings.TrimSpace(part); len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}
