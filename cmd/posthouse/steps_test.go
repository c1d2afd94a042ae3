package main

import (
	"testing"
	"time"

	"posthouse/appliance/wire"
	"posthouse/sysmon/notify"
	texts "posthouse/sysmon/words"
)

// A first step is done when it is: the box's own cards are no first message, a
// test that did not get through is none, and the operators' room tells nobody
// when the chat is down.
func TestFirstStepsAreDoneWhenTheyAre(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	ann, _, room := d.office(t.Context(), addr)
	done := func(id string) bool {
		t.Helper()
		for _, s := range d.server.firstSteps(t.Context()) {
			if s.ID == id {
				return s.Done
			}
		}
		t.Fatalf("there is no step %s", id)
		return false
	}
	if err := d.server.room.Post(t.Context(), texts.Of("all is well", "一切正常")); err != nil {
		t.Fatal(err)
	}
	if done("message") {
		t.Error("a card of the box counts as the first message")
	}
	if _, err := ann.Send(t.Context(), room, "hello"); err != nil {
		t.Fatal(err)
	}
	if !done("message") {
		t.Error("somebody wrote, and the step is not done")
	}
	if done("channel") {
		t.Error("only the operators' room is told")
	}
	m := d.server.watch.Alerts
	_, err := m.SaveChannel(notify.Channel{Kind: "webhook", Name: "Outside", Lang: "en", PerHour: 60, Settings: map[string]string{"url": "http://127.0.0.1:9/"}})
	if err != nil {
		t.Fatal(err)
	}
	if !done("channel") {
		t.Error("a channel works without the chat, and the step is not done")
	}
	for _, outcome := range []string{"failed", "done"} {
		e := wire.AuditEntry{Action: "channel.test", Object: "Outside", Outcome: outcome, At: time.Now().UnixMilli()}
		if err := d.server.chat.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if done("test") != (outcome == "done") {
			t.Errorf("after a test that %s the step is done: %v", outcome, done("test"))
		}
	}
}
