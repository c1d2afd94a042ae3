package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	devtools "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"posthouse/appliance/client"
)

// hearing is a Chromium with a microphone that beeps and is never asked about.
func hearing(t *testing.T) *browser {
	t.Helper()
	b := newBrowser(filepath.Join(t.TempDir(), "chromium"))
	b.flags["use-fake-device-for-media-stream"] = ""
	b.flags["use-fake-ui-for-media-stream"] = ""
	t.Cleanup(b.close)
	return b
}

// A voice note is recorded, listened to, sent, and played by the other side;
// nothing is sent by somebody who thinks again.
func TestVoiceNote(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	chromium := hearing(t)
	ann, other := chromium.tab(t, "ann", o.url()), chromium.tab(t, "bo", o.url())
	ann.logsIn("ann")
	other.logsIn("bo")
	ann.enters("Bo Lin")
	other.enters("安娜")

	ann.click(".composer .mic", "Record a voice note")
	ann.finds(".voice-panel .voice-stop", "Stop")
	ann.click(".voice-panel button", "Discard the recording")
	ann.finds(".composer textarea", "")

	ann.click(".composer .mic", "Record a voice note")
	ann.until("seconds of sound", `document.querySelector(".voice-panel .voice-time")?.textContent >= "0:04"`)
	ann.until("a level", `[...document.querySelectorAll(".voice-meter i")].some((b) => Number(/[\d.]+/.exec(b.style.transform)) > 0.1)`)
	ann.shot("recording")
	ann.click(".voice-panel button", "Stop")
	ann.finds(".voice-panel .voice-send", "Send")
	ann.click(".voice-panel button", "Play")
	ann.until("it play", `document.querySelector(".voice-panel .voice-play")?.getAttribute("aria-label") === "Pause"`)
	ann.shot("listening")
	ann.click(".voice-panel button", "Send")
	ann.finds(".message.mine .voice-player", "Voice note")

	other.click(".message .voice-player button", "Speed 1")
	other.click(".message .voice-player button", "Play")
	other.until("the sound go on", `Number(document.querySelector(".message .voice-player input").value) > 500`)
	other.shot("playing")
	other.until("the end", `document.querySelector(".message .voice-play").getAttribute("aria-label") === "Play"`)
	all := bo.all(room.ID)
	f := all[len(all)-1].Files[0]
	if !f.Voice || f.Duration < 1500 || f.Duration > 60_000 || f.Type != "audio/webm" {
		t.Errorf("the voice note is %+v", f)
	}
}

// The reasons why nothing can be recorded are said.
func TestVoiceNoteRefused(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	o.owner.direct(bo.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	for name, says := range map[string]string{"NotAllowedError": "is not allowed for this page", "NotFoundError": "No microphone was found", "NotReadableError": "Another program may be using it"} {
		ann.run(`navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", ` + quoted(name) + `))`)
		ann.click(".composer .mic", "Record a voice note")
		ann.finds(".toast", says)
		ann.finds(".composer textarea", "")
	}
	ann.run(`Object.defineProperty(window, "isSecureContext", { value: false }); 0`)
	ann.click(".composer .mic", "Record a voice note")
	ann.finds(".composer .note", "Open this server by its https:// address")
	ann.click(".composer .note button", "Close")
	ann.misses(".composer .note", "")
}

// Files come by drop and paste, several at once; one is taken back while it
// uploads; pictures are looked at large.
func TestDropAndPaste(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	chromium := hearing(t)
	ann := chromium.tab(t, "ann", o.url())
	if raced() { // the race detector wants more memory than the maker of thumbnails may have
		ann.expects(`status of 422 .*/thumbnail/`)
	}
	ann.logsIn("ann")
	ann.enters("Bo Lin")

	notes := filepath.Join(t.TempDir(), "notes.txt")
	must(t, os.WriteFile(notes, []byte("plain words"), 0o600))
	ann.drops(picture(t), notes)
	ann.until("both uploaded", `[...document.querySelectorAll(".tray .state")].filter((e) => e.textContent === "uploaded").length === 2`)
	ann.until("a picture in the tray", `document.querySelector(".tray img.tray-picture")?.naturalWidth > 0`)
	ann.shot("tray")

	_, err := chromedp.CallBrowser(ann.ctx, devtools.SetPermission, devtools.SetPermissionParams{Origin: o.url(), Setting: "granted",
		BrowserContextID: chromedp.FromContext(ann.ctx).BrowserContextID, Permission: &devtools.PermissionDescriptor{Name: "clipboard-write"}})
	must(t, err)
	ann.run(`(async () => {
	const c = new OffscreenCanvas(40, 30);
	c.getContext("2d").fillRect(0, 0, 20, 20);
	await navigator.clipboard.write([new ClipboardItem({ "image/png": await c.convertToBlob({ type: "image/png" }) })]);
})()`)
	ann.click(".composer textarea", "")
	ann.pastes()
	ann.until("the pasted picture", `[...document.querySelectorAll(".tray .file-name")].some((e) => /^Picture \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/.test(e.textContent))`)
	ann.until("all uploaded", `[...document.querySelectorAll(".tray .state")].filter((e) => e.textContent === "uploaded").length === 3`)
	ann.says("three files")
	ann.sees("three files")
	all := bo.all(room.ID)
	if n := len(all[len(all)-1].Files); n != 3 {
		t.Errorf("%d files arrived", n)
	}
	ann.misses(".tray li", "")

	// A large one is taken back half way.
	ann.drops(bigFile(t, 64<<20))
	ann.click(".tray button", "big.bin")
	ann.misses(".tray li", "")
	ann.says("nothing attached")
	ann.sees("nothing attached")

	ann.until("two pictures", `document.querySelectorAll(".message .picture").length === 2 || `+quoted("raced")+` === "`+map[bool]string{true: "raced"}[raced()]+`"`)
	if raced() {
		return // no thumbnails then
	}
	ann.click(".message .picture", "")
	ann.until("the picture", `document.querySelector("dialog.viewer img")?.naturalWidth > 0`)
	ann.shot("viewer")
	first := ask[string](ann, `document.querySelector("dialog.viewer h2").textContent`)
	ann.key("ArrowRight", "ArrowRight", 39, "")
	ann.until("the next picture", `document.querySelector("dialog.viewer h2").textContent !== `+quoted(first)+` && document.querySelector("dialog.viewer img").naturalWidth > 0`)
	ann.key("ArrowLeft", "ArrowLeft", 37, "")
	ann.until("the first again", `document.querySelector("dialog.viewer h2").textContent === `+quoted(first))
	ann.key("+", "Equal", 187, "")
	ann.until("it large", `document.querySelector("dialog.viewer img").style.transform.includes("scale(1.5)")`)
	ann.key("Escape", "Escape", 27, "")
	ann.until("the room again", `!document.querySelector("dialog")`)
}

// A text over the limit goes as a file when the person agrees.
func TestLongText(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "limits.message_bytes=4KiB")
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.run(`document.querySelector(".composer textarea").value = "很长的文本\n".repeat(400)`)
	ann.writes("end")
	ann.enter()
	ann.finds("dialog h2", "Send this text as a file?")
	ann.shot("long")
	ann.click("dialog button", "Make it a file")
	ann.finds(".tray .file-name", "Long text.txt")
	ann.finds(".tray .state", "uploaded")
	ann.click(".composer button.send", "Send")
	ann.finds(".message[data-seq] .file-name", "Long text.txt")
	all := bo.all(room.ID)
	if got := string(bo.downloads(all[len(all)-1].Files[0])); len(got) < 6000 || !strings.Contains(got, "end") {
		t.Errorf("the file has %d bytes", len(got))
	}
}

// drops drags files over the room and lets go.
func (p *tab) drops(paths ...string) {
	p.t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		command(p, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 700, Y: 400, Data: data})
	}
}

// pastes presses Ctrl+V.
func (p *tab) pastes() {
	p.t.Helper()
	down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: ctrl, Commands: []string{"paste"}}
	command(p, input.DispatchKeyEvent, down)
	command(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: ctrl})
}
