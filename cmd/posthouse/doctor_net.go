package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/host"
)

// patience is how long a step over the network may take.
const patience = 3 * time.Second

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
func (d *doctor) listeners() []listenAddress {
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
	for _, text := range d.cfg.Server.Listen {
		add(text, "server.listen", "/health", false)
	}
	if d.cfg.Server.ListenLocal != "" {
		add(d.cfg.Server.ListenLocal, "server.listen_local", "/health", true)
	}
	for _, text := range d.cfg.Console.Listen {
		add(text, "console.listen", "/health/ready", false)
	}
	return out
}

// overlaps reports whether two sockets on the same port cannot both be bound.
func overlaps(a, b netip.Addr) bool {
	return a == b || a.IsUnspecified() && (a.Is6() || b.Is4()) || b.IsUnspecified() && (b.Is6() || a.Is4())
}

// lookAtPorts says of each listener whether its port is free, or who has it.
func (d *doctor) lookAtPorts(ctx context.Context) {
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

func (d *doctor) restart() string {
	if d.unit != nil {
		return "systemctl restart posthouse"
	}
	return d.say.of("restart the server", "请重新启动服务器")
}

// takenPort names the process that has a port of ours.
func (d *doctor) takenPort(looked string, l listenAddress, by host.Port) {
	if by.PID == 0 {
		if d.runs {
			d.odd("port", looked, d.say.of("somebody listens; it may not be known who", "有进程监听，无法得知是哪个"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
			return
		}
		d.bad("port", looked, d.say.of("held by a process of another account", "被其他账号的进程占用"), d.say.ofN("see whose it is: sudo ss -ltnp 'sport = :%d'", "查看是哪个进程：sudo ss -ltnp 'sport = :%d'", l.port))
		return
	}
	d.bad("port", looked, d.say.ofN("held by %s (%d) of %s", "被 %s（%d，账号 %s）占用", by.Name, by.PID, by.User),
		d.say.ofN("stop it, or choose another port in %s", "请停止该进程，或在 %s 中换一个端口", l.key))
}

// tryPort opens a listener for a moment to see whether it can be opened.
func (d *doctor) tryPort(looked string, l listenAddress) {
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
func (d *doctor) forbiddenPort(port uint16) string {
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

// reached are the addresses of this machine that a listener is reached by;
// at most 16.
func (l listenAddress) reached() []netip.Addr {
	if !l.addr.IsUnspecified() {
		return []netip.Addr{l.addr}
	}
	out := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	for _, a := range lanAddresses() {
		if a.Is4() || l.addr.Is6() {
			out = append(out, a)
		}
	}
	return out[:min(len(out), 16)]
}

// lookAtListeners asks each listener for its health on every address, as a
// device does that trusts the box.
func (d *doctor) lookAtListeners(ctx context.Context) {
	if !d.runs {
		return // lookAtServer has said so
	}
	pool := x509.NewCertPool()
	if d.cfg.TLS.Mode == "files" {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
		raw, _ := os.ReadFile(d.cfg.TLS.CertFile) // lookAtCertificate says why not
		pool.AppendCertsFromPEM(raw)
	}
	pool.AppendCertsFromPEM([]byte(trustedCA(d.cfg.Server.DataDir, d.cfg.TLS.Mode, d.cfg.TLS.CertFile)))
	for _, l := range d.listeners() {
		if l.port == 0 {
			continue
		}
		type answer struct {
			status int
			err    error
		}
		list := l.reached()
		answers := make([]chan answer, len(list))
		for i, a := range list {
			answers[i] = make(chan answer, 1)
			go func() {
				status, err := d.healthOf(ctx, l, a, pool)
				answers[i] <- answer{status, err}
			}()
		}
		for i, a := range list {
			got := <-answers[i]
			d.judgeListener(l, a, got.status, got.err)
		}
	}
}

// healthOf asks for the health of a listener at one address of this machine.
func (d *doctor) healthOf(ctx context.Context, l listenAddress, a netip.Addr, pool *x509.CertPool) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	to := netip.AddrPortFrom(a, l.port).String()
	var connected atomic.Bool
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dial net.Dialer
			c, err := dial.DialContext(ctx, network, to)
			connected.Store(err == nil)
			return c, err
		}}
	url := "https://" + net.JoinHostPort(d.cfg.Server.HostName, strconv.Itoa(int(l.port))) + l.path
	if l.plain {
		url = "http://" + to + l.path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil && ctx.Err() != nil && connected.Load() {
		return 0, errSilent
	}
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, nil
}

func (d *doctor) judgeListener(l listenAddress, a netip.Addr, status int, err error) {
	scheme := "https://"
	if l.plain {
		scheme = "http://"
	}
	looked := d.say.of("answer at ", "应答 ") + scheme + netip.AddrPortFrom(a, l.port).String()
	if err != nil {
		found, do := d.failure(err, l.port)
		d.bad("listener", looked, found, do)
		return
	}
	if status != http.StatusOK {
		d.bad("listener", looked, d.say.ofN("it answers %d: the server is not ready", "返回 %d：服务器未就绪", status), d.say.of("see posthouse status and the log", "请查看 posthouse status 和日志"))
		return
	}
	d.well("listener", looked, d.say.of("it answers", "应答正常"))
}

// errSilent: the connection was opened, so that no firewall is in the way, and
// nothing came on it.
var errSilent = errors.New("connected, and nothing was answered")

// failure says what went wrong with a connection, and what to do.
func (d *doctor) failure(err error, port uint16) (found, do string) {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.Is(err, errSilent):
		return d.say.of("connected, and nothing was answered: the server hangs, or the machine is overloaded", "已连接但无应答：服务器停止响应，或机器过载"), d.say.of("read its log, then restart the server", "请查看日志，然后重新启动服务器")
	case errors.Is(err, syscall.ECONNREFUSED):
		return d.say.of("refused: nothing listens there", "被拒绝：没有进程监听"), d.say.of("start the server, or restart it when its configuration was changed; posthouse doctor on the box says more", "请启动服务器；若改过配置则重新启动；在服务器上运行 posthouse doctor 可了解更多")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return d.say.of("there is no way to that address", "无法到达该地址"), d.say.of("look at cable, network and routes of this machine, and at a firewall that rejects", "请检查本机的网线、网络和路由，以及会拒绝连接的防火墙")
	case errors.As(err, &unknown):
		return d.say.of("the certificate comes from an authority that is not trusted here", "证书的颁发机构在此不受信任"), d.say.of("let this device trust the box's authority: open /ca.crt on it", "请让本设备信任服务器的颁发机构：打开其 /ca.crt")
	case errors.As(err, &name):
		return d.say.of("the certificate is for other names: ", "证书属于其他名字：") + name.Error(), d.say.of("add the name to tls.extra_names, or set server.host_name", "请把该名字加入 tls.extra_names，或设置 server.host_name")
	case errors.As(err, &invalid):
		return d.say.of("the certificate is not valid: ", "证书无效：") + invalid.Error(), d.say.of("compare the clocks; renew the certificate", "请核对时钟，并更新证书")
	case errors.As(err, &timeout) && timeout.Timeout():
		return d.say.of("no answer in time: a firewall drops it", "超时无应答：可能被防火墙丢弃"), d.say.ofN("let port %[1]d through: ufw allow %[1]d/tcp, or firewall-cmd --permanent --add-port=%[1]d/tcp && firewall-cmd --reload", "请放行端口 %[1]d：ufw allow %[1]d/tcp，或 firewall-cmd --permanent --add-port=%[1]d/tcp && firewall-cmd --reload", port)
	}
	return err.Error(), d.say.of("another program may listen there; see posthouse doctor on the box", "可能是其他程序在监听；在服务器上运行 posthouse doctor 查看")
}

// outward reports whether a listener can be reached from other machines.
func (d *doctor) outward() []listenAddress {
	return slices.DeleteFunc(d.listeners(), func(l listenAddress) bool { return l.addr.IsLoopback() || l.port == 0 })
}
