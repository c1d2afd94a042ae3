package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// conn is one WebSocket of the generator.
type conn struct {
	fd     int // -1 once closed
	number int // place among its fellows
	step   step
	path   string
	token  string
	in     []byte // the beginning of what has not come whole
	out    []byte // not written yet
	armed  bool   // epoll tells when it can be written to
	dirty  bool   // listed in loop.dirty
	handle func(c *conn, frame []byte) error
	opened func(c *conn) // after the handshake

	letter *letter
	since  uint64 // newest position seen
	owed   bool
}

type step byte

const (
	connecting step = iota
	shaking
	open
	closed
)

// loop drives all sockets from one goroutine: its methods must be called on
// the same one.
type loop struct {
	poll   int
	server netip.AddrPort
	conns  []*conn
	byFD   map[int]*conn
	dirty  []*conn
	buf    []byte
	events []syscall.EpollEvent
	began  time.Time
	now    time.Duration // since began, as of the last wake-up
	wall   int64         // Unix ms, likewise
	lost   int           // connections that ended by themselves
	mayEnd bool          // an end is no error
}

var (
	errLost    = errors.New("the server closed a connection")
	errRefused = errors.New("the server refused a call")
)

func newLoop(server string) (*loop, error) {
	addr, err := netip.ParseAddrPort(server)
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	l := &loop{poll: poll, server: addr, byFD: map[int]*conn{}, buf: make([]byte, 256<<10), events: make([]syscall.EpollEvent, 512), began: time.Now()}
	l.tell()
	return l, nil
}

func (l *loop) tell() {
	t := time.Now()
	l.now, l.wall = t.Sub(l.began), t.UnixMilli()
}

// dial begins to connect; what comes after that happens in run.
func (l *loop) dial(path, token string) (*conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	c := &conn{fd: fd, number: len(l.conns), path: path, token: token}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(l.server.Port()), Addr: l.server.Addr().As4()})
	if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := syscall.EpollCtl(l.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLOUT, Fd: int32(fd)}); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("watch socket: %w", err)
	}
	l.conns, l.byFD[fd] = append(l.conns, c), c
	return c, nil
}

// run serves the sockets until done says so, which is asked after every
// wake-up; every is how long to sleep at most.
func (l *loop) run(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	for {
		l.tell()
		if ended, err := done(); ended || err != nil {
			return errors.Join(err, l.flush())
		}
		if err := l.flush(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := syscall.EpollWait(l.poll, l.events, max(1, int(every/time.Millisecond)))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("wait for sockets: %w", err)
		}
		l.tell()
		for _, e := range l.events[:max(n, 0)] {
			if c := l.byFD[int(e.Fd)]; c != nil {
				if err := l.serve(c, e.Events); err != nil {
					return err
				}
			}
		}
		if err := l.flush(); err != nil {
			return err
		}
	}
}

func (l *loop) serve(c *conn, events uint32) error {
	if c.step == connecting {
		if events&syscall.EPOLLERR != 0 {
			no, _ := syscall.GetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
			return fmt.Errorf("connect: %w", syscall.Errno(no))
		}
		c.step = shaking
		c.out = append(c.out, "GET "+c.path+" HTTP/1.1\r\nHost: "+l.server.String()+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"...)
		if c.token != "" {
			c.out = append(c.out, "Authorization: Bearer "+c.token+"\r\n"...)
		}
		c.out = append(c.out, "\r\n"...)
		c.armed = true
		return l.write(c)
	}
	if events&syscall.EPOLLOUT != 0 {
		if err := l.write(c); err != nil {
			return err
		}
	}
	if events&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 && c.step != closed {
		return l.read(c)
	}
	return nil
}

func (l *loop) read(c *conn) error {
	if room := 2 * len(c.in); room > len(l.buf)-64<<10 {
		l.buf = make([]byte, room+256<<10)
	}
	kept := copy(l.buf, c.in)
	n, err := syscall.Read(c.fd, l.buf[kept:])
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
		return nil
	case err != nil || n == 0:
		return l.ended(c)
	}
	b := l.buf[:kept+n]
	if c.step == shaking {
		head, rest, found := bytes.Cut(b, []byte("\r\n\r\n"))
		if !found {
			c.in = append(c.in[:0], b...)
			return nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
			return fmt.Errorf("%w: %.300s", errRefused, b)
		}
		c.step, b = open, rest
		if c.opened != nil {
			c.opened(c)
			l.touch(c)
		}
	}
	for {
		op, payload, rest, ok, err := cutFrame(b)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		b = rest
		if err := l.frame(c, op, payload); err != nil {
			return err
		}
	}
	if len(b) > 0 || len(c.in) > 0 {
		c.in = append(c.in[:0], b...)
	}
	return nil
}

func (l *loop) frame(c *conn, op byte, payload []byte) error {
	switch op {
	case opText:
		if c.handle == nil {
			return nil
		}
		if err := c.handle(c, payload); err != nil {
			return err
		}
	case opPing:
		c.out = appendMasked(c.out, opPong, payload)
	case opClose:
		if !l.mayEnd {
			return fmt.Errorf("%w: %q", errLost, payload)
		}
	}
	if len(c.out) > 0 {
		l.touch(c)
	}
	return nil
}

func (l *loop) ended(c *conn) error {
	l.drop(c)
	if l.mayEnd {
		l.lost++
		return nil
	}
	return errLost
}

// drop closes a connection without a word.
func (l *loop) drop(c *conn) {
	if c.step != closed {
		delete(l.byFD, c.fd)
		_ = syscall.Close(c.fd)
		c.fd, c.step = -1, closed
	}
}

// touch lists a connection that has something to write.
func (l *loop) touch(c *conn) {
	if !c.dirty && c.step == open {
		c.dirty = true
		l.dirty = append(l.dirty, c)
	}
}

// flush writes what was appended to the listed connections, with one write
// each.
func (l *loop) flush() error {
	for _, c := range l.dirty {
		c.dirty = false
		if err := l.write(c); err != nil {
			return err
		}
	}
	l.dirty = l.dirty[:0]
	return nil
}

func (l *loop) write(c *conn) error {
	if c.step == closed {
		return nil
	}
	if len(c.out) > 0 {
		n, err := syscall.Write(c.fd, c.out)
		if err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
			return l.ended(c)
		}
		c.out = c.out[:copy(c.out, c.out[max(n, 0):])]
	}
	if want := len(c.out) > 0; want != c.armed {
		c.armed = want
		e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)}
		if want {
			e.Events |= syscall.EPOLLOUT
		}
		if err := syscall.EpollCtl(l.poll, syscall.EPOLL_CTL_MOD, c.fd, &e); err != nil {
			return fmt.Errorf("watch socket: %w", err)
		}
	}
	return nil
}

// call makes a call on an open connection and waits for its answer.
func (l *loop) call(ctx context.Context, c *conn, method, params string) ([]byte, error) {
	const id = 4711
	var answer []byte
	before := c.handle
	defer func() { c.handle = before }()
	c.handle = func(c *conn, frame []byte) error {
		if !isAnswer(frame) || digits(frame[len(answerHead):]) != id {
			return nil
		}
		if refused(frame) {
			return fmt.Errorf("%s: %w: %.300s", method, errRefused, frame)
		}
		answer = slices.Clone(frame)
		return nil
	}
	c.out = append(c.out, request(id, method, params)...)
	l.touch(c)
	deadline := l.now + patience
	err := l.run(ctx, 50*time.Millisecond, func() (bool, error) { return answer != nil, l.late(deadline, method) })
	return answer, err
}

// patience is how long anything may take that should be quick.
const patience = 60 * time.Second

var errLate = errors.New("it takes too long")

func (l *loop) late(deadline time.Duration, what string) error {
	if l.now > deadline {
		return fmt.Errorf("%s: %w", what, errLate)
	}
	return nil
}

// ready waits until every new connection is open and, with start, has its
// stream.
func (l *loop) ready(ctx context.Context, start bool) error {
	waiting := 0
	for _, c := range l.conns {
		if c.step >= open {
			continue
		}
		waiting++
		c.opened = func(c *conn) {
			if start {
				c.out = append(c.out, request(1, "sync.start", `{"since":0}`)...)
				return
			}
			waiting--
		}
		c.handle = func(_ *conn, frame []byte) error {
			if !isAnswer(frame) {
				return nil
			}
			if refused(frame) {
				return fmt.Errorf("sync.start: %w: %.300s", errRefused, frame)
			}
			waiting--
			return nil
		}
	}
	deadline := l.now + patience
	return l.run(ctx, 50*time.Millisecond, func() (bool, error) { return waiting == 0, l.late(deadline, "connect") })
}

// close drops every connection.
func (l *loop) close() {
	for _, c := range l.conns {
		l.drop(c)
	}
	l.conns, l.dirty = nil, nil
	_ = syscall.Close(l.poll)
}
