package chat

import (
	"slices"
	"sync"
	"time"

	"posthouse/appliance/id"
)

const (
	failuresKept     = 100  // of an account, the newest
	failuresAccounts = 4096 // with failures; beyond, the one that failed longest ago is forgotten
)

// failures are wrong passwords by account, in memory: a restart forgets them.
// Logins that no account has are not in it.
type failures struct {
	mu sync.Mutex
	of map[id.ID][]time.Time // in their order
}

func (f *failures) add(user id.ID, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[id.ID][]time.Time{}
	}
	if _, known := f.of[user]; !known && len(f.of) >= failuresAccounts {
		var oldest id.ID
		for u, list := range f.of {
			if oldest == 0 || list[len(list)-1].Before(f.of[oldest][len(f.of[oldest])-1]) {
				oldest = u
			}
		}
		delete(f.of, oldest)
	}
	list := append(f.of[user], at)
	f.of[user] = slices.Clone(list[max(0, len(list)-failuresKept):])
}

// FailedLogins is how often a wrong password was given for an account since a
// time, 100 at most, and from when on that is known: the start of the server at
// the earliest.
func (s *Service) FailedLogins(user id.ID, since time.Time) (n int, from time.Time) {
	if from = since; from.Before(s.started) {
		from = s.started
	}
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	for _, at := range s.failures.of[user] {
		if !at.Before(from) {
			n++
		}
	}
	return n, from
}
