package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"posthouse/appliance/config"
	"posthouse/appliance/lancert"
)

// trustOwn is how the own probe checks the certificate of the public listener:
// as a device does that trusts this box. With certificates from files, their
// own chain is trusted beside the system's.
func trustOwn(cfg config.Config, cert lancert.Source) (*tls.Config, error) {
	pool := x509.NewCertPool()
	if own, ok := cert.(*lancert.Authority); ok {
		if !pool.AppendCertsFromPEM(own.RootPEM()) {
			return nil, errors.New("read the own authority: no certificate in it")
		}
		return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
	}
	if system, err := x509.SystemCertPool(); err == nil {
		pool = system
	}
	raw, err := os.ReadFile(cfg.TLS.CertFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	pool.AppendCertsFromPEM(raw)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// dialOwn opens connections to a listener of this machine, by its address and
// not by the name that people use, which this machine may not know.
func dialOwn(listener string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(listener)
		if err != nil {
			return nil, fmt.Errorf("find the own listener: %w", err)
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort(host, port))
	}
}
