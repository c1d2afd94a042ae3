package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"posthouse/appliance/migrate"
	"posthouse/appliance/wire"
	texts "posthouse/sysmon/words"
)

// importReport is what import tells, also as JSON.
type importReport struct {
	System   string         `json:"system"`
	DryRun   bool           `json:"dry_run"`
	People   importPeople   `json:"people"`
	Rooms    importRooms    `json:"rooms"`
	Archive  migrate.Totals `json:"archive"`
	Losses   []migrate.Loss `json:"not_imported"`
	Found    []importFound  `json:"accounts_found"`
	Clashes  []importClash  `json:"renamed"`
	Warnings []string       `json:"warnings"`
	Needed   int64          `json:"bytes_needed"`
	Free     int64          `json:"bytes_free"`
	Result   importResult   `json:"result"`
}

type importPeople struct {
	New      int `json:"new"`
	Matched  int `json:"matched"`
	Disabled int `json:"disabled"` // of the new ones
	Bots     int `json:"bots"`     // of the new ones
}

type importRooms struct {
	Channels int `json:"channels"`
	Groups   int `json:"groups"`
	Directs  int `json:"directs"`
	Notes    int `json:"notes"`
	Archived int `json:"archived"`
	There    int `json:"there"` // made by an earlier run, or by people
	Busy     int `json:"busy"`  // people have written in them
}

func (n *importRooms) count(r *migrate.Room) {
	switch r.Kind {
	case migrate.Channel:
		n.Channels++
	case migrate.Group:
		n.Groups++
	case migrate.Direct:
		n.Directs++
	case migrate.Notes:
		n.Notes++
	}
	if r.Archived {
		n.Archived++
	}
}

// importFound is a person who has an account here.
type importFound struct {
	From  string `json:"from"` // login there
	Name  string `json:"name"` // name there
	Email string `json:"email"`
	To    string `json:"to"` // login here
}

type importClash struct {
	Kind string `json:"kind"` // login or room
	From string `json:"from"`
	To   string `json:"to"`
}

// importResult is what a run has done; all zero after a dry run.
type importResult struct {
	People       int      `json:"people"`
	Rooms        int      `json:"rooms"`
	Messages     int      `json:"messages"`
	Again        int      `json:"messages_there_already"`
	Busy         int      `json:"messages_for_rooms_in_use"`
	Files        int      `json:"files"`
	Bytes        int64    `json:"file_bytes"`
	FilesRefused int      `json:"files_refused"`
	Refused      int      `json:"refused"`
	Examples     []string `json:"refused_examples"`
	Logins       []string `json:"accounts_without_password"`
}

func (r *importReport) refuse(n int, example string) {
	r.Result.Refused += n
	if len(r.Result.Examples) < 10 && !slices.Contains(r.Result.Examples, example) {
		r.Result.Examples = append(r.Result.Examples, example)
	}
}

func (r *importReport) lose(what, example string) {
	i := slices.IndexFunc(r.Losses, func(l migrate.Loss) bool { return l.What == what })
	if i < 0 {
		r.Losses = append(r.Losses, migrate.Loss{What: what})
		i = len(r.Losses) - 1
	}
	l := &r.Losses[i]
	if l.Count++; len(l.Examples) < 5 && !slices.Contains(l.Examples, example) {
		l.Examples = append(l.Examples, example)
	}
}

// finish makes lists of what is nil, for programs.
func (r *importReport) finish() {
	if r.Losses == nil {
		r.Losses = []migrate.Loss{}
	}
	if r.Found == nil {
		r.Found = []importFound{}
	}
	if r.Clashes == nil {
		r.Clashes = []importClash{}
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Result.Examples == nil {
		r.Result.Examples = []string{}
	}
	if r.Result.Logins == nil {
		r.Result.Logins = []string{}
	}
}

// messageBytes is about what a message takes on the disk beside its text:
// journal and state file together.
const messageBytes = 900

// surveySpace compares what comes with quotas and the free space.
func (im *archiveImport) surveySpace() error {
	cfg, _, err := im.config()
	if err != nil {
		return err
	}
	im.report.Needed = im.plan.Totals.Bytes + int64(im.plan.Totals.Messages)*messageBytes
	var fs syscall.Statfs_t
	if err := syscall.Statfs(cfg.Server.DataDir, &fs); err != nil {
		return fmt.Errorf("look at the free space of %s: %w", cfg.Server.DataDir, err)
	}
	im.report.Free = max(0, int64(fs.Bavail)*fs.Bsize-max(int64(cfg.Files.FreeReserveBytes), hardReserve))
	if im.report.Needed > im.report.Free {
		im.warn("the disk of the data directory has room for %s, the import needs about %s", "数据目录所在磁盘可用 %s，导入约需 %s", texts.Bytes(im.report.Free), texts.Bytes(im.report.Needed))
	}
	owners, byRoom := map[string]int64{}, map[*migrate.Room]int64{}
	seen := map[migrate.Key]bool{}
	for _, r := range im.plan.Rooms {
		if n := len(r.Members); n > im.limits.RoomMembers {
			im.warn("room %s has %d members, more than %d", "房间 %s 有 %d 名成员，超过 %d", r.Name, n, im.limits.RoomMembers)
		}
		if !r.HasFiles() {
			continue
		}
		if err := im.plan.Each(r, func(e *migrate.Entry) error {
			for _, f := range e.Files {
				if f.Path == "" {
					continue
				}
				byRoom[r] += f.Size
				if !seen[f.Key] {
					seen[f.Key] = true
					owners[e.Author] += f.Size
				}
				if f.Size > im.limits.FileBytes {
					im.warn("file %s is larger than a file may be", "文件 %s 超过单个文件上限", f.Name)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if byRoom[r] > im.limits.RoomQuota {
			im.warn("the files of room %s (%s) pass its quota of %s", "房间 %s 的文件（%s）超过配额 %s", r.Name, texts.Bytes(byRoom[r]), texts.Bytes(im.limits.RoomQuota))
		}
	}
	return im.surveyQuotas(owners)
}

// surveyQuotas finds the people whose files would pass their quota.
func (im *archiveImport) surveyQuotas(owners map[string]int64) error {
	for _, p := range im.plan.People {
		n := owners[p.ID]
		if uid := im.users[p.ID]; n > 0 && uid != 0 {
			var u wire.Usage
			if err := im.c.call("file.usage", wire.UsageParams{Subject: uid}, &u); err != nil {
				return err
			}
			n += u.Bytes
		}
		if n > im.limits.UserQuota {
			im.warn("the files of %s (%s) pass the quota of %s; those past it are left out, or raise limits.user_quota_bytes", "%s 的文件（%s）超过配额 %s；超出部分将略去，也可调高 limits.user_quota_bytes",
				im.people[p.ID].Login, texts.Bytes(n), texts.Bytes(im.limits.UserQuota))
		}
	}
	return nil
}

func (im *archiveImport) warn(en, zh string, args ...any) {
	if len(im.report.Warnings) < 100 {
		im.report.Warnings = append(im.report.Warnings, im.say.ofN(en, zh, args...))
	}
}

// roomOnDisk refuses an import that the disk cannot hold.
func (im *archiveImport) roomOnDisk() error {
	if im.report.Needed <= im.report.Free {
		return nil
	}
	return errorText(im.say, fmt.Sprintf("the import needs about %s and the disk has room for %s; nothing was changed: make room first", texts.Bytes(im.report.Needed), texts.Bytes(im.report.Free)),
		fmt.Sprintf("导入约需 %s，磁盘可用 %s；未作任何更改，请先清理空间", texts.Bytes(im.report.Needed), texts.Bytes(im.report.Free)))
}

// write prints the report for people.
func (im *archiveImport) write() error {
	r, say := &im.report, im.say
	t := table{head: []string{say.of("WHAT", "内容"), say.of("COUNT", "数量"), say.of("DETAILS", "说明")}, right: []int{1}}
	n := func(v int) string { return fmt.Sprint(v) }
	t.add(say.of("people", "人员"), n(r.People.New+r.People.Matched), say.ofN("new %d (disabled %d, bots %d), have an account %d", "新建 %d（停用 %d，机器人 %d），已有账号 %d", r.People.New, r.People.Disabled, r.People.Bots, r.People.Matched))
	t.add(say.of("rooms", "房间"), n(r.Rooms.Channels+r.Rooms.Groups+r.Rooms.Directs+r.Rooms.Notes), say.ofN("channels %d, groups %d, direct %d, notes %d; archived %d; there already %d, in use %d",
		"频道 %d，群组 %d，私聊 %d，笔记 %d；归档 %d；已存在 %d，使用中 %d", r.Rooms.Channels, r.Rooms.Groups, r.Rooms.Directs, r.Rooms.Notes, r.Rooms.Archived, r.Rooms.There, r.Rooms.Busy))
	t.add(say.of("messages", "消息"), n(r.Archive.Messages), when(r.Archive.First)+" – "+when(r.Archive.Last))
	t.add(say.of("threads", "话题"), n(r.Archive.Threads), say.ofN("replies %d", "回复 %d", r.Archive.Replies))
	t.add(say.of("reactions", "表情回应"), n(r.Archive.Reactions), say.ofN("edited messages %d, pinned %d", "编辑过的消息 %d，置顶 %d", r.Archive.Edited, r.Archive.Pinned))
	t.add(say.of("files", "文件"), n(r.Archive.Files), say.ofN("%s; missing %d", "%s；缺失 %d", texts.Bytes(r.Archive.Bytes), r.Archive.Missing))
	if err := t.write(im.out); err != nil {
		return err
	}
	if err := im.writeFound(); err != nil {
		return err
	}
	if len(r.Losses) > 0 {
		fmt.Fprintln(im.out, "\n"+say.of("What does not come over, or not as it was:", "不会导入或会有变化的内容："))
		t := table{head: []string{say.of("COUNT", "数量"), say.of("WHAT", "内容"), say.of("EXAMPLES", "示例")}, right: []int{0}}
		for _, l := range r.Losses {
			t.add(n(l.Count), im.loss(l.What), strings.Join(l.Examples, " | "))
		}
		if err := t.write(im.out); err != nil {
			return err
		}
	}
	if len(r.Clashes) > 0 {
		fmt.Fprintln(im.out, "\n"+say.of("Names that are taken, and what they become:", "已被占用的名称及其新名称："))
		for _, c := range r.Clashes {
			kind := say.of("login", "登录名")
			if c.Kind == "room" {
				kind = say.of("room", "房间")
			}
			fmt.Fprintf(im.out, "%s  %s → %s\n", kind, clean(c.From), clean(c.To))
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(im.errOut, clean(say.of("warning: ", "警告：")+w))
	}
	im.writeResult()
	return nil
}

// foundLines is how many of the accounts found are printed.
const foundLines = 40

// writeFound prints who gets whose history: an e-mail in a profile is written
// by its owner, so somebody has to look.
func (im *archiveImport) writeFound() error {
	found, say := im.report.Found, im.say
	if len(found) == 0 {
		return nil
	}
	fmt.Fprintln(im.out, "\n"+say.of("People who have an account here; each gets the messages of the person beside it, so look whether they are the same:", "已有账号的人员；各账号将获得所列人员的消息，请核对是否为同一人："))
	t := table{head: []string{say.of("ACCOUNT", "账号"), say.of("LOGIN THERE", "原登录名"), say.of("NAME THERE", "原姓名"), say.of("E-MAIL", "邮箱")}}
	for _, f := range found[:min(len(found), foundLines)] {
		t.add(f.To, f.From, f.Name, f.Email)
	}
	if err := t.write(im.out); err != nil {
		return err
	}
	if more := len(found) - foundLines; more > 0 {
		fmt.Fprintln(im.out, say.ofN("… and %d more; --json lists all", "……另有 %d 人；--json 可列出全部", more))
	}
	return nil
}

func (im *archiveImport) writeResult() {
	r, say := &im.report, im.say
	if r.DryRun {
		fmt.Fprintln(im.errOut, say.of("nothing was changed", "未作任何更改"))
		return
	}
	x := r.Result
	fmt.Fprintln(im.errOut, say.ofN("imported: %d accounts, %d rooms, %d messages, %d files (%s); there already: %d messages",
		"已导入：账号 %d，房间 %d，消息 %d，文件 %d（%s）；先前已导入：消息 %d", x.People, x.Rooms, x.Messages, x.Files, texts.Bytes(x.Bytes), x.Again))
	if x.Busy > 0 {
		fmt.Fprintln(im.errOut, say.ofN("%d messages were left out: people have written in their rooms already, and messages of the past cannot come after theirs", "%d 条消息未导入：所属房间已有人发言，历史消息不能排在其后", x.Busy))
	}
	if x.FilesRefused > 0 {
		fmt.Fprintln(im.errOut, say.ofN("%d files were not taken; a line names each", "%d 个文件未导入，已以一行文字注明", x.FilesRefused))
	}
	for _, e := range x.Examples {
		fmt.Fprintln(im.errOut, clean(say.of("refused: ", "被拒绝：")+e))
	}
	if len(x.Logins) > 0 {
		fmt.Fprintln(im.errOut, say.ofN("%d new accounts have no password: nobody can log in with them until you give one, for example: posthouse user passwd %s --generate",
			"%d 个新账号没有密码，设置之前无法登录，例如：posthouse user passwd %s --generate", len(x.Logins), x.Logins[0]))
	}
}

// loss names what does not come over.
func (im *archiveImport) loss(what string) string {
	for _, l := range lossWords() {
		if l[0] == what {
			return im.say.of(l[1], l[2])
		}
	}
	return what
}

func lossWords() [][3]string {
	return [][3]string{
		{migrate.NotJoins, "lines that somebody joined or left: left out", "加入或离开的系统行：略去"},
		{migrate.NotSystem, "other lines written by the system: left out", "其他系统行：略去"},
		{migrate.NotDeleted, "deleted messages and files: nothing is left of them", "已删除的消息与文件：无内容可导入"},
		{migrate.NotHuddles, "huddles and calls: left out", "语音会话与通话：略去"},
		{migrate.NotCanvas, "canvases and lists: left out", "画布与列表：略去"},
		{migrate.NotWorkflows, "workflows and integrations: left out", "工作流与集成：略去"},
		{migrate.NotEmoji, "own emoji: stay as :name:", "自定义表情：保留为 :名称:"},
		{migrate.NotBlocks, "app messages with a layout: only their text comes", "带版式的应用消息：仅导入文本"},
		{migrate.NotPreviews, "previews of links: left out", "链接预览：略去"},
		{migrate.NotFiles, "files that the archive does not hold: a line names them", "归档中没有的文件：以一行文字注明"},
		{migrate.NotBookmarks, "bookmarks: left out", "书签：略去"},
		{migrate.NotPlaybooks, "playbooks and boards: left out", "剧本与看板：略去"},
		{migrate.NotPictures, "people's pictures: left out", "头像：略去"},
		{migrate.NotRoles, "owners, admins, guests: become members", "所有者、管理员、访客：均成为普通成员"},
		{migrate.NotPersonal, "saved messages, favourites, personal settings: left out", "收藏与个人设置：略去"},
		{migrate.NotThreads, "replies to a missing message: come without the thread", "首条缺失的话题回复：作为普通消息导入"},
		{migrate.NotAuthors, "authors who are not in the list of people: disabled accounts", "人员列表中没有的作者：新建为停用账号"},
		{migrate.NotRooms, "days of messages of rooms that are not listed: left out", "未列出房间的消息：略去"},
		{migrate.NotDamaged, "entries that cannot be read: left out", "无法读取的条目：略去"},
		{migrate.NotTwice, "entries that are there twice: taken once", "重复的条目：只取一次"},
		{migrate.NotKnown, "entries of unknown kinds: left out", "未知种类的条目：略去"},
		{migrate.NotReactions, "reactions past a limit or of unknown people: left out", "超出上限或来自未知人员的表情回应：略去"},
		{migrate.NotTeams, "teams and permission schemes: left out", "团队与权限方案：略去"},
		{migrate.NotPins, "pinned messages past a hundred in a room: not pinned", "房间中超过一百条的置顶：不置顶"},
		{migrate.NotMembership, "memberships of unknown people or rooms: left out", "未知人员或房间的成员关系：略去"},
	}
}
