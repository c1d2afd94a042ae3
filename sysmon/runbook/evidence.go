package runbook

import (
	"fmt"
	"strings"

	"posthouse/sysmon/words"
)

func asks(id, en, zh string) Evidence { return Evidence{ID: id, Title: words.Of(en, zh)} }

func query(id, en, zh, unit, expr string) Evidence {
	return Evidence{ID: id, Title: words.Of(en, zh), Unit: unit, Expr: expr}
}

// either joins expressions whose series have the same labels, of which "or" alone
// would keep the first: a label tells them apart. pairs are its value and an
// expression.
func either(label string, pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, fmt.Sprintf(`label_replace(%s, "%s", "%s", "", "")`, pairs[i+1], label, pairs[i]))
	}
	return strings.Join(out, " or ")
}

func act(action, en, zh string) Step {
	return Step{ID: action, Action: action, Why: words.Of(en, zh)}
}

func look(id, link, en, zh string) Step {
	return Step{ID: id, Link: link, Why: words.Of(en, zh)}
}

// What collectors answer.
func top() Evidence { return asks("top", "Processes that use most", "占用最多的进程") }
func faults() Evidence {
	return asks("faults", "Faults of the server, grouped", "服务器故障归类")
}
func slow() Evidence { return asks("slow", "Slow operations", "慢操作") }
func long() Evidence { return asks("long", "Operations that run now", "正在进行的操作") }
func changed() Evidence {
	return asks("changes", "What changed in the hour before", "此前一小时的变化")
}
func logged() Evidence { return asks("log", "Log around the alert", "告警前后的日志") }
func files() Evidence {
	return asks("files", "Largest parts of the data directory", "数据目录中最大的部分")
}
func sessions() Evidence {
	return asks("sessions", "Connections with the longest queues", "队列最长的连接")
}
func stacks() Evidence {
	return asks("goroutines", "What the program waits for", "程序在等待什么")
}
func heap() Evidence {
	return asks("heap", "Profile of the memory at its peak", "峰值时的内存剖析")
}
func certificate() Evidence { return asks("certificate", "Certificate", "证书") }
func probed() Evidence      { return asks("probes", "Last results of the probes", "最近的探测结果") }
func channels() Evidence    { return asks("channels", "Channels of notices", "通知渠道") }
func ports() Evidence       { return asks("ports", "Listening ports", "监听端口") }
func disks() Evidence       { return asks("forecast", "Days until full", "磁盘写满预测") }

// What figures answer.
func cpu() Evidence {
	return query("cpu", "Processor time by mode, 5 minutes", "处理器时间构成（5 分钟）", "percent", `100 * avg by (mode) (rate(node_cpu_seconds_total[5m])) > 0.1`)
}
func cpuShare() Evidence {
	return query("cpu_own", "Processors used by this server", "本服务占用处理器数", "", `rate(process_cpu_seconds_total[5m])`)
}
func load() Evidence {
	return query("load", "Load of 1, 5 and 15 minutes", "1、5、15 分钟负载", "", `{__name__=~"node_load(1|5|15)"}`)
}
func memory() Evidence {
	return query("memory", "Memory", "内存", "bytes", `{__name__=~"node_memory_(MemTotal|MemAvailable|SwapTotal|SwapFree)_bytes"}`)
}
func memoryOwn() Evidence {
	return query("memory_own", "Memory of this server", "本服务内存", "bytes", `{__name__=~"process_resident_memory_bytes|go_memstats_heap_inuse_bytes|go_memstats_heap_idle_bytes|go_memstats_heap_released_bytes"}`)
}
func caches() Evidence {
	return query("caches", "Caches", "缓存", "bytes", `im_cache_bytes`)
}
func space() Evidence {
	return query("space", "Disks in use", "磁盘使用率", "percent", `100 * (node_filesystem_size_bytes - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes)`)
}
func diskBusy() Evidence {
	return query("disk_busy", "Disks busy, 5 minutes", "磁盘繁忙（5 分钟）", "percent", `100 * rate(node_disk_io_time_seconds_total[5m])`)
}
func network() Evidence {
	return query("network", "Network, a second", "网络流量（每秒）", "bytes", either("direction", "in", `rate(node_network_receive_bytes_total[5m])`, "out", `rate(node_network_transmit_bytes_total[5m])`))
}
func requests() Evidence {
	return query("requests", "Requests by method", "各方法请求数", "per second", `topk(15, sum by (endpoint) (rate(http_requests_total[5m])))`)
}
func failures() Evidence {
	return query("failures", "Failed requests by method", "各方法失败请求", "per second", `topk(15, sum by (endpoint, status) (rate(http_requests_total{status=~"5.."}[5m])) > 0)`)
}
func errorKinds() Evidence {
	return query("errors", "Errors by kind", "各类错误", "per second", `topk(15, sum by (kind) (rate(im_errors_total[5m])) > 0)`)
}
func slowest() Evidence {
	return query("slowest", "Slowest methods, 95 % of the requests below", "最慢的方法（95 分位）", "seconds", `topk(10, histogram_quantile(0.95, sum by (endpoint, le) (rate(http_request_duration_seconds_bucket[5m]))))`)
}
func writer() Evidence {
	return query("writer", "Writer busy", "写入占用", "percent", `100 * im_storage_writer_saturation_ratio`)
}
func writes() Evidence {
	return query("writes", "Commands that wait to be written", "等待写入的命令", "", `im_storage_write_queue`)
}
func fsync() Evidence {
	return query("fsync", "Flush of the journal, 99 % below", "日志落盘（99 分位）", "seconds", `histogram_quantile(0.99, sum by (le) (rate(im_journal_fsync_duration_seconds_bucket[5m])))`)
}
func storageTx() Evidence {
	return query("storage_tx", "Storage operations, 95 % below", "存储操作（95 分位）", "seconds", `histogram_quantile(0.95, sum by (op, le) (rate(im_storage_tx_duration_seconds_bucket[5m])))`)
}
func storeFiles() Evidence {
	return query("store_files", "Storage files", "存储文件", "bytes", `{__name__=~"im_bbolt_size_bytes|im_journal_bytes"}`)
}
func connections() Evidence {
	return query("connections", "Connections now, and an hour and a week ago", "当前、一小时前、一周前的连接数", "", `label_replace(sum(connections_active), "when", "now", "", "") or label_replace(sum(connections_active offset 1h), "when", "1h", "", "") or label_replace(sum(connections_active offset 1w), "when", "1w", "", "")`)
}
func delivery() Evidence {
	return query("delivery", "Delivery, 50, 95 and 99 % below", "投递时延（50、95、99 分位）", "seconds", `label_replace(histogram_quantile(0.5, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m]))), "q", "50", "", "") or label_replace(histogram_quantile(0.95, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m]))), "q", "95", "", "") or label_replace(histogram_quantile(0.99, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m]))), "q", "99", "", "")`)
}
func arrival() Evidence {
	return query("arrival", "Deliveries acknowledged", "投递确认率", "percent", `100 * sum(rate(im_delivery_acks_total[5m])) / (sum(rate(im_deliveries_total[5m])) > 0)`)
}
func queues() Evidence {
	return query("queues", "Queues of connections", "连接队列", "", `{__name__=~"im_outbound_queue_frames|im_slow_consumers"}`)
}
func actions() Evidence {
	return query("actions", "Actions and results", "各操作结果", "per second", `topk(20, sum by (action, result) (rate(im_action_total[5m])) > 0)`)
}
func messages() Evidence {
	return query("messages", "Messages, a minute: now, an hour and a week ago", "每分钟消息数：现在、一小时前、一周前", "", `label_replace(60 * sum(rate(im_messages_sent_total[5m])), "when", "now", "", "") or label_replace(60 * sum(rate(im_messages_sent_total[5m] offset 1h)), "when", "1h", "", "") or label_replace(60 * sum(rate(im_messages_sent_total[5m] offset 1w)), "when", "1w", "", "")`)
}
func scored() Evidence {
	return query("health", "Points taken from the health score", "健康分扣分项", "", `posthouse_health_term`)
}
func descriptors() Evidence {
	return query("descriptors", "Open files and their limit", "打开文件数与上限", "", `{__name__=~"process_open_fds|process_max_fds"}`)
}
func tcp() Evidence {
	return query("tcp", "TCP connections by state", "各状态 TCP 连接", "", `node_tcp_connection_states`)
}
func targets() Evidence {
	return query("targets", "Jobs that are down", "无法采集的任务", "", `label_replace(up == 0, "part", "$1", "job", "(.+)")`)
}
func gone() Evidence {
	return query("gone", "Watched in the last hour and gone", "最近一小时内曾监控、现已消失", "", `label_join(max by (instance, job) (max_over_time(up[1h])) unless on (instance, job) max by (instance, job) (up), "gone", " ", "job", "instance")`)
}
func series() Evidence {
	return query("series", "Metrics with most series", "序列最多的指标", "", `topk(15, count by (__name__) ({__name__!=""}))`)
}
