package chat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/wire"
)

// What changes who may do what stands in the audit, with who and from where,
// and without secrets.
func TestAdministrationStandsInTheAudit(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	adam, aude := d.person(ann, "adam", wire.Admin), d.person(ann, "aude", wire.Auditor)
	audit := func() (list []string) {
		t.Helper()
		var got wire.AuditList
		d.must(aude, "audit.list", wire.AuditListParams{Limit: 200}, &got)
		for _, e := range slices.Backward(got.Entries) {
			if e.Address != "192.0.2.1" {
				t.Errorf("no address: %+v", e)
			}
			list = append(list, strings.Join([]string{e.Name, e.Action, e.Object, e.Detail, e.Outcome}, "|"))
		}
		return list
	}
	for _, want := range []string{"Ann|user.create|adam|role=admin|done", "Ann|user.create|aude|role=auditor|done"} {
		if got := audit(); !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	began := len(audit())

	var bot wire.UserResult
	d.must(adam, "user.create", wire.UserCreate{Login: "nagger", Name: "Nagger", Bot: true}, &bot)
	var token wire.Session
	d.must(adam, "user.token", wire.TokenCreate{User: bot.User.ID, Name: "cron"}, &token)
	phone, auditor, off := "13800000000", wire.Auditor, true
	var mo wire.UserResult
	d.must(adam, "user.create", wire.UserCreate{Login: "mo", Name: "Mo", Password: "pass of mo"}, &mo)
	phoneOf := d.login("mo", "pass of mo")
	d.must(adam, "session.revoke", wire.DeviceParam{Device: phoneOf.Device}, nil)
	d.must(adam, "user.update", wire.UserUpdate{User: mo.User.ID, Role: &auditor, Phone: &phone}, nil)
	d.must(adam, "user.password", wire.UserPassword{User: mo.User.ID, Password: "another secret"}, nil)
	d.must(adam, "user.update", wire.UserUpdate{User: mo.User.ID, Disabled: &off}, nil)
	owner := wire.Owner
	d.refused(wire.Forbidden, adam, "user.update", wire.UserUpdate{User: adam.User, Role: &owner})
	d.refused(wire.Forbidden, adam, "session.revoke", wire.DeviceParam{Device: ann.Device})
	d.refused(wire.InvalidParams, adam, "user.create", wire.UserCreate{Login: "", Name: "x"})
	var invite wire.InviteResult
	d.must(adam, "invite.create", wire.InviteCreate{Uses: 3, Note: "new people"}, &invite)
	d.must(adam, "invite.revoke", wire.InviteParam{Invite: invite.Invite.ID}, nil)
	d.must(adam, "organisation.rename", wire.OrganisationName{Name: "Works"}, nil)
	var room wire.RoomResult
	d.must(adam, "room.create", wire.RoomCreate{Kind: wire.Channel, Name: "builds"}, &room)
	var hook wire.HookResult
	d.must(adam, "hook.create", wire.HookCreate{Kind: "incoming", Room: room.Room.ID, Name: "CI"}, &hook)
	d.must(adam, "hook.remove", wire.HookParam{Hook: hook.Hook.ID}, nil)
	d.must(adam, "user.import", wire.ImportParams{CSV: "login,name\nlu,Lu\n", DryRun: true}, nil)
	d.must(adam, "user.import", wire.ImportParams{CSV: "login,name\nlu,Lu\n"}, nil)
	own := d.login("adam", "pass of adam")
	d.must(adam, "session.revoke", wire.DeviceParam{Device: own.Device}, nil)

	got := audit()[began:]
	want := []string{
		"adam|user.create|nagger|role=member bot=true|done", "adam|user.token|nagger|cron|done",
		"adam|user.create|mo|role=member|done", "adam|session.revoke|mo|192.0.2.1|done",
		"adam|user.update|mo|role=auditor (was member), phone|done", "adam|user.password|mo||done", "adam|user.update|mo|disabled=true|done",
		"adam|user.update|adam|role=owner (was admin): ", // the reason is the state's
		"adam|session.revoke|ann|192.0.2.1: an admin cannot log out an owner|refused",
		"adam|invite.create|invitation|for 3, 72 hours new people|done", "adam|invite.revoke|" + invite.Invite.ID.String() + "||done",
		"adam|organisation.rename|Works|before: Office|done",
		"adam|hook.create|CI|incoming, room builds|done", "adam|hook.remove|CI|incoming, room builds|done",
		"adam|user.import|CSV|1 made, 0 changed|done",
	}
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %q", len(got), len(want), got)
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("entry %d: %q, want %q", i, got[i], w)
		}
	}
	if !strings.HasSuffix(got[7], "|refused") {
		t.Errorf("what was refused: %q", got[7])
	}
	for _, secret := range []string{token.Token, "pass of mo", "another secret", phone, invite.Invite.Code} {
		if text := strings.Join(audit(), "\n"); secret == "" || strings.Contains(text, secret) {
			t.Errorf("the audit holds %q", secret)
		}
	}
}

// Wrong passwords are counted for the account they were for, since a time.
func TestFailedLoginsAreRemembered(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo := d.person(ann, "bo", wire.Member)
	began := d.time()
	wrong := func(login string) {
		d.refused(wire.Unauthenticated, chat.Actor{}, "session.login", wire.LoginParams{Login: login, Password: "not this one"})
		d.pass(10 * time.Minute)
	}
	wrong("bo")
	later := d.time()
	wrong("bo")
	wrong("nobody")
	d.refused(wire.Forbidden, bo, "session.confirm", wire.ConfirmParams{Password: "not this one"})
	if n, from := d.s.FailedLogins(bo.User, began.Add(-time.Hour)); n != 3 || !from.Equal(began) {
		t.Errorf("%d failures since %s, want 3 since %s", n, from, began)
	}
	if n, _ := d.s.FailedLogins(bo.User, later); n != 2 {
		t.Errorf("%d failures later, want 2", n)
	}
	if n, _ := d.s.FailedLogins(ann.User, began); n != 0 {
		t.Errorf("%d failures of another account", n)
	}
	for range 110 {
		d.pass(10 * time.Minute)
		d.refused(wire.Forbidden, bo, "session.confirm", wire.ConfirmParams{Password: "not this one"})
	}
	if n, _ := d.s.FailedLogins(bo.User, began); n != 100 {
		t.Errorf("%d failures are kept", n)
	}
}
