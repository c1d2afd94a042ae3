package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	pairCount  = 200
	textBytes  = 200
	pairWindow = 8 // messages of one sender that are not answered yet
	paceSteps  = 12
	shortDelay = 10 * time.Millisecond
)

// pairs is one side of scenario one-to-one: senders, each with one receiver.
type pairs struct {
	*loop
	c         *child
	senders   []*conn
	sent      uint64
	answered  uint64
	delivered uint64
	latency   Histogram
	window    int
	pace      float64 // messages a second; 0 = as many as the window lets
	halted    bool
	next      int // sender of the next paced message
	from      time.Duration
	answers   *stopwatch // of scenario flush
}

// openPairs connects the pairs to a relay or, with people, to a server.
func openPairs(ctx context.Context, c *child, people []person, n int) (*pairs, error) {
	l, err := newLoop(c.addr)
	if err != nil {
		return nil, err
	}
	p := &pairs{loop: l, c: c, window: pairWindow}
	for i := range n {
		var side [2]*conn
		for k, name := range []string{"a", "b"} {
			path, token := relayPath("pairs", i, name), ""
			if people != nil {
				path, token = "/api/ws", people[2*i+k].tokens[0]
			}
			if side[k], err = l.dial(path, token); err != nil {
				l.close()
				return nil, err
			}
		}
		p.senders = append(p.senders, side[0])
	}
	if err := l.ready(ctx, people != nil); err != nil {
		l.close()
		return nil, err
	}
	for i, a := range p.senders {
		room := "0123456789abc"
		if people != nil {
			answer, err := l.call(ctx, a, "room.direct", fmt.Sprintf(`{"user":%q}`, people[2*i+1].user))
			if err != nil {
				l.close()
				return nil, err
			}
			_, rest, _ := strings.Cut(string(answer), `"id":"`)
			room, _, _ = strings.Cut(rest, `"`)
		}
		a.letter = newLetter(room, textBytes, uint64(i))
	}
	for i, c := range l.conns {
		if c.handle = p.received; i%2 == 0 {
			c.handle = p.answer
		}
	}
	return p, nil
}

func (p *pairs) answer(c *conn, frame []byte) error {
	if !isAnswer(frame) {
		return nil
	}
	if refused(frame) {
		return fmt.Errorf("message.send: %w: %.300s", errRefused, frame)
	}
	p.answered++
	if p.answers != nil {
		p.answers.stop(c, p.now)
	}
	if p.pace == 0 && !p.halted {
		p.send(c)
	}
	return nil
}

func (p *pairs) send(c *conn) {
	c.out = c.letter.append(c.out, p.now, p.wall)
	p.sent++
	if p.answers != nil {
		p.answers.start(c, p.now)
	}
	p.touch(c)
}

func (p *pairs) received(c *conn, frame []byte) error {
	at, ok := stamped(frame)
	if !ok {
		return nil
	}
	p.delivered++
	p.latency.Add(p.now - at)
	c.out = appendAck(c.out, position(frame))
	return nil
}

// load sends for a time: as fast as the windows allow, or at a rate. The
// first part is not counted.
func (p *pairs) load(ctx context.Context, rate float64, warm, length time.Duration) (r run, err error) {
	p.tell()
	p.pace, p.halted, p.from = rate, false, p.now
	paced := uint64(0)
	if rate == 0 {
		for _, a := range p.senders {
			for range p.window {
				p.send(a)
			}
		}
	}
	begin := p.now
	work := func(until time.Duration) error {
		return p.run(ctx, p.nap(rate), func() (bool, error) {
			for due := uint64(rate * (p.now - begin).Seconds()); paced < due; paced++ {
				p.send(p.senders[p.next])
				p.next = (p.next + 1) % len(p.senders)
			}
			return p.now >= until, p.late(until+patience, "messages")
		})
	}
	if err := work(begin + warm); err != nil {
		return r, err
	}
	before, err := p.c.usage()
	if err != nil {
		return r, err
	}
	p.latency = Histogram{}
	count, from := p.delivered, p.now
	if err := work(from + length); err != nil {
		return r, err
	}
	after, err := p.c.usage()
	if err != nil {
		return r, err
	}
	r = run{took: p.now - from, done: p.delivered - count, cpu: after.cpu - before.cpu, rss: after.rss, latency: p.latency}
	return r, p.quiet(ctx)
}

func (p *pairs) nap(rate float64) time.Duration {
	if rate > 0 {
		return time.Millisecond
	}
	return 20 * time.Millisecond
}

// quiet stops sending and waits until everything has been answered and
// delivered.
func (p *pairs) quiet(ctx context.Context) error {
	p.halted, p.pace = true, 0
	deadline := p.now + patience
	return p.run(ctx, 20*time.Millisecond, func() (bool, error) {
		return p.answered == p.sent && p.delivered == p.sent, p.late(deadline, "the last answers")
	})
}

// oneToOne measures relay and server in turns, then each at half of the
// server's rate.
func oneToOne(ctx context.Context, s *Setup, r *Report) (err error) {
	n := s.clients(pairCount)
	both, stop, err := s.bothPairs(ctx, n)
	defer stop()
	if err != nil {
		return err
	}
	if s.Window > 0 {
		both[0].window, both[1].window = s.Window, s.Window
	}
	var runs [2][]run
	for round := range s.Rounds {
		s.say("one-to-one: run "+strconv.Itoa(round+1), "一对一：第 "+strconv.Itoa(round+1)+" 轮")
		for k, side := range both {
			got, err := side.load(ctx, 0, s.length()/4, s.length())
			if err != nil {
				return fmt.Errorf("%w\n%s", err, side.c.log())
			}
			runs[k] = append(runs[k], got)
		}
	}
	relayRate, rate := middle(runs[0], (*run).rate), middle(runs[1], (*run).rate)
	relayEach, each := middle(runs[0], (*run).each), middle(runs[1], (*run).each)
	r.add("pairs", float64(n), "", "pairs, each with a window of "+strconv.Itoa(both[1].window)+" messages", "对数，每名发送者窗口 "+strconv.Itoa(both[1].window)+" 条")
	r.add("rate", rate, "1/s", "messages a second, stored, delivered, acknowledged", "每秒消息（已落盘、送达、确认）")
	r.add("relay_rate", relayRate, "1/s", "  raw relay", "  裸转发")
	r.add("rate_ratio", ratio(rate, relayRate), "x", "  ratio to the relay", "  与裸转发之比").atLeast(0.5)
	r.add("cpu", each, "µs", "server CPU a message", "每条消息的服务器 CPU")
	r.add("relay_cpu", relayEach, "µs", "  raw relay", "  裸转发")
	r.add("cpu_ratio", ratio(each, relayEach), "x", "  ratio to the relay", "  与裸转发之比").atMost(2.5)
	r.add("p50", middle(runs[1], quantileMS(.5)), "ms", "send to deliver at full load, p50", "满载送达延迟 p50")
	r.add("p99", middle(runs[1], quantileMS(.99)), "ms", "  p99", "  p99")
	r.add("relay_p99", middle(runs[0], quantileMS(.99)), "ms", "  raw relay p99", "  裸转发 p99")
	r.add("rss", mega(runs[1][len(runs[1])-1].rss), "MB", "memory of the server, without files that are mapped", "服务器内存（不含映射文件）")
	return s.paced(ctx, both, rate, r)
}

// paced measures at half of the most, and looks for the highest rate that
// keeps the delay short: at full load whatever waits is joined, so that half
// of the rate takes more than half of the machine.
func (s *Setup) paced(ctx context.Context, both [2]*pairs, rate float64, r *Report) error {
	var paced [2][]run
	for range s.Rounds {
		s.say("one-to-one: half of the rate", "一对一：半速")
		for k, side := range both {
			got, err := side.load(ctx, rate/2, s.length()/4, s.length())
			if err != nil {
				return fmt.Errorf("%w\n%s", err, side.c.log())
			}
			paced[k] = append(paced[k], got)
		}
	}
	r.add("half_rate", middle(paced[1], (*run).rate), "1/s", "at half of that rate: messages a second", "半速：每秒消息")
	r.add("half_p50", middle(paced[1], quantileMS(.5)), "ms", "  send to deliver, p50", "  送达延迟 p50")
	r.add("half_p99", middle(paced[1], quantileMS(.99)), "ms", "  p99", "  p99").atMost(milli(shortDelay))
	r.add("half_relay_p99", middle(paced[0], quantileMS(.99)), "ms", "  raw relay p99", "  裸转发 p99")
	r.add("half_cpu", middle(paced[1], (*run).each), "µs", "  server CPU a message", "  每条消息的服务器 CPU")
	var best [2]float64
	for k, side := range both {
		s.say("one-to-one: highest rate with a short delay", "一对一：寻找低延迟下的最高速率")
		for step, failed := 1, 0; step <= paceSteps && failed < 2; step++ {
			got, err := side.load(ctx, rate*float64(step)/paceSteps, s.length()/8, s.length()/4)
			if err != nil {
				return fmt.Errorf("%w\n%s", err, side.c.log())
			}
			if got.latency.Quantile(.99) > shortDelay {
				failed++
				continue
			}
			best[k], failed = got.rate(), 0
		}
	}
	r.add("short_rate", best[1], "1/s", "highest rate tried that keeps p99 below 10 ms", "p99 低于 10 ms 的最高速率")
	r.add("short_relay_rate", best[0], "1/s", "  raw relay, up to the rate of the server", "  裸转发（不超过服务器速率）")
	return nil
}

// bothPairs starts relay and server with n pairs each. stop must be called,
// whatever the error.
func (s *Setup) bothPairs(ctx context.Context, n int) (both [2]*pairs, stop func(), err error) {
	var children []*child
	stop = func() {
		for _, p := range both {
			if p != nil {
				p.close()
			}
		}
		for _, c := range children {
			_ = c.stop()
		}
	}
	relay, err := s.startRelay()
	if err != nil {
		return both, stop, err
	}
	children = append(children, relay)
	server, _, err := s.startServer(ctx, serverOptions{dir: "pairs", set: []string{"session.heartbeat=5m"}})
	if err != nil {
		return both, stop, err
	}
	children = append(children, server)
	s.say("one-to-one: accounts", "一对一：创建账号")
	people, err := server.people(ctx, 2*n, 1)
	if err != nil {
		return both, stop, err
	}
	if both[0], err = openPairs(ctx, relay, nil, n); err != nil {
		return both, stop, err
	}
	both[1], err = openPairs(ctx, server, people, n)
	return both, stop, err
}
