package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// The steps harness holds the bad inputs that are no single request: those
// that take time, many connections, or a change of rights in between. The
// table of the others is in testdata/badinputs.

// steps is the stage: a server with the limits it ships with, but for what one
// test machine has to do in one minute.
type steps struct {
	*run
	srv   *server
	owner *client.HTTP
	n     atomic.Int64 // makes addresses
}

// scenario is one attack, with the promise in its name.
type scenario struct {
	name string
	play func(*steps, context.Context) error
}

func scenarios() []scenario {
	return append([]scenario{
		{"slow headers, bodies and uploads are cut off", (*steps).slowly},
		{"200 declared lengths of 60 MB cost nothing", (*steps).bigLengths},
		{"idle connections do not trouble others", (*steps).idleConnections},
		{"a forged X-Forwarded-For does not reset the count of logins", (*steps).forgedForward},
		{"a flood of logins leaves the right person in", (*steps).loginFlood},
		{"hostile file names come back as attachments", (*steps).fileNames},
		{"a picture of 50,000 x 50,000 is not decoded", (*steps).hugePicture},
		{"an upload is finished once", (*steps).finishTwice},
		{"a second process does not get the data", (*steps).secondProcess},
		{"a configuration with an unknown key is refused with its line", (*steps).unknownKey},
	}, rightsScenarios()...)
}

func runSteps(r *run) (string, error) {
	bin, err := r.posthouse()
	if err != nil {
		return "", err
	}
	s := &steps{run: r}
	if s.srv, err = newServer(bin, filepath.Join(r.dir, "data"), "files.free_reserve_bytes=64MiB"); err != nil {
		return "", err
	}
	if err := s.srv.start(r.ctx); err != nil {
		return "", err
	}
	defer func() { s.srv.kill() }()
	owner, err := s.srv.setup(r.ctx)
	if err != nil {
		return "", err
	}
	if s.owner, err = s.from(owner.Token); err != nil {
		return "", err
	}
	defer s.owner.Close()
	played, before, most := 0, s.srv.memory(), int64(0)
	for _, sc := range scenarios() {
		if !strings.Contains(sc.name, r.only) || r.size == tiny && strings.Contains(sc.name, "slow") {
			continue
		}
		ctx, cancel := context.WithTimeout(r.ctx, 60*time.Second)
		err := sc.play(s, ctx)
		cancel()
		if err != nil {
			r.violation("%s: %v", sc.name, err)
		}
		if err := s.alive(r.ctx); err != nil {
			r.violation("after %q the server does not answer: %v: %s", sc.name, err, s.srv.lastWords())
			return "", err
		}
		played++
		if most = max(most, s.srv.memory()); most-before > 2*mostGrowth {
			r.violation("after %q the server has grown from %d to %d MiB", sc.name, before>>20, most>>20)
			before = most
		}
	}
	if code := s.srv.stop(); code != 0 {
		r.violation("the server ended with %d: %s", code, s.srv.lastWords())
	}
	s.srv.verify(r)
	return fmt.Sprintf("%d attacks of several steps, RSS at most %d MiB", played, most>>20), nil
}

// address is one of loopback that nobody used before.
func (s *steps) address() string {
	n := s.n.Add(1)
	return fmt.Sprintf("127.1.%d.%d", n/250, 1+n%250)
}

// at is a client at an address.
func (s *steps) at(address, token string) (*client.HTTP, error) {
	return client.NewHTTP(client.Options{URL: s.srv.url(), Token: token, Lang: "en", Timeout: 20 * time.Second, Backoff: 5 * time.Millisecond,
		Dial: func(context.Context, string, string) (net.Conn, error) { return dialFrom(address, s.srv.addr) }})
}

func (s *steps) from(token string) (*client.HTTP, error) { return s.at(s.address(), token) }

func (s *steps) alive(ctx context.Context) error {
	h, err := s.from("")
	if err != nil {
		return err
	}
	defer h.Close()
	_, err = h.Info(ctx)
	return err
}

// member makes an account with a password and logs in.
func (s *steps) member(ctx context.Context, login string, role wire.Role) (*client.HTTP, wire.Session, error) {
	if _, err := s.owner.CreateUser(ctx, wire.UserCreate{Login: login, Name: login, Password: password, Role: role}); err != nil {
		return nil, wire.Session{}, err
	}
	h, err := s.from("")
	if err != nil {
		return nil, wire.Session{}, err
	}
	me, err := h.Login(ctx, login, password)
	return h, me, err
}

// kindOf is the kind of a refusal; empty when there was none.
func kindOf(err error) wire.Kind {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if err != nil {
		return wire.Kind("fault: " + err.Error())
	}
	return ""
}

// mustBe is an error unless err is a refusal of this kind.
func mustBe(want wire.Kind, what string, err error) error {
	if got := kindOf(err); got != want {
		return fmt.Errorf("%s: %q, want %q", what, got, want)
	}
	return nil
}

// drip sends bytes one a second and is an error when the server bears with it
// for longer than the time given.
func (s *steps) drip(head string, most time.Duration) error {
	c, err := dialFrom(s.address(), s.srv.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		return err
	}
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, c) // until the other side closes, or the deadline
	}()
	_ = c.SetReadDeadline(began.Add(most + 2*time.Second))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			if took := time.Since(began); took > most {
				return fmt.Errorf("borne with for %.0f s", took.Seconds())
			}
			return nil
		case <-tick.C:
			_, _ = c.Write([]byte("x")) // may be cut off by now
		}
	}
}

// several drips at once.
func (s *steps) several(n int, head string, most time.Duration) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = s.drip(head, most) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// slowly sends three kinds of things at a byte a second.
func (s *steps) slowly(ctx context.Context) error {
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for i, f := range []func(context.Context) error{s.slowHeaders, s.slowBody, s.slowUpload} {
		wg.Go(func() { errs[i] = f(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *steps) slowHeaders(context.Context) error {
	return s.several(20, "GET / HTTP/1.1\r\nHost: "+s.srv.addr+"\r\nX-Slow: ", 25*time.Second)
}

func (s *steps) slowBody(context.Context) error {
	return s.several(20, "POST /api/server.info HTTP/1.1\r\nHost: "+s.srv.addr+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", 25*time.Second)
}

func (s *steps) slowUpload(ctx context.Context) error {
	h, me, err := s.member(ctx, "dripper", "")
	if err != nil {
		return err
	}
	defer h.Close()
	place := ""
	small, cancel := context.WithCancel(ctx)
	_, _ = h.UploadFile(small, strings.NewReader(strings.Repeat("x", 5000)), client.Upload{Name: "slow", Started: func(at string) { place = at; cancel() }})
	if place == "" {
		return errors.New("no upload was begun")
	}
	return s.several(5, "PATCH "+place+" HTTP/1.1\r\nHost: "+s.srv.addr+"\r\nAuthorization: Bearer "+me.Token+
		"\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 5000\r\n\r\n", 30*time.Second)
}

// bigLengths declares much and sends one byte, on both kinds of paths.
func (s *steps) bigLengths(ctx context.Context) error {
	before := s.srv.memory()
	address := s.address()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for i := range 200 {
		if i%50 == 0 {
			address = s.address()
		}
		c, err := dialFrom(address, s.srv.addr)
		if err != nil {
			return err
		}
		open = append(open, c)
		path := []string{"POST /api/session.login", "POST /api/uploads", "PATCH /api/uploads/0123456789abcdef0123456789abcdef"}[i%3]
		_, _ = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n{", path, s.srv.addr)
	}
	if err := s.alive(ctx); err != nil {
		return err
	}
	if grown := s.srv.memory() - before; grown > 50<<20 {
		return fmt.Errorf("200 connections grew the server by %d MiB", grown>>20)
	}
	return nil
}

// idleConnections opens many that say nothing. (How many one address may have
// is not counted on loopback, where a proxy may stand for everybody.)
func (s *steps) idleConnections(ctx context.Context) error {
	before := s.srv.memory()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for i := range 2000 {
		c, err := dialFrom(fmt.Sprintf("127.2.0.%d", 1+i%200), s.srv.addr)
		if err != nil {
			return err
		}
		open = append(open, c)
	}
	began := time.Now()
	if err := s.alive(ctx); err != nil {
		return err
	}
	if took, grown := time.Since(began), s.srv.memory()-before; took > 10*time.Second || grown > mostGrowth {
		return fmt.Errorf("an answer beside 2000 idle connections took %v, the server grew by %d MiB", took, grown>>20)
	}
	return nil
}

// forgedForward guesses passwords from one peer that says it is many.
func (s *steps) forgedForward(context.Context) error {
	address := s.address()
	limited := 0
	for i := range 60 {
		c, err := dialFrom(address, s.srv.addr)
		if err != nil {
			return err
		}
		body := fmt.Sprintf(`{"login":"nobody%d","password":"a wrong password"}`, i)
		_, err = fmt.Fprintf(c, "POST /api/session.login HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nX-Forwarded-For: 10.0.0.%d\r\nX-Real-IP: 10.1.0.%[2]d\r\nForwarded: for=10.2.0.%[2]d\r\nContent-Length: %d\r\n\r\n%s",
			s.srv.addr, i, len(body), body)
		if err != nil {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer, _ := io.ReadAll(c) // a cut answer is no 429
		_ = c.Close()
		if strings.HasPrefix(string(answer), "HTTP/1.1 429") {
			limited++
		}
	}
	if limited < 20 {
		return fmt.Errorf("only %d of 60 guesses of one peer were held back", limited)
	}
	return nil
}

// loginFlood guesses one person's password from a hundred addresses at once.
func (s *steps) loginFlood(ctx context.Context) error {
	home := s.address()
	if _, err := s.owner.CreateUser(ctx, wire.UserCreate{Login: "victim", Name: "Victim", Password: password}); err != nil {
		return err
	}
	h, err := s.at(home, "")
	if err != nil {
		return err
	}
	defer h.Close()
	if _, err := h.Login(ctx, "victim", password); err != nil {
		return fmt.Errorf("log in before the flood: %w", err)
	}
	flood, stop := context.WithTimeout(ctx, 4*time.Second)
	defer stop()
	var tries atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			a, err := s.from("")
			if err != nil {
				return
			}
			defer a.Close()
			for flood.Err() == nil {
				_, _ = a.Login(flood, "victim", "a wrong password") // refused, of course
				tries.Add(1)
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	cpu, began, in := s.srv.cpu(), time.Now(), false
	for !in && flood.Err() == nil {
		_, err := h.Login(ctx, "victim", password)
		in = err == nil
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(began)
	<-flood.Done()
	used := (s.srv.cpu() - cpu).Seconds() / time.Since(began).Seconds()
	wg.Wait()
	if !in {
		return fmt.Errorf("the right person did not get in from a known address within %.1f s, beside %d guesses", took.Seconds(), tries.Load())
	}
	s.say("steps: %d guesses, the right person in after %d ms, %.2f processors used", tries.Load(), took.Milliseconds(), used)
	return nil
}

// room makes a private room of a person with others.
func room(ctx context.Context, h *client.HTTP, name string, members ...id.ID) (wire.Room, error) {
	return h.CreateRoom(ctx, wire.RoomCreate{Kind: wire.Group, Name: name, Members: members})
}
