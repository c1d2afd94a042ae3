package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tcpState names the kernel's numbers as node_exporter does.
func tcpState(n int) string {
	return [...]string{"", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack", "listen", "closing"}[n]
}

type tcpCounts [12]int

// tcpByNetlink counts TCP sockets of both address families by state.
func tcpByNetlink() (tcpCounts, error) {
	var counts tcpCounts
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return counts, fmt.Errorf("ask for sockets: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return counts, fmt.Errorf("ask for sockets: %w", err)
	}
	buf := make([]byte, 64<<10)
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, dumpRequest(family), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return counts, fmt.Errorf("ask for sockets: %w", err)
		}
		if err := countAnswers(fd, buf, &counts); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// dumpRequest is a nlmsghdr (16 bytes) and an inet_diag_req_v2 (56 bytes):
// family, protocol, extensions, padding, states u32, then an empty socket id.
func dumpRequest(family byte) []byte {
	const sockDiagByFamily = 20
	b := make([]byte, 72)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[16], b[17] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[20:], 0xfff)
	return b
}

// countAnswers reads inet_diag_msg until done: their second byte is the state.
func countAnswers(fd int, buf []byte, counts *tcpCounts) error {
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return fmt.Errorf("read sockets: %w", err)
		}
		for b := buf[:n]; len(b) >= 18; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < 16 || size > len(b) {
				return errors.New("read sockets: an answer is cut")
			}
			switch binary.NativeEndian.Uint16(b[4:]) {
			case unix.NLMSG_DONE:
				return nil
			case unix.NLMSG_ERROR:
				return errors.New("read sockets: refused by the kernel")
			}
			if s := int(b[17]); s < len(counts) {
				counts[s]++
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
}

// tcpByFile counts by /proc/net/tcp and tcp6, whose fourth column is the state.
func (h *Host) tcpByFile() (tcpCounts, error) {
	var counts tcpCounts
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		raw, err := os.ReadFile(filepath.Join(h.o.proc, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			return counts, fmt.Errorf("read sockets: %w", err)
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			if len(f) < 4 {
				continue
			}
			if s, err := strconv.ParseUint(f[3], 16, 8); err == nil && int(s) < len(counts) {
				counts[s]++
			}
		}
	}
	return counts, nil
}
