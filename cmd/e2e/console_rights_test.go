package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"posthouse/admin"
	"posthouse/appliance/wire"
)

// console is the operator's console as a program sees it that keeps cookies,
// like a browser without script.
type console struct {
	t    *testing.T
	site string
	http *http.Client
	csrf string
}

func newConsole(t *testing.T, site string) *console {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &console{t: t, site: site, http: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}}
}

// fromManyAddresses lets each request come from an address of its own: what an
// address may ask without a login is limited.
func (c *console) fromManyAddresses() {
	var n atomic.Uint32
	c.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, to string) (net.Conn, error) {
		i := n.Add(1)
		from := net.IPv4(127, 0, 1+byte(i>>8), byte(i))
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(ctx, network, to)
	}
}

// ask sends a request; form nil is a GET.
func (c *console) ask(path string, form url.Values, headers ...string) (*http.Response, string) {
	c.t.Helper()
	method, body := "GET", io.Reader(nil)
	if form != nil {
		method, body = "POST", strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(background(c.t), method, c.site+path, body)
	must(c.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", c.site)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	must(c.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(c.t, err)
	return res, string(text)
}

var csrfMeta = regexp.MustCompile(`<meta name="csrf" content="([^"]*)"`)

// login logs in and takes the token of the first page.
func (c *console) login(login string) (*http.Response, string) {
	c.t.Helper()
	res, _ := c.ask("/admin/login", url.Values{"login": {login}, "password": {password}, "to": {"/admin"}})
	if res.StatusCode != http.StatusSeeOther {
		c.t.Fatalf("%s logs in: %s", login, res.Status)
	}
	res, page := c.ask("/admin", nil)
	if m := csrfMeta.FindStringSubmatch(page); m != nil {
		c.csrf = m[1]
	}
	return res, page
}

// example is an address of a route, with something in the place of arguments.
func example(path string) string {
	return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "example")
}

// Owners and admins do everything, auditors see everything and change
// nothing, members and strangers learn nothing.
func TestConsoleRoles(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for login, role := range map[string]wire.Role{"adam": wire.Admin, "aude": wire.Auditor, "mo": wire.Member} {
		_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: login, Name: login, Password: password, Role: role})
		must(t, err)
	}
	inside := map[string]*console{}
	for _, login := range []string{"ann", "adam", "aude"} {
		c := newConsole(t, o.url())
		if res, page := c.login(login); res.StatusCode != 200 || c.csrf == "" || !strings.Contains(page, `id="nav"`) {
			t.Fatalf("%s sees %s", login, res.Status)
		}
		inside[login] = c
	}
	member, stranger := newConsole(t, o.url()), newConsole(t, o.url())
	stranger.fromManyAddresses()
	if res, page := member.login("mo"); res.StatusCode != 404 || strings.Contains(page, `id="nav"`) {
		t.Errorf("a member at /admin: %s", res.Status)
	}
	_, nothing := member.ask("/admin/no/such/page", nil)
	for _, r := range admin.Routes() {
		at := example(r.Path)
		if r.Need == admin.Anyone {
			continue
		}
		var form url.Values
		if r.Method == "POST" {
			form = url.Values{"csrf": {"x"}, "to": {"/admin"}}
		}
		if res, page := member.ask(at, form); res.StatusCode != 404 || withoutTrace(page) != withoutTrace(nothing) {
			t.Errorf("a member at %s %s: %s", r.Method, at, res.Status)
		}
		if res, _ := stranger.ask(at, form); res.StatusCode != 303 && res.StatusCode != 401 || !strings.HasPrefix(res.Header.Get("Location")+"/admin/login", "/admin/login") {
			t.Errorf("a stranger at %s %s: %s, to %q", r.Method, at, res.Status, res.Header.Get("Location"))
		}
		if r.Method == "GET" {
			continue
		}
		if r.Need < admin.Manages && !r.Personal {
			t.Errorf("%s may be posted to by auditors", r.Path)
		}
		if res, _ := inside["ann"].ask(at, form); res.StatusCode != 403 {
			t.Errorf("POST %s with a wrong token: %s", at, res.Status)
		}
		if res, _ := inside["ann"].ask(at, url.Values{"csrf": {inside["ann"].csrf}}, "Origin", "http://evil.example"); res.StatusCode != 403 {
			t.Errorf("POST %s from another site: %s", at, res.Status)
		}
		if r.Personal {
			continue
		}
		aude := inside["aude"]
		if res, _ := aude.ask(at, url.Values{"csrf": {aude.csrf}}); res.StatusCode != 403 {
			t.Errorf("an auditor at POST %s: %s", at, res.Status)
		}
	}
}

var ownAddress = regexp.MustCompile(`<code>[0-9a-f]{16}</code>|name="to" value="[^"]*"`)

// withoutTrace is a page without its trace id and the address it was asked by.
func withoutTrace(page string) string { return ownAddress.ReplaceAllString(page, "") }

// Everything of the console is under a policy without exceptions, and every
// page answers the script with its part alone.
func TestConsolePolicyAndParts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	c := newConsole(t, o.url())
	c.login("ann")
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:|hx-on|hx-vals="js:`)
	for _, r := range admin.Routes() {
		if r.Method != "GET" || strings.Contains(r.Path, "{") || r.Path == "/admin/events" || r.Path == "/admin/find" || r.Path == "/admin/login" {
			continue
		}
		res, page := c.ask(r.Path, nil)
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		policy := res.Header.Get("Content-Security-Policy")
		if policy != admin.Policy || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", r.Path, policy)
		}
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s: %q stands in the page", r.Path, found)
		}
		if n := strings.Count(page, "<h1"); n != 1 {
			t.Errorf("%s: %d headings of the first level", r.Path, n)
		}
		res, part := c.ask(r.Path, nil, "HX-Request", "true")
		if strings.Contains(part, "<html") || !strings.Contains(part, "<h1") || !strings.Contains(res.Header.Get("Vary"), "HX-Request") {
			t.Errorf("%s: the script gets %.200s", r.Path, part)
		}
		if res, whole := c.ask(r.Path, nil, "HX-Request", "true", "HX-History-Restore-Request", "true"); !strings.Contains(whole, "<html") {
			t.Errorf("%s: going back gives %s, not a whole page", r.Path, res.Status)
		}
	}
}

// The console at an address of its own is nowhere else, and a list of
// addresses shuts it.
func TestConsoleApart(t *testing.T) {
	t.Parallel()
	apart := freePort(t)
	o := openOffice(t, "console.listen="+apart)
	if res, page := newConsole(t, o.url()).ask("/admin", nil); res.StatusCode != 404 || strings.Contains(page, "console") {
		t.Errorf("/admin where the chat is: %s", res.Status)
	}
	c := newConsole(t, "https://"+apart)
	if res, page := c.login("ann"); res.StatusCode != 200 || !strings.Contains(page, `id="nav"`) {
		t.Errorf("the console apart: %s", res.Status)
	}
	for _, path := range []string{"/", "/api/reference", "/files/x"} {
		if res, _ := c.ask(path, nil); res.StatusCode != 404 {
			t.Errorf("%s where the console is: %s", path, res.Status)
		}
	}
	shut := openOffice(t, "console.allowed_networks=192.0.2.0/24")
	if res, page := newConsole(t, shut.url()).ask("/admin/login", nil); res.StatusCode != 404 || strings.Contains(page, "password") {
		t.Errorf("the console for an address that is not on the list: %s", res.Status)
	}
	if text := runs(t, nil, "curl", "-s", "--unix-socket", shut.dir+"/posthouse.sock", "http://console/admin"); !strings.Contains(text, `id="nav"`) {
		t.Errorf("the operator's socket gives %.300s", text)
	}
}

// A password is asked for again, is wrong, is right, and leads back.
func TestConsoleAsksForThePasswordAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	c := newConsole(t, o.url())
	c.login("ann")
	give := func(password string) (*http.Response, string) {
		return c.ask("/admin/sudo", url.Values{"csrf": {c.csrf}, "password": {password}, "to": {"/admin/people?q=bo"}})
	}
	if res, page := give("not this one"); res.StatusCode != 422 || !strings.Contains(page, `id="e-password"`) || !strings.Contains(page, `aria-describedby="e-password"`) || strings.Contains(page, "not this one") {
		t.Errorf("a wrong password: %s", res.Status)
	}
	if res, _ := give(password); res.StatusCode != 303 || res.Header.Get("Location") != "/admin/people?q=bo" {
		t.Errorf("the right password: %s, to %s", res.Status, res.Header.Get("Location"))
	}
}

// The stream tells at once, tells again only what changed, and ends with the
// login.
func TestConsoleStream(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	c := newConsole(t, o.url())
	c.login("ann")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	listen := func(last string) *bufio.Scanner {
		req, err := http.NewRequestWithContext(ctx, "GET", o.url()+"/admin/events?topics=badge+overview", nil)
		must(t, err)
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		res, err := c.http.Do(req)
		must(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
			t.Fatalf("the stream: %s %s", res.Status, kind)
		}
		return bufio.NewScanner(res.Body)
	}
	lines := listen("")
	id, badge := "", false
	for !badge && lines.Scan() {
		if found, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = found
		}
		badge = lines.Text() == `data: {"alerts":0}`
	}
	if id == "" || !badge {
		t.Fatalf("no number of alerts comes; id %q, %v", id, lines.Err())
	}
	again := listen(id)
	if res, _ := c.ask("/admin/logout", url.Values{"csrf": {c.csrf}}); res.StatusCode != 303 {
		t.Errorf("log out: %s", res.Status)
	}
	for _, s := range []*bufio.Scanner{lines, again} {
		var got []string
		for s.Scan() {
			got = append(got, s.Text())
		}
		text := strings.Join(got, "\n")
		if !strings.Contains(text, "event: bye\ndata: login") {
			t.Errorf("the stream ends with %.300q", text)
		}
		if s == again && strings.Contains(text, "id: "+id+"\n") {
			t.Errorf("what was seen comes again: %q", text)
		}
	}
	if res, _ := c.ask("/admin/events?topics=badge", nil); res.StatusCode != 401 {
		t.Errorf("a stream of nobody: %s", res.Status)
	}
}
