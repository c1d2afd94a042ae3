package netguard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Error is a refusal in both languages.
type Error struct{ En, Zh string }

// Error is the English sentence.
func (e *Error) Error() string { return e.En }

func refuse(en, zh string, args ...any) error {
	return &Error{fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)}
}

// Options say what may be called.
type Options struct {
	Allowed  []string                   // networks (CIDR) and addresses
	OwnPorts func() []int               // ports that this server listens on; may be nil
	Own      func() ([]net.Addr, error) // addresses of this box; nil: those of its interfaces
	Resolver *net.Resolver              // nil: the system's
	Roots    *x509.CertPool             // nil: the system's
}

// Guard judges addresses. It is safe for concurrent use.
type Guard struct {
	o       Options
	allowed atomic.Pointer[[]netip.Prefix]
}

// New makes a Guard. The error says which network is none.
func New(o Options) (*Guard, error) {
	if o.Own == nil {
		o.Own = net.InterfaceAddrs
	}
	if o.OwnPorts == nil {
		o.OwnPorts = func() []int { return nil }
	}
	g := &Guard{o: o}
	return g, g.Retune(o.Allowed)
}

// Retune sets other networks; at an error the earlier ones stay.
func (g *Guard) Retune(allowed []string) error {
	list := make([]netip.Prefix, 0, len(allowed))
	for _, s := range allowed {
		if s == Private {
			list = append(list, private()...)
			continue
		}
		p, err := Network(s)
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	g.allowed.Store(&list)
	return nil
}

// Private is the private networks of a LAN in Options.Allowed.
const Private = "private"

func private() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7")}
}

// Network reads a network (CIDR) or an address.
func Network(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return p, refuse("%q is no network, such as 10.0.0.0/8 or 192.168.1.7", "%q 不是网段，例如 10.0.0.0/8 或 192.168.1.7", s)
	}
	return p.Masked(), nil
}

// never are the networks that no list opens.
func never() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
		"100.100.100.200/32", "168.63.129.16/32", // metadata services
		"fe80::/10", "fec0::/10", "ff00::/8", "100::/64", "fd00:ec2::254/128",
		"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0:0/96",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Check judges an address that a connection is about to be made to.
func (g *Guard) Check(to netip.AddrPort) error {
	a := to.Addr().WithZone("").Unmap()
	no := func() error {
		return refuse("%s may never be called", "禁止访问 %s", a)
	}
	if to.Port() == 0 || !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
		return no()
	}
	if slices.ContainsFunc(never(), func(p netip.Prefix) bool { return p.Contains(a) }) || a.Is6() && !a.IsLoopback() && netip.MustParsePrefix("::/96").Contains(a) {
		return no()
	}
	own, err := g.own(a)
	if err != nil {
		return err
	}
	if own && slices.Contains(g.o.OwnPorts(), int(to.Port())) {
		return refuse("%s is this server itself", "%s 是本服务器自身", to)
	}
	for _, p := range *g.allowed.Load() {
		switch {
		case !p.Contains(a):
		case a.IsLoopback() && !p.Addr().IsLoopback(), a.IsLoopback() && p.Bits() < 8:
		case own && !a.IsLoopback() && !p.IsSingleIP():
		default:
			return nil
		}
	}
	if own {
		return refuse("%s is this machine; the operator can list it in hooks.allowed_networks", "%s 是本机；可由管理员列入 hooks.allowed_networks", a)
	}
	return refuse("%s is not in hooks.allowed_networks", "%s 不在 hooks.allowed_networks 中", a)
}

func (g *Guard) own(a netip.Addr) (bool, error) {
	if a.IsLoopback() {
		return true, nil
	}
	list, err := g.o.Own()
	if err != nil {
		return false, fmt.Errorf("list own addresses: %w", err)
	}
	for _, x := range list {
		n, ok := x.(*net.IPNet)
		if !ok {
			continue
		}
		if mine, ok := netip.AddrFromSlice(n.IP); ok && mine.Unmap() == a {
			return true, nil
		}
	}
	return false, nil
}

// CheckURL refuses what is no http or https address, or names an address that
// Check refuses. Names are judged when they are resolved, at each request.
func (g *Guard) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > 2000 || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || strings.ContainsAny(raw, " \t\r\n") {
		return refuse("an http or https address of at most 2000 bytes", "须为不超过 2000 字节的 http 或 https 地址")
	}
	if u.User != nil {
		return refuse("no user name or password in the address: it would be shown to others", "地址中不得含用户名或密码，会被他人看到")
	}
	host, port := u.Hostname(), u.Port()
	if host == "" || len(host) > 253 {
		return refuse("an address with a host", "地址须含主机名")
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if a, err := netip.ParseAddr(host); err == nil {
		ap, err := netip.ParseAddrPort(net.JoinHostPort(a.WithZone("").String(), port))
		if err != nil {
			return refuse("an address with a port of 1 to 65535", "端口须为 1 到 65535")
		}
		return g.Check(ap)
	}
	if last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]; strings.Trim(last, "0123456789.") == "" || strings.HasPrefix(strings.ToLower(last), "0x") {
		return refuse("%q is neither a name nor an address as it is written today", "%q 既不是主机名，也不是规范写法的地址", host)
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return g.Check(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 1))
	}
	return nil
}

// control is called with the address that a socket is about to connect to.
func (g *Guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return refuse("%s is not TCP", "%s 不是 TCP", network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address to connect to: %w", err)
	}
	return g.Check(to)
}

// Client is an HTTP client that keeps the rules. A redirect is an answer like
// any other. timeout is of a whole request, its answer included.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: min(timeout, 5*time.Second), KeepAlive: -1, ControlContext: g.control, Resolver: g.o.Resolver}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.o.Roots},
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
			DisableKeepAlives:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
