package state

import "posthouse/appliance/record"

// EachFile calls yield with every file, in no order, until it returns false.
// yield must not call the State.
func (s *State) EachFile(yield func(record.File) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.files {
		if !yield(f.File) {
			return
		}
	}
}
