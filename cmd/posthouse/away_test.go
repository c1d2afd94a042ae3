package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// Somebody who was away while a message was sent and taken back is told that
// it was there, and never what it said; nor what an edited one said first.
func TestWhoWasAwayIsNotToldWhatWasTakenBack(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dial := func(name string, since uint64) *client.Client {
		t.Helper()
		c, err := client.Dial(ctx, client.Options{URL: "http://" + addr, Since: since})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := c.Login(ctx, name, "correct horse "+name); err != nil {
			t.Fatal(err)
		}
		return c
	}
	d.run("correct horse ann\n", "user", "add", "ann", "--name", "Ann", "--role", "owner", "--password-file", "-").exits(0)
	d.run("correct horse bo\n", "user", "add", "bo", "--name", "Bo", "--password-file", "-").exits(0)
	ann := dial("ann", 0)
	bo, err := ann.Directory(ctx, wire.DirectoryParams{Query: "bo"})
	if err != nil || len(bo.Users) != 1 {
		t.Fatal(bo, err)
	}
	room, err := ann.Direct(ctx, bo.Users[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	before, err := ann.Send(ctx, room.ID, "before")
	if err != nil {
		t.Fatal(err)
	}
	regret, err := ann.Send(ctx, room.ID, "a regret")
	if err != nil {
		t.Fatal(err)
	}
	typo, err := ann.Send(ctx, room.ID, "a typpo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Recall(ctx, regret.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Edit(ctx, typo.ID, "a typo"); err != nil {
		t.Fatal(err)
	}
	last, err := ann.Send(ctx, room.ID, "after")
	if err != nil {
		t.Fatal(err)
	}
	if err := ann.WaitPosition(ctx, last.Position); err != nil {
		t.Fatal(err)
	}
	away := dial("bo", before.Position)
	var seen []string
	for e := range away.Events() {
		raw, err := json.Marshal(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		if strings.Contains(text, "regret") || strings.Contains(text, "typpo") {
			t.Errorf("told %s: %s", e.Type, text)
		}
		if e.Type == wire.EventMessage {
			seen = append(seen, text)
		}
		if strings.Contains(text, "after") {
			break
		}
	}
	if len(seen) < 3 {
		t.Errorf("%d messages were told, want the recalled, the edited and the last", len(seen))
	}
}
