package host

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// gateway is the address and the card of the IPv4 default route, empty
// without one. Columns of /proc/net/route: card, destination, gateway, flags, …;
// addresses are the bytes of the address read as a number of this machine.
func (h *Host) gateway() (addr net.IP, card string, err error) {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "net/route"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read routes: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || f[2] == "00000000" {
			continue
		}
		b, err := hex.DecodeString(f[2])
		if err != nil || len(b) != 4 {
			continue
		}
		ip := make(net.IP, 4)
		binary.NativeEndian.PutUint32(ip, binary.BigEndian.Uint32(b))
		return ip, f[0], nil
	}
	return nil, "", nil
}

// takeGateway asks whether the default gateway is there.
func (h *Host) takeGateway(ctx context.Context, p *page) error {
	addr, card, err := h.gateway()
	if err != nil || addr == nil {
		return err
	}
	p.one("posthouse_gateway_reachable", truth(h.answers(ctx, addr)), "address", addr.String(), "device", card)
	return nil
}

// answers makes the kernel look for the neighbour, and reads what it found.
func (h *Host) answers(ctx context.Context, addr net.IP) bool {
	d := net.Dialer{Timeout: h.o.Patience / 2}
	if c, err := d.DialContext(ctx, "udp", net.JoinHostPort(addr.String(), "9")); err == nil {
		_, _ = c.Write([]byte{0}) // thrown away there; sending it is what makes the kernel ask
		_ = c.Close()
	}
	wait := time.NewTicker(50 * time.Millisecond)
	defer wait.Stop()
	for range 10 {
		if known, valid := h.neighbour(addr); valid {
			return true
		} else if !known {
			break
		}
		select {
		case <-wait.C:
		case <-ctx.Done():
			return false
		}
	}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(addr.String(), "53"))
	if err == nil {
		_ = c.Close()
		return true
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// neighbour looks the address up in the kernel's table: columns address,
// type, flags, …; flag 2 is a hardware address that is believed.
func (h *Host) neighbour(addr net.IP) (known, valid bool) {
	raw, err := os.ReadFile(filepath.Join(h.o.proc, "net/arp"))
	if err != nil {
		return false, false
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != addr.String() {
			continue
		}
		return true, f[2] != "0x0" && f[3] != "00:00:00:00:00:00"
	}
	return false, false
}

// resolvers are the first three name servers of /etc/resolv.conf.
func (h *Host) resolvers() ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(h.o.etc, "resolv.conf"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read name servers: %w", err)
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "nameserver" && !slices.Contains(out, f[1]) && len(out) < 3 {
			out = append(out, f[1])
		}
	}
	return out, nil
}

// takeDNS asks each name server at once.
func (h *Host) takeDNS(ctx context.Context, p *page) error {
	servers, err := h.resolvers()
	if err != nil {
		return err
	}
	up := make([]bool, len(servers))
	took := make([]time.Duration, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			begun := time.Now()
			up[i] = askDNS(ctx, s, h.o.Patience*3/4) == nil
			took[i] = time.Since(begun)
		})
	}
	all.Wait()
	p.head("posthouse_dns_reachable")
	for i, s := range servers {
		p.put(truth(up[i]), "server", s)
	}
	p.head("posthouse_dns_response_seconds")
	for i, s := range servers {
		if up[i] {
			p.put(took[i].Seconds(), "server", s)
		}
	}
	return nil
}

// askDNS sends one question, twice when the first gets no answer.
func askDNS(ctx context.Context, server string, patience time.Duration) error {
	const id = 0x7068
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("."), Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET}}}
	raw, err := q.Pack()
	if err != nil {
		return fmt.Errorf("ask name server: %w", err)
	}
	addr := server
	if _, _, err := net.SplitHostPort(server); err != nil {
		addr = net.JoinHostPort(server, "53")
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", addr)
	if err != nil {
		return fmt.Errorf("ask name server: %w", err)
	}
	defer func() { _ = c.Close() }()
	buf := make([]byte, 4096)
	for range 2 {
		if _, err = c.Write(raw); err != nil {
			continue
		}
		if err = c.SetReadDeadline(time.Now().Add(patience / 2)); err != nil {
			return fmt.Errorf("ask name server: %w", err)
		}
		var n int
		if n, err = c.Read(buf); err != nil {
			continue
		}
		var parser dnsmessage.Parser
		head, bad := parser.Start(buf[:n])
		if bad == nil && head.ID == id && head.Response {
			return nil
		}
		err = errors.New("the answer is no answer")
	}
	return fmt.Errorf("ask name server: %w", err)
}
