package main

import (
	"crypto/rand"
	"fmt"

	"github.com/spf13/cobra"

	"posthouse/appliance/wire"
)

func (a *app) userCommand() *cobra.Command {
	return a.group("user", "Look after accounts", "管理账号",
		a.userAdd(), a.userList(), a.userPasswd(), a.userDisable(), a.userEnable(), a.userImport())
}

// userChange is what the JSON of user add, passwd, disable and enable holds.
type userChange struct {
	User     wire.User `json:"user"`
	Position uint64    `json:"position"`
	Ended    int       `json:"sessions_ended"`
	Password string    `json:"password,omitempty"` // made up; shown this once
}

// secretFlags are the ways to give a password.
type secretFlags struct {
	file     string
	generate bool
}

func (f *secretFlags) register(cmd *cobra.Command, a *app) {
	cmd.Flags().StringVar(&f.file, "password-file", "", a.say.of("read the password from `FILE` (- is standard input)", "从文件 `FILE` 读取密码（- 为标准输入）"))
	cmd.Flags().BoolVar(&f.generate, "generate", false, a.say.of("make a password up and print it, once", "生成密码并打印，仅一次"))
}

// get gives the password and, when it was made up, what to print.
func (f *secretFlags) get(cmd *cobra.Command, a *app) (password, tell string, err error) {
	if f.generate && f.file != "" {
		return "", "", a.wrongUse("--generate and --password-file exclude each other", "--generate 与 --password-file 不能同时使用")
	}
	if f.generate {
		password = rand.Text()[:20]
		return password, password, nil
	}
	password, err = a.password(cmd.Context(), f.file)
	return password, "", err
}

func (a *app) userAdd() *cobra.Command {
	var p wire.UserCreate
	var role, dept string
	var secret secretFlags
	var none bool
	cmd := &cobra.Command{
		Use:   "add LOGIN",
		Short: a.say.of("Make an account", "新建账号"),
		Long: a.say.of("Make an account. The password comes from a prompt, standard input, --password-file or --generate.",
			"新建账号。密码来自终端提示、标准输入、--password-file 或 --generate。"),
		Example: `  posthouse user add ann --name "Ann Lee" --department Works/Office --generate
  posthouse user add bo --name "Bo" < password.txt
  posthouse user add backup-bot --bot`,
		Args: a.takes("LOGIN"),
	}
	f := cmd.Flags()
	f.StringVar(&p.Name, "name", "", a.say.of("display `NAME`; the login if absent", "显示名 `NAME`，缺省为登录名"))
	f.StringVar(&role, "role", string(wire.Member), a.say.of("`ROLE`: owner, admin, auditor or member", "角色 `ROLE`：owner、admin、auditor 或 member"))
	f.StringVar(&dept, "department", "", a.say.of("`PATH` of a department, such as Works/Office", "部门路径 `PATH`，如 厂部/一车间"))
	f.StringVar(&p.Title, "title", "", a.say.of("`POSITION` in the organisation", "职务 `POSITION`"))
	f.StringVar(&p.Email, "email", "", a.say.of("e-mail `ADDRESS`", "邮箱 `ADDRESS`"))
	f.StringVar(&p.Phone, "phone", "", a.say.of("phone `NUMBER`", "电话 `NUMBER`"))
	f.BoolVar(&p.Bot, "bot", false, a.say.of("the account is a program; it needs no password", "机器人账号，不需要密码"))
	f.BoolVar(&p.Probe, "probe", false, a.say.of("a virtual user that tests the server: hidden, and in no figure about people", "用于检测服务器的虚拟用户：对他人隐藏，不计入任何业务数据"))
	f.BoolVar(&none, "no-password", false, a.say.of("nobody can log in until a password is set", "暂不设密码，设置前无法登录"))
	secret.register(cmd, a)
	completes(cmd, "role", "owner", "admin", "auditor", "member")
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p.Login, p.Role = args[0], wire.Role(role)
		if p.Name == "" {
			p.Name = p.Login
		}
		var made string
		var err error
		if wants := secret.file != "" || secret.generate; wants || !p.Bot && !none {
			if p.Password, made, err = secret.get(cmd, a); err != nil {
				return err
			}
		}
		return a.with(cmd, func(c caller) error {
			var r wire.UserResult
			var err error
			if p.Department, err = a.department(c, dept); err != nil {
				return err
			}
			if err := c.call("user.create", p, &r); err != nil {
				return err
			}
			return a.tell(*asJSON, userChange{r.User, r.Position, 0, made}, a.say.ofN("account %s was made", "已新建账号 %s", r.User.Login))
		})
	}
	return cmd
}

// tell prints a change: JSON, or a sentence to the person and the password, if
// one was made up, to standard output.
func (a *app) tell(asJSON bool, ch userChange, text string) error {
	if asJSON {
		return writeJSON(a.out, ch)
	}
	fmt.Fprintln(a.errOut, clean(text))
	if ch.Password != "" {
		fmt.Fprintln(a.out, ch.Password)
	}
	return nil
}

func (a *app) userList() *cobra.Command {
	var dept string
	cmd := &cobra.Command{
		Use:   "list [QUERY]",
		Short: a.say.of("List accounts, disabled ones too", "列出账号，含已停用"),
		Args:  a.takes("[QUERY]"),
	}
	cmd.Flags().StringVar(&dept, "department", "", a.say.of("only this department and those below: its `PATH`", "仅此部门及下级：部门路径 `PATH`"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			query := ""
			if len(args) > 0 {
				query = args[0]
			}
			did, err := a.department(c, dept)
			if err != nil {
				return err
			}
			list, err := accounts(c, query, did)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, wire.UserList{Users: list})
			}
			t, err := departments(c)
			if err != nil {
				return err
			}
			out := table{head: []string{a.say.of("LOGIN", "登录名"), a.say.of("NAME", "姓名"), a.say.of("ROLE", "角色"), a.say.of("DEPARTMENT", "部门"),
				a.say.of("CREATED", "创建时间"), a.say.of("STATE", "状态")}}
			for _, u := range list {
				out.add(u.Login, u.Name, string(u.Role), t.paths[u.Department], when(u.Created), a.accountState(u))
			}
			return out.write(a.out)
		})
	}
	return cmd
}

func (a *app) accountState(u wire.User) string {
	switch {
	case u.Disabled:
		return a.say.of("disabled", "已停用")
	case u.Bot:
		return a.say.of("bot", "机器人")
	}
	return a.say.of("active", "正常")
}

// sessions counts the devices that a change would log out.
func sessions(c caller, u wire.User) (int, error) {
	var list wire.DeviceList
	err := c.call("session.devices", wire.UserOptional{User: u.ID}, &list)
	return len(list.Devices), err
}

func (a *app) userPasswd() *cobra.Command {
	var secret secretFlags
	cmd := &cobra.Command{
		Use:   "passwd LOGIN",
		Short: a.say.of("Set a password and end the account's sessions", "重置密码并结束该账号的会话"),
		Args:  a.takes("LOGIN"),
	}
	secret.register(cmd, a)
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			u, err := a.account(c, args[0])
			if err != nil {
				return err
			}
			password, made, err := secret.get(cmd, a)
			if err != nil {
				return err
			}
			n, err := sessions(c, u)
			if err != nil {
				return err
			}
			var done wire.Done
			if err := c.call("user.password", wire.UserPassword{User: u.ID, Password: password}, &done); err != nil {
				return err
			}
			return a.tell(*asJSON, userChange{u, done.Position, n, made},
				a.say.ofN("the password of %s was set; sessions ended: %d", "已重置 %s 的密码；结束会话数：%d", u.Login, n))
		})
	}
	return cmd
}

func (a *app) userDisable() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "disable LOGIN",
		Short: a.say.of("Lock an account out; its messages stay", "停用账号，其消息保留"),
		Args:  a.takes("LOGIN"),
	}
	asJSON, yes := jsonFlag(cmd, a), yesFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			u, err := a.account(c, args[0])
			if err != nil {
				return err
			}
			n, err := sessions(c, u)
			if err != nil {
				return err
			}
			if err := a.confirm(cmd.Context(), *yes, a.say.ofN("This locks %s (%s) out and ends %d sessions. Messages and files stay.",
				"将停用 %s（%s）并结束 %d 个会话。消息与文件保留。", clean(u.Login), clean(u.Name), n)); err != nil {
				return err
			}
			return a.setDisabled(c, u, true, n, *asJSON)
		})
	}
	return cmd
}

func (a *app) userEnable() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "enable LOGIN",
		Short: a.say.of("Let a disabled account in again", "恢复已停用的账号"),
		Args:  a.takes("LOGIN"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			u, err := a.account(c, args[0])
			if err != nil {
				return err
			}
			return a.setDisabled(c, u, false, 0, *asJSON)
		})
	}
	return cmd
}

func (a *app) setDisabled(c caller, u wire.User, off bool, ended int, asJSON bool) error {
	var r wire.UserResult
	if err := c.call("user.update", wire.UserUpdate{User: u.ID, Disabled: &off}, &r); err != nil {
		return err
	}
	text := a.say.ofN("account %s may log in again", "账号 %s 可以登录了", u.Login)
	if off {
		text = a.say.ofN("account %s is disabled; sessions ended: %d", "账号 %s 已停用；结束会话数：%d", u.Login, ended)
	}
	return a.tell(asJSON, userChange{r.User, r.Position, ended, ""}, text)
}
