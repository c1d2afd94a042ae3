package state

import "posthouse/appliance/meter"

// Measure names the state's figures.
func (s *State) Measure(r *meter.Registry) {
	r.Histograms(meter.Family{Name: "im_storage_tx_duration_seconds", Source: "state",
		Help: meter.Say("Time of a transaction of the store, by operation: append (a batch made durable), flush, read, scan, audit, snapshot, search_write, hook_write.",
			"存储事务耗时，按操作：append（批次落盘）、flush、read、scan、audit、snapshot、search_write、hook_write。"),
		Normal: meter.Say("append p95 under 50 ms, read p95 under 5 ms.", "append 的 P95 低于 50 毫秒，read 的 P95 低于 5 毫秒。"),
		Action: meter.Say("Look at the disk's busy share and at what else writes to it.", "查看磁盘繁忙度以及是否有其他程序在写盘。")}, s.db.took)
	r.Gauge(meter.Family{Name: "im_storage_open_read_txs", Source: "state",
		Help:   meter.Say("Read transactions of the state file that are open.", "状态文件上未结束的读事务数。"),
		Normal: meter.Say("A few.", "少量。"),
		Action: meter.Say("Many that stay open keep the file from using its free pages again: look at Operations.", "长期不结束的读事务会使空闲页无法复用：请查看“操作”页面。")},
		func() float64 { return float64(s.db.reading.Load()) })
	r.Gauge(meter.Family{Name: "im_state_flush_lag_records", Source: "state",
		Help:   meter.Say("Records that are durable in the journal and not yet in the state file.", "已写入日志但尚未写入状态文件的记录数。"),
		Normal: meter.Say("Below what comes in in a few seconds.", "不超过几秒内到达的数量。"),
		Action: meter.Say("If it grows, the disk does not keep up, or the server is read-only.", "持续增长说明磁盘跟不上，或服务器处于只读状态。")},
		func() float64 { return float64(s.Applied() - s.Flushed()) })
	r.Gauge(meter.Family{Name: "im_state_pending_entities", Source: "state",
		Help:   meter.Say("Changed entities in memory that wait for a flush.", "内存中等待写入的实体数。"),
		Normal: meter.Say("Below 20,000.", "低于 20,000。"),
		Action: meter.Say("At 400,000 commands are held back: look at the disk.", "达到 400,000 时会暂缓命令：请检查磁盘。")},
		func() float64 { return float64(s.Pending()) })
	count := func(name, en, zh string, read func(c Counts) float64) {
		r.Gauge(meter.Family{Name: name, Source: "state", Help: meter.Say(en, zh),
			Normal: meter.Say("Grows with use.", "随使用增长。"),
			Action: meter.Say("A sudden change: look at the audit.", "如突然变化，请查看审计记录。")}, func() float64 { return read(s.Counts()) })
	}
	count("im_accounts", "Accounts, without virtual users.", "账号数，不含虚拟用户。", func(c Counts) float64 { return float64(c.Users) })
	count("im_rooms", "Rooms.", "房间数。", func(c Counts) float64 { return float64(c.Rooms) })
	count("im_messages_stored", "Messages in the store.", "已存储的消息数。", func(c Counts) float64 { return float64(c.Messages) })
	count("im_files", "Files.", "文件数。", func(c Counts) float64 { return float64(c.Files) })
	count("im_files_bytes", "Bytes of files.", "文件字节数。", func(c Counts) float64 { return float64(c.FileBytes) })
}
