package rule

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

const oneRule = `groups:
  - name: mine
    rules:
      - alert: QueueLong
        expr: queue_length > 10
        for: 5m
        labels: {severity: serious}
        annotations: {summary: 'queue {{ $labels.queue }} has {{ $value }}'}
`

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// told collects what is handed on.
type told struct {
	mu     sync.Mutex
	alerts []*rules.Alert
}

func (n *told) take(_ context.Context, _ string, alerts ...*rules.Alert) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.alerts = append(n.alerts, alerts...)
}

func (n *told) last(name string) *rules.Alert {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := len(n.alerts) - 1; i >= 0; i-- {
		if n.alerts[i].Labels.Get("alertname") == name {
			return n.alerts[i]
		}
	}
	return nil
}

// world is a manager that runs on a clock of its own and is fed every 15 s.
type world struct {
	*bench
	dir   string
	told  told
	value func() (float64, bool)
}

// run runs a manager for so long and gives it as it stands then.
func (w *world) run(long time.Duration, look func(m *Manager)) {
	w.t.Helper()
	o := w.options()
	o.Notify = w.told.take
	m, err := Open(w.dir, o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	tick := time.NewTicker(15 * time.Second)
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		if v, there := w.value(); there {
			app := w.store.Appender(ctx)
			if _, err := app.Append(0, labels.FromStrings("__name__", "queue_length", "queue", "out"), time.Now().UnixMilli(), v); err != nil {
				w.t.Error(err)
			}
			if err := app.Commit(); err != nil {
				w.t.Error(err)
			}
		}
	}
	tick.Stop()
	synctest.Wait()
	look(m)
	stop()
	if err := <-ended; err != nil {
		w.t.Error(err)
	}
}

func state(t *testing.T, m *Manager, id string) Rule {
	t.Helper()
	r, ok := m.Rule(id)
	if !ok {
		t.Fatalf("no rule %s", id)
	}
	return r
}

func TestARuleGoesThroughItsStatesAndSurvivesARestart(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	put(t, dir, "mine.yml", oneRule)
	synctest.Test(t, func(t *testing.T) {
		w := &world{bench: b, dir: dir, value: func() (float64, bool) { return 0, false }}
		const id = "mine.yml/mine/QueueLong"
		begin := time.Now()
		w.run(2*m, func(m *Manager) {
			if r := state(t, m, id); r.State != NoData || !strings.Contains(r.Reason.EN, "queue_length") || !strings.Contains(r.Reason.ZH, "queue_length") {
				t.Errorf("without a series it is %s: %v", r.State, r.Reason)
			}
		})
		w.value = func() (float64, bool) { return 5, true }
		w.run(2*m, func(m *Manager) {
			if r := state(t, m, id); r.State != Inactive {
				t.Errorf("below the threshold it is %s", r.State)
			}
		})
		w.value = func() (float64, bool) { return 20, true }
		w.run(3*m, func(m *Manager) {
			if r := state(t, m, id); r.State != Pending || len(r.Alerts) != 1 || r.Alerts[0].Value != 20 {
				t.Errorf("after three minutes it is %s: %v", r.State, r.Alerts)
			}
		})
		if w.told.last("QueueLong") != nil {
			t.Error("a pending alert was handed on")
		}
		// Three minutes are over; with the two that follow it has to fire.
		w.run(3*m, func(m *Manager) {
			r := state(t, m, id)
			if r.State != Firing {
				t.Fatalf("after a restart it is %s, since %s", r.State, r.Since)
			}
			if got := r.Alerts[0].Annotations["summary"]; got != "queue out has 20" {
				t.Errorf("summary %q", got)
			}
		})
		if a := w.told.last("QueueLong"); a == nil || a.State != rules.StateFiring {
			t.Fatalf("handed on: %v", a)
		}
		w.value = func() (float64, bool) { return 1, true }
		w.run(3*m, func(m *Manager) {
			if r := state(t, m, id); r.State != Inactive {
				t.Errorf("afterwards it is %s", r.State)
			}
			w.timeline(m, id, begin)
		})
	})
}

func (w *world) timeline(m *Manager, id string, begin time.Time) {
	spans, err := m.Timeline(context.Background(), id, begin, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	var seen []string
	for _, s := range spans {
		seen = append(seen, string(s.State))
		if s.State == Pending && s.To.Sub(s.From) < 2*time.Minute {
			w.t.Errorf("pending for %s only", s.To.Sub(s.From))
		}
	}
	line := strings.Join(seen, " ")
	if !strings.Contains(line, "no_data") || !strings.Contains(line, "pending") || !strings.HasSuffix(line, "firing") {
		w.t.Errorf("timeline: %s", line)
	}
}

func TestAnAlertThatFiredIsResolved(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	put(t, dir, "mine.yml", strings.Replace(oneRule, "for: 5m", "for: 30s", 1))
	synctest.Test(t, func(t *testing.T) {
		w := &world{bench: b, dir: dir}
		begin := time.Now()
		w.value = func() (float64, bool) {
			if time.Since(begin) < 3*m {
				return 20, true
			}
			return 0, true
		}
		w.run(5*m, func(*Manager) {})
		a := w.told.last("QueueLong")
		if a == nil || a.ResolvedAt.IsZero() {
			t.Fatalf("the last that was handed on: %+v", a)
		}
	})
}

func TestABadFileIsRefusedAndTheGoodOnesGoOn(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "good.yml", oneRule)
	put(t, dir, "later.yml", strings.ReplaceAll(oneRule, "QueueLong", "QueueVeryLong"))
	put(t, dir, "expr.yml", strings.Replace(oneRule, "> 10", "> (10", 1))
	put(t, dir, "yaml.yml", "groups:\n  - name: x\n    rules: 5\n")
	put(t, dir, "field.yml", strings.Replace(oneRule, "for: 5m", "fro: 5m", 1))
	put(t, dir, "label.yml", strings.Replace(oneRule, "severity: serious", "'': x", 1))
	put(t, dir, "states.yml", strings.Replace(oneRule, "> 10", `{a=~"`+strings.Repeat("(a{0,1000}b?)", 1100)+`"} > 10`, 1))
	put(t, dir, "huge.yml", strings.Repeat("#", maxFileBytes+1))
	m, err := Open(dir, newBench(t).options())
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{"expr.yml": 5, "yaml.yml": 3, "field.yml": 6, "label.yml": 4, "states.yml": 5, "huge.yml": 0}
	for _, p := range m.Problems() {
		want, bad := lines[p.File]
		if !bad {
			t.Errorf("refused: %s", p.In("en"))
			continue
		}
		delete(lines, p.File)
		if p.Line != want {
			t.Errorf("%s: line %d, want %d: %s", p.File, p.Line, want, p.Reason.EN)
		}
		if p.Reason.ZH == "" || p.Reason.ZH == p.Reason.EN || !strings.Contains(p.In("zh"), p.File) {
			t.Errorf("%s in Chinese: %s", p.File, p.In("zh"))
		}
	}
	for file := range lines {
		t.Errorf("%s was taken", file)
	}
	// A file that was good goes on as it was when it is broken, and is told.
	put(t, dir, "later.yml", "groups: [")
	if err := m.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"good.yml/mine/QueueLong", "later.yml/mine/QueueVeryLong"} {
		if _, ok := m.Rule(id); !ok {
			t.Errorf("%s does not run any more", id)
		}
	}
	if len(m.Problems()) != 7 {
		t.Errorf("problems: %v", m.Problems())
	}
}

func TestAnErrorOfEvaluationIsAState(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	put(t, dir, "mine.yml", strings.Replace(oneRule, "queue_length > 10", "a / on () b > 1", 1))
	b.load(time.Unix(0, 0), m, []input{level(`a{x="1"}`, phase{h, 1}), level(`b{x="1"}`, phase{h, 1}), level(`b{x="2"}`, phase{h, 1})})
	man, err := Open(dir, b.options())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range b.groups(man) {
		if g.File() != "mine.yml" {
			continue
		}
		man.iterate(t.Context(), g, time.Unix(600, 0))
		var r Rule
		man.mu.Lock()
		r = man.describe(man.set.byID["mine.yml/mine/QueueLong"], g.Rules()[0])
		man.mu.Unlock()
		if r.State != Failed || !strings.Contains(r.Reason.EN, "many") || r.Reason.ZH == "" {
			t.Errorf("%s: %v", r.State, r.Reason)
		}
	}
}

func TestChangesAreCheckedKeptAndTakenBack(t *testing.T) {
	dir := t.TempDir()
	o := newBench(t).options()
	o.Now = func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }
	m, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	const id = "shipped/host.yml/host/HighCPUUsage"
	was := state(t, m, id)
	form, ok := FormOf(was.Spec)
	if !ok || form.Threshold != 80 || form.Op != ">" {
		t.Fatalf("form: %+v", form)
	}
	form.Threshold = 70
	changed, bad := form.Spec(was.Spec)
	if bad != nil {
		t.Fatal(bad.EN)
	}
	if err := m.Save(id, changed, &form, "ann", "the machine is small"); err != nil {
		t.Fatal(err)
	}
	broken := changed
	broken.Expr = "sum("
	var refusal *Refused
	if err := m.Save(id, broken, nil, "ann", ""); !errors.As(err, &refusal) || refusal.In("zh") == refusal.In("en") {
		t.Errorf("a broken rule was saved: %v", err)
	}
	if err := m.SetDisabled("shipped/host.yml/host/HighLoad", true, "bo"); err != nil {
		t.Fatal(err)
	}
	// Another start, as after an upgrade: the shipped files are as they were, the changes hold.
	if m, err = Open(dir, o); err != nil {
		t.Fatal(err)
	}
	if r := state(t, m, id); !r.Changed || !strings.HasSuffix(r.Spec.Expr, "> 70") || r.Original.Expr != was.Spec.Expr || r.Form == nil || r.Form.Threshold != 70 {
		t.Errorf("after a start: %+v", r)
	}
	if r := state(t, m, "shipped/host.yml/host/HighLoad"); r.State != Disabled {
		t.Errorf("disabled rule is %s", r.State)
	}
	history, err := m.History("")
	if err != nil || len(history) != 2 {
		t.Fatalf("history: %v %v", history, err)
	}
	if v := history[1]; v.Who != "ann" || v.Action != "save" || v.Number != 1 || v.Before != nil || v.After == nil || v.Note == "" || v.Rule != id {
		t.Errorf("entry: %+v", v)
	}
	if err := m.Revert(1, "cy"); err != nil {
		t.Fatal(err)
	}
	if r := state(t, m, id); r.Changed || r.Spec.Expr != was.Spec.Expr {
		t.Errorf("taken back: %+v", r.Spec)
	}
	if err := m.Revert(3, "cy"); err != nil { // the taking back, taken back
		t.Fatal(err)
	}
	if r := state(t, m, id); !strings.HasSuffix(r.Spec.Expr, "> 70") {
		t.Errorf("put back: %s", r.Spec.Expr)
	}
	if err := m.Restore(id, "ann"); err != nil {
		t.Fatal(err)
	}
	if r := state(t, m, id); r.Changed {
		t.Error("still changed after Restore")
	}
}

func TestARuleIsMadeInTheConsoleAndDeleted(t *testing.T) {
	m := open(t, newBench(t).options())
	form := Form{Name: "DiskSlow", Expr: "rate(node_disk_io_time_seconds_total[1m])", Op: ">", Threshold: 0.9, For: 5 * time.Minute, Severity: "warning"}
	s, bad := form.Spec(Spec{})
	if bad != nil {
		t.Fatal(bad.EN)
	}
	id, err := m.Create(s, &form, "ann")
	if err != nil {
		t.Fatal(err)
	}
	r := state(t, m, id)
	if r.Form == nil || r.Form.Threshold != 0.9 || r.Shipped || r.Spec.Annotations["summary_zh"] == "" {
		t.Errorf("made: %+v", r)
	}
	if _, err := m.Create(s, &form, "ann"); err == nil {
		t.Error("a second rule of the name was made")
	}
	form.Threshold = 0.5
	s, _ = form.Spec(r.Spec)
	if err := m.Save(id, s, &form, "bo", ""); err != nil {
		t.Fatal(err)
	}
	if r := state(t, m, id); !strings.HasSuffix(r.Spec.Expr, "> 0.5") || r.Changed {
		t.Errorf("saved: %+v", r)
	}
	if err := m.Delete("shipped/host.yml/host/HighLoad", "ann"); err == nil {
		t.Error("a shipped rule was deleted")
	}
	if err := m.Delete(id, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Rule(id); ok {
		t.Error("it is there still")
	}
	if err := m.PutFile("../evil.yml", oneRule, "ann"); err == nil {
		t.Error("a file outside was written")
	}
	if err := m.PutFile("mine.yml", oneRule, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := m.RemoveFile("mine.yml", "ann"); err != nil {
		t.Fatal(err)
	}
}

func TestDiff(t *testing.T) {
	var b strings.Builder
	for _, l := range Diff("a\nb\nc\n", "a\nx\nc\nd\n") {
		b.WriteString(string(l.Sign) + l.Text + "|")
	}
	if got := b.String(); got != " a|-b|+x| c|+d|" {
		t.Errorf("diff %q", got)
	}
}
