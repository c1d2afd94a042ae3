package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// lookAtData looks at the data directory and who may write there.
func (d *diagnosis) lookAtData() {
	dir, err := filepath.Abs(d.box.Config.Server.DataDir)
	if err != nil {
		dir = d.box.Config.Server.DataDir
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
func (d *diagnosis) permitted(dir, looked string, info fs.FileInfo) bool {
	own := "chown -R " + d.who.name + ": " + dir
	if d.who.assumed {
		owner := accountOf(strconv.Itoa(ownerOf(info))).name
		own = d.say.ofN("to look with the rights of the owner: sudo -u %s posthouse doctor; only if %s is to run the server: %s", "以所有者的权限检查：sudo -u %s posthouse doctor；仅当服务器应由 %s 运行时：%s", owner, d.who.name, own)
	}
	if at := d.who.barred(dir); at != "" {
		d.bad("data", looked, d.say.ofN("%s may not pass %s", "%s 无权进入 %s", d.runner(), at), "chmod o+x "+at)
		return false
	}
	if !d.who.may(info, 7) {
		d.bad("data", looked, d.say.ofN("%s may not write there: the owner is %s, the mode %04o", "%s 无法写入：所有者为 %s，权限为 %04o", d.runner(), accountOf(strconv.Itoa(ownerOf(info))).name, info.Mode().Perm()), own)
		return false
	}
	if foreign := d.foreign(dir); foreign != "" {
		d.bad("data", looked, d.say.ofN("%s may not write %s; a command was probably run there as another account", "%s 无法写入 %s；可能曾以其他账号在此执行命令", d.runner(), foreign), own)
		return false
	}
	return true
}

// runner names the account that the server runs as, and that it is only
// assumed: no server was found, so it would be that of the caller.
func (d *diagnosis) runner() string {
	if d.who.assumed {
		return d.say.ofN("%s, as which this command runs,", "运行此命令的 %s", d.who.name)
	}
	return d.say.ofN("%s, who runs the server,", "运行服务器的 %s", d.who.name)
}

// mostEntries bounds how much of a data directory is looked through.
const mostEntries = 20000

// foreign is the first file or directory below dir that the server's account
// may not write; empty: there is none among the first 20,000.
func (d *diagnosis) foreign(dir string) string {
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
func (d *diagnosis) noData(dir, looked string) {
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
