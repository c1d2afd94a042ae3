package host

import (
	"slices"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// Families describe everything Write writes, for the metric dictionary.
func (h *Host) Families() []expo.Family {
	out := slices.Concat(cpuFamilies(), memoryFamilies(), diskFamilies(), networkFamilies(), clockFamilies(), selfFamilies(), runtimeFamilies())
	for i := range out {
		out[i].Labels = labelsOf(out[i].Name)
	}
	return out
}

const (
	counter = "counter"
	gauge   = "gauge"
	untyped = "untyped" // node_exporter's type where a name breaks the rule that counters end in _total
)

// family is one line of the dictionary: name, type, unit, source, then help,
// what is normal, and what to do, each in English and Chinese.
func family(name, kind, unit, source string, said ...string) expo.Family {
	return expo.Family{Name: name, Type: kind, Unit: unit, Source: source,
		Help: words.Of(said[0], said[1]), Normal: words.Of(said[2], said[3]), Action: words.Of(said[4], said[5])}
}

func cpuFamilies() []expo.Family {
	look := []string{"Look at the process list: who is busy?", "查看进程列表，找出占用者。"}
	return []expo.Family{
		family("node_cpu_seconds_total", counter, "seconds", "/proc/stat", append([]string{"Time each core spent, by mode.", "每个核心在各模式下所用的时间。",
			"idle above 20 % over five minutes", "五分钟内空闲高于 20 %"}, look...)...),
		family("node_load1", gauge, "", "/proc/loadavg", append([]string{"Processes that run or wait for a disk, mean of one minute.", "运行中或等待磁盘的进程数，一分钟均值。",
			"below the number of cores", "低于核心数"}, look...)...),
		family("node_load5", gauge, "", "/proc/loadavg", append([]string{"Processes that run or wait for a disk, mean of five minutes.", "运行中或等待磁盘的进程数，五分钟均值。",
			"below the number of cores", "低于核心数"}, look...)...),
		family("node_load15", gauge, "", "/proc/loadavg", append([]string{"Processes that run or wait for a disk, mean of fifteen minutes.", "运行中或等待磁盘的进程数，十五分钟均值。",
			"below the number of cores", "低于核心数"}, look...)...),
		family("node_procs_running", gauge, "", "/proc/stat", append([]string{"Processes that run or could.", "可运行的进程数。", "a few", "少量"}, look...)...),
		family("node_procs_blocked", gauge, "", "/proc/stat", "Processes that wait for a disk.", "等待磁盘的进程数。", "0", "0",
			"The disk is slow or hangs: look at its busy time and the kernel's log.", "磁盘缓慢或无响应：查看其繁忙时间和内核日志。"),
		family("node_processes_pids", gauge, "", "/proc", append([]string{"Processes.", "进程数。", "steady", "平稳"}, look...)...),
		family("node_processes_threads", gauge, "", "/proc/loadavg", append([]string{"Threads.", "线程数。", "steady", "平稳"}, look...)...),
		family("node_forks_total", counter, "", "/proc/stat", append([]string{"Processes begun since boot.", "自启动以来创建的进程数。", "a few a second", "每秒几个"}, look...)...),
		family("node_context_switches_total", counter, "", "/proc/stat", append([]string{"Switches between threads.", "线程切换次数。", "steady", "平稳"}, look...)...),
		family("node_hwmon_temp_celsius", gauge, "celsius", "/sys/class/hwmon", "Temperature by chip and sensor.", "各芯片、各传感器的温度。", "below 80", "低于 80",
			"Clean the fans and the air's way; look at the load.", "清理风扇与风道，检查负载。"),
		family("node_hwmon_temp_crit_celsius", gauge, "celsius", "/sys/class/hwmon", "Temperature at which the chip is in danger.", "芯片的危险温度。", "fixed", "固定值", "None.", "无。"),
		family("node_thermal_zone_temp", gauge, "celsius", "/sys/class/thermal", "Temperature by zone.", "各温区的温度。", "below 80", "低于 80",
			"Clean the fans and the air's way; look at the load.", "清理风扇与风道，检查负载。"),
	}
}

func memoryFamilies() []expo.Family {
	more := []string{"Look at the largest processes; stop what does not belong here, or add memory.", "查看占用最大的进程；停掉无关程序，或增加内存。"}
	f := func(name, en, zh string) expo.Family {
		return family("node_memory_"+name+"_bytes", gauge, "bytes", "/proc/meminfo", append([]string{en, zh, "available above a fifth of the total", "可用内存高于总量的五分之一"}, more...)...)
	}
	return []expo.Family{
		f("MemTotal", "Memory of the machine.", "内存总量。"),
		f("MemFree", "Memory used for nothing at all.", "完全未使用的内存。"),
		f("MemAvailable", "Memory a program could still have.", "程序仍可使用的内存。"),
		f("Buffers", "Cache of disks.", "磁盘缓冲。"),
		f("Cached", "Cache of files.", "文件缓存。"),
		f("Shmem", "Shared memory and files in memory.", "共享内存与内存文件系统。"),
		f("Slab", "Structures of the kernel.", "内核结构。"),
		f("SReclaimable", "Structures of the kernel that it can give back.", "可回收的内核结构。"),
		f("Dirty", "Waits to be written to disk.", "等待写入磁盘的数据。"),
		f("Writeback", "Being written to disk.", "正在写入磁盘的数据。"),
		f("Committed_AS", "Memory promised to programs.", "已承诺给程序的内存。"),
		f("SwapTotal", "Swap space.", "交换空间总量。"),
		f("SwapFree", "Swap space that is free.", "空闲交换空间。"),
		family("node_vmstat_pswpin", untyped, "pages", "/proc/vmstat", append([]string{"Pages read back from swap.", "从交换空间读回的页数。", "steady at 0", "持续为 0"}, more...)...),
		family("node_vmstat_pswpout", untyped, "pages", "/proc/vmstat", append([]string{"Pages written to swap.", "写入交换空间的页数。", "steady at 0", "持续为 0"}, more...)...),
		family("node_vmstat_pgmajfault", untyped, "", "/proc/vmstat", append([]string{"Faults that had to read a disk.", "需要读盘的缺页次数。", "a few a second", "每秒几次"}, more...)...),
		family("node_vmstat_oom_kill", untyped, "", "/proc/vmstat", append([]string{"Processes the kernel killed because memory ran out.", "因内存耗尽被内核终止的进程数。", "0", "0"}, more...)...),
	}
}

func diskFamilies() []expo.Family {
	free := []string{"Delete what is not needed, move backups elsewhere, or enlarge the disk.", "删除无用数据，将备份移到别处，或扩大磁盘。"}
	busy := []string{"See who writes; a disk busy above 90 % for long is too slow for its work.", "查看写入来源；繁忙长期高于 90 % 说明磁盘过慢。"}
	fs := func(name, unit, en, zh string) expo.Family {
		return family("node_filesystem_"+name, gauge, unit, "statfs", append([]string{en, zh, "a fifth free", "空闲五分之一以上"}, free...)...)
	}
	io := func(name, kind, unit, en, zh string) expo.Family {
		return family("node_disk_"+name, kind, unit, "/proc/diskstats", append([]string{en, zh, "busy below 60 %", "繁忙低于 60 %"}, busy...)...)
	}
	return []expo.Family{
		fs("size_bytes", "bytes", "Size of the filesystem.", "文件系统大小。"),
		fs("free_bytes", "bytes", "Free space, that kept for root included.", "空闲空间，含为 root 保留的部分。"),
		fs("avail_bytes", "bytes", "Free space for programs.", "程序可用的空闲空间。"),
		fs("files", "", "Files (inodes) it can hold.", "可容纳的文件数（inode）。"),
		fs("files_free", "", "Files (inodes) it can still take.", "还能容纳的文件数（inode）。"),
		family("node_filesystem_readonly", gauge, "", "/proc/self/mountinfo", "1: mounted read-only.", "1：以只读方式挂载。", "0", "0",
			"The kernel remounts a filesystem read-only after errors: look at its log, check the disk.", "内核在出错后会将文件系统改为只读：查看内核日志并检查磁盘。"),
		family("node_filesystem_device_error", gauge, "", "statfs", "1: the filesystem did not answer in time.", "1：文件系统未及时应答。", "0", "0",
			"Look at the server or the disk behind it.", "检查其背后的服务器或磁盘。"),
		family("posthouse_data_disk_info", gauge, "", "/proc/self/mountinfo", "1: the filesystem the data directory is on, and its disk.", "1：数据目录所在的文件系统及其磁盘。", "1", "1", "None.", "无。"),
		io("read_bytes_total", counter, "bytes", "Bytes read.", "读取字节数。"),
		io("written_bytes_total", counter, "bytes", "Bytes written.", "写入字节数。"),
		io("reads_completed_total", counter, "", "Reads.", "读取次数。"),
		io("writes_completed_total", counter, "", "Writes.", "写入次数。"),
		io("read_time_seconds_total", counter, "seconds", "Time all reads took together.", "全部读取所用时间之和。"),
		io("write_time_seconds_total", counter, "seconds", "Time all writes took together.", "全部写入所用时间之和。"),
		io("io_time_seconds_total", counter, "seconds", "Time the disk was busy.", "磁盘繁忙的时间。"),
		io("io_now", gauge, "", "Requests under way.", "正在进行的请求数。"),
	}
}

func networkFamilies() []expo.Family {
	wire := []string{"Check cable, port and duplex; look at the switch's counters.", "检查网线、端口与双工模式，查看交换机计数。"}
	n := func(name, unit, normalEN, normalZH, en, zh string) expo.Family {
		return family("node_network_"+name, counter, unit, "/proc/net/dev", append([]string{en, zh, normalEN, normalZH}, wire...)...)
	}
	tcp := func(name, kind, en, zh string) expo.Family {
		return family("node_netstat_Tcp_"+name, kind, "", "/proc/net/snmp", append([]string{en, zh, "steady", "平稳"}, wire...)...)
	}
	return []expo.Family{
		n("receive_bytes_total", "bytes", "below 70 % of the link", "低于链路的 70 %", "Bytes received.", "接收字节数。"),
		n("transmit_bytes_total", "bytes", "below 70 % of the link", "低于链路的 70 %", "Bytes sent.", "发送字节数。"),
		n("receive_packets_total", "", "steady", "平稳", "Packets received.", "接收包数。"),
		n("transmit_packets_total", "", "steady", "平稳", "Packets sent.", "发送包数。"),
		n("receive_errs_total", "", "steady at 0", "不增长", "Packets received broken.", "接收错误包数。"),
		n("transmit_errs_total", "", "steady at 0", "不增长", "Packets that could not be sent.", "发送错误包数。"),
		n("receive_drop_total", "", "steady at 0", "不增长", "Packets received and dropped.", "接收后丢弃的包数。"),
		n("transmit_drop_total", "", "steady at 0", "不增长", "Packets dropped before sending.", "发送前丢弃的包数。"),
		family("node_network_up", gauge, "", "/sys/class/net", append([]string{"1: the link is up.", "1：链路已连通。", "1", "1"}, wire...)...),
		family("node_network_speed_bytes", gauge, "bytes per second", "/sys/class/net", append([]string{"Speed of the link.", "链路速率。", "that of the cable", "与布线一致"}, wire...)...),
		family("node_tcp_connection_states", gauge, "", "sock_diag", "TCP connections by state.", "各状态的 TCP 连接数。", "steady", "平稳",
			"Many close_wait: a program forgets to close. Many syn_recv: an attack or a lossy network.", "close_wait 多：程序未关闭连接；syn_recv 多：攻击或网络丢包。"),
		tcp("CurrEstab", gauge, "TCP connections that are established.", "已建立的 TCP 连接数。"),
		tcp("RetransSegs", untyped, "TCP segments sent again.", "TCP 重传段数。"),
		tcp("OutSegs", untyped, "TCP segments sent.", "TCP 发送段数。"),
		tcp("PassiveOpens", untyped, "TCP connections accepted.", "被动打开的 TCP 连接数。"),
		tcp("ActiveOpens", untyped, "TCP connections made.", "主动打开的 TCP 连接数。"),
		tcp("EstabResets", untyped, "Established TCP connections that were reset.", "被重置的 TCP 连接数。"),
		family("posthouse_gateway_reachable", gauge, "", "/proc/net/arp", append([]string{"1: the default gateway answers.", "1：默认网关有应答。", "1", "1"}, wire...)...),
		family("posthouse_dns_reachable", gauge, "", "a question to the server", "1: the name server answers.", "1：DNS 服务器有应答。", "1", "1",
			"Look at the server, or at /etc/resolv.conf.", "检查该服务器或 /etc/resolv.conf。"),
		family("posthouse_dns_response_seconds", gauge, "seconds", "a question to the server", "How long the name server took.", "DNS 服务器应答用时。", "below 0.1", "低于 0.1",
			"Look at the server, or at /etc/resolv.conf.", "检查该服务器或 /etc/resolv.conf。"),
	}
}

func clockFamilies() []expo.Family {
	sync := []string{"Start chrony or systemd-timesyncd with a time server of your network.", "启动 chrony 或 systemd-timesyncd，并配置本网络的时间服务器。"}
	return []expo.Family{
		family("node_time_seconds", gauge, "seconds", "the clock", append([]string{"The time here, since 1970.", "本机时间（自 1970 年起）。", "the real time", "与真实时间一致"}, sync...)...),
		family("node_boot_time_seconds", gauge, "seconds", "/proc/stat", "When the machine was started, since 1970.", "本机启动的时间（自 1970 年起）。", "steady", "不变", "It was restarted: who did, or was there a power failure?", "发生过重启：是谁操作，还是断电？"),
		family("posthouse_clock_step_seconds", gauge, "seconds", "the clocks", append([]string{"How far the clock was set since the last sample.", "自上次采样以来时钟被调整的幅度。", "0", "0"}, sync...)...),
		family("node_timex_sync_status", gauge, "", "adjtimex", append([]string{"1: something keeps the clock right.", "1：时钟正被校准。", "1", "1"}, sync...)...),
		family("node_timex_offset_seconds", gauge, "seconds", "adjtimex", append([]string{"How far the clock is off.", "时钟偏差。", "within 0.05", "±0.05 以内"}, sync...)...),
		family("node_timex_maxerror_seconds", gauge, "seconds", "adjtimex", append([]string{"How far the clock may be off at most.", "时钟最大误差。", "below 1", "低于 1"}, sync...)...),
		family("node_timex_estimated_error_seconds", gauge, "seconds", "adjtimex", append([]string{"How far the clock is thought to be off.", "时钟估计误差。", "below 0.1", "低于 0.1"}, sync...)...),
		family("node_uname_info", gauge, "", "uname", "1: name and kernel of the machine.", "1：主机名与内核。", "1", "1", "None.", "无。"),
		family("node_filefd_allocated", gauge, "", "/proc/sys/fs/file-nr", "Descriptors open on the machine.", "全机打开的描述符数。", "far below the maximum", "远低于上限", "Find who opens them in the process list.", "在进程列表中查找占用者。"),
		family("node_filefd_maximum", gauge, "", "/proc/sys/fs/file-nr", "Descriptors the machine can have.", "全机描述符上限。", "fixed", "固定值", "None.", "无。"),
		family("node_scrape_collector_success", gauge, "", "the sampler", "1: this part of the sample was taken.", "1：该部分采样成功。", "1", "1",
			"0: the machine did not answer in time. Filesystems, sensors and resolvers are the usual ones.", "0：机器未及时应答，常见于文件系统、传感器和解析器。"),
		family("node_scrape_collector_duration_seconds", gauge, "seconds", "the sampler", "How long this part of the sample took.", "该部分采样用时。", "below 0.1", "低于 0.1",
			"Look at what the part reads.", "检查该部分读取的对象。"),
	}
}

func selfFamilies() []expo.Family {
	fds := []string{"Raise LimitNOFILE of the unit; look for connections that stay open.", "提高服务单元的 LimitNOFILE，检查未关闭的连接。"}
	mem := []string{"Growing for days is a leak: take a heap profile before a restart.", "持续多日增长即为泄漏：重启前先采集堆剖析。"}
	return []expo.Family{
		family("process_cpu_seconds_total", counter, "seconds", "getrusage", "CPU time of this program.", "本程序的 CPU 时间。", "below one core", "低于一个核心", "Look at requests and slow operations.", "查看请求量与慢操作。"),
		family("process_major_page_faults_total", counter, "", "getrusage", "Times this program had to wait for a page from disk.", "本程序等待读盘的缺页次数。", "a few a second", "每秒几次", "The data files are larger than the memory for cache: add memory.", "数据文件大于可用缓存：增加内存。"),
		family("process_resident_memory_bytes", gauge, "bytes", "/proc/self/statm", append([]string{"Memory of this program.", "本程序占用的内存。", "steady after some hours", "数小时后平稳"}, mem...)...),
		family("process_virtual_memory_bytes", gauge, "bytes", "/proc/self/statm", append([]string{"Address space of this program.", "本程序的地址空间。", "of no matter", "无需关注"}, mem...)...),
		family("process_start_time_seconds", gauge, "seconds", "/proc/self/stat", "When this program was started, since 1970.", "本程序启动的时间（自 1970 年起）。", "steady", "不变", "It was restarted: see the log.", "发生过重启：查看日志。"),
		family("process_open_fds", gauge, "", "/proc/self/fd", append([]string{"Files and connections this program has open.", "本程序打开的文件与连接数。", "below 80 % of the limit", "低于上限的 80 %"}, fds...)...),
		family("process_max_fds", gauge, "", "getrlimit", append([]string{"Files and connections this program may open.", "本程序可打开的文件与连接上限。", "65536 or more", "65536 或更多"}, fds...)...),
		family("posthouse_build_info", gauge, "", "the program", "1: version of this program, and the Go that built it.", "1：本程序版本及构建所用的 Go 版本。", "1", "1", "None.", "无。"),
		family("posthouse_unclean_shutdown", gauge, "", "watch/running", "1: the run before this one did not end properly (for an hour after the start).", "1：上一次运行未正常结束（启动后一小时内显示）。", "0", "0",
			"Power failure, kernel crash, out of memory or kill -9: read the system's log, then run verify.", "断电、内核崩溃、内存耗尽或 kill -9：查看系统日志，然后运行 verify。"),
		family("posthouse_unclean_shutdown_last_seen_timestamp_seconds", gauge, "seconds", "watch/running", "When the run that did not end properly was last seen alive.", "未正常结束的那次运行最后存活的时间。", "absent", "不存在", "See posthouse_unclean_shutdown.", "见 posthouse_unclean_shutdown。"),
		family("posthouse_cgroup_memory_limit_bytes", gauge, "bytes", "/sys/fs/cgroup", append([]string{"Memory the control group may use.", "控制组的内存上限。", "absent without a limit", "无限制时不存在"}, mem...)...),
		family("posthouse_cgroup_memory_usage_bytes", gauge, "bytes", "/sys/fs/cgroup", append([]string{"Memory the control group uses, its cache of files included.", "控制组已用内存，含文件缓存。", "below 90 % of the limit", "低于上限的 90 %"}, mem...)...),
		family("posthouse_cgroup_cpu_limit_cores", gauge, "", "/sys/fs/cgroup", "Cores the control group may use.", "控制组可用的核心数。", "absent without a limit", "无限制时不存在", "Raise the limit when the CPU is throttled.", "CPU 受限时提高上限。"),
	}
}

func runtimeFamilies() []expo.Family {
	leak := []string{"Growing for days is a leak: take a profile before a restart.", "持续多日增长即为泄漏：重启前先采集剖析。"}
	m := func(name, kind, unit, en, zh string) expo.Family {
		return family("go_memstats_"+name, kind, unit, "runtime/metrics", append([]string{en, zh, "steady after some hours", "数小时后平稳"}, leak...)...)
	}
	grows := func(name, unit, en, zh, usual, usualZh string) expo.Family {
		return family("go_memstats_"+name, counter, unit, "runtime/metrics", en, zh, usual, usualZh, "See go_gc_duration_seconds: much of it means many collections.", "参见 go_gc_duration_seconds：分配多则回收频繁。")
	}
	return []expo.Family{
		family("go_info", gauge, "", "runtime", "1: the Go that built this program.", "1：构建本程序所用的 Go。", "1", "1", "None.", "无。"),
		family("go_goroutines", gauge, "", "runtime", append([]string{"Goroutines.", "goroutine 数。", "two or three a connection and some dozens", "每个连接两三个，另加数十个"}, leak...)...),
		m("alloc_bytes", gauge, "bytes", "Heap in use by objects.", "对象占用的堆。"),
		grows("alloc_bytes_total", "bytes", "Heap ever allocated.", "累计分配的堆。", "a few megabytes a second", "每秒数兆字节"),
		m("sys_bytes", gauge, "bytes", "Memory had from the system.", "从系统取得的内存。"),
		m("heap_alloc_bytes", gauge, "bytes", "Heap in use by objects.", "对象占用的堆。"),
		m("heap_inuse_bytes", gauge, "bytes", "Heap in spans that are in use.", "使用中的堆区段。"),
		m("heap_idle_bytes", gauge, "bytes", "Heap that waits to be used.", "空闲的堆。"),
		m("heap_released_bytes", gauge, "bytes", "Heap given back to the system.", "已归还系统的堆。"),
		m("heap_sys_bytes", gauge, "bytes", "Heap had from the system.", "从系统取得的堆。"),
		m("heap_objects", gauge, "", "Objects on the heap.", "堆上的对象数。"),
		m("stack_inuse_bytes", gauge, "bytes", "Stacks of goroutines.", "goroutine 栈。"),
		m("next_gc_bytes", gauge, "bytes", "Heap at which the next collection begins.", "触发下次回收的堆大小。"),
		family("go_memstats_last_gc_time_seconds", gauge, "seconds", "runtime/metrics", "When the last collection ended, since 1970.", "上次回收结束的时间（自 1970 年起）。", "minutes ago at most", "最多几分钟前", "None.", "无。"),
		grows("mallocs_total", "", "Objects allocated.", "累计分配的对象数。", "some thousands a second", "每秒数千"),
		grows("frees_total", "", "Objects freed.", "累计释放的对象数。", "as go_memstats_mallocs_total", "与 go_memstats_mallocs_total 相近"),
		family("go_gc_duration_seconds", "summary", "seconds", "runtime", "Pauses by garbage collection.", "垃圾回收暂停时间。", "below 0.001", "低于 0.001", "Look at the heap and at allocations a second.", "检查堆大小与每秒分配量。"),
	}
}
