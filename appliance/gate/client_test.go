package gate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"posthouse/appliance/chat"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp's idle workers and their cleaner sleep up to ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1.1"),
		goleak.IgnoreAnyFunction("github.com/fasthttp/websocket.(*Conn).Close"),
	)
}

// house is a gate on a loopback port, with a scripted service.
type house struct {
	t    testing.TB
	f    *fake
	g    *Gate
	addr string
	done chan error
}

func open4test(t testing.TB, f *fake, change func(*Options)) *house {
	t.Helper()
	o := Options{Heartbeat: time.Minute, Version: "test"}
	o.Limits.Connect = Rate{1e9, 1e9}
	o.Limits.Post, o.Limits.Query, o.Limits.Write, o.Limits.Frames = Rate{1e9, 1e9}, Rate{1e9, 1e9}, Rate{1e9, 1e9}, Rate{1e9, 1e9}
	o.Limits.SocketsPerUser = 1000
	if os.Getenv("GATE_LOG") != "" {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if change != nil {
		change(&o)
	}
	g, err := open(o, f)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, f: f, g: g, done: make(chan error, 1)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	go func() { h.done <- g.Serve(ln, LocalHTTP) }()
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := <-h.done; err != nil {
			t.Error(err)
		}
		if n := g.meters.panics.Get(); n != 0 {
			t.Errorf("%d panics", n)
		}
	})
	return h
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came: %s", what)
		}
	}
}

// strict is a WebSocket client that accepts nothing that RFC 6455 forbids a
// server.
type strict struct {
	t    testing.TB
	c    net.Conn
	r    *bufio.Reader
	next int
	over bool // a close frame came
}

type packet struct {
	op   byte
	data []byte
}

type closed struct {
	code int
	text string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %s", c.code, c.text) }

func (h *house) handshake(header http.Header) (*http.Response, net.Conn, *bufio.Reader) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", "http://"+h.addr+"/api/ws", nil)
	req.Header = header.Clone()
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	req.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
	if err := req.Write(c); err != nil {
		h.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	res, err := http.ReadResponse(r, req)
	if err != nil {
		h.t.Fatal(err)
	}
	return res, c, r
}

func bearerHeader(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

func (h *house) dial(header http.Header) *strict {
	h.t.Helper()
	res, c, r := h.handshake(header)
	if res.StatusCode != 101 {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		_ = c.Close()
		h.t.Fatalf("handshake: %s: %s", res.Status, b)
	}
	if ext := res.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		h.t.Fatalf("extension negotiated: %s", ext)
	}
	_ = c.SetReadDeadline(time.Time{})
	s := &strict{t: h.t, c: c, r: r}
	h.t.Cleanup(func() { _ = c.Close() })
	return s
}

func (h *house) connect(token string) *strict {
	h.t.Helper()
	return h.dial(bearerHeader(token))
}

// frame reads one frame and checks it.
func (s *strict) frame() (packet, error) {
	var head [2]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return packet{}, err
	}
	if s.over {
		return packet{}, errors.New("a frame after the close frame")
	}
	op := head[0] & 15
	switch {
	case head[0]&0x80 == 0:
		return packet{}, errors.New("fragmented")
	case head[0]&0x70 != 0:
		return packet{}, fmt.Errorf("reserved bits: %x", head)
	case head[1]&0x80 != 0:
		return packet{}, errors.New("masked by the server")
	case op != opText && op != opClose && op != opPing && op != opPong:
		return packet{}, fmt.Errorf("opcode %d", op)
	}
	size := uint64(head[1])
	switch size {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(s.r, b[:]); err != nil {
			return packet{}, err
		}
		if size = uint64(binary.BigEndian.Uint16(b[:])); size < 126 {
			return packet{}, errors.New("length not minimal")
		}
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(s.r, b[:]); err != nil {
			return packet{}, err
		}
		if size = binary.BigEndian.Uint64(b[:]); size < 1<<16 || size > 64<<20 {
			return packet{}, errors.New("length not minimal or absurd")
		}
	}
	if op >= opClose && size > 125 {
		return packet{}, errors.New("long control frame")
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(s.r, data); err != nil {
		return packet{}, err
	}
	switch {
	case op == opText && (!utf8.Valid(data) || !json.Valid(data)):
		return packet{}, fmt.Errorf("not JSON: %.100q", data)
	case op == opClose:
		s.over = true
		e := closed{}
		if len(data) >= 2 {
			e = closed{int(binary.BigEndian.Uint16(data)), string(data[2:])}
		}
		return packet{op, data}, e
	}
	return packet{op, data}, nil
}

// put writes one masked frame.
func (s *strict) put(op byte, fin bool, data []byte) error {
	b := []byte{op}
	if fin {
		b[0] |= 0x80
	}
	switch n := len(data); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:])
	b = append(b, mask[:]...)
	for i, c := range data {
		b = append(b, c^mask[i%4])
	}
	_, err := s.c.Write(b)
	return err
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    struct {
			Kind  string `json:"kind"`
			Retry int64  `json:"retry_after_ms"`
			Trace string `json:"trace"`
		} `json:"data"`
	} `json:"error"`
	Method string `json:"method"`
	Params struct {
		Position uint64          `json:"position"`
		Type     string          `json:"type"`
		Data     json.RawMessage `json:"data"`
	} `json:"params"`
}

// receive reads the next text frame; pings are answered.
func (s *strict) receive() (message, error) {
	for {
		p, err := s.frame()
		if err != nil {
			return message{}, err
		}
		if p.op == opPing {
			if err := s.put(opPong, true, p.data); err != nil {
				return message{}, err
			}
			continue
		}
		if p.op != opText {
			continue
		}
		var m message
		err = json.Unmarshal(p.data, &m)
		return m, err
	}
}

// ask sends a request without waiting and gives its id.
func (s *strict) ask(method string, params any) string {
	s.next++
	b, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": s.next, "method": method, "params": params})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.put(opText, true, b); err != nil {
		s.t.Logf("%s: %v", method, err)
	}
	return fmt.Sprint(s.next)
}

// call sends a request and waits for its answer; events on the way are dropped.
func (s *strict) call(method string, params any) message {
	s.t.Helper()
	want := s.ask(method, params)
	_ = s.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	defer func() { _ = s.c.SetReadDeadline(time.Time{}) }()
	for {
		m, err := s.receive()
		if err != nil {
			s.t.Fatalf("%s: %v", method, err)
		}
		if string(m.ID) == want {
			return m
		}
	}
}

func (s *strict) must(method string, params any, result any) {
	s.t.Helper()
	m := s.call(method, params)
	if m.Error != nil {
		s.t.Fatalf("%s: %+v", method, m.Error)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			s.t.Fatal(err)
		}
	}
}

// event waits for an event of a type.
func (s *strict) event(kind string) message {
	s.t.Helper()
	_ = s.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	defer func() { _ = s.c.SetReadDeadline(time.Time{}) }()
	for {
		m, err := s.receive()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if m.Method == "event" && m.Params.Type == kind {
			return m
		}
	}
}

// ends reads until the connection ends and gives the close code; 0 = none.
func (s *strict) ends() closed {
	s.t.Helper()
	_ = s.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	var how closed
	for {
		_, err := s.frame()
		switch {
		case err == nil:
		case errors.As(err, &how):
			if _, err := s.frame(); err == nil || strings.Contains(err.Error(), "after") {
				s.t.Fatalf("after the close frame: %v", err)
			}
			return how
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.t.Fatal("the connection does not end")
		default:
			return how
		}
	}
}

func (h *house) post(method, body string, header http.Header) (*http.Response, string) {
	h.t.Helper()
	return h.request("POST", "/api/"+method, body, header)
}

func (h *house) request(verb, path, body string, header http.Header) (*http.Response, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), verb, "http://"+h.addr+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body == "" {
		req.Body = nil
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	if verb == "POST" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res, string(b)
}

// raw sends bytes and gives everything that comes back until the connection
// ends.
func (h *house) raw(request string) string {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		h.t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, c); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		h.t.Fatalf("connection stays open after %.200q", b.String())
	}
	return b.String()
}

var _ = chat.Actor{}

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReader(c) }
