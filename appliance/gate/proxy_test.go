package gate

import (
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"
)

// Who the client is may be said by trusted proxies alone, and only about what
// stands before them.
func TestClientAddress(t *testing.T) {
	g := &Gate{o: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("127.0.0.1/32")}}}
	for _, c := range []struct {
		name, remote string
		said         []string
		want         string
	}{
		{"nobody between", "192.168.1.9", nil, "192.168.1.9"},
		{"anybody says so", "192.168.1.9", []string{"1.2.3.4"}, "192.168.1.9"},
		{"a proxy says nothing", "10.0.0.7", nil, "10.0.0.7"},
		{"a proxy says so", "10.0.0.7", []string{"192.168.1.9"}, "192.168.1.9"},
		{"a client claims more", "10.0.0.7", []string{"1.2.3.4, 192.168.1.9"}, "192.168.1.9"},
		{"two proxies", "10.0.0.7", []string{"1.2.3.4, 192.168.1.9, 10.0.0.8"}, "192.168.1.9"},
		{"two headers", "10.0.0.7", []string{"1.2.3.4", "192.168.1.9"}, "192.168.1.9"},
		{"proxies only", "10.0.0.7", []string{"10.0.0.9, 10.0.0.8"}, "10.0.0.9"},
		{"with a port", "10.0.0.7", []string{"192.168.1.9:5000"}, "192.168.1.9"},
		{"IPv6", "10.0.0.7", []string{"[2001:db8::1]:5000"}, "2001:db8::1"},
		{"IPv6 in brackets", "10.0.0.7", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"mapped", "10.0.0.7", []string{"::ffff:192.168.1.9"}, "192.168.1.9"},
		{"no address", "10.0.0.7", []string{"192.168.1.9, unknown"}, "10.0.0.7"},
		{"empty", "10.0.0.7", []string{""}, "10.0.0.7"},
		{"on this machine", "127.0.0.1", []string{"192.168.1.9"}, "192.168.1.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.remote), Port: 1}, nil)
			for _, line := range c.said {
				ctx.Request.Header.Add("X-Forwarded-For", line)
			}
			if got := g.clientAddress(&ctx); got.String() != c.want {
				t.Errorf("client %s, want %s", got, c.want)
			}
		})
	}
}

func TestRetune(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	next := *h.g.limit()
	next.Query = Rate{0.001, 1}
	next.FrameBytes = 1
	h.g.Retune(next)
	if h.g.limit().FrameBytes == 1 {
		t.Error("a limit that is fixed when the gate opens was changed")
	}
	token := f.device(1, 11)
	if res, body := h.post("session.me", "{}", bearerHeader(token)); res.StatusCode != 200 {
		t.Fatalf("%s %s", res.Status, body)
	}
	if res, body := h.post("session.me", "{}", bearerHeader(token)); res.StatusCode != 429 {
		t.Errorf("the second call in a second: %s %s, want 429", res.Status, body)
	}
}
