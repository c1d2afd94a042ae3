package host

import (
	"context"
	"fmt"
	stdnet "net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"
	"golang.org/x/sys/unix"
)

// Facts are what does not change while the machine runs.
type Facts struct {
	Name         string // of the host
	System       string // distribution and version
	Kernel       string
	Architecture string
	Virtual      string // kind of virtual machine or container; empty on bare metal or when unknown
	Processor    string // model
	Cores        int
	Memory       uint64 // bytes
	Boot         time.Time
	Addresses    []string // of the cards that are up, loopback left out
	OpenFiles    uint64   // how many descriptors the program may have
	Limits       Limits   // of its control group
	Version      string   // of the program
	Go           string   // that built it
	DataDir      string
}

// Facts tells what is known of the machine; what cannot be read is empty.
func (h *Host) Facts() Facts {
	ctx, cancel := context.WithTimeout(context.Background(), h.o.Patience)
	defer cancel()
	f := Facts{Cores: runtime.NumCPU(), Architecture: runtime.GOARCH, Version: h.o.Version, Go: runtime.Version(), DataDir: h.dataPath()}
	if name, err := os.Hostname(); err == nil {
		f.Name = name
	}
	if i, err := host.InfoWithContext(ctx); err == nil {
		f.System = strings.TrimSpace(i.Platform + " " + i.PlatformVersion)
		f.Kernel = i.KernelVersion
		if i.VirtualizationRole == "guest" {
			f.Virtual = i.VirtualizationSystem
		}
	}
	if c, err := cpu.InfoWithContext(ctx); err == nil && len(c) > 0 {
		f.Processor = c[0].ModelName
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		f.Memory = m.Total
	}
	if boot, err := bootTime(h.o.proc); err == nil {
		f.Boot = time.Unix(int64(boot), 0)
	}
	if _, limit, err := descriptors(); err == nil {
		f.OpenFiles = limit
	}
	if l, err := h.cgroup(); err == nil {
		f.Limits = l
	}
	f.Addresses = addresses()
	return f
}

func addresses() []string {
	var out []string
	all, err := stdnet.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*stdnet.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			out = append(out, n.String())
		}
	}
	return out
}

// bootTime is in seconds since the epoch.
func bootTime(proc string) (float64, error) {
	raw, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return 0, fmt.Errorf("read boot time: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				return 0, fmt.Errorf("read boot time: %w", err)
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("read boot time: the kernel does not tell")
}

// takeFacts is what identifies the machine, and its descriptors.
func (h *Host) takeFacts(_ context.Context, p *page) error {
	boot, err := bootTime(h.o.proc)
	if err != nil {
		return err
	}
	p.one("node_boot_time_seconds", boot)
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("read kernel version: %w", err)
	}
	p.one("node_uname_info", 1, "domainname", unix.ByteSliceToString(u.Domainname[:]), "machine", unix.ByteSliceToString(u.Machine[:]),
		"nodename", unix.ByteSliceToString(u.Nodename[:]), "release", unix.ByteSliceToString(u.Release[:]),
		"sysname", unix.ByteSliceToString(u.Sysname[:]), "version", unix.ByteSliceToString(u.Version[:]))
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "sys/fs/file-nr")) // in use, 0, most
	if err != nil {
		return fmt.Errorf("read descriptors: %w", err)
	}
	if f := strings.Fields(string(raw)); len(f) == 3 {
		used, err1 := strconv.ParseFloat(f[0], 64)
		most, err2 := strconv.ParseFloat(f[2], 64)
		if err1 == nil && err2 == nil {
			p.one("node_filefd_allocated", used)
			p.one("node_filefd_maximum", most)
		}
	}
	return nil
}
