package lancert

import (
	"bytes"
	"crypto/x509"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// maxAddresses bounds a leaf on hosts with hundreds of container networks.
const maxAddresses = 64

func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// asked is the DNS names of the leaf that somebody chose, the host name first.
// An authority that may not sign all of them does not do.
func (o Options) asked() []string {
	names := []string{o.HostName}
	for _, n := range o.ExtraNames {
		names = append(names, canonical(n))
	}
	return unique(append(names, "localhost"))
}

// local is the name that multicast DNS gives this server by itself; empty for
// localhost.
func (o Options) local() string {
	label, _, _ := strings.Cut(o.HostName, ".")
	if label == "localhost" {
		return ""
	}
	return label + ".local"
}

// signed is the DNS names of the leaf: those asked for, and the local name where
// ca may sign it. After a change of the host name within a zone it may not.
func (o Options) signed(ca *x509.Certificate) []string {
	names := o.asked()
	if n := o.local(); n != "" && mayName(ca, n) {
		names = unique(slices.Insert(names, 1, n))
	}
	return names
}

// zones is the DNS subtrees of a new authority.
func (o Options) zones() []string {
	zones := o.asked()
	if n := o.local(); n != "" {
		zones = slices.Insert(zones, 1, n)
	}
	for _, z := range o.ExtraZones {
		zones = append(zones, strings.TrimPrefix(canonical(z), "."))
	}
	return unique(zones)
}

func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// checkName refuses what no authority of ours should ever be made for.
func checkName(name string) *Error {
	ok := name != "" && len(name) <= 253 && net.ParseIP(name) == nil
	for label := range strings.SplitSeq(name, ".") {
		ok = ok && label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-' &&
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	}
	if !ok {
		return fail(say("%q is not a host name", "%q 不是主机名", name), nil)
	}
	if public(name) {
		return fail(say("%q is a domain of the public internet; an authority for it could sign other people's sites. Use %q or a name in your own domain",
			"%q 是公共互联网的域，为它建立的颁发机构可以冒充他人的网站。请使用 %q 或自己域内的名字", name, name+".local"), nil)
	}
	return nil
}

// public says whether name is a domain under which strangers register names.
// A constraint to "chat" or "co.uk" would be no constraint.
func public(name string) bool {
	if name == "home.arpa" { // RFC 8375; the list has it beside real domains
		return false
	}
	suffix, listed := publicsuffix.PublicSuffix(name)
	return suffix == name && (listed || strings.Contains(name, "."))
}

// mayName says whether the constraints of ca permit a DNS name.
func mayName(ca *x509.Certificate, name string) bool {
	return slices.ContainsFunc(ca.PermittedDNSDomains, func(zone string) bool {
		return name == zone || strings.HasSuffix(name, "."+zone)
	})
}

// mayAddress says whether the constraints of ca permit an address.
func mayAddress(ca *x509.Certificate, ip net.IP) bool {
	return slices.ContainsFunc(ca.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
}

// privateRanges is the addresses no public site has.
func privateRanges() []*net.IPNet {
	var out []*net.IPNet
	for _, s := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
		"fc00::/7", "fe80::/10", "::1/128",
	} {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			panic(err) // constants
		}
		out = append(out, n)
	}
	return out
}

// interfaceAddresses is every address of the machine that a browser can open.
func interfaceAddresses() []net.IP {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // a leaf keeps its addresses until new ones are seen
	}
	var out []net.IP
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			out = append(out, n.IP)
		}
	}
	return out
}

// addresses sorts the addresses of the machine into those the leaf names
// (loopback first) and those the authority may not sign.
func addresses(ca *x509.Certificate, machine []net.IP) (in []net.IP, out []string) {
	in = []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}
	machine = slices.Clone(machine)
	slices.SortFunc(machine, func(a, b net.IP) int { return bytes.Compare(a.To16(), b.To16()) })
	for _, ip := range machine {
		if v4 := ip.To4(); v4 != nil {
			ip = v4
		}
		skip := ip.To16() == nil || ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() ||
			ip.To4() == nil && ip.IsLinkLocalUnicast() || slices.ContainsFunc(in, ip.Equal)
		switch {
		case skip:
		case !mayAddress(ca, ip) || len(in) >= maxAddresses:
			out = append(out, ip.String())
		default:
			in = append(in, ip)
		}
	}
	return in, unique(out)
}
