package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/mem"
)

// takeMemory is memory, swap and paging.
func (h *Host) takeMemory(ctx context.Context, p *page) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	for _, f := range []struct {
		name string
		v    uint64
	}{
		{"MemTotal", m.Total}, {"MemFree", m.Free}, {"MemAvailable", m.Available}, {"Buffers", m.Buffers},
		{"Cached", m.Cached - min(m.Cached, m.Sreclaimable)}, // gopsutil counts reclaimable slab as cache, the kernel does not
		{"Shmem", m.Shared}, {"Slab", m.Slab}, {"SReclaimable", m.Sreclaimable}, {"Dirty", m.Dirty}, {"Writeback", m.WriteBack},
		{"Committed_AS", m.CommittedAS}, {"SwapTotal", m.SwapTotal}, {"SwapFree", m.SwapFree},
	} {
		p.one("node_memory_"+f.name+"_bytes", float64(f.v))
	}
	return h.takePaging(p)
}

func (h *Host) takePaging(p *page) error {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "vmstat"))
	if err != nil {
		return fmt.Errorf("read paging: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "pswpin", "pswpout", "pgmajfault", "oom_kill":
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return fmt.Errorf("read paging: %s: %w", name, err)
			}
			p.one("node_vmstat_"+name, v)
		}
	}
	return nil
}
