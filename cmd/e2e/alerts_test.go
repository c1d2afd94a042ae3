package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/client"
)

// alarm makes an alert fire, as a Prometheus on the same machine would.
func (s *server) alarm(name, severity, summary string) {
	s.t.Helper()
	body, err := json.Marshal([]any{map[string]any{"labels": map[string]string{"alertname": name, "severity": severity, "instance": "nas"},
		"annotations": map[string]string{"summary": summary, "value": "1", "threshold": "0"}, "endsAt": time.Now().Add(2 * time.Hour)}})
	if err != nil {
		s.t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "posthouse.sock"))
	}}}
	defer c.CloseIdleConnections()
	res, err := c.Post("http://localhost/api/v2/alerts", "application/json", strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		s.t.Fatalf("the alert was not taken: %s", res.Status)
	}
}

// On a telephone: an alert that comes while the page is open, acknowledged
// with one touch, silenced, and found in its timeline.
func TestAnAlertIsTendedToOnATelephone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	p := shared.tab(t, "ann", o.url())
	p.size(360, 800)
	p.logsInConsole("ann")
	p.open("/admin/alerts")
	p.connected()
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	p.finds(".alert-card h3", "a disk is gone")
	p.click(".alert-card button.primary", "")
	p.finds(".alert-card .badge.good", "acknowledged by ann")
	p.click(".alert-card summary", "")
	p.fill(".alert-card input[name=reason]", "a new disk is coming")
	p.click(".alert-card form[action='/admin/alerts/silence'] button", "")
	p.finds(".alert-card .alert-head", "silenced")
	p.click(".alert-card h3 a", "")
	p.finds("#timeline", "a new disk is coming")
}
