package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/input"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// Marks by keys and buttons, lists that go on, code, and the preview.
func TestFormatting(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")

	ann.writes("important")
	ann.run(`document.querySelector(".composer textarea").select()`)
	ann.chord("b", "KeyB", 66, ctrl)
	if got := ann.composed(); got != "**important**" {
		t.Errorf("Ctrl+B made %q", got)
	}
	ann.chord("z", "KeyZ", 90, ctrl)
	if got := ann.composed(); got != "important" {
		t.Errorf("undo left %q", got)
	}
	ann.click(".format-bar button", "Italic")
	if got := ann.composed(); got != "_important_" {
		t.Errorf("the button made %q", got)
	}
	ann.enter()
	ann.until("the mark", `document.querySelector(".message[data-seq] .text em")?.textContent === "important"`)

	ann.writes("- milk")
	ann.breaks()
	ann.types("tea")
	ann.click(".format-bar button", "Preview")
	ann.until("the preview", `document.querySelectorAll(".preview .text ul li").length === 2`)
	ann.shot("preview")
	ann.enter()
	ann.until("the list", `[...document.querySelectorAll(".message[data-seq] .text ul li")].map((e) => e.textContent).join() === "milk,tea"`)
	ann.until("no preview", `document.querySelector(".preview").hidden`)

	// Within a block of code Enter breaks the line; after it, it sends.
	ann.writes("```go")
	ann.enter()
	ann.types("\tif true {")
	ann.enter()
	ann.types("```")
	ann.enter() // the closing line loses its indentation
	ann.enter()
	ann.until("code", `document.querySelector(".message[data-seq] .text pre code.language-go")?.textContent.includes("\tif true {")`)
	bo.finds(room.ID, "_important_", "- milk\n- tea", "```go\n\tif true {\n```")
}

// The picker finds emoji in English and Chinese, completion by name, reactions
// beyond the quick ones; the other side sees them.
func TestEmoji(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.account("bo", "Bo Lin")
	ann, bo := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	for who, p := range map[string]*tab{"ann": ann, "bo": bo} {
		p.logsIn(who)
	}
	ann.click("button", "New conversation")
	ann.click("dialog button.person", "Bo Lin")
	ann.until("the room", `document.querySelector("main.room .title")?.innerText.includes("Bo Lin")`)
	bo.enters("安娜")

	ann.click(".composer button.smile", "Emoji")
	ann.finds(".emoji-grid button", "grinning face")
	ann.shot("picker")
	ann.types("火箭")
	ann.until("the rocket alone", `document.querySelectorAll(".emoji-grid button").length === 1`)
	ann.enter()
	if got := ann.composed(); got != "🚀" {
		t.Errorf("the picker gave %q", got)
	}
	ann.types(" :thum")
	ann.finds(".suggest li", ":thumbsup:")
	ann.shot("completion")
	ann.enter()
	ann.types(":tada:")
	ann.until("the name replaced", `document.querySelector(".composer textarea").value === "🚀 👍 🎉"`)
	ann.enter()
	bo.sees("🚀 👍 🎉")
	ann.says("10:30 http://a.lan:8080/x :")
	bo.sees("10:30 http://a.lan:8080/x :")

	// By the keyboard alone, in another tone.
	ann.click(".composer button.smile", "Emoji")
	ann.click("button.emoji-tone", "none")
	ann.click(".emoji-tabs button", "People")
	ann.key("ArrowDown", "ArrowDown", 40, "")
	ann.key("ArrowRight", "ArrowRight", 39, "")
	ann.enter()
	ann.until("a hand", `document.querySelector(".composer textarea").value === "🤚🏻"`)
	ann.enter()
	bo.sees("🤚🏻")

	bo.click(".message:not(.mine) .actions", "")
	bo.click("[role=menuitem]", "More emoji")
	bo.finds(".emoji-grid button", "grinning face")
	bo.types("salut")
	bo.finds(".emoji-grid button", "saluting face")
	bo.enter()
	ann.until("the reaction", `document.querySelector(".reactions button span")?.textContent === "🫡"`)
	ann.click(".reactions button", "🫡")
	bo.until("both", `document.querySelector(".reactions button")?.textContent.trim().endsWith("2")`)
}

const ctrl, shift = 2, 8 // modifiers of the protocol

// chord presses a key with others held.
func (p *tab) chord(key, code string, number, modifiers int64) {
	p.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: modifiers}
	if key == "z" {
		down.Commands = []string{"undo"}
	}
	if key == "Enter" {
		down.Type, down.Text = input.DispatchKeyEventTypeKeyDown, "\r"
	}
	command(p, input.DispatchKeyEvent, down)
	command(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: modifiers})
}

// breaks presses Shift+Enter.
func (p *tab) breaks() {
	p.t.Helper()
	p.chord("Enter", "Enter", 13, shift)
}

// What begins with a slash is a command when the room has one of that name:
// one's own, or one of a webhook, whose answer only the person sees.
func TestSlashCommands(t *testing.T) {
	t.Parallel()
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"response_type":"ephemeral","text":"*sunny* today"}`)
	}))
	t.Cleanup(far.Close)
	o := openOffice(t, "hooks.allowed_networks=127.0.0.1")
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := o.group("Weather", bo.user.ID)
	must(t, o.owner.Call(background(t), "hook.create", wire.HookCreate{Kind: "command", Room: room.ID, Name: "Weather", Command: "weather", Hint: "city", URL: far.URL}, nil))
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Weather")
	ann.writes("/wea")
	ann.finds(".suggest li", "/weather city")
	ann.enter()
	if got := ann.composed(); got != "/weather " {
		t.Errorf("the list gave %q", got)
	}
	ann.types("Beijing")
	ann.enter()
	ann.finds(".composer .note", "sunny")
	ann.until("Markdown in the note", `document.querySelector(".note .text :is(strong, em)")?.textContent === "sunny"`)
	ann.shot("note")
	ann.click(".composer .note button", "Close")
	ann.says("/topic what the sky does")
	ann.finds("header .sub", "what the sky does")
	ann.says("/etc/hosts is a file")
	ann.sees("/etc/hosts is a file")
	ann.says("/nothing of that name")
	ann.sees("/nothing of that name")
	ann.says("/help")
	ann.finds(".composer .note", "/weather city")
	if n := bo.count(room.ID, "/weather Beijing"); n != 0 {
		t.Error("a command was sent as a message")
	}
}

// composeViews are the views of writing, of files and of searching.
func composeViews() []view {
	return []view{
		{"emoji", func(w *walker) {
			w.room("empty")
			w.click(".composer .smile", "")
			w.finds(".emoji-grid button", "")
		}},
		{"emoji by name", func(w *walker) {
			w.room("empty")
			w.click(".composer .smile", "")
			w.finds(".emoji-grid button", "")
			w.types("笑")
			w.until("fewer", `document.querySelectorAll(".emoji-grid button").length < 100`)
		}},
		{"emoji completion", func(w *walker) { w.room("empty"); w.writes(":smi"); w.finds(".suggest li", ":smile:") }},
		{"preview", func(w *walker) {
			w.room("empty")
			if !ask[bool](w.tab, `document.querySelector(".format-bar").getClientRects().length > 0`) {
				w.presses("format.toggle")
			}
			w.writes("**bold** `code` [link](https://example.org)\n\n- list")
			w.presses("format.preview")
			w.finds(".preview strong", "bold")
		}},
		{"commands", func(w *walker) { w.room("empty"); w.writes("/"); w.finds(".suggest li", "/topic") }},
		{"a note to oneself alone", func(w *walker) { w.room("empty"); w.says("/invite @nobody"); w.finds(".note", "nobody") }},
		{"a file that failed", func(w *walker) {
			w.room("empty")
			w.run(`window.open_ = XMLHttpRequest.prototype.open; XMLHttpRequest.prototype.open = function (m, u) { return window.open_.call(this, m, u === "/api/uploads" ? "/api/nothing.there" : u) }`)
			w.expects(`status of 4\d\d .*/api/nothing.there`)
			w.attaches(w.file)
			w.finds(".tray .bad", "")
			w.run(`XMLHttpRequest.prototype.open = window.open_`)
		}},
		{"recording", func(w *walker) {
			w.room("empty")
			w.run(`navigator.mediaDevices.getUserMedia = async () => { const c = new AudioContext(), o = c.createOscillator(), d = c.createMediaStreamDestination(); o.connect(d); o.start(); return d.stream }`)
			w.click(".composer .mic", "")
			w.until("sound", `document.querySelector(".voice-panel .voice-time")?.textContent !== "0:00"`)
		}},
		{"recorded", func(w *walker) {
			w.room("empty")
			w.click(".composer .mic", "")
			w.until("sound", `document.querySelector(".voice-panel .voice-time")?.textContent !== "0:00"`)
			w.presses("voice.stop")
			w.finds(".voice-panel .voice-send", "")
		}},
		{"no microphone", func(w *walker) {
			w.room("empty")
			w.run(`Object.defineProperty(window, "isSecureContext", { value: false, configurable: true }); 0`)
			w.click(".composer .mic", "")
			w.finds(".note", w.word("voice.insecure"))
		}},
		{"picture", func(w *walker) {
			w.room("everything")
			w.click(".message .picture", "")
			w.until("the picture", `document.querySelector("dialog.viewer img")?.naturalWidth > 0`)
		}},
		{"search in a room", func(w *walker) {
			w.room("everything")
			w.modified("f", "KeyF", 70)
			w.until("the field", `document.activeElement?.matches(".side-pane .search input")`)
			w.types("wo")
			w.finds(".search .hit", "worth passing on")
		}},
		{"search everywhere", func(w *walker) {
			w.run(`location.hash = "#/search/" + encodeURIComponent("你好")`)
			w.finds(".search .hit", "你好")
			w.presses("search.filters")
			w.click(".chooser input", "")
			w.finds(".chooser-list li", "everything")
		}},
		{"search that finds nothing", func(w *walker) {
			w.run(`location.hash = "#/search/nothing-holds-this"`)
			w.finds(".search .hint", "nothing-holds-this")
		}},
	}
}

// Who has the letters in the name comes first, then who has them in pinyin, and
// it is said of people who are not in the room.
func TestMentionByPinyinAndFromOutside(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	hana, meimei := o.account("hana", "Hana"), o.account("mm", "韩梅梅")
	o.account("hank", "Hank")
	o.group("Shop", hana.ID, meimei.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Shop")
	ann.writes("@han")
	ann.until("both members and the one outside", `(() => {
	const all = [...document.querySelectorAll(".suggest li")].map((e) => e.innerText.trim());
	return all[0] === "Hana @hana" && all.includes("韩梅梅 @mm") && all.includes("Hank @hank · not in this room");
})()`)
}
