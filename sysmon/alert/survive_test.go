package alert

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/types/known/timestamppb"

	"posthouse/sysmon/notify"
)

func TestWhatNobodyRepeatsEnds(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	in := alarm("HighCPUUsage", "warning")
	in.End = time.Now().Add(2 * time.Second)
	fires(t, m, in)
	p.hears(notify.Firing)
	p.hears(notify.Resolved)
	eventually(t, "it ended", func() bool { return len(m.Active(t.Context())) == 0 })
}

// What is just being taken is not over because it is not everywhere yet.
func TestWhatIsBeingTakenDoesNotEnd(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	ctx, cancel := context.WithCancel(t.Context())
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for ctx.Err() == nil {
			m.sweepEnded()
		}
	})
	for i := range 300 {
		fires(t, m, alarm(fmt.Sprint("A", i), "info"))
	}
	cancel()
	sweeping.Wait()
	if n := len(m.Active(t.Context())); n != 300 {
		t.Errorf("%d of 300 alerts fire", n)
	}
}

func TestARestartResolvesNothing(t *testing.T) {
	dir := t.TempDir()
	o := quick()
	o.Grace = 6 * time.Second // long enough for a busy machine to get to the rule
	m, p := open(t, dir, o), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	in := alarm("HighCPUUsage", "warning")
	in.End = time.Now().Add(6 * time.Second)
	in.Start = time.Now().Add(-time.Hour)
	fires(t, m, in)
	fires(t, m, alarm("HighLoad", "warning"))
	p.hears(notify.Firing)
	p.hears(notify.Firing)
	before := m.Active(t.Context())
	ok(t, m.Ack(before[0].Fingerprint, "ann"))
	ok(t, m.Close())
	m = open(t, dir, o)
	after := m.Active(t.Context())
	if len(after) != 2 || after[1].ID() != before[0].ID() || after[1].AckBy != "ann" {
		t.Fatalf("before %v, after %v", before, after)
	}
	fires(t, m, alarm("HighLoad", "warning")) // its rule speaks again
	if msg := p.hears(notify.Resolved); msg.Items[0].Name != "HighCPUUsage" {
		t.Errorf("%+v", msg.Items)
	}
	p.hearsNothing(300 * time.Millisecond)
	if a := only(t, m); a.Name() != "HighLoad" {
		t.Error(a.Name())
	}
}

// TestKilledAndBack kills the process that tells with the signal nobody can
// catch, and goes on in this one.
func TestKilledAndBack(t *testing.T) {
	if dir := os.Getenv("ALERT_TEST_VICTIM"); dir != "" {
		victim(t, dir)
		return
	}
	dir, p := t.TempDir(), ring(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledAndBack$", "-test.v")
	cmd.Env = append(os.Environ(), "ALERT_TEST_VICTIM="+dir, "ALERT_TEST_URL="+p.url)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "all is done"); {
	}
	ok(t, cmd.Process.Kill())
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	for range 2 {
		p.hears(notify.Firing)
	}
	o := quick()
	o.Grace = 30 * time.Second
	m := open(t, dir, o)
	list := m.Active(t.Context())
	if len(list) != 3 {
		t.Fatalf("%d alerts survived", len(list))
	}
	for _, a := range list {
		switch a.Name() {
		case "HighCPUUsage":
			if a.AckBy != "ann" || kinds(a.Episode) != "fired told ack comment" {
				t.Errorf("%+v", a.Episode)
			}
		case "Muffled":
			if len(a.SilencedBy) != 1 {
				t.Error("the silence is lost")
			}
		}
	}
	p.hearsNothing(500 * time.Millisecond) // the notification log survived too
	fires(t, m, alarm("HighCPUUsage", "warning").over())
	if msg := p.hears(notify.Resolved); msg.Items[0].Name != "HighCPUUsage" {
		t.Error(msg.Title)
	}
}

func victim(t *testing.T, dir string) {
	m := open(t, dir, quick())
	plan(t, m, hook(t, m, "ops", &phone{url: os.Getenv("ALERT_TEST_URL")}))
	_, err := m.Silence(t.Context(), Silence{Matchers: []string{`alertname="Muffled"`}, End: time.Now().Add(time.Hour), Author: "ann", Reason: "known"})
	ok(t, err)
	fires(t, m, alarm("HighCPUUsage", "warning"), alarm("HighLoad", "serious"), alarm("Muffled", "critical"))
	told := func() int {
		n := 0
		for _, a := range m.Active(t.Context()) {
			if !a.FirstTold.IsZero() {
				n++
			}
		}
		return n
	}
	eventually(t, "two are told", func() bool { return told() == 2 })
	// The log of a notice is written after its timeline.
	eventually(t, "two are logged", func() bool {
		raw := string(m.db.blob("engine", "nflog"))
		return strings.Contains(raw, "HighCPUUsage") && strings.Contains(raw, "HighLoad")
	})
	for _, a := range m.Active(t.Context()) {
		if a.Name() == "HighCPUUsage" {
			ok(t, m.Ack(a.Fingerprint, "ann"))
			ok(t, m.Comment(a.Fingerprint, "ann", "on it"))
		}
	}
	fmt.Println("all is done")
	select {}
}

func TestAClockThatWentBackRepeatsNothing(t *testing.T) {
	d, err := openDB(t.TempDir() + "/x.db")
	ok(t, err)
	defer func() { _ = d.b.Close() }()
	r := &nflogpb.Receiver{GroupName: "ops", Integration: "c1"}
	late := time.Now().Add(24 * time.Hour)
	var b strings.Builder
	_, err = protodelim.MarshalTo(&b, &nflogpb.MeshEntry{ExpiresAt: timestamppb.New(late.Add(time.Hour)),
		Entry: &nflogpb.Entry{Receiver: r, GroupKey: []byte("g"), Timestamp: timestamppb.New(late), FiringAlerts: []uint64{1}}})
	ok(t, err)
	ok(t, d.setBlob("engine", "nflog", []byte(b.String())))
	l, err := openLedger(d)
	ok(t, err)
	ok(t, l.Log(r, "g", []uint64{1, 2}, nil, nil, time.Hour))
	have, err := l.Query(nflog.QGroupKey("g"), nflog.QReceiver(r))
	ok(t, err)
	if len(have[0].FiringAlerts) != 2 || have[0].Timestamp.AsTime().After(time.Now()) {
		t.Errorf("the log ignored what was told: %v", have[0])
	}
}

func TestAnEndIsMeasuredOnTheMonotonicClock(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	in := alarm("HighCPUUsage", "warning")
	in.Start = time.Now().Add(48 * time.Hour) // of a sender whose clock is ahead
	a, err := m.accept(&in, time.Now())
	ok(t, err)
	if !strings.Contains(a.EndsAt.String(), "m=") {
		t.Errorf("a jump of the wall clock would end it: %s", a.EndsAt)
	}
	if a.StartsAt.After(time.Now()) {
		t.Errorf("it begins in the future: %s", a.StartsAt)
	}
}

func TestTenThousandAtOnce(t *testing.T) {
	o := quick()
	o.MaxActive = 9_990
	m, p := open(t, t.TempDir(), o), ring(t)
	plan(t, m, hook(t, m, "ops", p), func(p *Plan) { p.Wait = Span(500 * time.Millisecond) })
	var list []Incoming
	for i := range 10_000 {
		list = append(list, alarm("HighDiskUsage", "warning", "mountpoint", fmt.Sprint("/", i)))
	}
	list = append(list, Incoming{Labels: map[string]string{"no": "name"}}, Incoming{Labels: map[string]string{"alertname": "x", "bad-label": "x"}})
	if err := m.Receive(t.Context(), list); err == nil || !strings.Contains(err.Error(), "12 of 10002") {
		t.Errorf("%v", err)
	}
	if n := len(m.Active(t.Context())); n != 9_990 {
		t.Errorf("%d fire", n)
	}
	for told := 0; told < 9_990; { // one notice, or some when the machine is slow
		msg := p.hears(notify.Firing)
		told = len(msg.Items) + msg.More
	}
}

func TestTheHistoryIsSearchedAndForgotten(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir, quick())
	for i := range 120 {
		start := time.Now().Add(-time.Duration(120-i) * 4 * time.Hour).Round(0)
		e := &Episode{Fingerprint: fmt.Sprintf("%016x", i%3), Labels: map[string]string{"alertname": fmt.Sprint("A", i%3), "severity": "serious"}, Start: start, End: start.Add(time.Hour)}
		e.add(Event{At: start, Kind: Fired})
		if i == 77 {
			e.add(Event{Kind: Commented, Text: "The Fan was Dusty"})
		}
		ok(t, m.db.put(e))
	}
	var all []Episode
	q := Query{Limit: 50}
	for {
		list, more, err := m.History(q)
		ok(t, err)
		all = append(all, list...)
		if !more {
			break
		}
		q.Before = list[len(list)-1].ID()
	}
	if len(all) != 120 || !all[0].Start.After(all[119].Start) {
		t.Fatalf("%d in pages", len(all))
	}
	if list, _, err := m.History(Query{Text: "dusty"}); err != nil || len(list) != 1 {
		t.Errorf("%d found, %v", len(list), err)
	}
	if list, _, err := m.History(Query{Name: "A1", Limit: 1000}); err != nil || len(list) != 40 {
		t.Errorf("%d by name, %v", len(list), err)
	}
	if list, _, err := m.History(Query{From: time.Now().Add(-40 * time.Hour), To: time.Now().Add(-20 * time.Hour)}); err != nil || len(list) != 5 {
		t.Errorf("%d by time, %v", len(list), err)
	}
	ok(t, m.Close())
	o := quick()
	o.Retention = 10 * 24 * time.Hour
	m = open(t, dir, o)
	eventually(t, "only what is younger than the retention is left", func() bool {
		list, _, err := m.History(Query{Limit: 1000})
		return err == nil && len(list) >= 59 && len(list) <= 61
	})
	e, found, err := m.Episode(all[0].ID())
	if err != nil || !found || e.Fingerprint != all[0].Fingerprint {
		t.Error(e, found, err)
	}
}

func TestAPlanThatCannotWorkIsRefused(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir, quick())
	for field, f := range map[string]func(*Plan){
		"channels":   func(p *Plan) { p.Second = []string{"c9"} },
		"routes":     func(p *Plan) { p.Routes["mild"] = nil },
		"escalation": func(p *Plan) { p.Escalation = []Step{{}} },
		"heartbeat":  func(p *Plan) { p.Heartbeat.Channel = "c9" },
		"grouping":   func(p *Plan) { p.Repeat = Span(1000 * time.Hour) },
		"matcher":    func(p *Plan) { p.Inhibit = []Inhibit{{Source: []string{"((("}, Target: []string{`a="b"`}}} },
		"from":       func(p *Plan) { p.Quiet = []Quiet{{ID: "x", Name: "x", From: "late", To: "later"}} },
	} {
		p := DefaultPlan()
		f(&p)
		var bad *notify.Invalid
		if err := m.SetPlan(p); !errors.As(err, &bad) || bad.Field != field || bad.Text.ZH == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	ok(t, m.Close())
	ok(t, os.WriteFile(dir+"/alerting.json", []byte(`{"version":1,`), 0o600))
	if _, err := Open(dir, quick()); err == nil || !strings.Contains(err.Error(), "alerting.json") {
		t.Errorf("a broken plan: %v", err)
	}
}
