package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// Process is a line of the process list.
type Process struct {
	PID     int
	User    string
	Name    string  // of the program, without arguments
	Path    string  // of its file; empty when it may not be read
	CPU     float64 // percent of one core since the look before, a quarter of a second to a minute ago
	RSS     uint64  // bytes
	Threads int
	Started time.Time
	Own     bool // this program
}

// TopProcesses is how many processes are listed of each order.
const TopProcesses = 20

// Top is the processes worth looking at. This program is in both lists, last
// where it is not among the first.
type Top struct {
	Busy  []Process // by time of the processors, then by memory
	Large []Process // by memory
}

// usage remembers CPU times between two looks, and the newest list.
type usage struct {
	mu   sync.Mutex
	at   time.Time
	seen map[lifetime]procStat
	top  *Top
}

// lifetime tells a process from a later one of the same number.
type lifetime struct {
	pid     int32
	started uint64 // ticks since boot
}

// shortestSpan is the least time between two looks that tells who is busy.
const shortestSpan = 250 * time.Millisecond

// Processes lists who uses the machine most. Who asks again within a quarter
// of a second gets the same list; only a call before the first sample takes
// that long.
func (h *Host) Processes(ctx context.Context) (Top, error) {
	u := &h.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at.IsZero() {
		if err := h.look(ctx); err != nil {
			return Top{}, err
		}
	}
	if left := shortestSpan - time.Since(u.at); left > 0 {
		if u.top != nil {
			return *u.top, nil
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return Top{}, fmt.Errorf("list processes: %w", ctx.Err())
		}
	}
	before, at := u.seen, u.at
	if err := h.look(ctx); err != nil {
		return Top{}, err
	}
	boot, err := bootTime(h.o.proc)
	if err != nil {
		return Top{}, err
	}
	elapsed := u.at.Sub(at).Seconds()
	all := make([]Process, 0, len(u.seen))
	for id, now := range u.seen {
		p := Process{PID: int(id.pid), RSS: now.rss, Threads: now.threads, Started: time.UnixMilli(int64(boot*1000) + int64(id.started)*10), Own: int(id.pid) == os.Getpid()}
		if then, ok := before[id]; ok {
			p.CPU = max(0, (now.cpu-then.cpu)/elapsed*100)
		}
		all = append(all, p)
	}
	known := map[int]Process{}
	t := &Top{}
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(b.RSS, a.RSS), cmp.Compare(a.PID, b.PID))
	})
	t.Busy = first(ctx, all, known)
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.RSS, a.RSS), cmp.Compare(a.PID, b.PID))
	})
	t.Large = first(ctx, all, known)
	u.top = t
	return *t, nil
}

// first gives the first of a list and this program, with their names, which
// cost more than the figures.
func first(ctx context.Context, all []Process, known map[int]Process) []Process {
	var out []Process
	for _, p := range all {
		if len(out) >= TopProcesses && !p.Own {
			continue
		}
		if k, ok := known[p.PID]; ok {
			out = append(out, k)
			continue
		}
		proc := &process.Process{Pid: int32(p.PID)}
		var err error
		if p.Name, err = proc.NameWithContext(ctx); err != nil {
			continue // it has ended
		}
		p.User, _ = proc.UsernameWithContext(ctx)
		p.Path, _ = proc.ExeWithContext(ctx)
		known[p.PID] = p
		out = append(out, p)
	}
	return out
}

// takeProcesses lets a list that is asked for later know who was busy since.
func (h *Host) takeProcesses(ctx context.Context, _ *page) error {
	h.usage.mu.Lock()
	defer h.usage.mu.Unlock()
	if time.Since(h.usage.at) < time.Minute {
		return nil
	}
	h.usage.top = nil
	return h.look(ctx)
}

// look reads the figures of every process. The caller holds usage.mu.
func (h *Host) look(ctx context.Context) error {
	all, err := process.PidsWithContext(ctx)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	seen := make(map[lifetime]procStat, len(all))
	for _, pid := range all {
		s, err := readProcStat(filepath.Join(h.o.proc, strconv.Itoa(int(pid)), "stat"))
		if err != nil {
			continue // it has ended
		}
		seen[lifetime{pid, s.started}] = s
	}
	h.usage.at, h.usage.seen = time.Now(), seen
	return nil
}

// procStat is what is used of /proc/PID/stat.
type procStat struct {
	cpu     float64 // seconds, user and system
	rss     uint64  // bytes
	threads int
	started uint64 // ticks since boot
}

// readProcStat reads a line as proc_pid_stat(5) describes it. A tick is a
// hundredth of a second (USER_HZ).
func readProcStat(path string) (procStat, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return procStat{}, fmt.Errorf("read a process: %w", err)
	}
	line := string(raw)
	f := strings.Fields(line[strings.LastIndexByte(line, ')')+1:]) // the name before it may hold anything
	const utime, stime, threads, started, rss = 11, 12, 17, 19, 21 // from the state on, which is field 3
	if len(f) <= rss {
		return procStat{}, fmt.Errorf("read a process: %d fields in %s", len(f), path)
	}
	var s procStat
	var errs []error
	number := func(i int) uint64 {
		v, err := strconv.ParseUint(f[i], 10, 64)
		errs = append(errs, err)
		return v
	}
	s.cpu = float64(number(utime)+number(stime)) / 100
	s.threads = int(number(threads))
	s.started = number(started)
	s.rss = number(rss) * uint64(os.Getpagesize())
	return s, errors.Join(errs...)
}
