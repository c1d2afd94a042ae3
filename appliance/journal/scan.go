package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// window reads a file forward through one buffer. It never asks for bytes at
// or after limit, and never allocates more than the file could fill.
type window struct {
	f     io.ReaderAt
	buf   []byte
	off   int64 // file offset of buf[0]
	limit int64
	chunk int
}

// at returns n bytes at a file offset; the slice lives until the next call.
// Fewer bytes before limit is io.ErrUnexpectedEOF.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < 0 || int64(n) > w.limit-off {
		return nil, io.ErrUnexpectedEOF
	}
	if off >= w.off && off+int64(n) <= w.off+int64(len(w.buf)) {
		i := int(off - w.off)
		return w.buf[i : i+n], nil
	}
	want := int(min(int64(max(n, w.chunk)), w.limit-off))
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	w.buf = w.buf[:want]
	w.off = off
	got, err := w.f.ReadAt(w.buf, off)
	w.buf = w.buf[:got]
	if got >= n {
		return w.buf[:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	return nil, err
}

// step is what a cursor found at its offset.
type step int

const (
	stepRecord step = iota
	stepFooter
	stepStop // the end of what verifies; reason says why
)

// cursor walks the records of one segment and checks the chain.
type cursor struct {
	win    window
	hdr    header
	off    int64  // of the next frame
	chain  uint32 // crc of the record before
	next   uint64 // position of the next record
	frame  []byte // the frame of the last record, valid until next
	foot   footer
	reason string
}

func newCursor(f io.ReaderAt, h header, limit int64, chunk int) *cursor {
	return &cursor{
		win: window{f: f, limit: limit, chunk: chunk},
		hdr: h, off: headerSize, chain: h.prevChain, next: h.first,
	}
}

func (c *cursor) stop(reason string) (Record, step, error) {
	c.reason = reason
	return Record{}, stepStop, nil
}

// advance reads one frame. The error is one of the file system; what the bytes
// say wrong is stepStop with a reason.
func (c *cursor) advance() (Record, step, error) {
	le := binary.LittleEndian
	if c.off == c.win.limit {
		return c.stop("file ends without a footer")
	}
	b, err := c.win.at(c.off, 4)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return c.stop("file ends inside a record")
	} else if err != nil {
		return Record{}, stepStop, err
	}
	n := le.Uint32(b)
	switch {
	case n == 0:
		return c.stop("records end without a footer")
	case n == footerMark:
		return c.footer()
	case n < lenBase || n > lenBase+c.hdr.maxPayload:
		return c.stop("record length is out of range")
	}
	b, err = c.win.at(c.off, int(n)+8)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return c.stop("file ends inside a record")
	} else if err != nil {
		return Record{}, stepStop, err
	}
	crc := frameCRC(c.chain^c.hdr.salt, b)
	if crc != le.Uint32(b[4:]) {
		return c.stop("checksum of the record is wrong")
	}
	if le.Uint64(b[8:]) != c.next {
		return c.stop("record has another position than its place")
	}
	r := Record{Pos: c.next, Kind: le.Uint16(b[16:]), Payload: b[recordHead:len(b):len(b)]}
	c.off += int64(len(b))
	c.chain = crc
	c.next++
	c.frame = b
	return r, stepRecord, nil
}

func (c *cursor) footer() (Record, step, error) {
	b, err := c.win.at(c.off, footerSize)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return c.stop("file ends inside the footer")
	} else if err != nil {
		return Record{}, stepStop, err
	}
	f, ok := decodeFooter(b, c.hdr.salt)
	if !ok {
		return c.stop("checksum of the footer is wrong")
	}
	if f.count != c.next-c.hdr.first || f.last != c.next-1 || f.chain != c.chain {
		return c.stop("footer does not belong to these records")
	}
	c.foot = f
	return Record{}, stepFooter, nil
}

// scanned is the result of reading a whole segment.
type scanned struct {
	end    int64  // where the verified records end; a footer starts here
	last   uint64 // last verified position; first-1 = none
	chain  uint32
	hash   hash.Hash // SHA-256 state of bytes 0..end-1
	foot   *footer   // nil = no valid footer
	marks  []place
	reason string // why the records end, if not by a footer
}

// place is a spot in a segment from which reading can start.
type place struct {
	pos   uint64
	off   int64
	chain uint32 // crc of the record before pos
}

const placeEvery = 256 << 10 // bytes of records per place

// addPlace keeps one place per placeEvery bytes.
func addPlace(places []place, p place) []place {
	if n := len(places); n > 0 && p.off-places[n-1].off < placeEvery {
		return places
	}
	return append(places, p)
}

// scanSegment verifies every record from the header on. tick is called with
// the offset now and then and may stop the scan; nil = never.
func scanSegment(f io.ReaderAt, h header, size int64, tick func(off int64) error) (*scanned, error) {
	c := newCursor(f, h, size, 1<<20)
	s := &scanned{hash: sha256.New()}
	b, err := c.win.at(0, headerSize)
	if err != nil {
		return nil, fmt.Errorf("read segment header: %w", err)
	}
	s.hash.Write(b)
	ticked := int64(0)
	for {
		before := place{c.next, c.off, c.chain}
		_, st, err := c.advance()
		if err != nil {
			return nil, fmt.Errorf("read segment: %w", err)
		}
		if st != stepRecord {
			s.end, s.last, s.chain = c.off, c.next-1, c.chain
			if st == stepFooter {
				s.foot = &c.foot
			}
			s.reason = c.reason
			return s, nil
		}
		s.hash.Write(c.frame)
		s.marks = addPlace(s.marks, before)
		if tick != nil && c.off-ticked >= 1<<20 {
			ticked = c.off
			if err := tick(c.off); err != nil {
				return nil, err
			}
		}
	}
}

// sum is the SHA-256 of what was scanned.
func (s *scanned) sum() (d [32]byte) {
	s.hash.Sum(d[:0])
	return d
}
