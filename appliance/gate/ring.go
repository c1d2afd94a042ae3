package gate

import (
	"sync"

	"posthouse/appliance/id"
)

// ring keeps the recent events in order. An event's index counts all events
// ever put in, from 0.
type ring struct {
	mu       sync.RWMutex
	buf      []*event // circular: index i stands at i modulo len(buf)
	first    uint64   // index of the oldest event kept
	next     uint64   // index of the next event
	floor    uint64   // every event after this position is kept
	head     uint64   // position of the last record read
	bytes    int
	maxCount int
	maxBytes int
}

// overhead is about what an event costs beside its frame.
const overhead = 256

func newRing(count, bytes int) *ring {
	size := 1024
	for size < count {
		size *= 2
	}
	return &ring{buf: make([]*event, min(size, 1024)), maxCount: size, maxBytes: bytes}
}

// begin sets the position after which events will come.
func (r *ring) begin(position uint64) {
	r.mu.Lock()
	r.floor, r.head = position, position
	r.mu.Unlock()
}

// append puts the events of the records up to position head behind the others
// and gives the index of the first.
func (r *ring) append(events []*event, head uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	start := r.next
	for _, e := range events {
		if r.next-r.first == uint64(len(r.buf)) {
			r.grow()
		}
		r.buf[r.next%uint64(len(r.buf))] = e
		r.next++
		r.bytes += len(e.data) + overhead
		for r.bytes > r.maxBytes && r.next-r.first > 1 {
			r.evict()
		}
	}
	r.head = head
	return start
}

// replace puts other events into the places of those that carry a message of a
// room. what makes one from the old one, without a lock: it may take a while,
// and only the fan-out calls it, which alone puts events in. Events are never
// changed, sessions may hold them.
func (r *ring) replace(room id.ID, seq uint64, what func(*event) *event) {
	type place struct {
		at  uint64
		old *event
	}
	var found []place
	r.mu.RLock()
	for i := r.first; i < r.next; i++ {
		e := r.buf[i%uint64(len(r.buf))]
		if e.d.Room == room && e.d.Seq == seq {
			found = append(found, place{i, e})
		}
	}
	r.mu.RUnlock()
	for _, p := range found {
		e := what(p.old)
		r.mu.Lock()
		if p.at >= r.first {
			r.buf[p.at%uint64(len(r.buf))] = e
			r.bytes += len(e.data) - len(p.old.data)
		}
		r.mu.Unlock()
	}
}

func (r *ring) grow() {
	if len(r.buf) >= r.maxCount {
		r.evict()
		return
	}
	bigger := make([]*event, 2*len(r.buf))
	for i := r.first; i < r.next; i++ {
		bigger[i%uint64(len(bigger))] = r.buf[i%uint64(len(r.buf))]
	}
	r.buf = bigger
}

func (r *ring) evict() {
	at := r.first % uint64(len(r.buf))
	e := r.buf[at]
	r.buf[at] = nil
	r.first++
	r.bytes -= len(e.data) + overhead
	r.floor = max(r.floor, e.pos)
}

// read appends at most n events from index i on, and gives the index after
// them. ok is false when events from i on have been dropped.
func (r *ring) read(i uint64, into []*event, n int) (events []*event, next uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if i < r.first {
		return into, i, false
	}
	for ; i < r.next && n > 0; i, n = i+1, n-1 {
		into = append(into, r.buf[i%uint64(len(r.buf))])
	}
	return into, i, true
}

// after finds the index of the first event after a position. ok is false when
// some of those have been dropped.
func (r *ring) after(position uint64) (index uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if position < r.floor {
		return 0, false
	}
	low, high := r.first, r.next
	for low < high {
		mid := low + (high-low)/2
		if r.buf[mid%uint64(len(r.buf))].pos > position {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, true
}

// position is that of the last record read.
func (r *ring) position() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.head
}
