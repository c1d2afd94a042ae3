package bench

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

const (
	reconnectClients = 2000
	reconnectDevices = 5
)

// reconnect lets all clients come back at once; each has missed one message.
func reconnect(ctx context.Context, s *Setup, r *Report) (err error) {
	n := s.clients(reconnectClients)
	relay, err := s.startRelay()
	if err != nil {
		return err
	}
	defer relay.stop()
	server, _, err := s.startServer(ctx, serverOptions{dir: "reconnect"})
	if err != nil {
		return err
	}
	defer server.stop()
	s.say("reconnect: accounts", "重连：创建账号")
	accounts := max(2, (n+reconnectDevices-1)/reconnectDevices)
	people, err := server.people(ctx, accounts, reconnectDevices)
	if err != nil {
		return err
	}
	room, err := server.group(ctx, people)
	if err != nil {
		return err
	}
	token := func(i int) string { return people[i%accounts].tokens[i/accounts] }
	var runs [2][]run
	for round := range s.Rounds {
		s.say(fmt.Sprintf("reconnect: run %d", round+1), fmt.Sprintf("重连：第 %d 轮", round+1))
		got, err := relay.storm(ctx, n, nil, 0)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, relay.log())
		}
		runs[0] = append(runs[0], got)
		at, err := server.post(ctx, people[0].tokens[0], room.String(), uint64(round))
		if err != nil {
			return err
		}
		if got, err = server.storm(ctx, n, token, at-1); err != nil {
			return fmt.Errorf("%w\n%s", err, server.log())
		}
		runs[1] = append(runs[1], got)
	}
	took := func(r *run) float64 { return milli(r.took) }
	r.add("clients", float64(n), "", "clients", "客户端数")
	r.add("all", middle(runs[1], took), "ms", "until all have their message", "全部收到错过的消息")
	r.add("relay_all", middle(runs[0], took), "ms", "  raw relay", "  裸转发")
	r.add("ratio", ratio(middle(runs[1], took), middle(runs[0], took)), "x", "  ratio to the relay", "  与裸转发之比")
	r.add("p50", middle(runs[1], quantileMS(.5)), "ms", "one client, p50", "单个客户端 p50")
	r.add("p99", middle(runs[1], quantileMS(.99)), "ms", "  p99", "  p99")
	r.add("cpu", middle(runs[1], (*run).each), "µs", "server CPU a client", "每客户端的服务器 CPU")
	r.add("relay_cpu", middle(runs[0], (*run).each), "µs", "  raw relay", "  裸转发")
	return nil
}

// post sends one message and gives its position.
func (c *child) post(ctx context.Context, token, room string, seed uint64) (uint64, error) {
	l, err := newLoop(c.addr)
	if err != nil {
		return 0, err
	}
	defer l.close()
	sender, err := l.dial("/api/ws", token)
	if err != nil {
		return 0, err
	}
	if err := l.ready(ctx, false); err != nil {
		return 0, err
	}
	var at uint64
	sender.handle = func(_ *conn, frame []byte) error {
		if isAnswer(frame) && refused(frame) {
			return fmt.Errorf("message.send: %w: %.300s", errRefused, frame)
		}
		if _, rest, found := bytes.Cut(frame, []byte(`"position":`)); found {
			at = digits(rest)
		}
		return nil
	}
	sender.out = newLetter(room, textBytes, seed).append(sender.out, l.now, l.wall)
	l.touch(sender)
	deadline := l.now + patience
	err = l.run(ctx, 20*time.Millisecond, func() (bool, error) { return at > 0, l.late(deadline, "message.send") })
	return at, err
}

// storm connects n clients at once and waits until each has its message.
func (c *child) storm(ctx context.Context, n int, token func(int) string, since uint64) (r run, err error) {
	l, err := newLoop(c.addr)
	if err != nil {
		return r, err
	}
	defer l.close()
	before, err := c.usage()
	if err != nil {
		return r, err
	}
	first := newLetter("0123456789abc", textBytes, 1).append(nil, 0, 0)
	path := "/again"
	if token != nil {
		path, first = "/api/ws", request(1, "sync.start", fmt.Sprintf(`{"since":%d}`, since))
	}
	served := make([]bool, n)
	l.tell()
	from := l.now
	for i := range n {
		t := ""
		if token != nil {
			t = token(i)
		}
		one, err := l.dial(path, t)
		if err != nil {
			return r, err
		}
		one.opened = func(c *conn) { c.out = append(c.out, first...) }
		one.handle = func(c *conn, frame []byte) error {
			if isAnswer(frame) && refused(frame) {
				return fmt.Errorf("sync.start: %w: %.300s", errRefused, frame)
			}
			if _, ok := stamped(frame); ok && !served[c.number] {
				served[c.number] = true
				r.done++
				r.latency.Add(l.now - from)
			}
			return nil
		}
	}
	deadline := from + patience
	if err := l.run(ctx, 20*time.Millisecond, func() (bool, error) { return r.done == uint64(n), l.late(deadline, "reconnect") }); err != nil {
		return r, err
	}
	r.took = l.now - from
	after, err := c.usage()
	r.cpu, r.rss = after.cpu-before.cpu, after.rss
	return r, err
}
