package e2e

import (
	"fmt"
	"testing"

	"posthouse/appliance/client"
)

// After a reload every own message in sight says how far it has got, also those
// before the newest.
func TestOlderReceiptsAfterReload(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := o.owner.direct(bo.user.ID)
	for i := range 12 {
		o.owner.says(room.ID, fmt.Sprint("arrived ", i))
	}
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	delivered := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll(".message.mine .status.delivered").length === %d`, n)
	}
	ann.until("twelve that have arrived", delivered(12))
	must(t, bo.Close())
	for i := range 5 {
		o.owner.says(room.ID, fmt.Sprint("waiting ", i))
	}
	ann.sees("waiting 4")
	ann.reload()
	ann.online()
	ann.sees("waiting 4")
	ann.until("twelve that have arrived", delivered(12))
	ann.until("five that are stored", `document.querySelectorAll(".message.mine .status.stored").length === 5`)
}

// While there is no connection nobody is said to be online.
func TestPresenceIsUnknownWithoutConnection(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	o.owner.direct(bo.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.until("Bo online", `document.querySelector(".presence.online") && document.querySelector(".sub").innerText === "online"`)
	ann.network(false)
	ann.broken()
	ann.until("nothing about Bo", `!document.querySelector(".presence") && document.querySelector(".sub").innerText === "not known while disconnected"`)
	ann.network(true)
	ann.online()
	ann.until("Bo online", `document.querySelector(".presence.online")`)
}
