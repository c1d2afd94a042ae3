package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// account is who the server runs as.
type account struct {
	uid    int
	name   string
	groups []int
}

// account is that of the running server, else of its unit, else of the
// package's user when the package's configuration is looked at, else of the
// caller.
func (d *doctor) account() account {
	if d.pid != 0 {
		if info, err := os.Stat("/proc/" + strconv.Itoa(d.pid)); err == nil {
			return accountOf(strconv.Itoa(ownerOf(info)))
		}
	}
	if d.unit != nil && d.unit.user != "" {
		return accountOf(d.unit.user)
	}
	if d.file == packagedConfig {
		if u, err := user.Lookup("posthouse"); err == nil {
			return accountOf(u.Username)
		}
	}
	return accountOf(strconv.Itoa(os.Geteuid()))
}

// accountOf finds an account by its name or number.
func accountOf(text string) account {
	u, err := user.LookupId(text)
	if err != nil {
		u, err = user.Lookup(text)
	}
	if err != nil {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = os.Geteuid()
		}
		return account{uid: n, name: text}
	}
	a := account{name: u.Username}
	a.uid, _ = strconv.Atoi(u.Uid) // numbers on this system
	list, _ := u.GroupIds()
	for _, g := range append(list, u.Gid) {
		if n, err := strconv.Atoi(g); err == nil {
			a.groups = append(a.groups, n)
		}
	}
	return a
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// may reports whether the permission bits (of rwx, as 4, 2, 1) are given to
// the account.
func (a account) may(info fs.FileInfo, bits fs.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	perm := info.Mode().Perm()
	switch {
	case a.uid == 0 || !ok:
		return true
	case int(st.Uid) == a.uid:
		return perm>>6&bits == bits
	case slices.Contains(a.groups, int(st.Gid)):
		return perm>>3&bits == bits
	}
	return perm&bits == bits
}

// barred is the first directory above path that the account may not pass;
// empty: it may pass all.
func (a account) barred(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !a.may(info, 1) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// lookAtData looks at the data directory and who may write there.
func (d *doctor) lookAtData() {
	dir, err := filepath.Abs(d.cfg.Server.DataDir)
	if err != nil {
		dir = d.cfg.Server.DataDir
	}
	looked := d.say.of("data directory ", "数据目录 ") + dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.noData(dir, looked)
		return
	case errors.Is(err, fs.ErrPermission):
		d.odd("data", looked, d.say.of("this account may not look at it", "当前账号无权查看"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
		return
	case err != nil:
		d.bad("data", looked, err.Error(), d.say.of("look after the disk", "请检查磁盘"))
		return
	case !info.IsDir():
		d.bad("data", looked, d.say.of("it is not a directory", "它不是目录"), d.say.of("set server.data_dir to a directory", "请把 server.data_dir 设为目录"))
		return
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil && st.Flags&unix.ST_RDONLY != 0 {
		d.bad("data", looked, d.say.of("the filesystem is mounted read-only", "所在文件系统以只读方式挂载"),
			d.say.of("look at dmesg for errors of the disk, then: mount -o remount,rw "+mountOf(dir), "请先用 dmesg 查看磁盘错误，再执行：mount -o remount,rw "+mountOf(dir)))
		return
	}
	if !d.permitted(dir, looked, info) {
		return
	}
	if info.Mode().Perm()&0o077 != 0 {
		d.odd("data", looked, d.say.ofN("mode %04o: other accounts of this machine may look into it", "权限 %04o：本机其他账号可以查看其中内容", info.Mode().Perm()), "chmod 700 "+dir)
		return
	}
	d.well("data", looked, d.say.ofN("mode %04o, %s may write", "权限 %04o，%s 可写", info.Mode().Perm(), d.who.name))
}

// permitted looks whether the server's account may write all that is there.
func (d *doctor) permitted(dir, looked string, info fs.FileInfo) bool {
	own := "chown -R " + d.who.name + ": " + dir
	if at := d.who.barred(dir); at != "" {
		d.bad("data", looked, d.say.ofN("%s, who runs the server, may not pass %s", "运行服务器的 %s 无权进入 %s", d.who.name, at), "chmod o+x "+at)
		return false
	}
	if !d.who.may(info, 7) {
		d.bad("data", looked, d.say.ofN("%s, who runs the server, may not write there: the owner is %s, the mode %04o", "运行服务器的 %s 无法写入：所有者为 %s，权限为 %04o", d.who.name, accountOf(strconv.Itoa(ownerOf(info))).name, info.Mode().Perm()), own)
		return false
	}
	if foreign := d.foreign(dir); foreign != "" {
		d.bad("data", looked, d.say.ofN("%s, who runs the server, may not write %s; a command was probably run there as another account", "运行服务器的 %s 无法写入 %s；可能曾以其他账号在此执行命令", d.who.name, foreign), own)
		return false
	}
	return true
}

// mostEntries bounds how much of a data directory is looked through.
const mostEntries = 20000

// foreign is the first file or directory below dir that the server's account
// may not write; empty: there is none among the first 20,000.
func (d *doctor) foreign(dir string) string {
	found, seen := "", 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if seen++; seen > mostEntries || found != "" {
			return fs.SkipAll
		}
		if err != nil {
			return nil // what the caller may not read is left out
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() && !info.IsDir() {
			return nil
		}
		bits := fs.FileMode(2)
		if info.IsDir() {
			bits = 7
		}
		// Sealed files may be without the bit for their owner, who can give it.
		if ownerOf(info) != d.who.uid && !d.who.may(info, bits) {
			found = path
		}
		return nil
	})
	return found
}

// noData says what a missing data directory means.
func (d *doctor) noData(dir, looked string) {
	parent := filepath.Dir(dir)
	for parent != "/" {
		if _, err := os.Stat(parent); err == nil {
			break
		}
		parent = filepath.Dir(parent)
	}
	make := "install -d -m 700 -o " + d.who.name + " " + dir
	if info, err := os.Stat(parent); err == nil && d.who.may(info, 3) {
		d.odd("data", looked, d.say.of("it is not there; the server makes it at its first start", "不存在；服务器首次启动时会创建"),
			d.say.of("if this is not the first start, name the right one in server.data_dir", "若不是首次启动，请在 server.data_dir 中写明正确的目录"))
		return
	}
	d.bad("data", looked, d.say.ofN("it is not there, and %s, who runs the server, may not make it in %s", "不存在，且运行服务器的 %s 无权在 %s 中创建", d.who.name, parent), make)
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

// lookAtDisk looks at room, inodes, the kind of filesystem and how long it
// takes to flush.
func (d *doctor) lookAtDisk() {
	dir, err := filepath.Abs(d.cfg.Server.DataDir)
	if err != nil {
		return
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return // lookAtData has said why
	}
	looked := d.say.of("free space", "可用空间")
	free := int64(st.Bavail) * st.Bsize
	found := d.say.ofN("%s, %d inodes", "%s，%d 个 inode", size(free), st.Ffree)
	reserve := int64(d.cfg.Files.FreeReserveBytes)
	do := d.say.of("make room on the disk of "+dir, "请清理 "+dir+" 所在的磁盘")
	switch {
	case free < hardReserve:
		d.bad("space", looked, found+d.say.of(": the server takes no messages below ", "：低于此值时服务器不接收消息：")+size(hardReserve), do)
	case st.Files > 0 && st.Ffree < 100:
		d.bad("space", looked, found+d.say.of(": no more files can be made", "：无法再创建文件"), do)
	case free < reserve:
		d.odd("space", looked, found+d.say.of(": no uploads are taken below files.free_reserve_bytes, ", "：低于 files.free_reserve_bytes 时不接收上传：")+size(reserve), do)
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
func (d *doctor) lookAtSync(dir string) {
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

// unreadable is the file, or the directory above it, that keeps the account
// from reading the file; empty: it may, or the caller cannot see.
func (a account) unreadable(file string) string {
	path, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	if at := a.barred(path); at != "" {
		return at
	}
	if info, err := os.Stat(path); err == nil && !a.may(info, 4) {
		return path
	}
	return ""
}
