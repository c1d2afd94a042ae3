package admin

import (
	"context"
	"strings"
	"testing"

	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// The page for strangers is there where the operator wants it, and tells two
// levels and nothing else.
func TestStrangersSeeInAWordHowTheServerIs(t *testing.T) {
	on, level := false, console.Good
	d := newDesk(t, Options{StatusPage: func() bool { return on }, Overview: Overview{
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
	status, _, page := d.ask("GET", "/admin/status", nil)
	d.has(page, "有事项需要管理员处理", "消息暂时无法送达")
	if status != 200 || strings.Contains(page, "secret") || strings.Contains(page, "秘密") {
		t.Errorf("%d\n%s", status, page)
	}
}
