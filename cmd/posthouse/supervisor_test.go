package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Who started the server is told when it serves, that it lives, and that it
// stops; a server that no longer answers is not said to live.
func TestSupervisorIsTold(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(d.data, "..", "notify")
	ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	next := func() string {
		t.Helper()
		buf := make([]byte, 4096)
		if err := ln.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := ln.Read(buf)
		if err != nil {
			t.Fatalf("nothing is told: %v", err)
		}
		return string(buf[:n])
	}
	until := func(want string) {
		t.Helper()
		for {
			if got := next(); strings.Contains(got, want) {
				return
			} else if strings.Contains(got, "STOPPING=1") {
				t.Fatalf("%q comes, not %q", got, want)
			}
		}
	}
	d.env = append(d.env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=200000", "WATCHDOG_PID="+strconv.Itoa(os.Getpid()))
	d.serve()
	if got := next(); !strings.Contains(got, "EXTEND_TIMEOUT_USEC=") {
		t.Errorf("first %q", got)
	}
	until("READY=1\nSTATUS=serving http://127.0.0.1:")
	until("WATCHDOG=1")
	until("WATCHDOG=1")
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for got := ""; !strings.Contains(got, "STOPPING=1"); got = next() {
	}
	if err := alive(t.Context(), filepath.Join(d.data, "posthouse.sock"), time.Second); err == nil {
		t.Error("a stopped server is alive")
	}
}

// A start that fails says why.
func TestSupervisorIsToldOfAFailedStart(t *testing.T) {
	d := newDesk(t)
	d.serve()
	path := filepath.Join(d.data, "..", "notify")
	ln, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	d.env = append(d.env, "NOTIFY_SOCKET="+path)
	d.run("", "serve").exits(75)
	var all string
	buf := make([]byte, 4096)
	for !strings.Contains(all, "STOPPING=1") {
		if err := ln.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, err := ln.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		all += string(buf[:n]) + "\n"
	}
	if strings.Contains(all, "READY=1") || !strings.Contains(all, "another process") {
		t.Errorf("told %q", all)
	}
}
