package sequencer_test

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
)

// Commands that come while the journal fails are answered too: a caller that
// waited for ever would keep the server from ending.
func TestFailureAnswersThoseWhoCameMeanwhile(t *testing.T) {
	dir := t.TempDir()
	fs := disktest.NewFaulty(disk.OS{})
	s, err := state.Open(filepath.Join(dir, "state.db"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abandon()
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	fatal := make(chan error, 1)
	q, err := sequencer.Start(j, s, sequencer.Options{Fatal: func(err error) { fatal <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	answers := make(chan error, 2)
	open := func(login string) {
		q.Go(context.Background(), state.Actor{Operator: true}, &state.OpenAccount{Setup: true, Organisation: "Office", User: record.User{Login: login, Name: login}, PHC: "x"},
			func(_ sequencer.Result, err error) { answers <- err })
	}
	fs.Set(disktest.Fault{N: 1, Err: syscall.EIO, Match: func(op, name string) bool { return op == "sync" && strings.HasSuffix(name, ".seg.tmp") },
		Then: func(_, _ string) { open("late") }})
	open("early")
	for range 2 {
		select {
		case err := <-answers:
			if err == nil {
				t.Error("answered as if it were stored")
			}
		case <-time.After(time.Minute):
			t.Fatal("a command was never answered")
		}
	}
	if <-fatal == nil {
		t.Error("no reason was told")
	}
}
