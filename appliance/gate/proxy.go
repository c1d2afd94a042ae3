package gate

import (
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"
)

// proxied reports whether an address belongs to a reverse proxy whose word is
// taken for who the client is.
func (g *Gate) proxied(a netip.Addr) bool {
	for _, p := range g.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// clientAddress is the address of who sent a request: that of the connection
// or, behind trusted proxies, the last address of X-Forwarded-For that is not
// one of them. A word that is no address ends the search at the proxy that
// said it.
func (g *Gate) clientAddress(ctx *fasthttp.RequestCtx) netip.Addr {
	at := addressOf(ctx.RemoteAddr())
	if !g.proxied(at) {
		return at
	}
	var said []string
	for _, line := range ctx.Request.Header.PeekAll("X-Forwarded-For") {
		said = append(said, strings.Split(string(line), ",")...)
	}
	for i := len(said) - 1; i >= 0; i-- {
		next, ok := forwardedAddress(said[i])
		if !ok {
			return at
		}
		if at = next; !g.proxied(at) {
			return at
		}
	}
	return at
}

// forwardedAddress reads one entry; some proxies add a port.
func forwardedAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}
