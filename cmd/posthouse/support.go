package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"posthouse/appliance/config"
	"posthouse/appliance/journal"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/support"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/bundle"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	"posthouse/sysmon/host"
	"posthouse/sysmon/query"
	"posthouse/sysmon/store"
	texts "posthouse/sysmon/words"
)

func (a *app) supportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "support FILE.zip",
		Short: a.say.of("Collect what somebody who helps needs to know, without messages, names and secrets", "收集供协助者排查所需的信息，不含消息、姓名和机密"),
		Args:  a.takes("FILE.zip"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := os.Lstat(args[0]); err == nil {
			return errorText(a.say, "there is a file "+args[0]+" already; name another", "文件 "+args[0]+" 已存在，请换一个文件名")
		}
		if dir := filepath.Dir(args[0]); !isDirectory(dir) {
			return errorText(a.say, "there is no directory "+dir, "没有目录 "+dir)
		}
		cfg, _, err := a.config()
		if err != nil {
			return err
		}
		var body []byte
		if running(cfg) {
			body, err = a.onConsole(cmd.Context(), http.MethodPost, "/admin/support", url.Values{})
			if err != nil { // a server that hangs is what somebody may need help with
				fmt.Fprintln(a.errOut, clean(a.say.of("the server does not answer, so the bundle is made without it: ", "服务器未应答，改为不经服务器收集：")+a.say.err(err)))
			}
		}
		if body == nil {
			if body, err = a.supportOffline(cmd.Context(), cfg); err != nil {
				return err
			}
		}
		if err := renameio.WriteFile(args[0], body, 0o600, renameio.IgnoreUmask()); err != nil {
			return fmt.Errorf("%s: %w", a.say.of("write the bundle", "写入支持包"), err)
		}
		fmt.Fprintf(a.out, "%s  %s\n", args[0], texts.Bytes(int64(len(body))))
		return nil
	}
	return cmd
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func newSupport(now time.Time) *bundle.Bundle {
	return bundle.New(now, texts.Of(
		"Posthouse support bundle. It holds figures and the program's own words: no text of messages, no names of people, rooms or files, no addresses, no tokens, no passwords.",
		"驿站支持包。仅含数据和程序自身的文字：不含消息内容、人员/房间/文件名称、地址、令牌和密码。"))
}

// addOwn adds what needs no server and no data.
func addOwn(b *bundle.Bundle, cfg config.Config, facts host.Facts, began time.Time) {
	b.Add("version.txt", texts.Of("version and build", "版本与构建信息"), support.Version(version()))
	b.Add("config.txt", texts.Of("configuration: numbers, switches and choices; of the rest only whether it is the default", "配置：数值、开关与选项；其余只说明是否为默认值"), support.Config(cfg))
	b.Add("machine.txt", texts.Of("this machine", "本机"), support.Machine(facts))
	b.Add("runtime.txt", texts.Of("the running program", "运行中的程序"), support.Runtime(began))
	b.Add("files.csv", texts.Of("journal and databases as they lie on the disk", "磁盘上的日志账本与数据库文件"), support.Files(cfg.Server.DataDir, journalDir, stateFile, hooksFile, baseFile, searchFile))
}

// addBox adds what an open data directory tells.
func addBox(b *bundle.Bundle, box *box, status wire.StatusResult) {
	b.Add("status.txt", texts.Of("positions and counts", "位置与数量"), support.Status(status))
	b.Add("storage.csv", texts.Of("databases and their parts, as of the last look", "数据库及其各部分（最近一次检查）"), support.Storage(box.figures.supportDatabases()))
	what := texts.Of("kinds, times and outcomes of the last entries of the audit", "最近审计记录的类别、时间与结果")
	if body, err := support.Audit(box.state.Audits); err != nil {
		b.Lack("audit.csv", what, texts.Of("the audit cannot be read", "审计记录无法读取"))
	} else {
		b.Add("audit.csv", what, body)
	}
}

func addMetrics(ctx context.Context, b *bundle.Bundle, s health.Source, until time.Time) {
	what := texts.Of("main metrics of the last 6 hours, one line a minute", "最近 6 小时的主要指标，每分钟一行")
	body, err := support.Metrics(ctx, s, until)
	if err != nil {
		b.Lack("metrics.csv", what, texts.Of("they cannot be read", "无法读取"))
		return
	}
	b.Add("metrics.csv", what, body)
}

// support makes the bundle of the running server, one at a time.
func (s *server) support(ctx context.Context) ([]byte, error) {
	s.supporting.Lock()
	defer s.supporting.Unlock()
	now := time.Now()
	b := newSupport(now)
	facts := host.New(host.Options{DataDir: s.cfg.Server.DataDir, Version: version()}).Facts()
	addOwn(b, *s.live.Load(), facts, s.began)
	var status wire.StatusResult
	if err := (offline{ctx, s.box, "en"}).call("server.status", wire.Empty{}, &status); err != nil {
		return nil, fmt.Errorf("ask for the status: %w", err)
	}
	addBox(b, s.box, status)
	b.Add("operations.csv", texts.Of("operations under way and the slow ones of late", "正在进行与近期较慢的操作"), support.Operations(s.figures.ops.UnderWay(0), s.figures.ops.Slow()))
	b.Add("faults.txt", texts.Of("faults with their stacks, without their texts", "故障及调用栈，不含其文字"), support.Faults(s.figures.faults.List()))
	b.Add("log.txt", texts.Of("warnings and errors of the log, without the values beside them", "日志中的警告与错误，不含附带的值"), support.Log(s.recent.last(recentLines)))
	s.addWatch(ctx, b, now)
	b.Add("goroutines.txt", texts.Of("what every goroutine does", "全部 goroutine 的调用栈"), support.Profile("goroutine"))
	b.Add("heap.txt", texts.Of("profile of the memory: functions and sizes (go tool pprof reads it)", "内存剖析：函数与大小（可用 go tool pprof 查看）"), support.Profile("heap"))
	return b.Zip()
}

// addWatch adds what watches the box.
func (s *server) addWatch(ctx context.Context, b *bundle.Bundle, now time.Time) {
	judged, rules := texts.Of("health score with its terms, and checks", "健康分及各项、检查项"), texts.Of("shipped rules and how they stand", "内置规则及其状态")
	firing, lists := texts.Of("alerts that fire and the last ones that ended", "正在触发与最近结束的告警"), texts.Of("last checklists", "最近的检查清单")
	if s.watch == nil {
		off := texts.Of("this server does not watch itself", "本服务器未启用自我监控")
		for name, what := range map[string]texts.Text{"health.txt": judged, "rules.csv": rules, "alerts.csv": firing, "checklists.csv": lists} {
			b.Lack(name, what, off)
		}
		return
	}
	w := s.watch
	if r, err := w.Health.At(ctx, now); err != nil {
		b.Lack("health.txt", judged, texts.Of("the figures cannot be read", "数据无法读取"))
	} else {
		b.Add("health.txt", judged, support.Health(r))
	}
	body, names := support.Rules(w.Rules.Rules())
	b.Add("rules.csv", rules, body)
	if past, _, err := w.Alerts.History(alert.Query{Limit: 500}); err != nil {
		b.Lack("alerts.csv", firing, texts.Of("they cannot be read", "无法读取"))
	} else {
		b.Add("alerts.csv", firing, support.Alerts(past, names))
	}
	b.Add("checklists.csv", lists, support.Lists(w.Lists))
	addMetrics(ctx, b, w.Source(), now)
}

// supportOffline makes a bundle without a server: from the data directory when
// it can be opened, and else of what is around it.
func (a *app) supportOffline(ctx context.Context, cfg config.Config) ([]byte, error) {
	now := time.Now()
	if _, err := os.Stat(cfg.Server.DataDir); errors.Is(err, os.ErrNotExist) {
		return nil, a.noDirectory(cfg.Server.DataDir)
	}
	b := newSupport(now)
	addOwn(b, cfg, host.New(host.Options{DataDir: cfg.Server.DataDir, Version: version()}).Facts(), time.Time{})
	err := a.offline(ctx, cfg, func(box *box) error {
		var status wire.StatusResult
		if err := (offline{ctx, box, "en"}).call("server.status", wire.Empty{}, &status); err != nil {
			return err
		}
		status.Uptime = 0
		addBox(b, box, status)
		addKept(ctx, b, cfg, now)
		return nil
	})
	if err != nil {
		fmt.Fprintln(a.errOut, clean(a.say.of("the data directory cannot be opened, so the bundle is made without it: ", "数据目录无法打开，支持包不含其内容：")+a.say.err(err)))
		b.Add("trouble.txt", texts.Of("why the data directory cannot be opened", "数据目录无法打开的原因"), supportTrouble(err))
	}
	b.Lack("goroutines.txt", texts.Of("what every goroutine does", "全部 goroutine 的调用栈"), texts.Of("no server answers", "没有服务器应答"))
	return b.Zip()
}

// supportTrouble is why a data directory cannot be opened, as far as it says
// nothing that somebody wrote.
func supportTrouble(err error) []byte {
	var damage *journal.DamageError
	switch {
	case errors.As(err, &damage):
		return fmt.Appendf(nil, "journal damaged: %s offset %d position %d\n%s\n", filepath.Base(damage.File), damage.Offset, damage.Position, damage.Reason)
	case code(err) == exitTry:
		return []byte("another process holds it\n")
	}
	var b bytes.Buffer
	for _, known := range []error{state.ErrDamaged, sequencer.ErrAhead} {
		if errors.Is(err, known) {
			fmt.Fprintln(&b, known)
		}
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		fmt.Fprintln(&b, number)
	}
	fmt.Fprintln(&b, strings.Join(errorTypes(err), " "))
	return b.Bytes()
}

// errorTypes names the types of an error and of all that it is made of.
func errorTypes(err error) []string {
	out := []string{fmt.Sprintf("%T", err)}
	switch x := err.(type) { //nolint:errorlint // each is looked at by itself
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			out = append(out, errorTypes(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			out = append(out, errorTypes(inner)...)
		}
	}
	return out
}

// addKept adds what the watching part of a stopped server left on the disk. The
// caller holds the data directory.
func addKept(ctx context.Context, b *bundle.Bundle, cfg config.Config, now time.Time) {
	dir := filepath.Join(cfg.Server.DataDir, watchDir)
	if _, err := os.Stat(dir); err != nil {
		return
	}
	log := slog.New(slog.DiscardHandler)
	if l, err := checklist.Open(filepath.Join(dir, "checklists"), checklist.Options{Log: log}); err == nil {
		b.Add("checklists.csv", texts.Of("last checklists", "最近的检查清单"), support.Lists(l))
	}
	day := 24 * time.Hour
	kept, err := store.Open(dir, store.Options{Raw: time.Duration(cfg.Watch.RawDays) * day, Rollup: time.Duration(cfg.Watch.RollupDays) * day, MaxSeries: cfg.Watch.MaxSeries, Log: log})
	if err != nil {
		return
	}
	until := now
	if newest := kept.Stats().Newest; !newest.IsZero() && newest.Before(now) {
		until = newest
	}
	addMetrics(ctx, b, health.Figures(query.New(kept.Queryable(), query.Limits{})), until)
	_ = kept.Close() // it was only read
}

// supportDatabases are the databases and their parts, as of the last look.
func (f *figures) supportDatabases() []support.Database {
	var out []support.Database
	for _, d := range f.databases() {
		one := support.Database{Name: d.name, Bytes: d.size()}
		for _, x := range d.looked.Buckets {
			one.Buckets = append(one.Buckets, support.Bucket{Name: x.Name, Keys: x.Keys, Bytes: x.Bytes})
		}
		out = append(out, one)
	}
	return out
}
