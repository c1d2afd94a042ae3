package admin

import (
	"context"
	"sync"
	"time"

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

// told is what strangers were told last. Who is not logged in cannot make the
// box look at itself more often than once in toldLast.
type told struct {
	mu   sync.Mutex
	last console.Status
}

const toldLast = 5 * time.Second

func (a *Admin) status(ctx context.Context) console.Status {
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	now := a.o.Now()
	if age := now.Sub(a.told.last.At); age < 0 || age >= toldLast {
		a.told.last = a.judged(ctx, now)
	}
	return a.told.last
}

func (a *Admin) judged(ctx context.Context, now time.Time) console.Status {
	s := console.Status{At: now, Box: console.Neutral, Path: console.Neutral}
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
