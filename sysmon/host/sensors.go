package host

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// takeSensors is temperatures by chip and sensor, as node_exporter names them.
// A machine without sensors has none, which is no error.
func (h *Host) takeSensors(_ context.Context, p *page) error {
	type reading struct {
		chip, sensor string
		v            float64
	}
	var temps, crits []reading
	chips, _ := filepath.Glob(filepath.Join(h.o.sys, "class/hwmon/hwmon*"))
	for _, dir := range chips {
		chip := h.chip(dir)
		files, _ := filepath.Glob(filepath.Join(dir, "temp*_input"))
		for _, f := range files {
			sensor := strings.TrimSuffix(filepath.Base(f), "_input")
			if v, ok := milli(f); ok {
				temps = append(temps, reading{chip, sensor, v})
			}
			if v, ok := milli(filepath.Join(dir, sensor+"_crit")); ok && v > 0 {
				crits = append(crits, reading{chip, sensor, v})
			}
		}
	}
	zones, _ := filepath.Glob(filepath.Join(h.o.sys, "class/thermal/thermal_zone*"))
	p.head("node_hwmon_temp_celsius")
	for _, t := range temps {
		p.put(t.v, "chip", t.chip, "sensor", t.sensor)
	}
	p.head("node_hwmon_temp_crit_celsius")
	for _, t := range crits {
		p.put(t.v, "chip", t.chip, "sensor", t.sensor)
	}
	p.head("node_thermal_zone_temp")
	for _, dir := range zones {
		kind, err := os.ReadFile(filepath.Join(dir, "type"))
		if v, ok := milli(filepath.Join(dir, "temp")); ok && err == nil {
			p.put(v, "type", strings.TrimSpace(string(kind)), "zone", strings.TrimPrefix(filepath.Base(dir), "thermal_zone"))
		}
	}
	return nil
}

// chip is the bus and the device, such as platform_coretemp_0; the name of
// the driver where there is no device.
func (h *Host) chip(dir string) string {
	clean := func(s string) string {
		return strings.Trim(strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToLower(s)), "_")
	}
	if device, err := filepath.EvalSymlinks(filepath.Join(dir, "device")); err == nil {
		bus, err := os.Readlink(filepath.Join(device, "subsystem"))
		if err == nil {
			return clean(filepath.Base(bus)) + "_" + clean(filepath.Base(device))
		}
	}
	if name, err := os.ReadFile(filepath.Join(dir, "name")); err == nil && clean(string(name)) != "" {
		return clean(string(name))
	}
	return filepath.Base(dir)
}

// milli reads thousandths of a degree.
func milli(path string) (float64, bool) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(raw)), 64)
	return v / 1000, err == nil
}
