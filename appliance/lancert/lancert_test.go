package lancert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"posthouse/appliance/disk"
)

// world is a machine with a clock, addresses and a directory.
type world struct {
	t    *testing.T
	dir  string
	now  time.Time
	ips  []string
	opts Options
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "ca"), now: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), ips: []string{"192.168.7.5", "fd00:7::5"}}
	w.opts = Options{
		HostName: "IM.corp.lan", ExtraNames: []string{"chat.corp.lan"}, ExtraZones: []string{".internal"}, Organisation: "上海东方医院",
		Now: func() time.Time { return w.now },
		Addresses: func() (out []net.IP) {
			for _, s := range w.ips {
				out = append(out, net.ParseIP(s))
			}
			return out
		},
	}
	return w
}

func (w *world) open() *Authority {
	w.t.Helper()
	a, err := Open(w.dir, w.opts)
	if err != nil {
		w.t.Fatalf("Open: %v", err)
	}
	return a
}

// refuses expects Open to fail with words of both languages.
func (w *world) refuses(en, zh string) *Error {
	w.t.Helper()
	_, err := Open(w.dir, w.opts)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.English, en) || !strings.Contains(e.Chinese, zh) {
		w.t.Fatalf("Open: %v, want %q", err, en)
	}
	return e
}

func (w *world) refresh(a *Authority) {
	w.t.Helper()
	if err := a.Refresh(w.now); err != nil {
		w.t.Fatalf("Refresh: %v", err)
	}
}

func leafOf(s Source) *x509.Certificate {
	c, _ := s.GetCertificate(nil)
	return c.Leaf
}

// verify checks what a server presents the way a client does.
func verify(s Source, root []byte, name string, now time.Time) error {
	c, _ := s.GetCertificate(nil)
	roots, inters := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	for _, der := range c.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		inters.AddCert(cert)
	}
	_, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: inters, CurrentTime: now})
	return err
}

func TestLeafVerifies(t *testing.T) {
	w := newWorld(t)
	w.ips = append(w.ips, "8.8.4.4", "fe80::1", "127.0.0.53", "192.168.7.5", "169.254.3.3", "224.0.0.1")
	a := w.open()
	for _, name := range []string{"im.corp.lan", "im.local", "chat.corp.lan", "localhost", "192.168.7.5", "fd00:7::5", "127.0.0.1", "::1", "169.254.3.3"} {
		if err := verify(a, a.RootPEM(), name, w.now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"corp.lan", "8.8.4.4", "192.168.7.6", "fe80::1"} {
		if err := verify(a, a.RootPEM(), name, w.now); err == nil {
			t.Errorf("%s is covered", name)
		}
	}
	leaf := leafOf(a)
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 90*24*time.Hour {
		t.Errorf("leaf lives %v", life)
	}
	if leaf.Subject.CommonName != "im.corp.lan" || leaf.IsCA || !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("%+v", leaf.Subject)
	}
	if err := verify(a, a.RootPEM(), "im.corp.lan", w.now.Add(-59*time.Minute)); err != nil {
		t.Errorf("client one hour behind: %v", err)
	}
	s := a.Status()
	if s.LastError != nil || !slices.Equal(s.LeftOut, []string{"8.8.4.4"}) || len(s.Warnings) != 1 || !s.RootKey {
		t.Errorf("%+v", s)
	}
}

func TestAuthorityShape(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	if a.root.MaxPathLen != 1 || !a.inter.cert.MaxPathLenZero || a.root.NotAfter.Year() != 2036 {
		t.Errorf("path lengths %d %d until %v", a.root.MaxPathLen, a.inter.cert.MaxPathLen, a.root.NotAfter)
	}
	want := []string{"im.corp.lan", "im.local", "chat.corp.lan", "localhost", "internal"}
	for _, c := range []*x509.Certificate{a.root, a.inter.cert} {
		if !c.PermittedDNSDomainsCritical || !slices.Equal(c.PermittedDNSDomains, want) || len(c.PermittedIPRanges) != len(privateRanges()) {
			t.Errorf("%s: constraints %v %v", c.Subject, c.PermittedDNSDomains, c.PermittedIPRanges)
		}
		if c.Subject.Organization[0] != "上海东方医院" || len(c.Subject.CommonName) > maxCN {
			t.Errorf("subject %s", c.Subject)
		}
	}
	if a.root.Subject.CommonName == a.inter.cert.Subject.CommonName {
		t.Error("root and intermediate share a name")
	}
	der, _ := x509.ParseCertificate(a.RootDER())
	if der == nil || !der.Equal(a.root) || len(a.Fingerprint()) != 32*3-1 {
		t.Errorf("RootDER, Fingerprint %q", a.Fingerprint())
	}
}

func put(t *testing.T, p string, data []byte) {
	t.Helper()
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPermissions(t *testing.T) {
	w := newWorld(t)
	w.open()
	for name, want := range map[string]fs.FileMode{"": 0o700, rootKey: 0o600, interFile: 0o600, leafFile: 0o600, rootCert: 0o644} {
		info, err := os.Stat(filepath.Join(w.dir, name))
		if err != nil || info.Mode().Perm()&^want != 0 {
			t.Errorf("%q: %v %v", name, info.Mode(), err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(w.dir, "*.tmp"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(filepath.Join(w.dir, interFile), 0o640); err != nil {
		t.Fatal(err)
	}
	w.refuses("chmod 600", "chmod 600")
}

func TestRestartKeepsEverything(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	w.now = w.now.Add(24 * time.Hour)
	b := w.open()
	if a.Fingerprint() != b.Fingerprint() || !leafOf(a).Equal(leafOf(b)) {
		t.Error("a restart made something new")
	}
}

func TestRenewal(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	first := leafOf(a)
	w.now = a.Status().RenewAt.Add(-time.Second)
	w.refresh(a)
	if !leafOf(a).Equal(first) {
		t.Error("renewed too early")
	}
	w.now = w.now.Add(time.Second)
	w.refresh(a)
	second := leafOf(a)
	if second.Equal(first) || second.PublicKey == first.PublicKey {
		t.Error("not renewed after two thirds")
	}
	if !leafOf(w.open()).Equal(second) {
		t.Error("the renewed leaf is not on disk")
	}
	// A server that slept for years still has a certificate at its start.
	w.now = w.now.AddDate(5, 0, 0)
	if err := verify(w.open(), a.RootPEM(), "im.corp.lan", w.now); err != nil {
		t.Errorf("after five years: %v", err)
	}
	// Near its end the authority signs no further than itself, and says so.
	w.now = a.root.NotAfter.Add(-48 * time.Hour)
	w.refresh(a)
	if leafOf(a).NotAfter.After(a.root.NotAfter) || !warns(a, "before that", "到期") {
		t.Errorf("near the end: %v %+v", leafOf(a).NotAfter, a.Status().Warnings)
	}
	w.now = a.root.NotAfter.Add(time.Hour)
	if err := a.Refresh(w.now); err == nil || !strings.Contains(err.Error(), "trust it anew") {
		t.Errorf("after the end: %v", err)
	}
}

func warns(s Source, en, zh string) bool {
	return slices.ContainsFunc(s.Status().Warnings, func(m Message) bool {
		return strings.Contains(m.English, en) && strings.Contains(m.Chinese, zh)
	})
}

func TestAddresses(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	first := leafOf(a)
	w.ips = []string{"192.168.7.5"}
	w.refresh(a)
	if !leafOf(a).Equal(first) {
		t.Error("a lost address made a new leaf")
	}
	w.ips = []string{"10.1.2.3", "172.16.0.9"}
	w.refresh(a)
	if err := verify(a, a.RootPEM(), "10.1.2.3", w.now); err != nil {
		t.Errorf("new address: %v", err)
	}
	if err := verify(a, a.RootPEM(), "192.168.7.5", w.now); err == nil {
		t.Error("the lost address is still there")
	}
	w.ips = nil
	for i := range 200 {
		w.ips = append(w.ips, net.IPv4(10, 2, 0, byte(i)).String())
	}
	w.refresh(a)
	if n := len(leafOf(a).IPAddresses); n != maxAddresses {
		t.Errorf("%d addresses", n)
	}
	was := leafOf(a)
	slices.Reverse(w.ips)
	w.refresh(a)
	if !leafOf(a).Equal(was) {
		t.Error("the order of interfaces made a new leaf")
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	was := w.open()
	w.opts.ExtraNames = []string{"chat.corp.lan", "help.internal"}
	a := w.open()
	if a.Fingerprint() != was.Fingerprint() || verify(a, a.RootPEM(), "help.internal", w.now) != nil {
		t.Error("a name in a zone of the authority is not signed")
	}
	w.opts.ExtraNames = nil
	if a = w.open(); slices.Contains(leafOf(a).DNSNames, "help.internal") {
		t.Error("a removed name is still signed")
	}
	w.opts.ExtraZones = []string{"internal", "ship"}
	if a = w.open(); !warns(a, `"ship" is not in`, "ship") {
		t.Errorf("%+v", a.Status().Warnings)
	}
	w.opts.HostName = "talk.internal"
	if a = w.open(); a.Fingerprint() != was.Fingerprint() || verify(a, a.RootPEM(), "talk.internal", w.now) != nil {
		t.Error("a host name in a zone of the authority is not signed")
	}
	for name, fits := range map[string]bool{"Talk.Internal.": true, "im.corp.lan": true, "a.im.corp.lan": true, "talk.local": false, "other.lan": false, "internal2": false, "10.0.0.1": false} {
		err := a.Admits(name)
		var e *Error
		if (err == nil) != fits || err != nil && !errors.As(err, &e) {
			t.Errorf("a host name %s: %v", name, err)
		}
		if name == "other.lan" && !e.NewAuthority {
			t.Error("it is not said that other.lan needs a new authority")
		}
	}
	w.opts.HostName = "other.lan"
	if e := w.refuses("every device must trust anew", "每台设备都要重新信任"); !e.NewAuthority {
		t.Error("NewAuthority is not set")
	}
	for _, bad := range []string{"", "chat", "com", "co.uk", "10.0.0.1", "a b", "-x", "*.lan", strings.Repeat("a", 64)} {
		w.opts.HostName, w.opts.ExtraNames = bad, nil
		w.refuses(" ", "")
	}
	w.dir = filepath.Join(t.TempDir(), "ca")
	w.opts.HostName = strings.Repeat("very-long-label-of-a-host-name.", 4) + "lan"
	if err := verify(w.open(), w.open().RootPEM(), w.opts.HostName, w.now); err != nil {
		t.Errorf("a name longer than a common name may be: %v", err)
	}
}

func TestClock(t *testing.T) {
	w := newWorld(t)
	good := w.now
	w.now = time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC)
	w.refuses("set it before", "请先校准时钟")
	if entries, _ := os.ReadDir(w.dir); len(entries) > 0 {
		t.Errorf("1970 left %v", entries)
	}
	w.now = good
	a := w.open()
	first := leafOf(a)

	// The battery died: a clock before the authority keeps the leaf.
	w.now = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := a.Refresh(w.now); err == nil || !leafOf(a).Equal(first) || a.Status().LastError == nil {
		t.Errorf("clock in 2010: %v", err)
	}
	if !leafOf(w.open()).Equal(first) {
		t.Error("a start in 2010 replaced the leaf")
	}
	w.now = good
	w.refresh(a)
	if a.Status().LastError != nil || !leafOf(a).Equal(first) {
		t.Error("the right clock did not heal")
	}

	// The clock was ahead for a while: its leaf is replaced.
	w.now = good.AddDate(3, 0, 0)
	w.refresh(a)
	ahead := leafOf(a)
	w.now = good.Add(time.Hour)
	w.refresh(a)
	if leafOf(a).Equal(ahead) || verify(a, a.RootPEM(), "im.corp.lan", w.now) != nil {
		t.Error("the leaf of the future is still served")
	}

	// Without a leaf, a clock before the authority still gives one that is
	// good for everybody whose clock is right.
	if err := os.Remove(filepath.Join(w.dir, leafFile)); err != nil {
		t.Fatal(err)
	}
	w.now = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := verify(w.open(), a.RootPEM(), "im.corp.lan", good); err != nil {
		t.Errorf("leaf made in 2010: %v", err)
	}
}

// failing fails the mutations from number n on.
type failing struct {
	disk.FS
	n int
}

func (f *failing) step() error {
	if f.n--; f.n < 0 {
		return syscall.ENOSPC
	}
	return nil
}

func (f *failing) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag&os.O_WRONLY != 0 {
		if err := f.step(); err != nil {
			return nil, err
		}
	}
	return f.FS.OpenFile(name, flag, perm)
}

func (f *failing) Rename(a, b string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.Rename(a, b)
}

func (f *failing) SyncDir(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

// A first start that is cut off at any step ends well at the next one, and a
// root that was written is never replaced.
func TestFirstStartCutOff(t *testing.T) {
	for n := 0; ; n++ {
		w := newWorld(t)
		w.opts.FS = &failing{disk.OS{}, n}
		_, err := Open(w.dir, w.opts)
		done := err == nil && w.opts.FS.(*failing).n >= 0
		before, _ := os.ReadFile(filepath.Join(w.dir, rootCert))
		w.opts.FS = nil
		a := w.open()
		if before != nil && !bytes.Equal(before, a.RootPEM()) {
			t.Errorf("step %d: a second root", n)
		}
		if err := verify(a, a.RootPEM(), "im.corp.lan", w.now); err != nil {
			t.Errorf("step %d: %v", n, err)
		}
		if done {
			if n < 12 {
				t.Errorf("only %d steps were tried", n)
			}
			return
		}
	}
}

func TestFullDiskServesFromMemory(t *testing.T) {
	w := newWorld(t)
	disk := &failing{disk.OS{}, 1000}
	w.opts.FS = disk
	a := w.open()
	first := leafOf(a)
	w.now = w.now.AddDate(0, 0, 80)
	disk.n = 0
	if err := a.Refresh(w.now); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Refresh: %v", err)
	}
	second := leafOf(a)
	if second.Equal(first) || a.Status().LastError == nil {
		t.Error("the full disk kept the old leaf")
	}
	disk.n = 1000
	w.refresh(a)
	if !leafOf(a).Equal(second) || !leafOf(w.open()).Equal(second) {
		t.Error("the leaf was not saved when there was room")
	}
}

func TestDamage(t *testing.T) {
	for _, c := range []struct {
		file, content string // content "-" removes
		en            string // "" heals
	}{
		{leafFile, "junk", ""}, {leafFile, "-", ""}, {leafFile, "", ""},
		{rootKey, "-", ""},
		{rootCert, "-", "root.crt is missing"}, {rootCert, "junk", "not one certificate"},
		{interFile, "junk", "no PEM private key"},
		{interFile, "-", ""}, // as after a first start that was cut off
	} {
		w := newWorld(t)
		was := w.open()
		p := filepath.Join(w.dir, c.file)
		if c.content == "-" {
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
		} else {
			put(t, p, []byte(c.content))
		}
		if c.en != "" {
			w.refuses(c.en, "备份")
			continue
		}
		a := w.open()
		if a.Fingerprint() != was.Fingerprint() || verify(a, a.RootPEM(), "im.corp.lan", w.now) != nil {
			t.Errorf("%s = %q", c.file, c.content)
		}
	}
	w, other := newWorld(t), newWorld(t)
	w.open()
	other.open()
	data, _ := os.ReadFile(filepath.Join(other.dir, interFile))
	put(t, filepath.Join(w.dir, interFile), data)
	w.refuses("open the certificate authority", "备份")
}

func TestRootKeyLeaves(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	saved, err := a.ExportRootKey()
	if err != nil {
		t.Fatal(err)
	}
	other := newWorld(t)
	wrong, _ := other.open().ExportRootKey()
	for _, bad := range [][]byte{nil, wrong, saved[:40]} {
		if a.DeleteRootKey(bad) == nil || !a.Status().RootKey {
			t.Error("deleted without a copy")
		}
	}
	if err := a.DeleteRootKey(saved); err != nil || a.Status().RootKey {
		t.Errorf("DeleteRootKey: %v", err)
	}
	if _, err := a.ExportRootKey(); err == nil {
		t.Error("the key is still there")
	}
	w.now = w.now.AddDate(0, 0, 80)
	a = w.open()
	if err := verify(a, a.RootPEM(), "im.corp.lan", w.now); err != nil {
		t.Errorf("renewal without the root key: %v", err)
	}
}

func TestMobileConfig(t *testing.T) {
	w := newWorld(t)
	w.opts.Organisation = "A & B <Ltd>"
	a := w.open()
	for lang, title := range map[string]string{"en": "Certificate of im.corp.lan", "zh-CN": "im.corp.lan 的证书"} {
		got := a.MobileConfig(lang)
		if !bytes.Equal(got, a.MobileConfig(lang)) {
			t.Error("not the same twice")
		}
		if !bytes.Contains(got, []byte(title)) || !bytes.Contains(got, []byte("A &amp; B &lt;Ltd&gt;")) {
			t.Errorf("%s:\n%s", lang, got)
		}
		d := xml.NewDecoder(bytes.NewReader(got))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", lang, err)
			}
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dir = filepath.Join(dir, "ca")
		start, base := time.Now(), w.now
		w.opts.Now = func() time.Time { return base.Add(time.Since(start)) }
		a := w.open()
		first := leafOf(a)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); a.Run(ctx) }()
		time.Sleep(61 * 24 * time.Hour)
		synctest.Wait()
		if leafOf(a).Equal(first) {
			t.Error("61 days passed without a renewal")
		}
		stop()
		<-done
	})
}

func TestTLSConfig(t *testing.T) {
	for _, s := range []Source{newWorld(t).open(), func() Source {
		c := newCompany(t, time.Now())
		d := newDesk(t, c.now)
		id := c.leaf(year, nil, "im.corp.lan")
		d.put(id, id.cert)
		return d.open()
	}()} {
		c := s.TLSConfig()
		if got, err := c.GetCertificate(&tls.ClientHelloInfo{ServerName: "unknown"}); err != nil || got == nil || c.MinVersion != tls.VersionTLS12 {
			t.Errorf("%T: %v %x", s, err, c.MinVersion)
		}
		if err := s.Reload(); err != nil {
			t.Errorf("%T: %v", s, err)
		}
	}
}

// The addresses of the machine that runs the test can be signed or are left
// out, whatever they are.
func TestThisMachine(t *testing.T) {
	w := newWorld(t)
	w.opts.Addresses = nil
	a := w.open()
	for _, ip := range leafOf(a).IPAddresses {
		if err := verify(a, a.RootPEM(), ip.String(), w.now); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
}
