package state

import (
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

func (s *State) applyHook(r *record.Record, body *record.HookMade) error {
	s.applyUser(r, &body.Bot)
	s.indexHook(&body.Hook)
	s.put(bHooks, uint64(body.Hook.ID), 0, &body.Hook)
	if body.Seq == 0 {
		return nil
	}
	member := record.Member{User: body.Bot.ID, Role: body.Role, Since: r.Time}
	if err := s.changeMembers(r, body.Hook.Room, []record.Member{member}, nil); err != nil {
		return err
	}
	return s.line(r, r.User, body.Hook.Room, body.Seq, body.Count, &record.Change{What: "added", Users: []id.ID{body.Bot.ID}})
}

func (s *State) putHook(r *record.Record, h *record.Hook) {
	if old := s.hooks[h.ID]; old != nil && len(old.Token) == 32 {
		delete(s.hookTokens, [32]byte(old.Token))
	}
	s.indexHook(h)
	s.put(bHooks, uint64(h.ID), 0, h)
	if bot := s.users[h.Bot]; bot != nil && bot.Name != h.Name {
		n := *bot
		n.Name = h.Name
		s.applyUser(r, &n)
	}
}

func (s *State) removeHook(r *record.Record, body *record.HookRemoved) error {
	h := s.hooks[body.Hook]
	if h == nil {
		return nil
	}
	delete(s.hooks, h.ID)
	if left := slices.DeleteFunc(slices.Clone(s.roomHooks[h.Room]), func(x id.ID) bool { return x == h.ID }); len(left) > 0 {
		s.roomHooks[h.Room] = left
	} else {
		delete(s.roomHooks, h.Room)
	}
	if len(h.Token) == 32 {
		delete(s.hookTokens, [32]byte(h.Token))
	}
	s.del(bHooks, uint64(h.ID), 0)
	if body.Seq != 0 {
		if err := s.changeMembers(r, h.Room, nil, []id.ID{h.Bot}); err != nil {
			return err
		}
		if err := s.line(r, r.User, h.Room, body.Seq, body.Count, &record.Change{What: "removed", Users: []id.ID{h.Bot}}); err != nil {
			return err
		}
	}
	if bot := s.users[h.Bot]; bot != nil && !bot.Disabled {
		n := *bot
		n.Disabled = true
		s.applyUser(r, &n)
	}
	return nil
}

func (s *State) indexHook(h *record.Hook) {
	if s.hooks[h.ID] == nil {
		s.roomHooks[h.Room] = append(s.roomHooks[h.Room], h.ID)
	}
	s.hooks[h.ID] = h
	if len(h.Token) == 32 {
		s.hookTokens[[32]byte(h.Token)] = h.ID
	}
}

// hooks says what does not hold about hooks.
func (c *checker) hooks() {
	s := c.s
	tokens := 0
	for hid, h := range s.hooks {
		if bot := s.users[h.Bot]; bot == nil || !bot.Bot {
			c.bad("hook %s has no bot", hid)
		}
		if h.Room != 0 && s.rooms[h.Room] == nil {
			c.bad("hook %s is of no room %s", hid, h.Room)
		}
		if len(h.Token) == 32 {
			if tokens++; s.hookTokens[[32]byte(h.Token)] != hid {
				c.bad("token of hook %s does not lead to it", hid)
			}
		}
	}
	indexed := 0
	for _, list := range s.roomHooks {
		indexed += len(list)
	}
	if indexed != len(s.hooks) {
		c.bad("%d hooks are indexed by room, there are %d", indexed, len(s.hooks))
	}
	if tokens != len(s.hookTokens) {
		c.bad("%d tokens lead to %d hooks", len(s.hookTokens), tokens)
	}
}
