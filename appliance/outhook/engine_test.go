package outhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/netguard"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock stands still until a test moves it.
type clock struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     time.Time
	waits   map[chan time.Time]time.Time
}

func newClock() *clock {
	c := &clock{now: time.Now().Truncate(time.Millisecond), waits: map[chan time.Time]time.Time{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) alarm(at time.Time) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	if !at.After(c.now) {
		ch <- c.now
		return ch
	}
	c.waits[ch] = at
	c.changed.Broadcast()
	return ch
}

// pass waits until somebody waits for exactly so long, and lets it pass.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for _, at := range c.waits {
			if at.Equal(c.now.Add(d)) {
				c.now = at
				for ch, at := range c.waits {
					if !at.After(c.now) {
						ch <- c.now
						delete(c.waits, ch)
					}
				}
				return
			}
		}
		c.changed.Wait()
	}
}

// office is a room with a person in it, its journal, and an engine beside it.
type office struct {
	t     *testing.T
	dir   string
	s     *state.State
	q     *sequencer.Sequencer
	e     *Engine
	clock *clock
	ann   id.ID
	room  id.ID
	opt   Options
}

// patience is how long a hook may take to answer.
const patience = 4 * time.Second

func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), clock: newClock()}
	var err error
	o.s, err = state.Open(filepath.Join(o.dir, "state.db"), state.Options{Check: true})
	must(t, err)
	j, err := journal.Open(filepath.Join(o.dir, "journal"), journal.Options{})
	must(t, err)
	o.q, err = sequencer.Start(j, o.s, sequencer.Options{Now: o.clock.time})
	must(t, err)
	t.Cleanup(func() { must(t, errors.Join(o.q.Close(context.Background()), o.s.Close(), j.Close())) })
	r := o.submit(state.Actor{}, &state.OpenAccount{Setup: true, Organisation: "Acme", User: record.User{Login: "ann", Name: "Ann"}})
	o.ann = r.Body.(*record.AccountOpened).User.ID
	o.room = o.submit(o.as(), &state.CreateRoom{Form: wire.Channel, Name: "ops"}).Room
	guard, err := netguard.New(netguard.Options{Allowed: []string{"127.0.0.1"}})
	must(t, err)
	o.opt = Options{Journal: o.q, State: o.s, Client: guard.Client(patience), Now: o.clock.time, Alarm: o.clock.alarm,
		Post: func(ctx context.Context, h *record.Hook, room id.ID, text string, key [16]byte) error {
			_, err := o.q.Submit(ctx, state.Actor{User: h.Bot}, &state.SendMessage{Room: room, Hook: h.ID, Key: key[:], Text: text})
			return err
		}}
	o.open("hooks.db")
	return o
}

func (o *office) open(name string) {
	o.t.Helper()
	e, err := Open(filepath.Join(o.dir, name), o.opt)
	must(o.t, err)
	e.Start()
	o.e = e
	o.t.Cleanup(func() { must(o.t, o.closed(e)) })
}

func (o *office) as() state.Actor { return state.Actor{User: o.ann} }

func (o *office) submit(a state.Actor, c state.Command) sequencer.Result {
	o.t.Helper()
	r, err := o.q.Submit(context.Background(), a, c)
	must(o.t, err)
	return r
}

func (o *office) hook(url string, change ...func(h *record.Hook)) record.Hook {
	o.t.Helper()
	h := record.Hook{Form: "outgoing", Room: o.room, Name: "out", URL: url, Secret: "SEC0123456789abcdef", Lang: "en"}
	for _, f := range change {
		f(&h)
	}
	return o.submit(o.as(), &state.MakeHook{Hook: h}).Body.(*record.HookMade).Hook
}

func (o *office) say(text string) id.Message {
	o.t.Helper()
	key := uuid.New()
	return o.submit(o.as(), &state.SendMessage{Room: o.room, Key: key[:], Text: text}).Ref
}

// until waits for something the engine does.
func (o *office) until(what string, is func() bool) {
	o.t.Helper()
	end := time.After(time.Minute)
	for look := time.NewTicker(2 * time.Millisecond); !is(); {
		select {
		case <-end:
			o.t.Fatalf("waited in vain: %s", what)
		case <-look.C:
		}
	}
}

func (o *office) queue(h record.Hook, waiting, dead int) {
	o.t.Helper()
	o.until(fmt.Sprintf("%d waiting and %d dead", waiting, dead), func() bool {
		w, d := o.e.Queue(h.ID)
		return w == waiting && d == dead && o.e.Seen() == o.q.Position()
	})
}

func (o *office) texts() (out []string) {
	o.t.Helper()
	page, err := o.s.History(wire.HistoryParams{Room: o.room, FromStart: true, Limit: 200})
	must(o.t, err)
	for _, m := range page.Messages {
		if m.Change == nil {
			out = append(out, m.Text)
		}
	}
	return out
}

// target is a program that hooks call.
type target struct {
	*httptest.Server
	mu     sync.Mutex
	got    []requestBody
	header []http.Header
	raw    [][]byte
	answer func(w http.ResponseWriter, r *http.Request)
}

func newTarget(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *target {
	x := &target{answer: answer}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var b requestBody
		if err != nil || json.Unmarshal(raw, &b) != nil {
			t.Errorf("a request that is none: %s %v", raw, err)
		}
		x.mu.Lock()
		x.got, x.header, x.raw = append(x.got, b), append(x.header, r.Header.Clone()), append(x.raw, raw)
		answer := x.answer
		x.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(func() {
		x.CloseClientConnections()
		x.Close()
	})
	return x
}

func (x *target) set(answer func(w http.ResponseWriter, r *http.Request)) {
	x.mu.Lock()
	x.answer = answer
	x.mu.Unlock()
}

func (x *target) seen() []requestBody {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]requestBody{}, x.got...)
}

func status(n int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
}

func says(text string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"text": text})
	}
}

func TestAMessageIsToldSignedAndInOrder(t *testing.T) {
	o := openOffice(t)
	o.say("before the hook was made")
	x := newTarget(t, nil)
	h := o.hook(x.URL)
	for i := range 20 {
		o.say(fmt.Sprint("m", i))
	}
	o.queue(h, 0, 0)
	got := x.seen()
	if len(got) != 20 {
		t.Fatalf("%d requests, want 20", len(got))
	}
	for i, b := range got {
		if b.Event != "message" || b.Message == nil || b.Message.Text != fmt.Sprint("m", i) || b.Room.Name != "ops" || b.Sender.Login != "ann" {
			t.Errorf("%d: %+v", i, b)
		}
		at, sum, _ := strings.Cut(strings.TrimPrefix(x.header[i].Get("X-Posthouse-Signature"), "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(h.Secret))
		mac.Write([]byte(at + "." + string(x.raw[i])))
		if sum != hex.EncodeToString(mac.Sum(nil)) || x.header[i].Get("X-Posthouse-Delivery") != b.Delivery || x.header[i].Get("X-Posthouse-Attempt") != "1" {
			t.Errorf("%d: headers %v", i, x.header[i])
		}
	}
	counted := o.e.Counts().Of(h.ID)
	if counted.Delivered != 20 || counted.Refused != 0 {
		t.Errorf("counted %+v", counted)
	}
	must(t, o.e.Close())
	o.open("hooks.db")
	if s := o.e.Counts().Of(h.ID); s != counted || o.e.Seen() != o.q.Position() {
		t.Errorf("after a restart %+v, at %d", s, o.e.Seen())
	}
}

func TestAnswersArePostedOnceAndStartNoLoop(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, says("pong @all [x](javascript:alert(1)) **bold**"))
	y := newTarget(t, says("echo"))
	h, g := o.hook(x.URL), o.hook(y.URL)
	o.say("ping")
	o.queue(h, 0, 0)
	o.queue(g, 0, 0)
	if len(x.seen()) != 1 || len(y.seen()) != 1 {
		t.Fatalf("%d and %d requests, want one each", len(x.seen()), len(y.seen()))
	}
	all := strings.Join(o.texts(), "|")
	if len(o.texts()) != 3 || !strings.Contains(all, "pong @\u200ball") || !strings.Contains(all, "**bold**") || !strings.Contains(all, "echo") {
		t.Errorf("the room holds %q", all)
	}
	// The same delivery again, as after a crash, posts nothing new.
	r, entry := ref{h.ID, o.q.Position(), 0}, entry{Room: o.room}
	o.e.reply(&h, r, &entry, []byte(`{"text":"once"}`))
	o.e.reply(&h, r, &entry, []byte(`{"text":"once"}`))
	if n := strings.Count(strings.Join(o.texts(), "|"), "once"); n != 1 {
		t.Errorf("posted %d times", n)
	}
}

func TestATargetThatFailsIsTriedAgainThenGivenUp(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, status(500))
	h := o.hook(x.URL)
	o.say("first")
	o.say("second")
	for _, d := range (Options{}).withDefaults().Backoff {
		o.clock.pass(d)
	}
	// The first is given up after its seventh try; the second, as old, has one.
	o.queue(h, 0, 2)
	got := x.seen()
	if len(got) != 8 || got[6].Message.Text != "first" || got[7].Message.Text != "second" || x.header[6].Get("X-Posthouse-Attempt") != "7" || got[0].Delivery != got[6].Delivery {
		t.Fatalf("%d requests", len(got))
	}
	list, more, err := o.e.Dead(h.ID, 10)
	must(t, err)
	if len(list) != 2 || more || list[0].Attempts != 7 || list[1].Attempts != 1 || !strings.Contains(list[0].Error, "500") || list[0].Seq >= list[1].Seq {
		t.Fatalf("%+v", list)
	}
	x.set(nil)
	n, err := o.e.Retry(h.ID, []string{list[1].ID})
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	o.queue(h, 0, 1)
	if got := x.seen(); got[8].Message.Text != "second" {
		t.Errorf("retried %+v", got[8])
	}
	if _, err := o.e.Retry(h.ID, []string{"nonsense"}); err == nil {
		t.Error("a delivery that is none is taken")
	}
	if n, err := o.e.Discard(h.ID, nil); n != 1 || err != nil {
		t.Error(n, err)
	}
	o.queue(h, 0, 0)
	if s := o.e.Counts().Of(h.ID); s.Refused != 8 || s.Delivered != 1 || s.Why == "" {
		t.Errorf("counted %+v", s)
	}
}

func TestOneTargetDelaysNoOther(t *testing.T) {
	o := openOffice(t)
	release := make(chan struct{})
	hangs := newTarget(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	floods := newTarget(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		chunk := []byte(strings.Repeat("x", 64<<10))
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	slams := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			c.Close()
		}
	})
	moves := newTarget(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
	})
	good := newTarget(t, nil)
	h1, h2, h3, h4, h5 := o.hook(hangs.URL), o.hook(floods.URL), o.hook(slams.URL), o.hook(moves.URL), o.hook("http://127.0.0.2:9/")
	g := o.hook(good.URL)
	began := time.Now()
	for i := range 5 {
		o.say(fmt.Sprint("m", i))
	}
	o.queue(g, 0, 0)
	if took := time.Since(began); len(good.seen()) != 5 || took >= patience {
		t.Errorf("%d requests after %s", len(good.seen()), took)
	}
	for h, why := range map[id.ID]string{h1.ID: "in time", h3.ID: "no answer", h4.ID: "307", h5.ID: "not allowed"} {
		o.until(why, func() bool { return strings.Contains(o.e.Counts().Of(h).Why, why) })
	}
	// What flooded was a 2xx, of which a little was read.
	o.until("the flood", func() bool { return o.e.Counts().Of(h2.ID).Delivered == 5 })
	if why := o.e.Counts().Of(h3.ID).Why; strings.Contains(why, slams.URL) {
		t.Errorf("the reason holds the address: %s", why)
	}
}

func TestWhatWaitsSurvivesAKill(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, status(503))
	h := o.hook(x.URL)
	o.say("one")
	o.say("two")
	o.until("the first try is written down", func() bool {
		_, first, ok, err := o.e.first(h.ID)
		return ok && err == nil && first.Attempts == 1
	})
	o.queue(h, 2, 0)
	// What is on the disk now is what a killed process leaves.
	raw, err := os.ReadFile(filepath.Join(o.dir, "hooks.db"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(o.dir, "after.db"), raw, 0o600))
	must(t, o.e.Close())
	o.say("three, while nobody followed")
	x.set(nil)
	o.open("after.db")
	o.clock.pass(10 * time.Second)
	o.queue(h, 0, 0)
	got := x.seen()
	if len(got) != 4 || got[1].Message.Text != "one" || got[2].Message.Text != "two" || got[3].Message.Text != "three, while nobody followed" ||
		got[0].Delivery != got[1].Delivery || x.header[1].Get("X-Posthouse-Attempt") != "2" {
		t.Fatalf("%d requests: %+v", len(got), got)
	}
}

func TestAClockThatIsSetBackHoldsNothingUp(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, status(503))
	h := o.hook(x.URL)
	o.say("one")
	o.until("the first try is written down", func() bool {
		_, first, ok, err := o.e.first(h.ID)
		return ok && err == nil && first.Attempts == 1
	})
	must(t, o.e.Close())
	x.set(nil)
	o.clock.mu.Lock()
	o.clock.now = o.clock.now.Add(-24 * time.Hour)
	o.clock.mu.Unlock()
	o.open("hooks.db")
	o.queue(h, 0, 0)
	if got := x.seen(); len(got) != 2 {
		t.Errorf("%d requests, want 2", len(got))
	}
}

func TestADamagedFileIsPutAside(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, nil)
	h := o.hook(x.URL)
	o.say("one")
	o.queue(h, 0, 0)
	must(t, o.e.Close())
	path := filepath.Join(o.dir, "hooks.db")
	sound, err := os.ReadFile(path)
	must(t, err)
	tail := append([]byte{}, sound...)
	copy(tail[2*os.Getpagesize():], bytes.Repeat([]byte{0xff}, len(tail)-2*os.Getpagesize()))
	for what, raw := range map[string][]byte{"no database": []byte(strings.Repeat("x", len(sound))), "pages": tail} {
		must(t, os.WriteFile(path, raw, 0o600))
		o.open("hooks.db")
		kept, err := os.ReadFile(path + ".damaged")
		if err != nil || !bytes.Equal(kept, raw) {
			t.Errorf("%s: what was damaged is not kept: %v", what, err)
		}
		o.say("after " + what)
		o.queue(h, 0, 0)
		if got := x.seen(); got[len(got)-1].Message.Text != "after "+what {
			t.Errorf("%s: %+v", what, got)
		}
		must(t, o.e.Close())
	}
}

func TestWhatIsToldOf(t *testing.T) {
	o := openOffice(t)
	x, y := newTarget(t, nil), newTarget(t, nil)
	h := o.hook(x.URL, func(h *record.Hook) { h.Events = wire.HookEvents() })
	w := o.hook(y.URL, func(h *record.Hook) { h.Words = []string{"deploy", "部署"} })
	m := o.say("hello")
	o.submit(o.as(), &state.EditMessage{Message: m, Text: "hello you"})
	o.queue(h, 0, 0)
	o.submit(o.as(), &state.RecallMessage{Message: m})
	bo := o.submit(o.as(), &state.OpenAccount{User: record.User{Login: "bo", Name: "Bo"}}).Body.(*record.AccountOpened).User.ID
	o.submit(o.as(), &state.AddMembers{Room: o.room, Users: []id.ID{bo}})
	o.say("Deploy now")
	o.say("部署 payment")
	o.say("please deploy")
	o.queue(h, 0, 0)
	o.queue(w, 0, 0)
	var events []string
	for _, b := range x.seen() {
		events = append(events, b.Event)
		if b.Event == "recalled" && (b.Message.Text != "" || b.Message.Recalled == nil) {
			t.Errorf("told of what was recalled: %+v", b.Message)
		}
	}
	if got := strings.Join(events, " "); got != "message edited recalled members message message message" {
		t.Errorf("told %s", got)
	}
	if got := y.seen(); len(got) != 2 || got[0].Message.Text != "Deploy now" {
		t.Errorf("words: %+v", got)
	}
}

func TestADisabledHookWaitsAndARemovedOneIsForgotten(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, status(500))
	h := o.hook(x.URL)
	o.say("one")
	o.until("a try", func() bool { return o.e.Counts().Of(h.ID).Refused == 1 })
	o.submit(o.as(), &state.UpdateHook{Hook: h.ID, Change: func(h *record.Hook) { h.Disabled = true }})
	o.say("while it is disabled")
	o.queue(h, 1, 0)
	x.set(nil)
	o.clock.mu.Lock()
	o.clock.now = o.clock.now.Add(time.Hour)
	o.clock.mu.Unlock()
	o.submit(o.as(), &state.UpdateHook{Hook: h.ID, Change: func(h *record.Hook) { h.Disabled = false }})
	o.queue(h, 0, 0)
	if got := x.seen(); len(got) != 2 || got[1].Message.Text != "one" {
		t.Errorf("%+v", got)
	}
	x.set(status(500))
	o.say("two")
	o.until("a try", func() bool { return o.e.Counts().Of(h.ID).Refused == 2 })
	o.submit(o.as(), &state.RemoveHook{Hook: h.ID})
	o.until("it is forgotten", func() bool { w, d := o.e.Queue(h.ID); return w+d == 0 && o.e.Counts().Of(h.ID) == (Stat{}) })
}

func TestAQueueIsBounded(t *testing.T) {
	o := openOffice(t)
	must(t, o.e.Close())
	o.opt.Queue, o.opt.Dead = 3, 2
	o.open("small.db")
	x := newTarget(t, status(500))
	h := o.hook(x.URL)
	for i := range 8 {
		o.say(fmt.Sprint(i))
	}
	o.queue(h, 3, 2)
	list, _, err := o.e.Dead(h.ID, 10)
	must(t, err)
	if !strings.Contains(list[0].Error, "too many") {
		t.Errorf("%+v", list)
	}
}

// closed closes an engine that the test may have closed already.
func (o *office) closed(e *Engine) error {
	e.mu.Lock()
	done := e.closed
	e.mu.Unlock()
	if done {
		return nil
	}
	return e.Close()
}
