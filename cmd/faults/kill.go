package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// The kill harness: kill -9 of the server at random moments under load. This
// process is the observer: it holds every answer that a client got, and
// compares after the last restart.

const (
	killClients = 8
	killGroups  = 3
)

// killer is one run.
type killer struct {
	*run
	srv    *server
	people []person
	rooms  []killRoom
	acked  atomic.Int64
	again  atomic.Int64
	uses   []*killUser
	follow *follower
	starts []time.Duration
	owner  id.ID
}

type killRoom struct {
	id      id.ID
	members []int // of people
}

func runKill(r *run) (string, error) {
	kills := r.count(6, 200, 10000)
	k := &killer{run: r}
	if err := k.begin(); err != nil {
		return "", err
	}
	defer k.srv.kill()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var load sync.WaitGroup
	if err := k.load(ctx, &load); err != nil {
		return "", err
	}
	err := k.shoot(kills)
	cancel()
	load.Wait()
	if err != nil {
		return "", err
	}
	if err := k.check(); err != nil {
		return "", err
	}
	if len(k.uses[0].files) == 0 && k.size > tiny {
		r.violation("no upload was ever acknowledged")
	}
	k.close()
	if code := k.srv.stop(); code != 0 {
		r.violation("the server ended with %d: %s", code, k.srv.lastWords())
	}
	k.srv.verify(r)
	slices.Sort(k.starts)
	later, notices := 0, 0
	for _, u := range k.uses {
		later, notices = later+len(u.later), notices+len(u.notices)
	}
	return fmt.Sprintf("%d kills, %d messages acknowledged, %d answered again for a key, %d scheduled, %d notices; restart median %d ms, p99 %d ms, max %d ms",
		kills, k.acked.Load(), k.again.Load(), later, notices, at(k.starts, 50).Milliseconds(), at(k.starts, 99).Milliseconds(), at(k.starts, 100).Milliseconds()), nil
}

// at is a percentile of a sorted list.
func at(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

func (k *killer) begin() error {
	bin, err := k.posthouse()
	if err != nil {
		return err
	}
	if k.srv, err = newServer(bin, filepath.Join(k.dir, "data"), append(freely(), "journal.segment_bytes=1MiB")...); err != nil {
		return err
	}
	if err := k.srv.start(k.ctx); err != nil {
		return err
	}
	owner, err := k.srv.setup(k.ctx)
	if err != nil {
		return err
	}
	k.owner = owner.User.ID
	if k.people, err = k.srv.people(k.ctx, owner.Token, killClients+1); err != nil {
		return err
	}
	h, err := k.srv.http(k.people[0].token)
	if err != nil {
		return err
	}
	defer h.Close()
	everybody := []int{}
	var ids []id.ID
	for i, p := range k.people {
		everybody, ids = append(everybody, i), append(ids, p.id)
	}
	for i := range killGroups {
		room, err := h.CreateRoom(k.ctx, wire.RoomCreate{Kind: wire.Group, Name: fmt.Sprint("group ", i), Members: ids[1:]})
		if err != nil {
			return err
		}
		k.rooms = append(k.rooms, killRoom{room.ID, everybody})
	}
	for i := 1; i < 4; i++ {
		room, err := h.Direct(k.ctx, ids[i])
		if err != nil {
			return err
		}
		k.rooms = append(k.rooms, killRoom{room.ID, []int{0, i}})
	}
	return nil
}

func (k *killer) dial(ctx context.Context, p person, on func(client.Event)) (*client.Client, error) {
	return client.Dial(ctx, client.Options{URL: k.srv.url(), Token: p.token, Backoff: 4 * time.Millisecond, Timeout: 10 * time.Second, OnEvent: on})
}

func (k *killer) load(ctx context.Context, wg *sync.WaitGroup) error {
	h, err := k.srv.http(k.people[killClients].token)
	if err != nil {
		return err
	}
	defer h.Close()
	k.follow = newFollower(k.run)
	rooms, err := h.Rooms(ctx)
	if err != nil {
		return err
	}
	for _, room := range rooms.Rooms {
		k.follow.heads[room.ID] = room.Head
	}
	if k.follow.c, err = k.dial(ctx, k.people[killClients], k.follow.event); err != nil {
		return err
	}
	for i := range killClients {
		u := &killUser{k: k, n: i, rng: k.rng(uint64(i)), read: map[id.ID]uint64{}}
		for _, room := range k.rooms {
			if slices.Contains(room.members, i) {
				u.rooms = append(u.rooms, room.id)
			}
		}
		if u.c, err = k.dial(ctx, k.people[i], func(client.Event) {}); err != nil {
			return err
		}
		k.uses = append(k.uses, u)
		wg.Go(func() { u.work(ctx) })
	}
	wg.Go(func() { k.uses[0].uploads(ctx) })
	return nil
}

// shoot kills the server at random moments and starts it again.
func (k *killer) shoot(kills int) error {
	rng := k.rng(1000)
	for i := range kills {
		was := k.acked.Load()
		for until := time.Now().Add(time.Minute); k.acked.Load() == was; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				return fmt.Errorf("after kill %d nothing was acknowledged for a minute: %s", i, k.srv.lastWords())
			}
			if k.ctx.Err() != nil {
				return k.ctx.Err()
			}
		}
		time.Sleep(time.Duration(rng.Int64N(int64(250 * time.Millisecond))))
		k.srv.kill()
		began := time.Now()
		if err := k.srv.start(k.ctx); err != nil {
			return fmt.Errorf("start after kill %d: %w", i+1, err)
		}
		k.starts = append(k.starts, time.Since(began))
		if (i+1)%50 == 0 {
			k.say("kill: %d of %d, %d acknowledged", i+1, kills, k.acked.Load())
		}
		if k.broken() {
			break
		}
	}
	return nil
}

// killUser is one client: what it sent, and what it was answered.
type killUser struct {
	k     *killer
	n     int
	c     *client.Client
	rng   *rand.Rand
	rooms []id.ID

	mu    sync.Mutex // work and uploads of user 0 share it
	sent  []*killMessage
	read  map[id.ID]uint64
	files []killFile

	later   []killLater
	notices []killLater
}

// killMessage is what is known of one message: in the order of sending.
type killMessage struct {
	room     id.ID
	key      string
	text     string
	seq      uint64 // 0 = never answered
	position uint64
	edits    []attempt
	likes    []attempt
	file     id.ID
}

// attempt is a change that was asked for and perhaps answered.
type attempt struct {
	what string
	sure bool
}

type killFile struct {
	f   wire.File
	sum [32]byte
}

// work sends one message after the other, each until it is answered, as a
// person's outbox does, and now and then changes one.
func (u *killUser) work(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		u.send(ctx, i)
		if ctx.Err() != nil || len(u.sent) == 0 {
			continue
		}
		m := u.sent[u.rng.IntN(len(u.sent))]
		if m.seq == 0 {
			continue
		}
		switch u.rng.IntN(12) {
		case 3:
			u.clock(ctx, i)
		case 0:
			text := fmt.Sprintf("edit %d of client %d", i, u.n)
			m.edits = append(m.edits, attempt{text, u.once(ctx, "message.edit", wire.EditParams{Message: id.Message{Room: m.room, Seq: m.seq}, Text: text})})
		case 1:
			emoji := fmt.Sprintf("e%d", i)
			m.likes = append(m.likes, attempt{emoji, u.once(ctx, "message.react", wire.ReactParams{Message: id.Message{Room: m.room, Seq: m.seq}, Emoji: emoji, On: true})})
		case 2:
			if u.once(ctx, "room.read", wire.ReadParams{Room: m.room, Seq: m.seq}) {
				u.read[m.room] = max(u.read[m.room], m.seq)
			}
		}
	}
}

// once asks for a change that carries no key. It is true when it was
// acknowledged; otherwise it may have happened or not.
func (u *killUser) once(ctx context.Context, method string, params any) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := u.c.Call(ctx, method, params, nil)
	var e *wire.Error
	if errors.As(err, &e) && e.Kind != wire.Unavailable && e.Kind != wire.RateLimited {
		u.k.violation("client %d: %s: %v", u.n, method, err)
	}
	return err == nil
}

func (u *killUser) send(ctx context.Context, i int) {
	m := &killMessage{room: u.rooms[u.rng.IntN(len(u.rooms))], key: client.NewKey(), text: fmt.Sprintf("client %d message %d %x", u.n, i, u.rng.Uint64())}
	p := wire.SendParams{Room: m.room, Key: m.key, Text: m.text}
	u.mu.Lock()
	if n := len(u.files); n > 0 && i%5 == 0 {
		m.file = u.files[n-1].f.ID
		p.Files = []id.ID{m.file}
	}
	u.sent = append(u.sent, m)
	u.mu.Unlock()
	var got wire.Sent
	err := u.c.Call(ctx, "message.send", p, &got)
	if err != nil {
		if ctx.Err() == nil {
			u.k.violation("client %d: message %d was refused: %v", u.n, i, err)
		}
		return
	}
	m.seq, m.position = got.Seq, got.Position
	u.k.acked.Add(1)
	if got.Again {
		u.k.again.Add(1)
	}
}
