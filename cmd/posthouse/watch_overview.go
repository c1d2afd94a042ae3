package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"posthouse/admin"
	"posthouse/appliance/wire"
	"posthouse/sysmon/probe"
	texts "posthouse/sysmon/words"
	"posthouse/webui/console"
)

// overview are the checks of the first page: what the box knows of itself, what
// the stored figures say, and what fires. The same thing is listed once.
func (s *server) overview(f *admin.Figures) func(ctx context.Context) []admin.Check {
	return func(ctx context.Context) []admin.Check {
		more := append(f.Checks(ctx), s.checkFiring(ctx))
		for i := range more {
			if more[i].ID == "storage" {
				more[i].ID = "store"
			}
		}
		// The count of firing rules does not know foreign alerts.
		more = slices.DeleteFunc(more, func(c admin.Check) bool { return c.ID == "alerts" })
		return admin.Merge(s.checks(ctx), more)
	}
}

// namedAlerts is how many alerts a check names.
const namedAlerts = 3

// checkFiring is as grave as the gravest alert that nobody silenced.
func (s *server) checkFiring(ctx context.Context) admin.Check {
	c := admin.Check{ID: "firing", Title: texts.Of("Alerts that fire", "触发中的告警"), Level: console.Good, Detail: texts.Of("none", "无"),
		Trouble: texts.Of("Alerts are firing", "告警正在触发"), Href: "/admin/alerts", Cure: texts.Of("Look", "查看")}
	active := s.watch.Alerts.Active(ctx)
	if len(active) == 0 {
		return c
	}
	var names []string
	silenced := 0
	c.Level = console.Info
	for _, a := range active {
		if len(a.SilencedBy) > 0 {
			silenced++
			continue
		}
		if level := levelOfSeverity(a.Severity()); c.Level == console.Info || graver(level, c.Level) {
			c.Level = level
		}
		name := a.Name()
		if host := a.Labels["instance"]; host != "" {
			name += " (" + host + ")"
		}
		names = append(names, name)
	}
	en, zh := fmt.Sprintf("%d fire", len(active)), fmt.Sprintf("%d 条正在触发", len(active))
	if len(active) == 1 {
		en = "1 fires"
	}
	if silenced > 0 {
		en, zh = en+fmt.Sprintf(", %d of them silenced", silenced), zh+fmt.Sprintf("，其中 %d 条已静默", silenced)
	}
	if len(names) > 0 {
		list, more := strings.Join(names[:min(len(names), namedAlerts)], ", "), ""
		if len(names) > namedAlerts {
			more = " …"
		}
		en, zh = en+": "+list+more, zh+"："+list+more
	}
	c.Detail = texts.Of(en, zh)
	return c
}

func levelOfSeverity(severity string) console.Level {
	switch severity {
	case "critical":
		return console.Critical
	case "serious":
		return console.Serious
	}
	return console.Warning
}

func graver(a, b console.Level) bool {
	order := []console.Level{console.Warning, console.Serious, console.Critical}
	return slices.Index(order, a) > slices.Index(order, b)
}

// path is the light of the message path. Where the virtual users are off, what
// becomes of people's messages is all there is.
func (s *server) path(f *admin.Figures) func(ctx context.Context) admin.Path {
	return func(ctx context.Context) admin.Path {
		var light *probe.Light
		for _, p := range s.watch.Probes.List() {
			if p.Kind == probe.Chat && !p.Disabled {
				l := s.watch.Probes.Light()
				light = &l
			}
		}
		return f.Path(ctx, light)
	}
}

// ---- first steps -----------------------------------------------------------------

// stepsFile, below watchDir: there once somebody has put the first steps away.
// Its content is of no meaning.
const stepsFile = "first-steps-done"

// firstSteps are what this server still needs. They are asked for each time the
// overview is opened, and read nothing but memory and one small file.
func (s *server) firstSteps(context.Context) []admin.FirstStep {
	if _, err := os.Stat(filepath.Join(s.cfg.Server.DataDir, watchDir, stepsFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	managers, people, network := s.census()
	critical, outside := s.watch.Alerts.Told("critical")
	tests, err := s.state.Audits(wire.AuditListParams{Action: "channel.test", Outcome: "done", Limit: 1})
	tested := err == nil && len(tests.Entries) > 0
	light := s.watch.Probes.Light()
	chat := baseURL(s.cfg)
	return []admin.FirstStep{
		{ID: "trust", Title: texts.Of("Open the chat from another machine", "从另一台机器打开聊天"), Done: network,
			Why: texts.Of(chat+": trust the certificate there.", chat+"：在那里信任证书。")},
		{ID: "manager", Title: texts.Of("Make a second owner or admin", "设置第二位所有者或管理员"), Done: managers > 1,
			Why: texts.Of("So that one lost password locks nobody out.", "避免因一个密码丢失而无人能管理。"), Href: "/#/people"},
		{ID: "people", Title: texts.Of("Invite people", "邀请成员"), Done: people > 2, Why: texts.Of("By link, one by one, or from a CSV file.", "通过链接、逐个添加或 CSV 导入。"), Href: "/#/people"},
		{ID: "message", Title: texts.Of("Send the first message", "发送第一条消息"), Done: s.spoken(), Why: texts.Of("To a colleague, or to yourself.", "发给同事或自己。"), Href: "/"},
		{ID: "channel", Title: texts.Of("Say who is told of critical alerts when the chat is down", "设置聊天不可用时紧急告警通知谁"), Done: critical && outside,
			Why: texts.Of("Add a channel outside the chat: e-mail, a DingTalk robot, SMS. Until then alerts reach the operators' room and this console alone.",
				"请添加聊天之外的通道：电子邮件、钉钉机器人或短信。在此之前，告警仅出现在值班室和本控制台。"), Href: "/admin/channels"},
		{ID: "test", Title: texts.Of("Send a test notice", "发送测试通知"), Done: tested, Why: texts.Of("Each channel has a button for it. It is done when one gets through.", "每个通知渠道都有测试按钮，送达一次即完成。"), Href: "/admin/channels"},
		{ID: "probe", Title: texts.Of("Let the virtual users make a round", "让虚拟用户完成一轮探测"), Done: light.State == probe.LightWell || light.State == probe.LightSlow,
			Why: texts.Of("They log in, send and receive once a minute.", "它们每分钟登录、发送并接收一次。"), Href: "/admin/probes"},
	}
}

// spoken tells whether anybody wrote: what is in the rooms of the box's own
// account, the operators' room, does not count.
func (s *server) spoken() bool {
	n := s.state.Counts().Messages
	if bot, ok := s.state.UserByLogin(boxLogin); ok && bot.Bot {
		for room := range s.state.RoomsOf(bot.ID) {
			n -= min(n, s.state.Written(room))
		}
	}
	return n > 0
}

// looked is how many accounts a census looks at: enough to tell a new server
// from one that is in use.
const looked = 500

// census counts those who manage, and people; network tells whether somebody
// logged in from another machine.
func (s *server) census() (managers, people int, network bool) {
	for _, u := range s.state.Directory(wire.DirectoryParams{Limit: looked}, true).Users {
		if u.Disabled || u.Bot || u.Probe {
			continue
		}
		people++
		if u.Role == wire.Owner || u.Role == wire.Admin {
			managers++
		}
		for _, d := range s.state.Devices(u.ID) {
			if a, err := netip.ParseAddr(d.Address); err == nil && !a.IsLoopback() {
				network = true
			}
		}
	}
	return managers, people, network
}

func (s *server) skipSteps() error {
	return renameio.WriteFile(filepath.Join(s.cfg.Server.DataDir, watchDir, stepsFile), nil, 0o600)
}
