package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Bin takes a content away and keeps it for Restore until Empty. The time is
// the store's clock. Errors: ErrNotFound.
func (s *Store) Bin(d Digest) error {
	from := s.contentPath(d)
	if _, err := s.fsys.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("bin content: %w", ErrNotFound)
	}
	h := d.String()
	to := filepath.Join(s.binDir(), h[:2], h[2:]+"."+strconv.FormatInt(s.opt.Now().UnixMilli(), 10))
	if err := s.makeDir(filepath.Dir(to)); err != nil {
		return fmt.Errorf("bin content: %w", err)
	}
	if err := s.move(from, to); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNotFound // another Bin was faster
		}
		return fmt.Errorf("bin content: %w", err)
	}
	return nil
}

// Restore brings the content that was binned last back to its address; one
// that is there already stays as it is. Errors: ErrNotFound.
func (s *Store) Restore(d Digest) error {
	to := s.contentPath(d)
	if _, err := s.fsys.Stat(to); err == nil {
		return nil
	}
	h := d.String()
	dir := filepath.Join(s.binDir(), h[:2])
	files, err := s.fsys.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore content: %w", err)
	}
	best, at := "", int64(-1)
	for _, file := range files {
		if bd, t, ok := parseBinned(h[:2] + file.Name()); ok && bd == d && t > at {
			best, at = file.Name(), t
		}
	}
	if best == "" {
		return fmt.Errorf("restore content: %w", ErrNotFound)
	}
	if err := s.adopt(filepath.Join(dir, best), d); err != nil {
		return fmt.Errorf("restore content: %w", err)
	}
	return nil
}

// Empty removes for good what was binned before olderThan, and says how many
// files and bytes. It goes on after an error and returns them joined.
func (s *Store) Empty(olderThan time.Time) (n int, bytes int64, err error) {
	var errs []error
	dirs := make(map[string]bool)
	err = s.walk(context.Background(), s.binDir(), func(name string, info fs.FileInfo) error {
		_, at, ok := parseBinned(name)
		if !ok || at >= olderThan.UnixMilli() {
			return nil
		}
		dir := filepath.Join(s.binDir(), name[:2])
		if err := s.fsys.Remove(filepath.Join(dir, name[2:])); err != nil {
			errs = append(errs, err)
			return nil
		}
		n++
		bytes += info.Size()
		dirs[dir] = true
		return nil
	})
	errs = append(errs, err)
	for dir := range dirs {
		errs = append(errs, s.fsys.SyncDir(dir))
	}
	if err := errors.Join(errs...); err != nil {
		return n, bytes, fmt.Errorf("empty bin: %w", err)
	}
	return n, bytes, nil
}

// parseBinned reads "<64 hex>.<unix ms>".
func parseBinned(name string) (Digest, int64, bool) {
	h, ms, ok := strings.Cut(name, ".")
	if !ok {
		return Digest{}, 0, false
	}
	d, err := ParseDigest(h)
	if err != nil {
		return Digest{}, 0, false
	}
	at, err := strconv.ParseInt(ms, 10, 64)
	return d, at, err == nil && at >= 0
}
