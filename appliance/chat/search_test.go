package chat_test

import (
	"testing"

	"github.com/google/uuid"

	"posthouse/appliance/chat"
	"posthouse/appliance/wire"
)

func TestSearchOverTheTable(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	zhang, li := d.person(ann, "zs", wire.Member), d.person(ann, "lisi", wire.Member)
	for _, p := range []struct {
		of   chat.Actor
		name string
	}{{zhang, "张三"}, {li, "李四"}} {
		d.must(p.of, "account.update", wire.ProfileParams{Name: &p.name}, nil)
	}
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Channel, Name: "三号车间"}, &room)
	var sent wire.Sent
	d.must(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Text: "明天 **九点** 开会"}, &sent)

	var found wire.SearchResult
	d.must(ann, "search.messages", wire.SearchParams{Query: "九點"}, &found)
	if len(found.Hits) != 1 || found.Hits[0].Message.ID != sent.ID || found.Hits[0].Snippet.Text != "明天 九点 开会" || found.Position < sent.Position {
		t.Errorf("%+v", found)
	}
	d.must(zhang, "search.messages", wire.SearchParams{Query: "九点"}, &found)
	if len(found.Hits) != 0 {
		t.Errorf("somebody outside of the room finds %+v", found.Hits)
	}
	if err := d.try(zhang, "a", "search.messages", wire.SearchParams{Query: "九点", Room: room.Room.ID}, nil); err == nil || err.Kind != wire.NotFound {
		t.Errorf("a room the caller is not in: %v", err)
	}
	if err := d.try(ann, "a", "search.messages", wire.SearchParams{Query: "九"}, nil); err == nil || err.Kind != wire.InvalidParams || err.Field != "query" {
		t.Errorf("one character: %v", err)
	}

	var names wire.NamesResult
	for _, q := range []string{"zhangsan", "ZS", "zhang s", "张", "張三"} {
		d.must(li, "search.names", wire.NamesParams{Query: q}, &names)
		if len(names.Users) != 1 || names.Users[0].ID != zhang.User {
			t.Errorf("%q finds %+v", q, names.Users)
		}
		var list wire.UserList
		d.must(li, "directory.list", wire.DirectoryParams{Query: q}, &list)
		if len(list.Users) != 1 {
			t.Errorf("the directory finds %+v with %q", list.Users, q)
		}
	}
	d.must(li, "search.names", wire.NamesParams{Query: "shcj"}, &names)
	if len(names.Rooms) != 1 || names.Rooms[0].Member {
		t.Errorf("a channel by its initials: %+v", names.Rooms)
	}
	var rooms wire.RoomList
	d.must(li, "room.discover", wire.DiscoverParams{Query: "chejian"}, &rooms)
	if len(rooms.Rooms) != 1 {
		t.Errorf("discover: %+v", rooms.Rooms)
	}
	d.must(ann, "search.names", wire.NamesParams{Query: "shcj"}, &names)
	if len(names.Rooms) != 1 || !names.Rooms[0].Member {
		t.Errorf("one's own room by its initials: %+v", names.Rooms)
	}
	var st wire.StatusResult
	d.must(ann, "server.status", wire.Empty{}, &st)
	if st.Search == 0 || st.SearchProblem != "" {
		t.Errorf("status %+v", st)
	}
	d.refused(wire.Forbidden, ann, "search.rebuild", wire.Empty{})
	d.must(chat.Actor{Operator: true}, "search.rebuild", wire.Empty{}, nil)
}
