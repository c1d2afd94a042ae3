package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"posthouse/appliance/client"
)

// alarm makes an alert fire, as a Prometheus on the same machine would.
func (s *server) alarm(name, severity, summary string) {
	s.t.Helper()
	s.sendsAlert(name, severity, map[string]any{"annotations": map[string]string{"summary": summary, "value": "1", "threshold": "0"}, "endsAt": time.Now().Add(2 * time.Hour)})
}

// calm ends an alert.
func (s *server) calm(name, severity string) {
	s.t.Helper()
	s.sendsAlert(name, severity, map[string]any{"endsAt": time.Now()})
}

func (s *server) sendsAlert(name, severity string, rest map[string]any) {
	s.t.Helper()
	rest["labels"] = map[string]string{"alertname": name, "severity": severity, "instance": "nas"}
	body, err := json.Marshal([]any{rest})
	if err != nil {
		s.t.Fatal(err)
	}
	if status, text := s.postsAlerts(body); status != http.StatusOK {
		s.t.Fatalf("the alert was not taken: %d %s", status, text)
	}
}

// postsAlerts sends a body to the door for foreign alerts, through the
// operator's socket.
func (s *server) postsAlerts(body []byte) (status int, text string) {
	s.t.Helper()
	status, text, err := s.triesAlerts(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, text
}

// triesAlerts is postsAlerts for a body that the server may not read to its end.
func (s *server) triesAlerts(body []byte) (status int, text string, err error) {
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "posthouse.sock"))
	}}}
	defer c.CloseIdleConnections()
	res, err := c.Post("http://localhost/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, string(raw), err
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
	p.submits(".alert-card button.primary", "")
	p.finds(".alert-card .badge.good", "acknowledged by ann")
	p.click(".alert-card summary", "")
	p.fill(".alert-card input[name=reason]", "a new disk is coming")
	p.submits(".alert-card form[action='/admin/alerts/silence'] button", "")
	p.finds(".alert-card .alert-head", "silenced")
	p.click(".alert-card h3 a", "")
	p.finds("#timeline", "a new disk is coming")
}
