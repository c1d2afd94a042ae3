package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func (a *app) roomCommand() *cobra.Command {
	return a.group("room", "Look at rooms; what is written in them stays out of sight", "查看房间（不显示消息内容）", a.roomList(), a.roomShow())
}

// rooms lists all rooms. What was written last is not for the operator's
// screen and is left out.
func rooms(c caller, query string) ([]wire.Room, error) {
	var list wire.RoomList
	err := c.call("room.all", wire.DiscoverParams{Query: query, Limit: 100000}, &list)
	for i := range list.Rooms {
		list.Rooms[i].Last = nil
	}
	if list.Rooms == nil {
		list.Rooms = []wire.Room{}
	}
	return list.Rooms, err
}

// room finds the room that an ID or a whole name names.
func (a *app) room(c caller, name string) (wire.Room, error) {
	if rid, err := id.Parse(name); err == nil {
		var r wire.RoomResult
		if err := c.call("room.inspect", wire.RoomParam{Room: rid}, &r); err != nil {
			return wire.Room{}, err
		}
		r.Room.Last = nil
		return r.Room, nil
	}
	list, err := rooms(c, name)
	if err != nil {
		return wire.Room{}, err
	}
	var found []wire.Room
	for _, r := range list {
		if strings.EqualFold(r.Name, name) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return wire.Room{}, errorText(a.say, fmt.Sprintf("%d rooms are called %q; use the ID: posthouse room list", len(found), name),
			fmt.Sprintf("有 %d 个房间名为 %q；请用 ID：posthouse room list", len(found), name))
	case len(list) > 0:
		return wire.Room{}, errorText(a.say, fmt.Sprintf("there is no room %q; did you mean %q?", name, list[0].Name), fmt.Sprintf("没有房间 %q；是否想写 %q？", name, list[0].Name))
	}
	return wire.Room{}, errorText(a.say, fmt.Sprintf("there is no room %q; see: posthouse room list", name), fmt.Sprintf("没有房间 %q；请看 posthouse room list", name))
}

func (a *app) roomList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [QUERY]",
		Short: a.say.of("List rooms", "列出房间"),
		Args:  a.takes("[QUERY]"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			list, err := rooms(c, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, struct {
					Rooms []wire.Room `json:"rooms"`
				}{list})
			}
			t := table{head: []string{"ID", a.say.of("NAME", "名称"), a.say.of("KIND", "类型"), a.say.of("MEMBERS", "成员"), a.say.of("ENTRIES", "条目"), a.say.of("CREATED", "创建时间"), a.say.of("STATE", "状态")}, right: []int{3, 4}}
			for _, r := range list {
				t.add(r.ID.String(), r.Name, string(r.Kind), fmt.Sprint(r.Members), fmt.Sprint(r.Head), when(r.Created), a.roomState(r))
			}
			return t.write(a.out)
		})
	}
	return cmd
}

func (a *app) roomState(r wire.Room) string {
	if r.Archived {
		return a.say.of("archived", "已归档")
	}
	return a.say.of("open", "开放")
}

// roomMember is a member in the JSON of room show.
type roomMember struct {
	wire.RoomMember
	Login string `json:"login"`
	Name  string `json:"name"`
}

func (a *app) roomShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ROOM",
		Short: a.say.of("Show a room (ID or name) and its members", "查看房间（ID 或名称）及其成员"),
		Args:  a.takes("ROOM"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd, func(c caller) error {
			r, err := a.room(c, args[0])
			if err != nil {
				return err
			}
			list, err := members(c, r.ID)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeJSON(a.out, struct {
					Room    wire.Room    `json:"room"`
					Members []roomMember `json:"members"`
				}{r, list})
			}
			a.facts([][2]string{{a.say.of("room", "房间"), r.ID.String()}, {a.say.of("name", "名称"), r.Name}, {a.say.of("topic", "主题"), r.Topic},
				{a.say.of("kind", "类型"), string(r.Kind)}, {a.say.of("state", "状态"), a.roomState(r)}, {a.say.of("created", "创建时间"), when(r.Created)},
				{a.say.of("entries", "条目"), fmt.Sprint(r.Head)}, {a.say.of("members", "成员"), fmt.Sprint(r.Members)}})
			fmt.Fprintln(a.out)
			t := table{head: []string{a.say.of("LOGIN", "登录名"), a.say.of("NAME", "姓名"), a.say.of("ROLE", "角色"), a.say.of("SINCE", "加入时间"), a.say.of("READ", "已读到")}, right: []int{4}}
			for _, m := range list {
				t.add(m.Login, m.Name, string(m.Role), when(m.Since), fmt.Sprint(m.Read))
			}
			return t.write(a.out)
		})
	}
	return cmd
}

// members lists a room's members with their names, page by page.
func members(c caller, room id.ID) ([]roomMember, error) {
	out := []roomMember{}
	p := wire.MembersParams{Room: room, Limit: 500}
	for {
		var page wire.MemberList
		if err := c.call("room.members", p, &page); err != nil {
			return nil, err
		}
		var who wire.UsersParam
		for _, m := range page.Members {
			who.Users = append(who.Users, m.User)
		}
		if len(who.Users) == 0 {
			return out, nil
		}
		var people wire.UserList
		if err := c.call("directory.get", who, &people); err != nil {
			return nil, err
		}
		by := map[id.ID]wire.User{}
		for _, u := range people.Users {
			by[u.ID] = u
		}
		for _, m := range page.Members {
			out = append(out, roomMember{m, by[m.User].Login, by[m.User].Name})
		}
		if !page.More {
			return out, nil
		}
		p.After = who.Users[len(who.Users)-1]
	}
}

// facts prints names and values in two columns; empty values are left out.
func (a *app) facts(list [][2]string) {
	wide := 0
	for _, f := range list {
		wide = max(wide, columns(f[0]))
	}
	for _, f := range list {
		if f[1] != "" {
			fmt.Fprintf(a.out, "%s:%s%s\n", f[0], strings.Repeat(" ", wide-columns(f[0])+2), clean(f[1]))
		}
	}
}
