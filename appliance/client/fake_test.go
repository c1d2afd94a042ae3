package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// fake is a server that follows the protocol and can be told to misbehave. It
// keeps one list of events, which is its journal.
type fake struct {
	t        *testing.T
	listener net.Listener
	server   *fasthttp.Server
	work     sync.WaitGroup

	mu        sync.Mutex
	position  uint64
	floor     uint64 // older positions are reset
	journal   []entry
	rooms     map[id.ID][]wire.Message
	keys      map[string]wire.Sent
	peers     map[*peer]struct{}
	acks      []uint64
	starts    []uint64 // since of every sync.start
	posts     []string
	heartbeat int64
	header    bool // wants the token as a header
	refuse    *wire.Error
	uploads   map[string]*fakeUpload
	files     map[id.ID][]byte

	loseAnswer func(method string) bool // cut the connection instead of answering
	swallow    func(e entry) bool       // do not push this one
}

type entry struct {
	position uint64
	kind     wire.EventType
	data     any
}

type peer struct {
	ws     *websocket.Conn
	mu     sync.Mutex
	authed bool
	live   bool
}

type fakeUpload struct {
	meta string
	size int
	data []byte
	file id.ID
	fail int // the n-th PATCH from now is cut after half of it
}

const goodToken = "good"

// origin is the position of a fake that is new: 0 would mean "nothing yet" to
// a client that has seen position 1.
const origin = 100

func newFake(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveFake(t, l)
}

func serveFake(t *testing.T, l net.Listener) *fake {
	f := &fake{t: t, listener: l, position: origin, rooms: map[id.ID][]wire.Message{}, keys: map[string]wire.Sent{}, heartbeat: 1000,
		peers: map[*peer]struct{}{}, header: true, uploads: map[string]*fakeUpload{}, files: map[id.ID][]byte{}}
	f.server = &fasthttp.Server{Handler: f.handle, KeepHijackedConns: true, NoDefaultServerHeader: true}
	f.work.Go(func() { _ = f.server.Serve(l) })
	t.Cleanup(f.stop)
	return f
}

func (f *fake) stop() {
	f.cut()
	_ = f.server.Shutdown()
	f.work.Wait()
}

func (f *fake) url() string { return "http://" + f.listener.Addr().String() }

// cut breaks every connection.
func (f *fake) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.peers {
		_ = p.ws.NetConn().Close()
	}
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	switch {
	case path == wire.PathSocket:
		f.upgrade(ctx)
	case strings.HasPrefix(path, wire.PathUploads):
		f.upload(ctx, path)
	case strings.HasPrefix(path, wire.PathFiles):
		f.file(ctx, path)
	default:
		f.post(ctx, strings.TrimPrefix(path, wire.PathAPI))
	}
}

func authorised(ctx *fasthttp.RequestCtx) bool {
	return string(ctx.Request.Header.Peek("Authorization")) == "Bearer "+goodToken
}

func (f *fake) fail(ctx *fasthttp.RequestCtx, e *wire.Error) {
	body, _ := json.Marshal(e.Body(string(ctx.Request.Header.Peek("Accept-Language")), "t1"))
	ctx.SetStatusCode(e.Kind.Info().Status)
	ctx.SetBody(body)
}

func (f *fake) post(ctx *fasthttp.RequestCtx, method string) {
	f.set(func() { f.posts = append(f.posts, method) })
	if method != "session.login" && !authorised(ctx) {
		f.fail(ctx, wire.Refuse(wire.Unauthenticated, "log in", "请登录"))
		return
	}
	result, e := f.answer(method, bytes.Clone(ctx.PostBody()))
	if e != nil {
		f.fail(ctx, e)
		return
	}
	body, err := json.Marshal(result)
	if err != nil {
		f.t.Error(err)
	}
	ctx.SetBody(body)
}

// answer carries out a method that both transports have.
func (f *fake) answer(method string, params []byte) (any, *wire.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	switch method {
	case "server.info":
		return wire.ServerInfo{Version: "fake", Ready: true}, nil
	case "session.login":
		var p wire.LoginParams
		if e := wire.DecodeParams(params, &p); e != nil {
			return nil, e
		}
		if p.Password != "right" {
			return nil, wire.Refuse(wire.Unauthenticated, "wrong password", "密码错误")
		}
		return wire.Session{Token: goodToken}, nil
	case "room.history":
		return f.history(params)
	case "message.send":
		return f.send(params)
	case "file.get":
		var p wire.FileParam
		if e := wire.DecodeParams(params, &p); e != nil {
			return nil, e
		}
		return wire.FileResult{File: wire.File{ID: p.File, Name: "a b.bin", Size: int64(len(f.files[p.File]))}}, nil
	case "sync.ping":
		return wire.Pong{Position: f.position}, nil
	}
	return nil, wire.Refuse(wire.MethodNotFound, "no such method", "没有这个方法")
}

func (f *fake) history(params []byte) (any, *wire.Error) {
	var p wire.HistoryParams
	if e := wire.DecodeParams(params, &p); e != nil {
		return nil, e
	}
	h := wire.History{Head: uint64(len(f.rooms[p.Room])), Messages: []wire.Message{}}
	for _, m := range f.rooms[p.Room] {
		if m.Seq > p.After && len(h.Messages) < min(p.Limit, 3) {
			h.Messages = append(h.Messages, m)
		}
	}
	return h, nil
}

func (f *fake) send(params []byte) (any, *wire.Error) {
	var p wire.SendParams
	if e := wire.DecodeParams(params, &p); e != nil {
		return nil, e
	}
	if s, had := f.keys[p.Key]; had {
		s.Again = true
		return s, nil
	}
	m := f.append(p.Room, p.Text)
	s := wire.Sent{ID: m.ID, Seq: m.Seq, Position: m.Position, Time: m.Time}
	f.keys[p.Key] = s
	return s, nil
}

// say stores a message as somebody else would.
func (f *fake) say(room id.ID, text string) wire.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.append(room, text)
}

func (f *fake) append(room id.ID, text string) wire.Message {
	seq := uint64(len(f.rooms[room])) + 1
	m := wire.Message{ID: id.Message{Room: room, Seq: seq}, Room: room, Seq: seq, Count: seq,
		Position: f.position + 1, Time: time.Now().UnixMilli(), Text: text}
	f.rooms[room] = append(f.rooms[room], m)
	f.record(entry{kind: wire.EventMessage, data: m})
	return m
}

// record appends events of one record: they share a position.
func (f *fake) record(entries ...entry) {
	f.position++
	for _, e := range entries {
		e.position = f.position
		f.journal = append(f.journal, e)
		if f.swallow != nil && f.swallow(e) {
			continue
		}
		for p := range f.peers {
			if p.live {
				f.push(p, e)
			}
		}
	}
}

func (f *fake) push(p *peer, e entry) {
	b, err := wire.AppendEvent(nil, e.position, e.kind, e.data)
	if err != nil {
		f.t.Error(err)
	}
	p.write(b)
}

func (p *peer) write(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.ws.WriteMessage(websocket.TextMessage, b) // a peer may be gone
}

func (f *fake) upgrade(ctx *fasthttp.RequestCtx) {
	authed := authorised(ctx)
	var header, refused bool
	f.set(func() { header, refused = f.header, f.refuse != nil })
	if refused || (header && !authed) {
		f.fail(ctx, wire.Refuse(wire.Unauthenticated, "log in", "请登录"))
		return
	}
	up := websocket.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	err := up.Upgrade(ctx, func(ws *websocket.Conn) {
		p := &peer{ws: ws, authed: header}
		f.set(func() { f.peers[p] = struct{}{} })
		f.serve(p)
		f.set(func() { delete(f.peers, p) })
		_ = ws.Close()
	})
	if err != nil {
		f.t.Log(err)
	}
}

func (f *fake) serve(p *peer) {
	for {
		_, b, err := p.ws.ReadMessage()
		if err != nil {
			return
		}
		r, e := wire.Decode(b)
		if e == nil {
			var result any
			if result, e = f.socket(p, r); e == nil {
				var lose func(string) bool
				f.set(func() { lose = f.loseAnswer })
				if lose != nil && lose(r.Method) {
					return
				}
				if r.ID != nil && r.Method != "sync.start" {
					a, err := wire.AppendResult(nil, r.ID, result)
					if err != nil {
						f.t.Error(err)
					}
					p.write(a)
				}
				continue
			}
		}
		p.write(wire.AppendError(nil, r.ID, e, "en", "t2"))
		if e.Kind == wire.Unauthenticated {
			return
		}
	}
}

func (f *fake) socket(p *peer, r wire.Request) (any, *wire.Error) {
	switch r.Method {
	case "session.authenticate":
		p.authed = true
		return wire.Session{}, nil
	case "sync.start":
		if !p.authed {
			return nil, wire.Refuse(wire.Unauthenticated, "log in", "请登录")
		}
		var sp wire.SyncParams
		if e := wire.DecodeParams(r.Params, &sp); e != nil {
			return nil, e
		}
		f.start(p, r.ID, sp.Since)
		return nil, nil
	case "sync.ack":
		var ap wire.AckParams
		if e := wire.DecodeParams(r.Params, &ap); e != nil {
			return nil, e
		}
		f.set(func() { f.acks = append(f.acks, ap.Position) })
		return wire.Empty{}, nil
	}
	return f.answer(r.Method, r.Params)
}

func (f *fake) start(p *peer, reqID jsontext.Value, since uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.starts = append(f.starts, since)
	s := wire.SyncStart{Position: f.position, HeartbeatMS: f.heartbeat, Version: "fake"}
	if since == 0 || since < f.floor {
		s.Reset = true
		for room, list := range f.rooms {
			s.Rooms = append(s.Rooms, wire.Room{ID: room, Head: uint64(len(list))})
		}
		since = f.position
	}
	a, err := wire.AppendResult(nil, reqID, s)
	if err != nil {
		f.t.Error(err)
	}
	p.write(a)
	for _, e := range f.journal {
		if e.position > since {
			f.push(p, e)
		}
	}
	p.live = true
}

func (f *fake) tell(kind wire.EventType, data any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.peers {
		f.push(p, entry{kind: kind, data: data})
	}
}

func (f *fake) upload(ctx *fasthttp.RequestCtx, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &ctx.Request.Header
	if !authorised(ctx) || string(h.Peek("Tus-Resumable")) != "1.0.0" {
		ctx.SetStatusCode(412)
		return
	}
	if string(ctx.Method()) == "POST" {
		size, _ := strconv.Atoi(string(h.Peek("Upload-Length")))
		name := "/u" + strconv.Itoa(len(f.uploads)+1)
		f.uploads[wire.PathUploads+name] = &fakeUpload{size: size, meta: string(h.Peek("Upload-Metadata")), fail: 2}
		ctx.Response.Header.Set("Location", wire.PathUploads+name)
		ctx.SetStatusCode(201)
		return
	}
	u := f.uploads[path]
	if u == nil {
		ctx.SetStatusCode(404)
		return
	}
	if string(ctx.Method()) == "PATCH" {
		if string(h.Peek("Upload-Offset")) != strconv.Itoa(len(u.data)) {
			ctx.SetStatusCode(409)
			return
		}
		ctx.SetStatusCode(204)
		body := ctx.PostBody()
		if u.fail--; u.fail == 0 {
			u.data = append(u.data, body[:len(body)/2]...)
			ctx.SetStatusCode(500)
			return
		}
		u.data = append(u.data, body...)
	}
	ctx.Response.Header.Set("Upload-Offset", strconv.Itoa(len(u.data)))
	if len(u.data) == u.size {
		if u.file == 0 {
			u.file = id.ID(len(f.files) + 1)
			f.files[u.file] = u.data
		}
		ctx.Response.Header.Set(wire.HeaderFile, u.file.String())
	}
}

// file gives half of what was asked for, and then breaks the connection.
func (f *fake) file(ctx *fasthttp.RequestCtx, path string) {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, wire.PathFiles), "/")
	file, err := id.Parse(name)
	if err != nil {
		f.fail(ctx, wire.Refuse(wire.NotFound, "no file", "没有文件"))
		return
	}
	var data []byte
	f.set(func() { data = f.files[file] })
	from := 0
	if r := string(ctx.Request.Header.Peek("Range")); r != "" {
		from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r, "bytes="), "-"))
		ctx.SetStatusCode(206)
		ctx.Response.Header.Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(len(data)-1)+"/"+strconv.Itoa(len(data)))
	}
	rest := data[from:]
	give := rest[:(len(rest)+1)/2]
	if len(rest) < 20_000 { // less might not leave the server before the break
		give = rest
	}
	ctx.SetBodyStream(io.MultiReader(bytes.NewReader(give), broken{}), len(rest))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ---- what the tests share ----

const room1, room2 = id.ID(1 << 40), id.ID(2 << 40)

func brief(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dialFake(t *testing.T, f *fake, change func(*Options)) *Client {
	t.Helper()
	o := Options{URL: f.url(), Token: goodToken, Backoff: 2 * time.Millisecond, AckDelay: time.Millisecond}
	if change != nil {
		change(&o)
	}
	c, err := Dial(brief(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// next waits for the next event of a kind and passes over others.
func next(t *testing.T, c *Client, kind wire.EventType) Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case e, open := <-c.Events():
			if !open {
				t.Fatalf("no more events while waiting for %s: %v", kind, c.Err())
			}
			if e.Type == kind {
				return e
			}
		case <-deadline:
			t.Fatalf("no event %s came; %+v", kind, c.Stats())
		}
	}
}

func sees(t *testing.T, c *Client, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if got := next(t, c, wire.EventMessage).Data.(*wire.Message).Text; got != want {
			t.Fatalf("saw %q, want %q; %+v", got, want, c.Stats())
		}
	}
}

func metadata(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }
