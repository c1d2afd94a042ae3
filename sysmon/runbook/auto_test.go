package runbook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// What others judge starts nothing automatic, has a runbook of its own, and
// fills the list of cases no further than its bound.
func TestForeignAlertsStartNothingAndAreBounded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	did := func(context.Context, runbook.Target) (words.Text, error) { return words.Of("done", "完成"), nil }
	run := func(context.Context, runbook.Target) (words.Text, error) {
		t.Error("an action ran by itself")
		return words.Of("done", "完成"), nil
	}
	b, err := runbook.Open(t.TempDir(), runbook.Options{Source: healthtest.New(t), Deeds: map[string]runbook.Deed{"free_memory": {Dry: did, Run: run}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Allow(ctx, runbook.Person{Name: "Ann", Role: "admin"}, "HighMemoryUsage", "free_memory", true, 12); err != nil {
		t.Fatal(err)
	}
	var many []runbook.Alert
	for i := range 120 {
		many = append(many, runbook.Alert{ID: fmt.Sprintf("%016x", i), Name: "HighMemoryUsage", Starts: time.Unix(1e9+int64(i), 0)})
	}
	b.OpenedElsewhere(many...)
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	defer func() { cancel(); <-done }()
	counts := func(want int) {
		t.Helper()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Minute); len(b.Cases(500)) != want; <-tick.C {
			if time.Now().After(deadline) {
				t.Fatalf("%d cases, want %d", len(b.Cases(500)), want)
			}
		}
	}
	counts(50)
	b.OpenedElsewhere(many...)
	b.Resolved(many[0])
	b.OpenedElsewhere(many...)
	counts(51)
	c, err := b.Case(runbook.CaseID(many[1].ID, many[1].Starts))
	if err != nil || !c.Alert.Foreign || b.For(c.Alert).Means == b.Of("HighMemoryUsage").Means || len(c.Acts) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A sender whose alerts come and go for hours leaves the box's own cases alone.
func TestForeignCasesDriveNoOwnOnesOut(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	one := func(i int, foreign bool) runbook.Alert {
		return runbook.Alert{ID: fmt.Sprintf("%016x", i), Name: "Any", Starts: time.Unix(1e9+int64(i), 0), Foreign: foreign}
	}
	if err := os.MkdirAll(filepath.Join(dir, "cases"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 500 { // the oldest is the box's own
		a := one(i, i > 0)
		id := runbook.CaseID(a.ID, a.Starts)
		raw, err := json.Marshal(runbook.Case{ID: id, Alert: a, Resolved: a.Starts.Add(time.Minute)})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "cases", id+".json"), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := runbook.Open(dir, runbook.Options{Source: healthtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if _, err := b.Open(ctx, one(500+i, i%2 == 0)); err != nil {
			t.Fatal(err)
		}
	}
	own, foreign := one(0, false), one(1, true)
	if _, err := b.Case(runbook.CaseID(own.ID, own.Starts)); err != nil {
		t.Errorf("the box's own case: %v", err)
	}
	if _, err := b.Case(runbook.CaseID(foreign.ID, foreign.Starts)); !errors.Is(err, runbook.ErrNoCase) {
		t.Errorf("the oldest foreign case: %v", err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "cases"))
	if all := len(b.Cases(1000)); err != nil || all != 500 || len(files) != all {
		t.Errorf("%d cases, %d files, %v", all, len(files), err)
	}
}
