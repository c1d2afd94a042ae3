package admin

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/webui/console"
)

// SudoTime is how long a password that was given lasts for dangerous actions.
const SudoTime = 15 * time.Minute

// sudo remembers when a password was last given on a device.
type sudo struct {
	mu    sync.Mutex
	given map[id.ID]time.Time
}

func newSudo() *sudo { return &sudo{given: map[id.ID]time.Time{}} }

func (s *sudo) give(device id.ID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, at := range s.given {
		if now.Sub(at) > SudoTime {
			delete(s.given, d)
		}
	}
	s.given[device] = now
}

func (s *sudo) take(device id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.given, device)
}

// holds reports whether the password was given lately. The operator on the
// box's own socket has none, and a token in a header is one.
func (s *sudo) holds(v Visitor, now time.Time) bool {
	if v.Operator || v.Proof == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.given[v.Device]
	return ok && now.Sub(at) <= SudoTime
}

// askPassword sends the visitor to give the password. What a form held is
// lost: it is sent again from its page afterwards.
func (r *Request) askPassword() {
	back := string(r.ctx.RequestURI())
	if !r.ctx.IsGet() {
		back = pageOf(string(r.ctx.Request.Header.Peek("HX-Current-URL")), string(r.ctx.Referer()))
	}
	r.Go("/admin/sudo?to=" + url.QueryEscape(back))
}

// pageOf is the page that a form was on: the first address given.
func pageOf(addresses ...string) string {
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil && address != "" {
			return inside(u.RequestURI())
		}
	}
	return "/admin"
}

func (a *Admin) sudoPage(r *Request) {
	r.Page(func(v console.View) templ.Component {
		return console.SudoPage(v, console.Form{}, inside(r.Query("to")))
	})
}

func (a *Admin) sudoCheck(r *Request) {
	_, err := r.Call("session.confirm", wire.ConfirmParams{Password: r.Form("password")})
	var refusal *wire.Error
	switch {
	case err == nil:
		a.sudo.give(r.Device, a.o.Now())
		r.Go(r.Form("to"))
	case errors.As(err, &refusal) && refusal.Kind != wire.Internal:
		f := console.Form{Errors: map[string]string{"password": refusal.Text.In(r.Tongue())}}
		r.Invalid(func(v console.View) templ.Component { return console.SudoPage(v, f, inside(r.Form("to"))) })
	default:
		r.Error(err)
	}
}

func contains(text, part string) bool { return strings.Contains(text, part) }
