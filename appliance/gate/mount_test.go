package gate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
)

// mounted is a gate with a mount at /admin that says who came.
func mounted(t *testing.T, change func(*Options, *Mount)) (*house, *fake) {
	t.Helper()
	f := newFake()
	m := Mount{Prefix: "/admin", Serve: func(ctx *fasthttp.RequestCtx, v Visitor) string {
		fmt.Fprintf(ctx, "user %d in %v same %v secure %v proof %v body %q", v.Actor.User, v.LoggedIn, v.SameOrigin, v.Secure, v.Proof != "", ctx.FormValue("name"))
		return "/admin/{page}"
	}}
	h := open4test(t, f, func(o *Options) {
		if change != nil {
			change(o, &m)
		}
		o.Mounts = []Mount{m}
	})
	return h, f
}

func TestAMountHearsWhoIsCalling(t *testing.T) {
	h, f := mounted(t, nil)
	token := f.device(1, 11)
	with := func(pairs ...string) http.Header {
		hd := http.Header{"Cookie": {"posthouse=" + token}, "Content-Type": {"application/x-www-form-urlencoded"}}
		for i := 0; i < len(pairs); i += 2 {
			hd.Set(pairs[i], pairs[i+1])
		}
		return hd
	}
	for _, c := range []struct {
		name, verb, path, body string
		header                 http.Header
		status                 int
		want                   string
	}{
		{"nobody", "GET", "/admin", "", nil, 200, "user 0 in false"},
		{"below", "GET", "/admin/a/b", "", nil, 200, "user 0"},
		{"not quite", "GET", "/administrator", "", nil, 404, "not_found"},
		{"a stale cookie is nobody", "GET", "/admin", "", with("Cookie", "posthouse=stale"), 200, "in false"},
		{"a cookie", "GET", "/admin", "", with(), 200, "user 1 in true same false secure false proof true"},
		{"a token in a header has no proof", "GET", "/admin", "", http.Header{"Authorization": {"Bearer " + token}}, 200, "user 1 in true same false secure false proof false"},
		{"a form of a page of ours", "POST", "/admin", "name=a%26b", with("Origin", "http://"+h.addr), 200, `same true secure false proof true body "a&b"`},
		{"a form by fetch metadata", "POST", "/admin", "name=x", with("Sec-Fetch-Site", "same-origin"), 200, `body "x"`},
		{"a form of another site", "POST", "/admin", "name=x", with("Origin", "http://evil.example"), 403, "forbidden"},
		{"a form without an origin", "POST", "/admin", "name=x", with(), 403, "forbidden"},
		{"a form of nobody without an origin", "POST", "/admin", "name=x", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 403, "forbidden"},
		{"a program's form", "POST", "/admin", "name=x", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/x-www-form-urlencoded"}}, 200, `body "x"`},
		{"a form that is too large", "POST", "/admin", "name=" + strings.Repeat("x", 2<<20), with("Origin", "http://"+h.addr), 413, "too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := h.request(c.verb, c.path, c.body, c.header)
			if res.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%s %s, want %d %s", res.Status, body, c.status, c.want)
			}
		})
	}
	var metrics strings.Builder
	h.g.WriteMetrics(&metrics)
	if !strings.Contains(metrics.String(), `endpoint="/admin/{page}"`) || strings.Contains(metrics.String(), "/admin/a/b") {
		t.Error("the metrics do not name the route, or name the address")
	}
}

func TestAMountMayTurnAddressesAway(t *testing.T) {
	h, _ := mounted(t, func(_ *Options, m *Mount) { m.Allowed = func(a netip.Addr) bool { return !a.IsLoopback() } })
	if res, body := h.request("GET", "/admin", "", nil); res.StatusCode != 404 {
		t.Errorf("turned away with %s %s", res.Status, body)
	}
	path := filepath.Join(t.TempDir(), "sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.g.Serve(ln, Unix) }()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	res, err := client.Get("http://console/admin")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if !strings.Contains(string(body), "user 0 in true") {
		t.Errorf("the operator's socket says %s", body)
	}
	_ = ln.Close()
}

func TestAMountApart(t *testing.T) {
	h, _ := mounted(t, func(o *Options, m *Mount) {
		m.Apart = true
		o.Static = func(path, _, _ string) (StaticFile, bool) {
			return StaticFile{Body: []byte(path), Type: "text/plain"}, path == "/" || path == "/assets/x.js"
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.g.ServeApart(ln, LocalHTTP) }()
	apart := *h
	apart.addr = ln.Addr().String()
	for path, want := range map[string][2]int{"/admin": {404, 200}, "/assets/x.js": {200, 200}, "/": {200, 404}, "/health/live": {200, 200}, "/api/server.info": {404, 404}} {
		for i, at := range []*house{h, &apart} {
			if res, _ := at.request("GET", path, "", nil); res.StatusCode != want[i] {
				t.Errorf("%s at listener %d: %s", path, i, res.Status)
			}
		}
	}
	if res, body := apart.post("server.info", "{}", nil); res.StatusCode == 200 {
		t.Errorf("the listener apart answers calls: %s", body)
	}
	_ = ln.Close()
}

// A stream outlives WriteTimeout, and ends when the gate does.
func TestAStreamOutlivesTheWriteTimeout(t *testing.T) {
	var streams sync.WaitGroup
	h, _ := mounted(t, func(o *Options, m *Mount) {
		o.Limits.WriteTimeout, o.Limits.ReadTimeout, o.Limits.IdleTimeout = 150*time.Millisecond, 150*time.Millisecond, 150*time.Millisecond
		m.Serve = func(ctx *fasthttp.RequestCtx, _ Visitor) string {
			stop := ctx.Done()
			streams.Add(1)
			ctx.SetContentType("text/event-stream")
			ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
				defer streams.Done()
				tick := time.NewTicker(50 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						fmt.Fprint(w, ": still here\n\n")
					case <-stop:
						fmt.Fprint(w, "event: bye\n\n")
						_ = w.Flush()
						return
					}
					if w.Flush() != nil {
						return
					}
				}
			})
			return "/admin/events"
		}
	})
	began := time.Now()
	res, err := http.Get("http://" + h.addr + "/admin/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for n := 0; n < 12; {
		if !lines.Scan() {
			t.Fatalf("the stream ended after %s: %v", time.Since(began), lines.Err())
		}
		if lines.Text() != "" {
			n++
		}
	}
	if lasted := time.Since(began); lasted < 450*time.Millisecond {
		t.Errorf("twelve signs in %s prove nothing", lasted)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- h.g.Drain(ctx) }()
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if last != "event: bye" {
		t.Errorf("the stream ended with %q", last)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	streams.Wait()
}

func TestAMountCallsMethodsAsItsVisitor(t *testing.T) {
	var h *house
	h, f := mounted(t, func(_ *Options, m *Mount) {
		m.Serve = func(ctx *fasthttp.RequestCtx, v Visitor) string {
			var result any
			var err *wire.Error
			switch string(ctx.Path()) {
			case "/admin/login":
				result, err = h.g.Call(ctx, v, "session.login", wire.LoginParams{Login: "a", Password: "b", Cookie: true})
			case "/admin/me":
				result, err = h.g.Call(ctx, v, "session.me", wire.Empty{})
			case "/admin/socket":
				result, err = h.g.Call(ctx, v, "sync.start", wire.Empty{})
			}
			if err != nil {
				ctx.SetStatusCode(err.Kind.Info().Status)
			}
			fmt.Fprintf(ctx, "%+v", result)
			return "/admin"
		}
	})
	token := f.device(1, 11)
	res, body := h.request("POST", "/admin/login", "", http.Header{"Origin": {"http://" + h.addr}})
	if c := res.Header.Get("Set-Cookie"); !strings.HasPrefix(c, "posthouse=fresh;") || !strings.Contains(c, "HttpOnly") || strings.Contains(body, "fresh") {
		t.Errorf("logged in with %q and %s", c, body)
	}
	if res, body := h.request("GET", "/admin/me", "", http.Header{"Cookie": {"posthouse=" + token}}); res.StatusCode != 200 || !strings.Contains(body, "Device:") {
		t.Errorf("who am I: %s %s", res.Status, body)
	}
	if res, _ := h.request("GET", "/admin/socket", "", nil); res.StatusCode != 404 {
		t.Errorf("a method of sockets: %s", res.Status)
	}
}

// A program that the mount knows has a limit of its own, wide enough for a page
// of dashboards; who guesses a secret is a stranger, and takes nothing from it.
func TestAMountKnowsItsPrograms(t *testing.T) {
	h, f := mounted(t, func(o *Options, m *Mount) {
		o.Limits.Public, o.Limits.Programs = Rate{0.001, 3}, Rate{0.001, 40}
		m.Knows = func(_ netip.Addr, authorization string) bool { return authorization == "Bearer right" }
	})
	ask := func(secret string) int {
		res, _ := h.request("GET", "/admin", "", http.Header{"Authorization": {"Bearer " + secret}})
		return res.StatusCode
	}
	guesses := 0
	for i := range 20 {
		if ask(fmt.Sprint("guess", i)) != http.StatusTooManyRequests {
			guesses++
		}
	}
	if guesses > 3 {
		t.Errorf("%d guesses were heard, want 3 at most", guesses)
	}
	for i := range 40 {
		if status := ask("right"); status != http.StatusOK {
			t.Fatalf("request %d of a known program: %d", i, status)
		}
	}
	if status := ask("right"); status != http.StatusTooManyRequests {
		t.Errorf("beyond its limit a program gets %d", status)
	}
	if status := ask(f.device(1, 11)); status != http.StatusOK {
		t.Errorf("a person with a login gets %d", status)
	}
}
