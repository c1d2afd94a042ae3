package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// view is something a person can see. open brings it up: from the list of
// rooms, with nothing else open, or from anywhere for a page of its own.
type view struct {
	name string
	open func(w *walker)
}

// chatViews are the views of the chat. A new pane, page or dialog is one line.
func chatViews() []view {
	return []view{
		{"list", func(w *walker) {}},
		{"menu", func(w *walker) { w.presses("rooms.menu") }},
		{"filter that finds nothing", func(w *walker) { w.fill(".side input[type=search]", "zzz") }},
		{"menu of a row", func(w *walker) {
			w.run(`document.querySelector("a.room-link").dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }))`)
			w.finds("[role=menuitem]", w.word("rooms.pin"))
		}},
		{"palette that finds", func(w *walker) { w.press("Ctrl+K"); w.types("bo"); w.finds("[role=option]", "Bo") }},
		{"palette that finds nothing", func(w *walker) { w.press("Ctrl+K"); w.types("zzzz"); w.finds("dialog .empty", w.word("palette.none")) }},
		{"settings", func(w *walker) { w.goes("settings.page"); w.finds("[data-obstacle]", "") }},
		{"new direct conversation", func(w *walker) { w.presses("rooms.new"); w.finds("dialog button.person", "Bo") }},
		{"new group", func(w *walker) {
			w.presses("rooms.new")
			w.click("dialog label", w.word("kind.group"))
			w.click("dialog button.person", "Bo")
		}},
		{"browse", func(w *walker) { w.presses("rooms.browse"); w.finds("dialog .discover", "channel") }},
		{"profile", func(w *walker) { w.goes("profile.title") }},
		{"change password", func(w *walker) { w.goes("profile.title"); w.click(".page summary", "") }},
		{"devices", func(w *walker) { w.goes("devices.title"); w.finds(".device", "Chrome") }},
		{"log out other devices", func(w *walker) {
			w.goes("devices.title")
			w.presses("devices.all")
			w.finds("dialog p", w.word("devices.all.about"))
		}},
		{"people", func(w *walker) { w.goes("people.title"); w.finds(".folk .person", "Bo") }},
		{"department", func(w *walker) {
			w.goes("people.title")
			w.click("[role=treeitem]", "Sales")
			w.finds(".folk .person", "Bo")
		}},
		{"new department", func(w *walker) {
			w.goes("people.title")
			w.presses("people.manage")
			w.presses("people.newdepartment")
			w.finds("dialog select", "")
		}},
		{"new account", func(w *walker) { w.goes("people.title"); w.presses("account.new"); w.finds("dialog select", "") }},
		{"card of a person", func(w *walker) {
			w.goes("people.title")
			w.click(".folk .person", "Bo")
			w.click("dialog summary", "")
			w.finds("dialog .device", "")
			w.finds("dialog dd", "Sales")
		}},
		{"edit an account", func(w *walker) {
			w.goes("people.title")
			w.click(".folk .person", "Bo")
			w.presses("card.edit")
			w.finds("dialog select", "")
		}},
		{"disable an account", func(w *walker) {
			w.goes("people.title")
			w.click(".folk .person", "Bo")
			w.presses("account.disable")
			w.finds("dialog p", w.word("account.disable.about"))
		}},
		{"invitations", func(w *walker) { w.chooses("menu.invite"); w.finds("dialog button", w.word("invites.create")) }},
		{"new invitation", func(w *walker) {
			w.chooses("menu.invite")
			w.finds("dialog .discover", w.word("invites.row"))
			w.presses("invites.create")
			w.until("the QR code", `document.querySelector(".fresh img").naturalWidth > 0`)
		}},
		{"log out", func(w *walker) { w.chooses("menu.logout") }},
		{"keys", func(w *walker) {
			w.run(`document.activeElement.blur()`)
			w.key("?", "Slash", 191, "?")
			w.finds("dialog kbd", "Enter")
		}},
		{"palette", func(w *walker) { w.modified("k", "KeyK", 75); w.finds("dialog [role=option]", "everything") }},
		{"room", func(w *walker) { w.room("everything") }},
		{"every message", func(w *walker) { w.size(w.width, 3000); w.room("everything"); w.sees("plain words") }},
		{"direct conversation", func(w *walker) { w.room("direct") }},
		{"empty room", func(w *walker) { w.room("empty") }},
		{"archived room", func(w *walker) { w.room("archived"); w.finds(".closed", "") }},
		{"announcements", func(w *walker) { w.room("announcements"); w.finds(".closed", "") }},
		{"no such room", func(w *walker) {
			w.run(`location.hash = "#/room/" + "3".repeat(13)`)
			w.finds("main", w.word("room.gone"))
		}},
		{"room menu", func(w *walker) { w.room("everything"); w.presses("room.menu") }},
		{"jump to a date", func(w *walker) { w.room("everything"); w.press("Ctrl+G"); w.finds("dialog input[type=date]", "") }},
		{"notifications of a room", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.click("[role=menuitem]", w.word("rooms.loud"))
			w.finds("dialog input[type=radio]", "")
		}},
		{"members", func(w *walker) { w.room("everything"); w.presses("room.details"); w.finds(".side-pane .person", "Bo") }},
		{"menu of a member", func(w *walker) {
			w.room("everything")
			w.presses("room.details")
			w.click(".side-pane .member .iconbutton", "Bo")
			w.finds("[role=menuitem]", w.word("members.remove.short"))
		}},
		{"settings of a room", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.presses("settings.title")
			w.finds(".side-pane .usage", "KB")
		}},
		{"settings of an archived room", func(w *walker) {
			w.room("archived")
			w.presses("room.menu")
			w.presses("settings.title")
			w.finds(".side-pane button", w.word("settings.restore"))
		}},
		{"integrations", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.presses("hooks.title")
			w.finds(".door", "CI")
		}},
		{"new incoming hook", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.presses("hooks.title")
			w.presses("hooks.new.incoming")
			w.finds("dialog select", "")
		}},
		{"secrets of a hook", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.presses("hooks.title")
			w.click(".door button", "CI")
			w.presses("hooks.rotate.token")
			w.click("dialog button.danger", "")
			w.finds("dialog pre", "curl")
		}},
		{"all integrations", func(w *walker) { w.goes("hooks.title"); w.finds(".door", "CI") }},
		{"thread", func(w *walker) {
			w.room("everything")
			w.click(".thread-foot", "")
			w.finds(".side-pane .message", "in the thread")
		}},
		{"empty thread", func(w *walker) {
			w.room("everything")
			w.acts("my own")
			w.presses("thread.reply")
			w.finds(".side-pane .day", w.word("thread.none"))
		}},
		{"add people", func(w *walker) {
			w.room("everything")
			w.presses("room.details")
			w.presses("members.add")
			w.finds("dialog button.person", "Cai")
		}},
		{"leave", func(w *walker) { w.room("everything"); w.presses("room.details"); w.presses("members.leave") }},
		{"pinned messages", func(w *walker) {
			w.room("everything")
			w.presses("room.menu")
			w.presses("pins.title")
			w.finds("aside .hit", "pinned")
		}},
		{"menu of a message", func(w *walker) { w.room("everything"); w.acts("my own") }},
		{"where a message is", func(w *walker) {
			w.room("everything")
			w.acts("my own")
			w.presses("action.info")
			w.finds(".side-pane .ladder", w.word("step.stored"))
		}},
		{"take back", func(w *walker) { w.room("everything"); w.acts("my own"); w.presses("action.recall") }},
		{"reply", func(w *walker) { w.room("everything"); w.acts("plain words"); w.presses("action.reply") }},
		{"edit", func(w *walker) { w.room("everything"); w.acts("my own"); w.presses("action.edit") }},
		{"people to mention", func(w *walker) { w.room("empty"); w.writes("@"); w.finds(".suggest li", "Bo") }},
		{"attached file", func(w *walker) { w.room("empty"); w.attaches(w.file); w.finds(".tray li", "holiday") }},
		{"without a connection", func(w *walker) {
			w.room("empty")
			w.network(false)
			w.broken()
			w.says("later")
			w.finds(".pending", "later")
		}},
		{"reference", func(w *walker) { w.open("/api/reference") }},
		{"nothing there", func(w *walker) { w.expects(`status of 404 .*/nowhere`); w.open("/nowhere") }},
	}
}

// doorViews are what somebody sees who is not logged in. fresh is a server that
// nobody has set up.
func doorViews(fresh *server, invitation string) []view {
	return []view{
		{"login", func(w *walker) { w.open("/"); w.finds("button[type=submit]", w.word("login.button")) }},
		{"wrong password", func(w *walker) {
			w.expects(`status of 401 .*/api/session\.login`)
			w.open("/")
			w.fill("input[name=login]", "ann")
			w.fill("input[name=password]", "not this one")
			w.click("button[type=submit]", "")
			w.until("a refusal", `document.querySelector(".error").textContent`)
		}},
		{"invitation", func(w *walker) {
			w.open("/#/invite/" + invitation)
			w.finds("button[type=submit]", w.word("invite.button"))
		}},
		{"bad invitation", func(w *walker) {
			w.expects(`status of 4\d\d .*/api/invite\.show`)
			w.open("/#/invite/bad")
			w.finds("[role=alert]", "")
		}},
		{"before the setup", func(w *walker) { w.open(fresh.url()); w.finds("form", "") }},
		{"setup", func(w *walker) {
			w.open(fresh.url() + "/#" + fresh.setup)
			w.finds("button[type=submit]", w.word("setup.button"))
		}},
	}
}

// Every page in both languages, light and dark, wide and narrow: nothing for
// axe-core to find, nothing to scroll sideways, no complaint in the console.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	rooms := o.furnish()
	fresh := serve(t, "watch.enabled=false") // nobody is there yet to be told of a busy machine
	invited, err := askFor[wire.InviteResult](o.owner, "invite.create", wire.InviteCreate{Uses: 1000})
	must(t, err)
	_, code, _ := strings.Cut(invited.Invite.URL, "#/invite/")
	for _, lang := range []string{"en", "zh"} {
		for _, width := range []int64{1280, 360} {
			t.Run(fmt.Sprintf("%s-%d", lang, width), func(t *testing.T) {
				t.Parallel()
				w := &walker{tab: shared.tab(t, "ann", o.url()), lang: lang, width: width, rooms: rooms, file: picture(t)}
				w.speaks(map[string]string{"en": "en-GB", "zh": "zh-CN"}[lang])
				w.size(width, 800)
				w.expects(notLoggedIn)
				for _, v := range doorViews(fresh, code) {
					w.open("about:blank")
					w.looksAt(v)
				}
				w.logsIn("ann")
				for _, v := range append(chatViews(), composeViews()...) {
					w.home()
					w.looksAt(v)
				}
			})
		}
	}
}

// walker walks through the pages.
type walker struct {
	*tab
	lang  string
	width int64
	rooms map[string]id.ID
	file  string // a picture
}

func (w *walker) looksAt(v view) {
	w.t.Helper()
	v.open(w)
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(scheme)
		w.still()
		page := v.name + ", " + scheme
		w.accessible(page)
		if w.width == 360 {
			w.fits(v.name, scheme == "dark")
		} else if over := ask[int](w.tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			w.t.Errorf("%s is %d pixels too wide", page, over)
		}

	}
}

// home is the list of rooms with nothing else open.
func (w *walker) home() {
	w.t.Helper()
	w.network(true)
	w.size(w.width, 800)
	if !ask[bool](w.tab, `!!document.querySelector(".chat")`) {
		w.open("/")
		w.online()
	}
	w.run(`{ for (const d of document.querySelectorAll("dialog")) d.close();
document.querySelector(".popup")?.remove();
const filter = document.querySelector(".side input[type=search]");
filter.value = "";
filter.dispatchEvent(new Event("input"));
const draft = document.querySelector(".composer textarea");
if (draft) { draft.value = ""; draft.dispatchEvent(new Event("input")) }
location.hash = "#/" }`)
	w.until("the list alone", `!document.querySelector(".composer, dialog") && document.querySelector(".rooms a")`)
	w.online()
}

// modified presses a key with Ctrl.
func (w *walker) modified(key, code string, number int64) {
	w.t.Helper()
	command(w.tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: 2})
	command(w.tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: number})
}

func (w *walker) word(key string) string {
	w.t.Helper()
	return word(w.t, w.lang, key)
}

// presses presses the button that is called so.
func (w *walker) presses(key string) {
	w.t.Helper()
	w.click("button", w.word(key))
}

// chooses chooses from the menu of the list of rooms.
func (w *walker) chooses(key string) {
	w.t.Helper()
	w.presses("rooms.menu")
	w.click("[role=menuitem]", w.word(key))
	w.finds("dialog h2", "")
}

// goes opens a page from the menu of the list of rooms.
func (w *walker) goes(key string) {
	w.t.Helper()
	w.presses("rooms.menu")
	w.click("[role=menuitem]", w.word(key))
	w.finds("main h1", w.word(key))
}

// room opens one of the rooms.
func (w *walker) room(name string) {
	w.t.Helper()
	w.run(`location.hash = "#/room/` + w.rooms[name].String() + `"`)
	w.until("the room", `document.querySelector(".entries").children.length > 0`)
}

// acts opens the menu of a message.
func (w *walker) acts(text string) {
	w.t.Helper()
	w.until("the message "+text, arrived(text)+`.length === 1`)
	w.run(arrived(text) + `[0].closest(".message").id = "chosen"`)
	w.click("#chosen .actions", "")
	w.finds(".popup button", "")
}

func askFor[R any](p *person, method string, params any) (R, error) {
	var r R
	err := p.Call(background(p.t), method, params, &r)
	return r, err
}

// furnish makes rooms of every kind, one of them with entries of every kind.
func (o *office) furnish() map[string]id.ID {
	t := o.t
	bo := o.hire("bo", "Bo Lin", client.Options{})
	o.account("cai", "蔡 Cai")
	all := o.group("everything 全部", bo.user.ID)
	ann := o.owner
	call := func(p *person, method string, params any) {
		t.Helper()
		must(t, p.Call(background(t), method, params, nil))
	}
	bo.says(all.ID, "plain words")
	bo.says(all.ID, "**bold** *slanted* ~~gone~~ `code` [a link](https://example.org) https://example.org/x\n\n> quoted\n\n1. one\n2. two\n\n- a\n- b\n\n```\nfunc main() {}\n```")
	call(bo, "message.react", wire.ReactParams{Message: bo.says(all.ID, "hello @ann and @all").ID, Emoji: "👍", On: true})
	mine := ann.says(all.ID, "my own")
	call(bo, "message.react", wire.ReactParams{Message: mine.ID, Emoji: "👍", On: true})
	call(ann, "message.react", wire.ReactParams{Message: mine.ID, Emoji: "👍", On: true})
	passed := bo.says(all.ID, "worth passing on")
	for _, p := range []*person{ann, bo} {
		_, err := p.SendMessage(background(t), wire.SendParams{Room: all.ID, Text: "an answer of " + p.login, ReplyTo: mine.Seq})
		must(t, err)
		p.uploads(all.ID, "报告 report.pdf", bytesOf(3000))
		edited := p.says(all.ID, "wrng")
		call(p, "message.edit", wire.EditParams{Message: edited.ID, Text: "wrong"})
		call(p, "message.recall", wire.MessageParam{Message: p.says(all.ID, "taken back").ID})
		call(p, "message.forward", wire.ForwardParams{Message: passed.ID, Room: all.ID, Key: client.NewKey()})
	}
	call(ann, "message.pin", wire.PinParams{Message: bo.says(all.ID, "pinned").ID, On: true})
	content, err := os.ReadFile(picture(t))
	must(t, err)
	f, err := bo.HTTP.Upload(background(t), bytes.NewReader(content), "holiday.png", "")
	must(t, err)
	_, err = bo.SendMessage(background(t), wire.SendParams{Room: all.ID, Text: "假期", Files: []id.ID{f.ID}})
	must(t, err)
	for _, text := range []string{"in the thread", "回复"} {
		_, err = bo.SendMessage(background(t), wire.SendParams{Room: all.ID, Text: text, Thread: passed.Seq})
		must(t, err)
	}
	call(ann, "hook.create", wire.HookCreate{Kind: "incoming", Room: all.ID, Name: "CI", Description: "构建 builds", Sign: true, Keywords: []string{"build"}})
	head, err := askFor[wire.DepartmentResult](ann, "department.put", wire.DepartmentPut{Name: "总部 Head office"})
	must(t, err)
	sales, err := askFor[wire.DepartmentResult](ann, "department.put", wire.DepartmentPut{Name: "Sales", Parent: head.Department.ID})
	must(t, err)
	call(ann, "user.update", wire.UserUpdate{User: bo.user.ID, Department: &sales.Department.ID})
	name, topic, yes := "everything", "what it is all about", true
	call(ann, "room.update", wire.RoomUpdate{Room: all.ID, Name: &name, Topic: &topic})

	direct, empty, archived := bo.direct(ann.user.ID), o.group("empty", bo.user.ID), o.group("archived")
	bo.says(direct.ID, "你好")
	call(ann, "room.update", wire.RoomUpdate{Room: archived.ID, Archived: &yes})
	told, err := bo.CreateRoom(background(t), wire.RoomCreate{Kind: wire.Announcement, Name: "announcements"})
	must(t, err)
	bo.says(told.ID, "all well")
	_, err = ann.Join(background(t), told.ID)
	must(t, err)
	_, err = bo.CreateRoom(background(t), wire.RoomCreate{Kind: wire.Channel, Name: "channel", Topic: "open to all"})
	must(t, err)
	return map[string]id.ID{"everything": all.ID, "direct": direct.ID, "empty": empty.ID, "archived": archived.ID, "announcements": told.ID}
}
