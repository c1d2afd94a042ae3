package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"posthouse/appliance/meter"
	"posthouse/appliance/state"
)

// figures are what the appliance tells of itself: its metrics, what takes long,
// what went wrong, and what its files consist of.
type figures struct {
	meter  *meter.Registry
	ops    *meter.Operations
	faults *meter.Faults

	chores chores

	mu        sync.Mutex
	inventory []databaseFile
}

// databaseFile is one database with its buckets, when somebody has looked.
type databaseFile struct {
	name   string
	size   func() int64
	look   func() (state.FileSize, error)
	looked state.FileSize
}

func newFigures(log *slog.Logger) *figures {
	return &figures{meter: meter.New(), faults: meter.NewFaults(), ops: meter.NewOperations(func(op meter.Operation) {
		log.Warn("slow operation", "kind", op.Kind, "operation", op.Name, "user", op.User, "trace", op.Trace, "took", op.Took.String(), "cancelled", op.Cancelled)
	})}
}

// slowTx remembers a transaction of the store that took long.
func (f *figures) slowTx(op string, took time.Duration) {
	f.ops.Note(meter.Operation{Kind: meter.KindTx, Name: op, Began: time.Now().Add(-took)}, took)
}

// measure names the figures of everything in the box. The gate names its own.
func (b *box) measure() {
	f := b.figures
	b.state.OnSlow(f.slowTx)
	f.ops.Measure(f.meter)
	f.faults.Measure(f.meter)
	b.state.Measure(f.meter)
	b.journal.Measure(f.meter)
	b.seq.Measure(f.meter)
	b.hooks.Measure(f.meter)
	f.inventory = []databaseFile{{name: stateFile, size: b.state.FileBytes, look: b.state.Inspect}, {name: hooksFile, size: b.hooks.FileBytes, look: b.hooks.Inspect}}
	if b.search != nil {
		b.search.Measure(f.meter)
		f.inventory = append(f.inventory, databaseFile{name: searchFile, size: b.search.FileBytes, look: b.search.Inspect})
	}
	f.measureFiles()
}

// measureFiles names what the database files consist of. Sizes are as they are
// now; pages and buckets as they were when somebody looked last.
func (f *figures) measureFiles() {
	each := func(yield func(d databaseFile)) {
		for _, d := range f.databases() {
			yield(d)
		}
	}
	f.meter.Gauges(meter.Family{Name: "im_bbolt_size_bytes", Labels: []string{"file"}, Source: "cmd",
		Help:   meter.Say("Size of a database file.", "数据库文件大小。"),
		Normal: meter.Say("About 490 bytes a message for state.db, 130 for search.db.", "每条消息约 490 字节（state.db）、130 字节（search.db）。"),
		Action: meter.Say("Much of it free: compact it on the page Storage.", "空闲较多时可在“存储”页面压缩。")},
		func(yield func(v float64, values ...string)) {
			each(func(d databaseFile) { yield(float64(d.size()), d.name) })
		})
	seen := func(do func(d databaseFile)) {
		each(func(d databaseFile) {
			if !d.looked.At.IsZero() {
				do(d)
			}
		})
	}
	none := meter.Say("None.", "无需处理。")
	f.meter.Gauges(meter.Family{Name: "im_bbolt_free_pages", Labels: []string{"file"}, Source: "cmd",
		Help:   meter.Say("Pages of a database file that the next writes use; as of the last look.", "数据库文件中可复用的空闲页数，为最近一次检查的结果。"),
		Normal: meter.Say("Below a third of the file.", "低于文件的三分之一。"), Action: meter.Say("More: compact it on the page Storage.", "偏多时可在“存储”页面压缩。")},
		func(yield func(v float64, values ...string)) {
			seen(func(d databaseFile) { yield(float64(d.looked.FreePages), d.name) })
		})
	f.meter.Gauges(meter.Family{Name: "im_bbolt_bucket_keys", Labels: []string{"file", "bucket"}, Source: "cmd",
		Help: meter.Say("Keys of a bucket; as of the last look.", "桶中的键数，为最近一次检查的结果。"), Normal: meter.Say("Grows with use.", "随使用增长。"), Action: none},
		func(yield func(v float64, values ...string)) {
			seen(func(d databaseFile) {
				for _, k := range d.looked.Buckets {
					yield(float64(k.Keys), d.name, k.Name)
				}
			})
		})
	f.meter.Gauges(meter.Family{Name: "im_bbolt_bucket_bytes", Labels: []string{"file", "bucket"}, Source: "cmd",
		Help: meter.Say("Bytes of the pages of a bucket; as of the last look.", "桶所占页的字节数，为最近一次检查的结果。"), Normal: meter.Say("Grows with use.", "随使用增长。"), Action: none},
		func(yield func(v float64, values ...string)) {
			seen(func(d databaseFile) {
				for _, k := range d.looked.Buckets {
					yield(float64(k.Bytes), d.name, k.Name)
				}
			})
		})
}

// measureCaches names the caches: what the sequencer keeps of recent records
// and the gate of recent events. It is called when there is a gate.
func (s *server) measureCaches() {
	cache := []string{"cache"}
	uses := func(which int) func(yield func(v float64, values ...string)) {
		return func(yield func(v float64, values ...string)) {
			records := [2]uint64{}
			records[0], records[1] = s.seq.CacheHits()
			hits, misses, _ := s.gate.RingUse()
			yield(float64(records[which]), "records")
			yield(float64([2]uint64{hits, misses}[which]), "events")
		}
	}
	more := meter.Say("Mostly hits.", "多数命中。")
	act := meter.Say("Many misses: clients or followers are far behind, or the server was restarted.", "未命中较多说明客户端或跟随者落后较多，或服务器曾重启。")
	r := s.figures.meter
	r.CounterFuncs(meter.Family{Name: "im_cache_hits_total", Labels: cache, Source: "cmd",
		Help: meter.Say("Times that a cache had it: records for followers, events for devices that come back.", "缓存命中次数：records 供跟随者，events 供重连设备。"), Normal: more, Action: act}, uses(0))
	r.CounterFuncs(meter.Family{Name: "im_cache_misses_total", Labels: cache, Source: "cmd",
		Help: meter.Say("Times that a cache did not have it.", "缓存未命中次数。"), Normal: more, Action: act}, uses(1))
	r.Gauges(meter.Family{Name: "im_cache_bytes", Labels: cache, Source: "cmd",
		Help: meter.Say("Bytes of a cache.", "缓存字节数。"), Normal: meter.Say("Up to 64 MiB.", "至多 64 MiB。"),
		Action: meter.Say("None: it is bounded.", "无需处理，有上限。")},
		func(yield func(v float64, values ...string)) {
			_, _, bytes := s.gate.RingUse()
			yield(float64(bytes), "events")
		})
	if s.cert != nil {
		r.Gauge(meter.Family{Name: "im_certificate_expiry_timestamp_seconds", Source: "cmd",
			Help:   meter.Say("When the certificate of this server ends.", "本服务器证书的到期时间。"),
			Normal: meter.Say("Weeks ahead.", "数周之后。"), Action: meter.Say("Put a new certificate in, or look why it is not renewed.", "请更换证书，或检查未自动续期的原因。")},
			func() float64 { return float64(s.cert.Status().NotAfter.Unix()) })
		r.Gauges(meter.Family{Name: "im_certificate_renewal_timestamp_seconds", Source: "cmd",
			Help:   meter.Say("When this server renews its certificate by itself; absent when people put it in.", "本服务器自动更新证书的时间；证书由人工提供时不存在。"),
			Normal: meter.Say("Ahead.", "在将来。"), Action: meter.Say("Past by hours: open the runbook of CertificateExpiresSoon, which tells the last error.", "已过数小时：打开 CertificateExpiresSoon 的处置手册查看最近错误。")},
			func(yield func(v float64, values ...string)) {
				if at := s.cert.Status().RenewAt; !at.IsZero() {
					yield(float64(at.Unix()))
				}
			})
	}
}

func (f *figures) databases() []databaseFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]databaseFile(nil), f.inventory...)
}

// takeStock looks at every page of the database files.
func (f *figures) takeStock(ctx context.Context, log *slog.Logger) {
	for i, d := range f.databases() {
		if ctx.Err() != nil {
			return
		}
		seen, err := d.look()
		if err != nil {
			log.Debug("database file cannot be looked at", "file", d.name, "error", err)
			continue
		}
		f.mu.Lock()
		f.inventory[i].looked = seen
		f.mu.Unlock()
	}
}

// Looking at every page costs seconds of a processor with some gigabytes.
const (
	stockAfter = time.Minute // of the start
	stockEvery = 6 * time.Hour
)

// stock takes stock of the database files now and then, until ctx ends, and
// waits for what the console has begun.
func (s *server) stock(ctx context.Context) {
	s.figures.chores.begin(ctx)
	defer s.figures.chores.end()
	wait := stockAfter
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		s.figures.takeStock(ctx, s.log)
		wait = stockEvery
	}
}
