package sequencer_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func (o *office) notice(a id.ID, n record.Notice) sequencer.Result {
	o.t.Helper()
	if n.Key == nil {
		n.Key = newKey()
	}
	if n.Title == "" {
		n.Title = "fire drill"
	}
	return o.do(a, &state.SendNotice{Notice: n})
}

// post does what the box does for a notice's rooms.
func (o *office) post() int {
	o.t.Helper()
	due := o.s.Due(time.Now().UnixMilli())
	for _, p := range due.Posts {
		o.do(p.Author, &state.PostNotice{Notice: p.Notice, Room: p.Room})
	}
	return len(due.Posts)
}

// stands wants how an audience stands, as "waiting confirmed gone".
func (o *office) stands(by, notice id.ID, want string) {
	o.t.Helper()
	n, _, ok := o.s.Notice(by, wire.NoticeGetParams{Notice: notice, People: true, Limit: 500})
	got := map[string]int{}
	for _, p := range n.People {
		got[p.State]++
	}
	if text := fmt.Sprint(got["waiting"], got["confirmed"], got["gone"]); !ok || text != want {
		o.t.Errorf("waiting, confirmed, gone: %s, want %s", text, want)
	}
}

func (o *office) department(name string, parent id.ID, people ...id.ID) id.ID {
	o.t.Helper()
	did := o.do(0, &state.PutDepartment{Department: record.Department{Name: name, Parent: parent}}).Body.(*record.DepartmentPut).Department.ID
	for _, p := range people {
		o.do(0, &state.UpdateUser{User: p, Department: &did})
	}
	return did
}

func TestNotices(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo, cy, di, ed := o.person("ann"), o.person("bo"), o.person("cy"), o.person("di"), o.person("ed")
	bot := o.do(0, &state.OpenAccount{User: record.User{Login: "bot", Name: "bot", Bot: true}}).Body.(*record.AccountOpened).User.ID
	works := o.department("works", 0, ann)
	shop := o.department("shop", works, bo, bot)
	ops := o.room(ann, wire.Group, "ops", cy)
	k := newKey()
	sent := o.notice(ann, record.Notice{Key: k, Text: "at **noon**", Rooms: []id.ID{ops}, Departments: []id.ID{works}, Users: []id.ID{di}})
	// A crash before the room's message: the box finds it after the restart.
	o.reopen()
	if n := o.post(); n != 1 || o.post() != 0 {
		t.Errorf("%d messages were missing, want 1, then none", n)
	}
	o.sees(ann, ops, "*created", "**fire drill**\n\nat **noon**")
	if again := o.notice(ann, record.Notice{Key: k, Rooms: []id.ID{ops}}); !again.Again || again.Entity != sent.Entity {
		t.Errorf("the same key made another notice: %+v", again.Outcome)
	}
	o.refused(wire.Conflict, ann, &state.SendMessage{Room: ops, Key: k, Text: "x"})
	o.refused(wire.Conflict, ann, &state.CreateScheduled{Scheduled: record.Scheduled{Room: ops, Key: k, Text: "x", At: time.Now().Add(time.Hour).UnixMilli()}})
	nid := sent.Entity
	o.stands(ann, nid, "3 0 0") // bo, cy, di; not ann, the bot, or ed

	o.do(bo, &state.ConfirmNotice{Notice: nid})
	o.do(bo, &state.ConfirmNotice{Notice: nid})
	o.refused(wire.NotFound, ed, &state.ConfirmNotice{Notice: nid})
	o.refused(wire.Forbidden, ann, &state.ConfirmNotice{Notice: nid})
	o.do(cy, &state.AddMembers{Room: ops, Users: []id.ID{ed}})
	o.refused(wire.Forbidden, ed, &state.ConfirmNotice{Notice: nid}) // came later
	o.stands(ann, nid, "2 1 0")
	o.do(cy, &state.RemoveMembers{Room: ops, Leave: true})
	o.stands(ann, nid, "1 1 1")
	if list := o.s.Notices(cy, wire.NoticeListParams{Limit: 50}); list.Waiting != 0 {
		t.Errorf("%d notices wait for cy, who has left", list.Waiting)
	}
	o.do(cy, &state.ConfirmNotice{Notice: nid})
	yes := true
	o.do(0, &state.UpdateUser{User: di, Disabled: &yes})
	o.stands(ann, nid, "0 2 1")
	if at := o.q.Position(); o.do(ann, &state.RemindNotice{Notice: nid}).Body != nil || o.q.Position() != at {
		t.Error("a notice that waits for nobody was reminded of")
	}
	no := false
	o.do(0, &state.UpdateUser{User: di, Disabled: &no})
	o.refused(wire.Forbidden, di, &state.RemindNotice{Notice: nid})
	o.do(ann, &state.RemindNotice{Notice: nid})
	o.refused(wire.RateLimited, ann, &state.RemindNotice{Notice: nid})
	o.reopen()
	o.stands(ann, nid, "1 2 0")
	o.do(ann, &state.CloseNotice{Notice: nid})
	o.do(ann, &state.CloseNotice{Notice: nid})
	o.refused(wire.Conflict, di, &state.ConfirmNotice{Notice: nid})
	o.refused(wire.Conflict, ann, &state.RemindNotice{Notice: nid})
	post := o.s.Notices(ann, wire.NoticeListParams{Box: "sent", Limit: 50}).Notices[0].Messages[0]
	o.refused(wire.Forbidden, ann, &state.EditMessage{Message: post, Text: "another hour"})
	o.do(ann, &state.RecallMessage{Message: post})
	_ = shop
}

func TestWhoMaySendNotices(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo, cy := o.person("ann"), o.person("bo"), o.person("cy")
	hall := o.room(ann, wire.Channel, "hall", bo)
	team := o.room(ann, wire.Group, "team", bo)
	news := o.room(ann, wire.Announcement, "news", bo)
	works := o.department("works", 0, cy)
	send := func(n record.Notice) state.Command {
		n.Key, n.Title = newKey(), "t"
		return &state.SendNotice{Notice: n}
	}
	many := make([]id.ID, 21)
	for i := range many {
		many[i] = cy
	}
	for _, n := range []record.Notice{{Rooms: []id.ID{hall}}, {Rooms: []id.ID{news}}, {Departments: []id.ID{works}}, {Everyone: true}} {
		o.refused(wire.Forbidden, bo, send(n))
	}
	for kind, list := range map[wire.Kind][]record.Notice{
		wire.InvalidParams: {{}, {Users: many}, {Users: []id.ID{bo}}, {Rooms: []id.ID{team, team}}, {Users: []id.ID{cy}, Every: 1}, {Users: []id.ID{cy}, Every: -5},
			{Users: []id.ID{cy}, Deadline: 5}, {Users: []id.ID{cy}, Deadline: 1 << 60}, {Users: []id.ID{cy}, Text: "\xff"},
			{Users: []id.ID{cy}, Every: time.Hour.Milliseconds(), Reminders: 51}},
		wire.NotFound: {{Users: []id.ID{77}}, {Rooms: []id.ID{77}}},
		wire.TooLarge: {{Users: []id.ID{cy}, Text: string(make([]byte, wire.MaxNoticeText+1))}},
	} {
		for _, n := range list {
			o.refused(kind, bo, send(n))
		}
	}
	o.refused(wire.NotFound, cy, send(record.Notice{Rooms: []id.ID{team}}))
	o.refused(wire.InvalidParams, bo, &state.SendNotice{Notice: record.Notice{Key: newKey(), Title: "two\nlines", Users: []id.ID{cy}}})
	o.refused(wire.Forbidden, 0, send(record.Notice{Everyone: true}))
	o.do(ann, &state.SetMemberRole{Room: hall, User: bo, Role: "moderator"})
	o.notice(bo, record.Notice{Rooms: []id.ID{hall, team}})
	o.notice(bo, record.Notice{Users: []id.ID{cy, ann}})
	o.notice(ann, record.Notice{Everyone: true, Departments: []id.ID{works}})
	if list := o.s.Notices(cy, wire.NoticeListParams{Box: "received", Limit: 1}); list.Waiting != 2 || !list.More || len(list.Notices) != 1 || list.Notices[0].Rooms != nil {
		t.Errorf("cy has %+v", list)
	}
	for range wire.MaxNoticesOpen - 1 {
		o.notice(ann, record.Notice{Users: []id.ID{cy}})
	}
	o.refused(wire.QuotaExceeded, ann, send(record.Notice{Users: []id.ID{cy}}))
	o.post()
}

func TestScheduledMessages(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{Bin: time.Millisecond, Unsent: time.Millisecond})
	ann, bo := o.person("ann"), o.person("bo")
	room := o.room(ann, wire.Group, "g", bo)
	f := o.file(bo, "plan.png", 10)
	mentions := func(string) ([]string, bool) { return []string{"ann"}, false }
	soon := func() int64 { return time.Now().Add(time.Hour).UnixMilli() }
	k := newKey()
	create := func(m record.Scheduled) sequencer.Result {
		t.Helper()
		m.Room = room
		return o.do(bo, &state.CreateScheduled{Scheduled: m})
	}
	first := create(record.Scheduled{Key: k, Text: "hi @ann", Files: []id.ID{f}, At: soon()})
	if again := create(record.Scheduled{Key: k, Text: "hi", At: soon()}); !again.Again || again.Entity != first.Entity {
		t.Errorf("the same key made another: %+v", again.Outcome)
	}
	o.refused(wire.NotFound, ann, &state.RemoveScheduled{Scheduled: first.Entity})
	o.refused(wire.NotFound, ann, &state.SendScheduled{Scheduled: first.Entity, Now: true, Mentions: mentions})
	o.refused(wire.Conflict, bo, &state.DiscardFile{File: f})
	o.do(0, &state.SweepFiles{})
	o.reopen()
	if r := o.do(bo, &state.SendScheduled{Scheduled: first.Entity, Mentions: mentions}); r.Body != nil {
		t.Error("sent an hour early")
	}
	// Twice at once: it is sent once.
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := o.try(bo, &state.SendScheduled{Scheduled: first.Entity, Now: true, Mentions: mentions})
			done <- err
		}()
	}
	if a, b := <-done, <-done; (a == nil) == (b == nil) {
		t.Errorf("a scheduled message was sent twice or never: %v, %v", a, b)
	}
	o.reopen()
	o.sees(bo, room, "*created", "hi @ann")
	o.unread(ann, room, 1, 1)
	if r := create(record.Scheduled{Key: k, Text: "hi", At: soon()}); !r.Again || len(o.s.ScheduledOf(bo, 0)) != 0 {
		t.Errorf("the key of a sent message made another")
	}

	next := create(record.Scheduled{Key: newKey(), Text: "next", At: soon()}).Entity
	o.do(0, &state.FailScheduled{Scheduled: next, Why: wire.Text{En: "no", Zh: "不"}}) // not its time yet: it waits on
	text := "better"
	o.do(bo, &state.UpdateScheduled{Scheduled: next, Text: &text})
	o.refused(wire.NotFound, ann, &state.UpdateScheduled{Scheduled: next, Text: &text})
	o.reopen()
	if list := o.s.ScheduledOf(bo, room); len(list) != 1 || list[0].FailedAt != 0 || list[0].Text != "better" {
		t.Errorf("bo has %+v", list)
	}
	o.do(bo, &state.RemoveScheduled{Scheduled: next})
	o.refused(wire.NotFound, bo, &state.RemoveScheduled{Scheduled: next})
	for range wire.MaxScheduled {
		create(record.Scheduled{Key: newKey(), Text: "x", At: soon()})
	}
	o.refused(wire.QuotaExceeded, bo, &state.CreateScheduled{Scheduled: record.Scheduled{Key: newKey(), Room: room, Text: "x", At: soon()}})
	for _, m := range []record.Scheduled{{Text: "x", At: 5}, {Text: "x", At: 1 << 60}, {At: soon()}} {
		m.Key, m.Room = newKey(), room
		o.refused(wire.InvalidParams, ann, &state.CreateScheduled{Scheduled: m})
	}
	o.refused(wire.NotFound, ann, &state.CreateScheduled{Scheduled: record.Scheduled{Key: newKey(), Room: 99, Text: "x", At: soon()}})
	o.refused(wire.NotFound, ann, &state.CreateScheduled{Scheduled: record.Scheduled{Key: newKey(), Room: room, Text: "x", ReplyTo: 999, At: soon()}})
}

// The keys of messages that the box makes can be worked out by their author. Who
// sends a message with one breaks nothing.
func TestAKeyThatTheBoxWouldUse(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	room := o.room(ann, wire.Group, "g", bo)
	made := func(label string, ids ...id.ID) []byte {
		h := sha256.New()
		h.Write([]byte(label))
		for _, v := range ids {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(v)))
		}
		k := h.Sum(nil)[:16]
		k[6], k[8] = k[6]&0x0f|0x80, k[8]&0x3f|0x80
		return k
	}
	nid := o.notice(ann, record.Notice{Rooms: []id.ID{room}}).Entity
	o.do(ann, &state.SendMessage{Room: room, Key: made("notice", nid, room), Text: "first"})
	if n := o.post(); n != 1 || o.post() != 0 {
		t.Errorf("%d messages of the notice were missing, want 1, then none", n)
	}
	sid := o.do(ann, &state.CreateScheduled{Scheduled: record.Scheduled{Key: newKey(), Room: room, Text: "later", At: time.Now().Add(time.Hour).UnixMilli()}}).Entity
	o.do(ann, &state.SendMessage{Room: room, Key: made("scheduled", sid), Text: "second"})
	o.refused(wire.Conflict, ann, &state.SendScheduled{Scheduled: sid, Now: true, Mentions: func(string) ([]string, bool) { return nil, false }})
	o.reopen()
	o.sees(bo, room, "*created", "first", "**fire drill**", "second")
}

// One person's notices of a day ask a bounded number of people.
func TestNoticesOfADay(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	for range wire.MaxNoticesDay {
		nid := o.notice(ann, record.Notice{Users: []id.ID{bo}}).Entity
		o.do(ann, &state.CloseNotice{Notice: nid})
	}
	o.refused(wire.QuotaExceeded, ann, &state.SendNotice{Notice: record.Notice{Key: newKey(), Title: "t", Users: []id.ID{bo}}})
	o.notice(bo, record.Notice{Users: []id.ID{ann}})
}

// A long audience is listed in pages, whole.
func TestNoticesToMany(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann := o.person("ann")
	var people []id.ID
	for i := range 300 {
		people = append(people, o.person(fmt.Sprintf("p%03d", i)))
	}
	nid := o.notice(ann, record.Notice{Everyone: true}).Entity
	for _, p := range people[:100] {
		o.do(p, &state.ConfirmNotice{Notice: nid})
	}
	var seen []id.ID
	after := id.ID(0)
	for {
		page, _, _ := o.s.Notice(ann, wire.NoticeGetParams{Notice: nid, People: true, State: "waiting", After: after, Limit: 70})
		for _, p := range page.People {
			seen = append(seen, p.User)
		}
		if !page.More {
			break
		}
		after = page.People[len(page.People)-1].User
	}
	slices.Sort(seen)
	want := slices.Sorted(slices.Values(people[100:]))
	if !slices.Equal(seen, want) {
		t.Errorf("%d of %d people listed", len(seen), len(want))
	}
	page, _, _ := o.s.Notice(ann, wire.NoticeGetParams{Notice: nid, People: true, Query: "P05", Limit: 500})
	if len(page.People) != 10 || page.Departments[0].Waiting != 200 {
		t.Errorf("a search found %d people; counts %+v", len(page.People), page.Departments)
	}
}

// A state file made before there were notices is taken as it is, for reading
// and for writing.
func TestAStateFileWithoutTheLaterBuckets(t *testing.T) {
	o := openOffice(t, t.TempDir(), state.Limits{})
	ann, bo := o.person("ann"), o.person("bo")
	o.close()
	path := filepath.Join(o.dir, "state.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{"notices", "noticemarks", "confirms", "scheduled"} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := state.Open(path, state.Options{ReadOnly: true})
	if err != nil {
		t.Fatalf("open an earlier state file for reading: %v", err)
	}
	if _, ok := old.User(bo); !ok {
		t.Error("an earlier state file lost bo")
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	o.open(state.Limits{})
	o.notice(ann, record.Notice{Users: []id.ID{bo}})
	o.reopen()
	if n := o.s.Notices(bo, wire.NoticeListParams{Limit: 10}).Waiting; n != 1 {
		t.Errorf("%d notices wait for bo, want 1", n)
	}
}

// BenchmarkNoticeOf10000 is what the author of a notice to 10,000 people asks
// for, and what the clock asks every second beside 1,000 notices.
func BenchmarkNoticeOf10000(b *testing.B) {
	o := openOffice(b, b.TempDir(), state.Limits{})
	ann := o.person("ann")
	var people []id.ID
	for i := range 10000 {
		o.q.Go(b.Context(), state.Actor{Operator: true}, &state.OpenAccount{User: record.User{Login: fmt.Sprintf("p%05d", i), Name: fmt.Sprintf("张 %d", i)}}, func(r sequencer.Result, err error) {
			if err == nil {
				people = append(people, r.Body.(*record.AccountOpened).User.ID)
			}
		})
	}
	o.department("works", 0)
	nid := o.notice(ann, record.Notice{Everyone: true, Every: time.Hour.Milliseconds()}).Entity
	for range wire.MaxNoticesOpen - 1 {
		o.notice(ann, record.Notice{Everyone: true, Every: time.Hour.Milliseconds()})
	}
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			if n, _, _ := o.s.Notice(ann, wire.NoticeGetParams{Notice: nid, People: true, Limit: 100}); len(n.People) != 100 {
				b.Fatal("not listed")
			}
		}
	})
	b.Run("told", func(b *testing.B) {
		for b.Loop() {
			o.s.NoticeTold(nid, true)
		}
	})
	b.Run("inbox", func(b *testing.B) {
		for b.Loop() {
			o.s.Notices(people[0], wire.NoticeListParams{Limit: 50})
		}
	})
	b.Run("due", func(b *testing.B) {
		now := time.Now().UnixMilli()
		for b.Loop() {
			o.s.Due(now)
		}
	})
}
