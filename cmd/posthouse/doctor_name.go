package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"posthouse/appliance/lancert"
)

// lookAtCertificate looks at what browsers are shown, without renewing it.
func (d *doctor) lookAtCertificate() {
	if len(d.cfg.Server.Listen) == 0 {
		return // there is no https
	}
	looked := d.say.of("certificate", "证书")
	st, err := d.readCertificate()
	var bad *lancert.Error
	switch {
	case errors.Is(err, fs.ErrNotExist) && !errors.As(err, &bad):
		d.well("certificate", looked, d.say.of("the server makes its authority at the first start", "服务器首次启动时自建颁发机构"))
		return
	case errors.Is(err, fs.ErrPermission):
		d.odd("certificate", looked, d.say.of("this account may not read it", "当前账号无权读取"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
		return
	case err != nil:
		d.bad("certificate", looked, d.say.err(err), d.say.of("the server does not start before that is done", "处理之前服务器无法启动"))
		return
	}
	wrong := d.count(stateBad)
	if st.LastError != nil {
		d.bad("certificate", looked, st.LastError.Text(d.say.lang()), d.say.of("renew the file tls.cert_file; the server takes it within 30 seconds", "请更新 tls.cert_file 指定的文件，服务器会在 30 秒内启用"))
	}
	for _, w := range st.Warnings {
		if st.LastError == nil {
			d.odd("certificate", looked, w.Text(d.say.lang()), d.say.of("people on such devices or addresses are warned by their browser", "使用这些设备或地址的人会看到浏览器警告"))
		}
	}
	d.lookAtKeyFiles(looked)
	if d.count(stateBad) > wrong {
		return
	}
	found := strings.Join(append(slices.Clone(st.Names), st.Addresses...), " ")
	switch {
	case st.NotAfter.IsZero():
		found = d.say.of("made at the next start", "下次启动时签发")
	case st.Source == "local-ca" && time.Now().After(st.NotAfter) && d.runs:
		d.bad("certificate", looked, d.say.of("it ended on ", "已过期：")+when(st.NotAfter.UnixMilli()), d.restart())
		return
	default:
		found = d.say.ofN("until %s for %s", "有效至 %s，名字：%s", when(st.NotAfter.UnixMilli()), found)
	}
	d.well("certificate", looked, found)
}

// readCertificate reads the certificate as the server would, and changes nothing.
func (d *doctor) readCertificate() (lancert.Status, error) {
	opt := lancert.Options{HostName: d.cfg.Server.HostName, ExtraNames: d.cfg.TLS.ExtraNames, ExtraZones: d.cfg.TLS.ExtraZones,
		Organisation: d.cfg.Server.Organisation, LeafDays: d.cfg.TLS.LeafDays}
	if d.cfg.TLS.Mode != "files" {
		return lancert.Look(filepath.Join(d.cfg.Server.DataDir, certDir), opt)
	}
	p, err := lancert.Files(d.cfg.TLS.CertFile, d.cfg.TLS.KeyFile, opt)
	if err != nil {
		return lancert.Status{}, err
	}
	return p.Status(), nil
}

// lookAtKeyFiles looks whether the server's account may read a certificate
// from files.
func (d *doctor) lookAtKeyFiles(looked string) {
	if d.cfg.TLS.Mode != "files" {
		return
	}
	for _, file := range []string{d.cfg.TLS.CertFile, d.cfg.TLS.KeyFile} {
		if at := d.who.unreadable(file); at != "" {
			d.bad("certificate", looked, d.say.ofN("%s, who runs the server, may not read %s", "运行服务器的 %s 无法读取 %s", d.who.name, at),
				d.say.ofN("chgrp %[1]s %[2]s && chmod 640 %[2]s; directories above it: chmod o+x", "chgrp %[1]s %[2]s && chmod 640 %[2]s；其上级目录：chmod o+x", d.who.name, file))
		}
	}
}

// lookAtName looks what the host name means on this machine, in the DNS and by
// multicast.
func (d *doctor) lookAtName(ctx context.Context) {
	name := d.cfg.Server.HostName
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
func (d *doctor) addressesHere(ctx context.Context, name string) []netip.Addr {
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

// lookAtFirewall names the firewall of this machine and whether its rules let
// people in. Connections of the box to itself go past most of them.
func (d *doctor) lookAtFirewall(ctx context.Context) {
	for _, l := range d.outward() {
		looked := d.say.ofN("firewall, port %d", "防火墙，端口 %d", l.port)
		f := d.firewall(ctx, int(l.port))
		switch {
		case f.name == "":
			d.well("firewall", looked, d.say.of("none found on this machine", "本机未发现防火墙"))
		case f.unread:
			d.odd("firewall", looked, d.say.ofN("%s is there; its rules are for root to read", "存在 %s，其规则只有 root 可读", f.name), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
		case f.open:
			d.well("firewall", looked, d.say.ofN("%s lets it through", "%s 已放行", f.name))
		default:
			d.bad("firewall", looked, d.say.ofN("%s does not let it through", "%s 未放行", f.name), f.opens)
		}
	}
}

// firewall is what was found of one.
type firewall struct {
	name   string
	unread bool   // its rules may not be read
	open   bool   // the port is let through
	opens  string // the command that does
}

// firewall asks the firewalls that know who made the rules before it reads the
// rules themselves.
func (d *doctor) firewall(ctx context.Context, port int) firewall {
	n := strconv.Itoa(port)
	unread := firewall{}
	if tool := d.tool("ufw"); tool != "" {
		out, err := ask(ctx, tool, "status")
		if err == nil && strings.Contains(out, "Status: active") {
			return firewall{name: "ufw", open: ufwOpens(out, port), opens: "ufw allow " + n + "/tcp"}
		}
		if err != nil {
			unread = firewall{name: "ufw", unread: true}
		}
	}
	if tool := d.tool("firewall-cmd"); tool != "" {
		if out, err := ask(ctx, tool, "--list-all"); err == nil {
			return firewall{name: "firewalld", open: firewalldOpens(out, port), opens: "firewall-cmd --permanent --add-port=" + n + "/tcp && firewall-cmd --reload"}
		}
	}
	if tool := d.tool("nft"); tool != "" {
		out, err := ask(ctx, tool, "list", "ruleset")
		if err == nil && strings.Contains(out, "hook input") {
			chain, drops := nftDrops(out, port)
			return firewall{name: "nftables", open: !drops, opens: "nft insert rule " + chain + " tcp dport " + n + " accept"}
		}
		if err != nil {
			unread = firewall{name: "nftables", unread: true}
		}
	} else if tool := d.tool("iptables"); tool != "" {
		out, err := ask(ctx, tool, "-S", "INPUT")
		if err == nil {
			return firewall{name: "iptables", open: !iptablesDrops(out, port), opens: "iptables -I INPUT -p tcp --dport " + n + " -j ACCEPT"}
		}
		unread = firewall{name: "iptables", unread: true}
	}
	return unread
}
