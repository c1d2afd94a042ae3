package gate

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// bucket is a token bucket; its zero value is full.
type bucket struct {
	spent float64 // tokens missing at time last
	last  int64   // ticks
}

// take takes one token. If there is none, it takes nothing and tells how long
// to wait for it.
func (b *bucket) take(r Rate, now int64) time.Duration {
	if passed := now - b.last; passed > 0 {
		b.spent = max(0, b.spent-float64(passed)*r.PerSecond/1e9)
		b.last = now
	}
	if b.spent+1 <= r.Burst {
		b.spent++
		return 0
	}
	return max(time.Duration((b.spent+1-r.Burst)/r.PerSecond*1e9), time.Millisecond)
}

// What a bucket of the limiter is for, beside the classes of wire.
const (
	forConnect wire.Class = 100 + iota
	forPublic
	forAuthOf // passwords, per account
	forHooks  // posts to hooks, per address and per hook
	forPrograms
)

// key names a bucket: an address or an account, and what for.
type key struct {
	high, low uint64
	what      wire.Class
}

func addressKey(a netip.Addr, what wire.Class) key {
	b := subnet(a).As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), what}
}

func accountKey(user id.ID, what wire.Class) key {
	return key{0, uint64(user), what}
}

// subnet is the address, of IPv6 its /64: one machine has that many.
func subnet(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

const (
	shards       = 64
	shardBuckets = 1024
)

// limiter keeps 65,536 buckets; the one unused for longest makes room.
type limiter struct {
	seed   maphash.Seed
	shards [shards]limiterShard
}

type limiterShard struct {
	mu    sync.Mutex
	index map[key]int32
	slots []limiterSlot // a list through prev and next; slot 0 is its anchor
}

type limiterSlot struct {
	key        key
	bucket     bucket
	prev, next int32
}

func newLimiter() *limiter { return &limiter{seed: maphash.MakeSeed()} }

// take takes a token of a bucket; otherwise it tells how long to wait.
func (l *limiter) take(k key, r Rate, now int64) time.Duration {
	s := &l.shards[maphash.Comparable(l.seed, k)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slot(k).bucket.take(r, now)
}

// slot finds or makes a bucket and puts it first.
func (s *limiterShard) slot(k key) *limiterSlot {
	if s.index == nil {
		s.index = make(map[key]int32)
		s.slots = make([]limiterSlot, 1, 8)
	}
	at, found := s.index[k]
	switch {
	case found:
		s.unlink(at)
	case len(s.slots) <= shardBuckets:
		at = int32(len(s.slots))
		s.slots = append(s.slots, limiterSlot{key: k})
		s.index[k] = at
	default:
		at = s.slots[0].prev
		s.unlink(at)
		delete(s.index, s.slots[at].key)
		s.slots[at] = limiterSlot{key: k}
		s.index[k] = at
	}
	first := s.slots[0].next
	s.slots[at].prev, s.slots[at].next = 0, first
	s.slots[first].prev = at
	s.slots[0].next = at
	return &s.slots[at]
}

func (s *limiterShard) unlink(at int32) {
	prev, next := s.slots[at].prev, s.slots[at].next
	s.slots[prev].next, s.slots[next].prev = next, prev
}

// tooOften is the refusal of a call whose bucket is empty.
func tooOften(wait time.Duration) *wire.Error {
	e := wire.Refusef(wire.RateLimited, "too often; try again in %.1f s", "过于频繁，请在 %.1f 秒后重试", wait.Seconds())
	e.RetryAfter = wait.Milliseconds() + 1
	return e
}

// allow counts a call of a class against its caller: per account when logged
// in, per address otherwise. Passwords count for both.
func (g *Gate) allow(spec wire.Spec, user id.ID, from netip.Addr) *wire.Error {
	now := g.ticks()
	var wait time.Duration
	l := g.limit()
	switch {
	case spec.Class == wire.Free:
	case spec.Class == wire.Auth && user != 0:
		wait = g.limiter.take(accountKey(user, forAuthOf), l.Auth, now)
	case spec.Class == wire.Auth:
		wait = g.limiter.take(addressKey(from, wire.Auth), l.Auth, now)
	case user == 0:
		wait = g.limiter.take(addressKey(from, forPublic), l.Public, now)
	case spec.Class == wire.Post:
		wait = g.limiter.take(accountKey(user, wire.Post), l.Post, now)
	case spec.Class == wire.Write:
		wait = g.limiter.take(accountKey(user, wire.Write), l.Write, now)
	default:
		wait = g.limiter.take(accountKey(user, wire.Query), l.Query, now)
	}
	if wait > 0 {
		g.meters.limited.Inc()
		return tooOften(wait)
	}
	return nil
}
