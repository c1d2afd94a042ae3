package lancert

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// forge signs a certificate for names that the authority's owner never wanted,
// with the stolen key of the authority.
func forge(t *testing.T, by *identity, chain []*x509.Certificate, names []string, ips []string) *tls.Certificate {
	t.Helper()
	now := by.cert.NotBefore.Add(time.Hour)
	tpl := &x509.Certificate{
		NotBefore: now, NotAfter: now.Add(240 * time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: names,
	}
	for _, s := range ips {
		tpl.IPAddresses = append(tpl.IPAddresses, net.ParseIP(s))
	}
	leaf, err := sign(tpl, by)
	if err != nil {
		t.Fatal(err)
	}
	out := &tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key, Leaf: leaf.cert}
	for _, c := range chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

type fixed struct{ *tls.Certificate }

func (f fixed) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.Certificate, nil
}

// stolen is every key of the authority with the chain a forger would send.
func stolen(t *testing.T, w *world, a *Authority) map[string]func(names, ips []string) *tls.Certificate {
	t.Helper()
	data, err := a.ExportRootKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := parseKey(data)
	if err != nil {
		t.Fatal(err)
	}
	root := &identity{key, a.root}
	return map[string]func(names, ips []string) *tls.Certificate{
		"intermediate": func(n, i []string) *tls.Certificate {
			return forge(t, a.inter, []*x509.Certificate{a.inter.cert}, n, i)
		},
		"root": func(n, i []string) *tls.Certificate { return forge(t, root, nil, n, i) },
	}
}

func TestForgeriesAreRejected(t *testing.T) {
	w := newWorld(t)
	a := w.open()
	for who, forgery := range stolen(t, w, a) {
		for _, c := range []struct {
			name       string
			names, ips []string
			ok         bool
		}{
			{"www.internal", []string{"www.internal"}, nil, true},
			{"10.9.9.9", nil, []string{"10.9.9.9"}, true},
			{"bank.com", []string{"bank.com"}, nil, false},
			{"evil-im.corp.lan", []string{"evil-im.corp.lan"}, nil, false},
			{"8.8.8.8", nil, []string{"8.8.8.8"}, false},
			{"2001:db8::1", nil, []string{"2001:db8::1"}, false},
			{"im.corp.lan", []string{"im.corp.lan", "bank.com"}, nil, false},
		} {
			cert := forgery(c.names, c.ips)
			err := verify(sourceOf(cert), a.RootPEM(), c.name, cert.Leaf.NotBefore.Add(time.Hour))
			if c.ok != (err == nil) {
				t.Errorf("%s signs %v %v: %v", who, c.names, c.ips, err)
			}
			if !c.ok && !strings.Contains(err.Error(), "not permitted by any constraint") {
				t.Errorf("%s signs %v %v: rejected for another reason: %v", who, c.names, c.ips, err)
			}
		}
	}
}

// sourceOf makes a Source of one certificate, for verify.
func sourceOf(c *tls.Certificate) Source {
	p := &Pair{}
	p.current.Store(c)
	return p
}

// serveTLS answers "ok" over TLS until the test ends and returns the port.
func serveTLS(t *testing.T, s interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", tlsConfig(s.GetCertificate))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }), ReadHeaderTimeout: 5 * time.Second}
	srv.ErrorLog = log.New(io.Discard, "", 0) // rejected forgeries
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// The tools of the system judge the same certificates.
func TestOpenSSLAndCurlAgree(t *testing.T) {
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("this test needs %s: %v", tool, err)
		}
	}
	w := newWorld(t)
	w.now = time.Now()
	a := w.open()
	ca := filepath.Join(w.dir, rootCert)
	inter := filepath.Join(t.TempDir(), "inter.pem")
	leaf := filepath.Join(t.TempDir(), "leaf.pem")
	put(t, inter, certPEM(a.inter.cert))
	put(t, leaf, certPEM(leafOf(a)))
	openssl := func(file string, args ...string) (string, error) {
		out, err := exec.Command("openssl", append(append([]string{"verify", "-x509_strict", "-CAfile", ca, "-untrusted", inter}, args...), file)...).CombinedOutput()
		return string(out), err
	}
	for _, args := range [][]string{{"-verify_hostname", "im.corp.lan"}, {"-verify_ip", "192.168.7.5"}, {"-purpose", "sslserver"}} {
		if out, err := openssl(leaf, args...); err != nil {
			t.Errorf("openssl verify %v: %s", args, out)
		}
	}
	curl := func(port, host string) (string, error) {
		out, err := exec.Command("curl", "-sS", "--noproxy", "*", "--max-time", "20", "--cacert", ca, "--resolve", host+":"+port+":127.0.0.1", "https://"+host+":"+port+"/").CombinedOutput()
		return string(out), err
	}
	port := serveTLS(t, a)
	for _, host := range []string{"im.corp.lan", "chat.corp.lan", "localhost", "127.0.0.1"} {
		if out, err := curl(port, host); err != nil || out != "ok" {
			t.Errorf("curl https://%s: %v %s", host, err, out)
		}
	}
	for who, forgery := range stolen(t, w, a) {
		bank := forgery([]string{"bank.com"}, nil)
		file := filepath.Join(t.TempDir(), "forged.pem")
		put(t, file, certPEM(bank.Leaf))
		if out, err := openssl(file, "-verify_hostname", "bank.com"); err == nil || !strings.Contains(out, "permitted subtree violation") {
			t.Errorf("openssl, bank.com signed by %s: %v %s", who, err, out)
		}
		put(t, file, certPEM(forgery(nil, []string{"8.8.8.8"}).Leaf))
		if out, err := openssl(file); err == nil || !strings.Contains(out, "permitted subtree violation") {
			t.Errorf("openssl, 8.8.8.8 signed by %s: %v %s", who, err, out)
		}
		if out, err := curl(serveTLS(t, fixed{bank}), "bank.com"); err == nil || !strings.Contains(out, "permitted subtree violation") {
			t.Errorf("curl, bank.com signed by %s: %v %s", who, err, out)
		}
	}
}

func TestHandshakesDuringRenewal(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now()
	a := w.open()
	port := serveTLS(t, a)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.RootPEM())
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
				c, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: "im.corp.lan"})
				if err != nil {
					t.Errorf("handshake: %v", err)
					return
				}
				_ = c.Close()
			}
		})
	}
	base := w.now
	for i := range 30 {
		w.ips = []string{net.IPv4(10, 3, 0, byte(i)).String()}
		if err := a.Refresh(base); err != nil {
			t.Error(err)
		}
		a.Status()
	}
	close(stop)
	wg.Wait()
}
