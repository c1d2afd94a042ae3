package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"posthouse/appliance/disk"
)

const (
	markEvery    = 4096            // records
	markInterval = 5 * time.Second // after the first record that hwm does not cover
)

// keeper rewrites hwm behind the appends. It is a goroutine of the journal;
// see the package comment.
//
// A failure does not fail the appends: the records are durable, and a lower
// mark only makes recovery more willing to cut an unacknowledged-looking tail.
// It is reported by HighWater and tried again every 5 s, each time on a fresh
// temporary file, so that no sync is ever repeated on the same file.
func (j *Journal) keeper(ctx context.Context) {
	defer j.wg.Done()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	armed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			armed = false
			if j.head.Load() == j.marked.Load() {
				continue
			}
		case <-j.wake:
			if j.head.Load()-j.marked.Load() < markEvery || j.markErr.Load() != nil {
				if !armed {
					timer.Reset(markInterval)
					armed = true
				}
				continue
			}
		}
		err := j.writeMark()
		if err != nil || j.head.Load() > j.marked.Load() {
			timer.Reset(markInterval)
			armed = true
		}
	}
}

// nudge wakes the keeper when there is something for it to do: the first
// record that hwm does not cover, or enough of them.
func (j *Journal) nudge(before, head uint64) {
	marked := j.marked.Load()
	if before > marked && head-marked < markEvery {
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// HighWater is the position that the hwm file vouches for, and the error of
// the last attempt to write it (nil = fine). The appends do not depend on it.
func (j *Journal) HighWater() (uint64, error) {
	if p := j.markErr.Load(); p != nil {
		return j.marked.Load(), *p
	}
	return j.marked.Load(), nil
}

// writeMark replaces hwm with the present head and first position.
func (j *Journal) writeMark() error {
	j.markMu.Lock()
	defer j.markMu.Unlock()
	return j.writeMarkLocked(j.First())
}

// writeMarkLocked needs markMu.
func (j *Journal) writeMarkLocked(first uint64) error {
	m := mark{head: j.head.Load(), first: first, written: unixMilli(j.opt.Now())}
	if err := storeMark(j.fs, j.dir, m); err != nil {
		j.markErr.Store(&err)
		return err
	}
	j.marked.Store(m.head)
	j.markErr.Store(nil)
	return nil
}

func storeMark(fsys disk.FS, dir string, m mark) error {
	if err := disk.WriteFile(fsys, filepath.Join(dir, hwmName), m.encode(), 0o600); err != nil {
		return fmt.Errorf("write high-water file: %w", err)
	}
	return nil
}

// loadMark reads hwm; a missing file (new or restored journal) is nil. A file
// that does not verify is damage: it is only ever replaced whole.
func loadMark(fsys disk.FS, dir string) (*mark, error) {
	path := filepath.Join(dir, hwmName)
	b, err := disk.ReadFile(fsys, path, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read high-water file: %w", err)
	}
	m, ok := decodeMark(b)
	if !ok {
		return nil, &DamageError{File: path, Reason: "high-water file does not verify"}
	}
	return &m, nil
}
