// Package disktest holds file systems for tests of code that must not lose
// data: Faulty fails chosen calls of another file system, Sim lives in memory,
// forgets what was not synced and can be cut off after every mutation.
//
// Both may be used from several goroutines. It runs no goroutines.
package disktest

import (
	"io/fs"
	"sync"

	"posthouse/appliance/disk"
)

// Fault says which call fails and how.
type Fault struct {
	// N is the number of the matching call that fails, from 1; 0 = none.
	N int64
	// Forever: all later matching calls fail too.
	Forever bool
	// Err is what the call returns, wrapped in an fs.PathError.
	Err error
	// Short: a failing Write or WriteAt first writes half of its bytes.
	Short bool
	// Match limits which calls count; nil = all. op is the method name in lower
	// case: openfile rename remove mkdirall readdir stat syncdir read readat
	// write writeat seek sync truncate fstat close.
	Match func(op, name string) bool
	// Then is called at each failure; nil = nothing.
	Then func(op, name string)
}

// Faulty counts and fails calls on their way to FS.
type Faulty struct {
	FS disk.FS

	mu    sync.Mutex
	fault Fault
	calls int64
	hits  int64
}

// NewFaulty wraps a file system; nothing fails before Set.
func NewFaulty(fsys disk.FS) *Faulty { return &Faulty{FS: fsys} }

// Set replaces the fault and starts counting anew.
func (f *Faulty) Set(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.calls, f.hits = x, 0, 0
}

// Calls is the number of matching calls since Set.
func (f *Faulty) Calls() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Hits is the number of calls that failed since Set.
func (f *Faulty) Hits() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hits
}

// hit counts a call and returns its error.
func (f *Faulty) hit(op, name string) (short bool, err error) {
	f.mu.Lock()
	x := f.fault
	fails := false
	if x.Match == nil || x.Match(op, name) {
		f.calls++
		fails = x.N > 0 && (f.calls == x.N || x.Forever && f.calls > x.N)
	}
	if fails {
		f.hits++
	}
	f.mu.Unlock()
	if !fails {
		return false, nil
	}
	if x.Then != nil {
		x.Then(op, name)
	}
	return x.Short, &fs.PathError{Op: op, Path: name, Err: x.Err}
}

// OpenFile is FS.OpenFile unless it fails.
func (f *Faulty) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if _, err := f.hit("openfile", name); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, file}, nil
}

// Rename is FS.Rename unless it fails.
func (f *Faulty) Rename(oldname, newname string) error {
	if _, err := f.hit("rename", newname); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// Remove is FS.Remove unless it fails.
func (f *Faulty) Remove(name string) error {
	if _, err := f.hit("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// MkdirAll is FS.MkdirAll unless it fails.
func (f *Faulty) MkdirAll(name string, perm fs.FileMode) error {
	if _, err := f.hit("mkdirall", name); err != nil {
		return err
	}
	return f.FS.MkdirAll(name, perm)
}

// ReadDir is FS.ReadDir unless it fails.
func (f *Faulty) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := f.hit("readdir", name); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(name)
}

// Stat is FS.Stat unless it fails.
func (f *Faulty) Stat(name string) (fs.FileInfo, error) {
	if _, err := f.hit("stat", name); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

// SyncDir is FS.SyncDir unless it fails.
func (f *Faulty) SyncDir(name string) error {
	if _, err := f.hit("syncdir", name); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

type faultyFile struct {
	f *Faulty
	disk.File
}

func (x *faultyFile) Read(b []byte) (int, error) {
	if _, err := x.f.hit("read", x.Name()); err != nil {
		return 0, err
	}
	return x.File.Read(b)
}

func (x *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if _, err := x.f.hit("readat", x.Name()); err != nil {
		return 0, err
	}
	return x.File.ReadAt(b, off)
}

func (x *faultyFile) Write(b []byte) (int, error) {
	if short, err := x.f.hit("write", x.Name()); err != nil {
		if !short {
			return 0, err
		}
		n, _ := x.File.Write(b[:len(b)/2])
		return n, err
	}
	return x.File.Write(b)
}

func (x *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if short, err := x.f.hit("writeat", x.Name()); err != nil {
		if !short {
			return 0, err
		}
		n, _ := x.File.WriteAt(b[:len(b)/2], off)
		return n, err
	}
	return x.File.WriteAt(b, off)
}

func (x *faultyFile) Seek(off int64, whence int) (int64, error) {
	if _, err := x.f.hit("seek", x.Name()); err != nil {
		return 0, err
	}
	return x.File.Seek(off, whence)
}

func (x *faultyFile) Sync() error {
	if _, err := x.f.hit("sync", x.Name()); err != nil {
		return err
	}
	return x.File.Sync()
}

func (x *faultyFile) Truncate(size int64) error {
	if _, err := x.f.hit("truncate", x.Name()); err != nil {
		return err
	}
	return x.File.Truncate(size)
}

func (x *faultyFile) Stat() (fs.FileInfo, error) {
	if _, err := x.f.hit("fstat", x.Name()); err != nil {
		return nil, err
	}
	return x.File.Stat()
}

// Close closes the file even when it reports a failure, as the kernel does.
func (x *faultyFile) Close() error {
	_, err := x.f.hit("close", x.Name())
	if closeErr := x.File.Close(); err == nil {
		err = closeErr
	}
	return err
}
