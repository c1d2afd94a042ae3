package gate

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
	"unique"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// serveSocket is GET /api/ws. Browsers always send Origin; it must be ours.
// Without it only a Bearer token counts, or session.authenticate as the first
// frame, which other sites cannot know.
func (g *Gate) serveSocket(ctx *fasthttp.RequestCtx, kind ListenerKind) {
	if g.draining.Load() {
		g.refuse(ctx, stopping())
		return
	}
	from := ctx.Request.Header.Peek("Origin")
	if len(from) > 0 && (kind == Unix || !sameOrigin(ctx, kind)) {
		g.refuse(ctx, wire.Refuse(wire.Forbidden, "pages of other sites may not connect", "其他网站的页面不得连接"))
		return
	}
	var actor chat.Actor
	if _, how := token(ctx, kind); how == bearer || (how == cookie && len(from) > 0) {
		var err *wire.Error
		if actor, _, err = g.caller(ctx, kind); err != nil {
			g.refuse(ctx, err)
			return
		}
		if len(g.hub.of(actor.User, nil)) >= g.limit().SocketsPerUser {
			g.refuse(ctx, tooManySockets(g.limit().SocketsPerUser))
			return
		}
	}
	lang := language(&ctx.Request.Header)
	if wanted := ctx.QueryArgs().Peek("lang"); len(wanted) > 0 {
		lang = tongue(string(wanted))
	}
	now, address := g.now(), g.clientAddress(ctx)
	s := &session{g: g, number: g.numbers.Add(1), agent: unique.Make(agentOf(ctx)), from: address, address: addressText(address), lang: lang, since: now.UnixMilli()}
	s.alive()
	if !actor.Operator {
		s.actor = actor
	}
	upgrader := websocket.FastHTTPUpgrader{
		ReadBufferSize: 256, WriteBufferSize: 256, WriteBufferPool: &g.unused,
		CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }, // done above
		Error: func(ctx *fasthttp.RequestCtx, status int, reason error) {
			g.refuse(ctx, wire.Refuse(wire.InvalidRequest, "not a WebSocket handshake", "不是 WebSocket 握手"))
			ctx.SetStatusCode(status)
		},
	}
	// The handler returns at once: fasthttp gets its context back, and the
	// connection stays with the session (KeepHijackedConns).
	_ = upgrader.Upgrade(ctx, func(ws *websocket.Conn) { // its error is answered by Error
		defer g.caught("upgrade")
		g.begin(s, ws)
	})
}

// maxAgent bounds what is kept of a client's name for itself.
const maxAgent = 160

// agentOf is what a client calls itself.
func agentOf(ctx *fasthttp.RequestCtx) string {
	b := ctx.Request.Header.UserAgent()
	return strings.ToValidUTF8(string(b[:min(len(b), maxAgent)]), "")
}

// virtual reports whether an account is a virtual user.
func (g *Gate) virtual(user id.ID) bool {
	u, ok := g.service.User(user)
	return ok && u.Probe
}

func tooManySockets(most int) *wire.Error {
	return wire.Refusef(wire.QuotaExceeded, "more than %d connections of one account", "同一账号的连接数超过 %d", most)
}

// begin makes a session of an upgraded connection.
func (g *Gate) begin(s *session, ws *websocket.Conn) {
	s.ws, s.conn = ws, peerOf(ws.NetConn())
	if s.conn == nil || !g.hub.add(s) {
		_ = ws.Close()
		return
	}
	s.conn.session.Store(s)
	if !g.virtual(s.who().User) {
		g.meters.connections.Inc()
	}
	ws.SetReadLimit(int64(g.limit().FrameBytes))
	ws.SetPingHandler(s.onPing)
	ws.SetPongHandler(s.onPong)
	ws.SetCloseHandler(s.onClose)
	go s.read()
}

// renewEvery is how often a reader may hand over to a new goroutine.
const renewEvery = int64(time.Second)

// read is the reader of a session. Handling a frame grows its stack to twice
// of what waiting for the next one needs, and stacks hardly shrink: so that
// thousands of idle sockets stay small, the reader goes on in a new goroutine
// after a frame, once a second at most.
func (s *session) read() {
	renewed := false
	defer func() {
		if p := recover(); p != nil {
			s.g.report("reader", p)
			s.shut(closeFault, "fault of the server", false)
		}
		if !renewed {
			s.finish()
			s.g.tasks.Done()
		}
	}()
	if actor := s.who(); actor.User != 0 && !s.loggedIn.Load() {
		if err := s.login(actor); err != nil {
			s.shut(closeTooMany, err.Text.In(s.lang), true)
		}
	}
	for {
		text, err := s.receive()
		if err != nil {
			s.lost(err)
			return
		}
		s.alive()
		if !s.pace() {
			return
		}
		if !s.isEnding() {
			s.handle(text)
		}
		if now := s.beat.Load(); now-s.renewed > renewEvery {
			s.renewed, renewed = now, true
			go s.read()
			return
		}
	}
}

// receive waits for the next frame and reads it whole; nil stands for one that
// was refused. The bytes are the caller's.
func (s *session) receive() ([]byte, error) {
	op, r, err := s.ws.NextReader()
	if err != nil {
		return nil, err
	}
	scratch := s.g.inboxes.Get().(*[]byte)
	defer s.g.inboxes.Put(scratch)
	b, err := readAll(r, (*scratch)[:0])
	*scratch = b
	switch {
	case err != nil:
		return nil, err
	case op != websocket.TextMessage:
		s.shut(closeUnwanted, "text frames only", true)
		return nil, nil
	case !utf8.Valid(b):
		s.shut(closeBadUTF8, "not UTF-8", true)
		return nil, nil
	}
	return bytes.Clone(b), nil
}

// readAll is io.ReadAll into a buffer.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// pace counts a frame of any kind. A socket that sends more than it may is
// read more slowly. It reports false when the gate closes meanwhile.
func (s *session) pace() bool {
	for {
		wait := s.frames.take(s.g.limit().Frames, s.g.ticks())
		if wait == 0 {
			return true
		}
		select {
		case <-time.After(wait):
			s.alive()
		case <-s.g.ctx.Done():
			return false
		}
	}
}

func (s *session) isEnding() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// alive notes a sign of life.
func (s *session) alive() {
	s.beat.Store(s.g.ticks())
	if s.suspect.Load() && s.suspect.Swap(false) {
		s.g.presence.changed(s.user)
	}
}

// onPing answers with the payload of the last ping only (RFC 6455 section
// 5.5.3 allows it), so pings cannot fill the queue.
func (s *session) onPing(payload string) error {
	s.alive()
	s.pace()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.pong = controlFrame(opPong, []byte(payload))
		s.wake()
	}
	return nil
}

// onPong takes the round trip from the time that our ping carried.
func (s *session) onPong(payload string) error {
	s.alive()
	s.pace()
	if len(payload) == 8 {
		sent := int64(binary.BigEndian.Uint64([]byte(payload)))
		if sent != 0 && s.pinged.CompareAndSwap(sent, 0) {
			rtt := s.g.ticks() - sent
			s.rtt.Store(rtt)
			if !s.probe {
				s.g.meters.rtt.Took(time.Duration(rtt))
			}
		}
	}
	return nil
}

// onClose answers a close frame with its own code.
func (s *session) onClose(code int, _ string) error {
	if code == websocket.CloseNoStatusReceived {
		code = 0
	}
	s.shut(code, "", true)
	s.mu.Lock()
	if s.why == "" {
		s.why = "closed by the client"
	}
	s.mu.Unlock()
	return nil
}

// library takes what the websocket library would write itself: close frames
// for broken framing and for messages that are too long.
func (s *session) library(b []byte) {
	if len(b) >= 4 && b[0]&15 == opClose {
		s.shut(int(binary.BigEndian.Uint16(b[2:])), string(b[4:]), true)
		return
	}
	s.shut(closeFault, "", true)
}

// lost notes why reading ended.
func (s *session) lost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == "" && !s.ending {
		s.why = "read: " + err.Error()
	}
}

// finish takes the session out of everything. When a close frame is on its way
// the connection is kept until the other side has it, a second at most.
func (s *session) finish() {
	defer s.g.caught("finish")
	g := s.g
	s.mu.Lock()
	polite := s.ending && !s.dead
	s.end(s.why)
	if !polite {
		s.kill()
	}
	s.mu.Unlock()
	s.depart()
	g.presence.forget(s)
	if s.loggedIn.Load() {
		s.leave()
	}
	if polite {
		_ = s.conn.Conn.SetReadDeadline(time.Now().Add(lingering))
		_, _ = io.Copy(io.Discard, io.LimitReader(s.conn.Conn, 4<<20))
	}
	s.mu.Lock()
	s.kill()
	why := s.why
	s.mu.Unlock()
	g.hub.remove(s)
	lasted := g.now().UnixMilli() - s.since
	g.sessionLasted(s, time.Duration(lasted)*time.Millisecond)
	g.log.Debug("session ended", keySession, s.number, keyUser, s.user.String(), keyDevice, s.device.String(),
		keyAddress, s.address, keyReason, why, "ms", lasted)
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return "local"
	}
	return a.String()
}
