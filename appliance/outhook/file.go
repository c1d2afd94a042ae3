package outhook

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
)

const (
	bMeta   = "meta"
	bQueue  = "queue"
	bDead   = "dead"
	bCounts = "counts"
)

// entry is a delivery as the file holds it.
type entry struct {
	Event    string `json:"event"`
	Room     id.ID  `json:"room"`
	Seq      uint64 `json:"seq"`
	User     id.ID  `json:"user"`           // who did it
	Time     int64  `json:"time"`           // when it happened, ms
	Attempts int    `json:"attempts"`       // failed ones
	Next     int64  `json:"next"`           // not before, ms
	GaveUp   int64  `json:"gave_up"`        // of a dead letter, ms
	Error    string `json:"error,omitzero"` // of the last try
}

// ref names a delivery.
type ref struct {
	hook     id.ID
	position uint64
	n        byte
}

func (r ref) key() []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 17), uint64(r.hook))
	return append(binary.BigEndian.AppendUint64(k, r.position), r.n)
}

func refOf(k []byte) ref {
	return ref{id.ID(binary.BigEndian.Uint64(k)), binary.BigEndian.Uint64(k[8:]), k[16]}
}

// String is the delivery id that targets see.
func (r ref) String() string { return fmt.Sprintf("%s-%d-%d", r.hook, r.position, r.n) }

func parseRef(s string) (r ref, ok bool) {
	head, rest, _ := strings.Cut(s, "-")
	if err := r.hook.UnmarshalText([]byte(head)); err != nil {
		return r, false
	}
	n, err := fmt.Sscanf(rest, "%d-%d", &r.position, &r.n)
	return r, n == 2 && err == nil
}

func hookKey(h id.ID) []byte { return binary.BigEndian.AppendUint64(nil, uint64(h)) }

func putJSON(tx *bolt.Tx, bucket string, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", bucket, err)
	}
	return tx.Bucket([]byte(bucket)).Put(key, raw)
}

// load reads positions, counters and lengths of queues. A new file begins at
// the head of the journal. What is of hooks that are gone goes.
func (e *Engine) load() error {
	return e.db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{bMeta, bQueue, bDead, bCounts} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		e.seen = e.o.Journal.Position()
		if v := tx.Bucket([]byte(bMeta)).Get([]byte("position")); len(v) == 8 {
			// A journal that is shorter than it was is another one.
			e.seen = min(e.seen, binary.BigEndian.Uint64(v))
		}
		e.saved = e.seen
		for bucket, lengths := range map[string]map[id.ID]int{bQueue: e.waiting, bDead: e.dead} {
			if err := e.keep(tx, bucket, 17, func(hid id.ID, v []byte) error {
				var x entry
				lengths[hid]++
				return json.Unmarshal(v, &x)
			}); err != nil {
				return err
			}
		}
		if err := e.keep(tx, bCounts, 8, func(hid id.ID, v []byte) error {
			var s Stat
			err := json.Unmarshal(v, &s)
			e.counts.put(hid, s)
			return err
		}); err != nil {
			return err
		}
		return putPosition(tx, e.seen)
	})
}

// keep visits the values of a bucket whose hooks are there, and removes others.
func (e *Engine) keep(tx *bolt.Tx, bucket string, length int, visit func(hook id.ID, v []byte) error) error {
	var gone [][]byte
	b := tx.Bucket([]byte(bucket))
	if err := b.ForEach(func(k, v []byte) error {
		if len(k) != length {
			return fmt.Errorf("%w: key %x of %s: wrong length", errDamaged, k, bucket)
		}
		hid := id.ID(binary.BigEndian.Uint64(k))
		if _, ok := e.o.State.Hook(hid); !ok {
			gone = append(gone, append([]byte{}, k...))
			return nil
		}
		if err := visit(hid, v); err != nil {
			return fmt.Errorf("%w: %s %x: %w", errDamaged, bucket, k, err)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func putPosition(tx *bolt.Tx, position uint64) error {
	return tx.Bucket([]byte(bMeta)).Put([]byte("position"), binary.BigEndian.AppendUint64(nil, position))
}

// write writes counters, and the position when nothing else did.
func (e *Engine) write() error {
	changed := e.counts.changed()
	e.mu.Lock()
	seen, saved := e.seen, e.saved
	e.mu.Unlock()
	if len(changed) == 0 && seen == saved {
		return nil
	}
	err := e.db.Update(func(tx *bolt.Tx) error {
		for h, s := range changed {
			if err := putJSON(tx, bCounts, hookKey(h), s); err != nil {
				return err
			}
		}
		return e.advance(tx, seen)
	})
	if err != nil {
		e.counts.again(changed)
		return err
	}
	e.mu.Lock()
	e.saved = max(e.saved, seen)
	e.mu.Unlock()
	return nil
}

// advance writes a position, never backwards: save and follow both write it.
func (e *Engine) advance(tx *bolt.Tx, position uint64) error {
	if v := tx.Bucket([]byte(bMeta)).Get([]byte("position")); len(v) == 8 && binary.BigEndian.Uint64(v) >= position {
		return nil
	}
	return putPosition(tx, position)
}

// first is the delivery of a hook that is next.
func (e *Engine) first(hook id.ID) (r ref, x entry, ok bool, err error) {
	err = e.db.View(func(tx *bolt.Tx) error {
		k, v := tx.Bucket([]byte(bQueue)).Cursor().Seek(hookKey(hook))
		if len(k) != 17 || refOf(k).hook != hook {
			return nil
		}
		r, ok = refOf(k), true
		return json.Unmarshal(v, &x)
	})
	return r, x, ok, err
}

// count changes the lengths of a hook's queues.
func (e *Engine) count(hook id.ID, waiting, dead int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range []struct {
		of map[id.ID]int
		by int
	}{{e.waiting, waiting}, {e.dead, dead}} {
		if c.of[hook] += c.by; c.of[hook] == 0 {
			delete(c.of, hook)
		}
	}
}

// bury makes a dead letter of a delivery, and forgets the oldest when there are
// too many. grown is by how much the transaction made them more before; it
// returns by how much their number grew.
func (e *Engine) bury(tx *bolt.Tx, r ref, x entry, grown int) (grew int, err error) {
	x.GaveUp = e.o.Now().UnixMilli()
	dead := tx.Bucket([]byte(bDead))
	if err := putJSON(tx, bDead, r.key(), x); err != nil {
		return 0, err
	}
	if _, n := e.Queue(r.hook); n+grown >= e.o.Dead {
		if k, _ := dead.Cursor().Seek(hookKey(r.hook)); k != nil {
			return 0, dead.Delete(k)
		}
	}
	return 1, nil
}

// forget drops everything of a hook that was removed.
func (e *Engine) forget(hook id.ID) error {
	err := e.db.Update(func(tx *bolt.Tx) error {
		for _, bucket := range []string{bQueue, bDead} {
			c := tx.Bucket([]byte(bucket)).Cursor()
			for k, _ := c.Seek(hookKey(hook)); k != nil && refOf(k).hook == hook; k, _ = c.Seek(hookKey(hook)) {
				if err := c.Delete(); err != nil {
					return err
				}
			}
		}
		return tx.Bucket([]byte(bCounts)).Delete(hookKey(hook))
	})
	e.counts.forget(hook)
	e.mu.Lock()
	delete(e.waiting, hook)
	delete(e.dead, hook)
	e.mu.Unlock()
	return err
}
