package admin

import (
	"errors"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// askLogin sends somebody who is not logged in to the login page, and back
// afterwards.
func (r *Request) askLogin() {
	to := "/admin/login"
	if r.ctx.IsGet() && string(r.ctx.Path()) != "/admin" && r.Route != nil && r.Route.Path != "/admin/events" {
		to += "?to=" + url.QueryEscape(string(r.ctx.RequestURI()))
	}
	if string(r.ctx.Path()) == "/admin/events" {
		r.ctx.SetStatusCode(fasthttp.StatusUnauthorized)
		return
	}
	r.Go(to)
}

func (a *Admin) loginPage(r *Request) {
	if r.may(Sees) {
		r.Go(r.Query("to"))
		return
	}
	if r.LoggedIn {
		r.stranger()
		return
	}
	r.loginForm(console.Form{}, r.Query("to"))
}

func (r *Request) loginForm(f console.Form, to string) {
	v := r.View(words.Of("Log in", "登录"))
	v.Path = "/admin/login?to=" + url.QueryEscape(inside(to))
	r.html(templ.Component(console.LoginPage(v, f, inside(to))))
}

// login logs in as the chat does. Whether the account may see the console is
// told only to who knows its password.
func (a *Admin) login(r *Request) {
	to := r.Form("to")
	result, err := r.Call("session.login", wire.LoginParams{Login: r.Form("login"), Password: r.Form("password"), Cookie: true,
		DeviceName: deviceName(string(r.ctx.UserAgent()))})
	var refusal *wire.Error
	if errors.As(err, &refusal) && refusal.Kind != wire.Internal {
		f := r.Filled()
		f.Errors[""] = refusal.Text.In(r.Tongue())
		r.loginForm(f, to)
		r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
		return
	}
	if err != nil {
		r.Error(err)
		return
	}
	if s, ok := result.(wire.Session); ok {
		a.sudo.give(s.Device, a.o.Now())
	}
	r.Go(to)
}

func (a *Admin) logout(r *Request) {
	if _, err := r.Call("session.logout", wire.Empty{}); err != nil {
		r.Error(err)
		return
	}
	a.sudo.take(r.Device)
	r.Go("/admin/login")
}

// deviceName is what the list of logins calls this browser.
func deviceName(agent string) string {
	for _, b := range []struct{ mark, name string }{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b.mark) {
			return b.name + " · console"
		}
	}
	return "console"
}
