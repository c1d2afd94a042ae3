package gate

import (
	"slices"
	"sync"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

const maxWatched = 500

// States of presence.
const (
	online  = "online"
	suspect = "suspect"
	offline = "offline"
)

// presence knows who watches whom and what they were told.
type presence struct {
	mu       sync.Mutex
	watchers map[id.ID]map[*session]struct{}
	last     map[id.ID]wire.Presence // of everyone who was online since the start
	dirty    map[id.ID]struct{}
}

func newPresence() *presence {
	return &presence{watchers: make(map[id.ID]map[*session]struct{}), last: make(map[id.ID]wire.Presence), dirty: make(map[id.ID]struct{})}
}

// changed has an account looked at in the next round.
func (p *presence) changed(user id.ID) {
	p.mu.Lock()
	p.dirty[user] = struct{}{}
	p.mu.Unlock()
}

// forget ends a session's watching.
func (p *presence) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatch(s)
}

func (p *presence) unwatch(s *session) {
	for _, user := range s.watching {
		delete(p.watchers[user], s)
		if len(p.watchers[user]) == 0 {
			delete(p.watchers, user)
		}
	}
	s.watching = nil
}

// watch replaces the list of people that a session watches and answers with
// their states.
func (g *Gate) watch(s *session, users []id.ID) (any, *wire.Error) {
	if len(users) > maxWatched {
		return nil, wire.BadParam("users", "at most 500", "至多 500 个")
	}
	users = slices.Clone(users)
	slices.Sort(users)
	users = slices.Compact(users)
	states := make([]wire.Presence, 0, len(users))
	p := g.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unwatch(s)
	s.watching = users
	for _, user := range users {
		if p.watchers[user] == nil {
			p.watchers[user] = make(map[*session]struct{})
		}
		p.watchers[user][s] = struct{}{}
		now, known := p.last[user]
		if !known {
			now = wire.Presence{User: user, State: offline}
		}
		states = append(states, now)
	}
	return wire.PresenceList{Presence: states}, nil
}

// state is what an account's sessions say together.
func (g *Gate) state(user id.ID) string {
	state := offline
	for _, s := range g.hub.of(user, nil) {
		if !s.suspect.Load() {
			return online
		}
		state = suspect
	}
	return state
}

// tellPresence finds what changed and tells those who watch it, each in one
// event.
func (g *Gate) tellPresence() {
	p := g.presence
	p.mu.Lock()
	dirty := p.dirty
	if len(dirty) == 0 {
		p.mu.Unlock()
		return
	}
	p.dirty = make(map[id.ID]struct{})
	p.mu.Unlock()
	now := g.now().UnixMilli()
	news := make(map[*session][]wire.Presence)
	for user := range dirty {
		next := wire.Presence{User: user, State: g.state(user), Since: now}
		p.mu.Lock()
		before, known := p.last[user]
		if before.State != next.State && (known || next.State != offline) {
			p.last[user] = next
			for s := range p.watchers[user] {
				news[s] = append(news[s], next)
			}
		}
		p.mu.Unlock()
	}
	for s, list := range news {
		f, err := passing(wire.EventPresence, wire.PresenceList{Presence: list})
		if err != nil {
			g.log.Error("encode event", keyError, err)
			return
		}
		s.push(f)
	}
}
