package board

import "posthouse/sysmon/words"

// Boards are the dashboards that come with the program, in the order of the
// navigation.
func Boards() []Board {
	return []Board{im(), host(), api(), messages(), business(), storage(), program(), probes()}
}

// Find is the board with an id.
func Find(id string) (Board, bool) {
	for _, b := range Boards() {
		if b.ID == id {
			return b, true
		}
	}
	return Board{}, false
}

func of(en, zh string) words.Text { return words.Of(en, zh) }

// ask is one expression with what its series are called.
func ask(expr, en, zh string) Query { return Query{Expr: expr, Legend: of(en, zh)} }

// by names series by labels alone, the same in both languages.
func by(expr, legend string) Query { return Query{Expr: expr, Legend: of(legend, legend)} }

func warn(v float64, alert string) Threshold {
	return Threshold{Value: v, Severity: "warning", Alert: alert}
}
func serious(v float64, alert string) Threshold {
	return Threshold{Value: v, Severity: "serious", Alert: alert}
}
func critical(v float64, alert string) Threshold {
	return Threshold{Value: v, Severity: "critical", Alert: alert}
}

// below turns a threshold: less is what is bad.
func (t Threshold) below() Threshold {
	t.Below = true
	return t
}

// im tells at a glance whether the chat is healthy.
func im() Board {
	return Board{ID: "im", Icon: "home", Title: of("Chat at a glance", "IM 核心"),
		About: of("Whether people can talk now: who is online, what arrives, how fast, and what fails.", "当前能否正常聊天：在线、送达、延迟与错误。"),
		Panels: []Panel{
			{ID: "online", Title: of("People online", "在线人数"), Kind: Stat, Unit: "",
				Help:    of("People with a device that is connected, each counted once.", "至少有一台设备在线的人数，每人计一次。"),
				Queries: []Query{ask(`sum(im_active_users_total)`, "people", "人数")}, Alerts: []string{"LowActiveUsers"}},
			{ID: "arrival", Title: of("Messages that arrive", "消息送达率"), Kind: Stat, Unit: "percent",
				Help:       of("Deliveries to connected devices that they acknowledged. Usual: 100 %. Less: a device hangs, or the network loses packets.", "在线设备已确认的投递比例，正常为 100%。偏低说明有设备卡住或网络丢包。"),
				Queries:    []Query{ask(`100 * sum(increase(im_delivery_acks_total[5m])) / (sum(increase(im_deliveries_total[5m])) > 0)`, "arrived", "送达")},
				Thresholds: []Threshold{serious(99.9, "LowArrivalRate").below()}, Alerts: []string{"LowArrivalRate"}},
			{ID: "latency-now", Title: of("From person to person", "端到端延迟"), Kind: Stat, Unit: "seconds",
				Help:       of("The median from sending to arrival, by the clock of the server alone.", "从发送到送达的中位数（P50），只用服务器时钟计量。"),
				Queries:    []Query{ask(`histogram_quantile(0.5, sum by (le) (rate(im_delivery_latency_seconds_bucket[$__rate_interval])))`, "P50", "P50")},
				Thresholds: []Threshold{warn(0.8, "HighDeliveryLatency")}, Alerts: []string{"HighDeliveryLatency"}},
			{ID: "health", Title: of("Health", "健康分"), Kind: Stat, Unit: "",
				Help:       of("0 to 100 from processor, memory, round trips and losses. Below 60 something is wrong: the overview names the term.", "由 CPU、内存、往返时延与丢失计算，满分 100。低于 60 需处理，概览页显示扣分项。"),
				Queries:    []Query{ask(`min(posthouse_health_score)`, "score", "分数")},
				Thresholds: []Threshold{serious(60, "LowHealthScore").below()}, Alerts: []string{"LowHealthScore"}},
			{ID: "connections", Title: of("Connections and people", "连接与在线"), Kind: Line, Wide: true,
				Help: of("Open WebSockets and people online. A sudden drop: network, certificate, or a restart.", "打开的 WebSocket 与在线人数。骤降可能是网络、证书或重启。"),
				Queries: []Query{ask(`sum(connections_active)`, "connections", "连接"), ask(`sum(im_active_users_total)`, "people", "人数"),
					ask(`sum(im_conversations_active)`, "rooms with traffic", "活跃会话")}, Alerts: []string{"ConnectionsDropped", "ConnectionsUnusual"}},
			{ID: "latency", Title: of("From sending to arrival", "端到端延迟分布"), Kind: Line, Unit: "seconds",
				Help:       of("Half, 95 % and 99 % of deliveries were faster.", "50%、95%、99% 的投递低于该值。"),
				Queries:    quantiles("im_delivery_latency_seconds_bucket", ""),
				Thresholds: []Threshold{warn(0.8, "HighDeliveryLatency"), serious(5, "MessageDeliveryDelayed")}, Alerts: []string{"HighDeliveryLatency", "MessageDeliveryDelayed"}},
			{ID: "throughput", Title: of("Messages and requests", "吞吐量"), Kind: Line, Unit: "/s",
				Help:    of("Messages stored, deliveries to devices, and HTTP requests a second.", "每秒存储的消息、投递数与 HTTP 请求数。"),
				Queries: []Query{ask(rate("im_messages_sent_total"), "messages", "消息"), ask(rate("im_deliveries_total"), "deliveries", "投递"), ask(rate("http_requests_total"), "requests", "请求")}},
			{ID: "errors", Title: of("Errors by kind", "错误码分布"), Kind: Stacked, Unit: "/s",
				Help:    of("Calls that were refused. internal and unavailable are the server's fault, the others usually the caller's.", "被拒绝的调用。internal 与 unavailable 是服务器问题，其余通常源于调用方。"),
				Queries: []Query{by(`sum by (kind) (rate(im_errors_total[$__rate_interval]))`, "{{kind}}")}, Alerts: []string{"DatabaseInsertFailed", "HighErrorRate"}},
			{ID: "queue", Title: of("Waiting to be sent", "待发送队列"), Kind: Line, Unit: "",
				Help:    of("Frames that wait for connections, and clients that do not take them. Usual: about 0.", "等待发送的帧与接收缓慢的客户端，正常接近 0。"),
				Queries: []Query{ask(`sum(im_outbound_queue_frames{stat="total"})`, "frames", "帧"), ask(`sum(im_slow_consumers)`, "slow clients", "慢客户端")}},
			{ID: "probe", Title: of("Two test users", "虚拟用户"), Kind: Line, Unit: "seconds",
				Help:    of("How long each step of the virtual users' round takes over the public door.", "虚拟用户通过公开入口完成各步骤的耗时。"),
				Queries: []Query{by(`max by (step) (probe_step_duration_seconds)`, "{{step}}")}, Alerts: []string{"ChatProbeFailed"}},
			{ID: "machine", Title: of("Processor and memory", "CPU 与内存"), Kind: Line, Unit: "percent",
				Help: of("In use of the machine.", "整机使用率。"), Queries: []Query{ask(cpuUse, "CPU", "CPU"), ask(memoryUse, "memory", "内存")},
				Thresholds: []Threshold{warn(80, "HighCPUUsage")}, Alerts: []string{"HighCPUUsage", "HighMemoryUsage"}},
			{ID: "alerts", Title: of("Alerts", "告警"), Kind: Bars, Unit: "",
				Help:    of("Alerts that fire, by severity.", "按级别统计的触发中告警。"),
				Queries: []Query{by(`count by (severity) (ALERTS{alertstate="firing"})`, "{{severity}}")}},
		}}
}

const (
	cpuUse    = `100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval])))`
	memoryUse = `100 * (1 - sum(node_memory_MemAvailable_bytes) / sum(node_memory_MemTotal_bytes))`
)

func rate(metric string) string { return `sum(rate(` + metric + `[$__rate_interval]))` }

// quantiles are P50, P95 and P99 of a histogram; labels may be empty.
func quantiles(bucket, labels string) []Query {
	q := func(level, name string) Query {
		return ask(`histogram_quantile(`+level+`, sum by (le) (rate(`+bucket+labels+`[$__rate_interval])))`, name, name)
	}
	return []Query{q("0.5", "P50"), q("0.95", "P95"), q("0.99", "P99")}
}
