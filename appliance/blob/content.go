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
	"time"

	"posthouse/appliance/disk"
)

// Blob is an open content. It stays readable while it is binned, emptied or
// replaced. Read and Seek share one position and are for one goroutine; ReadAt
// is for any.
type Blob struct {
	f       disk.File
	size    int64
	modTime time.Time
}

// OpenBlob opens a content for reading. Errors: ErrNotFound.
func (s *Store) OpenBlob(d Digest) (*Blob, error) {
	f, err := s.fsys.OpenFile(s.contentPath(d), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open content: %w", ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open content: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open content: %w", err), f.Close())
	}
	return &Blob{f: f, size: st.Size(), modTime: st.ModTime()}, nil
}

// Size is the content's length in bytes.
func (b *Blob) Size() int64 { return b.size }

// ModTime is when the content was last uploaded.
func (b *Blob) ModTime() time.Time { return b.modTime }

// Read is io.Reader.
func (b *Blob) Read(p []byte) (int, error) { return b.f.Read(p) }

// ReadAt is io.ReaderAt.
func (b *Blob) ReadAt(p []byte, off int64) (int, error) { return b.f.ReadAt(p, off) }

// Seek is io.Seeker.
func (b *Blob) Seek(offset int64, whence int) (int64, error) { return b.f.Seek(offset, whence) }

// Close ends the reading.
func (b *Blob) Close() error { return b.f.Close() }

// Verify reads a content and compares it with its address. Errors: ErrDamaged,
// ErrNotFound, or that of the disk when it cannot be read.
func (s *Store) Verify(d Digest) error {
	b, err := s.OpenBlob(d)
	if err != nil {
		return fmt.Errorf("verify content: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, b)
	if err = errors.Join(err, b.Close()); err != nil {
		return fmt.Errorf("verify content: %w", err)
	}
	if Digest(h.Sum(nil)) != d {
		return fmt.Errorf("verify content %s: %w", d, ErrDamaged)
	}
	return nil
}

// List calls fn for every content in the order of the digests, the bin left
// out, with its size in bytes and when it was last uploaded. Content that comes
// or goes meanwhile may be listed or not. It ends with fn's error or ctx's.
func (s *Store) List(ctx context.Context, fn func(d Digest, size int64, modTime time.Time) error) error {
	return s.walk(ctx, s.contentDir(), func(name string, info fs.FileInfo) error {
		d, err := ParseDigest(name)
		if err != nil {
			return nil
		}
		return fn(d, info.Size(), info.ModTime())
	})
}

// walk calls fn for the files in the two-digit directories of root, with
// directory and file name run together.
func (s *Store) walk(ctx context.Context, root string, fn func(name string, info fs.FileInfo) error) error {
	shards, err := s.fsys.ReadDir(root)
	if err != nil {
		return fmt.Errorf("list contents: %w", err)
	}
	for _, shard := range shards {
		if !shard.IsDir() || len(shard.Name()) != 2 || !lowerHex(shard.Name()) {
			continue
		}
		files, err := s.fsys.ReadDir(filepath.Join(root, shard.Name()))
		if err != nil {
			return fmt.Errorf("list contents: %w", err)
		}
		for _, file := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			info, err := file.Info()
			if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
				continue
			}
			if err != nil {
				return fmt.Errorf("list contents: %w", err)
			}
			if err := fn(shard.Name()+file.Name(), info); err != nil {
				return err
			}
		}
	}
	return nil
}

// Usage is what a store holds. Bytes are those of the files' contents.
type Usage struct {
	Blobs, BlobBytes     int64
	Uploads, UploadBytes int64 // not finished
	Binned, BinnedBytes  int64
	FreeBytes            int64 // left on the volume, the reserve included
}

// Usage counts by walking the directories: a few seconds at a million files.
func (s *Store) Usage() (Usage, error) {
	var u Usage
	count := func(n, bytes *int64) func(string, fs.FileInfo) error {
		return func(_ string, info fs.FileInfo) error {
			*n++
			*bytes += info.Size()
			return nil
		}
	}
	ctx := context.Background()
	err := errors.Join(
		s.walk(ctx, s.contentDir(), count(&u.Blobs, &u.BlobBytes)),
		s.walk(ctx, s.binDir(), count(&u.Binned, &u.BinnedBytes)))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage: %w", err)
	}
	if u.FreeBytes, err = s.opt.FreeBytes(s.dir); err != nil {
		return Usage{}, fmt.Errorf("read usage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.uploads {
		if !e.up.Finished {
			u.Uploads++
			u.UploadBytes += e.staged()
		}
	}
	return u, nil
}
