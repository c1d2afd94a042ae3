package query

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// line is a value that grows by a figure each second from a beginning.
func line(from, perSecond float64) func(float64) float64 {
	return func(s float64) float64 { return from + perSecond*s }
}

func always(v float64) func(float64) float64 { return line(v, 0) }

// TestExpressionsOfTheTrade runs what dashboards, rules and operators ask,
// over input whose answer can be worked out by hand.
func TestExpressionsOfTheTrade(t *testing.T) {
	b := newBench(t, Limits{})
	b.fills(time.Hour, map[string]func(float64) float64{
		// Two cores: idle 0.25 and 0.05 of the time.
		`node_cpu_seconds_total{cpu="0",mode="idle"}`:  line(100, 0.25),
		`node_cpu_seconds_total{cpu="0",mode="user"}`:  line(0, 0.75),
		`node_cpu_seconds_total{cpu="1",mode="idle"}`:  line(200, 0.05),
		`node_cpu_seconds_total{cpu="1",mode="user"}`:  line(0, 0.95),
		`node_memory_MemTotal_bytes`:                   always(8e9),
		`node_memory_MemAvailable_bytes`:               always(2e9),
		`node_memory_SwapTotal_bytes`:                  always(1e9),
		`node_memory_SwapFree_bytes`:                   always(7.5e8),
		`node_vmstat_pswpin`:                           line(0, 12),
		`node_load1`:                                   always(3),
		`node_filesystem_size_bytes{mountpoint="/"}`:   always(1000e9),
		`node_filesystem_avail_bytes{mountpoint="/"}`:  line(100e9, -1e6), // 1 MB a second
		`node_filesystem_files{mountpoint="/"}`:        always(1000),
		`node_filesystem_files_free{mountpoint="/"}`:   always(50),
		`node_disk_io_time_seconds_total{device="a"}`:  line(0, 0.4),
		`node_disk_read_bytes_total{device="a"}`:       line(0, 2e6),
		`node_network_receive_bytes_total{device="e"}`: line(0, 90e6), // 720 Mbit/s
		`node_network_receive_errs_total{device="e"}`:  line(0, 0.1),
		// 98 requests a second answered, 2 failed, over two routes.
		`http_requests_total{endpoint="/a",status="200"}`: line(0, 70),
		`http_requests_total{endpoint="/b",status="200"}`: line(0, 28),
		`http_requests_total{endpoint="/b",status="500"}`: line(0, 2),
		// 100 a second: 90 within 0.1 s, 98 within 0.5 s, all within 1 s.
		`http_request_duration_seconds_bucket{endpoint="/a",le="0.1"}`:  line(0, 90),
		`http_request_duration_seconds_bucket{endpoint="/a",le="0.5"}`:  line(0, 98),
		`http_request_duration_seconds_bucket{endpoint="/a",le="1"}`:    line(0, 100),
		`http_request_duration_seconds_bucket{endpoint="/a",le="+Inf"}`: line(0, 100),
		`http_request_duration_seconds_sum{endpoint="/a"}`:              line(0, 12),
		`http_request_duration_seconds_count{endpoint="/a"}`:            line(0, 100),
		// Deliveries: 1,000 a second, 998 acknowledged, half within 0.8 s.
		`im_deliveries_total`:                                line(0, 1000),
		`im_delivery_acks_total`:                             line(0, 998),
		`im_delivery_latency_seconds_bucket{le="0.8"}`:       line(0, 499),
		`im_delivery_latency_seconds_bucket{le="1.6"}`:       line(0, 998),
		`im_delivery_latency_seconds_bucket{le="+Inf"}`:      line(0, 998),
		`im_messages_sent_total`:                             line(0, 40),
		`im_active_users_total`:                              always(8),
		`connections_total`:                                  line(0, 0.5),
		`connections_active{node="a"}`:                       func(s float64) float64 { return 1000 - 300*math.Floor(s/3500) }, // 300 fall at 58:20
		`im_errors_total{kind="forbidden"}`:                  line(0, 3),
		`im_errors_total{kind="too_large"}`:                  line(0, 1),
		`im_slow_operations_total`:                           line(0, 11),
		`im_storage_writer_saturation_ratio`:                 always(0.95),
		`im_cache_hits_total{cache="rooms"}`:                 line(0, 9),
		`im_cache_misses_total{cache="rooms"}`:               line(0, 1),
		`im_session_rtt_seconds`:                             always(0.025),
		`im_certificate_expiry_timestamp_seconds`:            always(float64(start().Unix() + 3600 + 10*86400)),
		`process_open_fds`:                                   always(950),
		`process_max_fds`:                                    always(1000),
		`process_resident_memory_bytes`:                      line(1e8, 1e4),
		`up{job="posthouse",instance="box"}`:                 always(1),
		`up{job="far",instance="other"}`:                     always(0),
		`probe_success{probe="chat"}`:                        func(s float64) float64 { return 1 - math.Floor(s/3300) }, // fails from 55:00
		`restarting_total`:                                   func(s float64) float64 { return math.Mod(s, 600) },
		`temperature{chip="a"}`:                              func(s float64) float64 { return 40 + 10*math.Mod(math.Floor(s/15), 2) },
		`node_hwmon_temp_celsius{chip="a",sensor="b"}`:       always(81),
		`node_netstat_Tcp_CurrEstab`:                         always(77),
		`node_tcp_connection_states{state="established"}`:    always(70),
		`node_tcp_connection_states{state="time_wait"}`:      always(30),
		`im_outbound_queue_frames{conn="1"}`:                 always(2),
		`im_outbound_queue_frames{conn="2"}`:                 always(40),
		`session_duration_sec_bucket{le="5"}`:                always(0),
		`session_duration_sec_bucket{le="15"}`:               always(1),
		`session_duration_sec_bucket{le="+Inf"}`:             always(1),
		`im_message_process_duration_seconds_bucket{le="1"}`: line(0, 1),
	})
	none := math.NaN()
	for _, c := range []struct {
		expr string
		want float64
	}{
		{`100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100`, 85},
		{`100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100 > 80`, 85},
		{`100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100 > 90`, none},
		{`max by (cpu) (rate(node_cpu_seconds_total{cpu="1",mode!="idle"}[5m]))`, 0.95},
		{`(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes) / node_memory_MemTotal_bytes * 100`, 75},
		{`1 - node_memory_SwapFree_bytes / node_memory_SwapTotal_bytes`, 0.25},
		{`rate(node_vmstat_pswpin[5m])`, 12},
		{`node_load1 / scalar(count(count by (cpu) (node_cpu_seconds_total)))`, 1.5},
		{`node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes`, 0.0964},
		{`(1 - node_filesystem_avail_bytes / node_filesystem_size_bytes) * 100 > 80`, 90.36},
		{`node_filesystem_files_free / node_filesystem_files < 0.1`, 0.05},
		{`predict_linear(node_filesystem_avail_bytes[30m], 86400) / 1e9`, 10}, // 100 − 3.6 − 86.4
		{`-node_filesystem_avail_bytes / deriv(node_filesystem_avail_bytes[30m]) / 86400`, 96400.0 / 86400},
		{`rate(node_disk_io_time_seconds_total[5m]) * 100`, 40},
		{`rate(node_disk_read_bytes_total[5m])`, 2e6},
		{`rate(node_network_receive_bytes_total[5m]) * 8 > 650e6`, 720e6},
		{`irate(node_network_receive_bytes_total[5m])`, 90e6},
		{`increase(node_network_receive_errs_total[5m])`, 30},
		{`rate(http_requests_total{status="200",endpoint="/a"}[5m])`, 70},
		{`sum(rate(http_requests_total[5m]))`, 100},
		{`sum by (endpoint) (rate(http_requests_total{endpoint="/b"}[5m]))`, 30},
		{`sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))`, 0.02},
		{`sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) * 100 > 1`, 2},
		// The classic error of the trade: without sum each failing series divides by itself.
		{`rate(http_requests_total{status=~"5.."}[5m]) / rate(http_requests_total[5m])`, 1},
		{`histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))`, 0.35},
		{`histogram_quantile(0.99, sum by (le, endpoint) (rate(http_request_duration_seconds_bucket[5m])))`, 0.75},
		{`histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 0.2`, 0.35},
		{`rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])`, 0.12},
		{`sum(rate(http_requests_total[5m])) > 1000`, none},
		{`sum(rate(im_delivery_acks_total[5m])) / sum(rate(im_deliveries_total[5m])) * 100`, 99.8},
		{`sum(rate(im_delivery_acks_total[5m])) / sum(rate(im_deliveries_total[5m])) < 0.999`, 0.998},
		{`histogram_quantile(0.5, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m])))`, 0.8},
		{`histogram_quantile(0.95, sum by (le) (rate(im_delivery_latency_seconds_bucket[1m])))`, 1.52},
		{`rate(im_messages_sent_total[5m]) * 60`, 2400},
		{`im_active_users_total < 10`, 8},
		{`max_over_time(im_active_users_total[30m]) < 10`, 8},
		{`increase(connections_total[1m])`, 30},
		{`abs(connections_active - connections_active offset 5m) / connections_active offset 5m > 0.2`, 0.3},
		{`sum by (kind) (rate(im_errors_total{kind="forbidden"}[5m])) / ignoring(kind) group_left sum(rate(im_errors_total[5m]))`, 0.75},
		{`topk(1, sum by (kind) (rate(im_errors_total[5m])))`, 3},
		{`rate(im_slow_operations_total[5m]) > 10`, 11},
		{`im_storage_writer_saturation_ratio > 0.9`, 0.95},
		{`rate(im_cache_hits_total[5m]) / (rate(im_cache_hits_total[5m]) + rate(im_cache_misses_total[5m]))`, 0.9},
		// The health score, with the loss bounded: 85·0.3 + 75·0.2 + 0.5·30 + min(0.2·2, 20).
		{`clamp_min(100 - (scalar(100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100) * 0.3
			+ scalar((1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) * 100) * 0.2
			+ clamp_max(im_session_rtt_seconds * 1000 / 50, 1) * 30
			+ clamp_max((1 - sum(rate(im_delivery_acks_total[5m])) / sum(rate(im_deliveries_total[5m]))) * 100 * 2, 20)), 0)`, 100 - 25.5 - 15 - 15 - 0.4},
		{`(im_certificate_expiry_timestamp_seconds - time()) / 86400 < 14`, 10},
		{`(im_certificate_expiry_timestamp_seconds - time()) / 86400 < 3`, none},
		{`process_open_fds / process_max_fds > 0.9`, 0.95},
		{`deriv(process_resident_memory_bytes[30m]) * 3600`, 3.6e7},
		{`up == 0`, 0},
		{`absent(up{job="nowhere"})`, 1},
		{`count(up == 1)`, 1},
		{`avg_over_time(probe_success[10m])`, 19.0 / 40}, // fails from 55:00 on: 50:15 to 54:45 succeed
		{`min_over_time(probe_success[2m])`, 0},
		{`resets(restarting_total[30m])`, 3},
		{`rate(restarting_total[10m])`, 570.0 / 585}, // what grew between the last sample and the restart is not known,
		{`avg_over_time(temperature[10m]) + 3 * stddev_over_time(temperature[10m])`, 45 + 15},
		{`temperature > avg_over_time(temperature[10m]) + 3 * stddev_over_time(temperature[10m])`, none},
		{`quantile_over_time(0.5, temperature[10m])`, 45},
		{`node_hwmon_temp_celsius > 80`, 81},
		{`node_netstat_Tcp_CurrEstab`, 77},
		{`sum(node_tcp_connection_states)`, 100},
		{`max(im_outbound_queue_frames)`, 40},
		{`avg(im_outbound_queue_frames)`, 21},
		{`quantile(0.5, im_outbound_queue_frames)`, 21},
		{`session_duration_sec_bucket{le="15"} - ignoring(le) session_duration_sec_bucket{le="5"}`, 1},
		{`changes(connections_active[10m])`, 1},
		{`max_over_time(rate(im_messages_sent_total[1m])[10m:1m])`, 40},
		{`count_values("v", im_active_users_total)`, 1},
		{`label_replace(up{job="far"}, "host", "$1", "instance", "(.*)")`, 0},
		{`connections_active offset 30m`, 1000},
		{`time() - 0`, float64(start().Unix() + 3600)},
	} {
		res, err := b.e.Instant(context.Background(), c.expr, start().Add(time.Hour))
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		got := none
		switch v := res.Value.(type) {
		case promql.Vector:
			if len(v) > 1 {
				t.Errorf("%s: %d series", c.expr, len(v))
			}
			if len(v) > 0 {
				got = v[0].F
			}
		case promql.Scalar:
			got = v.V
		}
		if math.IsNaN(c.want) != math.IsNaN(got) || math.Abs(got-c.want) > 1e-6*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%s gives %v, want %v", c.expr, got, c.want)
		}
	}
}
