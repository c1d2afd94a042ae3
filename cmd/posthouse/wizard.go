package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"posthouse/admin"
	"posthouse/appliance/config"
	"posthouse/appliance/lancert"
	texts "posthouse/sysmon/words"
)

// wizard is what the wizard of the first run knows and keeps.
func (s *server) wizard() admin.Setup {
	return admin.Setup{Steps: s.needs, Mark: s.markSetup, Configured: s.configured, Names: s.names, Certificate: s.certificate, Consider: s.consider,
		Chat: func() string {
			if len(s.cfg.Console.Listen) == 0 {
				return ""
			}
			return baseURL(s.cfg)
		}}
}

// configured reads the configuration as the next start would, and compares.
func (s *server) configured() admin.Configured {
	out := admin.Configured{File: s.file, Service: s.file == packagedConfig, Settings: map[string]admin.Setting{}}
	if s.file != "" {
		if full, err := filepath.Abs(s.file); err == nil {
			out.File = full
		}
	}
	for _, row := range config.Show(s.booted, nil) {
		out.Settings[row.Key] = admin.Setting{Key: row.Key, Now: row.Value, Next: row.Value}
	}
	next, sources, err := s.read()
	if err != nil {
		var list config.Errors
		if out.Mistake = texts.Of(err.Error(), err.Error()); errors.As(err, &list) {
			out.Mistake = texts.Of(list.Text("en"), list.Text("zh"))
		}
		return out
	}
	for _, row := range config.Show(next, sources) {
		v := out.Settings[row.Key]
		v.Next, v.Source = row.Value, texts.Of(row.Source.Text("en"), row.Source.Text("zh"))
		v.Default = row.Source.Kind == config.FromDefault
		v.Fixed = row.Source.Kind == config.FromEnvironment || row.Source.Kind == config.FromCommandLine
		out.Settings[row.Key] = v
	}
	return out
}

// resolveTime is how long the wizard waits for a name: a page waits with it.
const resolveTime = time.Second

// names are what this server is called, and what the box itself makes of it.
func (s *server) names(ctx context.Context) admin.Names {
	n := admin.Names{Host: s.cfg.Server.HostName, URL: baseURL(s.cfg), HTTPS: s.cert != nil, Names: append([]string{s.cfg.Server.HostName}, s.cfg.TLS.ExtraNames...)}
	if s.cert != nil {
		st := s.cert.Status()
		n.Names = append(n.Names, st.Names...)
		n.Addresses = addressURLs(s.cfg.Server.Listen, st.Addresses)
	}
	slices.Sort(n.Names[1:])
	n.Names = slices.Compact(n.Names)
	if i := slices.Index(n.Names[1:], n.Host); i >= 0 {
		n.Names = slices.Delete(n.Names, i+1, i+2)
	}
	mine, loopback := ownAddresses()
	n.Own = mine
	ctx, done := context.WithTimeout(ctx, resolveTime)
	defer done()
	found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", n.Host) // a name nobody knows has none
	for _, a := range found {
		a = a.Unmap().WithZone("")
		n.Resolved = append(n.Resolved, a.String())
		switch {
		case slices.Contains(mine, a.String()):
			n.Here = true
		case slices.Contains(loopback, a), a.IsLoopback():
			n.Loopback = true
		default:
			n.Elsewhere = true
		}
	}
	return n
}

// ownAddresses are those of this machine that others could reach it at, IPv4
// first, and the loopback ones.
func ownAddresses() (mine []string, loopback []netip.Addr) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, nil
	}
	var others []netip.Addr
	for _, one := range list {
		p, err := netip.ParsePrefix(one.String())
		if err != nil {
			continue
		}
		switch a := p.Addr().Unmap(); {
		case a.IsLoopback():
			loopback = append(loopback, a)
		case a.IsGlobalUnicast():
			others = append(others, a)
		}
	}
	slices.SortFunc(others, func(a, b netip.Addr) int { return cmp.Or(cmp.Compare(a.BitLen(), b.BitLen()), a.Compare(b)) })
	for _, a := range slices.Compact(others) {
		mine = append(mine, a.String())
	}
	return mine, loopback
}

// certificate is what browsers are shown.
func (s *server) certificate() admin.Certificate {
	c := admin.Certificate{Host: s.cfg.Server.HostName}
	if s.cert == nil {
		return c
	}
	st := s.cert.Status()
	c.Source, c.Fingerprint, c.Names, c.Addresses, c.Issuer = st.Source, st.Fingerprint, st.Names, st.Addresses, st.Issuer
	c.Zones, c.Until, c.RootUntil = st.Zones, st.NotAfter, st.RootExpires
	c.Covers = covers(st.Names, c.Host)
	for _, m := range st.Warnings {
		c.Warnings = append(c.Warnings, texts.Of(m.English, m.Chinese))
	}
	if m := st.LastError; m != nil {
		c.Warnings = append(c.Warnings, texts.Of(m.English, m.Chinese))
	}
	return c
}

// covers tells whether a certificate with these names is one for host, as
// browsers see it.
func covers(names []string, host string) bool {
	return (&x509.Certificate{DNSNames: names}).VerifyHostname(host) == nil
}

// consider tells what another host name would mean.
func (s *server) consider(name string) admin.Considered {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	c := admin.Considered{Name: name}
	switch source := s.cert.(type) {
	case *lancert.Authority:
		var why *lancert.Error
		if err := source.Admits(name); errors.As(err, &why) {
			c.Anew = why.NewAuthority
			if !c.Anew {
				c.Bad = texts.Of(why.English, why.Chinese)
			}
		}
		if dir, err := filepath.Abs(filepath.Join(s.cfg.Server.DataDir, certDir)); c.Anew && err == nil {
			c.Directory = dir
		}
	case *lancert.Pair:
		c.Missing = !covers(source.Status().Names, name)
	}
	return c
}
