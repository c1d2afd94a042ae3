package e2e

import (
	"fmt"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// finder is a JavaScript expression: the visible elements that match a CSS
// selector and are called or contain the text. One that is called exactly so
// comes first.
func finder(css, text string) string {
	return fmt.Sprintf(`(() => {
	const want = %s;
	const names = (e) => [e.getAttribute("aria-label"), e.innerText, e.value, e.title].filter((x) => typeof x === "string").map((x) => x.trim());
	const found = [...document.querySelectorAll(%s)].filter((e) => e.getClientRects().length > 0 && names(e).some((x) => x.includes(want)));
	return found.sort((a, b) => names(b).includes(want) - names(a).includes(want));
})()`, quoted(text), quoted(css))
}

// finds waits for an element.
func (p *tab) finds(css, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s %q", css, text), finder(css, text)+`.length > 0`)
}

// misses waits until there is no such element.
func (p *tab) misses(css, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("no %s %q", css, text), finder(css, text)+`.length === 0`)
}

// click presses the mouse on an element, once it is there, nothing is before
// it, and the page is loaded: its script would not hear of it.
func (p *tab) click(css, text string) {
	p.t.Helper()
	type spot struct{ X, Y float64 }
	var at *spot
	await(p.t, func() string { return fmt.Sprintf("%s to reach %s %q", p.who, css, text) }, func() bool {
		var err error
		before := at
		at, err = evaluate[*spot](p, `(() => {
	const e = `+finder(css, text)+`[0];
	if (!e || e.disabled || document.readyState !== "complete") return null;
	e.scrollIntoView({ block: "nearest", inline: "nearest" });
	const box = e.getBoundingClientRect();
	const x = box.left + box.width / 2, y = box.top + box.height / 2;
	const top = document.elementFromPoint(x, y);
	return top && (e.contains(top) || top.contains(e) && e.tagName === "INPUT") ? { X: x, Y: y } : null;
})()`)
		return err == nil && at != nil && before != nil && *at == *before // nobody hits what still moves
	})
	for _, kind := range []input.DispatchMouseEventType{chromedp.MousePressed, chromedp.MouseReleased} {
		command(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: "left", ClickCount: 1})
	}
}

// submits presses a button whose form brings a whole new page, and waits for
// that: the old one may show by its stream that it was done.
func (p *tab) submits(css, text string) {
	p.t.Helper()
	p.run(`window.stale = true`)
	p.click(css, text)
	p.until("the page after "+text, `!window.stale && document.readyState === "complete"`)
}

// types puts text where the caret is, as an input method does.
func (p *tab) types(text string) {
	p.t.Helper()
	command(p, input.InsertText, input.InsertTextParams{Text: text})
}

// fill replaces what is in an input, once the page is loaded: its script moves
// the focus to a field that is wrong.
func (p *tab) fill(css, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s %q", css, ""), `document.readyState === "complete" && `+finder(css, "")+`.length > 0`)
	p.run(`document.querySelector(` + quoted(css) + `).select()`)
	p.types(text)
}

// enter presses the Enter key.
func (p *tab) enter() {
	p.t.Helper()
	p.key("Enter", "Enter", 13, "\r")
}

func (p *tab) key(key, code string, number int64, text string) {
	p.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: code, WindowsVirtualKeyCode: number, Text: text}
	if text == "" {
		down.Type = input.DispatchKeyEventTypeRawKeyDown
	}
	command(p, input.DispatchKeyEvent, down)
	command(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: number})
}

// attaches chooses files in the file input, as the file dialog does.
func (p *tab) attaches(paths ...string) {
	p.t.Helper()
	p.choosesFile(".composer input[type=file]", paths...)
}

// choosesFile chooses files in a file input.
func (p *tab) choosesFile(css string, paths ...string) {
	p.t.Helper()
	r := command(p, runtime.Evaluate, runtime.EvaluateParams{Expression: `document.querySelector(` + quoted(css) + `)`})
	if r.Result == nil || r.Result.ObjectID == "" {
		p.t.Fatalf("%s: there is no file input", p.who)
	}
	command(p, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, ObjectID: r.Result.ObjectID})
}

// ---- the chat

// entersOffice fills in the form of the first owner or of an invitation, and
// ends in the chat; the first owner leaves the wizard of the console for it.
func (p *tab) entersOffice(organisation, login, name string) {
	p.t.Helper()
	p.signsUp(organisation, login, name)
	if organisation != "" {
		p.until("the set-up", `location.pathname === "/admin/setup" && document.querySelector("[aria-current=step]")`)
		p.click(".nav-foot a", "To the chat")
	}
	p.online()
}

// signsUp fills in the form of the first owner, or of an invitation when
// organisation is empty.
func (p *tab) signsUp(organisation, login, name string) {
	p.t.Helper()
	if organisation != "" {
		p.fill("input[name=organisation]", organisation)
	}
	p.fill("input[name=name]", name)
	p.fill("input[name=login]", login)
	p.fill("input[name=password]", password)
	p.fill("input[name=repeat]", password)
	p.click("button[type=submit]", "")
}

// logsIn opens the chat and logs in by its form.
func (p *tab) logsIn(login string) {
	p.t.Helper()
	p.expects(notLoggedIn)
	p.open("/")
	p.fillsLogin(login)
	p.online()
}

func (p *tab) fillsLogin(login string) {
	p.t.Helper()
	p.fill("input[name=login]", login)
	p.fill("input[name=password]", password)
	p.click("button[type=submit]", "")
}

// online waits for the light of the connection.
func (p *tab) online() {
	p.t.Helper()
	p.until("the light say connected", `document.querySelector(".light.online")`)
}

// broken waits for the light to say that there is no connection.
func (p *tab) broken() {
	p.t.Helper()
	p.until("the light say that it is not connected", `document.querySelector(".light.waiting, .light.offline, .light.connecting")`)
}

// enters opens a room from the list.
func (p *tab) enters(room string) {
	p.t.Helper()
	p.click("a.room-link", room)
	p.until("the room "+room, `document.querySelector("main.room .title").innerText.includes(`+quoted(room)+`) && document.querySelector(".entries")?.children.length >= 0`)
}

// home leaves the room for the list.
func (p *tab) home() {
	p.t.Helper()
	p.run(`location.hash = "#/"`)
	p.until("no room", `!document.querySelector(".composer")`)
}

// writes puts text into the composer.
func (p *tab) writes(text string) {
	p.t.Helper()
	p.click(".composer textarea", "")
	p.types(text)
}

// says writes and sends with Enter.
func (p *tab) says(text string) {
	p.t.Helper()
	p.writes(text)
	p.enter()
	p.until("an empty composer", `document.querySelector(".composer textarea").value === ""`)
}

// sees waits for a message that has this text and has arrived.
func (p *tab) sees(text string) {
	p.t.Helper()
	p.until("the message "+text, arrived(text)+`.length === 1`)
}

// arrived is a JavaScript expression: messages from the server with a text.
func arrived(text string) string {
	return `[...document.querySelectorAll(".message[data-seq] .text")].filter((e) => e.innerText.trim() === ` + quoted(text) + `)`
}

// unread waits for the number beside a room; 0 is none.
func (p *tab) unread(room string, n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("%d unread in %s", n, room), `(() => {
	const row = `+finder("a.room-link", room)+`[0];
	const badge = row.querySelector(".badge:not(.mention) [aria-hidden]");
	return Number(badge?.textContent ?? 0) === `+fmt.Sprint(n)+`;
})()`)
}

// composed is what stands in the composer.
func (p *tab) composed() string {
	p.t.Helper()
	return ask[string](p, `document.querySelector(".composer textarea").value`)
}
