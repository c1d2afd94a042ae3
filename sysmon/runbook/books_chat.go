package runbook

func requestBooks() []Runbook {
	evidence := []Evidence{failures(), errorKinds(), faults(), requests(), slowest(), writer(), slow(), changed(), logged()}
	steps := []Step{
		act("revert_config", "If the last change of the configuration is the cause", "若由最近的配置改动引起"),
		act("probe_now", "See which step fails for people", "查看用户在哪一步失败"),
		act("debug_log", "If the log does not say enough", "若日志信息不足"),
		act("cancel_operation", "If one operation of the list holds everything up", "若列表中的某个操作拖慢一切"),
		act("end_session", "If one client causes them", "若由某个客户端引起"),
	}
	return []Runbook{
		book("HighErrorRate", "More than 1 % of the requests fail with an error of the server. The last change is the first suspect, then the storage.", "超过 1 % 的请求因服务器错误失败。先查最近的变化，再查存储。", evidence, steps...),
		book("SlowAPIResponse", "Of a hundred requests five take more than 200 ms.", "百分之五的请求超过 200 毫秒。", []Evidence{slowest(), cpu(), writer(), fsync(), diskBusy(), slow(), long(), changed(), logged()},
			append([]Step{act("cpu_profile", "See what the server computes", "查看服务在计算什么")}, steps...)...),
		book("HighAPILoad", "More than 1,000 requests a second arrive: a program calls without end, or there are many more people.", "每秒请求超过 1000：程序不停调用，或用户大增。", []Evidence{requests(), actions(), sessions(), connections(), cpu(), changed()},
			act("end_session", "Log the client out that calls without end", "使不停调用的客户端下线"), act("disable_account", "If it is a bot and comes back: disable it", "若是机器人且会重连：停用账号")),
		book("AuthFailuresBurst", "Many logins fail: somebody tries passwords, or a program has an old one. Accounts and addresses are slowed down by themselves.", "大量登录失败：有人在尝试密码，或程序使用旧密码。账号与地址会自动限速。",
			[]Evidence{query("logins", "Logins by result", "登录结果", "per second", `sum by (result) (rate(im_action_total{action="login"}[5m]))`), sessions(), changed(), logged()},
			look("audit", "/admin/audit", "Look who logged in meanwhile", "查看期间谁登录过"), act("disable_account", "If one account is the target", "若针对某个账号"), act("debug_log", "To see the addresses", "查看来源地址")),
	}
}

func storageBooks() []Runbook {
	evidence := []Evidence{writer(), writes(), fsync(), storageTx(), diskBusy(), top(), long(), slow(), changed()}
	steps := []Step{
		act("flush_state", "Write what waits now", "立即写入等待的内容"),
		act("cancel_operation", "If one operation of the list holds everything up", "若列表中的某个操作拖慢一切"),
		act("end_session", "Log the client out that writes most", "使写入最多的客户端下线"),
		look("capacity", "/admin/health#capacity", "If it is like this every day: a faster disk", "若每天如此：更换更快的磁盘"),
	}
	return []Runbook{
		book("StorageWriterSaturated", "The one writer of messages is busy more than 90 % of the time: whoever sends has to wait. The operations that run and the limit are below.", "唯一的写入者占用超过 90 %，发送需要等待。下面列出正在进行的操作与上限。", evidence, steps...),
		book("StorageSlowOperations", "Operations of the storage take long: the disk is slow or shared.", "存储操作缓慢：磁盘较慢或被共用。", evidence, steps...),
		book("StorageReadOnly", "Nothing can be stored: the disk is full, or somebody switched to read-only. Reading and logging in work.", "无法存储：磁盘已满，或有人切换为只读。阅读与登录正常。", []Evidence{space(), files(), disks(), changed(), logged()},
			act("housekeeping", "Remove what is over", "清理过期内容"), act("trim_thumbnails", "Empty the cache of thumbnails", "清空缩略图缓存"), act("read_only_off", "If a person switched it on: take messages again", "若由人工开启：恢复接收")),
		book("DatabaseInsertFailed", "Messages could not be written. None of them was shown as sent; the log names the file and the error.", "消息写入失败，均未显示为已发送；日志会指出文件与错误。", []Evidence{errorKinds(), writer(), fsync(), space(), diskBusy(), changed(), logged()},
			act("probe_now", "See whether sending works", "确认能否发送"), act("read_only_on", "Protect the disk while it is examined", "检查期间保护磁盘")),
		book("UncleanShutdown", "The server ended without closing its files: power, memory or kill. The journal was replayed; nothing that was shown as sent is lost.", "服务未正常关闭：断电、内存不足或被终止。日志已重放，已显示为发送的内容不会丢失。",
			[]Evidence{query("start", "Running since", "运行时长", "seconds", `time() - process_start_time_seconds`), memory(), changed(), logged()},
			act("probe_now", "See whether everything works again", "确认已恢复正常"), look("uptime", "/admin/health", "What happened before", "查看此前的变化")),
	}
}

func deliveryBooks() []Runbook {
	evidence := []Evidence{delivery(), arrival(), queues(), sessions(), fsync(), cpu(), network(), probed(), changed()}
	steps := []Step{
		act("probe_now", "See how long it takes here, without the network", "在本机测量，排除网络影响"),
		act("end_session", "Log the slow client out: it comes back with a new connection", "使慢客户端下线，重新连接"),
		look("subnets", "/admin/probes", "If one subnet only is slow: its switch", "若仅某个网段慢：检查交换机"),
	}
	return []Runbook{
		book("HighDeliveryLatency", "A message takes more than 800 ms from sending to the receiving device on average.", "消息从发送到对方设备平均超过 800 毫秒。", evidence, steps...),
		book("LowArrivalRate", "Of the messages sent to people who are connected, less than 99.9 % were acknowledged within five minutes. They are not lost: devices fetch them when they connect.", "发给在线用户的消息，五分钟内确认率低于 99.9 %。消息不会丢失，设备重连后会取回。", evidence, steps...),
		book("MessageDeliveryDelayed", "Messages take more than five seconds to arrive.", "消息超过五秒才到达。", evidence, steps...),
		book("ConnectionsDropped", "A fifth of the connections or more went away within minutes: a switch, an access point, a proxy, or a restart.", "几分钟内断开了五分之一以上的连接：交换机、无线接入点、代理或服务重启。", []Evidence{connections(), tcp(), errorKinds(), network(), probed(), changed(), logged()},
			act("probe_now", "See whether new connections work", "确认新连接是否正常"), act("restart_listener", "If the probe cannot connect but the server runs", "若探测无法连接而服务正常运行"), steps[2]),
		book("ConnectionsUnusual", "The number of connections is far from what it is at this hour of the week.", "连接数与本周此时的常态相差很大。", []Evidence{connections(), actions(), sessions(), changed()},
			act("probe_now", "See whether people can connect", "确认能否连接")),
	}
}

func peopleBooks() []Runbook {
	evidence := []Evidence{connections(), messages(), actions(), probed(), errorKinds(), changed()}
	try := act("probe_now", "See whether people can log in and send", "确认能否登录与发送")
	return []Runbook{
		book("LowActiveUsers", "Fewer than ten people are active for half an hour in working time.", "工作时间内半小时活跃用户少于十人。", evidence, try, look("page", "/admin/boards/messages", "Whether it is so every week", "查看是否每周如此")),
		book("MessagesFew", "Far fewer messages are sent than usual.", "发送的消息远少于平时。", evidence, try),
		book("RegistrationsFew", "Nobody opened an account although invitations are out.", "已发出邀请但无人注册。", []Evidence{actions(), probed(), certificate(), changed()}, try, look("invites", "/", "Whether the invitations are still valid", "检查邀请是否有效")),
		book("LowHealthScore", "The health score is below 60. The terms below tell what takes the points.", "健康分低于 60。下面列出扣分项。", []Evidence{scored(), cpu(), memory(), delivery(), arrival(), probed(), changed(), logged()},
			look("health", "/admin/health", "See the terms and what changed", "查看扣分项与变化"), try, act("revert_config", "If the last change of the configuration is the cause", "若由最近的配置改动引起")),
	}
}

func serviceBooks() []Runbook {
	evidence := []Evidence{targets(), probed(), ports(), certificate(), descriptors(), changed(), logged()}
	steps := []Step{
		act("probe_now", "See which step fails", "查看在哪一步失败"),
		act("restart_listener", "If nobody can connect but the server runs", "若无法连接而服务正常运行"),
		act("renew_certificate", "If TLS fails", "若 TLS 失败"),
	}
	return []Runbook{
		book("ServiceDown", "A part of the server does not answer the one that takes its figures.", "服务的某一部分无法采集。", evidence, steps...),
		book("InstanceDown", "A machine that was watched does not answer.", "受监控的机器没有响应。", append([]Evidence{gone()}, evidence...), steps...),
		book("HealthCheckFailed", "The server itself says that it is not ready: its storage is read-only, or it is stopping.", "服务自报未就绪：存储只读，或正在停止。", append([]Evidence{space()}, evidence...),
			append([]Step{act("read_only_off", "If a person switched to read-only", "若由人工切换为只读"), act("housekeeping", "If the disk is full", "若磁盘已满")}, steps...)...),
		book("ProbeFailed", "Something that the box asks regularly does not answer: a site, a name, a mail server.", "定期检查的对象没有响应：网站、域名或邮件服务器。", []Evidence{probed(), query("reach", "Gateway and names", "网关与域名", "", `{__name__=~"posthouse_gateway_reachable|posthouse_dns_reachable"}`), network(), changed()}, steps[0], look("probes", "/admin/probes", "See since when, and which subnets", "查看起始时间与网段")),
		book("ChatProbeFailed", "The virtual users cannot do what people do every minute. The failing step tells where: log in, send, receive, acknowledge, history, file.", "虚拟用户无法完成用户每分钟的操作，失败的步骤指明位置：登录、发送、接收、确认、历史、文件。", append([]Evidence{writer(), errorKinds()}, evidence...), steps...),
		book("SubnetUnreachable", "The machine that reports from a subnet cannot chat, or does not report any more, while the server itself works: the people there cannot talk either. Look at the switch, the access point, the firewall and the cable between.", "某子网的上报机器无法聊天或停止上报，而服务器本身正常：该子网的用户同样无法通信。请检查中间的交换机、无线接入点、防火墙与线缆。",
			[]Evidence{query("sick", "Subnets that cannot talk", "无法通信的子网", "", `posthouse_subnet_sick == 1`), query("subnet_arrival", "Rounds that went through, the last hour", "最近一小时成功的探测轮次", "percent", `100 * posthouse_subnet_arrival_ratio`),
				query("subnet_silent", "Since the last report", "距最近一次上报", "seconds", `time() - posthouse_subnet_last_report_timestamp_seconds`), probed(), connections(), network(), changed()},
			look("map", "/admin/probes", "See since when, and whether other subnets are well", "查看起始时间以及其他子网是否正常"), act("probe_now", "See that the server itself works", "确认服务器本身正常")),
		book("CertificateExpiresSoon", "The certificate ends soon: browsers will refuse the page, and notifications and recordings stop working.", "证书即将到期，届时浏览器会拒绝访问，通知与录音失效。", []Evidence{certificate(), changed()}, act("renew_certificate", "Renew it, or read the files again after you replaced them", "更新证书，或在替换文件后重新读取"), act("probe_now", "See that connections work with it", "确认连接正常")),
		book("ClockSkew", "The clock of this machine differs from that of its clients: times of messages are wrong and logins may fail.", "本机时钟与客户端相差较大，消息时间会出错，登录可能失败。", []Evidence{query("clock", "Clock", "时钟", "seconds", `{__name__=~"node_timex_(offset|estimated_error|maxerror)_seconds|posthouse_clock_step_seconds"}`), changed(), logged()},
			look("ntp", "/admin/health", "Name an NTP server of your network in the machine's settings", "在系统设置中配置内网 NTP 服务器"), act("probe_now", "See that everything works afterwards", "校准后确认正常")),
	}
}

func watchBooks() []Runbook {
	return []Runbook{
		book("CardinalityCapReached", "Something makes new series without end; further ones are not kept, so that the memory and disk of the box stay bounded.", "某处不断产生新的时间序列，超出部分不再保存，以限制内存与磁盘。", []Evidence{series(), memoryOwn(), targets(), changed()},
			look("metrics", "/admin/metrics", "See which label does it", "查看由哪个标签引起"), act("disable_account", "If a bot makes them", "若由机器人引起")),
		book("NotificationsFailing", "Notices of alerts do not get out. Until it is mended look at the console and at the operators' room.", "告警通知无法送出。修复前请关注控制台与值班室。",
			[]Evidence{channels(), query("sent", "Notices by channel and result, an hour", "一小时内各渠道结果", "", `sum by (channel, result) (increase(posthouse_notifications_total[1h]))`), probed(), changed(), logged()},
			act("test_channels", "See what each channel answers", "查看各渠道的回应"), act("retry_hooks", "Deliver what hooks gave up on", "重新投递失败的钩子事件"), look("channels", "/admin/channels", "Mend the settings", "修正设置")),
		book("RemoteWriteFailing", "The Prometheus that this box sends its samples to takes none: it is down, the way there is cut, the token is no longer good, or it refuses everything. Nothing is lost before three days: samples wait here. The log has the receiver's words.",
			"接收本机采样的 Prometheus 不再接收：可能已停机、网络中断、令牌失效，或拒绝全部内容。采样在本机保存，三天内不会丢失。日志中有接收端的应答。",
			[]Evidence{query("sent_behind", "How far behind the receiver is", "接收端落后多久", "seconds", `max by (instance) (posthouse_remote_write_behind_seconds)`),
				query("sent_requests", "Requests by result, an hour", "一小时内各结果的请求数", "", `sum by (result) (increase(posthouse_remote_write_requests_total[1h]))`),
				query("sent_samples", "Samples by result, an hour", "一小时内各结果的采样数", "", `sum by (result) (increase(posthouse_remote_write_samples_total[1h]))`),
				query("reach", "Gateway and names", "网关与域名", "", `{__name__=~"posthouse_gateway_reachable|posthouse_dns_reachable"}`), network(), changed(), logged()},
			look("receiver", "/admin/boards/storage", "See since when; then look at the receiver itself, its log and the way there", "查看起始时间，再检查接收端本身、其日志与网络")),
	}
}
