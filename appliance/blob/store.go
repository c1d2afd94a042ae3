package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"posthouse/appliance/disk"
)

// Errors, to be tested with errors.Is.
var (
	// ErrNotFound: no such content, or no such upload (never made, expired,
	// terminated, or not an id at all).
	ErrNotFound = errors.New("not found")
	// ErrOffset: Append was called with an offset that is not the current one.
	ErrOffset = errors.New("offset is not the current one")
	// ErrChecksum: the chunk differs from its checksum; it was dropped.
	ErrChecksum = errors.New("checksum does not match")
	// ErrAlgorithm: the checksum's algorithm is not sha256, sha1 or md5.
	ErrAlgorithm = errors.New("checksum algorithm is not supported")
	// ErrBusy: another call is changing the same upload; try again later.
	ErrBusy = errors.New("upload is in use")
	// ErrTooLarge: more bytes than the upload's size or Options.MaxUpload.
	ErrTooLarge = errors.New("more bytes than allowed")
	// ErrIncomplete: Finish was called before the last byte or without a size.
	ErrIncomplete = errors.New("upload is not complete")
	// ErrFinished: Append or SetSize after Finish.
	ErrFinished = errors.New("upload is finished")
	// ErrSize: a size that is negative, already set, or below the offset.
	ErrSize = errors.New("size cannot be set")
	// ErrMeta: metadata is too large or not UTF-8.
	ErrMeta = errors.New("metadata is not acceptable")
	// ErrNoSpace: the volume is full or down to Options.FreeReserve.
	ErrNoSpace = errors.New("no space left for uploads")
	// ErrDamaged: stored content is not what its address says.
	ErrDamaged = errors.New("content is damaged")
	// ErrFailed: a write or sync of this upload failed for another reason than
	// space; it can only be terminated.
	ErrFailed = errors.New("upload has failed")
)

const (
	dirPerm  fs.FileMode = 0o700
	filePerm fs.FileMode = 0o600

	// checkpointBytes is how much of one Append may arrive before it is made
	// durable: what a crash costs a client at most.
	checkpointBytes = 16 << 20
	bufferBytes     = 128 << 10
	maxMetaBytes    = 8 << 10
)

// Options are what a Store needs from outside. The zero value is usable.
type Options struct {
	// FS is the file system; nil is the real one.
	FS disk.FS
	// MaxUpload is the largest content in bytes; 0 is no limit.
	MaxUpload int64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// FreeReserve is how many bytes of the volume uploads leave free; 0 lets
	// them fill it, which stops the journal too.
	FreeReserve int64
	// FreeBytes says how many bytes the service may still write to the volume
	// that holds dir; nil asks statfs.
	FreeBytes func(dir string) (int64, error)
}

// Store is an open blob directory. Its methods may be called from any
// goroutine; they touch the disk unless they say otherwise.
type Store struct {
	dir  string
	opt  Options
	most atomic.Int64 // Options.MaxUpload, now
	free atomic.Int64 // Options.FreeReserve, now
	fsys disk.FS
	bufs sync.Pool // *[]byte of bufferBytes
	// checkpoint is checkpointBytes, less in tests.
	checkpoint int64

	mu      sync.Mutex
	uploads map[string]*entry

	clearing sync.RWMutex // read: a finished upload waits for its reference; see Hold

	dirMu   sync.Mutex
	durable map[string]bool // directories whose names are known to be durable

	damaged []string
}

// Retune replaces MaxUpload and FreeReserve, in bytes, while the store is open.
func (s *Store) Retune(maxUpload, freeReserve int64) {
	s.most.Store(maxUpload)
	s.free.Store(freeReserve)
}

// Open opens a blob directory and makes it when it is not there. Uploads come
// back at their durable offset; what a crash left of unfinished calls is
// removed.
func Open(dir string, opt Options) (*Store, error) {
	if opt.FS == nil {
		opt.FS = disk.OS{}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.FreeBytes == nil {
		opt.FreeBytes = statfsFree
	}
	s := &Store{
		dir:        dir,
		opt:        opt,
		fsys:       opt.FS,
		bufs:       sync.Pool{New: func() any { b := make([]byte, bufferBytes); return &b }},
		uploads:    make(map[string]*entry),
		checkpoint: checkpointBytes,
		durable:    make(map[string]bool),
	}
	s.Retune(opt.MaxUpload, opt.FreeReserve)
	for _, d := range []string{dir, s.contentDir(), s.stagingDir(), s.binDir()} {
		if err := s.makeDir(d); err != nil {
			return nil, fmt.Errorf("open blob store: %w", err)
		}
	}
	if err := s.loadStaging(); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return s, nil
}

// Damaged names the staging files that Open could not read: a sign of a
// failing disk, worth a log line. They are kept until Sweep finds them a week
// old.
func (s *Store) Damaged() []string { return append([]string(nil), s.damaged...) }

func (s *Store) contentDir() string { return filepath.Join(s.dir, "sha256") }
func (s *Store) stagingDir() string { return filepath.Join(s.dir, "staging") }
func (s *Store) binDir() string     { return filepath.Join(s.dir, "bin") }

func (s *Store) contentPath(d Digest) string {
	h := d.String()
	return filepath.Join(s.contentDir(), h[:2], h[2:])
}

// stagingPath needs an id that validID has seen.
func (s *Store) stagingPath(id, ext string) string {
	return filepath.Join(s.stagingDir(), id+ext)
}

// makeDir makes a directory and its name durable. It does not trust a
// directory that is merely there: another goroutine may have made it and not
// yet synced its parent.
func (s *Store) makeDir(name string) error {
	s.dirMu.Lock()
	defer s.dirMu.Unlock()
	if s.durable[name] {
		return nil
	}
	if err := s.fsys.MkdirAll(name, dirPerm); err != nil {
		return fmt.Errorf("make directory: %w", noSpace(err))
	}
	if err := s.fsys.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("sync parent directory: %w", noSpace(err))
	}
	s.durable[name] = true
	return nil
}

// replaceFile is disk.WriteFile that leaves no temporary file behind.
func (s *Store) replaceFile(name string, data []byte) error {
	if err := disk.WriteFile(s.fsys, name, data, filePerm); err != nil {
		s.discard(name + ".tmp")
		return noSpace(err)
	}
	return nil
}

// discard removes a file that means nothing any more. A failure costs space
// until the next Open and is not reported.
func (s *Store) discard(name string) { _ = s.fsys.Remove(name) }

// checkSpace refuses when writing want more bytes would eat into the reserve.
func (s *Store) checkSpace(want int64) error {
	free, err := s.opt.FreeBytes(s.dir)
	if err != nil {
		return fmt.Errorf("read free space: %w", err)
	}
	if free-s.free.Load() < want {
		return fmt.Errorf("%w: %d bytes free, %d wanted, %d in reserve",
			ErrNoSpace, free, want, s.free.Load())
	}
	return nil
}

func statfsFree(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// noSpace adds ErrNoSpace to the errors a full volume or a quota gives.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
