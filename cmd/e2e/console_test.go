package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"

	"posthouse/appliance/client"
)

// logsInConsole logs in at the console's own page.
func (p *tab) logsInConsole(login string) {
	p.t.Helper()
	p.open("/admin/login")
	p.fill("#f-login", login)
	p.fill("#f-password", password)
	p.click("button.primary", "")
	p.until("the console", `location.pathname === "/admin" && document.querySelector("#nav")`)
}

// connected waits until the stream of the page is open, where it has one.
func (p *tab) connected() {
	p.t.Helper()
	p.until("the console's light", `document.querySelector(".light.live") || !document.body.dataset.topics`)
}

// Without script: logging in, reading, searching, the navigation, language and theme,
// a form, a dialog, logging out.
func TestConsoleWithoutScript(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	p := shared.tab(t, "ann", o.url())
	command(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.size(360, 800)
	p.logsInConsole("ann")
	p.click(".person summary", "")
	p.click(".looks button", "中文")
	p.until("Chinese", `document.documentElement.lang === "zh-CN"`)
	p.click(".person summary", "")
	p.click(".looks button", "深色")
	p.until("the dark theme", `document.documentElement.dataset.theme === "dark" && getComputedStyle(document.body).backgroundColor === "rgb(18, 23, 21)"`)
	p.click(".menu-link", "")
	p.click("#nav a", "人员")
	p.fill("#list-q", "lin")
	p.click(".listbar button", "显示")
	p.until("one row", `location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 1`)
	p.open("/admin/gallery")
	p.click("a.danger", "")
	p.finds("dialog h2", "删除示例")
	p.click("dialog a", "取消")
	p.misses("dialog h2", "")
	p.open("/admin")
	p.click(".person summary", "")
	p.click(".person-menu button", "退出登录")
	p.until("the login page", `location.pathname === "/admin/login"`)
	p.open("/admin/people?q=x")
	p.until("the login page, and the way back", `location.pathname === "/admin/login" && document.querySelector("input[name=to]").value === "/admin/people?q=x"`)
}

// With script: the list changes while one types and the address with it, the
// dialog wants the name, the light tells of a break, a page whose login ended
// goes to the door.
func TestConsoleIsLive(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.connected()

	p.open("/admin/people")
	p.connected()
	p.fill("#list-q", "lin")
	p.until("one row without a new page", `location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 1 && document.activeElement.id === "list-q"`)
	p.run(`history.back()`)
	p.until("both rows again", `!location.search.includes("q=lin") && document.querySelectorAll("tbody tr").length === 2`)

	p.open("/admin/gallery")
	p.connected()
	p.click("a.danger", "")
	p.until("a button that waits for the name", `document.querySelector("dialog[open] button.danger").disabled`)
	p.fill("dialog input[name=typed]", "example-1")
	p.until("a button that may be pressed", `!document.querySelector("dialog[open] button.danger").disabled`)
	p.press("Escape")
	p.until("the focus back where it was", `!document.querySelector("dialog[open]") && document.activeElement.matches("a.danger")`)

	p.open("/admin")
	p.connected()
	p.network(false)
	p.until("the light say how old the figures are", `document.querySelector(".light.lost") && document.body.classList.contains("stale")`)
	p.network(true)
	p.until("the light come back by itself", `document.querySelector(".light.live") && !document.body.classList.contains("stale")`)

	q := p.beside(shared)
	q.open("/admin/account")
	q.click(".person summary", "")
	q.click(".person-menu button", "Log out")
	q.until("the login page", `location.pathname === "/admin/login"`)
	p.expects(`status of 401 .*/admin/events`)
	p.until("the other tab at the door", `location.pathname === "/admin/login"`)
}

// A table that comes anew every few seconds leaves a field alone in which an
// input method composes, and takes what was typed along afterwards.
func TestConsoleKeepsWhatIsComposed(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/host")
	p.until("a field to search the programs", `document.querySelector("#machine input.filter")`)
	p.run(`document.querySelector("#machine input.filter").focus()`)
	command(p, input.ImeSetComposition, input.ImeSetCompositionParams{Text: "zhong", SelectionStart: 5, SelectionEnd: 5})
	p.run(`window.field = document.activeElement; window.asked = () => performance.getEntriesByType("resource").filter((e) => e.initiatorType === "fetch" && new URL(e.name).pathname === "/admin/host").length; window.before = asked()`)
	p.until("the page ask twice for the newest figures", `asked() >= before + 2`)
	p.until("what is composed", `field.isConnected && field.value === "zhong" && document.activeElement === field`)
	p.types("中")
	p.until("a new table that is searched for the same", `!field.isConnected && document.activeElement.matches("#machine input.filter") && document.activeElement.value === "中"`)
}
