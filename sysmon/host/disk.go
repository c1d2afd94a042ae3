package host

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/shirou/gopsutil/v3/disk"
)

// partition matches what node_exporter leaves out of its disk figures.
func partition() *regexp.Regexp {
	return regexp.MustCompile(`^(z?ram|loop|fd|(h|s|v|xv)d[a-z]+|nvme\d+n\d+p|mmcblk\d+p)\d+$`)
}

// takeDisks is reads, writes and busy time per disk.
func (h *Host) takeDisks(ctx context.Context, p *page) error {
	all, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		return fmt.Errorf("read disk counters: %w", err)
	}
	skip := partition()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), skip.MatchString)
	for _, f := range []struct {
		name string
		v    func(disk.IOCountersStat) float64
	}{
		{"node_disk_read_bytes_total", func(d disk.IOCountersStat) float64 { return float64(d.ReadBytes) }},
		{"node_disk_written_bytes_total", func(d disk.IOCountersStat) float64 { return float64(d.WriteBytes) }},
		{"node_disk_reads_completed_total", func(d disk.IOCountersStat) float64 { return float64(d.ReadCount) }},
		{"node_disk_writes_completed_total", func(d disk.IOCountersStat) float64 { return float64(d.WriteCount) }},
		{"node_disk_read_time_seconds_total", func(d disk.IOCountersStat) float64 { return float64(d.ReadTime) / 1000 }},
		{"node_disk_write_time_seconds_total", func(d disk.IOCountersStat) float64 { return float64(d.WriteTime) / 1000 }},
		{"node_disk_io_time_seconds_total", func(d disk.IOCountersStat) float64 { return float64(d.IoTime) / 1000 }},
		{"node_disk_io_now", func(d disk.IOCountersStat) float64 { return float64(d.IopsInProgress) }},
	} {
		p.head(f.name)
		for _, n := range names {
			p.put(f.v(all[n]), "device", n)
		}
	}
	return nil
}
