package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hostName is what every server under test is called; Chromium finds it on the
// loopback interface.
const hostName = "chat.lan"

// server is a posthouse process with its data directory.
type server struct {
	t         *testing.T
	dir       string
	localAddr string // plain http
	lanAddr   string // https
	settings  []string
	setup     string // fragment of the setup link of the first start

	wrap    func(cmd *exec.Cmd) // changes how the process is started; nil: it is not
	allowed []string            // errors in the log that a test provokes, a part of each

	cmd    *exec.Cmd
	exited chan struct{}
	status error
	log    log
}

// serve starts a server with an empty data directory. Settings are section.key=value.
func serve(t *testing.T, settings ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), localAddr: freePort(t), lanAddr: freePort(t), settings: settings}
	t.Cleanup(s.end)
	s.start()
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// url is the address for browsers and clients on this machine.
func (s *server) url() string { return "http://" + s.localAddr }

// lanURL is the address for everybody else.
func (s *server) lanURL() string {
	_, port, _ := net.SplitHostPort(s.lanAddr)
	return "https://" + hostName + ":" + port
}

var setupLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/#(/setup/\S+)`)

// start starts the process and waits until it says where it is.
func (s *server) start() {
	s.t.Helper()
	args := []string{"serve", "--data", s.dir, "--set", "watch.virtual_users=false", "--set", "server.listen_local=" + s.localAddr, "--set", "server.listen=" + s.lanAddr,
		"--set", "server.host_name=" + hostName, "--set", "files.free_reserve_bytes=64MiB",
		"--set", "limits.logins_per_minute_account=1000", "--set", "limits.logins_per_minute_address=1000"}
	for _, kv := range s.settings {
		args = append(args, "--set", kv)
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stderr = &s.log
	if s.wrap != nil {
		s.wrap(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start the server: %v", err)
	}
	s.cmd, s.exited = cmd, make(chan struct{})
	greeted, exited := make(chan string, 1), make(chan struct{})
	s.exited = exited
	go func() {
		s.listen(out, greeted)
		s.status = cmd.Wait()
		close(exited)
	}()
	select {
	case fragment, ok := <-greeted:
		if !ok {
			s.t.Fatalf("the server did not start:\n%s", s.log.tail())
		}
		s.setup = fragment
	case <-time.After(patience):
		s.t.Fatalf("the server did not start in %s:\n%s", patience, s.log.tail())
	}
}

// listen reads what the server says to its end. The first start ends with the
// setup link, a later one with the address.
func (s *server) listen(out io.Reader, greeted chan<- string) {
	defer close(greeted)
	fresh, told := s.setup == "", false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		link := setupLink.FindStringSubmatch(lines.Text())
		switch {
		case told:
		case link != nil:
			told = true
			greeted <- link[1]
		case !fresh && strings.Contains(lines.Text(), "on this machine:"):
			told = true
			greeted <- "used"
		}
	}
}

// forgives names errors that will be in the log.
func (s *server) forgives(parts ...string) { s.allowed = append(s.allowed, parts...) }

// kill is kill -9.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatalf("kill the server: %v", err)
	}
	<-s.exited
}

// stop sends SIGTERM, waits for the end, and wants status 0.
func (s *server) stop() {
	s.t.Helper()
	s.terminate()
	s.gone()
}

func (s *server) terminate() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatalf("stop the server: %v", err)
	}
}

func (s *server) gone() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatalf("the server did not stop in %s", patience)
	}
	if s.status != nil {
		s.t.Fatalf("the server ended with %v:\n%s", s.status, s.log.tail())
	}
}

// end stops the server at the end of its test, and looks into its log.
func (s *server) end() {
	if s.cmd == nil {
		return
	}
	select {
	case <-s.exited:
	default:
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may end in this moment
		select {
		case <-s.exited:
			if s.status != nil {
				s.t.Errorf("the server ended with %v", s.status)
			}
		case <-time.After(patience):
			s.t.Errorf("the server did not stop in %s", patience)
			_ = s.cmd.Process.Kill()
			<-s.exited
		}
	}
	for _, bad := range s.log.errors() {
		if slices.ContainsFunc(s.allowed, func(part string) bool { return strings.Contains(bad, part) }) {
			continue
		}
		s.t.Errorf("the server logged: %s", bad)
	}
	if s.t.Failed() {
		s.t.Logf("the end of the server's log:\n%s", s.log.tail())
	}
}

// log keeps what a server writes to standard error.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimRight(l.text.String(), "\n"), "\n")
}

func (l *log) errors() []string {
	var bad []string
	for _, line := range l.lines() {
		if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic:") || strings.Contains(line, "DATA RACE") {
			bad = append(bad, line)
		}
	}
	return bad
}

func (l *log) tail() string {
	lines := l.lines()
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
