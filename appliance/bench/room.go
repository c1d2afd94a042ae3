package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

const (
	roomMembers = 1000
	roomWindow  = 64 // messages that are not delivered to all members yet
	ackEvery    = 50 * time.Millisecond
)

// hall is one side of scenario room: members, the first of which writes.
// Members acknowledge what has arrived together, as the Go client does.
type hall struct {
	*loop
	c         *child
	got       []int           // messages that a member has
	missing   []int           // of a message: members that lack it; from message base on
	sentAt    []time.Duration // of a message
	base      int
	delivered uint64
	last      Histogram // until the last member had it
	halted    bool
	nextAcks  time.Duration
}

func openHall(ctx context.Context, c *child, mode string, n int, people []person, roomID string) (*hall, error) {
	l, err := newLoop(c.addr)
	if err != nil {
		return nil, err
	}
	h := &hall{loop: l, c: c, got: make([]int, n), halted: true}
	for i := range n {
		path, token := relayPath(mode, i, ""), ""
		if people != nil {
			path, token = "/api/ws", people[i].tokens[0]
		}
		if _, err := l.dial(path, token); err != nil {
			l.close()
			return nil, err
		}
	}
	if err := l.ready(ctx, people != nil); err != nil {
		l.close()
		return nil, err
	}
	for _, c := range l.conns {
		c.handle = h.received
	}
	l.conns[0].letter = newLetter(roomID, textBytes, 1)
	return h, nil
}

func (h *hall) received(c *conn, frame []byte) error {
	if isAnswer(frame) && refused(frame) {
		return fmt.Errorf("message.send: %w: %.300s", errRefused, frame)
	}
	if _, ok := stamped(frame); !ok {
		return nil
	}
	h.delivered++
	c.since, c.owed = position(frame), true
	k := h.got[c.number] - h.base
	h.got[c.number]++
	if k < 0 || k >= len(h.missing) {
		return fmt.Errorf("%w: more messages than were sent", errFrame)
	}
	if h.missing[k]--; h.missing[k] > 0 {
		return nil
	}
	h.last.Add(h.now - h.sentAt[k])
	for len(h.missing) > 0 && h.missing[0] == 0 {
		h.missing, h.sentAt = h.missing[1:], h.sentAt[1:]
		h.base++
	}
	return nil
}

// step sends what the window lets, and the acknowledgements that are due.
func (h *hall) step() {
	sender := h.conns[0]
	for !h.halted && len(h.missing) < roomWindow {
		sender.out = sender.letter.append(sender.out, h.now, h.wall)
		h.missing, h.sentAt = append(h.missing, len(h.conns)), append(h.sentAt, h.now)
		h.touch(sender)
	}
	if h.now < h.nextAcks {
		return
	}
	h.nextAcks = h.now + ackEvery
	for _, c := range h.conns {
		if c.owed {
			c.owed = false
			c.out = appendAck(c.out, c.since)
			h.touch(c)
		}
	}
}

func (h *hall) load(ctx context.Context, warm, length time.Duration) (r run, err error) {
	h.tell()
	h.halted = false
	work := func(until time.Duration) error {
		return h.run(ctx, 5*time.Millisecond, func() (bool, error) {
			h.step()
			return h.now >= until, nil
		})
	}
	if err := work(h.now + warm); err != nil {
		return r, err
	}
	before, err := h.c.usage()
	if err != nil {
		return r, err
	}
	h.last = Histogram{}
	count, from := h.delivered, h.now
	if err := work(from + length); err != nil {
		return r, err
	}
	after, err := h.c.usage()
	if err != nil {
		return r, err
	}
	r = run{took: h.now - from, done: h.delivered - count, cpu: after.cpu - before.cpu, rss: after.rss, latency: h.last}
	h.halted = true
	deadline := h.now + patience
	return r, h.run(ctx, 5*time.Millisecond, func() (bool, error) {
		h.step()
		return len(h.missing) == 0, h.late(deadline, "the last deliveries")
	})
}

// room measures the relay in its two modes and the server, in turns.
func room(ctx context.Context, s *Setup, r *Report) (err error) {
	n := s.clients(roomMembers)
	var children []*child
	var halls []*hall
	defer func() {
		for _, h := range halls {
			h.close()
		}
		for _, c := range children {
			_ = c.stop()
		}
	}()
	relay, err := s.startRelay()
	if err != nil {
		return err
	}
	children = append(children, relay)
	server, _, err := s.startServer(ctx, serverOptions{dir: "room", set: []string{"session.heartbeat=5m"}})
	if err != nil {
		return err
	}
	children = append(children, server)
	s.say("room: accounts", "房间：创建账号")
	people, err := server.people(ctx, n, 1)
	if err != nil {
		return err
	}
	id, err := server.group(ctx, people)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		c      *child
		mode   string
		people []person
	}{{relay, "each", nil}, {relay, "joined", nil}, {server, "", people}} {
		h, err := openHall(ctx, side.c, side.mode, n, side.people, id.String())
		if err != nil {
			return fmt.Errorf("%w\n%s", err, side.c.log())
		}
		halls = append(halls, h)
	}
	runs := make([][]run, len(halls))
	for round := range s.Rounds {
		s.say("room: run "+strconv.Itoa(round+1), "房间：第 "+strconv.Itoa(round+1)+" 轮")
		for k, h := range halls {
			got, err := h.load(ctx, s.length()/4, s.length())
			if err != nil {
				return fmt.Errorf("%w\n%s", err, h.c.log())
			}
			runs[k] = append(runs[k], got)
		}
	}
	reportRoom(r, runs[0], runs[1], runs[2])
	return nil
}

func reportRoom(r *Report, each, joined, server []run) {
	rate, cpu := middle(server, (*run).rate), middle(server, (*run).each)
	r.add("rate", rate, "1/s", "deliveries a second", "每秒投递").atLeast(300_000)
	r.add("relay_each_rate", middle(each, (*run).rate), "1/s", "  raw relay, a write per frame", "  裸转发，逐帧写")
	r.add("relay_joined_rate", middle(joined, (*run).rate), "1/s", "  raw relay, joined writes", "  裸转发，合并写")
	r.add("rate_ratio_each", ratio(rate, middle(each, (*run).rate)), "x", "  ratio to a write per frame", "  与逐帧写之比")
	r.add("rate_ratio_joined", ratio(rate, middle(joined, (*run).rate)), "x", "  ratio to joined writes", "  与合并写之比")
	r.add("cpu", cpu, "µs", "server CPU a delivery", "每次投递的服务器 CPU").atMost(3)
	r.add("relay_each_cpu", middle(each, (*run).each), "µs", "  raw relay, a write per frame", "  裸转发，逐帧写")
	r.add("relay_joined_cpu", middle(joined, (*run).each), "µs", "  raw relay, joined writes", "  裸转发，合并写")
	r.add("last_p50", middle(server, quantileMS(.5)), "ms", "until the last member has it, p50", "最后一名成员收到，p50")
	r.add("last_p99", middle(server, quantileMS(.99)), "ms", "  p99", "  p99").atMost(1000)
	r.add("relay_joined_last_p99", middle(joined, quantileMS(.99)), "ms", "  raw relay, joined writes, p99", "  裸转发，合并写，p99")
	r.add("rss", mega(server[len(server)-1].rss), "MB", "memory of the server, without files that are mapped", "服务器内存（不含映射文件）")
}
