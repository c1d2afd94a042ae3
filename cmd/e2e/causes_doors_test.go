package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/probe"
)

// doorsStage is a server whose public listener dies, which only those notice
// who try to come in, beside a service elsewhere that ends, and a disk that does
// not answer the one who takes the figures of the storage.
func doorsStage() stage {
	var mail net.Listener
	return stage{name: "doors", factor: 60, settings: []string{"watch.virtual_users=true"},
		prepare: func(b *box) {
			mail = listens(b.t, "127.0.0.1:0")
			b.probes(probe.Definition{ID: "chat", Name: "chat", Kind: probe.Chat, Shipped: true, Every: 10, Patience: 5},
				probe.Definition{ID: "mail", Name: "mail", Kind: probe.TCP, Target: mail.Addr().String(), Every: 10, Patience: 5})
			b.forgives("listener ended")
		},
		lines: []caused{
			{alert: "ProbeFailed", where: map[string]string{"probe": "mail"}, cause: func(b *box) { must(b.t, mail.Close()) },
				mend: func(b *box) { listens(b.t, mail.Addr().String()) }, shows: []string{"probes mail", "probes connect"}},
			{alert: "ServiceDown", where: map[string]string{"job": "posthouse"}, cause: hang, mend: func(b *box) { b.undo("hang") }, shows: []string{"targets part=posthouse", "ports"}},
			{alert: "LowHealthScore", cause: nothing, mend: nothing, shows: []string{"probes chat", "health"}},
			{alert: "ChatProbeFailed", cause: deafen, run: []string{"restart_listener"}, mend: nothing, shows: []string{"probes chat"}},
		}}
}

// listens opens a port that takes connections and says nothing.
func listens(t *testing.T, at string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", at)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() }) // it may be closed already
	go accept(l, func(net.Conn) {})     // nothing is said
	return l
}

// accept does something with each connection, and closes it, until the listener
// is closed.
func accept(l net.Listener, do func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			do(c)
			_ = c.Close() // the other side judges
		}()
	}
}

// deafen ends the public listener from outside, with all else as it was.
func deafen(b *box) {
	b.t.Helper()
	pid, err := unix.PidfdOpen(b.cmd.Process.Pid, 0)
	must(b.t, err)
	defer func() { _ = unix.Close(pid) }()
	_, port, _ := net.SplitHostPort(b.lanAddr)
	sockets, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", b.cmd.Process.Pid))
	must(b.t, err)
	for _, s := range sockets {
		number, err := strconv.Atoi(s.Name())
		must(b.t, err)
		fd, err := unix.PidfdGetfd(pid, number, 0)
		if err != nil { // closed meanwhile
			continue
		}
		listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		at, named := unix.Getsockname(fd)
		if v4, ok := at.(*unix.SockaddrInet4); err == nil && named == nil && ok && listening == 1 && strconv.Itoa(v4.Port) == port {
			must(b.t, unix.Shutdown(fd, unix.SHUT_RDWR))
			must(b.t, unix.Close(fd))
			return
		}
		_ = unix.Close(fd)
	}
	b.t.Fatal("the public listener is not among the server's descriptors")
}

// hang lets every question about the file of the index wait for seconds, as on a
// disk that does not answer.
func hang(b *box) {
	b.straced("hang", "-P", filepath.Join(b.dir, "search.db"), "-e", "trace=newfstatat", "-e", "inject=newfstatat:delay_enter=3000000")
}

// certificatesStage is a server whose own certificate ends while it runs, and
// two services elsewhere that have some days left.
func certificatesStage() stage {
	const day = 24 * time.Hour
	var month, fortnight shop
	var own *authority
	files := func(b *box) (cert, key string) {
		return filepath.Join(b.kernel.dir, "own.crt"), filepath.Join(b.kernel.dir, "own.key")
	}
	renew := func(b *box, left time.Duration) {
		cert, key := files(b)
		own.writes(b.t, cert, key, left)
	}
	return stage{name: "certificates", factor: 600,
		prepare: func(b *box) {
			own = newAuthority(b.t)
			renew(b, time.Minute)
			cert, key := files(b)
			b.settings = append(b.settings, "tls.mode=files", "tls.cert_file="+cert, "tls.key_file="+key)
			month.opens(b.t, own, 20*day)
			fortnight.opens(b.t, own, 10*day)
			b.probes(probe.Definition{ID: "certificate", Name: "certificate", Kind: probe.TLS, Shipped: true, Every: 10, Patience: 5},
				probe.Definition{ID: "month", Name: "month", Kind: probe.TLS, Target: month.at, CA: string(own.pem), Every: 10, Patience: 5},
				probe.Definition{ID: "fortnight", Name: "fortnight", Kind: probe.TLS, Target: fortnight.at, CA: string(own.pem), Every: 10, Patience: 5})
		},
		lines: []caused{
			{alert: "CertificateExpiresSoon", where: map[string]string{"severity": "warning", "probe": "month"}, cause: nothing,
				mend: func(b *box) { month.sells(b.t, own, 90*day) }, shows: []string{"certificate"}},
			{alert: "CertificateExpiresSoon", where: map[string]string{"severity": "serious", "probe": "fortnight"}, cause: nothing,
				mend: func(b *box) { fortnight.sells(b.t, own, 90*day) }, shows: []string{"certificate"}},
			{alert: "CertificateExpiresSoon", where: map[string]string{"severity": "critical"}, cause: nothing,
				repair: func(b *box) { renew(b, 90*day) }, run: []string{"renew_certificate"}, mend: nothing, shows: []string{"certificate valid until"}},
		}}
}

// authority signs certificates for this test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: freshKey(t)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Company CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	must(t, err)
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func freshKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

// leaf makes a certificate of the server and of this machine.
func (a *authority) leaf(t *testing.T, left time.Duration) (der []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key = freshKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: hostName},
		DNSNames: []string{hostName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(left),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, a.cert, &key.PublicKey, a.key)
	must(t, err)
	return der, key
}

func (a *authority) writes(t *testing.T, certFile, keyFile string, left time.Duration) {
	t.Helper()
	der, key := a.leaf(t, left)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	must(t, os.WriteFile(certFile, append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), a.pem...), 0o600))
}

// shop is a service with TLS elsewhere.
type shop struct {
	at   string
	cert atomic.Pointer[tls.Certificate]
}

func (s *shop) sells(t *testing.T, a *authority, left time.Duration) {
	t.Helper()
	der, key := a.leaf(t, left)
	s.cert.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
}

func (s *shop) opens(t *testing.T, a *authority, left time.Duration) {
	t.Helper()
	s.sells(t, a, left)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.cert.Load(), nil }})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() }) // nobody waits for it
	s.at = l.Addr().String()
	go accept(l, func(c net.Conn) { _ = c.(*tls.Conn).Handshake() })
}
