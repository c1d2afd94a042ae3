package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/input"
)

// Enter that belongs to an input method does not send: neither while one
// composes, nor the one that ends a composition, in the order of events of
// Chromium and of Safari.
func TestInputMethod(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	room := o.owner.direct(bo.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.click(".composer textarea", "")

	// Chromium: keys come with the code 229 while one composes.
	ann.run(`window.heard = []; for (const kind of ["compositionstart", "compositionend", "keydown"]) document.querySelector(".composer textarea").addEventListener(kind, (e) => heard.push(kind + (e.isComposing ? " composing" : "") + (e.keyCode ? " " + e.keyCode : "")))`)
	compose := func(text string) {
		n := int64(len([]rune(text)))
		command(ann, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: n, SelectionEnd: n})
	}
	compose("ni")
	compose("ni hao")
	command(ann, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
	ann.until("the key of the input method", `heard.includes("compositionstart") && heard.includes("keydown composing 229")`)
	ann.types("你好")
	ann.until("the end of the composition", `heard.at(-1) === "compositionend"`)
	if got := ann.composed(); got != "你好" {
		t.Errorf("after the composition the composer holds %q", got)
	}

	// Safari: the composition ends first, the Enter that ended it comes after
	// and does not say so.
	for _, code := range []string{"229", "13"} {
		ann.run(`(() => {
	const area = document.querySelector(".composer textarea");
	const enter = (composing) => area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: composing ? 229 : ` + code + `, isComposing: composing, bubbles: true, cancelable: true }));
	area.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
	enter(true);
	area.dispatchEvent(new CompositionEvent("compositionend", { data: "你好", bubbles: true }));
	enter(false);
})()`)
		if got := ann.composed(); got != "你好" {
			t.Errorf("an Enter of Safari with the code %s left %q in the composer", code, got)
		}
	}

	// A line break, and the Enter that is meant.
	ann.run(`window.ended = performance.now()`)
	ann.until("the composition be over for good", `performance.now() - window.ended > 300`)
	command(ann, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r", Modifiers: 8})
	ann.types("再见")
	if got := ann.composed(); got != "你好\n再见" {
		t.Errorf("after Shift+Enter the composer holds %q", got)
	}
	ann.enter()
	ann.sees("你好\n再见")
	o.owner.finds(room.ID, "你好\n再见")
}

// A file that is refused says why; the rest of the page goes on.
func TestTooLargeFile(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "limits.upload_bytes=64KiB")
	bo := o.account("bo", "Bo Lin")
	o.owner.direct(bo.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.expects(`status of 413 .*/api/uploads`)
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.attaches(bigFile(t, 200<<10))
	ann.finds(".tray .bad .state", "Upload failed")
	ann.click(".tray button", "Remove")
	ann.misses(".tray li", "")
	ann.says("then without it")
	ann.sees("then without it")
}
