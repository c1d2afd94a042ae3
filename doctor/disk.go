package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/words"
)

// lookAtDisk looks at room, inodes, the kind of filesystem and how long it
// takes to flush.
func (d *diagnosis) lookAtDisk() {
	dir, err := filepath.Abs(d.box.Config.Server.DataDir)
	if err != nil {
		return
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return // lookAtData has said why
	}
	looked := d.say.of("free space", "可用空间")
	free := int64(st.Bavail) * st.Bsize
	found := d.say.ofN("%s, %d inodes", "%s，%d 个 inode", words.Bytes(free), st.Ffree)
	reserve := int64(d.box.Config.Files.FreeReserveBytes)
	do := d.say.of("make room on the disk of "+dir, "请清理 "+dir+" 所在的磁盘")
	switch {
	case free < d.box.Reserve:
		d.bad("space", looked, found+d.say.of(": the server takes no messages below ", "：低于此值时服务器不接收消息：")+words.Bytes(d.box.Reserve), do)
	case st.Files > 0 && st.Ffree < 100:
		d.bad("space", looked, found+d.say.of(": no more files can be made", "：无法再创建文件"), do)
	case free < reserve:
		d.odd("space", looked, found+d.say.of(": no uploads are taken below files.free_reserve_bytes, ", "：低于 files.free_reserve_bytes 时不接收上传：")+words.Bytes(reserve), do)
	case st.Files > 0 && st.Ffree < st.Files/100:
		d.odd("space", looked, found, do)
	default:
		d.well("space", looked, found)
	}
	d.lookAtSync(dir)
}

// slowFlush is a flush that people notice when they send.
const slowFlush = 250 * time.Millisecond

// lookAtSync flushes what lies in the data directory already, which changes
// nothing in it.
func (d *diagnosis) lookAtSync(dir string) {
	looked := d.say.of("flush to disk", "落盘")
	kind, options := filesystem(dir)
	switch {
	case strings.HasPrefix(kind, "nfs") || kind == "cifs" || kind == "smb3" || kind == "9p" || kind == "fuse.sshfs":
		d.bad("disk", looked, d.say.of("the data directory is on a network filesystem: ", "数据目录位于网络文件系统：")+kind, d.say.of("move it to a local disk", "请移到本地磁盘"))
		return
	case kind == "tmpfs" || kind == "ramfs":
		d.odd("disk", looked, d.say.of("the data directory is in memory, and gone when the machine stops", "数据目录在内存中，关机后即消失"), d.say.of("move it to a disk", "请移到磁盘"))
		return
	case slices.Contains(options, "nobarrier") || slices.Contains(options, "barrier=0"):
		d.bad("disk", looked, d.say.of("mounted without barriers: what was flushed can be lost when the power fails", "挂载时关闭了写屏障：断电时可能丢失已落盘的内容"), d.say.of("take nobarrier out of /etc/fstab", "请从 /etc/fstab 中去掉 nobarrier"))
		return
	}
	f, err := os.Open(dir)
	if err != nil {
		return // lookAtData has said why
	}
	defer f.Close()
	began := time.Now()
	err = f.Sync()
	took := time.Since(began)
	switch found := fmt.Sprintf("%s, %v", kind, took.Round(100*time.Microsecond)); {
	case err != nil:
		d.bad("disk", looked, err.Error(), d.say.of("look at dmesg for errors of the disk", "请用 dmesg 查看磁盘错误"))
	case took > slowFlush:
		d.odd("disk", looked, found, d.say.of("the disk is slow or busy: every message waits that long", "磁盘较慢或繁忙：每条消息都要等待这么久"))
	default:
		d.well("disk", looked, found)
	}
}

// filesystem is the type and the options of the filesystem that dir is on, as
// the mount table has it; empty when it cannot be read.
func filesystem(dir string) (kind string, options []string) {
	at := mountOf(dir)
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", nil
	}
	for line := range strings.Lines(string(raw)) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if ok && len(f) >= 6 && len(g) >= 3 && strings.ReplaceAll(f[4], `\040`, " ") == at {
			kind, options = g[0], strings.Split(f[5]+","+g[2], ",") // the last one hides those before
		}
	}
	return kind, options
}

// mountOf is the mount point that a path is on.
func mountOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	for at := path; ; {
		up := filepath.Dir(at)
		above, err := os.Stat(up)
		if err != nil || up == at || device(above) != device(info) {
			return at
		}
		at = up
	}
}

func device(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}
