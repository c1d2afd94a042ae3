package main

import (
	"context"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"posthouse/admin"
	"posthouse/appliance/wire"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	texts "posthouse/sysmon/words"
)

// eventOf tells what an entry of the audit may have to do with a fault.
func eventOf(e wire.AuditEntry) (health.Event, bool) {
	ev := health.Event{At: time.UnixMilli(e.At), Who: e.Name, Detail: e.Detail, Link: "/admin/audit?action=" + url.QueryEscape(e.Action)}
	switch area, _, _ := strings.Cut(e.Action, "."); {
	case e.Outcome != "done":
		return ev, false
	case e.Action == auditConfig:
		ev.Kind, ev.What, ev.Detail = health.ConfigChanged, says("%s was changed", "%s 已修改", e.Object), e.Object+": "+e.Detail
		ev.Revert = "revert_config"
	case e.Action == auditUpgraded:
		ev.Kind, ev.What = health.Upgraded, says("another version: %s", "版本变更：%s", e.Object)
	case e.Action == auditStarted:
		ev.Kind, ev.What = health.Restarted, texts.Of("the server was started", "服务器启动")
	case e.Action == "user.create" && strings.Contains(e.Detail, "bot=true"), e.Action == "user.token", e.Action == "hook.create":
		ev.Kind, ev.What = health.NewBot, says("a new program: %s", "新程序：%s", e.Object)
	case area == "backup":
		ev.Kind, ev.What = health.BackupRan, says("backup: %s", "备份：%s", e.Action)
	case area == "rule", area == "rules", area == "alerting", area == "silence":
		ev.Kind, ev.What = health.RuleEdited, tellAct(e)
	default:
		ev.Kind, ev.What = health.Acted, tellAct(e)
	}
	return ev, true
}

// tellAct puts an act into words, and says what it was done to.
func tellAct(e wire.AuditEntry) texts.Text {
	deed, object := admin.Deed(e.Action), e.Object
	if e.Action == "silence.add" || e.Action == "alert.silence" {
		object = e.Detail // the object is a number
	}
	if object == "" {
		return deed
	}
	return texts.Of(deed.EN+": "+object, deed.ZH+"："+object)
}

// routine are the checks that figures cannot do.
func (s *server) routine() []checklist.Check {
	return []checklist.Check{
		{ID: "log", Periods: []checklist.Period{checklist.Daily}, Name: texts.Of("Faults of the server", "服务器故障"), Link: "/admin/alerts?name=HighErrorRate", Do: s.checkFaults},
		{ID: "cleaning", Periods: []checklist.Period{checklist.Weekly}, Name: texts.Of("Cleaning up", "清理"), Link: "/admin/health#forecast", Do: s.checkCleaning},
		{ID: "accounts", Periods: []checklist.Period{checklist.Monthly}, Name: texts.Of("Accounts and passwords", "账号与密码"), Link: "/admin/audit", Do: s.checkAccounts},
		{ID: "version", Periods: []checklist.Period{checklist.Weekly, checklist.Monthly}, Name: texts.Of("Program and what it is made of", "程序与依赖"), Do: s.checkProgram},
		{ID: "journal", Periods: []checklist.Period{checklist.Monthly}, Name: texts.Of("State agrees with the journal", "状态与日志账本一致"), Do: s.checkState},
	}
}

func (s *server) checkFaults(_ context.Context, span checklist.Span) (health.Status, texts.Text, error) {
	kinds, panics := 0, 0
	for _, f := range s.figures.faults.List() {
		if f.Last.Before(span.From) {
			continue
		}
		if kinds++; f.Panic {
			panics++
		}
	}
	status := health.Good
	if kinds > 0 {
		status = health.Warn
	}
	if panics > 0 {
		status = health.Bad
	}
	return status, says("%d kinds of faults, %d of them panics", "%d 类故障，其中 %d 类为崩溃", kinds, panics), nil
}

// binShare is the share of the volume from which the bin is worth a word.
const binShare = 0.1

func (s *server) checkCleaning(context.Context, checklist.Span) (health.Status, texts.Text, error) {
	u, err := s.blobs.Usage()
	if err != nil {
		return "", texts.Text{}, err
	}
	status := health.Good
	if _, all := s.space(); float64(u.BinnedBytes) > binShare*all {
		status = health.Warn
	}
	return status, says("the bin holds %d MiB, %d uploads are unfinished, the journal has %d segments", "回收站 %d MiB，未完成上传 %d 个，日志段 %d 个", u.BinnedBytes>>20, u.Uploads, len(s.journal.Segments())), nil
}

// unseenAfter is how long a manager may be away before a person should look.
const unseenAfter = 90 * 24 * time.Hour

// checkAccounts looks for managers that nobody uses, and for invitations.
func (s *server) checkAccounts(_ context.Context, span checklist.Span) (health.Status, texts.Text, error) {
	managers, away := 0, []string(nil)
	p := wire.DirectoryParams{Limit: 500}
	for {
		list := s.state.Directory(p, true)
		for _, u := range list.Users {
			p.After = u.ID
			if u.Disabled || u.Bot || u.Role != wire.Owner && u.Role != wire.Admin && u.Role != wire.Auditor {
				continue
			}
			managers++
			seen := int64(0)
			for _, d := range s.state.Devices(u.ID) {
				seen = max(seen, d.LastSeen)
			}
			if span.To.UnixMilli()-seen > unseenAfter.Milliseconds() {
				away = append(away, u.Login)
			}
		}
		if !list.More || len(list.Users) == 0 {
			break
		}
	}
	invites := len(s.state.Invites(span.To))
	if len(away) > 0 {
		names := strings.Join(away, ", ")
		return health.Warn, says("%d managers, not seen for 90 days: %s; %d invitations are open", "管理账号 %d 个，90 天未使用：%s；有效邀请 %d 个", managers, names, invites), nil
	}
	return health.Good, says("%d managers, all in use; %d invitations are open", "管理账号 %d 个，均在使用；有效邀请 %d 个", managers, invites), nil
}

func (s *server) checkProgram(context.Context, checklist.Span) (health.Status, texts.Text, error) {
	built, libraries, goes := "", 0, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		libraries, goes = len(info.Deps), info.GoVersion
		for _, set := range info.Settings {
			if set.Key == "vcs.time" {
				built = set.Value
			}
		}
	}
	status := health.Good
	text := fmt.Sprintf("%s %s", version(), goes)
	if at, err := time.Parse(time.RFC3339, built); err == nil {
		text += at.Format(" 2006-01-02")
		if time.Since(at) > 180*24*time.Hour {
			status = health.Warn
		}
	}
	return status, says("%s, %d libraries; ask for a newer version when it is older than half a year", "%s，%d 个依赖库；超过半年请检查新版本", text, libraries), nil
}

// checkState compares positions, which the checksums of the journal vouch for.
func (s *server) checkState(context.Context, checklist.Span) (health.Status, texts.Text, error) {
	head, applied := s.journal.Head(), s.state.Applied()
	if applied > head {
		return health.Bad, says("state stands at %d, past the journal's %d: run posthouse verify", "状态位置 %d 超过日志 %d：请运行 posthouse verify", applied, head), nil
	}
	return health.Good, says("both stand at %d; posthouse verify compares every entry", "位置 %d 一致；posthouse verify 可逐条比对", head), nil
}
