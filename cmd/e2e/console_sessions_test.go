package e2e

import (
	"testing"

	"posthouse/appliance/wire"
)

// A connection that hangs is ended from the console and comes back by itself;
// a login that is ended stays out. The audit has both.
func TestConsoleEndsASession(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	user := o.account("bo", "Bo Lin").ID
	bo, ann := shared.tab(t, "bo", o.url()), shared.tab(t, "ann", o.url())
	bo.expects(refusedConnections)
	bo.logsIn("bo")
	ann.logsInConsole("ann")
	opensBo := func() {
		ann.open("/admin/sessions?q=bo")
		ann.click("tbody a", "Bo Lin")
		ann.finds("main dd", "(bo)")
	}
	number := func() uint64 {
		t.Helper()
		var list wire.SessionList
		must(t, o.owner.Call(background(t), "server.sessions", struct{}{}, &list))
		for _, s := range list.Sessions {
			if s.User == user {
				return s.Connection
			}
		}
		return 0
	}

	first := number()
	opensBo()
	ann.click("a[data-dialog=disconnect]", "")
	ann.fill("dialog[open] input[name=typed]", "bo")
	ann.click("dialog[open] button.danger", "")
	ann.finds(".toast, .note, [role=status]", "The device was disconnected.")
	await(t, func() string { return "bo to be back on another connection" }, func() bool { n := number(); return n != 0 && n != first })
	bo.online()

	ann.open("/admin/sessions/999999999")
	ann.expects(`status of 404`)
	ann.finds("main", "This connection has ended")

	opensBo()
	ann.click("a[data-dialog=logout]", "")
	ann.fill("dialog[open] input[name=typed]", "bo")
	ann.click("dialog[open] button.danger", "")
	ann.finds(".toast, .note, [role=status]", "The login has ended.")
	bo.expects(loggedOut)
	bo.finds("form button", "Log in")
	var noted wire.AuditList
	must(t, o.owner.Call(background(t), "audit.list", wire.AuditListParams{}, &noted))
	seen := map[string]bool{}
	for _, e := range noted.Entries {
		seen[e.Action+" "+e.Outcome] = true
	}
	if !seen["session.disconnect done"] || !seen["session.revoke done"] {
		t.Errorf("the audit has %v", seen)
	}
}
