package e2e

import (
	"testing"

	"posthouse/appliance/client"
)

// What a person sets for a room is set in all of the person's browsers.
func TestPinAndMuteInTwoBrowsers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	noisy := o.group("Noisy", bo.user.ID)
	old := o.group("老房间 Old", bo.user.ID)
	bo.says(old.ID, "long ago")
	bo.says(noisy.ID, "one")
	desk := shared.tab(t, "desk", o.url())
	phone := shared.tab(t, "phone", o.url())
	desk.logsIn("ann")
	phone.logsIn("ann")
	first := func(p *tab, room string) {
		t.Helper()
		p.until(room+" on top", `document.querySelector("li[aria-posinset='1'] .name").textContent === `+quoted(room))
	}

	desk.run(`(` + finder("a.room-link", "Old") + `)[0].dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }))`)
	desk.click("[role=menuitem]", "Pin on top")
	first(desk, "老房间 Old")
	first(phone, "老房间 Old")

	phone.run(`(` + finder("a.room-link", "Noisy") + `)[0].dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }))`)
	phone.click("[role=menuitem]", "Mute")
	for _, p := range []*tab{desk, phone} {
		p.until("a quiet room", `document.querySelector("a.room-link.quiet .name")?.textContent === "Noisy"`)
	}
	bo.says(old.ID, "again")
	bo.says(noisy.ID, "two")
	desk.unread("Noisy", 2)
	first(desk, "老房间 Old") // though Noisy is newer
	desk.until("the title to count what is not muted", `document.title.startsWith("(2) ")`)
	bo.says(noisy.ID, "@ann look")
	desk.until("the mention in the title", `document.title.startsWith("(3) ")`)
	desk.reload()
	desk.online()
	first(desk, "老房间 Old")
	desk.until("a quiet room", `document.querySelector("a.room-link.quiet .name")?.textContent === "Noisy"`)

	desk.click(".chips button", "Unread")
	desk.unread("Noisy", 3)
	desk.click("button", "Menu")
	desk.click("[role=menuitem]", "Mark everything as read")
	desk.finds(".rooms .empty", "Everything is read.")
	phone.unread("老房间 Old", 0)
	desk.click(".chips button", "Rooms")
	desk.finds("a.room-link", "Noisy")
	desk.click(".chips button", "People")
	desk.misses("a.room-link", "Noisy")
	desk.click(".chips button", "People")
	first(desk, "老房间 Old")

	must(t, o.owner.Call(background(t), "room.update", map[string]any{"room": noisy.ID, "archived": true}, nil))
	desk.misses("a.room-link", "Noisy")
	desk.click(".chips button", "Archived")
	desk.finds("a.room-link", "Noisy")
	desk.misses("a.room-link", "Old")
}

// What is written and not sent belongs to who wrote it, also when several use
// one browser.
func TestDraftsAreOfOneAccount(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	o.group("Shop", bo.ID)
	p := shared.tab(t, "both", o.url())
	p.logsIn("ann")
	p.enters("Shop")
	p.writes("what Ann thinks of Bo")
	p.home()
	p.until("a mark of the draft", `document.querySelector("a.room-link .draft")`)
	p.click("button", "Menu")
	p.click("[role=menuitem]", "Log out")
	p.click("dialog button.danger", "Log out")
	p.finds("form button", "Log in")
	p.logsIn("bo")
	p.enters("Shop")
	if got := p.composed(); got != "" {
		t.Errorf("Bo finds %q in the composer", got)
	}
	p.home()
	p.until("no mark of a draft", `!document.querySelector("a.room-link .draft")`)
}
