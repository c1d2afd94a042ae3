package e2e

import (
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// soon is how quickly a device that was thrown out must notice: a second says
// the reference, the rest is for a busy machine. Who is not told notices by the
// heartbeat, which is later.
const soon = 8 * time.Second

// A person goes through the languages, logs out and in, and throws out the
// browser that was forgotten in the meeting room.
func TestLanguageAndDevices(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	o.owner.direct(bo.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.click("button", "Menu")
	ann.click("[role=menuitem]", "中文")
	ann.finds(".light", "已连接")
	ann.until("the language of the document", `document.documentElement.lang === "zh-CN"`)
	ann.enters("Bo Lin")
	ann.finds(".timeline", "还没有消息")
	ann.says("语言切换")
	ann.sees("语言切换")
	ann.home()
	ann.click("button", "菜单")
	ann.click("[role=menuitem]", "English")
	ann.finds(".light", "Connected")
	ann.until("the language of the document", `document.documentElement.lang === "en"`)

	ann.click("button", "Menu")
	ann.click("[role=menuitem]", "Log out")
	ann.click("dialog button.danger", "Log out")
	ann.finds("form button", "Log in")
	ann.reload()
	ann.finds("form button", "Log in")
	ann.fill("input[name=login]", "ann")
	ann.fill("input[name=password]", "not the password")
	ann.expects(`status of 401 .*/api/session\.login`)
	ann.click("form button", "Log in")
	ann.until("the refusal", `document.querySelector("form [role=alert]").textContent !== ""`)
	ann.fillsLogin("ANN")
	ann.online()

	forgotten := shared.tab(t, "forgotten", o.url())
	forgotten.logsIn("ann")
	forgotten.enters("Bo Lin")
	ann.click("button", "Menu")
	ann.click("[role=menuitem]", "Devices")
	ann.until("three devices", `document.querySelectorAll(".devices .device").length >= 3`)
	other := ask[string](forgotten, `fetch("/api/session.me", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }).then((r) => r.json()).then((s) => s.device)`)
	forgotten.expects(loggedOut)
	began := time.Now()
	must(t, o.owner.Revoke(background(t), idOf(t, other)))
	forgotten.finds("form button", "Log in")
	took := time.Since(began)
	t.Logf("the revoked browser showed the login page after %s", took.Round(time.Millisecond))
	if took > 2*soon {
		t.Errorf("the revoked browser showed the login page only after %s", took)
	}
	forgotten.finds("[role=status]", "session on this device has ended")
	ann.until("one device less", `document.querySelectorAll(".devices .device").length === 2`)
	forgotten.fillsLogin("ann")
	forgotten.online()
}

// Connections, calls and downloads of a device that was thrown out end at
// once, and so do those of an account that was disabled.
func TestThrownOut(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{DeviceName: "first"})
	room := bo.direct(o.owner.user.ID)
	file := bo.uploads(room.ID, "notes.txt", []byte("for ann only"))
	again := o.tapped(bo) // two sockets of one device
	other := o.device("bo", client.Options{DeviceName: "second"})

	began := time.Now()
	must(t, o.owner.Revoke(background(t), bo.dev))
	bo.thrownOut(began)
	again.ends(began)
	bo.mayNothing(file)
	if _, err := other.Me(background(t)); err != nil {
		t.Errorf("the other device of the person: %v", err)
	}

	sockets := []*tap{o.tapped(other), o.tapped(other)}
	disabled := true
	began = time.Now()
	must(t, o.owner.Call(background(t), "user.update", wire.UserUpdate{User: bo.user.ID, Disabled: &disabled}, nil))
	other.thrownOut(began)
	for _, s := range sockets {
		s.ends(began)
	}
	other.mayNothing(file)
	fresh := o.client(t, client.Options{})
	if _, err := fresh.Login(background(t), "bo", password); kindOf(err) != wire.Unauthenticated && kindOf(err) != wire.Forbidden {
		t.Errorf("a disabled account logs in: %v", err)
	}
}
