package journal

import (
	"fmt"
	"path/filepath"
	"time"
)

// Release removes the sealed segments that end at or below upTo and were
// sealed before olderThan, oldest first, and never the last segment. The new
// first position is in hwm, durably, before the first file goes, so that a
// crash leaves files that Open removes, never a hole it cannot explain.
// Readers inside a removed segment finish it.
func (j *Journal) Release(upTo uint64, olderThan time.Time) (removed []SegmentInfo, err error) {
	if j.opt.ReadOnly {
		return nil, ErrReadOnly
	}
	j.markMu.Lock()
	defer j.markMu.Unlock()
	if j.closed.Load() {
		return nil, ErrClosed
	}
	gone := j.releasable(upTo, olderThan)
	if len(gone) == 0 {
		return nil, nil
	}
	first := gone[len(gone)-1].last + 1
	if err := j.writeMarkLocked(first); err != nil {
		return nil, fmt.Errorf("release journal segments: %w", err)
	}
	j.mu.Lock()
	j.first = first
	j.segs = j.segs[len(gone):]
	j.mu.Unlock()
	for _, s := range gone {
		if err := j.fs.Remove(filepath.Join(j.dir, s.name)); err != nil {
			return removed, fmt.Errorf("release journal segments: %w", err)
		}
		removed = append(removed, s.info())
	}
	if err := j.fs.SyncDir(j.dir); err != nil {
		return removed, fmt.Errorf("release journal segments: %w", err)
	}
	return removed, nil
}

// releasable returns the oldest segments that may go.
func (j *Journal) releasable(upTo uint64, olderThan time.Time) []*segment {
	j.mu.RLock()
	defer j.mu.RUnlock()
	n := 0
	for n < len(j.segs)-1 {
		s := j.segs[n]
		if !s.sealed || s.last > upTo || s.foot.sealed >= olderThan.UnixMilli() {
			break
		}
		n++
	}
	return j.segs[:n:n]
}
