package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/board"
	"posthouse/sysmon/health"
	"posthouse/sysmon/query"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Dashboards are what the pages of charts show.
type Dashboards struct {
	// Boards in their order; the first is the one that tells at a glance.
	Boards func() []board.Board
	// Range evaluates PromQL at from, from+step, … up to to.
	Range func(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Run, error)
	// Interval is how often samples are taken.
	Interval time.Duration
	// Newest is when the last samples were taken: charts ask again after it. It
	// is asked once a second while somebody looks at charts.
	Newest func() time.Time
	// Marks are what happened in a range beside restarts, which are found in
	// the samples: upgrades, backups, changed settings.
	Marks func(ctx context.Context, from, to time.Time) []Mark
	// Forecasts say when disks will be full.
	Forecasts func(ctx context.Context) ([]health.Forecast, error)
}

// Run is one series. A gap is a missing point or NaN.
type Run struct {
	Labels map[string]string
	Points []Point
}

// Point is one value.
type Point struct {
	At    int64 // Unix milliseconds
	Value float64
}

// RangeOf asks an engine, for Dashboards.Range.
func RangeOf(e *query.Engine) func(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Run, error) {
	return func(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Run, error) {
		result, err := e.Range(ctx, expr, from, to, step)
		if err != nil {
			return nil, err
		}
		matrix, err := result.Matrix()
		if err != nil {
			return nil, fmt.Errorf("read the answer of a query: %w", err)
		}
		out := make([]Run, 0, len(matrix))
		for _, series := range matrix {
			run := Run{Labels: series.Metric.Map(), Points: make([]Point, 0, len(series.Floats))}
			for _, f := range series.Floats {
				run.Points = append(run.Points, Point{f.T, f.F})
			}
			out = append(out, run)
		}
		return out, nil
	}
}

// Mark is something that happened.
type Mark struct {
	At   time.Time
	Kind string // restart, upgrade, backup, config
	Text words.Text
}

func boardRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/boards", Title: words.Of("Dashboards", "仪表盘"), Group: Home, Icon: "grid", Need: Sees, Handle: (*Admin).boardList},
		{Method: "GET", Path: "/admin/boards/{id}", Title: words.Of("Dashboard", "仪表盘"), Under: "/admin/boards", Need: Sees, Topics: []string{"sampled"}, Handle: (*Admin).board},
		{Method: "GET", Path: "/admin/data/boards/{id}", Need: Sees, Handle: (*Admin).boardData},
	}
}

// boardsKnown are the boards there are.
func (a *Admin) boardsKnown() []board.Board {
	if a.o.Dashboards.Boards == nil {
		return nil
	}
	return a.o.Dashboards.Boards()
}

func (a *Admin) boardNamed(id string) (board.Board, bool) {
	for _, b := range a.boardsKnown() {
		if b.ID == id {
			return b, true
		}
	}
	return board.Board{}, false
}

func noBoard() words.Text {
	return words.Of("There is no such dashboard.", "没有这个仪表盘。")
}

func (a *Admin) boardList(r *Request) {
	r.Page(func(v console.View) templ.Component {
		var list []console.BoardLink
		for _, b := range a.boardsKnown() {
			l := console.BoardLink{ID: b.ID, Title: v.In(b.Title), About: v.In(b.About), Icon: b.Icon}
			for _, p := range b.Panels {
				l.Panels = append(l.Panels, v.In(p.Title))
			}
			list = append(list, l)
		}
		return console.BoardsPage(v, list)
	})
}

func (a *Admin) board(r *Request) {
	b, ok := a.boardNamed(r.Arg("id"))
	if !ok {
		r.Trouble(fasthttp.StatusNotFound, noBoard())
		return
	}
	s, err := readSpan(r.Query("from"), r.Query("to"), a.o.Now())
	wrong := words.Text{}
	if err != nil {
		wrong, s = spanText(err, s), lastHour(a.o.Now())
	}
	r.PageOf(b.Title, func(v console.View) templ.Component {
		p := console.Board{ID: b.ID, About: v.In(b.About), From: s.FromText, To: s.ToText, FromAt: s.From, ToAt: s.To, Wrong: v.In(wrong), Person: v.Login}
		for _, other := range a.boardsKnown() {
			p.Others = append(p.Others, console.Tab{Href: "/admin/boards/" + other.ID, Title: v.In(other.Title), Current: other.ID == b.ID})
		}
		for _, one := range b.Panels {
			p.Panels = append(p.Panels, panelView(v, one, s, a.o.Dashboards.Interval))
		}
		if b.ID == "host" || b.ID == "storage" {
			p.Disks, p.DisksKnown = a.disks(r.ctx, v)
		}
		return console.BoardPage(v, p)
	})
}

func panelView(v console.View, p board.Panel, s span, interval time.Duration) console.Panel {
	out := console.Panel{ID: p.ID, Title: v.In(p.Title), Help: v.In(p.Help), Unit: p.Unit, Kind: string(p.Kind), Wide: p.Wide}
	if len(p.Queries) > 0 {
		out.Query = p.Queries[0].Fill(stepOf(s, 600, interval), interval)
	}
	return out
}

// disks are the forecasts, those that matter first.
func (a *Admin) disks(ctx context.Context, v console.View) ([]console.DiskForecast, bool) {
	if a.o.Dashboards.Forecasts == nil {
		return nil, false
	}
	list, err := a.o.Dashboards.Forecasts(ctx)
	if err != nil {
		a.o.Log.Warn("forecast of disks failed", "error", err)
		return nil, false
	}
	var out []console.DiskForecast
	for _, f := range list {
		d := console.DiskForecast{Mount: f.Mount, Device: f.Device, Used: v.Bytes(f.Used), Size: v.Bytes(f.Size), Known: f.Week.Known || f.Month.Known}
		if f.Size > 0 {
			d.Ratio = f.Used / f.Size
		}
		if !f.Full.IsZero() {
			d.Days, d.Full = v.Number(f.Days), f.Full
			d.Level = fullLevel(f.Days)
		}
		growth := f.Week
		if !growth.Known || f.Month.Days < growth.Days {
			growth = f.Month
		}
		d.PerDay = v.Bytes(growth.PerDay)
		out = append(out, d)
	}
	return out, true
}

func fullLevel(days float64) console.Level {
	switch {
	case days < 3:
		return console.Critical
	case days < 14:
		return console.Serious
	case days < 30:
		return console.Warning
	}
	return console.Neutral
}
