package doctor

import (
	"context"
	"os"
	"strconv"
	"strings"
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
func (d *diagnosis) findUnit(ctx context.Context) *unitInfo {
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
func (d *diagnosis) lookAtUnit() {
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
		case strconv.Itoa(d.box.Exit.Config):
			journal = d.say.of("the configuration is wrong: correct it, then: systemctl restart posthouse", "配置有误：请改正后执行：systemctl restart posthouse")
		case strconv.Itoa(d.box.Exit.Try):
			journal = d.say.of("another process had the data directory: stop it, then: systemctl restart posthouse", "数据目录被其他进程占用：请停止该进程后执行：systemctl restart posthouse")
		case strconv.Itoa(d.box.Exit.Store):
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
