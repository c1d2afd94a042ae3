package gate

import (
	"slices"
	"sync"

	"posthouse/appliance/id"
)

// hub knows the sessions there are. Its lock is held while events are put into
// queues, never while the service is asked.
type hub struct {
	mu     sync.RWMutex
	all    map[uint64]*session  // by number
	users  map[id.ID][]*session // logged in
	probes map[id.ID]int        // sessions of virtual users
	closed bool
}

func newHub() *hub {
	return &hub{all: make(map[uint64]*session), users: make(map[id.ID][]*session), probes: make(map[id.ID]int)}
}

// add takes in a session that may not be logged in yet and counts its reader
// among the gate's tasks. It reports false when the gate is closed.
func (h *hub) add(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	s.g.tasks.Add(1)
	h.all[s.number] = s
	return true
}

// login puts a session under its account. It reports false when the account
// has max sessions already.
func (h *hub) login(s *session, user id.ID, max int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.users[user]) >= max {
		return false
	}
	h.users[user] = append(h.users[user], s)
	if s.probe {
		h.probes[user]++
	}
	return true
}

// remove forgets a session whose connection is closed.
func (h *hub) remove(s *session) {
	h.mu.Lock()
	delete(h.all, s.number)
	h.mu.Unlock()
}

// logout takes a session from its account, if it is there.
func (h *hub) logout(s *session, user id.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.users[user]
	at := slices.Index(list, s)
	if at < 0 {
		return
	}
	if s.probe {
		if h.probes[user]--; h.probes[user] == 0 {
			delete(h.probes, user)
		}
	}
	if len(list) == 1 {
		delete(h.users, user)
		return
	}
	h.users[user] = slices.Delete(list, at, at+1)
}

// every gives all sessions.
func (h *hub) every() []*session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]*session, 0, len(h.all))
	for _, s := range h.all {
		list = append(list, s)
	}
	return list
}

// find gives the session of a number; nil when it has ended.
func (h *hub) find(number uint64) *session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.all[number]
}

// close refuses sessions from now on and gives those there are.
func (h *hub) close() []*session {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	return h.every()
}

// of appends the sessions of an account.
func (h *hub) of(user id.ID, into []*session) []*session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return append(into, h.users[user]...)
}

func (h *hub) size() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.all)
}

// online is how many people are online, without virtual users.
func (h *hub) online() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.users) - len(h.probes)
}

// people are the sessions without those of virtual users.
func (h *hub) people() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := len(h.all)
	for _, sessions := range h.probes {
		n -= sessions
	}
	return n
}

// accounts gives the accounts that are online.
func (h *hub) accounts(into []id.ID) []id.ID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for user := range h.users {
		into = append(into, user)
	}
	return into
}

// devices tells which devices of the accounts are online.
func (h *hub) devices() map[id.ID]bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	online := make(map[id.ID]bool, len(h.all))
	for _, list := range h.users {
		for _, s := range list {
			online[s.device] = true
		}
	}
	return online
}
