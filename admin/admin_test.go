package admin

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"posthouse/appliance/id"
	"posthouse/webui/console"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What cannot be right in the table of routes.
func TestRoutes(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes() {
		key := r.Method + " " + r.Path
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if r.Method != "GET" && r.Method != "POST" || r.Path != "/admin" && !strings.HasPrefix(r.Path, "/admin/") || r.Handle == nil {
			t.Errorf("%s is no route", key)
		}
		if r.Method == "POST" && r.Need < Manages && !r.Personal {
			t.Errorf("%s changes something and takes auditors", key)
		}
		if r.Group != Hidden && (r.Title.EN == "" || r.Title.ZH == "" || r.Icon == "") {
			t.Errorf("%s is in the navigation without a title in both languages or an icon", key)
		}
		if (r.Title.EN == "") != (r.Title.ZH == "") {
			t.Errorf("%s has a title in one language", key)
		}
		if r.Under != "" && !seen["GET "+r.Under] {
			found := false
			for _, o := range Routes() {
				found = found || o.Method == "GET" && o.Path == r.Under
			}
			if !found {
				t.Errorf("%s is under %s, which is no page", key, r.Under)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	args, ok := match("/admin/alerts/{id}/ack", "/admin/alerts/a%2Fb/ack")
	if !ok || args["id"] != "a%2Fb" {
		t.Errorf("%v %v", args, ok)
	}
	for _, path := range []string{"/admin/alerts//ack", "/admin/alerts/a/b/ack", "/admin/alerts/a", "/admin"} {
		if _, ok := match("/admin/alerts/{id}/ack", path); ok {
			t.Errorf("%s matches", path)
		}
	}
}

// Where somebody is sent after a login is always a page of the console.
func TestInside(t *testing.T) {
	for to, want := range map[string]string{
		"/admin/people?q=x": "/admin/people?q=x", "/admin": "/admin", "": "/admin", "/": "/admin", "/administrator": "/admin",
		"https://evil.example/admin": "/admin", "//evil.example/admin/x": "/admin", "/\\evil.example": "/admin", "javascript:alert(1)": "/admin",
		"/admin/x\r\nSet-Cookie: a=b": "/admin", "admin": "/admin",
	} {
		if got := inside(to); got != want {
			t.Errorf("%q goes to %q", to, got)
		}
	}
}

func TestPick(t *testing.T) {
	rows := []string{"delta", "alpha", "charlie", "bravo", "Alphabet"}
	orders := map[string]func(a, b string) int{"name": strings.Compare}
	holds := func(row, q string) bool { return Holds(q, row) }
	l := console.List{Page: 2, Size: 2, Sort: "name", Query: url.Values{}}
	if got := Pick(&l, rows, holds, orders); strings.Join(got, " ") != "bravo charlie" || l.Total != 5 || l.Pages() != 3 {
		t.Errorf("%v of %d", got, l.Total)
	}
	l = console.List{Page: 9, Size: 25, Search: "ALPHA", Sort: "name", Down: true, Query: url.Values{}}
	if got := Pick(&l, rows, holds, orders); strings.Join(got, " ") != "alpha Alphabet" || l.Page != 1 {
		t.Errorf("%v on page %d", got, l.Page)
	}
	l = console.List{Page: 1, Size: 2, Query: url.Values{"format": {"csv"}}}
	if got := Pick(&l, rows, holds, orders); len(got) != 5 {
		t.Errorf("an export has %d rows", len(got))
	}
	for cell, want := range map[string]string{"=1+2": "'=1+2", "-5": "-5", "@x": "'@x", "+1 555": "'+1 555", "plain": "plain", "": ""} {
		if got := tame(cell); got != want {
			t.Errorf("%q is exported as %q", cell, got)
		}
	}
}

func TestSudoEnds(t *testing.T) {
	s, now := newSudo(), time.Now()
	v := Visitor{Device: id.ID(7), Proof: "x"}
	if s.holds(v, now) {
		t.Error("nobody gave a password")
	}
	s.give(7, now)
	if !s.holds(v, now.Add(SudoTime)) || s.holds(v, now.Add(SudoTime+time.Second)) || s.holds(Visitor{Device: 8, Proof: "x"}, now) {
		t.Error("the password lasts too long, not long enough, or for another device")
	}
	s.take(7)
	if s.holds(v, now) {
		t.Error("logged out, and the password holds")
	}
}

func TestWhoElseIsHere(t *testing.T) {
	p, now := newPeople(), time.Now()
	at := netip.MustParseAddr("192.0.2.1")
	p.seen(Visitor{User: 1, Device: 11, Name: "Ann", Address: at}, "/admin", now)
	p.seen(Visitor{User: 2, Device: 21, Name: "Bo", Address: at}, "/admin/people", now.Add(-time.Minute))
	p.seen(Visitor{User: 2, Device: 22, Name: "Bo", Address: at}, "/admin/help", now)
	p.seen(Visitor{User: 3, Device: 31, Name: "Cai", Address: at}, "/admin", now.Add(-nearby-time.Second))
	others := p.others(1, now)
	if len(others) != 1 || others[0].name != "Bo" || others[0].path != "/admin/help" {
		t.Errorf("%+v", others)
	}
	p.still(22, now.Add(nearby))
	if len(p.others(1, now.Add(nearby+time.Minute))) != 1 {
		t.Error("whose page is open is gone")
	}
}
