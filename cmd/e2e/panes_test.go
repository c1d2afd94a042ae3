package e2e

import (
	"testing"
	"time"

	"posthouse/appliance/client"
)

// repliesIn says something in the composer of the side pane.
func (p *tab) repliesIn(text string) {
	p.t.Helper()
	p.click(".side-pane .composer textarea", "")
	p.types(text)
	p.enter()
	p.until("an empty composer", `document.querySelector(".side-pane .composer textarea").value === ""`)
}

// choosesFor opens the menu of a message and takes an entry.
func (p *tab) choosesFor(message, entry string) {
	p.t.Helper()
	p.until("the message "+message, `(() => {
	const e = [...document.querySelectorAll("main .message[data-seq]")].find((e) => e.innerText.includes(`+quoted(message)+`));
	const menu = e.querySelector(".actions");
	menu.focus();
	menu.click(); // at once: a row that is drawn anew between a focus and a key loses it
	return true;
})()`)
	p.click("[role=menuitem]", entry)
}

// Two people talk in a thread beside the room. The room shows how long the
// thread is, and to those who take part what is new in it.
func TestThread(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	room := o.group("Plan", bo.ID)
	o.owner.says(room.ID, "Who brings the cake?")
	o.owner.says(room.ID, "And the coffee?")
	ann, bob := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	bob.size(1280, 800)
	bob.logsIn("bo")
	ann.enters("Plan")
	bob.enters("Plan")
	bob.choosesFor("Who brings the cake?", "Reply in thread")
	bob.finds("aside[aria-label=Thread]", "No replies yet")
	bob.until("the focus in the thread", `document.activeElement?.closest(".side-pane")`)
	bob.repliesIn("I bring it")
	ann.finds(".thread-foot", "1 reply")
	ann.finds(".thread-foot", "1 new")
	ann.finds(".thread-line", "I bring it")
	ann.click(".thread-foot", "1 reply")
	ann.finds(".side-pane .message", "I bring it")
	ann.misses(".thread-foot", "new")
	ann.repliesIn("太好了")
	bob.finds(".side-pane .message", "太好了")
	bob.finds("main .thread-foot", "2 replies")
	ann.shot("thread")

	// A change of a reply is seen in the thread too; the draft of the thread is
	// its own.
	ann.click(".side-pane .composer textarea", "")
	ann.types("not yet sent")
	if got := ann.composed(); got != "" {
		t.Errorf("the composer of the room holds %q", got)
	}
	bob.click(".side-pane .message.mine .status", "")
	bob.finds("aside[aria-label='Where is my message?']", "Read by")
	bob.click(".thread-foot", "2 replies")
	bob.finds(".side-pane .message", "太好了")
	o.owner.says(room.ID, "back to work")
	ann.sees("back to work")
	ann.key("Escape", "Escape", 27, "")
	ann.until("no pane", `document.querySelector(".side-pane").hidden`)
	ann.until("the focus back at the line of the thread", `document.activeElement?.closest("[data-seq]")`)
	bob.repliesIn("with candles?")
	ann.finds(".thread-foot", "1 new")
	ann.click(".thread-line", "with candles?")
	ann.finds(".side-pane .message", "with candles?")
	ann.until("the draft of the thread", `document.querySelector(".side-pane textarea").value === "not yet sent"`)

	// Off the network and back: what was written in the thread goes there.
	bob.network(false)
	bob.broken()
	bob.repliesIn("from the cellar")
	bob.finds(".side-pane .pending", "from the cellar")
	bob.network(true)
	bob.online()
	ann.finds(".side-pane .message[data-seq]", "from the cellar")
	ann.finds("main .thread-foot", "4 replies")
	bob.reload()
	bob.finds(".side-pane .message", "from the cellar")
}

// Roles and the name of a room change under the eyes of the other side.
func TestMembersAndSettings(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo, cy := o.account("bo", "Bo Lin"), o.account("cy", "陈宇")
	o.group("Plan", bo.ID, cy.ID)
	ann, bob := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	bob.size(1280, 800)
	bob.logsIn("bo")
	for _, p := range []*tab{ann, bob} {
		p.enters("Plan")
		p.click("button", "Room details and members")
		p.finds(".side-pane h3", "Owners 1")
		p.finds(".side-pane h3", "Members 2")
	}
	bob.misses(".side-pane button", "Actions for")
	ann.until("who is online", finder(".side-pane .person", "Bo Lin")+`[0].innerText.includes("online")`)
	ann.click(".side-pane button", "Actions for Bo Lin")
	ann.click("[role=menuitem]", "Make moderator")
	bob.finds(".side-pane h3", "Moderators 1")
	ann.finds(".side-pane h3", "Moderators 1")
	bob.click(".side-pane button", "Actions for 陈宇")
	bob.click("[role=menuitem]", "Remove from the room")
	bob.finds("dialog p", "no longer see what was written")
	bob.click("dialog button.danger", "Remove")
	ann.misses(".side-pane .person", "陈宇")
	ann.click(".side-pane button", "Add people")
	ann.click("dialog button.person", "陈宇")
	ann.click("dialog button.primary", "Add people")
	bob.finds(".side-pane .person", "陈宇")
	bob.fill(".side-pane input[type=search]", "zzz")
	bob.finds(".side-pane [role=status]", "Nobody found")
	bob.fill(".side-pane input[type=search]", "cheny")
	bob.finds(".side-pane .person", "陈宇")
	bob.misses(".side-pane .person", "Bo Lin")
	bob.click(".side-pane .person", "陈宇")
	bob.finds("dialog h2", "陈宇")
	bob.finds("dialog button.primary", "Message")
	bob.click("dialog button", "Close")

	bob.click("button", "Room menu")
	bob.click("[role=menuitem]", "Room settings")
	bob.finds(".side-pane .usage", "0 files")
	bob.fill(".side-pane input[name=name]", "计划 Plan B")
	bob.click(".side-pane button", "Save")
	ann.finds("main h1", "计划 Plan B")
	bob.click(".side-pane button", "Archive")
	bob.finds("dialog p", "Nobody can write in an archived room")
	bob.click("dialog button.danger", "Archive")
	ann.finds(".closed", "archived")
	bob.click(".side-pane button", "Restore")
	ann.until("a composer", `!document.querySelector("main .write").hidden`)
	bob.network(false)
	bob.broken()
	bob.click("button", "Room details and members")
	bob.network(true)
	bob.online()
	bob.finds(".side-pane .person", "安娜 Ann")
	bob.network(false)
	bob.until("that presence is not known", finder(".side-pane .person", "安娜 Ann")+`[0].innerText.includes("not known")`)
	bob.network(true)
	bob.online()
}

// A new picture and name reach the others; the look of the page is one's own.
func TestProfile(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.account("bo", "Bo Lin")
	o.owner.direct(bo.ID)
	ann, bob := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	bob.size(1280, 800)
	bob.logsIn("bo")
	bob.click("button", "Menu")
	bob.click("[role=menuitem]", "Profile")
	bob.finds("main h1", "Profile")
	bob.until("the focus at the heading", `document.activeElement?.matches("main h1")`)
	bob.fill("input[name=name]", "林波 Bo")
	bob.click("form button", "Save")
	ann.finds("a.room-link", "林波 Bo")
	if !raced() { // no thumbnails then, see TestFirstDay
		bob.choosesFile("input[name=avatar]", picture(t))
		bob.finds(".picture-form [role=status]", "This is your picture now")
		ann.until("the picture", `document.querySelector("a.room-link img.avatar")?.naturalWidth > 0`)
		ann.until("a square", `(() => { const i = document.querySelector("a.room-link img.avatar"); return i.naturalWidth === i.naturalHeight })()`)
		bob.click("button", "Remove it")
		ann.until("initials again", `document.querySelector("a.room-link span.avatar")`)
	}
	bob.click("a", "Settings")
	bob.finds("main h1", "Settings")
	bob.scheme("light")
	for _, c := range []struct{ choice, background string }{{"dark", "rgb(18, 23, 21)"}, {"light", "rgb(244, 246, 245)"}, {"system", "rgb(244, 246, 245)"}} {
		bob.run(`document.querySelector("input[value=` + c.choice + `]").click()`)
		bob.until(c.choice, `getComputedStyle(document.body).backgroundColor === `+quoted(c.background))
	}
	bob.run(`document.querySelector("input[value=dark]").click()`)
	bob.reload()
	bob.until("dark after a reload", `getComputedStyle(document.body).backgroundColor === "rgb(18, 23, 21)"`)
}

// Somebody whose telephone was stolen logs it out, and all others at once.
func TestStolenDevice(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	stolen, tablet, ann := shared.tab(t, "stolen", o.url()), shared.tab(t, "tablet", o.url()), shared.tab(t, "ann", o.url())
	for _, p := range []*tab{stolen, tablet, ann} {
		p.logsIn("ann")
	}
	id := ask[string](stolen, `fetch("/api/session.me", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }).then((r) => r.json()).then((s) => s.device)`)
	ann.open("/#/devices")
	ann.until("four devices", `document.querySelectorAll(".device").length === 4`)
	ann.until("this device first", `document.querySelector(".device").innerText.includes("this device")`)
	ann.shot("devices")
	began := time.Now()
	ann.run(`document.querySelector(".device[data-device='` + id + `'] button").click()`)
	stolen.finds("form button", "Log in")
	if took := time.Since(began); took > 2*soon {
		t.Errorf("the stolen device was out only after %s", took)
	}
	ann.until("three devices", `document.querySelectorAll(".device").length === 3`)
	ann.click("button", "Log out all others")
	ann.finds("dialog p", "not sent yet stays there")
	ann.click("dialog button.danger", "Log out all others")
	tablet.finds("form button", "Log in")
	ann.finds(".page [role=status]", "on this device only")
	ann.online()
	o.owner.thrownOut(began)
}

// The author follows a message to the other's devices, and sees it read.
func TestJourney(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{DeviceName: "bo's telephone"})
	cy := o.account("cy", "陈宇")
	room := o.group("Plan", bo.user.ID, cy.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	ann.enters("Plan")
	must(t, bo.Close())
	ann.says("where does this go?")
	ann.choosesFor("where does this go?", "Who has read it")
	const pane = "aside[aria-label='Where is my message?'] "
	ann.finds(pane+".stored", "Stored on the server")
	ann.finds(pane+".traveller", "陈宇")
	ann.until("nobody's device named", finder(pane+".traveller", "陈宇")+`[0].innerText.includes("logged in on no device")`)
	ann.until("since when the telephone is off", finder(pane+".traveller", "bo's telephone")+`[0].innerText.includes("offline since")`)
	ann.until("steps not reached", finder(pane+".traveller", "bo's telephone")+`[0].querySelectorAll(".ladder li.reached").length === 1`)

	bob := shared.tab(t, "bo", o.url())
	bob.size(1280, 800)
	bob.logsIn("bo")
	ann.until("the arrival in the browser", finder(pane+".traveller", "Bo Lin")+`[0].innerText.includes("arrived") && document.querySelectorAll(".ladder li.reached").length >= 4`)
	ann.until("the time of the arrival", `[...document.querySelectorAll(".ladder .hint")].filter((e) => /\d\d:\d\d:\d\d · (within a second|after)/.test(e.innerText)).length >= 1`)
	ann.finds(pane+".journey-sum", "Read by 0 of 2")
	bob.enters("Plan")
	ann.finds(pane+".journey-sum", "Read by 1 of 2")
	ann.until("read", finder(pane+".traveller", "Bo Lin")+`[0].querySelector(".step.read")?.innerText.includes("read ")`)
	ann.finds(pane+".journey-read", "Bo Lin")
	ann.finds(pane+".journey-unread", "陈宇")
	ann.shot("journey")

	// What is written while the browser is there goes to it step by step.
	bob.home()
	ann.says("and this?")
	ann.sees("and this?")
	ann.choosesFor("and this?", "Who has read it")
	ann.finds(pane+"blockquote", "and this?")
	ann.until("the times of pushing and arrival", `[...document.querySelectorAll(".ladder .reached .hint")].filter((e) => /\d\d:\d\d:\d\d · (within a second|after)/.test(e.innerText)).length >= 2`)

	// Another's message: who has read it, without devices.
	o.device("bo", client.Options{}).says(room.ID, "mine")
	ann.sees("mine")
	ann.choosesFor("mine", "Who has read it")
	ann.finds(pane+".journey-unread", "陈宇")
}

// An admin makes departments and accounts; everybody sees them, and what an
// admin ends is over at once.
func TestDirectory(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.account("bo", "Bo Lin")
	ann, bob := shared.tab(t, "ann", o.url()), shared.tab(t, "bo", o.url())
	ann.size(1280, 800)
	ann.logsIn("ann")
	bob.size(1280, 800)
	bob.logsIn("bo")
	for _, p := range []*tab{ann, bob} {
		p.click("button", "Menu")
		p.click("[role=menuitem]", "People and departments")
		p.finds(".folk .person", "Bo Lin")
	}
	bob.misses("button", "New account")
	department := func(name string) {
		ann.click("button", "Manage departments")
		ann.click("[role=menuitem]", "New department")
		ann.fill("dialog input[name=department]", name)
		ann.click("dialog button.primary", "Save")
		ann.finds("[role=treeitem]", name)
	}
	department("总部")
	ann.click("[role=treeitem]", "总部")
	ann.finds(".folk [role=status]", "Nobody is in this department")
	department("研发 R&D")
	bob.finds("[role=treeitem]", "总部")
	ann.click("[role=treeitem]", "研发")
	ann.click("button", "Manage departments")
	ann.click("[role=menuitem]", "Add people")
	ann.click("dialog button.person", "Bo Lin")
	ann.click("dialog button.primary", "Add people")
	ann.finds(".folk .person", "Bo Lin")
	bob.finds("[role=treeitem]", "总部, 1 people")

	// By keys alone: down to the department, fold it away and open it.
	bob.run(`document.querySelector("[role=treeitem][tabindex='0']").focus()`)
	bob.key("ArrowDown", "ArrowDown", 40, "")
	bob.until("the focus in the tree", `document.activeElement?.innerText.includes("总部")`)
	bob.key("ArrowLeft", "ArrowLeft", 37, "")
	bob.misses("[role=treeitem]", "研发")
	bob.key("ArrowRight", "ArrowRight", 39, "")
	bob.key("ArrowRight", "ArrowRight", 39, "")
	bob.until("the focus one below", `document.activeElement?.innerText.includes("研发")`)
	bob.enter()
	bob.finds(".folk h2", "总部 / 研发 R&D")
	bob.misses(".folk .person", "安娜")

	ann.click("button", "New account")
	ann.fill("dialog input[name=name]", "新同事")
	ann.fill("dialog input[name=login]", "new")
	ann.fill("dialog input[name=password]", password)
	ann.click("dialog button.primary", "Create the account")
	bob.finds(".folk .person", "新同事")
	ann.shot("directory")
	bob.click(".folk .person", "新同事")
	bob.finds("dialog dd", "总部 / 研发 R&D")
	bob.click("dialog button.primary", "Message")
	bob.finds("main h1", "新同事")
	bob.says("欢迎")
	bob.sees("欢迎")

	ann.click(".folk .person", "Bo Lin")
	ann.click("dialog button", "Disable account")
	ann.finds("dialog p", "logged out everywhere at once")
	bob.expects(loggedOut)
	ann.click("dialog:last-of-type button.danger", "Disable account")
	bob.finds("form button", "Log in")
	ann.finds("dialog [role=status]", "account disabled")
	ann.click("dialog button", "Enable account")
	ann.finds("dialog button", "Disable account")
	ann.click("dialog button", "Close")
	ann.click("[role=treeitem]", "总部")
	ann.click("button", "Manage departments")
	ann.click("[role=menuitem]", "Remove department")
	ann.click("dialog button.danger", "Remove department")
	ann.finds(".toast.bad", "")
}
