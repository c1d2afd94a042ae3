package e2e

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/valyala/fasthttp"

	"posthouse/admin"
	"posthouse/sysmon/board"
	"posthouse/sysmon/query"
	"posthouse/sysmon/store"
	"posthouse/sysmon/words"
	"posthouse/webui"
)

// wall is a console over a real store of figures, with dashboards that show
// everything a chart can. The visitor is the operator.
type wall struct {
	t      *testing.T
	store  *store.Store
	series []labels.Labels
	until  time.Time // newest samples
	at     func() time.Time
	site   string
}

const sampleEvery = 15 * time.Second

// value is what a series has at a time: the tests compute it too.
func (w *wall) value(series int, at time.Time) float64 {
	x := at.Sub(w.until).Minutes()
	switch {
	case series == 0 && x > -40 && x < -20: // longer than a query looks back
		return math.NaN()
	case series == 0:
		return 0.55 + 0.4*math.Sin(x/9)
	case series < 4:
		return float64(series) * 1e9 * (1 + 0.2*math.Sin(x/float64(7*series)))
	case series == 4:
		return math.Round(40 + 30*math.Sin(x/11))
	case series == 5 && (x < -12 || x > -5): // an alert
		return math.NaN()
	case series == 5:
		return 1
	case series == 6 && x < -50:
		return float64(w.until.Add(-72 * time.Hour).Unix())
	case series == 6:
		return float64(w.until.Add(-50 * time.Minute).Unix())
	}
	return 1e6 * float64(series) * (1.2 + math.Sin(x/float64(series)))
}

func openWall(t *testing.T) *wall {
	t.Helper()
	w := &wall{t: t, until: time.Now().Truncate(sampleEvery).Add(-sampleEvery)}
	var err error
	w.store, err = store.Open(t.TempDir(), store.Options{MaxShare: 1})
	must(t, err)
	named := func(name string, more ...string) labels.Labels {
		return labels.FromStrings(append([]string{"__name__", name, "job", "demo"}, more...)...)
	}
	w.series = []labels.Labels{named("cpu"), named("memory", "part", "used"), named("memory", "part", "cache"), named("memory", "part", "free"), named("online"),
		named("ALERTS", "alertname", "HighCPUUsage", "alertstate", "firing", "severity", "critical"), named("process_start_time_seconds")}
	for i := range 9 {
		w.series = append(w.series, named("network", "device", fmt.Sprintf("eth%d", i)))
	}
	for at := w.until.Add(-2 * time.Hour); !at.After(w.until); at = at.Add(sampleEvery) {
		w.samples(at)
	}
	newest := w.until
	w.at = func() time.Time { return newest }
	console := admin.New(admin.Options{Script: first(webui.Console()), Style: second(webui.Console()), Language: "auto",
		Dashboards: admin.Dashboards{Boards: wallBoards, Range: admin.RangeOf(query.New(w.store.Queryable(), query.Limits{})), Interval: sampleEvery,
			Newest: func() time.Time { return w.at() },
			Marks: func(_ context.Context, from, to time.Time) []admin.Mark {
				return []admin.Mark{{At: w.until.Add(-30 * time.Minute), Kind: "backup", Text: words.Of("Backup finished", "备份完成")}, {At: w.until.Add(-10 * time.Minute), Kind: "config", Text: words.Of("ann changed the settings", "ann 更改了设置")}}
			}}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w.site = "http://" + ln.Addr().String()
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		path := string(ctx.Path())
		if strings.HasPrefix(path, "/admin") {
			lang := "en"
			if strings.HasPrefix(string(ctx.Request.Header.Peek("Accept-Language")), "zh") {
				lang = "zh"
			}
			console.Serve(ctx, admin.Visitor{Operator: true, LoggedIn: true, Login: "operator", Lang: lang})
			return
		}
		f, ok := webui.Lookup(path, "", "")
		if !ok {
			ctx.SetStatusCode(fasthttp.StatusNotFound)
			return
		}
		ctx.SetContentType(f.Type)
		ctx.SetBody(f.Body)
	}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		console.Close()
		must(t, server.Shutdown())
		must(t, <-served)
		must(t, w.store.Close())
	})
	return w
}

func first(a, _ string) string  { return a }
func second(_, b string) string { return b }

// samples writes what every series has at a time.
func (w *wall) samples(at time.Time) {
	w.t.Helper()
	app := w.store.Appender(context.Background())
	for i, l := range w.series {
		if v := w.value(i, at); !math.IsNaN(v) {
			_, err := app.Append(0, l, at.UnixMilli(), v)
			must(w.t, err)
		}
	}
	must(w.t, app.Commit())
}

func wallBoards() []board.Board {
	one := func(expr, en, zh string) []board.Query {
		return []board.Query{{Expr: expr, Legend: words.Of(en, zh)}}
	}
	help := words.Of("What it shows and what is usual.", "说明及正常范围。")
	return []board.Board{
		{ID: "core", Title: words.Of("Is chat healthy", "系统健康度全景"), About: words.Of("The figures that tell first.", "最先说明问题的指标。"), Icon: "check", Panels: []board.Panel{
			{ID: "online", Title: words.Of("Online", "在线人数"), Kind: board.Stat, Help: help, Queries: one("online", "people", "人数")},
			{ID: "cpu-now", Title: words.Of("CPU", "CPU"), Kind: board.Stat, Unit: "ratio", Queries: one("cpu", "used", "已用"), Thresholds: []board.Threshold{{Value: 0.1, Severity: "serious", Alert: "HighCPUUsage"}}},
			{ID: "cpu", Title: words.Of("CPU load", "CPU 使用率"), Help: help, Unit: "ratio", Kind: board.Line, Queries: one("cpu", "used", "已用"), Alerts: []string{"HighCPUUsage"},
				Thresholds: []board.Threshold{{Value: 0.9, Severity: "critical", Alert: "HighCPUUsage"}}},
			{ID: "memory", Title: words.Of("Memory", "内存"), Unit: "bytes", Kind: board.Stacked, Queries: one("memory", "{{part}}", "{{part}}")},
			{ID: "network", Title: words.Of("Network", "网络"), Unit: "bytes/s", Kind: board.Line, Queries: one("network", "{{device}}", "{{device}}")},
			{ID: "people", Title: words.Of("People online", "在线人数变化"), Kind: board.Bars, Wide: true, Queries: one("online", "people", "人数")},
			{ID: "none", Title: words.Of("Calls", "通话"), Queries: one("no_such_metric", "calls", "通话")},
			{ID: "broken", Title: words.Of("Broken", "损坏的面板"), Queries: one("sum((", "x", "x")},
		}},
		{ID: "host", Title: words.Of("Host", "主机"), About: words.Of("This machine.", "本机。"), Icon: "host", Panels: []board.Panel{
			{ID: "cpu", Title: words.Of("CPU load", "CPU 使用率"), Unit: "ratio", Kind: board.Area, Queries: one("cpu", "used", "已用")},
		}},
	}
}

// drawn waits until all charts of a board that have data are drawn.
func (p *tab) drawn(n int) {
	p.t.Helper()
	p.until("charts", fmt.Sprintf(`document.querySelectorAll(".chart-plot canvas").length === %d`, n))
	p.still()
}

// Dashboards in both languages, light and dark, wide and narrow.
func TestDashboardsLookRight(t *testing.T) {
	t.Parallel()
	w := openWall(t)
	for _, lang := range []string{"en", "zh"} {
		for _, width := range []int64{1400, 360} {
			t.Run(fmt.Sprintf("%s-%d", lang, width), func(t *testing.T) {
				t.Parallel()
				p := &walker{tab: shared.tab(t, "operator", w.site), lang: lang, width: width}
				p.speaks(map[string]string{"en": "en-GB", "zh": "zh-CN"}[lang])
				p.size(width, 1100)
				for _, v := range []view{
					{"boards", func(p *walker) { p.open("/admin/boards"); p.finds(".board-link a", "") }},
					{"board", func(p *walker) { p.open("/admin/boards/core"); p.drawn(4) }},
					{"board with a menu", func(p *walker) {
						p.click("[data-panel=cpu] .chart-button[aria-controls^=chartmenu]", "")
						p.finds(".chart-menu button", "")
					}},
					{"board with help and a table", func(p *walker) {
						p.click("[data-panel=cpu] .chart-menu button", "")
						p.finds("[data-panel=cpu] .chart-table table", "")
						p.click("[data-panel=cpu] .chart-button[aria-controls^=charthelp]", "")
					}},
					{"range picker", func(p *walker) {
						p.open("/admin/boards/core?from=now-2h")
						p.drawn(4)
						p.click("#range-custom summary", "")
					}},
					{"panels", func(p *walker) { p.open("/admin/boards/core"); p.drawn(4); p.click("#range-panels summary", "") }},
					{"range that is none", func(p *walker) { p.open("/admin/boards/core?from=x"); p.finds(".note.warning", "") }},
				} {
					p.looksAt(v)
					if width != 360 {
						for _, scheme := range []string{"light", "dark"} {
							p.scheme(scheme)
							p.still()
							p.shot(v.name + "-" + scheme)
						}
					}
				}
			})
		}
	}
}

// A chart by keyboard: the cursor speaks, the legend follows, the other charts'
// crosshairs too; zoom stands in the address and back leads back.
func TestChartByKeyboard(t *testing.T) {
	t.Parallel()
	w := openWall(t)
	p := shared.tab(t, "operator", w.site)
	p.size(1400, 1000)
	from, to := w.until.Add(-time.Hour), w.until
	p.open(fmt.Sprintf("/admin/boards/core?from=%d&to=%d", from.Unix(), to.Unix()))
	p.drawn(4)
	p.run(`document.querySelector("[data-panel=cpu] .chart-plot").focus()`)
	p.key("Home", "Home", 36, "")
	p.key("ArrowRight", "ArrowRight", 39, "")
	spoken := `document.querySelector("[data-panel=cpu] [role=status]").textContent`
	want := fmt.Sprintf("%.3g %%", 100*w.value(0, from.Add(2*sampleEvery)))
	if ask[bool](p, `document.querySelector("[data-panel=cpu] .chart-plot").matches("[aria-details][aria-describedby][role=application]")`) != true {
		t.Error("the chart has no name or details")
	}
	p.until("the second or third value spoken", `/^\d\d:\d\d:\d\d, [\d.]+ %/.test(`+spoken+`)`)
	first := ask[string](p, spoken)
	if !strings.Contains(first, want) && !strings.Contains(first, fmt.Sprintf("%.3g %%", 100*w.value(0, from.Add(sampleEvery)))) {
		t.Errorf("spoken is %q, want the value %s", first, want)
	}
	p.until("the value in the legend too", `document.querySelector("[data-panel=cpu] .chart-legend td").textContent === `+spoken+`.split(", ")[1]`)
	p.until("the crosshair of another chart", `/\d\d:\d\d:\d\d/.test(document.querySelector("[data-panel=network] .chart-at").textContent)`)
	for range 2 {
		p.key("PageDown", "PageDown", 34, "") // into the gap
	}
	p.until("the gap spoken", spoken+`.includes("no data")`)
	p.key("End", "End", 35, "")
	p.until("the end spoken", spoken+` !== `+quoted(first)+` && !`+spoken+`.includes("no data")`)
	p.run(`document.querySelector("[data-panel=network] .chart-plot").focus()`)
	p.key("End", "End", 35, "")
	p.press("ArrowDown")
	p.until("one series spoken", `/^[\d:]+, eth0 [\d.]+ MiB\/s$/.test(document.querySelector("[data-panel=network] [role=status]").textContent)`)
	// Zoom by key, and back.
	before := ask[string](p, `location.search`)
	p.run(`document.querySelector("[data-panel=cpu] .chart-plot").focus()`)
	p.key("ArrowLeft", "ArrowLeft", 37, "")
	p.key("+", "Equal", 187, "+")
	p.until("the zoom in the address", `location.search !== `+quoted(before)+` && Number(new URLSearchParams(location.search).get("from")) > `+fmt.Sprint(from.Unix()))
	p.press("Backspace")
	p.until("the range before", `location.search === `+quoted(before))
	p.until("its data", `document.querySelector("[data-range-state]").textContent === "Range in the past"`)
}

// Zoom by dragging; panels that are hidden stay hidden; a preset.
func TestChartByMouse(t *testing.T) {
	t.Parallel()
	w := openWall(t)
	p := shared.tab(t, "operator", w.site)
	p.size(1400, 1000)
	p.open("/admin/boards/core")
	p.drawn(4)
	p.run(`document.querySelector("[data-panel=cpu] canvas").id = "first"`)
	type box struct{ X, Y, Width float64 }
	at := ask[box](p, `(() => { const b = document.querySelector("[data-panel=cpu] .u-over").getBoundingClientRect(); return { X: b.left, Y: b.top + 40, Width: b.width } })()`)
	mouse := func(kind input.DispatchMouseEventType, x float64) {
		command(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at.X + x*at.Width, Y: at.Y, Button: input.MouseButtonLeft, ClickCount: 1})
	}
	mouse(input.DispatchMouseEventTypeMouseMoved, 0.5)
	mouse(input.DispatchMouseEventTypeMousePressed, 0.5)
	for _, x := range []float64{0.55, 0.6, 0.7, 0.75} {
		mouse(input.DispatchMouseEventTypeMouseMoved, x)
	}
	mouse(input.DispatchMouseEventTypeMouseReleased, 0.75)
	p.until("the zoom in the address", `Math.abs(new URLSearchParams(location.search).get("to") - new URLSearchParams(location.search).get("from") - 900) < 60`)
	p.until("the picker saying it", `!document.querySelector("[data-preset][aria-current]")`)
	if !ask[bool](p, `document.querySelector("[data-panel=cpu] canvas").id === "first"`) {
		t.Error("zooming made a new canvas")
	}
	p.run(`history.back()`)
	p.until("the last hour again", `location.search === "" && document.querySelector("[data-preset='now-1h'][aria-current]")`)
	p.click("[data-preset='now-12h']", "")
	p.until("12 hours", `location.search === "?from=now-12h&to=now"`)
	p.click("[data-panel=memory] .chart-button[aria-controls^=chartmenu]", "")
	p.click("[data-panel=memory] .chart-menu button", "Hide this panel")
	p.until("it gone", `document.querySelector("[data-panel=memory]").hidden && document.querySelector("[data-range-hidden]").textContent.includes("1")`)
	p.reload()
	p.drawn(3)
	p.click("#range-panels summary", "")
	p.click("[data-choice=memory]", "")
	p.drawn(4)
	// A series alone, and all again.
	p.click("[data-panel=network] .chart-series", "eth3")
	p.until("the others dim", `document.querySelectorAll("[data-panel=network] .chart-legend tr.off").length === 8`)
	p.click("[data-panel=network] .chart-series", "eth3")
	p.until("all", `!document.querySelector("[data-panel=network] .chart-legend tr.off")`)
	// The picker's fields, wrong and right.
	p.click("#range-custom summary", "")
	p.fill("#range-from", "soon")
	p.click(".range-custom .primary", "")
	p.until("what is wrong", `document.querySelector("[data-range-wrong]").textContent.includes("soon") && document.activeElement.id === "range-from"`)
	p.fill("#range-from", "now-30m")
	p.click(".range-custom .primary", "")
	p.until("half an hour", `location.search.includes("from=now-30m")`)
}

// What is taken along is what is shown; the gap is a gap.
func TestChartExports(t *testing.T) {
	t.Parallel()
	w := openWall(t)
	p := shared.tab(t, "operator", w.site)
	p.size(1400, 1000)
	from := w.until.Add(-time.Hour)
	p.open(fmt.Sprintf("/admin/boards/core?from=%d&to=%d", from.Unix(), w.until.Unix()))
	p.drawn(4)
	p.run(`window.saved = []; const real = URL.createObjectURL; URL.createObjectURL = (b) => { window.saved.push(b); return real.call(URL, b) };
		HTMLAnchorElement.prototype.click = function () { window.name_ = this.download };`)
	menu := func(text string) {
		p.click("[data-panel=cpu] .chart-button[aria-controls^=chartmenu]", "")
		p.click("[data-panel=cpu] .chart-menu button", text)
	}
	menu("Download CSV")
	p.until("a file", `window.saved.length === 1 && window.name_.endsWith(".csv")`)
	lines := strings.Split(strings.TrimSpace(ask[string](p, `window.saved[0].text()`)), "\r\n")
	if !strings.HasSuffix(lines[0], "Time (UTC),used [ratio]") || len(lines) != 1+int(w.until.Sub(from)/sampleEvery)+1 {
		t.Fatalf("%d lines, the first is %q", len(lines), lines[0])
	}
	gaps := 0
	for i, line := range lines[1:] {
		at := from.Add(time.Duration(i) * sampleEvery)
		stamp, text, _ := strings.Cut(line, ",")
		if stamp != at.UTC().Format("2006-01-02T15:04:05.000Z") {
			t.Fatalf("line %d is of %s, want %s", i, stamp, at.UTC())
		}
		var got float64
		if text == "" {
			gaps++
			continue
		}
		if _, err := fmt.Sscan(text, &got); err != nil {
			t.Fatal(err)
		}
		if want := w.value(0, at); !math.IsNaN(want) && math.Abs(got-want) > 1e-8 {
			t.Errorf("%s: %v, want %v", stamp, got, want)
		}
	}
	if gaps < 50 {
		t.Errorf("%d empty fields: the gap was filled", gaps)
	}
	menu("Download PNG")
	p.until("a picture", `window.saved.length === 2 && window.name_.endsWith(".png") && window.saved[1].size > 5000`)
	// No pixel of the series in the middle of the gap, some beside it.
	blue := func(at time.Time) bool {
		x := at.Sub(from).Seconds() / 3600
		return ask[bool](p, fmt.Sprintf(`(() => {
	const canvas = document.querySelector("[data-panel=cpu] canvas"), over = document.querySelector("[data-panel=cpu] .u-over"), r = canvas.width / canvas.clientWidth;
	const x = Math.round((over.offsetLeft + over.clientWidth * %g) * r);
	const d = canvas.getContext("2d").getImageData(x - 1, over.offsetTop * r, 3, over.clientHeight * r).data;
	for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 180 && d[i] < 60 && d[i + 2] > 140) return true;
	return false })()`, x))
	}
	if blue(w.until.Add(-24*time.Minute)) || !blue(w.until.Add(-50*time.Minute)) || !blue(w.until.Add(-2*time.Minute)) {
		t.Error("the line goes through the gap, or there is none beside it")
	}
	menu("Show as a table")
	p.until("a real table", `document.querySelectorAll("[data-panel=cpu] .chart-table tbody th[scope=row] time").length > 30 && document.querySelector("[data-panel=cpu] .chart-table td").textContent.endsWith("%")`)
	p.until("the events in words", `[...document.querySelectorAll("[data-panel=cpu] .chart-table li")].some((x) => x.textContent.includes("Server started")) && [...document.querySelectorAll("[data-panel=cpu] .chart-table li")].some((x) => x.textContent.includes("HighCPUUsage"))`)
}

// New samples arrive by themselves on the same canvas; a pause holds them back.
func TestChartsAreLive(t *testing.T) {
	t.Parallel()
	w := openWall(t)
	p := shared.tab(t, "operator", w.site)
	p.size(1400, 1000)
	p.open("/admin/boards/core")
	p.drawn(4)
	p.connected()
	p.run(`document.querySelector("[data-panel=people] canvas").id = "first"`)
	now := `document.querySelector("[data-panel=online] .chart-figure").textContent`
	shown := ask[string](p, now)
	add := func(v float64) {
		at := time.Now()
		app := w.store.Appender(context.Background())
		_, err := app.Append(0, w.series[4], at.UnixMilli(), v)
		must(t, err)
		must(t, app.Commit())
		w.at = func() time.Time { return at }
	}
	await(t, func() string { return "a point that is new" }, func() bool {
		add(4711)
		return ask[string](p, now) == "4,711"
	})
	if shown == "4,711" {
		t.Error("the figure was there before")
	}
	p.until("it in the other chart too", `document.querySelector("[data-panel=people] .chart-legend td").textContent === "4,711" && document.querySelector("[data-panel=people] canvas").id === "first"`)
	p.click("[data-range-pause]", "")
	p.until("a pause", `document.querySelector("[data-range-state]").textContent === "Paused"`)
}
