package host

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// deaf is a filesystem whose server stopped answering.
type deaf struct {
	fs.Inode
	release chan struct{}
}

func (d *deaf) Statfs(context.Context, *fuse.StatfsOut) syscall.Errno {
	<-d.release
	return 0
}

func TestAMountThatHangsCostsItsOwnFiguresAlone(t *testing.T) {
	dir := t.TempDir()
	d := &deaf{release: make(chan struct{})}
	server, err := fs.Mount(dir, d, &fs.Options{MountOptions: fuse.MountOptions{FsName: "deaf", DirectMount: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(d.release)
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	h := New(Options{Patience: 1500 * time.Millisecond})
	for range 3 {
		begun := time.Now()
		s := take(t, h)
		if took := time.Since(begun); took > 20*time.Second { // of a busy machine: it would hang for ever
			t.Errorf("the sample took %v", took)
		}
		labels := fmt.Sprintf(`{device="deaf",fstype="fuse.rawBridge",mountpoint=%q}`, dir)
		for name := range s { // whatever the kind is called
			if strings.HasPrefix(name, "node_filesystem_device_error") && strings.Contains(name, dir) {
				labels = strings.TrimPrefix(name, "node_filesystem_device_error")
			}
		}
		if s.get(t, "node_filesystem_device_error"+labels) != 1 {
			t.Error("the mount that hangs is not told")
		}
		if _, there := s["node_filesystem_size_bytes"+labels]; there {
			t.Error("the mount that hangs has a size")
		}
		others := 0
		for name := range s {
			if strings.HasPrefix(name, "node_filesystem_size_bytes") {
				others++
			}
		}
		if others == 0 || s.get(t, "node_memory_MemTotal_bytes") == 0 {
			t.Error("the rest of the sample is missing")
		}
	}
	h.mounts.mu.Lock()
	defer h.mounts.mu.Unlock()
	if n := len(h.mounts.busy); n != 1 {
		t.Errorf("%d questions hang, want the one", n)
	}
}
