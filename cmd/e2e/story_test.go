package e2e

import (
	"testing"
	"time"

	devtools "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// A working day of two people in two browsers, in each language: they talk,
// mention, edit, take back, react, answer in a thread, send files by drop and by
// paste, record a voice note, lose the network, reload with a full outbox,
// confirm a notice, search, and log out a stolen device.
func TestWorkingDay(t *testing.T) {
	t.Parallel()
	for lang, tag := range map[string]string{"en": "en-GB", "zh": "zh-CN"} {
		t.Run(lang, func(t *testing.T) {
			o := openOffice(t)
			li := o.account("lilei", "李雷")
			o.group("采购 Purchasing", li.ID)
			chromium := hearing(t)
			day := &workingDay{t: t, o: o, lang: lang}
			for _, who := range []struct {
				p           **tab
				login, name string
			}{{&day.ann, "ann", "ann"}, {&day.li, "lilei", "li"}, {&day.stolen, "lilei", "stolen"}} {
				p := chromium.tab(t, who.name, o.url())
				p.speaks(tag)
				p.size(1280, 800)
				if raced() { // the race detector wants more memory than the maker of thumbnails may have
					p.expects(`status of 422 .*/thumbnail/`)
				}
				p.logsIn(who.login)
				*who.p = p
			}
			day.ann.enters("采购")
			day.talk()
			day.thread()
			day.files()
			day.voice()
			day.offline()
			day.notice()
			day.search()
			day.theft()
		})
	}
}

type workingDay struct {
	t               *testing.T
	o               *office
	lang            string
	ann, li, stolen *tab
}

func (d *workingDay) word(key string) string { return word(d.t, d.lang, key) }

func (d *workingDay) talk() {
	d.ann.says("早上好 @lilei，**合同**到了吗？")
	for _, p := range []*tab{d.li, d.stolen} {
		p.until("the mark of a mention", `document.querySelector("a.room-link .badge.mention")`)
	}
	d.li.enters("采购")
	d.li.until("the mention", `document.querySelector(".message.called .text")?.innerText.includes("合同")`)
	d.stolen.until("no mark any more", `!document.querySelector("a.room-link .badge")`)
	d.li.says("昨天到的，在桌上")
	d.settled("昨天到的，在桌上")
	d.li.choosesFor("昨天到的", d.word("action.edit"))
	d.li.run(`document.querySelector(".composer textarea").select()`)
	d.li.types("昨天到的，在你桌上")
	d.li.enter()
	d.ann.sees("昨天到的，在你桌上")
	d.ann.until("the mark of an edit", finder(".message .mark", d.word("message.edited"))+`.length === 1`)
	d.li.says("写错了")
	d.settled("写错了")
	d.li.choosesFor("写错了", d.word("action.recall"))
	d.li.click("dialog button.danger", d.word("recall.button"))
	d.ann.finds(".message .recalled", d.word("message.recalled"))
	d.ann.until("no trace of it", arrived("写错了")+`.length === 0`)
	d.ann.choosesFor("在你桌上", "👍")
	d.li.until("the reaction", `document.querySelector(".message.mine .reactions button")?.innerText.includes("👍")`)
	d.ann.until("read", `document.querySelector(".message.mine .status.read")`)
}

// settled waits until what li said is read by ann: until then its row changes.
func (d *workingDay) settled(text string) {
	d.ann.sees(text)
	d.li.until("it read", finder(".message.mine", text)+`[0]?.querySelector(".status.read")`)
}

func (d *workingDay) thread() {
	d.li.choosesFor("合同", d.word("thread.reply"))
	d.li.repliesIn("细节在这里谈")
	d.ann.finds(".thread-line", "细节在这里谈")
	d.ann.click(".thread-line", "细节在这里谈")
	d.ann.repliesIn("好")
	d.li.finds(".side-pane .message", "好")
	for _, p := range []*tab{d.ann, d.li} {
		p.key("Escape", "Escape", 27, "")
		p.until("no pane", `document.querySelector(".side-pane").hidden`)
	}
}

func (d *workingDay) files() {
	d.ann.drops(picture(d.t))
	d.ann.finds(".tray .state", d.word("upload.done"))
	_, err := chromedp.CallBrowser(d.ann.ctx, devtools.SetPermission, devtools.SetPermissionParams{Origin: d.o.url(), Setting: "granted",
		BrowserContextID: chromedp.FromContext(d.ann.ctx).BrowserContextID, Permission: &devtools.PermissionDescriptor{Name: "clipboard-write"}})
	must(d.t, err)
	d.ann.run(`(async () => {
	const c = new OffscreenCanvas(40, 30);
	c.getContext("2d").fillRect(0, 0, 20, 20);
	await navigator.clipboard.write([new ClipboardItem({ "image/png": await c.convertToBlob({ type: "image/png" }) })]);
})()`)
	d.ann.click(".composer textarea", "")
	d.ann.pastes()
	d.ann.until("both uploaded", `[...document.querySelectorAll(".tray .state")].filter((e) => e.textContent === `+quoted(d.word("upload.done"))+`).length === 2`)
	d.ann.says("两张照片")
	d.li.sees("两张照片")
	d.li.until("two files", `document.querySelectorAll(".message .files li").length === 2`)
}

func (d *workingDay) voice() {
	d.li.click(".composer .mic", "")
	d.li.until("seconds of sound", `document.querySelector(".voice-panel .voice-time")?.textContent >= "0:03"`)
	d.li.click(".voice-panel .voice-stop", "")
	d.li.click(".voice-panel .voice-send", "")
	d.ann.finds(".message .voice-player", "")
	d.ann.click(".message .voice-player .voice-play", "")
	d.ann.until("the sound go on", `Number(document.querySelector(".message .voice-player input").value) > 100`)
}

func (d *workingDay) offline() {
	d.li.network(false)
	d.li.broken()
	d.li.says("地下室里写的")
	d.li.finds(".pending .status", d.word("status.queued"))
	d.ann.says("你在哪里？")
	d.li.network(true)
	d.li.online()
	d.li.sees("你在哪里？")
	d.ann.sees("地下室里写的")

	// The server is gone when the page is loaded again with a full outbox.
	d.li.expects(refusedConnections)
	d.ann.expects(refusedConnections)
	d.stolen.expects(refusedConnections)
	d.o.kill()
	d.li.broken()
	d.li.says("服务器停了也能写")
	d.li.until("it wait", `document.querySelector(".pending")`)
	d.o.start()
	d.li.reload()
	d.li.online()
	d.ann.online()
	d.ann.sees("服务器停了也能写")
	d.li.until("an empty outbox", `!document.querySelector(".pending")`)
	d.li.until("it once", arrived("服务器停了也能写")+`.length === 1`)
}

func (d *workingDay) notice() {
	d.ann.click("button", d.word("room.menu"))
	d.ann.click("[role=menuitem]", d.word("notices.new.room"))
	d.ann.fill("dialog input[name=title]", "周五停电")
	d.ann.click("dialog textarea[name=text]", "")
	d.ann.types("请保存文件并关机。")
	d.ann.click("dialog button", d.word("notices.compose.send"))
	d.ann.misses("dialog", "")
	d.li.finds(".notice-banner", "周五停电")
	d.li.click(".message .notice-row button", d.word("notices.confirm"))
	d.li.misses(".notice-banner", "")
	d.ann.until("the confirmation", `document.querySelector(".message .count")?.innerText.split("1").length === 3`)
}

func (d *workingDay) search() {
	d.li.chord("f", "KeyF", 70, ctrl)
	d.li.finds(".side-pane .search input", "")
	d.li.types("下室里")
	d.li.hits("地下室里写的")
	d.li.fill(".search input[type=search]", "写错了")
	d.li.finds(".search .hint", "写错了")
	d.li.until("no hit", `document.querySelectorAll(".search .hit").length === 0`)
}

func (d *workingDay) theft() {
	id := ask[string](d.stolen, `fetch("/api/session.me", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }).then((r) => r.json()).then((s) => s.device)`)
	d.stolen.expects(`.*`) // what it is refused from now on
	d.li.open("/#/devices")
	d.li.until("both devices", `document.querySelectorAll(".device").length === 2`)
	began := time.Now()
	d.li.click(".device button", d.word("devices.revoke.short"))
	d.stolen.finds("form input[name=login]", "")
	d.t.Logf("the stolen device %s was out after %v", id, time.Since(began).Round(time.Millisecond))
	d.li.online()
}
