package e2e

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"posthouse/appliance/wire"
)

// serveWith starts a server with a configuration file of its own.
func serveWith(t *testing.T, file string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), localAddr: freePort(t), lanAddr: freePort(t), wrap: func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "--config", file) }}
	t.Cleanup(s.end)
	s.start()
	return s
}

// step waits for the wizard to be at a part, at an address of the set-up.
func (p *tab) step(part, title string) {
	p.t.Helper()
	p.until("the part "+part, `location.pathname.startsWith("/admin/setup") && document.querySelector("#part-`+part+` [aria-current=step]") && document.querySelector("#setup-title").innerText === `+quoted(title))
}

// The first owner goes from the setup link through the wizard: names, the host
// name and what another would mean, the certificate that this browser trusts, a
// channel by mail whose answer is shown, an invitation. In between the page is
// loaded again, the server restarted with another language, and a part passed
// over, to which the list of first steps leads back.
func TestSetUpWizard(t *testing.T) {
	t.Parallel()
	mail := openPostOffice(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	must(t, os.WriteFile(file, []byte("[server]\nlanguage = \"en\"\n"), 0o600))
	s := serveWith(t, file)
	chromium := trusting(t, s)
	p := chromium.tab(t, "ann", s.lanURL())
	p.open("/#" + s.setup)
	p.signsUp("Example", "ann", "安娜")
	p.step("name", "Language and name")
	if at := ask[string](p, `location.href`); strings.Contains(at, "#") {
		t.Errorf("the secret of the setup link stays in the address: %s", at)
	}
	p.fill("#f-organisation", "示例医院 Hospital")
	p.click("button.primary", "Save and go on")
	p.step("host", "The name people type")

	p.finds("#host-checks li:first-child .badge.good", "")
	p.finds("#name-trap", "Decide now")
	p.fill("#f-name", "other.lan")
	p.click("button", "Try it, change nothing")
	p.finds("#considered .note.serious", "other.lan is outside")
	p.finds("#considered pre", filepath.Join(s.dir, "tls")+".old")
	p.fill("#f-name", "im."+hostName)
	p.click("button", "Try it, change nothing")
	p.finds("#considered .note.good", "im."+hostName+" fits")
	p.reload()
	p.finds("#considered .note.good", "im."+hostName+" fits")

	// The language is the file's: what it says now is shown, and holds after a restart.
	p.click("#part-name a", "Language and name")
	p.step("name", "Language and name")
	p.click("#change-language summary", "")
	p.finds("#change-language pre", "[server]\nlanguage = \"zh\"")
	must(t, os.WriteFile(file, []byte("[server]\nlanguage = \"french\"\n"), 0o600))
	p.reload()
	p.finds("#setting-server-language.critical", "language")
	must(t, os.WriteFile(file, []byte("[server]\nlanguage = \"zh\"\n"), 0o600))
	p.reload()
	p.finds("#setting-server-language.info", `"zh"`)
	p.expects(refusedConnections)
	s.stop()
	s.start()
	p.open("/admin/setup")
	p.step("host", "大家输入的名字")
	p.click("#part-name a", "语言与名称")
	p.step("name", "语言与名称")
	p.finds(".facts code", `server.language = "zh"`)
	p.misses("#setting-server-language", "")
	p.until("the name that was given", `document.querySelector("#f-organisation").value === "示例医院 Hospital"`)
	p.click("#setup-next", "继续")
	p.step("host", "大家输入的名字")
	p.click("button.primary", "确认无误，继续")

	p.step("certificate", "证书")
	p.until("this browser trusted", `document.querySelector("#trust").dataset.state === "good"`)
	p.finds("#fingerprint", s.fingerprint())
	p.click("button", "暂时跳过")

	p.step("notices", "通知谁")
	p.run(`document.querySelector("select[name=kind]").value = "email"`)
	p.click("form[method=get] button", "选择")
	p.finds("#f-set-host", "")
	for field, value := range map[string]string{"name": "ops mail", "set-host": "localhost", "set-port": mail.port, "set-user": "ops", "set-password": "another word", "set-from": "box@example.com", "set-to": "ops@example.com", "set-ca": mail.ca} {
		p.run(`document.querySelector(` + quoted("#f-"+field) + `).value = ` + quoted(value))
	}
	p.click("#new-channel button", "发送测试")
	p.finds("#test-answer.critical", "535")
	p.fill("#f-set-password", secretWord)
	p.click("#new-channel button", "发送测试")
	p.finds("#test-answer.good", "taken as 4711")
	mail.delivers(t)
	p.misses("#part-notices .badge", "已完成")
	p.click("#new-channel button.primary", "保存")
	p.finds("#part-notices .badge.good", "已完成")
	p.click(".setup-channels button", "发送测试：ops mail")
	p.finds("#test-answer.good", "taken as 4711")
	mail.delivers(t)
	p.click("#setup-next", "继续")

	p.step("people", "首批成员")
	p.click("form[action$=invitation] button", "生成链接")
	p.fill("#sudo input[type=password]", password)
	p.click("#sudo button", "")
	p.until("the invitation", `document.querySelector("#invitation img")?.naturalWidth > 0`)
	link := ask[string](p, `document.querySelector("#invite-link").value`)
	if !strings.HasPrefix(link, s.lanURL()+"/#/invite/") {
		t.Errorf("the invitation leads to %s", link)
	}
	bo := chromium.tab(t, "bo", s.lanURL())
	bo.open(link)
	bo.entersOffice("", "bo", "Bo Lin")
	p.click("#setup-next", "继续")

	p.step("finish", "完成")
	p.finds("#setup-left a", "证书")
	p.misses("#setup-complete", "")
	p.click("a.primary", "前往概览")
	p.finds("#step-certificate .badge", "已跳过")
	p.finds("#step-people .badge.good", "")
	p.click("#step-certificate a", "证书")
	p.step("certificate", "证书")
	p.click("button.primary", "确认无误，继续")
	p.step("finish", "完成")
	p.finds("#setup-complete", "初始设置已完成")
	p.open("/admin")
	p.finds("#step-certificate .badge.good", "")
	p.open("/admin/audit?q=setup")
	p.finds("main td", "setup.skipped")
	p.finds("main td", "setup.done")
}

// fingerprint is that of the authority, as a person compares it.
func (s *server) fingerprint() string {
	s.t.Helper()
	res, err := http.Get(s.url() + "/ca.crt")
	must(s.t, err)
	defer res.Body.Close()
	der, err := io.ReadAll(res.Body)
	must(s.t, err)
	sum := sha256.Sum256(der)
	return strings.TrimSuffix(regexp.MustCompile(`..`).ReplaceAllString(fmt.Sprintf("%X", sum), "$0:"), ":")
}

var currentPart = regexp.MustCompile(`id="part-(\w+)">\s*<a href="[^"]*" aria-current="step"`)

// Without script, as forms alone: what is filled in wrongly, where it goes on,
// that another device goes on at the same place, and that an auditor sees all of
// it and is offered nothing.
func TestSetUpByForms(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: "aude", Name: "aude", Password: password, Role: wire.Auditor})
	must(t, err)
	ann, again, aude := newConsole(t, o.url()), newConsole(t, o.url()), newConsole(t, o.url())
	for login, c := range map[string][]*console{"ann": {ann, again}, "aude": {aude}} {
		for _, c := range c {
			c.login(login)
		}
	}
	at := func(c *console, path string) string {
		t.Helper()
		res, page := c.ask(path, nil)
		m := currentPart.FindStringSubmatch(page)
		if res.StatusCode != http.StatusOK || m == nil {
			t.Fatalf("%s: %s, no part", path, res.Status)
		}
		return m[1]
	}
	do := func(part string, status int, to string, pairs ...string) string {
		t.Helper()
		form := url.Values{"csrf": {ann.csrf}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		res, page := ann.ask("/admin/setup/"+part, form)
		if res.StatusCode != status || res.Header.Get("Location") != to {
			t.Errorf("%s %v: %s, to %q", part, pairs, res.Status, res.Header.Get("Location"))
		}
		return page
	}
	if part := at(ann, "/admin/setup"); part != "name" {
		t.Errorf("it begins with %s", part)
	}
	if page := do("name", 422, "", "do", "rename", "organisation", strings.Repeat("x", 300)); !strings.Contains(page, `id="e-organisation"`) {
		t.Error("it is not said what is wrong with the name")
	}
	do("name", 303, "/admin/setup/host", "do", "rename", "organisation", "Example")
	do("host", 303, "/admin/setup/certificate", "do", "skipped")
	if part := at(again, "/admin/setup"); part != "certificate" {
		t.Errorf("another device goes on at %s", part)
	}
	if page := do("people/invitation", 422, "", "hours", "9999", "uses", "1"); !strings.Contains(page, `id="e-hours"`) {
		t.Error("it is not said what is wrong with the hours")
	}
	do("people", 422, "", "do", "done") // only the box knows that
	do("finish", 422, "", "do", "skipped")
	do("nowhere", 404, "", "do", "done")
	do("certificate", 303, "/admin/setup/notices", "do", "done")
	do("notices", 303, "/admin/setup/people", "do", "skipped")
	do("people", 303, "/admin/setup/finish", "do", "skipped")
	if part := at(again, "/admin/setup"); part != "finish" {
		t.Errorf("with nothing open it is at %s", part)
	}
	do("host", 303, "/admin/setup/host", "do", "open")
	if part := at(again, "/admin/setup"); part != "host" {
		t.Errorf("what was taken back is not gone on with: %s", part)
	}
	for _, part := range []string{"name", "host", "certificate", "notices", "people", "finish"} {
		at(aude, "/admin/setup/"+part)
		if _, page := aude.ask("/admin/setup/"+part, nil); strings.Contains(page, `method="post" action="/admin/setup`) {
			t.Errorf("an auditor is offered to change something at %s", part)
		}
	}
	if _, page := ann.ask("/admin", nil); strings.Count(page, `href="/admin/setup/notices"`) == 0 {
		t.Error("the list of first steps does not lead to the set-up")
	}
}

// Where the console has an address of its own, or is shut to the first owner's
// address, that is said, and the chat is the way on.
func TestSetUpWithTheConsoleElsewhere(t *testing.T) {
	t.Parallel()
	apart := freePort(t)
	for name, setting := range map[string]string{"apart": "console.listen=" + apart, "shut": "console.allowed_networks=192.0.2.0/24"} {
		s := serve(t, setting)
		p := shared.tab(t, name, s.url())
		p.open("/#" + s.setup)
		p.signsUp("Example", "ann", "Ann")
		p.finds("h1", "You are the owner")
		if _, port, _ := strings.Cut(apart, ":"); name == "apart" {
			p.finds(".hint", "https://"+hostName+":"+port+"/admin/setup")
		} else {
			p.finds("p", "console.allowed_networks")
			p.misses("a", "Go on in the console")
		}
		p.click("button", "To the chat")
		p.online()
	}
}
