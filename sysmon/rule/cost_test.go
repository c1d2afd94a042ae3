package rule

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// crowd are the series of a busy box: those that the rules look at, as many of
// each as there are, and others up to 2,000.
func crowd() []labels.Labels {
	var out []labels.Labels
	add := func(name string, pairs ...string) {
		out = append(out, labels.FromStrings(append([]string{"__name__", name, "instance", "box"}, pairs...)...))
	}
	for core := range 8 {
		for _, mode := range []string{"idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"} {
			add("node_cpu_seconds_total", "job", "host", "cpu", fmt.Sprint(core), "mode", mode)
		}
	}
	for _, name := range []string{"node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "node_vmstat_pswpin", "node_load5", "posthouse_clock_step_seconds", "node_timex_offset_seconds",
		"process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds", "process_max_fds", "go_goroutines", "posthouse_unclean_shutdown"} {
		add(name, "job", "host")
	}
	for _, name := range []string{"connections_active", "im_active_users_total", "im_messages_sent_total", "im_registrations_total", "im_deliveries_total", "im_delivery_acks_total", "im_storage_read_only",
		"im_storage_writer_saturation_ratio", "im_certificate_expiry_timestamp_seconds", "im_certificate_renewal_timestamp_seconds"} {
		add(name, "job", "posthouse")
	}
	for _, job := range []string{"host", "watch", "posthouse"} {
		add("up", "job", job)
	}
	for i := range 6 {
		for _, name := range []string{"avail_bytes", "size_bytes", "files", "files_free"} {
			add("node_filesystem_"+name, "job", "host", "device", fmt.Sprint("/dev/sd", i), "fstype", "ext4", "mountpoint", fmt.Sprint("/mnt", i))
		}
		for _, name := range []string{"receive_bytes", "transmit_bytes", "receive_errs", "transmit_errs", "receive_drop", "transmit_drop", "receive_packets", "transmit_packets"} {
			add("node_network_"+name+"_total", "job", "host", "device", fmt.Sprint("eth", i))
		}
		add("probe_success", "job", "watch", "probe", fmt.Sprint("probe", i), "kind", "http")
		add("probe_ssl_earliest_cert_expiry", "job", "watch", "probe", fmt.Sprint("probe", i))
		add("posthouse_subnet_sick", "job", "watch", "agent", fmt.Sprint("hall", i), "subnet", fmt.Sprint("hall", i))
		add("node_hwmon_temp_celsius", "job", "host", "chip", "coretemp", "sensor", fmt.Sprint("temp", i))
		add("im_slow_operations_total", "job", "posthouse", "kind", fmt.Sprint(i))
		add("posthouse_notifications_total", "job", "watch", "channel", fmt.Sprint("channel", i), "result", "error")
	}
	for i := range 20 {
		add("im_errors_total", "job", "posthouse", "kind", fmt.Sprint(i))
		add("im_action_total", "job", "posthouse", "action", []string{"login", "send", "push", "pull"}[i%4], "result", fmt.Sprint(i))
		add("im_delivery_latency_seconds_bucket", "job", "posthouse", "le", fmt.Sprint(float64(i)/2))
		for _, status := range []string{"200", "400", "500", "503"} {
			add("http_requests_total", "job", "posthouse", "method", "POST", "endpoint", fmt.Sprint("/api/", i), "status", status)
		}
		for b := range 18 {
			add("http_request_duration_seconds_bucket", "job", "posthouse", "endpoint", fmt.Sprint("/api/", i), "le", fmt.Sprint(float64(b)/20))
		}
		add("http_request_duration_seconds_count", "job", "posthouse", "endpoint", fmt.Sprint("/api/", i))
	}
	for i := len(out); i < 2000; i++ {
		add(fmt.Sprint("other_", i%200), "job", "posthouse", "number", fmt.Sprint(i))
	}
	return out
}

// crowded puts six hours of samples every 15 seconds of every series into the
// bench, and before it four weeks of those that rules compare with, every 5 minutes as
// they are rolled up.
func (b *bench) crowded(now time.Time) {
	b.t.Helper()
	list := crowd()
	put := func(refs []storage.SeriesRef, at time.Time, only int) {
		app := b.store.Appender(b.t.Context())
		for i := range min(only, len(list)) {
			var err error
			if refs[i], err = app.Append(refs[i], list[i], at.UnixMilli(), float64(at.Unix()%86400)*float64(i%7+1)); err != nil {
				b.t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			b.t.Fatal(err)
		}
	}
	refs := make([]storage.SeriesRef, len(list))
	for at := now.Add(-29 * day); at.Before(now.Add(-6 * h)); at = at.Add(5 * m) {
		put(refs, at, 90)
	}
	for at := now.Add(-6 * h); !at.After(now); at = at.Add(15 * time.Second) {
		put(refs, at, len(list))
	}
}

// BenchmarkRound is the cost of all shipped rules of 15 seconds at 2,000 series:
// the groups that run once a minute count for a quarter.
func BenchmarkRound(bb *testing.B) {
	b := newBench(bb)
	start := time.Unix(0, 0).UTC().Add(40 * day)
	b.crowded(start)
	m := open(bb, b.options())
	groups := b.groups(m)
	spent := map[string]time.Duration{}
	for i := 0; bb.Loop(); i++ {
		at := start.Add(time.Duration(i) * time.Second)
		for _, g := range groups {
			began := time.Now()
			m.iterate(bb.Context(), g, at)
			share := time.Since(began)
			spent[g.Name()] += share * 15 / (g.Interval() / time.Second)
		}
	}
	var round time.Duration
	for name, took := range spent {
		round += took
		bb.ReportMetric(float64(took.Microseconds())/1000/float64(bb.N), "ms/"+name)
	}
	bb.ReportMetric(float64(round.Microseconds())/1000/float64(bb.N), "ms/round")
}
