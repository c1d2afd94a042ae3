package e2e

import (
	"fmt"
	"slices"
	"testing"

	permission "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"

	"posthouse/appliance/client"
)

// permits sets what the browser lets the page do: granted, denied or prompt.
func (p *tab) permits(name string, setting permission.PermissionSetting) {
	p.t.Helper()
	info := command(p, target.GetTargetInfo, target.GetTargetInfoParams{})
	command(p, permission.SetPermission, permission.SetPermissionParams{Permission: &permission.PermissionDescriptor{Name: name}, Setting: setting,
		BrowserContextID: info.TargetInfo.BrowserContextID})
}

// looksAway takes the focus from the page, or gives it back. A Chromium without
// a screen gives it to every page, so this page is told otherwise.
func (p *tab) looksAway(away bool) {
	p.t.Helper()
	p.run(fmt.Sprintf(`document.hasFocus = () => %v; dispatchEvent(new Event(%q))`, !away, map[bool]string{true: "blur", false: "focus"}[away]))
}

// writesDown keeps what the page's notifications say, which are shown as ever.
const writesDown = `
window.told = [];
const Real = Notification;
window.Notification = class extends Real {
	constructor(title, options) { super(title, options); told.push({ title, body: options.body, note: this }); }
};`

// The page of settings says why there are no notifications, and lets one try.
func TestNotificationObstacles(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ann := shared.tab(t, "ann", o.url())
	ann.permits("notifications", permission.PermissionSettingPrompt)
	ann.logsIn("ann")
	ann.press("Ctrl+,")
	verdict := func(want string) {
		t.Helper()
		ann.until("the verdict "+want, `document.querySelector("[data-obstacle]")?.dataset.obstacle === `+quoted(want))
	}
	verdict("ask")
	ann.finds("button", "Allow notifications")
	ann.permits("notifications", permission.PermissionSettingDenied)
	verdict("denied")
	ann.finds(".hint", "does not let a page ask again")
	ann.shot("denied")
	ann.permits("notifications", permission.PermissionSettingGranted)
	verdict("none")
	ann.run(writesDown)
	ann.click("button", "Show a test notification")
	ann.until("the test", `told.length === 1 && told[0].title === "Posthouse"`)
	ann.finds(".hint", "do not disturb")
	ann.click("label", "No notifications on this device")
	verdict("off")
	ann.click("label", "No notifications on this device")
	verdict("none")
	ann.finds("[data-offline=ready]", "")
	ann.shot("settings")
	ann.size(360, 740)
	ann.fits("settings", false)
	ann.scheme("dark")
	ann.fits("settings", true)
	ann.run(`localStorage.setItem("posthouse.lang", "zh")`)
	ann.reload()
	ann.finds("h2", "消息提醒")
	ann.fits("settings-zh", true)
}

// A notification comes for what is meant for me while I look elsewhere, and not
// for what I read on another device.
func TestNotifications(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "李雷", client.Options{})
	talk := bo.direct(o.owner.user.ID)
	shop := o.group("Shop", bo.user.ID)
	bo.says(talk.ID, "before")
	ann := shared.tab(t, "ann", o.url())
	ann.permits("notifications", permission.PermissionSettingGranted)
	ann.logsIn("ann")
	unread := func(n int) {
		t.Helper()
		ann.until(fmt.Sprint(n, " unread of Bo"), fmt.Sprintf(`Number(document.querySelector('a.room-link[data-room="%s"] .badge [aria-hidden]')?.textContent ?? 0) === %d`, talk.ID, n))
	}
	unread(1)
	ann.run(writesDown)
	bo.says(talk.ID, "while she looks")
	unread(2)
	ann.looksAway(true)
	bo.says(shop.ID, "not for her")
	sent := bo.says(talk.ID, "read on the telephone")
	_, err := o.owner.Read(background(t), talk.ID, sent.Seq)
	must(t, err)
	unread(0)
	bo.says(shop.ID, "@ann **look**")
	ann.until("one notification", `told.length === 1`)
	if got := ask[string](ann, `told[0].title + ": " + told[0].body`); got != "李雷 · Shop: @ann look" {
		t.Errorf("the notification says %q", got)
	}

	// Bo's text is hidden, and a muted room is silent.
	must(t, o.owner.Call(background(t), "kv.put", map[string]any{"scope": "user", "key": "notify", "value": map[string]any{"loud": "all", "hide": true}}, nil))
	must(t, o.owner.Call(background(t), "kv.put", map[string]any{"scope": "user", "key": "room/" + shop.ID.String(), "value": map[string]any{"loud": "none"}}, nil))
	ann.until("a quiet room", `document.querySelector("a.room-link.quiet")`)
	bo.says(shop.ID, "@all silence")
	bo.says(talk.ID, "a secret")
	ann.until("a second notification", `told.length === 2`)
	if got := ask[string](ann, `told[1].title + ": " + told[1].body`); got != "李雷: New message" {
		t.Errorf("the notification says %q", got)
	}
	ann.run(`told[1].note.dispatchEvent(new Event("click"))`)
	ann.until("the room of the notification", `document.querySelector("main.room .title h1").innerText === "李雷"`)
	ann.looksAway(false)
	ann.sees("a secret")
	unread(0)
}

// Two pages of one browser tell once, and not at all while one of them is
// looked at.
func TestNotificationsOfTwoPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "李雷", client.Options{})
	talk := bo.direct(o.owner.user.ID)
	bo.says(talk.ID, "before")
	ann := shared.tab(t, "ann", o.url())
	ann.permits("notifications", permission.PermissionSettingGranted)
	ann.logsIn("ann")
	beside := ann.beside(shared)
	beside.open("/")
	beside.online()
	pages := []*tab{ann, beside}
	for _, p := range pages {
		p.run(writesDown)
	}
	told := func() (all []string) {
		for _, p := range pages {
			all = append(all, ask[[]string](p, `told.map((x) => x.body)`)...)
		}
		return all
	}
	beside.looksAway(true)
	bo.says(talk.ID, "while she looks at the other page")
	for _, p := range pages {
		p.until("2 unread of Bo", fmt.Sprintf(`document.querySelector('a.room-link[data-room="%s"] .badge [aria-hidden]')?.textContent === "2"`, talk.ID))
	}
	ann.looksAway(true)
	for i, text := range []string{"while she looks at none", "and once more"} {
		bo.says(talk.ID, text)
		await(t, func() string { return "a notification of " + text }, func() bool { return len(told()) > i })
	}
	if got := told(); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"and once more", "while she looks at none"}) {
		t.Errorf("two pages told of %q", got)
	}
}
