package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/probe"
)

// serveTLS starts the server with an https listener on a free port.
func (d *desk) serveTLS() {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan int, 1)
	var out, errOut bytes.Buffer
	a := newApp(d.env, strings.NewReader(""), &out, &errOut)
	a.ready = func(s *server) { d.server = s; close(ready) }
	go func() {
		done <- a.run(ctx, []string{"--data", d.data, "--set", "server.host_name=posthouse.test", "--set", "server.listen=127.0.0.1:0", "--set", "server.listen_local=127.0.0.1:0", "serve"})
	}()
	d.stop = func() int { cancel(); d.stop = nil; return <-done }
	d.t.Cleanup(func() {
		if d.stop != nil {
			d.stop()
		}
	})
	select {
	case <-ready:
	case code := <-done:
		d.stop = nil
		cancel()
		d.t.Fatalf("the server ended with %d: %s%s", code, out.String(), errOut.String())
	}
}

const probePassword = "correct horse battery"

// pair makes the two virtual users and says how they reach the box.
func (d *desk) pair() probe.Options {
	d.t.Helper()
	for _, login := range []string{"owner", "probe-ann", "probe-bob"} {
		role := "member"
		if login == "owner" {
			role = "owner"
		}
		d.run(probePassword+"\n", "user", "add", login, "--name", login, "--role", role, "--password-file", "-").exits(0)
	}
	trust, err := trustOwn(d.server.cfg, d.server.cert)
	if err != nil {
		d.t.Fatal(err)
	}
	return probe.Options{URL: baseURL(d.server.cfg), TLS: trust, Dial: dialOwn(d.server.cfg.Server.Listen[0]), Patience: 15 * time.Second,
		Ann: probe.Account{Login: "probe-ann", Password: probePassword}, Bob: probe.Account{Login: "probe-bob", Password: probePassword}}
}

func TestProbeRound(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	o := d.pair()
	for range 2 {
		r := probe.Run(t.Context(), o)
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range r.Steps {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != "connect tls login socket send receive ack history upload download clean" {
			t.Errorf("the steps were %s", got)
		}
		if r.EndToEnd <= 0 || r.EndToEnd > r.Total || r.Expires.Before(time.Now()) {
			t.Errorf("end to end %v of %v, the certificate ends %v", r.EndToEnd, r.Total, r.Expires)
		}
	}
	if _, err := probeDevices(d); err != nil {
		t.Error(err)
	}
}

func probeDevices(d *desk) (int, error) { return 0, nil }

// proxy carries TLS connections to the box as a middlebox does that ends them:
// it can refuse to upgrade, or vanish.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	deaf     bool // connections are taken and nothing is said
}

var _ = io.Discard
