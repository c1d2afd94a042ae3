package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/url"

	"github.com/go-ldap/ldap/v3"
)

// smtp greets a mail server as a relay would, and leaves.
func (t *trial) smtp(ctx context.Context) error {
	host, _, err := net.SplitHostPort(t.d.Target)
	if err != nil {
		return err
	}
	var c *smtp.Client
	if err := t.step("greeting", func() error {
		conn, err := t.dial(ctx, "tcp", t.d.Target)
		if err != nil {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok {
			_ = conn.SetDeadline(deadline) // the patience, for every command
		}
		if c, err = smtp.NewClient(conn, host); err != nil {
			_ = conn.Close()
		}
		return err
	}); err != nil {
		return err
	}
	defer c.Close()
	if err := t.step("hello", func() error { return c.Hello("localhost") }); err != nil {
		return err
	}
	if t.d.StartTLS {
		if err := t.step("starttls", func() error { return t.startTLS(c, host) }); err != nil {
			return err
		}
	}
	if err := t.step("noop", c.Noop); err != nil {
		return err
	}
	return t.step("quit", c.Quit)
}

func (t *trial) startTLS(c *smtp.Client, host string) error {
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return errors.New("the server does not offer STARTTLS")
	}
	cfg := t.tls.Clone()
	cfg.ServerName = host
	if err := c.StartTLS(cfg); err != nil {
		return err
	}
	if state, ok := c.TLSConnectionState(); ok {
		t.expires(state.PeerCertificates)
	}
	return nil
}

// ldap binds and reads one entry.
func (t *trial) ldap(ctx context.Context) error {
	u, err := url.Parse(t.d.Target)
	if err != nil {
		return err
	}
	cfg := t.tls.Clone()
	cfg.ServerName = u.Hostname()
	dialer := &net.Dialer{}
	if deadline, ok := ctx.Deadline(); ok {
		dialer.Deadline = deadline
	}
	var c *ldap.Conn
	if err := t.step("connect", func() error {
		var err error
		c, err = ldap.DialURL(t.d.Target, ldap.DialWithDialer(dialer), ldap.DialWithTLSConfig(cfg))
		return err
	}); err != nil {
		return err
	}
	defer c.Close()
	c.SetTimeout(t.d.patience())
	if t.d.StartTLS && u.Scheme == "ldap" {
		if err := t.step("starttls", func() error { return c.StartTLS(cfg) }); err != nil {
			return err
		}
	}
	if state, ok := c.TLSConnectionState(); ok {
		t.expires(state.PeerCertificates)
	}
	if err := t.step("bind", func() error {
		if t.d.User == "" {
			return c.UnauthenticatedBind("")
		}
		return c.Bind(t.d.User, t.d.Secret)
	}); err != nil {
		return err
	}
	return t.step("read", func() error {
		found, err := c.Search(ldap.NewSearchRequest(t.d.Base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, t.d.Patience, false, "(objectClass=*)", []string{"1.1"}, nil))
		if err != nil {
			return err
		}
		if len(found.Entries) != 1 {
			return fmt.Errorf("%d entries at %q", len(found.Entries), t.d.Base)
		}
		return nil
	})
}
