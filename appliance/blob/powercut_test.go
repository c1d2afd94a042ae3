package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/disk"
)

// change is one call that a power cut may undo until a sync has confirmed it.
type change struct {
	kind     string // mkdir, create, write, truncate, sync, rename, remove, syncdir
	file     int    // of create, write, truncate, sync
	from, to string // names; to alone for all but rename
	at       int64
	data     []byte
}

// recorder is the real file system, without the cost of syncing, that keeps
// what was done to it.
type recorder struct {
	disk.FS
	mu      sync.Mutex
	changes []change
	files   map[string]int // name → number of the file
	next    int
}

func (r *recorder) add(c change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

func (r *recorder) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := r.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.files[name]
	if !ok {
		r.next++
		n = r.next
		r.files[name] = n
		r.changes = append(r.changes, change{kind: "create", file: n, to: name})
	}
	if flag&os.O_TRUNC != 0 {
		r.changes = append(r.changes, change{kind: "truncate", file: n})
	}
	return &recordedFile{File: f, r: r, n: n}, nil
}

func (r *recorder) Rename(from, to string) error {
	r.mu.Lock()
	r.files[to] = r.files[from]
	delete(r.files, from)
	r.mu.Unlock()
	r.add(change{kind: "rename", from: from, to: to})
	return r.FS.Rename(from, to)
}

func (r *recorder) Remove(name string) error {
	err := r.FS.Remove(name)
	if err == nil {
		r.mu.Lock()
		delete(r.files, name)
		r.mu.Unlock()
		r.add(change{kind: "remove", to: name})
	}
	return err
}

func (r *recorder) MkdirAll(name string, perm fs.FileMode) error {
	r.add(change{kind: "mkdir", to: name})
	return r.FS.MkdirAll(name, perm)
}

func (r *recorder) SyncDir(name string) error {
	r.add(change{kind: "syncdir", to: name})
	return nil
}

type recordedFile struct {
	disk.File
	r   *recorder
	n   int
	end int64
}

func (f *recordedFile) Write(b []byte) (int, error) {
	f.r.add(change{kind: "write", file: f.n, at: f.end, data: bytes.Clone(b)})
	f.end += int64(len(b))
	return f.File.Write(b)
}

func (f *recordedFile) WriteAt(b []byte, at int64) (int, error) {
	f.r.add(change{kind: "write", file: f.n, at: at, data: bytes.Clone(b)})
	return f.File.WriteAt(b, at)
}

func (f *recordedFile) Truncate(size int64) error {
	f.r.add(change{kind: "truncate", file: f.n, at: size})
	return f.File.Truncate(size)
}

func (f *recordedFile) Sync() error {
	f.r.add(change{kind: "sync", file: f.n})
	return nil
}

// survivors picks what a cut after changes leaves: all that a later sync has
// confirmed, and of the rest what luck keeps. Writes may be torn.
func survivors(changes []change, luck *rand.Rand) []change {
	var kept []change
	for i, c := range changes {
		sure := slices.ContainsFunc(changes[i+1:], func(later change) bool {
			switch c.kind {
			case "write", "truncate":
				return later.kind == "sync" && later.file == c.file
			}
			return later.kind == "syncdir" && later.to == filepath.Dir(c.to)
		})
		switch {
		case c.kind == "sync" || c.kind == "syncdir" || !sure && luck.IntN(2) == 0:
			continue
		case !sure && c.kind == "write" && luck.IntN(3) == 0:
			c.data = bytes.Clone(c.data)
			clear(c.data[luck.IntN(len(c.data)+1):]) // the size got through, the bytes did not
		}
		kept = append(kept, c)
	}
	return kept
}

// rebuild makes what survived into a directory.
func rebuild(t *testing.T, changes []change, root, into string) {
	t.Helper()
	contents := make(map[int][]byte)
	names := make(map[string]int)
	dirs := []string{root}
	for _, c := range changes {
		switch c.kind {
		case "mkdir":
			dirs = append(dirs, c.to)
		case "create":
			names[c.to] = c.file
		case "write":
			if short := c.at + int64(len(c.data)) - int64(len(contents[c.file])); short > 0 {
				contents[c.file] = append(contents[c.file], make([]byte, short)...)
			}
			copy(contents[c.file][c.at:], c.data)
		case "truncate":
			b := contents[c.file]
			contents[c.file] = append(b, make([]byte, max(0, c.at-int64(len(b))))...)[:c.at]
		case "rename":
			if n, ok := names[c.from]; ok {
				names[c.to] = n
				delete(names, c.from)
			}
		case "remove":
			delete(names, c.to)
		}
	}
	moved := func(name string) string {
		rel, err := filepath.Rel(root, name)
		must(t, err)
		return filepath.Join(into, rel)
	}
	for _, d := range dirs {
		if slices.Contains(dirs, filepath.Dir(d)) || d == root {
			must(t, os.MkdirAll(moved(d), 0o700))
		}
	}
	for name, n := range names {
		if slices.Contains(dirs, filepath.Dir(name)) {
			must(t, os.WriteFile(moved(name), contents[n], 0o600))
		}
	}
}

// answer is what a client was told after so many changes.
type answer struct {
	after    int
	offset   int64
	sized    bool
	finished bool
	binned   bool
}

// slowly reads b in pieces that checkpoints fall between.
func slowly(b []byte) io.Reader {
	r := bytes.NewReader(b)
	return readFunc(func(p []byte) (int, error) { return r.Read(p[:min(len(p), 300)]) })
}

// The power is cut after every call of an upload's life, with any luck of what
// was not synced: what was answered before is true afterwards.
func TestPowerCut(t *testing.T) {
	root := t.TempDir()
	rec := &recorder{FS: disk.OS{}, files: make(map[string]int)}
	free := func(string) (int64, error) { return 1 << 50, nil }
	dir := filepath.Join(root, "blobs")
	s, err := Open(dir, Options{FS: rec, FreeBytes: free, MaxUpload: 3005})
	must(t, err)
	s.checkpoint = 500
	data := noise(3000, 1)
	d := Digest(sha256.Sum256(data))
	u, err := s.Create(1, -1, map[string]string{"a": "b"}, time.Now().Add(time.Hour))
	must(t, err)
	answers := []answer{{after: len(rec.changes)}}
	told := func(a answer) {
		a.after = len(rec.changes)
		answers = append(answers, a)
	}
	for at := int64(0); at < 3000; at += 1000 {
		_, err := s.Append(context.Background(), u.ID, at, bytes.NewReader(noise(10, 9)), &Checksum{"md5", nil})
		wants(t, err, ErrChecksum)
		// The client is right up to the end and sends too much.
		_, err = s.Append(context.Background(), u.ID, at, slowly(append(data[at:3000:3000], noise(10, 9)...)), nil)
		wants(t, err, ErrTooLarge)
		_, err = s.Append(context.Background(), u.ID, at, slowly(data[at:at+1000]), nil)
		must(t, err)
		told(answer{offset: at + 1000})
	}
	_, err = s.Append(context.Background(), u.ID, 3000, bytes.NewReader(noise(5, 9)), &Checksum{"md5", nil})
	wants(t, err, ErrChecksum)
	_, err = s.SetSize(u.ID, 3000)
	must(t, err)
	told(answer{offset: 3000, sized: true})
	_, _, err = s.Finish(u.ID)
	must(t, err)
	told(answer{offset: 3000, sized: true, finished: true})
	must(t, s.Bin(d))
	told(answer{offset: 3000, sized: true, binned: true})
	must(t, s.Restore(d))
	told(answer{offset: 3000, sized: true, finished: true})

	luck := rand.New(rand.NewPCG(1, 2))
	cases := 0
	for cut := answers[0].after; cut <= len(rec.changes); cut++ {
		last := answers[0]
		for _, a := range answers {
			if a.after <= cut {
				last = a
			}
		}
		for range 8 {
			cases++
			into := t.TempDir()
			rebuild(t, survivors(rec.changes[:cut], luck), root, into)
			checkAfterCut(t, filepath.Join(into, "blobs"), u.ID, data, last, cut)
		}
	}
	t.Logf("%d power cuts after %d calls", cases, len(rec.changes))
}

func checkAfterCut(t *testing.T, dir, id string, data []byte, last answer, cut int) {
	t.Helper()
	fsys := &recorder{FS: disk.OS{}, files: make(map[string]int)}
	s, err := Open(dir, Options{FS: fsys, FreeBytes: func(string) (int64, error) { return 1 << 50, nil }})
	must(t, err)
	d := Digest(sha256.Sum256(data))
	if len(s.Damaged()) > 0 {
		t.Fatalf("cut %d: damaged %v", cut, s.Damaged())
	}
	if last.finished {
		if err := s.Verify(d); err != nil && cut == last.after {
			t.Fatalf("cut %d: finished content: %v", cut, err)
		}
	}
	if last.binned && s.Restore(d) != nil {
		t.Fatalf("cut %d: binned content is lost", cut)
	}
	u, err := s.Upload(id)
	must(t, err)
	if u.Offset < last.offset {
		t.Fatalf("cut %d: answered %d, is %d", cut, last.offset, u.Offset)
	}
	if u.Offset < int64(len(data)) {
		if _, err := s.Append(context.Background(), id, u.Offset, bytes.NewReader(data[u.Offset:]), nil); err != nil {
			t.Fatalf("cut %d: resume at %d: %v", cut, u.Offset, err)
		}
	}
	if last.sized && u.Size < 0 {
		t.Fatalf("cut %d: size is lost", cut)
	}
	if u.Size < 0 {
		_, err = s.SetSize(id, int64(len(data)))
		must(t, err)
	}
	for range 2 {
		got, _, err := s.Finish(id)
		if err != nil || got != d {
			t.Fatalf("cut %d: finish: %s, %v", cut, got, err)
		}
	}
	if err := s.Verify(d); err != nil {
		t.Fatalf("cut %d: %v", cut, err)
	}
}
