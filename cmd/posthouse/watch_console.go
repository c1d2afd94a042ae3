package main

import (
	"context"
	"math"
	"time"

	"posthouse/admin"
	"posthouse/appliance/meter"
	"posthouse/sysmon/expo"
	"posthouse/sysmon/health"
	texts "posthouse/sysmon/words"
	"posthouse/webui/console"
)

// watchOptions adds to the console what watches the box. Without it the
// console stays as it is.
func (s *server) watchOptions(o *admin.Options) {
	if s.watch == nil {
		return
	}
	w := s.watch
	o.Firing = func(context.Context) int {
		n := 0
		for _, of := range w.Alerts.Firing() {
			n += of
		}
		return n
	}
	o.Overview.Checks = s.judged
	o.Overview.Tiles = s.tiles
	o.Overview.Gauges = s.shares
	o.Dashboards.Interval = s.cfg.Watch.Interval
	o.Dashboards.Range = s.runs
	o.Dashboards.Newest = func() time.Time {
		w.Scraper.Watched() // somebody looks at charts: samples come every second
		if list := w.Scraper.Status(); len(list) > 0 {
			return list[0].At
		}
		return time.Time{}
	}
	o.Dashboards.Marks = s.marks
	o.Dashboards.Forecasts = func(ctx context.Context) ([]health.Forecast, error) { return w.Health.Forecasts(ctx, time.Now()) }
}

// runs evaluates PromQL over a range.
func (s *server) runs(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]admin.Run, error) {
	res, err := s.watch.Query.Range(ctx, expr, from, to, step)
	if err != nil {
		return nil, err
	}
	m, err := res.Matrix()
	if err != nil {
		return nil, err
	}
	out := make([]admin.Run, 0, len(m))
	for _, line := range m {
		run := admin.Run{Labels: line.Metric.Map(), Points: make([]admin.Point, 0, len(line.Floats))}
		for _, p := range line.Floats {
			run.Points = append(run.Points, admin.Point{At: p.T, Value: p.F})
		}
		out = append(out, run)
	}
	return out, nil
}

// marks are what happened in a range, for charts.
func (s *server) marks(ctx context.Context, from, to time.Time) []admin.Mark {
	kinds := map[string]string{health.Upgraded: "upgrade", health.BackupRan: "backup", health.ConfigChanged: "config"}
	var out []admin.Mark
	for _, e := range s.watch.Health.Events(ctx, from, to) {
		if kind, ok := kinds[e.Kind]; ok {
			out = append(out, admin.Mark{At: e.At, Kind: kind, Text: e.What})
		}
	}
	return out
}

// judged are the checks of the box and of its figures.
func (s *server) judged(ctx context.Context) []admin.Check {
	out := s.checks(ctx)
	r, err := s.watch.Health.Now(ctx)
	if err != nil {
		return append(out, admin.Check{ID: "health", Title: texts.Of("The figures can be read", "指标可以读取"), Level: console.Warning, Detail: texts.Of(err.Error(), err.Error())})
	}
	levels := map[health.Status]console.Level{health.Good: console.Good, health.Warn: console.Warning, health.Bad: console.Critical}
	for _, c := range r.Checks {
		level, known := levels[c.Status]
		if !known {
			continue // no data yet says nothing
		}
		out = append(out, admin.Check{ID: "health-" + c.ID, Title: c.Name, Level: level, Detail: c.Text, Href: c.Link, Cure: texts.Of("Look", "查看")})
	}
	return out
}

// tile is a figure of the overview.
type tile struct {
	id    string
	title texts.Text
	expr  string
	unit  admin.Unit
	per   texts.Text
	href  string
}

func overviewTiles() []tile {
	none := texts.Text{}
	return []tile{
		{"online", texts.Of("People online", "在线人数"), `sum(im_active_users_total)`, admin.Plain, none, "/admin/boards/core"},
		{"messages", texts.Of("Messages", "消息"), `60 * sum(rate(im_messages_sent_total[1m]))`, admin.Plain, texts.Of("/min", "/分钟"), "/admin/boards/messages"},
		{"connections", texts.Of("Connections", "连接"), `sum(connections_active)`, admin.Plain, none, "/admin/boards/messages"},
		{"queue", texts.Of("Frames waiting", "排队帧数"), `sum(im_outbound_queue_frames{measure="total"}) or sum(im_outbound_queue_frames)`, admin.Plain, none, "/admin/boards/messages"},
		{"latency", texts.Of("Delivery, p95", "送达 p95"), `histogram_quantile(0.95, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m])))`, admin.Seconds, none, "/admin/boards/core"},
		{"health", texts.Of("Health", "健康分"), `posthouse_health_score`, admin.Plain, none, "/admin/health"},
	}
}

// tilePoints is how many points a tile's last hour has.
const tilePoints = 60

func (s *server) tiles(ctx context.Context) []admin.Tile {
	to := time.Now().Truncate(time.Second)
	from := to.Add(-time.Hour)
	out := make([]admin.Tile, 0, len(overviewTiles()))
	for _, t := range overviewTiles() {
		one := admin.Tile{ID: t.id, Title: t.title, Value: math.NaN(), Unit: t.unit, Per: t.per, Href: t.href}
		if runs, err := s.runs(ctx, t.expr, from, to, time.Hour/tilePoints); err == nil && len(runs) > 0 {
			one.Points = line(runs[0].Points, from, time.Hour/tilePoints, tilePoints+1)
			one.Value = one.Points[tilePoints]
		}
		out = append(out, one)
	}
	return out
}

// line puts points into their places; what is missing is NaN.
func line(points []admin.Point, from time.Time, step time.Duration, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	for _, p := range points {
		if i := int(time.UnixMilli(p.At).Sub(from) / step); i >= 0 && i < n {
			out[i] = p.Value
		}
	}
	return out
}

// shares are what is used of what there is.
func (s *server) shares(ctx context.Context) []admin.Gauge {
	number := func(expr string) float64 {
		res, err := s.watch.Query.Instant(ctx, expr, time.Now())
		if err != nil {
			return math.NaN()
		}
		v, err := res.Vector()
		if err != nil || len(v) == 0 {
			return math.NaN()
		}
		return v[0].F
	}
	out := []admin.Gauge{
		{ID: "cpu", Title: texts.Of("Processors", "处理器"), Used: number(`1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m]))`), Limit: 1, Unit: admin.Ratio},
		{ID: "memory", Title: texts.Of("Memory", "内存"), Used: number(`node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes`), Limit: number(`node_memory_MemTotal_bytes`), Unit: admin.Bytes},
	}
	disks := s.gauges(ctx)
	if list, err := s.watch.Health.Forecasts(ctx, time.Now()); err == nil && len(list) > 0 && len(disks) > 0 {
		switch days := list[0].Days; {
		case math.IsInf(days, 1):
			disks[0].Note = texts.Of("does not fill up", "没有增长趋势")
		case days < 3650:
			at := list[0].Full.Format("2006-01-02")
			disks[0].Note = texts.Of("full on "+at+" if it goes on", "按此趋势 "+at+" 写满")
		}
	}
	return append(out, disks...)
}

// familiesOf describes the figures of the chat for the dictionary.
func familiesOf(r *meter.Registry) []expo.Family {
	list := r.Describe()
	out := make([]expo.Family, 0, len(list))
	for _, f := range list {
		out = append(out, expo.Family{Name: f.Name, Type: f.Type, Unit: f.Unit, Help: texts.Text(f.Help), Normal: texts.Text(f.Normal), Action: texts.Text(f.Action), Source: f.Source})
	}
	return out
}
