package e2e

import (
	"fmt"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// A date leads to the first message of that day, and to what is unread.
func TestJumpToDateAndUnread(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := o.group("Shop", bo.user.ID)
	for i := range 130 {
		bo.says(room.ID, fmt.Sprintf("message %03d", i))
	}
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Shop")
	ann.sees("message 129")
	ann.press("Alt+U")
	ann.sees("message 000")

	ann.click("button", "Jump to the newest")
	ann.sees("message 129")
	ann.press("Ctrl+G")
	ann.finds("dialog h2", "Jump to a date")
	ann.shot("date")
	ann.press("Enter") // today, from midnight on
	ann.misses("dialog", "")
	ann.sees("message 000")
	ann.press("Ctrl+G")
	ann.finds("dialog h2", "Jump to a date")
	ann.run(`document.querySelector("dialog input[type=time]").value = "23:59"`)
	ann.press("Enter")
	ann.misses("dialog", "")

	// The server finds one message by its time.
	list := o.owner.all(room.ID)
	at := list[60].Time
	page, err := o.owner.History(background(t), wire.HistoryParams{Room: room.ID, At: at, Limit: 1})
	must(t, err)
	if m := page.Messages[0]; m.Time != at || m.Seq > list[60].Seq {
		t.Errorf("from %d on: message %d of %d", at, m.Seq, m.Time)
	}
	if _, err := o.owner.History(background(t), wire.HistoryParams{Room: room.ID, At: at, Before: 5}); err == nil {
		t.Error("a time and a number together are taken")
	}
}
