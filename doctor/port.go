package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/host"
)

// listenAddress is one that the configuration names.
type listenAddress struct {
	text  string
	key   string // in the configuration
	addr  netip.Addr
	port  uint16
	plain bool   // http
	path  string // of its health
}

// listeners are those of the configuration.
func (d *diagnosis) listeners() []listenAddress {
	var out []listenAddress
	add := func(text, key, path string, plain bool) {
		hostPart, port, err := net.SplitHostPort(text)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil {
			return // config has refused it
		}
		l := listenAddress{text: text, key: key, port: uint16(n), plain: plain, path: path, addr: netip.IPv6Unspecified()}
		if ip, err := netip.ParseAddr(hostPart); err == nil {
			l.addr = ip.Unmap()
		} else if hostPart == "localhost" {
			l.addr = netip.MustParseAddr("127.0.0.1")
		}
		out = append(out, l)
	}
	for _, text := range d.box.Config.Server.Listen {
		add(text, "server.listen", "/health", false)
	}
	if d.box.Config.Server.ListenLocal != "" {
		add(d.box.Config.Server.ListenLocal, "server.listen_local", "/health", true)
	}
	for _, text := range d.box.Config.Console.Listen {
		add(text, "console.listen", "/health/ready", false)
	}
	return out
}

// outward are the listeners that can be reached from other machines.
func (d *diagnosis) outward() []listenAddress {
	return slices.DeleteFunc(d.listeners(), func(l listenAddress) bool { return l.addr.IsLoopback() || l.port == 0 })
}

// overlaps reports whether two sockets on the same port cannot both be bound.
func overlaps(a, b netip.Addr) bool {
	return a == b || a.IsUnspecified() && (a.Is6() || b.Is4()) || b.IsUnspecified() && (b.Is6() || a.Is4())
}

// lookAtPorts says of each listener whether its port is free, or who has it.
func (d *diagnosis) lookAtPorts(ctx context.Context) {
	taken, err := host.New(host.Options{}).Ports(ctx)
	for _, l := range d.listeners() {
		looked := d.say.of("port ", "端口 ") + l.text + " (" + l.key + ")"
		if err != nil {
			d.odd("port", looked, err.Error(), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
			continue
		}
		if l.port == 0 {
			d.well("port", looked, d.say.of("any free one", "任意空闲端口"))
			continue
		}
		var others []host.Port
		own := false
		for _, p := range taken {
			if p.Protocol == "tcp" && p.Port == l.port && overlaps(p.Address, l.addr) {
				own = own || d.pid != 0 && p.PID == d.pid
				others = append(others, p)
			}
		}
		switch {
		case own:
			d.well("port", looked, d.say.of("the server listens", "服务器正在监听"))
		case len(others) > 0:
			d.takenPort(looked, l, others[0])
		case d.runs:
			d.bad("port", looked, d.say.of("the server runs and does not listen there: the configuration was changed after its start", "服务器在运行，但未在此监听：配置在启动之后有改动"), d.restart())
		case d.pid != 0:
			d.odd("port", looked, d.say.of("nobody listens yet", "尚无进程监听"), d.say.of("wait until the server has started", "请等待服务器启动完毕"))
		default:
			d.tryPort(looked, l)
		}
	}
}

func (d *diagnosis) restart() string {
	if d.unit != nil {
		return "systemctl restart posthouse"
	}
	return d.say.of("restart the server", "请重新启动服务器")
}

// takenPort names the process that has a port of ours.
func (d *diagnosis) takenPort(looked string, l listenAddress, by host.Port) {
	if by.PID == 0 {
		if d.runs {
			d.odd("port", looked, d.say.of("somebody listens; it may not be known who", "有进程监听，无法得知是哪个"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
			return
		}
		d.bad("port", looked, d.say.of("held by a process of another account", "被其他账号的进程占用"), d.say.ofN("see whose it is: sudo ss -ltnp 'sport = :%d'", "查看是哪个进程：sudo ss -ltnp 'sport = :%d'", l.port))
		return
	}
	do := d.say.ofN("stop it, or choose another port in %s", "请停止该进程，或在 %s 中换一个端口", l.key)
	if by.Name == "posthouse" {
		do = d.say.of("if that is the server meant, name its data directory with --data or its configuration with --config; else: ", "若要检查的正是该服务器，请用 --data 指定其数据目录，或用 --config 指定其配置；否则：") + do
	}
	d.bad("port", looked, d.say.ofN("held by %s (%d) of %s", "被 %s（%d，账号 %s）占用", by.Name, by.PID, by.User), do)
}

// tryPort opens a listener for a moment to see whether it can be opened.
func (d *diagnosis) tryPort(looked string, l listenAddress) {
	if why := d.forbiddenPort(l.port); why != "" {
		exe, err := os.Executable()
		if err != nil {
			exe = "/usr/bin/posthouse"
		}
		d.bad("port", looked, why, d.say.ofN("AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or: setcap cap_net_bind_service=+ep %s; or a port from 1024 up", "请在系统服务中设置 AmbientCapabilities=CAP_NET_BIND_SERVICE，或执行：setcap cap_net_bind_service=+ep %s；或使用 1024 及以上的端口", exe))
		return
	}
	ln, err := net.Listen("tcp", l.text)
	switch {
	case err == nil:
		_ = ln.Close()
		d.well("port", looked, d.say.of("free", "空闲"))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		d.bad("port", looked, d.say.of("this machine does not have that address", "本机没有该地址"), d.say.ofN("name one of its addresses in %s: %s", "请在 %s 中写本机的地址：%s", l.key, strings.Join(addressTexts(lanAddresses()), ", ")))
	case errors.Is(err, syscall.EACCES): // the caller's right, not the server's
		d.odd("port", looked, d.say.of("this account may not try it", "当前账号无权尝试"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
	default:
		d.bad("port", looked, err.Error(), d.say.ofN("choose another in %s", "请在 %s 中换一个", l.key))
	}
}

// forbiddenPort says why the server's account may not open a low port; empty:
// it may.
func (d *diagnosis) forbiddenPort(port uint16) string {
	first := 1024
	if raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil {
			first = n
		}
	}
	if int(port) >= first || d.who.uid == 0 || d.unit != nil && strings.Contains(strings.ToLower(d.unit.capabilities), "cap_net_bind_service") {
		return ""
	}
	if exe, err := os.Executable(); err == nil {
		if n, err := unix.Getxattr(exe, "security.capability", nil); err == nil && n > 0 {
			return ""
		}
	}
	return d.say.ofN("ports below %d are for root, and %s runs the server", "%d 以下的端口只有 root 可用，而服务器以 %s 运行", first, d.who.name)
}

// lanAddresses are those of this machine that others can reach it by.
func lanAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		out = append(out, p.Addr().Unmap())
	}
	return out
}

func addressTexts(list []netip.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}
