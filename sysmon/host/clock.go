package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// clockSteps compares the wall clock with the monotonic one.
type clockSteps struct {
	mu    sync.Mutex
	begun time.Time     // where the monotonic clock is read from
	wall  time.Time     // at the last call
	mono  time.Duration // likewise
}

// step is how far the wall clock moved beside the monotonic clock since the
// last call.
func (c *clockSteps) step(wall time.Time, mono time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall = wall.Round(0) // without the monotonic reading, which would be subtracted instead
	lastWall, lastMono := c.wall, c.mono
	c.wall, c.mono = wall, mono
	if lastWall.IsZero() {
		return 0
	}
	return wall.Sub(lastWall) - (mono - lastMono)
}

// takeClock is the time, and whether something keeps it right.
func (h *Host) takeClock(_ context.Context, p *page) error {
	now := h.o.Now()
	p.one("node_time_seconds", float64(now.UnixNano())/1e9)
	p.one("posthouse_clock_step_seconds", h.steps.step(now, time.Since(h.steps.begun)).Seconds())
	var t unix.Timex // Modes 0: only asks
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return fmt.Errorf("ask the kernel's clock: %w", err)
	}
	const timeError, nanoseconds = 5, 0x2000
	divisor := 1e6
	if t.Status&nanoseconds != 0 {
		divisor = 1e9
	}
	p.one("node_timex_sync_status", truth(state != timeError))
	p.one("node_timex_offset_seconds", float64(t.Offset)/divisor)
	p.one("node_timex_maxerror_seconds", float64(t.Maxerror)/1e6)
	p.one("node_timex_estimated_error_seconds", float64(t.Esterror)/1e6)
	return nil
}
