package blob

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"posthouse/appliance/disk"
)

// Checksum is what a client says of one chunk.
type Checksum struct {
	Algo string // "sha256", "sha1" or "md5"
	Sum  []byte
}

// Append writes what r gives at offset, which must be the upload's current one
// (ErrOffset), and returns the new offset, which is durable, also beside an
// error.
//
// When r breaks or ctx ends, what arrived is kept and r's or ctx's error is
// returned. With a checksum the chunk is kept whole or not at all: ErrChecksum,
// or r's error, with the offset as it was. When r has more bytes than Size
// (or Options.MaxUpload while there is no size) allows, none of them is kept:
// ErrTooLarge. To see that, r is read past the last byte: it must end, or fail,
// there. ctx is looked at between reads; it cannot interrupt one.
//
// Other errors: ErrNotFound, ErrBusy, ErrAlgorithm, ErrFinished, ErrNoSpace
// (resumable at the offset returned), ErrFailed (not resumable).
//
// It syncs every 16 MiB, so that a crash costs no more than that.
func (s *Store) Append(ctx context.Context, id string, offset int64, r io.Reader, sum *Checksum) (newOffset int64, err error) {
	check, err := newCheck(sum)
	if err != nil {
		return 0, fmt.Errorf("append to upload: %w", err)
	}
	e, err := s.acquire(id)
	if err != nil {
		return 0, fmt.Errorf("append to upload: %w", err)
	}
	defer s.release(e)
	if err := s.appendTo(ctx, e, offset, r, check); err != nil {
		return e.up.Offset, fmt.Errorf("append to upload: %w", err)
	}
	return e.up.Offset, nil
}

// appender is one Append: the bytes from up.Offset to end are written and not
// yet durable.
type appender struct {
	s     *Store
	e     *entry
	f     disk.File
	start position // where this Append began
	hash  hash.Hash
	check *check // nil without a checksum
	end   int64
	limit int64 // first offset that may not be written; -1 is none
}

func (s *Store) appendTo(ctx context.Context, e *entry, offset int64, r io.Reader, check *check) error {
	switch {
	case e.failed:
		return ErrFailed
	case e.decided:
		return ErrFinished
	case offset != e.up.Offset:
		return fmt.Errorf("%w: got %d, it is %d", ErrOffset, offset, e.up.Offset)
	}
	if err := s.checkSpace(0); err != nil {
		return err
	}
	f, err := s.openPart(e)
	if err != nil {
		return err
	}
	h, err := s.resumeHash(e, f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	a := &appender{
		s: s, e: e, f: f, hash: h, check: check, end: offset,
		start: position{offset: offset, hash: e.hash},
		limit: e.up.Size,
	}
	if a.limit < 0 && s.most.Load() > 0 {
		a.limit = s.most.Load()
	}
	err = a.run(ctx, r)
	// A close that fails has nothing left to lose: what counts is synced.
	_ = f.Close()
	return err
}

// openPart opens .part with nothing in it beyond the durable offset.
func (s *Store) openPart(e *entry) (disk.File, error) {
	if e.tried != e.seq {
		// A slot with a higher offset may be on disk: take it back before the
		// bytes it speaks of are overwritten.
		if err := s.advance(e, position{offset: e.up.Offset, hash: e.hash}); err != nil {
			return nil, err
		}
	}
	f, err := s.fsys.OpenFile(s.stagingPath(e.up.ID, ".part"), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open upload content: %w", err)
	}
	if err := trim(f, e.up.Offset); err != nil {
		_ = f.Close()
		return nil, s.failUnlessFull(e, err)
	}
	return f, nil
}

// trim cuts f to size bytes. A file that is shorter is ErrDamaged.
func trim(f disk.File, size int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	switch {
	case st.Size() < size:
		return fmt.Errorf("%w: %d bytes where %d were durable", ErrDamaged, st.Size(), size)
	case st.Size() > size:
		return f.Truncate(size)
	}
	return nil
}

// resumeHash gives the SHA-256 of the first up.Offset bytes, ready for more.
func (s *Store) resumeHash(e *entry, f disk.File) (hash.Hash, error) {
	h := sha256.New()
	if u, ok := h.(encoding.BinaryUnmarshaler); ok && len(e.hash) > 0 && u.UnmarshalBinary(e.hash) == nil {
		return h, nil
	}
	h.Reset()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, e.up.Offset))
	if err == nil && n < e.up.Offset {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read upload again: %w", err)
	}
	e.hash = hashState(h)
	return h, nil
}

func (a *appender) run(ctx context.Context, r io.Reader) error {
	readErr, err := a.copy(ctx, r)
	switch {
	case err != nil:
		if errors.Is(err, ErrTooLarge) || a.check != nil {
			return errors.Join(err, a.rollBack())
		}
		a.giveBack()
		return err
	case a.check != nil && readErr != nil:
		return errors.Join(readErr, a.rollBack())
	case a.check != nil && !a.check.ok():
		return errors.Join(ErrChecksum, a.rollBack())
	}
	if err := a.commit(); err != nil {
		a.giveBack()
		return errors.Join(readErr, err)
	}
	return readErr
}

// copy moves r into the file. readErr is r's or ctx's, err that of the store.
func (a *appender) copy(ctx context.Context, r io.Reader) (readErr, err error) {
	bp := a.s.bufs.Get().(*[]byte)
	defer a.s.bufs.Put(bp)
	for {
		if err := ctx.Err(); err != nil {
			return err, nil
		}
		n, readErr := r.Read(*bp)
		if n > 0 {
			if err := a.write((*bp)[:n]); err != nil {
				return nil, err
			}
		}
		if readErr == io.EOF { // a wrapped one is a broken reader's
			return nil, nil
		}
		if readErr != nil {
			return readErr, nil
		}
	}
}

func (a *appender) write(b []byte) error {
	if a.limit >= 0 && a.end+int64(len(b)) > a.limit {
		return fmt.Errorf("%w: limit is %d", ErrTooLarge, a.limit)
	}
	if _, err := a.f.WriteAt(b, a.end); err != nil {
		return a.s.failUnlessFull(a.e, fmt.Errorf("write upload: %w", err))
	}
	a.end += int64(len(b))
	a.hash.Write(b)
	if a.check != nil {
		a.check.Write(b)
	}
	if a.end-a.e.up.Offset < a.s.checkpoint {
		return nil
	}
	if err := a.s.checkSpace(0); err != nil {
		return err
	}
	if a.check != nil {
		return nil
	}
	return a.commit()
}

// commit makes the bytes up to end durable and moves the offset there.
func (a *appender) commit() error {
	if a.end == a.e.up.Offset {
		return nil
	}
	if err := a.f.Sync(); err != nil {
		return a.s.failUnlessFull(a.e, fmt.Errorf("sync upload: %w", err))
	}
	return a.s.advance(a.e, position{offset: a.end, hash: hashState(a.hash)})
}

// rollBack goes back to where this Append began, if checkpoints moved the
// offset, and gives the space of what arrived since back.
func (a *appender) rollBack() error {
	if a.e.failed {
		return nil
	}
	if a.e.up.Offset != a.start.offset {
		if err := a.s.advance(a.e, a.start); err != nil {
			return err
		}
	}
	if err := a.f.Truncate(a.start.offset); err != nil {
		return a.s.failUnlessFull(a.e, fmt.Errorf("cut upload back: %w", err))
	}
	return nil
}

// giveBack frees the space of bytes that are not durable, unless a slot on
// disk may speak of them.
func (a *appender) giveBack() {
	if !a.e.failed && a.e.tried == a.e.seq {
		_ = a.f.Truncate(a.e.up.Offset) // openPart tries again
	}
}

// advance makes p the durable position. It writes the slot that does not hold
// the last durable one, also after an attempt that failed.
func (s *Store) advance(e *entry, p position) error {
	p.seq = e.seq + 1
	if e.tried != e.seq {
		p.seq = e.tried + 2
	}
	e.tried = p.seq
	if err := writePosition(s.fsys, s.stagingPath(e.up.ID, ".pos"), p); err != nil {
		return s.failUnlessFull(e, fmt.Errorf("write upload position: %w", err))
	}
	e.seq, e.hash = p.seq, p.hash
	s.mu.Lock()
	e.up.Offset = p.offset
	s.mu.Unlock()
	return nil
}

// check is the running checksum of a chunk.
type check struct {
	hash.Hash
	want []byte
}

func newCheck(sum *Checksum) (*check, error) {
	if sum == nil {
		return nil, nil
	}
	switch sum.Algo {
	case "sha256":
		return &check{sha256.New(), sum.Sum}, nil
	case "sha1":
		return &check{sha1.New(), sum.Sum}, nil
	case "md5":
		return &check{md5.New(), sum.Sum}, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrAlgorithm, sum.Algo)
}

func (c *check) ok() bool {
	return subtle.ConstantTimeCompare(c.Sum(nil), c.want) == 1
}
