package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// verdict says what stands after the last good record of an unsealed segment.
type verdict struct {
	torn   bool   // something is there, and a power cut explains it
	end    int64  // one past the last byte that is not zero; the cut copies up to here
	damage string // not empty: a power cut does not explain it
	offset int64  // where the damage stands
	pos    uint64 // highest position that verifies in the tail, 0 = none
}

// crcBudget bounds the bytes that a search for records may checksum per byte
// of tail, against a tail made to be slow.
const crcBudget = 64

// tailScan searches the bytes after the last good record for records that
// verify. A record's checksum is seeded with that of the record before it, so
// one alone does not verify; the seeds tried are the stored and the computed
// checksum of the bad record, and of every spot that looks like a record.
type tailScan struct {
	win    window
	hdr    header
	off    int64  // of the first bad frame
	end    int64  // one past the last byte that is not zero
	last   uint64 // last good position
	window uint64 // how many positions could stand in the tail at most
	seeds  []uint32
	budget int64
	pos    uint64 // highest position that verified
	toEnd  bool   // search on after the first proof of damage
}

// judgeTail is called where scanSegment stopped without a footer. toEnd = look
// at all of the tail, to learn the highest position in it.
func judgeTail(f io.ReaderAt, h header, s *scanned, size int64, toEnd bool) (verdict, error) {
	end, err := lastNonZero(f, s.end, size)
	if err != nil || end == s.end {
		return verdict{end: end}, err
	}
	t := &tailScan{
		win: window{f: f, limit: size, chunk: 1 << 20},
		hdr: h, off: s.end, end: end, last: s.last, toEnd: toEnd,
		window: uint64(end-s.end)/recordHead + 2,
		budget: (end-s.end)*crcBudget + 64<<20,
	}
	if err := t.seed(s.chain); err != nil {
		return verdict{}, err
	}
	return t.search()
}

// lastNonZero returns one past the last byte in [from,size) that is not zero,
// or from.
func lastNonZero(f io.ReaderAt, from, size int64) (int64, error) {
	buf := make([]byte, min(64<<10, max(size-from, 0)))
	for end := size; end > from; {
		n := min(int64(len(buf)), end-from)
		if _, err := f.ReadAt(buf[:n], end-n); err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read tail: %w", err)
		}
		for i := n - 1; i >= 0; i-- {
			if buf[i] != 0 {
				return end - n + i + 1, nil
			}
		}
		end -= n
	}
	return from, nil
}

// peek returns up to n bytes at off, fewer at the end of the file.
func (t *tailScan) peek(off int64, n int) ([]byte, error) {
	return t.win.at(off, int(max(0, min(int64(n), t.win.limit-off))))
}

// seed collects the checksums that the record after the bad one may be chained
// to: the one stored in the bad record (its payload is damaged) and the one it
// should have (its crc field is damaged).
func (t *tailScan) seed(chain uint32) error {
	b, err := t.peek(t.off, recordHead)
	if err != nil || len(b) < recordHead {
		return err
	}
	t.seeds = append(t.seeds, binary.LittleEndian.Uint32(b[4:]))
	if n := binary.LittleEndian.Uint32(b); n >= lenBase && n <= lenBase+t.hdr.maxPayload && t.off+8+int64(n) <= t.win.limit {
		if b, err = t.win.at(t.off, int(n)+8); err != nil {
			return err
		}
		t.seeds = append(t.seeds, frameCRC(chain^t.hdr.salt, b))
	}
	return nil
}

// search walks the tail byte by byte.
func (t *tailScan) search() (verdict, error) {
	damage := ""
	same := int64(-1) // offset of the first record of the torn batch itself
	for o := t.off; o+8 < t.end && (damage == "" || t.toEnd); o++ {
		found, err := t.probe(o)
		switch {
		case err != nil:
			return verdict{}, err
		case t.budget < 0:
			damage = "too many byte sequences behind it look like records"
			t.toEnd = false
		case found.what == "":
		case found.what == "footer" || found.batch > t.last+1:
			damage = fmt.Sprintf("a valid %s stands behind it at offset %d", found.what, found.off)
		case same < 0:
			same = found.off
		}
		if found.what != "" {
			t.pos = max(t.pos, found.pos)
		}
	}
	if damage == "" && same >= 0 {
		missing, err := t.missingSector(same)
		if err != nil {
			return verdict{}, err
		}
		if !missing {
			damage = fmt.Sprintf("a valid record of the same batch stands behind it at offset %d and no sector is missing", same)
		}
	}
	return verdict{torn: damage == "", end: t.end, damage: damage, offset: t.off, pos: t.pos}, nil
}

// evidence is a frame in the tail that verifies.
type evidence struct {
	what  string // "", "record" or "footer"
	off   int64
	pos   uint64 // of the record, or the footer's last
	batch uint64 // first position of the record's batch
}

// probe looks at the frame that might start at o.
func (t *tailScan) probe(o int64) (evidence, error) {
	le := binary.LittleEndian
	b, err := t.peek(o, footerSize)
	if err != nil {
		return evidence{}, err
	}
	if len(b) >= 4 && le.Uint32(b) == footerMark {
		if f, ok := decodeFooter(b, t.hdr.salt); ok && f.last >= t.last {
			return evidence{what: "footer", off: o, pos: f.last}, nil
		}
		return evidence{}, nil
	}
	n, _, ok := t.plausible(b, o == t.off)
	if !ok || o+8+n > t.win.limit {
		return evidence{}, nil
	}
	own := le.Uint32(b[4:])
	if o > t.off {
		for _, seed := range t.seeds {
			if ev, err := t.verify(o, seed); err != nil || ev.what != "" {
				return ev, err
			}
		}
	}
	return t.verify(o+8+n, own)
}

// plausible checks the cheap fields of a frame. loose = the frame is the bad
// one, whose position may be what is damaged.
func (t *tailScan) plausible(b []byte, loose bool) (n int64, pos uint64, ok bool) {
	if len(b) < recordHead {
		return 0, 0, false
	}
	le := binary.LittleEndian
	l := le.Uint32(b)
	if l < lenBase || l > lenBase+t.hdr.maxPayload {
		return 0, 0, false
	}
	pos = le.Uint64(b[8:])
	index := uint64(le.Uint16(b[18:]))
	ok = loose || (pos > t.last && pos-t.last <= t.window && index < pos)
	return int64(l), pos, ok
}

// verify checks the frame at o against one seed.
func (t *tailScan) verify(o int64, seed uint32) (evidence, error) {
	b, err := t.peek(o, recordHead)
	if err != nil {
		return evidence{}, err
	}
	n, pos, ok := t.plausible(b, false)
	if !ok || o+8+n > t.win.limit {
		return evidence{}, nil
	}
	index := uint64(binary.LittleEndian.Uint16(b[18:]))
	crc := binary.LittleEndian.Uint32(b[4:])
	t.budget -= n
	if b, err = t.win.at(o, int(n)+8); err != nil {
		return evidence{}, err
	}
	if frameCRC(seed^t.hdr.salt, b) != crc {
		return evidence{}, nil
	}
	return evidence{what: "record", off: o, pos: pos, batch: pos - index}, nil
}

// missingSector answers whether a 512-byte sector, or the part of one that
// lies between the bad frame and upTo, is all zeros.
func (t *tailScan) missingSector(upTo int64) (bool, error) {
	for o := t.off; o < upTo; {
		stop := min((o/sectorSize+1)*sectorSize, upTo)
		b, err := t.win.at(o, int(stop-o))
		if err != nil {
			return false, err
		}
		if allZero(b) {
			return true, nil
		}
		o = stop
	}
	return false, nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
