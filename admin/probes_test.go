package admin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/host"
	"posthouse/sysmon/probe"
)

// desk is a console that a test asks.
type desk struct {
	t *testing.T
	a *Admin
	v Visitor
}

func newDesk(t *testing.T, o Options) desk {
	a := New(o)
	t.Cleanup(a.Close)
	return desk{t, a, Visitor{LoggedIn: true, Role: wire.Admin, Login: "ann", Name: "Ann", Lang: "en", Address: netip.MustParseAddr("127.0.0.1"),
		Call:  func(string, any) (any, error) { return nil, wire.Refuse(wire.NotFound, "nothing", "没有") },
		Still: func() (wire.Role, bool) { return wire.Admin, true }}}
}

// ask gives the status, the place it sends to, and the page.
func (d desk) ask(method, path string, form url.Values) (status int, to, page string) {
	d.t.Helper()
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI("http://posthouse.test" + path)
	if form != nil {
		req.Header.SetContentType("application/x-www-form-urlencoded")
		req.SetBodyString(form.Encode())
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, nil)
	d.a.Serve(&ctx, d.v)
	return ctx.Response.StatusCode(), string(ctx.Response.Header.Peek("Location")), string(ctx.Response.Body())
}

func (d desk) has(page string, parts ...string) {
	d.t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			d.t.Errorf("no %q on the page:\n%s", p, page)
		}
	}
}

func TestTheMachineIsShown(t *testing.T) {
	h := host.New(host.Options{DataDir: t.TempDir(), Version: "1.2.3"})
	d := newDesk(t, Options{Machine: Machine{Facts: h.Facts, Processes: h.Processes, Ports: h.Ports}})
	status, _, page := d.ask("GET", "/admin/host", nil)
	d.has(page, "Busiest processes", "Largest processes", "this server", "1.2.3", h.Facts().Name)
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	_, _, page = newDesk(t, Options{}).ask("GET", "/admin/host", nil)
	d.has(page, "watch.enabled is false")
}

func TestProbesAreMadeTriedAndRemoved(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("well")) }))
	t.Cleanup(web.Close)
	dir := t.TempDir()
	p, err := probe.Open(probe.Options{Dir: dir, Shipped: []probe.Definition{{ID: "chat", Name: "chat", Kind: probe.Chat, Every: 60}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	d := newDesk(t, Options{Probing: Probing{Prober: p,
		AddAgent: func(_ context.Context, name, subnet string, every int) (string, error) {
			return "the-token", probe.AddAgent(dir, probe.Agent{Name: name, Subnet: subnet, Every: every}, probe.Token())
		},
		RemoveAgent: func(_ context.Context, name string) error { _, err := probe.RemoveAgent(dir, name); return err }}})
	_, _, page := d.ask("GET", "/admin/probes", nil)
	d.has(page, "chat", "not run yet", "Map of subnets")
	form := url.Values{"name": {"intranet"}, "kind": {"http"}, "target": {web.URL}, "every": {"60"}, "patience": {"x"}, "do": {"try"}}
	status, _, page := d.ask("POST", "/admin/probes/save", form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	d.has(page, "1 to 30 seconds", "intranet")
	form.Set("patience", "5")
	_, _, page = d.ask("POST", "/admin/probes/save", form)
	d.has(page, "It went well. Nothing is kept yet.")
	if len(p.List()) != 1 {
		t.Error("a try was kept")
	}
	form.Set("do", "save")
	status, to, _ := d.ask("POST", "/admin/probes/save", form)
	if status != http.StatusSeeOther || len(p.List()) != 2 {
		t.Fatalf("status %d, %d probes", status, len(p.List()))
	}
	id := p.List()[1].ID
	d.ask("POST", "/admin/probes/run", url.Values{"id": {id}})
	_, _, page = d.ask("GET", to, nil)
	d.has(page, "Remove the probe", web.URL, ">well<", "100")
	status, _, page = d.ask("POST", "/admin/probes/remove", url.Values{"id": {id}, "typed": {"intra"}})
	if status != http.StatusUnprocessableEntity || len(p.List()) != 2 {
		t.Errorf("removed without its name: %d", status)
	}
	d.has(page, "That is not its name")
	d.ask("POST", "/admin/probes/remove", url.Values{"id": {id}, "typed": {"intranet"}})
	if len(p.List()) != 1 {
		t.Error("it was not removed")
	}
	status, _, page = d.ask("POST", "/admin/probes/agents", url.Values{"agent": {""}, "subnet": {"x"}})
	d.has(page, "a name of 1 to 60 characters")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	_, _, page = d.ask("POST", "/admin/probes/agents", url.Values{"agent": {"north"}, "subnet": {"North wing"}, "every": {"60"}})
	d.has(page, "the-token", "North wing", "waits for the first report")
	d.ask("POST", "/admin/probes/agents/remove", url.Values{"agent": {"north"}, "typed": {"north"}})
	if len(p.Agents()) != 0 {
		t.Error("the probe elsewhere was not ended")
	}
	// An auditor sees and changes nothing.
	d.v.Role = wire.Auditor
	_, _, page = d.ask("GET", "/admin/probes", nil)
	if strings.Contains(page, "/admin/probes/new") {
		t.Error("an auditor is offered a new probe")
	}
	if status, _, _ = d.ask("POST", "/admin/probes/run", url.Values{"id": {"chat"}}); status < 400 {
		t.Errorf("an auditor ran a probe: %d", status)
	}
	d.v.Lang = "zh"
	_, _, page = d.ask("GET", "/admin/probes", nil)
	d.has(page, "子网地图", "虚拟用户")
}
