package main

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A running server answers promtool with its token, and nobody else.
func TestFiguresThroughTheQueryAPI(t *testing.T) {
	d := newDesk(t)
	d.env = append(d.env, "POSTHOUSE_WATCH_METRICS_NETWORKS=192.0.2.0/24")
	d.serveTLS()
	base := "http://" + d.server.local.Addr().String()
	get := func(path, token string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(raw)
	}
	for _, path := range []string{"/api/v1/query?query=up", "/federate?match[]=up", "/api/v1/targets", "/metrics"} {
		if status, text := get(path, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d %s", path, status, text)
		}
	}
	token := strings.TrimSpace(d.do("metrics", "token").out)
	for tick, deadline := time.NewTicker(300*time.Millisecond), time.Now().Add(30*time.Second); ; <-tick.C {
		if _, text := get("/api/v1/query?query=up", token); strings.Contains(text, `"job":"host"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no samples after half a minute")
		}
	}
	for path, part := range map[string]string{
		"/federate?match[]=up": "up{", "/api/v1/targets": `"health":"up"`, "/api/v1/rules": `"type":"alerting"`,
		"/api/v1/alerts": `"alerts":[`, "/api/v1/metadata": `"type":"counter"`, "/api/v1/label/job/values": `"host"`,
	} {
		if status, text := get(path, token); status != 200 || !strings.Contains(text, part) {
			t.Errorf("%s: %d %.300s", path, status, text)
		}
	}
}

// From an address of the list promtool needs no token, and asks with POST.
func TestPromtoolAsksTheServer(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	ask := func() (string, error) {
		out, err := exec.Command("promtool", "query", "instant", "http://"+d.server.local.Addr().String(), `count(up == 1) > 1`).CombinedOutput()
		return string(out), err
	}
	said := ""
	for tick, deadline := time.NewTicker(300*time.Millisecond), time.Now().Add(30*time.Second); !strings.Contains(said, "=>"); <-tick.C {
		var err error
		if said, err = ask(); err != nil || time.Now().After(deadline) {
			t.Fatalf("promtool: %v %s", err, said)
		}
	}
}
