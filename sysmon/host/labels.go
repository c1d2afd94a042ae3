package host

import "strings"

// labelsOf are the labels of a family, in the order in which they are written.
func labelsOf(name string) []string {
	for _, part := range []struct {
		prefix string
		labels []string
	}{
		{"node_cpu_", []string{"cpu", "mode"}},
		{"node_filesystem_", []string{"device", "fstype", "mountpoint"}},
		{"node_disk_", []string{"device"}},
		{"node_network_", []string{"device"}},
		{"node_hwmon_", []string{"chip", "sensor"}},
		{"node_scrape_collector_", []string{"collector"}},
	} {
		if strings.HasPrefix(name, part.prefix) {
			return part.labels
		}
	}
	switch name {
	case "node_thermal_zone_temp":
		return []string{"type", "zone"}
	case "node_tcp_connection_states":
		return []string{"state"}
	case "node_uname_info":
		return []string{"domainname", "machine", "nodename", "release", "sysname", "version"}
	case "posthouse_data_disk_info":
		return []string{"device", "disk", "mountpoint"}
	case "posthouse_gateway_reachable":
		return []string{"address", "device"}
	case "posthouse_dns_reachable", "posthouse_dns_response_seconds":
		return []string{"server"}
	case "posthouse_build_info":
		return []string{"goversion", "version"}
	case "go_info":
		return []string{"version"}
	case "go_gc_duration_seconds":
		return []string{"quantile"}
	}
	return nil
}
