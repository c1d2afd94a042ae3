package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// postOffice is a real mail server with STARTTLS that wants the login ops.
type postOffice struct {
	port, ca string
	mail     chan map[string]any
	cmd      *exec.Cmd
}

func openPostOffice(t *testing.T) *postOffice {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	must(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	p := &postOffice{ca: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), mail: make(chan map[string]any, 100)}
	must(t, os.WriteFile(filepath.Join(dir, "cert"), []byte(p.ca), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	p.cmd = exec.Command("/usr/bin/python3", "../../sysmon/notify/testdata/smtpd.py", "auth", filepath.Join(dir, "cert"), filepath.Join(dir, "key"))
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(p.close)
	lines := bufio.NewReader(out)
	p.port, err = lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the mail server did not start (make deps installs python3-aiosmtpd): %v", err)
	}
	p.port = strings.TrimSpace(p.port)
	go func() {
		defer close(p.mail)
		for {
			line, err := lines.ReadBytes('\n')
			m := map[string]any{}
			if err != nil || json.Unmarshal(line, &m) != nil {
				return
			}
			p.mail <- m
		}
	}()
	return p
}

func (p *postOffice) close() {
	_ = p.cmd.Process.Kill() // it may be gone
	_ = p.cmd.Wait()
}

// delivers waits for the next mail.
func (p *postOffice) delivers(t *testing.T) map[string]any {
	t.Helper()
	select {
	case m, ok := <-p.mail:
		if !ok {
			t.Fatal("the mail server has gone")
		}
		return m
	case <-time.After(patience):
		t.Fatal("no mail came")
	}
	return nil
}

// secretWord is the password of the mail server.
const secretWord = "s3cret-word"

// A channel by mail is made in the browser against a real mail server: the test shows its
// answer, the secret does not come back, a wrong password and a server that is
// gone are shown as they are, and a real alert arrives.
func TestAMailChannelIsMadeTestedAndBroken(t *testing.T) {
	t.Parallel()
	mail := openPostOffice(t)
	o := openOffice(t)
	o.hurry()
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/channels")
	p.finds(".alert-card strong", "Operators' room")
	p.run(`document.querySelector("select[name=kind]").value = "email"`)
	p.click("form[action='/admin/channels/edit'] button", "Next")
	p.until("the form of a mail channel", `document.querySelector("#f-set-host")`)
	p.expects(`status of 422 .*/admin/channels/edit`)
	for field, value := range map[string]string{"name": "ops mail", "set-host": "localhost", "set-port": "not a port", "set-user": "ops", "set-password": secretWord, "set-from": "box@example.com", "set-to": "ops@example.com", "set-ca": mail.ca} {
		p.run(`document.querySelector(` + quoted("#f-"+field) + `).value = ` + quoted(value))
	}
	p.run(`document.querySelector("#f-set-port").type = "text"; document.querySelector("#f-set-port").value = "none"`)
	p.click("form.stack button.primary", "Save")
	p.finds("#e-set-port", "whole number")
	p.run(`document.querySelector("#f-set-port").value = ` + quoted(mail.port))
	p.click("form.stack button", "Send a test")
	p.finds("#test-answer.good", "taken as 4711")
	if m := mail.delivers(t); m["login"] != "ops" || m["tls"] != true || !strings.Contains(m["data"].(string), "To: <ops@example.com>") {
		t.Errorf("the mail: %v", m)
	}
	p.click("form.stack button.primary", "Save")
	p.finds(".alert-card strong", "ops mail")

	// The secret is on the disk and nowhere else; the mask stands for it.
	p.click("a.button", "Edit: ops mail")
	p.until("the form again", `document.querySelector("#f-set-host")?.value === "localhost"`)
	if html := ask[string](p, `document.documentElement.outerHTML + [...document.querySelectorAll("input, textarea")].map((e) => e.value).join("\n")`); strings.Contains(html, secretWord) {
		t.Error("the password came back to the page")
	}
	p.click("form.stack button", "Send a test")
	p.finds("#test-answer.good", "taken as 4711")
	mail.delivers(t)
	p.fill("#f-set-password", "another word")
	p.click("form.stack button", "Send a test")
	p.finds("#test-answer.critical", "535")
	if text := ask[string](p, `document.body.innerText`); strings.Contains(text, "another word") {
		t.Error("a secret is in the error")
	}

	// It is chosen for what is critical, and an alert arrives.
	p.open("/admin/channels")
	p.click("fieldset label", "ops mail") // the first are the critical ones
	p.click("form[action='/admin/channels/plan'] button.primary", "Save")
	p.finds(".toast", "Saved")
	p.until("the choice kept", `document.querySelectorAll("input[name^=route-critical-]:checked").length === 2`)
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	if m := mail.delivers(t); !strings.Contains(m["data"].(string), "Subject: ") {
		t.Errorf("the alert by mail: %v", m)
	}
	mail.close()
	p.click("a.button", "Edit: ops mail")
	p.click("form.stack button", "Send a test")
	p.finds("#test-answer.critical", "nothing listens there")
	if raw := ask[string](p, `document.body.innerText`); strings.Contains(raw, secretWord) {
		t.Error("the password is in an error")
	}
}

// Every other kind: the answer of a test that gets through and of one that is
// refused, and secrets that do not come back.
func TestEveryKindOfChannelIsTestedFromTheConsole(t *testing.T) {
	t.Parallel()
	good := map[string]string{"dingtalk": `{"errcode":0,"errmsg":"ok-dingtalk"}`, "wecom": `{"errcode":0,"errmsg":"ok-wecom"}`, "feishu": `{"code":0,"msg":"ok-feishu"}`,
		"sms-aliyun": `{"Code":"OK","Message":"ok-sms-aliyun"}`, "sms": `ok-sms`, "pagerduty": `{"status":"success","message":"ok-pagerduty"}`, "webhook": `ok-webhook`, "am-webhook": `ok-am-webhook`, "alertmanager": `ok-alertmanager`}
	bad := map[string]string{"dingtalk": `{"errcode":310000,"errmsg":"sign not match"}`, "wecom": `{"errcode":93000,"errmsg":"invalid webhook url"}`, "feishu": `{"code":19021,"msg":"sign match fail"}`,
		"sms-aliyun": `{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"limit"}`}
	const secret = "SEC-of-the-channel"
	side := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		way, kind, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		kind, _, _ = strings.Cut(kind, "/")
		body, ok := good[kind], true
		if way == "bad" {
			if body, ok = bad[kind]; !ok {
				http.Error(w, "no such key "+r.Header.Get("Authorization"), http.StatusForbidden)
				return
			}
		}
		_, _ = io.WriteString(w, body) // the server tells what it read
	}))
	t.Cleanup(side.Close)
	o := openOffice(t)
	c := newConsole(t, o.url())
	c.login("ann")
	send := func(kind string, more url.Values) (int, string) {
		form := url.Values{"csrf": {c.csrf}, "kind": {kind}, "name": {"my " + kind}, "lang": {"zh"}, "per_hour": {"60"}}
		for k, v := range more {
			form[k] = v
		}
		res, page := c.ask("/admin/channels/edit", form)
		return res.StatusCode, page
	}
	set := func(way, kind string) url.Values {
		return url.Values{"set-url": {side.URL + "/" + way + "/" + kind}, "set-token": {secret}, "set-secret": {secret}, "set-phones": {"+8613800138000"}, "set-key": {"AK"}, "set-sign": {"Box"}, "set-template": {"SMS_1"}, "set-body": {`{"to":"{phone}","say":"{text}"}`}}
	}
	with := func(v url.Values, key, value string) url.Values { v.Set(key, value); return v }
	for kind := range good {
		if status, page := send(kind, with(set("good", kind), "test", "on")); status != 200 || !strings.Contains(page, `class="note good"`) || !strings.Contains(page, "ok-"+kind) {
			t.Errorf("%s: %d %s", kind, status, part(page, `id="test-answer"`))
		}
		status, page := send(kind, with(set("bad", kind), "test", "on"))
		if status != 200 || !strings.Contains(page, `class="note critical"`) || strings.Contains(part(page, `id="test-answer"`), secret) {
			t.Errorf("%s refused: %d %s", kind, status, part(page, `id="test-answer"`))
		}
		if status, page := send(kind, set("good", kind)); status != 303 {
			t.Errorf("%s is not kept: %d %s", kind, status, part(page, "error"))
		}
	}
	if status, page := send("modem", url.Values{"set-device": {"/dev/no-such-modem"}, "set-baud": {"115200"}, "set-phones": {"+8613800138000"}, "test": {"on"}}); status != 200 || !strings.Contains(part(page, `id="test-answer"`), "no-such-modem") {
		t.Errorf("a modem that is not there: %d %s", status, part(page, `id="test-answer"`))
	}
	for room, want := range map[string]string{"operators": "posted", "no such room": "0 rooms are called so"} {
		if status, page := send("room", url.Values{"set-room": {room}, "lang": {"both"}, "test": {"on"}}); status != 200 || !strings.Contains(part(page, `id="test-answer"`), want) {
			t.Errorf("room %s: %d %s", room, status, part(page, `id="test-answer"`))
		}
	}
	_, list := c.ask("/admin/channels", nil)
	pages := []string{list}
	for _, id := range between(list, "/admin/channels/edit?id=", `"`) {
		res, page := c.ask("/admin/channels/edit?id="+id, nil)
		if res.StatusCode != 200 {
			t.Errorf("%s: %s", id, res.Status)
		}
		pages = append(pages, page)
	}
	if len(pages) != len(good)+2 {
		t.Errorf("%d channels", len(pages)-1)
	}
	for _, page := range pages {
		if strings.Contains(page, secret) {
			t.Errorf("a secret comes back: %s", part(page, secret))
		}
	}
	if _, text := c.ask("/admin/audit?action=channel", nil); strings.Contains(text, secret) || !strings.Contains(text, "channel.test") {
		t.Error("the audit has a secret, or no test")
	}
	if _, text := c.ask("/admin/audit?action=channel&outcome=failed", nil); !strings.Contains(text, "channel.test") {
		t.Error("the audit has no test that failed")
	}
}

// part is what a page says from a mark on.
func part(page, mark string) string {
	i := strings.Index(page, mark)
	if i < 0 {
		return ""
	}
	return page[i:min(len(page), i+600)]
}

// between gives each text between two marks.
func between(page, from, to string) []string {
	var out []string
	for _, rest := range strings.Split(page, from)[1:] {
		text, _, _ := strings.Cut(rest, to)
		out = append(out, text)
	}
	return out
}
