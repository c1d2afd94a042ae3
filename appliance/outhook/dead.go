package outhook

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Dead lists the dead letters of a hook, oldest first, at most max.
func (e *Engine) Dead(hook id.ID, max int) (list []wire.DeadLetter, more bool, err error) {
	err = e.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(bDead)).Cursor()
		for k, v := c.Seek(hookKey(hook)); k != nil && refOf(k).hook == hook; k, v = c.Next() {
			if len(list) == max {
				more = true
				return nil
			}
			var x entry
			if err := json.Unmarshal(v, &x); err != nil {
				return fmt.Errorf("dead letter %s: %w", refOf(k), err)
			}
			list = append(list, wire.DeadLetter{ID: refOf(k).String(), Hook: hook, Event: x.Event, Room: x.Room, Seq: x.Seq,
				Queued: x.Time, GaveUp: x.GaveUp, Attempts: x.Attempts, Error: x.Error})
		}
		return nil
	})
	return list, more, err
}

// Retry puts dead letters of a hook back into its queue, at the place they had;
// none named means all. They get one more try each, or more if they are young.
func (e *Engine) Retry(hook id.ID, which []string) (int, error) {
	n, err := e.dig(hook, which, func(tx *bolt.Tx, r ref, raw []byte) error {
		var x entry
		if err := json.Unmarshal(raw, &x); err != nil {
			return fmt.Errorf("dead letter %s: %w", r, err)
		}
		x.Attempts, x.Next, x.GaveUp, x.Error = 0, 0, 0, ""
		return putJSON(tx, bQueue, r.key(), x)
	})
	if err == nil && n > 0 {
		e.count(hook, n, -n)
		e.kick(hook)
	}
	return n, err
}

// Discard throws dead letters of a hook away; none named means all.
func (e *Engine) Discard(hook id.ID, which []string) (int, error) {
	n, err := e.dig(hook, which, func(*bolt.Tx, ref, []byte) error { return nil })
	if err == nil {
		e.count(hook, 0, -n)
	}
	return n, err
}

// dig takes dead letters out of the file.
func (e *Engine) dig(hook id.ID, which []string, f func(tx *bolt.Tx, r ref, raw []byte) error) (n int, err error) {
	var refs []ref
	for _, s := range which {
		r, ok := parseRef(s)
		if !ok || r.hook != hook {
			return 0, wire.Refusef(wire.NotFound, "there is no delivery %.60q of this hook", "此钩子没有投递 %.60q", s)
		}
		refs = append(refs, r)
	}
	err = e.db.Update(func(tx *bolt.Tx) error {
		n = 0
		dead := tx.Bucket([]byte(bDead))
		if len(which) == 0 {
			refs = refs[:0]
			c := dead.Cursor()
			for k, _ := c.Seek(hookKey(hook)); k != nil && refOf(k).hook == hook; k, _ = c.Next() {
				refs = append(refs, refOf(k))
			}
		}
		for _, r := range refs {
			raw := dead.Get(r.key())
			if raw == nil {
				continue
			}
			if err := f(tx, r, raw); err != nil {
				return err
			}
			if err := dead.Delete(r.key()); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
