package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/sysmon/board"
	"posthouse/sysmon/query"
	"posthouse/sysmon/words"
)

// boardAnswer is the data of a board: GET /admin/data/boards/{id}?from=&to=&width=
// &hide=<ids of panels>; with since=<Unix seconds>, only the points after it. The points of all panels
// stand at the same times, multiples of step; null is a gap. A tail whose range
// ends now has one more row, for now: the next tail begins before it and takes
// its place. Firing periods and marks come with all, or with events=1.
type boardAnswer struct {
	From   float64                `json:"from"` // Unix seconds
	To     float64                `json:"to"`
	Step   float64                `json:"step"` // seconds
	Live   bool                   `json:"live"` // the range ends now
	Times  []int64                `json:"times"`
	Panels map[string]panelAnswer `json:"panels"`
	Marks  []markAnswer           `json:"marks,omitempty"`
	Events bool                   `json:"events"` // periods and marks were asked for
}

type panelAnswer struct {
	Series     []seriesAnswer    `json:"series"`
	Thresholds []thresholdAnswer `json:"thresholds,omitempty"`
	Periods    []periodAnswer    `json:"periods,omitempty"`
	Error      string            `json:"error,omitempty"`
}

type seriesAnswer struct {
	Label  string   `json:"label"`
	Values []number `json:"values"`
}

type thresholdAnswer struct {
	Value    float64 `json:"value"`
	Label    string  `json:"label"`
	Severity string  `json:"severity"`
	Below    bool    `json:"below,omitempty"`
}

type periodAnswer struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Label    string  `json:"label"`
	Severity string  `json:"severity"`
}

type markAnswer struct {
	At    float64 `json:"at"`
	Kind  string  `json:"kind"`
	Label string  `json:"label"`
}

// number is a value with nine digits; what is no number is null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 9, 64), nil
}

const (
	boardTime   = 10 * time.Second // for all queries of a board
	seriesOfOne = 60               // series of one panel; the chart draws 40
	queriesOnce = 4                // at once; the engine has limits of its own
)

func (a *Admin) boardData(r *Request) {
	b, ok := a.boardNamed(r.Arg("id"))
	now := a.o.Now()
	s, err := readSpan(r.Query("from"), r.Query("to"), now)
	switch {
	case !ok || a.o.Dashboards.Range == nil:
		r.refuse(fasthttp.StatusNotFound, noBoard())
		return
	case err != nil:
		r.refuse(fasthttp.StatusBadRequest, spanText(err, s))
		return
	}
	width, _ := strconv.Atoi(r.Query("width")) // 0: a narrow one
	since, _ := strconv.ParseInt(r.Query("since"), 10, 64)
	ctx, cancel := context.WithTimeout(r.Context(), boardTime)
	defer cancel()
	r.JSON(a.o.Dashboards.answer(ctx, b, s, request{width: width, since: since, hidden: strings.Split(r.Query("hide"), ","), lang: r.Tongue(), live: s.ToText == "now", events: since == 0 || r.Query("events") == "1"}))
}

// refuse answers a script with an error as JSON.
func (r *Request) refuse(status int, text words.Text) {
	r.JSON(map[string]string{"error": text.In(r.Tongue())})
	r.ctx.SetStatusCode(status)
}

// request is how the data are wanted.
type request struct {
	width  int
	since  int64    // Unix seconds; 0: all
	hidden []string // ids of panels that are not wanted
	lang   string
	live   bool
	events bool // periods and marks, too
}

// grid is the times at which a board has points: multiples of the step, so
// that what comes later stands on the same ones.
type grid struct {
	first, last time.Time
	step        time.Duration
	now         time.Time // of a row after the last one; zero: none
}

func (g grid) size() int {
	n := int(g.last.Sub(g.first)/g.step) + 1
	if !g.now.IsZero() {
		n++
	}
	return n
}

func gridOf(s span, step time.Duration, since int64) grid {
	g := grid{first: s.From.Truncate(step), last: s.To.Truncate(step), step: step}
	if g.first.Before(s.From) {
		g.first = g.first.Add(step)
	}
	if since > 0 && time.Unix(since, 0).After(g.first) {
		g.first = time.Unix(since, 0).Truncate(step) // the last point known is made anew: it may not have been whole
	}
	return g
}

// answer evaluates a board's panels, its firing periods and its restarts, a few
// at once.
func (d Dashboards) answer(ctx context.Context, b board.Board, s span, q request) boardAnswer {
	interval := cmp.Or(d.Interval, 15*time.Second)
	b.Panels = slices.DeleteFunc(slices.Clone(b.Panels), func(p board.Panel) bool { return slices.Contains(q.hidden, p.ID) })
	g := gridOf(s, stepOf(s, q.width, interval), q.since)
	out := boardAnswer{From: seconds(s.From), To: seconds(s.To), Step: g.step.Seconds(), Live: q.live, Events: q.events, Times: []int64{}, Panels: map[string]panelAnswer{}}
	if g.last.Before(g.first) {
		return out
	}
	for t := g.first; !t.After(g.last); t = t.Add(g.step) {
		out.Times = append(out.Times, t.Unix())
	}
	if now := s.To.Truncate(time.Second); q.live && q.since > 0 && now.After(g.last) {
		g.now = now
		out.Times = append(out.Times, now.Unix())
	}
	var (
		mu     sync.Mutex
		wait   sync.WaitGroup
		turn   = make(chan struct{}, queriesOnce)
		firing []periodOf
		marks  []Mark
	)
	do := func(f func()) {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			f()
		})
	}
	for _, p := range b.Panels {
		do(func() {
			one := d.panel(ctx, p, g, interval, q.lang)
			mu.Lock()
			defer mu.Unlock()
			out.Panels[p.ID] = one
		})
	}
	whole := gridOf(s, g.step, 0)
	if q.events {
		do(func() { firing = d.firing(ctx, b, whole) })
		do(func() { marks = d.marks(ctx, s, whole) })
	}
	wait.Wait()
	for _, m := range marks {
		out.Marks = append(out.Marks, markAnswer{seconds(m.At), m.Kind, m.Text.In(q.lang)})
	}
	for _, p := range b.Panels {
		one := out.Panels[p.ID]
		for _, f := range firing {
			if slices.Contains(p.Alerts, f.Label) {
				one.Periods = append(one.Periods, f.periodAnswer)
			}
		}
		out.Panels[p.ID] = one
	}
	return out
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// panel evaluates the queries of a panel.
func (d Dashboards) panel(ctx context.Context, p board.Panel, g grid, interval time.Duration, lang string) panelAnswer {
	out := panelAnswer{Series: []seriesAnswer{}}
	for _, t := range p.Thresholds {
		out.Thresholds = append(out.Thresholds, thresholdAnswer{t.Value, t.Alert, t.Severity, t.Below})
	}
	for _, q := range p.Queries {
		runs, err := d.runs(ctx, q.Fill(g.step, interval), g)
		if err != nil {
			out.Error = trouble(err, lang)
			return out
		}
		for _, run := range runs {
			if len(out.Series) == seriesOfOne {
				break
			}
			out.Series = append(out.Series, seriesAnswer{seriesName(q, p, run, lang), g.values(run)})
		}
	}
	distinct(out.Series)
	slices.SortStableFunc(out.Series, func(x, y seriesAnswer) int {
		if len(p.Queries) > 1 { // their order is meant
			return 0
		}
		return strings.Compare(x.Label, y.Label)
	})
	return out
}

// runs evaluates an expression on the grid, and for its last row.
func (d Dashboards) runs(ctx context.Context, expr string, g grid) ([]Run, error) {
	runs, err := d.Range(ctx, expr, g.first, g.last, g.step)
	if err != nil || g.now.IsZero() {
		return runs, err
	}
	newest, err := d.Range(ctx, expr, g.now, g.now, g.step)
	if err != nil {
		return nil, err
	}
	for _, n := range newest {
		i := slices.IndexFunc(runs, func(r Run) bool { return maps.Equal(r.Labels, n.Labels) })
		if i < 0 {
			runs = append(runs, n)
			continue
		}
		runs[i].Points = append(runs[i].Points, n.Points...)
	}
	return runs, nil
}

// distinct gives a number to a name that another series has: a chart tells them
// apart by name.
func distinct(list []seriesAnswer) {
	seen := map[string]int{}
	for i, s := range list {
		seen[s.Label]++
		if n := seen[s.Label]; n > 1 {
			list[i].Label = fmt.Sprintf("%s (%d)", s.Label, n)
		}
	}
}

// trouble says in a sentence why a query has no answer.
func trouble(err error, lang string) string {
	var refused *query.Error
	if errors.As(err, &refused) {
		return clipLong(refused.Say.In(lang))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return words.Of("It took too long; choose a shorter range.", "耗时过长，请选择较短的时间范围。").In(lang)
	}
	return clipLong(err.Error())
}

// clipLong cuts what an engine says to a readable length.
func clipLong(text string) string {
	if r := []rune(text); len(r) > 240 {
		return string(r[:240]) + "…"
	}
	return text
}

func seriesName(q board.Query, p board.Panel, run Run, lang string) string {
	if name := q.Name(lang, run.Labels); name != "" {
		return name
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(run.Labels)) {
		if k != "__name__" && k != "job" && k != "instance" {
			parts = append(parts, run.Labels[k])
		}
	}
	if len(parts) == 0 {
		return p.Title.In(lang)
	}
	return strings.Join(parts, " ")
}

// values puts a series on the grid.
func (g grid) values(run Run) []number {
	out := make([]number, g.size())
	for i := range out {
		out[i] = number(math.NaN())
	}
	for _, p := range run.Points {
		i := (p.At - g.first.UnixMilli()) / g.step.Milliseconds()
		if !g.now.IsZero() && p.At == g.now.UnixMilli() {
			i = int64(len(out) - 1)
		}
		if i >= 0 && int(i) < len(out) {
			out[i] = number(p.Value)
		}
	}
	return out
}

// periodOf is a period with the alert's name as label.
type periodOf struct{ periodAnswer }

// firing are the periods in which the alerts of a board fired: ALERTS is what
// the rules write.
func (d Dashboards) firing(ctx context.Context, b board.Board, g grid) []periodOf {
	var names []string
	for _, p := range b.Panels {
		names = append(names, p.Alerts...)
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	expr := fmt.Sprintf(`max by (alertname, severity) (ALERTS{alertstate="firing", alertname=~%q})`, strings.Join(slices.Compact(names), "|"))
	runs, err := d.Range(ctx, expr, g.first, g.last, g.step)
	if err != nil {
		return nil // the panels say what is wrong
	}
	var out []periodOf
	step := g.step.Milliseconds()
	for _, run := range runs {
		for i, p := range run.Points {
			at := float64(p.At) / 1000
			if i > 0 && p.At-run.Points[i-1].At <= step {
				out[len(out)-1].To = at
				continue
			}
			out = append(out, periodOf{periodAnswer{at - g.step.Seconds()/2, at, run.Labels["alertname"], run.Labels["severity"]}})
		}
	}
	return out
}

// marks are the restarts, which the samples tell, and what else happened.
func (d Dashboards) marks(ctx context.Context, s span, g grid) []Mark {
	var out []Mark
	if d.Marks != nil {
		out = d.Marks(ctx, s.From, s.To)
	}
	runs, err := d.Range(ctx, `max(process_start_time_seconds)`, g.first, g.last, g.step)
	if err != nil {
		return out
	}
	seen := map[int64]bool{}
	for _, run := range runs {
		for _, p := range run.Points {
			at := time.UnixMilli(int64(p.Value * 1000))
			if seen[at.Unix()] || at.Before(s.From) || at.After(s.To) {
				continue
			}
			seen[at.Unix()] = true
			out = append(out, Mark{At: at, Kind: "restart", Text: words.Of("Server started", "服务器启动")})
		}
	}
	slices.SortFunc(out, func(x, y Mark) int { return x.At.Compare(y.At) })
	return out
}

// sampled is the topic that says when there are new samples.
func (d Dashboards) sampled() []Live {
	if d.Newest == nil {
		return nil
	}
	return []Live{{Topic: "sampled", Every: time.Second, Data: func(context.Context, string) string {
		text, _ := json.Marshal(d.Newest().UnixMilli()) // a number always can
		return string(text)
	}}}
}
