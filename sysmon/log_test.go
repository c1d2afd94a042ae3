package sysmon

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLibrariesAreCalm(t *testing.T) {
	for level, want := range map[slog.Level]string{slog.LevelInfo: "a warning", slog.LevelDebug: "ordinary work, a warning", slog.LevelError: ""} {
		var out strings.Builder
		log := calmed(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))).With("component", "tsdb").WithGroup("g")
		log.Info("ordinary work", "x", 1)
		log.Warn("a warning", "x", 1)
		var said []string
		for line := range strings.Lines(out.String()) {
			_, rest, _ := strings.Cut(line, `msg="`)
			msg, rest, _ := strings.Cut(rest, `"`)
			if said = append(said, msg); rest != " component=tsdb g.x=1\n" {
				t.Errorf("the rest of the line is %q", rest)
			}
		}
		if got := strings.Join(said, ", "); got != want {
			t.Errorf("at %v it says %q, want %q", level, got, want)
		}
	}
}
