package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

const (
	segMagic      = "PHJRNL\r\n"
	hwmMagic      = "PHHWMRK\n"
	formatVersion = 1

	headerSize = 80
	recordHead = 20 // frame bytes before the payload
	lenBase    = 12 // what len counts beside the payload
	footerSize = 72
	hwmSize    = 36
	sectorSize = 512 // the unit in which a power cut tears a write

	footerMark   = 0xFFFFFFFF
	payloadLimit = 64 << 20 // no header may allow more

	segSuffix = ".seg"
	tmpSuffix = ".tmp"
	hwmName   = "hwm"
	lockName  = "LOCK"
)

// MaxBatch is the most entries one Append takes; the index of a record in its
// batch is 16 bits wide.
const MaxBatch = 1 << 16

// MaxBatchBytes is the most bytes, frames included, one Append writes.
const MaxBatchBytes = 256 << 20

// castagnoli is a constant in all but name: the table is never written to.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the first 80 bytes of a segment.
type header struct {
	first      uint64
	created    int64 // Unix milliseconds
	maxPayload uint32
	prevChain  uint32
	prevSHA    [32]byte
	salt       uint32 // CRC of the header itself
}

func (h *header) encode() []byte {
	b := make([]byte, headerSize)
	le := binary.LittleEndian
	copy(b, segMagic)
	le.PutUint32(b[8:], formatVersion)
	le.PutUint32(b[12:], h.maxPayload)
	le.PutUint64(b[16:], h.first)
	le.PutUint64(b[24:], uint64(h.created))
	le.PutUint32(b[32:], h.prevChain)
	copy(b[40:72], h.prevSHA[:])
	h.salt = crc32.Checksum(b[:76], castagnoli)
	le.PutUint32(b[76:], h.salt)
	return b
}

// reasonVersion is not damage: a newer program wrote the segment.
const reasonVersion = "segment has a format version that this program does not read"

// decodeHeader returns a reason when b is not a header this code can read.
func decodeHeader(b []byte) (h header, reason string) {
	le := binary.LittleEndian
	if len(b) < headerSize {
		return h, "segment is shorter than its header"
	}
	b = b[:headerSize]
	if string(b[:8]) != segMagic {
		return h, "segment magic is wrong"
	}
	if le.Uint32(b[76:]) != crc32.Checksum(b[:76], castagnoli) {
		return h, "checksum of the segment header is wrong"
	}
	if le.Uint32(b[8:]) != formatVersion {
		return h, reasonVersion
	}
	h.maxPayload = le.Uint32(b[12:])
	h.first = le.Uint64(b[16:])
	h.created = int64(le.Uint64(b[24:]))
	h.prevChain = le.Uint32(b[32:])
	copy(h.prevSHA[:], b[40:72])
	h.salt = le.Uint32(b[76:])
	if h.maxPayload > payloadLimit || h.first == 0 || h.first > 1<<62 {
		return h, "segment header is out of range"
	}
	return h, ""
}

// footer is the last 72 bytes of a sealed segment.
type footer struct {
	count  uint64
	last   uint64
	sealed int64 // Unix milliseconds
	chain  uint32
	sha    [32]byte
}

func (f *footer) encode(salt uint32) []byte {
	b := make([]byte, footerSize)
	le := binary.LittleEndian
	le.PutUint32(b, footerMark)
	le.PutUint64(b[8:], f.count)
	le.PutUint64(b[16:], f.last)
	le.PutUint64(b[24:], uint64(f.sealed))
	le.PutUint32(b[32:], f.chain)
	copy(b[40:], f.sha[:])
	le.PutUint32(b[4:], frameCRC(salt, b))
	return b
}

// decodeFooter answers false when b does not verify.
func decodeFooter(b []byte, salt uint32) (f footer, ok bool) {
	le := binary.LittleEndian
	if len(b) < footerSize {
		return f, false
	}
	b = b[:footerSize]
	if le.Uint32(b) != footerMark || le.Uint32(b[4:]) != frameCRC(salt, b) {
		return f, false
	}
	f.count = le.Uint64(b[8:])
	f.last = le.Uint64(b[16:])
	f.sealed = int64(le.Uint64(b[24:]))
	f.chain = le.Uint32(b[32:])
	copy(f.sha[:], b[40:])
	return f, true
}

// frameCRC covers a frame without its crc field (bytes 4..7).
func frameCRC(seed uint32, frame []byte) uint32 {
	return crc32.Update(crc32.Update(seed, castagnoli, frame[:4]), castagnoli, frame[8:])
}

// appendRecord encodes one record and returns the new chain value.
func appendRecord(buf []byte, chain, salt uint32, pos uint64, index uint16, e *Entry) ([]byte, uint32) {
	le := binary.LittleEndian
	at := len(buf)
	buf = le.AppendUint32(buf, uint32(lenBase+len(e.Payload)))
	buf = le.AppendUint32(buf, 0)
	buf = le.AppendUint64(buf, pos)
	buf = le.AppendUint16(buf, e.Kind)
	buf = le.AppendUint16(buf, index)
	buf = append(buf, e.Payload...)
	chain = frameCRC(chain^salt, buf[at:])
	le.PutUint32(buf[at+4:], chain)
	return buf, chain
}

// mark is the content of the hwm file.
type mark struct {
	head    uint64 // highest position known to be durable
	first   uint64 // first position that is not released
	written int64  // Unix milliseconds
}

func (m mark) encode() []byte {
	b := make([]byte, hwmSize)
	le := binary.LittleEndian
	copy(b, hwmMagic)
	le.PutUint64(b[8:], m.head)
	le.PutUint64(b[16:], m.first)
	le.PutUint64(b[24:], uint64(m.written))
	le.PutUint32(b[32:], crc32.Checksum(b[:32], castagnoli))
	return b
}

func decodeMark(b []byte) (m mark, ok bool) {
	le := binary.LittleEndian
	if len(b) != hwmSize || !bytes.HasPrefix(b, []byte(hwmMagic)) ||
		le.Uint32(b[32:]) != crc32.Checksum(b[:32], castagnoli) {
		return m, false
	}
	return mark{le.Uint64(b[8:]), le.Uint64(b[16:]), int64(le.Uint64(b[24:]))}, true
}

// segmentName is the file name of the segment that starts at first.
func segmentName(first uint64) string {
	s := strconv.FormatUint(first, 10)
	return strings.Repeat("0", 20-len(s)) + s + segSuffix
}

// parseSegmentName answers false for any other file.
func parseSegmentName(name string) (first uint64, ok bool) {
	digits, found := strings.CutSuffix(name, segSuffix)
	if !found || len(digits) != 20 {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, err == nil && first > 0 && segmentName(first) == name
}

func unixMilli(t time.Time) int64 { return t.UnixMilli() }
