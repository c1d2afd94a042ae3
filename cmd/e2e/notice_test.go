package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// ticks presses the box of a choice in a dialog.
func (p *tab) ticks(label string) {
	p.t.Helper()
	p.click("dialog label.choice", label)
}

// live wants the sentence above the list of who has confirmed.
func (p *tab) live(want string) {
	p.t.Helper()
	p.until("the count "+want, `document.querySelector(".live .counts")?.textContent.includes(`+quoted(want)+`)`)
}

// stands wants the people of the live list that are shown to be these.
func (p *tab) stands(want ...string) {
	p.t.Helper()
	p.until(fmt.Sprint("the list ", want), `[...document.querySelectorAll(".stander .name")].map((e) => e.textContent).sort().join() === `+quoted(strings.Join(want, ",")))
}

// takesAlong prints the list and downloads it. What a printer and a folder would
// get is caught on its way.
func (p *tab) takesAlong(name string) {
	p.t.Helper()
	p.run(`window.print = () => { window.paper = document.querySelector(".print-sheet").innerText; dispatchEvent(new Event("afterprint")) };
		const real = URL.createObjectURL; URL.createObjectURL = (b) => { void b.text().then((x) => (window.csv = x)); return real.call(URL, b) };`)
	p.click(".live button", "Print")
	p.until("the sheet of paper", `window.paper?.includes(`+quoted(name)+`) && window.paper.includes("Fire drill <b>&") && !document.querySelector(".print-sheet")`)
	p.click(".live button", "Download CSV")
	p.until("the table", `window.csv?.split("\r\n")[0].endsWith('"Department","Name","Login","State","Confirmed at"') && window.csv.includes(`+quoted(`"`+name+`","cy","confirmed"`)+`)`)
}

// A notice goes to a room and a department, arrives live, is confirmed in two
// other browsers, and its author watches who has not.
func TestNotice(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo", client.Options{})
	cy := o.account("cy", "Cy 陈")
	var works wire.DepartmentResult
	must(t, o.owner.Call(background(t), "department.put", wire.DepartmentPut{Name: "Works 车间"}, &works))
	must(t, o.owner.Call(background(t), "user.update", wire.UserUpdate{User: cy.ID, Department: &works.Department.ID}, nil))
	room := o.group("Safety", bo.user.ID)

	ann, boTab, cyTab := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url()), shared.tab(t, "cy", o.url())
	boTab.logsIn("bo")
	boTab.enters("Safety")
	cyTab.logsIn("cy")
	ann.logsIn("ann")
	ann.enters("Safety")
	ann.click("button", "Room menu")
	ann.click("[role=menuitem]", "Send a notice…")
	ann.fill("dialog input[name=title]", "Fire drill <b>&")
	ann.click("dialog textarea[name=text]", "")
	ann.types("At **noon**.\nUse the stairs.")
	ann.ticks("Works 车间")
	ann.shot("compose")
	ann.click("dialog button", "Send the notice")
	ann.misses("dialog", "")
	ann.finds(".message .count", "0 of 2 confirmed")

	boTab.finds(".message .notice-row button", "Confirm")
	boTab.finds(".notice-banner", "Fire drill <b>&")
	cyTab.finds(".notice-head .badge", "1")
	boTab.click(".message .notice-row button", "Confirm")
	boTab.finds(".message .done", "You confirmed this")
	boTab.misses(".notice-banner", "")
	ann.finds(".message .count", "1 of 2 confirmed")
	ann.click(".message .count", "1 of 2")
	ann.live("1 of 2 confirmed, 1 not yet, 0 left")
	ann.stands("Cy 陈")
	ann.shot("live")
	ann.click(".live button", "Remind now")
	cyTab.finds(".toast", "Reminder: please confirm")
	cyTab.click("a.notice-head", "Notices")
	cyTab.finds(".hit h2", "Fire drill <b>&")
	cyTab.shot("inbox")
	cyTab.click(".hit button", "Confirm")
	cyTab.misses(".notice-head", "")
	ann.live("2 of 2 confirmed, 0 not yet, 0 left")
	ann.stands()
	ann.takesAlong("Cy 陈")
	ann.click(".live .kinds label", "Confirmed (2)")
	ann.stands("Bo", "Cy 陈")
	ann.run(`document.querySelector(".live input[type=search]").focus()`)
	ann.types("陈")
	ann.stands("Cy 陈")
	ann.click(".live button", "Close the notice")
	ann.click("dialog button.danger", "Close the notice")
	ann.finds(".notice-state", "Closed")

	// Who was away finds it on return, and confirms from the banner.
	var sent wire.NoticeSent
	must(t, o.owner.Call(background(t), "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "New door code", Rooms: []id.ID{room.ID}}, &sent))
	boTab.network(false)
	boTab.expects(refusedConnections)
	boTab.broken()
	must(t, o.owner.Call(background(t), "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "While you were away", Users: []id.ID{bo.user.ID}}, &sent))
	boTab.network(true)
	boTab.online()
	boTab.finds(".notice-banner", "2 notices are waiting")
	boTab.click(".notice-banner button", "Show")
	boTab.click(".hit button", "Confirm: While you were away")
	boTab.finds(".notice-head .badge", "1")
	boTab.enters("Safety")
	boTab.click(".notice-banner button", "Confirm: New door code")
	boTab.misses(".notice-head", "")
}

// A message written now is sent later, once, also when the server was down at
// its time; it can be edited, sent at once and deleted.
func TestScheduledMessage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo", client.Options{})
	room := o.group("Plans", bo.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Plans")
	ann.writes("see you @bo")
	ann.click("button", "Send later")
	ann.shot("later")
	ann.click("[role=menuitem]", "In 1 hour")
	ann.finds(".later-banner", "1 scheduled message")
	if got := ann.composed(); got != "" {
		t.Errorf("%q is still in the composer", got)
	}
	ann.click(".later-banner button", "Show")
	ann.finds(".side-pane .hit .text", "see you @bo")
	ann.click(".side-pane button", "Edit")
	ann.fill("dialog textarea", "see you tomorrow")
	ann.click("dialog button", "Save")
	ann.finds(".side-pane .hit .text", "see you tomorrow")
	ann.shot("scheduled")
	ann.click(".side-pane button", "Send now")
	ann.sees("see you tomorrow")
	ann.misses(".later-banner", "")
	ann.click("button", "Close the side pane")
	ann.writes("never")
	ann.click("button", "Send later")
	ann.click("[role=menuitem]", "Tomorrow")
	ann.click(".later-banner button", "Show")
	ann.click(".side-pane button", "Delete")
	ann.click("dialog button.danger", "Delete")
	ann.misses(".later-banner", "")

	schedule := func(text string) {
		t.Helper()
		must(t, o.owner.Call(background(t), "scheduled.create", wire.ScheduledCreate{Room: room.ID, Key: uuid.NewString(), Text: text, At: time.Now().Add(2 * time.Second).UnixMilli()}, nil))
	}
	schedule("on time")
	ann.sees("on time")
	schedule("late")
	ann.expects(refusedConnections)
	o.kill()
	await(t, func() string { return "the time of the message to pass" }, passed(time.Now().Add(2*time.Second)))
	o.start()
	ann.sees("late")
	ann.online()
	o.owner = o.device("ann", client.Options{})
	o.owner.finds(room.ID, "see you tomorrow", "on time", "late")
}

// passed is a condition that comes true at a time.
func passed(at time.Time) func() bool { return func() bool { return time.Now().After(at) } }

// Every page of notices and scheduled messages fits a phone of 360 pixels, in
// light and dark.
func TestNoticesOnANarrowScreen(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "名字很长的同事 With-A-Very-Long-Unbreakable-Display-Name-Indeed", client.Options{})
	room := o.group("A-room-with-a-name-that-does-not-break-anywhere-at-all", bo.user.ID)
	long := strings.Repeat("https://chat.lan/a-path-without-an-end/", 12)
	must(t, o.owner.Call(background(t), "department.put", wire.DepartmentPut{Name: strings.Repeat("部门", 20)}, nil))
	var sent wire.NoticeSent
	must(t, bo.Call(background(t), "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "Read-this-" + strings.Repeat("long", 20), Text: long + "\n```\n" + strings.Repeat("a long line of code ", 9) + "\n```", Rooms: []id.ID{room.ID},
		Deadline: time.Now().Add(time.Hour).UnixMilli()}, &sent))
	must(t, o.owner.Call(background(t), "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "mine", Text: long, Rooms: []id.ID{room.ID}}, &sent))
	must(t, o.owner.Call(background(t), "scheduled.create", wire.ScheduledCreate{Room: room.ID, Key: uuid.NewString(), Text: long, At: time.Now().Add(time.Hour).UnixMilli()}, nil))
	ann := shared.tab(t, "ann", o.url())
	ann.size(360, 740)
	ann.logsIn("ann")
	for _, scheme := range []string{"light", "dark"} {
		ann.scheme(scheme)
		dark := scheme == "dark"
		ann.finds("a.notice-head", "Notices")
		ann.fits("list", dark)
		ann.click("a.notice-head", "Notices")
		ann.finds(".hit h2", "Read-this")
		ann.fits("inbox", dark)
		ann.click("button", "New notice")
		ann.finds("dialog .person", "名字很长")
		ann.finds("dialog label.choice", "部门")
		ann.fits("compose", dark)
		ann.click("dialog button", "Close")
		ann.run(`location.hash = "#/notices/` + sent.Notice.ID.String() + `"`)
		ann.finds(".stander", "名字很长")
		ann.fits("live", dark)
		ann.run(`location.hash = "#/room/` + room.ID.String() + `"`)
		ann.finds(".message .notice-row button", "Confirm")
		ann.finds(".later-banner", "1 scheduled")
		ann.fits("room", dark)
		ann.click(".later-banner button", "Show")
		ann.finds(".side-pane .hit", "Send now")
		ann.fits("scheduled", dark)
		ann.run(`location.hash = "#/"`)
	}
}
