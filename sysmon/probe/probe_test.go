package probe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

func open(t *testing.T, o Options) *Prober {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return p
}

// try carries a definition out; fails says whether and how it fails.
func (p *Prober) expects(t *testing.T, d Definition, fails string) Outcome {
	t.Helper()
	if d.Name == "" {
		d.Name = "x"
	}
	if d.Patience == 0 {
		d.Patience = 5
	}
	out, err := p.Try(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if fails == "" && out.Err != "" || fails != "" && !strings.Contains(out.Err, fails) {
		t.Errorf("%s %s: %q, want %q", d.Kind, d.Target, out.Err, fails)
	}
	if len(out.Steps) == 0 || out.At.IsZero() {
		t.Errorf("%s: no steps or no time: %+v", d.Kind, out)
	}
	return out
}

// certificate makes one for localhost that is its own authority.
func certificate(t *testing.T, from, to time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: from, NotAfter: to,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// serveTLS accepts and shows a certificate.
func serveTLS(t *testing.T, c tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = c.(*tls.Conn).Handshake(); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sick":
			http.Error(w, "no", http.StatusServiceUnavailable)
		case "/slow":
			<-r.Context().Done()
		default:
			fmt.Fprint(w, "all is well")
		}
	}))
	t.Cleanup(s.Close)
	p := open(t, Options{})
	p.expects(t, Definition{Kind: HTTP, Target: s.URL}, "")
	p.expects(t, Definition{Kind: HTTP, Target: s.URL, Expect: "is well"}, "")
	p.expects(t, Definition{Kind: HTTP, Target: s.URL, Expect: "is ill"}, "does not hold")
	p.expects(t, Definition{Kind: HTTP, Target: s.URL + "/sick"}, "503")
	p.expects(t, Definition{Kind: HTTP, Target: s.URL + "/sick", Status: 503}, "")
	p.expects(t, Definition{Kind: HTTP, Target: s.URL + "/slow", Patience: 1}, "no answer within 1s")
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, Options{})
	p.expects(t, Definition{Kind: TCP, Target: l.Addr().String()}, "")
	_ = l.Close()
	p.expects(t, Definition{Kind: TCP, Target: l.Addr().String()}, "refused")
}

func TestDNS(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		switch {
		case q.Question[0].Name != "chat.lan.":
			m.Rcode = dns.RcodeNameError
		case q.Question[0].Qtype == dns.TypeA:
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: "chat.lan.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(10, 0, 0, 5)})
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	p := open(t, Options{})
	at := conn.LocalAddr().String()
	p.expects(t, Definition{Kind: DNS, Target: "chat.lan", Server: at}, "")
	p.expects(t, Definition{Kind: DNS, Target: "chat.lan", Server: at, Expect: "10.0.0.5"}, "")
	p.expects(t, Definition{Kind: DNS, Target: "chat.lan", Server: at, Expect: "10.0.0.6"}, "10.0.0.5, not 10.0.0.6")
	p.expects(t, Definition{Kind: DNS, Target: "gone.lan", Server: at}, "no such host")
}

func TestTLSExpiry(t *testing.T) {
	now := time.Now()
	good, ca := certificate(t, now.Add(-time.Hour), now.Add(20*24*time.Hour))
	old, oldCA := certificate(t, now.Add(-48*time.Hour), now.Add(-time.Hour))
	p := open(t, Options{})
	at := serveTLS(t, good)
	out := p.expects(t, Definition{Kind: TLS, Target: at, CA: ca, Days: 14}, "")
	if d := out.Expires.Sub(now); d < 19*24*time.Hour || d > 21*24*time.Hour {
		t.Errorf("it ends in %v", d)
	}
	p.expects(t, Definition{Kind: TLS, Target: at, CA: ca, Days: 30}, "the certificate ends on")
	p.expects(t, Definition{Kind: TLS, Target: at}, "unknown authority")
	out = p.expects(t, Definition{Kind: TLS, Target: serveTLS(t, old), CA: oldCA}, "expired")
	if out.Expires.IsZero() || out.Expires.After(now) {
		t.Errorf("the end of the expired certificate is %v", out.Expires)
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// program runs a server until the test ends and waits for its port.
func program(t *testing.T, address string, name string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill(); <-ended })
	for range 2400 { // a minute
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v: %s", name, err, out.String())
		case <-time.After(25 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen: %s", name, out.String())
}

func TestSMTP(t *testing.T) {
	at := free(t)
	program(t, at, "/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", at, "-c", "aiosmtpd.handlers.Sink")
	p := open(t, Options{})
	out := p.expects(t, Definition{Kind: SMTP, Target: at}, "")
	if len(out.Steps) != 4 {
		t.Errorf("the steps were %+v", out.Steps)
	}
	p.expects(t, Definition{Kind: SMTP, Target: at, StartTLS: true}, "does not offer STARTTLS")
	p.expects(t, Definition{Kind: SMTP, Target: free(t)}, "refused")
}

func TestLDAP(t *testing.T) {
	dir, at := t.TempDir(), free(t)
	conf := fmt.Sprintf("include /etc/ldap/schema/core.schema\npidfile %[1]s/pid\nmoduleload back_mdb\nmodulepath /usr/lib/ldap\ndatabase mdb\nsuffix \"dc=example,dc=lan\"\nrootdn \"cn=admin,dc=example,dc=lan\"\nrootpw secret\ndirectory %[1]s\naccess to * by * read\n", dir)
	if err := os.WriteFile(filepath.Join(dir, "slapd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	entry := filepath.Join(dir, "base.ldif")
	if err := os.WriteFile(entry, []byte("dn: dc=example,dc=lan\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/usr/sbin/slapadd", "-f", filepath.Join(dir, "slapd.conf"), "-l", entry).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v: %s", err, out)
	}
	program(t, at, "/usr/sbin/slapd", "-d", "0", "-f", filepath.Join(dir, "slapd.conf"), "-h", "ldap://"+at)
	p := open(t, Options{})
	d := Definition{Kind: LDAP, Target: "ldap://" + at, Base: "dc=example,dc=lan"}
	p.expects(t, d, "")
	d.User, d.Secret = "cn=admin,dc=example,dc=lan", "secret"
	p.expects(t, d, "")
	d.Secret = "wrong"
	p.expects(t, d, "Invalid Credentials")
	p.expects(t, Definition{Kind: LDAP, Target: "ldap://" + at, Base: "dc=gone,dc=lan"}, "read:")
	p.expects(t, Definition{Kind: LDAP, Target: "ldap://" + free(t)}, "connect:")
}

func TestDefinitionsAreRefusedWithTheirField(t *testing.T) {
	p := open(t, Options{Shipped: []Definition{{ID: "chat", Name: "chat", Kind: Chat, Every: 60}}})
	if _, err := p.Put(Definition{Name: "one", Kind: TCP, Target: "a:1"}); err != nil {
		t.Fatal(err)
	}
	for field, d := range map[string]Definition{
		"name":     {Name: "  ", Kind: TCP, Target: "a:1"},
		"every":    {Name: "n", Kind: TCP, Target: "a:1", Every: 5},
		"patience": {Name: "n", Kind: TCP, Target: "a:1", Patience: 31},
		"target":   {Name: "n", Kind: HTTP, Target: "ftp://x"},
		"kind":     {Name: "n", Kind: Chat},
		"status":   {Name: "n", Kind: HTTP, Target: "http://x", Status: 7},
		"ca":       {Name: "n", Kind: TLS, Target: "a:1", CA: "nonsense"},
		"expect":   {Name: "n", Kind: DNS, Target: "a", Expect: "b"},
	} {
		_, err := p.Put(d)
		var w *Wrong
		if !errors.As(err, &w) || w.Field != field || w.Text.ZH == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := p.Put(Definition{Name: "ONE", Kind: TCP, Target: "a:1"}); err == nil {
		t.Error("a name was given twice")
	}
	if err := p.Remove("chat"); err == nil {
		t.Error("the shipped check was removed")
	}
	d, err := p.Put(Definition{ID: "chat", Name: "other", Kind: TCP, Every: 120, Patience: 20, Disabled: true})
	if err != nil || d.Name != "chat" || d.Kind != Chat || d.Every != 120 || !d.Disabled {
		t.Errorf("%+v, %v", d, err)
	}
	for i := len(p.List()); i < MaxDefinitions; i++ {
		if _, err := p.Put(Definition{Name: fmt.Sprint("n", i), Kind: TCP, Target: "a:1"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Put(Definition{Name: "too many", Kind: TCP, Target: "a:1"}); err == nil {
		t.Error("there is no limit")
	}
}

func TestASecretIsKeptAndNeverShown(t *testing.T) {
	p := open(t, Options{})
	d, err := p.Put(Definition{Name: "directory", Kind: LDAP, Target: "ldap://a", User: "cn=x", Secret: "hidden"})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := p.Get(d.ID)
	if s.Secret != "" || !s.HasSecret {
		t.Errorf("shown: %q", s.Secret)
	}
	s.Definition.Every = 300
	if d, err = p.Put(s.Definition); err != nil || d.Secret != "hidden" {
		t.Errorf("the secret was lost: %q %v", d.Secret, err)
	}
	s.Target = "ldap://elsewhere" // somebody who may not know it must not be able to send it elsewhere
	if d, err = p.Put(s.Definition); err != nil || d.Secret != "" {
		t.Errorf("the secret went along: %q %v", d.Secret, err)
	}
}

// TestHistoryOutlivesARestart runs days in no time.
func TestHistoryOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var sick atomic.Bool
		shipped := []Definition{{ID: "chat", Name: "chat", Kind: Chat, Every: 60}}
		chat := func(context.Context) Outcome {
			if sick.Load() {
				return Outcome{Err: "socket: refused", Steps: []Step{{Name: "login"}, {Name: "socket", Err: "refused"}}}
			}
			return Outcome{EndToEnd: 30 * time.Millisecond, Steps: []Step{{Name: "login"}}}
		}
		p, err := Open(Options{Dir: dir, Shipped: shipped, Chat: chat})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(18 * time.Hour)
		synctest.Wait()
		if l := p.Light(); l.State != LightWell || l.EndToEnd != 30*time.Millisecond {
			t.Errorf("the light is %+v", l)
		}
		sick.Store(true)
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		if l := p.Light(); l.State != LightSick || l.Failed != "socket" {
			t.Errorf("the light is %+v", l)
		}
		stop()
		<-done
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := Open(Options{Dir: dir, Shipped: shipped, Chat: chat})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		s, ok := again.Get("chat")
		if !ok || s.Day.Known < 1370 || s.Week.Known != 1440 || s.Week.Share != 0.75 || s.Month != s.Week {
			t.Errorf("uptime %+v %+v %+v", s.Day, s.Week, s.Month)
		}
		if s.LastError != "socket: refused" || len(s.Changes) != 1 || s.Changes[0].OK {
			t.Errorf("%q, %+v", s.LastError, s.Changes)
		}
		minutes, err := again.History("chat", time.Now().Add(-2*time.Hour), time.Now())
		if err != nil || len(minutes) < 118 || len(minutes) > 121 || minutes[0].OK {
			t.Errorf("%d minutes: %v", len(minutes), err)
		}
		if l := again.Light(); l.State != LightUnknown {
			t.Errorf("before the first run the light is %+v", l)
		}
		time.Sleep(40 * 24 * time.Hour)
		if s, _ := again.Get("chat"); s.Month.Known != 0 {
			t.Errorf("after forty days: %+v", s.Month)
		}
	})
}

func TestAHungCheckHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		runs := 0
		p, err := Open(Options{Dir: t.TempDir(), Shipped: []Definition{{ID: "chat", Name: "chat", Kind: Chat, Every: 60}, {ID: "other", Name: "other", Kind: TCP, Target: "x:1", Own: true, Every: 10, Patience: 1}},
			Chat:    func(context.Context) Outcome { <-hang; return Outcome{} },
			OwnDial: func(context.Context, string, string) (net.Conn, error) { runs++; return nil, errors.New("refused") }})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if runs < 59 || runs > 61 {
			t.Errorf("the other check ran %d times in ten minutes", runs)
		}
		stop()
		close(hang)
		<-done
	})
}
