package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"posthouse/doctor"
)

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
  posthouse doctor --from-lan https://chat.lan:8443 --ca posthouse-ca.pem`,
		Args: a.takes(),
	}
	from := cmd.Flags().String("from-lan", "", a.say.of("look from this machine at the box at `URL`, as people open it", "在本机检查位于 `URL` 的服务器，与大家打开的地址一致"))
	ca := cmd.Flags().String("ca", "", a.say.of("with --from-lan: trust the authorities in `FILE` beside those of this machine", "与 --from-lan 同用：除本机已信任的机构外，也信任 `FILE` 中的证书"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, _ := a.lookup("PATH")
		o := doctor.Options{Lang: a.say.lang(), Path: path}
		if !*asJSON {
			o.Tell = func(f doctor.Finding) { a.say.writeFinding(a.out, f) }
		}
		var list []doctor.Finding
		switch {
		case *from != "":
			far, err := a.farAddress(*from, *ca)
			if err != nil {
				return err
			}
			list = doctor.FromLAN(cmd.Context(), far, o)
		case *ca != "":
			return a.wrongUse("--ca goes with --from-lan", "--ca 须与 --from-lan 同用")
		default:
			list = doctor.Look(cmd.Context(), a.thisBox(), o)
		}
		return a.diagnosis(list, *asJSON)
	}
	return cmd
}

// diagnosis ends the command: JSON if it is wanted, the sum, the exit code.
func (a *app) diagnosis(list []doctor.Finding, asJSON bool) error {
	well, odd, bad := doctor.Count(list, doctor.Well), doctor.Count(list, doctor.Odd), doctor.Count(list, doctor.Bad)
	if asJSON {
		if err := writeJSON(a.out, struct {
			OK     bool             `json:"ok"`
			Checks []doctor.Finding `json:"checks"`
		}{bad == 0, list}); err != nil {
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
func (w words) writeFinding(out io.Writer, f doctor.Finding) {
	state := map[string]string{doctor.Well: w.of("well", "正常"), doctor.Odd: w.of("odd ", "留意"), doctor.Bad: w.of("BAD ", "问题")}[f.State]
	fmt.Fprintf(out, "%s  %s%s%s\n", state, clean(f.Looked), w.of(": ", "："), clean(f.Found))
	if f.Do != "" {
		fmt.Fprintf(out, "      → %s\n", clean(f.Do))
	}
}

// thisBox is the box that the flags name, also where its configuration is
// wrong.
func (a *app) thisBox() doctor.Box {
	cfg, _, err := a.config()
	b := doctor.Box{Config: cfg, Problem: err, File: a.configFile(), Reserve: hardReserve, Exit: doctor.Exit{Config: exitConfig, Try: exitTry, Store: exitStore},
		LockFile: filepath.Join(cfg.Server.DataDir, journalDir, "LOCK"), CertDir: filepath.Join(cfg.Server.DataDir, certDir)}
	b.Service = b.File == packagedConfig // posthouse.service runs no other
	if b.File != "" && !b.Service {
		b.Flags = "--config " + b.File + " "
	}
	if a.flags.data != "" {
		b.Flags += "--data " + a.flags.data + " "
	}
	if err == nil {
		b.Authorities = trustedCA(cfg.Server.DataDir, cfg.TLS.Mode, cfg.TLS.CertFile)
	}
	return b
}

// farAddress reads the flags of --from-lan. The configuration is not looked at:
// it is that of the box.
func (a *app) farAddress(text, ca string) (doctor.Address, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return doctor.Address{}, a.wrongUse("--from-lan takes the address people open, such as https://chat.lan:8443", "--from-lan 须为大家打开的地址，例如 https://chat.lan:8443")
	}
	far := doctor.Address{URL: u, Port: 443}
	if u.Scheme == "http" {
		far.Port = 80
	}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return doctor.Address{}, a.wrongUse("there is no port "+u.Port(), "没有端口 "+u.Port())
		}
		far.Port = uint16(n)
	}
	if far.Trust, err = x509.SystemCertPool(); err != nil {
		far.Trust = x509.NewCertPool()
	}
	if ca != "" {
		raw, err := a.textOf(ca)
		if err != nil {
			return doctor.Address{}, fmt.Errorf("%s: %w", a.say.of("read --ca", "读取 --ca"), err)
		}
		if !far.Trust.AppendCertsFromPEM([]byte(raw)) {
			return doctor.Address{}, errorText(a.say, ca+" holds no PEM certificate; /ca.pem of the box is one", ca+" 中没有 PEM 证书；可使用服务器的 /ca.pem")
		}
	}
	return far, nil
}
