package state

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Hook is a hook; it is shared: read only.
func (s *State) Hook(hook id.ID) (record.Hook, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if h := s.hooks[hook]; h != nil {
		return *h, true
	}
	return record.Hook{}, false
}

// HookByToken finds the incoming hook of a token.
func (s *State) HookByToken(token string) (record.Hook, bool) {
	sum := sha256.Sum256([]byte(token))
	s.mu.RLock()
	defer s.mu.RUnlock()
	if h := s.hooks[s.hookTokens[sum]]; h != nil {
		return *h, true
	}
	return record.Hook{}, false
}

// Hooks are those for which keep is true, by name.
func (s *State) Hooks(keep func(h *record.Hook) bool) []record.Hook {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []record.Hook
	for _, h := range s.hooks {
		if keep(h) {
			list = append(list, *h)
		}
	}
	slices.SortFunc(list, func(a, b record.Hook) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmpID(a.ID, b.ID))
	})
	return list
}

// HooksOf are the hooks of one form of a room; zero: those of every room.
func (s *State) HooksOf(room id.ID, form string) []record.Hook {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []record.Hook
	for _, hid := range s.roomHooks[room] {
		if h := s.hooks[hid]; h.Form == form {
			list = append(list, *h)
		}
	}
	return list
}

// Command finds the command of a word in a room, or of every room.
func (s *State) Command(room id.ID, word string) (record.Hook, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, of := range []id.ID{room, 0} {
		for _, hid := range s.roomHooks[of] {
			if h := s.hooks[hid]; h.Form == "command" && h.Word == word && !h.Disabled {
				return *h, true
			}
		}
	}
	return record.Hook{}, false
}

// KeepsDoors reports whether an account may look after the hooks of a room.
func (s *State) KeepsDoors(room, user id.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[user]
	if u == nil || u.Disabled {
		return false
	}
	if rank(u.Role) >= rank(string(wire.Admin)) {
		return true
	}
	r := s.rooms[room]
	return r != nil && r.members[user] != nil && roomRank(r.members[user].Role) >= roomRank(string(wire.RoomModerator))
}

// UserByPhone finds an account by the digits of its phone number, of which the
// last eleven count; ok is false when nobody or more than one person has it.
func (s *State) UserByPhone(phone string) (u wire.User, ok bool) {
	want := digits(phone)
	if len(want) < 5 {
		return u, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, v := range s.users {
		if !v.Disabled && digits(v.Phone) == want {
			u = wireUser(v)
			n++
		}
	}
	return u, n == 1
}

func digits(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	return s[max(0, len(s)-11):]
}

// MessageBytes is the longest text of a message.
func (s *State) MessageBytes() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.opt.Limits.MessageBytes
}
