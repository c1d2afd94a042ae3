package disktest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"syscall"
	"time"

	"posthouse/appliance/disk"
)

// Sim is a file system in memory that keeps a log of every mutation. Its own
// view is what a running process sees; Replay gives what a power cut leaves.
// The promise it makes is the least POSIX makes: file data and size are safe
// after File.Sync, a name after SyncDir of its directory, nothing else; what is
// not safe may be there in any combination.
type Sim struct {
	mu    sync.Mutex
	nodes []*node // by id; 0 is the root directory
	log   []op
	base  []*node // the durable state the log starts from
}

// node is a file or a directory.
type node struct {
	dir     bool
	data    []byte
	shared  bool // with a clone: copy before it is changed
	entries map[string]int
}

// clone shares the data until one of the two is changed: a state file is
// megabytes, and most crash states change none of it.
func (n *node) clone() *node {
	n.shared = true
	c := &node{dir: n.dir, data: n.data, shared: true}
	if n.dir {
		c.entries = make(map[string]int, len(n.entries))
		for k, v := range n.entries {
			c.entries[k] = v
		}
	}
	return c
}

// write puts b at off.
func (n *node) write(b []byte, off int64) {
	n.own()
	n.data = put(n.data, b, off)
}

// cut makes the file this long.
func (n *node) cut(size int64) {
	n.own()
	n.data = resize(n.data, size)
}

func (n *node) own() {
	if n.shared {
		n.data, n.shared = slices.Clone(n.data), false
	}
}

func cloneAll(nodes []*node) []*node {
	c := make([]*node, len(nodes))
	for i, n := range nodes {
		c[i] = n.clone()
	}
	return c
}

type opKind int

const (
	opNew     opKind = iota // a node comes into being: nothing durable about it
	opWrite                 // data at off
	opSize                  // truncate to off
	opLink                  // dir[name] = node
	opUnlink                // delete dir[name]
	opRename                // delete dir[name], to[toName] = node
	opSync                  // node's data and size are safe
	opSyncDir               // node's entries are safe
	opLose                  // node's unsynced data will never be safe
)

type op struct {
	kind   opKind
	node   int
	off    int64
	data   []byte
	isDir  bool
	dir    int
	name   string
	to     int
	toName string
}

// NewSim returns an empty file system.
func NewSim() *Sim { return newSim([]*node{{dir: true, entries: map[string]int{}}}) }

func newSim(nodes []*node) *Sim {
	return &Sim{nodes: nodes, base: cloneAll(nodes)}
}

// Ops is the number of mutations so far: what Replay.To takes.
func (s *Sim) Ops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

// LoseUnsynced makes the data of a file that is not synced yet impossible to
// sync, while it can still be read: what Linux does to the page cache when a
// write-back fails. Data written again afterwards can be synced.
func (s *Sim) LoseUnsynced(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.lookup(name); ok {
		s.log = append(s.log, op{kind: opLose, node: id})
	}
}

// split turns a path into its elements; relative paths start at the root.
func split(name string) (parent, base string) {
	p := path.Clean("/" + name)
	return path.Dir(p), path.Base(p)
}

// lookup needs mu.
func (s *Sim) lookup(name string) (int, bool) {
	p := path.Clean("/" + name)
	if p == "/" {
		return 0, true
	}
	parent, base := split(name)
	dir, ok := s.lookup(parent)
	if !ok || !s.nodes[dir].dir {
		return 0, false
	}
	id, ok := s.nodes[dir].entries[base]
	return id, ok
}

func pathErr(opName, name string, err error) error {
	return &fs.PathError{Op: opName, Path: name, Err: err}
}

// create needs mu.
func (s *Sim) create(dir int, name string, isDir bool) int {
	n := &node{dir: isDir}
	if isDir {
		n.entries = map[string]int{}
	}
	id := len(s.nodes)
	s.nodes = append(s.nodes, n)
	s.nodes[dir].entries[name] = id
	s.log = append(s.log, op{kind: opNew, node: id, isDir: isDir}, op{kind: opLink, dir: dir, name: name, node: id})
	return id
}

// OpenFile knows O_CREATE, O_EXCL, O_TRUNC, O_APPEND and the access modes.
func (s *Sim) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(name)
	parent, base := split(name)
	dir, dirOK := s.lookup(parent)
	switch {
	case ok && s.nodes[id].dir:
		return nil, pathErr("open", name, syscall.EISDIR)
	case ok && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, pathErr("open", name, syscall.EEXIST)
	case !ok && (flag&os.O_CREATE == 0 || !dirOK):
		return nil, pathErr("open", name, syscall.ENOENT)
	case !ok:
		id = s.create(dir, base, false)
	case flag&os.O_TRUNC != 0 && len(s.nodes[id].data) > 0:
		s.nodes[id].data, s.nodes[id].shared = nil, false
		s.log = append(s.log, op{kind: opSize, node: id})
	}
	return &simFile{s: s, id: id, name: name, flag: flag}, nil
}

// Rename replaces an existing file; it is atomic.
func (s *Sim) Rename(oldname, newname string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(oldname)
	oldParent, oldBase := split(oldname)
	newParent, newBase := split(newname)
	from, _ := s.lookup(oldParent)
	to, toOK := s.lookup(newParent)
	if !ok || !toOK {
		return pathErr("rename", oldname, syscall.ENOENT)
	}
	delete(s.nodes[from].entries, oldBase)
	s.nodes[to].entries[newBase] = id
	s.log = append(s.log, op{kind: opRename, node: id, dir: from, name: oldBase, to: to, toName: newBase})
	return nil
}

// Remove removes a file or an empty directory.
func (s *Sim) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(name)
	if !ok {
		return pathErr("remove", name, syscall.ENOENT)
	}
	if len(s.nodes[id].entries) > 0 {
		return pathErr("remove", name, syscall.ENOTEMPTY)
	}
	parent, base := split(name)
	dir, _ := s.lookup(parent)
	delete(s.nodes[dir].entries, base)
	s.log = append(s.log, op{kind: opUnlink, dir: dir, name: base})
	return nil
}

// MkdirAll creates what is missing.
func (s *Sim) MkdirAll(name string, perm fs.FileMode) error {
	p := path.Clean("/" + name)
	if p == "/" {
		return nil
	}
	if err := s.MkdirAll(path.Dir(p), perm); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.lookup(p); ok {
		if !s.nodes[id].dir {
			return pathErr("mkdir", name, syscall.ENOTDIR)
		}
		return nil
	}
	dir, _ := s.lookup(path.Dir(p))
	s.create(dir, path.Base(p), true)
	return nil
}

// ReadDir is sorted by name.
func (s *Sim) ReadDir(name string) ([]fs.DirEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(name)
	if !ok {
		return nil, pathErr("readdir", name, syscall.ENOENT)
	}
	if !s.nodes[id].dir {
		return nil, pathErr("readdir", name, syscall.ENOTDIR)
	}
	var list []fs.DirEntry
	for base, child := range s.nodes[id].entries {
		list = append(list, fs.FileInfoToDirEntry(s.info(child, base)))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int {
		if a.Name() < b.Name() {
			return -1
		}
		return 1
	})
	return list, nil
}

// Stat has name, size and kind; the time is always zero.
func (s *Sim) Stat(name string) (fs.FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(name)
	if !ok {
		return nil, pathErr("stat", name, syscall.ENOENT)
	}
	return s.info(id, path.Base(name)), nil
}

// SyncDir makes the names in a directory safe.
func (s *Sim) SyncDir(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.lookup(name)
	if !ok {
		return pathErr("syncdir", name, syscall.ENOENT)
	}
	s.log = append(s.log, op{kind: opSyncDir, node: id})
	return nil
}

// simInfo is what Stat returns.
type simInfo struct {
	name string
	size int64
	dir  bool
}

// info needs mu.
func (s *Sim) info(id int, name string) fs.FileInfo {
	return simInfo{name, int64(len(s.nodes[id].data)), s.nodes[id].dir}
}

func (i simInfo) Name() string       { return i.name }
func (i simInfo) Size() int64        { return i.size }
func (i simInfo) ModTime() time.Time { return time.Time{} }
func (i simInfo) IsDir() bool        { return i.dir }
func (i simInfo) Sys() any           { return nil }
func (i simInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

// simFile is an open file. It keeps its node when the name goes away.
type simFile struct {
	s      *Sim
	id     int
	name   string
	flag   int
	at     int64
	closed bool
}

func (f *simFile) Name() string { return f.name }

// usable needs mu.
func (f *simFile) usable(write bool) error {
	if f.closed {
		return pathErr("use", f.name, fs.ErrClosed)
	}
	mode := f.flag & (os.O_WRONLY | os.O_RDWR)
	if write && mode == os.O_RDONLY || !write && mode == os.O_WRONLY {
		return pathErr("use", f.name, syscall.EBADF)
	}
	return nil
}

func (f *simFile) ReadAt(b []byte, off int64) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.usable(false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, pathErr("readat", f.name, syscall.EINVAL)
	}
	data := f.s.nodes[f.id].data
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(b, data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.at)
	f.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (f *simFile) WriteAt(b []byte, off int64) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.usable(true); err != nil {
		return 0, err
	}
	f.s.nodes[f.id].write(b, off)
	f.s.log = append(f.s.log, op{kind: opWrite, node: f.id, off: off, data: slices.Clone(b)})
	return len(b), nil
}

func (f *simFile) Write(b []byte) (int, error) {
	if f.flag&os.O_APPEND != 0 {
		f.s.mu.Lock()
		f.at = int64(len(f.s.nodes[f.id].data))
		f.s.mu.Unlock()
	}
	n, err := f.WriteAt(b, f.at)
	f.at += int64(n)
	return n, err
}

func (f *simFile) Seek(off int64, whence int) (int64, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		off += f.at
	case io.SeekEnd:
		off += int64(len(f.s.nodes[f.id].data))
	}
	if off < 0 {
		return 0, pathErr("seek", f.name, syscall.EINVAL)
	}
	f.at = off
	return off, nil
}

func (f *simFile) Sync() error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.closed {
		return pathErr("sync", f.name, fs.ErrClosed)
	}
	f.s.log = append(f.s.log, op{kind: opSync, node: f.id})
	return nil
}

func (f *simFile) Truncate(size int64) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if err := f.usable(true); err != nil {
		return err
	}
	f.s.nodes[f.id].cut(size)
	f.s.log = append(f.s.log, op{kind: opSize, node: f.id, off: size})
	return nil
}

func (f *simFile) Stat() (fs.FileInfo, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.info(f.id, path.Base(f.name)), nil
}

func (f *simFile) Close() error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.closed {
		return pathErr("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// put writes b at off, with zeros between.
func put(data, b []byte, off int64) []byte {
	if end := int(off) + len(b); end > len(data) {
		data = resize(data, int64(end))
	}
	copy(data[off:], b)
	return data
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		clear(data[size:])
		return data[:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}
