package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// A phone of 360 pixels shows every page without scrolling sideways, in light
// and dark, with words and addresses that do not break by themselves.
func TestNarrowScreen(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("a-login-name-that-is-as-long-as-one-may-be-0123456789", "名字很长的同事 With-A-Very-Long-Unbreakable-Display-Name-Indeed", client.Options{})
	room := bo.direct(o.owner.user.ID)
	bo.says(room.ID, "https://chat.lan/"+strings.Repeat("a-path-without-an-end/", 20))
	bo.says(room.ID, "```\n"+strings.Repeat("a line of code that is much longer than the screen ", 6)+"\n```\n\n> "+strings.Repeat("quoted", 60))
	bo.says(room.ID, strings.Repeat("没有空格的中文句子也必须换行", 12))
	bo.uploads(room.ID, "a-file-name-"+strings.Repeat("that-goes-on-", 15)+".bin", bytesOf(1000))
	ann := shared.tab(t, "ann", o.url())
	ann.size(360, 740)
	for _, scheme := range []string{"light", "dark"} {
		ann.scheme(scheme)
		dark := scheme == "dark"
		ann.expects(notLoggedIn)
		ann.open("/")
		ann.finds("input[name=login]", "")
		ann.fits("login", dark)
		ann.fillsLogin("ann")
		ann.online()
		ann.fits("rooms", dark)
		ann.click("button", "Menu")
		ann.finds("[role=menuitem]", "Log out")
		ann.fits("menu", dark)
		ann.click("[role=menuitem]", "Invite people")
		ann.finds("dialog h2", "Invite people")
		ann.fits("invite", dark)
		ann.click("dialog button", "Close")
		for _, item := range []string{"Profile", "Devices", "People and departments"} {
			ann.click("button", "Menu")
			ann.click("[role=menuitem]", item)
			ann.finds(".page", "")
			ann.finds("main h1", item)
			ann.until("its content", `!document.querySelector(".page").innerText.includes("Loading")`)
			ann.fits(item, dark)
			ann.click("button", "Back to the list")
		}
		ann.click("button", "Menu")
		ann.key("Escape", "Escape", 27, "")
		ann.click("button", "New conversation")
		ann.finds("dialog button.person", "名字很长")
		ann.fits("new", dark)
		ann.click("dialog button", "Close")
		ann.enters("名字很长")
		ann.finds(".message .file-name", "a-file-name")
		ann.fits("room", dark)
		ann.click("button", "Room details")
		ann.finds(".side-pane .person", "名字很长")
		ann.fits("members", dark)
		ann.click(".side-pane button", "Close")
		ann.click("button", "Back to the list")
		ann.click("button", "Menu")
		ann.click("[role=menuitem]", "Log out")
		ann.finds("dialog h2", "Log out?")
		ann.fits("logout", dark)
		ann.click("dialog button.danger", "Log out")
		ann.until("the door, and no word of a session that ended by itself", `location.hash === "#/login" && document.querySelector("input[name=login]") && !document.body.innerText.includes("has ended")`)
		ann.finds("form button", "Log in")
	}
}

// People without a picture are told apart by their initials, and those with one
// by the picture.
func TestAvatars(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	lei := o.hire("lei", "李雷 Lei Li", client.Options{})
	may := o.hire("may", "Han Meimei", client.Options{})
	for _, p := range []*person{lei, may} {
		p.says(p.direct(o.owner.user.ID).ID, "hello")
	}
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.until("initials", `document.querySelector('[href="#/room/`+lei.direct(o.owner.user.ID).ID.String()+`"] .avatar').textContent === "李雷"`)
	ann.until("initials", `document.querySelector('[href="#/room/`+may.direct(o.owner.user.ID).ID.String()+`"] .avatar').textContent === "HM"`)
	if raced() {
		return // no thumbnails then, see TestFirstDay
	}
	content, err := os.ReadFile(picture(t))
	must(t, err)
	face, err := may.HTTP.Upload(background(t), bytes.NewReader(content), "may.png", "")
	must(t, err)
	must(t, may.Call(background(t), "account.update", wire.ProfileParams{Avatar: &face.ID}, nil))
	ann.until("the picture", `document.querySelector("img.avatar")?.naturalWidth > 0`)
}

// fits wants nothing to stick out of the screen, and light text on dark or the
// other way round.
func (p *tab) fits(page string, dark bool) {
	p.t.Helper()
	p.shot(fmt.Sprintf("%s-dark-%v", page, dark))
	type look struct {
		Width, Screen int
		Wide          string
		Lightness     float64
	}
	got := ask[look](p, `(() => {
	const d = document.documentElement;
	// What a line of code or a shortened name hides is meant to be hidden; what a page or list hides is lost.
	const inScroller = (e) => { for (let x = e.parentElement; x; x = x.parentElement) if (!x.matches("main, nav, dialog, .chat, .timeline, .scroller, .dialog-body, .rooms, .composer, body, html") && ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(x).overflowX)) return true; return false };
	const wide = [...document.querySelectorAll("body *")].filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".sr, .skip, .offscreen") && !inScroller(e));
	const rgb = getComputedStyle(document.querySelector("dialog[open], .card, .chat") ?? document.body).backgroundColor.match(/[\d.]+/g).map(Number);
	const all = rgb.length === 4 && rgb[3] === 0 ? getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number) : rgb;
	return { Width: Math.max(d.scrollWidth, document.body.scrollWidth), Screen: innerWidth, Wide: wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join("\n"), Lightness: (all[0] + all[1] + all[2]) / 765 };
})()`)
	if got.Screen != 360 || got.Width > got.Screen || got.Wide != "" {
		p.t.Errorf("%s is %d wide on a screen of %d:\n%s", page, got.Width, got.Screen, got.Wide)
	}
	if dark == (got.Lightness > 0.5) {
		p.t.Errorf("%s: dark is %v, and the background has a lightness of %.2f", page, dark, got.Lightness)
	}
}
