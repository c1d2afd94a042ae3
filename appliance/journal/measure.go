package journal

import "posthouse/appliance/meter"

// Measure names the journal's figures.
func (j *Journal) Measure(r *meter.Registry) {
	r.Histogram(meter.Family{Name: "im_journal_fsync_duration_seconds", Source: "journal",
		Help:   meter.Say("Time that the disk took to make a batch durable.", "磁盘将一批记录落盘的耗时。"),
		Normal: meter.Say("p95 under 20 ms on an SSD, under 60 ms on a disk that turns.", "固态硬盘 P95 低于 20 毫秒，机械硬盘低于 60 毫秒。"),
		Action: meter.Say("Look at the disk's busy share and health; move other programs' writing elsewhere.", "检查磁盘繁忙度与健康状况，并将其他程序的写入移走。")}, j.synced)
	r.Gauge(meter.Family{Name: "im_journal_bytes", Source: "journal",
		Help:   meter.Say("Bytes of the journal's segments.", "日志段的总字节数。"),
		Normal: meter.Say("About 280 bytes a message.", "每条消息约 280 字节。"),
		Action: meter.Say("journal.retention_days releases old segments.", "journal.retention_days 可释放旧的日志段。")}, func() float64 {
		var n int64
		for _, s := range j.Segments() {
			n += s.Bytes
		}
		return float64(n)
	})
	r.Gauge(meter.Family{Name: "im_journal_segments", Source: "journal",
		Help:   meter.Say("Segments of the journal.", "日志段数量。"),
		Normal: meter.Say("One a day, or one for every 64 MiB.", "每天一个，或每 64 MiB 一个。"), Action: meter.Say("None.", "无需处理。")},
		func() float64 { return float64(len(j.Segments())) })
}
