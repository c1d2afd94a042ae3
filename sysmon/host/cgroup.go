package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Limits are what the control group of the process allows and uses. A
// figure that is not limited, or not known, is 0.
type Limits struct {
	MemoryLimit uint64 // bytes
	MemoryUsage uint64
	Cores       float64
}

// cgroup reads the limits of the control group of the process, version 2 or
// 1. The least limit of the group and those above it counts.
func (h *Host) cgroup() (Limits, error) {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "self/cgroup"))
	if errors.Is(err, os.ErrNotExist) {
		return Limits{}, nil
	}
	if err != nil {
		return Limits{}, fmt.Errorf("read control group: %w", err)
	}
	var l Limits
	root := filepath.Join(h.o.sys, "fs/cgroup")
	for line := range strings.Lines(string(raw)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[1] == "" {
			l.readV2(root, f[2])
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			switch c {
			case "memory":
				l.readMemoryV1(filepath.Join(root, "memory"), f[2])
			case "cpu":
				l.readCoresV1(filepath.Join(root, "cpu"), f[2])
			}
		}
	}
	return l, nil
}

// upwards calls visit for the group's directory and each above it.
func upwards(root, path string, visit func(dir string)) {
	for path = filepath.Clean("/" + path); ; path = filepath.Dir(path) {
		visit(filepath.Join(root, path))
		if path == "/" {
			return
		}
	}
}

func (l *Limits) memory(v float64) {
	// Version 1 writes "no limit" as the largest number of pages.
	if v > 0 && v < math.MaxInt64/2 && (l.MemoryLimit == 0 || uint64(v) < l.MemoryLimit) {
		l.MemoryLimit = uint64(v)
	}
}

func (l *Limits) cores(quota, period float64) {
	if quota > 0 && period > 0 && (l.Cores == 0 || quota/period < l.Cores) {
		l.Cores = quota / period
	}
}

func (l *Limits) readV2(root, path string) {
	if v, ok := figure(filepath.Join(root, path, "memory.current")); ok {
		l.MemoryUsage = uint64(v)
	}
	upwards(root, path, func(dir string) {
		if v, ok := figure(filepath.Join(dir, "memory.max")); ok {
			l.memory(v)
		}
		if raw, err := os.ReadFile(filepath.Join(dir, "cpu.max")); err == nil { // "max 100000" or "50000 100000"
			if f := strings.Fields(string(raw)); len(f) == 2 {
				quota, err1 := strconv.ParseFloat(f[0], 64)
				period, err2 := strconv.ParseFloat(f[1], 64)
				if err1 == nil && err2 == nil {
					l.cores(quota, period)
				}
			}
		}
	})
}

func (l *Limits) readMemoryV1(root, path string) {
	usage, ok := figure(filepath.Join(root, path, "memory.usage_in_bytes"))
	if !ok { // in a container the group's own directory is the root of what is mounted
		usage, _ = figure(filepath.Join(root, "memory.usage_in_bytes"))
	}
	l.MemoryUsage = uint64(usage)
	upwards(root, path, func(dir string) {
		if v, ok := figure(filepath.Join(dir, "memory.limit_in_bytes")); ok {
			l.memory(v)
		}
	})
}

func (l *Limits) readCoresV1(root, path string) {
	upwards(root, path, func(dir string) {
		quota, ok1 := figure(filepath.Join(dir, "cpu.cfs_quota_us"))
		period, ok2 := figure(filepath.Join(dir, "cpu.cfs_period_us"))
		if ok1 && ok2 {
			l.cores(quota, period)
		}
	})
}

func figure(path string) (float64, bool) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(raw)), 64)
	return v, err == nil // "max" is none
}

// takeCgroup is limits and usage of the control group.
func (h *Host) takeCgroup(_ context.Context, p *page) error {
	l, err := h.cgroup()
	if err != nil {
		return err
	}
	if l.MemoryLimit > 0 {
		p.one("posthouse_cgroup_memory_limit_bytes", float64(l.MemoryLimit))
	}
	if l.MemoryUsage > 0 {
		p.one("posthouse_cgroup_memory_usage_bytes", float64(l.MemoryUsage))
	}
	if l.Cores > 0 {
		p.one("posthouse_cgroup_cpu_limit_cores", l.Cores)
	}
	return nil
}
