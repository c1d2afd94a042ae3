package outhook

import (
	"sync"
	"time"

	"posthouse/appliance/id"
)

// Stat is what a hook did.
type Stat struct {
	Used      int64  `json:"used"`      // last request, ms
	Delivered uint64 `json:"delivered"` // passed
	Refused   uint64 `json:"refused"`   // refused, or tries that failed
	Failed    int64  `json:"failed"`    // last of those, ms
	Why       string `json:"why"`       // of the last of those
}

// Counts are the counters of hooks. It is safe for concurrent use.
type Counts struct {
	mu    sync.Mutex
	of    map[id.ID]Stat
	dirty map[id.ID]bool
}

// NewCounts makes counters that stand at nothing.
func NewCounts() *Counts { return &Counts{of: map[id.ID]Stat{}, dirty: map[id.ID]bool{}} }

// Of are the counters of a hook.
func (c *Counts) Of(hook id.ID) Stat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[hook]
}

// Pass counts what passed.
func (c *Counts) Pass(hook id.ID, at time.Time) {
	c.change(hook, func(s *Stat) { s.Delivered, s.Used = s.Delivered+1, at.UnixMilli() })
}

const mostWhy = 300 // bytes of a reason that are kept

// Refuse counts what was refused or failed.
func (c *Counts) Refuse(hook id.ID, why string, at time.Time) {
	c.change(hook, func(s *Stat) {
		s.Refused, s.Used, s.Failed, s.Why = s.Refused+1, at.UnixMilli(), at.UnixMilli(), beginning(why, mostWhy)
	})
}

func (c *Counts) change(hook id.ID, f func(s *Stat)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.of[hook]
	f(&s)
	c.of[hook], c.dirty[hook] = s, true
}

func (c *Counts) put(hook id.ID, s Stat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[hook] = s
}

func (c *Counts) forget(hook id.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, hook)
	delete(c.dirty, hook)
}

// changed are the counters that changed since it was asked before.
func (c *Counts) changed() map[id.ID]Stat {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[id.ID]Stat, len(c.dirty))
	for h := range c.dirty {
		out[h] = c.of[h]
	}
	clear(c.dirty)
	return out
}

// again tells changed that what it gave was not written.
func (c *Counts) again(list map[id.ID]Stat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for h := range list {
		if _, there := c.of[h]; there {
			c.dirty[h] = true
		}
	}
}
