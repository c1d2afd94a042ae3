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
	err := sockets(unix.IPPROTO_TCP, 0xfff, func(m []byte) {
		if s := int(m[1]); s < len(counts) {
			counts[s]++
		}
	})
	return counts, err
}

// sockets asks the kernel for the sockets of a protocol in some states, a bit
// each, of both address families, and calls f with each inet_diag_msg
// (sock_diag(7)), at least 2 bytes.
func sockets(protocol byte, states uint32, f func(m []byte)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return fmt.Errorf("ask for sockets: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return fmt.Errorf("ask for sockets: %w", err)
	}
	buf := make([]byte, 64<<10)
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, dumpRequest(family, protocol, states), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("ask for sockets: %w", err)
		}
		if err := readAnswers(fd, buf, f); err != nil {
			return err
		}
	}
	return nil
}

// dumpRequest is a nlmsghdr (16 bytes) and an inet_diag_req_v2 (56 bytes):
// family, protocol, extensions, padding, states u32, then an empty socket id.
func dumpRequest(family, protocol byte, states uint32) []byte {
	const sockDiagByFamily = 20
	b := make([]byte, 72)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[16], b[17] = family, protocol
	binary.NativeEndian.PutUint32(b[20:], states)
	return b
}

// readAnswers reads messages until the kernel says that it is done.
func readAnswers(fd int, buf []byte, f func(m []byte)) error {
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
			if size >= 18 {
				f(b[16:size])
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
