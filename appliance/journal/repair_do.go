package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"posthouse/appliance/disk"
)

// carryOut does what examine planned. The order makes an interrupted run safe
// to repeat: first the report and the copies, then the moves from the newest
// file down, then the cut, at last hwm.
func (r *repairer) carryOut() error {
	aside, err := r.freeDir()
	if err != nil {
		return err
	}
	if err := makeDir(r.fs, aside); err != nil {
		return err
	}
	r.rep.Aside = aside
	for _, w := range r.writes {
		if slices.Contains(r.rep.Copied, w.name) {
			continue
		}
		if err := r.copyAside(w.name); err != nil {
			return fmt.Errorf("copy %s aside: %w", w.name, err)
		}
		r.rep.Copied = append(r.rep.Copied, w.name)
	}
	if err := disk.WriteFile(r.fs, filepath.Join(aside, "report.txt"), r.text(), 0o600); err != nil {
		return fmt.Errorf("write repair report: %w", err)
	}
	if err := r.moveAside(); err != nil {
		return err
	}
	for _, w := range r.writes {
		if err := r.apply(w); err != nil {
			return fmt.Errorf("mend %s: %w", w.name, err)
		}
		if w.off > 0 {
			r.rep.Rebuilt = append(r.rep.Rebuilt, w.name)
		}
	}
	if r.fresh != nil {
		f, err := createFile(r.fs, r.path(segmentName(r.fresh.first)), r.fresh.encode())
		if err != nil {
			return fmt.Errorf("create segment: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("close segment: %w", err)
		}
	}
	return storeMark(r.fs, r.dir, mark{head: r.rep.Head, first: r.rep.First, written: unixMilli(r.opt.Now())})
}

// freeDir is a name that no earlier repair has used: copies are never written
// over.
func (r *repairer) freeDir() (string, error) {
	for ms := unixMilli(r.opt.Now()); ; ms++ {
		dir := r.path("damaged-" + strconv.FormatInt(ms, 10))
		if _, err := r.fs.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return dir, nil
		} else if err != nil {
			return "", fmt.Errorf("name directory for damaged files: %w", err)
		}
	}
}

func (r *repairer) copyAside(name string) error {
	f, err := r.fs.OpenFile(r.path(name), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := fileSize(f)
	if err != nil {
		return err
	}
	return copyRange(r.fs, filepath.Join(r.rep.Aside, name), f, 0, size)
}

// moveAside moves newest first: what stays is a journal without a hole at any
// moment.
func (r *repairer) moveAside() error {
	for _, name := range slices.Backward(r.moved) {
		if err := r.fs.Rename(r.path(name), filepath.Join(r.rep.Aside, name)); err != nil {
			return fmt.Errorf("move %s aside: %w", name, err)
		}
		for _, dir := range []string{r.rep.Aside, r.dir} {
			if err := r.fs.SyncDir(dir); err != nil {
				return fmt.Errorf("sync %s: %w", dir, err)
			}
		}
		r.rep.Moved = append(r.rep.Moved, name)
	}
	return nil
}

func (r *repairer) apply(w mending) error {
	f, err := r.fs.OpenFile(r.path(w.name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if len(w.data) > 0 {
		if _, err := f.WriteAt(w.data, w.off); err != nil {
			return err
		}
	}
	if w.size >= 0 {
		if err := f.Truncate(w.size); err != nil {
			return err
		}
	}
	return f.Sync()
}

// text is the report for whoever finds the directory later.
func (r *repairer) text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "journal %s\n", r.dir)
	for _, d := range r.rep.Damage {
		fmt.Fprintf(&b, "damage %s offset %d position %d: %s\n", filepath.Base(d.File), d.Offset, d.Position, d.Reason)
	}
	for _, l := range r.rep.Lost {
		fmt.Fprintf(&b, "lost positions %d to %d\n", l.First, l.Last)
	}
	for _, name := range r.moved {
		fmt.Fprintf(&b, "moved here %s\n", name)
	}
	for _, w := range r.writes {
		fmt.Fprintf(&b, "copied here before mending %s\n", w.name)
	}
	fmt.Fprintf(&b, "journal now begins at %d and ends at %d\n", r.rep.First, r.rep.Head)
	return []byte(b.String())
}
