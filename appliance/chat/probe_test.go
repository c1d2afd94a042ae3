package chat_test

import (
	"testing"

	"github.com/google/uuid"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// A virtual user is made by the operator alone, can be given no role, and is
// neither found nor asked by anybody; admins see it in the list of accounts.
func TestVirtualUsersAreHidden(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	box := chat.Actor{Operator: true}
	d.person(ann, "bo", wire.Member)
	d.refused(wire.Forbidden, ann, "user.create", wire.UserCreate{Login: "probe-a", Name: "Probe A", Probe: true})
	d.refused(wire.InvalidParams, box, "user.create", wire.UserCreate{Login: "probe-a", Name: "Probe A", Role: wire.Admin, Probe: true})
	var made wire.UserResult
	d.must(box, "user.create", wire.UserCreate{Login: "probe-a", Name: "Probe A", Password: "pass of probe-a", Probe: true}, &made)
	if !made.User.Probe {
		t.Errorf("made %+v", made.User)
	}
	admin := wire.Admin
	d.refused(wire.InvalidParams, box, "user.update", wire.UserUpdate{User: made.User.ID, Role: &admin})

	found := func(method string, params any) (there bool) {
		t.Helper()
		var list wire.UserList
		d.must(ann, method, params, &list)
		for _, u := range list.Users {
			there = there || u.ID == made.User.ID
		}
		return there
	}
	if found("directory.list", wire.DirectoryParams{}) || found("directory.list", wire.DirectoryParams{Query: "probe"}) || found("search.names", wire.NamesParams{Query: "probe"}) {
		t.Error("people find a virtual user")
	}
	if !found("user.list", wire.DirectoryParams{}) || !found("directory.get", wire.UsersParam{Users: []id.ID{made.User.ID}}) {
		t.Error("an admin does not see a virtual user")
	}
	probe := d.login("probe-a", "pass of probe-a")
	d.must(probe, "room.list", wire.Empty{}, nil)

	// Nor is what they do in the figures of the server.
	status := func() (s wire.StatusResult) {
		t.Helper()
		d.must(ann, "server.status", wire.Empty{}, &s)
		return s
	}
	before := status()
	var other wire.UserResult
	d.must(box, "user.create", wire.UserCreate{Login: "probe-b", Name: "Probe B", Password: "pass of probe-b", Probe: true}, &other)
	var room wire.RoomResult
	d.must(probe, "room.direct", wire.UserParam{User: other.User.ID}, &room)
	d.must(probe, "message.send", wire.SendParams{Room: room.Room.ID, Text: "probe", Key: uuid.NewString()}, nil)
	if now := status(); now.Rooms != before.Rooms || now.Messages != before.Messages || now.Users != before.Users {
		t.Errorf("%+v before, %+v after", before, now)
	}
}
