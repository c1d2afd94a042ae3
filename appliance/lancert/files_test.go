package lancert

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// company is an authority of somebody else with an intermediate.
type company struct {
	t           *testing.T
	now         time.Time
	root, inter *identity
}

func newCompany(t *testing.T, now time.Time) *company {
	c := &company{t: t, now: now}
	ca := func(cn string, parent *identity) *identity {
		id, err := sign(&x509.Certificate{
			Subject: pkix.Name{CommonName: cn}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}, parent)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	c.root = ca("Company root", nil)
	c.inter = ca("Company issuing", c.root)
	return c
}

// leaf signs a server certificate that lives from now-1h for life.
func (c *company) leaf(life time.Duration, change func(*x509.Certificate), names ...string) *identity {
	c.t.Helper()
	tpl := &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, NotBefore: c.now.Add(-time.Hour), NotAfter: c.now.Add(life),
		BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tpl)
	}
	id, err := sign(tpl, c.inter)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// desk is where the administrator puts files.
type desk struct {
	t         *testing.T
	cert, key string
	opts      Options
	now       time.Time
}

func newDesk(t *testing.T, now time.Time) *desk {
	dir := t.TempDir()
	d := &desk{t: t, cert: filepath.Join(dir, "chain.pem"), key: filepath.Join(dir, "key.pem"), now: now}
	d.opts = Options{HostName: "im.corp.lan", Now: func() time.Time { return d.now }}
	return d
}

func (d *desk) put(key *identity, chain ...*x509.Certificate) {
	d.t.Helper()
	var data []byte
	for _, c := range chain {
		data = append(data, certPEM(c)...)
	}
	k, err := keyPEM(key.key)
	if err != nil {
		d.t.Fatal(err)
	}
	put(d.t, d.cert, data)
	put(d.t, d.key, k)
}

func (d *desk) open() *Pair {
	d.t.Helper()
	p, err := Files(d.cert, d.key, d.opts)
	if err != nil {
		d.t.Fatalf("Files: %v", err)
	}
	return p
}

const year = 365 * 24 * time.Hour

func TestFilesServe(t *testing.T) {
	c := newCompany(t, time.Now())
	d := newDesk(t, c.now)
	d.opts.ExtraNames = []string{"other.lan"}
	d.put(c.leaf(year, nil, "*.corp.lan"), c.leaf(year, nil, "x.lan").cert)
	if _, err := Files(d.cert, d.key, d.opts); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("another key: %v", err)
	}
	id := c.leaf(year, nil, "*.corp.lan")
	d.put(id, id.cert, c.inter.cert)
	p := d.open()
	if err := verify(p, certPEM(c.root.cert), "im.corp.lan", d.now); err != nil {
		t.Error(err)
	}
	s := p.Status()
	if s.Source != "files" || s.LastError != nil || s.Fingerprint != fingerprint(id.cert.Raw) || len(s.Warnings) != 2 ||
		!warns(p, "extra name other.lan", "other.lan") || !warns(p, "issued by CN=Company root", "证书链") {
		t.Errorf("%+v", s)
	}
	d.put(id, id.cert, c.inter.cert, c.root.cert)
	if p = d.open(); warns(p, "issued by", "") {
		t.Error("a chain up to its root is called incomplete")
	}
	d.now = d.now.Add(year - 10*24*time.Hour)
	if !warns(p, "ends in 10 days", "还有 10 天") {
		t.Errorf("%+v", p.Status().Warnings)
	}
}

// Every broken replacement is refused with its reason in both languages, and
// the certificate of before stays.
func TestBrokenReplacementKeepsTheOld(t *testing.T) {
	c := newCompany(t, time.Now())
	good := c.leaf(year, nil, "im.corp.lan")
	next := c.leaf(year, nil, "im.corp.lan")
	chain := []*x509.Certificate{next.cert, c.inter.cert}
	for name, test := range map[string]struct {
		change func(d *desk)
		en, zh string
	}{
		"other key":     {func(d *desk) { d.put(good, chain...) }, "does not belong", "不匹配"},
		"wrong order":   {func(d *desk) { d.put(next, c.inter.cert, next.cert) }, "must come first", "顺序有误"},
		"broken chain":  {func(d *desk) { d.put(next, next.cert, c.root.cert) }, "is missing or out of order", "缺少中间证书"},
		"other name":    {func(d *desk) { x := c.leaf(year, nil, "www.lan"); d.put(x, x.cert, c.inter.cert) }, "is for www.lan", "不包含主机名"},
		"common name":   {func(d *desk) { x := c.leaf(year, noNames, "im.corp.lan"); d.put(x, x.cert, c.inter.cert) }, "(no name)", "主机名"},
		"for clients":   {func(d *desk) { x := c.leaf(year, forClients, "im.corp.lan"); d.put(x, x.cert, c.inter.cert) }, "serverAuth", "serverAuth"},
		"expired":       {func(d *desk) { x := c.leaf(-time.Minute, nil, "im.corp.lan"); d.put(x, x.cert, c.inter.cert) }, "expired on", "过期"},
		"not yet valid": {func(d *desk) { x := c.leaf(year, later, "im.corp.lan"); d.put(x, x.cert, c.inter.cert) }, "not valid before", "时钟"},
		"empty":         {func(d *desk) { put(d.t, d.cert, nil) }, "no PEM certificate", "没有 PEM 证书"},
		"half":          {func(d *desk) { put(d.t, d.cert, certPEM(next.cert)[:300]) }, "no PEM certificate", "没有"},
		"junk inside":   {func(d *desk) { put(d.t, d.cert, block("CERTIFICATE")) }, "read certificate 1", ""},
		"no key":        {func(d *desk) { put(d.t, d.key, certPEM(next.cert)) }, "no PEM private key", ""},
		"encrypted key": {func(d *desk) { put(d.t, d.key, block("ENCRYPTED PRIVATE KEY")) }, "openssl pkey", "口令"},
		"gone":          {func(d *desk) { _ = os.Remove(d.cert) }, "no such file", ""},
		"open key":      {func(d *desk) { d.put(next, chain...); _ = os.Chmod(d.key, 0o644) }, "chmod o=", "chmod o="},
		"huge":          {func(d *desk) { put(d.t, d.cert, make([]byte, maxPEM+1)) }, "too large", ""},
	} {
		d := newDesk(t, c.now)
		d.put(good, good.cert, c.inter.cert)
		p := d.open()
		test.change(d)
		err := p.Refresh(d.now)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.English, test.en) || !strings.Contains(e.Chinese, test.zh) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !leafOf(p).Equal(good.cert) {
			t.Errorf("%s: the old certificate is gone", name)
		}
		if s := p.Status(); s.LastError == nil || !s.LastErrorAt.Equal(d.now) {
			t.Errorf("%s: %+v", name, s)
		}
		d.put(next, chain...)
		_ = os.Chmod(d.key, 0o600)
		if err := p.Refresh(d.now); err != nil || !leafOf(p).Equal(next.cert) || p.Status().LastError != nil {
			t.Errorf("%s: the repaired files are not served: %v", name, err)
		}
	}
}

func noNames(c *x509.Certificate)    { c.DNSNames = nil }
func forClients(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
func later(c *x509.Certificate)      { c.NotBefore = c.NotBefore.Add(48 * time.Hour) }

func block(kind string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: big.NewInt(12345678).Bytes()})
}

// A replacement that becomes valid later is tried again though nothing about
// the files changes.
func TestNotYetValidIsTriedAgain(t *testing.T) {
	c := newCompany(t, time.Now())
	d := newDesk(t, c.now)
	good, next := c.leaf(year, nil, "im.corp.lan"), c.leaf(year, later, "im.corp.lan")
	d.put(good, good.cert, c.inter.cert)
	p := d.open()
	d.put(next, next.cert, c.inter.cert)
	if p.Refresh(d.now) == nil {
		t.Error("served before its time")
	}
	d.now = d.now.Add(48 * time.Hour)
	if err := p.Refresh(d.now); err != nil || !leafOf(p).Equal(next.cert) {
		t.Error(err)
	}
}

func TestExpiredAtTheStart(t *testing.T) {
	c := newCompany(t, time.Now())
	d := newDesk(t, c.now)
	old := c.leaf(-time.Minute, nil, "im.corp.lan")
	d.put(old, old.cert, c.inter.cert)
	p := d.open()
	if p.Status().LastError == nil || !warns(p, "expired", "过期") || p.Refresh(d.now) == nil {
		t.Errorf("%+v", p.Status())
	}
	next := c.leaf(year, nil, "im.corp.lan")
	d.put(next, next.cert, c.inter.cert)
	if err := p.Refresh(d.now); err != nil || !leafOf(p).Equal(next.cert) {
		t.Error(err)
	}
}

func TestSelfSigned(t *testing.T) {
	d := newDesk(t, time.Now())
	id, err := sign(&x509.Certificate{
		DNSNames: []string{"im.corp.lan"}, NotBefore: d.now.Add(-time.Hour), NotAfter: d.now.Add(year), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.put(id, id.cert)
	if p := d.open(); !warns(p, "self-signed", "自签名") {
		t.Errorf("%+v", p.Status().Warnings)
	}
}

// Tools such as certbot swap a symbolic link; time and size may be the same.
func TestSymbolicLinkSwap(t *testing.T) {
	c := newCompany(t, time.Now())
	dir := t.TempDir()
	stamp := c.now.Add(-time.Minute)
	first, second := c.leaf(year, nil, "im.corp.lan"), c.leaf(year, nil, "im.corp.lan")
	for name, id := range map[string]*identity{"1": first, "2": second} {
		d := &desk{t: t, cert: filepath.Join(dir, "cert"+name), key: filepath.Join(dir, "key"+name)}
		d.put(id, id.cert, c.inter.cert)
		for _, p := range []string{d.cert, d.key} {
			if err := os.Chtimes(p, stamp, stamp); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := func(n string) {
		for _, f := range []string{"cert", "key"} {
			_ = os.Remove(filepath.Join(dir, f))
			if err := os.Symlink(f+n, filepath.Join(dir, f)); err != nil {
				t.Fatal(err)
			}
		}
	}
	link("1")
	d := newDesk(t, c.now)
	d.cert, d.key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	p := d.open()
	link("2")
	if err := p.Refresh(d.now); err != nil || !leafOf(p).Equal(second.cert) {
		t.Error("the swapped link was not seen", err)
	}
}

func TestReloadUnderHandshakes(t *testing.T) {
	c := newCompany(t, time.Now())
	d := newDesk(t, c.now)
	id := c.leaf(year, nil, "im.corp.lan")
	d.put(id, id.cert, c.inter.cert)
	p := d.open()
	port := serveTLS(t, p)
	roots := x509.NewCertPool()
	roots.AddCert(c.root.cert)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: "im.corp.lan", Rand: rand.Reader})
				if err != nil {
					t.Errorf("handshake: %v", err)
					return
				}
				_ = conn.Close()
			}
		})
	}
	for i := range 40 {
		id := c.leaf(year, nil, "im.corp.lan")
		if i%2 == 1 {
			put(t, d.cert, []byte("half a file"))
		} else {
			d.put(id, id.cert, c.inter.cert)
		}
		if err := p.Reload(); (err != nil) != (i%2 == 1) {
			t.Errorf("reload %d: %v", i, err)
		}
		_ = p.Status()
	}
	close(stop)
	wg.Wait()
}
