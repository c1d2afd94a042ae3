package search

import (
	"context"
	"errors"
	"math"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
)

const (
	readRecords = 2048    // records read at once
	lockRecords = 64      // of these, put into memory under one lock
	maxTail     = 4       // times full: then the follower waits for the writer
	flushText   = 8 << 20 // bytes of packed texts in memory that make a flush
	maxChanges  = 4096    // changes in memory that make a flush
	maxRecords  = 1 << 20 // records of any kind after which the file's position moves on
)

// errAnew says that the index must be made anew from state.
var errAnew = errors.New("it was asked for")

// follow keeps the index up to date until ctx ends, and writes what is left.
func (x *Index) follow(ctx context.Context) {
	defer x.finished.Done()
	defer close(x.work)
	wake, cancel := x.log.Watch()
	defer cancel()
	for {
		err := x.advance(ctx, wake)
		if ctx.Err() != nil {
			x.finish()
			return
		}
		if errors.Is(err, journal.ErrReleased) || errors.Is(err, errDamaged) || errors.Is(err, errAnew) {
			_ = x.idle(nil)
			x.opt.Log.Warn("the index of messages is made anew", "why", err.Error())
			if err = x.reset(); err == nil {
				continue
			}
		}
		x.opt.Log.Error("the index of messages has stopped; a restart may help", "error", err)
		x.mu.Lock()
		x.failed = err
		close(x.moved)
		x.moved = make(chan struct{})
		x.mu.Unlock()
		return
	}
}

// advance follows until an error or the end of ctx.
func (x *Index) advance(ctx context.Context, wake <-chan struct{}) error {
	if x.wantsAnew() {
		if err := x.build(ctx); err != nil {
			return err
		}
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		if err := x.readOn(ctx); err != nil {
			return err
		}
		timer.Reset(x.nextFlush())
		select {
		case <-wake:
		case <-x.again:
		case <-timer.C:
			if x.flushing == nil {
				if err := x.handOver(); err != nil {
					return err
				}
			}
		case err := <-x.written:
			if err := x.took(err); err != nil {
				return err
			}
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// readOn puts everything that is there into memory.
func (x *Index) readOn(ctx context.Context) error {
	for ctx.Err() == nil {
		if x.wantsAnew() {
			return x.idle(errAnew)
		}
		recs, err := x.log.Records(x.tail.pos, readRecords)
		if err != nil || len(recs) == 0 {
			return err
		}
		for len(recs) > 0 {
			n := min(len(recs), lockRecords)
			if err := x.take(ctx, recs[:n]); err != nil {
				return err
			}
			recs = recs[n:]
		}
	}
	return nil
}

func (x *Index) wantsAnew() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.filed.anew
}

// idle waits until nothing is being written, and answers with err.
func (x *Index) idle(err error) error {
	if x.flushing != nil {
		if werr := x.took(<-x.written); werr != nil {
			return werr
		}
	}
	return err
}

// makeRoom hands a full generation over, and waits when there are too many.
func (x *Index) makeRoom(ctx context.Context) error {
	for {
		full := x.tail.full(&x.opt)
		if full == 0 && x.tail.pos-x.tail.base < maxRecords {
			return nil
		}
		if x.flushing == nil && x.log.ReadOnly() == nil {
			return x.handOver()
		}
		if full < maxTail {
			select {
			case err := <-x.written:
				if err := x.took(err); err != nil {
					return err
				}
				continue
			default:
				return nil
			}
		}
		select {
		case err := <-x.written:
			if err := x.took(err); err != nil {
				return err
			}
		case <-time.After(time.Second): // read-only: the disk may have room again
		case <-ctx.Done():
			return nil
		}
	}
}

// nextFlush is how long what is in memory may wait.
func (x *Index) nextFlush() time.Duration {
	wait := time.Hour
	if len(x.tail.entries) > 0 {
		wait = min(wait, time.Until(x.tail.born.Add(x.opt.FlushAge)))
	}
	if !x.tail.changed.IsZero() {
		wait = min(wait, time.Until(x.tail.changed.Add(x.opt.ChangeAge)))
	}
	if x.flushing != nil || x.log.ReadOnly() != nil {
		wait = max(wait, time.Second)
	}
	return max(wait, 0)
}

// handOver gives the tail to the writer.
func (x *Index) handOver() error {
	if x.log.ReadOnly() != nil || x.tail.empty() && x.tail.pos == x.tail.base {
		return nil
	}
	g := x.tail
	now, err := x.regram(g)
	if err != nil {
		return err
	}
	x.mu.Lock()
	g.others = g.settle(now)
	x.flushing, x.tail = g, newGeneration(g.pos, g.stamp)
	x.mu.Unlock()
	x.work <- g
	return nil
}

// regram makes the grams of the changed documents that are a generation's own.
func (x *Index) regram(g *generation) (map[uint64][]gram, error) {
	now := map[uint64][]gram{}
	texts := shelf{x: x, in: []*generation{g}}
	for pos, c := range g.changes {
		if _, own := g.own(pos); !own || c.gone {
			continue
		}
		var err error
		if now[pos], err = texts.grams(c.words, c.keys); err != nil {
			return nil, err
		}
	}
	return now, nil
}

// took ends a flush.
func (x *Index) took(err error) error {
	x.mu.Lock()
	x.flushing = nil
	x.mu.Unlock()
	return err
}

// finish writes what is in memory before the process ends.
func (x *Index) finish() {
	err := x.idle(nil)
	if err == nil && x.wantsAnew() {
		return
	}
	if err == nil {
		if err = x.handOver(); err == nil {
			err = x.idle(nil)
		}
	}
	if err != nil {
		x.opt.Log.Error("the index of messages was not written; it is read again from the journal", "error", err)
		x.failed = err
	}
}

// found is a document or a change on its way into memory.
type found struct {
	entry  entry
	grams  []gram // in order, each once
	keys   []textKey
	texts  map[textKey][]byte
	change *change
}

// take puts some records into memory, and sees to it that there is room. What
// carries documents goes there at once: it may be large.
func (x *Index) take(ctx context.Context, recs []record.Record) error {
	list := make([]found, 0, len(recs))
	for i := range recs {
		f, err := x.look(ctx, &recs[i])
		if err != nil {
			return err
		}
		list = append(list, f...)
		if i == len(recs)-1 || len(f) > 0 && len(f[0].texts) > 0 {
			x.put(list, recs[i].Pos, recs[i].Time)
			list = list[:0]
			if err := x.makeRoom(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) put(list []found, pos uint64, stamp int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range list {
		if c := list[i].change; c != nil {
			x.tail.change(*c)
		} else {
			x.tail.add(&list[i])
		}
	}
	x.tail.pos, x.tail.stamp = pos, stamp
	close(x.moved)
	x.moved = make(chan struct{})
}

// look tells what a record means for the index.
func (x *Index) look(ctx context.Context, r *record.Record) ([]found, error) {
	switch body := r.Body.(type) {
	case *record.MessageSent:
		sender, at := state.Sent(r, body)
		e := entry{pos: r.Pos, room: body.Room, seq: uint32(body.Seq), sender: uint32(sender), time: at, files: len(body.Files) > 0}
		f, err := x.document(ctx, e, body.Text, x.state.FilesOf(body.Files))
		return []found{f}, err
	case *record.MessageEdited:
		return x.changed(id.Message{Room: body.Room, Seq: body.Seq})
	case *record.MessageRecalled:
		return x.changed(id.Message{Room: body.Room, Seq: body.Seq})
	case *record.UserPut:
		return x.named(&body.User)
	case *record.AccountOpened:
		return x.named(&body.User)
	}
	return nil, nil
}

// named looks for the mentions of somebody who has got a name: they show it.
func (x *Index) named(u *record.User) ([]found, error) {
	if was, known := x.shownAs[u.ID]; known && was == u.Name {
		return nil, nil
	}
	x.shownAs[u.ID] = u.Name
	var refs []id.Message
	s := &scan{x: x, ctx: context.Background(), want: compile([]string{x.fold.Text("@" + u.Login)}), until: time.Now().Add(time.Hour), upTo: math.MaxUint64}
	s.each = func(e entry) { refs = append(refs, e.ref()) }
	if err := s.whole(); err != nil {
		return nil, err
	}
	var list []found
	for _, ref := range refs {
		f, err := x.changed(ref)
		if err != nil {
			return nil, err
		}
		list = append(list, f...)
	}
	return list, nil
}

// document reads a message and its documents. It errs with ctx's end.
func (x *Index) document(ctx context.Context, e entry, text string, files []record.File) (f found, err error) {
	f.entry, f.keys = e, x.keysOf(files)
	if f.texts, err = x.texts(ctx, files); err != nil {
		return f, err
	}
	own := shelf{x: x, in: []*generation{{texts: f.texts}}}
	f.grams, err = own.grams(x.words(text, files), f.keys)
	return f, err
}

// changed takes a message as state has it now: that is at least as new as the
// record, and a later record brings what is newer still.
func (x *Index) changed(ref id.Message) ([]found, error) {
	w, err := x.state.Words(ref)
	if err != nil || w == nil {
		return nil, err
	}
	c := &change{entry: entryOf(ref, w), gone: w.Gone}
	if !w.Gone {
		c.words, c.keys = x.words(w.Text, w.Files), x.keysOf(w.Files)
	}
	return []found{{change: c}}, nil
}

func entryOf(ref id.Message, w *state.Words) entry {
	return entry{pos: w.Position, room: ref.Room, seq: uint32(ref.Seq), sender: uint32(w.Sender), time: w.Time, files: len(w.Files) > 0}
}
