package host

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/net"
	"github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sys/unix"
)

// Port is something that listens.
type Port struct {
	Protocol string // tcp, udp
	Address  netip.Addr
	Port     uint16
	PID      int    // 0 when it may not be known (another user's, without the right to look)
	Name     string // of the program
	User     string
	Own      bool // this program
}

// Ports lists what listens on this machine, by protocol and port.
func (h *Host) Ports(ctx context.Context) ([]Port, error) {
	all, err := h.listeners(ctx)
	if err != nil { // no netlink in this sandbox
		if all, err = listenersByFile(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port), a.Address.Compare(b.Address), cmp.Compare(a.PID, b.PID))
	})
	all = slices.Compact(all)
	for i := range all {
		p := &all[i]
		p.Own = p.PID == os.Getpid()
		if p.PID > 0 {
			owner := &process.Process{Pid: int32(p.PID)}
			p.Name, _ = owner.NameWithContext(ctx)
			p.User, _ = owner.UsernameWithContext(ctx)
		}
	}
	return all, nil
}

// The states of sockets that wait for somebody: TCP's LISTEN, and CLOSE, as
// the kernel calls a UDP socket without a peer.
const (
	stateClose  = 7
	stateListen = 10
)

// listeners asks the kernel for the listeners alone, however many connections
// there are, and finds whose they are.
func (h *Host) listeners(ctx context.Context) ([]Port, error) {
	var out []Port
	var inodes []uint32
	for _, one := range []struct {
		name            string
		protocol, state byte
	}{{"tcp", unix.IPPROTO_TCP, stateListen}, {"udp", unix.IPPROTO_UDP, stateClose}} {
		err := sockets(one.protocol, 1<<one.state, func(m []byte) {
			if len(m) < 72 {
				return
			}
			// inet_diag_msg: family, state, timer, retrans; port u16 and peer's port u16, big-endian;
			// 16 bytes of address; … ; the inode is the last u32.
			p := Port{Protocol: one.name, Port: binary.BigEndian.Uint16(m[4:])}
			if m[0] == unix.AF_INET {
				p.Address, _ = netip.AddrFromSlice(m[8:12])
			} else {
				p.Address, _ = netip.AddrFromSlice(m[8:24])
			}
			p.Address = p.Address.Unmap()
			if peer := binary.BigEndian.Uint16(m[6:]); p.Port != 0 && peer == 0 {
				out, inodes = append(out, p), append(inodes, binary.NativeEndian.Uint32(m[68:]))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	owners, err := h.owners(ctx, inodes)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].PID = owners[inodes[i]]
	}
	return out, nil
}

// owners finds the processes that hold sockets, as far as they may be seen. It
// ends when all are found; this program, which may have very many, is asked
// last.
func (h *Host) owners(ctx context.Context, inodes []uint32) (map[uint32]int, error) {
	wanted := make(map[string]uint32, len(inodes))
	for _, n := range inodes {
		wanted[fmt.Sprintf("socket:[%d]", n)] = n
	}
	all, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	self := int32(os.Getpid())
	slices.SortFunc(all, func(a, b int32) int {
		switch {
		case a == self:
			return 1
		case b == self:
			return -1
		}
		return cmp.Compare(a, b)
	})
	found := map[uint32]int{}
	for _, pid := range all {
		if len(wanted) == 0 || ctx.Err() != nil {
			break
		}
		dir := filepath.Join(h.o.proc, strconv.Itoa(int(pid)), "fd")
		names, err := os.ReadDir(dir)
		if err != nil {
			continue // another user's, or it has ended
		}
		for _, fd := range names {
			to, err := os.Readlink(filepath.Join(dir, fd.Name()))
			if err != nil || !strings.HasPrefix(to, "socket:") {
				continue
			}
			if n, ok := wanted[to]; ok {
				found[n] = int(pid)
				delete(wanted, to)
			}
		}
	}
	return found, nil
}

// listenersByFile reads /proc/net, every connection of it.
func listenersByFile(ctx context.Context) ([]Port, error) {
	all, err := net.ConnectionsWithContext(ctx, "inet")
	if err != nil {
		return nil, fmt.Errorf("list ports: %w", err)
	}
	var out []Port
	for _, c := range all {
		p := Port{Port: uint16(c.Laddr.Port), PID: int(c.Pid)}
		switch {
		case c.Type == unix.SOCK_STREAM && c.Status == "LISTEN":
			p.Protocol = "tcp"
		case c.Type == unix.SOCK_DGRAM && c.Raddr.Port == 0 && c.Laddr.Port != 0:
			p.Protocol = "udp"
		default:
			continue
		}
		if p.Address, err = netip.ParseAddr(c.Laddr.IP); err != nil {
			return nil, errors.Join(errors.New("list ports"), err)
		}
		p.Address = p.Address.Unmap()
		out = append(out, p)
	}
	return out, nil
}
