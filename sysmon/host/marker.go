package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

// marker is the file that tells the next run how this one ended.
type marker struct {
	mu       sync.Mutex
	path     string // empty until Start
	started  time.Time
	touched  time.Time
	unclean  bool
	lastSeen time.Time // of the run that ended without Stop
}

type markerFile struct {
	Boot    string    `json:"boot"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// Start notices whether the last run ended without Stop, and marks this one
// as running. It does nothing without a data directory.
func (h *Host) Start() error {
	if h.o.DataDir == "" {
		return nil
	}
	m := &h.marker
	m.mu.Lock()
	defer m.mu.Unlock()
	dir := filepath.Join(h.o.DataDir, "watch")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("mark the start: %w", err)
	}
	path := filepath.Join(dir, "running")
	switch st, err := os.Stat(path); {
	case err == nil:
		m.unclean, m.lastSeen = true, st.ModTime()
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("mark the start: %w", err)
	}
	boot, _ := os.ReadFile(filepath.Join(h.o.proc, "sys/kernel/random/boot_id")) // a help for the reader of the file, no more
	now := h.o.Now()
	raw, err := json.Marshal(markerFile{Boot: strings.TrimSpace(string(boot)), PID: os.Getpid(), Started: now})
	if err != nil {
		return fmt.Errorf("mark the start: %w", err)
	}
	if err := renameio.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("mark the start: %w", err)
	}
	m.path, m.started, m.touched = path, now, now
	return nil
}

// LastRun tells whether the run before this one ended without Stop, and when it
// was last seen alive.
func (h *Host) LastRun() (unclean bool, seen time.Time) {
	m := &h.marker
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unclean, m.lastSeen
}

// Stop says that this run ends as it should.
func (h *Host) Stop() error {
	m := &h.marker
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.path == "" {
		return nil
	}
	if err := os.Remove(m.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("mark the end: %w", err)
	}
	m.path = ""
	return nil
}

// touch moves the file's time, so that the next run knows until when this
// one lived. A failure costs that knowledge only.
func (h *Host) touch() {
	m := &h.marker
	m.mu.Lock()
	defer m.mu.Unlock()
	now := h.o.Now()
	if m.path == "" || now.Sub(m.touched).Abs() < time.Minute {
		return
	}
	m.touched = now
	_ = os.Chtimes(m.path, now, now)
}

func (h *Host) writeMarker(p *page) {
	m := &h.marker
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started.IsZero() {
		return
	}
	p.one("posthouse_unclean_shutdown", truth(m.unclean && h.o.Now().Sub(m.started) < time.Hour))
	if m.unclean {
		p.one("posthouse_unclean_shutdown_last_seen_timestamp_seconds", float64(m.lastSeen.Unix()))
	}
}
