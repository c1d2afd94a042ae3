package doctor

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// findServer finds the running server by who answers on its socket, else by
// who holds the lock of the data directory.
func (d *diagnosis) findServer() {
	if c, err := net.DialTimeout("unix", d.box.Config.Server.Socket, time.Second); err == nil {
		defer c.Close()
		d.runs = true
		if raw, err := c.(*net.UnixConn).SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
					d.pid = int(cred.Pid)
				}
			})
		}
	}
	if d.pid == 0 {
		d.pid = lockedBy(d.box.LockFile)
	}
}

// lockedBy is the process that holds the lock of a file, as the kernel's list
// of locks has it; 0: none, or it may not be known. The lock is not tried,
// because a server that starts at that moment would find it taken.
func lockedBy(file string) int {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	raw, err := os.ReadFile("/proc/locks")
	if err != nil || !ok {
		return 0
	}
	for line := range strings.Lines(string(raw)) { // 1: FLOCK ADVISORY WRITE 123 fe:01:456 0 EOF
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino) {
			continue
		}
		if pid, err := strconv.Atoi(f[4]); err == nil {
			return pid
		}
	}
	return 0
}

// lookAtServer says whether the server runs and answers the command line.
func (d *diagnosis) lookAtServer() {
	looked := d.say.of("server", "服务器")
	socket := d.box.Config.Server.Socket
	start := "posthouse " + d.box.Flags + "serve"
	if d.unit != nil {
		start = "systemctl start posthouse"
	}
	_, err := os.Stat(socket)
	switch {
	case d.runs:
		d.well("server", looked, d.say.ofN("runs as process %d, with the socket %s", "正在运行，进程 %d，套接字 %s", d.pid, socket))
	case d.pid != 0:
		d.odd("server", looked, d.say.ofN("process %s holds the data directory and does not answer on %s: it is starting (a long journal is replayed), it hangs, or it is another command", "%s 占用数据目录，但未在 %s 上应答：可能正在启动（重放较长的日志账本）、已停止响应，或是另一条命令", named(d.pid), socket),
			d.say.of("wait a minute; then read its log: journalctl -u posthouse", "请等待一分钟；仍如此则查看日志：journalctl -u posthouse"))
	case os.IsPermission(err):
		d.odd("server", looked, d.say.of("this account may not see whether it runs", "当前账号无权查看是否运行"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
	case err == nil:
		d.bad("server", looked, d.say.ofN("it does not run: %s was left behind by one that was killed, and does no harm", "未运行：%s 由被强制结束的服务器遗留，没有影响", socket), start)
	default:
		d.bad("server", looked, d.say.of("it does not run", "未运行"), start)
	}
}

// named is a process for people: its name and number.
func named(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return strconv.Itoa(pid)
	}
	return fmt.Sprintf("%s (%d)", strings.TrimSpace(string(raw)), pid)
}
