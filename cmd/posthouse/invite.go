package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"rsc.io/qr"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func (a *app) inviteCommand() *cobra.Command {
	return a.group("invite", "Invite people by link", "邀请链接", a.inviteCreate(), a.inviteList(), a.inviteRevoke())
}

func (a *app) inviteCreate() *cobra.Command {
	var p wire.InviteCreate
	var dept string
	var names []string
	cmd := &cobra.Command{
		Use:   "create",
		Short: a.say.of("Make an invitation and print its link", "创建邀请并打印链接"),
		Long: a.say.of("Make an invitation and print its link, and on a terminal its QR code. The link is a secret and is shown once.",
			"创建邀请并打印链接，在终端上还显示二维码。链接即密钥，只显示一次。"),
		Args: a.takes(),
	}
	f := cmd.Flags()
	f.IntVar(&p.Hours, "hours", 72, a.say.of("valid for `N` hours, up to 720", "有效 `N` 小时，最多 720"))
	f.IntVar(&p.Uses, "uses", 1, a.say.of("for `N` people, up to 1000", "供 `N` 人使用，最多 1000"))
	f.StringVar(&dept, "department", "", a.say.of("put them into the department of this `PATH`", "加入此路径 `PATH` 的部门"))
	f.StringArrayVar(&names, "room", nil, a.say.of("they join `ROOM` (ID or name); may be repeated", "自动加入房间 `ROOM`（ID 或名称），可重复"))
	f.StringVar(&p.Note, "note", "", a.say.of("`REMARK` for the list", "备注 `REMARK`"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if p.Hours < 1 || p.Uses < 1 {
			return a.wrongUse("--hours and --uses are at least 1", "--hours 与 --uses 至少为 1")
		}
		return a.with(cmd, func(c caller) error {
			var err error
			if p.Department, err = a.department(c, dept); err != nil {
				return err
			}
			for _, name := range names {
				r, err := a.room(c, name)
				if err != nil {
					return err
				}
				p.Rooms = append(p.Rooms, r.ID)
			}
			var r wire.InviteResult
			if err := c.call("invite.create", p, &r); err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, struct {
					Invite   wire.Invite `json:"invite"`
					Position uint64      `json:"position"`
				}{r.Invite, r.Position})
			}
			fmt.Fprintln(a.out, r.Invite.URL)
			if f, ok := terminal(a.out); ok {
				wide, _, err := term.GetSize(int(f.Fd()))
				a.drawQR(a.out, r.Invite.URL, wide, err == nil)
			}
			fmt.Fprintln(a.errOut, a.say.ofN("for %d people, until %s; take it back with: posthouse invite revoke %s",
				"供 %d 人使用，有效至 %s；作废：posthouse invite revoke %s", p.Uses, when(r.Invite.Expires), r.Invite.ID))
			return nil
		})
	}
	return cmd
}

// quiet is the white border that readers of QR codes need, in modules.
const quiet = 2

// drawQR draws two rows of modules a line. With colours black is black
// whatever the terminal's own colours are; without them white is drawn and
// black is the (dark) background.
func (a *app) drawQR(w io.Writer, text string, wide int, known bool) {
	code, err := qr.Encode(text, qr.L)
	if err != nil || known && wide < code.Size+2*quiet {
		return // the link is there to be typed or copied
	}
	black := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < code.Size && y < code.Size && code.Black(x, y)
	}
	begin, end := "", ""
	if a.coloured(w) {
		begin, end = "\x1b[97;40m", "\x1b[0m"
	}
	for y := -quiet; y < code.Size+quiet; y += 2 {
		var line strings.Builder
		for x := -quiet; x < code.Size+quiet; x++ {
			switch up, down := black(x, y), black(x, y+1); {
			case up && down:
				line.WriteByte(' ')
			case up:
				line.WriteRune('▄')
			case down:
				line.WriteRune('▀')
			default:
				line.WriteRune('█')
			}
		}
		fmt.Fprintln(w, begin+line.String()+end)
	}
}

func (a *app) inviteList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: a.say.of("List invitations that can still be used", "列出仍有效的邀请"),
		Args:  a.takes(),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd, func(c caller) error {
			var list wire.InviteList
			if err := c.call("invite.list", wire.Empty{}, &list); err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, list)
			}
			tree, err := departments(c)
			if err != nil {
				return err
			}
			t := table{head: []string{"ID", a.say.of("USES LEFT", "剩余次数"), a.say.of("USED", "已用"), a.say.of("EXPIRES", "失效时间"), a.say.of("DEPARTMENT", "部门"), a.say.of("NOTE", "备注")}, right: []int{1, 2}}
			for _, v := range list.Invites {
				t.add(v.ID.String(), fmt.Sprint(v.Uses), fmt.Sprint(v.Used), when(v.Expires), tree.paths[v.Department], v.Note)
			}
			return t.write(a.out)
		})
	}
	return cmd
}

func (a *app) inviteRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: a.say.of("Make an invitation worthless", "作废邀请"),
		Args:  a.takes("ID"),
	}
	yes := yesFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		vid, err := id.Parse(args[0])
		if err != nil {
			return a.wrongUse(fmt.Sprintf("%q is no ID; see: posthouse invite list", args[0]), fmt.Sprintf("%q 不是 ID；请看 posthouse invite list", args[0]))
		}
		return a.with(cmd, func(c caller) error {
			if err := a.confirm(cmd.Context(), *yes, a.say.of("The link of this invitation will work for nobody any more.", "此邀请的链接将不再可用。")); err != nil {
				return err
			}
			var done wire.Done
			if err := c.call("invite.revoke", wire.InviteParam{Invite: vid}, &done); err != nil {
				return err
			}
			fmt.Fprintln(a.errOut, a.say.of("the invitation is revoked", "邀请已作废"))
			return nil
		})
	}
	return cmd
}
