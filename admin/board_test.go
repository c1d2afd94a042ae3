package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"posthouse/sysmon/board"
	"posthouse/sysmon/query"
	"posthouse/sysmon/store"
	"posthouse/sysmon/words"
)

// figureStore is a store with an engine over it.
type figureStore struct {
	t     testing.TB
	store *store.Store
}

func openFigures(t testing.TB, now time.Time) *figureStore {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Options{MaxSeries: 100_000, MaxShare: 1, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &figureStore{t, s}
}

// write adds samples of several series from one time to another.
func (f *figureStore) write(from, to time.Time, every time.Duration, value func(series int, at time.Time) float64, series ...labels.Labels) {
	f.t.Helper()
	app := f.store.Appender(context.Background())
	n := 0
	for at := from; !at.After(to); at = at.Add(every) {
		for i, l := range series {
			if v := value(i, at); !math.IsNaN(v) {
				if _, err := app.Append(0, l, at.UnixMilli(), v); err != nil {
					f.t.Fatal(err)
				}
				n++
			}
		}
		if n > 50_000 {
			if err := app.Commit(); err != nil {
				f.t.Fatal(err)
			}
			app, n = f.store.Appender(context.Background()), 0
		}
	}
	if err := app.Commit(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *figureStore) dashboards() Dashboards {
	return Dashboards{Interval: 15 * time.Second, Range: RangeOf(query.New(f.store.Queryable(), query.Limits{}))}
}

// now is on the grid of every step used below.
var noon = time.Unix(1795262400, 0)

func demo() board.Board {
	return board.Board{ID: "demo", Title: words.Of("Demo", "演示"), Panels: []board.Panel{
		{ID: "load", Title: words.Of("Load", "负载"), Queries: []board.Query{{Expr: "load", Legend: words.Of("{{host}} load", "{{host}} 负载")}},
			Thresholds: []board.Threshold{{Value: 3, Severity: "serious", Alert: "HighLoad"}}, Alerts: []string{"HighLoad"}},
		{ID: "broken", Title: words.Of("Broken", "损坏"), Queries: []board.Query{{Expr: "sum(("}}},
		{ID: "none", Title: words.Of("None", "无"), Queries: []board.Query{{Expr: "no_such_metric"}}},
		{ID: "rate", Title: words.Of("Rate", "速率"), Unit: "/s", Queries: []board.Query{{Expr: "rate(bytes_total[$__rate_interval])"}}},
	}}
}

func valuesOf(s seriesAnswer) string {
	text, err := json.Marshal(s.Values)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// The data of a board: points on the grid, gaps, names in both languages,
// errors by panel, firing periods, restarts.
func TestBoardData(t *testing.T) {
	f := openFigures(t, noon)
	start := noon.Add(-10 * time.Minute)
	f.write(start, noon, 15*time.Second, func(series int, at time.Time) float64 {
		minute := at.Sub(start).Minutes()
		switch {
		case series == 0 && minute >= 3 && minute < 9:
			return math.NaN() // longer than an instant looks back: a gap
		case series == 0:
			return minute
		case series == 1:
			return 30 * at.Sub(start).Seconds()
		case series == 2 && (minute < 6 || minute > 8):
			return math.NaN()
		case series == 3 && minute < 5:
			return float64(start.Add(-time.Hour).Unix())
		case series == 3:
			return float64(start.Add(5 * time.Minute).Unix())
		}
		return 1
	}, labels.FromStrings("__name__", "load", "host", "box"), labels.FromStrings("__name__", "bytes_total", "job", "x"),
		labels.FromStrings("__name__", "ALERTS", "alertname", "HighLoad", "alertstate", "firing", "severity", "serious"),
		labels.FromStrings("__name__", "process_start_time_seconds", "job", "x"))
	d := f.dashboards()
	d.Marks = func(context.Context, time.Time, time.Time) []Mark {
		return []Mark{{At: start.Add(time.Minute), Kind: "backup", Text: words.Of("Backup", "备份")}}
	}
	s, err := readSpan("now-10m", "now", noon)
	if err != nil {
		t.Fatal(err)
	}
	got := d.answer(context.Background(), demo(), s, request{width: 120, lang: "zh", live: true, events: true})
	if got.Step != 15 || len(got.Times) != 41 || got.Times[0] != start.Unix() || got.Times[40] != noon.Unix() {
		t.Fatalf("grid: step %v, %d times from %v", got.Step, len(got.Times), got.Times)
	}
	load := got.Panels["load"]
	if len(load.Series) != 1 || load.Series[0].Label != "box 负载" || len(load.Series[0].Values) != 41 {
		t.Fatalf("load: %+v", load)
	}
	text := valuesOf(load.Series[0])
	if !strings.HasPrefix(text, "[0,0.25,0.5,0.75,1,") || !strings.Contains(text, "2.75,2.75") || !strings.Contains(text, "null,9,") || !strings.HasSuffix(text, ",9.75,10]") {
		t.Errorf("values %s", text)
	}
	if rate := valuesOf(got.Panels["rate"].Series[0]); !strings.HasSuffix(rate, ",30,30]") {
		t.Errorf("rate %s", rate)
	}
	if got.Panels["rate"].Series[0].Label != "速率" {
		t.Errorf("a series without a name is called %q", got.Panels["rate"].Series[0].Label)
	}
	if got.Panels["broken"].Error == "" || len(got.Panels["none"].Series) != 0 || got.Panels["none"].Error != "" {
		t.Errorf("broken: %q, none: %+v", got.Panels["broken"].Error, got.Panels["none"])
	}
	if len(load.Periods) != 1 || load.Periods[0].Label != "HighLoad" || load.Periods[0].Severity != "serious" || math.Abs(load.Periods[0].From-float64(start.Add(6*time.Minute).Unix())) > 15 {
		t.Errorf("periods: %+v", load.Periods)
	}
	if len(got.Panels["rate"].Periods) != 0 {
		t.Error("a panel shows the firing of an alert that is not its own")
	}
	if len(got.Marks) != 2 || got.Marks[0].Label != "备份" || got.Marks[1].Kind != "restart" || got.Marks[1].At != float64(start.Add(5*time.Minute).Unix()) {
		t.Errorf("marks: %+v", got.Marks)
	}
	// What is new only, from the newest point known; a hidden panel is not asked.
	tail := d.answer(context.Background(), demo(), s, request{width: 120, lang: "en", live: true, since: noon.Add(-30 * time.Second).Unix(), hidden: []string{"rate"}})
	if len(tail.Times) != 3 || valuesOf(tail.Panels["load"].Series[0]) != "[9.5,9.75,10]" || len(tail.Panels["load"].Periods) != 0 || len(tail.Marks) != 0 {
		t.Errorf("tail: %+v", tail)
	}
	// Between two points of the grid a tail has a row for now.
	s.To = noon.Add(7 * time.Second)
	now := d.answer(context.Background(), demo(), s, request{width: 120, lang: "en", live: true, since: noon.Unix()})
	if len(now.Times) != 2 || now.Times[1] != noon.Unix()+7 || valuesOf(now.Panels["load"].Series[0]) != "[10,10]" {
		t.Errorf("now: %+v", now)
	}
	if _, there := tail.Panels["rate"]; there {
		t.Error("a hidden panel was asked for")
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"", "", "1h0m0s 0s"}, {"now-7d", "now", "168h0m0s 0s"}, {"now-2w", "now-1w", "168h0m0s 168h0m0s"},
		{"1795258800", "1795262400", "1h0m0s 0s"}, {"now-1h", "1999999999", "1h0m0s 0s"}, {"now-999999w", "now", "19152h0m0s 0s"},
		{noon.Add(-time.Hour).UTC().Format(time.RFC3339), "now", "1h0m0s 0s"}, {noon.Add(-time.Hour).Format("2006-01-02 15:04"), "now", "1h0m0s 0s"},
		{"now", "now-1h", "!"}, {"now-5s", "now", "!"}, {"yesterday", "now", "!"}, {"now-1y", "now", "!"}, {"-5", "now", "!"}, {"now-1h", "<script>", "!"},
	} {
		s, err := readSpan(c.from, c.to, noon)
		got := fmt.Sprint(s.To.Sub(s.From), noon.Sub(s.To))
		if err != nil {
			got = "!"
			if text := spanText(err, s); text.EN == "" || text.ZH == "" {
				t.Errorf("%q to %q is refused without a reason", c.from, c.to)
			}
		}
		if got != c.want && !strings.HasPrefix(got, c.want) {
			t.Errorf("%q to %q: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	step := func(from string, width int) time.Duration {
		s, err := readSpan(from, "now", noon)
		if err != nil {
			t.Fatal(err)
		}
		return stepOf(s, width, 15*time.Second)
	}
	got := []time.Duration{step("now-1h", 600), step("now-24h", 600), step("now-7d", 600), step("now-30d", 600), step("now-7d", 100000), step("now-800d", 1)}
	want := []time.Duration{15 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 15 * time.Minute, 7 * 24 * time.Hour}
	if !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
}

// BenchmarkBoard asks for a board of 12 panels over 7 days: 48 series of
// samples every 15 s.
func BenchmarkBoard(b *testing.B) {
	f := openFigures(b, noon)
	var all []labels.Labels
	var panels []board.Panel
	for p := range 12 {
		for i := range 4 {
			all = append(all, labels.FromStrings("__name__", fmt.Sprintf("panel%d_total", p), "device", fmt.Sprint("d", i)))
		}
		panels = append(panels, board.Panel{ID: fmt.Sprint(p), Queries: []board.Query{{Expr: fmt.Sprintf("sum by (device) (rate(panel%d_total[$__rate_interval]))", p)}}})
	}
	f.write(noon.Add(-7*24*time.Hour), noon, 15*time.Second, func(i int, at time.Time) float64 {
		return float64(at.Unix()-1795000000)*float64(i+1) + float64(at.Unix()%97)
	}, all...)
	d := f.dashboards()
	s, err := readSpan("now-7d", "now", noon)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got := d.answer(context.Background(), board.Board{Panels: panels}, s, request{width: 560, lang: "en"})
		if len(got.Panels) != 12 || len(got.Panels["7"].Series) != 4 || got.Panels["7"].Error != "" {
			b.Fatalf("%+v", got.Panels["7"])
		}
	}
}
