package chat

import (
	"sync"
	"time"
)

// limiter is a set of token buckets. It holds at most limiterSize of them:
// full ones are forgotten first, which changes nothing.
type limiter struct {
	mu    sync.Mutex
	burst float64
	rate  float64 // tokens a second
	of    map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

const limiterSize = 1 << 16

func newLimiter(burst, rate float64) *limiter {
	return &limiter{burst: burst, rate: rate, of: map[string]bucket{}}
}

// set changes the size and the filling of every bucket.
func (l *limiter) set(burst, rate float64) {
	l.mu.Lock()
	l.burst, l.rate = burst, rate
	l.mu.Unlock()
}

// take spends one token of a key, or tells how long until there is one.
func (l *limiter) take(key string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.filled(key, now)
	if b.tokens < 1 {
		l.of[key] = b
		return time.Duration((1 - b.tokens) / l.rate * float64(time.Second))
	}
	b.tokens--
	if len(l.of) >= limiterSize {
		l.forget(now)
	}
	l.of[key] = b
	return 0
}

// give puts a token back: the try was a success.
func (l *limiter) give(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.filled(key, now)
	b.tokens = min(l.burst, b.tokens+1)
	l.of[key] = b
}

// has reports whether a key is remembered.
func (l *limiter) has(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.of[key]
	return ok
}

func (l *limiter) filled(key string, now time.Time) bucket {
	b, ok := l.of[key]
	if !ok {
		return bucket{l.burst, now}
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(l.burst, b.tokens+passed*l.rate)
	}
	b.at = now
	return b
}

func (l *limiter) forget(now time.Time) {
	for k := range l.of {
		if l.filled(k, now).tokens >= l.burst {
			delete(l.of, k)
		}
	}
	for k := range l.of { // none was full: drop any half, in no order
		if len(l.of) < limiterSize/2 {
			break
		}
		delete(l.of, k)
	}
}
