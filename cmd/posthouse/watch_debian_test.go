package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// beside is Debian's Prometheus beside a box that watches itself: it reads the
// box's figures over https with the token and the box's own authority, gets
// them by remote write too, judges with the packaged rules, and sends its
// alerts to the box.
type beside struct {
	*desk
	addr  string // of Prometheus
	files string
	token string
}

func newBeside(t *testing.T) *beside {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &beside{desk: newDesk(t), addr: ln.Addr().String(), files: t.TempDir()}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "POSTHOUSE_WATCH_METRICS_NETWORKS=192.0.2.0/24", "POSTHOUSE_WATCH_INTERVAL=1s", "POSTHOUSE_WATCH_REMOTE_WRITE_URL=http://"+b.addr+"/api/v1/write")
	b.serveTLS()
	b.token = strings.TrimSpace(b.do("metrics", "token").out)
	_, ca := b.get("http://"+b.server.local.Addr().String()+"/ca.pem", "")
	b.file("ca.pem", ca)
	b.file("token", b.token)
	b.file("rules.yml", `groups: [{name: g, interval: 1s, rules: [{alert: SeenFromBeside, expr: "up{job=\"box\"} == 1", labels: {severity: warning}, annotations: {summary: "it answers"}}]}]`)
	packaged, err := filepath.Abs("../../packaging/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	door := `scheme: https, tls_config: {ca_file: ca.pem, server_name: posthouse.test}, authorization: {credentials_file: token}, static_configs: [{targets: ["` + b.server.lans[0].Addr().String() + `"]}]`
	b.file("prometheus.yml", `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml, "`+packaged+`/*.yml"]
alerting: {alertmanagers: [{api_version: v2, `+door+`}]}
scrape_configs:
  - {job_name: box, metrics_path: /metrics/all, `+door+`}
  - {job_name: clean, `+door+`}
  - {job_name: federate, metrics_path: /federate, params: {"match[]": ['{job="posthouse"}', '{__name__=~"node_load.*"}']}, `+door+`}
`)
	cmd := exec.Command("prometheus", "--web.enable-remote-write-receiver", "--config.file="+filepath.Join(b.files, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(b.files, "data"),
		"--web.listen-address="+b.addr, "--rules.alert.resend-delay=1s", "--log.level=error")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install Debian's prometheus (packaging/test-deps.sh)", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return b
}

func (b *beside) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.files, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// get answers status 0 where nobody listens yet.
func (b *beside) get(address, token string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(raw)
}

// sees waits until an expression has an answer in Prometheus.
func (b *beside) sees(expr string) {
	b.t.Helper()
	text := ""
	b.waits(expr, func() bool {
		_, text = b.get("http://"+b.addr+"/api/v1/query?query="+url.QueryEscape(expr), "")
		return strings.Contains(text, `"value":[`)
	})
}

func (b *beside) waits(what string, holds func() bool) {
	b.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			_, targets := b.get("http://"+b.addr+"/api/v1/targets?state=active", "")
			b.t.Fatalf("never: %s\n%s", what, targets)
		}
	}
}

func TestDebiansPrometheusBesideTheBox(t *testing.T) {
	b := newBeside(t)
	// It scrapes, federates, and is written to.
	for _, expr := range []string{
		`up{job="box"} == 1`, `up{job="clean"} == 1`, `up{job="federate"} == 1`,
		`node_memory_MemTotal_bytes{job="box"} > 0`, `node_cpu_seconds_total{job="clean",mode="idle"} > 0`, `posthouse_store_series{job="box"} > 100`,
		`im_accounts{job="federate",exported_job="posthouse",exported_instance="posthouse.test"} >= 0`, `node_load1{job="federate",exported_job="host"}`,
		`up{job="host",instance="posthouse.test"} == 1`, `node_memory_MemTotal_bytes{job="host"} == on() group_left node_memory_MemTotal_bytes{job="box"}`,
		`posthouse_remote_write_samples_total{job="watch",instance="posthouse.test",result="stored"} > 0`, `posthouse_remote_write_samples_total{job="box",result="refused"} == 0`,
	} {
		b.sees(expr)
	}
	// Its alert arrives.
	b.waits("the box hears of an alert", func() bool {
		for _, a := range b.server.watch.Alerts.Active(t.Context()) {
			if a.Name() == "SeenFromBeside" {
				return true
			}
		}
		return false
	})
	// The packaged rules are judged there without an error.
	names := map[string]bool{}
	b.waits("every packaged rule was judged", func() bool {
		_, text := b.get("http://"+b.addr+"/api/v1/rules", "")
		var a struct {
			Data struct {
				Groups []struct {
					File     string
					Interval float64 // seconds
					Rules    []struct{ Name, Health, LastError string }
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return false
		}
		for _, g := range a.Data.Groups {
			for _, r := range g.Rules {
				if r.Health == "unknown" && g.Interval <= 15 { // the others are judged once a minute
					return false
				}
				if names[r.Name] = true; r.Health == "err" {
					t.Errorf("%s in %s: %s", r.Name, g.File, r.LastError)
				}
			}
		}
		return len(names) > 40
	})
	for _, want := range []string{"HighCPUUsage", "ChatProbeFailed", "CardinalityCapReached", "StorageReadOnly", "HighDeliveryLatency"} {
		if !names[want] {
			t.Errorf("%s is not among the packaged rules", want)
		}
	}
}

// A dashboard asks many questions at once: who has the token is answered, who
// guesses is soon told to wait.
func TestADashboardAsksManyQuestionsAtOnce(t *testing.T) {
	d := newDesk(t)
	d.env = append(d.env, "POSTHOUSE_WATCH_METRICS_NETWORKS=192.0.2.0/24")
	d.serveTLS()
	b := &beside{desk: d}
	base := "http://" + d.server.local.Addr().String()
	token := strings.TrimSpace(d.do("metrics", "token").out)
	many := func(token func(i int) string) map[int]int {
		var mu sync.Mutex
		var all sync.WaitGroup
		got := map[int]int{}
		for i := range 90 {
			all.Go(func() {
				status, _ := b.get(base+"/api/v1/query?query="+url.QueryEscape(fmt.Sprint("vector(", i, ")")), token(i))
				mu.Lock()
				defer mu.Unlock()
				got[status]++
			})
		}
		all.Wait()
		return got
	}
	if got := many(func(i int) string { return fmt.Sprint("guess", i) }); got[http.StatusTooManyRequests] < 20 || got[http.StatusOK] != 0 {
		t.Errorf("90 guesses: %v", got)
	}
	if got := many(func(int) string { return token }); got[http.StatusOK] != 90 {
		t.Errorf("three boards of 30 panels: %v", got)
	}
}
