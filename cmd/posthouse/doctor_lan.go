package main

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
	"strconv"
	"strings"
	"time"
)

// farBox is a box as another machine sees it.
type farBox struct {
	url  *url.URL
	name string
	port uint16
	pool *x509.CertPool
}

// farBox reads the flags of --from-lan. The configuration is not looked at:
// it is that of the box.
func (a *app) farBox(text, ca string) (farBox, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return farBox{}, a.wrongUse("--from-lan takes the address people open, such as https://chat.lan:8443", "--from-lan 须为大家打开的地址，例如 https://chat.lan:8443")
	}
	far := farBox{url: u, name: u.Hostname(), port: 443}
	if u.Scheme == "http" {
		far.port = 80
	}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return farBox{}, a.wrongUse("there is no port "+u.Port(), "没有端口 "+u.Port())
		}
		far.port = uint16(n)
	}
	if far.pool, err = x509.SystemCertPool(); err != nil {
		far.pool = x509.NewCertPool()
	}
	if ca != "" {
		raw, err := a.textOf(ca)
		if err != nil {
			return farBox{}, fmt.Errorf("read --ca: %w", errors.Unwrap(err))
		}
		if !far.pool.AppendCertsFromPEM([]byte(raw)) {
			return farBox{}, errorText(a.say, ca+" holds no PEM certificate; /ca.pem of the box is one", ca+" 中没有 PEM 证书；可使用服务器的 /ca.pem")
		}
	}
	return far, nil
}

// lookFromLAN goes the way of a browser and ends at the first step that fails.
// A certificate that is refused is told, and the way goes on without it, so
// that one look finds everything.
func (d *doctor) lookFromLAN(ctx context.Context, far farBox) {
	list := d.resolve(ctx, far)
	if len(list) == 0 {
		return
	}
	conn := d.connect(ctx, far, list)
	if conn == nil {
		return
	}
	defer func() { conn.Close() }()
	if far.url.Scheme == "https" {
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
func (d *doctor) resolve(ctx context.Context, far farBox) []netip.Addr {
	looked := d.say.of("name ", "域名 ") + far.name
	if a, err := netip.ParseAddr(far.name); err == nil {
		d.well("address", looked, d.say.of("it is an address", "即为地址"))
		return []netip.Addr{a}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", far.name)
	if len(list) == 0 || err != nil {
		do := d.say.of("enter the name in the DNS of the LAN (often the router), and let this machine use that DNS; or open the address of the box", "请在局域网的 DNS（通常是路由器）中登记该名字，并让本机使用该 DNS；或直接打开服务器的地址")
		if strings.HasSuffix(far.name, ".local") {
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
func (d *doctor) connect(ctx context.Context, far farBox, list []netip.Addr) net.Conn {
	var first net.Conn
	for _, a := range list[:min(len(list), 8)] {
		to := netip.AddrPortFrom(a, far.port).String()
		dial := net.Dialer{Timeout: patience}
		c, err := dial.DialContext(ctx, "tcp", to)
		if err != nil {
			found, do := d.failure(err, far.port)
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
func (d *doctor) handshake(ctx context.Context, far farBox, raw net.Conn) net.Conn {
	looked := d.say.of("TLS with ", "TLS，名字 ") + far.name
	// What is verified below is told to a person; nothing secret is sent.
	c := tls.Client(raw, &tls.Config{ServerName: far.name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	if err := c.HandshakeContext(ctx); err != nil {
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			found, do := d.failure(errSilent, far.port)
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
	if err := leaf.VerifyHostname(far.name); err != nil {
		found, do := d.failure(err, far.port)
		d.bad("tls", looked, found, do)
	}
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		d.bad("tls", looked, d.say.ofN("the certificate is valid from %s to %s, and here it is %s", "证书有效期为 %s 至 %s，而本机时间为 %s", when(leaf.NotBefore.UnixMilli()), when(leaf.NotAfter.UnixMilli()), when(now.UnixMilli())),
			d.say.of("compare the clocks of both machines; renew the certificate", "请核对两台机器的时钟，并更新证书"))
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: far.pool, Intermediates: inter, CurrentTime: leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		found, do := d.failure(err, far.port)
		do += d.say.of("; or name the file of the authority with --ca", "；或用 --ca 指定颁发机构的文件")
		d.bad("tls", looked, found, do)
	}
	if len(d.list) == told {
		d.well("tls", looked, d.say.ofN("trusted, until %s", "受信任，有效至 %s", when(leaf.NotAfter.UnixMilli())))
	}
	return c
}

// request writes a request on the connection, as a browser at the address
// would, and reads the answer's head.
func (far farBox) request(c net.Conn, in *bufio.Reader, path string, header http.Header) (*http.Response, error) {
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: far.url.Scheme, Host: far.url.Host, Path: path}, Host: far.url.Host, Header: header}
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
func (d *doctor) askHealth(far farBox, c net.Conn, in *bufio.Reader) bool {
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
func (d *doctor) askSocket(far farBox, c net.Conn, in *bufio.Reader) {
	looked := d.say.of("WebSocket at /api/ws", "WebSocket /api/ws")
	through := d.say.of("a proxy between must pass on Upgrade and Connection, and not break off after a minute", "中间的代理须转发 Upgrade 和 Connection 头，且不得在一分钟后断开")
	resp, err := far.request(c, in, "/api/ws", http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {far.url.Scheme + "://" + far.url.Host}})
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
