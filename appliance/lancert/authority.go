package lancert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/disk"
)

const rootWarning = 180 * 24 * time.Hour // every device has to trust a new root in good time

// Authority is the local certificate authority with its current leaf. Its
// methods may be called from any goroutine.
type Authority struct {
	opts  Options
	store store
	root  *x509.Certificate
	inter *identity

	current atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // Refresh, Status, DeleteRootKey
	verdict verdict
	unsaved *identity // a leaf that is served but not on disk yet
	leftOut []string
}

// Open reads the authority in dir, or makes one at the first start, and has a
// leaf ready. The error is an *Error; Error.NewAuthority says that a host name
// is outside what the authority may sign.
func Open(dir string, opts Options) (*Authority, error) {
	a := &Authority{opts: opts.withDefaults()}
	a.store = store{a.opts.FS, dir}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Authority) open() *Error {
	if a.opts.LeafDays < 2 || a.opts.LeafDays > 90 {
		return fail(say("a certificate may live for 2 to 90 days, not %d", "证书有效期应为 2 到 90 天，而不是 %d 天", a.opts.LeafDays), nil)
	}
	for _, n := range a.opts.zones() {
		if err := checkName(n); err != nil {
			return err
		}
	}
	if err := a.load(); err != nil {
		return err
	}
	for _, n := range a.opts.asked() {
		if !mayName(a.inter.cert, n) {
			return a.outside(n)
		}
	}
	if id, certs, err := a.store.readIdentity(leafFile); err == nil && a.usable(certs) {
		a.serve(id)
	}
	if err := a.refresh(a.opts.Now()); err != nil && a.current.Load() == nil {
		return err
	}
	return nil
}

// load reads root and intermediate, or makes what is missing at a first start.
func (a *Authority) load() *Error {
	haveRoot, err1 := a.store.exists(rootCert)
	haveInter, err2 := a.store.exists(interFile)
	if err := errors.Join(err1, err2); err != nil {
		return a.broken(err)
	}
	var root *identity
	switch {
	case !haveRoot && haveInter:
		return a.broken(errors.New(rootCert + " is missing"))
	case !haveRoot:
		var bad *Error
		if root, bad = a.makeRoot(); bad != nil {
			return bad
		}
		a.root = root.cert
	default:
		data, err := disk.ReadFile(a.store.fs, a.store.path(rootCert), maxPEM)
		if err != nil {
			return a.broken(err)
		}
		certs, err := parseCerts(data)
		if err != nil || len(certs) != 1 {
			return a.broken(errors.Join(err, errors.New(rootCert+" is not one certificate")))
		}
		a.root = certs[0]
	}
	if !haveInter {
		return a.makeIntermediate(root)
	}
	return a.loadIntermediate()
}

func (a *Authority) makeRoot() (*identity, *Error) {
	now := a.opts.Now()
	if now.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return nil, fail(say("the clock of this machine says %s; set it before the certificate authority is made, or every device will call it expired",
			"本机时钟显示 %s；请先校准时钟再建立证书颁发机构，否则所有设备都会认为它已过期", now.UTC().Format("2006-01-02")), nil)
	}
	root, err := newRoot(a.opts, now)
	if err != nil {
		return nil, a.broken(err)
	}
	key, err := keyPEM(root.key)
	if err != nil {
		return nil, a.broken(err)
	}
	err = a.store.fs.MkdirAll(a.store.dir, 0o700)
	if err == nil {
		err = disk.WriteFile(a.store.fs, a.store.path(rootKey), key, 0o600)
	}
	if err == nil {
		err = disk.WriteFile(a.store.fs, a.store.path(rootCert), certPEM(root.cert), 0o644)
	}
	if err != nil {
		return nil, a.broken(err)
	}
	a.opts.Log.Info("certificate authority made", "fingerprint", fingerprint(root.cert.Raw), "names", strings.Join(root.cert.PermittedDNSDomains, " "))
	return root, nil
}

// makeIntermediate ends a first start; root is nil when the one before was cut
// off after it had written the root.
func (a *Authority) makeIntermediate(root *identity) *Error {
	if root == nil {
		data, err := a.store.readSecret(rootKey)
		if err != nil {
			return a.broken(err)
		}
		key, err := parseKey(data)
		if err == nil && !sameKey(key.Public(), a.root.PublicKey) {
			err = errors.New(rootKey + " does not belong to " + rootCert)
		}
		if err != nil {
			return a.broken(err)
		}
		root = &identity{key, a.root}
	}
	inter, err := newIntermediate(a.opts, root)
	if err == nil {
		err = a.store.writeIdentity(interFile, inter)
	}
	if err != nil {
		return a.broken(err)
	}
	a.inter = inter
	return nil
}

func (a *Authority) loadIntermediate() *Error {
	inter, _, err := a.store.readIdentity(interFile)
	if err == nil {
		err = inter.cert.CheckSignatureFrom(a.root)
	}
	if err != nil {
		return a.broken(err)
	}
	a.inter = inter
	return nil
}

// broken says that the authority cannot be used as it lies there.
func (a *Authority) broken(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return fail(say("open the certificate authority in %s: %v. Restore the directory from a backup; a new authority would have to be trusted by every device anew",
		"打开 %s 中的证书颁发机构：%v。请从备份恢复该目录；新建颁发机构则每台设备都要重新信任", a.store.dir, err), err)
}

// outside says that only a new authority helps.
func (a *Authority) outside(name string) *Error {
	zones := strings.Join(a.inter.cert.PermittedDNSDomains, ", ")
	e := fail(say("the certificate authority in %[1]s was made for %[2]s and cannot sign %[3]q. Go back to the old name, or make a new authority, which every device must trust anew: stop the server, move %[1]s away, start it",
		"%[1]s 中的证书颁发机构是为 %[2]s 建立的，不能签发 %[3]q。请改回原来的名字，或新建颁发机构（每台设备都要重新信任）：停止服务，移走 %[1]s，再启动", a.store.dir, zones, name), nil)
	e.NewAuthority = true
	return e
}

// usable says whether a leaf read from disk is one of ours.
func (a *Authority) usable(certs []*x509.Certificate) bool {
	return len(certs) == 2 && certs[1].Equal(a.inter.cert) && certs[0].CheckSignatureFrom(a.inter.cert) == nil
}

// serve swaps the leaf.
func (a *Authority) serve(id *identity) {
	a.current.Store(&tls.Certificate{
		Certificate: [][]byte{id.cert.Raw, a.inter.cert.Raw},
		PrivateKey:  id.key,
		Leaf:        id.cert,
	})
}

// Refresh makes a new leaf when one is due at now. The error is an *Error.
func (a *Authority) Refresh(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return asError(a.refresh(now))
}

// Reload is Refresh at the present time.
func (a *Authority) Reload() error { return a.Refresh(a.opts.Now()) }

// Run calls Refresh every 30 seconds until ctx ends.
func (a *Authority) Run(ctx context.Context) { run(ctx, a, a.opts.Now) }

func (a *Authority) refresh(now time.Time) (err *Error) {
	defer func() { a.verdict.set(err, now, a.opts.Log) }()
	ips, leftOut := addresses(a.inter.cert, a.opts.Addresses())
	a.leftOut = leftOut
	cur := a.current.Load()
	switch {
	case now.After(a.inter.cert.NotAfter):
		return fail(say("the certificate authority ended on %s (or the clock of this machine is wrong): a new one is needed, and every device must trust it anew",
			"证书颁发机构已于 %s 到期（或本机时钟有误）：需要新建，每台设备都要重新信任", a.inter.cert.NotAfter.Format("2006-01-02")), nil)
	case now.Before(a.root.NotBefore) && cur != nil:
		return fail(say("the clock of this machine says %s, which is before its certificate authority was made; the certificate stays as it is until the clock is right",
			"本机时钟显示 %s，早于证书颁发机构的建立时间；在时钟校准之前证书保持不变", now.UTC().Format("2006-01-02 15:04")), nil)
	}
	reason := a.due(now, cur, ips)
	if reason != "" {
		leaf, err := newLeaf(a.opts, a.inter, a.root, ips, now)
		if err != nil {
			return fail(say("renew the certificate: %v", "更新证书：%v", err), err)
		}
		a.serve(leaf)
		a.unsaved = leaf
		a.opts.Log.Info("certificate made", "reason", reason, "until", leaf.cert.NotAfter)
	}
	if a.unsaved == nil {
		return nil
	}
	if err := a.store.writeIdentity(leafFile, a.unsaved, a.inter.cert); err != nil {
		return fail(say("save the renewed certificate (it is in use, but lost at a restart): %v",
			"保存更新后的证书（已在使用，但重启后会丢失）：%v", err), err)
	}
	a.unsaved = nil
	return nil
}

// due says why a new leaf is needed, or "".
func (a *Authority) due(now time.Time, cur *tls.Certificate, have []net.IP) string {
	if cur == nil {
		return "none yet"
	}
	leaf := cur.Leaf
	names := a.opts.signed(a.inter.cert)
	switch {
	case now.Before(leaf.NotBefore):
		return "made while the clock was ahead"
	case !now.Before(renewal(leaf)):
		return "renewal"
	case leaf.NotAfter.Sub(leaf.NotBefore) > time.Duration(a.opts.LeafDays)*24*time.Hour:
		return "shorter life configured"
	case len(names) != len(leaf.DNSNames) || slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(leaf.DNSNames, n) }):
		return "names changed"
	}
	for _, ip := range have {
		if !slices.ContainsFunc(leaf.IPAddresses, ip.Equal) {
			return "new address " + ip.String()
		}
	}
	return ""
}

// renewal is two thirds into the life of a leaf.
func renewal(leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 3 * 2)
}

// GetCertificate is the current leaf with its intermediate; it never fails.
func (a *Authority) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.current.Load(), nil
}

// TLSConfig is for the https listener: TLS 1.2 and later, HTTP/1.1.
func (a *Authority) TLSConfig() *tls.Config { return tlsConfig(a.GetCertificate) }

// Fingerprint is the SHA-256 of the root, in upper-case hex with colons: what
// people compare before they trust it.
func (a *Authority) Fingerprint() string { return fingerprint(a.root.Raw) }

// RootPEM is the root for Linux, Firefox and curl.
func (a *Authority) RootPEM() []byte { return certPEM(a.root) }

// RootDER is the root for Android and Windows (.crt).
func (a *Authority) RootDER() []byte { return bytes.Clone(a.root.Raw) }

// Status says what is served.
func (a *Authority) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	leaf := a.current.Load().Leaf
	s := Status{
		Source: "local-ca", LeftOut: slices.Clone(a.leftOut), RenewAt: renewal(leaf),
		Fingerprint: a.Fingerprint(), RootExpires: a.root.NotAfter, Zones: slices.Clone(a.inter.cert.PermittedDNSDomains),
	}
	s.describeLeaf(leaf)
	s.RootKey, _ = a.store.exists(rootKey)
	for _, z := range a.opts.zones() {
		if !mayName(a.inter.cert, z) {
			s.Warnings = append(s.Warnings, say("the zone %q is not in the certificate authority, which was made before it was configured; names in it cannot be signed",
				"区域 %q 不在证书颁发机构的范围内（配置它时颁发机构已经建立），其中的名字无法签发", z))
		}
	}
	if len(s.LeftOut) > 0 {
		s.Warnings = append(s.Warnings, say("the certificate does not cover these addresses of this machine: %s. Browsers must use a name instead",
			"证书不包含本机的这些地址：%s。浏览器请改用名字访问", strings.Join(s.LeftOut, ", ")))
	}
	if a.root.NotAfter.Sub(a.opts.Now()) < rootWarning {
		s.Warnings = append(s.Warnings, say("the certificate authority ends on %s; every device has to trust a new one before that",
			"证书颁发机构将于 %s 到期，在此之前每台设备都要信任新的颁发机构", a.root.NotAfter.Format("2006-01-02")))
	}
	a.verdict.fill(&s)
	return s
}

// Admits tells whether the server could be called name with this authority. The
// error is an *Error: name is no host name of a LAN, or only a new authority
// could sign it (NewAuthority).
func (a *Authority) Admits(name string) error {
	name = canonical(name)
	if err := checkName(name); err != nil {
		return err
	}
	if !mayName(a.inter.cert, name) {
		return a.outside(name)
	}
	return nil
}

// ExportRootKey is the root's private key, PKCS 8 PEM, for a safe place off
// this server. The server never needs it again. An *Error if it is gone.
func (a *Authority) ExportRootKey() ([]byte, error) {
	data, err := a.store.readSecret(rootKey)
	if err != nil {
		return nil, fail(say("read the root key: %v", "读取根密钥：%v", err), err)
	}
	return data, nil
}

// DeleteRootKey removes the root's private key from the server. saved is the
// exported key as it was read back from where it was put: a key that does not
// belong to the root deletes nothing. On flash storage the deleted blocks may
// remain readable to someone who takes the disk apart.
func (a *Authority) DeleteRootKey(saved []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	key, err := parseKey(saved)
	if err == nil && !sameKey(key.Public(), a.root.PublicKey) {
		err = errors.New("it is another key")
	}
	if err != nil {
		return fail(say("the saved copy is not the root key, so nothing is deleted: %v", "保存的副本不是根密钥，未删除任何内容：%v", err), err)
	}
	err = a.store.fs.Remove(a.store.path(rootKey))
	if err == nil {
		err = a.store.fs.SyncDir(a.store.dir)
	}
	if err != nil {
		return fail(say("delete the root key: %v", "删除根密钥：%v", err), err)
	}
	return nil
}
