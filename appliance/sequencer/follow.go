package sequencer

import (
	"errors"
	"fmt"
	"io"
	"time"

	"posthouse/appliance/record"
)

// Watch gives a channel of size 1 that is written to whenever Position has
// grown. cancel ends it.
func (q *Sequencer) Watch() (wake <-chan struct{}, cancel func()) {
	ch := make(chan struct{}, 1)
	q.watchMu.Lock()
	q.watchers[ch] = struct{}{}
	q.watchMu.Unlock()
	return ch, func() {
		q.watchMu.Lock()
		delete(q.watchers, ch)
		q.watchMu.Unlock()
	}
}

func (q *Sequencer) wakeAll() {
	q.watchMu.Lock()
	defer q.watchMu.Unlock()
	for ch := range q.watchers {
		signal(ch)
	}
}

func (q *Sequencer) remember(r record.Record) {
	q.ringMu.Lock()
	defer q.ringMu.Unlock()
	n := uint64(len(q.ring))
	q.ring[r.Pos%n] = r
	if r.Pos >= n && q.oldest < r.Pos-n+1 {
		q.oldest = r.Pos - n + 1
	}
}

// Records reads records after a position up to Position, at most max, oldest
// first. They are shared: read only. journal.ErrReleased when they are no
// longer kept.
func (q *Sequencer) Records(after uint64, max int) ([]record.Record, error) {
	head := q.position.Load()
	if after >= head || max <= 0 {
		return nil, nil
	}
	n := int(min(uint64(max), head-after))
	out := make([]record.Record, 0, n)
	q.ringMu.RLock()
	if after+1 >= q.oldest {
		for pos := after + 1; pos <= after+uint64(n); pos++ {
			out = append(out, q.ring[pos%uint64(len(q.ring))])
		}
		q.ringMu.RUnlock()
		q.meters.hits.Inc()
		return out, nil
	}
	q.ringMu.RUnlock()
	q.meters.misses.Inc()
	rd, err := q.journal.ReadFrom(after + 1)
	if err != nil {
		return nil, fmt.Errorf("read records after %d: %w", after, err)
	}
	defer rd.Close()
	for len(out) < n {
		raw, err := rd.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read records after %d: %w", after, err)
		}
		r, err := q.codec.Decode(raw.Pos, raw.Kind, raw.Payload)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Pacing: the follower that serves people must not be left far behind by a
// flood of commands, or its readers would wait seconds for what is durable
// already. A batch waits while that follower is more than maxBehind records
// behind, but not longer than maxPace: a follower never stops the box.
const (
	maxBehind = 2048
	maxPace   = 50 * time.Millisecond
)

// Pace names the follower that the sequencer waits for a little. position
// tells how far it is; call CaughtUp when that has grown. nil ends it.
func (q *Sequencer) Pace(position func() uint64) {
	q.paceMu.Lock()
	q.pacer = position
	q.paceMu.Unlock()
}

// CaughtUp tells that the follower named with Pace has got on.
func (q *Sequencer) CaughtUp() { signal(q.caughtUp) }

func (q *Sequencer) pace() {
	q.paceMu.Lock()
	position := q.pacer
	q.paceMu.Unlock()
	if position == nil {
		return
	}
	var late <-chan time.Time
	for q.position.Load() > position()+maxBehind {
		if late == nil {
			timer := time.NewTimer(maxPace)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-q.caughtUp:
		case <-late:
			return
		case <-q.stop:
			return
		}
	}
}
