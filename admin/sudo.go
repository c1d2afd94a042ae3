package admin

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
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

// sudoField is where a held form carries the password. It never comes back to
// a page.
const sudoField = "sudo-password"

// sure reports whether the password was given lately, or comes with this
// request. Else the visitor is asked for it: what a form held is carried by the
// page that asks, and goes on from there once the password is right. Who asks
// for a file, or by script, goes back to the page and presses again.
func (a *Admin) sure(r *Request) bool {
	if a.sudo.holds(r.Visitor, a.o.Now()) {
		return true
	}
	switch {
	case r.ctx.IsGet():
		r.Go("/admin/sudo?" + url.Values{"to": {string(r.ctx.RequestURI())}}.Encode())
	case r.Route.Download || r.Script():
		back := pageOf(string(r.ctx.Request.Header.Peek("HX-Current-URL")), string(r.ctx.Referer()))
		r.Go("/admin/sudo?" + url.Values{"to": {back}, "again": {"on"}}.Encode())
	case r.Form(sudoField) == "":
		r.PageOf(sudoTitle(), r.heldForm(console.Form{}))
	default:
		f, err := a.givePassword(r, r.Form(sudoField), sudoField)
		switch {
		case err != nil:
			r.Error(err)
		case f.Errors != nil:
			r.PageOf(sudoTitle(), r.heldForm(f))
			r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
		default:
			return true
		}
	}
	return false
}

// heldForm asks for the password and carries the form that wants it.
func (r *Request) heldForm(f console.Form) func(console.View) templ.Component {
	p := console.Sudo{Action: string(r.ctx.Path()), Field: sudoField, Form: f}
	for name, all := range r.Forms() {
		if name == "csrf" || name == sudoField {
			continue
		}
		for _, value := range all {
			p.Held = append(p.Held, console.Held{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(p.Held, func(a, b console.Held) int { return strings.Compare(a.Name, b.Name) })
	return func(v console.View) templ.Component {
		p.Deed = v.In(r.Route.Title)
		return console.SudoPage(v, p)
	}
}

// givePassword checks the visitor's own password. A form with errors says why
// it was not taken.
func (a *Admin) givePassword(r *Request, password, field string) (console.Form, error) {
	_, err := r.Call("session.confirm", wire.ConfirmParams{Password: password})
	var refusal *wire.Error
	if errors.As(err, &refusal) && refusal.Kind != wire.Internal {
		return console.Form{Errors: map[string]string{field: refusal.Text.In(r.Tongue())}}, nil
	}
	if err == nil {
		a.sudo.give(r.Device, a.o.Now())
	}
	return console.Form{}, err
}

func sudoTitle() words.Text { return words.Of("Your password, please", "请输入密码") }

// pageOf is the page that a form was on: the first address given.
func pageOf(addresses ...string) string {
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil && address != "" {
			return inside(u.RequestURI())
		}
	}
	return "/admin"
}

// sudoPage asks for the password before a page or a file; again tells that
// something was pressed that has to be pressed once more.
func (a *Admin) sudoPage(r *Request) {
	r.Page(func(v console.View) templ.Component {
		return console.SudoPage(v, sudoBefore(r.Query("to"), r.Query("again"), console.Form{}))
	})
}

func sudoBefore(to, again string, f console.Form) console.Sudo {
	p := console.Sudo{Action: "/admin/sudo", Field: "password", Form: f, Held: []console.Held{{Name: "to", Value: inside(to)}}}
	if again != "" {
		p.Held = append(p.Held, console.Held{Name: "again", Value: "on"})
	}
	return p
}

func (a *Admin) sudoCheck(r *Request) {
	f, err := a.givePassword(r, r.Form("password"), "password")
	switch {
	case err != nil:
		r.Error(err)
	case f.Errors != nil:
		r.Invalid(func(v console.View) templ.Component {
			return console.SudoPage(v, sudoBefore(r.Form("to"), r.Form("again"), f))
		})
	case r.Form("again") != "":
		r.Done(r.Form("to"), words.Of("The password was right. Nothing was done yet: press the button again.", "密码正确。尚未执行任何操作，请再次点击按钮。"))
	default:
		r.Go(r.Form("to"))
	}
}
