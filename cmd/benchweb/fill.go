package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// filled is what the server holds: an account "few" with the large room and a
// few others, and "many" with many rooms.
type filled struct {
	boss     *client.Client // member of all rooms
	large    id.ID
	messages int
	many     []id.ID
}

const (
	fewRooms = 20
	members  = 16 // of the large room
)

func fill(ctx context.Context, s *server, o options) (*filled, error) {
	boss, err := client.Dial(ctx, client.Options{URL: "http://" + s.local})
	if err != nil {
		return nil, err
	}
	setup := wire.SetupParams{Token: s.setup, Organisation: "Bench", Login: "boss", Name: "王经理 Boss", Password: password}
	session, err := boss.HTTP.Setup(ctx, setup)
	if err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	if err := boss.Connect(ctx); err != nil { // it waits when it is told to call less often
		return nil, err
	}
	var people []id.ID
	for i := range members - 1 {
		login, name := fmt.Sprintf("p%03d", i), fmt.Sprintf("同事 Colleague %03d", i)
		switch i {
		case 0:
			login = "few"
		case 1:
			login = "many"
		}
		u, err := boss.CreateUser(ctx, wire.UserCreate{Login: login, Name: name, Password: password})
		if err != nil {
			return nil, fmt.Errorf("make an account: %w", err)
		}
		people = append(people, u.ID)
	}
	s.stop()
	began := time.Now()
	f := &filled{boss: boss, messages: o.messages}
	if err := f.write(ctx, s.dir, session.User.ID, people, o); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "%d messages and %d rooms written in %s\n", o.messages, o.rooms, time.Since(began).Round(time.Second))
	return f, s.start(ctx)
}

// writer writes into the data directory of a server that is stopped.
type writer struct {
	q     *sequencer.Sequencer
	actor state.Actor
	wait  sync.WaitGroup
	mu    sync.Mutex
	err   error
}

func (f *filled) write(ctx context.Context, dir string, boss id.ID, people []id.ID, o options) (err error) {
	st, err := state.Open(filepath.Join(dir, "state.db"), state.Options{Limits: state.Limits{RoomsPerUser: 1 << 30}})
	if err != nil {
		return err
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Witness: st.Flushed()})
	if err != nil {
		st.Abandon()
		return err
	}
	w := &writer{actor: state.Actor{User: boss}}
	if w.q, err = sequencer.Start(j, st, sequencer.Options{Fatal: w.failed}); err != nil {
		st.Abandon()
		return errors.Join(err, j.Close())
	}
	large := w.rooms(ctx, "large 大房间", 1, people)
	w.rooms(ctx, "small", fewRooms, people[:1])
	f.many = w.rooms(ctx, "room", o.rooms, people[1:2])
	if len(large) == 1 {
		f.large = large[0]
		w.send(ctx, o.messages, func(i int) (id.ID, string) {
			return f.large, fmt.Sprintf("message %d of many: **bold** words, 一些中文文字, and a link https://example.org/%d", i, i)
		})
	}
	return errors.Join(w.err, w.q.Close(context.Background()), st.Close(), j.Close())
}

func (w *writer) failed(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errors.Join(w.err, err)
}

// rooms makes rooms of the boss and others with a message in each.
func (w *writer) rooms(ctx context.Context, name string, n int, with []id.ID) []id.ID {
	made := make([]id.ID, n)
	w.all(ctx, n, func(i int) state.Command {
		return &state.CreateRoom{Form: wire.Group, Name: fmt.Sprintf("%s %04d 项目", name, i), Members: with}
	}, func(i int, r sequencer.Result) { made[i] = r.Room })
	if w.err != nil {
		return nil
	}
	w.send(ctx, n, func(i int) (id.ID, string) { return made[i], fmt.Sprintf("the first words, 第一句话 %d", i) })
	return made
}

func (w *writer) send(ctx context.Context, n int, text func(i int) (id.ID, string)) {
	w.all(ctx, n, func(i int) state.Command {
		key := uuid.New()
		room, words := text(i)
		return &state.SendMessage{Room: room, Key: key[:], Text: words}
	}, func(int, sequencer.Result) {})
}

// all submits n commands, a thousand at a time, in order.
func (w *writer) all(ctx context.Context, n int, command func(i int) state.Command, done func(i int, r sequencer.Result)) {
	for from := 0; from < n && w.err == nil; from += 1000 {
		for i := from; i < min(n, from+1000); i++ {
			w.wait.Add(1)
			w.q.Go(ctx, w.actor, command(i), func(r sequencer.Result, err error) {
				defer w.wait.Done()
				w.failed(err)
				if err == nil {
					done(i, r)
				}
			})
		}
		w.wait.Wait()
	}
}
