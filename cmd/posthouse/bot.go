package main

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func (a *app) botCommand() *cobra.Command {
	return a.group("bot", "Look after programs that log in", "管理以账号登录的程序", a.botAdd())
}

// botMade is the JSON of bot add.
type botMade struct {
	User  wire.User `json:"user"`
	Rooms []id.ID   `json:"rooms"`
	Token string    `json:"token"` // shown this once
}

func (a *app) botAdd() *cobra.Command {
	var login string
	var names []string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: a.say.of("Make a bot, put it into rooms and print its token, once", "新建机器人，加入房间并打印令牌，仅一次"),
		Long: a.say.of("Make a bot, put it into rooms and print its token, once. It logs in with the header Authorization: Bearer TOKEN, over HTTP and over the WebSocket.",
			"新建机器人，加入房间并打印令牌，仅一次。程序以请求头 Authorization: Bearer 令牌 登录，HTTP 与 WebSocket 均可。"),
		Example: `  posthouse bot add "Build bot" --room ops
  posthouse bot add 值班助手 --login duty --room 机房 --room 值班`,
		Args: a.takes("NAME"),
	}
	cmd.Flags().StringVar(&login, "login", "", a.say.of("`LOGIN` of the account; made from the name if absent", "账号的登录名 `LOGIN`，缺省由名称得出"))
	cmd.Flags().StringArrayVar(&names, "room", nil, a.say.of("`ROOM` (ID or name) it joins; may be repeated", "加入的房间 `ROOM`（ID 或名称），可重复使用"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			made := botMade{Rooms: []id.ID{}}
			for _, name := range names {
				r, err := a.room(c, name)
				if err != nil {
					return err
				}
				made.Rooms = append(made.Rooms, r.ID)
			}
			if login == "" {
				login = botLogin(args[0])
			}
			var u wire.UserResult
			if err := c.call("user.create", wire.UserCreate{Login: login, Name: args[0], Bot: true}, &u); err != nil {
				return err
			}
			made.User = u.User
			for _, room := range made.Rooms {
				if err := c.call("room.add", wire.MembersChange{Room: room, Users: []id.ID{u.User.ID}}, &wire.Done{}); err != nil {
					return err
				}
			}
			var s wire.Session
			if err := c.call("user.token", wire.TokenCreate{User: u.User.ID, Name: args[0]}, &s); err != nil {
				return err
			}
			made.Token = s.Token
			if *asJSON {
				return writeJSON(a.out, made)
			}
			fmt.Fprintln(a.errOut, clean(a.say.ofN("bot %s was made; its token is shown this once:", "已新建机器人 %s；令牌只显示这一次：", u.User.Login)))
			fmt.Fprintln(a.out, s.Token)
			return nil
		})
	}
	return cmd
}

// botLogin makes a login of a name; one in other letters gets random ones.
func botLogin(name string) string {
	login := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		case r == ' ' || r == '-':
			return '-'
		}
		return -1
	}, strings.ToLower(name)), ".-_")
	if login == "" || len(login) > 64 {
		return "bot-" + strings.ToLower(rand.Text()[:8])
	}
	return login
}
