package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/load"
)

// takeCPU is time per core and mode, load, and what runs.
func (h *Host) takeCPU(ctx context.Context, p *page) error {
	times, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return fmt.Errorf("read CPU times: %w", err)
	}
	p.head("node_cpu_seconds_total")
	for _, t := range times {
		core := strings.TrimPrefix(t.CPU, "cpu")
		for _, m := range []struct {
			mode string
			v    float64
		}{{"idle", t.Idle}, {"iowait", t.Iowait}, {"irq", t.Irq}, {"nice", t.Nice}, {"softirq", t.Softirq}, {"steal", t.Steal}, {"system", t.System}, {"user", t.User}} {
			p.put(m.v, "cpu", core, "mode", m.mode)
		}
	}
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read load: %w", err)
	}
	p.one("node_load1", avg.Load1)
	p.one("node_load5", avg.Load5)
	p.one("node_load15", avg.Load15)
	return h.takeRunning(ctx, p)
}

func (h *Host) takeRunning(ctx context.Context, p *page) error {
	misc, err := load.MiscWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read process counts: %w", err)
	}
	p.one("node_procs_running", float64(misc.ProcsRunning))
	p.one("node_procs_blocked", float64(misc.ProcsBlocked))
	p.one("node_processes_pids", float64(misc.ProcsTotal))
	p.one("node_forks_total", float64(misc.ProcsCreated))
	p.one("node_context_switches_total", float64(misc.Ctxt))
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "loadavg"))
	if err != nil {
		return fmt.Errorf("read thread count: %w", err)
	}
	if f := strings.Fields(string(raw)); len(f) > 3 {
		if _, all, ok := strings.Cut(f[3], "/"); ok {
			if n, err := strconv.ParseFloat(all, 64); err == nil {
				p.one("node_processes_threads", n)
			}
		}
	}
	return nil
}
