package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// relay is what the server is compared with. The path of a connection says
// what happens to its frames:
//
//	/idle           nothing
//	/again          each is answered and sent back
//	/pairs/N/a      each is answered, and written to /pairs/N/b
//	/each/N         those of member 0 are answered, and written to all members, a write each
//	/joined/N       likewise, but what waits for a member goes out in one write
type relay struct {
	up    websocket.FastHTTPUpgrader
	mu    sync.RWMutex
	pairs map[string]*relayConn
	rooms map[string][]*relayConn
}

type relayConn struct {
	*websocket.Conn
	mu      sync.Mutex // of writing
	pending []byte     // joined frames
	spare   []byte
	wake    chan struct{}
}

// relayAnswer is about as long as what the server answers.
const relayAnswer = `{"jsonrpc":"2.0","id":7,"result":{"id":"0123456789abc-4zz","seq":163839,"position":1638399,"time":1700000000000}}`

// ServeRelay runs the relay on loopback, without and with TLS, until ctx ends,
// and writes both addresses to out as one line.
func ServeRelay(ctx context.Context, out io.Writer) error {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	cert, err := selfSigned()
	if err != nil {
		return errors.Join(err, plain.Close())
	}
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), plain.Close())
	}
	r := &relay{pairs: map[string]*relayConn{}, rooms: map[string][]*relayConn{},
		up: websocket.FastHTTPUpgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{}}}
	server := &fasthttp.Server{Handler: r.serve, KeepHijackedConns: true, ReadBufferSize: 4096, Concurrency: 20000, NoDefaultServerHeader: true}
	failed := make(chan error, 2)
	for _, ln := range []net.Listener{plain, secure} {
		go func() { failed <- server.Serve(ln) }()
	}
	go ReturnMemory(ctx)
	fmt.Fprintln(out, plain.Addr(), secure.Addr())
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	return errors.Join(err, plain.Close(), secure.Close())
}

// ReturnMemory returns unused memory to the system whenever the process gets
// SIGUSR2, until ctx ends: resident memory is then what is in use.
func ReturnMemory(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			debug.FreeOSMemory()
		}
	}
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func (r *relay) serve(ctx *fasthttp.RequestCtx) {
	part := strings.Split(string(ctx.Path()), "/")
	_ = r.up.Upgrade(ctx, func(ws *websocket.Conn) { // its error is answered by the library
		c := &relayConn{Conn: ws}
		defer ws.Close()
		switch {
		case len(part) == 4 && part[1] == "pairs":
			r.pair(c, part[2], part[3])
		case len(part) == 3 && (part[1] == "each" || part[1] == "joined"):
			r.room(c, part[1], part[2] == "0")
		case len(part) == 2 && part[1] == "again":
			_ = c.read(func(b []byte) error { return errors.Join(c.write([]byte(relayAnswer)), c.write(b)) })
		default:
			_ = c.read(func([]byte) error { return nil })
		}
	})
}

func (c *relayConn) read(each func([]byte) error) error {
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
	}
}

func (c *relayConn) write(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.WriteMessage(websocket.TextMessage, b)
}

func (r *relay) pair(c *relayConn, number, side string) {
	me, other := number+side, number+"b"
	r.mu.Lock()
	r.pairs[me] = c
	r.mu.Unlock()
	_ = c.read(func(b []byte) error {
		if side != "a" {
			return nil // an acknowledgement
		}
		r.mu.RLock()
		to := r.pairs[other]
		r.mu.RUnlock()
		if err := c.write([]byte(relayAnswer)); err != nil || to == nil {
			return err
		}
		_ = to.write(b) // its own reader finds out
		return nil
	})
	r.mu.Lock()
	delete(r.pairs, me)
	r.mu.Unlock()
}

func (r *relay) room(c *relayConn, mode string, sender bool) {
	join := mode == "joined"
	if join {
		c.wake = make(chan struct{}, 1)
		defer close(c.wake)
		go c.writeJoined()
	}
	r.mu.Lock()
	r.rooms[mode] = append(r.rooms[mode], c)
	r.mu.Unlock()
	_ = c.read(func(b []byte) error {
		if !sender {
			return nil // an acknowledgement
		}
		r.mu.RLock()
		members := r.rooms[mode]
		r.mu.RUnlock()
		if !join {
			for _, m := range members {
				_ = m.write(b)
			}
			return c.write([]byte(relayAnswer))
		}
		answer := append(appendPlain(make([]byte, 0, 256), len(relayAnswer)), relayAnswer...)
		frame := append(appendPlain(make([]byte, 0, len(b)+10), len(b)), b...)
		for _, m := range members {
			m.join(frame)
		}
		c.join(answer)
		return nil
	})
	r.mu.Lock()
	r.rooms[mode] = nil // a room ends with its first member
	r.mu.Unlock()
}

// appendPlain appends the header of an unmasked text frame.
func appendPlain(b []byte, size int) []byte {
	b = append(b, 0x80|opText)
	switch {
	case size < 126:
		return append(b, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
}

func (c *relayConn) join(frame []byte) {
	c.mu.Lock()
	c.pending = append(c.pending, frame...)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *relayConn) writeJoined() {
	for range c.wake {
		c.mu.Lock()
		b := c.pending
		c.pending, c.spare = c.spare[:0], b
		c.mu.Unlock()
		if len(b) == 0 {
			continue
		}
		if _, err := c.NetConn().Write(b); err != nil {
			_ = c.Conn.Close()
		}
	}
}

// relayPath names a connection of the relay.
func relayPath(mode string, n int, side string) string {
	path := "/" + mode + "/" + strconv.Itoa(n)
	if side != "" {
		path += "/" + side
	}
	return path
}
