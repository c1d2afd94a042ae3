package rule

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v3"
)

// planned is every alert that comes with the program.
func planned() []string {
	return strings.Fields(`HighCPUUsage CriticalCPUUsage HighMemoryUsage HighDiskUsage DiskFillsUp InodesLow SwapActivity HighLoad HighTemperature
		HighBandwidthUsage NetworkErrors HighErrorRate SlowAPIResponse HighAPILoad StorageWriterSaturated StorageSlowOperations StorageReadOnly
		CacheMemoryHigh HighDeliveryLatency LowArrivalRate MessageDeliveryDelayed ConnectionsDropped ConnectionsUnusual LowActiveUsers MessagesFew
		RegistrationsFew DatabaseInsertFailed LowHealthScore ServiceDown InstanceDown HealthCheckFailed ProbeFailed ChatProbeFailed SubnetUnreachable
		CertificateExpiresSoon FileDescriptorsLow GoroutinesHigh ClockSkew AuthFailuresBurst CardinalityCapReached NotificationsFailing RemoteWriteFailing
		UncleanShutdown MemoryLeakSuspected`)
}

func TestEveryShippedAlertIsComplete(t *testing.T) {
	m := open(t, newBench(t).options())
	if p := m.Problems(); len(p) > 0 {
		t.Fatal(p[0].Error())
	}
	found, tested := map[string]bool{}, map[string]bool{}
	for _, s := range scenarios() {
		tested[s.alert] = true
	}
	for _, r := range m.Rules() {
		if r.Spec.Alert == "" {
			continue
		}
		found[r.Spec.Alert] = true
		for _, k := range strings.Fields("summary summary_zh description description_zh value threshold runbook link") {
			if r.Spec.Annotations[k] == "" {
				t.Errorf("%s has no annotation %s", r.ID, k)
			}
		}
		if s := r.Severity(); s != "warning" && s != "serious" && s != "critical" {
			t.Errorf("%s has severity %q", r.ID, s)
		}
		if !tested[r.Spec.Alert] {
			t.Errorf("%s is not made to fire by any test", r.ID)
		}
	}
	for _, name := range planned() {
		if !found[name] {
			t.Errorf("no rule %s", name)
		}
	}
}

// lap is what one group of a scenario said when.
type lap struct {
	at     time.Duration
	alerts []Alert
}

// run evaluates one alert and the recordings of its group over stored series.
func (b *bench) run(s scenario, series []input, until time.Duration) []lap {
	b.t.Helper()
	start := time.Unix(0, 0).UTC()
	step := s.stepOr()
	end := b.load(start, step, series)
	if until > 0 {
		end = until
	}
	m := open(b.t, b.options())
	group := b.groupOf(m, s.alert)
	var out []lap
	for at := s.from; at <= end; at += step {
		var alerts []Alert
		for _, r := range group.Rules() {
			ar, alerting := r.(*rules.AlertingRule)
			if alerting && (ar.Name() != s.alert || s.severity != "" && ar.Labels().Get("severity") != s.severity) {
				continue
			}
			v, err := r.Eval(b.t.Context(), 0, start.Add(at), m.o.Query, nil, 0)
			if err != nil {
				b.t.Fatalf("%s at %s: %v", r.Name(), at, err)
			}
			if alerting {
				state := Rule{State: Inactive}
				state.addAlerts(ar)
				alerts = append(alerts, state.Alerts...)
				continue
			}
			app := b.store.Appender(b.t.Context())
			for _, p := range v {
				if _, err := app.Append(0, p.Metric, p.T, p.F); err != nil {
					b.t.Fatal(err)
				}
			}
			if err := app.Commit(); err != nil {
				b.t.Fatal(err)
			}
		}
		out = append(out, lap{at, alerts})
	}
	return out
}

func (s scenario) stepOr() time.Duration {
	if s.step == 0 {
		return 15 * time.Second
	}
	return s.step
}

func (b *bench) groupOf(m *Manager, alert string) *rules.Group {
	b.t.Helper()
	for _, g := range b.groups(m) {
		for _, r := range g.Rules() {
			if r.Name() == alert {
				return g
			}
		}
	}
	b.t.Fatalf("no rule %s", alert)
	return nil
}

func firing(laps []lap, at time.Duration) []Alert {
	var out []Alert
	for _, l := range laps {
		if l.at != at {
			continue
		}
		for _, a := range l.alerts {
			if a.State == Firing {
				out = append(out, a)
			}
		}
	}
	return out
}

func TestShippedAlertsFireInTimeAndResolve(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.alert+s.severity, func(t *testing.T) {
			laps := newBench(t).run(s, s.cause, s.ends)
			if n := len(firing(laps, s.quiet)); n != 0 {
				t.Errorf("it fires at %s already", s.quiet)
			}
			if n := len(firing(laps, s.fires)); n != 1 {
				t.Errorf("at %s %d alerts fire, one should", s.fires, n)
			}
			if n := len(firing(laps, s.ends)); n != 0 {
				t.Errorf("it fires at %s still", s.ends)
			}
			s.promtoolAgrees(t, laps)
			for name, series := range map[string][]input{"below": s.below, "short": s.short} {
				if series == nil {
					continue
				}
				for _, l := range newBench(t).run(s, series, 0) {
					if l.at >= s.learnt && len(firing([]lap{l}, l.at)) > 0 {
						t.Errorf("%s: it fires at %s: %v", name, l.at, l.alerts)
						break
					}
				}
			}
		})
	}
}

func TestDebiansPromtoolTakesTheFiles(t *testing.T) {
	promtool(t, "shipped", "check", "rules", "api.yml", "business.yml", "chat.yml", "host.yml", "probes.yml", "process.yml", "storage.yml", "watch.yml")
}

// promtoolAgrees has Debian's promtool run the scenario on the same file, with
// the labels of alerts as our engine made them.
func (s scenario) promtoolAgrees(t *testing.T, laps []lap) {
	t.Helper()
	name := filepath.Join(t.TempDir(), s.alert+".yml")
	if err := os.WriteFile(name, s.promtoolFile(t, laps), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, ".", "test", "rules", name)
}

func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("promtool", args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// promtoolFile writes a scenario as promtool reads it.
func (s scenario) promtoolFile(t *testing.T, laps []lap) []byte {
	t.Helper()
	step := s.stepOr()
	expect := func(laps []lap) []map[string]any {
		var out []map[string]any
		for _, at := range []time.Duration{s.quiet, s.fires, s.ends} {
			samples := []map[string]any{}
			for _, a := range firing(laps, at) {
				l := labels.NewBuilder(labels.FromMap(a.Labels)).Set("alertstate", "firing").Labels()
				samples = append(samples, map[string]any{"labels": "ALERTS" + l.String(), "value": 1})
			}
			selector := fmt.Sprintf("ALERTS{alertname=%q,alertstate=\"firing\",severity=~\"%s.*\"}", s.alert, s.severity)
			out = append(out, map[string]any{"eval_time": inMinutes(at), "expr": selector, "exp_samples": samples})
		}
		return out
	}
	tests := []map[string]any{{"interval": inMinutes(step), "input_series": s.promtoolSeries(s.cause), "promql_expr_test": expect(laps)}}
	often := step
	if s.coarse > 0 {
		often = s.coarse
	}
	for _, quiet := range [][]input{s.below, s.short} {
		if quiet != nil && s.coarse == 0 {
			tests = append(tests, map[string]any{"interval": inMinutes(step), "input_series": s.promtoolSeries(quiet), "promql_expr_test": expect(nil)})
		}
	}
	b := newBench(t)
	file, err := filepath.Abs(b.fileOf(open(t, b.options()), s.alert))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.Marshal(map[string]any{"rule_files": []string{file}, "evaluation_interval": inMinutes(often), "tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(raw)
}

func (b *bench) fileOf(m *Manager, alert string) string {
	for _, r := range m.Rules() {
		if r.Spec.Alert == alert {
			return r.File
		}
	}
	b.t.Fatalf("no rule %s", alert)
	return ""
}

func (s scenario) promtoolSeries(series []input) []map[string]string {
	var out []map[string]string
	for _, in := range series {
		out = append(out, map[string]string{"series": in.series, "values": in.values(s.stepOr())})
	}
	return out
}
