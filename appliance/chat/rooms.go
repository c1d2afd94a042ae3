package chat

import (
	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func noRoom() error { return wire.Refuse(wire.NotFound, "there is no such room", "没有这个房间") }

// within refuses rooms the caller is no member of, as if they did not exist.
func (s *Service) within(c *Call, room id.ID) error {
	if c.Actor.Operator || s.s.IsMember(room, c.Actor.User) {
		return nil
	}
	return noRoom()
}

func key(text string) ([]byte, error) {
	k, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		return nil, wire.BadParam("key", "a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057, made once per message", "须为 UUID，例如 01890a5d-ac96-774b-bcce-b302099a8057，每条消息生成一次")
	}
	return k[:], nil
}

func (s *Service) room(c *Call, r sequencer.Result, err error) (wire.RoomResult, error) {
	if err != nil {
		return wire.RoomResult{}, err
	}
	w, ok, err := s.s.Room(r.Room, c.Actor.User, c.Actor.Operator)
	if err == nil && !ok {
		err = noRoom()
	}
	return wire.RoomResult{Room: w, Position: r.Position()}, err
}

func (s *Service) roomList(c *Call, _ *wire.Empty) (wire.RoomList, error) {
	list, pos, err := s.s.Rooms(c.Actor.User)
	return wire.RoomList{Rooms: list, Position: pos}, err
}

func (s *Service) roomGet(c *Call, p *wire.RoomParam) (wire.RoomResult, error) {
	w, ok, err := s.s.Room(p.Room, c.Actor.User, false)
	if err == nil && !ok {
		err = noRoom()
	}
	return wire.RoomResult{Room: w}, err
}

func (s *Service) roomInspect(c *Call, p *wire.RoomParam) (wire.RoomResult, error) {
	w, ok, err := s.s.Room(p.Room, c.Actor.User, true)
	if err == nil && !ok {
		err = noRoom()
	}
	return wire.RoomResult{Room: w}, err
}

func (s *Service) roomDiscover(c *Call, p *wire.DiscoverParams) (wire.RoomList, error) {
	p.Limit = limit(p.Limit, 50, 200)
	list, err := s.s.Discover(*p, c.Actor.User, false)
	return wire.RoomList{Rooms: list, Position: s.q.Position()}, err
}

func (s *Service) roomAll(c *Call, p *wire.DiscoverParams) (wire.RoomList, error) {
	p.Limit = limit(p.Limit, 50, 100000)
	list, err := s.s.Discover(*p, c.Actor.User, true)
	return wire.RoomList{Rooms: list, Position: s.q.Position()}, err
}

func (s *Service) roomCreate(c *Call, p *wire.RoomCreate) (wire.RoomResult, error) {
	cmd := &state.CreateRoom{Form: p.Kind, Name: p.Name, Topic: p.Topic, Members: p.Members}
	if p.Key != "" {
		var err error
		if cmd.Key, err = key(p.Key); err != nil {
			return wire.RoomResult{}, err
		}
	}
	r, err := s.submit(c, cmd)
	return s.room(c, r, err)
}

func (s *Service) roomDirect(c *Call, p *wire.UserParam) (wire.RoomResult, error) {
	r, err := s.submit(c, &state.OpenDirect{User: p.User})
	return s.room(c, r, err)
}

func (s *Service) roomUpdate(c *Call, p *wire.RoomUpdate) (wire.RoomResult, error) {
	r, err := s.submit(c, &state.UpdateRoom{Room: p.Room, Name: p.Name, Topic: p.Topic, Archived: p.Archived})
	return s.room(c, r, err)
}

func (s *Service) roomJoin(c *Call, p *wire.RoomParam) (wire.RoomResult, error) {
	r, err := s.submit(c, &state.JoinRoom{Room: p.Room})
	return s.room(c, r, err)
}

func (s *Service) roomLeave(c *Call, p *wire.RoomParam) (wire.Done, error) {
	return s.done(c, &state.RemoveMembers{Room: p.Room, Leave: true})
}

func (s *Service) roomMembers(c *Call, p *wire.MembersParams) (wire.MemberList, error) {
	if err := s.within(c, p.Room); err != nil {
		return wire.MemberList{}, err
	}
	p.Limit = limit(p.Limit, 200, 1000)
	return s.s.Members(*p), nil
}

func usersLimit(n int) error {
	if n < 1 || n > 1000 {
		return wire.BadParam("users", "1 to 1000 accounts", "1 到 1000 个账号")
	}
	return nil
}

func (s *Service) roomAdd(c *Call, p *wire.MembersChange) (wire.Done, error) {
	if err := usersLimit(len(p.Users)); err != nil {
		return wire.Done{}, err
	}
	return s.done(c, &state.AddMembers{Room: p.Room, Users: p.Users, Role: string(p.Role)})
}

func (s *Service) roomRemove(c *Call, p *wire.MembersChange) (wire.Done, error) {
	if err := usersLimit(len(p.Users)); err != nil {
		return wire.Done{}, err
	}
	if p.Role != "" {
		return wire.Done{}, wire.BadParam("role", "only room.add takes a role", "只有 room.add 接受角色")
	}
	return s.done(c, &state.RemoveMembers{Room: p.Room, Users: p.Users})
}

func (s *Service) roomRole(c *Call, p *wire.MemberRoleParams) (wire.Done, error) {
	return s.done(c, &state.SetMemberRole{Room: p.Room, User: p.User, Role: string(p.Role)})
}

func (s *Service) history(c *Call, p *wire.HistoryParams) (wire.History, error) {
	if err := s.within(c, p.Room); err != nil {
		return wire.History{}, err
	}
	if p.Before > 0 && (p.After > 0 || p.FromStart) {
		return wire.History{}, wire.BadParam("before", "either before or after, not both", "before 与 after 只能选一个")
	}
	if p.At != 0 && (p.At < 0 || p.Before > 0 || p.After > 0 || p.FromStart || p.Thread > 0) {
		return wire.History{}, wire.BadParam("at", "a time in ms since 1970, and neither before, after, from_start nor thread beside it",
			"须为 1970 年以来的毫秒数，且不能与 before、after、from_start、thread 同用")
	}
	p.Limit = limit(p.Limit, 50, s.tuned.Load().historyPage)
	return s.s.History(*p)
}

func (s *Service) pins(c *Call, p *wire.RoomParam) (wire.MessageList, error) {
	if err := s.within(c, p.Room); err != nil {
		return wire.MessageList{}, err
	}
	list, err := s.s.Pins(p.Room)
	return wire.MessageList{Messages: list}, err
}

func (s *Service) read(c *Call, p *wire.ReadParams, done func(wire.ReadResult, error)) error {
	s.q.Go(c.Context, c.Actor.state(), &state.MarkRead{Room: p.Room, Seq: p.Seq}, func(r sequencer.Result, err error) {
		if err != nil {
			done(wire.ReadResult{}, err)
			return
		}
		seq, unread := s.s.ReadMark(p.Room, c.Actor.User)
		done(wire.ReadResult{Seq: seq, Unread: unread, Position: r.Position()}, nil)
	})
	return nil
}
