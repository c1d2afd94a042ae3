package chat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// tick is a second of the box.
func (d *desk) tick() {
	d.t.Helper()
	if err := d.s.Due(context.Background(), d.time()); err != nil {
		d.t.Fatal(err)
	}
}

// told lists the events after a position that concern somebody, as "type:what".
func (d *desk) told(a chat.Actor, after uint64) string {
	d.t.Helper()
	records, err := d.s.Records(after, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		for _, e := range d.s.Deliveries(r) {
			if !d.s.Concerns(a, &e) || e.Type == wire.EventRead {
				continue
			}
			text := string(e.Type)
			if _, what, ok := strings.Cut(string(e.Frame), `"what":"`); ok {
				what, _, _ = strings.Cut(what, `"`)
				text += ":" + what
			}
			if strings.Contains(string(e.Frame), `"asked":true`) {
				text += "!"
			}
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

func (d *desk) wantTold(a chat.Actor, after uint64, want string) {
	d.t.Helper()
	if got := d.told(a, after); got != want {
		d.t.Errorf("told %q, want %q", got, want)
	}
}

func (d *desk) follow(a chat.Actor, notice id.ID) string {
	d.t.Helper()
	var n wire.NoticeState
	d.must(a, "notice.get", wire.NoticeGetParams{Notice: notice, People: true}, &n)
	var out []string
	for _, p := range n.People {
		u, _ := d.s.User(p.User)
		out = append(out, u.Login+" "+p.State)
	}
	return strings.Join(out, ", ")
}

func TestANoticeFromSendingToClosing(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var works wire.DepartmentResult
	d.must(ann, "department.put", wire.DepartmentPut{Name: "works"}, &works)
	person := func(login string) chat.Actor {
		a := d.person(ann, login, wire.Member)
		d.must(ann, "user.update", wire.UserUpdate{User: a.User, Department: &works.Department.ID}, nil)
		return a
	}
	bo, cy, di := person("bo"), person("cy"), d.person(ann, "di", wire.Member)
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g", Members: []id.ID{bo.User, di.User}}, &room)
	from := d.s.Position()
	p := wire.NoticeSend{Key: uuid.NewString(), Title: "消防演练", Text: "at noon", Rooms: []id.ID{room.Room.ID}, Departments: []id.ID{works.Department.ID},
		RemindEvery: time.Hour.Milliseconds(), RemindMost: 2, Deadline: d.time().Add(3 * time.Hour).UnixMilli()}
	var sent, again wire.NoticeSent
	d.must(ann, "notice.send", p, &sent)
	d.must(ann, "notice.send", p, &again)
	if !again.Again || again.Notice.ID != sent.Notice.ID || sent.Notice.Audience != 3 || len(sent.Notice.Messages) != 1 {
		t.Errorf("sent %+v, then %+v", sent, again)
	}
	d.wantTold(bo, from, "notice:new! message")
	d.wantTold(cy, from, "notice:new!")
	d.wantTold(ann, from, "notice:new message")
	var shown wire.MessageResult
	d.must(bo, "message.get", wire.MessageParam{Message: sent.Notice.Messages[0]}, &shown)
	if shown.Message.Notice != sent.Notice.ID || shown.Message.Sender != ann.User {
		t.Errorf("the room shows %+v", shown.Message)
	}
	notice := wire.NoticeParam{Notice: sent.Notice.ID}
	from = d.s.Position()
	d.must(bo, "notice.confirm", notice, nil)
	d.must(bo, "notice.confirm", notice, nil)
	d.wantTold(ann, from, "notice:confirmed")
	if got := d.follow(ann, sent.Notice.ID); got != "bo confirmed, cy waiting, di waiting" {
		t.Errorf("ann follows %q", got)
	}
	d.refused(wire.Forbidden, bo, "notice.get", wire.NoticeGetParams{Notice: sent.Notice.ID, People: true})
	var mine wire.NoticeState
	d.must(bo, "notice.get", wire.NoticeGetParams{Notice: sent.Notice.ID}, &mine)
	if mine.Notice.Mine != "confirmed" || mine.Notice.ConfirmedAt == 0 || mine.Notice.Waiting != nil || mine.Notice.Departments != nil {
		t.Errorf("bo sees %+v", mine.Notice)
	}

	// A reminder reaches those who have not confirmed, once an hour, whatever
	// the clock does, and only twice.
	remindedBy := func(by time.Duration, want string) {
		t.Helper()
		from := d.s.Position()
		d.pass(by)
		d.tick()
		d.tick()
		d.wantTold(cy, from, want)
		d.wantTold(bo, from, "")
	}
	remindedBy(59*time.Minute, "")
	remindedBy(2*time.Minute, "notice:reminded!")
	remindedBy(30*time.Minute, "")
	remindedBy(-72*time.Hour, "notice:reminded!")
	remindedBy(144*time.Hour, "")
	d.must(ann, "notice.remind", notice, nil)
	d.refused(wire.RateLimited, ann, "notice.remind", notice)
	d.refused(wire.Forbidden, cy, "notice.remind", notice)
	d.refused(wire.Forbidden, cy, "notice.close", notice)

	var inbox wire.NoticeList
	d.must(cy, "notice.list", wire.NoticeListParams{}, &inbox)
	if inbox.Waiting != 1 || len(inbox.Notices) != 1 || inbox.Notices[0].Mine != "waiting" {
		t.Errorf("cy's inbox: %+v", inbox)
	}
	from = d.s.Position()
	d.must(ann, "notice.close", notice, nil)
	d.wantTold(cy, from, "notice:closed")
	d.must(cy, "notice.list", wire.NoticeListParams{}, &inbox)
	if inbox.Waiting != 0 || len(inbox.Notices) != 0 {
		t.Errorf("cy's inbox: %+v", inbox)
	}
	d.refused(wire.Conflict, cy, "notice.confirm", notice)
}

func TestNoticesKeepToThoseTheyConcern(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo, cy, eve := d.person(ann, "bo", wire.Member), d.person(ann, "cy", wire.Member), d.person(ann, "eve", wire.Member)
	al := d.person(ann, "al", wire.Auditor)
	var sent wire.NoticeSent
	from := d.s.Position()
	d.must(bo, "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "quiet word", Users: []id.ID{cy.User}}, &sent)
	d.wantTold(eve, from, "")
	d.wantTold(al, from, "")
	get := wire.NoticeGetParams{Notice: sent.Notice.ID}
	for _, m := range []string{"notice.get", "notice.confirm", "notice.remind", "notice.close"} {
		d.refused(wire.NotFound, eve, m, map[string]any{"notice": sent.Notice.ID})
	}
	d.must(al, "notice.get", get, nil)
	d.must(al, "notice.list", wire.NoticeListParams{Box: "all"}, nil)
	d.refused(wire.Forbidden, al, "notice.close", wire.NoticeParam{Notice: sent.Notice.ID})
	d.refused(wire.Forbidden, eve, "notice.list", wire.NoticeListParams{Box: "all"})
	d.refused(wire.InvalidParams, eve, "notice.list", wire.NoticeListParams{Box: "x"})
	d.refused(wire.InvalidParams, bo, "notice.get", wire.NoticeGetParams{Notice: sent.Notice.ID, State: "x"})
	d.refused(wire.InvalidParams, bo, "notice.send", wire.NoticeSend{Key: "x", Title: "t", Users: []id.ID{cy.User}})
	d.refused(wire.InvalidParams, bo, "notice.send", wire.NoticeSend{Key: uuid.NewString(), Title: "\u202eevil", Users: []id.ID{cy.User}})
	d.refused(wire.NotFound, bo, "notice.confirm", wire.NoticeParam{Notice: 99})
}

func TestScheduledMessagesAreSentAtTheirTime(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo := d.person(ann, "bo", wire.Member)
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g", Members: []id.ID{bo.User}}, &room)
	create := func(text string, in time.Duration) id.ID {
		t.Helper()
		var r wire.ScheduledResult
		d.must(bo, "scheduled.create", wire.ScheduledCreate{Room: room.Room.ID, Key: uuid.NewString(), Text: text, At: d.time().Add(in).UnixMilli()}, &r)
		return r.Scheduled.ID
	}
	shows := func(want ...string) {
		t.Helper()
		var page wire.History
		d.must(ann, "room.history", wire.HistoryParams{Room: room.Room.ID}, &page)
		var got []string
		for _, m := range page.Messages {
			if m.Change == nil {
				got = append(got, m.Text)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the room shows %q, want %q", got, want)
		}
	}
	from := d.s.Position()
	second, first := create("second", 2*time.Hour), create("first @ann", time.Hour)
	d.wantTold(bo, from, "scheduled:put scheduled:put")
	d.wantTold(ann, from, "")
	d.tick()
	shows()
	from = d.s.Position()
	d.pass(3 * time.Hour) // the box was down meanwhile: both are late, in order
	d.tick()
	d.pass(-2 * time.Hour) // and the clock is set back: nothing is sent again
	d.tick()
	d.pass(2 * time.Hour)
	d.tick()
	shows("first @ann", "second")
	d.wantTold(bo, from, "scheduled:sent message scheduled:sent message")
	d.wantTold(ann, from, "message message")
	for _, s := range []id.ID{first, second} {
		d.refused(wire.NotFound, bo, "scheduled.send", wire.ScheduledParam{Scheduled: s})
	}

	third := create("third", time.Hour)
	d.refused(wire.NotFound, ann, "scheduled.remove", wire.ScheduledParam{Scheduled: third})
	d.must(ann, "room.remove", wire.MembersChange{Room: room.Room.ID, Users: []id.ID{bo.User}}, nil)
	from = d.s.Position()
	d.pass(time.Hour + time.Second)
	d.tick()
	d.tick()
	d.wantTold(bo, from, "scheduled:failed")
	var list wire.ScheduledList
	d.must(bo, "scheduled.list", wire.ScheduledListParams{}, &list)
	if len(list.Scheduled) != 1 || list.Scheduled[0].FailedAt == 0 || list.Scheduled[0].ReasonEn == "" || list.Scheduled[0].ReasonZh == "" {
		t.Errorf("bo has %+v", list.Scheduled)
	}
	d.refused(wire.InvalidParams, bo, "scheduled.update", wire.ScheduledUpdate{Scheduled: third, At: 1})
	d.must(ann, "room.add", wire.MembersChange{Room: room.Room.ID, Users: []id.ID{bo.User}}, nil)
	d.must(bo, "scheduled.send", wire.ScheduledParam{Scheduled: third}, nil)
	shows("first @ann", "second", "third")

	// An account that is disabled at the time sends nothing; its message stays.
	fourth := create("fourth", time.Hour)
	yes := true
	d.must(ann, "user.update", wire.UserUpdate{User: bo.User, Disabled: &yes}, nil)
	d.pass(2 * time.Hour)
	d.tick()
	shows("first @ann", "second", "third")
	no := false
	d.must(ann, "user.update", wire.UserUpdate{User: bo.User, Disabled: &no}, nil)
	bo = d.login("bo", "pass of bo")
	d.must(bo, "scheduled.list", wire.ScheduledListParams{Room: room.Room.ID}, &list)
	if len(list.Scheduled) != 1 || list.Scheduled[0].ID != fourth || list.Scheduled[0].FailedAt == 0 {
		t.Errorf("bo has %+v", list.Scheduled)
	}
}
