package health_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/health/healthtest"
	"posthouse/sysmon/words"
)

func now() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func open(t *testing.T, o health.Options) *health.Health {
	t.Helper()
	o.Now = now
	h, err := health.Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// rising counts up by so much a second.
func rising(perSecond float64) func(time.Time) float64 {
	return func(at time.Time) float64 { return perSecond * float64(at.Unix()-now().Add(-48*time.Hour).Unix()) }
}

func still(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

// machine fills the figures of a machine with one processor.
func machine(f *healthtest.Figures, busy, memory, rttMS, loss float64) {
	from := now().Add(-time.Hour)
	put := func(v func(time.Time) float64, name string, pairs ...string) {
		f.Put(from, now(), 15*time.Second, v, name, pairs...)
	}
	put(rising(1-busy), "node_cpu_seconds_total", "cpu", "0", "mode", "idle")
	put(rising(busy), "node_cpu_seconds_total", "cpu", "0", "mode", "user")
	put(still(100<<20), "node_memory_MemTotal_bytes")
	put(still((1-memory)*(100<<20)), "node_memory_MemAvailable_bytes")
	put(rising(rttMS/1000), "im_session_rtt_seconds_sum")
	put(rising(1), "im_session_rtt_seconds_count")
	put(rising(10), "im_deliveries_total")
	put(rising(10*(1-loss)), "im_delivery_acks_total")
}

func TestScoreIsWhatTheTermsTake(t *testing.T) {
	f := healthtest.New(t)
	machine(f, 0.5, 0.4, 25, 0.05)
	h := open(t, health.Options{Source: f})
	r, err := h.Now(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	// 100 − (15 + 8 + 15 + 10)
	if math.Abs(r.Score-52) > 0.3 || r.Status != health.Bad || len(r.Terms) != 4 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(r.Sentence.EN, "takes most") || r.Sentence.ZH == "" {
		t.Errorf("%+v", r.Sentence)
	}
	var out bytes.Buffer
	h.Write(&out)
	for _, want := range []string{"posthouse_health_score 5", `posthouse_health_term{term="rtt"} 1`, "# HELP posthouse_health_term "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestLossTakesNoMoreThanItsWeight(t *testing.T) {
	f := healthtest.New(t)
	machine(f, 0, 0, 1, 0.9)
	r, err := open(t, health.Options{Source: f}).Now(context.Background())
	if err != nil || r.Score < 79 || r.Score > 80 {
		t.Errorf("%v, %v", r.Score, err)
	}
}

func TestUselessChatIsNotHealthy(t *testing.T) {
	f := healthtest.New(t)
	machine(f, 0, 0, 1, 0)
	f.Put(now().Add(-time.Hour), now(), 15*time.Second, still(1), "im_storage_read_only")
	r, err := open(t, health.Options{Source: f}).Now(context.Background())
	if err != nil || r.Score != 30 || !strings.Contains(r.Bound.EN, "read-only") || !strings.Contains(r.Sentence.ZH, "只读") {
		t.Errorf("%+v, %v", r, err)
	}
}

// A certificate of a day is well while its renewal is ahead, and is not when
// nobody renewed it.
func TestAShortCertificateThatIsRenewedIsValid(t *testing.T) {
	for renewal, want := range map[time.Duration]health.Status{8 * time.Hour: health.Good, -5 * time.Hour: health.Good, -7 * time.Hour: health.Warn, 0: health.Warn} {
		f := healthtest.New(t)
		f.Put(now().Add(-time.Hour), now(), 15*time.Second, still(float64(now().Add(24*time.Hour).Unix())), "im_certificate_expiry_timestamp_seconds")
		if renewal != 0 {
			f.Put(now().Add(-time.Hour), now(), 15*time.Second, still(float64(now().Add(renewal).Unix())), "im_certificate_renewal_timestamp_seconds")
		}
		r, err := open(t, health.Options{Source: f}).Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Checks {
			if c.ID == "certificate" && c.Status != want {
				t.Errorf("renewed in %s: %s %s, want %s", renewal, c.Status, c.Text.EN, want)
			}
		}
	}
}

func TestNoFiguresAreNoHealth(t *testing.T) {
	h := open(t, health.Options{Source: healthtest.New(t)})
	r, err := h.Now(context.Background())
	if err != nil || r.Status != health.Unknown {
		t.Errorf("%+v, %v", r, err)
	}
	var out bytes.Buffer
	if h.Write(&out); out.Len() != 0 {
		t.Errorf("told %q", out.String())
	}
}

func TestWeightsAreKeptAndRefused(t *testing.T) {
	dir := t.TempDir()
	o := health.Options{Source: healthtest.New(t), Now: now}
	h, err := health.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []health.Weights{{}, {CPU: 60, Memory: 50, RTTFull: 50, LossAll: 10, Warn: 60}, {CPU: math.NaN(), RTTFull: 50, LossAll: 10, Warn: 60}} {
		if err := h.SetWeights(bad); err == nil {
			t.Errorf("%+v were taken", bad)
		}
	}
	w := health.DefaultWeights()
	w.CPU, w.Warn = 40-0, 50
	w.Memory = 10
	if err := h.SetWeights(w); err != nil {
		t.Fatal(err)
	}
	if h, err = health.Open(dir, o); err != nil || h.Weights() != w {
		t.Errorf("%+v, %v", h.Weights(), err)
	}
}

func TestTheLastChangeComesFirst(t *testing.T) {
	f := healthtest.New(t)
	machine(f, 0, 0, 1, 0)
	f.Put(now().Add(-time.Hour), now(), 15*time.Second, still(float64(now().Add(-50*time.Minute).Unix())), "process_start_time_seconds")
	f.Put(now().Add(-time.Hour), now(), 15*time.Second, func(at time.Time) float64 {
		return 5 * max(0, at.Sub(now().Add(-20*time.Minute)).Seconds())
	}, "im_action_total", "action", "login", "result", "ok")
	ago := func(d time.Duration, kind string) health.Event {
		return health.Event{At: now().Add(-d), Kind: kind, What: words.Of(kind, kind)}
	}
	h := open(t, health.Options{Source: f, Events: func(_ context.Context, from, to time.Time) []health.Event {
		return []health.Event{ago(5*time.Minute, health.NewBot), ago(10*time.Minute, health.ConfigChanged), ago(49*time.Minute, health.Restarted), ago(2*time.Minute, health.BackupRan)}
	}})
	list, err := h.Changes(context.Background(), "HighErrorRate", now())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range list {
		order = append(order, c.Kind)
	}
	if got := strings.Join(order, " "); len(list) != 5 || order[0] != health.ConfigChanged || strings.Count(got, health.Restarted) != 1 || strings.Count(got, health.LoginStorm) != 1 {
		t.Errorf("%s", got)
	}
	list, err = h.Changes(context.Background(), "HighCPUUsage", now())
	if err != nil || list[0].Kind != health.LoginStorm || list[0].Why.EN == "" {
		t.Errorf("%+v, %v", list, err)
	}
}

func points(days int, value func(day float64) float64) []health.Point {
	var out []health.Point
	for i := 0; i <= days*12; i++ {
		d := float64(i) / 12
		out = append(out, health.Point{At: now().Add(time.Duration((d - float64(days)) * 24 * float64(time.Hour))), Value: value(d)})
	}
	return out
}

func TestForecastSeesThroughCleanups(t *testing.T) {
	const size = 1000.0
	for name, c := range map[string]struct {
		points []health.Point
		want   float64
	}{
		"even growth":          {points(7, func(d float64) float64 { return 300 + 10*d }), 63},
		"one clean-up":         {points(7, func(d float64) float64 { return 300 + 10*d - 200*math.Floor(d/4) }), 83},
		"cleaned every day":    {points(7, func(d float64) float64 { return 300 + 100*(d-math.Floor(d)) }), math.Inf(1)},
		"shrinking":            {points(7, func(d float64) float64 { return 300 - d }), math.Inf(1)},
		"one moment of a copy": {points(7, func(d float64) float64 { return map[bool]float64{true: 900, false: 300 + 10*d}[d > 3 && d < 3.2] }), 63},
	} {
		g := health.Grow(c.points, size)
		if !g.Known || !(math.Abs(g.Days-c.want) < 3 || g.Days == c.want || math.IsInf(c.want, 1) && g.Days > 1000) {
			t.Errorf("%s: %+v, want %.0f days", name, g, c.want)
		}
	}
	if g := health.Grow(points(7, func(float64) float64 { return 1 })[:5], size); g.Known {
		t.Errorf("ten hours are no trend: %+v", g)
	}
}

func TestForecastAndAdviceOfADiskThatFillsUp(t *testing.T) {
	f := healthtest.New(t)
	const gib = 1 << 30
	at := func(v time.Time) float64 { return v.Sub(now().Add(-10*24*time.Hour)).Hours() / 24 }
	f.Put(now().Add(-10*24*time.Hour), now(), 5*time.Minute, still(105*gib), "node_filesystem_size_bytes", "mountpoint", "/data", "device", "sda1")
	for name, kept := range map[string]float64{"node_filesystem_avail_bytes": 0, "node_filesystem_free_bytes": 5} {
		f.Put(now().Add(-10*24*time.Hour), now(), 5*time.Minute, func(v time.Time) float64 { return (60 + kept - 2*at(v)) * gib }, name, "mountpoint", "/data", "device", "sda1")
	}
	machine(f, 0.95, 0.9, 1, 0)
	h := open(t, health.Options{Source: f, Cores: 2})
	list, err := h.Forecasts(context.Background(), now())
	if err != nil || len(list) != 1 || list[0].Size != 100*gib || math.Abs(list[0].Days-20) > 1 || list[0].Full.Format("2006-01-02") != "2026-12-10" && list[0].Full.Format("2006-01-02") != "2026-12-09" {
		t.Fatalf("%+v, %v", list, err)
	}
	advice, err := h.Advise(context.Background(), now())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, a := range advice {
		ids = append(ids, a.ID)
		if len(a.Data) == 0 || a.Text.ZH == "" {
			t.Errorf("%+v rests on nothing", a)
		}
		for _, d := range a.Data {
			if strings.Contains(d.Value, "NaN") {
				t.Errorf("%s: %s", d.Name.EN, d.Value)
			}
		}
	}
	if got := strings.Join(ids, " "); got != "cpu memory disk" {
		t.Errorf("advised %s", got)
	}
}
