package notify

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"mime"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate makes one for localhost and returns its file, that of its key,
// and its PEM.
func certificate(t *testing.T) (string, string, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, "", err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	must(t, "", err)
	raw, err := x509.MarshalECPrivateKey(key)
	must(t, "", err)
	dir := t.TempDir()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, "", os.WriteFile(filepath.Join(dir, "cert"), cert, 0o600))
	must(t, "", os.WriteFile(filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	return filepath.Join(dir, "cert"), filepath.Join(dir, "key"), string(cert)
}

// received is a mail as the server took it.
type received struct {
	From  string
	To    []string
	Data  string
	TLS   bool
	Login string
}

// postman starts a real mail server; next waits for a mail.
func postman(t *testing.T, mode string) (port, ca string, next func() received) {
	t.Helper()
	cert, key, ca := certificate(t)
	cmd := exec.Command("/usr/bin/python3", "testdata/smtpd.py", mode, cert, key)
	out, err := cmd.StdoutPipe()
	must(t, "", err)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	must(t, "", cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(trouble.String())
		}
	})
	lines := bufio.NewReader(out)
	port, err = lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the mail server did not start (is python3-aiosmtpd installed?): %v", err)
	}
	return strings.TrimSpace(port), ca, func() received {
		t.Helper()
		l, err := lines.ReadBytes('\n')
		must(t, "", err)
		var r received
		must(t, "", json.Unmarshal(l, &r))
		return r
	}
}

func mailTo(port string, more ...string) Channel {
	return channel("email", "zh", append([]string{"host", "localhost", "port", port, "from", "驿站 <posthouse@box.lan>", "to", "ops@box.lan\n值班 <duty@box.lan>"}, more...)...)
}

func TestMailThroughEveryKindOfServer(t *testing.T) {
	for mode, set := range map[string][]string{
		"none":     {"security", "none"},
		"starttls": {"security", "starttls"},
		"tls":      {"security", "tls"},
		"auth":     {"security", "starttls", "user", "ops", "password", "s3cret-word"},
	} {
		t.Run(mode, func(t *testing.T) {
			port, ca, next := postman(t, mode)
			c := mailTo(port, set...)
			if mode != "none" {
				if _, err := sender(nil).Send(t.Context(), c, hot()); err == nil || !strings.Contains(err.Error(), "certificate") {
					t.Errorf("an unknown certificate: %v", err)
				}
				c.Settings["ca"] = ca
			}
			answer, err := sender(nil).Send(t.Context(), c, hot())
			if must(t, answer, err) != "250 2.0.0 taken as 4711" {
				t.Errorf("answer %q", answer)
			}
			r := next()
			if r.From != "posthouse@box.lan" || strings.Join(r.To, " ") != "ops@box.lan duty@box.lan" || r.TLS != (mode != "none") || (mode == "auth") != (r.Login == "ops") {
				t.Errorf("received %+v", r)
			}
			reads(t, r.Data)
		})
	}
}

// reads takes the mail apart as a mail program does.
func reads(t *testing.T, raw string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	must(t, "", err)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	must(t, "", err)
	if subject != "[紧急] box1 的 CPU 使用率为 93%" || m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("References") == "" {
		t.Errorf("headers %v", m.Header)
	}
	if d, err := m.Header.Date(); err != nil || !d.Equal(noon()) {
		t.Errorf("date %v %v", d, err)
	}
	enc, err := io.ReadAll(m.Body)
	must(t, "", err)
	body, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(enc)))
	must(t, "", err)
	says(t, string(body))
	if !strings.Contains(string(body), "处理步骤") {
		t.Error("not in Chinese")
	}
}

func TestAMailServersRefusalIsShown(t *testing.T) {
	port, ca, _ := postman(t, "auth")
	answer := func(set ...string) *Failure {
		t.Helper()
		_, err := sender(nil).Test(t.Context(), mailTo(port, append([]string{"ca", ca}, set...)...))
		return failure(t, err)
	}
	if f := answer("user", "ops", "password", "wrong-word"); f.Again || !strings.Contains(f.Error(), "535") || strings.Contains(f.Error(), "wrong-word") {
		t.Errorf("a wrong password: %v", f)
	}
	if f := answer(); !strings.Contains(f.Error(), "530") || !strings.Contains(f.Say().ZH, "要求登录") {
		t.Errorf("no login: %v", f)
	}
	if f := answer("user", "ops", "password", "s3cret-word", "to", "nobody@box.lan"); f.Again || !strings.Contains(f.Error(), "550 5.1.1 no such mailbox") {
		t.Errorf("no mailbox: %v", f)
	}
	port, _, _ = postman(t, "none")
	if f := answer("security", "starttls"); f.Again || !strings.Contains(f.Error(), "STARTTLS") {
		t.Errorf("no STARTTLS: %v", f)
	}
}
