package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/runbook"
)

// socket is a client of the server's socket.
func (d *desk) socket() *http.Client {
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.server.cfg.Server.Socket)
	}}}
	d.t.Cleanup(c.CloseIdleConnections)
	return c
}

// tells sends alerts in a Prometheus's terms.
func (d *desk) tells(c *http.Client, alerts ...map[string]any) {
	d.t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		d.t.Fatal(err)
	}
	res, err := c.Post("http://localhost/api/v2/alerts", "application/json", strings.NewReader(string(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("alerts are answered with %s", res.Status)
	}
}

func (d *desk) until(what string, holds func() bool) {
	d.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			d.t.Fatalf("never: %s", what)
		}
	}
}

// An alert that another Prometheus sends has a case with evidence, a page that
// leads to its own runbook and to where it is from, and its place in the
// operators' room, like others; when its sender says so, it is over. The name
// of a shipped alert does not make it one.
func TestAForeignAlertIsTendedToLikeOthers(t *testing.T) {
	d := newDesk(t)
	d.serve()
	d.do("user", "add", "ann", "--role", "owner", "--generate")
	m := d.server.watch.Alerts
	p := m.Plan()
	p.Wait = alert.Span(10 * time.Millisecond)
	if err := m.SetPlan(p); err != nil {
		t.Fatal(err)
	}
	c := d.socket()
	evil := `<script>alert(1)</script><img src=x onerror=alert(2)>"'` + "\u202e"
	began := time.Now().Add(-time.Minute)
	nas := map[string]any{"labels": map[string]string{"alertname": "HighMemoryUsage", "severity": "serious", "instance": "nas", "which": evil}, "startsAt": began, "generatorURL": "http://prometheus.lan/graph?g0.expr=x",
		"annotations": map[string]string{"summary": "memory of the nas " + evil, "description": evil, "runbook_url": "https://wiki.lan/nas?a=1&b=2", "dashboard": "<b>" + evil}}
	bad := map[string]any{"labels": map[string]string{"alertname": "Bad", "severity": "warning"}, "startsAt": began, "generatorURL": "javascript:alert(3)", "annotations": map[string]string{"runbook_url": "javascript:alert(4)"}}
	d.tells(c, nas, bad)
	fp, _ := d.timeline("HighMemoryUsage")
	id := runbook.CaseID(fp, began)
	var one runbook.Case
	d.until("a case", func() (found bool) { one, _ = d.server.watch.Books.Case(id); return one.ID != "" })
	var found []string
	for _, f := range one.Findings {
		found = append(found, f.ID)
		if f.Error != "" {
			t.Errorf("evidence %s: %s", f.ID, f.Error)
		}
	}
	if !slices.Contains(found, "changes") || len(found) < 4 || slices.Contains(found, "heap") {
		t.Errorf("evidence %v", found)
	}
	d.until("the operators' room is told", func() bool {
		_, events := d.timeline("HighMemoryUsage")
		return slices.ContainsFunc(events, func(e alert.Event) bool { return e.Kind == alert.Told && e.Object == operatorsName })
	})

	page := func(fp string) string { return d.read(c, "/admin/alerts/one?fp="+fp) }
	html := page(fp)
	for _, part := range []string{`href="https://wiki.lan/nas?a=1&amp;b=2"`, `href="http://prometheus.lan/graph?g0.expr=x"`, "dashboard", "&lt;b&gt;&lt;script&gt;alert(1)", `id="evidence"`, "Another Prometheus"} {
		if !strings.Contains(html, part) {
			t.Errorf("its page has no %s", part)
		}
	}
	other, _ := d.timeline("Bad")
	for _, html := range []string{html, page(other), d.read(c, "/admin/cases"), d.read(c, "/admin/cases/"+id), d.read(c, "/admin/alerts")} {
		if strings.Contains(html, "<script>alert") || strings.Contains(html, "<img src=x") || strings.Contains(html, `href="javascript`) {
			t.Error("the text of an alert is markup")
		}
	}
	if !strings.Contains(d.read(c, "/admin/alerts"), `href="/admin/alerts/one?fp=`+other+`#runbook"`) {
		t.Error("a runbook that is no address does not lead to the page's own")
	}
	d.do("alerts", "show", "HighMemoryUsage").prints("https://wiki.lan/nas", "Another Prometheus", "What changed").never("\u202e")

	d.do("alerts", "ack", "HighMemoryUsage")
	nas["endsAt"] = time.Now()
	d.tells(c, nas)
	if one, _ = d.server.watch.Books.Case(id); one.Resolved.IsZero() {
		t.Error("the case is not over")
	}
}

func (d *desk) read(c *http.Client, path string) string {
	d.t.Helper()
	res, err := c.Get("http://localhost" + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s %v", path, res.Status, err)
	}
	return string(raw)
}
