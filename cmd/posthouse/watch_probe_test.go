package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/gate"
	"posthouse/appliance/probe"
	"posthouse/appliance/wire"
	check "posthouse/sysmon/probe"
)

// prober is what the box checks itself with.
func (d *desk) prober() *check.Prober {
	d.t.Helper()
	o, err := d.server.probeOptions()
	if err != nil {
		d.t.Fatal(err)
	}
	o.Dir = filepath.Join(d.data, watchDir)
	p, err := check.Open(o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestTheBoxChecksItself(t *testing.T) {
	d := newDesk(t)
	d.serveTLS("--set", "watch.virtual_users=false") // else it makes a pair of its own at the same time
	p := d.prober()
	if out, err := p.RunNow(t.Context(), "chat"); err != nil || !out.Skipped || p.Light().State != check.LightUnknown {
		t.Errorf("before the first owner: %+v, %v", out, err)
	}
	d.run(probePassword+"\n", "user", "add", "owner", "--role", "owner", "--password-file", "-").exits(0)
	for _, id := range []string{"chat", "health", "certificate", "chat"} {
		if out, err := p.RunNow(t.Context(), id); err != nil || !out.OK() {
			t.Fatalf("%s: %+v, %v", id, out, err)
		}
	}
	if l := p.Light(); l.State != check.LightWell || l.EndToEnd <= 0 {
		t.Errorf("the light is %+v", l)
	}
	st, err := os.Stat(filepath.Join(d.data, watchDir, probeUsersFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the passwords of the virtual users: %v, %v", st, err)
	}
	var seen, all wire.UserList
	c := offline{t.Context(), d.server.box, "en"}
	if err := c.call("user.list", wire.DirectoryParams{}, &all); err != nil {
		t.Fatal(err)
	}
	seen = d.server.state.Directory(wire.DirectoryParams{Limit: 50}, false)
	if len(seen.Users) != 1 || len(all.Users) != 3 {
		t.Errorf("%d in the directory and %d in all, want 1 and 3", len(seen.Users), len(all.Users))
	}
	// With the file gone, another pair is made.
	if err := os.Remove(filepath.Join(d.data, watchDir, probeUsersFile)); err != nil {
		t.Fatal(err)
	}
	if out, err := d.prober().RunNow(t.Context(), "chat"); err != nil || !out.OK() {
		t.Errorf("with another pair: %+v, %v", out, err)
	}
}

// switchboard carries bytes to an address, and can be cut as a cable can.
type switchboard struct {
	net.Listener
	cut atomic.Bool
}

func newSwitchboard(t *testing.T, to string) *switchboard {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &switchboard{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.cut.Load() {
				_ = c.Close()
				continue
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = c.Close()
				continue
			}
			go func() { _, _ = io.Copy(b, c); _ = b.Close() }()
			go func() { _, _ = io.Copy(c, b); _ = c.Close() }()
		}
	}()
	return s
}

// TestAProbeElsewhereReports runs the command on "another machine": through
// switchboards that stand for two networks.
func TestAProbeElsewhereReports(t *testing.T) {
	d := newDesk(t)
	d.serveTLS("--set", "watch.virtual_users=false")
	d.run(probePassword+"\n", "user", "add", "owner", "--role", "owner", "--password-file", "-").exits(0)
	p := d.prober()
	if out, err := p.RunNow(t.Context(), "chat"); err != nil || !out.OK() {
		t.Fatalf("%+v, %v", out, err)
	}
	d.run("", "probe", "token", "north").exits(2).tells("--subnet")
	d.run("", "probe").exits(2).tells("token, list, revoke")
	d.run("nonsense", "probe", "--report-to", "https://x", "--token-file", "-").exits(1).tells("this is not the whole token of a probe")
	north := d.do("probe", "token", "north", "--subnet", "North wing").out
	south := d.do("probe", "token", "south", "--subnet", "South wing", "--every", "30").out
	d.run(north, "probe", "--report-to", "chat.lan:8443", "--token-file", "-").exits(1).tells("--report-to takes")
	d.do("probe", "list").prints("North wing", "South wing", "30 s")

	// Reports arrive on a listener beside the chat's, which the test can refuse.
	reports := newReports(t, p, d)
	north1 := settle(t, d, north, newSwitchboard(t, d.server.cfg.Server.Listen[0]), reports)
	southBoard := newSwitchboard(t, d.server.cfg.Server.Listen[0])
	south1 := settle(t, d, south, southBoard, reports)
	states := func(want ...string) []check.Subnet {
		t.Helper()
		got := p.Subnets()
		for i, s := range got {
			if s.State != want[i] {
				t.Errorf("%s is %s (%s: %s), want %s", s.Name, s.State, s.Failed, s.Err, want[i])
			}
		}
		return got
	}
	states(check.Waiting, check.Waiting)
	north1.round(t, true)
	south1.round(t, true)
	for _, s := range states(check.Well, check.Well) {
		if s.Arrived != 1 || s.Median <= 0 || s.Host == "" || s.Version == "" {
			t.Errorf("%+v", s)
		}
	}
	southBoard.cut.Store(true) // the south cannot talk, and its reports still come through
	north1.round(t, true)
	south1.round(t, true)
	tiles := states(check.Well, check.Network)
	if tiles[1].Failed != "tls" && tiles[1].Failed != "connect" {
		t.Errorf("the south failed at %q: %s", tiles[1].Failed, tiles[1].Err)
	}
	reports.away.Store(true) // now reports do not come either: they wait
	south1.round(t, false)
	southBoard.cut.Store(false)
	south1.round(t, false)
	reports.away.Store(false)
	south1.round(t, true)
	if s := states(check.Well, check.Well)[1]; s.Rounds != 5 || s.Arrived != 0.6 {
		t.Errorf("of the south %d rounds arrived, %v went through", s.Rounds, s.Arrived)
	}
	d.do("probe", "revoke", "south")
	south1.round(t, false)
	if n := len(p.Subnets()); n != 1 {
		t.Errorf("%d places are on the map", n)
	}
	d.run("", "probe", "revoke", "south").exits(1).tells("no probe of this name")
}

// reports is the door for reports: the mount, behind TLS with the certificate
// of the box.
type reports struct {
	url  string
	away atomic.Bool
}

func newReports(t *testing.T, p *check.Prober, d *desk) *reports {
	r := &reports{}
	mount := probeReports(func() *check.Prober {
		if r.away.Load() {
			return nil
		}
		return p
	})
	l, err := tls.Listen("tcp", "127.0.0.1:0", d.server.cert.TLSConfig())
	if err != nil {
		t.Fatal(err)
	}
	s := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		mount.Serve(ctx, gate.Visitor{Address: netip.MustParseAddr("10.2.0.7")})
	}}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Shutdown() })
	r.url = "https://" + l.Addr().String()
	return r
}

// elsewhere is a probe on another machine.
type elsewhere struct{ r *reporter }

func settle(t *testing.T, d *desk, token string, board net.Listener, to *reports) elsewhere {
	t.Helper()
	decoded, ok := decodeProbeToken(token)
	if !ok {
		t.Fatalf("not the whole token: %q", token)
	}
	var log strings.Builder
	r, err := newReporter(baseURL(d.server.cfg), decoded, &log)
	if err != nil {
		t.Fatal(err)
	}
	r.options.Dial = dialOwn(board.Addr().String())
	r.options.Patience = 10 * time.Second
	r.to = to.url + check.ReportPath
	tr := r.http.Transport.(*http.Transport)
	tr.TLSClientConfig = tr.TLSClientConfig.Clone()
	tr.TLSClientConfig.ServerName = "posthouse.test"
	tr.DisableKeepAlives = true
	t.Cleanup(tr.CloseIdleConnections)
	return elsewhere{r}
}

// round makes one and reports it.
func (e elsewhere) round(t *testing.T, arrives bool) {
	t.Helper()
	e.r.keep(probe.Run(t.Context(), e.r.options))
	if err := e.r.report(t.Context()); (err == nil) != arrives {
		t.Errorf("the report: %v", err)
	}
}
