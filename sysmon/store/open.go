package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/compression"

	"posthouse/sysmon/words"
)

const (
	rawBlock  = 2 * time.Hour  // of a raw block when it is cut
	rawMost   = 54 * time.Hour // of a raw block after merging: 2 h × 3 × 3 × 3
	rollBlock = 6 * time.Hour  // of what is rolled up at once
	rollMost  = 1458 * time.Hour
	segment   = 16 << 20 // bytes of a chunk file; the library asks the disk for all of it at once
	forever   = 100 * 365 * 24 * time.Hour
)

// reopen opens both databases; mu is free or held by nobody yet. What cannot
// be opened is set aside, first the log, then all of it.
func (s *Store) reopen() {
	free, err := freeBytes(s.dir)
	if need := s.o.MinFree + logBytes(s.path(rawDir, "wal")); err == nil && free < need {
		// Reading the log back writes chunks, and the library does not
		// survive a full disk there.
		s.state.Store(int32(broken))
		s.trouble.Store(&words.Text{
			EN: fmt.Sprintf("The metric database waits for room on the disk: %d MB are free, %d MB are needed.", free>>20, need>>20),
			ZH: fmt.Sprintf("指标数据库正在等待磁盘空间：剩余 %d MB，需要 %d MB。", free>>20, need>>20)})
		return
	}
	var said []words.Text
	if s.roll == nil {
		said = append(said, s.setAsideBlocks(rollDir)...)
		if s.roll, err = s.openRoll(); err != nil {
			s.log.Error("open roll-up", "err", err)
			if isDamage(err) {
				said = append(said, s.setAside(rollDir, err))
				if s.roll, err = s.openRoll(); err != nil {
					s.log.Error("open empty roll-up", "err", err)
				}
			}
		}
	}
	said = append(said, s.openRawSomehow()...)
	if s.raw == nil {
		s.state.Store(int32(broken))
		s.trouble.Store(&words.Text{EN: "The metric database cannot be opened; the log of the server says why. It is tried again every minute.",
			ZH: "无法打开指标数据库，原因见服务器日志。系统会每分钟重试。"})
		return
	}
	s.counts.reopened.Add(1)
	s.state.Store(int32(taking))
	s.trouble.Store(nil)
	if len(said) > 0 {
		s.trouble.Store(&said[len(said)-1])
	}
}

// openRawSomehow opens the raw database, at the price of setting aside what
// stands in the way: the chunks of the head, which the log has too, then the
// log, then all.
func (s *Store) openRawSomehow() (said []words.Text) {
	said = s.setAsideBlocks(rawDir)
	var err error
	if s.raw, err = s.openRaw(); err == nil {
		return said
	}
	s.log.Error("open metric database", "err", err)
	for _, part := range []string{filepath.Join(rawDir, "chunks_head"), filepath.Join(rawDir, "wal"), rawDir} {
		if !isDamage(err) {
			return said
		}
		if _, statErr := os.Stat(s.path(part)); errors.Is(statErr, fs.ErrNotExist) {
			continue
		}
		said = append(said, s.setAside(part, err))
		if s.raw, err = s.openRaw(); err == nil {
			return said
		}
		s.log.Error("open metric database", "without", part, "err", err)
	}
	return said
}

func (s *Store) openRaw() (db *tsdb.DB, err error) {
	o := tsdb.DefaultOptions()
	o.MinBlockDuration = rawBlock.Milliseconds()
	o.MaxBlockDuration = rawMost.Milliseconds()
	o.MaxBlockChunkSegmentSize = segment
	o.WALSegmentSize = 16 << 20
	o.WALCompression = compression.Snappy
	o.StripeSize = 512
	o.HeadChunksWriteBufferSize = 64 << 10
	o.WALReplayConcurrency = 1
	o.SeriesLifecycleCallback = s.series
	o.BlockReloadInterval = forever // tend does what this would start
	o.BlocksToDelete = s.oldRaw
	s.generation++
	s.series.begin()
	err = guard("open raw samples", func() error {
		db, err = tsdb.Open(s.path(rawDir), s.log, nil, o, nil)
		return err
	})
	s.series.replayed()
	if err != nil {
		return nil, err
	}
	db.DisableCompactions()
	return db, nil
}

func (s *Store) openRoll() (db *tsdb.DB, err error) {
	o := tsdb.DefaultOptions()
	o.MinBlockDuration = rollBlock.Milliseconds()
	o.MaxBlockDuration = rollMost.Milliseconds()
	o.MaxBlockChunkSegmentSize = segment
	o.WALSegmentSize = -1
	o.StripeSize = 16
	o.HeadChunksWriteBufferSize = 64 << 10
	o.BlocksToDelete = s.oldRoll
	o.BlockReloadInterval = forever // tend does what this would start
	o.FloatChunkEncoding = chunkenc.EncXOR
	err = guard("open roll-up", func() error {
		db, err = tsdb.Open(s.path(rollDir), s.log, nil, o, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}

// setAsideBlocks moves the blocks of a database that cannot be opened into
// damaged/.
func (s *Store) setAsideBlocks(name string) (said []words.Text) {
	entries, err := os.ReadDir(s.path(name))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		part := filepath.Join(name, e.Name())
		err := guard("open block", func() error {
			b, err := tsdb.OpenBlock(s.log, s.path(part), nil, nil)
			if err != nil {
				return err
			}
			return b.Close()
		})
		if err != nil && isDamage(err) {
			said = append(said, s.setAside(part, err))
		}
	}
	return said
}

// setAside moves a file or directory below dir into damaged/ and says so.
func (s *Store) setAside(part string, why error) words.Text {
	to := s.path(damagedDir, s.o.Now().UTC().Format("20060102-150405.000")+"-"+filepath.Base(part))
	err := os.MkdirAll(filepath.Dir(to), 0o700)
	if err == nil {
		err = os.Rename(s.path(part), to)
	}
	if err == nil && (part == rawDir || part == rollDir) {
		err = os.MkdirAll(s.path(part), 0o700)
	}
	s.counts.damaged.Add(1)
	s.log.Error("metric store: damaged, set aside", "part", part, "to", to, "why", why, "err", err)
	return words.Text{
		EN: fmt.Sprintf("%s of the metric database was damaged and has been moved to %s: %v. The figures of its time are missing.", part, to, why),
		ZH: fmt.Sprintf("指标数据库的 %s 已损坏，已移到 %s：%v。这一时段的数据缺失。", part, to, why)}
}

// oldRaw picks the raw blocks that are beyond the retention, never one that
// has not been rolled up.
func (s *Store) oldRaw(blocks []*tsdb.Block) map[ulid.ULID]struct{} {
	until := int64(math.MaxInt64)
	if s.roll != nil {
		until = lastMaxTime(s.roll.Blocks())
	}
	return old(blocks, s.o.Raw, s.o.MaxRawBytes, until)
}

func (s *Store) oldRoll(blocks []*tsdb.Block) map[ulid.ULID]struct{} {
	return old(blocks, s.o.Rollup, math.MaxInt64, math.MaxInt64)
}

// old picks the oldest blocks once the newer ones cover keep, or take bytes;
// for want of time only those that end by until.
func old(blocks []*tsdb.Block, keep time.Duration, bytes, until int64) map[ulid.ULID]struct{} {
	gone := map[ulid.ULID]struct{}{}
	sorted := slices.Clone(blocks)
	slices.SortFunc(sorted, func(a, b *tsdb.Block) int { return cmp.Compare(b.MaxTime(), a.MaxTime()) })
	var covered, size int64
	for _, b := range sorted {
		m := b.Meta()
		size += b.Size()
		if m.Compaction.Deletable || size > bytes || covered >= keep.Milliseconds() && m.MaxTime <= until {
			gone[m.ULID] = struct{}{}
		}
		covered += m.MaxTime - m.MinTime
	}
	return gone
}

func lastMaxTime(blocks []*tsdb.Block) int64 {
	last := int64(math.MinInt64 / 2)
	for _, b := range blocks {
		last = max(last, b.MaxTime())
	}
	return last
}
