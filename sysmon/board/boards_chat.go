package board

func messages() Board {
	return Board{ID: "messages", Icon: "channel", Title: of("Messages", "消息"),
		About: of("The way of messages: accepted, stored, delivered, acknowledged.", "消息的路径：接收、存储、投递、确认。"),
		Panels: []Panel{
			{ID: "sent", Title: of("Messages", "消息量"), Kind: Line, Unit: "/s", Help: of("Stored a second.", "每秒存储的消息。"), Queries: []Query{ask(rate("im_messages_sent_total"), "stored", "已存储")}, Alerts: []string{"MessagesFew"}},
			{ID: "deliveries", Title: of("Deliveries", "投递"), Kind: Line, Unit: "/s", Help: of("To connected devices, acknowledged by them, and to people who are offline.", "发往在线设备、已确认、离线待收。"),
				Queries: []Query{ask(rate("im_deliveries_total"), "to devices", "在线投递"), ask(rate("im_delivery_acks_total"), "acknowledged", "已确认"), ask(rate("im_deliveries_offline_total"), "offline", "离线")}},
			{ID: "arrival", Title: of("Messages that arrive", "消息送达率"), Kind: Line, Unit: "percent", Help: of("Acknowledged of those to connected devices. Usual: 100 %.", "在线投递中已确认的比例，正常为 100%。"),
				Queries: []Query{ask(`100 * sum(increase(im_delivery_acks_total[5m])) / (sum(increase(im_deliveries_total[5m])) > 0)`, "arrived", "送达")}, Thresholds: []Threshold{serious(99.9, "LowArrivalRate").below()}, Alerts: []string{"LowArrivalRate"}},
			{ID: "latency", Title: of("From sending to arrival", "端到端延迟"), Kind: Line, Unit: "seconds", Help: of("By the clock of the server alone: from the message's acceptance to the acknowledgement.", "只用服务器时钟计量：从接收消息到收到确认。"), Queries: quantiles("im_delivery_latency_seconds_bucket", ""),
				Thresholds: []Threshold{warn(0.8, "HighDeliveryLatency"), serious(5, "MessageDeliveryDelayed")}, Alerts: []string{"HighDeliveryLatency", "MessageDeliveryDelayed"}},
			{ID: "durable", Title: of("From accepting to stored", "接收到落盘"), Kind: Line, Unit: "seconds", Help: of("How long the sender waits until the message is safe.", "发送者等待消息安全落盘的时间。"), Queries: quantiles("im_message_process_duration_seconds_bucket", "")},
			{ID: "connections", Title: of("Connections", "连接"), Kind: Line, Unit: "", Help: of("Open WebSockets.", "打开的 WebSocket。"), Queries: []Query{ask(`sum(connections_active)`, "open", "打开")}, Alerts: []string{"ConnectionsDropped", "ConnectionsUnusual"}},
			{ID: "coming", Title: of("Connections made", "新建连接"), Kind: Line, Unit: "/s", Help: of("Many with few that stay: clients cannot hold their connection.", "新建多而保持少，说明客户端无法维持连接。"), Queries: []Query{ask(rate("connections_total"), "made", "新建")}},
			{ID: "sessions", Title: of("How long sessions last", "会话时长"), Kind: Line, Unit: "seconds", Help: of("Half of those that ended were longer. Short: an unstable network.", "已结束会话的中位时长，过短说明网络不稳。"), Queries: []Query{ask(`histogram_quantile(0.5, sum by (le) (rate(session_duration_seconds_bucket[$__rate_interval])))`, "P50", "P50")}},
			{ID: "rtt", Title: of("Round trips", "往返时延"), Kind: Line, Unit: "seconds", Help: of("Of the heartbeat of clients.", "客户端心跳的往返时间。"), Queries: quantiles("im_session_rtt_seconds_bucket", "")},
			{ID: "heartbeats", Title: of("Heartbeats missed", "心跳丢失"), Kind: Line, Unit: "/s", Help: of("Usual: about 0.", "正常接近 0。"), Queries: []Query{ask(rate("im_heartbeat_missed_total"), "missed", "丢失")}},
			{ID: "queue", Title: of("Waiting to be sent", "待发送队列"), Kind: Line, Unit: "", Help: of("Frames for clients that take them slowly.", "等待慢客户端接收的帧。"), Queries: []Query{ask(`sum(im_outbound_queue_frames{stat="total"})`, "frames", "帧"), ask(`sum(im_slow_consumers)`, "slow clients", "慢客户端")}},
			{ID: "errors", Title: of("Errors by kind", "错误码分布"), Kind: Stacked, Unit: "/s", Help: of("Calls that were refused.", "被拒绝的调用。"), Queries: []Query{by(`sum by (kind) (rate(im_errors_total[$__rate_interval]))`, "{{kind}}")}, Alerts: []string{"DatabaseInsertFailed"}},
		}}
}

func business() Board {
	lastWeek := func(expr string) Query { return ask(expr, "a week ago", "上周同期") }
	return Board{ID: "business", Icon: "people", Title: of("Business", "业务指标"),
		About: of("How much the chat is used, beside the same time a week ago.", "使用情况，与上周同期对比。"),
		Panels: []Panel{
			{ID: "people", Title: of("People online", "在线人数"), Kind: Area, Unit: "", Wide: true, Help: of("Each counted once.", "每人计一次。"),
				Queries: []Query{ask(`sum(im_active_users_total)`, "now", "当前"), lastWeek(`sum(im_active_users_total offset 1w)`)}, Alerts: []string{"LowActiveUsers"}},
			{ID: "messages", Title: of("Messages an hour", "每小时消息"), Kind: Line, Unit: "", Help: of("Stored in the hour before.", "过去一小时存储的消息数。"),
				Queries: []Query{ask(`sum(increase(im_messages_sent_total[1h]))`, "now", "当前"), lastWeek(`sum(increase(im_messages_sent_total[1h] offset 1w))`)}, Alerts: []string{"MessagesFew"}},
			{ID: "conversations", Title: of("Rooms with traffic", "活跃会话"), Kind: Line, Unit: "", Help: of("Rooms in which something was said lately.", "近期有消息的会话数。"),
				Queries: []Query{ask(`sum(im_conversations_active)`, "now", "当前"), lastWeek(`sum(im_conversations_active offset 1w)`)}},
			{ID: "connections", Title: of("Devices connected", "在线设备"), Kind: Line, Unit: "", Help: of("Connections; most people have one to three.", "连接数，多数人有一到三台设备。"),
				Queries: []Query{ask(`sum(connections_active)`, "now", "当前"), lastWeek(`sum(connections_active offset 1w)`)}, Alerts: []string{"ConnectionsUnusual"}},
			{ID: "new", Title: of("New people a day", "每日新增用户"), Kind: Bars, Unit: "", Help: of("Accounts made in the day before.", "过去一天新建的账号数。"),
				Queries: []Query{ask(`sum(increase(im_registrations_total[1d]))`, "new", "新增")}, Alerts: []string{"RegistrationsFew"}},
			{ID: "logins", Title: of("Logins an hour", "每小时登录"), Kind: Line, Unit: "", Help: of("By result.", "按结果统计。"), Queries: []Query{by(`sum by (result) (increase(im_action_total{action="login"}[1h]))`, "{{result}}")}, Alerts: []string{"AuthFailuresBurst"}},
			{ID: "uploads", Title: of("Files an hour", "每小时上传"), Kind: Line, Unit: "", Help: of("Uploads that ended well.", "成功的上传数。"), Queries: []Query{ask(`sum(increase(im_action_total{action="upload",result="ok"}[1h]))`, "files", "文件")}},
			{ID: "searches", Title: of("Searches an hour", "每小时搜索"), Kind: Line, Unit: "", Help: of("How much search is used.", "搜索使用量。"), Queries: []Query{ask(`sum(increase(im_action_total{action="search"}[1h]))`, "searches", "搜索")}},
		}}
}

func storage() Board {
	return Board{ID: "storage", Icon: "disk", Title: of("Storage", "存储"),
		About: of("The writer, the journal, the state file, caches.", "写入、日志、状态文件与缓存。"),
		Panels: []Panel{
			{ID: "writer", Title: of("The writer is busy", "写入繁忙度"), Kind: Line, Unit: "percent", Help: of("Share of the time in which the only writer works. Near 100 %: sending waits.", "唯一写入者的工作时间占比，接近 100% 时发送需排队。"),
				Queries: []Query{ask(`100 * max(im_storage_writer_saturation_ratio)`, "busy", "繁忙")}, Thresholds: []Threshold{serious(90, "StorageWriterSaturated")}, Alerts: []string{"StorageWriterSaturated"}},
			{ID: "queue", Title: of("Waiting to be written", "写队列"), Kind: Line, Unit: "", Help: of("Commands that wait for the writer, and read transactions that are open.", "等待写入的命令与打开的读事务。"),
				Queries: []Query{ask(`sum(im_storage_write_queue)`, "commands", "命令"), ask(`sum(im_storage_open_read_txs)`, "readers", "读事务")}},
			{ID: "wait", Title: of("Waiting for the writer", "等待写入"), Kind: Line, Unit: "seconds", Help: of("How long a command waits until the writer turns to it.", "命令等待写入线程处理的时间。"), Queries: quantiles("im_storage_write_wait_seconds_bucket", ""), Alerts: []string{"StorageWriterSaturated"}},
			{ID: "fsync", Title: of("Flushing to disk", "落盘耗时"), Kind: Line, Unit: "seconds", Help: of("One fsync of the journal. Usual: a few ms on SSD, tens on a hard disk.", "日志一次 fsync 的耗时，SSD 通常为几毫秒。"), Queries: quantiles("im_journal_fsync_duration_seconds_bucket", "")},
			{ID: "transactions", Title: of("Transactions", "事务耗时"), Kind: Line, Unit: "seconds", Help: of("P95 by operation.", "各操作的 P95。"), Queries: []Query{by(`histogram_quantile(0.95, sum by (op, le) (rate(im_storage_tx_duration_seconds_bucket[$__rate_interval])))`, "{{op}}")}},
			{ID: "slow", Title: of("Slow operations", "慢操作"), Kind: Bars, Unit: "", Help: of("Over a second each, in five minutes.", "五分钟内超过一秒的操作数。"), Queries: []Query{ask(`sum(increase(im_slow_operations_total{kind!="transfer"}[5m]))`, "slow", "慢操作")},
				Thresholds: []Threshold{warn(10, "StorageSlowOperations")}, Alerts: []string{"StorageSlowOperations"}},
			{ID: "journal", Title: of("Journal", "日志大小"), Kind: Line, Unit: "bytes", Help: of("All records since the beginning.", "自启用以来的全部记录。"), Queries: []Query{ask(`sum(im_journal_bytes)`, "journal", "日志")}},
			{ID: "files", Title: of("State files", "状态文件"), Kind: Stacked, Unit: "bytes", Help: of("Size of each file.", "各文件大小。"), Queries: []Query{by(`max by (file) (im_bbolt_size_bytes)`, "{{file}}")}},
			{ID: "buckets", Title: of("Largest parts of the state", "最大的数据表"), Kind: Line, Unit: "", Help: of("Keys of the five largest buckets.", "键最多的五个桶。"), Queries: []Query{by(`topk(5, max by (file, bucket) (im_bbolt_bucket_keys))`, "{{file}} {{bucket}}")}},
			{ID: "lag", Title: of("Not yet taken over", "落后记录"), Kind: Line, Unit: "", Help: of("Records that the state file and the index of messages still have to read.", "状态文件与搜索索引尚未处理的记录数。"), Queries: []Query{ask(`sum(im_state_flush_lag_records)`, "state file", "状态文件"), ask(`sum(im_search_lag_records)`, "search", "搜索索引")}},
			{ID: "hits", Title: of("Caches that hit", "缓存命中率"), Kind: Line, Unit: "percent", Help: of("Asked and found.", "查询命中的比例。"), Queries: []Query{by(`100 * sum by (cache) (rate(im_cache_hits_total[$__rate_interval])) / (sum by (cache) (rate(im_cache_hits_total[$__rate_interval])) + sum by (cache) (rate(im_cache_misses_total[$__rate_interval])))`, "{{cache}}")}},
			{ID: "caches", Title: of("Caches", "缓存占用"), Kind: Stacked, Unit: "bytes", Help: of("Memory they take.", "占用的内存。"), Queries: []Query{by(`sum by (cache) (im_cache_bytes)`, "{{cache}}")}, Alerts: []string{"CacheMemoryHigh"}},
			{ID: "readonly", Title: of("Read-only", "只读状态"), Kind: Bars, Unit: "", Help: of("1 while nothing can be stored because the disk is nearly full.", "磁盘将满、无法写入时为 1。"), Queries: []Query{ask(`max(im_storage_read_only)`, "read-only", "只读")}, Alerts: []string{"StorageReadOnly"}},
			{ID: "sent_on", Title: of("Sent on to another Prometheus", "发往其他 Prometheus"), Kind: Line, Unit: "seconds", Help: of("How old the newest sample is that the receiver of remote write has. Empty where none is configured.", "remote write 接收端已有的最新采样距今多久；未配置时为空。"),
				Queries: []Query{ask(`max(posthouse_remote_write_behind_seconds)`, "behind", "落后")}, Alerts: []string{"RemoteWriteFailing"}},
		}}
}

func probes() Board {
	return Board{ID: "probes", Icon: "probe", Title: of("Probes", "探测"),
		About: of("What somebody outside sees: checks, virtual users, certificates.", "从外部看到的状态：探测、虚拟用户与证书。"),
		Panels: []Panel{
			{ID: "success", Title: of("Checks that succeed", "探测成功率"), Kind: Line, Unit: "percent", Wide: true, Help: of("Of the hour before.", "过去一小时。"),
				Queries: []Query{by(`100 * avg by (probe) (avg_over_time(probe_success[1h]))`, "{{probe}}")}, Alerts: []string{"ProbeFailed", "ChatProbeFailed", "HealthCheckFailed"}},
			{ID: "duration", Title: of("How long checks take", "探测耗时"), Kind: Line, Unit: "seconds", Help: of("The last run of each.", "最近一次探测。"), Queries: []Query{by(`max by (probe) (probe_duration_seconds)`, "{{probe}}")}},
			{ID: "steps", Title: of("Steps of the virtual users", "虚拟用户各步骤"), Kind: Stacked, Unit: "seconds", Help: of("Log in, send, receive, acknowledge, history, file.", "登录、发送、接收、确认、历史、文件。"), Queries: []Query{by(`max by (step) (probe_step_duration_seconds)`, "{{step}}")}, Alerts: []string{"ChatProbeFailed"}},
			{ID: "certificates", Title: of("Certificates", "证书剩余天数"), Kind: Line, Unit: "days", Help: of("Days until they end.", "距到期的天数。"),
				Queries:    []Query{ask(`(min by (probe) (probe_ssl_earliest_cert_expiry) - time()) / 86400`, "{{probe}}", "{{probe}}"), ask(`(min(im_certificate_expiry_timestamp_seconds) - time()) / 86400`, "this server", "本服务器")},
				Thresholds: []Threshold{warn(30, "CertificateExpiresSoon").below(), serious(14, "CertificateExpiresSoon").below(), critical(3, "CertificateExpiresSoon").below()}, Alerts: []string{"CertificateExpiresSoon"}},
			{ID: "reach", Title: of("Gateway and DNS", "网关与 DNS"), Kind: Line, Unit: "", Help: of("1: reached. 0: not.", "1 表示可达，0 表示不可达。"), Queries: []Query{ask(`min(posthouse_gateway_reachable)`, "gateway", "网关"), ask(`min(posthouse_dns_reachable)`, "DNS", "DNS")}},
			{ID: "subnets", Title: of("Subnets", "子网"), Kind: Line, Unit: "percent", Help: of("Rounds of the machines that report from subnets that went through, of the hour before. Empty where none reports.", "各子网上报机器最近一小时成功的探测轮次；没有上报机器时为空。"),
				Queries: []Query{by(`100 * min by (subnet) (posthouse_subnet_arrival_ratio)`, "{{subnet}}")}, Alerts: []string{"SubnetUnreachable"}},
			{ID: "sources", Title: of("Sources of figures", "采集状态"), Kind: Line, Unit: "", Help: of("1: read in time. 0: not.", "1 表示采集正常，0 表示失败。"), Queries: []Query{by(`min by (job) (up)`, "{{job}}")}, Alerts: []string{"ServiceDown", "InstanceDown"}},
			{ID: "score", Title: of("Health score", "健康分"), Kind: Line, Unit: "", Help: of("100 is well.", "满分 100。"), Queries: []Query{ask(`min(posthouse_health_score)`, "score", "分数")}, Thresholds: []Threshold{serious(60, "LowHealthScore").below()}, Alerts: []string{"LowHealthScore"}},
			{ID: "terms", Title: of("What costs health", "健康扣分项"), Kind: Stacked, Unit: "", Help: of("Points taken off, by term.", "各项扣除的分数。"), Queries: []Query{by(`max by (term) (posthouse_health_term)`, "{{term}}")}},
			{ID: "notices", Title: of("Notices", "通知发送"), Kind: Stacked, Unit: "", Help: of("Sent in an hour, by channel and result.", "每小时按渠道与结果统计的通知数。"), Queries: []Query{by(`sum by (channel, result) (increase(posthouse_notifications_total[1h]))`, "{{channel}} {{result}}")}, Alerts: []string{"NotificationsFailing"}},
		}}
}
