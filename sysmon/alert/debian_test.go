package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/notify"
)

// program starts a program of Debian's on a free port and waits until it is
// ready. args get PORT replaced.
func program(t *testing.T, name, ready string, args ...string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	addr := ln.Addr().String()
	ok(t, ln.Close())
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "ADDR", addr)
	}
	cmd := exec.Command(name, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install Debian's %s", err, name)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	eventually(t, name+" is ready", func() bool {
		res, err := http.Get("http://" + addr + ready)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return "http://" + addr
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	ok(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// door takes foreign alerts for a manager.
func door(t *testing.T, m *Manager) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, MaxForeign))
		list, ferr := Foreign(body)
		if err := errors.Join(err, ferr, m.Receive(context.WithoutCancel(r.Context()), list)); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func alertmanager(t *testing.T, hook string) string {
	t.Helper()
	conf := file(t, "am.yml", `
route: {receiver: box, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: box
    webhook_configs: [{url: "`+hook+`", send_resolved: true}]
`)
	return program(t, "prometheus-alertmanager", "/-/ready", "--config.file="+conf, "--storage.path="+t.TempDir(), "--web.listen-address=ADDR", "--cluster.listen-address=")
}

func TestDebiansAlertmanagerSendsUsItsAlerts(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	am := alertmanager(t, door(t, m))
	send := func(more string) {
		t.Helper()
		res, err := http.Post(am+"/api/v2/alerts", "application/json", strings.NewReader(`[{"labels":{"alertname":"RaidDegraded","severity":"serious","instance":"nas"},"annotations":{"summary":"a disk is gone","value":"1"}`+more+`}]`))
		ok(t, err)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	send("")
	if msg := p.hears(notify.Firing); msg.Items[0].Name != "RaidDegraded" || msg.Items[0].Host != "nas" || msg.Severity != "serious" {
		t.Errorf("%+v", msg.Items[0])
	}
	send(`,"startsAt":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `","endsAt":"` + time.Now().UTC().Format(time.RFC3339) + `"`)
	p.hears(notify.Resolved)
}

func TestDebiansAlertmanagerTakesOurAlerts(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	am := alertmanager(t, p.url)
	c, err := m.SaveChannel(notify.Channel{Name: "central", Kind: "alertmanager", Lang: "en", Settings: map[string]string{"url": am}})
	ok(t, err)
	plan(t, m, c.ID)
	listed := func() int {
		res, err := http.Get(am + "/api/v2/alerts?active=true")
		if err != nil {
			return -1
		}
		defer func() { _ = res.Body.Close() }()
		var list []struct{ Labels, Annotations map[string]string }
		if json.NewDecoder(res.Body).Decode(&list) != nil {
			return -1
		}
		for _, a := range list {
			if a.Labels["alertname"] != "HighCPUUsage" || a.Annotations["threshold"] != "80 %" {
				t.Errorf("%+v", a)
			}
		}
		return len(list)
	}
	fires(t, m, alarm("HighCPUUsage", "warning"))
	eventually(t, "it is in their list", func() bool { return listed() == 1 })
	fires(t, m, alarm("HighCPUUsage", "warning").over())
	eventually(t, "it is out of their list", func() bool { return listed() == 0 })
}

func TestDebiansPrometheusSendsUsItsAlerts(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	at := strings.TrimPrefix(door(t, m), "http://")
	rules := file(t, "rules.yml", `
groups: [{name: g, interval: 1s, rules: [{alert: AlwaysOn, expr: vector(7), labels: {severity: critical}, annotations: {summary: "at {{ $value }}", value: "{{ $value }}"}}]}]
`)
	conf := file(t, "prometheus.yml", `
global: {evaluation_interval: 1s}
rule_files: ["`+rules+`"]
alerting: {alertmanagers: [{api_version: v2, static_configs: [{targets: ["`+at+`"]}]}]}
`)
	program(t, "prometheus", "/-/ready", "--rules.alert.resend-delay=1s", "--config.file="+conf, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address=ADDR")
	eventually(t, "it fires here", func() bool {
		list := m.Active(t.Context())
		return len(list) == 1 && list[0].Name() == "AlwaysOn" && list[0].Item.Value == "7" && list[0].Source != ""
	})
}

func TestForeignAlertsThatAreNone(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	for _, body := range []string{"", "hello", "[", `{"alerts":[{"labels":{}}]}`, `[{"labels":{"alertname":"x","bad label":"y"}}]`, `[{"labels":{"alertname":"` + strings.Repeat("x", maxLabelValue+1) + `"}}]`, strings.Repeat("[", 1<<20)} {
		list, err := Foreign([]byte(body))
		if err == nil {
			err = m.Receive(t.Context(), list)
		}
		if err == nil {
			t.Errorf("taken: %.40q", body)
		}
	}
	if list := m.Active(t.Context()); len(list) != 0 {
		t.Errorf("%d of them fire", len(list))
	}
}

// An expression that is too long for a link keeps no alert back.
func TestAForeignAlertWithALinkTooLong(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	list, err := Foreign([]byte(`[{"labels":{"alertname":"short"},"generatorURL":"http://prometheus/graph"},
		{"labels":{"alertname":"long"},"generatorURL":"http://prometheus/graph?g0.expr=` + strings.Repeat("x", maxSource) + `"}]`))
	ok(t, err)
	ok(t, m.Receive(t.Context(), list))
	sources := map[string]string{}
	for _, a := range m.Active(t.Context()) {
		sources[a.Name()] = a.Source
	}
	if want := map[string]string{"short": "http://prometheus/graph", "long": ""}; !maps.Equal(sources, want) {
		t.Errorf("links %v, not %v", sources, want)
	}
}

// What comes late, twice or from a clock that is wrong changes nothing that is
// true.
func TestForeignAlertsOutOfOrder(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	send := func(from, to string) {
		t.Helper()
		end := ""
		if to != "" {
			end = `,"endsAt":"` + to + `"`
		}
		list, err := Foreign([]byte(`[{"labels":{"alertname":"A"},"startsAt":"` + from + `"` + end + `}, {"labels":{"alertname":""}}]`))
		ok(t, err)
		if err := m.Receive(t.Context(), list); err == nil || !strings.Contains(err.Error(), "1 of 2 alerts were not taken") {
			t.Errorf("the bad one of two: %v", err)
		}
	}
	ago := func(d time.Duration) string { return time.Now().UTC().Truncate(time.Hour).Add(-d).Format(time.RFC3339) }
	before, beforeEnd, begins := ago(72*time.Hour), ago(71*time.Hour), ago(48*time.Hour)
	send(before, beforeEnd) // an end of what nobody knows
	if list, _, _ := m.History(Query{}); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	send(begins, "")
	send(begins, "")
	send(before, beforeEnd) // an end of before, late
	a := only(t, m)
	if kinds(a.Episode) != "fired" {
		t.Errorf("%s", kinds(a.Episode))
	}
	end := a.Start.Add(time.Hour).UTC().Format(time.RFC3339)
	send(begins, end)
	send(begins, end)
	list, _, err := m.History(Query{})
	ok(t, err)
	if len(list) != 1 || kinds(list[0]) != "fired ended" || list[0].End.Before(list[0].Start) {
		t.Errorf("%+v", list)
	}
	send("0001-02-03T00:00:00Z", "") // before 1970: now
	if a := only(t, m); time.Since(a.Start) > time.Minute {
		t.Errorf("began %s", a.Start)
	}
}

// A step for other severities does not hold up those after it.
func TestStepsForOtherSeveritiesArePassedOver(t *testing.T) {
	m, p, boss := open(t, t.TempDir(), quick()), ring(t), ring(t)
	id, up := hook(t, m, "ops", p), hook(t, m, "boss", boss)
	plan(t, m, id, func(p *Plan) {
		p.Escalation = []Step{{After: Span(time.Second), Channels: []string{id}, Severities: []string{"warning"}}, {After: Span(time.Second), Channels: []string{up}}}
	})
	fires(t, m, alarm("RaidDegraded", "critical"))
	p.hears(notify.Firing)
	boss.hears(notify.Escalated)
	fires(t, m, alarm("RaidDegraded", "critical").over())
	p.hears(notify.Resolved)
	boss.hears(notify.Resolved)
	p.hearsNothing(100 * time.Millisecond) // its step was never taken
}
