package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"posthouse/appliance/client"
)

const (
	idleConnections = 8000
	idleDevices     = 20
)

// heartbeat is short enough for every connection to answer one before it is
// measured, and long enough for none to be given up meanwhile.
func (s *Setup) heartbeat() time.Duration {
	return min(10*time.Second, 2*time.Second+s.length())
}

// idle measures what connections cost that only answer heartbeats.
func idle(ctx context.Context, s *Setup, r *Report) (err error) {
	n := s.clients(idleConnections)
	accounts := (n + idleDevices - 1) / idleDevices
	var plain, secure [2]float64 // of relay and server
	var raw float64
	for k, name := range []string{"relay", "server"} {
		for _, encrypted := range []bool{false, true} {
			s.say(fmt.Sprintf("idle: %s, TLS %t", name, encrypted), fmt.Sprintf("空闲连接：%s，TLS %t", name, encrypted))
			var c *child
			var people []person
			if name == "relay" {
				c, err = s.startRelay()
			} else {
				c, _, err = s.startServer(ctx, serverOptions{dir: fmt.Sprintf("idle-%t", encrypted), tls: encrypted,
					set: []string{"session.heartbeat=" + s.heartbeat().String()}})
				if err == nil {
					people, err = c.people(ctx, accounts, idleDevices)
				}
			}
			if err == nil {
				var settled, unsettled float64
				settled, unsettled, err = c.idle(ctx, n, people, encrypted, s.heartbeat()*6/5)
				if encrypted {
					secure[k] = settled
				} else {
					plain[k], raw = settled, unsettled
				}
			}
			if c != nil {
				_ = c.stop()
			}
			if err != nil {
				return err
			}
		}
	}
	r.add("connections", float64(n), "", "connections, logged in, following the stream, heartbeats answered", "连接数（已登录、已同步、应答心跳）")
	r.add("plain", plain[1], "kB", "memory of one, without TLS", "每连接内存，无 TLS").atMost(16)
	r.add("plain_raw", raw, "kB", "  with what the process has not returned to the system yet", "  含尚未归还系统的部分")
	r.add("relay_plain", plain[0], "kB", "  raw relay", "  裸转发")
	r.add("secure", secure[1], "kB", "memory of one, with TLS", "每连接内存，TLS").atMost(34)
	r.add("relay_secure", secure[0], "kB", "  raw relay", "  裸转发")
	return nil
}

// idle opens n connections and gives the resident memory of each, in kB:
// after unused memory was returned, and before that.
func (c *child) idle(ctx context.Context, n int, people []person, encrypted bool, wait time.Duration) (settled, raw float64, err error) {
	before, err := c.settled(ctx)
	if err != nil {
		return 0, 0, err
	}
	token := func(i int) string {
		if people == nil {
			return ""
		}
		return people[i%len(people)].tokens[i/len(people)]
	}
	open := c.idlePlain
	if encrypted {
		open = c.idleSecure
	}
	err = open(ctx, n, token, people != nil, wait, func() error {
		u, err := c.usage()
		if err != nil {
			return err
		}
		after, err := c.settled(ctx)
		settled, raw = float64(after-before)/float64(n)/1000, float64(u.rss-before)/float64(n)/1000
		return err
	})
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, c.log())
	}
	return settled, raw, err
}

// wave is how many connections are opened at once: fewer than the kernel lets
// wait to be accepted.
const wave = 1000

func (c *child) idlePlain(ctx context.Context, n int, token func(int) string, start bool, wait time.Duration, measure func() error) error {
	l, err := newLoop(c.addr)
	if err != nil {
		return err
	}
	defer l.close()
	path := "/idle"
	if start {
		path = "/api/ws"
	}
	for i := range n {
		if _, err := l.dial(path, token(i)); err != nil {
			return err
		}
		if (i+1)%wave == 0 || i+1 == n {
			if err := l.ready(ctx, start); err != nil {
				return err
			}
		}
	}
	until := l.now + wait
	if err := l.run(ctx, 50*time.Millisecond, func() (bool, error) { return l.now > until, nil }); err != nil {
		return err
	}
	return measure()
}

func (c *child) idleSecure(ctx context.Context, n int, token func(int) string, start bool, wait time.Duration, measure func() error) error {
	conns := make([]*client.Conn, n)
	var readers sync.WaitGroup
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Drop()
			}
		}
		readers.Wait()
	}()
	if err := together(n, func(i int) error {
		conn, err := client.DialConn(ctx, client.Options{URL: "https://" + c.secure, Token: token(i), Timeout: patience,
			TLS: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}) // a certificate of this very run, on loopback
		if err != nil {
			return err
		}
		conns[i] = conn
		started := make(chan struct{})
		readers.Go(func() {
			once := sync.OnceFunc(func() { close(started) })
			_ = conn.Read(func([]byte) error { once(); return nil }) // ends with Drop
			once()
		})
		if !start {
			return nil
		}
		if err := conn.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":0}}`)); err != nil {
			return err
		}
		<-started
		return ctx.Err()
	}); err != nil {
		return err
	}
	if err := pause(ctx, wait); err != nil {
		return err
	}
	return measure()
}
