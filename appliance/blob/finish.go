package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Finish moves a complete upload to the address of its content and returns
// digest and bytes. Until Terminate or Sweep the same id gives the same answer
// again, also after a crash. Errors: ErrNotFound, ErrBusy, ErrIncomplete,
// ErrNoSpace (call again when there is room), ErrFailed, ErrDamaged.
func (s *Store) Finish(id string) (Digest, int64, error) {
	e, err := s.acquire(id)
	if err != nil {
		return Digest{}, 0, fmt.Errorf("finish upload: %w", err)
	}
	defer s.release(e)
	if err := s.finish(e); err != nil {
		return Digest{}, 0, fmt.Errorf("finish upload: %w", err)
	}
	return e.digest, e.up.Size, nil
}

// finish writes the digest down before the move, so that a crash between the
// two leaves no doubt about what the upload became.
func (s *Store) finish(e *entry) error {
	if e.failed {
		return ErrFailed
	}
	if !e.decided {
		if e.up.Size < 0 || e.up.Offset != e.up.Size {
			return fmt.Errorf("%w: %d of %d bytes", ErrIncomplete, e.up.Offset, e.up.Size)
		}
		if err := s.decide(e); err != nil {
			return err
		}
	}
	if e.up.Finished {
		return s.present(e.digest, e.up.Size)
	}
	part := s.stagingPath(e.up.ID, ".part")
	switch _, err := s.fsys.Stat(part); {
	case err == nil:
		if err := s.adopt(part, e.digest); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist):
		if err := s.present(e.digest, e.up.Size); err != nil {
			return err
		}
	default:
		return fmt.Errorf("look for upload content: %w", err)
	}
	s.mu.Lock()
	e.up.Finished, e.up.Digest = true, e.digest
	s.mu.Unlock()
	return nil
}

// decide fixes the digest in memory and in the .json.
func (s *Store) decide(e *entry) error {
	f, err := s.openPart(e)
	if err != nil {
		return err
	}
	h, err := s.resumeHash(e, f)
	if err == nil {
		// The bytes are durable; that openPart cut others off is not yet.
		if serr := f.Sync(); serr != nil {
			err = s.failUnlessFull(e, fmt.Errorf("sync upload: %w", serr))
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	next := *e
	next.decided = true
	h.Sum(next.digest[:0])
	if err := s.writeMeta(&next); err != nil {
		return err
	}
	s.mu.Lock()
	e.decided, e.digest = true, next.digest
	s.mu.Unlock()
	return nil
}

// adopt moves a synced file to its address.
func (s *Store) adopt(name string, d Digest) error {
	to := s.contentPath(d)
	if err := s.makeDir(filepath.Dir(to)); err != nil {
		return err
	}
	return s.move(name, to)
}

// move renames and makes the new name durable before the loss of the old one.
func (s *Store) move(from, to string) error {
	if err := s.fsys.Rename(from, to); err != nil {
		return fmt.Errorf("move content: %w", noSpace(err))
	}
	for _, dir := range []string{filepath.Dir(to), filepath.Dir(from)} {
		if err := s.fsys.SyncDir(dir); err != nil {
			return fmt.Errorf("sync directory: %w", noSpace(err))
		}
	}
	return nil
}

// present makes sure that finished content can be opened: an answer of Finish
// must not name content that has been binned since.
func (s *Store) present(d Digest, size int64) error {
	st, err := s.fsys.Stat(s.contentPath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return s.Restore(d)
	}
	if err != nil {
		return fmt.Errorf("look for content: %w", err)
	}
	if st.Size() != size {
		return fmt.Errorf("%w: %d bytes where %d belong", ErrDamaged, st.Size(), size)
	}
	return nil
}

// Put stores what r gives and returns digest and bytes. Nothing is kept when r
// or ctx fails. Errors: ErrTooLarge (Options.MaxUpload), ErrNoSpace, r's, ctx's.
func (s *Store) Put(ctx context.Context, r io.Reader) (Digest, int64, error) {
	name := s.stagingPath(newID(), ".put")
	d, n, err := s.stage(ctx, name, r)
	if err == nil {
		err = s.adopt(name, d)
	}
	if err != nil {
		s.discard(name)
		return Digest{}, 0, fmt.Errorf("store content: %w", err)
	}
	return d, n, nil
}

// stage writes r to a new file, synced.
func (s *Store) stage(ctx context.Context, name string, r io.Reader) (d Digest, n int64, err error) {
	f, err := s.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return d, 0, noSpace(err)
	}
	bp := s.bufs.Get().(*[]byte)
	defer s.bufs.Put(bp)
	h := sha256.New()
	w := &putWriter{s: s, w: io.MultiWriter(f, h)}
	// The bare structs keep io.CopyBuffer from going round the buffer.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{&ctxReader{ctx, r}}, *bp)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	h.Sum(d[:0])
	return d, w.n, noSpace(err)
}

// putWriter bounds a Put and looks after the reserve at every checkpoint.
type putWriter struct {
	s       *Store
	w       io.Writer
	n       int64
	checked int64 // bytes written before the next look at the free space
}

func (p *putWriter) Write(b []byte) (int, error) {
	if limit := p.s.most.Load(); limit > 0 && p.n+int64(len(b)) > limit {
		return 0, fmt.Errorf("%w: limit is %d", ErrTooLarge, limit)
	}
	if p.n >= p.checked {
		if err := p.s.checkSpace(int64(len(b))); err != nil {
			return 0, err
		}
		p.checked = p.n + p.s.checkpoint
	}
	n, err := p.w.Write(b)
	p.n += int64(n)
	return n, err
}

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
