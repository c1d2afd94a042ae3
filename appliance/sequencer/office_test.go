package sequencer_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// office is a box without doors, driven as a script: what must work stops the
// test when it does not.
type office struct {
	t   testing.TB
	dir string
	j   *journal.Journal
	s   *state.State
	q   *sequencer.Sequencer
	n   int
}

func openOffice(t testing.TB, dir string, limits state.Limits) *office {
	t.Helper()
	o := &office{t: t, dir: dir}
	o.open(limits)
	t.Cleanup(o.close)
	return o
}

func (o *office) open(limits state.Limits) {
	o.t.Helper()
	var err error
	if o.s, err = state.Open(filepath.Join(o.dir, "state.db"), state.Options{Limits: limits, Check: true}); err != nil {
		o.t.Fatal(err)
	}
	if o.j, err = journal.Open(filepath.Join(o.dir, "journal"), journal.Options{Witness: o.s.Flushed()}); err != nil {
		o.t.Fatal(err)
	}
	if o.q, err = sequencer.Start(o.j, o.s, sequencer.Options{FlushEvery: 20 * time.Millisecond,
		Fatal: func(err error) { o.t.Errorf("fatal: %v", err) }}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) close() {
	o.t.Helper()
	if o.q == nil {
		return
	}
	if err := errors.Join(o.q.Close(context.Background()), o.s.Close(), o.j.Close()); err != nil {
		o.t.Errorf("close: %v", err)
	}
	o.q = nil
}

func (o *office) reopen() { o.t.Helper(); o.close(); o.open(state.Limits{}) }

func (o *office) try(a id.ID, c state.Command) (sequencer.Result, error) {
	actor := state.Actor{User: a, Operator: a == 0}
	return o.q.Submit(context.Background(), actor, c)
}

func (o *office) do(a id.ID, c state.Command) sequencer.Result {
	o.t.Helper()
	r, err := o.try(a, c)
	if err != nil {
		o.t.Fatalf("%T by %s: %v", c, a, err)
	}
	return r
}

func (o *office) refused(kind wire.Kind, a id.ID, c state.Command) {
	o.t.Helper()
	_, err := o.try(a, c)
	var e *wire.Error
	if !errors.As(err, &e) || e.Kind != kind {
		o.t.Errorf("%T by %s: %v, want %s", c, a, err, kind)
	}
	if e != nil && e.Text.Zh == "" {
		o.t.Errorf("%T: the refusal %q has no Chinese", c, e.Text.En)
	}
}

// person makes an account; the first is the owner.
func (o *office) person(name string) id.ID {
	o.t.Helper()
	o.n++
	c := &state.OpenAccount{User: record.User{Login: name, Name: name}, PHC: "phc of " + name}
	if o.s.Counts().Users == 0 {
		c.Setup, c.Organisation = true, "Office"
	}
	return o.do(0, c).Body.(*record.AccountOpened).User.ID
}

func (o *office) room(owner id.ID, kind wire.RoomKind, name string, members ...id.ID) id.ID {
	o.t.Helper()
	return o.do(owner, &state.CreateRoom{Form: kind, Name: name, Members: members}).Room
}

func newKey() []byte { k := uuid.Must(uuid.NewV7()); return k[:] }

func (o *office) send(a, room id.ID, text string) id.Message {
	o.t.Helper()
	return o.do(a, &state.SendMessage{Room: room, Key: newKey(), Text: text}).Ref
}

func (o *office) file(a id.ID, name string, size int64) id.ID {
	o.t.Helper()
	sum := sha256.Sum256([]byte(name))
	return o.do(a, &state.StoreFile{File: record.File{Name: name, Size: size, Type: "image/png", Width: 4, Height: 4, SHA256: sum[:], Upload: name}}).File
}

func (o *office) sees(a, room id.ID, want ...string) {
	o.t.Helper()
	page, err := o.s.History(wire.HistoryParams{Room: room, Limit: 200})
	if err != nil {
		o.t.Fatal(err)
	}
	var got []string
	for _, m := range page.Messages {
		switch {
		case m.Change != nil:
			got = append(got, "*"+m.Change.What)
		case m.Recalled != nil:
			got = append(got, "-")
		default:
			got = append(got, m.Text)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		o.t.Errorf("room shows %q, want %q", got, want)
	}
}

func (o *office) unread(a, room id.ID, unread uint64, mentions int) {
	o.t.Helper()
	r, _, err := o.s.Room(room, a, false)
	if err != nil || r.Unread != unread || r.MentionsNew != mentions {
		o.t.Errorf("unread %d with %d mentions (%v), want %d with %d", r.Unread, r.MentionsNew, err, unread, mentions)
	}
}

func TestADayInTheOffice(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo, cy := o.person("ann"), o.person("bo"), o.person("cy")
	ops := o.room(ann, wire.Group, "运维", bo)
	o.send(ann, ops, "早上好")
	m := o.send(bo, ops, "hi")
	o.sees(ann, ops, "*created", "早上好", "hi")
	o.unread(ann, ops, 1, 0)
	o.unread(bo, ops, 0, 0)
	o.do(ann, &state.MarkRead{Room: ops, Seq: m.Seq})
	o.unread(ann, ops, 0, 0)

	o.do(bo, &state.EditMessage{Message: m, Text: "hi @ann", Logins: []string{"ann"}})
	o.sees(ann, ops, "*created", "早上好", "hi @ann")
	o.refused(wire.Forbidden, ann, &state.EditMessage{Message: m, Text: "x"})
	mention := o.do(bo, &state.SendMessage{Room: ops, Key: newKey(), Text: "@ann @all", Logins: []string{"ANN", "nobody", "cy"}, All: true}).Ref
	o.unread(ann, ops, 1, 1)
	o.do(ann, &state.React{Message: mention, Emoji: "👍", On: true})
	o.do(ann, &state.Pin{Message: mention, On: true})
	if pins, _ := o.s.Pins(ops); len(pins) != 1 || len(pins[0].Reactions) != 1 {
		t.Errorf("pins: %+v", pins)
	}
	revs, _ := o.s.Revisions(m)
	if len(revs) != 1 || revs[0].Text != "hi" {
		t.Errorf("revisions: %+v", revs)
	}
	o.do(bo, &state.RecallMessage{Message: m})
	o.do(bo, &state.RecallMessage{Message: mention})
	o.sees(ann, ops, "*created", "早上好", "-", "-")
	o.unread(ann, ops, 1, 0)
	if pins, _ := o.s.Pins(ops); len(pins) != 0 {
		t.Errorf("a recalled message is still pinned")
	}

	o.refused(wire.NotFound, cy, &state.SendMessage{Room: ops, Key: newKey(), Text: "let me in"})
	o.refused(wire.NotFound, cy, &state.JoinRoom{Room: ops})
	o.do(bo, &state.AddMembers{Room: ops, Users: []id.ID{cy}})
	o.send(cy, ops, "thanks")
	o.refused(wire.Conflict, ann, &state.RemoveMembers{Room: ops, Leave: true})
	o.do(ann, &state.SetMemberRole{Room: ops, User: bo, Role: "owner"})
	o.do(ann, &state.RemoveMembers{Room: ops, Leave: true})
	o.refused(wire.NotFound, ann, &state.SendMessage{Room: ops, Key: newKey(), Text: "one more thing"})

	direct := o.do(ann, &state.OpenDirect{User: bo}).Room
	if again := o.do(bo, &state.OpenDirect{User: ann}).Room; again != direct {
		t.Errorf("two direct rooms: %s, %s", direct, again)
	}
	notes := o.do(ann, &state.OpenDirect{User: ann}).Room
	o.send(ann, notes, "buy milk")
	news := o.room(ann, wire.Announcement, "News")
	o.do(cy, &state.JoinRoom{Room: news})
	o.refused(wire.Forbidden, cy, &state.SendMessage{Room: news, Key: newKey(), Text: "me too"})
	o.send(ann, news, "we ship")
	o.do(ann, &state.SetMemberRole{Room: news, User: cy, Role: "reader"})
	o.refused(wire.Forbidden, cy, &state.SendMessage{Room: news, Key: newKey(), Text: "me too"})

	o.reopen()
	o.sees(bo, ops, "*created", "早上好", "-", "-", "*added", "thanks", "*role", "*left")
	o.unread(cy, news, 1, 0)
}

func TestTheSameKeyGetsTheSameAnswer(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	room := o.do(ann, &state.OpenDirect{User: bo}).Room
	k := newKey()
	send := func() sequencer.Result { return o.do(ann, &state.SendMessage{Room: room, Key: k, Text: "once"}) }
	first := send()
	for _, when := range []string{"at once", "after a flush", "after a restart"} {
		switch when {
		case "after a flush":
			if err := o.s.Flush(); err != nil {
				t.Fatal(err)
			}
		case "after a restart":
			o.reopen()
		}
		r := send()
		if !r.Again || r.Ref != first.Ref || r.Position() != first.Position() || r.Time != first.Record.Time {
			t.Errorf("%s: %+v, want the answer of %+v", when, r.Outcome, first.Outcome)
		}
	}
	// Many at once: they meet in one batch.
	done := make(chan sequencer.Result, 20)
	k = newKey()
	for range 20 {
		o.q.Go(context.Background(), state.Actor{User: bo}, &state.SendMessage{Room: room, Key: k, Text: "twice"},
			func(r sequencer.Result, err error) {
				if err != nil {
					t.Error(err)
				}
				done <- r
			})
	}
	refs := map[id.Message]int{}
	for range 20 {
		refs[(<-done).Ref]++
	}
	if len(refs) != 1 {
		t.Errorf("one key made %d messages", len(refs))
	}
	// A key belongs to its sender.
	if r := o.do(ann, &state.SendMessage{Room: room, Key: k, Text: "mine"}); r.Again {
		t.Errorf("another person's key was taken for one's own")
	}
	o.sees(ann, room, "once", "twice", "mine")
}

func TestThreads(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann := o.person("ann")
	room := o.room(ann, wire.Channel, "c")
	root := o.send(ann, room, "root")
	for i := range 30 {
		o.do(ann, &state.SendMessage{Room: room, Key: newKey(), Text: fmt.Sprint(i), Thread: root.Seq})
		o.send(ann, room, "between")
	}
	o.reopen()
	page, err := o.s.History(wire.HistoryParams{Room: room, Thread: root.Seq, Limit: 10})
	if err != nil || len(page.Messages) != 10 || page.Messages[9].Text != "29" || !page.More {
		t.Fatalf("newest page: %d messages, %v", len(page.Messages), err)
	}
	page, _ = o.s.History(wire.HistoryParams{Room: room, Thread: root.Seq, Limit: 10, Before: page.Messages[0].Seq})
	if page.Messages[0].Text != "10" || page.Messages[9].Text != "19" {
		t.Errorf("second page: %s to %s", page.Messages[0].Text, page.Messages[9].Text)
	}
	page, _ = o.s.History(wire.HistoryParams{Room: room, Thread: root.Seq, Limit: 10, FromStart: true})
	if page.Messages[0].Text != "0" || page.Messages[9].Text != "9" || !page.More {
		t.Errorf("first page: %s to %s", page.Messages[0].Text, page.Messages[9].Text)
	}
	if m, _, _ := o.s.Message(root); m.Replies != 30 {
		t.Errorf("%d replies", m.Replies)
	}
	o.refused(wire.InvalidParams, ann, &state.SendMessage{Room: room, Key: newKey(), Text: "x", Thread: page.Messages[0].Seq})
	o.refused(wire.NotFound, ann, &state.SendMessage{Room: room, Key: newKey(), Text: "x", Thread: 9999})
}

func TestHistoryFromATimeOn(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann := o.person("ann")
	room := o.room(ann, wire.Channel, "c")
	for i := range 120 {
		o.send(ann, room, fmt.Sprint(i))
	}
	o.reopen()
	all, err := o.s.History(wire.HistoryParams{Room: room, FromStart: true, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all.Messages {
		first := m // of its millisecond
		for _, x := range all.Messages[:m.Seq-1] {
			if x.Time == m.Time {
				first = x
				break
			}
		}
		page, err := o.s.History(wire.HistoryParams{Room: room, At: m.Time, Limit: 10})
		if err != nil || page.Messages[0].Seq != first.Seq {
			t.Fatalf("from %d on: entry %d, want %d, %v", m.Time, page.Messages[0].Seq, first.Seq, err)
		}
	}
	head := all.Messages[len(all.Messages)-1]
	for name, c := range map[string]struct {
		at          int64
		first, last uint64
	}{"long before": {1, 1, 10}, "long after": {head.Time + 1, head.Seq - 9, head.Seq}} {
		page, err := o.s.History(wire.HistoryParams{Room: room, At: c.at, Limit: 10})
		if err != nil || len(page.Messages) != 10 || page.Messages[0].Seq != c.first || page.Messages[9].Seq != c.last {
			t.Errorf("%s: %d entries, %v", name, len(page.Messages), err)
		}
	}
}

func TestFilesAreCountedAndForgotten(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{RoomQuota: 100, UserQuota: 150, Bin: time.Millisecond, Unsent: time.Millisecond})
	ann, bo, cy := o.person("ann"), o.person("bo"), o.person("cy")
	room := o.room(ann, wire.Group, "g", bo)
	f := o.file(ann, "plan.png", 60)
	if again := o.file(ann, "plan.png", 60); again != f {
		t.Errorf("the same upload became two files")
	}
	if _, ok := o.s.File(f, bo); ok {
		t.Errorf("bo reads a file before it was sent to him")
	}
	m := o.do(ann, &state.SendMessage{Room: room, Key: newKey(), Files: []id.ID{f}}).Ref
	if _, ok := o.s.File(f, bo); !ok {
		t.Errorf("bo cannot read a file of his room")
	}
	if _, ok := o.s.File(f, cy); ok {
		t.Errorf("cy reads a file of a room he is not in")
	}
	o.refused(wire.NotFound, cy, &state.SendMessage{Room: o.room(cy, wire.Group, "x"), Key: newKey(), Files: []id.ID{f}})
	g := o.file(ann, "two.png", 60)
	o.refused(wire.QuotaExceeded, ann, &state.SendMessage{Room: room, Key: newKey(), Files: []id.ID{g}})
	o.refused(wire.QuotaExceeded, ann, &state.StoreFile{File: record.File{Name: "x", Size: 60, SHA256: make([]byte, 32)}})
	o.refused(wire.Conflict, ann, &state.DiscardFile{File: f})
	copyRoom := o.do(bo, &state.OpenDirect{User: cy}).Room
	fwd := o.do(bo, &state.SendMessage{Room: copyRoom, Key: newKey(), From: m}).Ref
	o.do(ann, &state.RecallMessage{Message: m})
	if _, ok := o.s.File(f, cy); !ok {
		t.Errorf("a forwarded file was lost with the original")
	}
	o.do(bo, &state.RecallMessage{Message: fwd})
	o.do(ann, &state.UpdateUser{User: ann, Self: true, Avatar: &g})
	if _, ok := o.s.File(g, cy); !ok {
		t.Errorf("a picture of a person is not readable")
	}
	deadline := time.Now().Add(time.Minute)
	for o.s.Counts().Files != 1 && time.Now().Before(deadline) {
		o.do(0, &state.SweepFiles{})
	}
	if n := o.s.Counts(); n.Files != 1 || n.FileBytes != 60 {
		t.Errorf("%d files of %d bytes are left, want ann's picture", n.Files, n.FileBytes)
	}
}

func TestAccountsAndDevices(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{Devices: 3})
	ann, bo := o.person("ann"), o.person("bo")
	o.refused(wire.NotFound, 0, &state.OpenAccount{Setup: true, Organisation: "x", User: record.User{Login: "eve", Name: "eve"}})
	o.refused(wire.Conflict, 0, &state.OpenAccount{User: record.User{Login: "ANN", Name: "again"}})
	o.refused(wire.InvalidParams, 0, &state.OpenAccount{User: record.User{Login: "аnn", Name: "cyrillic a"}})
	o.refused(wire.Forbidden, bo, &state.OpenAccount{User: record.User{Login: "eve", Name: "eve"}})
	yes, admin, owner := true, "admin", "owner"
	o.refused(wire.Conflict, 0, &state.UpdateUser{User: ann, Disabled: &yes})
	o.do(ann, &state.UpdateUser{User: bo, Role: &admin})
	o.refused(wire.Forbidden, bo, &state.UpdateUser{User: bo, Role: &owner})
	o.refused(wire.Forbidden, bo, &state.UpdateUser{User: ann, Disabled: &yes})
	login := func(u id.ID, phc, token string) state.Command {
		sum := sha256.Sum256([]byte(token))
		return &state.AddDevice{Device: record.Device{User: u, Form: "app", Token: sum[:]}, PHC: phc}
	}
	o.refused(wire.Unauthenticated, 0, login(bo, "wrong", "t"))
	for i := range 5 {
		o.do(0, login(bo, "phc of bo", fmt.Sprint("t", i)))
	}
	if d := o.s.Devices(bo); len(d) != 3 {
		t.Errorf("%d devices, want 3", len(d))
	}
	if _, _, ok := o.s.Token("t4", time.Now()); !ok {
		t.Errorf("the newest token does not work")
	}
	o.do(bo, &state.SetPassword{User: bo, Self: true, PHC: "new", Keep: o.s.Devices(bo)[0].ID})
	if d := o.s.Devices(bo); len(d) != 1 {
		t.Errorf("%d devices after a new password, want the one that set it", len(d))
	}
	o.do(ann, &state.UpdateUser{User: bo, Disabled: &yes})
	if d := o.s.Devices(bo); len(d) != 0 {
		t.Errorf("a disabled account has %d devices", len(d))
	}
	o.refused(wire.Unauthenticated, bo, &state.OpenDirect{User: ann})
	o.reopen()
	if _, _, ok := o.s.Token("t4", time.Now()); ok {
		t.Errorf("a token of a disabled account works")
	}
}

// What a reader with fresh eyes found, kept found.
func TestCorners(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	o.refused(wire.Conflict, 0, &state.OpenAccount{User: record.User{Login: "first", Name: "first"}})
	ann, bo := o.person("ann"), o.person("bo")
	room := o.room(ann, wire.Channel, "c")
	o.do(ann, &state.RemoveMembers{Room: room, Leave: true})
	o.do(bo, &state.JoinRoom{Room: room})
	if m := o.s.Members(wire.MembersParams{Room: room, Limit: 10}).Members; len(m) != 1 || m[0].Role != wire.RoomOwner {
		t.Errorf("the first into an empty room is %+v", m)
	}
	o.do(ann, &state.JoinRoom{Room: room})
	mine := o.send(ann, room, "old words")
	o.do(bo, &state.SetMemberRole{Room: room, User: ann, Role: "reader"})
	o.refused(wire.Forbidden, ann, &state.EditMessage{Message: mine, Text: "new words"})
	k := newKey()
	o.do(bo, &state.SendMessage{Room: room, Key: k, Text: "x"})
	o.refused(wire.Conflict, bo, &state.CreateRoom{Form: wire.Group, Name: "g", Key: k})
	o.refused(wire.Forbidden, ann, &state.AddDevice{Device: record.Device{User: bo, Form: "bot", Token: make([]byte, 32)}, Manage: true})
	f := o.file(ann, "me.png", 10)
	done := make(chan error, 2)
	for _, c := range []state.Command{&state.DiscardFile{File: f}, &state.UpdateUser{User: ann, Self: true, Avatar: &f}} {
		o.q.Go(context.Background(), state.Actor{User: ann}, c, func(_ sequencer.Result, err error) { done <- err })
	}
	if a, b := <-done, <-done; (a == nil) == (b == nil) {
		t.Errorf("a file was thrown away and became a picture: %v, %v", a, b)
	}
	// Replies to one thread and reactions to one message share a batch.
	root := o.send(bo, room, "root")
	const n = 200
	from := o.q.Position()
	answers := make(chan error, n)
	for range n {
		o.q.Go(context.Background(), state.Actor{User: bo}, &state.SendMessage{Room: room, Key: newKey(), Text: "r", Thread: root.Seq},
			func(_ sequencer.Result, err error) { answers <- err })
	}
	for range n {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if m, _, _ := o.s.Message(root); m.Replies != n || o.q.Position() != from+n {
		t.Errorf("%d replies counted", m.Replies)
	}
}
