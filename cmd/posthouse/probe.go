package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/appliance/wire"
	check "posthouse/sysmon/probe"
)

// probeToken is what another machine needs to know: base64url of this as JSON,
// after tokenPrefix.
type probeToken struct {
	Name  string       `json:"n"`
	Token string       `json:"t"`           // for reports
	Users virtualUsers `json:"u"`           // that rounds are made with
	CA    string       `json:"c,omitempty"` // PEM: the authority of the box, and no other, is trusted; empty: those of the system
}

const tokenPrefix = "probe1_"

func (t probeToken) encode() (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(raw), nil
}

// decodeProbeToken reads a token; false: it is none, or a part of it is missing.
func decodeProbeToken(text string) (probeToken, bool) {
	var t probeToken
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), tokenPrefix)
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if !ok || err != nil || json.Unmarshal(raw, &t) != nil || t.Token == "" || t.Users.Ann.Login == "" || t.Users.Bob.Login == "" {
		return probeToken{}, false
	}
	return t, true
}

func (a *app) probeCommand() *cobra.Command {
	cmd := a.group("probe", "Talk over the server from another place of the network, and report", "从网络的其他位置收发消息并上报",
		a.probeTokenCommand(), a.probeList(), a.probeRevoke())
	cmd.Long = a.say.of(`Make the round of two virtual users from this machine once a minute and report to the box what came of it: connect, log in, send, receive,
acknowledge, read the history, upload and read a file. The console shows a map of the places that report. While the box cannot be reached, up to a day
of rounds is kept and reported afterwards: in memory, or with --keep-in on disk, so that a restart of this machine loses none.

The token is made on the box: posthouse probe token NAME --subnet PLACE. It holds the passwords of the two virtual users and the certificate authority
of the box; nothing else is trusted. Give it in a file, or in POSTHOUSE_PROBE_TOKEN.`,
		`每分钟在本机以两个虚拟用户走一遍完整流程（连接、登录、发送、接收、确认、读历史、上传和读取文件），并把结果上报服务器。控制台以地图显示各上报位置。
无法连上服务器时，最多保留一天的结果，恢复后补报；默认保存在内存中，使用 --keep-in 则保存在磁盘，本机重启也不会丢失。

令牌在服务器上生成：posthouse probe token 名称 --subnet 位置。其中含两个虚拟用户的密码和服务器的证书颁发机构；不信任其他任何证书。
请以文件或环境变量 POSTHOUSE_PROBE_TOKEN 提供。`)
	cmd.Example = `  posthouse probe --report-to https://chat.lan:8443 --token-file /etc/posthouse/probe.token
  posthouse probe --report-to https://chat.lan:8443 --once`
	to := cmd.Flags().String("report-to", "", a.say.of("`URL` of the box, as people open it", "服务器的 `URL`，与大家打开的地址一致"))
	file := cmd.Flags().String("token-file", "", a.say.of("read the token from `FILE` (- is standard input)", "从文件 `FILE` 读取令牌（- 为标准输入）"))
	once := cmd.Flags().Bool("once", false, a.say.of("make one round, print its steps, report it, and end; the box expects more and raises an alarm when none come", "只走一轮，显示各步骤并上报后结束；服务器会期待后续上报，没有则告警"))
	keep := cmd.Flags().String("keep-in", "", a.say.of("keep rounds that wait in the directory `DIR`; without it in memory", "把待上报的结果保存在目录 `DIR`，缺省仅在内存中"))
	cmd.FParseErrWhitelist = cobra.FParseErrWhitelist{}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *to == "" {
			fmt.Fprint(cmd.ErrOrStderr(), a.usage(cmd))
			return a.wrongUse("name the box with --report-to URL, or say what to do: token, list, revoke", "请用 --report-to URL 指定服务器，或指明操作：token, list, revoke")
		}
		token, err := a.probeTokenFrom(*file)
		if err != nil {
			return err
		}
		r, err := newReporter(*to, token, a.errOut)
		if err != nil {
			return a.probeError(err)
		}
		if *keep != "" {
			if err := r.keepIn(*keep); err != nil {
				return err
			}
		}
		if *once {
			return a.probeOnce(cmd.Context(), r)
		}
		return r.run(cmd.Context())
	}
	return cmd
}

// probeTokenFrom reads the token of this machine.
func (a *app) probeTokenFrom(file string) (probeToken, error) {
	text, ok := a.lookup("POSTHOUSE_PROBE_TOKEN")
	if file != "" || !ok {
		if file == "" {
			return probeToken{}, a.wrongUse("name the token's file with --token-file, or set POSTHOUSE_PROBE_TOKEN", "请用 --token-file 指定令牌文件，或设置 POSTHOUSE_PROBE_TOKEN")
		}
		var err error
		if text, err = a.textOf(file); err != nil {
			return probeToken{}, fmt.Errorf("%s: %w", a.say.of("read the token", "读取令牌"), err)
		}
	}
	t, ok := decodeProbeToken(text)
	if !ok {
		return t, errorText(a.say, "this is not the whole token of a probe, one line that begins with "+tokenPrefix+"; make one on the box with: posthouse probe token NAME --subnet PLACE",
			"这不是完整的探测令牌（以 "+tokenPrefix+" 开头的一行）；请在服务器上生成：posthouse probe token 名称 --subnet 位置")
	}
	return t, nil
}

// textOf reads a short file, or standard input.
func (a *app) textOf(file string) (string, error) {
	src := a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		src = f
	}
	raw, err := io.ReadAll(io.LimitReader(src, 64<<10))
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return string(raw), nil
}

func (a *app) probeTokenCommand() *cobra.Command {
	var subnet string
	var every int
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: a.say.of("Let a probe on another machine report, and print its token, once", "允许另一台机器上的探测上报，并打印其令牌，仅一次"),
		Long: a.say.of("Let a probe on another machine report, and print its token, once. The token is a secret: it holds the passwords of two virtual users. A second call with the same name makes another token; the one before ends.",
			"允许另一台机器上的探测上报，并打印其令牌，仅一次。令牌须保密：其中含两个虚拟用户的密码。以同一名称再次执行会生成新令牌，旧令牌随即失效。"),
		Example: `  posthouse probe token workshop3 --subnet "10.3.0.0/16 Workshop 3"`,
		Args:    a.takes("NAME"),
	}
	cmd.Flags().StringVar(&subnet, "subnet", "", a.say.of("`PLACE` it stands in, as the map shows it", "所在位置 `PLACE`，即地图上显示的名称"))
	cmd.Flags().IntVar(&every, "every", 60, a.say.of("`SECONDS` between rounds, 10 to 3600", "每轮间隔秒数 `SECONDS`，10 到 3600"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, _, err := a.config()
		if err != nil {
			return err
		}
		if subnet == "" {
			return a.wrongUse("say with --subnet where it stands", "请用 --subnet 说明所在位置")
		}
		dir := filepath.Join(cfg.Server.DataDir, watchDir)
		return a.with(cmd, func(c caller) error {
			text, err := newAgent(c, dir, check.Agent{Name: args[0], Subnet: subnet, Every: every}, trustedCA(cfg.Server.DataDir, cfg.TLS.Mode, cfg.TLS.CertFile))
			if err == nil {
				err = giveBack(cfg.Server.DataDir)
			}
			if err != nil {
				return a.probeError(err)
			}
			fmt.Fprintln(a.errOut, a.say.of("This token is shown once. On the other machine:\n  posthouse probe --report-to URL --token-file FILE", "令牌只显示这一次。在另一台机器上：\n  posthouse probe --report-to URL --token-file 文件"))
			_, err = fmt.Fprintln(a.out, text)
			return err
		})
	}
	return cmd
}

// newAgent makes the virtual users and the token of a probe elsewhere. The users
// of one that had its name before are disabled.
func newAgent(c caller, dir string, agent check.Agent, ca string) (string, error) {
	token := probeToken{Name: agent.Name, Token: check.Token(), CA: ca}
	old, _ := check.RemoveAgent(dir, agent.Name)
	if err := disableUsers(c, old.Users); err != nil {
		return "", err
	}
	var err error
	if token.Users, err = makeVirtualUsers(c, "Probe "+agent.Name); err != nil {
		return "", err
	}
	agent.Users = []string{token.Users.Ann.Login, token.Users.Bob.Login}
	agent.Created = time.Now()
	if err := check.AddAgent(dir, agent, token.Token); err != nil {
		return "", errors.Join(err, disableUsers(c, agent.Users))
	}
	return token.encode()
}

// endAgent takes the right to report away and disables the virtual users.
func endAgent(c caller, dir, name string) error {
	gone, err := check.RemoveAgent(dir, name)
	if err != nil {
		return err
	}
	return disableUsers(c, gone.Users)
}

func disableUsers(c caller, logins []string) error {
	if len(logins) == 0 {
		return nil
	}
	off := true
	var errs []error
	for _, login := range logins {
		var found wire.UserList
		if err := c.call("user.list", wire.DirectoryParams{Query: login}, &found); err != nil {
			return err
		}
		for _, u := range found.Users {
			if u.Login == login && !u.Disabled {
				errs = append(errs, c.call("user.update", wire.UserUpdate{User: u.ID, Disabled: &off}, &wire.UserResult{}))
			}
		}
	}
	return errors.Join(errs...)
}

// trustedCA is what another machine has to trust to talk to this box: its own
// authority, or those in the file of certificates; empty when the system's will do.
func trustedCA(dataDir, mode, file string) string {
	if mode != "files" {
		file = filepath.Join(dataDir, certDir, "root.crt")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "" // plain http, or not made yet
	}
	var out strings.Builder
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			return out.String()
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && c.IsCA {
			out.Write(pem.EncodeToMemory(block))
		}
	}
}

func (a *app) probeError(err error) error {
	var w *check.Wrong
	if errors.As(err, &w) {
		return errorText(a.say, w.Text.EN, w.Text.ZH)
	}
	return err
}

func (a *app) probeRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: a.say.of("End a probe on another machine: its token is worthless at once", "停用另一台机器上的探测：令牌立即失效"),
		Args:  a.takes("NAME"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, _, err := a.config()
		if err != nil {
			return err
		}
		return a.with(cmd, func(c caller) error {
			err := endAgent(c, filepath.Join(cfg.Server.DataDir, watchDir), args[0])
			return a.probeError(errors.Join(err, giveBack(cfg.Server.DataDir)))
		})
	}
	return cmd
}

func (a *app) probeList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: a.say.of("List the probes that may report", "列出允许上报的探测"), Args: a.takes()}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := a.dataDir(nil)
		if err != nil {
			return err
		}
		list, err := check.ReadAgents(filepath.Join(dir, watchDir))
		if err != nil {
			return err
		}
		if *asJSON {
			type line struct {
				Name    string    `json:"name"`
				Subnet  string    `json:"subnet"`
				Every   int       `json:"every"`
				Created time.Time `json:"created"`
			}
			out := make([]line, len(list))
			for i, x := range list {
				out[i] = line{x.Name, x.Subnet, x.Every, x.Created}
			}
			return writeJSON(a.out, out)
		}
		t := table{head: []string{a.say.of("name", "名称"), a.say.of("subnet", "位置"), a.say.of("every", "间隔"), a.say.of("since", "创建于")}}
		for _, x := range list {
			t.add(x.Name, x.Subnet, fmt.Sprintf("%d s", x.Every), when(x.Created.UnixMilli()))
		}
		return t.write(a.out)
	}
	return cmd
}
