package e2e

import (
	"fmt"
	"testing"
)

// Of a long list of rooms only what can be seen is in the page. By keyboard and
// for a screen reader it is the whole list all the same.
func TestLongRoomList(t *testing.T) {
	t.Parallel()
	const rooms = 150
	o := openOffice(t)
	var first string
	for i := range rooms - 1 { // the notes of the owner are one more
		r := o.group(fmt.Sprintf("room %03d", i))
		if i == 0 {
			first = r.ID.String()
		}
	}
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.finds(".rooms a", fmt.Sprintf("room %03d", rooms-2))
	if n := ask[int](ann, `document.querySelectorAll(".rooms li").length`); n > 40 {
		t.Errorf("%d rows are in the page", n)
	}
	row := func(text string) string { return finder(".rooms li", text) + "[0]" }
	ann.until("the place of the first row", row(fmt.Sprintf("room %03d", rooms-2))+`.getAttribute("aria-posinset") === "1"`)

	ann.run(`document.querySelector(".rooms a").focus()`)
	ann.key("End", "End", 35, "")
	ann.until("the last room with the focus", `document.activeElement.closest("li").getAttribute("aria-posinset") === document.activeElement.closest("li").getAttribute("aria-setsize")`)
	ann.until("it in view", `document.activeElement.getBoundingClientRect().bottom <= innerHeight`)
	ann.key("ArrowUp", "ArrowUp", 38, "")
	ann.until("the one before", `document.activeElement.closest("li").getAttribute("aria-posinset") === String(Number(document.activeElement.closest("li").getAttribute("aria-setsize")) - 1)`)
	ann.run(`window.kept = document.activeElement; document.querySelector(".rooms").scrollTop = 0`)
	ann.finds(".rooms a", fmt.Sprintf("room %03d", rooms-2))
	ann.until("the focus where it was", `document.activeElement === window.kept && window.kept.isConnected`)

	// What one looks at stays when another room comes to the top.
	ann.run(`document.activeElement.blur(); document.querySelector(".rooms").scrollTop = 3000`)
	ann.finds(".rooms a", "room 090")
	at := ask[float64](ann, row("room 090")+`.getBoundingClientRect().top`)
	o.owner.says(idOf(t, first), "hello")
	ann.until("the order change", row("room 090")+`.getAttribute("aria-posinset") === "`+fmt.Sprint(rooms-2-90+2)+`"`)
	if now := ask[float64](ann, row("room 090")+`.getBoundingClientRect().top`); now-at > 1 || at-now > 1 {
		t.Errorf("room 090 moved from %.0f to %.0f", at, now)
	}

	ann.fill(".side input[type=search]", "room 00")
	ann.until("what the filter leaves", `document.querySelectorAll(".rooms li").length === 10 && document.querySelector(".rooms li").getAttribute("aria-setsize") === "10"`)
	ann.fill(".side input[type=search]", "nothing like it")
	ann.until("a word about it", `document.querySelectorAll(".rooms li.empty").length === 1`)
	ann.fill(".side input[type=search]", "room 140")
	ann.enters("room 140")
}
