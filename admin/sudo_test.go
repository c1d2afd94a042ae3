package admin

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// guarded is a console of a visitor with a cookie, whose password is "right".
// calls are the methods that were carried out, with their parameters.
func guarded(t *testing.T) (d desk, calls *[]string, clock *time.Time) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	clock, calls = &now, &[]string{}
	bo := wire.User{ID: id.ID(2), Login: "bo", Name: "Bo", Role: wire.Admin}
	d = newDesk(t, Options{Now: func() time.Time { return *clock }, Accounts: Accounts{ByLogin: func(login string) (wire.User, bool) { return bo, login == "bo" }}})
	d.v = Visitor{User: 1, Device: 11, Role: wire.Owner, LoggedIn: true, Login: "ann", Name: "Ann", Lang: "en", Address: netip.MustParseAddr("192.0.2.1"), Proof: "proof",
		Call: func(method string, params any) (any, error) {
			switch p := params.(type) {
			case wire.ConfirmParams:
				if p.Password != "right" {
					return nil, wire.Refuse(wire.Forbidden, "the password is wrong", "密码错误")
				}
				return wire.Done{}, nil
			case wire.UserUpdate:
				*calls = append(*calls, method+" "+string(*p.Role))
				return wire.UserResult{}, nil
			case wire.UserOptional:
				return wire.DeviceList{}, nil
			}
			return nil, wire.Refuse(wire.NotFound, "nothing", "没有")
		}}
	return d, calls, clock
}

// A form that needs the password is carried by the page that asks for it, and
// goes on from there; what proves the page and the password is not in it.
func TestAFormIsHeldUntilThePassword(t *testing.T) {
	d, calls, clock := guarded(t)
	form := url.Values{"csrf": {"proof"}, "role": {"auditor"}, "more": {"<b>", "二"}}
	status, _, page := d.ask("POST", "/admin/people/bo/role", form)
	d.has(page, `action="/admin/people/bo/role"`, "Change the role", `name="role" value="auditor"`, `name="more" value="&lt;b&gt;"`, `name="more" value="二"`, `name="sudo-password"`)
	_, asks, _ := strings.Cut(page, `action="/admin/people/bo/role"`)
	asks, _, _ = strings.Cut(asks, "</form>")
	if status != http.StatusOK || strings.Count(asks, `name="csrf"`) != 1 || len(*calls) > 0 {
		t.Errorf("status %d, done: %q", status, *calls)
	}
	form.Set(sudoField, "wrong")
	status, _, page = d.ask("POST", "/admin/people/bo/role", form)
	d.has(page, "the password is wrong", `name="role" value="auditor"`)
	if status != fasthttp.StatusUnprocessableEntity || strings.Contains(page, `value="wrong"`) || len(*calls) > 0 {
		t.Errorf("a wrong password: status %d, done: %q", status, *calls)
	}
	form.Set(sudoField, "right")
	if status, to, _ := d.ask("POST", "/admin/people/bo/role", form); status != http.StatusSeeOther || to != "/admin/people/bo" || strings.Join(*calls, " ") != "user.update auditor" {
		t.Errorf("the right password: status %d to %s, done: %q", status, to, *calls)
	}
	form.Del(sudoField)
	if status, _, _ := d.ask("POST", "/admin/people/bo/role", form); status != http.StatusSeeOther || len(*calls) != 2 {
		t.Errorf("given lately, asked again: status %d, done: %q", status, *calls)
	}
	*clock = clock.Add(SudoTime + time.Second)
	if status, _, page := d.ask("POST", "/admin/people/bo/role", form); status != http.StatusOK || !strings.Contains(page, sudoField) || len(*calls) != 2 {
		t.Errorf("given long ago: status %d, done: %q", status, *calls)
	}
	form.Set("csrf", "another's")
	form.Set(sudoField, "right")
	if status, _, _ := d.ask("POST", "/admin/people/bo/role", form); status != http.StatusForbidden || len(*calls) != 2 {
		t.Errorf("a form of another page: status %d, done: %q", status, *calls)
	}
}

// What answers with a file leads back to its page, which says that the button
// has to be pressed again.
func TestADownloadIsAskedForAgain(t *testing.T) {
	d, _, _ := guarded(t)
	status, to, _ := d.ask("POST", "/admin/support", url.Values{"csrf": {"proof"}})
	if status != http.StatusSeeOther || to != "/admin/sudo?again=on&to=%2Fadmin" {
		t.Fatalf("status %d to %s", status, to)
	}
	_, _, page := d.ask("GET", to, nil)
	d.has(page, `name="again" value="on"`, `name="to" value="/admin"`, `action="/admin/sudo"`)
	status, to, _ = d.ask("POST", "/admin/sudo", url.Values{"csrf": {"proof"}, "password": {"right"}, "to": {"/admin/help"}, "again": {"on"}})
	if status != http.StatusSeeOther || to != "/admin/help" {
		t.Errorf("status %d to %s", status, to)
	}
}

// What gives keys or rights away, or shows what is in memory, is behind the
// password.
func TestWhatNeedsThePassword(t *testing.T) {
	want := map[string]bool{"POST /admin/people/{login}/role": true, "POST /admin/people/{login}/password": true, "POST /admin/invitations": true, "POST /admin/setup/people/invitation": true,
		"POST /admin/probes/agents": true, "POST /admin/support": true, "GET /admin/profiles/{name}": true}
	for _, r := range Routes() {
		key := r.Method + " " + r.Path
		if want[key] && !r.Sudo {
			t.Errorf("%s is not behind the password", key)
		}
		delete(want, key)
		if r.Sudo && r.Need < Manages {
			t.Errorf("%s needs no admin", r.Path)
		}
		if r.Sudo && r.Method == "POST" && !r.Download && r.Title.EN == "" {
			t.Errorf("%s: the page that asks cannot say what for", r.Path)
		}
	}
	if len(want) > 0 {
		t.Errorf("no routes: %v", want)
	}
}

// The page of an answer to a form is one that can be opened.
func TestAnAnswerToAFormHasAnAddress(t *testing.T) {
	d, _, _ := guarded(t)
	_, _, page := d.ask("POST", "/admin/people/bo/role", url.Values{"csrf": {"proof"}, "role": {"auditor"}})
	d.has(page, `name="to" value="/admin/people/bo"`)
}
