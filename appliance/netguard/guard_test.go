package netguard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// defaults are the networks that the configuration lists when nobody changed it.
func defaults() []string {
	return []string{Private}
}

func guard(t *testing.T, o Options) *Guard {
	t.Helper()
	if o.Own == nil {
		o.Own = func() ([]net.Addr, error) {
			return []net.Addr{&net.IPNet{IP: net.IPv4(192, 168, 1, 5), Mask: net.CIDRMask(24, 32)}, &net.IPNet{IP: net.ParseIP("fd12::5"), Mask: net.CIDRMask(64, 128)}}, nil
		}
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWhichAddressesMayBeCalled(t *testing.T) {
	everything := []string{"0.0.0.0/0", "::/0"}
	for _, c := range []struct {
		to               string
		byDefault, whole bool // allowed by the default list; when everything is listed
	}{
		{"10.1.2.3:80", true, true}, {"172.16.0.1:80", true, true}, {"172.32.0.1:80", false, true}, {"192.168.1.6:443", true, true},
		{"[fd12::6]:80", true, true}, {"8.8.8.8:443", false, true}, {"[2606:4700::1111]:443", false, true}, {"100.64.0.1:80", false, true},
		{"[::ffff:10.1.2.3]:80", true, true},

		{"127.0.0.1:80", false, false}, {"127.9.9.9:80", false, false}, {"[::1]:80", false, false}, {"[::ffff:127.0.0.1]:80", false, false},
		{"192.168.1.5:80", false, false}, {"[::ffff:192.168.1.5]:80", false, false}, {"[fd12::5]:80", false, false}, // this box
		{"0.0.0.0:80", false, false}, {"[::]:80", false, false}, {"0.1.2.3:80", false, false},
		{"169.254.169.254:80", false, false}, {"[::ffff:169.254.169.254]:80", false, false}, {"[fe80::1]:80", false, false}, {"[fe80::1%eth0]:80", false, false},
		{"[fd00:ec2::254]:80", false, false}, {"100.100.100.200:80", false, false}, {"168.63.129.16:80", false, false}, {"192.0.0.192:80", false, false},
		{"224.0.0.1:80", false, false}, {"[ff02::1]:80", false, false}, {"255.255.255.255:80", false, false}, {"240.0.0.1:80", false, false},
		{"[64:ff9b::a9fe:a9fe]:80", false, false}, {"[64:ff9b::7f00:1]:80", false, false}, {"[64:ff9b:1::1]:80", false, false},
		{"[2002:7f00:1::]:80", false, false}, {"[2001:0:1::1]:80", false, false}, {"[::127.0.0.1]:80", false, false}, {"[::10.0.0.1]:80", false, false},
		{"10.1.2.3:0", false, false},
	} {
		to := netip.MustParseAddrPort(c.to)
		for _, list := range []struct {
			allowed []string
			want    bool
		}{{defaults(), c.byDefault}, {everything, c.whole}, {nil, false}} {
			if err := guard(t, Options{Allowed: list.allowed}).Check(to); (err == nil) != list.want {
				t.Errorf("%s with %v: %v, want allowed %v", c.to, list.allowed, err, list.want)
			}
		}
	}
}

func TestTheBoxItselfOnlyWhenListedByName(t *testing.T) {
	g := guard(t, Options{Allowed: []string{"127.0.0.1", "192.168.1.5/32", "192.168.0.0/16"}, OwnPorts: func() []int { return []int{8443} }})
	for to, want := range map[string]bool{"127.0.0.1:9000": true, "127.0.0.2:9000": false, "192.168.1.5:9000": true, "192.168.1.9:8443": true,
		"127.0.0.1:8443": false, "192.168.1.5:8443": false, "[::1]:9000": false} {
		if err := g.Check(netip.MustParseAddrPort(to)); (err == nil) != want {
			t.Errorf("%s: %v, want allowed %v", to, err, want)
		}
	}
	if err := g.Retune([]string{"10.0.0.0/33"}); err == nil {
		t.Error("a network that is none is taken")
	}
	if err := g.Check(netip.MustParseAddrPort("127.0.0.1:9000")); err != nil {
		t.Errorf("after a refused change: %v", err)
	}
}

func TestWhichURLsMayBeGiven(t *testing.T) {
	g := guard(t, Options{Allowed: defaults()})
	for raw, want := range map[string]bool{
		"http://ci.lan/x": true, "https://10.1.2.3:8443/y?z=1": true, "http://[fd12::6]/": true, "https://例子.lan/": true,
		"ftp://ci.lan/": false, "file:///etc/passwd": false, "javascript:alert(1)": false, "//ci.lan/": false, "http:ci.lan": false, "": false,
		"http://user:pass@ci.lan/": false, "http://": false, "http://ci.lan:99999/": true,
		"http://127.0.0.1/": false, "http://localhost/": false, "http://LOCALHOST./": false, "http://[::1]/": false, "http://169.254.169.254/latest/meta-data/": false,
		"http://2130706433/": false, "http://0x7f000001/": false, "http://017700000001/": false, "http://127.1/": false, "http://0x7f.0.0.1/": false,
		"http://[::ffff:127.0.0.1]/": false, "http://10.1.2.3:99999/": false, "http://ci.lan/ x": false, "http://ci.lan/\nx": false,
	} {
		if err := g.CheckURL(raw); (err == nil) != want {
			t.Errorf("%q: %v, want allowed %v", raw, err, want)
		}
	}
}

// get asks for an address through a guard's client.
func get(g *Guard, to string) (*http.Response, error) {
	res, err := g.Client(5 * time.Second).Get(to)
	if err == nil {
		res.Body.Close()
	}
	return res, err
}

func refusedBy(err error) bool {
	var e *Error
	return errors.As(err, &e)
}

func TestARequestGoesNowhereElse(t *testing.T) {
	asked := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	defer srv.Close()
	closed := guard(t, Options{Allowed: defaults()})
	if _, err := get(closed, srv.URL); !refusedBy(err) {
		t.Errorf("loopback: %v", err)
	}
	t.Setenv("HTTP_PROXY", srv.URL)
	t.Setenv("http_proxy", srv.URL)
	open := guard(t, Options{Allowed: []string{"127.0.0.1"}})
	if _, err := get(open, "http://169.254.169.254/"); !refusedBy(err) {
		t.Errorf("with a proxy in the environment: %v", err)
	}
	if len(asked) != 0 {
		t.Errorf("%d requests arrived", len(asked))
	}
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", srv.URL + "/again", "file:///etc/passwd"} {
		res, err := get(open, srv.URL+"/first?to="+url.QueryEscape(to))
		if err != nil || res.StatusCode != http.StatusFound {
			t.Errorf("a redirect to %s: %v", to, err)
		}
		if path := <-asked; path != "/first" || len(asked) != 0 {
			t.Errorf("a redirect to %s was followed", to)
		}
	}
}

// answers is a DNS server over UDP that answers every question for an IPv4
// address with the next of a list, and the last for ever.
func answers(t *testing.T, list ...string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-done })
	var asked atomic.Int32
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			if q.Questions[0].Type == dnsmessage.TypeA {
				a := list[min(int(asked.Add(1)), len(list))-1]
				reply.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 0},
					Body: &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()}}}
			}
			raw, err := reply.Pack()
			if err != nil {
				continue
			}
			_, _ = pc.WriteTo(raw, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// A name that pointed to an allowed machine when it was looked at, and points
// into the box when it is called (DNS rebinding), gets nothing.
func TestANameThatChangesItsMind(t *testing.T) {
	arrived := make(chan bool, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- true }))
	defer srv.Close()
	port := strconv.Itoa(srv.Listener.Addr().(*net.TCPAddr).Port)
	resolver := answers(t, "127.0.0.1", "169.254.169.254")
	g := guard(t, Options{Allowed: []string{"127.0.0.1", "10.0.0.0/8"}, Resolver: resolver})
	if err := g.CheckURL("http://rebind.test:" + port); err != nil {
		t.Fatal(err)
	}
	if _, err := get(g, "http://rebind.test:"+port); err != nil || len(arrived) != 1 {
		t.Fatalf("the first answer is allowed: %v", err)
	}
	if _, err := get(g, "http://rebind.test:"+port); !refusedBy(err) {
		t.Errorf("the second leads to a metadata service: %v", err)
	}
	if err := g.Retune(defaults()); err != nil {
		t.Fatal(err)
	}
	inside := guard(t, Options{Allowed: defaults(), Resolver: answers(t, "127.0.0.1")})
	if _, err := get(inside, "http://inside.test:"+port); !refusedBy(err) {
		t.Errorf("a name of the box: %v", err)
	}
	if len(arrived) != 1 {
		t.Errorf("%d requests arrived", len(arrived))
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	if _, err := get(guard(t, Options{Allowed: []string{"127.0.0.1"}}), srv.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if _, err := get(guard(t, Options{Allowed: []string{"127.0.0.1"}, Roots: roots}), srv.URL); err != nil {
		t.Errorf("a certificate of a listed authority: %v", err)
	}
}
