package sequencer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// rebuilt opens the box again, with a state made from the journal alone.
func (o *office) rebuilt() {
	o.t.Helper()
	o.close()
	if err := os.Remove(filepath.Join(o.dir, "state.db")); err != nil {
		o.t.Fatal(err)
	}
	o.open(state.Limits{})
}

func TestImportedRoom(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	cy := o.do(0, &state.ImportAccount{User: record.User{Login: "cy", Name: "Cy", Disabled: true}}).Body.(*record.AccountOpened).User.ID
	roomKey, first, second, third := newKey(), newKey(), newKey(), newKey()
	old := &state.ImportRoom{Key: roomKey, Form: wire.Channel, Name: "old days", Created: 1000, By: ann}
	room := o.do(0, old).Room
	if r := o.do(0, old); !r.Again || r.Room != room {
		t.Fatalf("the same room again: %+v", r)
	}
	file := o.do(0, &state.StoreFile{File: record.File{Name: "a", Size: 5, Type: "x", SHA256: slices.Repeat([]byte{1}, 32), Upload: "import:a", Owner: bo}}).File
	message := func(key, thread []byte, who id.ID, at int64, text string) *state.ImportMessage {
		return &state.ImportMessage{Room: room, Key: key, Thread: thread, Sender: who, At: at, Text: text, Logins: []string{"bo"}}
	}
	root := message(first, nil, ann, 2000, "root @bo")
	root.Files = []id.ID{file}
	root.Imported = &record.Imported{EditedAt: 2500, PinnedAt: 2600, Reactions: []record.Reaction{{Emoji: "👍", Users: []id.ID{bo, cy}}}}
	o.do(0, root)
	o.do(0, message(second, first, cy, 3000, "reply"))
	o.do(0, message(third, second, bo, 4000, "reply to a reply"))
	if r := o.do(0, root); !r.Again || r.Ref.Seq != 1 {
		t.Fatalf("the same message again: %+v", r)
	}
	o.refused(wire.Forbidden, ann, old)
	o.refused(wire.Forbidden, ann, message(newKey(), nil, bo, 5000, "in his name"))
	o.refused(wire.Forbidden, ann, &state.OpenImport{Room: room, Owners: []id.ID{ann}})
	o.refused(wire.Forbidden, ann, &state.ImportAccount{User: record.User{Login: "dee", Name: "Dee"}})
	o.refused(wire.NotFound, 0, message(newKey(), nil, 77, 5000, "nobody"))
	o.refused(wire.InvalidParams, 0, message(newKey(), nil, bo, 0, "no time"))
	o.refused(wire.NotFound, ann, &state.JoinRoom{Room: id.ID(uint64(room) ^ 1)})
	o.refused(wire.Forbidden, bo, &state.JoinRoom{Room: room}) // nobody sees half of a room
	look := func() {
		t.Helper()
		page, err := o.s.History(wire.HistoryParams{Room: room, Limit: 200})
		if err != nil || len(page.Messages) != 3 {
			t.Fatalf("%+v %v", page, err)
		}
		m := page.Messages
		if m[0].Sender != ann || m[0].Time != 2000 || m[0].EditedAt != 2500 || m[0].PinnedAt != 2600 || len(m[0].Reactions[0].Users) != 2 ||
			len(m[0].Mentions) != 1 || len(m[0].Files) != 1 || m[0].Replies != 2 || !m[0].Imported || m[1].Thread != 1 || m[2].Thread != 1 {
			t.Fatalf("%+v", m)
		}
		if pins, err := o.s.Pins(room); err != nil || len(pins) != 1 {
			t.Fatalf("%d pins, %v", len(pins), err)
		}
	}
	look()
	o.reopen()
	look()
	o.do(0, &state.UnarchiveImport{Room: room})
	o.do(0, &state.OpenImport{Room: room, Owners: []id.ID{ann}, Users: []id.ID{ann, bo, cy}})
	look() // no line tells of it
	o.unread(bo, room, 0, 0)
	late := newKey()
	o.do(0, message(late, nil, ann, 4500, "found later @bo"))
	o.unread(bo, room, 0, 0)
	o.rebuilt()
	o.unread(bo, room, 0, 0)
	// It is a room as any other now.
	o.do(ann, &state.EditMessage{Message: id.Message{Room: room, Seq: 1}, Text: "edited here"})
	o.do(bo, &state.React{Message: id.Message{Room: room, Seq: 1}, Emoji: "👍", On: false})
	o.do(ann, &state.RecallMessage{Message: id.Message{Room: room, Seq: 4}})
	o.send(bo, room, "now")
	o.refused(wire.Conflict, 0, message(newKey(), nil, ann, 4600, "too late"))
	if r := o.do(0, message(late, nil, ann, 4500, "found later @bo")); !r.Again {
		t.Fatal("a recalled message came back")
	}
	if r := o.do(0, &state.OpenImport{Room: room, Users: []id.ID{bo}}); !r.Again {
		t.Fatal("members were added twice")
	}
	o.rebuilt()
	o.sees(ann, room, "edited here", "reply", "reply to a reply", "-", "now")
}

func TestImportedDirectRoom(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	room := o.do(0, &state.ImportRoom{Form: wire.Direct, Pair: [2]id.ID{bo, ann}, Created: 5}).Room
	if r := o.do(ann, &state.OpenDirect{User: bo}); r.Room != room {
		t.Fatal("two rooms for the same two people")
	}
	notes := o.do(0, &state.ImportRoom{Form: wire.Notes, Pair: [2]id.ID{ann, ann}}).Room
	o.do(0, &state.ImportMessage{Room: notes, Key: newKey(), Sender: ann, At: 1, Text: "to self"})
	o.do(0, &state.ImportMessage{Room: room, Key: newKey(), Sender: bo, At: 10, Text: "then"})
	o.unread(ann, room, 0, 0)
	o.send(ann, room, "now")
	o.refused(wire.Conflict, 0, &state.ImportMessage{Room: room, Key: newKey(), Sender: bo, At: 11, Text: "then, too"})
	o.refused(wire.Forbidden, 0, &state.OpenImport{Room: room, Users: []id.ID{ann}})
	o.rebuilt()
	o.sees(ann, room, "then", "now")
	o.unread(bo, room, 1, 0)
}

// What one call hands over keeps its order, also where a thread begins in it.
func TestImportedTogether(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann := o.person("ann")
	room := o.do(0, &state.ImportRoom{Key: newKey(), Form: wire.Group, Name: "g"}).Room
	const n = 400
	root := newKey()
	done := make(chan error, n)
	for i := range n {
		c := &state.ImportMessage{Room: room, Key: newKey(), Sender: ann, At: int64(1000 - i%3), Text: fmt.Sprint(i)}
		if i == 5 {
			c.Key = root
		}
		if i > 5 && i%2 == 0 {
			c.Thread = root
		}
		o.q.Go(context.Background(), state.Actor{Operator: true}, c, func(_ sequencer.Result, err error) { done <- err })
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	o.rebuilt()
	for seq := uint64(1); seq <= n; seq++ {
		m, ok, err := o.s.Message(id.Message{Room: room, Seq: seq})
		thread := uint64(0)
		if seq > 6 && seq%2 == 1 {
			thread = 6
		}
		if err != nil || !ok || m.Text != fmt.Sprint(seq-1) || m.Thread != thread {
			t.Fatalf("%d is %q in thread %d, want %d, %v", seq, m.Text, m.Thread, thread, err)
		}
	}
}
