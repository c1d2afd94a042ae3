package probe

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/words"
)

// Kinds of checks.
const (
	HTTP = "http"
	TCP  = "tcp"
	DNS  = "dns"
	TLS  = "tls"
	SMTP = "smtp"
	LDAP = "ldap"
	Chat = "chat"
)

// Kinds lists them; those a person may add.
func Kinds() []string { return []string{HTTP, TCP, DNS, TLS, SMTP, LDAP} }

// Limits of definitions.
const (
	MaxDefinitions = 100
	minEvery       = 10
	maxEvery       = 86400
	maxPatience    = 30
)

// Definition says what is checked, how and how often.
type Definition struct {
	ID       string `json:"id"`   // made by Put
	Name     string `json:"name"` // unique; the label probe of its metrics
	Kind     string `json:"kind"`
	Target   string `json:"target,omitempty"`
	Every    int    `json:"every"`    // seconds
	Patience int    `json:"patience"` // seconds
	Disabled bool   `json:"disabled,omitempty"`
	Shipped  bool   `json:"shipped,omitempty"`
	Own      bool   `json:"own,omitempty"` // a service of this box; for shipped ones

	Status   int    `json:"status,omitempty"`   // http: the status wanted; 0: 200 to 399
	Expect   string `json:"expect,omitempty"`   // http: part of the body; dns: an address
	Server   string `json:"server,omitempty"`   // dns
	Days     int    `json:"days,omitempty"`     // tls: fail when the certificate ends sooner
	StartTLS bool   `json:"starttls,omitempty"` // smtp, ldap
	Insecure bool   `json:"insecure,omitempty"` // certificates are not verified
	CA       string `json:"ca,omitempty"`       // PEM: trusted beside the system's
	User     string `json:"user,omitempty"`     // ldap: DN to bind as; empty: anonymous
	Secret   string `json:"secret,omitempty"`   // ldap: its password; never shown
	Base     string `json:"base,omitempty"`     // ldap: entry to read; empty: the root of the server
}

// Wrong is a refusal of a definition, for people. It names a field.
type Wrong struct {
	Field string
	Text  words.Text
}

// Error is the text in English.
func (w *Wrong) Error() string { return w.Text.EN }

func wrong(field, en, zh string) error { return &Wrong{field, words.Of(en, zh)} }

// check fills what is empty and refuses what cannot be.
func (d *Definition) check() error {
	d.Name, d.Target = strings.TrimSpace(d.Name), strings.TrimSpace(d.Target)
	if d.Every == 0 {
		d.Every = 60
	}
	if d.Patience == 0 {
		d.Patience = min(10, d.Every)
	}
	switch {
	case d.Name == "" || utf8.RuneCountInString(d.Name) > 60 || !utf8.ValidString(d.Name) || strings.ContainsFunc(d.Name, unicode.IsControl):
		return wrong("name", "a name of 1 to 60 characters", "名称须为 1 到 60 个字符")
	case d.Every < minEvery || d.Every > maxEvery:
		return wrong("every", "every 10 to 86,400 seconds", "间隔须为 10 到 86,400 秒")
	case d.Patience < 1 || d.Patience > maxPatience || d.Patience > d.Every:
		return wrong("patience", "1 to 30 seconds, not longer than the interval", "超时须为 1 到 30 秒，且不长于间隔")
	case len(d.Target) > 1000 || len(d.Expect) > 1000 || len(d.User) > 1000 || len(d.Secret) > 1000 || len(d.Base) > 1000 || len(d.Server) > 300 || len(d.CA) > 64<<10:
		return wrong("target", "a text is too long", "文本过长")
	case d.Days < 0 || d.Days > 365:
		return wrong("days", "0 to 365 days", "天数须为 0 到 365")
	case d.Status != 0 && (d.Status < 100 || d.Status > 599):
		return wrong("status", "a status from 100 to 599, or none", "状态码须为 100 到 599，或留空")
	}
	if d.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(d.CA)) {
		return wrong("ca", "no certificate in it: paste PEM, from BEGIN CERTIFICATE to END CERTIFICATE", "其中没有证书：请粘贴 PEM，从 BEGIN CERTIFICATE 到 END CERTIFICATE")
	}
	return d.checkTarget()
}

func (d *Definition) checkTarget() error {
	scheme := func(schemes ...string) error {
		u, err := url.Parse(d.Target)
		if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) || u.User != nil {
			return wrong("target", "an address that begins with "+strings.Join(schemes, ":// or ")+"://, without a password", "地址须以 "+strings.Join(schemes, ":// 或 ")+":// 开头，且不含密码")
		}
		return nil
	}
	switch d.Kind {
	case HTTP:
		return scheme("http", "https")
	case LDAP:
		return scheme("ldap", "ldaps")
	case TCP, TLS, SMTP:
		host, port, err := net.SplitHostPort(d.Target)
		if err != nil || host == "" || port == "" {
			return wrong("target", "host:port, such as mail.lan:25", "须为 主机:端口，例如 mail.lan:25")
		}
		return nil
	case DNS:
		if d.Target == "" || strings.ContainsAny(d.Target, " /:") {
			return wrong("target", "a name to look up, such as chat.lan", "须为要查询的名字，例如 chat.lan")
		}
		if d.Expect != "" && net.ParseIP(d.Expect) == nil {
			return wrong("expect", "an address, such as 10.0.0.5, or nothing", "须为地址，例如 10.0.0.5，或留空")
		}
		return nil
	case Chat:
		if d.Shipped {
			return nil
		}
	}
	return wrong("kind", "http, tcp, dns, tls, smtp or ldap", "须为 http、tcp、dns、tls、smtp 或 ldap")
}

func (d *Definition) every() time.Duration    { return time.Duration(d.Every) * time.Second }
func (d *Definition) patience() time.Duration { return time.Duration(d.Patience) * time.Second }

// fresh is a new ID: 50 random bits.
func fresh() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:10]
}

type definitionsFile struct {
	Version int          `json:"version"`
	Probes  []Definition `json:"probes"`
}

// load reads definitions; shipped ones that the file does not know are added.
func load(path string, shipped []Definition) ([]Definition, error) {
	var f definitionsFile
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &f)
		if err == nil && f.Version != 1 {
			err = fmt.Errorf("version %d is not known", f.Version)
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var out []Definition
	for _, s := range shipped {
		s.Shipped = true
		if i := slices.IndexFunc(f.Probes, func(d Definition) bool { return d.ID == s.ID }); i >= 0 {
			s.Disabled, s.Every, s.Patience = f.Probes[i].Disabled, f.Probes[i].Every, f.Probes[i].Patience
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("read %s: %s: %w", path, s.Name, err)
		}
		out = append(out, s)
	}
	for _, d := range f.Probes {
		if d.Shipped {
			continue
		}
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("read %s: %s: %w", path, d.Name, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func save(path string, all []Definition) error {
	raw, err := json.MarshalIndent(definitionsFile{1, all}, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := renameio.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
