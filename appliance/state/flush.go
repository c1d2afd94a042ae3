package state

import (
	"bytes"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// fill is how full bbolt leaves pages that it splits. Timelines grow at their
// ends, so a high value keeps the file small.
const fill = 0.8

// Flush writes everything applied so far into the file, in one transaction
// with its position. It may run beside Apply and views, but not beside itself.
// An error is final: the caller abandons the state, exits and recovers by
// replay, because bbolt's memory and the disk may disagree after it.
func (s *State) Flush() error {
	s.mu.Lock()
	if s.applied == s.flushed.Load() {
		s.mu.Unlock()
		return nil
	}
	g := s.tail
	g.last = s.applied
	m := meta{Format: Format, Applied: s.applied, Organisation: s.organisation, Messages: s.messages}
	s.flushing, s.tail = g, newGeneration()
	s.mu.Unlock()

	if err := s.write(g, m); err != nil {
		return fmt.Errorf("flush state at %d: %w", m.Applied, err)
	}
	s.mu.Lock()
	s.flushing = nil
	s.drops++
	s.flushed.Store(m.Applied)
	s.mu.Unlock()
	return nil
}

type pendingPut struct {
	key   []byte
	value []byte // nil = delete
}

func (s *State) write(g *generation, m meta) error {
	puts := map[string][]pendingPut{}
	for at, v := range g.puts {
		var value []byte
		if v != nil {
			var err error
			if value, err = s.seal(v); err != nil {
				return err
			}
		}
		puts[at.bucket] = append(puts[at.bucket], pendingPut{at.key(), value})
	}
	for k, v := range g.messages {
		value, err := s.seal(v)
		if err != nil {
			return err
		}
		puts[bMessages] = append(puts[bMessages], pendingPut{messageKey(k.room, k.seq), value})
	}
	for k, v := range g.keys {
		value, err := s.seal(v)
		if err != nil {
			return err
		}
		puts[bKeys] = append(puts[bKeys], pendingPut{k.bytes(), value})
	}
	value, err := s.seal(m)
	if err != nil {
		return err
	}
	puts[bMeta] = []pendingPut{{[]byte("state"), value}}
	return s.db.Update(func(tx *bolt.Tx) error {
		for bucket, list := range puts {
			slices.SortFunc(list, func(a, b pendingPut) int { return bytes.Compare(a.key, b.key) })
			b := tx.Bucket([]byte(bucket))
			b.FillPercent = fill
			for _, p := range list {
				var err error
				if p.value == nil {
					err = b.Delete(p.key)
				} else {
					err = b.Put(p.key, p.value)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}
