package lancert

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/disk"
)

const soon = 14 * 24 * time.Hour // warn when less is left

// Pair serves a certificate the administrator brings, from a certificate file
// and a key file. Its methods may be called from any goroutine.
type Pair struct {
	opts              Options
	certFile, keyFile string

	current atomic.Pointer[tls.Certificate]

	mu       sync.Mutex // Refresh, Reload, Status
	verdict  verdict
	seen     [2]fs.FileInfo // of the last attempt
	warnings []Message
}

// Files serves certFile (leaf first, then its intermediates) with keyFile. A
// pair that cannot serve, or does not cover the host name, is an *Error. An
// expired one is served all the same at a start, because there is nothing
// better, and Status reports it; as a replacement it is refused.
func Files(certFile, keyFile string, opts Options) (*Pair, error) {
	p := &Pair{opts: opts.withDefaults(), certFile: certFile, keyFile: keyFile}
	if err := p.reload(p.opts.Now()); err != nil && p.current.Load() == nil {
		return nil, err
	}
	return p, nil
}

// Refresh reads the files again when their time, size or identity has changed,
// or when the last attempt failed. The error is an *Error.
func (p *Pair) Refresh(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verdict.err == nil && p.unchanged() {
		return nil
	}
	return asError(p.reload(now))
}

// Reload reads the files again. The error is an *Error.
func (p *Pair) Reload() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return asError(p.reload(p.opts.Now()))
}

// Run calls Refresh every 30 seconds until ctx ends.
func (p *Pair) Run(ctx context.Context) { run(ctx, p, p.opts.Now) }

func (p *Pair) stat() (out [2]fs.FileInfo, err error) {
	for i, name := range []string{p.certFile, p.keyFile} {
		if out[i], err = p.opts.FS.Stat(name); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (p *Pair) unchanged() bool {
	now, err := p.stat()
	if err != nil {
		return false
	}
	for i := range now {
		was := p.seen[i]
		if was == nil || !was.ModTime().Equal(now[i].ModTime()) || was.Size() != now[i].Size() || !os.SameFile(was, now[i]) {
			return false
		}
	}
	return true
}

// reload checks the files and swaps. The files are looked at before they are
// read, so that a change in between is seen by the next Refresh.
func (p *Pair) reload(now time.Time) (bad *Error) {
	defer func() { p.verdict.set(bad, now, p.opts.Log) }()
	seen, err := p.stat()
	if err != nil {
		return fail(say("read the certificate: %v", "读取证书：%v", err), err)
	}
	p.seen = seen
	if seen[1].Mode().Perm()&0o007 != 0 {
		return fail(say("every user of this machine may use the private key %s; run: chmod o= %s", "本机任何用户都能使用私钥 %s；请执行：chmod o= %s", p.keyFile, p.keyFile), nil)
	}
	cert, bad := p.read()
	if bad != nil {
		return bad
	}
	chain := make([]*x509.Certificate, len(cert.Certificate))
	for i, der := range cert.Certificate {
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return fail(say("read the certificate: %v", "读取证书：%v", err), err)
		}
	}
	if bad := p.checkChain(chain); bad != nil {
		return bad
	}
	if bad := p.checkLeaf(chain[0]); bad != nil {
		return bad
	}
	bad = p.checkDates(chain, now)
	if cur := p.current.Load(); bad != nil && cur != nil && !slices.EqualFunc(cur.Certificate, cert.Certificate, slices.Equal) {
		return bad
	}
	p.warnings = p.warn(chain, now)
	p.current.Store(cert)
	if bad == nil {
		p.opts.Log.Info("certificate loaded", "file", p.certFile, "until", chain[0].NotAfter)
	}
	return bad
}

// read loads the pair; the key must belong to the first certificate.
func (p *Pair) read() (*tls.Certificate, *Error) {
	certData, err := disk.ReadFile(p.opts.FS, p.certFile, maxPEM)
	if err != nil {
		return nil, fail(say("read the certificate: %v", "读取证书：%v", err), err)
	}
	keyData, err := disk.ReadFile(p.opts.FS, p.keyFile, maxPEM)
	if err != nil {
		return nil, fail(say("read the private key: %v", "读取私钥：%v", err), err)
	}
	chain, err := parseCerts(certData)
	if err != nil {
		return nil, fail(say("%s: %v", "%s：%v", p.certFile, err), err)
	}
	if len(chain) == 0 {
		return nil, fail(say("%s holds no PEM certificate (a .pfx or .der file has to be converted first)", "%s 中没有 PEM 证书（.pfx 或 .der 文件需先转换）", p.certFile), nil)
	}
	key, err := parseKey(keyData)
	if errors.Is(err, errEncrypted{}) {
		return nil, fail(say("the private key %s is encrypted; remove the passphrase with: openssl pkey -in %s -out new.key", "私钥 %s 已加密；请去掉口令：openssl pkey -in %s -out new.key", p.keyFile, p.keyFile), err)
	}
	if err != nil {
		return nil, fail(say("%s: %v", "%s：%v", p.keyFile, err), err)
	}
	at := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return sameKey(c.PublicKey, key.Public()) })
	switch {
	case at < 0:
		return nil, fail(say("the private key %s does not belong to the certificate %s", "私钥 %s 与证书 %s 不匹配", p.keyFile, p.certFile), nil)
	case at > 0:
		return nil, fail(say("%s is in the wrong order: the server's own certificate is number %d and must come first, then its intermediates", "%s 的顺序有误：服务器自己的证书排在第 %d 位，应排在最前，其后是中间证书", p.certFile, at+1), nil)
	}
	out := &tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, nil
}

// checkChain wants every certificate signed by the next.
func (p *Pair) checkChain(chain []*x509.Certificate) *Error {
	for i := range chain[:len(chain)-1] {
		if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
			return fail(say("%s: certificate %d (%s) is not signed by number %d (%s): an intermediate is missing or out of order",
				"%s：第 %d 个证书（%s）不是由第 %d 个证书（%s）签发的：缺少中间证书或顺序有误",
				p.certFile, i+1, chain[i].Subject, i+2, chain[i+1].Subject), err)
		}
	}
	return nil
}

// checkLeaf wants a server certificate for the host name.
func (p *Pair) checkLeaf(leaf *x509.Certificate) *Error {
	if err := leaf.VerifyHostname(p.opts.HostName); err != nil {
		return fail(say("%s is for %s, not for the host name %s", "%s 的名字是 %s，不包含主机名 %s",
			p.certFile, strings.Join(allNames(leaf), ", "), p.opts.HostName), err)
	}
	usage := leaf.ExtKeyUsage
	if len(usage) > 0 && !slices.Contains(usage, x509.ExtKeyUsageServerAuth) && !slices.Contains(usage, x509.ExtKeyUsageAny) {
		return fail(say("%s is not a server certificate (its extended key usage lacks serverAuth)", "%s 不是服务器证书（扩展密钥用法缺少 serverAuth）", p.certFile), nil)
	}
	return nil
}

func allNames(leaf *x509.Certificate) []string {
	out := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) == 0 {
		out = append(out, "(no name)")
	}
	return out
}

// checkDates wants the whole chain to be valid at now.
func (p *Pair) checkDates(chain []*x509.Certificate, now time.Time) *Error {
	for i, c := range chain {
		switch {
		case now.After(c.NotAfter):
			return fail(say("%s: certificate %d expired on %s", "%s：第 %d 个证书已于 %s 过期", p.certFile, i+1, c.NotAfter.Format("2006-01-02 15:04")), nil)
		case now.Before(c.NotBefore):
			return fail(say("%s: certificate %d is not valid before %s; is the clock of this machine right?", "%s：第 %d 个证书在 %s 之前无效；本机时钟是否正确？", p.certFile, i+1, c.NotBefore.Format("2006-01-02 15:04")), nil)
		}
	}
	return nil
}

// warn collects what does not stop a swap. Whether a chain is complete can be
// known only for roots this machine has: a company's own root may be known to
// the clients alone.
func (p *Pair) warn(chain []*x509.Certificate, now time.Time) []Message {
	var out []Message
	leaf, last := chain[0], chain[len(chain)-1]
	for _, n := range p.opts.ExtraNames {
		if leaf.VerifyHostname(n) != nil {
			out = append(out, say("the certificate does not cover the extra name %s", "证书不包含额外的名字 %s", n))
		}
	}
	inters := x509.NewCertPool()
	for _, c := range chain[1:] {
		inters.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Intermediates: inters, CurrentTime: now})
	var unknown x509.UnknownAuthorityError
	switch {
	case selfSigned(last) && len(chain) == 1:
		out = append(out, say("the certificate is self-signed: every device has to trust it by itself", "证书是自签名的：每台设备都要单独信任它"))
	case errors.As(err, &unknown) && !selfSigned(last):
		out = append(out, say("the chain ends with %s, issued by %s, which this machine does not know. If that is an intermediate, append it to the file; if it is your own root, all is well",
			"证书链止于 %s，由 %s 签发，而本机不认识后者。如果它是中间证书，请追加到文件中；如果它是自己单位的根证书，则无需处理", last.Subject, last.Issuer))
	}
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 2048 {
		out = append(out, say("the RSA key has only %d bits; browsers want 2048", "RSA 密钥只有 %d 位，浏览器要求 2048 位", key.N.BitLen()))
	}
	return out
}

// selfSigned does not ask whether the certificate may sign others: the common
// "openssl req -x509" may or may not.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// GetCertificate is the current certificate; it never fails.
func (p *Pair) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.current.Load(), nil
}

// TLSConfig is for the https listener: TLS 1.2 and later, HTTP/1.1.
func (p *Pair) TLSConfig() *tls.Config { return tlsConfig(p.GetCertificate) }

// Status says what is served.
func (p *Pair) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	cert := p.current.Load()
	s := Status{Source: "files", Fingerprint: fingerprint(cert.Certificate[0]), Warnings: slices.Clone(p.warnings)}
	s.describeLeaf(cert.Leaf)
	now := p.opts.Now()
	switch left := cert.Leaf.NotAfter.Sub(now); {
	case left < 0:
		s.Warnings = append(s.Warnings, say("the certificate in use expired on %s", "正在使用的证书已于 %s 过期", cert.Leaf.NotAfter.Format("2006-01-02")))
	case left < soon:
		s.Warnings = append(s.Warnings, say("the certificate ends in %d days, on %s; replace %s", "证书还有 %d 天于 %s 到期；请更换 %s", int(left.Round(24*time.Hour).Hours()/24), cert.Leaf.NotAfter.Format("2006-01-02"), p.certFile))
	}
	p.verdict.fill(&s)
	return s
}
