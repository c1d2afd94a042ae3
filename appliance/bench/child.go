package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"posthouse/appliance/wire"
)

// child is a server or a relay in a process of its own.
type child struct {
	cmd    *exec.Cmd
	dir    string // data directory of a server
	addr   string // without TLS
	secure string // with TLS; empty: not offered
	socket string // of a server, for the operator
	ended  chan struct{}
	err    error // of Wait, once ended

	mu    sync.Mutex
	tail  []string // last lines of the log
	lines func(line string)
}

// Setup is the surroundings of one scenario.
type Setup struct {
	Executable string   // this program
	Serve      []string // arguments that start a server, without those that bench adds
	Relay      []string // arguments that start the relay
	Dir        string   // a directory that is the scenario's own
	Seconds    int      // of one measured run
	Rounds     int      // runs of each side; the median counts
	Scale      float64  // of the number of clients; 1 is what the targets are for
	Messages   int      // of scenario start
	Window     int      // of a sender in one-to-one; 0: what the targets are for
	CPUProfile string   // file for the server's profile; empty: none
	Progress   func(what wire.Text)
}

func (s *Setup) clients(n int) int { return max(2, int(float64(n)*s.Scale)) }

func (s *Setup) say(en, zh string) { s.Progress(wire.Text{En: en, Zh: zh}) }

func (s *Setup) length() time.Duration { return time.Duration(s.Seconds) * time.Second }

// spawn starts a process. It dies with this one, however that ends.
func (s *Setup) spawn(args, env []string, lines func(string)) (*child, io.Reader, error) {
	c := &child{cmd: exec.Command(s.Executable, args...), ended: make(chan struct{}), lines: lines}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for in := bufio.NewScanner(log); in.Scan(); {
			c.mu.Lock()
			if c.tail = append(c.tail, in.Text()); len(c.tail) > 20 {
				c.tail = c.tail[1:]
			}
			c.mu.Unlock()
			if c.lines != nil {
				c.lines(in.Text())
			}
		}
	}()
	go func() {
		<-read
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, out, nil
}

// startRelay starts a relay.
func (s *Setup) startRelay() (*child, error) {
	c, out, err := s.spawn(s.Relay, nil, nil)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(out, &c.addr, &c.secure); err != nil {
		return nil, errors.Join(fmt.Errorf("start relay: %w", err), c.stop())
	}
	go io.Copy(io.Discard, out)
	return c, nil
}

// serverOptions change what a server is started with.
type serverOptions struct {
	dir   string // below Setup.Dir; kept by the caller
	tls   bool
	set   []string
	lines func(line string)
}

// startServer starts a server and waits until it is ready. took is the time
// from the start of the process to the first answer.
func (s *Setup) startServer(ctx context.Context, o serverOptions) (c *child, took time.Duration, err error) {
	dir := filepath.Join(s.Dir, o.dir)
	addr, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	secure := ""
	listen := ""
	if o.tls {
		if secure, err = freeAddress(); err != nil {
			return nil, 0, err
		}
		listen = secure
	}
	args := append([]string{}, s.Serve...)
	args = append(args, "--data", dir)
	if s.CPUProfile != "" {
		args = append(args, "--cpuprofile", s.CPUProfile)
	}
	for _, kv := range append([]string{
		"server.listen_local=" + addr, "server.listen=" + listen, "limits.connections_per_address=100000",
		"limits.sockets_per_user=1000", "session.sessions_per_user=1000", "limits.messages_per_second=100000", "limits.messages_burst=1000000",
		"limits.requests_per_second=100000", "limits.requests_burst=1000000", "limits.rooms_per_user=1000000",
		"limits.connections=100000", "session.login_wait=1m",
	}, o.set...) {
		args = append(args, "--set", kv)
	}
	began := time.Now()
	c, out, err := s.spawn(args, nil, o.lines)
	if err != nil {
		return nil, 0, err
	}
	go io.Copy(io.Discard, out)
	c.dir, c.addr, c.secure, c.socket = dir, addr, secure, filepath.Join(dir, "posthouse.sock")
	for !answers(addr) {
		select {
		case <-c.ended:
			return nil, 0, fmt.Errorf("start server: %w: %s", c.err, c.log())
		case <-ctx.Done():
			return nil, 0, errors.Join(ctx.Err(), c.stop())
		case <-time.After(2 * time.Millisecond):
		}
		if time.Since(began) > 10*patience {
			return nil, 0, errors.Join(fmt.Errorf("start server: %w: %s", errLate, c.log()), c.stop())
		}
	}
	return c, time.Since(began), nil
}

// freeAddress finds a loopback port that nobody listens on at this moment.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}

func answers(addr string) bool {
	c := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + addr + "/health/ready")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (c *child) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, "\n")
}

func (c *child) usage() (usage, error) {
	u, err := usageOf(c.cmd.Process.Pid)
	if err != nil {
		return u, fmt.Errorf("read what process %s uses: %w", strconv.Itoa(c.cmd.Process.Pid), err)
	}
	return u, nil
}

// settling is how long a process gets to return unused memory.
const settling = 1500 * time.Millisecond

// settled is the resident memory after unused memory was returned.
func (c *child) settled(ctx context.Context) (int64, error) {
	var u usage
	for range 3 {
		if err := c.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
			return 0, fmt.Errorf("signal: %w", err)
		}
		if err := pause(ctx, settling/3); err != nil {
			return 0, err
		}
	}
	u, err := c.usage()
	return u.rss, err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// stop ends the process and waits for it.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
		return nil
	case <-time.After(20 * time.Second):
	}
	_ = c.cmd.Process.Kill()
	<-c.ended
	return fmt.Errorf("process %d did not stop: %w", c.cmd.Process.Pid, errLate)
}
