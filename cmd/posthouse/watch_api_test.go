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
	for tick, deadline := time.NewTicker(300*time.Millisecond), time.Now().Add(time.Minute); ; <-tick.C {
		if _, text := get("/api/v1/query?query=up", token); strings.Contains(text, `"job":"host"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no samples after a minute")
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

// Who reads large answers slowly cannot have the server keep ever more of them.
func TestAnswersThatAreReadSlowly(t *testing.T) {
	d := newDesk(t)
	d.serveTLS()
	s := d.server
	large := make([]byte, mostSending/2)
	first, ok := s.figuresSent.take(large)
	second, more := s.figuresSent.take(large)
	if !ok || !more {
		t.Fatal("the first answers are refused")
	}
	const small, big = "query?query=1%2B1", "query_range?query=vector(2)&start=10000&end=20000&step=1"
	ask := func(method, what string) (int, string) {
		req, err := http.NewRequest(method, "http://"+s.local.Addr().String()+"/api/v1/"+what, nil)
		if err != nil {
			t.Fatal(err)
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
	if status, text := ask(http.MethodGet, big); status != 503 || !strings.Contains(text, `"errorType":"unavailable"`) {
		t.Errorf("with no room left: %d %s", status, text)
	}
	if status, text := ask(http.MethodGet, small); status != 200 {
		t.Errorf("a small answer: %d %s", status, text)
	}
	for range 2 {
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 3 {
		if status, text := ask(http.MethodPost, big); status != 200 || !strings.Contains(text, `"2"`) {
			t.Errorf("with room again: %d %.200s", status, text)
		}
	}
	if status, _ := ask(http.MethodHead, big); status != 200 {
		t.Errorf("HEAD: %d", status)
	}
	if status, text := ask(http.MethodDelete, small); status != 405 {
		t.Errorf("DELETE: %d %s", status, text)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	for tick, deadline := time.NewTicker(10*time.Millisecond), time.Now().Add(time.Minute); s.figuresSent.bytes.Load() != 0; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes of answers that were read are still counted", s.figuresSent.bytes.Load())
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
	for tick, deadline := time.NewTicker(300*time.Millisecond), time.Now().Add(time.Minute); !strings.Contains(said, "=>"); <-tick.C {
		var err error
		if said, err = ask(); err != nil || time.Now().After(deadline) {
			t.Fatalf("promtool: %v %s", err, said)
		}
	}
}
