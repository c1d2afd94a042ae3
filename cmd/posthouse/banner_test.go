package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reload that leaves something to a restart, or that was refused, is said on
// every page of the console until that is mended.
func TestBannersTellOfTheReload(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	d.write(file, "[session]\npassword_min = 8\n")
	d.serveWith("--config", file)
	banners := func() string {
		var out []string
		for _, b := range d.server.banners(context.Background()) {
			if b.ID == "restart" || b.ID == "config" {
				out = append(out, b.Text.EN)
			}
		}
		return strings.Join(out, "\n")
	}
	if got := banners(); got != "" {
		t.Errorf("at the start: %q", got)
	}
	for _, step := range []struct{ config, want string }{
		{"[session]\npassword_min = 8\n[watch]\nraw_days = 20\n", "wait for a restart of the server: watch.raw_days"},
		{"[session]\npassword_min = 9\n[watch]\nraw_days = 20\n", "wait for a restart of the server: watch.raw_days"},
		{"[nonsense]\n", "The configuration has a mistake"},
		{"[session]\npassword_min = 9\n", ""},
	} {
		d.write(file, step.config)
		d.reload()
		if got := banners(); !strings.Contains(got, step.want) || step.want == "" && got != "" {
			t.Errorf("%q: %q, want %q", step.config, got, step.want)
		}
	}
}

func (d *desk) write(file, text string) {
	d.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// reload has the server look at its configuration again.
func (d *desk) reload() {
	d.t.Helper()
	before := d.server.reloads.Load()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); d.server.reloads.Load() == before; runtime.Gosched() {
		if time.Now().After(deadline) {
			d.t.Fatal("the server did not look at its configuration again")
		}
	}
}
