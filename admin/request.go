package admin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Request is one request to a page, and its answer. It lives as long as the
// handler.
type Request struct {
	Visitor
	Route *Route

	admin *Admin
	ctx   *fasthttp.RequestCtx
	args  map[string]string
	look  look
	crumb []console.Crumb
}

// Context ends when the server stops. It is for calls made before the handler
// returns.
func (r *Request) Context() context.Context { return r.ctx }

// Arg is an argument in the path, unescaped.
func (r *Request) Arg(name string) string {
	text, err := url.PathUnescape(r.args[name])
	if err != nil {
		return r.args[name]
	}
	return text
}

// Query is a parameter of the address.
func (r *Request) Query(name string) string { return string(r.ctx.QueryArgs().Peek(name)) }

// Queries is the whole query.
func (r *Request) Queries() url.Values { return values(r.ctx.QueryArgs()) }

// Form is a field of the form; every line end is one \n.
func (r *Request) Form(name string) string {
	return strings.ReplaceAll(string(r.ctx.FormValue(name)), "\r\n", "\n")
}

// Forms is the whole form.
func (r *Request) Forms() url.Values { return values(r.ctx.PostArgs()) }

func values(args *fasthttp.Args) url.Values {
	out := url.Values{}
	for key, value := range args.All() {
		out.Add(string(key), string(value))
	}
	return out
}

// Filled is the form as its page shows it again.
func (r *Request) Filled() console.Form {
	f := console.Form{Values: map[string]string{}, Errors: map[string]string{}}
	for name, all := range r.Forms() {
		if name != "password" && name != "csrf" && name != sudoField {
			f.Values[name] = strings.Join(all, "\n")
		}
	}
	return f
}

// Typed reports whether the confirmation names the object.
func (r *Request) Typed(object string) bool { return strings.TrimSpace(r.Form("typed")) == object }

// Script reports whether the page's script asks, which gets the part it puts in.
func (r *Request) Script() bool {
	h := &r.ctx.Request.Header
	return len(h.Peek("HX-Request")) > 0 && len(h.Peek("HX-History-Restore-Request")) == 0
}

// May reports whether the visitor's role is enough.
func (r *Request) May(n Need) bool { return r.may(n) }

func (r *Request) may(n Need) bool {
	if r.Operator {
		return true
	}
	switch n {
	case Anyone:
		return true
	case Sees:
		return r.LoggedIn && (r.Role == wire.Auditor || r.Role == wire.Admin || r.Role == wire.Owner)
	case Manages:
		return r.LoggedIn && (r.Role == wire.Admin || r.Role == wire.Owner)
	}
	return r.LoggedIn && r.Role == wire.Owner
}

// proven reports whether a form carries the token of its page. Where nothing
// can be borrowed (no cookie) there is none to carry.
func (r *Request) proven() bool {
	if r.Proof == "" {
		return true
	}
	given := r.ctx.Request.Header.Peek("X-CSRF-Token")
	if len(given) == 0 {
		given = r.ctx.FormValue("csrf")
	}
	return subtle.ConstantTimeCompare(given, []byte(r.Proof)) == 1
}

// Tongue is the language of the answer: what was chosen here, else what the
// server's configuration says, else what the browser asks for.
func (r *Request) Tongue() string {
	if r.look.Lang != "" {
		return r.look.Lang
	}
	if l := r.admin.o.Language; l == "zh" || l == "en" {
		return l
	}
	return r.Visitor.Lang
}

// Under adds a step to the way here, before the page's own title.
func (r *Request) Under(href, title string) {
	r.crumb = append(r.crumb, console.Crumb{Href: href, Title: title})
}

// View is what the frame needs, for a page with this title.
func (r *Request) View(title words.Text) console.View {
	a := r.admin
	v := console.View{Lang: r.Tongue(), Theme: r.look.Theme, KeysOff: r.look.Keys == "off", Script: a.o.Script, Style: a.o.Style,
		Organisation: a.o.Organisation(), Proof: r.Proof, Trace: r.Trace, Now: a.o.Now(), Path: r.here()}
	v.Title = v.In(title)
	v.Toast = r.said()
	if !r.may(Sees) {
		return v
	}
	v.Name, v.Login, v.Role, v.ReadOnly = r.Name, r.Visitor.Login, r.role(v), !r.may(Manages)
	if r.Operator {
		v.Name = v.Say("Operator", "操作员")
	}
	v.Nav, v.Crumbs, v.Banners = a.nav(r, v), a.way(r, v), a.banners(r, v)
	v.Topics = []string{"badge", "banners"}
	if r.Route != nil {
		v.Topics = append(v.Topics, r.Route.Topics...)
	}
	return v
}

func (r *Request) role(v console.View) string {
	switch {
	case r.Operator:
		return v.Say("on this machine", "在本机")
	case r.Role == wire.Owner:
		return v.Say("Owner", "所有者")
	case r.Role == wire.Admin:
		return v.Say("Admin", "管理员")
	}
	return v.Say("Auditor: sees all, changes nothing", "审计员：可查看全部，不能更改")
}

// here is the address of the page; of an answer to a form that of the nearest
// page above, because the form's own cannot be opened.
func (r *Request) here() string {
	if r.ctx.IsGet() {
		return string(r.ctx.RequestURI())
	}
	at := string(r.ctx.Path())
	for at != "/admin" && strings.Contains(at, "/") {
		if page, _ := r.admin.find(fasthttp.MethodGet, at); page != nil {
			return at
		}
		at = at[:strings.LastIndex(at, "/")]
	}
	return "/admin"
}

// Page answers with a page under the route's title.
func (r *Request) Page(body func(v console.View) templ.Component) { r.PageOf(r.Route.Title, body) }

// PageOf answers with a page under a title of its own.
func (r *Request) PageOf(title words.Text, body func(v console.View) templ.Component) {
	v := r.View(title)
	if r.Script() {
		r.html(console.Fragment(v), console.Body(v), body(v))
		return
	}
	r.html(console.Layout(v), body(v))
}

// html writes components, the last one inside the one before it, and so on.
func (r *Request) html(parts ...templ.Component) {
	ctx := context.Background()
	for i := len(parts) - 1; i > 0; i-- {
		inner, outer := parts[i], parts[i-1]
		parts[i-1] = templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
			return outer.Render(templ.WithChildren(ctx, inner), w)
		})
	}
	r.ctx.SetContentType("text/html; charset=utf-8")
	r.ctx.Response.Header.Set("Content-Language", r.Tongue())
	r.ctx.Response.SetBodyRaw(console.Render(parts[0]))
}

// Invalid answers with a page whose form has mistakes: status 422.
func (r *Request) Invalid(body func(v console.View) templ.Component) {
	r.Page(body)
	r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
}

// JSON answers with a value.
func (r *Request) JSON(v any) {
	body, err := json.Marshal(v)
	if err != nil {
		r.Fault(err)
		return
	}
	r.ctx.SetContentType("application/json")
	r.ctx.Response.SetBodyRaw(body)
}

// Done goes to a page of the console after something was done, and says so
// there.
func (r *Request) Done(to string, said words.Text) {
	if said != (words.Text{}) {
		r.say(said.In(r.Tongue()))
	}
	r.Go(to)
}

// Go goes to a page of the console.
func (r *Request) Go(to string) {
	to = inside(to)
	if r.Script() {
		r.ctx.Response.Header.Set("HX-Redirect", to)
		return
	}
	r.ctx.Response.Header.Set("Location", to)
	r.ctx.SetStatusCode(fasthttp.StatusSeeOther)
}

// inside is an address of the console, whatever was given.
func inside(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || strings.ContainsAny(to, "\\\r\n") || u.Path != "/admin" && !strings.HasPrefix(u.Path, "/admin/") {
		return "/admin"
	}
	return to
}

// say keeps what was done for the next page.
func (r *Request) say(text string) {
	r.cookie("posthouse-said", base64.RawURLEncoding.EncodeToString([]byte(text)), 60, true)
}

func (r *Request) said() string {
	raw := r.ctx.Request.Header.Cookie("posthouse-said")
	if len(raw) == 0 || r.Script() {
		return ""
	}
	r.cookie("posthouse-said", "", -1, true)
	text, err := base64.RawURLEncoding.DecodeString(string(raw))
	if err != nil || len(text) > 500 {
		return ""
	}
	return string(text)
}

// cookie sets a cookie of the console for so many seconds.
func (r *Request) cookie(name, value string, seconds int, hidden bool) {
	c := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(c)
	c.SetKey(name)
	c.SetValue(value)
	c.SetPath("/admin")
	c.SetHTTPOnly(hidden)
	c.SetSecure(r.Secure)
	c.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	if seconds < 0 {
		c.SetExpire(fasthttp.CookieExpireDelete)
	} else {
		c.SetMaxAge(seconds)
	}
	r.ctx.Response.Header.SetCookie(c)
}

// Error answers with what a call refused, or with a fault.
func (r *Request) Error(err error) {
	var refusal *wire.Error
	if !errors.As(err, &refusal) {
		r.Fault(err)
		return
	}
	r.Trouble(refusal.Kind.Info().Status, words.Of(refusal.Text.En, refusal.Text.Zh))
}

// Fault answers for a mistake of the server, and logs it.
func (r *Request) Fault(err error) {
	r.admin.o.Log.Error("console page failed", "path", string(r.ctx.Path()), "trace", r.Trace, "error", err)
	r.Trouble(fasthttp.StatusInternalServerError, words.Of("The server could not make this page. The trace id finds the reason in its log.", "服务器无法生成此页面，可凭跟踪编号在日志中查找原因。"))
}

// Trouble answers that it cannot be, with a status of 400 or more.
func (r *Request) Trouble(status int, text words.Text) {
	title := words.Of("Something went wrong", "出了点问题")
	switch status {
	case fasthttp.StatusNotFound:
		title = words.Of("There is nothing here", "这里什么也没有")
	case fasthttp.StatusForbidden:
		title = words.Of("Not allowed", "没有权限")
	}
	r.ctx.SetStatusCode(status)
	if r.Script() {
		r.ctx.SetContentType("text/plain; charset=utf-8")
		r.ctx.SetBodyString(text.In(r.Tongue()))
		return
	}
	v := r.View(title)
	if v.Name == "" {
		r.html(console.Door(v), console.TroublePage(v, v.In(text)))
		return
	}
	r.html(console.Layout(v), console.TroublePage(v, v.In(text)))
}

// stranger answers somebody for whom there is no console, the same for every
// address.
func (r *Request) stranger() {
	r.Trouble(fasthttp.StatusNotFound, words.Of("There is nothing for you here. The chat is where you talk.", "这里没有面向你的内容，请前往聊天页面。"))
}

// nav is the navigation as the visitor sees it.
func (a *Admin) nav(r *Request, v console.View) []console.NavGroup {
	var out []console.NavGroup
	for group := Home; group <= Reference; group++ {
		g := console.NavGroup{Title: v.In(group.title())}
		for i := range a.routes {
			page := &a.routes[i]
			if page.Group != group || page.Method != fasthttp.MethodGet || !r.may(page.Need) {
				continue
			}
			item := console.NavItem{Href: page.Path, Title: v.In(page.Title), Icon: page.Icon, Badge: page.Badge}
			item.Current = r.Route != nil && (r.Route.Path == page.Path || r.Route.Under == page.Path)
			if page.Badge == "alerts" && a.o.Firing != nil {
				item.Count = a.o.Firing(r.ctx)
			}
			g.Items = append(g.Items, item)
		}
		if len(g.Items) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// way is where the page stands.
func (a *Admin) way(r *Request, v console.View) []console.Crumb {
	if r.Route == nil || r.Route.Path == "/admin" {
		return nil
	}
	out := []console.Crumb{{Href: "/admin", Title: v.Say("Overview", "概览")}}
	if above, _ := a.find(fasthttp.MethodGet, r.Route.Under); above != nil && above.Path != "/admin" {
		out = append(out, console.Crumb{Href: above.Path, Title: v.In(above.Title)})
	}
	return append(out, r.crumb...)
}

func (a *Admin) banners(r *Request, v console.View) []console.Banner {
	if a.o.Banners == nil {
		return nil
	}
	return shown(v, a.o.Banners(r.ctx))
}

func shown(v console.View, list []Banner) []console.Banner {
	var out []console.Banner
	for _, b := range list {
		out = append(out, console.Banner{ID: b.ID, Level: b.Level, Text: v.In(b.Text), Href: b.Href, Link: v.In(b.Link)})
	}
	return out
}
