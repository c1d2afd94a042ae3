// Package console owns how the operator's console looks: templ components and
// pages, pure functions from a view struct to HTML. It knows no transport and
// asks nobody anything; package admin fills the structs.
//
// One .templ file a page, beside components.templ and form.templ, from which
// pages are put together; gallery.templ shows every component with canned data. After a change:
//
//	go run ./webui/build/pages
//
// and commit both files. The style sheet is webui/static/console, the script
// webui/src/console.
//
// What it promises: no inline script, no inline style, no event handler in an
// attribute, so that the policy of the console needs no exception. Everything a
// page does for reading, and its simple forms, work without script; the script
// adds what is live. Every text is in both languages. A page has one h1, which
// the layout writes, and real tables, whose cells carry their column's name for
// narrow screens (data-label).
//
// It runs no goroutines.
package console

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"posthouse/sysmon/words"
)

// View is what the frame around every page needs. Components take it for the
// language.
type View struct {
	Lang         string // zh or en
	Theme        string // light, dark, or empty: as the system has it
	Title        string // of the page, in the reader's language
	Path         string // of the page, with its query: where forms come back to
	Script       string // addresses of the bundle
	Style        string
	Organisation string

	Nav     []NavGroup
	Crumbs  []Crumb // above the page, without itself
	Banners []Banner
	Toast   string // said once, after something was done
	Topics  []string

	Name     string // of the person; empty: nobody is logged in
	Login    string
	Role     string // in the reader's language
	ReadOnly bool   // sees all, changes nothing: forms are not shown
	Proof    string // field csrf of every form
	Trace    string
	KeysOff  bool // single-key shortcuts are off
	Now      time.Time
}

// NavGroup is a part of the navigation.
type NavGroup struct {
	Title string // empty: without a heading
	Items []NavItem
}

// NavItem is one page in the navigation.
type NavItem struct {
	Href    string
	Title   string
	Icon    string // a name of icons
	Current bool
	Badge   string // id of a live counter beside it, such as alerts; empty: none
	Count   int    // of the badge
}

// Crumb is a step on the way to the page.
type Crumb struct {
	Href  string
	Title string
}

// Level says how grave something is; the empty one is neutral.
type Level string

// Levels, the last three as alerts have them.
const (
	Neutral  Level = ""
	Good     Level = "good"
	Info     Level = "info"
	Warning  Level = "warning"
	Serious  Level = "serious"
	Critical Level = "critical"
)

// Banner is a line over every page.
type Banner struct {
	ID    string // stable, so that a live update finds it
	Level Level
	Text  string
	Href  string // where it is cured; may be empty
	Link  string // what the link says
}

// Say is one of two texts.
func (v View) Say(en, zh string) string {
	if v.Lang == "zh" {
		return zh
	}
	return en
}

// In is a text in the reader's language.
func (v View) In(t words.Text) string { return t.In(v.Lang) }

// Tag is the language as HTML names it.
func (v View) Tag() string { return v.Say("en", "zh-CN") }

func (v View) product() string { return v.Say("Posthouse console", "驿站控制台") }

// Render gives a component's HTML.
func Render(c templ.Component) []byte {
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		// Writing to memory under a context that does not end cannot fail.
		return nil
	}
	return b.Bytes()
}

// Number writes a figure with thousands apart and at most two decimals; what
// is no number is a dash.
func (v View) Number(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	text := strconv.FormatFloat(f, 'f', decimals(f), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	whole, rest, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

func decimals(f float64) int {
	switch f = math.Abs(f); {
	case f >= 100:
		return 0
	case f >= 10:
		return 1
	}
	return 2
}

// Bytes writes a size in IEC units.
func (v View) Bytes(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return "–"
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	u := 0
	for math.Abs(n) >= 1024 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return v.Number(n) + " " + units[u]
}

// Percent writes a ratio, 1 being all.
func (v View) Percent(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return "–"
	}
	return v.Number(ratio*100) + " %"
}

// Span writes a length of time in its two largest units: 3 d 4 h, 820 ms.
func (v View) Span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	day := v.Say("d", "天")
	hour, minute, second := v.Say("h", "小时"), v.Say("min", "分钟"), v.Say("s", "秒")
	two := func(a int64, ua string, b int64, ub string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, ua)
		}
		return fmt.Sprintf("%d %s %d %s", a, ua, b, ub)
	}
	switch s := int64(d / time.Second); {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case s < 60:
		return fmt.Sprintf("%d %s", s, second)
	case s < 3600:
		return two(s/60, minute, s%60, second)
	case s < 86400:
		return two(s/3600, hour, s%3600/60, minute)
	default:
		return two(s/86400, day, s%86400/3600, hour)
	}
}

// sparkWidth and sparkHeight are the size of a sparkline's drawing.
const sparkWidth, sparkHeight = 120.0, 28.0

// sparkPaths are the lines of a sparkline, one for each stretch without gaps
// (NaN).
func sparkPaths(points []float64) []string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if !math.IsNaN(p) {
			low, high = min(low, p), max(high, p)
		}
	}
	if low > high || len(points) < 2 {
		return nil
	}
	if low > 0 && low < high*0.9 { // a figure that moves much stands on zero
		low = 0
	}
	if high == low {
		high, low = high+1, low-1
	}
	var out []string
	var b strings.Builder
	for i, p := range points {
		if math.IsNaN(p) {
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
			continue
		}
		move := " L"
		if b.Len() == 0 {
			move = "M"
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", move, float64(i)/float64(len(points)-1)*sparkWidth, 2+(1-(p-low)/(high-low))*(sparkHeight-4))
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

// Icons are the names that Icon knows.
func Icons() []string {
	return []string{"home", "chart", "bell", "rule", "silence", "history", "channel", "probe", "check", "book", "query", "shield", "people", "disk", "menu", "close", "warn", "grid", "host",
		"bolt", "plug", "gauge", "list", "tasks", "heart", "download"}
}

// iconPath is a drawing of 24 by 24, stroked.
func iconPath(name string) string {
	switch name {
	case "home":
		return "M4 11l8-7 8 7v9h-5v-6h-6v6H4z"
	case "chart":
		return "M4 20V4M4 20h16M8 16l4-5 3 3 5-7"
	case "bell":
		return "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4"
	case "rule":
		return "M4 6h10M4 12h16M4 18h7M17 4v4M9 10v4M14 16v4"
	case "silence":
		return "M4 10v4h3l5 4V6L7 10zM16 9.5l5 5M21 9.5l-5 5"
	case "history":
		return "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2"
	case "channel":
		return "M3 11.5 21 3l-7 18-3-7.5z"
	case "probe":
		return "M12 21a9 9 0 1 0-9-9M12 16a4 4 0 1 0-4-4M12 12l-8 8"
	case "check":
		return "M4 13l5 5L20 6"
	case "book":
		return "M5 4h14v16H5zM9 8h6M9 12h6M9 16h3"
	case "query":
		return "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21"
	case "shield":
		return "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z"
	case "people":
		return "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.500 20a6.5 6.500 0 0 1 13 0M16 4.500a3.5 3.500 0 0 1 0 6.500M18 14.500a6.5 6.500 0 0 1 3.500 5.500"
	case "disk":
		return "M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0"
	case "menu":
		return "M4 7h16M4 12h16M4 17h16"
	case "close":
		return "M6 6l12 12M18 6 6 18"
	case "warn":
		return "M12 4 2.500 20h19zM12 10v4M12 17h.01"
	case "grid":
		return "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z"
	case "host":
		return "M3 5h18v11H3zM8 20h8M12 16v4"
	case "bolt":
		return "M13 3 5 13h6l-1 8 8-11h-6z"
	case "plug":
		return "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"
	case "gauge":
		return "M4 18a9 9 0 1 1 16 0M12 14l4-5M12 14h.01"
	case "list":
		return "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01"
	case "tasks":
		return "M4 6l1.500 1.500L8 5M4 12l1.500 1.500L8 11M4 18l1.500 1.500L8 17M11 6h9M11 12h9M11 18h9"
	case "heart":
		return "M3 12h4l2-5 4 10 2-5h6"
	case "download":
		return "M12 4v11M7 10.500l5 5 5-5M4 20h16"
	}
	return "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z"
}
