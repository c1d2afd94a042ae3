package e2e

import (
	"strings"
	"testing"
	"unicode/utf8"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Whatever people write, call themselves, their rooms and their files, is text:
// no element, attribute or address comes of it that a message may not have, and
// nothing leaves the box.
func TestInjection(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const deed = `document.title='owned'`
	eve := o.hire("eve", `<img src=x onerror="`+deed+`">`, client.Options{})
	group, err := eve.CreateRoom(background(t), wire.RoomCreate{Kind: wire.Group, Name: `"><script>` + deed + `</script>`, Topic: `<svg onload=` + deed + `>`})
	must(t, err)
	must(t, eve.Call(background(t), "room.add", wire.MembersChange{Room: group.ID, Users: []id.ID{o.owner.user.ID}}, nil))
	texts := []string{
		"<script>" + deed + "</script>", `<img src=x onerror=` + deed + `>`, `<svg/onload=` + deed + `>`, "<style>*{display:none}</style>", `<iframe srcdoc="<script>` + deed + `</script>">`,
		"[x](javascript:" + deed + ")", "[x](JaVaScRiPt:" + deed + ")", "[x](java\tscript:" + deed + ")", "[x](data:text/html,<script>" + deed + "</script>)", "[x](vbscript:x)", "[x](//evil.example/x)",
		"[x](https://evil.example/\" onmouseover=\"" + deed + ")", "https://evil.example/'onmouseover='" + deed, "[![x](https://evil.example/pixel.png)](https://evil.example)", "![x](https://evil.example/pixel.png)",
		"[https://bank.example](https://evil.example)", "[x](https://b\u0430nk.example)", "https://bank.example\u202Egnp.exe", "\u202Eright to left\u2066", strings.Repeat("\u0301", 300) + "marks",
		"```\"><script>" + deed + "\n</script>\n```", "```html\" onclick=\"" + deed + "\n<b>x</b>\n```", "`<b>` **<b>** _<i>_ ~~<s>~~", "> <b>quoted</b>\n\n- <i>item</i>\n1. <u>item</u>",
		"@eve<script> @all\u202E @<img>", ":smile:<script> 👨‍👩‍👧‍👦\u200d<b>", "{{constructor.constructor('" + deed + "')()}} ${" + deed + "} <!--", "\x1b[31m\u2028\u2029", "/topic <script>",
	}
	for _, text := range texts {
		if utf8.ValidString(text) {
			_, err := eve.Send(background(t), group.ID, text)
			if err != nil && kindOf(err) != wire.InvalidParams {
				t.Fatalf("send %q: %v", text, err)
			}
		}
	}
	sent := eve.says(group.ID, "react here")
	for _, emoji := range []string{"<b>", `"><img src=x onerror=` + deed + `>`, "\u202E", "javascript:x"} {
		if err := eve.Call(background(t), "message.react", wire.ReactParams{Message: sent.ID, Emoji: emoji, On: true}, nil); err != nil && kindOf(err) != wire.InvalidParams {
			t.Errorf("the reaction %q: %v", emoji, err)
		}
	}
	for _, name := range []string{`"><img src=x onerror=` + deed + `>.png`, "gnp.\u202Eexe.txt", "<script>.svg", "javascript:" + deed} {
		eve.uploads(group.ID, name, []byte("<script>"+deed+"</script>"))
	}

	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.run(`window.forbidden = []; document.addEventListener("securitypolicyviolation", (e) => forbidden.push(e.violatedDirective + " " + e.blockedURI))`)
	ann.run(`location.hash = "#/room/` + group.ID.String() + `"`)
	ann.until("the last file", `document.querySelectorAll(".message .file-name").length === 4`)
	for _, lang := range []string{"en", "zh"} {
		strange := ask[[]string](ann, `(() => {
	const tags = new Set("P BR PRE CODE BLOCKQUOTE UL OL LI STRONG EM DEL A SPAN DIV BUTTON SVG PATH IMG TIME H1 H2 MAIN HEADER ASIDE NAV FORM TEXTAREA INPUT LABEL SECTION ARTICLE FIGURE".split(" "));
	const inText = new Set("P BR PRE CODE BLOCKQUOTE UL OL LI STRONG EM DEL A SPAN".split(" "));
	const attrs = new Set("class value href rel target title tabindex".split(" "));
	const out = [];
	for (const e of document.querySelectorAll("#app *")) {
		if (!tags.has(e.tagName.toUpperCase())) out.push("element " + e.outerHTML.slice(0, 200));
		for (const a of e.attributes) if (/^on|^srcdoc$|^formaction$/i.test(a.name)) out.push("attribute " + e.outerHTML.slice(0, 200));
		if (e.src && new URL(e.src).origin !== location.origin) out.push("loads " + e.src);
	}
	for (const e of document.querySelectorAll(".message .text *")) {
		if (e.closest(".code-copy") || e.matches(".code-box")) continue;
		if (!inText.has(e.tagName)) out.push("element in a text " + e.outerHTML.slice(0, 200));
		for (const a of e.attributes) if (!attrs.has(a.name)) out.push("attribute in a text " + a.name + " " + e.outerHTML.slice(0, 200));
		if (e.tagName === "A" && (!/^(https?|mailto):$/.test(e.protocol) || (e.origin !== location.origin && !(e.target === "_blank" && e.rel.includes("noopener"))))) out.push("link " + e.outerHTML.slice(0, 200));
	}
	for (const e of document.querySelectorAll(".text")) if (getComputedStyle(e).unicodeBidi !== "isolate") out.push("a direction that leaks out of " + e.outerHTML.slice(0, 200));
	for (const e of document.querySelectorAll(".file-name")) if (/[\u202a-\u202e\u2066-\u2069]/.test(e.textContent)) out.push("a name that reads backwards " + JSON.stringify(e.textContent));
	for (const r of performance.getEntriesByType("resource")) if (new URL(r.name).origin !== location.origin) out.push("asked " + r.name);
	if (document.title.includes("owned")) out.push("the title is " + document.title);
	return out.concat(window.forbidden ?? []);
})()`)
		for _, s := range strange {
			t.Errorf("%s: %s", lang, s)
		}
		ann.shot("injection-" + lang)
		ann.run(`localStorage.setItem("posthouse.lang", "zh")`)
		ann.reload()
		ann.until("the last file", `document.querySelectorAll(".message .file-name").length === 4`)
	}
	if ask[bool](ann, `[...document.querySelectorAll(".message .text a")].some((a) => /^https?:/.test(a.textContent) && new URL(a.textContent).origin !== a.origin)`) {
		t.Error("a link has another address as its text")
	}
	if !ask[bool](ann, `[...document.querySelectorAll(".message .text a")].some((a) => a.textContent === "x" && a.title.startsWith("https://xn--"))`) {
		t.Error("a link does not say which strange letters its address has")
	}
}
