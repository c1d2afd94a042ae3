package webui

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
	"github.com/evanw/esbuild/pkg/api"
)

// fakeDOM is the little of a document that render uses. Its fragment prints
// itself as HTML, escaped as Go's html package does.
const fakeDOM = `
function esc(s) {
  const by = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"};
  return s.replace(/[&<>"']/g, c => by[c]);
}
class FakeNode {
  constructor(tag, text) { this.tag = tag; this.text = text; this.attrs = ""; this.nodes = []; }
  appendChild(n) { this.nodes.push(n); return n; }
  setAttribute(name, value) { this.attrs += " " + name + '="' + esc(value) + '"'; }
  set className(v) { this.setAttribute("class", v); }
  set textContent(v) { this.nodes = [new FakeNode("", v)]; }
  set innerHTML(v) { throw new Error("innerHTML is never set"); }
  html() {
    if (this.text !== undefined) return esc(this.text);
    const inner = this.nodes.map(n => n.html()).join("");
    if (this.tag === "") return inner;
    return "<" + this.tag + this.attrs + ">" + (this.tag === "br" ? "" : inner + "</" + this.tag + ">");
  }
}
const document = {
  createDocumentFragment: () => new FakeNode(""),
  createElement: tag => new FakeNode(tag),
  createTextNode: text => new FakeNode("", text),
};
function answer(text) {
  const m = markup.mentions(text);
  return JSON.stringify({
    text: text, tree: markup.parse(text), plain: markup.plain(text),
    html: markup.render(text).html(), mentions: m.logins, all: m.all,
  });
}
function answerHTML(text) {
  return markup.render(text).html();
}
function answerSelf(text) {
  return markup.render(text, {self: "ann", nameOf: l => l === "bo" ? "<王>" : undefined}).html();
}
`

// markupScript runs src/markup.ts, as the chat client gets it, and returns its
// engine.
func markupScript(t *testing.T) *goja.Runtime {
	t.Helper()
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{"src/markup.ts"},
		Bundle:      true,
		Format:      api.FormatIIFE,
		GlobalName:  "markup",
		Target:      api.ES2017,
		Charset:     api.CharsetUTF8,
	})
	for _, m := range append(built.Errors, built.Warnings...) {
		t.Fatalf("build markup.ts: %s (%+v)", m.Text, m.Location)
	}
	vm := goja.New()
	for _, script := range []string{string(built.OutputFiles[0].Contents), fakeDOM} {
		if _, err := vm.RunString(script); err != nil {
			t.Fatal(err)
		}
	}
	return vm
}

// call runs a function of the script on text.
func call(t *testing.T, vm *goja.Runtime, name, text string) string {
	t.Helper()
	fn, ok := goja.AssertFunction(vm.Get(name))
	if !ok {
		t.Fatalf("no function %s", name)
	}
	out, err := fn(goja.Undefined(), vm.ToValue(text))
	if err != nil {
		t.Fatalf("%s(%.200q): %v", name, text, err)
	}
	return out.String()
}

// TestMarkupVectors holds the parser of the chat client to the vectors that the
// server's parser is held to.
func TestMarkupVectors(t *testing.T) {
	data, err := os.ReadFile("../appliance/markup/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []map[string]any
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	vm := markupScript(t)
	for i, want := range vectors {
		if want["mentions"] == nil {
			want["mentions"] = []any{}
		}
		if want["all"] == nil {
			want["all"] = false
		}
		if want["tree"] == nil {
			want["tree"] = []any{}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(call(t, vm, "answer", want["text"].(string))), &got); err != nil {
			t.Fatal(err)
		}
		if g, w := asJSON(t, got), asJSON(t, want); g != w {
			t.Errorf("vector %d\n got %s\nwant %s", i, g, w)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestMarkupMentionsOfSelf(t *testing.T) {
	got := call(t, markupScript(t), "answerSelf", "@Ann @bo @cy @all")
	want := `<p><span class="mention self">@Ann</span> <span class="mention">@&lt;王&gt;</span> ` +
		`<span class="mention">@cy</span> <span class="mention self">@all</span></p>`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMarkupHostile runs what makes careless parsers slow. The engine here is
// some twenty times slower than a browser's; with a quadratic parser each text takes minutes.
func TestMarkupHostile(t *testing.T) {
	const size = 16 << 10
	vm := markupScript(t)
	start := time.Now()
	for _, unit := range []string{
		"*", "[", "`", "_", ">", " ", "\n", "*a_ ", "**a *b ", "> - a\n", "- a\n  - b\n", "``a`", "@a", "@-",
		"[a](http://", "[a](mailto:b@", "[[", "http://", "http://a(", "\u0301",
	} {
		call(t, vm, "answer", strings.Repeat(unit, size/len(unit)))
	}
	if d := time.Since(start); d > 5*time.Minute {
		t.Errorf("hostile texts took %v", d)
	}
}
