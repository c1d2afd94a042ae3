package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/admin"
	"posthouse/appliance/wire"
	"posthouse/sysmon/probe"
	texts "posthouse/sysmon/words"
)

// Files below watchDir. stepsFile is there once somebody has put the first steps
// away; its content is of no meaning. setupFile is JSON of setupMarks.
const (
	stepsFile = "first-steps-done"
	setupFile = "setup.json"
)

// setupMarks are what people said of the parts of the wizard; what the box can
// find out by itself is not kept.
type setupMarks struct {
	Parts map[string]setupMark `json:"parts"`
}

type setupMark struct {
	State admin.PartMark `json:"state"`
	By    string         `json:"by"` // login
	At    time.Time      `json:"at"`
}

func (s *server) watchFile(name string) string {
	return filepath.Join(s.cfg.Server.DataDir, watchDir, name)
}

// setupMarks gives an empty value when there are none yet, or when their file
// is damaged: then the wizard asks again.
func (s *server) setupMarks() setupMarks {
	var m setupMarks
	text, err := os.ReadFile(s.watchFile(setupFile))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("how far the set-up is cannot be read", "error", err)
		return setupMarks{}
	}
	return m
}

// markSetup keeps what somebody said of a part.
func (s *server) markSetup(part string, mark admin.PartMark, by string) error {
	s.setting.Lock()
	defer s.setting.Unlock()
	m := s.setupMarks()
	if m.Parts == nil {
		m.Parts = map[string]setupMark{}
	}
	m.Parts[part] = setupMark{State: mark, By: by, At: time.Now().UTC().Truncate(time.Second)}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return s.writeWatchFile(setupFile, append(text, '\n'))
}

func (s *server) writeWatchFile(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(s.watchFile(name)), 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return renameio.WriteFile(s.watchFile(name), text, 0o600)
}

// firstSteps are needs, until somebody has put them away.
func (s *server) firstSteps(ctx context.Context) []admin.FirstStep {
	if _, err := os.Stat(s.watchFile(stepsFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.needs(ctx)
}

func (s *server) skipSteps() error { return s.writeWatchFile(stepsFile, nil) }

// needs are what a server still lacks. They are asked for each time the
// overview or the wizard is opened, and read nothing but memory, the newest
// entries of the audit and two small files.
func (s *server) needs(context.Context) []admin.FirstStep {
	marks := s.setupMarks().Parts
	c := s.census()
	// A box that people use already was set up before there was a wizard.
	inUse := len(marks) == 0 && c.people > 2 && c.network && s.spoken()
	said := func(part string) bool { return inUse || marks[part].State == admin.MarkDone }
	out := []admin.FirstStep{
		{ID: "name", Part: admin.PartName, Title: texts.Of("Language and name of the organisation", "语言与组织名称"), Done: said(admin.PartName),
			Why: texts.Of("What people see before they choose.", "用户自行选择之前看到的内容。")},
		{ID: "host", Part: admin.PartHost, Title: texts.Of("The name that people type", "大家输入的名字"), Done: said(admin.PartHost),
			Why: texts.Of("It is hard to change once people trust the certificate.", "大家信任证书之后就很难再改。")},
		{ID: "certificate", Part: admin.PartCertificate, Title: texts.Of("The certificate", "证书"), Done: said(admin.PartCertificate),
			Why: texts.Of("Browsers that trust it notify and open without a connection.", "信任它的浏览器才能通知，并可离线打开。")},
	}
	if s.watch != nil {
		critical, outside := s.watch.Alerts.Told("critical")
		out = append(out,
			admin.FirstStep{ID: "channel", Part: admin.PartNotices, Title: texts.Of("Say who is told of critical alerts when the chat is down", "设置聊天不可用时紧急告警通知谁"), Done: critical && outside,
				Why: texts.Of("Add a channel outside the chat: e-mail, a DingTalk robot, SMS. Until then alerts reach the operators' room and this console alone.",
					"请添加聊天之外的渠道：电子邮件、钉钉机器人或短信。在此之前，告警仅出现在值班室和本控制台。")},
			admin.FirstStep{ID: "test", Part: admin.PartNotices, Title: texts.Of("Send a test notice", "发送测试通知"), Done: s.didOnce("channel.test"),
				Why: texts.Of("It is done when one gets through.", "送达一次即完成。")})
	}
	out = append(out,
		admin.FirstStep{ID: "people", Part: admin.PartPeople, Title: texts.Of("Invite people", "邀请成员"), Done: c.people > 2 || s.didOnce("invite.create"),
			Why: texts.Of("By link, one by one, or from a CSV file.", "通过链接、逐个添加或 CSV 导入。")},
		admin.FirstStep{ID: "trust", Title: texts.Of("Open the chat from another machine", "从另一台机器打开聊天"), Done: c.network, Href: "/admin/setup/" + admin.PartCertificate,
			Why: texts.Of(baseURL(s.cfg)+": trust the certificate there.", baseURL(s.cfg)+"：在那里信任证书。")},
		admin.FirstStep{ID: "manager", Title: texts.Of("Make a second owner or admin", "设置第二位所有者或管理员"), Done: c.managers > 1,
			Why: texts.Of("So that one lost password locks nobody out.", "避免因一个密码丢失而无人能管理。"), Href: "/admin/people"},
		admin.FirstStep{ID: "message", Title: texts.Of("Send the first message", "发送第一条消息"), Done: s.spoken(), Why: texts.Of("To a colleague, or to yourself.", "发给同事或自己。"), Href: "/"})
	if s.watch != nil {
		light := s.watch.Probes.Light()
		out = append(out, admin.FirstStep{ID: "probe", Title: texts.Of("Let the virtual users make a round", "让虚拟用户完成一轮探测"), Done: light.State == probe.LightWell || light.State == probe.LightSlow,
			Why: texts.Of("They log in, send and receive once a minute.", "它们每分钟登录、发送并接收一次。"), Href: "/admin/probes"})
	}
	for i := range out {
		out[i].Skipped = marks[out[i].Part].State == admin.MarkSkipped
	}
	return out
}

// didOnce tells whether the audit knows that something was done.
func (s *server) didOnce(action string) bool {
	list, err := s.state.Audits(wire.AuditListParams{Action: action, Outcome: "done", Limit: 1})
	return err == nil && len(list.Entries) > 0
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

// headcount are those who manage, and people; network tells whether somebody
// logged in from another machine.
type headcount struct {
	managers, people int
	network          bool
}

func (s *server) census() headcount {
	var c headcount
	for _, u := range s.state.Directory(wire.DirectoryParams{Limit: looked}, true).Users {
		if u.Disabled || u.Bot || u.Probe {
			continue
		}
		c.people++
		if u.Role == wire.Owner || u.Role == wire.Admin {
			c.managers++
		}
		for _, d := range s.state.Devices(u.ID) {
			if a, err := netip.ParseAddr(d.Address); err == nil && !a.IsLoopback() {
				c.network = true
			}
		}
	}
	return c
}
