package host

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/net"
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

// usage remembers CPU times between two lists, and the newest list.
type usage struct {
	mu    sync.Mutex
	at    time.Time
	times map[lifetime]float64 // seconds
	list  []Process
}

// lifetime tells a process from a later one of the same number.
type lifetime struct {
	pid     int32
	created int64
}

// shortestSpan is the least time between two looks that tells who is busy.
const shortestSpan = 250 * time.Millisecond

// Processes lists all processes, the busiest first, then the largest. Who asks
// again within a quarter of a second gets the same list; only a call before
// the first sample takes that long.
func (h *Host) Processes(ctx context.Context) ([]Process, error) {
	h.usage.mu.Lock()
	defer h.usage.mu.Unlock()
	if h.usage.at.IsZero() {
		if err := h.usage.look(ctx); err != nil {
			return nil, err
		}
	}
	if left := shortestSpan - time.Since(h.usage.at); left > 0 {
		if h.usage.list != nil {
			return slices.Clone(h.usage.list), nil
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return nil, fmt.Errorf("list processes: %w", ctx.Err())
		}
	}
	before, at := h.usage.times, h.usage.at
	if err := h.usage.look(ctx); err != nil {
		return nil, err
	}
	elapsed := h.usage.at.Sub(at).Seconds()
	self := int32(os.Getpid())
	var out []Process
	for id, now := range h.usage.times {
		p, err := process.NewProcessWithContext(ctx, id.pid)
		if err != nil {
			continue // it has ended
		}
		line := Process{PID: int(id.pid), Started: time.UnixMilli(id.created), Own: id.pid == self}
		if then, ok := before[id]; ok {
			line.CPU = max(0, (now-then)/elapsed*100)
		}
		if line.Name, err = p.NameWithContext(ctx); err != nil {
			continue
		}
		line.User, _ = p.UsernameWithContext(ctx)
		line.Path, _ = p.ExeWithContext(ctx)
		if n, err := p.NumThreadsWithContext(ctx); err == nil {
			line.Threads = int(n)
		}
		if m, err := p.MemoryInfoWithContext(ctx); err == nil {
			line.RSS = m.RSS
		}
		out = append(out, line)
	}
	slices.SortFunc(out, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(b.RSS, a.RSS), cmp.Compare(a.PID, b.PID))
	})
	h.usage.list = out
	return slices.Clone(out), nil
}

// takeProcesses lets a list that is asked for later know who was busy since.
func (h *Host) takeProcesses(ctx context.Context, _ *page) error {
	h.usage.mu.Lock()
	defer h.usage.mu.Unlock()
	if time.Since(h.usage.at) < time.Minute {
		return nil
	}
	h.usage.list = nil
	return h.usage.look(ctx)
}

// look reads the CPU times of every process.
func (u *usage) look(ctx context.Context) error {
	all, err := process.PidsWithContext(ctx)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	times := make(map[lifetime]float64, len(all))
	for _, pid := range all {
		p := &process.Process{Pid: pid}
		created, err := p.CreateTimeWithContext(ctx)
		if err != nil {
			continue // it has ended
		}
		t, err := p.TimesWithContext(ctx)
		if err != nil {
			continue
		}
		times[lifetime{pid, created}] = t.User + t.System
	}
	u.at, u.times = time.Now(), times
	return nil
}

// Port is something that listens.
type Port struct {
	Protocol string // tcp, udp
	Address  netip.Addr
	Port     uint16
	PID      int    // 0 when it may not be known (another user's, without the right to look)
	Name     string // of the program
	User     string
	Own      bool // this program
}

// Ports lists what listens on this machine, by protocol and port.
func (h *Host) Ports(ctx context.Context) ([]Port, error) {
	all, err := net.ConnectionsWithContext(ctx, "inet")
	if err != nil {
		return nil, fmt.Errorf("list ports: %w", err)
	}
	const stream, datagram = 1, 2
	seen := map[Port]bool{}
	var out []Port
	for _, c := range all {
		p := Port{Port: uint16(c.Laddr.Port), PID: int(c.Pid), Own: int(c.Pid) == os.Getpid()}
		switch {
		case c.Type == stream && c.Status == "LISTEN":
			p.Protocol = "tcp"
		case c.Type == datagram && c.Raddr.Port == 0 && c.Laddr.Port != 0:
			p.Protocol = "udp"
		default:
			continue
		}
		addr, err := netip.ParseAddr(c.Laddr.IP)
		if err != nil {
			continue
		}
		p.Address = addr.Unmap()
		if seen[p] {
			continue
		}
		seen[p] = true
		if owner, err := process.NewProcessWithContext(ctx, c.Pid); err == nil && c.Pid > 0 {
			p.Name, _ = owner.NameWithContext(ctx)
			p.User, _ = owner.UsernameWithContext(ctx)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port), a.Address.Compare(b.Address), cmp.Compare(a.PID, b.PID))
	})
	return out, nil
}
