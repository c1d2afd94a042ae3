package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Mount is a filesystem that is shown.
type Mount struct {
	Device     string // as mounted, such as /dev/sda1
	Path       string
	Type       string // such as ext4
	Disk       string // the whole device in node_disk_…; empty when it has none
	ReadOnly   bool
	HoldsData  bool // the data directory is on it
	Size       uint64
	Free       uint64
	Avail      uint64 // bytes the program may still write
	Files      uint64 // inodes; 0 where the filesystem has no such limit
	FilesFree  uint64
	Unanswered bool // it did not answer in time, or with an error: the figures are 0
}

// mounts remembers which mounts hang, by path.
type mounts struct {
	mu   sync.Mutex
	busy map[string]bool
}

// pseudo are types that hold no files of anybody's.
func pseudo(fstype string) bool {
	switch fstype {
	case "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "fuse.lxcfs", "hugetlbfs",
		"mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs",
		"squashfs", "iso9660", "erofs", "cramfs", "fuse.portal", "fuse.gvfsd-fuse":
		return true
	}
	return false
}

// list reads the mount table and keeps what is worth showing.
func (h *Host) list() ([]Mount, error) {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	data := h.dataPath()
	var out []Mount
	byPath := map[string]int{}
	var dataAt, dataDev string // the longest mount point above the data directory
	devs := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 6 || len(g) < 2 {
			continue
		}
		m := Mount{Device: g[1], Path: unescape(f[4]), Type: g[0], ReadOnly: hasOption(f[5], "ro")}
		if data != "" && under(data, m.Path) && len(m.Path) >= len(dataAt) {
			dataAt, dataDev = m.Path, f[2]
		}
		if pseudo(m.Type) || m.Type == "overlay" && m.Path != "/" || under(m.Path, "/proc") || under(m.Path, "/sys") || under(m.Path, "/dev") {
			continue
		}
		devs[m.Path] = f[2]
		if i, again := byPath[m.Path]; again {
			out[i] = m // what was mounted last hides what was there
			continue
		}
		byPath[m.Path] = len(out)
		out = append(out, m)
	}
	out = shortest(out, devs)
	for i := range out {
		out[i].Disk = h.disk(devs[out[i].Path])
		out[i].HoldsData = dataDev != "" && devs[out[i].Path] == dataDev
	}
	return out, nil
}

// shortest keeps one mount of each device.
func shortest(all []Mount, devs map[string]string) []Mount {
	best := map[string]string{}
	for _, m := range all {
		d := devs[m.Path]
		if p, ok := best[d]; !ok || len(m.Path) < len(p) {
			best[d] = m.Path
		}
	}
	out := all[:0]
	for _, m := range all {
		if best[devs[m.Path]] == m.Path {
			out = append(out, m)
		}
	}
	return out
}

func (h *Host) dataPath() string {
	if h.o.DataDir == "" {
		return ""
	}
	abs, err := filepath.Abs(h.o.DataDir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	return abs
}

// disk is the whole device of a number such as 8:1.
func (h *Host) disk(number string) string {
	target, err := os.Readlink(filepath.Join(h.o.sys, "dev/block", number))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(h.o.sys, "dev/block", number, "partition")); err == nil {
		return filepath.Base(filepath.Dir(target))
	}
	return filepath.Base(target)
}

func hasOption(list, want string) bool {
	for o := range strings.SplitSeq(list, ",") {
		if o == want {
			return true
		}
	}
	return false
}

func under(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}

// unescape undoes the octal escapes of the mount table.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Mounts are the filesystems that are shown, with their figures. It waits
// for each as long as ctx and Options.Patience allow.
func (h *Host) Mounts(ctx context.Context) ([]Mount, error) {
	all, err := h.list()
	if err != nil {
		return nil, err
	}
	type answer struct {
		i int
		m Mount
	}
	answers := make(chan answer, len(all))
	waiting := 0
	for i, m := range all {
		all[i].Unanswered = true
		if !h.mounts.take(m.Path) {
			continue
		}
		waiting++
		go func() {
			m := ask(m)
			h.mounts.leave(m.Path)
			answers <- answer{i, m}
		}()
	}
	late := time.NewTimer(h.o.Patience * 3 / 4) // sooner than the whole sample's
	defer late.Stop()
	for ; waiting > 0; waiting-- {
		select {
		case a := <-answers:
			all[a.i] = a.m
		case <-late.C:
			waiting = 1
		case <-ctx.Done():
			waiting = 1
		}
	}
	out := all[:0]
	for _, m := range all {
		if m.Unanswered || m.Size >= 1<<20 {
			out = append(out, m)
		}
	}
	return out, nil
}

func ask(m Mount) Mount {
	var s unix.Statfs_t
	if err := unix.Statfs(m.Path, &s); err != nil {
		m.Unanswered = true
		return m
	}
	size := uint64(s.Frsize)
	if size == 0 {
		size = uint64(s.Bsize)
	}
	m.Size, m.Free, m.Avail = s.Blocks*size, s.Bfree*size, s.Bavail*size
	m.Files, m.FilesFree = s.Files, s.Ffree
	return m
}

func (b *mounts) take(path string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy[path] {
		return false
	}
	if b.busy == nil {
		b.busy = map[string]bool{}
	}
	b.busy[path] = true
	return true
}

func (b *mounts) leave(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.busy, path)
}

// takeFilesystems is space and inodes per mount.
func (h *Host) takeFilesystems(ctx context.Context, p *page) error {
	all, err := h.Mounts(ctx)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		v    func(Mount) uint64
	}{
		{"node_filesystem_size_bytes", func(m Mount) uint64 { return m.Size }},
		{"node_filesystem_free_bytes", func(m Mount) uint64 { return m.Free }},
		{"node_filesystem_avail_bytes", func(m Mount) uint64 { return m.Avail }},
		{"node_filesystem_files", func(m Mount) uint64 { return m.Files }},
		{"node_filesystem_files_free", func(m Mount) uint64 { return m.FilesFree }},
	} {
		p.head(f.name)
		for _, m := range all {
			if !m.Unanswered {
				p.put(float64(f.v(m)), "device", m.Device, "fstype", m.Type, "mountpoint", m.Path)
			}
		}
	}
	p.head("node_filesystem_readonly")
	for _, m := range all {
		p.put(truth(m.ReadOnly), "device", m.Device, "fstype", m.Type, "mountpoint", m.Path)
	}
	p.head("node_filesystem_device_error")
	for _, m := range all {
		p.put(truth(m.Unanswered), "device", m.Device, "fstype", m.Type, "mountpoint", m.Path)
	}
	p.head("posthouse_data_disk_info")
	for _, m := range all {
		if m.HoldsData {
			p.put(1, "device", m.Device, "disk", m.Disk, "mountpoint", m.Path)
		}
	}
	return nil
}
