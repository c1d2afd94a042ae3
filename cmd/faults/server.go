package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// server is the real program as a child process, on one port of loopback.
type server struct {
	bin  string
	data string
	addr string
	set  []string
	wrap []string // a command to run it under, such as strace

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	out    tailBuffer
	err    tailBuffer
}

// newServer chooses a free port. No limit on rates stands unless set says so.
func newServer(bin, data string, set ...string) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := ln.Addr().String()
	return &server{bin: bin, data: data, addr: addr, set: set}, ln.Close()
}

// freely are the settings under which one machine may do what a whole office
// does.
func freely() []string {
	return []string{"limits.messages_per_second=100000", "limits.messages_burst=1000000", "limits.requests_per_second=100000",
		"limits.requests_burst=1000000", "limits.connections_per_address=20000", "limits.logins_per_minute_address=100000",
		"limits.sockets_per_user=1000", "files.free_reserve_bytes=64MiB"}
}

func (s *server) url() string { return "http://" + s.addr }

// start runs the program and waits until it listens.
func (s *server) start(ctx context.Context) error {
	args := append([]string{}, s.wrap...)
	args = append(args, s.bin, "serve", "--data", s.data, "--set", "watch.virtual_users=false", "--set", "server.listen=", "--set", "server.listen_local="+s.addr)
	for _, kv := range s.set {
		args = append(args, "--set", kv)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	s.mu.Lock()
	s.cmd, s.out, s.err = cmd, tailBuffer{}, tailBuffer{}
	cmd.Stdout, cmd.Stderr = &s.out, &s.err
	exited := make(chan struct{})
	s.exited = exited
	s.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait(); close(exited) }() // the state is read by code
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		if c, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
			return c.Close()
		}
		select {
		case <-exited:
			return fmt.Errorf("the server ended at its start with %d: %s", cmd.ProcessState.ExitCode(), s.lastWords())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return errors.New("the server does not listen after 30 s")
}

func (s *server) lastWords() string {
	text := strings.TrimSpace(s.err.String())
	if len(text) > 9000 {
		text = "…" + text[len(text)-9000:]
	}
	return text
}

// kill is kill -9, of everything that start began.
func (s *server) kill() {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	if cmd == nil || cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // may be gone
	<-exited
}

// stop asks politely and gives the exit code.
func (s *server) stop() int {
	if pid := s.pid(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGTERM) // may be gone
	}
	return s.wait(30 * time.Second)
}

// wait gives the exit code, or -2 when the program still runs after so long.
func (s *server) wait(d time.Duration) int {
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(d):
		if pid := s.pid(); pid > 0 { // what it waits for, into its last words
			_ = syscall.Kill(pid, syscall.SIGQUIT)
			time.Sleep(time.Second)
		}
		s.kill()
		return -2
	}
}

func (s *server) running() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// pid is of the server itself, also under a wrapper.
func (s *server) pid() int {
	if len(s.wrap) == 0 {
		return s.cmd.Process.Pid
	}
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.cmd.Process.Pid))
	first, _, _ := strings.Cut(string(list), " ")
	n, _ := strconv.Atoi(first)
	return n
}

// memory is the resident size in bytes.
func (s *server) memory() int64 { return procKB(s.pid(), "VmRSS:") << 10 }

func procKB(pid int, key string) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}

// cpu is the processor time used so far.
func (s *server) cpu() time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid()))
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// http is a client without a connection that is kept open.
func (s *server) http(token string) (*client.HTTP, error) {
	return client.NewHTTP(client.Options{URL: s.url(), Token: token, Lang: "en", Timeout: 20 * time.Second, Backoff: 5 * time.Millisecond})
}

// password of every account the harnesses make.
const password = "correct horse battery"

// setup makes the owner through the setup link.
func (s *server) setup(ctx context.Context) (wire.Session, error) {
	var secret string
	for until := time.Now().Add(10 * time.Second); secret == "" && time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if _, after, ok := strings.Cut(s.out.String(), "/#/setup/"); ok && strings.Contains(after, "\n") {
			secret = strings.Fields(after)[0]
		}
	}
	if secret == "" {
		return wire.Session{}, fmt.Errorf("the server printed no setup link: %q", s.out.String())
	}
	h, err := s.http("")
	if err != nil {
		return wire.Session{}, err
	}
	defer h.Close()
	return h.Setup(ctx, wire.SetupParams{Token: secret, Organisation: "Office", Login: "owner", Name: "Owner", Password: password})
}

// person is an account with a token.
type person struct {
	id    id.ID
	login string
	token string
}

// people makes bots with tokens: passwords would cost 50 ms each.
func (s *server) people(ctx context.Context, owner string, n int) ([]person, error) {
	h, err := s.http(owner)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	var list []person
	for i := range n {
		p := person{login: fmt.Sprintf("p%d", i)}
		u, err := h.CreateUser(ctx, wire.UserCreate{Login: p.login, Name: "Bot " + strconv.Itoa(i), Bot: true})
		if err != nil {
			return nil, fmt.Errorf("make account: %w", err)
		}
		t, err := h.CreateToken(ctx, u.ID, "harness")
		if err != nil {
			return nil, fmt.Errorf("make token: %w", err)
		}
		p.id, p.token = u.ID, t.Token
		list = append(list, p)
	}
	return list, nil
}

// verify runs "posthouse verify" where the program has it, and the checks of
// this harness in a child process.
func (s *server) verify(r *run) {
	if out, err := exec.CommandContext(r.ctx, s.bin, "verify", "--help").CombinedOutput(); err == nil && strings.Contains(string(out), "verify") {
		if out, err := exec.CommandContext(r.ctx, s.bin, "verify", "--data", s.data).CombinedOutput(); err != nil {
			r.violation("posthouse verify: %v\n%s", err, out)
		}
	}
	var a auditAnswer
	w, err := startWorker(r.ctx, nil, "audit")
	if err == nil {
		if err = w.do(auditOrder{Dir: s.data, Scratch: filepath.Join(r.dir, "audit")}, &a); err == nil {
			w.stop()
		}
	}
	if err != nil {
		r.violation("audit of %s: %v", s.data, err)
	}
	for _, b := range append(a.Bad, a.Damaged...) {
		r.violation("audit of %s: %s", s.data, b)
	}
}
