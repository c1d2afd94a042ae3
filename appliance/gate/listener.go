package gate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// peer is a connection as the gate knows it. fasthttp reads and writes through
// it until it becomes a WebSocket; from then on what the websocket library
// wants to write is handed to the session, so that there is one writer.
type peer struct {
	net.Conn          // encrypted where the listener is
	raw      net.Conn // the socket itself
	g        *Gate
	address  netip.Addr // zero on a Unix socket
	session  atomic.Pointer[session]
	gone     atomic.Bool
}

// tlsPeer shows fasthttp that the connection is encrypted.
type tlsPeer struct {
	*peer
	tls *tls.Conn
}

// Handshake and ConnectionState are what fasthttp knows encryption by.
func (p *tlsPeer) Handshake() error                     { return p.tls.Handshake() }
func (p *tlsPeer) ConnectionState() tls.ConnectionState { return p.tls.ConnectionState() }

// peerOf finds the peer of a connection that came from a listener of the gate.
func peerOf(c net.Conn) *peer {
	if h, ok := c.(interface{ UnsafeConn() net.Conn }); ok { // hijacked
		c = h.UnsafeConn()
	}
	switch p := c.(type) {
	case *peer:
		return p
	case *tlsPeer:
		return p.peer
	}
	return nil
}

// Write gives every write of a response its own deadline: a large answer may
// take long, one that is not read may not.
func (p *peer) Write(b []byte) (int, error) {
	if s := p.session.Load(); s != nil {
		s.library(b)
		return len(b), nil
	}
	if err := p.Conn.SetWriteDeadline(time.Now().Add(p.g.limit().WriteTimeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// SetWriteDeadline does nothing to a WebSocket: its writer sets them.
func (p *peer) SetWriteDeadline(t time.Time) error {
	if p.session.Load() != nil {
		return nil
	}
	return p.Conn.SetWriteDeadline(t)
}

// Close closes the connection and forgets it.
func (p *peer) Close() error {
	p.forget()
	return p.Conn.Close()
}

// kill closes the socket at once. Close of an encrypted connection may wait
// for a last write.
func (p *peer) kill() {
	p.forget()
	_ = p.raw.Close()
}

func (p *peer) forget() {
	if !p.gone.Swap(true) {
		p.g.peers.remove(p)
	}
}

// peers counts the connections there are.
type peers struct {
	mu        sync.Mutex
	all       map[*peer]struct{}
	addresses map[netip.Addr]int
	doors     []net.Listener
	loopback  bool // limits hold for loopback too
	proxied   func(netip.Addr) bool
}

func newPeers(proxied func(netip.Addr) bool) *peers {
	return &peers{proxied: proxied, all: make(map[*peer]struct{}), addresses: make(map[netip.Addr]int)}
}

// add counts a connection; false: there are too many.
func (ps *peers) add(p *peer, most, perAddress int) bool {
	net := subnet(p.address)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ps.all) >= most || (ps.counted(p.address) && ps.addresses[net] >= perAddress) {
		return false
	}
	ps.all[p] = struct{}{}
	ps.addresses[net]++
	return true
}

// counted tells whether limits of addresses hold for it. Loopback is a proxy
// or a program on the box itself.
func (ps *peers) counted(a netip.Addr) bool {
	return a.IsValid() && (ps.loopback || !a.IsLoopback()) && !ps.proxied(a)
}

func (ps *peers) remove(p *peer) {
	net := subnet(p.address)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.all, p)
	if ps.addresses[net]--; ps.addresses[net] <= 0 {
		delete(ps.addresses, net)
	}
}

func (ps *peers) size() int {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.all)
}

func (ps *peers) closeDoors() {
	ps.mu.Lock()
	doors := ps.doors
	ps.doors = nil
	ps.mu.Unlock()
	for _, door := range doors {
		_ = door.Close()
	}
}

func (ps *peers) closeAll() {
	ps.mu.Lock()
	list := make([]*peer, 0, len(ps.all))
	for p := range ps.all {
		list = append(list, p)
	}
	ps.mu.Unlock()
	for _, p := range list {
		p.kill()
	}
}

// door is a listener that turns away what is too much or not allowed.
type door struct {
	net.Listener
	g    *Gate
	kind ListenerKind
	tls  *tls.Config
}

func (g *Gate) listener(ln net.Listener, kind ListenerKind) (net.Listener, error) {
	d := &door{Listener: ln, g: g, kind: kind}
	switch kind {
	case TLS:
		if g.o.TLSConfig == nil {
			return nil, errors.New("serve encrypted: no TLS configuration")
		}
		d.tls = g.o.TLSConfig.Clone()
		d.tls.NextProtos = []string{"http/1.1"}
	case LocalHTTP:
		if a := addressOf(ln.Addr()); !a.IsLoopback() {
			return nil, fmt.Errorf("serve without encryption on %s: only loopback addresses may", ln.Addr())
		}
	case Unix:
		if _, ok := ln.(*net.UnixListener); !ok {
			return nil, fmt.Errorf("serve the operator on %s: not a Unix socket", ln.Addr())
		}
	}
	g.peers.mu.Lock()
	defer g.peers.mu.Unlock()
	if g.draining.Load() {
		return nil, net.ErrClosed
	}
	g.peers.doors = append(g.peers.doors, d)
	return d, nil
}

// Accept waits for the next connection that may come in.
func (d *door) Accept() (net.Conn, error) {
	for {
		raw, err := d.Listener.Accept()
		if passes(err) {
			select {
			case <-d.g.ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		p := &peer{Conn: raw, raw: raw, g: d.g, address: addressOf(raw.RemoteAddr())}
		if !d.admits(p) {
			d.g.meters.refused.Inc()
			_ = raw.Close()
			continue
		}
		d.g.meters.tcp.Inc()
		if d.kind != TLS {
			return p, nil
		}
		encrypted := tls.Server(raw, d.tls)
		p.Conn = encrypted
		return &tlsPeer{peer: p, tls: encrypted}, nil
	}
}

// passes reports whether an accept error goes away by itself: no more file
// descriptors or memory just now, or the other side gave up.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (d *door) admits(p *peer) bool {
	g := d.g
	if g.draining.Load() {
		return false
	}
	if d.kind == Unix && !trusted(p.raw) {
		g.log.Warn("turned away an account of this box at the operator's socket")
		return false
	}
	if g.peers.counted(p.address) && g.limiter.take(addressKey(p.address, forConnect), g.limit().Connect, g.ticks()) > 0 {
		return false
	}
	return g.peers.add(p, g.limit().Connections, g.limit().ConnectionsPerAddress)
}

// trusted reports whether the other end of a Unix socket is root or the
// account of this process.
func trusted(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	var cred *syscall.Ucred
	var credErr error
	err = rc.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return err == nil && credErr == nil && (cred.Uid == 0 || int(cred.Uid) == os.Getuid())
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
