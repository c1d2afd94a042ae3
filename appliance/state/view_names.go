package state

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"posthouse/appliance/id"
	"posthouse/appliance/pinyin"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// names keeps how names are read, by name. It is made on the way: about 100
// bytes a name once somebody has searched.
type names struct {
	reader *pinyin.Reader
	mu     sync.Mutex
	keys   map[string]pinyin.Key
}

func newNames() *names {
	return &names{reader: pinyin.New(), keys: map[string]pinyin.Key{}}
}

// maxNames bounds the keys kept; then they are made again.
const maxNames = 1 << 17

func (n *names) key(name string) pinyin.Key {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, ok := n.keys[name]
	if !ok {
		k = n.reader.Key(name)
		if len(n.keys) >= maxNames {
			clear(n.keys)
		}
		n.keys[name] = k
	}
	return k
}

func (n *names) rank(name, login string, q pinyin.Query) pinyin.Rank {
	if q.Empty() {
		return pinyin.Same
	}
	return q.Match(n.key(name), login)
}

// called reports whether a query finds a person.
func (s *State) called(u *record.User, q pinyin.Query) bool {
	return s.names.rank(u.Name, u.Login, q) < pinyin.None
}

// ranked is something found by its name.
type ranked[T any] struct {
	rank pinyin.Rank
	near bool // one writes with them, or is in it
	name string
	id   id.ID
	what T
}

// best are the first of what was found: by rank, what is near, name, and ID.
func best[T any](list []ranked[T], limit int) []ranked[T] {
	slices.SortFunc(list, func(a, b ranked[T]) int {
		near := 0
		if a.near != b.near {
			if near = 1; a.near {
				near = -1
			}
		}
		return cmp.Or(cmp.Compare(a.rank, b.rank), near, strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), cmpID(a.id, b.id))
	})
	return list[:min(len(list), limit)]
}

// Named finds people, and rooms with a name that the caller is in or may join.
// A query finds by name, login, pinyin and initials; an empty one finds all.
func (s *State) Named(query string, uid id.ID, limit int) wire.NamesResult {
	q := s.names.reader.Query(query)
	out := wire.NamesResult{Users: []wire.User{}, Rooms: []wire.NamedRoom{}}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var people []ranked[*record.User]
	for _, u := range s.users {
		if rank := s.names.rank(u.Name, u.Login, q); rank < pinyin.None && !u.Disabled && !u.Probe {
			_, near := s.directs[pair{min(u.ID, uid), max(u.ID, uid)}]
			people = append(people, ranked[*record.User]{rank, near, u.Name, u.ID, u})
		}
	}
	for _, p := range best(people, limit) {
		out.Users = append(out.Users, wireUser(p.what))
	}
	var rooms []ranked[*room]
	for _, r := range s.rooms {
		mine := r.members[uid] != nil
		if fixed(r) || !mine && !joinable(r) {
			continue
		}
		if rank := s.names.rank(r.rec.Name, "", q); rank < pinyin.None {
			rooms = append(rooms, ranked[*room]{rank, mine, r.rec.Name, r.rec.ID, r})
		}
	}
	for _, p := range best(rooms, limit) {
		out.Rooms = append(out.Rooms, wire.NamedRoom{ID: p.id, Kind: wire.RoomKind(p.what.rec.Form), Name: p.name, Members: len(p.what.members), Member: p.near})
	}
	return out
}
