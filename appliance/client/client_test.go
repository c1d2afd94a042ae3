package client

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"posthouse/appliance/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one cleaner for each server and client that has been
		// used; it ends by itself.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

func TestSendAndSee(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	s := next(t, c, Synced).Data.(*wire.SyncStart)
	if !s.Reset {
		t.Error("a new client is not reset")
	}
	sent, err := c.Send(brief(t), room1, "hi")
	if err != nil || sent.Seq != 1 {
		t.Fatalf("Send = %+v, %v", sent, err)
	}
	sees(t, c, "hi")
	if err := c.WaitPosition(brief(t), sent.Position); err != nil {
		t.Fatal(err)
	}
}

func TestALostAnswerIsAskedForAgainAndNothingIsStoredTwice(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	var lost atomic.Int32
	f.set(func() {
		f.loseAnswer = func(method string) bool { return method == "message.send" && lost.Add(1)%3 != 0 }
	})
	for i := range 10 {
		if _, err := c.Send(brief(t), room1, strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		sees(t, c, strconv.Itoa(i))
	}
	f.set(func() {
		if n := len(f.rooms[room1]); n != 10 {
			t.Errorf("%d messages are stored, want 10", n)
		}
	})
}

func TestWhatHasNoKeyIsNotAskedAgain(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	f.set(func() { f.loseAnswer = func(method string) bool { return method == "message.send" } })
	err := c.Call(brief(t), "message.send", wire.SendParams{Room: room1, Text: "no key"}, nil)
	if !errors.Is(err, ErrLost) {
		t.Fatalf("err = %v, want ErrLost", err)
	}
}

func TestEventsGoOnAfterABreak(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	for i := range 5 {
		f.say(room1, strconv.Itoa(i))
		sees(t, c, strconv.Itoa(i))
		f.cut()
		f.say(room1, strconv.Itoa(i)+" while away")
		sees(t, c, strconv.Itoa(i)+" while away")
	}
	if s := c.Stats(); s.Connects != 6 || s.Gaps != 0 {
		t.Errorf("stats = %+v", s)
	}
}

// Several events may share a position; a break between them must lose none.
func TestABreakWithinARecordLosesNothing(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	next(t, c, Synced)
	f.set(func() {
		f.swallow = func(e entry) bool { return e.kind == wire.EventMembers }
		f.record(entry{kind: wire.EventJoined, data: wire.RoomRef{Room: room1}},
			entry{kind: wire.EventMembers, data: wire.MembersChanged{Room: room1}})
	})
	joined := next(t, c, wire.EventJoined)
	f.cut()
	next(t, c, Synced)
	members := <-c.Events()
	if members.Type != wire.EventMembers || members.Position != joined.Position {
		t.Fatalf("after the break came %+v", members)
	}
	if d := c.Stats().Duplicates; d != 1 {
		t.Errorf("%d duplicates, want 1: the first half came again", d)
	}
}

func TestAHoleInARoomIsFilled(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	f.say(room1, "0")
	sees(t, c, "0")
	f.set(func() {
		f.swallow = func(e entry) bool { return e.data.(wire.Message).Seq < 9 }
	})
	for i := 1; i < 9; i++ {
		f.say(room1, strconv.Itoa(i))
	}
	for i := 1; i < 9; i++ { // 8 is number 9: it shows the hole
		e := next(t, c, wire.EventMessage)
		if m := e.Data.(*wire.Message); m.Text != strconv.Itoa(i) || e.Filled != (i < 8) {
			t.Fatalf("saw %q (filled %t), want %d", m.Text, e.Filled, i)
		}
	}
	if s := c.Stats(); s.Gaps != 1 || s.Filled != 7 {
		t.Errorf("stats = %+v", s)
	}
}

func TestASlowConsumerMissesNothing(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, func(o *Options) { o.Queue = 4 })
	const n = 200
	for i := range n {
		f.say(room1, strconv.Itoa(i))
	}
	for i := range n {
		sees(t, c, strconv.Itoa(i))
	}
	if s := c.Stats(); s.Resyncs == 0 {
		t.Errorf("the queue was never full: %+v", s)
	}
}

func TestTheServersResetBeginsTheStreamAgain(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	f.say(room1, "a")
	sees(t, c, "a")
	f.set(func() { f.swallow = func(entry) bool { return true } })
	f.say(room1, "b")
	f.tell(wire.EventReset, wire.ResetNotice{Reason: "too slow"})
	sees(t, c, "b")
}

func TestTooFarBackIsAReset(t *testing.T) {
	f := newFake(t)
	f.say(room1, "old")
	f.say(room1, "older")
	f.set(func() { f.floor = origin + 2 })
	c := dialFake(t, f, func(o *Options) { o.Since = origin + 1 })
	s := next(t, c, Synced).Data.(*wire.SyncStart)
	if !s.Reset || len(s.Rooms) != 1 || c.Position() != origin+2 || c.Since() != origin+2 {
		t.Fatalf("reset = %+v, position %d", s, c.Position())
	}
	f.say(room1, "new")
	sees(t, c, "new")
}

func TestMessagesSentBeforeAResetArrive(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, func(o *Options) { o.Queue = 3 })
	f.say(room1, "a")
	f.say(room2, "A")
	sees(t, c, "a", "A")
	f.set(func() { f.swallow = func(entry) bool { return true } })
	for i := range 20 {
		f.say(room1, strconv.Itoa(i))
	}
	f.set(func() { f.floor, f.swallow = f.position, nil })
	f.cut()
	for i := range 20 {
		sees(t, c, strconv.Itoa(i))
	}
	f.say(room2, "B")
	sees(t, c, "B")
	if s := c.Stats(); s.Resets != 2 || s.Filled != 20 || s.Gaps != 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestAHeartbeatSettlesThePosition(t *testing.T) {
	f := newFake(t)
	f.set(func() { f.heartbeat = 5 })
	c := dialFake(t, f, nil)
	position := f.say(room1, "a").Position
	sees(t, c, "a")
	for c.Since() != position {
		if _, err := c.Ping(brief(t)); err != nil { // a round trip
			t.Fatal(err)
		}
	}
}

func TestResumeInALaterProcess(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	f.say(room1, "a")
	f.say(room1, "b")
	sees(t, c, "a", "b")
	since := c.Since()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f.say(room1, "c")
	sees(t, dialFake(t, f, func(o *Options) { o.Since = since }), "b", "c")
}

func TestAcknowledgements(t *testing.T) {
	for _, mode := range []Ack{AckTogether, AckEach, AckNever} {
		f := newFake(t)
		c := dialFake(t, f, func(o *Options) { o.Ack = mode })
		for i := range 20 {
			f.say(room1, strconv.Itoa(i))
		}
		if err := c.WaitPosition(brief(t), origin+20); err != nil {
			t.Fatal(err)
		}
		if mode == AckNever {
			c.Ack(origin + 7)
		}
		want, deadline := map[Ack]uint64{AckTogether: origin + 20, AckEach: origin + 20, AckNever: origin + 7}[mode], time.Now().Add(20*time.Second)
		for {
			var acks []uint64
			f.set(func() { acks = append(acks, f.acks...) })
			if n := len(acks); n > 0 && acks[n-1] == want {
				if mode == AckEach && n != 20 || mode == AckNever && n != 1 {
					t.Errorf("mode %d: acks %v", mode, acks)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("mode %d: acks %v, want the last to be %d", mode, acks, want)
			}
			if _, err := c.Ping(brief(t)); err != nil { // a round trip
				t.Fatal(err)
			}
		}
	}
}

func TestDrainLeavesAndComesBack(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	next(t, c, Synced)
	f.tell(wire.EventDrain, wire.Drain{ReconnectAfterMS: 20})
	next(t, c, Synced)
	f.say(room1, "back")
	sees(t, c, "back")
	if s := c.Stats(); s.Connects != 2 {
		t.Errorf("stats = %+v", s)
	}
}

// A connection that broke before anybody looked has been there.
func TestDialSucceedsWhenTheConnectionBreaksAtOnce(t *testing.T) {
	f := newFake(t)
	for range 50 {
		c, err := Dial(brief(t), Options{URL: f.url(), Token: "good", Backoff: time.Hour, OnEvent: func(e Event) {
			if e.Type == Synced {
				f.cut()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFirstFrameCarriesTheTokenWhereTheHeaderWasLost(t *testing.T) {
	f := newFake(t)
	f.set(func() { f.header = false })
	c := dialFake(t, f, nil)
	f.say(room1, "a")
	sees(t, c, "a")
}

func TestARefusedTokenEndsTheClient(t *testing.T) {
	f := newFake(t)
	_, err := Dial(brief(t), Options{URL: f.url(), Token: "bad"})
	var e *wire.Error
	if !errors.As(err, &e) || e.Kind != wire.Unauthenticated {
		t.Fatalf("err = %v", err)
	}
	c := dialFake(t, f, nil)
	f.set(func() { f.refuse = wire.Refuse(wire.Unauthenticated, "revoked", "已吊销") })
	f.cut()
	for e := range c.Events() {
		if e.Type != Synced {
			t.Errorf("event %+v", e)
		}
	}
	if !errors.As(c.Err(), &e) || e.Kind != wire.Unauthenticated {
		t.Fatalf("Err = %v", c.Err())
	}
	if _, err := c.Send(brief(t), room1, "x"); err == nil {
		t.Fatal("a dead client sends")
	}
}

func TestLoginConnects(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, func(o *Options) { o.Token = "" })
	var e *wire.Error
	if _, err := c.Ping(brief(t)); !errors.As(err, &e) || e.Kind != wire.Unauthenticated {
		t.Fatalf("ping before login: %v", err)
	}
	if info, err := c.Info(brief(t)); err == nil || info.Ready {
		t.Fatal("the fake wants a token here")
	}
	if _, err := c.Login(brief(t), "ann", "wrong"); !errors.As(err, &e) || e.Kind != wire.Unauthenticated {
		t.Fatalf("wrong password: %v", err)
	}
	if _, err := c.Login(brief(t), "ann", "right"); err != nil {
		t.Fatal(err)
	}
	if !c.Connected() || c.Token() != goodToken {
		t.Fatal("not connected after login")
	}
}

func TestSendWaitsForAServerThatIsUnavailable(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	refusal := wire.Refuse(wire.Unavailable, "starting", "正在启动")
	refusal.RetryAfter = 1
	f.set(func() { f.refuse = refusal })
	time.AfterFunc(30*time.Millisecond, func() { f.set(func() { f.refuse = nil }) })
	if _, err := c.Send(brief(t), room1, "patient"); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.refuse = refusal })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, room1, "too long"); err == nil {
		t.Fatal("sent by a server that refuses")
	}
}

func TestManySendersAndBreaks(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	const senders, each = 8, 25
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				if _, err := c.Send(brief(t), room1, strconv.Itoa(s*each+i)); err != nil {
					t.Error(err)
				}
				if i%8 == s {
					c.Drop()
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for range senders * each {
		seen[next(t, c, wire.EventMessage).Data.(*wire.Message).Text] = true
	}
	if len(seen) != senders*each {
		t.Errorf("%d different messages, want %d", len(seen), senders*each)
	}
	f.set(func() {
		if n := len(f.rooms[room1]); n != senders*each {
			t.Errorf("%d messages are stored, want %d", n, senders*each)
		}
	})
}

func TestCallbackInsteadOfAChannel(t *testing.T) {
	f := newFake(t)
	var got atomic.Int32
	c := dialFake(t, f, func(o *Options) {
		o.OnEvent = func(e Event) {
			if e.Type == wire.EventMessage {
				got.Add(1)
			}
		}
	})
	for range 50 {
		f.say(room1, "x")
	}
	if err := c.WaitPosition(brief(t), origin+50); err != nil || got.Load() != 50 || c.Events() != nil {
		t.Fatalf("%d events, %v", got.Load(), err)
	}
}

func TestCloseEndsThoseWhoWait(t *testing.T) {
	f := newFake(t)
	c := dialFake(t, f, nil)
	waited := make(chan error, 1)
	go func() { waited <- c.WaitPosition(context.Background(), 1<<40) }()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; !errors.Is(err, ErrClosed) {
		t.Fatalf("wait = %v", err)
	}
	if _, err := c.Send(brief(t), room1, "x"); !errors.Is(err, ErrClosed) {
		t.Fatalf("send = %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	f := serveFake(t, l)
	c, err := Dial(brief(t), Options{UnixSocket: path, Token: goodToken})
	if err != nil {
		t.Fatal(err)
	}
	f.say(room1, "a")
	sees(t, c, "a")
	if _, err := c.HTTP.History(brief(t), wire.HistoryParams{Room: room1, Limit: 1}); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
