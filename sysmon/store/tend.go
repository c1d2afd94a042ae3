package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"posthouse/sysmon/words"
)

const (
	clockSlack  = 2 * time.Minute  // that samples may be ahead of the clock
	aheadAtOnce = 6 * time.Hour    // of samples ahead: they are set aside without waiting
	clockWait   = 10 * time.Minute // that a clock behind most samples gets to be set
	keptAhead   = 3                // sets of samples ahead that are kept
	fewWindows  = 4                // spans rolled up in one go
	cutAgain    = 5 * time.Minute  // after a block could not be cut
)

// tend is the goroutine that looks after the databases until ctx ends.
func (s *Store) tend(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(s.o.Tend)
	defer tick.Stop()
	for {
		s.tendOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// tendOnce does everything that is due.
func (s *Store) tendOnce(ctx context.Context) {
	s.tending.Lock()
	defer s.tending.Unlock()
	free, err := freeBytes(s.dir)
	if err != nil {
		s.log.Error("metric store: look at free space", "err", err)
		free = s.o.MinFree
	}
	s.minFree(ctx, free)
	s.setClockRight(ctx)
	if s.suspected.Swap(false) {
		s.readThrough(ctx)
	}
	s.mu.RLock()
	if s.raw != nil && condition(s.state.Load()) == taking {
		s.keepRaw(ctx)
	}
	wrote := false
	if free >= s.o.MinFree {
		var more bool
		var err error
		wrote, more, err = s.rollUp(ctx, fewWindows)
		if err != nil && ctx.Err() == nil {
			s.log.Error("metric store: roll up", "err", err)
		} else if more {
			s.poke()
		}
		if err := s.kinds.save(s.path(kindsFile)); err != nil {
			s.log.Error("metric store", "err", err)
		}
	}
	s.mu.RUnlock()
	if wrote {
		s.readRollAnew(ctx)
	}
}

// readRollAnew opens the roll-up again, to see blocks that were added, and
// merges its blocks.
func (s *Store) readRollAnew(ctx context.Context) {
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !s.lockAll(wait) {
		return // seen at the next writing
	}
	if err := guard("close roll-up", s.roll.Close); err != nil {
		s.log.Error("metric store", "err", err)
	}
	var err error
	if s.roll, err = s.openRoll(); err != nil {
		s.log.Error("metric store", "err", err)
		s.state.Store(int32(broken)) // opened with the rest, and what is damaged set aside
	}
	s.mu.Unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.roll == nil {
		return
	}
	if err := guard("merge roll-up", func() error { return s.roll.Compact(ctx) }); err != nil && ctx.Err() == nil {
		s.log.Error("metric store", "err", err)
	}
}

// minFree stops taking samples when room runs out and begins again when there
// is some.
func (s *Store) minFree(ctx context.Context, free int64) {
	switch c := condition(s.state.Load()); {
	case c == taking && free < s.o.MinFree:
		s.state.Store(int32(paused))
		s.trouble.Store(&words.Text{
			EN: fmt.Sprintf("No metrics are recorded: %d MB are free on the disk, %d MB are kept free.", free>>20, s.o.MinFree>>20),
			ZH: fmt.Sprintf("已停止记录指标：磁盘剩余 %d MB，需保留 %d MB。", free>>20, s.o.MinFree>>20)})
		s.log.Warn("metric store: the disk is nearly full, samples are refused", "free", free)
	case c == paused && free >= s.o.MinFree+s.o.MinFree/8:
		s.state.Store(int32(taking))
		s.trouble.Store(nil)
		s.log.Warn("metric store: samples are taken again", "free", free)
	case c == broken && free >= s.o.MinFree:
		wait, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if !s.lockAll(wait) {
			return
		}
		defer s.mu.Unlock()
		if s.raw != nil {
			if err := guard("close metric database", s.raw.Close); err != nil {
				s.log.Warn("metric store: close what failed", "err", err)
			}
			s.raw = nil
		}
		s.reopen()
		debug.FreeOSMemory()
	}
}

// keepRaw moves full chunks out of memory and cuts blocks; mu is held for
// reading.
func (s *Store) keepRaw(ctx context.Context) {
	err := guard("move chunks to disk", func() error { s.raw.ForceHeadMMap(); return nil })
	if err != nil {
		s.fail(err, sayWriteFailed(err))
		return
	}
	head := s.raw.Head()
	if head.MaxTime() == math.MinInt64 || head.MaxTime()-head.MinTime() <= rawBlock.Milliseconds()/2*3 {
		return
	}
	if time.Since(s.cutFailed) < cutAgain {
		return
	}
	err = guard("cut block", func() error { return s.raw.Compact(ctx) })
	if err != nil && ctx.Err() == nil {
		s.cutFailed = time.Now() // the head keeps its samples until it works
		s.log.Error("metric store: cut and merge blocks", "err", err)
	}
	debug.FreeOSMemory()
}

// setClockRight sets aside what was sampled in a future that the clock left.
func (s *Store) setClockRight(ctx context.Context) {
	now := s.o.Now()
	s.mu.RLock()
	behind, past, future := s.split(now)
	s.mu.RUnlock()
	if !behind {
		s.wrongAt = time.Time{}
		return
	}
	if future > aheadAtOnce && future >= past {
		if s.wrongAt.IsZero() {
			s.wrongAt = now
			s.trouble.Store(&words.Text{
				EN: "The clock of this computer stands before most of the recorded metrics. No metrics are recorded until it is set.",
				ZH: "本机时钟早于大部分已记录的指标。校准时钟之前不记录指标。"})
			s.log.Warn("metric store: the clock is behind most samples; waiting for it to be set")
		}
		if w := now.Sub(s.wrongAt); w >= 0 && w < clockWait {
			return
		}
	}
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !s.lockAll(wait) {
		return
	}
	defer s.mu.Unlock()
	s.wrongAt = time.Time{}
	if err := s.dropAhead(now); err != nil {
		s.log.Error("metric store: set samples of the future aside", "err", err)
	}
	s.reopen()
}

// split says whether raw samples are ahead of now, and how much time lies on
// each side; mu is held.
func (s *Store) split(now time.Time) (behind bool, past, future time.Duration) {
	if s.raw == nil {
		return false, 0, 0
	}
	at, most := now.UnixMilli(), (3 * rawBlock / 2).Milliseconds()
	for i, c := range s.rawSpans() {
		if c[0] == math.MaxInt64 || c[1] == math.MinInt64 {
			continue // an empty head
		}
		before, after := max(0, min(c[1], at)-c[0]), max(0, c[1]-max(c[0], at))
		if i == len(s.raw.Blocks()) { // the head, which may hold a jump of years
			before, after = min(before, most), min(after, most)
		}
		past += time.Duration(before) * time.Millisecond
		future += time.Duration(after) * time.Millisecond
		behind = behind || c[1] > at+clockSlack.Milliseconds()
	}
	return behind, past, future
}

// dropAhead keeps what lies up to now and moves the rest to ahead/; it leaves
// the databases closed. mu is held for writing.
func (s *Store) dropAhead(now time.Time) error {
	at := now.UnixMilli() - 1 // a sample may be taken this very moment
	s.log.Warn("metric store: the clock was set back; samples ahead of it are set aside")
	var errs []error
	if head := s.raw.Head(); head.MinTime() <= at && head.MinTime() != math.MaxInt64 {
		errs = append(errs, guard("keep samples of the past", func() error {
			return s.raw.CompactHead(tsdb.NewRangeHead(head, head.MinTime(), at))
		}))
	}
	errs = append(errs, s.closeDBs())
	to := filepath.Join(aheadDir, now.UTC().Format("20060102-150405.000"))
	for _, part := range []string{"wal", "chunks_head"} {
		errs = append(errs, s.move(filepath.Join(rawDir, part), to))
	}
	for _, db := range []string{rawDir, rollDir} {
		errs = append(errs, s.cutBlocks(db, at, to))
	}
	s.rolled = map[int64]bool{}
	s.counts.ahead.Add(1)
	return errors.Join(append(errs, s.forgetAhead())...)
}

// cutBlocks moves the blocks of a database that begin after at, and rewrites
// the one that holds it.
func (s *Store) cutBlocks(db string, at int64, to string) error {
	entries, err := os.ReadDir(s.path(db))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil {
			continue
		}
		b, err := tsdb.OpenBlock(s.log, s.path(db, e.Name()), nil, nil)
		if err != nil {
			continue // looked at when the database is opened
		}
		m := b.Meta()
		if m.MinTime <= at && m.MaxTime > at+1 {
			err = s.rewrite(db, b, at+1)
		}
		errs = append(errs, err, b.Close())
		if m.MaxTime > at+1 && err == nil {
			errs = append(errs, s.move(filepath.Join(db, e.Name()), to))
		}
	}
	return errors.Join(errs...)
}

// rewrite writes what a block holds before a time as a block of its own.
func (s *Store) rewrite(db string, b *tsdb.Block, before int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.writeBlock(ctx, db, b, b.MinTime(), before)
}

// writeBlock writes the samples of a reader within [from, to) as a block.
func (s *Store) writeBlock(ctx context.Context, db string, b tsdb.BlockReader, from, to int64) error {
	c, err := tsdb.NewLeveledCompactorWithOptions(ctx, nil, s.log, []int64{rawBlock.Milliseconds()}, chunkenc.NewPool(),
		tsdb.LeveledCompactorOptions{MaxBlockChunkSegmentSize: segment, EnableOverlappingCompaction: true})
	if err == nil {
		_, err = c.Write(s.path(db), b, from, to, nil)
	}
	return err
}

func (s *Store) move(part, to string) error {
	if err := os.MkdirAll(s.path(to), 0o700); err != nil {
		return err
	}
	err := os.Rename(s.path(part), s.path(to, filepath.Base(filepath.Dir(part))+"-"+filepath.Base(part)))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// forgetAhead deletes all but the newest few sets of samples ahead.
func (s *Store) forgetAhead() error {
	entries, err := os.ReadDir(s.path(aheadDir))
	if err != nil {
		return nil //nolint:nilerr // nothing was moved there
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(b.Name(), a.Name()) })
	var errs []error
	for _, e := range entries[min(keptAhead, len(entries)):] {
		errs = append(errs, os.RemoveAll(s.path(aheadDir, e.Name())))
	}
	return errors.Join(errs...)
}
