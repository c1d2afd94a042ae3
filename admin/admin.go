package admin

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Visitor is who opens a page, as the door found out.
type Visitor struct {
	User     id.ID // 0: nobody, or the operator
	Device   id.ID
	Role     wire.Role
	Operator bool // on the box's own socket; may do what an owner may
	LoggedIn bool
	Login    string
	Name     string
	Lang     string // zh or en, as the browser asks for
	Trace    string
	Address  netip.Addr
	Secure   bool
	Proof    string // what a form has to carry; empty: nothing to protect

	// Call carries out a method of the chat's table as this visitor. The error
	// is a *wire.Error. It must not be used after Serve has returned.
	Call func(method string, params any) (any, error)
	// Still reports whether the login holds, and the role it has now.
	Still func() (wire.Role, bool)
}

// Options are what a console is made of. What is nil is left out of the pages,
// or said to be missing.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Version string
	// Script and Style are the addresses of the bundle.
	Script, Style string
	// Language is zh, en or auto: what a browser gets that has not chosen.
	Language     string
	Organisation func() string

	// Live are topics of the stream, beside the console's own.
	Live []Live
	// Banners stand over every page; asked for each.
	Banners func(ctx context.Context) []Banner
	// Firing is how many alerts fire now, for the badge.
	Firing func(ctx context.Context) int

	// Alerts is alerting.
	Alerts Alerts

	// StatusPage reports whether strangers may see in a word how the server is;
	// nil: they may not.
	StatusPage func() bool

	// Find finds what the palette offers beside pages and people.
	Find Finder

	// Support makes a support bundle, a zip archive.
	Support func(ctx context.Context) ([]byte, error)

	Overview   Overview
	Setup      Setup
	Minding    Minding
	Inside     Inside
	Dashboards Dashboards
	Rules      Rules
	Machine    Machine
	Probing    Probing
	Asking     Asking
	Accounts   Accounts
}

// Banner is a line over every page.
type Banner struct {
	ID    string
	Level console.Level
	Text  words.Text
	Href  string
	Link  words.Text
}

// Admin is one console.
type Admin struct {
	o      Options
	routes []Route
	hub    *hub
	sudo   *sudo
	people *people
	told   told
}

// New makes a console and starts its loop.
func New(o Options) *Admin {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Organisation == nil {
		o.Organisation = func() string { return "" }
	}
	if m := o.Alerts.Manager; m != nil && o.Firing == nil {
		o.Firing = func(context.Context) int {
			n := 0
			for _, k := range m.Firing() {
				n += k
			}
			return n
		}
	}
	a := &Admin{o: o, routes: Routes(), sudo: newSudo(), people: newPeople()}
	a.hub = newHub(o.Now, slices.Concat(a.live(), o.Dashboards.sampled(), o.Live))
	return a
}

// Close ends the streams and the loop.
func (a *Admin) Close() { a.hub.close() }

// Serve answers a request at or below /admin. It gives the pattern of the
// route, for metrics.
func (a *Admin) Serve(ctx *fasthttp.RequestCtx, v Visitor) string {
	r := &Request{admin: a, ctx: ctx, Visitor: v, look: readLook(ctx)}
	path := strings.TrimRight(string(ctx.Path()), "/")
	method := string(ctx.Method())
	if method == fasthttp.MethodHead {
		method = fasthttp.MethodGet
	}
	h := &ctx.Response.Header
	h.Set("Content-Security-Policy", Policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "HX-Request, Cookie, Accept-Language")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // without one browsers send forms with the origin "null"
	r.Route, r.args = a.find(method, path)
	switch {
	case r.Route == nil && r.may(Sees) && a.known(path):
		h.Set("Allow", "GET, HEAD")
		r.Trouble(fasthttp.StatusMethodNotAllowed, words.Of("This address does not take that kind of request.", "该地址不支持此类请求。"))
		return "/admin/*"
	case r.Route != nil && r.Route.Need == Anyone:
	case !v.LoggedIn:
		r.askLogin()
		return pattern(r.Route)
	case !r.may(Sees):
		r.stranger()
		return pattern(r.Route)
	case r.Route == nil:
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such page. It may have been moved, or what it showed is gone.", "没有这个页面，可能已移动，或其内容已不存在。"))
		return "/admin/*"
	case !r.may(r.Route.Need):
		r.Trouble(fasthttp.StatusForbidden, words.Of("Your role does not allow that.", "你的角色无权这样做。"))
		return r.Route.Path
	}
	if r.may(Sees) {
		a.people.seen(v, path, a.o.Now())
	}
	if method != fasthttp.MethodGet && !r.proven() {
		r.Trouble(fasthttp.StatusForbidden, words.Of("This form is too old: open the page again and repeat it. Nothing was changed.", "表单已过期，请重新打开页面后再试。没有任何更改。"))
		return r.Route.Path
	}
	if r.Route.Sudo && !a.sure(r) {
		return r.Route.Path
	}
	r.Route.Handle(a, r)
	return r.Route.Path
}

func pattern(r *Route) string {
	if r == nil {
		return "/admin/*"
	}
	return r.Path
}

// Policy is the Content-Security-Policy of every page of the console: nothing
// inline, nothing from elsewhere, no eval; HTML from strings only through the
// policy "posthouse" of the console's script.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types posthouse"

// people are those who used the console lately.
type people struct {
	mu   sync.Mutex
	last map[id.ID]presence // by device
}

type presence struct {
	user    id.ID
	name    string
	address string
	path    string
	at      time.Time
}

// nearby is how long somebody counts as being there.
const nearby = 5 * time.Minute

func newPeople() *people { return &people{last: map[id.ID]presence{}} }

func (p *people) seen(v Visitor, path string, now time.Time) {
	if v.User == 0 || path == "/admin/events" || path == "/admin/find" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[v.Device] = presence{v.User, v.Name, v.Address.String(), path, now}
	for device, was := range p.last {
		if now.Sub(was.at) > nearby {
			delete(p.last, device)
		}
	}
}

// still keeps somebody there whose page is open.
func (p *people) still(device id.ID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was, ok := p.last[device]; ok {
		was.at = now
		p.last[device] = was
	}
}

// others are the other people who are there, by their last page.
func (p *people) others(me id.ID, now time.Time) []presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := map[id.ID]presence{}
	for _, was := range p.last {
		if was.user != me && now.Sub(was.at) <= nearby && was.at.After(best[was.user].at) {
			best[was.user] = was
		}
	}
	var out []presence
	for _, was := range best {
		out = append(out, was)
	}
	return out
}
