package journal

import (
	"context"
	"errors"
	"fmt"
	"os"

	"posthouse/appliance/disk"
)

// Inspect lists the segments in dir without lock or write, reading every byte
// of the last one. With a *DamageError come the segments before the damage.
func Inspect(dir string, fsys disk.FS) ([]SegmentInfo, error) {
	if fsys == nil {
		fsys = disk.OS{}
	}
	var l *loaded
	err := retryLive(func() (err error) {
		l, err = load(fsys, dir, 0)
		return err
	})
	infos := make([]SegmentInfo, 0, len(l.segs))
	for _, s := range l.segs {
		infos = append(infos, s.info())
	}
	if err != nil {
		return infos, fmt.Errorf("inspect journal: %w", err)
	}
	return infos, nil
}

// Report is what Check found.
type Report struct {
	Segments  int    // read
	Records   uint64 // that verify
	Bytes     int64  // read
	First     uint64 // first position, 0 = no segment
	Head      uint64 // last position that verifies without a gap
	TornBytes int64  // at the end, what the next Open would cut; not damage
	Damage    []*DamageError
}

// Check reads every byte of every segment and verifies headers, chain, footers
// and SHA-256. It takes no lock and writes nothing; it may run beside a journal
// in use. progress (may be nil) gets bytes read and bytes in all. The error is
// the first damage, a *DamageError, or one of the file system or of ctx; all
// damage is in the report.
func Check(ctx context.Context, dir string, opt Options, progress func(done, total int64)) (Report, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Report{}, fmt.Errorf("check journal: %w", err)
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	var rep Report
	err = retryLive(func() error {
		c := &checker{ctx: ctx, loaded: &loaded{dir: dir, fs: opt.FS}, progress: progress}
		err := c.run(opt.Witness)
		rep = c.rep
		return err
	})
	if err != nil {
		return rep, fmt.Errorf("check journal: %w", err)
	}
	return rep, nil
}

// checker is one run of Check.
type checker struct {
	*loaded
	ctx      context.Context
	progress func(done, total int64)
	rep      Report
	done     int64
	total    int64
}

// found adds damage to the report and passes other errors on.
func (c *checker) found(err error) error {
	var d *DamageError
	if errors.As(err, &d) {
		c.rep.Damage = append(c.rep.Damage, d)
		return nil
	}
	return err
}

func (c *checker) run(witness uint64) error {
	var err error
	c.mark, err = loadMark(c.fs, c.dir)
	if err = c.found(err); err != nil {
		return err
	}
	firsts, err := c.list()
	if err = c.found(err); err != nil {
		return err
	}
	for _, first := range firsts {
		st, err := c.fs.Stat(c.path(segmentName(first)))
		if err != nil {
			return fmt.Errorf("read size of segment: %w", err)
		}
		c.total += st.Size()
	}
	for i, first := range firsts {
		if err := c.found(c.segment(first, i == len(firsts)-1)); err != nil {
			return err
		}
	}
	if c.mark != nil {
		witness = max(witness, c.mark.head)
	}
	if len(c.rep.Damage) == 0 && witness > c.head() {
		if err := c.found(c.short(witness)); err != nil {
			return err
		}
	}
	if len(c.rep.Damage) > 0 {
		return c.rep.Damage[0]
	}
	return c.ctx.Err()
}

// segment verifies one file. When it does not follow from the one before it is
// still read, on its own.
func (c *checker) segment(first uint64, last bool) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	err := c.addSegment(first, last)
	var d *DamageError
	if errors.As(err, &d) {
		c.rep.Damage = append(c.rep.Damage, d)
		c.segs = nil
		if err = c.addSegment(first, last); errors.As(err, &d) {
			if *d != *c.rep.Damage[len(c.rep.Damage)-1] {
				c.rep.Damage = append(c.rep.Damage, d)
			}
			c.segs = nil
			return nil
		}
	}
	if err != nil {
		return err
	}
	return c.read(c.segs[len(c.segs)-1], last)
}

// read reads a whole segment and counts it.
func (c *checker) read(s *segment, last bool) error {
	scan, size, before := c.scan, c.size, c.done
	if !last {
		var err error
		scan, size, err = c.scanFile(s, func(off int64) error {
			c.progress(before+off, c.total)
			return c.ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	c.done = before + size
	c.progress(c.done, c.total)
	c.rep.Segments++
	c.rep.Bytes += size
	c.rep.Records += scan.last + 1 - s.hdr.first
	if len(c.rep.Damage) == 0 {
		c.rep.Head = scan.last
		if c.rep.First == 0 {
			c.rep.First = s.hdr.first
		}
	}
	if !last {
		return c.whole(s, scan, size)
	}
	if c.tail.torn {
		c.rep.TornBytes = c.tail.end - scan.end
	}
	return nil
}

// scanFile reads every byte of a segment.
func (l *loaded) scanFile(s *segment, tick func(off int64) error) (*scanned, int64, error) {
	f, err := l.fs.OpenFile(l.path(s.name), os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	size, err := fileSize(f)
	if err != nil {
		return nil, 0, err
	}
	scan, err := scanSegment(f, s.hdr, size, tick)
	if err != nil {
		return nil, 0, fmt.Errorf("scan %s: %w", s.name, err)
	}
	return scan, size, nil
}

// whole checks a sealed segment after reading all of it.
func (l *loaded) whole(s *segment, scan *scanned, size int64) error {
	switch {
	case scan.foot == nil:
		return l.damage(s.name, scan.end, scan.last+1, "%s", scan.reason)
	case scan.end+footerSize != size:
		return l.damage(s.name, scan.end+footerSize, scan.last+1, "bytes follow the footer")
	case scan.sum() != scan.foot.sha:
		return l.damage(s.name, scan.end, s.hdr.first, "SHA-256 of the segment is not the one in its footer")
	}
	return nil
}
