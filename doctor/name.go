package doctor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// lookAtName looks what the host name means on this machine, in the DNS and by
// multicast.
func (d *diagnosis) lookAtName(ctx context.Context) {
	name := d.box.Config.Server.HostName
	looked := d.say.of("host name ", "主机名 ") + name
	if len(d.outward()) == 0 {
		d.well("name", looked, d.say.of("only this machine is served", "只服务本机"))
		return
	}
	mine := lanAddresses()
	label, _, _ := strings.Cut(name, ".")
	local := label + ".local"
	byDNS, byLocal := make(chan []netip.Addr, 1), make(chan []netip.Addr, 1)
	go func() { byDNS <- askNameServers(ctx, name) }()
	go func() { byLocal <- askMulticast(ctx, local) }()
	own := d.addressesHere(ctx, name)
	fromDNS, fromLocal := <-byDNS, <-byLocal
	of := func(list []netip.Addr) bool {
		return slices.ContainsFunc(list, func(a netip.Addr) bool { return slices.Contains(mine, a) })
	}
	elsewhere := slices.DeleteFunc(slices.Concat(fromDNS, own), func(a netip.Addr) bool { return a.IsLoopback() || slices.Contains(mine, a) })
	enter := d.say.ofN("enter %s with %s in the DNS of the LAN (often the router), or install avahi-daemon for %s, or let people open the address", "请在局域网的 DNS（通常是路由器）中登记 %s，地址 %s；或安装 avahi-daemon 以使用 %s；或让大家直接打开地址",
		name, strings.Join(addressTexts(mine), " / "), local)
	switch {
	case len(mine) == 0:
		d.bad("name", looked, d.say.of("this machine has no address in a LAN", "本机没有局域网地址"), d.say.of("look at the cable and the network settings: ip address", "请检查网线和网络设置：ip address"))
	case len(elsewhere) > 0 && !of(fromDNS) && !of(own):
		d.bad("name", looked, d.say.of("it leads to another machine: ", "指向另一台机器：")+strings.Join(addressTexts(elsewhere), " "), enter)
	case of(fromDNS):
		d.well("name", looked, strings.Join(addressTexts(fromDNS), " ")+" (DNS)")
	case of(fromLocal):
		d.well("name", looked, d.say.of("people reach it as ", "可用名字 ")+local+" ("+strings.Join(addressTexts(fromLocal), " ")+")")
	case of(own) || len(own) > 0:
		d.odd("name", looked, d.say.of("only this machine knows it, from /etc/hosts; neither the DNS nor .local does", "只有本机（通过 /etc/hosts）认识它；DNS 和 .local 都没有"), enter)
	default:
		d.bad("name", looked, d.say.of("nobody knows it: neither the DNS nor .local nor /etc/hosts", "无法解析：DNS、.local 和 /etc/hosts 中都没有"), enter)
	}
}

// addressesHere is what this machine takes a name for, as programs on it do.
func (d *diagnosis) addressesHere(ctx context.Context, name string) []netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", name) // a name nobody knows has none
	for i, a := range list {
		list[i] = a.Unmap().WithZone("")
	}
	return list
}

// askNameServers asks the name servers of this machine, past /etc/hosts.
func askNameServers(ctx context.Context, name string) []netip.Addr {
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out []netip.Addr
	for _, full := range c.NameList(name) {
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
			for _, server := range c.Servers {
				q := new(dns.Msg).SetQuestion(dns.Fqdn(full), kind)
				answer, err := dns.ExchangeContext(ctx, q, net.JoinHostPort(server, c.Port))
				if err == nil {
					out = append(out, addressesIn(answer)...)
					break // the first server that answers is who programs ask
				}
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// multicastWait is how long an answer by multicast may take.
const multicastWait = time.Second

// askMulticast asks the LAN for a name under .local (RFC 6762), once, with the
// wish for an answer to this socket alone.
func askMulticast(ctx context.Context, name string) []netip.Addr {
	c, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		return nil
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })
	defer stop()
	const unicastWanted = 1 << 15
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	q.RecursionDesired = false
	q.Question[0].Qclass |= unicastWanted
	raw, err := q.Pack()
	if err != nil || c.SetDeadline(time.Now().Add(multicastWait)) != nil {
		return nil
	}
	if _, err := c.WriteTo(raw, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}); err != nil {
		return nil
	}
	buf := make([]byte, 9000)
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			return nil
		}
		answer := new(dns.Msg)
		if answer.Unpack(buf[:n]) == nil {
			if list := addressesIn(answer); len(list) > 0 {
				return list
			}
		}
	}
}

// addressesIn are those of an answer.
func addressesIn(m *dns.Msg) []netip.Addr {
	var out []netip.Addr
	for _, rr := range m.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	}
	return out
}
