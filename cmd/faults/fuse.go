package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
)

// recorder is a mounted file system that passes everything on to a directory
// and does every mutation to a simulated file system as well, whose log says
// what a power cut may leave. One file is special: lines appended to "acks" at
// its root are answers the workload gave; they get the number of mutations
// that had been made by then.
type recorder struct {
	sim *disktest.Sim
	srv *fuse.Server

	mu    sync.Mutex // a mutation is one step in both places
	acks  []ack
	half  []byte // of a line of acks
	marks []int  // indices at names and syncs: where recovery has to think
	bad   error  // the simulation met something it does not know
}

// mountRecorder mounts dir at mnt.
func mountRecorder(dir, mnt string) (*recorder, error) {
	r := &recorder{sim: disktest.NewSim()}
	root := &fs.LoopbackRoot{Path: dir}
	//lint:ignore SA1019 NodeWrapChilder wraps after the fact; the node must record its own creation
	root.NewNode = func(lr *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &recNode{fs.LoopbackNode{RootData: lr}, r}
	}
	top := &recNode{fs.LoopbackNode{RootData: root}, r}
	root.RootNode = top
	srv, err := fs.Mount(mnt, top, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, FsName: "faults", DisableXAttrs: true, MaxWrite: 1 << 20}})
	r.srv = srv
	return r, err
}

// note keeps the first thing that the simulation could not follow.
func (r *recorder) note(err error) {
	if err != nil && r.bad == nil {
		r.bad = err
	}
}

// step does a mutation in both places, and marks it.
func (r *recorder) step(real func() syscall.Errno, shadow func() error) syscall.Errno {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := real(); e != 0 {
		return e
	}
	r.note(shadow())
	r.marks = append(r.marks, r.sim.Ops())
	return 0
}

type recNode struct {
	fs.LoopbackNode
	r *recorder
}

func (n *recNode) path() string { return "/" + n.Path(n.Root()) }

type recFile struct {
	*fs.LoopbackFile
	n   *recNode
	sim disk.File // nil for acks
}

func (n *recNode) file(fh fs.FileHandle, path string, flag int) *recFile {
	f := &recFile{LoopbackFile: fh.(*fs.LoopbackFile), n: n}
	if path == "/acks" {
		return f
	}
	var err error
	f.sim, err = n.r.sim.OpenFile(path, flag, 0o600)
	n.r.note(err)
	return f
}

// Create is open(2) with O_CREAT of a new name.
func (n *recNode) Create(ctx context.Context, name string, flags uint32, mode uint32, out *fuse.EntryOut) (in *fs.Inode, fh fs.FileHandle, fl uint32, e syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if in, fh, fl, e = n.LoopbackNode.Create(ctx, name, flags, mode, out); e == 0 {
		fh = in.Operations().(*recNode).file(fh, filepath.Join(n.path(), name), os.O_RDWR|os.O_CREATE)
		n.r.marks = append(n.r.marks, n.r.sim.Ops())
	}
	return in, fh, fl, e
}

// Open is open(2) of a name that exists.
func (n *recNode) Open(ctx context.Context, flags uint32) (fh fs.FileHandle, fl uint32, e syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if fh, fl, e = n.LoopbackNode.Open(ctx, flags); e == 0 {
		fh = n.file(fh, n.path(), os.O_RDWR|int(flags)&os.O_TRUNC)
	}
	return fh, fl, e
}

// Write is pwrite(2); a line for acks is kept here.
func (f *recFile) Write(ctx context.Context, data []byte, off int64) (w uint32, e syscall.Errno) {
	r := f.n.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, e = f.LoopbackFile.Write(ctx, data, off); e != 0 {
		return w, e
	}
	if f.sim != nil {
		_, err := f.sim.WriteAt(data, off)
		r.note(err)
		return w, e
	}
	r.half = append(r.half, data...) // the kernel may split a write at a page
	for {
		line, rest, whole := bytes.Cut(r.half, []byte("\n"))
		if !whole {
			return w, e
		}
		a := ack{}
		r.note(json.Unmarshal(line, &a))
		a.Op = r.sim.Ops()
		r.acks, r.half = append(r.acks, a), rest
	}
}

// Fsync does not trouble the real disk: only the order counts.
func (f *recFile) Fsync(context.Context, uint32) syscall.Errno {
	return f.n.r.step(func() syscall.Errno { return 0 }, f.sim.Sync)
}

// PassthroughFd keeps the kernel from going past this process.
func (f *recFile) PassthroughFd() (int, bool) { return -1, false }

// Allocate is refused, so that nothing grows unseen.
func (f *recFile) Allocate(context.Context, uint64, uint64, uint32) syscall.Errno {
	return syscall.EOPNOTSUPP
}

// CopyFileRange is refused for the same reason; callers fall back to writes.
func (n *recNode) CopyFileRange(context.Context, fs.FileHandle, uint64, *fs.Inode, fs.FileHandle, uint64, uint64, uint64) (uint32, syscall.Errno) {
	return 0, syscall.EOPNOTSUPP
}

// Setattr matters where it changes a size.
func (n *recNode) Setattr(ctx context.Context, fh fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if f, ok := fh.(*recFile); ok {
		fh = f.LoopbackFile
	}
	size, sized := in.GetSize()
	if !sized {
		return n.LoopbackNode.Setattr(ctx, fh, in, out)
	}
	return n.r.step(func() syscall.Errno { return n.LoopbackNode.Setattr(ctx, fh, in, out) }, func() error {
		f, err := n.r.sim.OpenFile(n.path(), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Truncate(int64(size))
	})
}

// Getattr looks through the recorded handle.
func (n *recNode) Getattr(ctx context.Context, fh fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if f, ok := fh.(*recFile); ok {
		fh = f.LoopbackFile
	}
	return n.LoopbackNode.Getattr(ctx, fh, out)
}

// Unlink is unlink(2).
func (n *recNode) Unlink(ctx context.Context, name string) syscall.Errno {
	return n.r.step(func() syscall.Errno { return n.LoopbackNode.Unlink(ctx, name) },
		func() error { return n.r.sim.Remove(filepath.Join(n.path(), name)) })
}

// Rename is rename(2).
func (n *recNode) Rename(ctx context.Context, name string, to fs.InodeEmbedder, toName string, flags uint32) syscall.Errno {
	return n.r.step(func() syscall.Errno {
		return n.LoopbackNode.Rename(ctx, name, &to.(*recNode).LoopbackNode, toName, flags)
	},
		func() error {
			return n.r.sim.Rename(filepath.Join(n.path(), name), filepath.Join(to.(*recNode).path(), toName))
		})
}

// Mkdir is mkdir(2).
func (n *recNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (in *fs.Inode, e syscall.Errno) {
	e = n.r.step(func() (e syscall.Errno) { in, e = n.LoopbackNode.Mkdir(ctx, name, mode, out); return e },
		func() error { return n.r.sim.MkdirAll(filepath.Join(n.path(), name), 0o700) })
	return in, e
}

// Fsync without a file handle is of a directory.
func (n *recNode) Fsync(ctx context.Context, fh fs.FileHandle, flags uint32) syscall.Errno {
	if f, ok := fh.(*recFile); ok {
		return f.Fsync(ctx, flags)
	}
	return n.r.step(func() syscall.Errno { return 0 }, func() error { return n.r.sim.SyncDir(n.path()) })
}

// recDir is an open directory; only its fsync is of interest.
type recDir struct {
	fs.FileHandle
	n *recNode
}

// OpendirHandle is opendir(3).
func (n *recNode) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	fh, fl, e := n.LoopbackNode.OpendirHandle(ctx, flags)
	if e != 0 {
		return fh, fl, e
	}
	return &recDir{fh, n}, fl, 0
}

func (d *recDir) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	return d.FileHandle.(fs.FileReaddirenter).Readdirent(ctx)
}

func (d *recDir) Seekdir(ctx context.Context, off uint64) syscall.Errno {
	return d.FileHandle.(fs.FileSeekdirer).Seekdir(ctx, off)
}

func (d *recDir) Releasedir(ctx context.Context, flags uint32) {
	d.FileHandle.(fs.FileReleasedirer).Releasedir(ctx, flags)
}

// Fsyncdir makes names durable.
func (d *recDir) Fsyncdir(context.Context, uint32) syscall.Errno {
	return d.n.r.step(func() syscall.Errno { return 0 }, func() error { return d.n.r.sim.SyncDir(d.n.path()) })
}

// tree is a simulated directory read into memory, to be compared and written.
type tree struct {
	seed  maphash.Seed
	files map[string][]byte // buffers are kept for the next reading
	names []string          // of files now; directories end in a slash
	sum   uint64
}

// read takes in everything below a directory.
func (t *tree) read(sim *disktest.Sim, name string) error {
	t.names, t.sum = t.names[:0], 1
	return t.add(sim, name, "")
}

func (t *tree) add(sim *disktest.Sim, base, below string) error {
	list, err := sim.ReadDir(base + below)
	if err != nil {
		return err
	}
	for _, e := range list {
		name := below + "/" + e.Name()
		t.sum = t.sum*1000003 + maphash.String(t.seed, name)
		if e.IsDir() {
			t.names = append(t.names, name+"/")
			if err := t.add(sim, base, name); err != nil {
				return err
			}
			continue
		}
		f, err := sim.OpenFile(base+name, os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		st, err := f.Stat()
		if err != nil {
			return err
		}
		b := slices.Grow(t.files[name][:0], int(st.Size()))[:st.Size()]
		if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		t.files[name], t.names = b, append(t.names, name)
		for i := 0; i < len(b); i += hole {
			if part := b[i:min(i+hole, len(b))]; !empty(part) {
				t.sum = t.sum*1000003 + uint64(i) + maphash.Bytes(t.seed, part)
			}
		}
		t.sum = t.sum*1000003 + uint64(len(b))
	}
	return nil
}

// hole is the smallest run of zeros that is left out of a file.
const hole = 16 << 10

func empty(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	return bytes.IndexFunc(b, func(r rune) bool { return r != 0 }) < 0
}

// write puts it into a directory, with holes where there are only zeros.
func (t *tree) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range t.names {
		if path, isDir := strings.CutSuffix(name, "/"); isDir {
			if err := os.MkdirAll(dir+path, 0o700); err != nil {
				return err
			}
			continue
		}
		f, err := os.OpenFile(dir+name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		b := t.files[name]
		err = f.Truncate(int64(len(b)))
		for i := 0; i < len(b) && err == nil; i += hole {
			if part := b[i:min(i+hole, len(b))]; !empty(part) {
				_, err = f.WriteAt(part, int64(i))
			}
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
