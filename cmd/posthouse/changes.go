package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"posthouse/appliance/config"
	"posthouse/appliance/wire"
)

// lastRunFile, below watchDir, holds what the server last ran with: JSON of
// lastRun. It is what a start and a reload are compared with.
const lastRunFile = "last_run.json"

type lastRun struct {
	Version string            `json:"version"`
	Config  map[string]string `json:"config"` // key: value as TOML writes it; nothing in it is secret
}

// The actions of the audit that this file writes.
const (
	auditStarted  = "server.started"
	auditUpgraded = "server.upgraded"
	auditConfig   = "config.changed"
)

// noteStart tells the audit that the server has started, whether with another
// version, and which keys of the configuration are others than the last time.
// The audit is where "what changed in the hour before" looks. cfg is the
// configuration as it was read, before free ports were found.
func (b *box) noteStart(ctx context.Context, cfg config.Config) error {
	path := filepath.Join(b.cfg.Server.DataDir, watchDir, lastRunFile)
	was, err := readLastRun(path)
	if err != nil {
		return err
	}
	now := thisRun(cfg)
	entries := []wire.AuditEntry{{Action: auditStarted, Object: now.Version}}
	if was.Version != "" && was.Version != now.Version {
		entries = append(entries, wire.AuditEntry{Action: auditUpgraded, Object: now.Version, Detail: was.Version + " → " + now.Version})
	}
	return b.note(ctx, path, now, append(entries, changes(was, now)...))
}

// noteReload tells the audit which keys a reload changed.
func (b *box) noteReload(ctx context.Context, next config.Config) error {
	path := filepath.Join(b.cfg.Server.DataDir, watchDir, lastRunFile)
	was, err := readLastRun(path)
	if err != nil {
		return err
	}
	now := thisRun(next)
	return b.note(ctx, path, now, changes(was, now))
}

func (b *box) note(ctx context.Context, path string, now lastRun, entries []wire.AuditEntry) error {
	if b.watchDisk(); b.seq.ReadOnly() != nil { // a write to a full disk would end the server
		return fmt.Errorf("note what changed: %w", b.seq.ReadOnly())
	}
	for _, e := range entries {
		e.Outcome = "done"
		if err := b.chat.Audit(ctx, e); err != nil {
			return fmt.Errorf("note %s: %w", e.Action, err)
		}
	}
	text, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o600)
}

func thisRun(cfg config.Config) lastRun {
	run := lastRun{Version: version(), Config: map[string]string{}}
	for _, row := range config.Show(cfg, nil) {
		run.Config[row.Key] = row.Value
	}
	return run
}

// readLastRun gives an empty value when there was none, or when its file is
// damaged: then nothing is known to have changed.
func readLastRun(path string) (lastRun, error) {
	var run lastRun
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return run, nil
	}
	if err != nil {
		return run, err
	}
	if json.Unmarshal(text, &run) != nil {
		return lastRun{}, nil
	}
	return run, nil
}

// changes are the keys with another value than before, in the order of their
// names. A key that is new in this version is no change.
func changes(was, now lastRun) []wire.AuditEntry {
	var out []wire.AuditEntry
	for key, value := range now.Config {
		if before, known := was.Config[key]; known && before != value {
			out = append(out, wire.AuditEntry{Action: auditConfig, Object: key, Detail: before + " → " + value})
		}
	}
	slices.SortFunc(out, func(a, b wire.AuditEntry) int { return cmp.Compare(a.Object, b.Object) })
	return out
}
