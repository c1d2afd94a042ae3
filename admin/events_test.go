package admin

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func follower(user id.ID, topics ...string) *stream {
	s := &stream{user: user, lang: "en", topics: map[string]bool{}, queue: make(chan event, streamQueue), over: make(chan struct{})}
	for _, t := range topics {
		s.topics[t] = true
	}
	return s
}

// waiting are the events in a stream's queue.
func (s *stream) waiting() (out []event) {
	for {
		select {
		case e := <-s.queue:
			out = append(out, e)
		default:
			return out
		}
	}
}

// A state is asked while somebody follows it, told when it changed, and given
// at once to who comes later or comes back.
func TestAStateIsToldWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var value, asked atomic.Int64
		h := newHub(time.Now, []Live{{Topic: "figure", Every: 2 * time.Second, Data: func(_ context.Context, lang string) string {
			asked.Add(1)
			return fmt.Sprintf("%s %d", lang, value.Load())
		}}})
		time.Sleep(10 * time.Second)
		if asked.Load() != 0 {
			t.Error("nobody looks, and it was asked")
		}
		first := follower(1, "figure")
		h.join(first, "")
		time.Sleep(10 * time.Second)
		got := first.waiting()
		if len(got) != 1 || got[0].data != "en 0" {
			t.Fatalf("told %v", got)
		}
		if n := asked.Load(); n < 4 || n > 6 {
			t.Errorf("asked %d times in ten seconds", n)
		}
		value.Store(1)
		time.Sleep(3 * time.Second)
		if again := first.waiting(); len(again) != 1 || again[0].data != "en 1" || again[0].n <= got[0].n {
			t.Errorf("after a change: %v", again)
		}
		second, back, foreign := follower(2, "figure"), follower(3, "figure"), follower(4, "figure")
		h.join(second, "")
		h.join(back, fmt.Sprintf("%s.%d", h.start, h.n))
		h.join(foreign, "otherserver.99999")
		if len(second.waiting()) != 1 || len(back.waiting()) != 0 || len(foreign.waiting()) != 1 {
			t.Error("who comes late is not told what holds, or who comes back is told twice")
		}
		h.close()
	})
}

// A reader that does not read, and the ninth stream of one person, cost nobody
// anything.
func TestStreamsAreBounded(t *testing.T) {
	h := newHub(time.Now, nil)
	defer h.close()
	slow, other := follower(1, "x"), follower(2, "x")
	h.join(slow, "")
	h.join(other, "")
	for i := range streamQueue + 1 {
		h.tell("x", "en", fmt.Sprint(i))
		other.waiting()
	}
	if _, open := <-slow.over; open || slow.end != "" {
		t.Errorf("the slow one was not dropped: %q", slow.end)
	}
	var mine []*stream
	for range streamsOfOne + 1 {
		s := follower(9, "x")
		h.join(s, "")
		mine = append(mine, s)
	}
	if _, open := <-mine[0].over; open || mine[0].end != "full" {
		t.Errorf("the oldest ended with %q", mine[0].end)
	}
	select {
	case <-mine[1].over:
		t.Error("the second was dropped too")
	case <-other.over:
		t.Error("somebody else was dropped")
	default:
	}
}

// The stream on the wire: ids, names, lines, the beat, and the end of a login.
func TestAStreamOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(time.Now, nil)
		s := follower(1, "x")
		h.join(s, "")
		var holds atomic.Bool
		holds.Store(true)
		var text strings.Builder
		done := make(chan struct{})
		w := writer{hub: h, stream: s, still: func() (wire.Role, bool) { return wire.Auditor, holds.Load() }, stopping: make(chan struct{}), here: func() {}}
		go func() {
			defer close(done)
			w.write(bufio.NewWriter(&text))
		}()
		h.tell("x", "en", "<p>\n</p>")
		time.Sleep(16 * time.Second)
		holds.Store(false)
		<-done
		for _, want := range []string{"id: " + h.start + ".1\nevent: x\ndata: <p>\ndata: </p>\n\n", ": still here\nevent: beat\ndata: 1\n\n", "event: bye\ndata: login\n\n"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %q in %q", want, text.String())
			}
		}
		expired := writer{hub: h, still: func() (wire.Role, bool) { return wire.Owner, true }, expires: time.Now().Add(-time.Second)}
		demoted := writer{hub: h, still: func() (wire.Role, bool) { return wire.Member, true }}
		if expired.valid() || demoted.valid() {
			t.Error("a login that is over, or a member's, keeps its stream")
		}
		h.close()
	})
}
