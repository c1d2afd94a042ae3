package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/migrate"
	"posthouse/appliance/wire"
	texts "posthouse/sysmon/words"
)

func (a *app) importCommand() *cobra.Command {
	return a.group("import", "Bring over the archive of another chat system", "导入其他聊天系统的归档",
		a.importFrom(migrate.Slack, "FILE.zip"), a.importFrom(migrate.Mattermost, "FILE"))
}

func (a *app) importFrom(system, arg string) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   system + " " + arg,
		Short: a.say.of("Import a Slack export (zip)", "导入 Slack 导出文件（zip）"),
		Long: a.say.of(`Import the archive of another chat system: people, rooms, messages with their authors and times, threads, reactions,
files. Begin with --dry-run: it changes nothing and lists what will come over, what will not, and which names change.
People are found by e-mail, then by login; others get an account without a password. Nobody is notified, and what is
imported counts as read. Ctrl-C ends after the messages under way; the same command again goes on and adds nothing twice.`,
			`导入其他聊天系统的归档：人员、房间、消息（保留作者与时间）、话题、表情回应、文件。请先用 --dry-run：不作任何更改，
列出会导入什么、不会导入什么、哪些名称会改变。人员先按邮箱、再按登录名匹配，其余新建账号且不设密码。不通知任何人，
导入的内容视为已读。按 Ctrl-C 会在当前一批消息处理完后停止；再次运行同一命令即可继续，不会重复导入。`),
		Example: "  posthouse import " + system + " export.zip --dry-run\n  posthouse import " + system + " export.zip",
		Args:    a.takes(arg),
	}
	if system == migrate.Mattermost {
		cmd.Short = a.say.of("Import a Mattermost bulk export (zip or JSON lines)", "导入 Mattermost 批量导出（zip 或 JSON 行）")
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, a.say.of("only tell what would happen", "只预演，不更改"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		plan, err := a.readArchive(cmd.Context(), system, args[0])
		if err != nil {
			return err
		}
		defer plan.Close()
		// A call under way is not given up: what it did would be unknown.
		return a.reach(context.WithoutCancel(cmd.Context()), func(c caller, _ bool) error {
			return a.importPlan(cmd.Context(), c, plan, dry, *asJSON)
		})
	}
	return cmd
}

func (a *app) readArchive(ctx context.Context, system, file string) (*migrate.Plan, error) {
	show := a.progress(a.say.of("reading", "读取中"))
	defer show.end()
	unit := count
	if system == migrate.Mattermost {
		unit = texts.Bytes[int64]
	}
	read := func(done, total int64) { show.at(done, total, unit) }
	var plan *migrate.Plan
	var err error
	if system == migrate.Slack {
		plan, err = migrate.ReadSlack(ctx, file, "", read)
	} else {
		plan, err = migrate.ReadMattermost(ctx, file, "", read)
	}
	if errors.Is(err, migrate.ErrFormat) {
		return nil, errorText(a.say, fmt.Sprintf("%s is not an export of %s: %v", file, system, err), fmt.Sprintf("%s 不是 %s 的导出文件：%v", file, system, err))
	}
	return plan, err
}

func (a *app) importPlan(ctx context.Context, c caller, plan *migrate.Plan, dry, asJSON bool) error {
	im := &archiveImport{app: a, c: c, plan: plan, report: importReport{System: plan.System, DryRun: dry, Archive: plan.Totals, Losses: plan.Losses}}
	if err := im.survey(); err != nil {
		return err
	}
	var err error
	if !dry {
		if err = im.roomOnDisk(); err == nil {
			err = im.run(ctx)
		}
	}
	im.report.finish()
	if asJSON {
		return errors.Join(writeJSON(a.out, &im.report), err)
	}
	if werr := im.write(); werr != nil {
		return errors.Join(werr, err)
	}
	if refused := im.report.Result.Refused; err == nil && refused > 0 {
		err = errorText(a.say, fmt.Sprintf("%d messages were refused; the others were imported", refused), fmt.Sprintf("%d 条消息被拒绝，其余已导入", refused))
	}
	return err
}

// archiveImport is one run of import.
type archiveImport struct {
	*app
	c      caller
	plan   *migrate.Plan
	limits wire.ImportLimits
	people map[string]migrate.Match // by the person's ID
	users  map[string]id.ID         // accounts, by the person's ID
	known  map[string]*migrate.Person
	empty  bool // the box has no accounts
	rooms  map[*migrate.Room]*target
	report importReport
}

// target is what a room of the plan becomes.
type target struct {
	name string
	room id.ID // zero: not made yet
	busy bool  // it takes no imported messages
	pins int
}

// survey looks at the box and decides everything, without a change.
func (im *archiveImport) survey() error {
	if err := im.c.call("import.limits", wire.Empty{}, &im.limits); err != nil {
		return err
	}
	list, err := accounts(im.c, "", 0)
	if err != nil {
		return err
	}
	var there []migrate.Account
	by := map[string]wire.User{}
	for _, u := range list {
		there = append(there, migrate.Account{ID: u.ID.String(), Login: u.Login, Email: u.Email, Bot: u.Bot})
		by[u.Login] = u
	}
	im.people, im.users = migrate.Matching(im.plan.People, there), map[string]id.ID{}
	n := &im.report.People
	im.known, im.empty = map[string]*migrate.Person{}, len(list) == 0
	for i, p := range im.plan.People {
		im.known[p.ID] = &im.plan.People[i]
		m := im.people[p.ID]
		if m.Account != "" {
			im.users[p.ID] = by[m.Login].ID
			n.Matched++
			im.report.Found = append(im.report.Found, importFound{p.Login, p.Name, p.Email, m.Login})
		} else {
			n.New++
			if p.Disabled {
				n.Disabled++
			}
			if p.Bot {
				n.Bots++
			}
		}
		if m.Login != p.Login && m.Account == "" {
			im.report.Clashes = append(im.report.Clashes, importClash{"login", p.Login, m.Login})
		}
	}
	if err := im.surveyRooms(); err != nil {
		return err
	}
	return im.surveySpace()
}

// perCall is how many rooms, people or files go with one call.
const perCall = 200

// roomParams is a room as the server is asked for it; ok is false for a direct
// room whose people have no accounts yet.
func (im *archiveImport) roomParams(r *migrate.Room, name string) (p wire.ImportedRoom, ok bool) {
	p = wire.ImportedRoom{Key: r.Key.String(), Kind: wire.RoomKind(r.Kind), Name: name, Topic: r.Topic, Created: r.Created, By: im.users[r.Creator]}
	if r.Kind != migrate.Direct && r.Kind != migrate.Notes {
		return p, true
	}
	p.Key, p.Name = "", ""
	one, other := im.users[r.Members[0]], im.users[r.Members[len(r.Members)-1]]
	p.Pair = []id.ID{one, other}
	return p, one != 0 && other != 0
}

// askRooms asks for rooms, in as many calls as it takes.
func (im *archiveImport) askRooms(list []*migrate.Room, dry bool) error {
	for len(list) > 0 {
		n := min(perCall, len(list))
		p := wire.ImportRooms{DryRun: dry}
		var asked []*migrate.Room
		for _, r := range list[:n] {
			if room, ok := im.roomParams(r, im.rooms[r].name); ok {
				p.Rooms, asked = append(p.Rooms, room), append(asked, r)
			}
		}
		list = list[n:]
		if len(asked) == 0 {
			continue
		}
		var rows wire.ImportRoomRows
		if err := im.c.call("import.rooms", p, &rows); err != nil {
			return err
		}
		if len(rows.Rows) != len(asked) {
			return fmt.Errorf("import.rooms answered %d of %d rooms", len(rows.Rows), len(asked))
		}
		for i, row := range rows.Rows {
			t := im.rooms[asked[i]]
			t.room, t.busy = row.Room, row.Busy
			if row.Made {
				im.report.Result.Rooms++
			}
			if row.Reason != "" {
				im.report.refuse(asked[i].Messages, asked[i].Name+": "+row.Reason)
			}
		}
	}
	return nil
}

// surveyRooms finds the rooms of an earlier run and gives the others names
// that no room has.
func (im *archiveImport) surveyRooms() error {
	im.rooms = map[*migrate.Room]*target{}
	for _, r := range im.plan.Rooms {
		im.rooms[r] = &target{name: r.Name}
	}
	if err := im.askRooms(im.plan.Rooms, true); err != nil {
		return err
	}
	there, err := rooms(im.c, "")
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, r := range there {
		taken[strings.ToLower(r.Name)] = true
	}
	n := &im.report.Rooms
	for _, r := range im.plan.Rooms {
		t := im.rooms[r]
		n.count(r)
		if t.room != 0 {
			n.There++
			if t.busy {
				n.Busy++
			}
			continue
		}
		if r.Name == "" {
			continue
		}
		for i := 2; taken[strings.ToLower(t.name)]; i++ {
			t.name = migrate.Name(r.Name, "room")
			if runes := []rune(t.name); len(runes) > 90 {
				t.name = string(runes[:90])
			}
			t.name += fmt.Sprintf(" (%d)", i)
		}
		taken[strings.ToLower(t.name)] = true
		if t.name != r.Name {
			im.report.Clashes = append(im.report.Clashes, importClash{"room", r.Name, t.name})
		}
	}
	return nil
}

// fileUpload describes an attachment to the server.
func fileUpload(f *migrate.File, owner id.ID) client.Upload {
	return client.Upload{Name: f.Name, Type: f.Type, Owner: owner, Import: f.Key.String()}
}
