package sequencer

import (
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/meter"
	"posthouse/appliance/record"
)

// meters are the sequencer's figures.
type meters struct {
	sent          meter.Counter
	imported      meter.Counter
	registrations meter.Counter
	failures      meter.Counter
	hits, misses  meter.Counter
	process       *meter.Histogram // from a message's coming to its being durable
	waited        *meter.Histogram // from a command's coming to the writer's turning to it
	batch         *meter.Histogram // records
	busy          atomic.Int64     // ns that the writer worked
	load          saturation
}

func newMeters() *meters {
	return &meters{process: meter.NewHistogram(meter.Fine()...), waited: meter.NewHistogram(meter.Latency()...), batch: meter.NewHistogram(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)}
}

// worked counts the time that the writer was busy.
func (m *meters) worked(began time.Time) { m.busy.Add(int64(time.Since(began))) }

// count counts what became durable with a batch. Virtual users do not count.
func (q *Sequencer) count(batch []decided) {
	now := time.Now()
	q.meters.batch.Observe(float64(len(batch)))
	for i := range batch {
		r := &batch[i].result.Record
		switch b := r.Body.(type) {
		case *record.MessageSent:
			switch {
			case b.Imported != nil:
				q.meters.imported.Inc()
			case !q.state.IsProbe(r.User):
				q.meters.sent.Inc()
				q.meters.process.Took(now.Sub(batch[i].at))
			}
		case *record.AccountOpened:
			if !b.User.Probe {
				q.meters.registrations.Inc()
			}
		}
	}
}

// saturation is the share of the last seconds that the writer worked.
type saturation struct {
	mu      sync.Mutex
	samples []worked // oldest first
}

type worked struct {
	at   time.Time
	busy int64
}

// saturationWindow is what the share is taken over; whoever asks less often
// gets the share since they asked last.
const saturationWindow = 15 * time.Second

func (s *saturation) share(now time.Time, busy int64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.samples) > 1 && now.Sub(s.samples[1].at) >= saturationWindow {
		s.samples = s.samples[1:]
	}
	share := 0.0
	if len(s.samples) > 0 {
		if passed := now.Sub(s.samples[0].at); passed > 0 {
			share = min(1, float64(busy-s.samples[0].busy)/float64(passed))
		}
	}
	if n := len(s.samples); n == 0 || now.Sub(s.samples[n-1].at) >= time.Second {
		s.samples = append(s.samples, worked{now, busy})
	}
	return share
}

// Measure names the sequencer's figures.
func (q *Sequencer) Measure(r *meter.Registry) {
	m := q.meters
	r.Counter(meter.Family{Name: "im_messages_sent_total", Source: "sequencer",
		Help:   meter.Say("Messages stored, without imported ones and those of virtual users.", "已存储的消息数，不含导入的消息与虚拟用户的消息。"),
		Normal: meter.Say("As the time of day has it.", "与当天时段相符。"),
		Action: meter.Say("Far below the same hour of other weeks: look at the chat probe and at connections.", "明显低于往周同一时段时，请查看聊天探测与连接数。")}, &m.sent)
	r.Counter(meter.Family{Name: "im_messages_imported_total", Source: "sequencer",
		Help:   meter.Say("Messages brought over from other systems.", "从其他系统导入的消息数。"),
		Normal: meter.Say("Zero but during an import.", "除导入期间外为零。"), Action: meter.Say("None.", "无需处理。")}, &m.imported)
	r.Counter(meter.Family{Name: "im_registrations_total", Source: "sequencer",
		Help:   meter.Say("Accounts made, without virtual users.", "新建账号数，不含虚拟用户。"),
		Normal: meter.Say("A few a week.", "每周少量。"),
		Action: meter.Say("Many at once that nobody knows of: look at the audit and revoke invitations.", "出现大量不明账号时，请查看审计并撤销邀请。")}, &m.registrations)
	r.Histogram(meter.Family{Name: "im_message_process_duration_seconds", Source: "sequencer",
		Help:   meter.Say("Time from a message's coming to its being durable.", "消息从到达至落盘的耗时。"),
		Normal: meter.Say("p95 under 50 ms, p99 under 200 ms.", "P95 低于 50 毫秒，P99 低于 200 毫秒。"),
		Action: meter.Say("Compare with the time of an fsync: if that is long, it is the disk.", "与 fsync 耗时对比：若 fsync 也慢，则为磁盘问题。")}, m.process)
	r.Histogram(meter.Family{Name: "im_journal_batch_records", Source: "sequencer",
		Help:   meter.Say("Records made durable with one fsync.", "一次 fsync 落盘的记录数。"),
		Normal: meter.Say("1 at rest, more under load.", "空闲时为 1，负载高时增大。"),
		Action: meter.Say("journal.batch_wait trades latency for larger batches.", "可用 journal.batch_wait 以延迟换取更大的批次。")}, m.batch)
	r.Counter(meter.Family{Name: "im_storage_failures_total", Source: "sequencer",
		Help:   meter.Say("Errors of the store after which nothing more is taken.", "导致停止写入的存储错误数。"),
		Normal: meter.Say("Zero.", "零。"),
		Action: meter.Say("The server exits and recovers by replay; look at the disk and at the log.", "服务器会退出并通过重放恢复；请检查磁盘与日志。")}, &m.failures)
	q.measureQueue(r)
}

func (q *Sequencer) measureQueue(r *meter.Registry) {
	m := q.meters
	r.Gauge(meter.Family{Name: "im_storage_write_queue", Source: "sequencer",
		Help:   meter.Say("Commands that wait for the writer.", "等待写入的命令数。"),
		Normal: meter.Say("Near zero.", "接近零。"),
		Action: meter.Say("If it grows, the disk is too slow for the load.", "持续增长说明磁盘跟不上负载。")}, func() float64 {
		q.mu.Lock()
		defer q.mu.Unlock()
		return float64(len(q.queue))
	})
	r.Histogram(meter.Family{Name: "im_storage_write_wait_seconds", Source: "sequencer",
		Help:   meter.Say("Time that a command waits for the writer.", "命令等待写入线程的时间。"),
		Normal: meter.Say("p95 under 20 ms.", "P95 低于 20 毫秒。"),
		Action: meter.Say("Long: the writer is busy or held back; see im_storage_writer_saturation_ratio and im_state_pending_entities.", "偏长说明写入线程繁忙或被限速：参见 im_storage_writer_saturation_ratio 与 im_state_pending_entities。")}, m.waited)
	r.CounterFunc(meter.Family{Name: "im_storage_writer_busy_seconds_total", Source: "sequencer",
		Help:   meter.Say("Time that the one writer worked.", "写入线程的累计工作时间。"),
		Normal: meter.Say("Its rate is the writer's saturation.", "其速率即写入饱和度。"), Action: meter.Say("See im_storage_writer_saturation_ratio.", "参见 im_storage_writer_saturation_ratio。")},
		func() float64 { return float64(m.busy.Load()) / 1e9 })
	r.Gauge(meter.Family{Name: "im_storage_writer_saturation_ratio", Source: "sequencer",
		Help:   meter.Say("Share of the last 15 seconds that the one writer worked.", "最近 15 秒内写入线程的工作占比。"),
		Normal: meter.Say("Below 0.5.", "低于 0.5。"),
		Action: meter.Say("Near 1 every answer waits: look at the disk and at who sends so much.", "接近 1 时所有请求都要等待：请检查磁盘与发送量大的来源。")},
		func() float64 { return m.load.share(time.Now(), m.busy.Load()) })
	r.Gauge(meter.Family{Name: "im_storage_read_only", Source: "sequencer",
		Help:   meter.Say("1 while nothing can be stored.", "无法写入时为 1。"),
		Normal: meter.Say("0.", "0。"),
		Action: meter.Say("Free space on the data directory's volume; it ends by itself.", "清理数据目录所在磁盘，空间恢复后自动解除。")}, func() float64 {
		if q.ReadOnly() != nil || q.Failed() != nil {
			return 1
		}
		return 0
	})
	r.Gauge(meter.Family{Name: "im_journal_position", Source: "sequencer",
		Help:   meter.Say("Records in the journal.", "日志中的记录数。"),
		Normal: meter.Say("Grows.", "持续增长。"), Action: meter.Say("None.", "无需处理。")}, func() float64 { return float64(q.Position()) })
}

// CacheHits are how often recent records were found in memory, and how often
// the journal was read for them.
func (q *Sequencer) CacheHits() (hits, misses uint64) {
	return q.meters.hits.Get(), q.meters.misses.Get()
}
