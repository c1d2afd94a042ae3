package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"posthouse/appliance/config"
	"posthouse/appliance/gate"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/sysmon/runbook"
	texts "posthouse/sysmon/words"
)

// says makes a text of the same format in both languages.
func says(en, zh string, args ...any) texts.Text {
	return texts.Of(fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...))
}

func cannot(en, zh string) error { return &runbook.Refusal{Text: texts.Of(en, zh)} }

// told turns a refusal of the chat into one of the runbook's, so that it is
// told in both languages.
func told(err error) error {
	var e *wire.Error
	if errors.As(err, &e) {
		return &runbook.Refusal{Text: texts.Of(e.Text.En, e.Text.Zh)}
	}
	return err
}

type deed = func(ctx context.Context, t runbook.Target) (texts.Text, error)

// fixed is a dry run that always says the same.
func fixed(en, zh string) deed {
	return func(context.Context, runbook.Target) (texts.Text, error) { return texts.Of(en, zh), nil }
}

// deeds are what the actions of runbooks do.
func (s *server) deeds() map[string]runbook.Deed {
	all := map[string]runbook.Deed{
		"free_memory":      {Dry: dryFree, Run: freeMemory},
		"heap_profile":     {Dry: s.profiles.dry("heap"), Run: s.profiles.keep("heap", s.profiles.heap)},
		"cpu_profile":      {Dry: s.profiles.dry("cpu"), Run: s.profiles.keep("cpu", s.profiles.cpu)},
		"goroutines":       {Dry: s.profiles.dry("goroutines"), Run: s.profiles.keep("goroutines", s.profiles.goroutines)},
		"trim_thumbnails":  {Dry: s.dryThumbnails, Run: s.trimThumbnails},
		"housekeeping":     {Dry: s.dryHousekeeping, Run: s.housekeeping},
		"flush_state":      {Dry: s.dryFlush, Run: s.flushState},
		"rebuild_search":   {Dry: s.dryRebuild, Run: s.rebuildSearch},
		"debug_log":        {Dry: s.dryDebugLog, Run: s.debugLog},
		"revert_config":    {Dry: s.dryRevert, Run: s.revert},
		"read_only_on":     {Dry: s.dryReadOnly(true), Run: s.setReadOnly(true)},
		"read_only_off":    {Dry: s.dryReadOnly(false), Run: s.setReadOnly(false)},
		"end_session":      {Dry: s.dryEndSession, Run: s.endSession},
		"disable_account":  {Dry: s.dryDisable, Run: s.disable},
		"cancel_operation": {Dry: s.dryCancel, Run: s.cancelOperation},
		"compact_state":    {Dry: s.dryCompact, Run: s.compact},
		"retry_hooks":      {Dry: s.retryHooks(true), Run: s.retryHooks(false)},
	}
	if s.cert != nil {
		all["renew_certificate"] = runbook.Deed{Dry: s.dryCertificate, Run: s.renewCertificate}
	}
	if len(s.lans) > 0 {
		all["restart_listener"] = runbook.Deed{Dry: s.dryListeners, Run: s.restartListeners}
	}
	all["probe_now"] = runbook.Deed{Dry: fixed("Two virtual users would log in over the public listener, send, receive and read now.", "两个虚拟用户将立即通过公共端口登录、发送、接收与读取。"), Run: s.probeNow}
	all["test_channels"] = runbook.Deed{Dry: s.dryChannels, Run: s.testChannels}
	all["acknowledge"] = runbook.Deed{Dry: fixed("The alert would show that you are on it, and not escalate.", "告警将显示由你处理，不再升级。"), Run: s.acknowledge}
	all["silence"] = runbook.Deed{Dry: fixed("Nobody would be told of this alert for two hours.", "两小时内不会就此告警发出通知。"), Run: s.silence}
	return all
}

func (s *server) dryCancel(_ context.Context, t runbook.Target) (texts.Text, error) {
	for _, o := range s.figures.ops.UnderWay(0) {
		if strconv.FormatUint(o.ID, 10) != strings.TrimSpace(t.Args["operation"]) {
			continue
		}
		if !o.Cancelable {
			return texts.Text{}, cannot("this operation cannot be given up", "此操作不可取消")
		}
		return says("%[1]s %[2]s, which has run for %[3]s, would be given up; its caller gets an error.", "将取消已运行 %[3]s 的 %[1]s %[2]s，调用者会收到错误。", o.Kind, o.Name, o.Took.Round(time.Millisecond)), nil
	}
	return texts.Text{}, cannot("no such operation runs: take its number from the list", "没有正在进行的该操作：请从列表中复制编号")
}

func (s *server) cancelOperation(ctx context.Context, t runbook.Target) (texts.Text, error) {
	if _, err := s.dryCancel(ctx, t); err != nil {
		return texts.Text{}, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(t.Args["operation"]), 10, 64)
	if err != nil {
		return texts.Text{}, err
	}
	op, _, cancelled := s.figures.ops.Cancel(n)
	if !cancelled {
		return texts.Text{}, cannot("it ended meanwhile", "该操作已结束")
	}
	return says("%s %s was given up", "已取消 %s %s", op.Kind, op.Name), nil
}

// ---- memory and profiles ---------------------------------------------------------

func memoryNow() (inUse, idle float64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse), float64(m.HeapIdle - m.HeapReleased)
}

func dryFree(context.Context, runbook.Target) (texts.Text, error) {
	_, idle := memoryNow()
	return says("About %s that the server holds without using it would go back to the system, and what is garbage by now.", "约 %s 未使用的内存以及当前的垃圾将归还系统。", runbook.Figure(idle, "bytes")), nil
}

func freeMemory(context.Context, runbook.Target) (texts.Text, error) {
	before, idleBefore := memoryNow()
	debug.FreeOSMemory()
	after, idleAfter := memoryNow()
	return says("%s were given back; the server uses %s", "已归还 %s；服务使用 %s", runbook.Figure(max(0, before+idleBefore-after-idleAfter), "bytes"), runbook.Figure(after, "bytes")), nil
}

// profiles are files for whoever looks into a fault, in a directory: KIND-TIME.pprof
// or .txt. Of each kind 20 are kept.
type profiles struct {
	dir string
	mu  sync.Mutex
}

const keptProfiles = 20

func profileLink(name string) string { return "/admin/profiles/" + name }

func (p *profiles) write(kind, ext string, fill func(f *os.File) error) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%s%s", kind, time.Now().UTC().Format("20060102T150405.000"), ext)
	f, err := os.OpenFile(filepath.Join(p.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("keep profile: %w", err)
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("keep profile: %w", err), os.Remove(f.Name()))
	}
	old, err := filepath.Glob(filepath.Join(p.dir, kind+"-*"))
	if err != nil {
		return name, err
	}
	slices.Sort(old)
	for len(old) > keptProfiles {
		if err := os.Remove(old[0]); err != nil {
			return name, fmt.Errorf("forget old profile: %w", err)
		}
		old = old[1:]
	}
	return name, nil
}

func (p *profiles) heap() (string, error) {
	return p.write("heap", ".pprof", func(f *os.File) error { return pprof.Lookup("heap").WriteTo(f, 0) })
}

func (p *profiles) goroutines() (string, error) {
	return p.write("goroutines", ".txt", func(f *os.File) error { return pprof.Lookup("goroutine").WriteTo(f, 2) })
}

const cpuProfileTime = 10 * time.Second

func (p *profiles) cpu() (string, error) {
	return p.write("cpu", ".pprof", func(f *os.File) error {
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		<-time.After(cpuProfileTime)
		pprof.StopCPUProfile()
		return nil
	})
}

func (p *profiles) dry(kind string) deed {
	return func(context.Context, runbook.Target) (texts.Text, error) {
		return says("A file %s-… would be written into %s; of this kind 20 are kept.", "将在 %[2]s 写入文件 %[1]s-…；此类保留 20 份。", kind, p.dir), nil
	}
}

func (p *profiles) keep(kind string, take func() (string, error)) deed {
	return func(context.Context, runbook.Target) (texts.Text, error) {
		name, err := take()
		return says("kept: %s", "已保存：%s", profileLink(name)), err
	}
}

// read gives a kept profile. Only names that write has made are read.
func (p *profiles) read(name string) ([]byte, error) {
	if strings.ContainsAny(name, `/\`) || !strings.Contains(name, "-") || strings.HasPrefix(name, ".") {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(filepath.Join(p.dir, name))
}

// ---- storage --------------------------------------------------------------------

func (s *server) dryThumbnails(context.Context, runbook.Target) (texts.Text, error) {
	files, bytes := 0, int64(0)
	list, err := os.ReadDir(filepath.Join(s.cfg.Server.DataDir, thumbsDir))
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files++
			bytes += info.Size()
		}
	}
	return says("%d files of %s would be removed.", "将删除 %d 个文件，共 %s。", files, runbook.Figure(float64(bytes), "bytes")), err
}

func (s *server) trimThumbnails(context.Context, runbook.Target) (texts.Text, error) {
	n, bytes, err := s.thumbs.Trim(0)
	return says("%d files of %s were removed", "已删除 %d 个文件，共 %s", n, runbook.Figure(float64(bytes), "bytes")), err
}

func (s *server) dryHousekeeping(context.Context, runbook.Target) (texts.Text, error) {
	bin := 0.0
	if u, err := s.blobs.Usage(); err == nil {
		bin = float64(u.BinnedBytes)
	}
	return says("What is older than files.bin_days would leave the bin (%s in all), expired uploads and unused sessions would end, and journal segments beyond journal.keep would be released: of %d.",
		"将清空回收站中超过 files.bin_days 的内容（共 %s），结束过期上传与闲置会话，并释放超过保留期的日志段（共 %d 段）。", runbook.Figure(bin, "bytes"), len(s.journal.Segments())), nil
}

func (s *server) housekeeping(ctx context.Context, _ runbook.Target) (texts.Text, error) {
	_, before := s.free()
	if err := s.sweep(ctx, time.Now()); err != nil {
		return texts.Text{}, told(err)
	}
	_, after := s.free()
	return says("done; %s were freed", "完成，释放 %s", runbook.Figure(max(0, after-before), "bytes")), nil
}

// free are the bytes in use and free on the volume.
func (s *server) free() (used, free float64) {
	used, all := s.space()
	return used, all - used
}

func (s *server) dryFlush(context.Context, runbook.Target) (texts.Text, error) {
	return says("%d changes would be written.", "将写入 %d 项变更。", s.state.Pending()), nil
}

func (s *server) flushState(context.Context, runbook.Target) (texts.Text, error) {
	if err := s.seq.ReadOnly(); err != nil {
		return texts.Text{}, told(err) // a write to a full disk would end the server
	}
	n, began := s.state.Pending(), time.Now()
	s.seq.FlushSoon()
	return says("%d changes are being written (%s)", "正在写入 %d 项变更（%s）", n, time.Since(began).Round(time.Millisecond)), nil
}

func (s *server) dryCompact(context.Context, runbook.Target) (texts.Text, error) {
	look, err := s.state.Inspect()
	free := float64(look.FreePages) * float64(look.PageBytes)
	return says("state.db of %s would be written anew; about %s of it are free pages.", "将重写 %s 的 state.db，其中约 %s 为空闲页。", runbook.Figure(float64(look.Bytes), "bytes"), runbook.Figure(free, "bytes")), err
}

func (s *server) compact(ctx context.Context, _ runbook.Target) (texts.Text, error) {
	if err := s.seq.ReadOnly(); err != nil {
		return texts.Text{}, told(err)
	}
	c, err := s.state.Compact(ctx)
	if err != nil {
		return texts.Text{}, told(err)
	}
	return says("from %s to %s in %s", "由 %s 缩小到 %s，耗时 %s", runbook.Figure(float64(c.Before), "bytes"), runbook.Figure(float64(c.After), "bytes"), c.Took.Round(time.Millisecond)), nil
}

func (s *server) dryRebuild(context.Context, runbook.Target) (texts.Text, error) {
	if s.search == nil {
		return texts.Text{}, cannot("there is no index of messages", "没有消息索引")
	}
	return says("The index of %d messages would be built anew; until then searches find less.", "将重建 %d 条消息的索引，完成前搜索结果不全。", s.state.Counts().Messages), nil
}

func (s *server) rebuildSearch(context.Context, runbook.Target) (texts.Text, error) {
	if s.search == nil {
		return texts.Text{}, cannot("there is no index of messages", "没有消息索引")
	}
	s.search.Rebuild()
	return texts.Of("the index is being built anew", "索引正在重建"), nil
}

func (s *server) dryReadOnly(on bool) deed {
	return func(context.Context, runbook.Target) (texts.Text, error) {
		switch held := s.held.Load(); {
		case on && held:
			return texts.Text{}, cannot("it is read-only already", "已经是只读")
		case on:
			return says("%d people who are connected could read but not send, until somebody ends it.", "%d 个在线连接将只能阅读、不能发送，直到有人恢复。", len(s.gate.Sessions())), nil
		case held:
			return texts.Of("Messages would be taken again, unless the disk is full.", "将恢复接收消息，磁盘已满时除外。"), nil
		}
		return texts.Text{}, cannot("nobody switched to read-only; a full disk ends it by itself when it has room", "没有人工只读；磁盘已满的只读会在有空间后自动恢复")
	}
}

func (s *server) setReadOnly(on bool) deed {
	return func(ctx context.Context, t runbook.Target) (texts.Text, error) {
		if _, err := s.dryReadOnly(on)(ctx, t); err != nil {
			return texts.Text{}, err
		}
		s.hold(on)
		if on {
			return texts.Of("the server is read-only", "服务器已切换为只读"), nil
		}
		return texts.Of("messages are taken again", "已恢复接收消息"), nil
	}
}

// ---- configuration and log --------------------------------------------------------

const debugTime = 10 * time.Minute

func (s *server) dryDebugLog(context.Context, runbook.Target) (texts.Text, error) {
	return says("The log level would go from %s to debug until %s UTC.", "日志级别将从 %s 改为 debug，直到 %s UTC。", s.level.Level(), time.Now().Add(debugTime).UTC().Format("15:04")), nil
}

func (s *server) debugLog(context.Context, runbook.Target) (texts.Text, error) {
	s.level.Set(slog.LevelDebug)
	time.AfterFunc(debugTime, func() {
		if s.level.Level() == slog.LevelDebug { // a reload meanwhile has set another
			_ = s.level.UnmarshalText([]byte(s.live.Load().Log.Level)) // checked when it was read
		}
	})
	return says("detailed until %s UTC", "详细日志至 %s UTC", time.Now().Add(debugTime).UTC().Format("15:04")), nil
}

func (s *server) dryRevert(context.Context, runbook.Target) (texts.Text, error) {
	before := s.before.Load()
	if before == nil {
		return texts.Text{}, cannot("nothing was reloaded since the start: edit the file and restart", "启动后没有重新加载过配置：请修改文件并重启")
	}
	keys, _ := config.Changed(*s.live.Load(), *before)
	if len(keys) == 0 {
		return texts.Text{}, cannot("the last reload changed nothing that can be taken back while the server runs", "上次重新加载没有可在运行中撤回的改动")
	}
	return says("These keys would have their earlier values again: %s.", "以下配置项将恢复原值：%s。", strings.Join(keys, ", ")), nil
}

func (s *server) revert(ctx context.Context, t runbook.Target) (texts.Text, error) {
	if _, err := s.dryRevert(ctx, t); err != nil {
		return texts.Text{}, err
	}
	now, before := s.live.Load(), s.before.Load()
	keys, _ := config.Changed(*now, *before)
	s.reload(*before, s.log)
	if err := s.noteReload(ctx, *before); err != nil {
		s.log.Warn("what was reverted is not noted", "error", err)
	}
	return says("as before the last reload: %s", "已恢复：%s", strings.Join(keys, ", ")), nil
}

// ---- doors ------------------------------------------------------------------------

func (s *server) dryCertificate(context.Context, runbook.Target) (texts.Text, error) {
	st := s.cert.Status()
	if st.Source == "files" {
		return texts.Of("The configured files would be read again.", "将重新读取所配置的证书文件。"), nil
	}
	return says("A certificate is valid until %s; a new one would be made when that is due, or when names or addresses changed.", "当前证书有效期至 %s；到期或名称、地址变化时签发新证书。", st.NotAfter.UTC().Format("2006-01-02")), nil
}

func (s *server) renewCertificate(context.Context, runbook.Target) (texts.Text, error) {
	if err := s.cert.Reload(); err != nil {
		return texts.Text{}, err
	}
	return says("valid until %s", "有效期至 %s", s.cert.Status().NotAfter.UTC().Format("2006-01-02 15:04")), nil
}

func (s *server) dryListeners(context.Context, runbook.Target) (texts.Text, error) {
	return says("%s would be closed and opened again; the %d connections stay.", "将关闭并重新打开 %s；%d 个连接保持。", strings.Join(s.cfg.Server.Listen, ", "), len(s.gate.Sessions())), nil
}

func (s *server) restartListeners(context.Context, runbook.Target) (texts.Text, error) {
	s.lanMu.Lock()
	defer s.lanMu.Unlock()
	for i, old := range s.lans {
		if err := old.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return texts.Text{}, fmt.Errorf("close listener: %w", err)
		}
		ln, err := net.Listen("tcp", s.cfg.Server.Listen[i])
		if err != nil {
			return texts.Text{}, fmt.Errorf("open listener: %w", err)
		}
		s.lans[i] = ln
		go s.accept(ln, gate.TLS, s.log)
	}
	return says("open again: %s", "已重新打开：%s", strings.Join(s.cfg.Server.Listen, ", ")), nil
}

// ---- people ------------------------------------------------------------------------

// acting is the person as the chat knows it: its own roles decide.
func acting(t runbook.Target) (state.Actor, error) {
	uid, err := id.Parse(t.Who.ID)
	if err != nil || uid == 0 {
		if t.Who.Role == "owner" && t.Who.ID == "" { // the command line on the box
			return state.Actor{Operator: true}, nil
		}
		return state.Actor{}, cannot("log in first", "请先登录")
	}
	return state.Actor{User: uid}, nil
}

func (s *server) session(t runbook.Target) (wire.SessionInfo, error) {
	want := strings.TrimSpace(t.Args["device"])
	for _, c := range s.gate.Sessions() {
		if c.Device.String() == want {
			return c, nil
		}
	}
	return wire.SessionInfo{}, cannot("no such device is connected: take its number from the list of connections", "该设备不在线：请从连接列表中复制设备编号")
}

func (s *server) dryEndSession(_ context.Context, t runbook.Target) (texts.Text, error) {
	c, err := s.session(t)
	if err != nil {
		return texts.Text{}, err
	}
	u, _ := s.state.User(c.User)
	return says("%s (%s) at %s would be logged out on this device.", "%s（%s）在 %s 的此设备将被强制下线。", u.Name, u.Login, c.Address), nil
}

func (s *server) endSession(ctx context.Context, t runbook.Target) (texts.Text, error) {
	c, err := s.session(t)
	if err != nil {
		return texts.Text{}, err
	}
	a, err := acting(t)
	if err != nil {
		return texts.Text{}, err
	}
	if _, err := s.seq.Submit(ctx, a, &state.RemoveDevice{Device: c.Device}); err != nil {
		return texts.Text{}, told(err)
	}
	u, _ := s.state.User(c.User)
	return says("%s was logged out on this device", "%s 的此设备已下线", u.Login), nil
}

func (s *server) dryDisable(_ context.Context, t runbook.Target) (texts.Text, error) {
	u, ok := s.state.UserByLogin(strings.ToLower(strings.TrimSpace(t.Args["login"])))
	switch {
	case !ok:
		return texts.Text{}, cannot("there is no such login", "没有这个登录名")
	case u.Disabled:
		return texts.Text{}, cannot("it is disabled already", "该账号已停用")
	}
	return says("%s (%s) would be disabled and its %d sessions end.", "%s（%s）将被停用，其 %d 个会话结束。", u.Name, u.Login, len(s.state.Devices(u.ID))), nil
}

func (s *server) disable(ctx context.Context, t runbook.Target) (texts.Text, error) {
	if _, err := s.dryDisable(ctx, t); err != nil {
		return texts.Text{}, err
	}
	u, _ := s.state.UserByLogin(strings.ToLower(strings.TrimSpace(t.Args["login"])))
	a, err := acting(t)
	if err != nil {
		return texts.Text{}, err
	}
	off := true
	if _, err := s.seq.Submit(ctx, a, &state.UpdateUser{User: u.ID, Disabled: &off}); err != nil {
		return texts.Text{}, told(err)
	}
	return says("%s is disabled", "%s 已停用", u.Login), nil
}

func (s *server) retryHooks(dry bool) deed {
	return func(context.Context, runbook.Target) (texts.Text, error) {
		n := 0
		for _, h := range s.state.Hooks(func(h *record.Hook) bool { return h.Form == "outgoing" }) {
			_, dead := s.hooks.Queue(h.ID)
			if dead > 0 && !dry {
				again, err := s.hooks.Retry(h.ID, nil)
				if err != nil {
					return texts.Text{}, told(err)
				}
				dead = again
			}
			n += dead
		}
		if dry {
			return says("%d deliveries would be tried again.", "将重新投递 %d 个事件。", n), nil
		}
		return says("%d deliveries are tried again", "正在重新投递 %d 个事件", n), nil
	}
}
