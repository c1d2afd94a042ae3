package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"

	"posthouse/appliance/client"
)

// Searching in one room and in all: any part of a text in Chinese or English,
// by the keyboard alone, with filters, and the way to the message.
func TestSearch(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	secret := o.hire("cy", "Cy", client.Options{})
	room := bo.direct(o.owner.user.ID)
	group := o.group("采购组 Purchasing", bo.user.ID)
	for i := range 80 {
		bo.says(room.ID, fmt.Sprintf("填充消息 filler %d", i))
	}
	deep := o.owner.says(room.ID, "明天下午三点在三号会议室讨论采购合同")
	for i := range 60 {
		bo.says(room.ID, fmt.Sprintf("later %d <b>bold</b>", i))
	}
	bo.says(group.ID, "采购合同已经发出 Purchase order 4711")
	bo.uploads(group.ID, "合同扫描件.txt", []byte("signed"))
	secret.says(secret.direct(bo.user.ID).ID, "采购合同 of others")

	ann := shared.tab(t, "ann", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	ann.run(`location.hash = "#/room/` + room.ID.String() + `"`)
	ann.finds(".composer textarea", "")
	ann.chord("f", "KeyF", 70, ctrl)
	ann.finds(".side-pane .search input", "")
	ann.finds(".search .hint", "Type two characters or more")
	ann.types("议室讨")
	ann.hits("明天下午三点在三号会议室讨论采购合同")
	ann.until("the words marked", `[...document.querySelectorAll(".search mark")].map((e) => e.textContent).join() === "议室讨"`)
	ann.shot("room")
	ann.key("ArrowDown", "ArrowDown", 40, "")
	ann.enter()
	ann.until("the message in its room", fmt.Sprintf(`document.querySelector('.message[data-seq="%d"]').classList.contains("flash")`, deep.Seq))
	ann.fill(".search input[type=search]", "没有的东西")
	ann.finds(".search .hint", "Nothing found for “没有的东西”")
	ann.fill(".search input[type=search]", "<b>bold")
	ann.until("a page of hits", `document.querySelectorAll(".search .hit").length === 30 && !document.querySelector(".search .hit b")`)
	ann.run(`document.querySelector(".search-results").scrollTop = 1e6`)
	ann.until("more by scrolling", `document.querySelectorAll(".search .hit").length >= 60`)

	ann.chord("F", "KeyF", 70, ctrl|shift)
	ann.until("the page", `location.hash === "#/search" && document.activeElement?.matches("main .search input")`)
	ann.types("采购合同")
	ann.hits("采购合同已经发出 Purchase order 4711", "明天下午三点在三号会议室讨论采购合同")
	ann.shot("everywhere")
	ann.click("button", "Filters")
	ann.click(".chooser input", "")
	ann.types("采购组")
	ann.finds(".chooser-list li", "采购组")
	ann.enter()
	ann.hits("采购合同已经发出 Purchase order 4711")
	ann.shot("filters")
	ann.click(".chooser-value button", "Remove")
	ann.fill(".search input[type=search]", "合同")
	ann.click(".search-files input", "")
	ann.until("the file", `[...document.querySelectorAll(".search .hit .file-name")].map((e) => e.textContent).join() === "合同扫描件.txt"`)
	ann.reload()
	ann.online()
	ann.until("the question again", `document.querySelector(".search input[type=search]")?.value === "合同"`)

	// What is recalled is gone; what is new is found.
	_, err := o.owner.Recall(background(t), deep.ID)
	must(t, err)
	bo.says(group.ID, "新的合同编号 4712")
	ann.fill(".search input[type=search]", "三号会议")
	ann.finds(".search .hint", "Nothing found for")
	ann.fill(".search input[type=search]", "4712")
	ann.hits("新的合同编号 4712")
	ann.click(".search .hit", "新的合同编号")
	ann.until("the room", `document.querySelector("main.room .title").innerText.includes("采购组") && document.querySelector(".message.flash")`)
	ann.writes("/search 合同")
	ann.enter()
	ann.until("the pane", `document.querySelector(".side-pane .search input[type=search]")?.value === "合同"`)
}

// hits waits until the search shows exactly these.
func (p *tab) hits(want ...string) {
	p.t.Helper()
	list := "[]"
	for _, w := range want {
		list += `.concat([` + quoted(w) + `])`
	}
	p.until(fmt.Sprintf("hits %q", want), `JSON.stringify([...document.querySelectorAll(".search .hit .snippet")].map((e) => e.textContent)) === JSON.stringify(`+list+`)`)
}

// An Enter of an input method does nothing in the fields that take letters: in
// the order of events of Chromium and of Safari.
func TestInputMethodInFields(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	room := o.owner.direct(bo.ID)
	o.owner.says(room.ID, "微笑着说")
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	compose := func(text string) {
		n := int64(len([]rune(text)))
		command(ann, input.ImeSetComposition, input.ImeSetCompositionParams{Text: text, SelectionStart: n, SelectionEnd: n})
	}
	methods := func(field string) {
		t.Helper()
		ann.until("the field", `document.activeElement?.matches(`+quoted(field)+`)`)
		compose("wei")
		command(ann, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
		ann.types("微笑")
		ann.run(`(() => {
	const field = document.activeElement;
	const enter = (composing) => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: composing ? 229 : 13, isComposing: composing, bubbles: true, cancelable: true }));
	field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
	enter(true);
	field.dispatchEvent(new CompositionEvent("compositionend", { data: "微笑", bubbles: true }));
	enter(false);
})()`)
	}

	ann.click(".composer button.smile", "Emoji")
	ann.finds(".emoji-grid button", "grinning face")
	methods(".emoji-picker input")
	ann.until("what was found, and nothing picked", `document.querySelectorAll(".emoji-grid button").length > 0 && document.querySelector(".emoji-picker input").value === "微笑" && document.querySelector(".composer textarea").value === ""`)
	ann.key("Escape", "Escape", 27, "")
	ann.misses(".emoji-picker", "")

	// A list of choices does not take the Enter either.
	ann.click(".composer textarea", "")
	ann.types(":smi")
	ann.finds(".suggest li", "")
	methods(".composer textarea")
	if got := ann.composed(); got != ":smi微笑" {
		t.Errorf("the composer holds %q", got)
	}
	ann.run(`document.querySelector(".composer textarea").select()`)
	ann.types("x")

	ann.chord("f", "KeyF", 70, ctrl)
	methods(".search input[type=search]")
	ann.hits("微笑着说")
	o.owner.finds(room.ID, "微笑着说")
}
