package state

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// fill is how full bbolt leaves pages that it splits. Timelines grow at their
// ends, so a high value keeps the file small.
const fill = 0.8

// Flush writes everything applied so far into the file, in one transaction
// with its position. It may run beside Apply and views; beside itself it waits.
// An error is final: the caller abandons the state, exits and recovers by
// replay, because bbolt's memory and the disk may disagree after it.
func (s *State) Flush() error { return s.FlushResting(func() {}) }

// FlushResting is Flush that calls rest after every millisecond or so of work
// on the values, so that it need not take a processor from those who wait for
// an answer. The last part, writing and syncing, does not rest.
func (s *State) FlushResting(rest func()) error {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
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

	if err := s.write(g, m, &breath{rest: rest, since: time.Now()}); err != nil {
		return fmt.Errorf("flush state at %d: %w", m.Applied, err)
	}
	s.mu.Lock()
	s.flushing = nil
	s.drops++
	s.flushed.Store(m.Applied)
	s.mu.Unlock()
	return nil
}

// breath rests now and then.
type breath struct {
	rest  func()
	since time.Time
	steps int
}

// step is called after every small piece of work.
func (b *breath) step() {
	const workSteps, work = 16, time.Millisecond
	if b.steps++; b.steps%workSteps == 0 && time.Since(b.since) >= work {
		b.rest()
		b.since = time.Now()
	}
}

// pendingPut is one change of the file; its value lies in the arena of the
// flush, which grows while values are added.
type pendingPut struct {
	key      []byte
	from, to int
	gone     bool
}

// arena collects what one flush writes.
type arena struct {
	s     *State
	bytes bytes.Buffer
	puts  map[string][]pendingPut
	*breath
}

func (a *arena) add(bucket string, key []byte, v any) error {
	a.step()
	if v == nil {
		a.puts[bucket] = append(a.puts[bucket], pendingPut{key: key, gone: true})
		return nil
	}
	from, err := a.s.sealed(&a.bytes, v)
	a.puts[bucket] = append(a.puts[bucket], pendingPut{key: key, from: from, to: a.bytes.Len()})
	return err
}

func (a *arena) fill(g *generation, m meta) error {
	for at, v := range g.puts {
		if err := a.add(at.bucket, at.key(), v); err != nil {
			return err
		}
	}
	for k, v := range g.messages {
		if err := a.add(bMessages, messageKey(k.room, k.seq), v); err != nil {
			return err
		}
	}
	for k, v := range g.keys {
		if err := a.add(bKeys, k.bytes(), &v); err != nil {
			return err
		}
	}
	return a.add(bMeta, []byte("state"), &m)
}

func (s *State) write(g *generation, m meta, br *breath) error {
	a := &arena{s: s, puts: map[string][]pendingPut{}, breath: br}
	a.bytes.Grow(256 * len(g.messages))
	if err := a.fill(g, m); err != nil {
		return err
	}
	values := a.bytes.Bytes()
	puts := a.puts
	return s.db.update("flush", func(tx *bolt.Tx) error {
		for bucket, list := range puts {
			slices.SortFunc(list, func(a, b pendingPut) int { return bytes.Compare(a.key, b.key) })
			b := tx.Bucket([]byte(bucket))
			b.FillPercent = fill
			for _, p := range list {
				br.step()
				var err error
				if p.gone {
					err = b.Delete(p.key)
				} else {
					err = b.Put(p.key, values[p.from:p.to])
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}
