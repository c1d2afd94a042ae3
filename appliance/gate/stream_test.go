package gate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// follower is a client that remembers which positions it saw, and comes back
// from there when it is disconnected or reset.
type follower struct {
	h     *house
	token string
	rooms map[id.ID]bool
	seen  []uint64 // positions of messages, in the order they came
	since uint64   // 0 = from scratch
	from  uint64   // positions after this one must be seen
	reset int
}

// run follows until it has seen the target position's message. breaks makes it
// disconnect at random.
func (w *follower) run(target func() uint64, breaks bool) error {
	for {
		done, err := w.once(target, breaks)
		if done || err != nil {
			return err
		}
	}
}

func (w *follower) once(target func() uint64, breaks bool) (bool, error) {
	s := w.h.connect(w.token)
	defer func() { _ = s.c.Close() }()
	left := 1 << 30
	if breaks {
		left = 1 + rand.IntN(300)
	}
	want := s.ask("sync.start", wire.SyncParams{Since: w.since})
	started := false
	for ; left > 0; left-- {
		_ = s.c.SetReadDeadline(time.Now().Add(20 * time.Second))
		m, err := s.receive()
		if err != nil {
			return false, fmt.Errorf("receive after %d: %w", w.since, err)
		}
		switch {
		case string(m.ID) == want:
			var r wire.SyncStart
			if err := json.Unmarshal(m.Result, &r); err != nil {
				return false, err
			}
			started = true
			if r.Reset {
				w.reset++
				w.seen, w.from, w.since = nil, r.Position, r.Position
			}
		case m.Params.Type == string(wire.EventReset):
			w.reset++
			started = false
			want = s.ask("sync.start", wire.SyncParams{Since: w.since})
			continue
		case m.Params.Type == string(wire.EventMessage):
			if !started {
				return false, fmt.Errorf("event %d before the answer", m.Params.Position)
			}
			w.seen = append(w.seen, m.Params.Position)
			w.since = m.Params.Position
			if rand.IntN(20) == 0 {
				s.ask("sync.ack", wire.AckParams{Position: w.since})
			}
		}
		if t := target(); t > 0 && w.since >= t {
			return true, nil
		}
	}
	return false, nil
}

// check compares what was seen with what there was.
func (w *follower) check(f *fake) error {
	var want []uint64
	for _, r := range f.records {
		if m, ok := r.Body.(*record.MessageSent); ok && r.Pos > w.from && w.rooms[m.Room] {
			want = append(want, r.Pos)
		}
	}
	for i := range max(len(want), len(w.seen)) {
		switch {
		case i >= len(w.seen):
			return fmt.Errorf("%s: missing from %d on (%d of %d)", w.token, want[i], i, len(want))
		case i >= len(want):
			return fmt.Errorf("%s: too much: %d", w.token, w.seen[i])
		case w.seen[i] != want[i]:
			return fmt.Errorf("%s: at %d: saw %d, want %d", w.token, i, w.seen[i], want[i])
		}
	}
	return nil
}

// TestStreams: whatever the time of sync.start, however often the client comes
// back, however full its queue: each message once, in order, without gap.
func TestStreams(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits func(*Limits)
		breaks bool
	}{
		{"roomy", func(*Limits) {}, false},
		{"comes and goes", func(*Limits) {}, true},
		{"tiny queue", func(l *Limits) { l.QueueFrames = 3; l.QueueBytes = 2000 }, true},
		{"tiny ring", func(l *Limits) { l.QueueFrames = 3; l.RingBytes = 40 << 10 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			h := open4test(t, f, func(o *Options) { c.limits(&o.Limits) })
			const rooms, clients, messages = 6, 24, 4000
			followers := make([]*follower, clients)
			for i := range followers {
				user := id.ID(100 + i)
				w := &follower{h: h, token: f.device(user, id.ID(1000+i)), rooms: map[id.ID]bool{1: true}}
				f.join(1, user)
				for room := 2; room <= rooms; room++ {
					if rand.IntN(2) == 0 {
						f.join(id.ID(room), user)
						w.rooms[id.ID(room)] = true
					}
				}
				followers[i] = w
			}
			var target atomic.Uint64
			var work sync.WaitGroup
			errs := make(chan error, clients)
			for _, w := range followers {
				work.Go(func() { errs <- w.run(target.Load, c.breaks) })
			}
			for i := range messages {
				f.send(id.ID(1+rand.IntN(rooms)), 5, fmt.Sprint("message ", i))
				if i%50 == 0 {
					f.publish(5, &record.Organisation{Name: "x"})
					time.Sleep(time.Millisecond) // the load, not a wait: lets clients run between bursts
				}
			}
			_, last := f.send(1, 5, "the end")
			target.Store(last)
			// Those who were reset at the end itself see nothing more without this.
			stop := make(chan struct{})
			work.Go(func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for n := 0; n < 1000; n++ {
					select {
					case <-tick.C:
						f.send(1, 5, "more")
					case <-stop:
						return
					}
				}
			})
			for range followers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			close(stop)
			work.Wait()
			resets := 0
			for _, w := range followers {
				resets += w.reset
				f2 := &fake{}
				for _, r := range f.records {
					if r.Pos <= w.since {
						f2.records = append(f2.records, r)
					}
				}
				if err := w.check(f2); err != nil {
					t.Error(err)
				}
			}
			t.Logf("resets %d, behind %d, ring resets %d", resets, h.g.meters.behind.Get(), h.g.meters.resets.Get())
		})
	}
}
