package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// Starts, and what the configuration says differently, stand in the audit.
func TestWhatChangedIsNoted(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	audit := func(action string) (list []string) {
		t.Helper()
		h, err := client.NewHTTP(client.Options{UnixSocket: d.server.cfg.Server.Socket})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		var got wire.AuditList
		if err := h.Call(context.Background(), "audit.list", wire.AuditListParams{Action: action}, &got); err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Entries {
			list = append(list, e.Object+": "+e.Detail)
		}
		return list
	}
	write("[limits]\nmessage_bytes = \"16KiB\"\n")
	d.serveWith("--config", file)
	if got := audit(auditStarted); len(got) != 1 {
		t.Errorf("starts: %v", got)
	}
	if got := audit(auditConfig); len(got) != 0 {
		t.Errorf("the first start changed %v", got)
	}
	write("[limits]\nmessage_bytes = \"8KiB\"\n")
	before := d.server.reloads.Load()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); d.server.reloads.Load() == before; {
		if time.Now().After(deadline) {
			t.Fatal("the server did not look at its configuration again")
		}
	}
	if got := audit(auditConfig); len(got) != 1 || got[0] != "limits.message_bytes: \"16KiB\" → \"8KiB\"" {
		t.Errorf("a reload noted %q", got)
	}
	d.stop()
	write("[limits]\nmessage_bytes = \"8KiB\"\n[session]\npassword_min = 14\n")
	d.serveWith("--config", file)
	if got := audit(auditConfig); len(got) != 2 || got[0] != "session.password_min: 10 → 14" {
		t.Errorf("a start noted %q", got)
	}
	if got := audit(auditStarted); len(got) != 2 {
		t.Errorf("starts: %v", got)
	}
}
