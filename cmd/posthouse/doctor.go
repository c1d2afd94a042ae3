package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/appliance/config"
)

// States of what the doctor has looked at.
const (
	stateWell = "well"
	stateOdd  = "odd" // works, or may work: somebody should know
	stateBad  = "bad" // the server does not start, or browsers do not reach it
)

// finding is one line of the doctor, and an element of its JSON.
type finding struct {
	Check  string `json:"check"`  // configuration, data, space, disk, server, unit, port, certificate, name, listener, firewall, clock, descriptors; from elsewhere also address, connect, tls, health, socket
	State  string `json:"state"`  // well, odd or bad
	Looked string `json:"looked"` // at what
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"`
}

// doctor looks at the box, or from elsewhere at its address, and keeps what it
// found. It changes nothing: listeners that it opens to see whether a port is
// free are closed at once, and only opened while no server runs.
type doctor struct {
	say    words
	lookup func(string) (string, bool)
	tell   func(finding) // may be nil
	list   []finding

	cfg   config.Config
	file  string    // of the configuration; empty: the defaults
	flags string    // that a start needs to find the same box, each with a blank behind it
	unit  *unitInfo // nil: systemd does not know this server
	pid   int       // of the running server; 0: none, or not known
	runs  bool      // it answers on its socket
	who   account   // that the server runs as
}

func (d *doctor) note(check, state, looked, found, do string) {
	f := finding{check, state, looked, found, do}
	d.list = append(d.list, f)
	if d.tell != nil {
		d.tell(f)
	}
}

func (d *doctor) well(check, looked, found string)    { d.note(check, stateWell, looked, found, "") }
func (d *doctor) odd(check, looked, found, do string) { d.note(check, stateOdd, looked, found, do) }
func (d *doctor) bad(check, looked, found, do string) { d.note(check, stateBad, looked, found, do) }

// count is how many findings have a state.
func (d *doctor) count(state string) int {
	n := 0
	for _, f := range d.list {
		if f.State == state {
			n++
		}
	}
	return n
}

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: a.say.of("Say why the server does not start, or why browsers do not reach it", "检查服务器为何无法启动，或浏览器为何无法访问"),
		Long: a.say.of(`Look at everything between this configuration and a browser on the LAN, and say of each thing what was found and what to do: the configuration, the
data directory, the ports, the certificate, the host name, the listeners, the firewall, the clock and the service. It works while the server runs,
while it is stopped, and with a configuration that is wrong. Nothing is changed. As root it sees most.

With --from-lan it runs on another machine and goes the way of a browser: name, connection, certificate, answer, WebSocket.
Exit code 0: nothing is bad; 1: something is.`,
			`检查从配置到局域网浏览器之间的每个环节，逐项说明结果和处理方法：配置、数据目录、端口、证书、主机名、监听地址、防火墙、时钟和系统服务。
服务器运行、停止或配置有误时都可使用。不作任何更改。以 root 运行看得最全。

使用 --from-lan 时在另一台机器上运行，按浏览器的步骤检查：域名、连接、证书、应答、WebSocket。
退出码 0：没有问题；1：有问题。`),
		Example: `  sudo posthouse doctor
  posthouse doctor --from-lan https://chat.lan:8443 --ca root.crt`,
		Args: a.takes(),
	}
	from := cmd.Flags().String("from-lan", "", a.say.of("look from this machine at the box at `URL`, as people open it", "在本机检查位于 `URL` 的服务器，与大家打开的地址一致"))
	ca := cmd.Flags().String("ca", "", a.say.of("with --from-lan: trust the authorities in `FILE` beside those of this machine", "与 --from-lan 同用：除本机已信任的机构外，也信任 `FILE` 中的证书"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d := &doctor{say: a.say, lookup: a.lookup}
		if !*asJSON {
			d.tell = func(f finding) { a.say.writeFinding(a.out, f) }
		}
		switch {
		case *from != "":
			far, err := a.farBox(*from, *ca)
			if err != nil {
				return err
			}
			d.lookFromLAN(cmd.Context(), far)
		case *ca != "":
			return a.wrongUse("--ca goes with --from-lan", "--ca 须与 --from-lan 同用")
		default:
			d.lookAtBox(cmd.Context(), a)
		}
		return a.diagnosis(d, *asJSON)
	}
	return cmd
}

// diagnosis ends the command: JSON if it is wanted, the sum, the exit code.
func (a *app) diagnosis(d *doctor, asJSON bool) error {
	well, odd, bad := d.count(stateWell), d.count(stateOdd), d.count(stateBad)
	if asJSON {
		if err := writeJSON(a.out, struct {
			OK     bool      `json:"ok"`
			Checks []finding `json:"checks"`
		}{bad == 0, d.list}); err != nil {
			return err
		}
	}
	if bad > 0 {
		return errorText(a.say, fmt.Sprintf("%d bad, %d odd, %d well: begin with the first that is bad", bad, odd, well),
			fmt.Sprintf("%d 项有问题，%d 项需留意，%d 项正常：请从第一个有问题的项开始处理", bad, odd, well))
	}
	fmt.Fprintln(a.errOut, a.say.ofN("nothing is bad: %d odd, %d well", "没有问题：%d 项需留意，%d 项正常", odd, well))
	return nil
}

// writeFinding prints a finding: state, what, found; what to do goes on a line
// of its own.
func (w words) writeFinding(out io.Writer, f finding) {
	state := map[string]string{stateWell: w.of("well", "正常"), stateOdd: w.of("odd ", "留意"), stateBad: w.of("BAD ", "问题")}[f.State]
	fmt.Fprintf(out, "%s  %s%s%s\n", state, clean(f.Looked), w.of(": ", "："), clean(f.Found))
	if f.Do != "" {
		fmt.Fprintf(out, "      → %s\n", clean(f.Do))
	}
}

// lookAtBox looks at this machine, in the order in which a start and a browser
// meet things.
func (d *doctor) lookAtBox(ctx context.Context, a *app) {
	if d.file = a.configFile(); d.file == packagedConfig { // the service runs no other
		d.unit = d.findUnit(ctx)
	}
	if d.file != "" && d.file != packagedConfig {
		d.flags = "--config " + d.file + " "
	}
	if a.flags.data != "" {
		d.flags += "--data " + a.flags.data + " "
	}
	broken := d.lookAtConfig(a)
	if !broken["*"] {
		d.findServer()
		d.who = d.account()
		if !broken["server.data_dir"] {
			d.lookAtData()
			d.lookAtDisk()
		}
		d.lookAtServer()
	}
	d.lookAtUnit()
	if len(broken) == 0 {
		d.lookAtPorts(ctx)
		d.lookAtCertificate()
		d.lookAtName(ctx)
		d.lookAtListeners(ctx)
		d.lookAtFirewall(ctx)
	}
	d.lookAtClock(time.Now())
	if len(broken) == 0 {
		d.lookAtDescriptors()
	}
}

// lookAtConfig reads the configuration and answers with the keys that are
// wrong; "*" is there when a file could not be read at all, so that nothing in
// d.cfg can be believed.
func (d *doctor) lookAtConfig(a *app) map[string]bool {
	looked := d.say.of("configuration", "配置")
	name := d.file
	if name == "" {
		name = d.say.of("the defaults", "默认配置")
	}
	var err error
	d.cfg, _, err = a.config()
	if err == nil {
		d.well("configuration", looked, name)
		return nil
	}
	broken := map[string]bool{}
	var list config.Errors
	if !errors.As(err, &list) {
		d.bad("configuration", looked, d.say.err(err), d.say.of("call the command as its help says", "请按帮助中的说明执行"))
		return map[string]bool{"*": true}
	}
	for _, e := range list {
		key := e.Key
		if key == "" || e.Source.Kind == config.FromFile && !strings.Contains(key, ".") {
			key = "*"
		}
		broken[key] = true
		do := d.say.of("correct it, then: posthouse config test "+name, "请改正后执行：posthouse config test "+name)
		if e.Kind != config.FromFile {
			do = d.say.of("correct it; posthouse config describe explains every key", "请改正；posthouse config describe 说明每个配置项")
		}
		d.bad("configuration", looked, e.Text(d.say.lang()), do)
	}
	return broken
}

// tool is the path of a program of the system; empty when it is not there.
func (d *doctor) tool(name string) string {
	path, _ := d.lookup("PATH")
	for _, dir := range append(filepath.SplitList(path), "/usr/sbin", "/sbin", "/usr/bin", "/bin") {
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
