package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// The slow harness: many sockets that never read, beside some that do, in one
// busy room. The good ones must not feel it, the memory must stay bounded, the
// stalled ones must be let go of, and must miss nothing when they come back.

const (
	slowGood  = 50
	slowRate  = 60 // messages a second
	slowBytes = 8 << 10
	slowGrow  = 192 << 20 // 1 MiB a stalled socket may queue, and noise
)

type slower struct {
	*run
	srv    *server
	people []person // 0 writes, 1 to 5 read, the others stall
	room   id.ID
	owner  string // token

	mu    sync.Mutex
	delay []time.Duration
	heard atomic.Int64
}

func runSlow(r *run) (string, error) {
	stalled := r.count(20, 100, 1000)
	length := map[size]time.Duration{tiny: 3 * time.Second, ci: 14 * time.Second, soak: time.Minute}[r.size]
	s := &slower{run: r}
	if err := s.begin(stalled); err != nil {
		return "", err
	}
	defer s.srv.kill()
	good, err := s.readers()
	if err != nil {
		return "", err
	}
	defer func() {
		for _, c := range good {
			_ = c.Close()
		}
	}()
	if _, err := s.traffic(time.Second); err != nil { // warm
		return "", err
	}
	alone, err := s.traffic(length / 2)
	if err != nil {
		return "", err
	}
	before := s.srv.memory()
	socks, err := s.stall(stalled)
	if err != nil {
		return "", err
	}
	beside, err := s.traffic(length)
	if err != nil {
		return "", err
	}
	grown := s.srv.memory() - before
	gone, slowest := s.letGo(socks)
	again, err := s.traffic(length / 2)
	if err != nil {
		return "", err
	}
	alone = max(alone, again) // what the box itself does, at its worse
	// A machine that does other things beside is now slower, now faster.
	noise := map[size]time.Duration{tiny: time.Second, ci: 300 * time.Millisecond, soak: 100 * time.Millisecond}[r.size]
	if limit := max(2*alone, alone+noise); beside > limit {
		r.violation("p99 of good readers is %v beside %d stalled ones, %v without", beside, stalled, alone)
	}
	if grown > slowGrow {
		r.violation("%d stalled readers grew the server by %d MiB", stalled, grown>>20)
	}
	s.catchUp()
	return fmt.Sprintf("%d stalled beside %d good: p99 %v, without %v; +%d MiB; %d were let go of, the last %.1f s after the traffic",
		stalled, slowGood, beside.Round(time.Millisecond), alone.Round(time.Millisecond), grown>>20, gone, slowest.Seconds()), nil
}

func (s *slower) begin(stalled int) error {
	bin, err := s.posthouse()
	if err != nil {
		return err
	}
	if s.srv, err = newServer(bin, filepath.Join(s.dir, "data"), freely()...); err != nil {
		return err
	}
	if err := s.srv.start(s.ctx); err != nil {
		return err
	}
	owner, err := s.srv.setup(s.ctx)
	if err != nil {
		return err
	}
	s.owner = owner.Token
	if s.people, err = s.srv.people(s.ctx, owner.Token, 6+(stalled+19)/20); err != nil {
		return err
	}
	h, err := s.srv.http(s.people[0].token)
	if err != nil {
		return err
	}
	defer h.Close()
	p := wire.RoomCreate{Kind: wire.Group, Name: "busy"}
	for _, one := range s.people[1:] {
		p.Members = append(p.Members, one.id)
	}
	room, err := h.CreateRoom(s.ctx, p)
	s.room = room.ID
	return err
}

// readers are the good ones; each message carries the time it was sent.
func (s *slower) readers() (list []*client.Client, err error) {
	for i := range slowGood {
		c, err := client.Dial(s.ctx, client.Options{URL: s.srv.url(), Token: s.people[1+i%5].token, OnEvent: s.event})
		if err != nil {
			return list, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (s *slower) event(e client.Event) {
	m, ok := e.Data.(*wire.Message)
	if !ok || e.Type != wire.EventMessage || e.Filled {
		return
	}
	first, _, _ := strings.Cut(m.Text, " ")
	sent, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return
	}
	d := time.Since(time.Unix(0, sent))
	s.heard.Add(1)
	s.mu.Lock()
	s.delay = append(s.delay, d)
	s.mu.Unlock()
}

// traffic writes for a while at an even pace and gives the p99 of the time to
// arrive.
func (s *slower) traffic(d time.Duration) (p99 time.Duration, err error) {
	c, err := client.Dial(s.ctx, client.Options{URL: s.srv.url(), Token: s.people[0].token, OnEvent: func(client.Event) {}})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	s.mu.Lock()
	s.delay = nil
	s.mu.Unlock()
	s.heard.Store(0)
	filling := strings.Repeat("x", slowBytes)
	tick := time.NewTicker(time.Second / slowRate)
	defer tick.Stop()
	sent := int64(0)
	for end := time.Now().Add(d); time.Now().Before(end); sent++ {
		<-tick.C
		text := fmt.Sprintf("%d %s", time.Now().UnixNano(), filling)
		if _, err := c.Send(s.ctx, s.room, text); err != nil {
			return 0, err
		}
	}
	for until := time.Now().Add(time.Minute); s.heard.Load() < sent*slowGood; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			s.violation("good readers got %d of %d messages", s.heard.Load(), sent*slowGood)
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.delay)
	return at(s.delay, 99), nil
}

// stall opens sockets that ask for everything and read nothing.
func (s *slower) stall(n int) (socks []*rawSocket, err error) {
	for i := range n {
		c, err := dialFrom("", s.srv.addr)
		if err != nil {
			return socks, err
		}
		_ = c.(*net.TCPConn).SetReadBuffer(8 << 10) // less is only faster
		ws, resp, err := upgrade(c, s.srv.addr, "Authorization: Bearer "+s.people[6+i/20].token)
		if err != nil || resp.StatusCode != 101 {
			return socks, errors.Join(err, errors.New("a socket was refused"))
		}
		if _, err := ws.Write(frame(0x81, []byte(`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{}}`))); err != nil {
			return socks, err
		}
		socks = append(socks, ws)
	}
	return socks, nil
}

// letGo waits until the server lists none of the stalled ones any more. How it
// ended them is not seen from here: what it had sent stands in the way.
func (s *slower) letGo(socks []*rawSocket) (gone int, slowest time.Duration) {
	defer func() {
		for _, ws := range socks {
			_ = ws.Close()
		}
	}()
	h, err := s.srv.http(s.owner)
	if err != nil {
		s.violation("%v", err)
		return 0, 0
	}
	defer h.Close()
	stalled := map[id.ID]bool{}
	for _, p := range s.people[6:] {
		stalled[p.id] = true
	}
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		var list wire.SessionList
		if err := h.Call(s.ctx, "server.sessions", nil, &list); err != nil {
			s.violation("list sessions: %v", err)
			return 0, 0
		}
		live := 0
		for _, one := range list.Sessions {
			if stalled[one.User] {
				live++
			}
		}
		slowest = time.Since(began)
		if live == 0 || slowest > 25*time.Second || s.size == tiny {
			if live > 0 && s.size > tiny {
				s.violation("%d of %d stalled readers were never let go of", live, len(socks))
			}
			return len(socks) - live, slowest
		}
	}
}

// catchUp comes back as one who has stalled, from the beginning.
func (s *slower) catchUp() {
	h, err := s.srv.http(s.people[6].token)
	if err != nil {
		s.violation("%v", err)
		return
	}
	defer h.Close()
	room, err := h.Room(s.ctx, s.room)
	if err != nil {
		s.violation("look at the room: %v", err)
		return
	}
	at := make(chan uint64, 1<<16)
	c, err := client.Dial(s.ctx, client.Options{URL: s.srv.url(), Token: s.people[6].token, Since: 1, OnEvent: func(e client.Event) {
		if m, ok := e.Data.(*wire.Message); ok && e.Type == wire.EventMessage {
			at <- m.Seq
		}
	}})
	if err != nil {
		s.violation("come back: %v", err)
		return
	}
	defer c.Close()
	last := uint64(0)
	for last < room.Head {
		select {
		case seq := <-at:
			if last > 0 && seq != last+1 {
				s.violation("one that came back got message %d after %d", seq, last)
			}
			last = seq
		case <-time.After(time.Minute):
			s.violation("one that came back stands at %d of %d", last, room.Head)
			return
		}
	}
	if st := c.Stats(); st.Gaps > 0 {
		s.violation("one that came back met %d holes", st.Gaps)
	}
}
