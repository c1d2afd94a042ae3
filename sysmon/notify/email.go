package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

func (s *Sender) email(ctx context.Context, c *Channel, m *Message) (string, error) {
	from, err := mail.ParseAddress(c.get("from"))
	if err != nil {
		return "", refused("", "the sender is no mail address", "发件人不是邮箱地址")
	}
	var to []*mail.Address
	for _, a := range strings.FieldsFunc(c.get("to"), func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
		p, err := mail.ParseAddress(strings.TrimSpace(a))
		if err != nil {
			return "", refused("", "%q is no mail address", "%q 不是邮箱地址", a)
		}
		to = append(to, p)
	}
	conn, err := s.dialMail(ctx, c)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(d)
	}
	return s.converse(c, conn, from, to, compose(m, c.Lang, from, to, s.o.Now()))
}

func (s *Sender) tlsFor(c *Channel) (*tls.Config, error) {
	conf := &tls.Config{ServerName: c.get("host"), MinVersion: tls.VersionTLS12}
	if pem := c.get("ca"); pem != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, refused("", "the certificate of your authority is no PEM", "证书颁发机构的证书不是 PEM 格式")
		}
	}
	return conf, nil
}

func (s *Sender) dialMail(ctx context.Context, c *Channel) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.get("host"), c.get("port")))
	if err != nil {
		return nil, broken(err, "the mail server was not reached", "无法连接邮件服务器")
	}
	if c.get("security") != "tls" {
		return conn, nil
	}
	conf, err := s.tlsFor(c)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, broken(err, "no TLS with the mail server", "无法与邮件服务器建立 TLS")
	}
	return secure, nil
}

// converse is the SMTP dialogue; the answer is the server's line that takes
// the message.
func (s *Sender) converse(c *Channel, conn net.Conn, from *mail.Address, to []*mail.Address, body []byte) (string, error) {
	cl, err := smtp.NewClient(conn, c.get("host"))
	if err != nil {
		return "", said("greet", err)
	}
	defer func() { _ = cl.Close() }()
	if err := cl.Hello(heloName(s.o.Host)); err != nil {
		return "", said("EHLO", err)
	}
	if c.get("security") == "starttls" {
		if ok, _ := cl.Extension("STARTTLS"); !ok {
			return "", refused("", "the mail server offers no STARTTLS: choose tls, or none without a password", "邮件服务器不支持 STARTTLS：请选择 tls，或不带密码的 none")
		}
		conf, err := s.tlsFor(c)
		if err != nil {
			return "", err
		}
		if err := cl.StartTLS(conf); err != nil {
			return "", broken(err, "no TLS with the mail server", "无法与邮件服务器建立 TLS")
		}
	}
	if user := c.get("user"); user != "" {
		if err := login(cl, user, c.get("password"), c.get("host")); err != nil {
			return "", err
		}
	}
	if err := cl.Mail(from.Address); err != nil {
		return "", said("MAIL FROM", err)
	}
	for _, a := range to {
		if err := cl.Rcpt(a.Address); err != nil {
			return "", said("RCPT TO", err)
		}
	}
	return data(cl, body)
}

// data hands the message over. smtp.Client forgets the words of the last
// answer, so the dialogue is done on its text connection.
func data(cl *smtp.Client, body []byte) (string, error) {
	id, err := cl.Text.Cmd("DATA")
	if err != nil {
		return "", said("DATA", err)
	}
	cl.Text.StartResponse(id)
	_, _, err = cl.Text.ReadResponse(354)
	cl.Text.EndResponse(id)
	if err != nil {
		return "", said("DATA", err)
	}
	w := cl.Text.DotWriter()
	_, err = w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", said("message", err)
	}
	code, text, err := cl.Text.ReadResponse(250)
	if err != nil {
		return "", said("message", err)
	}
	_ = cl.Quit()
	return fmt.Sprintf("%d %s", code, text), nil
}

// said is an error of the dialogue; 4xx may be tried again.
func said(step string, err error) error {
	var p *textproto.Error
	if errors.As(err, &p) {
		f := refused(fmt.Sprintf("%d %s", p.Code, p.Msg), "the mail server refused %s", "邮件服务器拒绝了 %s", step)
		f.Again = p.Code/100 == 4
		hint, known := mailHint(p.Code)
		return hinted(f, hint, known)
	}
	return broken(err, "the mail server broke off at "+step, "邮件服务器在 "+step+" 时中断")
}

func heloName(host string) string {
	for _, r := range host {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.') {
			return "localhost"
		}
	}
	return first(host, "localhost")
}

func login(cl *smtp.Client, user, password, host string) error {
	ok, methods := cl.Extension("AUTH")
	if !ok {
		return refused("", "the mail server offers no login here: choose starttls or tls, or leave the user name empty", "邮件服务器在此不提供登录：请选择 starttls 或 tls，或将用户名留空")
	}
	var a smtp.Auth = smtp.PlainAuth("", user, password, host)
	if !strings.Contains(" "+methods+" ", " PLAIN ") && strings.Contains(methods, "LOGIN") {
		a = &loginAuth{user: user, password: password}
	}
	if err := cl.Auth(a); err != nil {
		return said("AUTH", err)
	}
	return nil
}

// loginAuth is AUTH LOGIN, which some servers offer alone.
type loginAuth struct{ user, password string }

// Start begins, under TLS only.
func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("a password is never sent in the clear")
	}
	return "LOGIN", nil, nil
}

// Next answers a question of the server.
func (a *loginAuth) Next(question []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if strings.Contains(strings.ToLower(string(question)), "user") {
		return []byte(a.user), nil
	}
	return []byte(a.password), nil
}

// compose writes the message. Its lines end in LF; the connection makes CRLF.
func compose(m *Message, lang string, from *mail.Address, to []*mail.Address, now time.Time) []byte {
	var b bytes.Buffer
	head := func(k, v string) { fmt.Fprintf(&b, "%s: %s\n", k, v) }
	all := make([]string, len(to))
	for i, a := range to {
		all[i] = a.String()
	}
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails
	_, domain, _ := strings.Cut(from.Address, "@")
	thread := sha256.Sum256([]byte(m.Group))
	head("From", from.String())
	head("To", strings.Join(all, ",\n "))
	head("Subject", mime.BEncoding.Encode("utf-8", m.Subject(lang)))
	head("Date", now.Format(time.RFC1123Z))
	head("Message-ID", "<"+hex.EncodeToString(id)+"@"+domain+">")
	head("References", "<alerts."+hex.EncodeToString(thread[:12])+"@"+domain+">")
	head("Auto-Submitted", "auto-generated")
	if m.Severity == "critical" && m.Event != Resolved {
		head("Importance", "high")
	}
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "base64")
	b.WriteByte('\n')
	enc := base64.StdEncoding.EncodeToString([]byte(m.Text(lang, 100_000) + "\n"))
	for len(enc) > 76 {
		b.WriteString(enc[:76] + "\n")
		enc = enc[76:]
	}
	b.WriteString(enc + "\n")
	return b.Bytes()
}
