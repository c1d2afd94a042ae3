// Package host owns what the machine and the own process say of themselves:
// samples in the text exposition format under node_exporter's names and labels
// (so that rules and dashboards people already own work), lists of processes
// and listening ports, and facts about the box. It alone imports gopsutil.
//
// Promises. (*Host).Write never waits longer than Options.Patience, whatever a
// mount, a driver or a resolver does: each part of a sample runs by itself, a
// part that is late is left out of this sample (node_scrape_collector_success
// 0 names it) and is not started again before it came back. Each filesystem is
// asked the same way, so that a dead NFS server costs its own figures alone
// (node_filesystem_device_error 1). A figure that the machine does not have (no
// swap, no sensors, no limit of a cgroup) is absent, never 0.
//
// # Choices
//
//   - Filesystems: those that hold files. Pseudo filesystems and read-only images
//     are left out, and so are mounts of a device that is mounted elsewhere under a shorter
//     path (bind mounts, as systemd makes them), containers' overlays except the
//     root, and filesystems below 1 MiB. posthouse_data_disk_info names the mount of the data directory
//     as it is called in node_filesystem_…, and its disk as in node_disk_….
//   - Disks: whole devices as node_exporter shows them (no partitions, loop or RAM devices).
//   - TCP states are asked of the kernel by netlink (sock_diag), which costs a fraction of
//     reading /proc/net/tcp with ten thousand connections; where that is forbidden, /proc/net/tcp.
//   - Gateway, of IPv4 alone: a datagram to the default gateway's port 9 makes the kernel ask for its
//     hardware address; a valid entry in the neighbour table means reachable. On links
//     without such addresses a TCP connection to port 53 is tried, and a refusal is an answer too.
//     Without a default gateway the figure is absent: a network of its own is no fault.
//   - DNS: each configured server (three at most, as the C library does) is asked for the
//     name servers of the root. Any well-formed answer counts, a refusal too: the figure tells
//     whether the server is there, not whether it knows the internet.
//   - Clock: adjtimex, and posthouse_clock_step_seconds: how far the wall clock went beside the
//     monotonic one since the last sample.
//   - Processes are shown without their arguments, which often hold passwords.
//
// # Files
//
// DataDir/watch/running: exists while the program runs. JSON {"boot":"<boot_id>","pid":N,"started":"RFC 3339"};
// its modification time is moved at most once a minute. Written by Start, removed by Stop. One that is found at
// Start means the last run ended without Stop: posthouse_unclean_shutdown is 1 for an hour, and
// posthouse_unclean_shutdown_last_seen_timestamp_seconds says when that run was last seen alive.
//
// # Goroutines
//
// Write starts one for each part that is due, and the part for filesystems one for each
// mount; they end with their system call. Nothing runs between calls of Write.
package host
