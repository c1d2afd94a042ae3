package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/wire"
)

func TestPost(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	token := f.device(1, 11)
	cookieOf := func(extra ...string) http.Header {
		hd := http.Header{"Cookie": {"posthouse=" + token}}
		for i := 0; i < len(extra); i += 2 {
			hd.Set(extra[i], extra[i+1])
		}
		return hd
	}
	for _, c := range []struct {
		name, method, body string
		header             http.Header
		status             int
		contains           string
	}{
		{"public", "server.info", "", nil, 200, `"version":"test"`},
		{"public with a stale cookie", "server.info", "{}", http.Header{"Cookie": {"posthouse=stale"}, "Sec-Fetch-Site": {"same-origin"}}, 200, `"version"`},
		{"nobody", "session.me", "{}", nil, 401, `"unauthenticated"`},
		{"bearer", "session.me", "{}", bearerHeader(token), 200, `"device"`},
		{"wrong bearer", "session.me", "{}", bearerHeader("x"), 401, `"unauthenticated"`},
		{"cookie alone", "session.me", "{}", cookieOf(), 403, `"forbidden"`},
		{"cookie, same origin", "session.me", "{}", cookieOf("Origin", "http://"+h.addr), 200, `"device"`},
		{"cookie, same origin by fetch", "session.me", "{}", cookieOf("Sec-Fetch-Site", "same-origin"), 200, `"device"`},
		{"cookie, other origin", "session.me", "{}", cookieOf("Origin", "http://evil.example"), 403, `"forbidden"`},
		{"cookie, other scheme", "session.me", "{}", cookieOf("Origin", "https://"+h.addr), 403, `"forbidden"`},
		{"cookie, null origin", "session.me", "{}", cookieOf("Origin", "null", "Sec-Fetch-Site", "same-origin"), 403, `"forbidden"`},
		{"cookie, cross site", "session.me", "{}", cookieOf("Sec-Fetch-Site", "cross-site"), 403, `"forbidden"`},
		{"cookie of the encrypted name", "session.me", "{}", http.Header{"Cookie": {"__Host-posthouse=" + token}, "Sec-Fetch-Site": {"same-origin"}}, 401, ""},
		{"login from another site", "session.login", "{}", http.Header{"Origin": {"http://evil.example"}}, 403, ""},
		{"form", "session.me", "a=b", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/x-www-form-urlencoded"}}, 415, ""},
		{"text", "session.me", "{}", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"text/plain"}}, 415, ""},
		{"charset", "session.me", "{}", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"Application/JSON; charset=utf-8"}}, 200, ""},
		{"socket method", "sync.start", "{}", bearerHeader(token), 400, `WebSocket`},
		{"no such method", "no.such", "{}", bearerHeader(token), 404, `"method_not_found"`},
		{"too large", "session.me", strings.Repeat("x", 2<<20), bearerHeader(token), 413, `"too_large"`},
		{"chinese", "session.me", "{}", http.Header{"Accept-Language": {"fr, zh-CN;q=0.9, en"}}, 401, `请先登录`},
		{"chinese by choice", "session.me", "{}", http.Header{"Accept-Language": {"en"}, "Posthouse-Language": {"zh"}}, 401, `请先登录`},
		{"operator's method", "setup.link", "{}", bearerHeader(token), 403, ""},
		{"foreign host", "server.info", "{}", http.Header{"Host": {"evil.example"}}, 421, ""},
		{"localhost", "server.info", "{}", http.Header{"Host": {"localhost:1"}}, 200, ""},
		{"forwarded", "session.me", "{}", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := h.post(c.method, c.body, c.header)
			if res.StatusCode != c.status || !strings.Contains(body, c.contains) {
				t.Errorf("%s %s, want %d %s", res.Status, body, c.status, c.contains)
			}
			if trace := res.Header.Get("Posthouse-Trace"); len(trace) != 16 {
				t.Errorf("trace %q", trace)
			}
			for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"} {
				if res.Header.Get(name) == "" {
					t.Errorf("no %s", name)
				}
			}
			if server := res.Header.Get("Server"); server != "" {
				t.Errorf("Server: %s", server)
			}
		})
	}
}

func TestLoginCookie(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	res, body := h.post("session.login", `{"login":"a","password":"b","cookie":true}`, http.Header{"Cookie": {"posthouse=chosen"}})
	cookies := res.Cookies()
	if len(cookies) != 1 || cookies[0].Name != "posthouse" || cookies[0].Value != "fresh" || !cookies[0].HttpOnly ||
		cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].MaxAge != 3600 {
		t.Errorf("cookies %v", cookies)
	}
	if strings.Contains(body, "fresh") {
		t.Errorf("the token is in the body: %s", body)
	}
	_, body = h.post("session.login", `{"login":"a","password":"b"}`, nil)
	if !strings.Contains(body, `"token":"fresh"`) {
		t.Errorf("no token: %s", body)
	}
	token := f.device(1, 11)
	res, _ = h.post("session.logout", "{}", http.Header{"Cookie": {"posthouse=" + token}, "Sec-Fetch-Site": {"same-origin"}})
	if c := res.Cookies(); len(c) != 1 || c[0].Value != "" || c[0].Expires.After(time.Now()) {
		t.Errorf("after logout: %v", c)
	}
}

// TestFraming: what two servers could read differently is refused, and nothing
// after it is served.
func TestFraming(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) {
		o.Limits.ReadTimeout = 300 * time.Millisecond
		o.Limits.IdleTimeout = 300 * time.Millisecond
	})
	host := "Host: " + h.addr + "\r\n"
	second := "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	for _, c := range []struct{ name, request, status string }{
		{"both lengths", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second, "400"},
		{"both lengths, odd case", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Type: application/json\r\ntransfer-encoding: chunked\r\ncONTENT-lENGTH: 5\r\n\r\n0\r\n\r\n" + second, "400"},
		{"two lengths", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + second, "400"},
		{"unknown method", "PRI / HTTP/1.1\r\n" + host + "\r\n", "405"},
		{"trace", "TRACE / HTTP/1.1\r\n" + host + "\r\n", "405"},
		{"absolute form", "GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n", "400"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"two hosts", "GET / HTTP/1.1\r\n" + host + "Host: evil.example\r\n\r\n", "400"},
		{"long header", "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 9000) + "\r\n\r\n", "431"},
		{"long address", "GET /" + strings.Repeat("x", 65000) + " HTTP/1.1\r\n" + host + "\r\n", "431"},
		{"huge length", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Length: 100000000000000000000000\r\n\r\n", "400"},
		{"slow header", "GET / HTTP/1.1\r\nX", "408"},
		{"slow body", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{", "408"},
		{"slow long body", "POST /api/server.info HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat(" ", 50000), "400"},
		{"body not read", "POST /api/no.such HTTP/1.1\r\n" + host + "Content-Length: 100000\r\n\r\n" + strings.Repeat(second, 1000), "404"},
		{"body of a GET", "GET /health/live HTTP/1.1\r\n" + host + "Content-Length: 100000\r\n\r\n" + strings.Repeat(second, 1000), "200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := h.raw(c.request)
			if !strings.HasPrefix(out, "HTTP/1.1 "+c.status) {
				t.Errorf("answer %.200q, want %s", out, c.status)
			}
			if n := strings.Count(out, "HTTP/1.1 "); n != 1 {
				t.Errorf("%d answers: %q", n, out)
			}
		})
	}
}

func TestHealthAndMetrics(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	if res, _ := h.request("GET", "/health/live", "", nil); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	if res, _ := h.request("GET", "/health/ready", "", nil); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	f.mu.Lock()
	f.readOnly = errors.New("disk full")
	f.mu.Unlock()
	for _, alias := range []string{"/health", "/api/health"} {
		if res, body := h.request("GET", alias, "", nil); res.StatusCode != 503 || !strings.Contains(body, "disk full") {
			t.Errorf("%s: %s %s", alias, res.Status, body)
		}
	}
	if res, body := h.request("GET", "/health/ready", "", nil); res.StatusCode != 503 || !strings.Contains(body, "disk full") {
		t.Error(res.Status, body)
	}
	_, body := h.request("GET", "/metrics", "", nil)
	for _, want := range []string{"connections_total ", "connections_active ", "im_messages_pushed_total ", "im_active_users_total ",
		`http_requests_total{method="GET",endpoint="/health/live",status="200"} 1`, `session_duration_seconds_bucket{le="+Inf"}`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	for _, path := range []string{"/api/session.login", "/nothing", "/api/uploadsx", "/health/other"} {
		if res, _ := h.request("GET", path, "", nil); res.StatusCode != 404 {
			t.Errorf("GET %s: %s", path, res.Status)
		}
	}
	for _, path := range []string{"/files/x/y", "/api/uploads", "/api/uploads/x", "/files/%2e%2e/x/../y"} {
		if res, _ := h.request("POST", path, "", nil); res.StatusCode == 200 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestStatic(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) {
		o.Static = func(path, lang, enc string) (StaticFile, bool) {
			if path != "/" {
				return StaticFile{}, false
			}
			return StaticFile{Body: []byte("<html>"), Type: "text/html; charset=utf-8", ETag: `"1"`, Language: tongue(lang)}, true
		}
	})
	res, body := h.request("GET", "/", "", http.Header{"Accept-Language": {"zh"}})
	if res.StatusCode != 200 || body != "<html>" || res.Header.Get("Content-Language") != "zh" {
		t.Error(res.Status, body)
	}
	if res, _ := h.request("GET", "/", "", http.Header{"If-None-Match": {`"1"`}}); res.StatusCode != 304 {
		t.Error(res.Status)
	}
	if res, _ := h.request("POST", "/", "", nil); res.StatusCode != 405 {
		t.Error(res.Status)
	}
}

func TestOperatorSocket(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.g.Serve(ln, Unix) }()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	res, err := client.Post("http://box/api/setup.link", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != 200 || !strings.Contains(string(b), "https://box/setup") {
		t.Errorf("%s %s", res.Status, b)
	}
	_ = h.g.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenersRefused(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.g.Serve(ln, LocalHTTP); err == nil {
		t.Error("plain HTTP on all addresses")
	}
	ln, _ = net.Listen("tcp", "127.0.0.1:0")
	if err := h.g.Serve(ln, TLS); err == nil {
		t.Error("TLS without a configuration")
	}
	ln, _ = net.Listen("tcp", "127.0.0.1:0")
	if err := h.g.Serve(ln, Unix); err == nil {
		t.Error("TCP as the operator's socket")
	}
}

func TestLimitsOverHTTP(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) {
		o.Limits.Query = Rate{0.5, 3}
		o.Limits.Auth = Rate{0.1, 2}
		o.Limits.CallTimeout = 50 * time.Millisecond
	})
	f.do = func(c *chat.Call, method string, _ []byte, _ func(any, *wire.Error)) bool {
		return method == "room.list"
	}
	token := f.device(1, 11)
	if res, body := h.post("room.list", "{}", bearerHeader(token)); res.StatusCode != 500 || !strings.Contains(body, "same key") {
		t.Error("no answer:", res.Status, body)
	}
	if calls, failed := h.g.meters.methods["room.list"].Get(), h.g.meters.actions[actionPull].failed.Get(); calls != 1 || failed != 1 {
		t.Errorf("a call without an answer is counted %d times, as a failure %d times", calls, failed)
	}
	var last *http.Response
	var body string
	for range 3 {
		last, body = h.post("session.me", "{}", bearerHeader(token))
	}
	if last.StatusCode != 429 || last.Header.Get("Retry-After") == "" || !strings.Contains(body, "retry_after_ms") {
		t.Error(last.Status, last.Header, body)
	}
	for range 3 {
		last, _ = h.post("session.login", "{}", nil)
	}
	if last.StatusCode != 429 {
		t.Error(last.Status)
	}
	other := f.device(2, 12)
	if res, _ := h.post("session.me", "{}", bearerHeader(other)); res.StatusCode != 200 {
		t.Error("another account is limited too:", res.Status)
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.Limits.ConnectionsPerAddress = 5 })
	h.g.peers.mu.Lock()
	h.g.peers.loopback = true
	h.g.peers.mu.Unlock()
	token := f.device(1, 11)
	var sockets []*strict
	for range 5 {
		sockets = append(sockets, h.connect(token))
	}
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("the sixth connection: %v", err)
	}
	_ = c.Close()
	_ = sockets[0].c.Close()
	eventually(t, "room for another", func() bool { return h.g.peers.size() == 4 })
	h.connect(token).must("sync.ping", struct{}{}, nil)
}
