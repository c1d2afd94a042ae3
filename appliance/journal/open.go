package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"posthouse/appliance/disk"
	"posthouse/appliance/meter"
)

// Open reads the journal in dir, creating both when they are not there. Cost:
// header and footer of each sealed segment, every byte of the last one.
// Damage is a *DamageError; the directory is then as it was.
func Open(dir string, opt Options) (*Journal, error) {
	j, err := newJournal(dir, opt)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if j.opt.ReadOnly {
		err = j.openReadOnly()
	} else {
		err = j.openLocked()
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

func newJournal(dir string, opt Options) (*Journal, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Journal{synced: meter.NewHistogram(meter.Latency()...),
		dir: dir, opt: opt, fs: opt.FS,
		wake: make(chan struct{}, 1), hashIn: make(chan []byte), hashDone: make(chan struct{}),
	}, nil
}

func (j *Journal) openReadOnly() error {
	var l *loaded
	err := retryLive(func() (err error) {
		l, err = load(j.fs, j.dir, j.opt.Witness)
		return err
	})
	if err != nil {
		return err
	}
	j.adopt(l)
	if l.tail.torn {
		j.recovery = Recovery{TornAfter: l.head(), TornBytes: l.tail.end - l.scan.end}
	}
	return nil
}

// adopt takes over what load found.
func (j *Journal) adopt(l *loaded) {
	j.segs = l.segs
	j.first = 1
	if n := len(l.segs); n > 0 {
		j.first = l.segs[0].hdr.first
		j.seg = l.segs[n-1]
	}
	j.head.Store(l.head())
	if l.mark != nil {
		j.marked.Store(l.mark.head)
	}
}

func (j *Journal) openLocked() (err error) {
	if err := makeDir(j.fs, j.dir); err != nil {
		return err
	}
	if j.lock, err = takeLock(j.dir); err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if j.active != nil {
			err = errors.Join(err, j.active.Close())
		}
		if j.lock != nil {
			err = errors.Join(err, j.lock.Close())
		}
	}()
	l, err := load(j.fs, j.dir, j.opt.Witness)
	if err != nil {
		return err
	}
	if err := l.clean(); err != nil {
		return err
	}
	j.adopt(l)
	if err := j.recover(l); err != nil {
		return err
	}
	if l.mark == nil || l.mark.head != j.head.Load() || l.mark.first != j.first {
		if err := j.writeMark(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	j.cancel = cancel
	j.wg.Add(2)
	go j.keeper(ctx)
	go j.hasher(ctx)
	return nil
}

// makeDir is MkdirAll with durable names.
func makeDir(fsys disk.FS, dir string) error {
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		_, err := fsys.Stat(d)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(d) == d {
			return fmt.Errorf("create journal directory: %w", err)
		}
		missing = append(missing, d)
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create journal directory: %w", err)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := fsys.SyncDir(filepath.Dir(missing[i])); err != nil {
			return fmt.Errorf("sync parent of journal directory: %w", err)
		}
	}
	return nil
}

// clean removes what a crash left behind: temporary files, released segments.
func (l *loaded) clean() error {
	entries, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("list journal: %w", err)
	}
	gone := l.released
	for _, e := range entries {
		base, tmp := strings.CutSuffix(e.Name(), tmpSuffix)
		if _, seg := parseSegmentName(base); tmp && (seg || base == hwmName) {
			gone = append(gone, e.Name())
		}
	}
	for _, name := range gone {
		if err := l.fs.Remove(l.path(name)); err != nil {
			return fmt.Errorf("remove left-over: %w", err)
		}
	}
	return nil
}

// recover brings the last segment into a state that can be appended to, and
// makes everything that was found durable. It syncs the directory whatever
// happened before: names that the last run created may be in memory only.
func (j *Journal) recover(l *loaded) error {
	if len(l.segs) == 0 {
		return j.startSegment(1, 0, [32]byte{})
	}
	seg := l.segs[len(l.segs)-1]
	f, err := j.fs.OpenFile(l.path(seg.name), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	j.active = f
	if l.tail.torn {
		if err := j.cutTail(l, seg); err != nil {
			return err
		}
		l.size = seg.end
	}
	end := seg.end
	if seg.sealed {
		end += footerSize
		if l.size > end {
			if err := f.Truncate(end); err != nil {
				return fmt.Errorf("cut %s: %w", seg.name, err)
			}
		}
	}
	if err := j.settle(l, seg, end); err != nil {
		return err
	}
	return j.resume(l, seg)
}

// cutTail copies the torn tail, makes the copy durable and only then cuts.
func (j *Journal) cutTail(l *loaded, seg *segment) error {
	pos := seg.last + 1
	name := "torn-" + strconv.FormatUint(pos, 10) + "-" + strconv.FormatInt(unixMilli(j.opt.Now()), 10) + ".bin"
	if err := copyRange(j.fs, l.path(name), j.active, seg.end, l.tail.end); err != nil {
		return fmt.Errorf("copy torn tail: %w", err)
	}
	if err := j.fs.SyncDir(j.dir); err != nil {
		return fmt.Errorf("sync journal directory: %w", err)
	}
	if err := j.active.Truncate(seg.end); err != nil {
		return fmt.Errorf("cut torn tail of %s: %w", seg.name, err)
	}
	j.recovery = Recovery{TornFile: l.path(name), TornAfter: seg.last, TornBytes: l.tail.end - seg.end}
	return nil
}

// copyRange writes bytes [from,to) of src into a new file and syncs it.
func copyRange(fsys disk.FS, path string, src disk.File, from, to int64) (err error) {
	dst, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	buf := make([]byte, min(1<<20, to-from))
	for off := from; off < to; {
		n := min(int64(len(buf)), to-off)
		if _, err := src.ReadAt(buf[:n], off); err != nil {
			return err
		}
		if _, err := dst.WriteAt(buf[:n], off-from); err != nil {
			return err
		}
		off += n
	}
	return dst.Sync()
}

// settle writes the bytes that nobody vouches for once more and syncs them.
// They are the same bytes, so a power cut in the middle harms nothing. Without
// it a record whose sync failed in the last run would be served from the page
// cache, be lost with it, and nobody would know.
func (j *Journal) settle(l *loaded, seg *segment, end int64) error {
	vouched := j.opt.Witness
	if l.mark != nil {
		vouched = max(vouched, l.mark.head)
	}
	off := int64(headerSize)
	for _, p := range seg.places {
		if p.pos <= vouched+1 {
			off = p.off
		}
	}
	if vouched < seg.last || seg.sealed || l.tail.torn {
		buf := make([]byte, min(1<<20, end-off))
		for off < end {
			n := min(int64(len(buf)), end-off)
			if _, err := j.active.ReadAt(buf[:n], off); err != nil {
				return fmt.Errorf("read back %s: %w", seg.name, err)
			}
			if _, err := j.active.WriteAt(buf[:n], off); err != nil {
				return fmt.Errorf("write back %s: %w", seg.name, err)
			}
			off += n
		}
	}
	if err := j.active.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", seg.name, err)
	}
	if err := j.fs.SyncDir(j.dir); err != nil {
		return fmt.Errorf("sync journal directory: %w", err)
	}
	return nil
}

// resume continues the last segment, or starts the next one when the last is
// sealed or was made for smaller payloads.
func (j *Journal) resume(l *loaded, seg *segment) error {
	j.alloc, j.chain, j.hash = l.size, l.scan.chain, l.scan.hash
	small := seg.hdr.maxPayload < uint32(j.opt.MaxPayload)
	switch {
	case seg.sealed:
		if err := j.active.Close(); err != nil {
			return fmt.Errorf("close sealed segment: %w", err)
		}
		j.active = nil
		return j.startSegment(seg.last+1, seg.foot.chain, seg.foot.sha)
	case small && seg.last < seg.hdr.first: // empty: replaced by one of the same name
		if err := j.active.Close(); err != nil {
			return fmt.Errorf("close segment: %w", err)
		}
		j.active = nil
		j.segs = j.segs[:len(j.segs)-1]
		return j.startSegment(seg.hdr.first, seg.hdr.prevChain, seg.hdr.prevSHA)
	case small:
		return j.roll(seg)
	}
	return nil
}
