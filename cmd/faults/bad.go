package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// badRow is one row of the table of bad inputs. A row is either one HTTP
// request (Raw, or Method, Path and so on) or a WebSocket (Frames). In every
// text {{name}} stands for a value of the scene and {{N*text}} for N times the
// text.
type badRow struct {
	Name    string            `json:"name"`
	Raw     string            `json:"raw"`    // the request as it goes over the wire
	AtMost  int               `json:"atmost"` // answers the raw request may get; 0 = any
	Method  string            `json:"method"` // default POST with a body, GET without
	Path    string            `json:"path"`
	As      string            `json:"as"` // whose token: owner, ann, bo; empty = nobody's
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Status  []int             `json:"status"` // one of these; 0 = closed without an answer
	Kind    string            `json:"kind"`   // of the error; empty = any
	Has     map[string]string `json:"has"`    // response headers that contain this
	Never   []string          `json:"never"`  // texts the answer must not contain
	Frames  []string          `json:"frames"` // WebSocket: JSON texts, or hex:… for raw bytes
	Close   []int             `json:"close"`  // WebSocket: one of these close codes, 0 = closed without one
	Socket  bool              `json:"socket"` // only the handshake, whose status is Status
}

// scene is what the rows play in.
type scene struct {
	s      *server
	values map[string]string
	base   int64 // RSS before the first row
}

// mostGrowth is how much memory one bad input may cost.
const mostGrowth = 64 << 20

func runBad(r *run) (string, error) {
	rows, err := badRows(filepath.Join(r.root, "cmd/faults/testdata/badinputs"))
	if err != nil {
		return "", err
	}
	bin, err := r.posthouse()
	if err != nil {
		return "", err
	}
	s, err := newServer(bin, filepath.Join(r.dir, "data"), freely()...)
	if err != nil {
		return "", err
	}
	if err := s.start(r.ctx); err != nil {
		return "", err
	}
	defer s.kill()
	sc, err := setScene(r.ctx, s)
	if err != nil {
		return "", err
	}
	played := 0
	for _, row := range rows {
		if r.ctx.Err() != nil {
			return "", r.ctx.Err()
		}
		if !strings.Contains(row.Name, r.only) {
			continue
		}
		played++
		if err := sc.play(row); err != nil {
			r.violation("%s: %v", row.Name, err)
		}
		if err := sc.alive(); err != nil {
			r.violation("after %s: %v", row.Name, err)
			return "", err
		}
	}
	if played == 0 {
		return "", errors.New("no row has such a name")
	}
	after := s.memory()
	s.stop()
	s.verify(r)
	return fmt.Sprintf("%d bad inputs, RSS %d MiB before, %d after", played, sc.base>>20, after>>20), nil
}

func badRows(dir string) ([]badRow, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var rows []badRow
	seen := map[string]bool{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var list []badRow
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, row := range list {
			if seen[row.Name] || row.Name == "" || len(row.Status)+len(row.Close) == 0 && row.Kind == "" {
				return nil, fmt.Errorf("%s: row %q stands twice or expects nothing", name, row.Name)
			}
			seen[row.Name] = true
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// setScene makes an owner, two people, a private room of the owner with a
// message and a file, and an upload of bo's that is not finished.
func setScene(ctx context.Context, s *server) (*scene, error) {
	owner, err := s.setup(ctx)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, owner.Token, 2)
	if err != nil {
		return nil, err
	}
	h, err := s.http(owner.Token)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	secret, err := h.CreateRoom(ctx, wire.RoomCreate{Kind: wire.Group, Name: "secret"})
	if err != nil {
		return nil, err
	}
	shared, err := h.CreateRoom(ctx, wire.RoomCreate{Kind: wire.Channel, Name: "shared"})
	if err != nil {
		return nil, err
	}
	sent, err := h.Send(ctx, secret.ID, "the secret word is rosebud")
	if err != nil {
		return nil, err
	}
	said, err := h.Send(ctx, shared.ID, "said by the owner")
	if err != nil {
		return nil, err
	}
	file, err := h.Upload(ctx, strings.NewReader("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "x.svg", "image/svg+xml")
	if err != nil {
		return nil, err
	}
	ann, err := s.http(people[0].token)
	if err != nil {
		return nil, err
	}
	defer ann.Close()
	if _, err := ann.Join(ctx, shared.ID); err != nil {
		return nil, err
	}
	sc := &scene{s: s, values: map[string]string{"host": s.addr, "owner": owner.Token, "ann": people[0].token, "bo": people[1].token,
		"ann.id": people[0].id.String(), "owner.id": owner.User.ID.String(), "secret": secret.ID.String(), "shared": shared.ID.String(),
		"sent": sent.ID.String(), "said": said.ID.String(), "svg": file.ID.String(), "password": password, "key": client.NewKey()}}
	if sc.values["upload"], err = sc.upload(); err != nil {
		return nil, err
	}
	sc.base = s.memory()
	return sc, nil
}

// upload begins an upload of bo's and gives its path.
func (sc *scene) upload() (string, error) {
	row := badRow{Method: "POST", Path: "/api/uploads", As: "bo", Headers: map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": "100"}}
	resp, _, err := sc.request(sc.http(row))
	if err != nil {
		return "", err
	}
	location := resp.Header.Get("Location")
	if i := strings.Index(location, "/api/uploads"); i >= 0 {
		return location[i:], nil
	}
	return "", fmt.Errorf("an upload began with %s", resp.Status)
}

func (sc *scene) fill(text string) string {
	return regexp.MustCompile(`\{\{(?:(\d+)\*)?((?s:.*?))\}\}`).ReplaceAllStringFunc(text, func(m string) string {
		inner := m[2 : len(m)-2]
		if count, what, ok := strings.Cut(inner, "*"); ok {
			if n, err := strconv.Atoi(count); err == nil {
				return strings.Repeat(what, n)
			}
		}
		if v, ok := sc.values[inner]; ok {
			return v
		}
		return m
	})
}

func (sc *scene) play(row badRow) error {
	if len(row.Frames) > 0 {
		return sc.socket(row)
	}
	text := sc.fill(row.Raw)
	if text == "" {
		text = sc.http(row)
	}
	resp, body, err := sc.request(text)
	if err != nil {
		if slices.Contains(row.Status, 0) {
			return nil
		}
		return fmt.Errorf("no answer: %w", err)
	}
	return row.check(resp, body)
}

func (row badRow) check(resp *http.Response, body []byte) error {
	if !slices.Contains(row.Status, resp.StatusCode) {
		return fmt.Errorf("status %d, want %v: %.200s", resp.StatusCode, row.Status, body)
	}
	if row.Kind != "" {
		var e wire.ErrorBody
		if err := json.Unmarshal(body, &e); err != nil || string(e.Data.Kind) != row.Kind {
			return fmt.Errorf("kind %q, want %q: %.200s", e.Data.Kind, row.Kind, body)
		}
	}
	for name, part := range row.Has {
		if !strings.Contains(resp.Header.Get(name), part) {
			return fmt.Errorf("header %s is %q, want %q in it", name, resp.Header.Get(name), part)
		}
	}
	for _, bad := range row.Never {
		if bytes.Contains(body, []byte(bad)) {
			return fmt.Errorf("the answer contains %q", bad)
		}
	}
	if row.AtMost > 0 && bytes.Count(body, []byte("HTTP/1.1 "))+1 > row.AtMost {
		return fmt.Errorf("more than %d answers", row.AtMost)
	}
	return nil
}

// http writes the request of a row.
func (sc *scene) http(row badRow) string {
	body := sc.fill(row.Body)
	method := row.Method
	if method == "" {
		method = "GET"
		if body != "" {
			method = "POST"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, sc.fill(row.Path))
	head := map[string]string{"Host": sc.s.addr, "Connection": "close"}
	if body != "" || method == "POST" {
		head["Content-Type"], head["Content-Length"] = "application/json", strconv.Itoa(len(body))
	}
	if row.As != "" {
		head["Authorization"] = "Bearer " + sc.values[row.As]
	}
	for k, v := range row.Headers {
		head[k] = sc.fill(v)
	}
	for k, v := range head {
		if v != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", k, v)
		}
	}
	return b.String() + "\r\n" + body
}

// request sends bytes and reads what comes until the other side closes; what
// follows the first answer is part of its body.
func (sc *scene) request(text string) (*http.Response, []byte, error) {
	c, err := net.DialTimeout("tcp", sc.s.addr, 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	go func() { _, _ = io.WriteString(c, text) }() // the answer may come before the end
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, nil, err
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // a cut body is judged as far as it came
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	rest, _ := io.ReadAll(io.LimitReader(in, 1<<20))
	return resp, append(body, rest...), nil
}

// socket plays a row over a WebSocket.
func (sc *scene) socket(row badRow) error {
	c, err := net.DialTimeout("tcp", sc.s.addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	row.Path = "/api/ws"
	head := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for k, v := range row.Headers {
		head[k] = v
	}
	row.Headers = head
	if _, err := io.WriteString(c, sc.http(row)); err != nil {
		return err
	}
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if row.Socket || resp.StatusCode != http.StatusSwitchingProtocols {
		return row.check(resp, nil)
	}
	if e := resp.Header.Get("Sec-WebSocket-Extensions"); e != "" {
		return fmt.Errorf("the extension %q was negotiated", e)
	}
	for _, f := range row.Frames {
		raw, err := sc.frame(f)
		if err != nil {
			return err
		}
		if _, err := c.Write(raw); err != nil {
			break // refused in the middle; what was answered tells
		}
	}
	return row.answered(in)
}

func (sc *scene) frame(text string) ([]byte, error) {
	if code, ok := strings.CutPrefix(text, "hex:"); ok {
		return hex.DecodeString(strings.ReplaceAll(sc.fill(code), " ", ""))
	}
	return client.AppendFrame(nil, []byte(sc.fill(text))), nil
}

// answered reads frames of the server until the row's kind of error, or its
// close code, has come.
func (row badRow) answered(in *bufio.Reader) error {
	for {
		op, payload, err := readFrame(in)
		if err != nil {
			if slices.Contains(row.Close, 0) {
				return nil
			}
			return fmt.Errorf("closed without the answer wanted: %w", err)
		}
		for _, bad := range row.Never {
			if bytes.Contains(payload, []byte(bad)) {
				return fmt.Errorf("the answer contains %q", bad)
			}
		}
		switch {
		case op == 8 && len(payload) >= 2:
			if code := int(binary.BigEndian.Uint16(payload)); !slices.Contains(row.Close, code) {
				return fmt.Errorf("close code %d, want %v", code, row.Close)
			}
			return nil
		case op == 1 && row.Kind != "" && bytes.Contains(payload, []byte(`"kind":"`+row.Kind+`"`)):
			return nil
		case op == 1 && row.Kind != "" && bytes.Contains(payload, []byte(`"error"`)):
			return fmt.Errorf("another error, want %s: %.200s", row.Kind, payload)
		}
	}
}

func readFrame(in *bufio.Reader) (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1] & 127)
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(in, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(in, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil || n > 16<<20 {
		return 0, nil, fmt.Errorf("frame of %d bytes: %w", n, err)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(in, payload)
	return head[0] & 15, payload, err
}

// alive checks that the server still answers, and has not grown by what one
// bad input may cost.
func (sc *scene) alive() error {
	resp, _, err := sc.request(sc.http(badRow{Path: "/health/live"}))
	if err != nil {
		return fmt.Errorf("the server does not answer: %w; %s", err, sc.s.lastWords())
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	if grown := sc.s.memory() - sc.base; grown > mostGrowth {
		return fmt.Errorf("the server has grown by %d MiB", grown>>20)
	}
	return nil
}
