package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// rawSocket is a WebSocket client that can do wrong what a library would not.
type rawSocket struct {
	net.Conn
	in *bufio.Reader
}

// dialFrom connects from an address of loopback, so that limits per address do
// not mix what is tried.
func dialFrom(from, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return d.Dial("tcp", addr)
}

// upgrade asks for a WebSocket with the headers given; Host is the address
// unless they name one.
func upgrade(c net.Conn, addr string, headers ...string) (*rawSocket, *http.Response, error) {
	text := "GET /api/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if !strings.Contains(strings.Join(headers, "\n"), "Host:") {
		text += "Host: " + addr + "\r\n"
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second)) // a closed connection shows at once
	if _, err := io.WriteString(c, text+"\r\n"); err != nil {
		return nil, nil, err
	}
	s := &rawSocket{c, bufio.NewReaderSize(c, 4096)}
	resp, err := http.ReadResponse(s.in, nil)
	_ = c.SetDeadline(time.Time{})
	return s, resp, err
}

// frame makes a masked frame.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...) // a mask of zeros is a mask
}

// read gives the next frame. A close frame gives its code, with io.EOF.
func (s *rawSocket) read() (payload []byte, code int, err error) {
	var h [10]byte
	if _, err := io.ReadFull(s.in, h[:2]); err != nil {
		return nil, 0, err
	}
	op, n := h[0], uint64(h[1]&0x7f)
	switch n {
	case 126:
		if _, err := io.ReadFull(s.in, h[:2]); err != nil {
			return nil, 0, err
		}
		n = uint64(binary.BigEndian.Uint16(h[:2]))
	case 127:
		if _, err := io.ReadFull(s.in, h[2:]); err != nil {
			return nil, 0, err
		}
		n = binary.BigEndian.Uint64(h[2:])
	}
	if n > 64<<20 {
		return nil, 0, fmt.Errorf("a frame of %d bytes", n)
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(s.in, payload); err != nil {
		return nil, 0, err
	}
	if op&0x0f == 8 && len(payload) >= 2 {
		return nil, int(binary.BigEndian.Uint16(payload)), io.EOF
	}
	return payload, 0, nil
}

// end reads until the server ends the connection. The code is 0 when it did so
// without a close frame, -1 when it did not within the time.
func (s *rawSocket) end(d time.Duration) (code int, frames []string) {
	_ = s.SetReadDeadline(time.Now().Add(d)) // a closed connection shows at once
	for {
		b, code, err := s.read()
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout():
			return -1, frames
		case err != nil:
			return code, frames
		}
		frames = append(frames, string(b))
	}
}
