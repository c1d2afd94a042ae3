package runbook

import "posthouse/sysmon/words"

// All are the runbooks of the shipped alerts.
func All() []Runbook {
	var out []Runbook
	for _, part := range [][]Runbook{processorBooks(), memoryBooks(), diskBooks(), networkBooks(), requestBooks(), storageBooks(),
		deliveryBooks(), peopleBooks(), serviceBooks(), watchBooks()} {
		out = append(out, part...)
	}
	return out
}

// general is for an alert of a rule that people wrote.
func general() Runbook {
	return Runbook{
		Means:    words.Of("A rule of your own fires. The evidence shows how the box is; the rule's text says why it was made.", "自定义规则触发。证据显示整机状况，规则说明其目的。"),
		Evidence: []Evidence{scored(), cpu(), memory(), space(), actions(), changed(), logged()},
		Steps: append([]Step{look("rules", "/admin/rules", "Read the rule and its preview", "查看规则与预览"),
			act("probe_now", "See whether people can chat", "确认能否正常聊天")}, closing()...),
	}
}

// elsewhere is for an alert that another Prometheus or an Alertmanager sent.
func elsewhere() Runbook {
	return Runbook{
		Means: words.Of("Another Prometheus or an Alertmanager sent this alert; its own labels and annotations say what is wrong there. The evidence shows what changed here in the hour before and how this box is: it may be the cause, or suffer from it.",
			"此告警来自其他 Prometheus 或 Alertmanager，其标签与注解说明了问题。证据显示本机在此前一小时内的变化与当前状况：本机可能是起因，也可能受其影响。"),
		Evidence: []Evidence{changed(), scored(), network(), cpu(), memory(), space()},
		Steps:    append([]Step{act("probe_now", "See whether people can chat", "确认能否正常聊天")}, closing()...),
	}
}

// closing are the last steps of every runbook.
func closing() []Step {
	return []Step{act("acknowledge", "Say that you are on it", "表示正在处理"),
		act("silence", "When the cause is known and needs time", "原因已知但需要时间时")}
}

func book(alert, en, zh string, evidence []Evidence, steps ...Step) Runbook {
	return Runbook{Alert: alert, Means: words.Of(en, zh), Evidence: evidence, Steps: append(steps, closing()...)}
}

func processorBooks() []Runbook {
	busy := []Evidence{cpu(), cpuShare(), load(), top(), requests(), slow(), long(), changed(), logged()}
	relieve := []Step{
		act("cpu_profile", "If this server is the first of the list: see what it computes", "若本服务占用最高：查看它在计算什么"),
		act("cancel_operation", "If one operation of the list holds everything up", "若列表中的某个操作拖慢一切"),
		act("end_session", "If one client calls without end: log it out", "若某个客户端不停调用：使其下线"),
		act("disable_account", "If it is a bot and comes back: disable it", "若是机器人且会重连：停用账号"),
		act("revert_config", "If the last change of the configuration is the cause", "若由最近的配置改动引起"),
		look("capacity", "/admin/health#capacity", "If it is like this every day: what to add", "若每天如此：查看扩容建议"),
	}
	return []Runbook{
		book("HighCPUUsage", "The processors were more than 80 % in use for five minutes. Usual causes: many logins at once, a program that calls without end, another process on this machine.",
			"处理器使用率持续五分钟超过 80 %。常见原因：集中登录、程序不停调用、本机其他进程。", busy, relieve...),
		book("CriticalCPUUsage", "The processors were more than 90 % in use for two minutes: answers become slow for everybody.",
			"处理器使用率持续两分钟超过 90 %，所有人的响应都会变慢。", busy, relieve...),
		book("HighLoad", "More is waiting to run than there are processors, or processes wait for the disk.",
			"等待运行的任务多于处理器，或进程在等待磁盘。", []Evidence{load(), cpu(), diskBusy(), top(), fsync(), changed(), logged()}, relieve...),
		book("HighTemperature", "A sensor is near its limit: the machine will slow itself down or switch off. Check fans, dust and the room.",
			"传感器温度接近上限，机器会降频或关机。请检查风扇、积尘与机房温度。",
			[]Evidence{query("sensors", "Sensors", "传感器", "", `node_hwmon_temp_celsius`), cpu(), top(), changed()},
			act("cpu_profile", "If this server heats it: see what it computes", "若由本服务引起：查看它在计算什么")),
	}
}

func memoryBooks() []Runbook {
	evidence := []Evidence{memory(), memoryOwn(), top(), caches(), heap(), sessions(), changed(), logged()}
	steps := []Step{
		act("free_memory", "Give back what the server does not use", "归还服务未使用的内存"),
		act("heap_profile", "Keep a profile to compare with the one of the peak", "再保存一份剖析与峰值对比"),
		act("end_session", "If one connection's queue holds the memory", "若某个连接的队列占用内存"),
		look("capacity", "/admin/health#capacity", "If it is like this every day: what to add", "若每天如此：查看扩容建议"),
	}
	list := []Runbook{
		book("HighMemoryUsage", "Less than 15 % of the memory is free. A profile of the server's memory was taken at its peak. Emptying caches or restarting is no cure: find who holds it.",
			"可用内存不足 15 %。已在峰值时保存内存剖析。清缓存或重启治标不治本，请先找出占用者。", evidence, steps...),
		book("MemoryLeakSuspected", "The memory of the server grows for hours without more people or messages. The profiles of now and of the peak tell what grows.",
			"服务内存持续数小时增长，而用户与消息并未增加。对比两份剖析可知增长来源。",
			append([]Evidence{query("growth", "Growth of the server's memory an hour", "本服务内存每小时增长", "bytes", `3600 * deriv(process_resident_memory_bytes[6h])`), stacks()}, evidence...), steps...),
		book("SwapActivity", "The machine moves memory to the disk and back: everything waits for it.",
			"机器正在频繁换页，一切都在等待磁盘。",
			append([]Evidence{query("swap", "Pages swapped a second", "每秒换页", "per second", either("direction", "in", `rate(node_vmstat_pswpin[5m])`, "out", `rate(node_vmstat_pswpout[5m])`))}, evidence...), steps...),
		book("CacheMemoryHigh", "The caches of the server are near the bound of their memory.", "服务的缓存接近内存上限。", evidence,
			act("free_memory", "Give back what is not used", "归还未使用的内存"), act("trim_thumbnails", "Empty the cache of thumbnails on the disk", "清空磁盘上的缩略图缓存")),
		book("GoroutinesHigh", "Very many tasks run in the server at once: something they all wait for does not answer.", "服务内并发任务过多，它们等待的对象没有响应。",
			[]Evidence{query("tasks", "Tasks now and an hour ago", "当前与一小时前的任务数", "", `label_replace(go_goroutines, "when", "now", "", "") or label_replace(go_goroutines offset 1h, "when", "1h", "", "")`), stacks(), connections(), slow(), changed(), logged()},
			act("goroutines", "Keep the whole list", "保存完整清单"), act("end_session", "If they belong to one client", "若属于同一客户端")),
	}
	for i := range 3 {
		list[i].Peak = `process_resident_memory_bytes`
	}
	return list
}

func diskBooks() []Runbook {
	evidence := []Evidence{space(), disks(), files(), storeFiles(), changed()}
	steps := []Step{
		act("housekeeping", "Remove what is over: bin, expired uploads, old journal segments", "清理回收站、过期上传与旧日志段"),
		act("trim_thumbnails", "Empty the cache of thumbnails", "清空缩略图缓存"),
		act("compact_state", "If the state file is large and half empty", "若状态文件大且多为空闲页"),
		look("retention", "/admin/health#forecast", "When it will be full, and what grows", "查看写满时间与增长来源"),
		act("read_only_on", "If another program fills it: protect what is there", "若由其他程序写满：先保护数据"),
	}
	return []Runbook{
		book("HighDiskUsage", "A disk is more than 80 % full. At 128 MiB free the chat turns read-only; nothing that was sent is lost.", "磁盘使用率超过 80 %。剩余 128 MiB 时聊天转为只读，已发送的内容不会丢失。", evidence, steps...),
		book("DiskFillsUp", "At the present speed a disk is full within a day.", "按目前速度，磁盘将在一天内写满。",
			append([]Evidence{query("speed", "Growth an hour", "每小时增长", "bytes", `-3600 * deriv(node_filesystem_avail_bytes[6h])`)}, evidence...), steps...),
		book("InodesLow", "A disk has hardly any room for more files, however large they are.", "磁盘可创建的文件数即将用尽。",
			[]Evidence{query("inodes", "Files in use", "已用文件数比例", "percent", `100 * (1 - node_filesystem_files_free / node_filesystem_files)`), files(), changed()}, steps[:2]...),
		book("FileDescriptorsLow", "The server has nearly as many files and connections open as it may. Afterwards nobody can connect.", "服务打开的文件与连接接近上限，之后将无法接受新连接。",
			[]Evidence{descriptors(), connections(), tcp(), sessions(), changed(), logged()},
			act("end_session", "If one client holds many", "若某个客户端占用很多"), look("limit", "/admin/health#capacity", "Raise LimitNOFILE of the service", "提高服务的 LimitNOFILE")),
	}
}

func networkBooks() []Runbook {
	evidence := []Evidence{network(), tcp(), sessions(), requests(), top(), changed()}
	return []Runbook{
		book("HighBandwidthUsage", "A network card carries nearly what it can. Large files and video are the usual causes.", "网卡流量接近上限，常见原因是大文件与视频。", evidence,
			act("end_session", "If one client takes most of it", "若某个客户端占用大部分"), look("capacity", "/admin/health#capacity", "If it is like this every day: what to add", "若每天如此：查看扩容建议")),
		book("NetworkErrors", "A network card loses or damages packets: cable, port of the switch, or duplex setting.", "网卡丢包或出错：请检查网线、交换机端口或双工设置。",
			[]Evidence{query("faults", "Errors and drops a second", "每秒错误与丢弃", "per second", either("fault", "received broken", `rate(node_network_receive_errs_total[5m])`, "not sent", `rate(node_network_transmit_errs_total[5m])`,
				"received and dropped", `rate(node_network_receive_drop_total[5m])`, "dropped before sending", `rate(node_network_transmit_drop_total[5m])`)), network(), probed(), changed()},
			act("probe_now", "See whether people notice it", "确认是否影响使用")),
	}
}
