package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
)

const readChunk = 128 << 10 // bytes a Reader reads at a time

// Reader reads records in order. It is for one goroutine.
type Reader struct {
	j      *Journal
	next   uint64   // position that Next returns
	seg    *segment // being read; nil before the first Next and between segments
	limit  uint64   // last position that the cursor may return
	file   io.Closer
	cur    *cursor
	chain  uint32 // of the record before next
	known  bool   // chain is known
	placed int64  // offset of the last place given to the segment
	err    error
}

// ReadFrom returns a reader whose first record is pos. ErrReleased if pos is
// below First, ErrBeyondHead if it is more than one past Head. The file is
// opened by the first Next; finding pos in it costs at most 256 KiB of reading
// once the segment has been read before, a whole segment otherwise.
func (j *Journal) ReadFrom(pos uint64) (*Reader, error) {
	if first := j.First(); pos < first {
		return nil, fmt.Errorf("read from position %d, first is %d: %w", pos, first, ErrReleased)
	}
	if head := j.Head(); pos > head+1 && pos > j.First() {
		return nil, fmt.Errorf("read from position %d, head is %d: %w", pos, head, ErrBeyondHead)
	}
	return &Reader{j: j, next: pos}, nil
}

// Next returns the next record, or io.EOF at the head; later calls continue
// when more was appended. Bytes that do not verify are a *DamageError. After
// any other error than io.EOF the reader stays failed.
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return Record{}, r.err
	}
	rec, err := r.read()
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = fmt.Errorf("read journal: %w", err)
		err = r.err
	}
	return rec, err
}

func (r *Reader) read() (Record, error) {
	for {
		if r.cur == nil || r.next > r.limit {
			if err := r.position(); err != nil {
				return Record{}, err
			}
		}
		before := place{r.cur.next, r.cur.off, r.cur.chain}
		rec, st, err := r.cur.advance()
		if err != nil {
			return Record{}, err
		}
		if st != stepRecord {
			return Record{}, &DamageError{
				File: filepath.Join(r.j.dir, r.seg.name), Offset: r.cur.off, Position: r.cur.next, Reason: r.cur.reason,
			}
		}
		if before.off-r.placed >= placeEvery {
			r.placed = before.off
			r.j.notePlace(r.seg, before)
		}
		if rec.Pos == r.next {
			r.next++
			r.chain, r.known = r.cur.chain, true
			return rec, nil
		}
	}
}

// position brings the reader to a segment that holds r.next durably.
func (r *Reader) position() error {
	seg, end, last, from, err := r.j.find(r.next)
	if err != nil {
		return err
	}
	if r.seg == seg {
		r.cur.win.limit, r.limit = end, last
		return nil
	}
	r.release()
	f, err := r.j.fs.OpenFile(filepath.Join(r.j.dir, seg.name), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) && r.next < r.j.First() {
		return ErrReleased
	}
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	if r.known && r.next == seg.hdr.first && r.chain != seg.hdr.prevChain {
		return errors.Join(&DamageError{
			File: filepath.Join(r.j.dir, seg.name), Position: r.next, Reason: "segment does not continue the one before",
		}, f.Close())
	}
	r.seg, r.file, r.limit = seg, f, last
	r.cur = newCursor(f, seg.hdr, end, readChunk)
	r.cur.off, r.cur.next, r.cur.chain = from.off, from.pos, from.chain
	r.placed = from.off
	return nil
}

func (r *Reader) release() {
	if r.file != nil {
		r.file.Close() // opened for reading: nothing can be lost
	}
	r.file, r.cur, r.seg = nil, nil, nil
}

// Close gives up the file. It does not fail.
func (r *Reader) Close() error {
	r.release()
	if r.err == nil {
		r.err = ErrClosed
	}
	return nil
}

// find returns the segment that holds pos durably, how far it may be read, and
// the nearest place before pos. io.EOF at the head.
func (j *Journal) find(pos uint64) (seg *segment, end int64, last uint64, from place, err error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if pos < j.first {
		return nil, 0, 0, place{}, ErrReleased
	}
	i := sort.Search(len(j.segs), func(i int) bool { return j.segs[i].last >= pos })
	if i == len(j.segs) {
		return nil, 0, 0, place{}, io.EOF
	}
	seg = j.segs[i]
	from = place{seg.hdr.first, headerSize, seg.hdr.prevChain}
	if n := sort.Search(len(seg.places), func(i int) bool { return seg.places[i].pos > pos }); n > 0 {
		from = seg.places[n-1]
	}
	return seg, seg.end, seg.last, from, nil
}

// notePlace remembers a place in a segment that was not read before.
func (j *Journal) notePlace(seg *segment, p place) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(seg.places); n == 0 || p.off-seg.places[n-1].off >= placeEvery {
		seg.places = append(slices.Clip(seg.places), p)
	}
}
