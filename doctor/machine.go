package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// firstYear is when this program was written: a clock before it is wrong.
const firstYear = 2026

// lookAtClock looks whether the year can be right and something keeps it so.
func (d *diagnosis) lookAtClock(now time.Time) {
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
func (d *diagnosis) lookAtDescriptors() {
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
	want := uint64(d.box.Config.Limits.Connections + sparedFiles)
	found := d.say.ofN("%d, for up to %d connections", "%d，最多 %d 个连接", n, d.box.Config.Limits.Connections)
	if n < want {
		d.odd("descriptors", looked, found, d.say.ofN("set LimitNOFILE=%d in the unit (systemctl edit posthouse), or make limits.connections less", "请在系统服务中设置 LimitNOFILE=%d（systemctl edit posthouse），或调低 limits.connections", want))
		return
	}
	d.well("descriptors", looked, found)
}

// tool is the path of a program of the system; empty when it is not there.
func (d *diagnosis) tool(name string) string {
	for _, dir := range append(filepath.SplitList(d.path), "/usr/sbin", "/sbin", "/usr/bin", "/bin") {
		if dir == "" {
			continue
		}
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(p) {
			return p
		}
	}
	return ""
}

// ask runs a program of the system that only prints, for at most 5 seconds,
// and gives what it printed.
func ask(ctx context.Context, tool string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("run %s: %w", filepath.Base(tool), err)
	}
	return string(out), nil
}
