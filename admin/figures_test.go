package admin

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/health/healthtest"
	"posthouse/webui/console"
)

// The tiles and gauges of the overview, from samples whose answers are known.
func TestFiguresOfTheOverview(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	stored := healthtest.New(t)
	since := func(hours time.Duration) time.Time { return now.Add(-hours * time.Hour) }
	flat := func(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }
	rising := func(perSecond float64) func(time.Time) float64 {
		return func(at time.Time) float64 { return at.Sub(since(3)).Seconds() * perSecond }
	}
	stored.Put(since(2), now, 15*time.Second, flat(42), "im_active_users_total")
	stored.Put(since(2), now, 15*time.Second, rising(2), "im_messages_sent_total")
	stored.Put(now.Add(-20*time.Minute), now, 15*time.Second, flat(7), "connections_active")
	for _, le := range []string{"0.1", "0.5", "+Inf"} {
		per := map[string]float64{"0.1": 90, "0.5": 100, "+Inf": 100}[le]
		stored.Put(since(2), now, 15*time.Second, rising(per), "im_delivery_latency_seconds_bucket", "le", le)
	}
	for _, cpu := range []string{"0", "1"} {
		stored.Put(since(2), now, 15*time.Second, rising(0.25), "node_cpu_seconds_total", "cpu", cpu, "mode", "user")
		stored.Put(since(2), now, 15*time.Second, rising(0.75), "node_cpu_seconds_total", "cpu", cpu, "mode", "idle")
	}
	stored.Put(since(2), now, 15*time.Second, flat(8<<30), "node_memory_MemTotal_bytes")
	stored.Put(since(2), now, 15*time.Second, flat(6<<30), "node_memory_MemAvailable_bytes")
	mount := []string{"mountpoint", "/data", "device", "/dev/sda1"}
	stored.Put(since(10*24), now, 2*time.Hour, flat(1000e9), "node_filesystem_size_bytes", mount...)
	for _, name := range []string{"node_filesystem_avail_bytes", "node_filesystem_free_bytes"} {
		stored.Put(since(10*24), now, 2*time.Hour, func(at time.Time) float64 { return 900e9 - at.Sub(since(10*24)).Hours()/24*10e9 }, name, mount...)
	}

	h, err := health.Open(t.TempDir(), health.Options{Source: stored, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	f := NewFigures(stored, h, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	tiles := map[string]Tile{}
	for _, tile := range f.Tiles(t.Context()) {
		tiles[tile.ID] = tile
	}
	for id, want := range map[string]float64{"online": 42, "messages": 120, "connections": 7, "latency": 0.3} {
		if got := tiles[id].Value; math.Abs(got-want) > want/100 {
			t.Errorf("%s is %v, want %v", id, got, want)
		}
	}
	if !math.IsNaN(tiles["queue"].Value) {
		t.Errorf("what was never sampled is %v", tiles["queue"].Value)
	}
	line := tiles["connections"].Points
	if len(line) != 61 || !math.IsNaN(line[0]) || line[60] != 7 {
		t.Errorf("the last hour of the connections: %v", line)
	}
	gauges := map[string]Gauge{}
	for _, g := range f.Gauges(t.Context()) {
		gauges[g.ID] = g
	}
	if g := gauges["cpu"]; math.Abs(g.Used-0.5) > 0.01 || g.Limit != 2 {
		t.Errorf("processors: %v of %v", g.Used, g.Limit)
	}
	if g := gauges["memory"]; g.Used != 2<<30 || g.Limit != 8<<30 {
		t.Errorf("memory: %v of %v", g.Used, g.Limit)
	}
	// 1000 GB with 200 used grows by 10 a day: 80 days.
	if g := gauges["disk-/data"]; math.Abs(g.Used-200e9) > 1e9 || g.Note.EN != "full in 80 days" && g.Note.EN != "full in 79 days" {
		t.Errorf("the disk: %v, %q", g.Used, g.Note.EN)
	}
	if v, unit := write(console.View{Lang: "zh"}, 0.3, Seconds); v != "300 ms" || unit != "" {
		t.Errorf("0.3 s is written %q %q", v, unit)
	}
}
