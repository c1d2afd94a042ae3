package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/disk"
	"posthouse/appliance/meter"
)

// Entry is what Append takes. The payload is copied before Append returns.
type Entry struct {
	Kind    uint16
	Payload []byte
}

// Record is what a Reader returns. Payload is valid until the next call of
// Next on the same reader.
type Record struct {
	Pos     uint64
	Kind    uint16
	Payload []byte
}

// Options of Open, Check and Repair. The zero value is usable.
type Options struct {
	// FS is the file system; nil = disk.OS{}. The flock is taken whenever the
	// directory exists on the real file system.
	FS disk.FS
	// SegmentBytes: a segment is sealed before the batch that would take it
	// over this size; a larger batch gets a segment of its own. Default 64 MiB.
	SegmentBytes int64
	// SegmentAge: a segment older than this is sealed by the next Append.
	// Default 24 h.
	SegmentAge time.Duration
	// MaxPayload in bytes, at most 64 MiB; default 4 MiB. Written into the
	// header of each segment: a lower value later does not hide old records.
	MaxPayload int
	// Witness is the highest position that someone else (the state database,
	// the newest backup) knows to have been durable; 0 = nobody. Open refuses a
	// journal that ends below it.
	Witness uint64
	// Now is the clock for file headers and names; default time.Now.
	Now func() time.Time
	// ReadOnly opens without lock, repair or any write. Head stays what it was
	// at Open. A torn tail is ignored.
	ReadOnly bool
}

func (o Options) withDefaults() (Options, error) {
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.SegmentAge == 0 {
		o.SegmentAge = 24 * time.Hour
	}
	if o.MaxPayload == 0 {
		o.MaxPayload = 4 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SegmentBytes < 0 || o.SegmentAge < 0 || o.MaxPayload < 0 || o.MaxPayload > payloadLimit {
		return o, fmt.Errorf("journal options out of range: segment %d bytes, age %s, payload %d bytes",
			o.SegmentBytes, o.SegmentAge, o.MaxPayload)
	}
	return o, nil
}

// SegmentInfo describes one segment file.
type SegmentInfo struct {
	Name      string // file name without directory
	First     uint64 // first position, in the name
	Last      uint64 // last position; First-1 while the segment is empty
	Bytes     int64  // header, records and footer; without the zeros behind them
	Sealed    bool
	Created   int64  // Unix milliseconds
	SealedAt  int64  // Unix milliseconds, 0 = not sealed
	ChainHash string // hex SHA-256 of everything before the footer; it covers the previous segment's; "" = not sealed
}

// segment is one file of the journal. Fields other than name and hdr are
// guarded by Journal.mu once the journal is open.
type segment struct {
	name   string
	hdr    header
	last   uint64
	end    int64 // where the records end
	sealed bool
	foot   footer
	places []place // ascending; empty until someone has read the segment
}

func (s *segment) info() SegmentInfo {
	i := SegmentInfo{Name: s.name, First: s.hdr.first, Last: s.last, Bytes: s.end, Created: s.hdr.created}
	if s.sealed {
		i.Sealed, i.SealedAt, i.Bytes = true, s.foot.sealed, s.end+footerSize
		i.ChainHash = hex.EncodeToString(s.foot.sha[:])
	}
	return i
}

// Journal is an open journal. All methods may be called concurrently.
// Lock order: appendMu, markMu, mu.
type Journal struct {
	dir      string
	opt      Options
	fs       disk.FS
	lock     io.Closer // nil when read-only or not on the real file system
	recovery Recovery

	closed atomic.Bool

	appendMu sync.Mutex // guards what follows; held across the disk
	active   disk.File  // nil after a roll that failed half-way
	seg      *segment   // the active one, last of segs
	buf      []byte
	alloc    int64 // size of the active file; zeros after the records
	chain    uint32
	hash     hash.Hash // owned by hasher between request and answer
	failed   error     // sticky

	mu    sync.RWMutex // guards segs and their fields; never held across the disk
	segs  []*segment   // never empty
	first uint64

	head   atomic.Uint64
	marked atomic.Uint64 // what hwm says

	markMu  sync.Mutex // one writer of hwm at a time; held across the disk
	markErr atomic.Pointer[error]

	synced   *meter.Histogram // time of an fsync
	wake     chan struct{}    // to keeper, size 1
	hashIn   chan []byte
	hashDone chan struct{}
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

const (
	// extendBytes is how many zeros are written ahead at a time. On ext4 an
	// fdatasync inside them costs about 30 % less than one that grows the file,
	// although every byte is written twice.
	extendBytes = 1 << 20
	keepBuffer  = 4 << 20 // larger append buffers are not kept
)

// Append writes a batch and returns when it is durable: one write, one
// fdatasync. The entries get the positions first to first+len(batch)-1. After
// an error of the file system every later Append fails with the same error:
// the caller must exit and open the journal again. ErrEmptyBatch and
// ErrTooLarge are found before anything is touched and are not sticky.
func (j *Journal) Append(batch []Entry) (first uint64, err error) {
	size, err := j.measure(batch)
	if err != nil {
		return 0, err
	}
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	switch {
	case j.opt.ReadOnly:
		return 0, ErrReadOnly
	case j.closed.Load():
		return 0, ErrClosed
	case j.failed != nil:
		return 0, j.failed
	}
	first, err = j.append(batch, size)
	if err != nil {
		j.failed = fmt.Errorf("append to journal: %w", err)
		return 0, j.failed
	}
	return first, nil
}

// measure checks the bounds and returns the bytes the batch takes.
func (j *Journal) measure(batch []Entry) (int64, error) {
	if len(batch) == 0 {
		return 0, ErrEmptyBatch
	}
	if len(batch) > MaxBatch {
		return 0, fmt.Errorf("%d entries: %w", len(batch), ErrTooLarge)
	}
	size := int64(0)
	for i := range batch {
		n := len(batch[i].Payload)
		if n > j.opt.MaxPayload {
			return 0, fmt.Errorf("payload of %d bytes, limit %d: %w", n, j.opt.MaxPayload, ErrTooLarge)
		}
		size += int64(recordHead + n)
	}
	if size > MaxBatchBytes {
		return 0, fmt.Errorf("batch of %d bytes: %w", size, ErrTooLarge)
	}
	return size, nil
}

// append runs under appendMu.
func (j *Journal) append(batch []Entry, size int64) (uint64, error) {
	seg := j.seg
	if j.mustRoll(seg, size) {
		if err := j.roll(seg); err != nil {
			return 0, err
		}
		seg = j.seg
	}
	at := place{seg.last + 1, seg.end, j.chain}
	chain := j.chain
	buf := j.buf[:0]
	for i := range batch {
		buf, chain = appendRecord(buf, chain, seg.hdr.salt, at.pos+uint64(i), uint16(i), &batch[i])
	}
	if err := j.write(buf, seg.end); err != nil {
		return 0, err
	}
	j.chain = chain
	last := seg.last + uint64(len(batch))
	j.mu.Lock()
	seg.last = last
	seg.end += size
	seg.places = addPlace(seg.places, at)
	j.mu.Unlock()
	before := j.head.Swap(last)
	j.nudge(before, last)
	return at.pos, nil
}

// mustRoll answers whether the segment is sealed before this batch. An empty
// segment never is.
func (j *Journal) mustRoll(seg *segment, size int64) bool {
	if seg.last < seg.hdr.first {
		return false
	}
	return seg.end+size+footerSize > j.opt.SegmentBytes ||
		j.opt.Now().Sub(time.UnixMilli(seg.hdr.created)) > j.opt.SegmentAge
}

// write puts encoded records at off and makes them durable. The hasher works
// while the disk does.
func (j *Journal) write(buf []byte, off int64) error {
	size := len(buf)
	end := off + int64(size)
	if end > j.alloc {
		grown := max(end, min((end/extendBytes+1)*extendBytes, j.opt.SegmentBytes))
		buf = append(buf, make([]byte, grown-end)...)
		j.alloc = grown
	}
	if j.buf = buf; cap(buf) > keepBuffer {
		j.buf = nil
	}
	j.hashIn <- buf[:size]
	_, err := j.active.WriteAt(buf, off)
	if err != nil {
		err = fmt.Errorf("write segment: %w", err)
	} else {
		began := time.Now()
		if err = j.active.Sync(); err != nil {
			err = fmt.Errorf("sync segment: %w", err)
		}
		j.synced.Since(began)
	}
	<-j.hashDone
	return err
}

// hasher feeds the SHA-256 of the active segment. It is a goroutine of the
// journal; see the package comment.
func (j *Journal) hasher(ctx context.Context) {
	defer j.wg.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-j.hashIn:
			j.hash.Write(b)
			j.hashDone <- struct{}{}
		}
	}
}

// roll seals the active segment and starts the next one. Once the footer is
// durable a crash is harmless: Open creates the next segment.
func (j *Journal) roll(seg *segment) error {
	f := footer{
		count: seg.last - seg.hdr.first + 1, last: seg.last,
		sealed: unixMilli(j.opt.Now()), chain: j.chain,
	}
	j.hash.Sum(f.sha[:0])
	if err := sealFile(j.active, seg, &f); err != nil {
		return err
	}
	err := j.active.Close()
	j.active = nil
	if err != nil {
		return fmt.Errorf("close sealed segment: %w", err)
	}
	j.mu.Lock()
	seg.sealed, seg.foot = true, f
	j.mu.Unlock()
	return j.startSegment(seg.last+1, f.chain, f.sha)
}

// sealFile writes the footer, cuts the zeros behind it and syncs.
func sealFile(w disk.File, seg *segment, f *footer) error {
	if _, err := w.WriteAt(f.encode(seg.hdr.salt), seg.end); err != nil {
		return fmt.Errorf("write footer of %s: %w", seg.name, err)
	}
	if err := w.Truncate(seg.end + footerSize); err != nil {
		return fmt.Errorf("cut %s: %w", seg.name, err)
	}
	if err := w.Sync(); err != nil {
		return fmt.Errorf("sync sealed segment %s: %w", seg.name, err)
	}
	return nil
}

// startSegment creates the segment that begins at first and makes it the
// active one.
func (j *Journal) startSegment(first uint64, prevChain uint32, prevSHA [32]byte) error {
	h := header{
		first: first, created: unixMilli(j.opt.Now()), maxPayload: uint32(j.opt.MaxPayload),
		prevChain: prevChain, prevSHA: prevSHA,
	}
	b := h.encode()
	name := segmentName(first)
	f, err := createFile(j.fs, filepath.Join(j.dir, name), b)
	if err != nil {
		return fmt.Errorf("create segment %s: %w", name, err)
	}
	j.active, j.alloc, j.chain = f, headerSize, prevChain
	j.hash = sha256.New()
	j.hash.Write(b)
	j.seg = &segment{name: name, hdr: h, last: first - 1, end: headerSize}
	j.mu.Lock()
	j.segs = append(j.segs, j.seg)
	j.mu.Unlock()
	return nil
}

// createFile writes a file under a temporary name, syncs it, renames it and
// syncs the directory. The file stays open for reading and writing.
func createFile(fsys disk.FS, path string, data []byte) (disk.File, error) {
	tmp := path + tmpSuffix
	f, err := fsys.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fsys.Rename(tmp, path)
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Head is the last durable position, 0 = none yet.
func (j *Journal) Head() uint64 { return j.head.Load() }

// First is the first position that is still present, or the one the first
// entry will get.
func (j *Journal) First() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.first
}

// Segments lists the segments, oldest first. The last one is the active one.
func (j *Journal) Segments() []SegmentInfo {
	j.mu.RLock()
	defer j.mu.RUnlock()
	infos := make([]SegmentInfo, len(j.segs))
	for i, s := range j.segs {
		infos[i] = s.info()
	}
	return infos
}

// Recovery says what Open had to cut; the zero value = nothing.
type Recovery struct {
	TornFile  string // path of the copy, "" when read-only
	TornAfter uint64 // last good position
	TornBytes int64
}

// Recovery is the torn tail that Open found, for the log.
func (j *Journal) Recovery() Recovery { return j.recovery }

// Close stops the goroutines, cuts the zeros behind the records, writes hwm
// and gives up the lock. It waits for an Append in progress. The error is the
// first thing that went wrong; nothing acknowledged depends on it. A second
// Close does nothing.
func (j *Journal) Close() error {
	j.appendMu.Lock()
	defer j.appendMu.Unlock()
	if j.closed.Swap(true) || j.opt.ReadOnly {
		return nil
	}
	j.cancel()
	j.wg.Wait()
	var errs []error
	if j.failed == nil && j.alloc > j.seg.end {
		err := j.active.Truncate(j.seg.end)
		if err == nil {
			err = j.active.Sync()
		}
		errs = append(errs, err)
	}
	j.markMu.Lock() // waits for a Release
	defer j.markMu.Unlock()
	if j.head.Load() > j.marked.Load() {
		errs = append(errs, j.writeMarkLocked(j.First()))
	}
	if j.active != nil {
		errs = append(errs, j.active.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
