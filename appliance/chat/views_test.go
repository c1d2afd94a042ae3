package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// A reply in a thread tells everybody in the room how many there are by now and
// when the newest came, and so does the thread's first message.
func TestThreadsTellTheirReplies(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g"}, &room)
	var first, reply wire.Sent
	d.must(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Text: "first"}, &first)
	for n := 1; n <= 3; n++ {
		d.must(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Text: "reply", Thread: first.Seq}, &reply)
		var got wire.MessageResult
		d.must(ann, "message.get", wire.MessageParam{Message: first.ID}, &got)
		if got.Message.Replies != n || got.Message.LastReply != reply.Time {
			t.Errorf("after %d replies the first message has %d, the last at %d, not %d", n, got.Message.Replies, got.Message.LastReply, reply.Time)
		}
		records, err := d.s.Records(reply.Position-1, 1)
		if err != nil {
			t.Fatal(err)
		}
		events := d.s.Deliveries(records[0])
		want := fmt.Sprintf(`{"message":"%s","replies":%d,"last_reply":%d}`, first.ID, n, reply.Time)
		if len(events) != 2 || events[1].Type != wire.EventThread || events[1].Room != room.Room.ID || !strings.Contains(string(events[1].Frame), want) {
			t.Errorf("reply %d tells %+v, not %s", n, events, want)
		}
	}
}

// Members can be asked for by name and by role, page by page.
func TestMembersByNameAndRole(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var people []id.ID
	for _, login := range []string{"bo", "bob", "cy"} {
		people = append(people, d.person(ann, login, wire.Member).User)
	}
	slices.Sort(people[:2]) // pages are in the order of the IDs
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g", Members: people}, &room)
	d.must(ann, "room.role", wire.MemberRoleParams{Room: room.Room.ID, User: people[2], Role: wire.RoomReader}, nil)
	for _, c := range []struct {
		ask  wire.MembersParams
		want []id.ID
		more bool
	}{
		{wire.MembersParams{Query: " BO"}, people[:2], false},
		{wire.MembersParams{Query: "bo", Limit: 1}, people[:1], true},
		{wire.MembersParams{Query: "bo", Limit: 1, After: people[0]}, people[1:2], false},
		{wire.MembersParams{Query: "nobody"}, nil, false},
		{wire.MembersParams{Role: wire.RoomOwner}, []id.ID{ann.User}, false},
		{wire.MembersParams{Role: wire.RoomReader, Query: "c"}, people[2:], false},
	} {
		c.ask.Room = room.Room.ID
		var got wire.MemberList
		d.must(ann, "room.members", c.ask, &got)
		var users []id.ID
		for _, m := range got.Members {
			users = append(users, m.User)
		}
		if fmt.Sprint(users) != fmt.Sprint(c.want) || got.More != c.more {
			t.Errorf("%+v: %v, more is %v; want %v", c.ask, users, got.More, c.want)
		}
	}
}

// A department counts the people in it and below, without disabled accounts.
func TestDepartmentsCountTheirPeople(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var top, low wire.DepartmentResult
	d.must(ann, "department.put", wire.DepartmentPut{Name: "top"}, &top)
	d.must(ann, "department.put", wire.DepartmentPut{Name: "low", Parent: top.Department.ID}, &low)
	count := func(wantTop, wantLow int) {
		t.Helper()
		var list wire.DepartmentList
		d.must(ann, "department.list", wire.Empty{}, &list)
		for _, x := range list.Departments {
			if want := map[id.ID]int{top.Department.ID: wantTop, low.Department.ID: wantLow}[x.ID]; x.People != want {
				t.Errorf("%s has %d people, want %d", x.Name, x.People, want)
			}
		}
	}
	count(0, 0)
	bo, cy := d.person(ann, "bo", wire.Member), d.person(ann, "cy", wire.Member)
	d.must(ann, "user.update", wire.UserUpdate{User: bo.User, Department: &top.Department.ID}, nil)
	d.must(ann, "user.update", wire.UserUpdate{User: cy.User, Department: &low.Department.ID}, nil)
	count(2, 1)
	disabled := true
	d.must(ann, "user.update", wire.UserUpdate{User: cy.User, Disabled: &disabled}, nil)
	count(1, 0)
}
