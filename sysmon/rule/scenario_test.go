package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// phase is a stretch of time in which a gauge has a value, or a counter grows
// by so much a second.
type phase struct {
	long time.Duration
	v    float64
}

// input is a series of a scenario, its values in the notation of Prometheus's
// tests.
type input struct {
	series string
	phases []phase
	counts bool
	steps  []string // instead of phases
}

func level(series string, p ...phase) input { return input{series: series, phases: p} }
func count(series string, p ...phase) input { return input{series: series, phases: p, counts: true} }

func (in input) values(step time.Duration) string {
	if in.steps != nil {
		return strings.Join(in.steps, " ")
	}
	var out []string
	at := 0.0
	for _, p := range in.phases {
		n := int(p.long / step)
		if in.counts {
			grow := p.v * step.Seconds()
			out = append(out, fmt.Sprintf("%g+%gx%d", at, grow, n-1))
			at += grow * float64(n)
			continue
		}
		out = append(out, fmt.Sprintf("%g+0x%d", p.v, n-1))
	}
	return strings.Join(out, " ")
}

// scenario is one alert with what makes it fire and what does not.
type scenario struct {
	alert    string
	severity string
	step     time.Duration // 0: 15 s
	from     time.Duration // when evaluation begins; 0: with the data. Promtool cannot begin late:
	coarse   time.Duration // it evaluates the cause from the beginning, so seldom
	learnt   time.Duration // before that it may fire in below and short: it has not seen a week yet
	cause    []input
	quiet    time.Duration // not firing yet
	fires    time.Duration // firing
	ends     time.Duration // firing no more
	below    []input       // never fires: just not enough
	short    []input       // never fires: just not long enough, or not in this way
}

const m = time.Minute
const h = time.Hour
const day = 24 * h
const week = 7 * day

// steady is so long a calm before anything happens that every window is full.
func scenarios() []scenario {
	var out []scenario
	for _, part := range [][]scenario{hostScenarios(), processScenarios(), apiScenarios(), storageScenarios(), chatScenarios(), businessScenarios(), probeScenarios(), watchScenarios()} {
		out = append(out, part...)
	}
	return out
}

func hostScenarios() []scenario {
	idle := `node_cpu_seconds_total{instance="box",cpu="0",mode="idle"}`
	avail := `node_filesystem_avail_bytes{instance="box",mountpoint="/data",fstype="ext4"}`
	size := level(`node_filesystem_size_bytes{instance="box",mountpoint="/data",fstype="ext4"}`, phase{2 * h, 1000})
	// A tenth of the disk is kept back for the system, as df leaves it out.
	room := func(phases ...phase) []input {
		kept := slices.Clone(phases)
		for i := range kept {
			kept[i].v += 100
		}
		return []input{size, level(avail, phases...), level(`node_filesystem_free_bytes{instance="box",mountpoint="/data",fstype="ext4"}`, kept...)}
	}
	space := level(`node_filesystem_size_bytes{instance="box",mountpoint="/data",fstype="ext4"}`, phase{20 * h, 100e9})
	memory := level(`node_memory_MemTotal_bytes{instance="box"}`, phase{2 * h, 1000})
	free := `node_memory_MemAvailable_bytes{instance="box"}`
	inodes := level(`node_filesystem_files{instance="box",mountpoint="/data",fstype="ext4"}`, phase{2 * h, 1000})
	filesFree := `node_filesystem_files_free{instance="box",mountpoint="/data",fstype="ext4"}`
	cores := level(`node_cpu_seconds_total{instance="box",cpu="0",mode="idle"}`, phase{2 * h, 1})
	cores2 := level(`node_cpu_seconds_total{instance="box",cpu="1",mode="idle"}`, phase{2 * h, 1})
	load := `node_load5{instance="box"}`
	rx, tx := `node_network_receive_bytes_total{instance="box",device="eth0"}`, `node_network_transmit_bytes_total{instance="box",device="eth0"}`
	speed := level(`node_network_speed_bytes{instance="box",device="eth0"}`, phase{2 * h, 12500000}) // 100 Mbit/s
	still := count(tx, phase{2 * h, 100})
	packets := []input{count(`node_network_receive_packets_total{instance="box",device="eth0"}`, phase{2 * h, 500}), count(`node_network_transmit_packets_total{instance="box",device="eth0"}`, phase{2 * h, 500}),
		count(`node_network_transmit_errs_total{instance="box",device="eth0"}`, phase{2 * h, 0}), count(`node_network_receive_drop_total{instance="box",device="eth0"}`, phase{2 * h, 0}), count(`node_network_transmit_drop_total{instance="box",device="eth0"}`, phase{2 * h, 0})}
	errs := `node_network_receive_errs_total{instance="box",device="eth0"}`
	step, offset := `posthouse_clock_step_seconds{instance="box"}`, level(`node_timex_offset_seconds{instance="box"}`, phase{h, 0.1})
	return []scenario{
		{alert: "HighCPUUsage", cause: []input{count(idle, phase{10 * m, 0.9}, phase{6 * m, 0}, phase{10 * m, 0.9})}, quiet: 15 * m, fires: 15*m + 45*time.Second, ends: 17 * m,
			below: []input{count(idle, phase{10 * m, 0.9}, phase{20 * m, 0.21})}, short: []input{count(idle, phase{10 * m, 0.9}, phase{4 * m, 0}, phase{10 * m, 0.9})}},
		{alert: "CriticalCPUUsage", cause: []input{count(idle, phase{10 * m, 0.9}, phase{4 * m, 0.05}, phase{10 * m, 0.9})}, quiet: 12 * m, fires: 12*m + 45*time.Second, ends: 15 * m,
			below: []input{count(idle, phase{10 * m, 0.9}, phase{20 * m, 0.11})}, short: []input{count(idle, phase{10 * m, 0.9}, phase{1*m + 30*time.Second, 0}, phase{10 * m, 0.9})}},
		{alert: "HighMemoryUsage", cause: []input{memory, level(free, phase{10 * m, 500}, phase{7 * m, 149}, phase{10 * m, 500})}, quiet: 14*m + 45*time.Second, fires: 15 * m, ends: 17 * m,
			below: []input{memory, level(free, phase{30 * m, 151})}, short: []input{memory, level(free, phase{10 * m, 500}, phase{4*m + 45*time.Second, 10}, phase{10 * m, 500})}},
		{alert: "HighDiskUsage", cause: room(phase{5 * m, 500}, phase{15 * m, 179}, phase{15 * m, 500}), quiet: 14*m + 45*time.Second, fires: 15 * m, ends: 20 * m,
			below: room(phase{30 * m, 181}), short: room(phase{5 * m, 500}, phase{9 * m, 10}, phase{15 * m, 500})},
		// 1.8 GB an hour onto 100 GB of which 40 are free; 0.9 GB an hour, and onto one of which 90 are free, are no danger.
		{alert: "DiskFillsUp", step: 5 * m, cause: []input{space, {series: avail, steps: []string{"40e9+0x71", "40e9-1.5e8x71", "29.2e9+0x60"}}}, quiet: 7 * h, fires: 11*h + 30*m, ends: 13*h + 30*m,
			below: []input{space, {series: avail, steps: []string{"40e9-7.5e7x144"}}}, short: []input{space, {series: avail, steps: []string{"90e9-2.5e8x140"}}}},
		// Some megabytes after the start, and a file of 10 GB that is copied at once.
		{alert: "DiskFillsUp", step: 5 * m, cause: []input{space, {series: avail, steps: []string{"20e9-1e8x120", "8e9+0x60"}}}, quiet: h + 30*m, fires: 4 * h, ends: 11*h + 30*m,
			below: []input{space, {series: avail, steps: []string{"2e9-5e6x2", "1.99e9+0x12", "1.99e9-5e5x180"}}}, short: []input{space, {series: avail, steps: []string{"30e9+0x72", "30e9-5e9x2", "20e9+0x120"}}}},
		{alert: "InodesLow", cause: []input{inodes, level(filesFree, phase{5 * m, 500}, phase{15 * m, 99}, phase{15 * m, 500})}, quiet: 14*m + 45*time.Second, fires: 15 * m, ends: 20 * m,
			below: []input{inodes, level(filesFree, phase{30 * m, 101})}, short: []input{inodes, level(filesFree, phase{5 * m, 500}, phase{9 * m, 1}, phase{15 * m, 500})}},
		{alert: "SwapActivity", cause: []input{count(`node_vmstat_pswpin{instance="box"}`, phase{10 * m, 0}, phase{12 * m, 500}, phase{20 * m, 0})}, quiet: 15 * m, fires: 17 * m, ends: 28 * m,
			below: []input{count(`node_vmstat_pswpin{instance="box"}`, phase{30 * m, 99})}, short: []input{count(`node_vmstat_pswpin{instance="box"}`, phase{10 * m, 0}, phase{30 * time.Second, 500}, phase{20 * m, 0})}},
		{alert: "HighLoad", cause: []input{cores, cores2, level(load, phase{5 * m, 1}, phase{15 * m, 4.2}, phase{15 * m, 1})}, quiet: 14*m + 45*time.Second, fires: 15 * m, ends: 20 * m,
			below: []input{cores, cores2, level(load, phase{30 * m, 3.9})}, short: []input{cores, cores2, level(load, phase{5 * m, 1}, phase{9 * m, 30}, phase{15 * m, 1})}},
		{alert: "HighTemperature", cause: []input{level(`node_hwmon_temp_celsius{instance="box",chip="k10",sensor="temp1"}`, phase{5 * m, 50}, phase{7 * m, 86}, phase{10 * m, 50})}, quiet: 9*m + 45*time.Second, fires: 10 * m, ends: 12 * m,
			below: []input{level(`node_hwmon_temp_celsius{instance="box",chip="k10",sensor="temp1"}`, phase{30 * m, 85})},
			short: []input{level(`node_hwmon_temp_celsius{instance="box",chip="k10",sensor="temp1"}`, phase{5 * m, 50}, phase{4 * m, 99}, phase{10 * m, 50})}},
		// 100 Mbit/s are 12,500,000 bytes/s; 10,100,000 of them are 81 %, 9,900,000 are 79 %.
		{alert: "HighBandwidthUsage", cause: []input{speed, still, count(rx, phase{10 * m, 1000}, phase{10 * m, 10100000}, phase{10 * m, 1000})}, quiet: 15 * m, fires: 16*m + 15*time.Second, ends: 22 * m,
			below: []input{speed, still, count(rx, phase{10 * m, 1000}, phase{20 * m, 9900000})},
			// A card that does not tell its speed has 1 Gbit/s: 65,000,000 bytes/s are about half of it.
			short: []input{still, count(rx, phase{10 * m, 1000}, phase{20 * m, 65000000})}},
		{alert: "NetworkErrors", cause: append([]input{count(errs, phase{10 * m, 0}, phase{20 * m, 15}, phase{20 * m, 0})}, packets...), quiet: 20 * m, fires: 24 * m, ends: 36 * m,
			below: append([]input{count(errs, phase{10 * m, 0}, phase{30 * m, 9})}, packets...), short: append([]input{count(errs, phase{10 * m, 0}, phase{4 * m, 20}, phase{20 * m, 0})}, packets...)},
		{alert: "ClockSkew", cause: []input{offset, level(step, phase{5 * m, 0}, phase{15 * time.Second, -7}, phase{20 * m, 0})}, quiet: 4*m + 45*time.Second, fires: 5 * m, ends: 11 * m,
			below: []input{offset, level(step, phase{5 * m, 0}, phase{m, 4.9}, phase{20 * m, 0})}, short: []input{level(`node_timex_offset_seconds{instance="box"}`, phase{30 * m, -0.49})}},
	}
}

func processScenarios() []scenario {
	fds := level(`process_max_fds{instance="box"}`, phase{h, 1000})
	open := `process_open_fds{instance="box"}`
	connections := level(`connections_active{instance="box"}`, phase{h, 1000})
	routines := `go_goroutines{instance="box"}`
	rss, memory := `process_resident_memory_bytes{instance="box"}`, level(`node_memory_MemTotal_bytes{instance="box"}`, phase{20 * h, 8000})
	began := level(`process_start_time_seconds{instance="box"}`, phase{20 * h, 0})
	up := `up{instance="box",job="host"}`
	return []scenario{
		{alert: "ServiceDown", cause: []input{level(up, phase{5 * m, 1}, phase{3 * m, 0}, phase{5 * m, 1})}, quiet: 5*m + 45*time.Second, fires: 6 * m, ends: 8 * m,
			below: []input{level(up, phase{20 * m, 1})}, short: []input{level(up, phase{5 * m, 1}, phase{45 * time.Second, 0}, phase{5 * m, 1})}},
		{alert: "InstanceDown", step: m, cause: []input{{series: up, steps: []string{"1+0x60", "stale", "_x19", "1+0x30"}}}, quiet: h + m, fires: h + 2*m, ends: h + 22*m,
			below: []input{{series: up, steps: []string{"1+0x60 0+0x60"}}}, short: []input{{series: up, steps: []string{"_x40", "1+0x60"}}}},
		{alert: "FileDescriptorsLow", cause: []input{fds, level(open, phase{5 * m, 100}, phase{7 * m, 810}, phase{10 * m, 100})}, quiet: 9*m + 45*time.Second, fires: 10 * m, ends: 12 * m,
			below: []input{fds, level(open, phase{20 * m, 800})}, short: []input{fds, level(open, phase{5 * m, 100}, phase{4 * m, 990}, phase{10 * m, 100})}},
		{alert: "GoroutinesHigh", cause: []input{connections, level(routines, phase{5 * m, 3000}, phase{20 * m, 11001}, phase{10 * m, 3000})}, quiet: 19*m + 45*time.Second, fires: 20 * m, ends: 25 * m,
			below: []input{connections, level(routines, phase{30 * m, 11000})}, short: []input{connections, level(routines, phase{5 * m, 3000}, phase{14 * m, 50000}, phase{10 * m, 3000})}},
		{alert: "UncleanShutdown", cause: []input{level(`posthouse_unclean_shutdown{instance="box"}`, phase{5 * m, 0}, phase{5 * m, 1}, phase{5 * m, 0})}, quiet: 4*m + 45*time.Second, fires: 5 * m, ends: 10 * m,
			below: []input{level(`posthouse_unclean_shutdown{instance="box"}`, phase{20 * m, 0})}},
		{alert: "MemoryLeakSuspected", step: m, cause: []input{memory, began, {series: rss, steps: []string{"1000+0x360", "1000+1.5x480", "1720+0x300"}}}, quiet: 7 * h, fires: 13 * h, ends: 19 * h,
			below: []input{memory, began, {series: rss, steps: []string{"1000+0.5x900"}}}, short: []input{memory, began, {series: rss, steps: []string{"1000+0x360", "1000+6x50", "1300+0x400"}}}},
	}
}

func apiScenarios() []scenario {
	ok, bad := `http_requests_total{instance="box",endpoint="/api",method="GET",status="200"}`, `http_requests_total{instance="box",endpoint="/api",method="GET",status="500"}`
	other := count(`http_requests_total{instance="box",endpoint="/health",method="GET",status="200"}`, phase{h, 50})
	fast, slow := `http_request_duration_seconds_bucket{instance="box",endpoint="/api",le="0.2"}`, `http_request_duration_seconds_bucket{instance="box",endpoint="/api",le="+Inf"}`
	mid, number := `http_request_duration_seconds_bucket{instance="box",endpoint="/api",le="0.5"}`, `http_request_duration_seconds_count{instance="box",endpoint="/api"}`
	spread := func(perSecond float64, share ...phase) []input { // share: of those under 200 ms
		var quick, all []phase
		for _, p := range share {
			quick, all = append(quick, phase{p.long, perSecond * p.v}), append(all, phase{p.long, perSecond})
		}
		return []input{count(fast, quick...), count(mid, all...), count(slow, all...), count(number, all...)}
	}
	uploads := spread(10, phase{40 * m, 0.1}) // which take as long as the sender does
	for i := range uploads {
		uploads[i].series = strings.Replace(uploads[i].series, `"/api"`, `"/api/uploads"`, 1)
	}
	failed := `im_action_total{instance="box",action="login",result="refused"}`
	good := count(`im_action_total{instance="box",action="login",result="ok"}`, phase{h, 50})
	return []scenario{
		{alert: "HighErrorRate", cause: []input{count(ok, phase{40 * m, 48}), other, count(bad, phase{10 * m, 0}, phase{10 * m, 2}, phase{20 * m, 0})}, quiet: 11 * m, fires: 14 * m, ends: 26 * m,
			// One series fails by 90 % of its own, and by 0.9 % of all.
			below: []input{count(ok, phase{40 * m, 50}), other, count(bad, phase{10 * m, 0}, phase{30 * m, 0.9})},
			short: []input{count(ok, phase{40 * m, 0.01}), count(bad, phase{10 * m, 0}, phase{m, 0.06}, phase{20 * m, 0})}},
		{alert: "SlowAPIResponse", cause: spread(10, phase{10 * m, 1}, phase{10 * m, 0.5}, phase{20 * m, 1}), quiet: 15 * m, fires: 16 * m, ends: 26 * m,
			below: append(spread(10, phase{40 * m, 0.96}), uploads...), short: spread(0.05, phase{40 * m, 0.1})},
		{alert: "HighAPILoad", cause: []input{count(ok, phase{5 * m, 100}, phase{8 * m, 1100}, phase{10 * m, 100})}, quiet: 10 * m, fires: 11 * m, ends: 15 * m,
			below: []input{count(ok, phase{5 * m, 100}, phase{20 * m, 999})}, short: []input{count(ok, phase{5 * m, 100}, phase{4 * m, 3000}, phase{10 * m, 100})}},
		{alert: "AuthFailuresBurst", cause: []input{good, count(failed, phase{10 * m, 0}, phase{m, 1}, phase{20 * m, 0})}, quiet: 10*m + 30*time.Second, fires: 11 * m, ends: 16*m + 30*time.Second,
			below: []input{good, count(failed, phase{10 * m, 0}, phase{20 * m, 0.16})}, short: []input{good, count(failed, phase{10 * m, 0}, phase{30 * time.Second, 1}, phase{20 * m, 0})}},
	}
}

func storageScenarios() []scenario {
	writer, readOnly := `im_storage_writer_saturation_ratio{instance="box"}`, `im_storage_read_only{instance="box"}`
	slow, memory := `im_slow_operations_total{instance="box",kind="tx"}`, level(`node_memory_MemTotal_bytes{instance="box"}`, phase{h, 1000})
	cache, other := `im_cache_bytes{instance="box",cache="events"}`, level(`im_cache_bytes{instance="box",cache="thumbnails"}`, phase{h, 100})
	failed := `im_errors_total{instance="box",kind="internal"}`
	usual := count(`im_errors_total{instance="box",kind="not_found"}`, phase{h, 5})
	return []scenario{
		{alert: "StorageWriterSaturated", cause: []input{level(writer, phase{5 * m, 0.1}, phase{4 * m, 0.91}, phase{5 * m, 0.1})}, quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m,
			below: []input{level(writer, phase{20 * m, 0.9})}, short: []input{level(writer, phase{5 * m, 0.1}, phase{m, 1}, phase{5 * m, 0.1})}},
		{alert: "StorageSlowOperations", cause: []input{count(slow, phase{10 * m, 0}, phase{2 * m, 0.2}, phase{20 * m, 0})}, quiet: 10*m + 30*time.Second, fires: 12 * m, ends: 17*m + 30*time.Second,
			below: []input{count(slow, phase{30 * m, 0.03})}, short: []input{count(slow, phase{10 * m, 0}, phase{30 * time.Second, 0.2}, phase{10 * m, 0})}},
		{alert: "StorageReadOnly", cause: []input{level(readOnly, phase{5 * m, 0}, phase{5 * m, 1}, phase{5 * m, 0})}, quiet: 4*m + 45*time.Second, fires: 5 * m, ends: 10 * m,
			below: []input{level(readOnly, phase{20 * m, 0})}},
		{alert: "CacheMemoryHigh", cause: []input{memory, other, level(cache, phase{5 * m, 100}, phase{15 * m, 205}, phase{5 * m, 100})}, quiet: 14*m + 45*time.Second, fires: 15 * m, ends: 20 * m,
			below: []input{memory, other, level(cache, phase{30 * m, 200})}, short: []input{memory, other, level(cache, phase{5 * m, 100}, phase{9 * m, 900}, phase{5 * m, 100})}},
		{alert: "DatabaseInsertFailed", cause: []input{usual, count(failed, phase{10 * m, 0}, phase{15 * time.Second, 1}, phase{20 * m, 0})}, quiet: 9*m + 45*time.Second, fires: 10*m + 30*time.Second, ends: 16 * m,
			below: []input{usual, count(failed, phase{30 * m, 0})}},
	}
}
