package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// screen is a person at a terminal: what the program writes is read from
// master, what the person types is written to it.
type screen struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	shown  strings.Builder // everything that was on the screen
	read   *bufio.Reader
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 120}); err != nil {
		t.Fatal(err)
	}
	return &screen{t: t, master: master, slave: slave, read: bufio.NewReader(master)}
}

// until reads the screen up to a text.
func (s *screen) until(text string) {
	s.t.Helper()
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		b, err := s.read.ReadByte()
		if err != nil {
			s.t.Fatalf("waiting for %q: %v; the screen shows %q", text, err, got.String())
		}
		got.WriteByte(b)
	}
	s.shown.WriteString(got.String())
}

func (s *screen) types(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, text); err != nil {
		s.t.Fatal(err)
	}
}

// at starts a command line on the terminal and gives its exit code.
func (d *desk) at(s *screen, ctx context.Context, args ...string) <-chan int {
	done := make(chan int, 1)
	a := newApp(d.env, s.slave, s.slave, s.slave)
	go func() {
		code := a.run(ctx, append([]string{"--data", d.data}, args...))
		fmt.Fprint(s.slave, "\x00") // the end, for until
		done <- code
	}()
	return done
}

func (s *screen) ends(done <-chan int, code int) {
	s.t.Helper()
	s.until("\x00")
	if got := <-done; got != code {
		s.t.Fatalf("exit code %d, want %d; the screen showed %q", got, code, s.shown.String())
	}
}

func TestPromptsDoNotEcho(t *testing.T) {
	d, s := newDesk(t), newScreen(t)
	done := d.at(s, context.Background(), "user", "add", "ann", "--role", "owner")
	s.until("New password: ")
	s.silent()
	s.types("correct horse battery\n")
	s.until("Once more: ")
	s.silent()
	s.types("correct horse battery\n")
	s.ends(done, 0)
	done = d.at(s, context.Background(), "user", "passwd", "ann")
	s.until("New password: ")
	s.silent()
	s.types("correct horse battery\n")
	s.until("Once more: ")
	s.silent()
	s.types("something else\n")
	s.until("differ")
	s.ends(done, 1)
	if strings.Contains(s.shown.String(), "horse") || strings.Contains(s.shown.String(), "something") {
		t.Fatalf("a password was echoed: %q", s.shown.String())
	}
}

// silent waits until the terminal shows nothing that is typed: a prompt stands
// there a moment before that.
func (s *screen) silent() {
	s.t.Helper()
	for s.echoes() {
	}
}

func (s *screen) echoes() bool {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.slave.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

func TestInterruptedPromptLeavesTheTerminalInOrder(t *testing.T) {
	d, s := newDesk(t), newScreen(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := d.at(s, ctx, "user", "add", "ann")
	s.until("New password: ")
	s.silent()
	cancel()
	s.until("interrupted")
	s.ends(done, 1)
	if !s.echoes() {
		t.Fatal("the terminal is left without echo")
	}
	s.types("\n") // ends the reader that was left behind
}

func TestConfirmation(t *testing.T) {
	d, s := newDesk(t), newScreen(t)
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	d.do("user", "add", "bo", "--no-password")
	for _, answer := range []string{"no", "yes"} {
		done := d.at(s, context.Background(), "user", "disable", "bo")
		s.until("ends 0 sessions")
		s.until("Type yes: ")
		s.types(answer + "\n")
		if answer == "no" {
			s.until("nothing was changed")
			s.ends(done, 1)
			d.do("user", "list").never("disabled")
			continue
		}
		s.ends(done, 0)
	}
	d.do("user", "list").prints("disabled")
}

func TestQRCodeOnATerminal(t *testing.T) {
	d, s := newDesk(t), newScreen(t)
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	d.env = append(d.env, "TERM=xterm")
	for _, colour := range []bool{true, false} {
		if !colour {
			d.env = append(d.env, "NO_COLOR=1")
		}
		s.shown.Reset()
		done := d.at(s, context.Background(), "invite", "create")
		s.ends(done, 0)
		text := s.shown.String()
		if !strings.Contains(text, "▀") || !strings.Contains(text, "█") || strings.Contains(text, "\x1b[") != colour {
			t.Fatalf("colour %v:\n%s", colour, text)
		}
	}
	// Too narrow: the link alone.
	if err := unix.IoctlSetWinsize(int(s.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 20}); err != nil {
		t.Fatal(err)
	}
	s.shown.Reset()
	s.ends(d.at(s, context.Background(), "invite", "create"), 0)
	if strings.Contains(s.shown.String(), "█") {
		t.Fatal("a QR code that does not fit was drawn")
	}
}

func TestProgressIsTakenAway(t *testing.T) {
	s := newScreen(t)
	if !term.IsTerminal(int(s.slave.Fd())) {
		t.Skip("no terminal")
	}
	a := newApp(nil, s.slave, io.Discard, s.slave)
	p := a.progress("校验")
	p.at(1, 4, count)
	p.end()
	fmt.Fprint(s.slave, "\x00")
	s.until("\x00")
	if want := "\r校验  25 %  1 / 4\r" + strings.Repeat(" ", 17) + "\r\x00"; s.shown.String() != want {
		t.Fatalf("the screen got %q, want %q", s.shown.String(), want)
	}
}
