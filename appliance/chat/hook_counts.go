package chat

import (
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// hookCounts are what hooks did since the start.
type hookCounts struct {
	mu sync.Mutex
	of map[id.ID]*hookCount
}

type hookCount struct {
	used, failed       int64 // ms
	delivered, refused uint64
	why                string
}

func newHookCounts() *hookCounts { return &hookCounts{of: map[id.ID]*hookCount{}} }

func (c *hookCounts) change(h id.ID, f func(n *hookCount)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[h]
	if n == nil {
		n = new(hookCount)
		c.of[h] = n
	}
	f(n)
}

func (c *hookCounts) pass(h id.ID, at time.Time) {
	c.change(h, func(n *hookCount) { n.delivered, n.used = n.delivered+1, at.UnixMilli() })
}

func (c *hookCounts) refuse(h id.ID, why string, at time.Time) {
	c.change(h, func(n *hookCount) {
		n.refused, n.used, n.failed, n.why = n.refused+1, at.UnixMilli(), at.UnixMilli(), why
	})
}

func (c *hookCounts) fill(w *wire.Hook) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.of[w.ID]; n != nil {
		w.LastUsed, w.Delivered, w.Refused, w.LastError, w.LastErrorAt = n.used, n.delivered, n.refused, n.why, n.failed
	}
}
