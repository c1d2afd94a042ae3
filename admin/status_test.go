package admin

import (
	"context"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// The page for strangers is there where the operator wants it, and tells two
// levels and nothing else.
func TestStrangersSeeInAWordHowTheServerIs(t *testing.T) {
	on, level, now := false, console.Good, time.Now()
	d := newDesk(t, Options{StatusPage: func() bool { return on }, Now: func() time.Time { return now }, Overview: Overview{
		Checks: func(context.Context) []Check {
			return []Check{{ID: "a", Title: words.Of("secret title", "秘密标题"), Level: console.Good}, {ID: "b", Title: words.Of("other", "其他"), Level: level, Detail: words.Of("secret detail", "秘密")}}
		},
		Path: func(context.Context) Path {
			return Path{Level: console.Critical, Says: words.Of("secret step", "秘密步骤")}
		},
	}})
	for range 2 { // somebody who may not see the console, then nobody
		if status, to, page := d.ask("GET", "/admin/status", nil); status == 200 || strings.Contains(page, "data-level") || d.v.LoggedIn == (to != "") {
			t.Errorf("without the setting: %d, to %q", status, to)
		}
		d.v.Role, d.v.LoggedIn = "", false
	}
	on = true
	_, _, page := d.ask("GET", "/admin/status", nil)
	d.has(page, "The server is well.", "Messages do not get through")
	level, d.v.Lang = console.Warning, "zh"
	_, _, page = d.ask("GET", "/admin/status", nil)
	d.has(page, "服务器正常。") // looked at just now
	now = now.Add(toldLast)
	status, _, page := d.ask("GET", "/admin/status", nil)
	d.has(page, "有事项需要管理员处理", "消息暂时无法送达")
	if status != 200 || strings.Contains(page, "secret") || strings.Contains(page, "秘密") {
		t.Errorf("%d\n%s", status, page)
	}
}

// Who has no console is not among those who are in it.
func TestMembersAtTheStatusPageAreNotInTheConsole(t *testing.T) {
	d := newDesk(t, Options{StatusPage: func() bool { return true }})
	d.v.User, d.v.Device, d.v.Role = 7, 71, wire.Member
	d.ask("GET", "/admin/status", nil)
	if others := d.a.people.others(1, time.Now()); len(others) != 0 {
		t.Errorf("a member is there: %+v", others)
	}
	d.v.Role = wire.Auditor
	d.ask("GET", "/admin/status", nil)
	if others := d.a.people.others(1, time.Now()); len(others) != 1 {
		t.Errorf("an auditor is not there: %+v", others)
	}
}
