package gate

import (
	"io"
	"time"

	"posthouse/appliance/meter"
)

// WriteMetrics writes all metrics in the Prometheus text format.
func (g *Gate) WriteMetrics(w io.Writer) { g.o.Meter.WritePrometheus(w) }

// measure names the gate's figures.
func (g *Gate) measure(r *meter.Registry) {
	g.measureConnections(r)
	g.measureDeliveries(r)
	g.measureQueues(r)
	g.measureRequests(r)
	g.measureRing(r)
	if g.files != nil {
		g.files.measure(r)
	}
}

func (g *Gate) measureConnections(r *meter.Registry) {
	m := g.meters
	people := meter.Family{Name: "im_active_users_total", Type: meter.TypeUntyped, Source: "gate",
		Help:   meter.Say("People online now, each counted once, without virtual users; a gauge.", "当前在线人数（每人计一次），不含虚拟用户；为瞬时值。"),
		Normal: meter.Say("As the time of day has it.", "与当天时段相符。"),
		Action: meter.Say("Far below the same hour of other weeks: look at the chat probe and at the network.", "明显低于往周同一时段时，请查看聊天探测与网络。")}
	online := func() float64 { return float64(g.hub.online()) }
	r.Gauge(people, online)
	people.Name, people.Type = "im_active_users", ""
	r.Gauge(people, online)
	r.Counter(meter.Family{Name: "connections_total", Source: "gate",
		Help:   meter.Say("WebSockets accepted.", "已接受的 WebSocket 连接数。"),
		Normal: meter.Say("A few for each person and day.", "每人每天几次。"),
		Action: meter.Say("Many more: clients reconnect again and again; look at the network and at proxies.", "明显增多说明客户端反复重连：请检查网络与代理。")}, &m.connections)
	r.Gauge(meter.Family{Name: "connections_active", Source: "gate",
		Help:   meter.Say("WebSockets open now, without those of virtual users.", "当前打开的 WebSocket 连接数，不含虚拟用户。"),
		Normal: meter.Say("One or two for each person online.", "每位在线人员一至两个。"),
		Action: meter.Say("A sudden drop: the network, a proxy or the certificate.", "骤降时请检查网络、代理或证书。")}, func() float64 { return float64(g.hub.people()) })
	r.Gauge(meter.Family{Name: "im_sessions_active", Source: "gate",
		Help:   meter.Say("WebSockets open now, all of them.", "当前打开的全部 WebSocket 连接数。"),
		Normal: meter.Say("connections_active and the probes.", "connections_active 加上探测连接。"), Action: meter.Say("See connections_active.", "参见 connections_active。")}, func() float64 { return float64(g.hub.size()) })
	r.Histogram(meter.Family{Name: "session_duration_seconds", Alias: "session_duration_sec", Source: "gate",
		Help:   meter.Say("How long a WebSocket was open.", "WebSocket 连接的持续时间。"),
		Normal: meter.Say("Hours.", "数小时。"),
		Action: meter.Say("Mostly under a minute: something between cuts connections; look at proxies' idle times.", "多数低于一分钟说明中间设备切断连接：请检查代理的空闲超时。")}, m.duration)
	r.Counter(meter.Family{Name: "im_tcp_connections_total", Source: "gate",
		Help:   meter.Say("TCP connections accepted.", "已接受的 TCP 连接数。"),
		Normal: meter.Say("As the requests have it.", "与请求量相符。"), Action: meter.Say("None.", "无需处理。")}, &m.tcp)
	r.Gauge(meter.Family{Name: "im_tcp_connections_active", Source: "gate",
		Help:   meter.Say("TCP connections open now.", "当前打开的 TCP 连接数。"),
		Normal: meter.Say("Below limits.connections.", "低于 limits.connections。"), Action: meter.Say("Near the limit others are refused: raise it or find who opens so many.", "接近上限时会拒绝新连接：请提高上限或查找来源。")}, func() float64 { return float64(g.peers.size()) })
	r.Counter(meter.Family{Name: "connections_refused_total", Source: "gate",
		Help:   meter.Say("TCP connections turned away.", "被拒绝的 TCP 连接数。"),
		Normal: meter.Say("Zero.", "零。"),
		Action: meter.Say("One address opens too many, or limits.connections is reached.", "某地址连接过多，或已达到 limits.connections。")}, &m.refused)
	r.Counter(meter.Family{Name: "im_heartbeat_missed_total", Source: "gate",
		Help:   meter.Say("Times that a session was silent for a whole heartbeat.", "会话整个心跳周期无响应的次数。"),
		Normal: meter.Say("A few a day, when laptops sleep.", "每天少量（如笔记本休眠）。"),
		Action: meter.Say("Many at once: the network between.", "同时大量出现时请检查中间网络。")}, &m.missed)
	r.Histogram(meter.Family{Name: "im_session_rtt_seconds", Source: "gate",
		Help:   meter.Say("Round trip of a heartbeat to a device and back.", "心跳往返设备的时间。"),
		Normal: meter.Say("Under 20 ms in a LAN.", "局域网内低于 20 毫秒。"),
		Action: meter.Say("Long for some: their Wi-Fi or VPN. Long for all: this box or its switch.", "个别较长：其无线网或 VPN；全部较长：本机或交换机。")}, m.rtt)
}

func (g *Gate) measureDeliveries(r *meter.Registry) {
	m := g.meters
	r.Counter(meter.Family{Name: "im_deliveries_total", Source: "gate",
		Help:   meter.Say("New messages handed to devices that are online, one for each device; counted when acknowledged, or when a device that is alive has not done so for ten seconds.", "交给在线设备的新消息数，每台设备计一次；确认时计入，或设备在线但十秒仍未确认时计入。"),
		Normal: meter.Say("Messages times the devices online in their rooms.", "消息数乘以房间内在线设备数。"), Action: meter.Say("See im_delivery_acks_total.", "参见 im_delivery_acks_total。")}, &m.deliveries)
	r.Counter(meter.Family{Name: "im_delivery_acks_total", Source: "gate",
		Help:   meter.Say("Deliveries that the device acknowledged.", "设备已确认的投递数。"),
		Normal: meter.Say("Its rate over that of im_deliveries_total, the arrival rate, is above 0.99.", "与 im_deliveries_total 的速率之比（抵达率）高于 0.99。"),
		Action: meter.Say("Lower: open Sessions and look for devices with much unacknowledged.", "偏低时请打开“会话”页面，查找未确认较多的设备。")}, &m.acks)
	r.Counter(meter.Family{Name: "im_deliveries_offline_total", Source: "gate",
		Help:   meter.Say("New messages for people who were not online, one for each person.", "接收者不在线的新消息数，每人计一次。"),
		Normal: meter.Say("Many at night.", "夜间较多。"), Action: meter.Say("None: they get them when they come back.", "无需处理，上线后会收到。")}, &m.offline)
	r.Counter(meter.Family{Name: "im_deliveries_left_total", Source: "gate",
		Help:   meter.Say("New messages on their way to devices whose connection ended before they could acknowledge.", "设备连接断开时仍在途中、未及确认的新消息数。"),
		Normal: meter.Say("Few; more when laptops are shut in the evening.", "很少；下班合上笔记本时会增多。"), Action: meter.Say("None: they get them when they come back. Many: see connections_active.", "无需处理，上线后会收到；较多时参见 connections_active。")}, &m.left)
	r.Histogram(meter.Family{Name: "im_delivery_latency_seconds", Source: "gate",
		Help:   meter.Say("Time from a message's acceptance until a device that is online has acknowledged it, by the server's clock alone.", "从消息被接受到在线设备确认的时间，仅以服务器时钟计。"),
		Normal: meter.Say("p50 under 50 ms, p95 under 300 ms.", "P50 低于 50 毫秒，P95 低于 300 毫秒。"),
		Action: meter.Say("Compare with im_message_process_duration_seconds (the disk) and im_session_rtt_seconds (the network).", "与 im_message_process_duration_seconds（磁盘）和 im_session_rtt_seconds（网络）对比。")}, m.latency)
	r.Histogram(meter.Family{Name: "im_fanout_delay_seconds", Source: "gate",
		Help:   meter.Say("Time from a message's acceptance until it was handed to every session.", "从消息被接受到交给所有会话的时间。"),
		Normal: meter.Say("p95 under 50 ms.", "P95 低于 50 毫秒。"), Action: meter.Say("Long: the box's processors are busy.", "偏长说明处理器繁忙。")}, m.fanout)
	r.Counter(meter.Family{Name: "im_messages_pushed_total", Source: "gate",
		Help:   meter.Say("Message frames written to sockets, edits and catching up included.", "写入连接的消息帧数，含编辑与补发。"),
		Normal: meter.Say("As im_deliveries_total, and more when people come back.", "与 im_deliveries_total 相近，上线补发时更多。"), Action: meter.Say("None.", "无需处理。")}, &m.pushed)
	r.Gauge(meter.Family{Name: "im_conversations_active", Source: "gate",
		Help:   meter.Say("Rooms with a message in the last minute.", "最近一分钟内有消息的房间数。"),
		Normal: meter.Say("As the time of day has it.", "与当天时段相符。"), Action: meter.Say("None.", "无需处理。")}, func() float64 { return float64(m.talk.active(g.now())) })
}

func (g *Gate) measureQueues(r *meter.Registry) {
	m := g.meters
	r.Gauges(meter.Family{Name: "im_outbound_queue_frames", Labels: []string{"stat"}, Source: "gate",
		Help:   meter.Say("Frames that wait for sockets: in total, and the longest queue.", "等待发送的帧数：总数与最长队列。"),
		Normal: meter.Say("Near zero.", "接近零。"),
		Action: meter.Say("One long queue: that device does not read; see Sessions. Many: the network.", "单个队列长：该设备不接收，见“会话”；普遍长：网络问题。")}, func(yield func(v float64, values ...string)) {
		total, longest, _ := g.queues()
		yield(float64(total), "total")
		yield(float64(longest), "max")
	})
	r.Gauge(meter.Family{Name: "im_slow_consumers", Source: "gate",
		Help:   meter.Say("Sessions that do not keep up with what is sent to them.", "跟不上发送速度的会话数。"),
		Normal: meter.Say("Zero.", "零。"), Action: meter.Say("See Sessions: lagging ones and their queue.", "见“会话”页面中滞后的会话及其队列。")}, func() float64 {
		_, _, slow := g.queues()
		return float64(slow)
	})
	for _, c := range []struct {
		name, en, zh string
		c            *meter.Counter
	}{
		{"im_passing_events_dropped_total", "Typing, presence and receipts that a full queue dropped.", "因队列已满丢弃的输入提示、在线状态与回执。", &m.dropped},
		{"im_sessions_behind_total", "Times that a session fell behind and was fed from the ring.", "会话滞后并改由缓冲区补发的次数。", &m.behind},
		{"im_sessions_reset_total", "Times that a session was told to begin anew.", "会话被要求重新同步的次数。", &m.resets},
		{"im_sessions_evicted_total", "Sessions closed because they did not read.", "因不接收数据而被关闭的会话数。", &m.evicted},
	} {
		r.Counter(meter.Family{Name: c.name, Source: "gate", Help: meter.Say(c.en, c.zh),
			Normal: meter.Say("Near zero.", "接近零。"), Action: meter.Say("See Sessions: devices that do not read.", "见“会话”页面中不接收数据的设备。")}, c.c)
	}
}

func (g *Gate) measureRequests(r *meter.Registry) {
	m := g.meters
	r.Counters(meter.Family{Name: "http_requests_total", Source: "gate",
		Help:   meter.Say("HTTP requests by method, endpoint and status.", "HTTP 请求数，按方法、端点与状态。"),
		Normal: meter.Say("No 5xx.", "没有 5xx。"), Action: meter.Say("5xx: open Operations for the faults.", "出现 5xx 时请打开“操作”页面查看故障。")}, m.requests)
	r.Histograms(meter.Family{Name: "http_request_duration_seconds", Source: "gate",
		Help:   meter.Say("Time of an HTTP request by endpoint.", "HTTP 请求耗时，按端点。"),
		Normal: meter.Say("p95 under 200 ms without uploads.", "除上传外 P95 低于 200 毫秒。"), Action: meter.Say("Open Operations for the slow ones.", "打开“操作”页面查看慢请求。")}, m.took)
	r.Counters(meter.Family{Name: "im_action_total", Source: "gate",
		Help:   meter.Say("What people do, by action (login, send, push, pull, upload, search) and result (ok, refused, error), without virtual users.", "核心操作数，按操作（login、send、push、pull、upload、search）与结果（ok、refused、error），不含虚拟用户。"),
		Normal: meter.Say("No errors; refused logins are wrong passwords.", "没有 error；login 的 refused 为密码错误。"), Action: meter.Say("Errors: open Operations. Many refused logins: see which addresses.", "出现 error 请打开“操作”页面；登录被拒过多请查看来源地址。")}, m.done)
	r.Histograms(meter.Family{Name: "im_action_duration_seconds", Source: "gate",
		Help:   meter.Say("Time of an action.", "核心操作耗时。"),
		Normal: meter.Say("send p95 under 100 ms, search under 300 ms, login under 500 ms.", "send 的 P95 低于 100 毫秒，search 低于 300 毫秒，login 低于 500 毫秒。"), Action: meter.Say("See im_storage_tx_duration_seconds.", "参见 im_storage_tx_duration_seconds。")}, m.lasted)
	r.Counters(meter.Family{Name: "im_calls_total", Source: "gate",
		Help:   meter.Say("Calls by method, over HTTP, WebSocket and from the console, without virtual users; refused ones too, once the caller may call.", "按方法统计的调用数，含 HTTP、WebSocket 与控制台，不含虚拟用户；通过身份检查后被拒绝的也计入。"),
		Normal: meter.Say("As people use the chat.", "与使用情况相符。"), Action: meter.Say("Very many of one method: a client in a loop, see Sessions.", "某方法异常多时可能是客户端死循环，见“会话”页面。")}, m.calls)
	r.Counters(meter.Family{Name: "im_errors_total", Source: "gate",
		Help:   meter.Say("Refusals by kind, over HTTP and WebSocket.", "错误数，按错误名称，含 HTTP 与 WebSocket。"),
		Normal: meter.Say("No internal and no unavailable.", "没有 internal 与 unavailable。"), Action: meter.Say("internal: a fault, see Operations. unavailable: read-only or stopping.", "internal 为故障，见“操作”；unavailable 为只读或正在停止。")}, m.errors)
	r.Counter(meter.Family{Name: "rate_limited_total", Source: "gate",
		Help:   meter.Say("Calls refused because they came too often.", "因过于频繁被拒绝的调用数。"),
		Normal: meter.Say("Near zero.", "接近零。"), Action: meter.Say("A program in a loop, or somebody who tries passwords.", "可能是程序死循环或密码尝试。")}, &m.limited)
	r.Counter(meter.Family{Name: "panics_total", Source: "gate",
		Help:   meter.Say("Panics that were caught.", "被捕获的异常（panic）数。"),
		Normal: meter.Say("Zero.", "零。"), Action: meter.Say("Open Operations for the stack and report it.", "打开“操作”页面查看调用栈并反馈。")}, &m.panics)
}

func (g *Gate) measureRing(r *meter.Registry) {
	m := g.meters
	locked := func(read func() int) func() float64 {
		return func() float64 {
			g.ring.mu.RLock()
			defer g.ring.mu.RUnlock()
			return float64(read())
		}
	}
	none := meter.Say("None.", "无需处理。")
	r.Gauge(meter.Family{Name: "im_ring_events", Source: "gate", Help: meter.Say("Recent events in memory for those who come back.", "内存中供重连使用的近期事件数。"),
		Normal: meter.Say("Up to 65,536.", "至多 65,536。"), Action: none}, locked(func() int { return int(g.ring.next - g.ring.first) }))
	r.Gauge(meter.Family{Name: "im_stream_position", Source: "gate", Help: meter.Say("Journal position that the fan-out has come to.", "事件分发所到达的日志位置。"),
		Normal: meter.Say("im_journal_position.", "等于 im_journal_position。"), Action: none}, func() float64 { return float64(g.ring.position()) })
	r.Gauge(meter.Family{Name: "im_ring_bytes", Source: "gate", Help: meter.Say("Bytes of those events.", "这些事件的字节数。"),
		Normal: meter.Say("Up to 64 MiB.", "至多 64 MiB。"), Action: none}, locked(func() int { return g.ring.bytes }))
	r.CounterFuncs(meter.Family{Name: "im_resumes_total", Labels: []string{"result"}, Source: "gate",
		Help:   meter.Say("Devices that came back, by result: from memory, or anew.", "重新连接的设备数，按结果：memory（从内存续接）或 anew（重新同步）。"),
		Normal: meter.Say("Mostly from memory.", "多数为 memory。"), Action: meter.Say("Mostly anew: people are away for long, or the server was restarted.", "多为 anew 时说明离线较久或服务器曾重启。")}, func(yield func(v float64, values ...string)) {
		yield(float64(m.caughtUp.Get()), "memory")
		yield(float64(m.anew.Get()), "anew")
	})
}

// RingUse are the recent events: how often a device that came back was served
// from them and how often not, and their bytes.
func (g *Gate) RingUse() (hits, misses uint64, bytes int) {
	g.ring.mu.RLock()
	defer g.ring.mu.RUnlock()
	return g.meters.caughtUp.Get(), g.meters.anew.Get(), g.ring.bytes
}

// measure names the figures of uploads and downloads.
func (f *files) measure(r *meter.Registry) {
	none := meter.Say("None.", "无需处理。")
	grows := meter.Say("As people use it.", "随使用增长。")
	r.Counter(meter.Family{Name: "im_upload_bytes_total", Source: "gate", Help: meter.Say("Bytes of uploads received.", "已接收的上传字节数。"), Normal: grows, Action: none}, &f.people.received)
	r.Counter(meter.Family{Name: "im_download_bytes_total", Source: "gate", Help: meter.Say("Bytes of files sent.", "已发送的文件字节数。"), Normal: grows, Action: none}, &f.people.sent)
	r.Counter(meter.Family{Name: "im_uploads_finished_total", Source: "gate", Help: meter.Say("Uploads that became files.", "已完成的上传数。"), Normal: grows, Action: none}, &f.people.finished)
	r.Counter(meter.Family{Name: "im_uploads_interrupted_total", Source: "gate", Help: meter.Say("Uploads that broke off; clients go on where they stopped.", "中断的上传数，客户端会从断点继续。"),
		Normal: meter.Say("Few.", "很少。"), Action: meter.Say("Many: the network, or a proxy with a short time limit.", "较多时请检查网络或代理的超时设置。")}, &f.people.broken)
	r.Gauge(meter.Family{Name: "im_uploads_receiving", Source: "gate", Help: meter.Say("Uploads under way.", "正在进行的上传数。"), Normal: meter.Say("A few.", "少量。"), Action: none},
		func() float64 { return float64(f.receiving.Get()) })
}

// sessionLasted counts a session that is over.
func (g *Gate) sessionLasted(s *session, lasted time.Duration) {
	if !s.probe {
		g.meters.duration.Took(lasted)
	}
}
