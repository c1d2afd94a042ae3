package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// person is an account with its device tokens.
type person struct {
	user   id.ID
	tokens []string
}

// callers is how many calls of the operator are under way at once: they share
// the journal's flushes.
const callers = 48

// people makes accounts with so many devices each, as the operator, on a server
// that has none.
func (c *child) people(ctx context.Context, n, devices int) ([]person, error) {
	h, err := client.NewHTTP(client.Options{UnixSocket: c.socket, Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	list := make([]person, n)
	create := func(i int, role wire.Role) error {
		var made wire.UserResult
		name := fmt.Sprintf("bench%d", i)
		err := h.Call(ctx, "user.create", wire.UserCreate{Login: name, Name: name, Role: role}, &made)
		list[i].user = made.User.ID
		list[i].tokens = make([]string, devices)
		return err
	}
	err = create(0, wire.Owner) // the first must be one
	if err == nil {
		err = together(n-1, func(i int) error { return create(i+1, wire.Member) })
	}
	if err != nil {
		return nil, fmt.Errorf("make accounts: %w", err)
	}
	if err := together(n*devices, func(i int) error {
		p := &list[i%n]
		var made wire.Session
		err := h.Call(ctx, "user.token", wire.TokenCreate{User: p.user, Name: "bench"}, &made)
		p.tokens[i/n] = made.Token
		return err
	}); err != nil {
		return nil, fmt.Errorf("make tokens: %w", err)
	}
	return list, nil
}

// together calls f for 0 to n-1, several at a time, and gives the first
// errors.
func together(n int, f func(i int) error) error {
	var work sync.WaitGroup
	var mu sync.Mutex
	var failed error
	next := 0
	for range min(callers, n) {
		work.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := failed != nil || i >= n
				mu.Unlock()
				if stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	work.Wait()
	return failed
}

// group makes a room of all people; the first is its owner.
func (c *child) group(ctx context.Context, people []person) (id.ID, error) {
	h, err := client.NewHTTP(client.Options{URL: "http://" + c.addr, Token: people[0].tokens[0], Timeout: time.Minute})
	if err != nil {
		return 0, err
	}
	defer h.Close()
	var made wire.RoomResult
	if err := h.Call(ctx, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "bench"}, &made); err != nil {
		return 0, fmt.Errorf("make room: %w", err)
	}
	const most = 500
	for at := 1; at < len(people); at += most {
		p := wire.MembersChange{Room: made.Room.ID}
		for _, m := range people[at:min(at+most, len(people))] {
			p.Users = append(p.Users, m.user)
		}
		if err := h.Call(ctx, "room.add", p, nil); err != nil {
			return 0, fmt.Errorf("add members: %w", err)
		}
	}
	return made.Room.ID, nil
}
