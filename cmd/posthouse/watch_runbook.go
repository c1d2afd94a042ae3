package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
	"posthouse/sysmon/host"
	"posthouse/sysmon/runbook"
	texts "posthouse/sysmon/words"
)

// collectors answer what figures cannot. They are asked when s.watch is there.
func (s *server) collectors() map[string]runbook.Collector {
	return map[string]runbook.Collector{
		"log":         s.findLog,
		"files":       s.findFiles,
		"sessions":    s.findSessions,
		"goroutines":  findGoroutines,
		"heap":        s.findHeap,
		"certificate": s.findCertificate,
		"faults":      s.findFaults,
		"slow": func(context.Context, runbook.Alert) (runbook.Finding, error) {
			return s.findOperations(s.figures.ops.Slow()), nil
		},
		"long": func(context.Context, runbook.Alert) (runbook.Finding, error) {
			return s.findOperations(s.figures.ops.UnderWay(0)), nil
		},
		"top":      s.findTop,
		"ports":    s.findPorts,
		"changes":  s.findChanges,
		"forecast": s.findForecast,
		"probes":   s.findProbes,
		"channels": s.findChannels,
	}
}

// findProbes tells what each probe found last, step by step where it failed.
func (s *server) findProbes(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Probe", "探测", "Kind", "类型", "Result", "结果", "Took", "耗时", "When", "时间"), Link: "/admin/probes"}
	for _, p := range s.watch.Probes.List() {
		result := "✅"
		switch {
		case p.Last.At.IsZero():
			result = "–"
		case !p.Last.OK():
			result = "❌ " + p.Last.Err
		}
		f.Rows = append(f.Rows, []string{p.Name, p.Kind, result, p.Last.Took.Round(time.Millisecond).String(), p.Last.At.UTC().Format(time.DateTime)})
		for _, step := range p.Last.Steps {
			if step.Err != "" {
				f.Rows = append(f.Rows, []string{"· " + step.Name, "", "❌ " + step.Err, step.Took.Round(time.Millisecond).String(), ""})
			}
		}
	}
	return f, nil
}

// findChannels lists the channels; their secrets are masked by the manager.
func (s *server) findChannels(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Channel", "渠道", "Kind", "类型", "On", "启用"), Link: "/admin/channels"}
	for _, c := range s.watch.Alerts.Channels() {
		on := "✅"
		if c.Off {
			on = "–"
		}
		f.Rows = append(f.Rows, []string{c.Name, c.Kind, on})
	}
	return f, nil
}

func head(pairs ...string) []texts.Text {
	var out []texts.Text
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, texts.Of(pairs[i], pairs[i+1]))
	}
	return out
}

func (s *server) findTop(ctx context.Context, _ runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Program", "程序", "PID", "进程号", "User", "用户", "Processor", "处理器", "Memory", "内存", "Threads", "线程")}
	top, err := s.watch.Host.Processes(ctx)
	for _, p := range top.Busy {
		f.Rows = append(f.Rows, []string{p.Name, strconv.Itoa(p.PID), p.User, fmt.Sprintf("%.1f %%", p.CPU), runbook.Figure(float64(p.RSS), "bytes"), strconv.Itoa(p.Threads)})
	}
	return f, err
}

func (s *server) findPorts(ctx context.Context, _ runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Port", "端口", "Address", "地址", "Program", "程序")}
	list, err := s.watch.Host.Ports(ctx)
	slices.SortStableFunc(list, func(a, b host.Port) int {
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	for _, p := range list {
		f.Rows = append(f.Rows, []string{fmt.Sprintf("%s %d", p.Protocol, p.Port), p.Address.String(), p.Name})
	}
	return f, err
}

func (s *server) findChanges(ctx context.Context, a runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Before", "之前", "What", "变化", "Who", "操作者", "Detail", "内容"), Link: "/admin/health?at=" + strconv.FormatInt(a.Starts.Unix(), 10) + "#changes"}
	list, err := s.watch.Health.Changes(ctx, a.Name, a.Starts)
	for _, c := range list {
		f.Rows = append(f.Rows, []string{c.Before.Round(time.Second).String(), bothTongues(c.What), c.Who, c.Detail})
	}
	return f, err
}

// bothTongues is a text in both languages: what was found is kept for readers of
// either.
func bothTongues(t texts.Text) string {
	if t.EN == t.ZH {
		return t.EN
	}
	return t.EN + " / " + t.ZH
}

func (s *server) findForecast(ctx context.Context, _ runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Disk", "磁盘", "Used", "已用", "Size", "大小", "Growth a day", "每日增长", "Days until full", "写满天数")}
	list, err := s.watch.Health.Forecasts(ctx, time.Now())
	for _, d := range list {
		days := "–"
		if d.Days < 3650 {
			days = fmt.Sprintf("%.0f", d.Days)
		}
		f.Rows = append(f.Rows, []string{d.Mount, runbook.Figure(d.Used, "bytes"), runbook.Figure(d.Size, "bytes"), runbook.Figure(d.Week.PerDay, "bytes"), days})
	}
	return f, err
}

func (s *server) findOperations(list []meter.Operation) runbook.Finding {
	f := runbook.Finding{Head: head("Operation", "操作", "Account", "账号", "Took", "耗时", "Began", "开始", "Number", "编号")}
	for _, o := range list[:min(len(list), 20)] {
		user := o.User
		if uid, err := id.Parse(o.User); err == nil {
			if u, ok := s.state.User(uid); ok {
				user = u.Login
			}
		}
		f.Rows = append(f.Rows, []string{o.Kind + " " + o.Name, user, o.Took.Round(time.Millisecond).String(), o.Began.UTC().Format("15:04:05"), strconv.FormatUint(o.ID, 10)})
	}
	return f
}

// findFaults lists what must not happen, grouped.
func (s *server) findFaults(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Where", "位置", "What", "内容", "Times", "次数", "Last", "最近", "Trace", "跟踪编号")}
	for _, g := range s.figures.faults.List() {
		f.Rows = append(f.Rows, []string{g.Where, g.Text, strconv.FormatUint(g.Count, 10), g.Last.UTC().Format(time.DateTime), g.Trace})
	}
	return f, nil
}

// findFiles measures the parts of the data directory.
func (s *server) findFiles(ctx context.Context, _ runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Part", "部分", "Size", "大小", "Files", "文件数")}
	type part struct {
		bytes int64
		files int
	}
	dir := s.cfg.Server.DataDir
	parts := map[string]*part{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return ctx.Err() // what vanished meanwhile is no fault
		}
		if d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := strings.Split(filepath.ToSlash(rel), "/")[0]
		if parts[name] == nil {
			parts[name] = &part{}
		}
		parts[name].bytes += info.Size()
		parts[name].files++
		return nil
	})
	var names []string
	for name := range parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(parts[b].bytes, parts[a].bytes) })
	for _, name := range names {
		f.Rows = append(f.Rows, []string{name, runbook.Figure(float64(parts[name].bytes), "bytes"), strconv.Itoa(parts[name].files)})
	}
	return f, err
}

// findSessions lists the connections with the longest queues, then those with
// the longest round trip.
func (s *server) findSessions(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Account", "账号", "Address", "地址", "Queue", "队列", "Round trip", "往返", "State", "状态", "Device", "设备")}
	list := s.gate.Sessions()
	slices.SortStableFunc(list, func(a, b wire.SessionInfo) int {
		return cmp.Or(cmp.Compare(b.Queue, a.Queue), cmp.Compare(b.RTT, a.RTT))
	})
	for _, c := range list[:min(len(list), 15)] {
		login := c.User.String()
		if u, ok := s.state.User(c.User); ok {
			login = u.Login
		}
		f.Rows = append(f.Rows, []string{login, c.Address, fmt.Sprint(c.Queue), fmt.Sprintf("%.1f ms", float64(c.RTT)/1000), c.State, c.Device.String()})
	}
	return f, nil
}

func findGoroutines(context.Context, runbook.Alert) (runbook.Finding, error) {
	var b bytes.Buffer
	err := pprof.Lookup("goroutine").WriteTo(&b, 1)
	groups := strings.SplitN(b.String(), "\n\n", 16)
	return runbook.Finding{Text: strings.Join(groups[:min(len(groups), 15)], "\n\n")}, err
}

// findHeap keeps a profile and tells the figures of the runtime.
func (s *server) findHeap(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("Part", "部分", "Size", "大小")}
	name, err := s.profiles.heap()
	if err == nil {
		f.Link = profileLink(name)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, v := range []struct {
		name string
		v    uint64
	}{{"in use · 使用中", m.HeapInuse}, {"idle · 空闲", m.HeapIdle}, {"given back · 已归还", m.HeapReleased}, {"stacks · 栈", m.StackInuse}, {"of the system · 系统", m.Sys}} {
		f.Rows = append(f.Rows, []string{v.name, runbook.Figure(float64(v.v), "bytes")})
	}
	return f, err
}

func (s *server) findCertificate(context.Context, runbook.Alert) (runbook.Finding, error) {
	f := runbook.Finding{Head: head("", "", "", "")}
	if s.cert == nil {
		f.Text = "no https · 未启用 https"
		return f, nil
	}
	st := s.cert.Status()
	row := func(name, value string) {
		if value != "" {
			f.Rows = append(f.Rows, []string{name, value})
		}
	}
	row("names · 名称", strings.Join(append(st.Names, st.Addresses...), ", "))
	row("from · 来源", st.Source+" "+st.Issuer)
	row("valid until · 有效期至", st.NotAfter.UTC().Format(time.RFC3339))
	if !st.RenewAt.IsZero() {
		row("renewed at · 更新时间", st.RenewAt.UTC().Format(time.RFC3339))
	}
	if st.LastError != nil {
		row("last error · 最近错误", st.LastError.Text("en")+" / "+st.LastError.Text("zh"))
	}
	for _, w := range st.Warnings {
		row("warning · 警告", w.Text("en")+" / "+w.Text("zh"))
	}
	return f, nil
}

// recentLog keeps the last lines of the log in memory. It is an io.Writer.
type recentLog struct {
	mu    sync.Mutex
	lines []string
	part  []byte
}

const recentLines = 2000

// Write takes lines; a slog handler writes whole ones.
func (r *recentLog) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.part = append(r.part, p...)
	for {
		i := bytes.IndexByte(r.part, '\n')
		if i < 0 {
			break
		}
		r.lines = append(r.lines, string(r.part[:min(i, 2000)]))
		r.part = r.part[i+1:]
	}
	if len(r.part) > 1<<16 {
		r.part = nil
	}
	if extra := len(r.lines) - recentLines; extra > 0 {
		r.lines = slices.Clone(r.lines[extra:])
	}
	return len(p), nil
}

// last are the last lines, those of warnings and errors first to be kept.
func (r *recentLog) last(most int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	grave := func(l string) bool {
		return strings.Contains(l, "WARN") || strings.Contains(l, "ERROR")
	}
	room := most
	keep := make([]bool, len(r.lines))
	for _, want := range []bool{true, false} {
		for i := len(r.lines) - 1; i >= 0 && room > 0; i-- {
			if grave(r.lines[i]) == want {
				keep[i] = true
				room--
			}
		}
		room = min(room, most/2)
	}
	var out []string
	for i, l := range r.lines {
		if keep[i] {
			out = append(out, l)
		}
	}
	return out
}

func (s *server) findLog(context.Context, runbook.Alert) (runbook.Finding, error) {
	return runbook.Finding{Text: strings.Join(s.recent.last(80), "\n")}, nil
}
