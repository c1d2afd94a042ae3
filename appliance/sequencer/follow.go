package sequencer

import (
	"errors"
	"fmt"
	"io"

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
		return out, nil
	}
	q.ringMu.RUnlock()
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
