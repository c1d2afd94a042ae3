package sysmon

import (
	"context"
	"log/slog"
)

// calm is the log for the libraries of Prometheus and Alertmanager, and for the
// packages around them: what those libraries say of ordinary work, at the level
// of information, is for who looks for a fault.
type calm struct{ slog.Handler }

func calmed(log *slog.Logger) *slog.Logger { return slog.New(calm{log.Handler()}) }

// Enabled implements slog.Handler.
func (c calm) Enabled(ctx context.Context, l slog.Level) bool {
	if l == slog.LevelInfo {
		l = slog.LevelDebug
	}
	return c.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (c calm) WithAttrs(list []slog.Attr) slog.Handler { return calm{c.Handler.WithAttrs(list)} }

// WithGroup implements slog.Handler.
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name)} }
