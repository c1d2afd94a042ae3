package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func (a *app) hookCommand() *cobra.Command {
	return a.group("hook", "Look after hooks: what other programs post, and what they are told", "管理钩子：其他程序的投递与通知", a.hookAdd(), a.hookList(), a.hookRemove())
}

func (a *app) hookAdd() *cobra.Command {
	var p wire.HookCreate
	var room string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: a.say.of("Make a hook and print its address and secret, once", "新建钩子并打印地址与密钥，仅一次"),
		Long: a.say.of("Make a hook and print its address and secret, once. Incoming: DingTalk robots, Slack, Mattermost, Grafana, Alertmanager, GitLab, Jenkins and GitHub post to it unchanged. Outgoing: what is said in the room is posted to --url. Command: /WORD calls --url.",
			"新建钩子并打印地址与密钥，仅一次。接收（incoming）：钉钉机器人、Slack、Mattermost、Grafana、Alertmanager、GitLab、Jenkins、GitHub 的载荷无需改动。发送（outgoing）：房间消息发往 --url。命令（command）：/WORD 调用 --url。"),
		Example: `  posthouse hook add Grafana --room ops
  posthouse hook add 告警 --room 机房 --format dingtalk --sign
  posthouse hook add Deployer --kind outgoing --room ops --url http://10.0.0.9/chat --word deploy
  posthouse hook add Weather --kind command --command weather --url http://10.0.0.9/weather`,
		Args: a.takes("NAME"),
	}
	f := cmd.Flags()
	f.StringVar(&p.Kind, "kind", "incoming", a.say.of("`KIND`: incoming, outgoing or command", "类型 `KIND`：incoming、outgoing 或 command"))
	f.StringVar(&room, "room", "", a.say.of("`ROOM` (ID or name); a command without one is for all rooms", "房间 `ROOM`（ID 或名称）；命令缺省为所有房间"))
	f.StringVar(&p.Format, "format", "", a.say.of("incoming: take this `FORMAT` alone; found out if absent", "接收：只接受此格式 `FORMAT`，缺省自动识别"))
	f.BoolVar(&p.Sign, "sign", false, a.say.of("incoming: make a secret that requests must prove", "接收：生成验签密钥"))
	f.StringArrayVar(&p.Keywords, "keyword", nil, a.say.of("incoming: a `WORD` that payloads need one of; may be repeated", "接收：关键词 `WORD`，须含其一，可重复使用"))
	f.BoolVar(&p.Usernames, "usernames", false, a.say.of("incoming: a payload may name its sender", "接收：允许载荷自定显示名"))
	f.StringVar(&p.URL, "url", "", a.say.of("outgoing, command: `URL` that is called", "发送、命令：调用的地址 `URL`"))
	f.StringArrayVar(&p.Words, "word", nil, a.say.of("outgoing: a trigger `WORD`; may be repeated", "发送：触发词 `WORD`，可重复使用"))
	f.StringArrayVar(&p.Events, "event", nil, a.say.of("outgoing: `EVENT`: message, edited, recalled or members; may be repeated", "发送：事件 `EVENT`：message、edited、recalled 或 members，可重复使用"))
	f.StringVar(&p.Command, "command", "", a.say.of("command: the `WORD` after the slash", "命令：斜杠后的词 `WORD`"))
	f.StringVar(&p.Hint, "hint", "", a.say.of("command: `TEXT` about its arguments", "命令：参数提示 `TEXT`"))
	f.StringVar(&p.Language, "language", "", a.say.of("`LANG` of the words it adds: zh or en", "所加文字的语言 `LANG`：zh 或 en"))
	completes(cmd, "kind", "incoming", "outgoing", "command")
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p.Name = args[0]
		return a.with(cmd, func(c caller) error {
			if room != "" {
				r, err := a.room(c, room)
				if err != nil {
					return err
				}
				p.Room = r.ID
			}
			var r wire.HookResult
			if err := c.call("hook.create", p, &r); err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, r)
			}
			fmt.Fprintln(a.errOut, clean(a.say.ofN("hook %s was made; what follows is shown this once:", "已新建钩子 %s；以下内容只显示这一次：", r.Hook.ID.String())))
			a.facts([][2]string{{a.say.of("address", "地址"), r.URL}, {a.say.of("address for DingTalk scripts", "钉钉脚本用地址"), r.DingTalk}, {a.say.of("secret", "密钥"), r.Secret}})
			return nil
		})
	}
	return cmd
}

func (a *app) hookList() *cobra.Command {
	var room string
	cmd := &cobra.Command{
		Use:   "list",
		Short: a.say.of("List hooks", "列出钩子"),
		Args:  a.takes(),
	}
	cmd.Flags().StringVar(&room, "room", "", a.say.of("only those of this `ROOM` (ID or name)", "仅此房间 `ROOM`（ID 或名称）"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(c caller) error {
			var p wire.HookListParams
			if room != "" {
				r, err := a.room(c, room)
				if err != nil {
					return err
				}
				p.Room = r.ID
			}
			var list wire.HookList
			if err := c.call("hook.list", p, &list); err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, list)
			}
			t := table{head: []string{"ID", a.say.of("NAME", "名称"), a.say.of("KIND", "类型"), a.say.of("ROOM", "房间"), a.say.of("PASSED", "成功"), a.say.of("FAILED", "失败"),
				a.say.of("LAST USED", "最近使用"), a.say.of("STATE", "状态"), a.say.of("LAST ERROR", "最近错误")}, right: []int{4, 5}}
			for _, h := range list.Hooks {
				t.add(h.ID.String(), h.Name, h.Kind, h.Room.String(), fmt.Sprint(h.Delivered), fmt.Sprint(h.Refused), when(h.LastUsed), a.hookState(h), h.LastError)
			}
			return t.write(a.out)
		})
	}
	return cmd
}

func (a *app) hookState(h wire.Hook) string {
	switch {
	case h.Disabled:
		return a.say.of("disabled", "已停用")
	case h.Dead > 0 || h.Pending > 0:
		return a.say.ofN("%d wait, %d given up", "待投递 %d，死信 %d", h.Pending, h.Dead)
	}
	return a.say.of("open", "启用")
}

func (a *app) hookRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: a.say.of("Remove a hook; its messages stay", "删除钩子，已发消息保留"),
		Args:  a.takes("ID"),
	}
	yes := yesFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		hid, err := id.Parse(args[0])
		if err != nil {
			return a.wrongUse(fmt.Sprintf("%q is no ID; see: posthouse hook list", args[0]), fmt.Sprintf("%q 不是 ID；请看 posthouse hook list", args[0]))
		}
		return a.with(cmd, func(c caller) error {
			if err := a.confirm(cmd.Context(), *yes, a.say.of("The address of this hook will work for no program any more.", "此钩子的地址将不再可用。")); err != nil {
				return err
			}
			if err := c.call("hook.remove", wire.HookParam{Hook: hid}, &wire.Done{}); err != nil {
				return err
			}
			fmt.Fprintln(a.errOut, a.say.of("the hook is removed", "钩子已删除"))
			return nil
		})
	}
	return cmd
}
