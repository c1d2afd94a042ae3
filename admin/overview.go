package admin

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Overview is what the first page shows. Func values that are nil leave their
// part out.
type Overview struct {
	// Checks are all checks there are, in any order.
	Checks func(ctx context.Context) []Check
	// Path is whether messages get through; it is one of the checks too.
	Path func(ctx context.Context) Path
	// Steps are what a new server still needs, until all are done or somebody
	// puts them away with Skip.
	Steps func(ctx context.Context) []FirstStep
	Skip  func() error
	// Tiles are figures with their last hour.
	Tiles func(ctx context.Context) []Tile
	// Gauges are shares of a limit: processors, memory, disk.
	Gauges func(ctx context.Context) []Gauge
	// Facts are certificate, version, uptime and the like.
	Facts func(ctx context.Context) []Fact
	// Failures is how often somebody failed to log in as this account since a
	// moment, and from when on that is known.
	Failures func(user id.ID, since time.Time) (n int, from time.Time)
}

// Check is one thing that must hold.
type Check struct {
	ID     string
	Title  words.Text
	Level  console.Level // Good: it holds
	Detail words.Text    // what was found
	// Trouble is what it is called when it does not hold, for banners; may be
	// empty.
	Trouble words.Text
	Href    string     // where it is cured
	Cure    words.Text // what the link says
}

// Unit says how a figure is written.
type Unit int

// The units.
const (
	Plain Unit = iota
	Bytes
	Seconds
	Ratio
)

// Tile is a figure with its last hour, oldest first; NaN is a gap.
type Tile struct {
	ID     string
	Title  words.Text
	Value  float64
	Unit   Unit
	Per    words.Text // after the value, such as /min
	Note   words.Text
	Level  console.Level
	Href   string
	Points []float64
}

// Gauge is a share of a limit.
type Gauge struct {
	ID    string
	Title words.Text
	Used  float64
	Limit float64
	Unit  Unit
	Note  words.Text // such as: full in 40 days
}

// Fact is a name with a value.
type Fact struct {
	Name  words.Text
	Value words.Text
	At    time.Time // shown instead of Value
	Level console.Level
	Href  string
}

func overviewRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin", Title: words.Of("Overview", "概览"), Group: Home, Icon: "home", Need: Sees, Topics: []string{"overview"}, Handle: (*Admin).overview},
		{Method: "POST", Path: "/admin/steps/skip", Need: Manages, Handle: (*Admin).skipSteps},
	}
}

// Merge puts what others found about the same things, by their IDs, into a list
// of checks: the graver opinion stays, and where they agree the earlier one with the
// link of the later.
func Merge(checks, more []Check) []Check {
	out := slices.Clone(checks)
	for _, m := range more {
		i := slices.IndexFunc(out, func(c Check) bool { return c.ID == m.ID })
		switch {
		case i < 0:
			out = append(out, m)
		case gravity(m.Level) > gravity(out[i].Level) && m.Level != console.Neutral, out[i].Level == console.Neutral:
			out[i] = m
		case out[i].Href == "":
			out[i].Href, out[i].Cure = m.Href, m.Cure
		}
	}
	return out
}

func (a *Admin) overview(r *Request) {
	r.Page(func(v console.View) templ.Component {
		o := a.overviewView(r.ctx, v)
		a.aboutLogins(r, v, &o)
		o.Steps = a.stepsView(r.ctx, v)
		for _, p := range a.people.others(r.User, a.o.Now()) {
			o.Others = append(o.Others, console.Other{Name: p.name, Address: p.address, Path: p.path, At: p.at})
		}
		return console.OverviewPage(v, o)
	})
}

// overviewView is the part of the overview that is the same for everybody.
func (a *Admin) overviewView(ctx context.Context, v console.View) console.Overview {
	o := console.Overview{}
	var checks []Check
	if f := a.o.Overview.Checks; f != nil {
		checks = f(ctx)
	}
	if f := a.o.Overview.Path; f != nil {
		p := f(ctx)
		shown := pathView(v, p)
		o.Path, checks = &shown, Merge(checks, []Check{p.check()})
	}
	if len(checks) > 0 {
		slices.SortStableFunc(checks, func(x, y Check) int { return gravity(y.Level) - gravity(x.Level) })
		for _, c := range checks {
			o.Checks = append(o.Checks, console.Check{ID: c.ID, Title: v.In(c.Title), Level: c.Level, Detail: v.In(c.Detail), Href: a.linked(c.Href), Cure: v.In(c.Cure)})
		}
	}
	if f := a.o.Overview.Tiles; f != nil {
		for _, t := range f(ctx) {
			value, unit := write(v, t.Value, t.Unit)
			if per := v.In(t.Per); per != "" {
				unit = per
			}
			o.Tiles = append(o.Tiles, console.Tile{ID: t.ID, Title: v.In(t.Title), Value: value, Unit: unit, Note: v.In(t.Note), Level: t.Level, Href: a.linked(t.Href), Points: t.Points})
		}
	}
	if f := a.o.Overview.Gauges; f != nil {
		for _, g := range f(ctx) {
			o.Gauges = append(o.Gauges, gauge(v, g))
		}
	}
	if f := a.o.Overview.Facts; f != nil {
		for _, one := range f(ctx) {
			o.Facts = append(o.Facts, console.Known{Name: v.In(one.Name), Value: v.In(one.Value), At: one.At, Level: one.Level, Href: a.linked(one.Href)})
		}
	}
	return o
}

// linked is an address if there is a page at it.
func (a *Admin) linked(href string) string {
	u, err := url.Parse(href)
	if err != nil || href == "" {
		return ""
	}
	if page, _ := a.find("GET", u.Path); page == nil && strings.HasPrefix(u.Path, "/admin") {
		return ""
	}
	return href
}

func gravity(l console.Level) int {
	return slices.Index([]console.Level{console.Good, console.Info, console.Neutral, console.Warning, console.Serious, console.Critical}, l)
}

// write is a figure and its unit.
func write(v console.View, f float64, u Unit) (string, string) {
	switch {
	case math.IsNaN(f):
		return "–", ""
	case u == Bytes:
		return v.Bytes(f), ""
	case u == Seconds:
		return v.Span(time.Duration(f * float64(time.Second))), ""
	case u == Ratio:
		return v.Percent(f), ""
	}
	return v.Number(f), ""
}

func gauge(v console.View, g Gauge) console.Gauge {
	used, _ := write(v, g.Used, g.Unit)
	limit, _ := write(v, g.Limit, g.Unit)
	out := console.Gauge{ID: g.ID, Title: v.In(g.Title), Text: used + " / " + limit, Note: v.In(g.Note)}
	if g.Limit > 0 && !math.IsNaN(g.Used) {
		out.Ratio = g.Used / g.Limit
	}
	return out
}

// aboutLogins adds where this account logged in before.
func (a *Admin) aboutLogins(r *Request, v console.View, o *console.Overview) {
	if r.Operator {
		return
	}
	result, err := r.Call("session.devices", wire.UserOptional{})
	list, ok := result.(wire.DeviceList)
	if err != nil || !ok {
		return
	}
	slices.SortFunc(list.Devices, func(x, y wire.Device) int { return int(y.Created - x.Created) })
	for i, d := range list.Devices {
		if i == 3 {
			break
		}
		o.Logins = append(o.Logins, console.Login{Name: d.Name, Address: d.Address, At: time.UnixMilli(d.Created), Current: d.Current})
	}
	if f := a.o.Overview.Failures; f != nil && len(list.Devices) > 1 {
		o.Failed, o.FailedSince = f(r.User, time.UnixMilli(list.Devices[1].Created))
	}
}

// live are the console's own topics.
func (a *Admin) live() []Live {
	return []Live{
		a.alertsLive(),
		{Topic: "badge", Every: 5 * time.Second, Data: func(ctx context.Context, _ string) string {
			n := 0
			if a.o.Firing != nil {
				n = a.o.Firing(ctx)
			}
			text, _ := json.Marshal(map[string]int{"alerts": n}) // numbers always can
			return string(text)
		}},
		{Topic: "banners", Every: 5 * time.Second, Data: func(ctx context.Context, lang string) string {
			if a.o.Banners == nil {
				return ""
			}
			v := console.View{Lang: lang, Now: a.o.Now()}
			return string(console.Render(console.Banners(v, shown(v, a.o.Banners(ctx)))))
		}},
		{Topic: "overview", Every: 5 * time.Second, Data: func(ctx context.Context, lang string) string {
			v := console.View{Lang: lang, Now: a.o.Now()}
			return string(console.Render(console.OverviewLive(v, a.overviewView(ctx, v))))
		}},
	}
}
