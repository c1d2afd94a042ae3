package doctor

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
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

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

// patience is how long a step over the network may take.
const patience = 3 * time.Second

// lookAtListeners asks each listener for its health on every address, as a
// device does that trusts the box.
func (d *diagnosis) lookAtListeners(ctx context.Context) {
	if !d.runs {
		return // lookAtServer has said so
	}
	pool := x509.NewCertPool()
	if d.box.Config.TLS.Mode == "files" {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
		raw, _ := os.ReadFile(d.box.Config.TLS.CertFile) // lookAtCertificate says why not
		pool.AppendCertsFromPEM(raw)
	}
	pool.AppendCertsFromPEM([]byte(d.box.Authorities))
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
func (d *diagnosis) healthOf(ctx context.Context, l listenAddress, a netip.Addr, pool *x509.CertPool) (int, error) {
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
	url := "https://" + net.JoinHostPort(d.box.Config.Server.HostName, strconv.Itoa(int(l.port))) + l.path
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

func (d *diagnosis) judgeListener(l listenAddress, a netip.Addr, status int, err error) {
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
func (d *diagnosis) failure(err error, port uint16) (found, do string) {
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
