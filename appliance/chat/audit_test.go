package chat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/wire"
)

func TestAuditIsKeptAndListedPageByPage(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	eve := d.person(ann, "eve", wire.Auditor)
	bo := d.person(ann, "bo", wire.Member)
	began := d.time().UnixMilli()
	put := func(e wire.AuditEntry) {
		t.Helper()
		if err := d.s.Audit(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 450 {
		put(wire.AuditEntry{Actor: ann.User, Address: "192.0.2.7", Action: "runbook.run", Object: fmt.Sprint("step ", i), Outcome: "done"})
	}
	d.pass(time.Minute)
	put(wire.AuditEntry{Actor: bo.User, Action: "console.refused", Object: "/admin", Outcome: "refused"})
	put(wire.AuditEntry{Action: "checklist.run", Detail: "two\nlines\x00 " + strings.Repeat("长", 5000), Outcome: "failed"})

	var all []wire.AuditEntry
	p := wire.AuditListParams{Action: "runbook"}
	for pages := 1; ; pages++ {
		var got wire.AuditList
		d.must(eve, "audit.list", p, &got)
		all = append(all, got.Entries...)
		if p.Before = got.Next; p.Before == 0 {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if len(all) != 450 || all[0].Object != "step 449" || all[449].Object != "step 0" || all[3].Name != "Ann" || all[3].Role != "owner" || all[3].At != began {
		t.Errorf("%d entries, first %+v", len(all), all[0])
	}
	for i := 1; i < len(all); i++ {
		if all[i].Position >= all[i-1].Position {
			t.Fatalf("entry %d is not older than the one before", i)
		}
	}

	find := func(p wire.AuditListParams) (objects []string) {
		t.Helper()
		var got wire.AuditList
		d.must(ann, "audit.list", p, &got)
		for _, e := range got.Entries {
			objects = append(objects, e.Action+" "+e.Object)
		}
		return objects
	}
	for name, c := range map[string]struct {
		p    wire.AuditListParams
		want int
	}{
		"by account":     {wire.AuditListParams{Actor: bo.User}, 1},
		"by outcome":     {wire.AuditListParams{Outcome: "failed"}, 1},
		"by text":        {wire.AuditListParams{Text: "STEP 44"}, 11},
		"by time":        {wire.AuditListParams{From: began + 1}, 2},
		"until":          {wire.AuditListParams{To: began}, 0},
		"part of a word": {wire.AuditListParams{Action: "run"}, 0},
	} {
		if got := find(c.p); len(got) != c.want {
			t.Errorf("%s: %d entries, want %d: %q", name, len(got), c.want, got)
		}
	}
	var last wire.AuditList
	d.must(ann, "audit.list", wire.AuditListParams{Limit: 1}, &last)
	if e := last.Entries[0]; !strings.HasPrefix(e.Detail, "two lines  长") || len(e.Detail) > wire.MaxAuditText || e.Role != "box" {
		t.Errorf("%+v", e)
	}
	d.refused(wire.Forbidden, bo, "audit.list", wire.AuditListParams{})
	d.refused(wire.InvalidParams, ann, "audit.list", wire.AuditListParams{Limit: 201})
	if err := d.s.Audit(context.Background(), wire.AuditEntry{Action: "x", Outcome: "perhaps"}); err == nil {
		t.Error("an outcome that does not exist was taken")
	}
}
