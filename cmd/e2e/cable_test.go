package e2e

import (
	"net"
	"sync"
	"testing"
)

// line is a network between a client and a server that a test can break in
// ways that neither end is told of.
type line struct {
	t  *testing.T
	ln net.Listener
	to string

	mu      sync.Mutex
	changed *sync.Cond
	conns   map[net.Conn]struct{} // nil once closed
	swallow bool                  // what the server says is lost
	left    int64                 // bytes that still go to the server; -1 = any number
	all     sync.WaitGroup
}

// cable lays a line to an address.
func cable(t *testing.T, to string) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, ln: ln, to: to, conns: map[net.Conn]struct{}{}, left: -1}
	l.changed = sync.NewCond(&l.mu)
	l.all.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

func (l *line) addr() string { return l.ln.Addr().String() }

func (l *line) accept() {
	for {
		near, err := l.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = near.Close() // as a server that is not there
			continue
		}
		l.mu.Lock()
		if l.conns == nil {
			l.mu.Unlock()
			_, _ = near.Close(), far.Close()
			return
		}
		l.conns[near], l.conns[far] = struct{}{}, struct{}{}
		l.mu.Unlock()
		l.all.Go(func() { l.carry(far, near, l.passes) })
		l.all.Go(func() { l.carry(near, far, l.answers) })
	}
}

// carry copies what may pass until one end is gone, and then ends both.
func (l *line) carry(to, from net.Conn, may func(n int) int) {
	defer l.drop(to, from)
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		for at := 0; at < n; {
			k := may(n - at)
			if k < 0 {
				return
			}
			if _, err := to.Write(buf[at : at+k]); err != nil {
				return
			}
			at += k
			if k == 0 {
				break // lost
			}
		}
		if err != nil {
			return
		}
	}
}

// passes is how many of n bytes go to the server now; it waits while none do.
func (l *line) passes(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.left == 0 {
		if l.conns == nil {
			return -1
		}
		l.changed.Wait()
	}
	if l.left < 0 {
		return n
	}
	n = int(min(int64(n), l.left))
	l.left -= int64(n)
	l.changed.Broadcast()
	return n
}

// answers is how many of n bytes come back: none are lost and not delayed.
func (l *line) answers(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.swallow {
		return 0
	}
	return n
}

func (l *line) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // perhaps already
		delete(l.conns, c)
	}
}

// swallowAnswers loses from now on what the server says.
func (l *line) swallowAnswers() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.swallow = true
}

// stopAfter lets so many bytes through to the server, and then nothing.
func (l *line) stopAfter(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = bytes
}

// stopped waits until that many have gone through.
func (l *line) stopped() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.left != 0 && l.conns != nil {
		l.changed.Wait()
	}
}

// mend makes the line whole; connections that lost something end.
func (l *line) mend() {
	l.mu.Lock()
	l.swallow, l.left = false, -1
	l.changed.Broadcast()
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
}

func (l *line) close() {
	_ = l.ln.Close()
	l.mu.Lock()
	for c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
	l.changed.Broadcast()
	l.mu.Unlock()
	l.all.Wait()
}
