package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unitInfo is what systemd knows of the server.
type unitInfo struct {
	active, sub, result string
	status              string // exit code of the last run
	enabled             string
	user                string
	capabilities        string
	files               string // LimitNOFILE
	restarts            string
}

// findUnit asks systemd for posthouse.service; nil: there is no systemd, or it
// has no such unit.
func (d *doctor) findUnit(ctx context.Context) *unitInfo {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil
	}
	tool := d.tool("systemctl")
	if tool == "" {
		return nil
	}
	out, err := ask(ctx, tool, "show", "posthouse.service", "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,UnitFileState,User,AmbientCapabilities,LimitNOFILE,NRestarts")
	if err != nil {
		return nil
	}
	return parseUnit(out)
}

// parseUnit reads what systemctl show prints; nil: the unit is not there.
func parseUnit(text string) *unitInfo {
	v := map[string]string{}
	for line := range strings.Lines(text) {
		if k, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			v[k] = value
		}
	}
	if v["LoadState"] != "loaded" {
		return nil
	}
	return &unitInfo{active: v["ActiveState"], sub: v["SubState"], result: v["Result"], status: v["ExecMainStatus"], enabled: v["UnitFileState"],
		user: v["User"], capabilities: v["AmbientCapabilities"], files: v["LimitNOFILE"], restarts: v["NRestarts"]}
}

// lookAtUnit looks at the service, when systemd has one.
func (d *doctor) lookAtUnit() {
	if d.unit == nil {
		return
	}
	u := *d.unit
	looked := d.say.of("service posthouse", "系统服务 posthouse")
	journal := d.say.of("read why: journalctl -u posthouse -n 50", "查看原因：journalctl -u posthouse -n 50")
	state := u.active + " (" + u.sub + ")"
	switch {
	case u.active == "failed" || u.sub == "auto-restart":
		why := d.say.ofN("%s, exit code %s", "%s，退出码 %s", u.result, u.status)
		switch u.status {
		case strconv.Itoa(exitConfig):
			journal = d.say.of("the configuration is wrong: correct it, then: systemctl restart posthouse", "配置有误：请改正后执行：systemctl restart posthouse")
		case strconv.Itoa(exitTry):
			journal = d.say.of("another process had the data directory: stop it, then: systemctl restart posthouse", "数据目录被其他进程占用：请停止该进程后执行：systemctl restart posthouse")
		case strconv.Itoa(exitStore):
			journal = d.say.of("the disk failed; look at dmesg and journalctl -u posthouse", "磁盘出错；请查看 dmesg 和 journalctl -u posthouse")
		}
		d.bad("unit", looked, state+d.say.of(", ", "，")+why, journal)
	case u.active == "activating" || u.active == "deactivating":
		d.odd("unit", looked, state, journal)
	case u.active != "active" && d.runs:
		d.odd("unit", looked, d.say.of("stopped, and a server runs without it", "已停止，而另有服务器在运行"), d.say.of("stop that one, then: systemctl start posthouse", "请停止该服务器，再执行：systemctl start posthouse"))
	case u.active != "active":
		d.bad("unit", looked, state, "systemctl start posthouse")
	case u.enabled != "enabled":
		d.odd("unit", looked, d.say.of("runs, and is not started with the machine: ", "正在运行，但不随机器启动：")+u.enabled, "systemctl enable posthouse")
	case u.restarts != "" && u.restarts != "0":
		d.odd("unit", looked, state+d.say.of(", restarted by itself: ", "，自动重启次数：")+u.restarts, journal)
	default:
		d.well("unit", looked, state)
	}
}

// findServer finds the running server by who answers on its socket, else by
// who holds the lock of the data directory.
func (d *doctor) findServer() {
	if c, err := net.DialTimeout("unix", d.cfg.Server.Socket, time.Second); err == nil {
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
		d.pid = lockedBy(d.cfg.Server.DataDir)
	}
}

// lockedBy is the process that holds the lock of a data directory, as the
// kernel's list of locks has it; 0: none, or it may not be known. The lock is
// not tried, because a server that starts at that moment would find it taken.
func lockedBy(dir string) int {
	info, err := os.Stat(filepath.Join(dir, journalDir, "LOCK"))
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
func (d *doctor) lookAtServer() {
	looked := d.say.of("server", "服务器")
	socket := d.cfg.Server.Socket
	start := "posthouse " + d.flags + "serve"
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

// firstYear is before what no clock of a machine with this program is right.
const firstYear = 2026

// lookAtClock looks whether the year can be right and something keeps it so.
func (d *doctor) lookAtClock(now time.Time) {
	looked := d.say.of("clock", "时钟")
	found := now.Format("2006-01-02 15:04:05 MST")
	set := d.say.of("set it: timedatectl set-time 'YYYY-MM-DD hh:mm:ss'; every browser calls the certificate invalid otherwise", "请校准：timedatectl set-time 'YYYY-MM-DD hh:mm:ss'；否则所有浏览器都会认为证书无效")
	if now.Year() < firstYear || now.Year() > firstYear+50 {
		d.bad("clock", looked, found, set)
		return
	}
	var t unix.Timex // Modes 0: only asks
	const timeError = 5
	if state, err := unix.Adjtimex(&t); err == nil && state == timeError {
		d.odd("clock", looked, found+d.say.of(", and nothing keeps it right", "，未与时间源同步"), d.say.of("turn on time synchronisation: timedatectl set-ntp true, with a time server of the LAN if there is no internet", "请开启时间同步：timedatectl set-ntp true；没有互联网时使用局域网内的时间服务器"))
		return
	}
	d.well("clock", looked, found)
}

// sparedFiles is how many descriptors the server needs beside connections.
const sparedFiles = 1000

// lookAtDescriptors compares limits.connections with what the process, its
// unit, or else the caller may open.
func (d *doctor) lookAtDescriptors() {
	looked := d.say.of("open files", "可打开文件数")
	limit := ""
	if d.pid != 0 {
		raw, _ := os.ReadFile("/proc/" + strconv.Itoa(d.pid) + "/limits")
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, "Max open files"); ok && len(strings.Fields(rest)) > 1 {
				limit = strings.Fields(rest)[1]
			}
		}
	} else if d.unit != nil {
		limit = d.unit.files
	}
	n, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		var own unix.Rlimit
		if limit == "unlimited" || limit == "infinity" || unix.Getrlimit(unix.RLIMIT_NOFILE, &own) != nil {
			d.well("descriptors", looked, limit)
			return
		}
		n = own.Max
	}
	want := uint64(d.cfg.Limits.Connections + sparedFiles)
	found := d.say.ofN("%d, for up to %d connections", "%d，最多 %d 个连接", n, d.cfg.Limits.Connections)
	if n < want {
		d.odd("descriptors", looked, found, d.say.ofN("set LimitNOFILE=%d in the unit (systemctl edit posthouse), or make limits.connections less", "请在系统服务中设置 LimitNOFILE=%d（systemctl edit posthouse），或调低 limits.connections", want))
		return
	}
	d.well("descriptors", looked, found)
}
