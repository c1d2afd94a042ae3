package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// book is what a client has been told of a room.
type book struct {
	mu     sync.Mutex
	seqs   []uint64
	texts  map[string]int
	drains int
	resets int
	rooms  []wire.Room // of the last reset
}

func newBook() *book { return &book{texts: map[string]int{}} }

func (b *book) note(e client.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch d := e.Data.(type) {
	case *wire.Message:
		if e.Type == wire.EventMessage && d.Change == nil {
			b.seqs = append(b.seqs, d.Seq)
			b.texts[d.Text]++
		}
	case *wire.Drain:
		b.drains++
	case *wire.SyncStart:
		if d.Reset {
			b.resets++
			b.rooms = d.Rooms
		}
	}
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.seqs)
}

// last is the newest number.
func (b *book) last() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seqs) == 0 {
		return 0
	}
	return b.seqs[len(b.seqs)-1]
}

// chatter sends until ctx ends or somebody says that it is over, and keeps what
// was acknowledged.
func (p *person) chatter(ctx context.Context, room id.ID, over *atomic.Bool) []string {
	var said []string
	for n := 0; !over.Load() && ctx.Err() == nil; n++ {
		text := fmt.Sprintf("%s %d", p.login, n)
		_, err := p.Send(ctx, room, text)
		switch {
		case err == nil:
			said = append(said, text)
		case ctx.Err() == nil && !errors.Is(err, client.ErrLost):
			p.t.Errorf("%s says %q: %v", p.login, text, err)
			return said
		}
	}
	return said
}

// SIGTERM under load: everybody is told when to come back, everything that was
// acknowledged is there after the restart, and nothing twice.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	const people = 4
	o := openOffice(t, "limits.messages_per_second=100000", "limits.messages_burst=100000",
		"limits.requests_per_second=100000", "limits.requests_burst=100000")
	crowd, books, members := make([]*person, people), make([]*book, people), make([]id.ID, people)
	for i := range crowd {
		books[i] = newBook()
		crowd[i] = o.hire(fmt.Sprintf("p%d", i), fmt.Sprintf("Person %d", i), client.Options{OnEvent: books[i].note})
		members[i] = crowd[i].user.ID
	}
	room := o.group("busy", members...)
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	var over atomic.Bool
	said := make([][]string, people)
	var talking sync.WaitGroup
	for i, p := range crowd {
		talking.Go(func() { said[i] = p.chatter(ctx, room.ID, &over) })
	}
	await(t, func() string { return "a lively room" }, func() bool { return books[0].count() > 100 })
	o.stop()
	o.start()
	before := books[0].count()
	await(t, func() string { return "the room to be lively again" }, func() bool { return books[0].count() > before+100 })
	over.Store(true)
	talking.Wait()

	total := 0
	for i, p := range crowd {
		if books[i].drains != 1 {
			t.Errorf("%s was told %d times that the server stops", p.login, books[i].drains)
		}
		total += len(said[i])
	}
	stored := map[string]int{}
	for i, m := range o.owner.all(room.ID) {
		if m.Change == nil {
			stored[m.Text]++
		}
		if m.Seq != uint64(i)+1 {
			t.Fatalf("entry %d of the room has the number %d", i+1, m.Seq)
		}
	}
	for i, p := range crowd {
		for _, text := range said[i] {
			if stored[text] != 1 {
				t.Errorf("%q of %s was acknowledged and is there %d times", text, p.login, stored[text])
			}
		}
		await(t, func() string {
			return fmt.Sprintf("%s to hear all %d messages, not %d", p.login, len(stored), books[i].count())
		},
			func() bool { return books[i].count() >= len(stored) })
		for text, n := range books[i].texts {
			if n != 1 {
				t.Errorf("%s heard %q %d times", p.login, text, n)
			}
		}
	}
	t.Logf("%d messages over a drain, %d of them acknowledged", len(stored), total)
}

// Somebody who was absent during 3,000 messages gets those, all and in order.
func TestLongAbsence(t *testing.T) {
	t.Parallel()
	const missed = 3000
	o := openOffice(t, "limits.messages_per_second=100000", "limits.messages_burst=100000")
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	first := o.owner.says(room.ID, "the last that bo hears")
	await(t, func() string { return "bo to hear it" }, func() bool { return heard(bo, "the last that bo hears") })
	since, token := bo.Since(), bo.Token()
	must(t, bo.Close())

	var talking sync.WaitGroup
	var next atomic.Int64
	for range 32 {
		talking.Go(func() {
			for n := next.Add(1); n <= missed; n = next.Add(1) {
				if _, err := o.owner.Send(context.Background(), room.ID, fmt.Sprintf("missed %d", n)); err != nil {
					t.Errorf("send: %v", err)
					return
				}
			}
		})
	}
	talking.Wait()
	b := newBook()
	began := time.Now()
	back := o.client(t, client.Options{Token: token, Since: since, OnEvent: b.note})
	await(t, func() string { return fmt.Sprintf("%d messages, not %d", missed, b.count()) }, func() bool { return b.count() >= missed && b.last() == first.Seq+missed })
	t.Logf("%d missed messages in %s", missed, time.Since(began).Round(time.Millisecond))
	now := o.owner.says(room.ID, "and now")
	await(t, func() string { return "what is said now" }, func() bool { return b.last() == now.Seq })
	must(t, back.Close())
	if b.resets > 0 {
		t.Errorf("the client began anew")
	}
	// The message that Since stands at may come once more.
	if b.seqs[0] > first.Seq+1 {
		t.Errorf("the first that came is message %d, the last heard before was %d", b.seqs[0], first.Seq)
	}
	for i, seq := range b.seqs {
		if seq != b.seqs[0]+uint64(i) {
			t.Fatalf("message %d came in place %d after %d", seq, i, b.seqs[0])
		}
	}
}

// heard reports whether the queue of a client has a text; it takes from it.
func heard(p *person, text string) bool {
	for {
		select {
		case e := <-p.Events():
			if m, ok := e.Data.(*wire.Message); ok && m.Text == text {
				return true
			}
		default:
			return false
		}
	}
}
