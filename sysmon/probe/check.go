package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Step is a part of a check that was begun.
type Step struct {
	Name string
	Took time.Duration
	Err  string // empty: it went well
}

// Outcome is what came of a check.
type Outcome struct {
	At       time.Time
	Took     time.Duration
	Steps    []Step
	EndToEnd time.Duration // chat: from send to received
	Expires  time.Time     // the certificate that ends first; zero when none was shown
	Err      string        // empty: it went well
	Skipped  bool          // there was nothing to check; it counts neither way
}

// OK reports whether it went well.
func (o Outcome) OK() bool { return o.Err == "" }

// Dialer opens a network connection.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// trial is a check under way.
type trial struct {
	d    Definition
	tls  *tls.Config // complete but for the name
	dial Dialer
	out  Outcome
}

// step carries a part out and notes it.
func (t *trial) step(name string, f func() error) error {
	begun := time.Now()
	err := f()
	s := Step{Name: name, Took: time.Since(begun)}
	if err != nil {
		s.Err = err.Error()
		err = fmt.Errorf("%s: %w", name, err)
	}
	t.out.Steps = append(t.out.Steps, s)
	return err
}

// try carries out any check but chat.
func (p *Prober) try(ctx context.Context, d Definition) Outcome {
	ctx, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	begun := time.Now()
	if d.Kind == Chat {
		out := Outcome{Err: "no virtual users on this server"}
		if p.o.Chat != nil {
			out = p.o.Chat(ctx)
		}
		out.At, out.Took = p.o.Now(), time.Since(begun)
		return out
	}
	t := &trial{d: d, tls: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: d.Insecure}, dial: new(net.Dialer).DialContext} //nolint:gosec // asked for by who defined it, and shown
	t.out.At = p.o.Now()
	if d.CA != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pool.AppendCertsFromPEM([]byte(d.CA))
		t.tls.RootCAs = pool
	}
	if d.Own {
		if p.o.OwnTLS != nil {
			t.tls = p.o.OwnTLS.Clone()
		}
		if p.o.OwnDial != nil {
			t.dial = p.o.OwnDial
		}
	}
	if err := t.run(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %v: %w", d.patience(), err)
		}
		t.out.Err = err.Error()
	}
	t.out.Took = time.Since(begun)
	return t.out
}

func (t *trial) run(ctx context.Context) error {
	switch t.d.Kind {
	case HTTP:
		return t.http(ctx)
	case TCP:
		return t.step("connect", func() error {
			c, err := t.dial(ctx, "tcp", t.d.Target)
			if err == nil {
				_ = c.Close()
			}
			return err
		})
	case DNS:
		return t.dns(ctx)
	case TLS:
		return t.certificate(ctx)
	case SMTP:
		return t.smtp(ctx)
	case LDAP:
		return t.ldap(ctx)
	}
	return fmt.Errorf("the kind %q is not known", t.d.Kind)
}

// expires notes the end of the chain that was shown.
func (t *trial) expires(chain []*x509.Certificate) {
	for _, c := range chain {
		if t.out.Expires.IsZero() || c.NotAfter.Before(t.out.Expires) {
			t.out.Expires = c.NotAfter
		}
	}
}

const maxBody = 1 << 20

func (t *trial) http(ctx context.Context) error {
	tr := &http.Transport{TLSClientConfig: t.tls, DialContext: t.dial, DisableKeepAlives: true, Proxy: nil}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if t.d.Status >= 300 && t.d.Status < 400 {
			return http.ErrUseLastResponse
		}
		if len(via) > 5 {
			return errors.New("redirected more than five times")
		}
		return nil
	}}
	var resp *http.Response
	if err := t.step("request", func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.d.Target, nil)
		if err != nil {
			return err
		}
		req.Header.Set("User-Agent", "posthouse-probe")
		resp, err = c.Do(req)
		return err
	}); err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.TLS != nil {
		t.expires(resp.TLS.PeerCertificates)
	}
	return t.step("answer", func() error {
		if t.d.Status != 0 && resp.StatusCode != t.d.Status || t.d.Status == 0 && (resp.StatusCode < 200 || resp.StatusCode > 399) {
			return fmt.Errorf("status %s", resp.Status)
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		if err != nil {
			return err
		}
		if !strings.Contains(string(body), t.d.Expect) {
			return fmt.Errorf("the answer does not hold %q", t.d.Expect)
		}
		return nil
	})
}

func (t *trial) dns(ctx context.Context) error {
	r := net.DefaultResolver
	if t.d.Server != "" {
		server := t.d.Server
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(server, "53")
		}
		r = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return t.dial(ctx, network, server)
		}}
	}
	return t.step("look up", func() error {
		found, err := r.LookupHost(ctx, t.d.Target)
		if err != nil {
			return err
		}
		if want := net.ParseIP(t.d.Expect); want != nil && !slices.ContainsFunc(found, func(a string) bool { return want.Equal(net.ParseIP(a)) }) {
			return fmt.Errorf("the name is %s, not %s", strings.Join(found, ", "), t.d.Expect)
		}
		return nil
	})
}

func (t *trial) certificate(ctx context.Context) error {
	var conn net.Conn
	err := t.step("connect", func() error {
		var err error
		conn, err = t.dial(ctx, "tcp", t.d.Target)
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := t.step("handshake", func() error { _, err := t.secure(ctx, conn); return err }); err != nil {
		return err
	}
	return t.step("validity", func() error {
		left := t.out.Expires.Sub(t.out.At)
		if left < time.Duration(t.d.Days)*24*time.Hour {
			return fmt.Errorf("the certificate ends on %s", t.out.Expires.Format(time.DateOnly))
		}
		return nil
	})
}

// secure begins TLS with the name of the target. A certificate that has ended is
// told with its date even though it is refused.
func (t *trial) secure(ctx context.Context, conn net.Conn) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(t.d.Target)
	if err != nil {
		return nil, err
	}
	cfg := t.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	c := tls.Client(conn, cfg)
	err = c.HandshakeContext(ctx)
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		t.expires(bad.UnverifiedCertificates)
	}
	if err != nil {
		return nil, err
	}
	t.expires(c.ConnectionState().PeerCertificates)
	return c, nil
}
