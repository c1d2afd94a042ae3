package sequencer_test

import (
	"fmt"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// One person cannot use up the hooks of everybody; an admin can make more.
func TestHooksOfOnePerson(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	o.person("boss")
	ann, bo := o.person("ann"), o.person("bo")
	first, second := o.room(ann, wire.Group, "first"), o.room(ann, wire.Group, "second", bo)
	hook := func(room id.ID, n int) *state.MakeHook {
		token := make([]byte, 32)
		copy(token, fmt.Sprint(room, n))
		return &state.MakeHook{Hook: record.Hook{Form: "incoming", Room: room, Name: "h", Token: token, Lang: "en"}}
	}
	var last id.ID
	for n := range wire.MaxHooksPerPerson {
		room := first
		if n%2 == 0 {
			room = second
		}
		last = o.do(ann, hook(room, n)).Body.(*record.HookMade).Hook.ID
	}
	o.refused(wire.QuotaExceeded, ann, hook(second, 1000))
	o.do(ann, &state.SetMemberRole{Room: second, User: bo, Role: "moderator"})
	o.do(bo, hook(second, 1001))
	o.do(ann, &state.RemoveHook{Hook: last})
	o.do(ann, hook(second, 1002))
	admin := string(wire.Admin)
	o.do(0, &state.UpdateUser{User: ann, Role: &admin})
	o.do(ann, hook(second, 1003))
	o.reopen()
	if n := len(o.s.HooksOf(first, "incoming")) + len(o.s.HooksOf(second, "incoming")); n != wire.MaxHooksPerPerson+2 {
		t.Errorf("%d hooks, want %d", n, wire.MaxHooksPerPerson+2)
	}
}
