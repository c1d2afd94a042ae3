package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Address is where people open a box.
type Address struct {
	URL   *url.URL // http or https, with a host
	Port  uint16
	Trust *x509.CertPool // authorities that this machine trusts
}

func (far Address) name() string { return far.URL.Hostname() }

// FromLAN looks at a box from another machine. It goes the way of a browser:
// name, connection, certificate, answer, WebSocket.
func FromLAN(ctx context.Context, far Address, o Options) []Finding {
	d := newDiagnosis(o)
	d.lookFromLAN(ctx, far)
	return d.list
}

// lookFromLAN ends at the first step that fails.
// A certificate that is refused is told, and the way goes on without it, so
// that one look finds everything.
func (d *diagnosis) lookFromLAN(ctx context.Context, far Address) {
	list := d.resolve(ctx, far)
	if len(list) == 0 {
		return
	}
	conn := d.connect(ctx, far, list)
	if conn == nil {
		return
	}
	defer func() { conn.Close() }()
	if far.URL.Scheme == "https" {
		encrypted := d.handshake(ctx, far, conn)
		if encrypted == nil {
			return
		}
		conn = encrypted
	}
	in := bufio.NewReader(conn)
	if !d.askHealth(far, conn, in) {
		return
	}
	d.askSocket(far, conn, in)
}

// resolve finds the addresses of the name.
func (d *diagnosis) resolve(ctx context.Context, far Address) []netip.Addr {
	looked := d.say.of("name ", "域名 ") + far.name()
	if a, err := netip.ParseAddr(far.name()); err == nil {
		d.well("address", looked, d.say.of("it is an address", "即为地址"))
		return []netip.Addr{a}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", far.name())
	if len(list) == 0 || err != nil {
		do := d.say.of("enter the name in the DNS of the LAN (often the router), and let this machine use that DNS; or open the address of the box", "请在局域网的 DNS（通常是路由器）中登记该名字，并让本机使用该 DNS；或直接打开服务器的地址")
		if strings.HasSuffix(far.name(), ".local") {
			do = d.say.of(".local is asked by multicast: it does not cross routers or guest networks; install avahi-daemon on the box, and on this machine libnss-mdns", ".local 通过组播查询，不能跨路由器或访客网络；请在服务器上安装 avahi-daemon，本机安装 libnss-mdns")
		}
		d.bad("address", looked, d.say.of("this machine does not know it", "本机无法解析"), do)
		return nil
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	d.well("address", looked, strings.Join(addressTexts(list), " "))
	return list
}

// connect opens a connection to each address, and keeps the first.
func (d *diagnosis) connect(ctx context.Context, far Address, list []netip.Addr) net.Conn {
	var first net.Conn
	for _, a := range list[:min(len(list), 8)] {
		to := netip.AddrPortFrom(a, far.Port).String()
		dial := net.Dialer{Timeout: patience}
		c, err := dial.DialContext(ctx, "tcp", to)
		if err != nil {
			found, do := d.failure(err, far.Port)
			d.bad("connect", d.say.of("connection to ", "连接 ")+to, found, do)
			continue
		}
		d.well("connect", d.say.of("connection to ", "连接 ")+to, d.say.of("open", "成功"))
		if first == nil {
			first = c
		} else {
			_ = c.Close()
		}
	}
	if first != nil && first.SetDeadline(time.Now().Add(3*patience)) != nil {
		return nil
	}
	return first
}

// handshake begins TLS and judges trust, dates and name, each by itself.
func (d *diagnosis) handshake(ctx context.Context, far Address, raw net.Conn) net.Conn {
	looked := d.say.of("TLS with ", "TLS，名字 ") + far.name()
	// What is verified below is told to a person; nothing secret is sent.
	c := tls.Client(raw, &tls.Config{ServerName: far.name(), InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	if err := c.HandshakeContext(ctx); err != nil {
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			found, do := d.failure(errSilent, far.Port)
			d.bad("tls", looked, found, do)
			return nil
		}
		var record tls.RecordHeaderError
		do := d.say.of("something between, such as a proxy or a virus scanner, may break the connection off", "中间的代理或杀毒软件可能中断了连接")
		if errors.As(err, &record) {
			do = d.say.of("what listens there does not speak https: look at the port, and at posthouse doctor on the box", "该端口不是 https：请核对端口，并在服务器上运行 posthouse doctor")
		}
		d.bad("tls", looked, err.Error(), do)
		return nil
	}
	chain := c.ConnectionState().PeerCertificates
	inter := x509.NewCertPool()
	for _, x := range chain[1:] {
		inter.AddCert(x)
	}
	leaf, told := chain[0], len(d.list)
	if err := leaf.VerifyHostname(far.name()); err != nil {
		found, do := d.failure(err, far.Port)
		d.bad("tls", looked, found, do)
	}
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		d.bad("tls", looked, d.say.ofN("the certificate is valid from %s to %s, and here it is %s", "证书有效期为 %s 至 %s，而本机时间为 %s", minute(leaf.NotBefore), minute(leaf.NotAfter), minute(now)),
			d.say.of("compare the clocks of both machines; renew the certificate", "请核对两台机器的时钟，并更新证书"))
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: far.Trust, Intermediates: inter, CurrentTime: leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		found, do := d.failure(err, far.Port)
		do += d.say.of("; or save /ca.pem of the box and name the file with --ca", "；或保存服务器的 /ca.pem，并用 --ca 指定该文件")
		d.bad("tls", looked, found, do)
	}
	if len(d.list) == told {
		d.well("tls", looked, d.say.ofN("trusted, until %s", "受信任，有效至 %s", minute(leaf.NotAfter)))
	}
	return c
}

// request writes a request on the connection, as a browser at the address
// would, and reads the answer's head.
func (far Address) request(c net.Conn, in *bufio.Reader, path string, header http.Header) (*http.Response, error) {
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: far.URL.Scheme, Host: far.URL.Host, Path: path}, Host: far.URL.Host, Header: header}
	if err := req.Write(c); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return resp, nil
}

// wrongClock is a difference of clocks that makes sessions and certificates
// go wrong.
const wrongClock = 5 * time.Minute

// askHealth asks whether the server is ready, and compares the clocks.
func (d *diagnosis) askHealth(far Address, c net.Conn, in *bufio.Reader) bool {
	looked := d.say.of("answer of /health", "/health 的应答")
	resp, err := far.request(c, in, "/health", http.Header{})
	if err != nil {
		d.bad("health", looked, err.Error(), d.say.of("what listens there does not speak http, or a device between breaks off", "该端口不是 http 服务，或中间设备中断了连接"))
		return false
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		d.bad("health", looked, d.say.of("the server is not ready: ", "服务器未就绪：")+strings.TrimSpace(string(body)), d.say.of("run posthouse doctor on the box", "请在服务器上运行 posthouse doctor"))
		return true
	case resp.StatusCode != http.StatusOK:
		d.bad("health", looked, resp.Status, d.say.of("another server answers, or it does not go by this name: add it to tls.extra_names", "应答的是其他服务器，或服务器不使用此名字：请加入 tls.extra_names"))
		return false
	}
	d.well("health", looked, resp.Status)
	if there, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if off := time.Until(there); off.Abs() > wrongClock {
			d.odd("clock", d.say.of("clock of the box", "服务器时钟"), d.say.of("it differs from this machine's by ", "与本机相差 ")+off.Round(time.Second).String(), d.say.of("set the one that is wrong", "请校准有误的一方"))
		}
	}
	return true
}

// askSocket asks for the WebSocket that the chat lives on.
func (d *diagnosis) askSocket(far Address, c net.Conn, in *bufio.Reader) {
	looked := d.say.of("WebSocket at /api/ws", "WebSocket /api/ws")
	through := d.say.of("a proxy between must pass on Upgrade and Connection, and not break off after a minute", "中间的代理须转发 Upgrade 和 Connection 头，且不得在一分钟后断开")
	resp, err := far.request(c, in, "/api/ws", http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {far.URL.Scheme + "://" + far.URL.Host}})
	if err != nil {
		d.bad("socket", looked, err.Error(), through)
		return
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		d.bad("socket", looked, resp.Status, through)
		return
	}
	d.well("socket", looked, d.say.of("open", "成功"))
}
