package admin

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Figures fill the overview from the stored metrics. What they read is kept for
// as long as it takes until there are new samples, whoever asks.
type Figures struct {
	source health.Source
	health *health.Health
	now    func() time.Time
	log    *slog.Logger

	mu        sync.Mutex
	tiles     kept[[]Tile]
	gauges    kept[[]Gauge]
	forecasts kept[[]health.Forecast]
	paths     kept[Path]
}

// kept is what was read, and when.
type kept[T any] struct {
	at    time.Time
	value T
}

const (
	figuresLast   = 10 * time.Second
	forecastsLast = 10 * time.Minute
	sparkStep     = time.Minute
)

// NewFigures reads from a source; h may be nil.
func NewFigures(source health.Source, h *health.Health, now func() time.Time, log *slog.Logger) *Figures {
	return &Figures{source: source, health: h, now: now, log: log}
}

// keep gives what was read lately, or reads it anew. One reads at a time.
func keep[T any](f *Figures, k *kept[T], last time.Duration, read func(at time.Time) T) T {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.now()
	if age := at.Sub(k.at); k.at.IsZero() || age < 0 || age >= last {
		k.at, k.value = at, read(at)
	}
	return k.value
}

// figure is a tile by its expression, which gives one series.
type figure struct {
	id    string
	title words.Text
	expr  string
	unit  Unit
	per   words.Text
	href  string
}

func figures() []figure {
	return []figure{
		{id: "score", title: words.Of("Health score", "健康分"), expr: `max(posthouse_health_score)`, per: words.Of("of 100", "/ 100"), href: "/admin/health"},
		{id: "online", title: words.Of("People online", "在线人数"), expr: `max(im_active_users_total)`, href: "/admin/boards/im"},
		{id: "messages", title: words.Of("Messages", "消息"), expr: `60 * sum(rate(im_messages_sent_total[5m]))`, per: words.Of("/min", "/分钟"), href: "/admin/boards/messages"},
		{id: "connections", title: words.Of("Connections", "连接数"), expr: `max(connections_active)`, href: "/admin/boards/messages"},
		{id: "queue", title: words.Of("Frames waiting", "排队帧数"), expr: `max(im_outbound_queue_frames{stat="total"})`, href: "/admin/boards/messages"},
		{id: "latency", title: words.Of("Delivery, 95 of 100 within", "投递延迟（95%）"), expr: `histogram_quantile(0.95, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m])))`, unit: Seconds, href: "/admin/boards/messages"},
		{id: "network", title: words.Of("Network, in and out", "网络收发"), unit: Bytes, per: words.Of("/s", "/秒"), href: "/admin/boards/host",
			expr: `sum(rate(node_network_receive_bytes_total{device!="lo"}[1m])) + sum(rate(node_network_transmit_bytes_total{device!="lo"}[1m]))`},
	}
}

// Tiles are the figures of the overview with their last hour. What has no
// samples yet is a dash.
func (f *Figures) Tiles(ctx context.Context) []Tile {
	return keep(f, &f.tiles, figuresLast, func(at time.Time) []Tile {
		var out []Tile
		for _, one := range figures() {
			t := Tile{ID: one.id, Title: one.title, Unit: one.unit, Per: one.per, Href: one.href, Points: f.hour(ctx, one.expr, at)}
			t.Value = f.one(ctx, one.expr, at)
			out = append(out, t)
		}
		return out
	})
}

// hour is the last hour of an expression; nothing where it cannot be read.
func (f *Figures) hour(ctx context.Context, expr string, at time.Time) []float64 {
	from := at.Add(-time.Hour)
	series, err := f.source.Range(ctx, expr, from, at, sparkStep)
	if err != nil {
		f.missing(expr, err)
		return nil
	}
	out := make([]float64, int(time.Hour/sparkStep)+1)
	for i := range out {
		out[i] = math.NaN()
	}
	if len(series) > 0 {
		for _, p := range series[0].Points {
			if i := int(math.Round(float64(p.At.Sub(from)) / float64(sparkStep))); i >= 0 && i < len(out) {
				out[i] = p.Value
			}
		}
	}
	return out
}

// one is the value of an expression now; NaN: there is none.
func (f *Figures) one(ctx context.Context, expr string, at time.Time) float64 {
	list, err := f.source.Instant(ctx, expr, at)
	if err != nil {
		f.missing(expr, err)
		return math.NaN()
	}
	if len(list) == 0 {
		return math.NaN()
	}
	return list[0].Value
}

func (f *Figures) missing(expr string, err error) {
	f.log.Warn("a figure of the overview cannot be read", "expr", expr, "error", err)
}

// Gauges are processors, memory and disks with their limits, and when a disk
// will be full.
func (f *Figures) Gauges(ctx context.Context) []Gauge {
	disks := keep(f, &f.forecasts, forecastsLast, func(at time.Time) []health.Forecast {
		if f.health == nil {
			return nil
		}
		list, err := f.health.Forecasts(ctx, at)
		if err != nil {
			f.missing("forecast of the disks", err)
		}
		return list
	})
	return keep(f, &f.gauges, figuresLast, func(at time.Time) []Gauge {
		out := []Gauge{
			{ID: "cpu", Title: words.Of("Processors", "处理器"), Used: f.one(ctx, `sum(rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[1m]))`, at),
				Limit: f.one(ctx, `count(count by (cpu) (node_cpu_seconds_total))`, at), Note: words.Of("busy, of all cores", "忙碌核数 / 总核数")},
			{ID: "memory", Title: words.Of("Memory", "内存"), Used: f.one(ctx, `max(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)`, at),
				Limit: f.one(ctx, `max(node_memory_MemTotal_bytes)`, at), Unit: Bytes},
		}
		if own := f.one(ctx, `max(process_resident_memory_bytes)`, at); !math.IsNaN(own) {
			text := (console.View{}).Bytes(own)
			out[1].Note = words.Of("this server: "+text, "本服务器："+text)
		}
		for i, d := range disks {
			if i == 4 { // the ones that are full first
				break
			}
			mount := `{mountpoint="` + quote(d.Mount) + `",device="` + quote(d.Device) + `"}`
			used := f.one(ctx, `max(node_filesystem_size_bytes`+mount+` - node_filesystem_free_bytes`+mount+`)`, at)
			out = append(out, Gauge{ID: "disk-" + d.Mount, Title: words.Of("Disk "+d.Mount, "磁盘 "+d.Mount), Used: used, Limit: d.Size, Unit: Bytes, Note: untilFull(d)})
		}
		return out
	})
}

// quote makes a text fit between the quotes of PromQL.
func quote(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text)
}

// untilFull says when a disk will be full, where that can be told.
func untilFull(d health.Forecast) words.Text {
	days := (console.View{}).Number(math.Floor(d.Days))
	switch {
	case !d.Week.Known && !d.Month.Known:
		return words.Of("too little known yet to say when it is full", "数据不足，尚无法预测何时用满")
	case d.Days > 3650:
		return words.Of("does not fill up", "不会用满")
	case d.Days < 1:
		return words.Of("full in less than a day", "不到一天就会用满")
	default:
		return words.Of("full in "+days+" days", days+" 天后用满")
	}
}

// Checks are the opinion of the health score.
func (f *Figures) Checks(ctx context.Context) []Check {
	if f.health == nil {
		return nil
	}
	report, err := f.health.Now(ctx)
	if err != nil {
		f.missing("health", err)
		return []Check{{ID: "health", Title: words.Of("Health can be judged", "可以判断健康状况"), Level: console.Warning,
			Detail: words.Of("what is stored cannot be read", "无法读取已存储的数据")}}
	}
	var out []Check
	for _, c := range report.Checks {
		out = append(out, Check{ID: c.ID, Title: c.Name, Level: levelOf(c.Status), Detail: c.Text, Href: c.Link, Cure: words.Of("Look", "查看")})
	}
	return out
}

// levelOf is how a status is shown, on every page alike.
func levelOf(s health.Status) console.Level {
	switch s {
	case health.Good:
		return console.Good
	case health.Warn:
		return console.Warning
	case health.Bad:
		return console.Critical
	}
	return console.Neutral
}
