package blob

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"time"
	"unicode/utf8"
)

// Upload is what is known of an upload.
type Upload struct {
	ID     string // 32 lower case hex digits
	Owner  uint64 // account
	Size   int64  // bytes; -1 when it is not known yet
	Offset int64  // bytes that are durable
	Meta   map[string]string
	// Created and Expires are unix milliseconds. After Expires the upload is
	// ErrNotFound, and Sweep removes it.
	Created, Expires int64
	// Finished says that Finish has succeeded; Digest is then the content's.
	Finished bool
	Digest   Digest
}

// entry is an upload in memory. up may be read with Store.mu held; everything
// else, and writing, needs busy (see acquire).
type entry struct {
	busy bool
	up   Upload

	hash    []byte // state of SHA-256 after up.Offset bytes
	seq     uint64 // of the .pos slot that is known to be durable
	tried   uint64 // of the last .pos slot whose write was started
	decided bool   // digest is in the .json
	digest  Digest
	failed  bool
}

// metaFile is <id>.json.
type metaFile struct {
	V       int               `json:"v"`
	ID      string            `json:"id"`
	Owner   uint64            `json:"owner"`
	Size    int64             `json:"size"`
	Meta    map[string]string `json:"meta"`
	Created int64             `json:"created"`
	Expires int64             `json:"expires"`
	Digest  string            `json:"digest,omitempty"`
	Failed  bool              `json:"failed,omitempty"`
}

// Create makes an upload of size bytes, -1 when the size comes later. Errors:
// ErrTooLarge, ErrSize, ErrMeta (8 KiB of keys and values, UTF-8), ErrNoSpace,
// also when what other uploads still have to bring would not fit beside it.
func (s *Store) Create(owner uint64, size int64, meta map[string]string, expires time.Time) (Upload, error) {
	if err := s.checkSize(size, 0); err != nil {
		return Upload{}, fmt.Errorf("create upload: %w", err)
	}
	if err := checkMeta(meta); err != nil {
		return Upload{}, fmt.Errorf("create upload: %w", err)
	}
	if err := s.checkSpace(max(size, 0) + s.promised()); err != nil {
		return Upload{}, fmt.Errorf("create upload: %w", err)
	}
	e := &entry{up: Upload{
		ID:      newID(),
		Owner:   owner,
		Size:    size,
		Meta:    maps.Clone(meta),
		Created: s.opt.Now().UnixMilli(),
		Expires: expires.UnixMilli(),
	}, seq: 1, tried: 1}
	e.hash = hashState(sha256.New())
	if err := s.createFiles(e); err != nil {
		s.removeFiles(e.up.ID)
		return Upload{}, fmt.Errorf("create upload: %w", noSpace(err))
	}
	s.mu.Lock()
	s.uploads[e.up.ID] = e
	s.mu.Unlock()
	return e.up.clone(), nil
}

func (s *Store) createFiles(e *entry) error {
	part, err := s.fsys.OpenFile(s.stagingPath(e.up.ID, ".part"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	pos := position{seq: e.seq, hash: e.hash}
	if err := createPosition(s.fsys, s.stagingPath(e.up.ID, ".pos"), pos); err != nil {
		return err
	}
	return s.writeMeta(e)
}

// Upload says where an upload stands, without touching the disk. Errors:
// ErrNotFound.
func (s *Store) Upload(id string) (Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return Upload{}, fmt.Errorf("look up upload: %w", err)
	}
	return e.up.clone(), nil
}

// Uploads lists the uploads of an owner that are not finished, in no order,
// without touching the disk.
func (s *Store) Uploads(owner uint64) []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Upload
	for _, e := range s.uploads {
		if e.up.Owner == owner && !e.up.Finished {
			list = append(list, e.up.clone())
		}
	}
	return list
}

// SetSize gives an upload that was made with size -1 its size in bytes; the
// same size again is no error. Errors: ErrNotFound, ErrSize, ErrTooLarge,
// ErrFinished, ErrFailed, ErrBusy, ErrNoSpace.
func (s *Store) SetSize(id string, size int64) (Upload, error) {
	e, err := s.acquire(id)
	if err != nil {
		return Upload{}, fmt.Errorf("set upload size: %w", err)
	}
	defer s.release(e)
	if err := s.setSize(e, size); err != nil {
		return Upload{}, fmt.Errorf("set upload size: %w", err)
	}
	return e.up.clone(), nil
}

func (s *Store) setSize(e *entry, size int64) error {
	switch {
	case e.failed:
		return ErrFailed
	case e.decided:
		return ErrFinished
	case size < 0 || e.up.Size >= 0 && e.up.Size != size:
		return ErrSize
	case e.up.Size == size:
		return nil
	}
	if err := s.checkSize(size, e.up.Offset); err != nil {
		return err
	}
	if err := s.checkSpace(size - e.up.Offset); err != nil {
		return err
	}
	next := *e
	next.up.Size = size
	if err := s.writeMeta(&next); err != nil {
		return err
	}
	s.mu.Lock()
	e.up.Size = size
	s.mu.Unlock()
	return nil
}

func (s *Store) checkSize(size, offset int64) error {
	switch {
	case size < -1 || size >= 0 && size < offset:
		return ErrSize
	case s.most.Load() > 0 && size > s.most.Load():
		return fmt.Errorf("%w: %d bytes, limit is %d", ErrTooLarge, size, s.most.Load())
	}
	return nil
}

// Terminate forgets an upload and removes what it left in staging; finished
// content stays. Errors: ErrNotFound, ErrBusy.
func (s *Store) Terminate(id string) error {
	e, err := s.acquire(id)
	if err != nil {
		return fmt.Errorf("terminate upload: %w", err)
	}
	if err := s.terminate(e); err != nil {
		s.release(e)
		return fmt.Errorf("terminate upload: %w", err)
	}
	return nil
}

// terminate removes the .json first: without it the rest is litter, which Open
// clears away. The entry stays busy and is gone afterwards.
func (s *Store) terminate(e *entry) error {
	id := e.up.ID
	if err := s.fsys.Remove(s.stagingPath(id, ".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.fsys.SyncDir(s.stagingDir()); err != nil {
		return err
	}
	s.removeFiles(id)
	s.mu.Lock()
	delete(s.uploads, id)
	s.mu.Unlock()
	return nil
}

// Sweep removes the uploads that have expired at now, finished ones included,
// and says how many and how many bytes of staging they held. An upload that is
// in use is left for the next time. It goes on after an error and returns them
// joined.
func (s *Store) Sweep(now time.Time) (n int, bytes int64, err error) {
	s.mu.Lock()
	var expired []*entry
	for _, e := range s.uploads {
		if !e.busy && e.up.Expires <= now.UnixMilli() {
			e.busy = true
			expired = append(expired, e)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, e := range expired {
		if terr := s.terminate(e); terr != nil {
			s.release(e)
			errs = append(errs, fmt.Errorf("sweep upload: %w", terr))
			continue
		}
		n++
		bytes += e.staged()
	}
	dn, db, derr := s.sweepDamaged(now)
	return n + dn, bytes + db, errors.Join(append(errs, derr)...)
}

// find needs s.mu. Expired uploads are not found, unless they are finished:
// repeating Finish must give its answer until the sweep.
func (s *Store) find(id string) (*entry, error) {
	if !validID(id) {
		return nil, ErrNotFound
	}
	e := s.uploads[id]
	if e == nil || !e.decided && e.up.Expires <= s.opt.Now().UnixMilli() {
		return nil, ErrNotFound
	}
	return e, nil
}

// acquire gives the caller the upload to itself until release or terminate.
func (s *Store) acquire(id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if e.busy {
		return nil, ErrBusy
	}
	e.busy = true
	return e, nil
}

func (s *Store) release(e *entry) {
	s.mu.Lock()
	e.busy = false
	s.mu.Unlock()
}

// promised is how many bytes the uploads of known size have still to bring.
func (s *Store) promised() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum int64
	for _, e := range s.uploads {
		if !e.failed && e.up.Size > e.up.Offset {
			sum += e.up.Size - e.up.Offset
		}
	}
	return sum
}

func (s *Store) writeMeta(e *entry) error {
	m := metaFile{
		V: 1, ID: e.up.ID, Owner: e.up.Owner, Size: e.up.Size, Meta: e.up.Meta,
		Created: e.up.Created, Expires: e.up.Expires, Failed: e.failed,
	}
	if e.decided {
		m.Digest = e.digest.String()
	}
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode upload: %w", err)
	}
	b = fmt.Appendf(b, "\n%08x\n", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	if err := s.replaceFile(s.stagingPath(e.up.ID, ".json"), b); err != nil {
		return fmt.Errorf("write upload: %w", err)
	}
	return nil
}

// fail marks an upload whose files cannot be trusted any more. The mark in the
// .json is a courtesy: without it a restart resumes at the durable offset,
// which is true.
func (s *Store) fail(e *entry, err error) error {
	s.mu.Lock()
	e.failed = true
	s.mu.Unlock()
	_ = s.writeMeta(e)
	return fmt.Errorf("%w: %w", ErrFailed, err)
}

// failUnlessFull passes a lack of space on and makes any other error final.
func (s *Store) failUnlessFull(e *entry, err error) error {
	if err = noSpace(err); errors.Is(err, ErrNoSpace) {
		return err
	}
	return s.fail(e, err)
}

func (s *Store) removeFiles(id string) {
	for _, ext := range []string{".json", ".pos", ".part"} {
		s.discard(s.stagingPath(id, ext))
	}
}

// staged is how many bytes of .part the upload holds.
func (e *entry) staged() int64 {
	if e.up.Finished {
		return 0
	}
	return e.up.Offset
}

func (u Upload) clone() Upload {
	u.Meta = maps.Clone(u.Meta)
	return u
}

func checkMeta(meta map[string]string) error {
	n := 0
	for k, v := range meta {
		n += len(k) + len(v)
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("%w: not UTF-8", ErrMeta)
		}
	}
	if n > maxMetaBytes {
		return fmt.Errorf("%w: %d bytes, limit is %d", ErrMeta, n, maxMetaBytes)
	}
	return nil
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

// hashState is the state of a SHA-256, nil when it cannot be had: Finish then
// reads the content again.
func hashState(h any) []byte {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil
	}
	b, err := m.MarshalBinary()
	if err != nil {
		return nil
	}
	return b
}
