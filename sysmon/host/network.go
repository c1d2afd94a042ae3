package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
)

// takeNetwork is traffic, errors and speed per card.
func (h *Host) takeNetwork(ctx context.Context, p *page) error {
	cards, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return fmt.Errorf("read network counters: %w", err)
	}
	for _, f := range []struct {
		name string
		v    func(net.IOCountersStat) uint64
	}{
		{"receive_bytes", func(c net.IOCountersStat) uint64 { return c.BytesRecv }},
		{"transmit_bytes", func(c net.IOCountersStat) uint64 { return c.BytesSent }},
		{"receive_packets", func(c net.IOCountersStat) uint64 { return c.PacketsRecv }},
		{"transmit_packets", func(c net.IOCountersStat) uint64 { return c.PacketsSent }},
		{"receive_errs", func(c net.IOCountersStat) uint64 { return c.Errin }},
		{"transmit_errs", func(c net.IOCountersStat) uint64 { return c.Errout }},
		{"receive_drop", func(c net.IOCountersStat) uint64 { return c.Dropin }},
		{"transmit_drop", func(c net.IOCountersStat) uint64 { return c.Dropout }},
	} {
		p.head("node_network_" + f.name + "_total")
		for _, c := range cards {
			p.put(float64(f.v(c)), "device", c.Name)
		}
	}
	p.head("node_network_up")
	for _, c := range cards {
		state, err := h.read("class/net", c.Name, "operstate")
		if err == nil && state != "unknown" { // the loopback's state is unknown to the kernel
			p.put(truth(state == "up"), "device", c.Name)
		}
	}
	p.head("node_network_speed_bytes")
	for _, c := range cards {
		raw, _ := h.read("class/net", c.Name, "speed") // Mbit/s; an error or -1 when the card cannot tell
		mbit, err := strconv.ParseFloat(raw, 64)
		if (err != nil || mbit <= 0) && c.Name != "lo" {
			mbit = float64(h.o.LinkMbit)
		}
		if mbit > 0 {
			p.put(mbit*1e6/8, "device", c.Name)
		}
	}
	return nil
}

// read is a file of /sys without its newline.
func (h *Host) read(elem ...string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(append([]string{h.o.sys}, elem...)...))
	return strings.TrimSpace(string(raw)), err
}

// takeTCP is connections by state.
func (h *Host) takeTCP(_ context.Context, p *page) error {
	counts, err := tcpByNetlink()
	if err != nil {
		if counts, err = h.tcpByFile(); err != nil {
			return err
		}
	}
	p.head("node_tcp_connection_states")
	for s := 1; s < len(counts); s++ {
		p.put(float64(counts[s]), "state", tcpState(s))
	}
	return h.takeNetstat(p)
}

// takeNetstat is what the kernel counts of TCP as a whole.
func (h *Host) takeNetstat(p *page) error {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "net/snmp"))
	if err != nil {
		return fmt.Errorf("read TCP counters: %w", err)
	}
	var names []string
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := 1; i < min(len(f), len(names)); i++ {
			switch names[i] {
			case "CurrEstab", "RetransSegs", "OutSegs", "PassiveOpens", "ActiveOpens", "EstabResets":
				v, err := strconv.ParseFloat(f[i], 64)
				if err != nil {
					return fmt.Errorf("read TCP counters: %s: %w", names[i], err)
				}
				p.one("node_netstat_Tcp_"+names[i], v)
			}
		}
	}
	return nil
}
