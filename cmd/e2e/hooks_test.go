package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// posts sends a payload as another program does, and gives the status.
func posts(t *testing.T, url, bearer, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(background(t), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	r, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, r.Body.Close())
	return r.StatusCode
}

// The owner of a room opens a door for another program, gives it another
// address, and closes it again.
func TestIntegrations(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	room := o.group("Builds", bo.ID)
	ann, bob := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	bob.logsIn("bo")
	ann.enters("Builds")
	bob.enters("Builds")
	ann.click("button", "Room menu")
	ann.click("[role=menuitem]", "Integrations")
	ann.finds("aside [role=status]", "No integrations yet")
	ann.click("aside button", "New incoming hook")
	ann.fill("dialog input[name=name]", "CI 构建")
	ann.run(`document.querySelector("dialog input[name=sign]").click()`)
	ann.click("dialog button.primary", "Create")
	ann.finds("dialog .notice", "only once")
	shown := func(i string) string {
		return ask[string](ann, `document.querySelectorAll("dialog .once input")[`+i+`].value`)
	}
	// The address shown is that of the LAN; here it is reached by the loopback.
	address := func() string {
		path, ok := strings.CutPrefix(shown("0"), o.lanURL())
		if !ok || !strings.HasPrefix(path, "/hooks/") {
			t.Errorf("the address is %s", shown("0"))
		}
		return o.url() + path
	}
	url, secret := address(), shown("2")
	ann.finds("dialog pre", "curl -H")
	ann.shot("once")
	ann.click("dialog button", "I have saved it")
	ann.finds(".door", "never used")
	if got := posts(t, url, "", `{"text": "unsigned"}`); got < 400 {
		t.Errorf("an unsigned request is answered with %d", got)
	}
	if got := posts(t, url, secret, `{"text": "Build *42* has finished"}`); got != 200 {
		t.Errorf("a signed request is answered with %d", got)
	}
	bob.sees("Build 42 has finished")
	ann.finds(".door", "1 delivered, 1 refused")
	ann.shot("doors")

	ann.click(".door button", "Actions for CI 构建")
	ann.click("[role=menuitem]", "New address")
	ann.finds("dialog p", "stops working at once")
	ann.click("dialog button.danger", "New address")
	ann.finds("dialog .notice", "only once")
	next := address()
	ann.click("dialog button", "I have saved it")
	if got := posts(t, url, secret, `{"text": "old"}`); got < 400 {
		t.Errorf("the old address answers with %d", got)
	}
	if got := posts(t, next, secret, `{"text": "by the new address"}`); got != 200 {
		t.Errorf("the new address answers with %d", got)
	}
	bob.sees("by the new address")

	ann.click(".door button", "Actions for CI 构建")
	ann.click("[role=menuitem]", "Remove")
	ann.finds("dialog p", "Its bot leaves")
	ann.click("dialog button.danger", "Remove")
	ann.finds("aside [role=status]", "No integrations yet")
	if got := posts(t, next, secret, `{"text": "gone"}`); got < 400 {
		t.Errorf("the address of a removed hook answers with %d", got)
	}
	bob.click("button", "Room menu")
	bob.misses("[role=menuitem]", "Integrations")
	if n := o.owner.count(room.ID, "old") + o.owner.count(room.ID, "gone") + o.owner.count(room.ID, "unsigned"); n != 0 {
		t.Errorf("%d refused messages are in the room", n)
	}
}
