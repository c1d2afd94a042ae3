package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/probe"
	"posthouse/appliance/wire"
)

// serveTLS starts the server with an https listener on a free port.
func (d *desk) serveTLS(flags ...string) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan int, 1)
	var out, errOut bytes.Buffer
	a := newApp(d.env, strings.NewReader(""), &out, &errOut)
	a.ready = func(s *server) { d.server = s; close(ready) }
	go func() {
		done <- a.run(ctx, append([]string{"--data", d.data, "--set", "server.host_name=posthouse.test", "--set", "server.listen=127.0.0.1:0", "--set", "server.listen_local=127.0.0.1:0", "serve"}, flags...))
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
		args := []string{"user", "add", login, "--name", login, "--role", role, "--password-file", "-"}
		if role == "member" {
			args = append(args, "--probe")
		}
		d.run(probePassword+"\n", args...).exits(0)
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
	// What is left is one direct room without texts.
	ann, err := client.NewHTTP(client.Options{URL: o.URL, TLS: o.TLS, Dial: o.Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer ann.Close()
	if _, err := ann.Login(t.Context(), o.Ann.Login, o.Ann.Password); err != nil {
		t.Fatal(err)
	}
	devices, err := ann.Devices(t.Context())
	if err != nil || len(devices) != 1 {
		t.Errorf("%d devices are left, want the one that asks: %v", len(devices), err)
	}
	rooms, err := ann.Rooms(t.Context())
	if err != nil || len(rooms.Rooms) != 1 {
		t.Fatalf("%d rooms: %v", len(rooms.Rooms), err)
	}
	page, err := ann.History(t.Context(), wire.HistoryParams{Room: rooms.Rooms[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Messages {
		if m.Text != "" {
			t.Errorf("a text is left: %q", m.Text)
		}
	}
}

// TestProbeSeesWhatPassiveFiguresDoNot puts a proxy before the box that lets
// everything through but upgrades, as a broken listener for WebSockets does.
func TestProbeSeesWhatPassiveFiguresDoNot(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	o := d.pair()
	behind, err := url.Parse("http://" + d.server.local.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var blocked atomic.Bool
	to := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host }}
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if blocked.Load() && r.Header.Get("Upgrade") != "" {
			http.Error(w, "no upgrades", http.StatusBadGateway)
			return
		}
		to.ServeHTTP(w, r)
	}))
	defer front.Close()
	pool := x509.NewCertPool()
	pool.AddCert(front.Certificate())
	o.TLS = &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	o.Dial = dialOwn(front.Listener.Addr().String())
	o.URL = "https://localhost"
	if err := probe.Run(t.Context(), o).Err(); err != nil {
		t.Fatalf("through the open proxy: %v", err)
	}
	blocked.Store(true)
	r := probe.Run(t.Context(), o)
	if r.Failed() != "socket" || !strings.Contains(r.Err().Error(), "502") {
		t.Errorf("upgrades are refused, and the round says %q: %v", r.Failed(), r.Err())
	}
	resp, err := front.Client().Get(front.URL + "/health/ready")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the server looks sick from outside: %s", resp.Status)
	}
	blocked.Store(false)
	if err := probe.Run(t.Context(), o).Err(); err != nil {
		t.Errorf("after the end of it: %v", err)
	}
}

// TestProbeDoesNotTrustAnother shows the round that a box with another
// certificate gets.
func TestProbeDoesNotTrustAnother(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	o := d.pair()
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if r := probe.Run(t.Context(), o); r.Failed() != "tls" || !strings.Contains(r.Err().Error(), "unknown authority") {
		t.Errorf("%v", r.Err())
	}
	o.Dial = dialOwn("127.0.0.1:1")
	if r := probe.Run(t.Context(), o); r.Failed() != "connect" {
		t.Errorf("%v", r.Err())
	}
}
