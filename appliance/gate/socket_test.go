package gate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func TestHandshake(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.AllowedHosts = func(s string) bool { return s == "box.lan" } })
	token := f.device(1, 11)
	cookie := "posthouse=" + token
	for _, c := range []struct {
		name   string
		header http.Header
		status int
	}{
		{"nobody yet", http.Header{}, 101},
		{"bearer", bearerHeader(token), 101},
		{"wrong bearer", bearerHeader("x"), 401},
		{"cookie", http.Header{"Cookie": {cookie}, "Origin": {"http://" + h.addr}}, 101},
		{"stale cookie", http.Header{"Cookie": {"posthouse=x"}, "Origin": {"http://" + h.addr}}, 401},
		{"evil origin", http.Header{"Cookie": {cookie}, "Origin": {"http://evil.example"}}, 403},
		{"evil origin with bearer", http.Header{"Authorization": {"Bearer " + token}, "Origin": {"http://evil.example"}}, 403},
		{"null origin", http.Header{"Cookie": {cookie}, "Origin": {"null"}}, 403},
		{"other scheme", http.Header{"Cookie": {cookie}, "Origin": {"https://" + h.addr}}, 403},
		{"rebinding", http.Header{"Cookie": {cookie}, "Origin": {"http://evil.example"}, "Host": {"evil.example"}}, 421},
		{"own name", http.Header{"Cookie": {cookie}, "Origin": {"http://box.lan:8080"}, "Host": {"box.lan:8080"}}, 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, conn, _ := h.handshake(c.header)
			_ = conn.Close()
			if res.StatusCode != c.status {
				t.Errorf("%s, want %d", res.Status, c.status)
			}
		})
	}
	// A cookie without Origin is not believed: the socket is nobody's.
	s := h.dial(http.Header{"Cookie": {cookie}})
	if m := s.call("session.me", struct{}{}); m.Error == nil || m.Error.Data.Kind != "unauthenticated" {
		t.Errorf("%+v", m)
	}
	if how := s.ends(); how.code != 4401 {
		t.Error(how)
	}
}

func TestAuthenticateFrame(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.Limits.AuthTimeout = 200 * time.Millisecond; o.Heartbeat = 2 * time.Second })
	token := f.device(1, 11)
	s := h.dial(http.Header{"Accept-Language": {"zh-CN"}})
	if m := s.call("session.authenticate", wire.AuthParams{Token: "x"}); m.Error == nil || m.Error.Data.Kind != "unauthenticated" {
		t.Fatalf("%+v", m)
	}
	var session wire.Session
	s.must("session.authenticate", wire.AuthParams{Token: token}, &session)
	if session.User.ID != 1 || session.Device != 11 || session.Token != "" {
		t.Errorf("%+v", session)
	}
	if m := s.call("session.authenticate", wire.AuthParams{Token: token}); m.Error == nil || m.Error.Message != "此连接已登录" {
		t.Errorf("%+v", m.Error)
	}
	if m := s.call("session.login", wire.LoginParams{}); m.Error == nil || m.Error.Data.Kind != "invalid_request" {
		t.Errorf("%+v", m.Error)
	}
	silent := h.dial(http.Header{})
	if how := silent.ends(); how.code != 4401 {
		t.Error(how)
	}
}

func TestBadFrames(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.Limits.FrameBytes = 64 << 10 })
	token := f.device(1, 11)
	ping := []byte(`{"jsonrpc":"2.0","id":1,"method":"sync.ping"}`)
	for _, c := range []struct {
		name string
		do   func(s *strict)
		code int
	}{
		{"binary", func(s *strict) { _ = s.put(2, true, ping) }, 1003},
		{"not UTF-8", func(s *strict) { _ = s.put(opText, true, []byte("{\"a\":\"\xff\"}")) }, 1007},
		{"surrogate", func(s *strict) { _ = s.put(opText, true, []byte("\"\xed\xa0\x80\"")) }, 1007},
		{"unmasked", func(s *strict) { _, _ = s.c.Write(append([]byte{0x81, byte(len(ping))}, ping...)) }, 1002},
		{"reserved bit", func(s *strict) { _, _ = s.c.Write([]byte{0xc1, 0x80, 0, 0, 0, 0}) }, 1002},
		{"opcode 3", func(s *strict) { _ = s.put(3, true, ping) }, 1002},
		{"stray continuation", func(s *strict) { _ = s.put(0, true, ping) }, 1002},
		{"long ping", func(s *strict) { _ = s.put(opPing, true, make([]byte, 126)) }, 1002},
		{"length 2^63-1", func(s *strict) { _, _ = s.c.Write([]byte("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff1234")) }, 1009},
		{"length 2^64-1", func(s *strict) { _, _ = s.c.Write([]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff1234")) }, 0},
		{"oversize", func(s *strict) { _ = s.put(opText, true, make([]byte, 65<<10)) }, 1009},
		{"oversize in fragments", func(s *strict) {
			_ = s.put(opText, false, make([]byte, 40<<10))
			_ = s.put(0, true, make([]byte, 40<<10))
		}, 1009},
		{"close", func(s *strict) { _ = s.put(opClose, true, []byte("\x03\xe8bye")) }, 1000},
		{"close without a code", func(s *strict) { _ = s.put(opClose, true, nil) }, 0},
		{"close with a bad code", func(s *strict) { _ = s.put(opClose, true, []byte("\x00\x01")) }, 1002},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := h.connect(token)
			c.do(s)
			if how := s.ends(); how.code != c.code {
				t.Errorf("%v, want %d", how, c.code)
			}
		})
	}
	eventually(t, "all sessions gone", func() bool { return h.g.hub.size() == 0 })
}

// TestBadRequests: what is wrong inside a frame is answered, and the connection
// lives on.
func TestBadRequests(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	s := h.connect(f.device(1, 11))
	for _, c := range []struct{ text, kind string }{
		{`{`, "parse_error"},
		{``, "parse_error"},
		{`[]`, "invalid_request"},
		{`{"jsonrpc":"2.0","id":1,"method":"sync.ping","extra":1}`, "invalid_request"},
		{`{"jsonrpc":"2.0","id":1,"id":2,"method":"sync.ping"}`, ""},
		{`{"jsonrpc":"1.0","id":1,"method":"sync.ping"}`, "invalid_request"},
		{`{"jsonrpc":"2.0","id":{},"method":"sync.ping"}`, "invalid_request"},
		{`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":1e400}}`, ""},
		{`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":"1"}}`, "invalid_params"},
		{`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":[1]}`, "invalid_params"},
		{`{"jsonrpc":"2.0","id":1,"method":"nope"}`, "method_not_found"},
		{strings.Repeat("[", 60000), "invalid_request"},
		{`{"a":` + strings.Repeat(`{"a":`, 10000), "invalid_request"},
	} {
		if err := s.put(opText, true, []byte(c.text)); err != nil {
			t.Fatal(err)
		}
		m, err := s.receive()
		if err != nil {
			t.Fatalf("%.60q: %v", c.text, err)
		}
		if m.Error == nil || (c.kind != "" && m.Error.Data.Kind != c.kind) || len(m.Error.Data.Trace) != 16 {
			t.Errorf("%.60q: %+v, want %s", c.text, m.Error, c.kind)
		}
	}
	// Fragments, a ping between them, and a notification.
	_ = s.put(opText, false, []byte(`{"jsonrpc":"2.0","id":"x",`))
	_ = s.put(opPing, true, []byte("hello"))
	_ = s.put(0, true, []byte(`"method":"sync.ping"}`))
	p, err := s.frame()
	if err != nil || p.op != opPong || string(p.data) != "hello" {
		t.Errorf("%v %+v", err, p)
	}
	if m, err := s.receive(); err != nil || string(m.ID) != `"x"` || m.Error != nil {
		t.Errorf("%v %+v", err, m)
	}
	_ = s.put(opText, true, []byte(`{"jsonrpc":"2.0","method":"sync.ping"}`))
	s.must("sync.ping", struct{}{}, nil)
}

// TestKick: an ended device's sockets are closed within a second, others stay,
// and the token is worthless.
func TestKick(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	token := f.device(1, 11)
	a, b, other := h.connect(token), h.connect(token), h.connect(f.device(1, 12))
	for _, s := range []*strict{a, b, other} {
		s.must("sync.ping", struct{}{}, nil)
	}
	start := time.Now()
	f.endDevice(1, 11)
	for _, s := range []*strict{a, b} {
		if how := s.ends(); how.code != 4401 {
			t.Error(how)
		}
	}
	if took := time.Since(start); took > 8*time.Second { // a second is promised, the rest is for a busy machine
		t.Errorf("took %v", took)
	}
	other.must("sync.ping", struct{}{}, nil)
	if res, conn, _ := h.handshake(bearerHeader(token)); res.StatusCode != 401 {
		t.Error(res.Status)
	} else {
		_ = conn.Close()
	}
}

// TestKickOfOneWhoDoesNotRead: a full socket does not keep it alive.
func TestKickOfOneWhoDoesNotRead(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.Limits.SocketWrite = time.Minute })
	f.join(1, 1, 2)
	s := h.connect(f.device(1, 11))
	s.must("sync.start", wire.SyncParams{}, nil)
	fill(f, 1, 8<<20)
	eventually(t, "stuck", func() bool { return h.g.meters.behind.Get() > 0 })
	f.endDevice(1, 11)
	eventually(t, "gone", func() bool { return h.g.hub.size() == 0 })
}

// fill publishes messages of about so many bytes to a room.
func fill(f *fake, room id.ID, bytes int) {
	text := strings.Repeat("x", 4000)
	for range bytes / 4000 {
		f.send(room, 2, text)
	}
}

// TestStalledReaders: a hundred sockets that never read cost the others
// nothing, cost little memory, and are closed.
func TestStalledReaders(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) {
		o.Limits.SocketWrite = time.Second
		o.Limits.QueueBytes = 64 << 10
		o.Limits.RingBytes = 8 << 20
	})
	good := &follower{h: h, token: f.device(2, 22), rooms: map[id.ID]bool{1: true}}
	f.join(1, 1, 2)
	for i := range 100 {
		s := h.connect(f.device(1, id.ID(1000+i)))
		s.must("sync.start", wire.SyncParams{}, nil)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan error, 1)
	var mu sync.Mutex
	var target uint64
	go func() {
		done <- good.run(func() uint64 { mu.Lock(); defer mu.Unlock(); return target }, false)
	}()
	eventually(t, "all follow", func() bool { return h.g.hub.size() == 101 })
	var worst time.Duration
	for range 300 {
		start := time.Now()
		fill(f, 1, 60_000)
		_, pos := f.send(1, 2, "probe")
		eventually(t, "fan-out", func() bool { return h.g.ring.position() >= pos })
		worst = max(worst, time.Since(start))
	}
	runtime.ReadMemStats(&after)
	_, last := f.send(1, 2, "end")
	mu.Lock()
	target = last
	mu.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := good.check(f); err != nil {
		t.Error(err)
	}
	eventually(t, "stalled sockets closed", func() bool { return h.g.hub.size() == 0 })
	if n := h.g.meters.evicted.Get(); n != 100 {
		t.Errorf("evicted %d", n)
	}
	t.Logf("worst fan-out %v, heap %d MiB -> %d MiB (the fake keeps %d MiB of messages)", worst, before.HeapAlloc>>20, after.HeapAlloc>>20, 300*60_000>>20)
	if worst > 10*time.Second { // of a busy machine; on a free one it is milliseconds
		t.Errorf("fan-out took %v", worst)
	}
}

// TestHalfOpen: a peer that vanished without a word is suspect after an
// interval and gone before two; one that answers pings stays.
func TestHalfOpen(t *testing.T) {
	f := newFake()
	const interval = 2 * time.Second // long, so that a busy machine does not make everybody suspect
	h := open4test(t, f, func(o *Options) { o.Heartbeat = interval })
	watcher := h.connect(f.device(3, 33))
	var list wire.PresenceList
	silent := h.connect(f.device(1, 11))
	silent.must("sync.ping", struct{}{}, nil)
	answers := h.connect(f.device(2, 22))
	answers.must("sync.ping", struct{}{}, nil)
	go func() {
		for {
			if _, err := answers.receive(); err != nil {
				return
			}
		}
	}()
	start := time.Now()
	eventually(t, "seen online", func() bool {
		watcher.must("presence.watch", wire.PresenceParams{Users: []id.ID{1, 2, 9}}, &list)
		return len(list.Presence) == 3 && list.Presence[0].State == online && list.Presence[1].State == online && list.Presence[2].State == offline
	})
	var states []string
	for len(states) == 0 || states[len(states)-1] != offline {
		m := watcher.event("presence")
		var change wire.PresenceList
		if err := json.Unmarshal(m.Params.Data, &change); err != nil {
			t.Fatal(err)
		}
		for _, p := range change.Presence {
			if p.User == 1 {
				states = append(states, p.State)
			} else if p.User != 2 || p.State == offline { // a busy machine may answer late, and be suspected for it
				t.Errorf("%+v", p)
			}
		}
	}
	if took := time.Since(start); took > 15*interval {
		t.Errorf("took %v", took)
	}
	if states[0] == online { // told late, of what was looked at before
		states = states[1:]
	}
	if got := fmt.Sprint(states); got != "[suspect offline]" && got != "[offline]" {
		t.Error(got)
	}
	if how := silent.ends(); how.code != closeSilent {
		t.Error(how)
	}
	eventually(t, "two left", func() bool { return h.g.hub.size() == 2 })
	answersInfo, _ := h.g.sessions(chat.Actor{Operator: true})
	for _, info := range answersInfo.(wire.SessionList).Sessions {
		if info.User == 2 && info.RTT <= 0 {
			t.Errorf("no round trip: %+v", info)
		}
	}
}

// TestPooledConnection: what is written to a session that ended never reaches
// the connection that comes next.
func TestPooledConnection(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1)
	for round := range 20 {
		a := h.connect(f.device(1, id.ID(100+round)))
		a.must("sync.start", wire.SyncParams{}, nil)
		old := h.g.hub.of(1, nil)
		_ = a.c.Close()
		eventually(t, "gone", func() bool { return h.g.hub.size() == 0 })
		var others []*strict
		for i := range 8 {
			s := h.connect(f.device(2, id.ID(1000+10*round+i)))
			s.must("sync.start", wire.SyncParams{}, nil)
			others = append(others, s)
		}
		secret, _ := passing(wire.EventTyping, wire.Typing{Room: 1, User: 1})
		for _, s := range old {
			s.push(secret)
			_, _ = s.conn.Write([]byte("secret-for-one"))
			if _, err := s.conn.Conn.Write(secret.data); err == nil {
				t.Fatal("the old connection can be written to")
			}
		}
		f.send(1, 1, "secret-for-one")
		for _, s := range others {
			want := s.ask("sync.ping", struct{}{})
			m, err := s.receive()
			if err != nil || string(m.ID) != want {
				t.Fatalf("round %d: %v %+v", round, err, m)
			}
			_ = s.c.Close()
		}
		eventually(t, "gone", func() bool { return h.g.hub.size() == 0 })
	}
}

// TestOneWriter: answers, events, pings and pongs at once, read by a client
// that forgives nothing.
func TestOneWriter(t *testing.T) {
	f := newFake()
	h := open4test(t, f, func(o *Options) { o.Heartbeat = 10 * time.Second })
	f.join(1, 1, 2)
	s := h.connect(f.device(1, 11))
	s.must("sync.start", wire.SyncParams{}, nil)
	var work sync.WaitGroup
	work.Go(func() {
		for i := range 3000 {
			f.send(1, 2, strings.Repeat("y", i))
		}
	})
	work.Go(func() {
		for i := range 500 {
			for _, session := range h.g.hub.of(1, nil) {
				session.sendPing(h.g.ticks())
			}
			if i%2 == 0 {
				_ = s.put(opPing, true, []byte("p"))
			} else {
				s.ask("sync.ping", struct{}{})
			}
		}
	})
	answers, events := 0, 0
	for answers < 250 || events < 3000 {
		_ = s.c.SetReadDeadline(time.Now().Add(20 * time.Second))
		p, err := s.frame()
		if err != nil {
			t.Fatalf("after %d answers, %d events: %v", answers, events, err)
		}
		if p.op != opText {
			continue
		}
		if strings.Contains(string(p.data), `"result"`) {
			answers++
		} else {
			events++
		}
	}
	work.Wait()
}

// TestCloseIsLast: what the library wants to say about a broken frame stands in
// line with a stream of events, and nothing follows it.
func TestCloseIsLast(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1, 2)
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, pos := f.send(1, 2, strings.Repeat("y", i%3000))
			for h.g.ring.position() < pos {
				runtime.Gosched()
			}
		}
	})
	for round := range 100 {
		s := h.connect(f.device(1, id.ID(100+round)))
		s.must("sync.start", wire.SyncParams{}, nil)
		for range 50 {
			if _, err := s.receive(); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = s.c.Write([]byte{0xc1, 0x80, 0, 0, 0, 0})
		if how := s.ends(); how.code != 1002 {
			t.Fatalf("round %d: %v", round, how)
		}
		_ = s.c.Close()
	}
	close(stop)
	work.Wait()
}

// TestBackPressure: calls that are not answered stop the reader, not the
// server, and are all answered in the end.
func TestBackPressure(t *testing.T) {
	f := newFake()
	var mu sync.Mutex
	var waiting []func(any, *wire.Error)
	f.do = func(_ *chat.Call, method string, _ []byte, reply func(any, *wire.Error)) bool {
		if method != "room.list" {
			return false
		}
		mu.Lock()
		waiting = append(waiting, reply)
		mu.Unlock()
		return true
	}
	h := open4test(t, f, nil)
	s := h.connect(f.device(1, 11))
	for range 100 {
		s.ask("room.list", struct{}{})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(waiting) }
	eventually(t, "64 calls", func() bool { return count() == 64 })
	h.connect(f.device(2, 22)).must("sync.ping", struct{}{}, nil)
	if n := count(); n != 64 {
		t.Errorf("%d calls in flight", n)
	}
	for answered := 0; answered < 100; answered++ {
		eventually(t, "another call", func() bool { return count() > answered })
		mu.Lock()
		reply := waiting[answered]
		mu.Unlock()
		go reply(wire.RoomList{}, nil)
		if m, err := s.receive(); err != nil || m.Error != nil {
			t.Fatal(err, m.Error)
		}
	}
}
