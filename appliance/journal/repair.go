package journal

import (
	"errors"
	"fmt"
	"io"
	"os"

	"posthouse/appliance/disk"
)

// Range is a range of positions, both ends included.
type Range struct{ First, Last uint64 }

// RepairReport is what Repair did.
type RepairReport struct {
	Damage  []*DamageError // what was found; empty = nothing was changed
	Lost    []Range        // positions the journal no longer has; what Aside holds of them may be whole
	First   uint64         // first position now, or the one the next entry gets
	Head    uint64         // last position now
	Aside   string         // directory with the copies and a report.txt
	Copied  []string       // files that were cut or mended, copied to Aside before
	Moved   []string       // files moved to Aside as they were
	Rebuilt []string       // segments whose footer was written anew; nothing is lost by that
}

// Repair does what only an operator may decide: it cuts a damaged journal at
// the last good record. Nothing is deleted: what is cut is copied, and what
// follows is moved, into a directory "damaged-<ms>" first. A damaged footer
// between two segments that fit is written anew without loss; a missing oldest
// segment moves First. hwm is written to the new head.
//
// Positions above Head will be given out again. Options.Witness (a state
// database that is ahead) is only used to say what is lost: afterwards that
// database must be rebuilt, or Open refuses the journal because of it. A run
// that is interrupted may be started again. A journal without damage is left
// alone; a torn tail is Open's business.
func Repair(dir string, opt Options) (rep RepairReport, err error) {
	opt, err = opt.withDefaults()
	if err != nil {
		return rep, fmt.Errorf("repair journal: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return rep, fmt.Errorf("repair journal: %w", err)
	}
	if lock != nil {
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	r := &repairer{loaded: &loaded{dir: dir, fs: opt.FS}, opt: opt, highest: opt.Witness}
	if err := r.examine(); err != nil {
		return rep, fmt.Errorf("repair journal: %w", err)
	}
	if len(r.rep.Damage) == 0 {
		return r.rep, nil
	}
	if err := r.carryOut(); err != nil {
		return r.rep, fmt.Errorf("repair journal: %w", err)
	}
	return r.rep, nil
}

// repairer is one run: examine makes the plan, carryOut does it.
type repairer struct {
	*loaded
	opt     Options
	rep     RepairReport
	highest uint64 // highest position known to have been there

	writes []mending
	moved  []string // ascending
	fresh  *header  // segment to create because none is left
}

// mending is one change to a file that stays.
type mending struct {
	name string
	data []byte // written at off, may be empty
	off  int64
	size int64 // of the file afterwards; -1 = as it is
}

// note keeps damage for the report and passes other errors on.
func (r *repairer) note(err error) error {
	var d *DamageError
	if errors.As(err, &d) {
		r.rep.Damage = append(r.rep.Damage, d)
		return nil
	}
	return err
}

func (r *repairer) examine() error {
	var err error
	r.mark, err = loadMark(r.fs, r.dir)
	if err = r.note(err); err != nil {
		return err
	}
	if r.mark != nil {
		r.highest = max(r.highest, r.mark.head)
	}
	firsts, err := r.list()
	if err != nil && len(firsts) > 0 {
		r.rep.Lost = append(r.rep.Lost, Range{r.mark.first, firsts[0] - 1})
	}
	if err = r.note(err); err != nil {
		return err
	}
	for i, more := 0, true; more && i < len(firsts); i++ {
		if more, err = r.segment(firsts, i); err != nil {
			return err
		}
	}
	r.rep.First, r.rep.Head = 1, r.head()
	if len(firsts) > 0 {
		r.rep.First = firsts[0]
		if len(r.segs) == 0 {
			r.rep.Head = firsts[0] - 1
			r.fresh = &header{first: firsts[0], created: unixMilli(r.opt.Now()), maxPayload: uint32(r.opt.MaxPayload)}
		}
	}
	if r.highest <= r.rep.Head {
		return nil
	}
	r.rep.Lost = append(r.rep.Lost, Range{r.rep.Head + 1, r.highest})
	if len(r.rep.Damage) == 0 {
		return r.note(r.short(r.highest))
	}
	return nil
}

// segment reads one file whole and plans what becomes of it. It answers
// whether the journal goes on after it.
func (r *repairer) segment(firsts []uint64, i int) (more bool, err error) {
	first := firsts[i]
	if err := r.checkGap(first); err != nil {
		return false, errors.Join(r.note(err), r.moveFrom(firsts[i:]))
	}
	f, err := r.fs.OpenFile(r.path(segmentName(first)), os.O_RDONLY, 0)
	if err != nil {
		return false, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	size, err := fileSize(f)
	if err != nil {
		return false, err
	}
	var src io.ReaderAt = f
	s, err := r.readHeader(f, first)
	if err != nil {
		if err = r.note(err); err != nil {
			return false, err
		}
		healed := healed{ReaderAt: f}
		if s, healed.head, err = r.healHeader(f, first); err != nil || s == nil {
			return false, errors.Join(err, r.moveFrom(firsts[i:]))
		}
		src = healed
	}
	scan, err := scanSegment(src, s.hdr, size, nil)
	if err != nil {
		return false, fmt.Errorf("scan %s: %w", s.name, err)
	}
	s.last, s.end = scan.last, scan.end
	if i == len(firsts)-1 {
		return false, r.lastSegment(f, s, scan, size)
	}
	err = r.whole(s, scan, size)
	if err == nil {
		s.sealed, s.foot = true, *scan.foot
		r.segs = append(r.segs, s)
		return true, nil
	}
	if err = r.note(err); err != nil {
		return false, err
	}
	if r.fits(s, scan, firsts[i+1]) {
		r.segs = append(r.segs, s)
		return true, nil
	}
	if err := r.cutSegment(f, s, scan, size); err != nil {
		return false, err
	}
	return false, r.moveFrom(firsts[i+1:])
}

// lastSegment plans for the last file: nothing, or a cut.
func (r *repairer) lastSegment(f disk.File, s *segment, scan *scanned, size int64) error {
	r.scan = scan
	var err error
	if scan.foot != nil {
		err = r.checkSealed(f, s, size)
	} else if r.tail, err = judgeTail(f, s.hdr, scan, size, false); err != nil {
		return err
	} else if r.tail.damage != "" {
		err = r.damage(s.name, r.tail.offset, s.last+1, "%s, and %s", scan.reason, r.tail.damage)
	}
	if err == nil {
		r.segs = append(r.segs, s)
		return nil
	}
	if err = r.note(err); err != nil {
		return err
	}
	return r.cutSegment(f, s, scan, size)
}

// cutSegment plans to cut a file after its last good record.
func (r *repairer) cutSegment(f disk.File, s *segment, scan *scanned, size int64) error {
	v, err := judgeTail(f, s.hdr, scan, size, true)
	if err != nil {
		return err
	}
	r.highest = max(r.highest, v.pos)
	s.sealed = false
	r.segs = append(r.segs, s)
	r.writes = append(r.writes, mending{name: s.name, size: scan.end})
	return nil
}

// fits answers whether all records of a sealed segment are there although its
// footer is not: the next header names their chain and SHA-256. The footer is
// then planned anew.
func (r *repairer) fits(s *segment, scan *scanned, next uint64) bool {
	f, err := r.fs.OpenFile(r.path(segmentName(next)), os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := readUpTo(f, 0, headerSize)
	if err != nil {
		return false
	}
	h, reason := decodeHeader(b)
	if reason != "" || scan.last+1 != next || h.first != next || h.prevChain != scan.chain || h.prevSHA != scan.sum() {
		return false
	}
	s.sealed = true
	s.foot = footer{count: scan.last - s.hdr.first + 1, last: scan.last, sealed: h.created, chain: scan.chain, sha: scan.sum()}
	r.writes = append(r.writes, mending{name: s.name, data: s.foot.encode(s.hdr.salt), off: scan.end, size: scan.end + footerSize})
	return true
}

// healed is a file as it will be with its header mended.
type healed struct {
	io.ReaderAt
	head []byte
}

// ReadAt puts the mended header over what is read.
func (h healed) ReadAt(b []byte, off int64) (int, error) {
	n, err := h.ReaderAt.ReadAt(b, off)
	if off < int64(len(h.head)) {
		copy(b[:n], h.head[off:])
	}
	return n, err
}

// healHeader looks for the one bit whose flip makes the header valid and
// fitting; nil = there is none.
func (r *repairer) healHeader(f disk.File, first uint64) (*segment, []byte, error) {
	b, err := readUpTo(f, 0, headerSize)
	if err != nil || len(b) < headerSize {
		return nil, nil, err
	}
	for bit := range headerSize * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		if h, reason := decodeHeader(b); reason == "" && r.misfit(&h, first) == "" {
			s := &segment{name: segmentName(first), hdr: h, last: first - 1, end: headerSize}
			r.writes = append(r.writes, mending{name: s.name, data: b, size: -1})
			return s, b, nil
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	return nil, nil, nil
}

// moveFrom plans to move files aside whole and learns the highest position in
// them, as far as they say.
func (r *repairer) moveFrom(firsts []uint64) error {
	for _, first := range firsts {
		name := segmentName(first)
		r.moved = append(r.moved, name)
		last, err := r.lastIn(name)
		if err != nil {
			return err
		}
		r.highest = max(r.highest, last, first-1)
	}
	return nil
}

// lastIn is the highest position that verifies in a file, 0 = none does.
func (r *repairer) lastIn(name string) (uint64, error) {
	f, err := r.fs.OpenFile(r.path(name), os.O_RDONLY, 0)
	if err != nil {
		return 0, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	size, err := fileSize(f)
	if err != nil {
		return 0, err
	}
	b, err := readUpTo(f, 0, headerSize)
	if err != nil {
		return 0, err
	}
	h, reason := decodeHeader(b)
	if reason != "" {
		return 0, nil
	}
	scan, err := scanSegment(f, h, size, nil)
	if err != nil || scan.foot != nil {
		return scan.last, err
	}
	v, err := judgeTail(f, h, scan, size, true)
	return max(scan.last, v.pos), err
}
