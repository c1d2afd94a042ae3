package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"posthouse/appliance/disk"
)

// loaded is what a look at the directory found. Nothing was changed.
type loaded struct {
	dir      string
	fs       disk.FS
	segs     []*segment // ascending, contiguous
	released []string   // segments below the mark that a crash left behind
	mark     *mark      // nil = no hwm file
	scan     *scanned   // of the last segment; nil without segments
	tail     verdict    // what stands after the records of the last segment
	size     int64      // of the last segment
}

// head is the last good position.
func (l *loaded) head() uint64 {
	if len(l.segs) == 0 {
		return 0
	}
	return l.segs[len(l.segs)-1].last
}

func (l *loaded) path(name string) string { return filepath.Join(l.dir, name) }

func (l *loaded) damage(name string, off int64, pos uint64, format string, args ...any) error {
	return &DamageError{File: l.path(name), Offset: off, Position: pos, Reason: fmt.Sprintf(format, args...)}
}

// load reads the mark, the headers and footers of all segments, and every byte
// of the last one. Bytes that are not what was written are a *DamageError; l
// is then filled as far as it went.
func load(fsys disk.FS, dir string, witness uint64) (*loaded, error) {
	l := &loaded{dir: dir, fs: fsys}
	var err error
	// The mark is read before the segments: it must not be ahead of them when
	// another process is appending.
	if l.mark, err = loadMark(fsys, dir); err != nil {
		return l, err
	}
	names, err := l.list()
	if err != nil {
		return l, err
	}
	for i, first := range names {
		if err := l.addSegment(first, i == len(names)-1); err != nil {
			return l, err
		}
	}
	if l.mark != nil {
		witness = max(witness, l.mark.head)
	}
	if witness > l.head() {
		return l, l.short(witness)
	}
	return l, nil
}

// short is the damage of a journal that ends below the witness.
func (l *loaded) short(witness uint64) error {
	if len(l.segs) == 0 {
		first := uint64(1)
		if l.mark != nil {
			first = l.mark.first
		}
		return l.damage(segmentName(first), 0, first, "there is no segment, but position %d was confirmed as durable", witness)
	}
	s := l.segs[len(l.segs)-1]
	return l.damage(s.name, s.end, s.last+1, "records end at position %d, but position %d was confirmed as durable (%s)",
		s.last, witness, l.scan.reason)
}

// list returns the first positions of the segments that belong to the journal
// and checks that the first of them is there; if it is not, the list comes with
// the error.
func (l *loaded) list() ([]uint64, error) {
	entries, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	var firsts []uint64
	for _, e := range entries {
		if first, ok := parseSegmentName(e.Name()); ok {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	if l.mark == nil || len(firsts) == 0 {
		return firsts, nil
	}
	for len(firsts) > 1 && firsts[1] <= l.mark.first {
		l.released = append(l.released, segmentName(firsts[0]))
		firsts = firsts[1:]
	}
	if firsts[0] > l.mark.first {
		return firsts, l.damage(segmentName(l.mark.first), 0, l.mark.first, "segment is missing")
	}
	return firsts, nil
}

// addSegment checks one segment against the one before and appends it.
func (l *loaded) addSegment(first uint64, last bool) error {
	name := segmentName(first)
	if err := l.checkGap(first); err != nil {
		return err
	}
	f, err := l.fs.OpenFile(l.path(name), os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	size, err := fileSize(f)
	if err != nil {
		return err
	}
	s, err := l.readHeader(f, first)
	if err != nil {
		return err
	}
	if last {
		l.size = size
		return l.readLast(f, s, size)
	}
	return l.readFooter(f, s, size)
}

// newest is the segment before the one that is looked at, nil = none.
func (l *loaded) newest() *segment {
	if n := len(l.segs); n > 0 {
		return l.segs[n-1]
	}
	return nil
}

// checkGap compares the name of a segment with the end of the one before.
func (l *loaded) checkGap(first uint64) error {
	prev := l.newest()
	switch {
	case prev == nil || prev.last+1 == first:
		return nil
	case prev.last+1 < first:
		return l.damage(segmentName(prev.last+1), 0, prev.last+1, "segment is missing, the next one is %s", segmentName(first))
	}
	return l.damage(segmentName(first), 0, first, "segment overlaps %s, which ends at position %d", prev.name, prev.last)
}

func fileSize(f disk.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read size of %s: %w", f.Name(), err)
	}
	return st.Size(), nil
}

// readUpTo reads n bytes at off, or what there is of them.
func readUpTo(f io.ReaderAt, off int64, n int) ([]byte, error) {
	b := make([]byte, n)
	got, err := f.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:got], nil
}

// readHeader reads a header and checks it against the file name and the
// segment before.
func (l *loaded) readHeader(f disk.File, first uint64) (*segment, error) {
	name := segmentName(first)
	b, err := readUpTo(f, 0, headerSize)
	if err != nil {
		return nil, fmt.Errorf("read header of %s: %w", name, err)
	}
	h, reason := decodeHeader(b)
	if reason == reasonVersion {
		return nil, fmt.Errorf("read header of %s: %w", name, ErrVersion)
	}
	if reason == "" {
		reason = l.misfit(&h, first)
	}
	if reason != "" {
		return nil, l.damage(name, 0, first, "%s", reason)
	}
	return &segment{name: name, hdr: h, last: first - 1, end: headerSize}, nil
}

// misfit says why a valid header does not belong here, "" = it does.
func (l *loaded) misfit(h *header, first uint64) string {
	prev := l.newest()
	switch {
	case h.first != first:
		return fmt.Sprintf("header says first position %d", h.first)
	case prev != nil && (h.prevChain != prev.foot.chain || h.prevSHA != prev.foot.sha):
		return "segment does not continue " + prev.name
	}
	return ""
}

// readFooter takes a segment that is not the last one from its footer.
func (l *loaded) readFooter(f disk.File, s *segment, size int64) error {
	off := max(size-footerSize, headerSize)
	b, err := readUpTo(f, off, footerSize)
	if err != nil {
		return fmt.Errorf("read footer of %s: %w", s.name, err)
	}
	foot, ok := decodeFooter(b, s.hdr.salt)
	if !ok {
		return l.damage(s.name, off, s.hdr.first, "segment is followed by another and has no valid footer")
	}
	if foot.count == 0 || foot.last != s.hdr.first+foot.count-1 {
		return l.damage(s.name, off, s.hdr.first, "footer does not belong to this segment")
	}
	s.sealed, s.foot, s.last, s.end = true, foot, foot.last, off
	l.segs = append(l.segs, s)
	return nil
}

// readLast reads every byte of the last segment.
func (l *loaded) readLast(f disk.File, s *segment, size int64) error {
	scan, err := scanSegment(f, s.hdr, size, nil)
	if err != nil {
		return fmt.Errorf("scan %s: %w", s.name, err)
	}
	l.scan = scan
	s.last, s.end, s.places = scan.last, scan.end, scan.marks
	l.segs = append(l.segs, s)
	if scan.foot != nil {
		return l.checkSealed(f, s, size)
	}
	if l.tail, err = judgeTail(f, s.hdr, scan, size, false); err != nil {
		return fmt.Errorf("scan tail of %s: %w", s.name, err)
	}
	if l.tail.damage != "" {
		return l.damage(s.name, l.tail.offset, s.last+1, "%s, and %s", scan.reason, l.tail.damage)
	}
	return nil
}

// checkSealed is for a last segment with a footer: a crash came between
// sealing it and creating the next one. Only zeros may follow the footer.
func (l *loaded) checkSealed(f disk.File, s *segment, size int64) error {
	if l.scan.sum() != l.scan.foot.sha {
		return l.damage(s.name, s.end, s.hdr.first, "SHA-256 of the segment is not the one in its footer")
	}
	s.sealed, s.foot = true, *l.scan.foot
	end, err := lastNonZero(f, s.end+footerSize, size)
	if err != nil {
		return err
	}
	if end > s.end+footerSize {
		return l.damage(s.name, s.end+footerSize, s.last+1, "bytes follow the footer")
	}
	return nil
}

// retryLive runs look again when it reports damage: a process that appends at
// the same time can make a consistent journal look damaged for a moment, and
// can remove or add segments between listing and opening.
func retryLive(look func() error) error {
	for try := 0; ; try++ {
		err := look()
		var damage *DamageError
		if try == 2 || !(errors.As(err, &damage) || errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
}
