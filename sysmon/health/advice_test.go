package health_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/health/healthtest"
)

// What to add and how much of it, from loads whose answers are known.
func TestAdviceNamesWhatToAdd(t *testing.T) {
	type load struct {
		cpu, memory   float64 // share in use
		latency       float64 // seconds, on average
		writer, files float64 // share in use
	}
	easy := load{cpu: 0.3, memory: 0.4, latency: 0.02, writer: 0.1, files: 0.1}
	for name, c := range map[string]struct {
		change func(*load)
		want   map[string]string // id: part of the text; "" for any
		data   string            // a value it rests on
	}{
		"large enough":                   {func(*load) {}, map[string]string{"enough": "large enough"}, "30 %"},
		"busy processors":                {func(l *load) { l.cpu = 0.95 }, map[string]string{"cpu": "Add 2 processors"}, "95 %"},
		"exactly at the target":          {func(l *load) { l.cpu = 0.69 }, map[string]string{"enough": ""}, "69 %"},
		"little memory":                  {func(l *load) { l.memory = 0.9 }, map[string]string{"memory": "Add 3 GiB"}, "8.0 GiB"},
		"a slow disk":                    {func(l *load) { l.writer = 0.9 }, map[string]string{"storage": "faster disk"}, "90 %"},
		"late because of the disk":       {func(l *load) { l.latency, l.writer = 0.4, 0.6 }, map[string]string{"storage": "faster disk"}, "400 ms"},
		"late with little to do":         {func(l *load) { l.latency = 0.4 }, map[string]string{"enough": ""}, "400 ms"},
		"late because of the processors": {func(l *load) { l.latency, l.cpu, l.writer = 0.4, 0.9, 0.6 }, map[string]string{"cpu": "Add 2 processors"}, "400 ms"},
		"many connections":               {func(l *load) { l.files = 0.9 }, map[string]string{"connections": "LimitNOFILE"}, "7000"},
		"everything at once":             {func(l *load) { *l = load{0.99, 0.99, 2, 0.99, 0.99} }, map[string]string{"cpu": "", "memory": "", "storage": "", "connections": ""}, "99 %"},
	} {
		t.Run(name, func(t *testing.T) {
			l := easy
			c.change(&l)
			f := healthtest.New(t)
			from := now().Add(-24 * time.Hour)
			put := func(v func(time.Time) float64, name string, pairs ...string) {
				f.Put(from, now(), time.Minute, v, name, pairs...)
			}
			for _, cpu := range []string{"0", "1", "2", "3"} {
				put(rising(1-l.cpu), "node_cpu_seconds_total", "cpu", cpu, "mode", "idle")
				put(rising(l.cpu), "node_cpu_seconds_total", "cpu", cpu, "mode", "user")
			}
			put(still(8<<30), "node_memory_MemTotal_bytes")
			put(still((1-l.memory)*(8<<30)), "node_memory_MemAvailable_bytes")
			put(rising(5*l.latency), "im_delivery_latency_seconds_sum")
			put(rising(5), "im_delivery_latency_seconds_count")
			put(still(l.writer), "im_storage_writer_saturation_ratio")
			put(still(7000), "connections_active")
			put(still(10_000*l.files), "process_open_fds")
			put(still(10_000), "process_max_fds")
			advice, err := open(t, health.Options{Source: f}).Advise(t.Context(), now())
			if err != nil {
				t.Fatal(err)
			}
			rests := false
			for _, a := range advice {
				if part, ok := c.want[a.ID]; !ok || !strings.Contains(a.Text.EN, part) || a.Text.ZH == "" {
					t.Errorf("advised %s: %s", a.ID, a.Text.EN)
				}
				for _, d := range a.Data {
					rests = rests || strings.Contains(d.Value, c.data)
				}
			}
			if len(advice) != len(c.want) || !rests {
				t.Errorf("advised %+v, want %v and %s among the data", advice, c.want, c.data)
			}
		})
	}
}

// Disks in the order in which they are full, with the day: by 7 days where the
// growth has become faster, by 30 where it was.
func TestDaysUntilFull(t *testing.T) {
	f := healthtest.New(t)
	const gib = 1 << 30
	from := now().Add(-30 * 24 * time.Hour)
	disk := func(mount string, size, used float64, perDay func(day float64) float64) {
		f.Put(from, now(), 30*time.Minute, still(size*gib), "node_filesystem_size_bytes", "mountpoint", mount, "device", mount)
		for _, name := range []string{"node_filesystem_free_bytes", "node_filesystem_avail_bytes"} {
			f.Put(from, now(), 30*time.Minute, func(at time.Time) float64 { return (size - used - perDay(at.Sub(from).Hours()/24)) * gib }, name, "mountpoint", mount, "device", mount)
		}
	}
	disk("/steady", 1000, 100, func(day float64) float64 { return 10 * day })                         // 600 are left: 60 days
	disk("/faster", 1000, 100, func(day float64) float64 { return day + 50*math.Max(0, day-23) })     // 520 are left at 51 a day
	disk("/still", 1000, 900, func(float64) float64 { return 0 })                                     // nearly full, and stays so
	disk("/slower", 1000, 100, func(day float64) float64 { return math.Min(20*day, 460+2*(day-23)) }) // the month says so, the week does not
	list, err := open(t, health.Options{Source: f}).Forecasts(t.Context(), now())
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, d := range list {
		order = append(order, d.Mount)
	}
	if got := strings.Join(order, " "); got != "/faster /slower /steady /still" {
		t.Fatalf("%s are full one after another", got)
	}
	for i, want := range []float64{10, 0, 60} {
		if got := list[i].Days; want > 0 && math.Abs(got-want) > want/10 {
			t.Errorf("%s is full in %.1f days, want %.0f", list[i].Mount, got, want)
		}
		if day := now().Add(time.Duration(list[i].Days * 24 * float64(time.Hour))); list[i].Full.Sub(day).Abs() > time.Minute {
			t.Errorf("%s is full on %s, want %s", list[i].Mount, list[i].Full, day)
		}
	}
	if !math.IsInf(list[3].Days, 1) || !list[3].Full.IsZero() || list[3].Week.PerDay != 0 {
		t.Errorf("a disk that does not fill up: %+v", list[3])
	}
	if w, m := list[0].Week.PerDay/gib, list[2].Month.PerDay/gib; math.Abs(w-51) > 1 || math.Abs(m-10) > 0.1 {
		t.Errorf("%.1f GiB a day of a week, %.1f of a month", w, m)
	}
}
