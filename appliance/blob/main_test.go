package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"posthouse/appliance/disk"
)

// TestMain is also the server that TestKillInAppend kills.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "append-child" {
		if err := appendChild(os.Args[2], os.Args[3]); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants fails unless err is want; nil wants no error.
func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// house is a store whose calls may not fail unless a test says so. Closing the
// test checks the invariants.
type house struct {
	*Store
	t   testing.TB
	dir string
	opt Options
}

func open(t testing.TB, opt Options) *house {
	t.Helper()
	if opt.FreeBytes == nil {
		opt.FreeBytes = func(string) (int64, error) { return 1 << 50, nil }
	}
	h := &house{t: t, dir: filepath.Join(t.TempDir(), "blobs"), opt: opt}
	h.reopen()
	t.Cleanup(h.check)
	return h
}

func (h *house) reopen() {
	h.t.Helper()
	s, err := Open(h.dir, h.opt)
	must(h.t, err)
	h.Store = s
}

// check: every content has the digest of its name, and every upload its bytes.
func (h *house) check() {
	h.t.Helper()
	s, err := Open(h.dir, Options{})
	must(h.t, err)
	must(h.t, s.List(context.Background(), func(d Digest, _ int64, _ time.Time) error { return s.Verify(d) }))
	for id, e := range s.uploads {
		if e.decided || e.failed {
			continue
		}
		b, err := os.ReadFile(s.stagingPath(id, ".part"))
		must(h.t, err)
		sum := sha256.New()
		sum.Write(b[:e.up.Offset])
		if !bytes.Equal(hashState(sum), e.hash) {
			h.t.Errorf("upload %s: hash state is not that of its %d bytes", id, e.up.Offset)
		}
	}
	if len(s.Damaged()) > 0 {
		h.t.Errorf("damaged staging files: %v", s.Damaged())
	}
}

func (h *house) create(size int64) string {
	h.t.Helper()
	u, err := h.Create(7, size, map[string]string{"filename": "наш файл.png"}, time.Now().Add(time.Hour))
	must(h.t, err)
	return u.ID
}

func (h *house) append(id string, offset int64, b []byte) int64 {
	h.t.Helper()
	n, err := h.Append(h.t.Context(), id, offset, bytes.NewReader(b), nil)
	must(h.t, err)
	return n
}

func (h *house) offset(id string, want int64) {
	h.t.Helper()
	u, err := h.Upload(id)
	must(h.t, err)
	if u.Offset != want {
		h.t.Fatalf("offset is %d, want %d", u.Offset, want)
	}
}

func (h *house) has(d Digest, want []byte) {
	h.t.Helper()
	must(h.t, h.Verify(d))
	b, err := h.OpenBlob(d)
	must(h.t, err)
	defer b.Close()
	got, err := io.ReadAll(b)
	must(h.t, err)
	if !bytes.Equal(got, want) || b.Size() != int64(len(want)) {
		h.t.Fatalf("content has %d bytes, want %d", len(got), len(want))
	}
}

func (h *house) finish(id string, want []byte) Digest {
	h.t.Helper()
	d, n, err := h.Finish(id)
	must(h.t, err)
	if d != sha256.Sum256(want) || n != int64(len(want)) {
		h.t.Fatalf("finished as %s of %d bytes, want %x of %d", d, n, sha256.Sum256(want), len(want))
	}
	h.has(d, want)
	return d
}

func (h *house) staging() []string {
	h.t.Helper()
	files, err := os.ReadDir(h.stagingDir())
	must(h.t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// faults fails calls of a file system: those that fail says so of, by a name
// like "sync .part" and the running number of the mutation.
type faults struct {
	disk.FS
	mu   sync.Mutex
	n    int
	log  []string
	fail func(n int, op string) error
}

func (f *faults) op(kind, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	op := kind + " " + filepath.Ext(name)
	if filepath.Ext(name) == "" {
		op = kind + " " + filepath.Base(name)
	}
	f.n++
	f.log = append(f.log, op)
	if f.fail == nil {
		return nil
	}
	return f.fail(f.n, op)
}

// only fails every call of one kind with err.
func only(op string, err error) func(int, string) error {
	return func(_ int, got string) error {
		if got == op {
			return err
		}
		return nil
	}
}

func (f *faults) set(fail func(int, string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.n, f.log = fail, 0, nil
}

func (f *faults) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.op("create", name); err != nil {
			return nil, err
		}
	}
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faults) Rename(from, to string) error {
	if err := f.op("rename", from); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *faults) Remove(name string) error {
	if err := f.op("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *faults) SyncDir(name string) error {
	if err := f.op("syncdir", name); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

type faultyFile struct {
	disk.File
	f *faults
}

// Write and WriteAt that fail have written half.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.f.op("write", f.Name()); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.f.op("write", f.Name()); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], off)
		return n, err
	}
	return f.File.WriteAt(b, off)
}

func (f *faultyFile) Sync() error {
	if err := f.f.op("sync", f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.f.op("truncate", f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func hexID(c string) string { return strings.Repeat(c, 32) }
