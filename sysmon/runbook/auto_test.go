package runbook_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"posthouse/sysmon/health/healthtest"
	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
)

// An action that brings its own alert back is broken off, and starts nothing
// while it has just acted.
func TestAutomaticActionsCannotLoop(t *testing.T) {
	ctx, now, runs := context.Background(), time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), 0
	did := func(context.Context, runbook.Target) (words.Text, error) { return words.Of("done", "完成"), nil }
	run := func(context.Context, runbook.Target) (words.Text, error) {
		runs++
		return words.Of("done", "完成"), nil
	}
	b, err := runbook.Open(t.TempDir(), runbook.Options{Source: healthtest.New(t), Now: func() time.Time { return now },
		Deeds: map[string]runbook.Deed{"free_memory": {Dry: did, Run: run}, "read_only_on": {Dry: did, Run: run}}})
	if err != nil {
		t.Fatal(err)
	}
	opens := 0
	open := func(want int) {
		t.Helper()
		opens++
		a := runbook.Alert{ID: fmt.Sprintf("%016x", opens), Name: "HighMemoryUsage", Starts: now}
		for range 2 { // told again, it changes nothing
			if _, err := b.Open(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
		if runs != want {
			t.Errorf("after alert %d at %s: %d runs, want %d", opens, now.Format("15:04"), runs, want)
		}
	}
	admin := runbook.Person{Name: "Ann", Role: "admin"}
	open(0) // nothing is allowed at first
	if err := b.Allow(ctx, runbook.Person{Role: "auditor"}, "HighMemoryUsage", "free_memory", true, 12); err == nil {
		t.Error("an auditor allowed an action")
	}
	if err := b.Allow(ctx, admin, "HighMemoryUsage", "read_only_on", true, 12); err == nil {
		t.Error("a dangerous action was allowed")
	}
	if err := b.Allow(ctx, admin, "HighMemoryUsage", "free_memory", true, 12); err != nil {
		t.Fatal(err)
	}
	open(1)
	now = now.Add(2 * time.Minute)
	open(1) // it has just acted
	now = now.Add(6 * time.Minute)
	open(2) // back for the second time
	now = now.Add(6 * time.Minute)
	open(2) // the third time breaks it
	now = now.Add(3 * time.Hour)
	open(2)
	if p := b.Permissions()[0]; p.Broken.EN == "" {
		t.Errorf("%+v", p)
	}
	if err := b.Allow(ctx, admin, "HighMemoryUsage", "free_memory", true, 12); err != nil {
		t.Fatal(err)
	}
	open(3)
}
