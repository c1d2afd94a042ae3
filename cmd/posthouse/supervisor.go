package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// supervisor is who started the server and waits for word of it: systemd's
// protocol of datagrams to the socket in NOTIFY_SOCKET (sd_notify(3)), and its
// watchdog (WATCHDOG_USEC). Without that socket every method does nothing.
type supervisor struct {
	conn  net.Conn
	every time.Duration // half of the watchdog's time; 0: there is none
	log   *slog.Logger
}

// newSupervisor looks into the environment. A socket that cannot be opened is
// logged: the server runs without.
func newSupervisor(lookup func(string) (string, bool), pid int, log *slog.Logger) *supervisor {
	s := &supervisor{log: log}
	env := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	path := env("NOTIFY_SOCKET")
	if path == "" {
		return s
	}
	if strings.HasPrefix(path, "@") { // abstract
		path = "\x00" + path[1:]
	}
	var err error
	if s.conn, err = net.Dial("unixgram", path); err != nil {
		log.Warn("who started the server cannot be told of it", "error", err)
		return s
	}
	if of := env("WATCHDOG_PID"); of == "" || of == strconv.Itoa(pid) {
		if us, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
			s.every = time.Duration(us) * time.Microsecond / 2
		}
	}
	return s
}

// status is a line of what the server does, or why it failed.
func status(text string) string { return "STATUS=" + strings.ReplaceAll(text, "\n", "; ") }

// tell sends one datagram of lines NAME=value.
func (s *supervisor) tell(lines ...string) {
	if s.conn == nil {
		return
	}
	if _, err := io.WriteString(s.conn, strings.Join(lines, "\n")); err != nil {
		s.log.Warn("who started the server cannot be told of it", "error", err)
	}
}

const (
	startsEvery = 10 * time.Second // a start says that it goes on
	startsMore  = time.Minute      // and asks for so much time
)

// starting asks for more time until ready is called: replaying a long journal
// may take minutes.
func (s *supervisor) starting(ctx context.Context) (ready func(is string)) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s.conn != nil {
			s.tell("EXTEND_TIMEOUT_USEC="+strconv.FormatInt(startsMore.Microseconds(), 10), status("starting"))
			select {
			case <-ctx.Done():
				return
			case <-time.After(startsEvery):
			}
		}
	}()
	return func(is string) {
		stop()
		<-done
		if is != "" {
			s.tell("READY=1", status(is))
		}
	}
}

// watch feeds the watchdog while the server answers on its own socket, until
// ctx ends. One that does not answer is ended by the watchdog and started anew.
func (s *supervisor) watch(ctx context.Context, socket string) {
	if s.conn == nil || s.every <= 0 {
		return
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		if err := alive(ctx, socket, s.every); err == nil {
			s.tell("WATCHDOG=1")
		} else if ctx.Err() == nil {
			s.log.Error("the server does not answer itself", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// alive asks the server over its socket whether it lives.
func alive(ctx context.Context, socket string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var d net.Dialer
	t := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://posthouse/health/live", nil)
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("ask for life: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for life: %s", resp.Status)
	}
	return nil
}

// end says that the server stops, or why it failed.
func (s *supervisor) end(why string) {
	s.tell("STOPPING=1", status(why))
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
