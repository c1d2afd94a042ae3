package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGHUP takes over what may change while the server runs; a file with a
// mistake changes nothing.
func TestReload(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[session]\npassword_min = 8\n")
	addr := d.serveWith("--config", file)
	link := strings.TrimSpace(d.do("setup").out)
	_, token, _ := strings.Cut(link, "/#/setup/")
	token = strings.Fields(token)[0]
	setup := func(password string) int {
		t.Helper()
		res, err := http.Post("http://"+addr+"/api/setup.complete", "application/json",
			strings.NewReader(`{"token":"`+token+`","organisation":"o","login":"ann","name":"Ann","password":"`+password+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	reload := func() {
		t.Helper()
		before := d.server.reloads.Load()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); d.server.reloads.Load() == before; {
			if time.Now().After(deadline) {
				t.Fatal("the server did not look at its configuration again")
			}
		}
	}
	write("[session]\npassword_min = 20\n")
	reload()
	if code := setup("a fair password"); code != 400 {
		t.Errorf("a password of 15 bytes where 20 are wanted: %d", code)
	}
	write("[session]\npassword_min = 12\nno_such_key = 1\n")
	reload()
	if code := setup("a fair password"); code != 400 {
		t.Errorf("a file with a mistake was taken over: %d", code)
	}
	write("[session]\npassword_min = 12\n")
	reload()
	if code := setup("a fair password"); code != 200 {
		t.Errorf("a password of 15 bytes where 12 are wanted: %d", code)
	}
}
