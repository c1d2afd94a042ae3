package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
	check "posthouse/sysmon/probe"
)

// uncounted are the methods whose calls no metric counts, with the reason.
func uncounted() map[string]string { return map[string]string{} }

// untried are the mounts that no shipped probe asks, with the reason.
func untried() map[string]string {
	return map[string]string{
		"/admin":         "whoever minds the box sees it; its failures are counted by endpoint, and alerts are about them",
		"/metrics":       "the box samples the same text in process and alerts when that stops; a probe would need a token or an address in watch.metrics_networks",
		"/api/v1":        "its readers are other programs, which alert themselves; a probe would need a token",
		"/federate":      "its reader is another Prometheus, which alerts itself; a probe would need a token",
		"/api/v2/alerts": "a probe of it would make an alert",
		check.ReportPath: "machines elsewhere report there, and an alert is about those that fall silent",
	}
}

// A method without a metric that counts it does not pass: each is called, over
// the way that it takes, and its counter must move.
func TestEveryMethodIsCounted(t *testing.T) {
	d := newDesk(t)
	addr := d.serveWith("--set", "limits.requests_burst=100000", "--set", "limits.requests_per_second=10000", "--set", "limits.messages_burst=100000", "--set", "limits.messages_per_second=10000")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	described := false
	for _, m := range d.server.dictionary() {
		described = described || m.Name == "im_calls_total" && m.Help.EN != "" && m.Help.ZH != ""
	}
	if !described {
		t.Error("im_calls_total is not described")
	}
	ann, _, _ := d.office(ctx, addr)
	operator, err := client.NewHTTP(client.Options{UnixSocket: d.config().Server.Socket})
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	count := func(method string) float64 { return d.figure(addr, fmt.Sprintf("im_calls_total{method=%q}", method)) }
	for _, spec := range wire.Table() {
		before := count(spec.Name)
		if before < 0 {
			t.Errorf("%s has no counter: add one, or give it a reason in uncounted", spec.Name)
			continue
		}
		var answer any // refused or not, the call is one
		switch {
		case spec.Socket || spec.Name == "session.authenticate":
			_ = ann.Call(ctx, spec.Name, wire.Empty{}, &answer)
		default:
			_ = operator.Call(ctx, spec.Name, wire.Empty{}, &answer)
		}
		counted := count(spec.Name) > before
		switch reason := uncounted()[spec.Name]; {
		case !counted && reason == "":
			t.Errorf("a call of %s is not counted: count it, or give a reason in uncounted", spec.Name)
		case counted && reason != "":
			t.Errorf("%s is counted, so uncounted does not need it", spec.Name)
		}
	}
}

// A part of the address space that no shipped probe asks does not pass without
// a reason.
func TestEveryMountIsTried(t *testing.T) {
	d := newDesk(t)
	d.serve()
	reasons := untried()
	for _, m := range d.server.mounts() {
		tried := false
		for _, one := range d.prober().List() {
			u, err := url.Parse(one.Target)
			tried = tried || one.Shipped && err == nil && (u.Path == m.Prefix || strings.HasPrefix(u.Path, m.Prefix+"/"))
		}
		reason, excused := reasons[m.Prefix]
		delete(reasons, m.Prefix)
		switch {
		case !tried && reason == "":
			t.Errorf("no shipped probe asks %s: add one, or give a reason in untried", m.Prefix)
		case tried && excused:
			t.Errorf("a shipped probe asks %s, so untried does not need it", m.Prefix)
		}
	}
	for prefix := range reasons {
		t.Errorf("there is no mount %s, so untried does not need it", prefix)
	}
}

// Each kind of listener is tried from inside: https by the health and the
// certificate probes, local http by the health probe where it is the public
// one, the socket by the server's own sign of life.
func TestEveryListenerIsTried(t *testing.T) {
	tries := func(d *desk, names ...string) {
		t.Helper()
		for _, name := range names {
			one, there := d.prober().Get(name)
			if !there || !one.Shipped {
				t.Errorf("there is no shipped probe %s", name)
				continue
			}
			if out, err := d.prober().RunNow(t.Context(), name); err != nil || out.Err != "" || out.Skipped {
				t.Errorf("%s: %+v %v", name, out, err)
			}
		}
	}
	local := newDesk(t)
	local.serve()
	tries(local, "health")
	if err := alive(t.Context(), local.config().Server.Socket, 30*time.Second); err != nil {
		t.Error(err)
	}
	local.stop()
	if err := alive(t.Context(), local.config().Server.Socket, 30*time.Second); err == nil {
		t.Error("a server that has ended lives")
	}
	lan := newDesk(t)
	lan.serveTLS()
	tries(lan, "health", "certificate")
}

// Watching has begun when the chat answers its first request.
func TestWatchingStartsFirst(t *testing.T) {
	d := newDesk(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	go func() { // asks from before the listener is there
		c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
		for t.Context().Err() == nil {
			res, err := c.Get("http://" + addr + "/metrics")
			if err != nil {
				continue
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err == nil {
				first <- res.Status + "\n" + string(body)
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() {
		done <- newApp(d.env, strings.NewReader(""), io.Discard, io.Discard).run(ctx, []string{"--data", d.data, "--set", "server.listen=", "--set", "server.listen_local=" + addr, "serve"})
	}()
	select {
	case text := <-first:
		for _, want := range []string{"200 ", "\nposthouse_store_series "} {
			if !strings.Contains("\n"+text, want) {
				t.Errorf("the first answer lacks %q", want)
			}
		}
	case code := <-done:
		done <- code
		t.Fatal("the server ended with", code)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Error("the server ended with", code)
	}
}
