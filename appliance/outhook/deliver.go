package outhook

import (
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// deliver sends what waits for one hook, in order, and ends when nothing does.
func (e *Engine) deliver(hook id.ID, w *worker) {
	defer e.work.Done()
	for {
		until, busy, err := e.next(hook)
		if err != nil {
			e.o.Log.Error("deliver hook", "hook", hook.String(), "error", err)
			until, busy = e.o.Now().Add(errorPause), true
		}
		if !busy && e.retire(hook, w) {
			return
		}
		if until.IsZero() {
			if e.ctx.Err() != nil {
				return
			}
			continue
		}
		select {
		case <-e.ctx.Done():
			return
		case <-w.kick:
		case <-e.o.Alarm(until):
		}
	}
}

// retire ends a worker, unless it was kicked meanwhile.
func (e *Engine) retire(hook id.ID, w *worker) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-w.kick:
		return e.ctx.Err() != nil
	default:
	}
	delete(e.workers, hook)
	return true
}

// next tries the delivery whose turn it is. until, when set, is when its turn
// comes; busy is false when there is nothing to do.
func (e *Engine) next(hook id.ID) (until time.Time, busy bool, err error) {
	r, x, ok, err := e.first(hook)
	if err != nil || !ok {
		return until, false, err
	}
	h, ok := e.o.State.Hook(hook)
	if !ok || h.Disabled {
		return until, false, nil // what waits is dropped with the hook, or goes on when it is enabled
	}
	// A time that is further ahead than any wait means that the clock was set back.
	if wait := x.Next - e.o.Now().UnixMilli(); wait > 0 && wait <= slices.Max(e.o.Backoff).Milliseconds() {
		return time.UnixMilli(x.Next), true, nil
	}
	body, ok, err := e.body(&h, r, &x)
	if err != nil {
		return until, true, err
	}
	if !ok { // its message or room is gone
		return until, true, e.done(r)
	}
	answer, why := e.post(&h, r, &x, body)
	if e.ctx.Err() != nil {
		return until, true, nil // given up in Close: it is tried again
	}
	if why != nil {
		return until, true, e.failed(&h, r, x, why)
	}
	e.counts.Pass(hook, e.o.Now())
	e.reply(&h, r, &x, answer)
	return until, true, e.done(r)
}

// done removes a delivery.
func (e *Engine) done(r ref) error {
	removed, began := 0, time.Now()
	err := e.db.Batch(func(tx *bolt.Tx) error {
		removed = 0
		b := tx.Bucket([]byte(bQueue))
		if b.Get(r.key()) != nil {
			removed = 1
		}
		return b.Delete(r.key())
	})
	e.o.State.Took("hook_write", began)
	if err != nil {
		return fmt.Errorf("remove delivery: %w", err)
	}
	e.count(r.hook, -removed, 0)
	return nil
}

// failed plans the next try, or gives up.
func (e *Engine) failed(h *record.Hook, r ref, x entry, why error) error {
	now := e.o.Now()
	x.Attempts++
	x.Error = beginning(told(why, h.Lang), mostWhy)
	e.counts.Refuse(r.hook, x.Error, now)
	var whole time.Duration
	for _, d := range e.o.Backoff {
		whole += d
	}
	old := now.UnixMilli()-x.Time >= whole.Milliseconds()
	over := x.Attempts > len(e.o.Backoff) || old
	e.o.Log.Info("hook delivery failed", "hook", r.hook.String(), "delivery", r.String(), "attempt", x.Attempts, "given_up", over, "reason", beginning(told(why, "en"), mostWhy))
	if !over {
		x.Next = now.Add(e.o.Backoff[x.Attempts-1]).UnixMilli()
	}
	removed, grew := 0, 0
	err := e.db.Update(func(tx *bolt.Tx) error {
		removed, grew = 0, 0
		b := tx.Bucket([]byte(bQueue))
		switch {
		case b.Get(r.key()) == nil: // discarded, or the hook is gone
			return nil
		case !over:
			return putJSON(tx, bQueue, r.key(), x)
		}
		removed = 1
		var err error
		if grew, err = e.bury(tx, r, x, 0); err != nil {
			return err
		}
		return b.Delete(r.key())
	})
	if err != nil {
		return fmt.Errorf("keep failed delivery: %w", err)
	}
	e.count(r.hook, -removed, grew)
	return nil
}
