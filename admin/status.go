package admin

import (
	"context"

	"github.com/a-h/templ"

	"posthouse/webui/console"
)

// statusPage tells people without a login whether the server is well, where
// the operator wants that: two levels and when they were looked at, nothing by
// which the box or its people could be known. Elsewhere it is as any address
// of the console.
func (a *Admin) statusPage(r *Request) {
	switch {
	case a.o.StatusPage != nil && a.o.StatusPage():
	case !r.LoggedIn:
		r.askLogin()
		return
	default:
		r.stranger()
		return
	}
	v := r.View(r.Route.Title)
	r.html(templ.Component(console.StatusPage(v, a.status(r.ctx))))
}

func (a *Admin) status(ctx context.Context) console.Status {
	s := console.Status{At: a.o.Now(), Box: console.Neutral, Path: console.Neutral}
	if f := a.o.Overview.Checks; f != nil {
		for _, c := range f(ctx) {
			if s.Box == console.Neutral || gravity(c.Level) > gravity(s.Box) {
				s.Box = c.Level
			}
		}
	}
	if f := a.o.Overview.Path; f != nil {
		s.Path = f(ctx).Level
	}
	return s
}
