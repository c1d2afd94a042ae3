package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/admin"
	"posthouse/appliance/gate"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	texts "posthouse/sysmon/words"
	"posthouse/webui"
	"posthouse/webui/console"
)

// consoleMount is the console's part of the address space. It is served where
// the chat is, or on listeners of its own.
func (s *server) consoleMount() gate.Mount {
	return gate.Mount{Prefix: "/admin", Apart: len(s.cfg.Console.Listen) > 0, Allowed: s.mayAdminister,
		Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string { return s.console.Serve(ctx, s.visitor(ctx, v)) }}
}

// mayAdminister asks console.allowed_networks as it is now.
func (b *box) mayAdminister(from netip.Addr) bool {
	nets := b.live.Load().Console.Networks()
	return len(nets) == 0 || slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(from.WithZone("")) })
}

// visitor tells the console who the gate found.
func (s *server) visitor(ctx *fasthttp.RequestCtx, v gate.Visitor) admin.Visitor {
	return admin.Visitor{User: v.Actor.User, Device: v.Actor.Device, Role: v.Actor.Role, Operator: v.Actor.Operator, LoggedIn: v.LoggedIn,
		Login: v.Login, Name: v.Name, Lang: v.Lang, Trace: v.Trace, Address: v.Address, Secure: v.Secure, Proof: v.Proof,
		Call: func(method string, params any) (any, error) {
			result, err := s.gate.Call(ctx, v, method, params)
			if err != nil {
				return nil, err
			}
			return result, nil
		},
		Still: func() (wire.Role, bool) {
			a, ok := s.gate.Still(v)
			return a.Role, ok
		}}
}

// consoleOptions are what the console knows of this server.
func (s *server) consoleOptions() admin.Options {
	script, style := webui.Console()
	o := admin.Options{Log: s.log, Version: version(), Script: script, Style: style, Language: s.cfg.Server.Language, Organisation: s.state.Organisation,
		Overview:   admin.Overview{Checks: s.checks, Gauges: s.gauges, Facts: s.facts, Failures: s.chat.FailedLogins},
		StatusPage: func() bool { return s.live.Load().Console.StatusPage },
		Banners:    s.banners, Inside: s.inside(), Support: s.support,
		Accounts: admin.Accounts{ByLogin: s.state.UserByLogin, Footing: func(user id.ID) admin.Footing {
			rooms, devices, seen, password := s.state.Footing(user)
			return admin.Footing{Rooms: rooms, Devices: devices, Seen: seen, Password: password}
		}},
	}
	o.Minding.Audit = s.chat.Audit
	o.Overview.Steps, o.Overview.Skip = s.firstSteps, s.skipSteps
	o.Setup = s.wizard()
	s.watchOptions(&o)
	return o
}

// checks are what the box knows of itself without measuring.
func (s *server) checks(context.Context) []admin.Check {
	out := []admin.Check{s.checkStore(), s.checkDisk()}
	if s.cert != nil {
		out = append(out, s.checkCertificate(time.Now()))
	}
	return out
}

func (s *server) checkStore() admin.Check {
	c := admin.Check{ID: "store", Title: texts.Of("Messages are stored", "消息可以存储"), Level: console.Good, Trouble: texts.Of("Nothing can be stored", "无法存储任何内容"),
		Detail: texts.Of("the journal takes what comes", "日志账本可写入")}
	if why, is := s.readOnly(); is {
		c.Level, c.Detail = console.Critical, texts.Of("read-only: "+why.EN, "只读："+why.ZH)
	}
	return c
}

// readOnly says why nothing can be stored now, when that is so.
func (s *server) readOnly() (why texts.Text, is bool) {
	err := s.seq.ReadOnly()
	var refusal *wire.Error
	switch {
	case err == nil:
		return texts.Text{}, false
	case errors.As(err, &refusal):
		return texts.Of(refusal.Text.En, refusal.Text.Zh), true
	}
	return texts.Of(err.Error(), err.Error()), true
}

// space is the data directory's volume: bytes in use and in all; NaN if it
// cannot be seen.
func (s *server) space() (used, all float64) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.cfg.Server.DataDir, &fs); err != nil {
		return math.NaN(), math.NaN()
	}
	size := float64(fs.Bsize)
	used = float64(fs.Blocks-fs.Bfree) * size
	return used, used + float64(fs.Bavail)*size
}

func (s *server) checkDisk() admin.Check {
	used, all := s.space()
	v := console.View{}
	share := fmt.Sprintf("%s / %s", v.Bytes(used), v.Bytes(all))
	c := admin.Check{ID: "disk", Title: texts.Of("The disk has room", "磁盘空间充足"), Level: console.Good,
		Trouble: texts.Of("The disk is almost full", "磁盘即将用满"), Detail: texts.Of(share+" used", "已用 "+share)}
	switch free := all - used; {
	case math.IsNaN(used):
		c.Level, c.Detail = console.Warning, texts.Of("free space cannot be seen", "无法查看可用空间")
	case free < hardReserve:
		c.Level = console.Critical
	case free < float64(s.live.Load().Files.FreeReserveBytes):
		c.Level = console.Serious
	case used/all > 0.9:
		c.Level = console.Warning
	}
	return c
}

// renewalPatience is how overdue the renewal of a certificate may be before its
// end worries; the rules of CertificateExpiresSoon have the same.
const renewalPatience = 6 * time.Hour

func (s *server) checkCertificate(now time.Time) admin.Check {
	until, renewed := s.cert.Status().NotAfter, s.cert.Status().RenewAt
	days := int(until.Sub(now).Hours() / 24)
	c := admin.Check{ID: "certificate", Title: texts.Of("The certificate is valid", "证书有效"), Level: console.Good, Trouble: texts.Of("The certificate expires", "证书即将过期"),
		Detail: texts.Of(fmt.Sprintf("%d days left", days), fmt.Sprintf("还有 %d 天", days))}
	switch {
	case !renewed.IsZero() && now.Before(renewed.Add(renewalPatience)) && now.Before(until):
		c.Detail = texts.Of(fmt.Sprintf("%d days left, renewed on %s", days, renewed.Format(time.DateOnly)), fmt.Sprintf("还有 %d 天，将于 %s 自动更新", days, renewed.Format(time.DateOnly)))
	case days < 3:
		c.Level = console.Critical
	case days < 14:
		c.Level = console.Serious
	}
	return c
}

func (s *server) gauges(context.Context) []admin.Gauge {
	used, all := s.space()
	return []admin.Gauge{{ID: "disk", Title: texts.Of("Disk", "磁盘"), Used: used, Limit: all, Unit: admin.Bytes}}
}

func (s *server) facts(context.Context) []admin.Fact {
	out := []admin.Fact{
		{Name: texts.Of("Version", "版本"), Value: texts.Of(version(), version())},
		{Name: texts.Of("Running since", "启动时间"), At: s.began},
	}
	if s.cert != nil {
		out = append(out, admin.Fact{Name: texts.Of("Certificate valid until", "证书有效期至"), At: s.cert.Status().NotAfter})
	}
	if s.watch != nil {
		if unclean, seen := s.watch.Host.LastRun(); unclean {
			at := seen.UTC().Format("2006-01-02 15:04 UTC")
			out = append(out, admin.Fact{Name: texts.Of("The run before", "上一次运行"), Level: console.Warning, Value: texts.Of("did not end properly; last alive "+at, "未正常结束；最后存活于 "+at)})
		}
	}
	return out
}

// banners are said on every page.
func (s *server) banners(ctx context.Context) []admin.Banner {
	var out []admin.Banner
	for _, c := range s.checks(ctx) {
		if c.Level == console.Critical || c.Level == console.Serious {
			out = append(out, admin.Banner{ID: c.ID, Level: c.Level, Text: texts.Of(c.Trouble.EN+": "+c.Detail.EN, c.Trouble.ZH+"："+c.Detail.ZH)})
		}
	}
	switch last := s.reloaded.Load(); {
	case last == nil:
	case last.refused != nil:
		out = append(out, admin.Banner{ID: "config", Level: console.Serious, Text: texts.Of("The configuration has a mistake, so the one before holds: "+last.refused.Error(), "配置有误，仍使用之前的配置："+last.refused.Error())})
	case len(last.waiting) > 0:
		keys := strings.Join(last.waiting, ", ")
		out = append(out, admin.Banner{ID: "restart", Level: console.Warning, Text: texts.Of("These settings wait for a restart of the server: "+keys, "以下设置在服务器重启后生效："+keys)})
	}
	return out
}

// bindConsole opens the console's own listeners.
func (s *server) bindConsole() error {
	s.cfg.Console.Listen = slices.Clone(s.cfg.Console.Listen)
	for i, addr := range s.cfg.Console.Listen {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen for the console (console.listen): %w", err)
		}
		s.consoles = append(s.consoles, ln)
		s.cfg.Console.Listen[i] = bound(addr, ln)
	}
	return nil
}

// consoleURL is where the console is opened.
func (b *box) consoleURL() string {
	if len(b.cfg.Console.Listen) == 0 {
		return baseURL(b.cfg) + "/admin"
	}
	_, port, err := net.SplitHostPort(b.cfg.Console.Listen[0])
	if err != nil {
		return ""
	}
	return "https://" + net.JoinHostPort(b.cfg.Server.HostName, port) + "/admin"
}

// consoleFor is the console's address for a link in the chat: a path where the
// chat is, whatever name it was reached by.
func (b *box) consoleFor(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil || !b.mayAdminister(a) {
		return ""
	}
	if len(b.cfg.Console.Listen) == 0 {
		return "/admin"
	}
	return b.consoleURL()
}
