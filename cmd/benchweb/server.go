package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	hostName = "chat.lan"
	password = "correct horse battery staple"
)

// server is a posthouse process with an empty data directory.
type server struct {
	dir   string
	local string // host:port, plain http
	lan   string // host:port, https
	setup string // token of the setup link, after the first start
	args  []string
	cmd   *exec.Cmd
	ended chan error
}

var setupLink = regexp.MustCompile(`/#/setup/(\S+)`)

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}

func startServer(ctx context.Context, o options) (*server, error) {
	s := &server{ended: make(chan error, 2)}
	var err error
	if s.dir, err = os.MkdirTemp("", "posthouse-benchweb-"); err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	for _, to := range []*string{&s.local, &s.lan} {
		if *to, err = freePort(); err != nil {
			return nil, err
		}
	}
	s.args = []string{o.binary, "serve", "--data", s.dir}
	for _, kv := range []string{
		"server.listen_local=" + s.local, "server.listen=" + s.lan, "server.host_name=" + hostName, "files.free_reserve_bytes=64MiB",
		fmt.Sprintf("limits.rooms_per_user=%d", o.rooms+100), "limits.logins_per_minute_account=1000", "limits.logins_per_minute_address=1000",
	} {
		s.args = append(s.args, "--set", kv)
	}
	return s, s.start(ctx)
}

// start starts the process and waits until it says where it is.
func (s *server) start(ctx context.Context) error {
	s.cmd = exec.CommandContext(ctx, s.args[0], s.args[1:]...) //nolint:gosec // the caller names the program
	s.cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			m := setupLink.FindStringSubmatch(lines.Text())
			if m == nil && (s.setup == "" || !strings.Contains(lines.Text(), "on this machine:")) {
				continue
			}
			select {
			case said <- strings.Join(m, " "):
			default:
			}
		}
		s.ended <- s.cmd.Wait()
	}()
	select {
	case link := <-said:
		if s.setup == "" {
			_, s.setup, _ = strings.Cut(link, " ")
		}
		return nil
	case err := <-s.ended:
		s.ended <- err
		return fmt.Errorf("the server did not start: %w", err)
	case <-time.After(time.Minute):
		return errors.New("the server did not start in a minute")
	}
}

// stop ends the server.
func (s *server) stop() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// remove ends the server and removes its directory.
func (s *server) remove() error {
	s.stop()
	return os.RemoveAll(s.dir)
}
