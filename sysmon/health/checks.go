package health

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// probing is an expression with two bounds: at warn and at bad the check says
// so. With less set, small values are the bad ones.
type probing struct {
	id, expr  string
	name      words.Text
	warn, bad float64
	less      bool
	good      words.Text // {}: the figure
	wrong     words.Text
	unit      func(float64) string
	link      string
	excuse    string // an expression that has a value while a warning is none
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", v) }
func millis(v float64) string  { return fmt.Sprintf("%.0f ms", v) }
func count(v float64) string   { return fmt.Sprintf("%.0f", v) }
func days(v float64) string    { return fmt.Sprintf("%.1f", v) }

// exprRenewed has a value while the certificate is one that the server renews by
// itself, and is not six hours overdue.
const exprRenewed = `max(im_certificate_renewal_timestamp_seconds) > time() - 6 * 3600`

// Renewed reports whether the certificate is renewed by itself, in time.
func Renewed(ctx context.Context, s Source, at time.Time) (bool, error) {
	list, err := s.Instant(ctx, exprRenewed, at)
	return len(list) > 0, err
}

// listed are the checks, the most urgent first.
func listed() []probing {
	return []probing{
		{id: "storage", expr: `max(im_storage_read_only)`, name: words.Of("Messages can be stored", "消息可以存储"), warn: 1, bad: 1, unit: count, link: "/admin/alerts?name=StorageReadOnly",
			good: words.Of("The storage takes messages.", "存储正常接收消息。"), wrong: words.Of("The storage is read-only: nobody can send.", "存储为只读：无法发送消息。")},
		{id: "probe", expr: `min(probe_success{kind="chat"})`, name: words.Of("A person could chat now", "现在可以正常聊天"), warn: 0.5, bad: 0.5, less: true, unit: count, link: "/admin/probes",
			good: words.Of("The virtual users logged in, sent and received.", "虚拟用户登录、发送、接收均成功。"), wrong: words.Of("The virtual users cannot chat: the listener, the network or the storage fails.", "虚拟用户无法聊天：监听端口、网络或存储有故障。")},
		{id: "certificate", expr: `(min(im_certificate_expiry_timestamp_seconds) - time()) / 86400`, name: words.Of("The certificate is valid", "证书有效"), warn: 14, bad: 0, less: true, unit: days, link: "/admin/alerts?name=CertificateExpiresSoon", excuse: exprRenewed,
			good: words.Of("{} days left.", "剩余 {} 天。"), wrong: words.Of("The certificate ends in {} days.", "证书将在 {} 天后到期。")},
		{id: "alerts", expr: `count(ALERTS{alertstate="firing"}) or 0 * count(up)`, name: words.Of("Alerts that fire", "触发中的告警"), warn: 1, bad: math.Inf(1), unit: count, link: "/admin/alerts",
			good: words.Of("None.", "没有。"), wrong: words.Of("Firing now: {}.", "正在触发：{} 条。")},
		{id: "errors", expr: `100 * sum(rate(http_requests_total{status=~"5.."}[5m])) / clamp_min(sum(rate(http_requests_total[5m])), 1e-9)`, name: words.Of("Requests succeed", "请求成功"), warn: 1, bad: 5, unit: percent, link: "/admin/boards/api",
			good: words.Of("{} of the requests fail.", "失败请求占 {}。"), wrong: words.Of("{} of the requests fail.", "失败请求占 {}。")},
		{id: "latency", expr: `1000 * sum(rate(im_delivery_latency_seconds_sum[5m])) / (sum(rate(im_delivery_latency_seconds_count[5m])) > 0)`, name: words.Of("Messages arrive quickly", "消息到达及时"), warn: 200, bad: 800, unit: millis, link: "/admin/boards/messages",
			good: words.Of("A message arrives within {} on average.", "平均 {} 到达。"), wrong: words.Of("A message takes {} to arrive on average.", "消息平均需 {} 才到达。")},
		{id: "writer", expr: `100 * max(im_storage_writer_saturation_ratio)`, name: words.Of("The writer keeps up", "写入跟得上"), warn: 70, bad: 90, unit: percent, link: "/admin/boards/storage",
			good: words.Of("The writer is busy {} of the time.", "写入占用 {}。"), wrong: words.Of("The writer is busy {} of the time: the disk limits the chat.", "写入占用 {}，磁盘成为瓶颈。")},
		{id: "disk", expr: `100 * max((node_filesystem_size_bytes - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes) * on (device, mountpoint) group_left () posthouse_data_disk_info) or 100 * max((node_filesystem_size_bytes - node_filesystem_free_bytes) / (node_filesystem_size_bytes - node_filesystem_free_bytes + node_filesystem_avail_bytes))`, name: words.Of("The data disk has room", "数据盘有空间"), warn: 80, bad: 95, unit: percent, link: "/admin/health#forecast",
			good: words.Of("{} used.", "已用 {}。"), wrong: words.Of("The data disk is {} full.", "数据盘已用 {}。")},
		{id: "clients", expr: `sum(im_slow_consumers)`, name: words.Of("Clients take what is sent", "客户端及时接收"), warn: 1, bad: 100, unit: count, link: "/admin/boards/messages",
			good: words.Of("No client is slow.", "没有慢客户端。"), wrong: words.Of("{} clients are slow to take messages.", "{} 个客户端接收缓慢。")},
	}
}

func (h *Health) checks(ctx context.Context, at time.Time) ([]Check, error) {
	var out []Check
	for _, p := range listed() {
		v, err := h.one(ctx, p.expr, at)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", p.id, err)
		}
		c := p.judge(v)
		if c.Status == Warn && p.excuse != "" {
			excused, err := h.one(ctx, p.excuse, at)
			if err != nil {
				return nil, fmt.Errorf("check %s: %w", p.id, err)
			}
			if !math.IsNaN(excused) {
				c.Status, c.Text = Good, words.Of(with(p.good.EN, p.unit(v)), with(p.good.ZH, p.unit(v)))
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func (p probing) judge(v float64) Check {
	c := Check{ID: p.id, Name: p.name, Link: p.link, Status: Good, Text: p.good}
	past := func(bound float64) bool { return !p.less && v >= bound || p.less && v < bound }
	switch {
	case math.IsNaN(v):
		c.Status, c.Text = Unknown, words.Of("No figures.", "没有数据。")
		return c
	case past(p.bad):
		c.Status, c.Text = Bad, p.wrong
	case past(p.warn):
		c.Status, c.Text = Warn, p.wrong
	}
	c.Text = words.Of(with(c.Text.EN, p.unit(v)), with(c.Text.ZH, p.unit(v)))
	return c
}

// with puts the figure into a text that may not have a place for it.
func with(text, figure string) string { return strings.ReplaceAll(text, "{}", figure) }
