package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// numbers are the Windows key codes of the keys that tests press by name.
var numbers = map[string]int64{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40, "PageUp": 33, "PageDown": 34, "Home": 36, "End": 35,
	"Backspace": 8, "ContextMenu": 93, "?": 191}

// press presses a key with others held, as in "Ctrl+K" or "Alt+Shift+ArrowUp".
func (p *tab) press(keys string) {
	p.t.Helper()
	parts := strings.Split(keys, "+")
	key := parts[len(parts)-1]
	var held int64
	for _, m := range parts[:len(parts)-1] {
		held |= map[string]int64{"Alt": 1, "Ctrl": 2, "Shift": 8}[m]
	}
	code, number, text := key, numbers[key], ""
	if number == 0 {
		code, number = "Key"+strings.ToUpper(key), int64(strings.ToUpper(key)[0])
		key = strings.ToLower(key)
		if held&^8 == 0 {
			text = key
		}
	}
	if key == "Enter" {
		text = "\r"
	}
	kind := input.DispatchKeyEventTypeRawKeyDown
	if text != "" {
		kind = input.DispatchKeyEventTypeKeyDown
	}
	command(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: held, Text: text})
	command(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: held})
}

// tabsTo presses Tab until the focus is on an element with this text.
func (p *tab) tabsTo(css, text string) {
	p.t.Helper()
	p.until("all of the page", `document.readyState === "complete"`)
	on := `(() => { const e = document.activeElement; return ` + finder(css, text) + `.includes(e) })()`
	for range 200 {
		if ask[bool](p, on) {
			return
		}
		p.press("Tab")
	}
	p.t.Fatalf("%s: 200 presses of Tab do not reach %s %q", p.who, css, text)
}

// picks presses Enter in the palette until something holds. A press that never
// reached the page, as on a very busy machine, is made once more; one that the
// page got and passed over fails the test.
func (p *tab) picks(js string) {
	p.t.Helper()
	p.run(`window.pressed = ""; document.addEventListener("keydown", (e) => { window.pressed += [e.key, e.keyCode, e.isComposing, document.activeElement?.className].join(" ") + "; " }, true)`)
	p.press("Enter")
	again := time.Now().Add(10 * time.Second)
	await(p.t, func() string {
		return p.who + " to get what was picked; the page heard: " + ask[string](p, `window.pressed`)
	}, func() bool {
		there, err := evaluate[bool](p, js)
		if !there && err == nil && time.Now().After(again) && ask[string](p, `window.pressed`) == "" {
			p.press("Enter")
		}
		return err == nil && there
	})
}

// focused waits until the focus is on an element.
func (p *tab) focused(css string) {
	p.t.Helper()
	p.until("the focus on "+css, `document.activeElement?.matches(`+quoted(css)+`)`)
}

// A whole talk without a mouse: log in, find a room, write, answer, react, edit,
// look at the members, log out.
func TestTalkByKeyboardAlone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	shop := o.group("冲压班组 Shop", bo.user.ID)
	o.group("Canteen", bo.user.ID)
	bo.says(shop.ID, "first")
	bo.says(shop.ID, "second")

	ann := shared.tab(t, "ann", o.url())
	ann.expects(notLoggedIn)
	ann.open("/")
	ann.focused("input[name=login]")
	ann.types("ann")
	ann.press("Tab")
	ann.types(password)
	ann.press("Enter")
	ann.online()

	ann.press("Ctrl+K")
	ann.focused(".palette-input")
	ann.types("班组")
	ann.until("the room", `document.querySelector('[role=option][aria-selected="true"]')?.textContent.includes("冲压班组 Shop")`)
	ann.press("Enter")
	ann.sees("second")
	ann.focused(".composer textarea")
	ann.types("hello everybody")
	ann.press("Enter")
	ann.sees("hello everybody")

	ann.press("ArrowUp") // nothing is written: my last message
	ann.until("the text to edit", `document.querySelector(".composer.editing textarea")?.value === "hello everybody"`)
	ann.types(", again")
	ann.press("Enter")
	ann.sees("hello everybody, again")

	ann.press("PageUp")
	ann.focused("li.message.mine")
	ann.press("ArrowUp")
	ann.press("r") // the message above it
	ann.finds(".composer .context", "second")
	ann.focused(".composer textarea")
	ann.types("yes")
	ann.press("Enter")
	ann.until("the answer", `[...document.querySelectorAll(".message .quote")].some((e) => e.textContent.includes("second"))`)

	ann.press("PageUp")
	for range 3 {
		ann.press("ArrowUp")
	}
	ann.until("the focus on the first message", `document.activeElement.querySelector(".text")?.innerText.trim() === "first"`)
	ann.press("Enter")
	ann.focused("[role=menuitem]")
	ann.press("Enter") // the first thing in the menu is a thumb
	ann.until("my reaction", `document.querySelector(".reactions button.on")`)
	ann.press("Escape")
	ann.focused(".composer textarea")

	ann.press("Alt+ArrowDown")
	ann.until("the next room", `document.querySelector("main.room .title h1").innerText === "Canteen"`)
	ann.press("Alt+ArrowUp")
	ann.until("the room before", `document.querySelector("main.room .title h1").innerText.includes("Shop")`)

	ann.press("Ctrl+K")
	ann.types("pinned")
	ann.press("Escape")
	ann.misses("dialog", "")
	ann.tabsTo("button", "Room details")
	ann.press("Enter")
	ann.finds(".discover, .member", "Bo Lin")
	ann.press("Escape")
	ann.misses(".discover, .member", "Bo Lin")

	ann.press("?")
	ann.finds("dialog h2", "Keys")
	ann.press("Escape")
	ann.misses("dialog", "")
	ann.tabsTo("nav button", "Menu")
	ann.press("Enter")
	ann.focused("[role=menuitem]")
	ann.press("ArrowUp")
	ann.press("Enter")
	ann.finds("dialog h2", "Log out?")
	ann.tabsTo("dialog button.danger", "Log out")
	ann.press("Enter")
	ann.finds("form button", "Log in")
	bo.finds(shop.ID, "first", "second", "hello everybody, again", "yes")
}

// The palette finds people, rooms and commands while one types, and leaves what
// belongs to the input method alone.
func TestPalette(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	li := o.hire("lilei", "李雷", client.Options{})
	o.account("hanmei", "韩梅梅")
	o.group("生产调度", li.user.ID)
	o.group("Canteen", li.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.press("Ctrl+K")
	ann.focused(".palette-input")
	ann.until("what is recent first", `document.querySelector(".palette-group").textContent === "Recent" && document.querySelectorAll("[role=option]").length > 3`)
	ann.finds("[role=option]", "Show the keys")
	ann.press("Escape")
	ann.misses("dialog", "")

	// A person of whom the page knows nothing yet.
	ann.press("Ctrl+K")
	ann.types("韩梅")
	ann.until("the person", `document.querySelector('[role=option][aria-selected="true"]')?.textContent.includes("韩梅梅")`)
	ann.until("the combobox to name it", `document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent.includes("韩梅梅")`)
	command(ann, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "m", SelectionStart: 1, SelectionEnd: 1})
	command(ann, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
	if n := ask[int](ann, `document.querySelectorAll("dialog[open]").length`); n != 1 {
		t.Errorf("Enter in a composition picks: %d dialogs are open", n)
	}
	ann.click("dialog button", "Close")
	ann.misses("dialog", "")
	ann.press("Ctrl+K")
	ann.types("韩梅")
	ann.until("the person", `document.querySelector('[role=option][aria-selected="true"]')?.textContent.includes("韩梅梅")`)
	ann.press("Enter")
	ann.until("the direct room", `document.querySelector("main.room .title h1").innerText === "韩梅梅"`)

	// By initials, by pinyin, and a room one is not in.
	public, err := li.CreateRoom(background(t), wire.RoomCreate{Kind: wire.Channel, Name: "设备维修"})
	must(t, err)
	for query, want := range map[string]string{"hmm": "韩梅梅", "lilei": "李雷", "scdd": "生产调度", "shebei": "设备维修"} {
		ann.press("Ctrl+K")
		ann.types(query)
		ann.finds("[role=option]", want)
		ann.press("Escape")
		ann.misses("dialog", "")
	}
	ann.press("Ctrl+K")
	ann.types("sbwx")
	ann.until("the channel", `document.querySelector('[role=option][aria-selected="true"]')?.textContent.includes("设备维修")`)
	ann.picks(`location.hash === "#/room/` + public.ID.String() + `"`)
	ann.enters("韩梅梅")

	ann.press("Ctrl+K")
	ann.types("mute")
	ann.finds("[role=option]", "Mute or unmute this room")
	ann.shot("palette")
	ann.press("Enter")
	ann.until("the room is quiet", `document.querySelector("a.room-link.quiet")?.textContent.includes("韩梅梅")`)
}
