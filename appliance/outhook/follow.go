package outhook

import (
	"errors"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
)

const (
	readTogether = 512             // records
	errorPause   = 5 * time.Second // after a fault of the file or the journal
)

// follow reads the journal on from the engine's position.
func (e *Engine) follow() {
	defer e.work.Done()
	wake, cancel := e.o.Journal.Watch()
	defer cancel()
	for e.ctx.Err() == nil {
		n, err := e.step()
		if err != nil {
			e.o.Log.Error("follow the journal for hooks", "position", e.Seen(), "error", err)
			select {
			case <-e.ctx.Done():
			case <-time.After(errorPause):
			}
			continue
		}
		if n > 0 {
			continue
		}
		select {
		case <-e.ctx.Done():
		case <-wake:
		}
	}
}

// step takes some records and returns how many.
func (e *Engine) step() (int, error) {
	from := e.Seen()
	records, err := e.o.Journal.Records(from, readTogether)
	if errors.Is(err, journal.ErrReleased) {
		head := e.o.Journal.Position()
		e.o.Log.Error("what happened since is no longer in the journal: hooks were not told of it", "from", from, "to", head)
		e.arrive(head)
		return 1, nil
	}
	if err != nil || len(records) == 0 {
		return 0, err
	}
	last := records[len(records)-1].Pos
	todo := map[ref]entry{}
	for i := range records {
		if err := e.take(&records[i], todo); err != nil {
			return 0, err
		}
	}
	if len(todo) > 0 {
		if err := e.enqueue(todo, last); err != nil {
			return 0, err
		}
	}
	e.arrive(last)
	return len(records), nil
}

func (e *Engine) arrive(position uint64) {
	e.mu.Lock()
	e.seen = max(e.seen, position)
	e.mu.Unlock()
}

// enqueue writes deliveries and the position they stand for together.
func (e *Engine) enqueue(todo map[ref]entry, position uint64) error {
	refs := make([]ref, 0, len(todo))
	for r := range todo {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b ref) int { return slices.Compare(a.key(), b.key()) })
	grown, dead := map[id.ID]int{}, map[id.ID]int{}
	err := e.db.Update(func(tx *bolt.Tx) error {
		clear(grown)
		clear(dead)
		for _, r := range refs {
			waiting, _ := e.Queue(r.hook)
			x := todo[r]
			if waiting+grown[r.hook] >= e.o.Queue {
				x.Error = "too many deliveries wait for this hook"
				n, err := e.bury(tx, r, x, dead[r.hook])
				if err != nil {
					return err
				}
				dead[r.hook] += n
				continue
			}
			if tx.Bucket([]byte(bQueue)).Get(r.key()) == nil {
				grown[r.hook]++
			}
			if err := putJSON(tx, bQueue, r.key(), x); err != nil {
				return err
			}
		}
		return e.advance(tx, position)
	})
	if err != nil {
		return err
	}
	for _, r := range refs {
		e.count(r.hook, grown[r.hook], dead[r.hook])
		delete(grown, r.hook)
		delete(dead, r.hook)
		e.kick(r.hook)
	}
	return nil
}

// take turns one record into deliveries.
func (e *Engine) take(r *record.Record, todo map[ref]entry) error {
	switch b := r.Body.(type) {
	case *record.MessageSent:
		if b.Sender == 0 { // not an imported one
			e.tell(r, 0, entry{Event: "message", Room: b.Room, Seq: b.Seq}, b.Text, todo)
		}
	case *record.MessageEdited:
		e.tell(r, 0, entry{Event: "edited", Room: b.Room, Seq: b.Seq}, b.Text, todo)
	case *record.MessageRecalled:
		e.tell(r, 0, entry{Event: "recalled", Room: b.Room, Seq: b.Seq}, "", todo)
	case *record.MembersChanged:
		e.tell(r, 0, entry{Event: "members", Room: b.Room, Seq: b.Seq}, "", todo)
	case *record.AccountOpened:
		for i, j := range b.Joins[:min(len(b.Joins), 256)] {
			e.tell(r, byte(i), entry{Event: "members", Room: j.Room, Seq: j.Seq}, "", todo)
		}
	case *record.HookPut:
		e.kick(b.Hook.ID) // it may have been disabled
	case *record.HookRemoved:
		return e.forget(b.Hook)
	}
	return nil
}

// tell adds a delivery for each hook that wants to know.
func (e *Engine) tell(r *record.Record, n byte, x entry, text string, todo map[ref]entry) {
	x.User, x.Time = r.User, r.Time
	hooks := e.o.State.HooksOf(x.Room, "outgoing")
	if len(hooks) == 0 {
		return
	}
	if u, ok := e.o.State.User(r.User); ok && u.Bot {
		return
	}
	for _, h := range hooks {
		if h.Disabled || r.Pos <= h.Since || !slices.Contains(h.Events, x.Event) {
			continue
		}
		if len(h.Words) > 0 && (x.Event == "message" || x.Event == "edited") && !begins(text, h.Words) {
			continue
		}
		todo[ref{h.ID, r.Pos, n}] = x
	}
}

func begins(text string, words []string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, strings.ToLower(w)) })
}
