package board

func host() Board {
	return Board{ID: "host", Icon: "host", Title: of("Machine", "系统"),
		About: of("Processor, memory, disks and network of the machine.", "整机的处理器、内存、磁盘与网络。"),
		Panels: []Panel{
			{ID: "cpu", Title: of("Processor", "CPU 使用率"), Kind: Stacked, Unit: "percent",
				Help:       of("Share of all cores by what they do. iowait: they wait for the disk.", "所有核心的时间占比；iowait 表示等待磁盘。"),
				Queries:    []Query{by(`100 * avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))`, "{{mode}}")},
				Thresholds: []Threshold{warn(80, "HighCPUUsage"), critical(90, "CriticalCPUUsage")}, Alerts: []string{"HighCPUUsage", "CriticalCPUUsage"}},
			{ID: "memory", Title: of("Memory", "内存"), Kind: Line, Unit: "bytes",
				Help:    of("Used is what is not available: memory that the kernel can give back does not count.", "已用 = 总量 − 可用；内核可回收的内存不计入。"),
				Queries: []Query{ask(`sum(node_memory_MemTotal_bytes) - sum(node_memory_MemAvailable_bytes)`, "used", "已用"), ask(`sum(node_memory_MemTotal_bytes)`, "all", "总量"), ask(`sum(node_memory_SwapTotal_bytes) - sum(node_memory_SwapFree_bytes)`, "swap used", "已用交换区"), ask(`sum(node_memory_SwapTotal_bytes) > 0`, "swap", "交换区总量")}, Alerts: []string{"HighMemoryUsage"}},
			{ID: "swap", Title: of("Swap", "交换区"), Kind: Line, Unit: "/s",
				Help:    of("Pages read from swap and written to it a second. Now and then is harmless; reading for minutes means that memory is short.", "每秒换入与换出的页数。偶尔出现无妨；持续换入说明内存不足。"),
				Queries: []Query{ask(`sum(rate(node_vmstat_pswpin[$__rate_interval]))`, "in", "换入"), ask(`sum(rate(node_vmstat_pswpout[$__rate_interval]))`, "out", "换出")}, Alerts: []string{"SwapActivity"}},
			{ID: "load", Title: of("Load a core", "每核负载"), Kind: Line, Unit: "",
				Help: of("Processes that run or wait, divided by the cores. Over 2 for long: too much to do, or a slow disk.", "运行或等待的进程数除以核数。长期超过 2 说明任务过多或磁盘过慢。"),
				Queries: []Query{ask(`sum(node_load1) / count(node_cpu_seconds_total{mode="idle"})`, "1 min", "1 分钟"), ask(`sum(node_load5) / count(node_cpu_seconds_total{mode="idle"})`, "5 min", "5 分钟"),
					ask(`sum(node_load15) / count(node_cpu_seconds_total{mode="idle"})`, "15 min", "15 分钟")}, Thresholds: []Threshold{warn(2, "HighLoad")}, Alerts: []string{"HighLoad"}},
			{ID: "disk", Title: of("Disks in use", "磁盘使用率"), Kind: Line, Unit: "percent",
				Help:       of("Of each filesystem, as df tells it: used of what is used or free to use.", "各文件系统的使用率，与 df 一致：已用 /（已用 + 可用）。"),
				Queries:    []Query{by(`100 * max by (mountpoint) (`+diskUse+`)`, "{{mountpoint}}")},
				Thresholds: []Threshold{warn(80, "HighDiskUsage")}, Alerts: []string{"HighDiskUsage", "DiskFillsUp"}},
			{ID: "inodes", Title: of("Inodes left", "剩余 inode"), Kind: Line, Unit: "percent",
				Help:       of("Without inodes no file can be made, although there is space.", "inode 用尽后即使有空间也无法创建文件。"),
				Queries:    []Query{by(`100 * max by (mountpoint) (node_filesystem_files_free) / max by (mountpoint) (node_filesystem_files)`, "{{mountpoint}}")},
				Thresholds: []Threshold{warn(10, "InodesLow").below()}, Alerts: []string{"InodesLow"}},
			{ID: "diskio", Title: of("Disk traffic", "磁盘读写"), Kind: Line, Unit: "bytes/s",
				Help: of("Read and written a second.", "每秒读写字节数。"), Queries: []Query{ask(`sum by (device) (rate(node_disk_read_bytes_total[$__rate_interval]))`, "{{device}} read", "{{device}} 读"), ask(`sum by (device) (rate(node_disk_written_bytes_total[$__rate_interval]))`, "{{device}} written", "{{device}} 写")}},
			{ID: "iops", Title: of("Disk operations", "磁盘 IOPS"), Kind: Line, Unit: "/s",
				Help: of("Reads and writes finished a second. A hard disk does about a hundred, an SSD thousands.", "每秒完成的读写次数。机械硬盘约一百，固态硬盘数千。"), Queries: []Query{ask(`sum by (device) (rate(node_disk_reads_completed_total[$__rate_interval]))`, "{{device}} reads", "{{device}} 读"), ask(`sum by (device) (rate(node_disk_writes_completed_total[$__rate_interval]))`, "{{device}} writes", "{{device}} 写")}},
			{ID: "diskbusy", Title: of("Disks busy", "磁盘繁忙度"), Kind: Line, Unit: "percent",
				Help: of("Share of the time in which a disk had something to do. Near 100 % for long: it is the bottleneck.", "磁盘处于工作状态的时间占比，长期接近 100% 即为瓶颈。"), Queries: []Query{by(`100 * sum by (device) (rate(node_disk_io_time_seconds_total[$__rate_interval]))`, "{{device}}")}},
			{ID: "network", Title: of("Network", "网络带宽"), Kind: Line, Unit: "bytes/s",
				Help:    of("Bytes, not bits, a second of each card.", "每块网卡每秒的字节数（不是比特）。"),
				Queries: []Query{ask(`sum by (device) (rate(node_network_receive_bytes_total{device!="lo"}[$__rate_interval]))`, "{{device}} in", "{{device}} 入"), ask(`sum by (device) (rate(node_network_transmit_bytes_total{device!="lo"}[$__rate_interval]))`, "{{device}} out", "{{device}} 出")}, Alerts: []string{"HighBandwidthUsage"}},
			{ID: "pps", Title: of("Packets", "每秒报文数"), Kind: Line, Unit: "/s",
				Help: of("Packets a second of each card. Many with few bytes: a flood, or a broken device.", "每块网卡每秒的报文数。报文多而字节少可能是泛洪或设备故障。"), Queries: []Query{ask(`sum by (device) (rate(node_network_receive_packets_total{device!="lo"}[$__rate_interval]))`, "{{device}} in", "{{device}} 入"), ask(`sum by (device) (rate(node_network_transmit_packets_total{device!="lo"}[$__rate_interval]))`, "{{device}} out", "{{device}} 出")}},
			{ID: "packets", Title: of("Packets lost or damaged", "丢包与错包"), Kind: Line, Unit: "/s",
				Help: of("Usual: 0.", "正常为 0。"), Queries: []Query{ask(`sum by (device) (rate(node_network_receive_errs_total[$__rate_interval]) + rate(node_network_transmit_errs_total[$__rate_interval]))`, "{{device}} errors", "{{device}} 错误"),
					ask(`sum by (device) (rate(node_network_receive_drop_total[$__rate_interval]) + rate(node_network_transmit_drop_total[$__rate_interval]))`, "{{device}} dropped", "{{device}} 丢弃")}, Alerts: []string{"NetworkErrors"}},
			{ID: "tcp", Title: of("TCP connections", "TCP 连接"), Kind: Stacked, Unit: "",
				Help: of("By state. Many in time_wait are normal, many in close_wait are not.", "按状态统计。time_wait 多属正常，close_wait 多则异常。"), Queries: []Query{by(`sum by (state) (node_tcp_connection_states)`, "{{state}}")}},
			{ID: "temperature", Title: of("Temperature", "温度"), Kind: Line, Unit: "celsius",
				Help:       of("Of each sensor; empty where the machine has none.", "各传感器温度；没有传感器时为空。"),
				Queries:    []Query{by(`max by (chip, sensor) (node_hwmon_temp_celsius)`, "{{chip}} {{sensor}}")},
				Thresholds: []Threshold{serious(85, "HighTemperature")}, Alerts: []string{"HighTemperature"}},
		}}
}

func api() Board {
	return Board{ID: "api", Icon: "chart", Title: of("API", "API 性能"),
		About: of("Requests, errors and answer times of the HTTP interface and of what people do.", "HTTP 接口与核心操作的请求量、错误与耗时。"),
		Panels: []Panel{
			{ID: "requests", Title: of("Requests", "请求量"), Kind: Stacked, Unit: "/s", Wide: true, Help: of("By route.", "按路由统计。"),
				Queries: []Query{by(`sum by (endpoint) (rate(http_requests_total[$__rate_interval]))`, "{{endpoint}}")}, Alerts: []string{"HighAPILoad"}},
			{ID: "errorrate", Title: of("Requests that fail", "错误率"), Kind: Line, Unit: "percent",
				Help:       of("Answers with 5xx of all answers, summed before they are divided.", "5xx 响应占比，先求和再相除。"),
				Queries:    []Query{ask(`100 * (sum(rate(http_requests_total{status=~"5.."}[$__rate_interval])) or vector(0)) / sum(rate(http_requests_total[$__rate_interval]))`, "failed", "失败")},
				Thresholds: []Threshold{serious(1, "HighErrorRate")}, Alerts: []string{"HighErrorRate"}},
			{ID: "statuses", Title: of("Answers by status", "状态码"), Kind: Stacked, Unit: "/s", Help: of("4xx are the caller's fault, 5xx the server's.", "4xx 源于调用方，5xx 源于服务器。"),
				Queries: []Query{by(`sum by (status) (rate(http_requests_total[$__rate_interval]))`, "{{status}}")}},
			{ID: "duration", Title: of("Answer times", "响应时间"), Kind: Line, Unit: "seconds", Help: of("Over all routes.", "全部路由。"), Queries: quantiles("http_request_duration_seconds_bucket", ""),
				Thresholds: []Threshold{warn(0.2, "SlowAPIResponse")}, Alerts: []string{"SlowAPIResponse"}},
			{ID: "slowest", Title: of("Slowest routes", "最慢的路由"), Kind: Line, Unit: "seconds", Help: of("P95 of those that were among the five slowest.", "曾位列最慢五条的路由的 P95。"),
				Queries: []Query{by(`topk(5, histogram_quantile(0.95, sum by (endpoint, le) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))`, "{{endpoint}}")}, Alerts: []string{"SlowAPIResponse"}},
			{ID: "actions", Title: of("What people do", "核心操作"), Kind: Line, Unit: "/s", Help: of("Logins, sending, pushing, reading, uploads, searches.", "登录、发送、推送、拉取、上传、搜索。"),
				Queries: []Query{by(`sum by (action) (rate(im_action_total[$__rate_interval]))`, "{{action}}")}},
			{ID: "actionfailures", Title: of("What does not succeed", "操作失败"), Kind: Stacked, Unit: "/s", Help: of("Refused and failed, by action.", "按操作统计的拒绝与失败。"),
				Queries: []Query{by(`sum by (action, result) (rate(im_action_total{result!="ok"}[$__rate_interval]))`, "{{action}} {{result}}")}, Alerts: []string{"AuthFailuresBurst"}},
			{ID: "actiontimes", Title: of("How long it takes", "操作耗时"), Kind: Line, Unit: "seconds", Help: of("P95 by action.", "各操作的 P95。"),
				Queries: []Query{by(`histogram_quantile(0.95, sum by (action, le) (rate(im_action_duration_seconds_bucket[$__rate_interval])))`, "{{action}}")}},
		}}
}

// diskUse is the used share of each filesystem as df tells it: what the system
// keeps back for itself counts neither way.
const diskUse = `(node_filesystem_size_bytes - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes)`

func program() Board {
	return Board{ID: "program", Icon: "chart", Title: of("The server", "本程序"),
		About: of("What the program itself takes: processors, memory, files, garbage collection.", "程序自身的处理器、内存、文件与垃圾回收。"),
		Panels: []Panel{
			{ID: "cpu", Title: of("Processor of the server", "本程序 CPU"), Kind: Line, Unit: "percent", Help: of("100 % is one core; all is what the machine has.", "100% 为一个核心；“全部”为整机核心。"),
				Queries: []Query{ask(`100 * sum(rate(process_cpu_seconds_total[$__rate_interval]))`, "this server", "本程序"), ask(`100 * count(node_cpu_seconds_total{mode="idle"})`, "all", "全部")}},
			{ID: "memory", Title: of("Memory of the server", "本程序内存"), Kind: Line, Unit: "bytes",
				Help: of("Memory of the process, what its Go heap holds, and the limit of its group, if there is one.", "进程内存、Go 堆，以及 cgroup 上限（如有）。"), Queries: []Query{ask(`sum(process_resident_memory_bytes)`, "resident", "常驻内存"), ask(`sum(go_memstats_heap_alloc_bytes)`, "heap", "堆"), ask(`sum(posthouse_cgroup_memory_limit_bytes)`, "limit", "上限")}, Alerts: []string{"MemoryLeakSuspected"}},
			{ID: "gc", Title: of("Garbage collection", "垃圾回收"), Kind: Line, Unit: "seconds", Help: of("The longest pause lately, and how much of a second is spent in pauses.", "近期最长暂停，以及每秒用于暂停的时间。"),
				Queries: []Query{ask(`max(go_gc_duration_seconds{quantile="1"})`, "longest", "最长"), ask(`sum(rate(go_gc_duration_seconds_sum[$__rate_interval]))`, "of a second", "每秒")}},
			{ID: "allocated", Title: of("Memory allocated", "内存分配"), Kind: Line, Unit: "bytes/s", Help: of("Bytes a second that the program asks for; most are given back by the next collection.", "程序每秒申请的内存，多数在下次回收时归还。"),
				Queries: []Query{ask(`sum(rate(go_memstats_alloc_bytes_total[$__rate_interval]))`, "allocated", "分配")}},
			{ID: "goroutines", Title: of("Goroutines", "Goroutine"), Kind: Line, Unit: "", Help: of("A few a connection. Growth without connections is a leak.", "每个连接若干个；与连接无关的增长即为泄漏。"),
				Queries: []Query{ask(`sum(go_goroutines)`, "goroutines", "goroutine"), ask(`sum(connections_active)`, "connections", "连接")}, Alerts: []string{"GoroutinesHigh"}},
			{ID: "descriptors", Title: of("File descriptors", "文件描述符"), Kind: Line, Unit: "percent", Help: of("Of those allowed. Each connection takes one.", "占上限的比例，每个连接占用一个。"),
				Queries: []Query{ask(`100 * max(process_open_fds / process_max_fds)`, "in use", "已用")}, Thresholds: []Threshold{serious(80, "FileDescriptorsLow")}, Alerts: []string{"FileDescriptorsLow"}},
			{ID: "faults", Title: of("Faults", "内部故障"), Kind: Bars, Unit: "", Help: of("Panics and internal errors in five minutes. Usual: none; the page Operations has each with its stack.", "五分钟内的异常与内部错误，正常为零；“操作”页面有其调用栈。"),
				Queries: []Query{by(`sum by (kind) (increase(im_faults_total[5m]))`, "{{kind}}")}},
		}}
}
