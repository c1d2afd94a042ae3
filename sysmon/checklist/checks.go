package checklist

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/words"
)

// figures are the checks that the stored figures answer.
func (l *Lists) figures() []Check {
	all := Periods()
	return []Check{
		{ID: "services", Periods: []Period{Daily}, Name: words.Of("Services", "服务状态"), Link: "/admin/alerts?name=ServiceDown", Do: l.services},
		{ID: "resources", Periods: []Period{Daily}, Name: words.Of("Processors and memory", "处理器与内存"), Link: "/admin/alerts?name=HighCPUUsage", Do: l.resources},
		{ID: "disk", Periods: []Period{Daily}, Name: words.Of("Disks", "磁盘"), Link: "/admin/alerts?name=HighDiskUsage", Do: l.disks},
		{ID: "errors", Periods: []Period{Daily}, Name: words.Of("Errors", "错误"), Link: "/admin/alerts?name=HighErrorRate", Do: l.errors},
		{ID: "alerts", Periods: []Period{Daily, Weekly}, Name: words.Of("Alerts", "告警"), Link: "/admin/alerts", Do: l.alerts},
		{ID: "certificate", Periods: []Period{Weekly, Monthly}, Name: words.Of("Certificate", "证书"), Link: "/admin/alerts?name=CertificateExpiresSoon", Do: l.certificate},
		{ID: "trend", Periods: []Period{Weekly, Monthly}, Name: words.Of("Growth of the disks", "磁盘增长趋势"), Link: "/admin/health#forecast", Do: l.trend},
		{ID: "database", Periods: []Period{Weekly}, Name: words.Of("Size of the storage", "存储大小"), Link: "/admin/boards/storage", Do: l.database},
		{ID: "uptime", Periods: []Period{Weekly, Monthly}, Name: words.Of("Chat was usable", "聊天可用率"), Link: "/admin/probes", Do: l.uptime},
		{ID: "performance", Periods: []Period{Monthly}, Name: words.Of("Speed compared with the month before", "性能与上月对比"), Link: "/admin/boards/messages", Do: l.performance},
		{ID: "capacity", Periods: []Period{Monthly}, Name: words.Of("Capacity", "容量"), Link: "/admin/health#capacity", Do: l.capacity},
		{ID: "health", Periods: all, Name: words.Of("Health", "健康状况"), Link: "/admin/health", Do: l.health},
	}
}

// one is the only value of an expression; NaN when there is none.
func (l *Lists) one(ctx context.Context, expr string, at time.Time) (float64, error) {
	list, err := l.opt.Source.Instant(ctx, expr, at)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return math.NaN(), nil
	}
	return list[0].Value, nil
}

// over is a span in PromQL.
func (s Span) over() string { return fmt.Sprintf("%ds", int(s.To.Sub(s.From).Seconds())) }

func noFigures() (health.Status, words.Text, error) {
	return health.Unknown, words.Of("no figures yet", "暂无数据"), nil
}

// past is the status of a value with two bounds.
func past(v, warn, bad float64) health.Status {
	switch {
	case v >= bad:
		return health.Bad
	case v >= warn:
		return health.Warn
	}
	return health.Good
}

func (l *Lists) services(ctx context.Context, s Span) (health.Status, words.Text, error) {
	list, err := l.opt.Source.Instant(ctx, `up`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	var down []string
	for _, j := range list {
		if j.Value == 0 {
			down = append(down, j.Labels["job"])
		}
	}
	probes, err := l.opt.Source.Instant(ctx, `probe_success == 0`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	for _, p := range probes {
		down = append(down, p.Labels["probe"])
	}
	switch {
	case len(list) == 0:
		return noFigures()
	case len(down) > 0:
		names := strings.Join(down, ", ")
		return health.Bad, words.Of("do not answer: "+names, "无响应："+names), nil
	}
	return health.Good, words.Of(fmt.Sprintf("%d parts answer", len(list)), fmt.Sprintf("%d 个部分均正常响应", len(list))), nil
}

func (l *Lists) resources(ctx context.Context, s Span) (health.Status, words.Text, error) {
	cpu, err := l.one(ctx, `100 * max_over_time((1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))[`+s.over()+`:5m])`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	mem, err := l.one(ctx, `100 * max_over_time((1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)[`+s.over()+`:5m])`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(cpu) && math.IsNaN(mem) {
		return noFigures()
	}
	return worse(past(cpu, 80, 95), past(mem, 85, 95)), words.Of(fmt.Sprintf("at most %.0f %% and %.0f %%", cpu, mem), fmt.Sprintf("峰值 %.0f %% 与 %.0f %%", cpu, mem)), nil
}

func (l *Lists) disks(ctx context.Context, s Span) (health.Status, words.Text, error) {
	list, err := l.opt.Source.Instant(ctx, `100 * max by (mountpoint) ((node_filesystem_size_bytes - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes))`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if len(list) == 0 {
		return noFigures()
	}
	status := health.Good
	var parts []string
	for _, d := range list {
		status = worse(status, past(d.Value, 80, 95))
		if len(parts) < 6 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", d.Labels["mountpoint"], d.Value))
		}
	}
	t := strings.Join(parts, ", ")
	return status, words.Of(t, t), nil
}

func (l *Lists) errors(ctx context.Context, s Span) (health.Status, words.Text, error) {
	failed, err := l.one(ctx, `sum(increase(http_requests_total{status=~"5.."}[`+s.over()+`])) or vector(0)`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	all, err := l.one(ctx, `sum(increase(http_requests_total[`+s.over()+`]))`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(all) || all == 0 {
		return noFigures()
	}
	share := 100 * failed / all
	return past(share, 0.1, 1), words.Of(fmt.Sprintf("%.0f of %.0f requests failed (%.2f %%)", failed, all, share), fmt.Sprintf("%.0f / %.0f 个请求失败（%.2f %%）", failed, all, share)), nil
}

func (l *Lists) alerts(ctx context.Context, s Span) (health.Status, words.Text, error) {
	list, err := l.opt.Source.Instant(ctx, `count by (alertname) (ALERTS{alertstate="firing"})`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	past, err := l.opt.Source.Instant(ctx, `count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[`+s.over()+`]))`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	var now []string
	for _, a := range list {
		now = append(now, a.Labels["alertname"])
	}
	if len(now) > 0 {
		names := strings.Join(now, ", ")
		return health.Bad, words.Of("firing: "+names, "触发中："+names), nil
	}
	return health.Good, words.Of(fmt.Sprintf("none now, %d kinds in this time", len(past)), fmt.Sprintf("当前无，期间 %d 种", len(past))), nil
}

func (l *Lists) certificate(ctx context.Context, s Span) (health.Status, words.Text, error) {
	days, err := l.one(ctx, `(min(im_certificate_expiry_timestamp_seconds) - time()) / 86400`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(days) {
		return noFigures()
	}
	renewed, err := health.Renewed(ctx, l.opt.Source, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if renewed && days > 0 {
		return health.Good, words.Of(fmt.Sprintf("%.0f days left, renewed by itself", days), fmt.Sprintf("剩余 %.0f 天，自动更新", days)), nil
	}
	return past(-days, -14, -3), words.Of(fmt.Sprintf("%.0f days left", days), fmt.Sprintf("剩余 %.0f 天", days)), nil
}

func (l *Lists) trend(ctx context.Context, s Span) (health.Status, words.Text, error) {
	if l.opt.Health == nil {
		return noFigures()
	}
	list, err := l.opt.Health.Forecasts(ctx, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if len(list) == 0 || !list[0].Week.Known && !list[0].Month.Known {
		return noFigures()
	}
	if d := list[0]; !math.IsInf(d.Days, 0) {
		return past(-d.Days, -90, -14), words.Of(fmt.Sprintf("%s is full in %.0f days", d.Mount, d.Days), fmt.Sprintf("%s 将在 %.0f 天后写满", d.Mount, d.Days)), nil
	}
	return health.Good, words.Of("no disk fills up", "没有磁盘趋于写满"), nil
}

func (l *Lists) database(ctx context.Context, s Span) (health.Status, words.Text, error) {
	size, err := l.one(ctx, `sum(im_bbolt_size_bytes) + sum(im_journal_bytes)`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	before, err := l.one(ctx, `sum(im_bbolt_size_bytes) + sum(im_journal_bytes)`, s.From)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(size) {
		return noFigures()
	}
	en, zh := fmt.Sprintf("%.0f MiB", size/(1<<20)), fmt.Sprintf("%.0f MiB", size/(1<<20))
	if !math.IsNaN(before) {
		en, zh = en+fmt.Sprintf(", %+.0f MiB in this time", (size-before)/(1<<20)), zh+fmt.Sprintf("，期间 %+.0f MiB", (size-before)/(1<<20))
	}
	return health.Good, words.Of(en, zh), nil
}

func (l *Lists) uptime(ctx context.Context, s Span) (health.Status, words.Text, error) {
	v, err := l.one(ctx, `100 * avg(avg_over_time(probe_success{kind="chat"}[`+s.over()+`]))`, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(v) {
		return noFigures()
	}
	return past(-v, -99.9, -99), words.Of(fmt.Sprintf("%.3f %% of the probes succeeded", v), fmt.Sprintf("探测成功率 %.3f %%", v)), nil
}

func (l *Lists) performance(ctx context.Context, s Span) (health.Status, words.Text, error) {
	const expr = `1000 * histogram_quantile(0.95, sum by (le) (increase(im_delivery_latency_seconds_bucket[28d])))`
	now, err := l.one(ctx, expr, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	before, err := l.one(ctx, expr, s.From)
	if err != nil {
		return "", words.Text{}, err
	}
	if math.IsNaN(now) {
		return noFigures()
	}
	if math.IsNaN(before) || before == 0 {
		return health.Good, words.Of(fmt.Sprintf("95 %% of the messages arrive within %.0f ms", now), fmt.Sprintf("95 %% 的消息在 %.0f 毫秒内到达", now)), nil
	}
	return past(now/before, 1.5, 3), words.Of(fmt.Sprintf("95 %% of the messages arrive within %.0f ms, before %.0f ms", now, before), fmt.Sprintf("95 %% 的消息在 %.0f 毫秒内到达，此前 %.0f 毫秒", now, before)), nil
}

func (l *Lists) capacity(ctx context.Context, s Span) (health.Status, words.Text, error) {
	if l.opt.Health == nil {
		return noFigures()
	}
	list, err := l.opt.Health.Advise(ctx, s.To)
	if err != nil || len(list) == 0 {
		return "", words.Text{}, err
	}
	status, en, zh := health.Good, []string(nil), []string(nil)
	for _, a := range list {
		status = worse(status, a.Status)
		en, zh = append(en, a.Text.EN), append(zh, a.Text.ZH)
	}
	return status, words.Of(strings.Join(en, " "), strings.Join(zh, "")), nil
}

func (l *Lists) health(ctx context.Context, s Span) (health.Status, words.Text, error) {
	if l.opt.Health == nil {
		return noFigures()
	}
	r, err := l.opt.Health.At(ctx, s.To)
	if err != nil {
		return "", words.Text{}, err
	}
	return r.Status, words.Of(fmt.Sprintf("%.0f of 100. %s", r.Score, r.Sentence.EN), fmt.Sprintf("%.0f 分。%s", r.Score, r.Sentence.ZH)), nil
}
