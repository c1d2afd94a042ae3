package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// Conn is a WebSocket that carries raw frames. One goroutine may Read while
// any number Write.
type Conn struct {
	ws   *websocket.Conn
	idle time.Duration

	mu  sync.Mutex
	out []byte // of the write under way; kept for the next
}

// writeLimit is how long one write may take before the connection is given up.
const writeLimit = 20 * time.Second

// DialConn opens a WebSocket. A refusal of the server is a *wire.Error.
func DialConn(ctx context.Context, o Options) (*Conn, error) {
	o = o.filled()
	t, err := o.target()
	if err != nil {
		return nil, err
	}
	d := websocket.Dialer{
		TLSClientConfig:  o.TLS,
		HandshakeTimeout: o.Timeout,
		ReadBufferSize:   1024,
		WriteBufferSize:  16, // frames are made here, not there
	}
	stop := func() bool { return true }
	d.NetDialContext = func(within context.Context, network, address string) (net.Conn, error) {
		c, err := o.dial(within, network, address)
		if err == nil { // the handshake itself does not look at ctx
			stop = context.AfterFunc(ctx, func() { _ = c.Close() })
		}
		return c, err
	}
	ws, resp, err := d.DialContext(ctx, t.socket, o.header())
	stop()
	if err != nil {
		if resp != nil && errors.Is(err, websocket.ErrBadHandshake) {
			body, _ := io.ReadAll(resp.Body)
			return nil, refusal(resp.StatusCode, body)
		}
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	c := &Conn{ws: ws}
	ws.SetReadLimit(o.MaxFrame)
	ws.SetPingHandler(func(data string) error {
		c.extend()
		return c.control(websocket.PongMessage, []byte(data))
	})
	ws.SetPongHandler(func(string) error { c.extend(); return nil })
	ws.SetCloseHandler(func(code int, text string) error {
		var echo []byte // no status code of its own, RFC 6455 section 7.1.5
		if code != websocket.CloseNoStatusReceived {
			echo = websocket.FormatCloseMessage(code, "")
		}
		_ = c.control(websocket.CloseMessage, echo) // the peer is leaving anyway
		return nil
	})
	return c, nil
}

func (o Options) header() http.Header {
	h := http.Header{}
	if o.Token != "" {
		h.Set("Authorization", "Bearer "+o.Token)
	}
	if o.Lang != "" {
		h.Set("Accept-Language", o.Lang)
	}
	return h
}

// SetIdle makes Read fail when nothing arrives for so long; 0 = wait for ever.
// Call it from handle or before Read.
func (c *Conn) SetIdle(d time.Duration) {
	c.idle = d
	c.extend()
}

func (c *Conn) extend() {
	deadline := time.Time{}
	if c.idle > 0 {
		deadline = time.Now().Add(c.idle)
	}
	_ = c.ws.SetReadDeadline(deadline) // fails on a closed connection, where Read fails too
}

// Read hands every frame to handle until that, or the connection, fails, and
// gives the error. The frame is only valid during the call.
func (c *Conn) Read(handle func(frame []byte) error) error {
	buf := make([]byte, 0, 512)
	for {
		if c.idle > 0 {
			c.extend()
		}
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		if buf, err = readAll(buf[:0], r); err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		if kind != websocket.TextMessage {
			continue
		}
		if err := handle(buf); err != nil {
			return err
		}
		if cap(buf) > 1<<20 {
			buf = make([]byte, 0, 512)
		}
	}
}

func readAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, cap(b)+512)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return b, err
		}
	}
}

// Write sends text frames, all with one write.
func (c *Conn) Write(frames ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = c.out[:0]
	for _, f := range frames {
		c.out = AppendFrame(c.out, f)
	}
	err := c.flush()
	if cap(c.out) > 1<<20 {
		c.out = nil
	}
	return err
}

// WriteRaw sends frames that AppendFrame made, with one write.
func (c *Conn) WriteRaw(frames []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(frames)
}

func (c *Conn) control(opcode byte, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = appendFrame(c.out[:0], opcode, payload, rand.Uint32())
	return c.flush()
}

func (c *Conn) flush() error { return c.send(c.out) }

func (c *Conn) send(b []byte) error {
	if err := c.ws.NetConn().SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("write frames: %w", err)
	}
	if _, err := c.ws.NetConn().Write(b); err != nil {
		return fmt.Errorf("write frames: %w", err)
	}
	return nil
}

// Close says goodbye and closes the connection; a Read under way fails.
func (c *Conn) Close() error {
	// A writer that is stuck holds the lock: do not wait for it to say goodbye.
	if c.mu.TryLock() {
		c.out = appendFrame(c.out[:0], websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), rand.Uint32())
		_ = c.ws.NetConn().SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.ws.NetConn().Write(c.out) // a courtesy
		c.mu.Unlock()
	}
	return c.Drop()
}

// Drop closes the connection without a word, as a cable does.
func (c *Conn) Drop() error { return c.ws.NetConn().Close() }

// AppendFrame appends one masked text frame (RFC 6455 section 5.2).
func AppendFrame(b, payload []byte) []byte {
	return appendFrame(b, websocket.TextMessage, payload, rand.Uint32())
}

func appendFrame(b []byte, opcode byte, payload []byte, key uint32) []byte {
	const final, masked = 0x80, 0x80
	b = append(b, final|opcode)
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = append(b, masked|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, masked|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = binary.LittleEndian.AppendUint32(b, key)
	at := len(b)
	b = append(b, payload...)
	mask(b[at:], key)
	return b
}

// mask combines a payload with the four bytes of key, lowest first.
func mask(p []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * (i & 3)))
	}
}
