package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// resolve fills in what a default derives from the machine and makes paths
// absolute.
func (c *Config) resolve() {
	if c.Server.HostName == "" {
		name, _ := os.Hostname() // an unknown name becomes "posthouse"
		c.Server.HostName = machineName(name)
	}
	c.Server.HostName = strings.TrimSuffix(strings.ToLower(c.Server.HostName), ".")
	for _, p := range []*string{&c.Server.DataDir, &c.TLS.CertFile, &c.TLS.KeyFile, &c.Server.Socket} {
		if *p == "" {
			continue
		}
		if abs, err := filepath.Abs(*p); err == nil {
			*p = abs
		}
	}
	if c.Server.Socket == "" {
		c.Server.Socket = filepath.Join(c.Server.DataDir, "posthouse.sock")
	}
}

// machineName makes a DNS name of what the machine calls itself. A name that
// is a domain of the public internet (a machine called "box" or "dev") gets
// ".local", because a certificate authority for it could sign other people's
// sites.
func machineName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.TrimSuffix(strings.ToLower(name), "."))
	if hostName(name) != nil || name == "localhost" || name == "localhost.localdomain" {
		return "posthouse"
	}
	if public(name) {
		return name + ".local"
	}
	return name
}

// validate checks what needs more than one value or more than a bound. A key
// that is already known to be bad is left alone.
func (c *Config) validate(src Sources, p *problems) {
	fail := func(key string, t *text) {
		if t != nil && !p.bad[key] {
			p.add(src[key], key, t, nil)
		}
	}
	c.checkServer(fail)
	c.checkTLS(fail)
	c.checkLimits(fail)
	c.checkConsole(fail)
	for _, n := range c.Hooks.AllowedNetworks {
		fail("hooks.allowed_networks", network(n))
	}
	for _, n := range c.Watch.MetricsNetworks {
		fail("watch.metrics_networks", proxy(n))
	}
	if u, err := url.Parse(c.Watch.RemoteWriteURL); c.Watch.RemoteWriteURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil) {
		fail("watch.remote_write_url", say("write http:// or https:// and a host, without user and password: %q", "请写 http:// 或 https:// 加主机名，不含用户名和密码：%q", c.Watch.RemoteWriteURL))
	}
}

func (c *Config) checkServer(fail func(string, *text)) {
	s := &c.Server
	fail("server.host_name", hostName(s.HostName))
	if public(s.HostName) {
		fail("server.host_name", say("%q is a domain of the public internet, not a machine; write %q or a name in your own domain",
			"%q 是公共互联网的域，不是一台机器；请写 %q 或自己域内的名字", s.HostName, s.HostName+".local"))
	}
	if len(s.Listen) == 0 && s.ListenLocal == "" {
		fail("server.listen", say("nobody could connect: listen and listen_local are both empty", "listen 和 listen_local 都为空，谁也连不上"))
	}
	for i, a := range s.Listen {
		fail("server.listen", listenAddress(a))
		for _, b := range s.Listen[:i] {
			if sameSocket(a, b) {
				fail("server.listen", say("%q and %q take the same port of the same address; \":port\" and \"[::]:port\" are IPv4 and IPv6 together",
					"%q 与 %q 占用同一地址的同一端口；“:端口”和“[::]:端口”同时包含 IPv4 和 IPv6", b, a))
			}
		}
		if s.ListenLocal != "" && sameSocket(a, s.ListenLocal) {
			fail("server.listen_local", say("takes the same port as %q in server.listen", "与 server.listen 中的 %q 占用同一端口", a))
		}
	}
	fail("server.listen_local", loopbackAddress(s.ListenLocal))
	for _, a := range s.TrustedProxies {
		fail("server.trusted_proxies", proxy(a))
	}
	if s.DataDir == "" {
		fail("server.data_dir", say("must not be empty", "不能为空"))
	} else if s.DataDir == "/" {
		fail("server.data_dir", say("must not be the root directory", "不能是根目录"))
	}
	if n := len(s.Socket); n > 107 {
		fail("server.socket", say("the path is %d bytes long and the system allows 107; set server.socket to a shorter one: %s",
			"路径长 %d 字节，系统只允许 107 字节；请把 server.socket 设为更短的路径：%s", n, s.Socket))
	}
	if n := len([]rune(s.Organisation)); n > 64 {
		fail("server.organisation", say("is %d characters long; at most 64", "长 %d 个字符，最多 64 个", n))
	}
}

func (c *Config) checkConsole(fail func(string, *text)) {
	for i, a := range c.Console.Listen {
		fail("console.listen", listenAddress(a))
		for _, b := range append(append([]string{c.Server.ListenLocal}, c.Server.Listen...), c.Console.Listen[:i]...) {
			if b != "" && sameSocket(a, b) {
				fail("console.listen", say("%q takes the same port as %q", "%q 与 %q 占用同一端口", a, b))
			}
		}
	}
	if len(c.Console.Listen) > 0 && len(c.Server.Listen) == 0 {
		fail("console.listen", say("needs https, which server.listen turns on", "需要 https，请先设置 server.listen"))
	}
	for _, n := range c.Console.AllowedNetworks {
		fail("console.allowed_networks", proxy(n))
	}
}

func (c *Config) checkTLS(fail func(string, *text)) {
	t := &c.TLS
	for key, v := range map[string]string{"tls.cert_file": t.CertFile, "tls.key_file": t.KeyFile} {
		if t.Mode == "files" && v == "" {
			fail(key, say("tls.mode = \"files\" needs it", "tls.mode = \"files\" 时必须填写"))
		}
		if t.Mode == "local-ca" && v != "" {
			fail(key, say("has no effect while tls.mode is \"local-ca\"; set tls.mode = \"files\" or remove it",
				"tls.mode 为 \"local-ca\" 时不起作用；请设 tls.mode = \"files\" 或删除此项"))
		}
	}
	for _, n := range t.ExtraNames {
		if t.Mode == "local-ca" && net.ParseIP(n) != nil {
			fail("tls.extra_names", say("%s is an address; the addresses of this machine are included without being listed", "%s 是地址；本机地址会自动包含，无需列出", n))
		}
		fail("tls.extra_names", hostName(n))
		if public(n) {
			fail("tls.extra_names", say("%q is a domain of the public internet, not a machine", "%q 是公共互联网的域，不是一台机器", n))
		}
	}
	for _, z := range t.ExtraZones {
		fail("tls.extra_zones", hostName(strings.TrimPrefix(z, ".")))
		if public(strings.TrimPrefix(z, ".")) {
			fail("tls.extra_zones", say("%q is a domain of the public internet: whoever holds the authority's key could sign anybody's site in it; name a zone of your own",
				"%q 是公共互联网的域：拿到颁发机构密钥的人可以冒充其中的任何网站；请填写自己的区域", z))
		}
	}
}

func (c *Config) checkLimits(fail func(string, *text)) {
	l := &c.Limits
	if l.FrameBytes < 2*l.MessageBytes {
		fail("limits.frame_bytes", say("is %s, but a message of limits.message_bytes (%s) needs a frame of at least %s",
			"为 %s，但一条 limits.message_bytes（%s）的消息至少需要 %s 的帧", l.FrameBytes, l.MessageBytes, 2*l.MessageBytes))
	}
	if l.QueueBytes < l.FrameBytes {
		fail("limits.queue_bytes", say("is smaller than limits.frame_bytes (%s): the largest frame would never fit",
			"小于 limits.frame_bytes（%s）：最大的帧将永远放不下", l.FrameBytes))
	}
	if l.ConnectionsPerAddress > l.Connections {
		fail("limits.connections_per_address", say("is larger than limits.connections (%d)", "大于 limits.connections（%d）", l.Connections))
	}
	for _, r := range []struct {
		key         string
		rate, burst int
	}{
		{"limits.messages_burst", l.MessagesPerSecond, l.MessagesBurst},
		{"limits.requests_burst", l.RequestsPerSecond, l.RequestsBurst},
	} {
		if r.burst < r.rate {
			fail(r.key, say("is smaller than the rate per second (%d), which could then never be reached", "小于每秒速率（%d），该速率将永远达不到", r.rate))
		}
	}
	if l.UserQuotaBytes > 0 && l.UserQuotaBytes < l.UploadBytes {
		fail("limits.user_quota_bytes", say("is smaller than limits.upload_bytes (%s)", "小于 limits.upload_bytes（%s）", l.UploadBytes))
	}
}

// hostName checks a DNS name: letters, digits, hyphens, labels of 1 to 63, 253
// in all, no address.
func hostName(s string) *text {
	s = strings.TrimSuffix(s, ".")
	switch {
	case s == "":
		return say("must not be empty", "不能为空")
	case net.ParseIP(s) != nil:
		return say("%s is an address, not a name; the addresses of this machine work without being listed", "%s 是地址而不是名字；本机地址无需列出即可使用", s)
	case strings.Contains(s, "*"):
		return say("%q: a wildcard is not a name; use tls.extra_zones", "%q：通配符不是名字；请使用 tls.extra_zones", s)
	case len(s) > 253:
		return say("the name is longer than 253 characters", "名字超过 253 个字符")
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return say("%q is not a host name: use letters a-z, digits, hyphens and dots, without a port (a Chinese name in its xn-- form)",
				"%q 不是主机名：只能用字母 a-z、数字、连字符和点，不带端口（中文域名请写 xn-- 形式）", s)
		}
	}
	return nil
}

// public says whether name is a domain under which strangers register names:
// "com", "chat", "co.uk". Private zones ("lan", "internal", "home.arpa") are
// not.
func public(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "home.arpa" { // RFC 8375; the list has it beside real domains
		return false
	}
	suffix, listed := publicsuffix.PublicSuffix(name)
	return suffix == name && (listed || strings.Contains(name, "."))
}

func listenAddress(s string) *text {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return say("%q is not an address with a port, such as \":8443\", \"192.168.1.10:443\" or \"[fd00::1]:443\"",
			"%q 不是带端口的地址，例如 \":8443\"、\"192.168.1.10:443\"、\"[fd00::1]:443\"", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && s != "127.0.0.1:0" && s != "[::1]:0" {
		return say("%q: the port must be a number from 1 to 65535", "%q：端口必须是 1 到 65535 的数字", s)
	}
	if host == "" || host == "localhost" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return say("%q: write an IP address of this machine, not a name", "%q：请写本机的 IP 地址，不要写名字", s)
	}
	return nil
}

func loopbackAddress(s string) *text {
	if s == "" {
		return nil
	}
	if bad := listenAddress(s); bad != nil {
		return bad
	}
	host, _, _ := net.SplitHostPort(s)
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return say("%q is reachable from the network, and this listener speaks plain http: passwords and messages would be readable on the way. Use 127.0.0.1 or [::1], or put the address into server.listen, which is https",
		"%q 可从网络访问，而此监听使用明文 http：密码和消息在途中可被读取。请使用 127.0.0.1 或 [::1]，或把地址写进使用 https 的 server.listen", s)
}

// sameSocket says whether two listen addresses cannot both be bound. Port 0 is
// any free port and never collides.
func sameSocket(a, b string) bool {
	ha, pa, errA := net.SplitHostPort(a)
	hb, pb, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || pa != pb || pa == "0" {
		return false
	}
	x, y := wildcard(ha), wildcard(hb)
	switch {
	case x == "all" || y == "all" || ha == hb:
		return true
	case x == "4":
		return !strings.Contains(hb, ":")
	case y == "4":
		return !strings.Contains(ha, ":")
	}
	return false
}

func wildcard(host string) string {
	switch host {
	case "", "::":
		return "all"
	case "0.0.0.0":
		return "4"
	}
	return ""
}

// network judges a network or address that hooks may call.
func network(s string) *text {
	if s == "private" {
		return nil
	}
	if t := proxy(s); t != nil && s != "0.0.0.0/0" && s != "::/0" {
		return t
	}
	if a, err := netip.ParseAddr(s); err == nil && (a.Zone() != "" || a.Is4In6()) {
		return say("write %q without a zone, and IPv4 as IPv4", "请写 %q 时去掉区域标识，IPv4 用 IPv4 写法", s)
	}
	return nil
}

func proxy(s string) *text {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if _, err := netip.ParseAddr(s); err != nil {
			return say("%q is neither an address nor a network such as 10.0.0.0/24", "%q 既不是地址也不是网段（例如 10.0.0.0/24）", s)
		}
		return nil
	}
	if p.Bits() == 0 {
		return say("%q is everybody: any client could then claim any address", "%q 等于所有人：任何客户端都可以冒充任意地址", s)
	}
	if p != p.Masked() {
		return say("%q has bits set behind the mask; did you mean %s?", "%q 的主机位不为零；是否想写 %s？", s, p.Masked())
	}
	return nil
}
