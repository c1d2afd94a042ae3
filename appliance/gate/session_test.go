package gate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// TestMarksAndReceipts: pushed and acknowledged reach the others of a small
// room live, and the service within about a second.
func TestMarksAndReceipts(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1, 2)
	writer, reader := h.connect(f.device(1, 11)), h.connect(f.device(2, 22))
	writer.must("sync.start", wire.SyncParams{}, nil)
	reader.must("sync.start", wire.SyncParams{}, nil)
	eventually(t, "both live", func() bool { return allQuiet(h.g.hub.every()) })
	var sent wire.Sent
	writer.must("message.send", wire.SendParams{Room: 1, Text: "hello"}, &sent)
	if m := reader.event("message"); m.Params.Position != sent.Position {
		t.Errorf("%+v", m)
	}
	receipt := func() wire.Receipt {
		var list wire.ReceiptList
		if err := json.Unmarshal(writer.event("receipts").Params.Data, &list); err != nil || len(list.Receipts) != 1 {
			t.Fatal(err, list)
		}
		return list.Receipts[0]
	}
	if r := receipt(); r != (wire.Receipt{Room: 1, User: 2, Device: 22, Pushed: 1}) {
		t.Errorf("%+v", r)
	}
	reader.ask("sync.ack", wire.AckParams{Position: sent.Position})
	if r := receipt(); r.Device != 22 || r.Acked != 1 {
		t.Errorf("%+v", r)
	}
	eventually(t, "marks saved", func() bool {
		m := f.markOf(22)
		return m.Pushed == sent.Position && m.Acked == sent.Position && m.PushedAt > 0 && m.AckedAt > 0
	})
	before := f.markOf(22).Seen
	_ = reader.c.Close()
	eventually(t, "seen saved", func() bool { return f.markOf(22).Seen >= before && h.g.hub.size() == 1 })
	if m := f.markOf(22); m.Acked != sent.Position {
		t.Errorf("a mark went back: %+v", m)
	}
	for _, s := range h.g.hub.every() {
		s.mu.Lock()
		if s.progress.receipts != nil || cap(s.queue) != 0 {
			t.Errorf("an idle session keeps %d receipts, a queue of %d", len(s.progress.receipts), cap(s.queue))
		}
		s.mu.Unlock()
	}
}

func TestTyping(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1, 2)
	a, b := h.connect(f.device(1, 11)), h.connect(f.device(2, 22))
	a.must("sync.start", wire.SyncParams{}, nil)
	b.must("sync.start", wire.SyncParams{}, nil)
	eventually(t, "both live", func() bool { return allQuiet(h.g.hub.every()) })
	for range 3 {
		a.must("room.typing", wire.TypingParams{Room: 1}, nil)
	}
	f.send(1, 1, "done")
	var kinds []string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "message" {
		m, err := b.receive()
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, m.Params.Type)
	}
	if got := strings.Join(kinds, " "); got != "typing message" {
		t.Error(got)
	}
	if m := a.call("room.typing", wire.TypingParams{Room: 5}); m.Error == nil || m.Error.Data.Kind != "not_found" {
		t.Errorf("%+v", m.Error)
	}
}

// TestDrain: everybody is told, what is on its way arrives, then 1012.
func TestDrain(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1, 2)
	var clients []*strict
	for i := range 10 {
		s := h.connect(f.device(1, id.ID(100+i)))
		s.must("sync.start", wire.SyncParams{}, nil)
		clients = append(clients, s)
	}
	idle := h.connect(f.device(2, 22))
	eventually(t, "all live", func() bool { return h.g.hub.size() == 11 })
	for range 200 {
		f.send(1, 2, strings.Repeat("z", 1000))
	}
	eventually(t, "fanned out", func() bool { return h.g.ring.position() == 200 })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var work sync.WaitGroup
	for _, s := range append(clients, idle) {
		work.Go(func() {
			messages, drains := 0, 0
			for {
				_ = s.c.SetReadDeadline(time.Now().Add(time.Minute))
				m, err := s.receive()
				var how closed
				if errors.As(err, &how) {
					if how.code != 1012 || drains != 1 || (s != idle && messages != 200) {
						t.Errorf("%v after %d messages, %d drains", how, messages, drains)
					}
					_ = s.c.Close()
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				switch m.Params.Type {
				case "message":
					messages++
				case "drain":
					drains++
					var d wire.Drain
					if err := json.Unmarshal(m.Params.Data, &d); err != nil || d.ReconnectAfterMS < 500 {
						t.Error(err, d)
					}
				}
			}
		})
	}
	if err := h.g.Drain(ctx); err != nil {
		t.Error(err)
	}
	work.Wait()
	if m := f.markOf(100); m.Pushed != 200 || m.Seen == 0 {
		t.Errorf("marks not saved: %+v", m)
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("still listening")
	}
}

func certificate(t testing.TB) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

func TestTLS(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.TLSConfig = certificate(t) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.g.Serve(ln, TLS) }()
	addr := ln.Addr().String()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Post("https://"+addr+"/api/session.login", "application/json", strings.NewReader(`{"cookie":true,"login":"a","password":"b"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if c := res.Cookies(); len(c) != 1 || c[0].Name != "__Host-posthouse" || !c[0].Secure || c[0].Path != "/" || c[0].Domain != "" {
		t.Errorf("%v", res.Header)
	}
	res, err = client.Get("https://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != 404 {
		t.Errorf("metrics on the LAN: %s", res.Status)
	}
	f.join(1, 1)
	token := f.device(1, 11)
	s := tlsSocket(t, addr, token)
	s.must("sync.start", wire.SyncParams{}, nil)
	f.send(1, 1, "hello")
	s.event("message")
	f.endDevice(1, 11)
	if how := s.ends(); how.code != 4401 {
		t.Error(how)
	}
	_ = h.g.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func tlsSocket(t testing.TB, addr, token string) *strict {
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, "GET /api/ws HTTP/1.1\r\nHost: "+addr+"\r\nCookie: __Host-posthouse="+token+"\r\nOrigin: https://"+addr+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	s := &strict{t: t, c: c, r: newReader(c)}
	res, err := http.ReadResponse(s.r, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatal(err, res)
	}
	return s
}

// TestRestart: a client that comes back after a restart is caught up from the
// records before it.
func TestRestart(t *testing.T) {
	f := newFake()
	f.base = 1000
	f.join(1, 1)
	for range 50 {
		f.send(1, 2, "before")
	}
	h := open4test(t, f, func(o *Options) { o.Limits.RingEvents = 20 })
	s := h.connect(f.device(1, 11))
	for _, c := range []struct {
		since uint64
		reset bool
	}{{1040, false}, {1050, false}, {1030, false}, {1029, true}, {1, true}, {0, true}, {1051, true}, {1 << 52, true}} {
		var r wire.SyncStart
		s.must("sync.start", wire.SyncParams{Since: c.since}, &r)
		if r.Reset != c.reset || r.Position != 1050 || (r.Reset && len(r.Rooms) != 1) {
			t.Errorf("since %d: %+v", c.since, r)
		}
		if !r.Reset {
			for pos := c.since + 1; pos <= 1050; pos++ {
				if m := s.event("message"); m.Params.Position != pos {
					t.Errorf("since %d: %d, want %d", c.since, m.Params.Position, pos)
				}
			}
		}
	}
}
