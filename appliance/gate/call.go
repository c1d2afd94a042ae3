package gate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// serveCall is POST /api/<method>: the params are the body, the result or the
// error is the answer. It names the endpoint for metrics.
func (g *Gate) serveCall(ctx *fasthttp.RequestCtx, kind ListenerKind, method string) string {
	spec, known := g.specs[method]
	if !known {
		g.refuse(ctx, wire.Refusef(wire.MethodNotFound, "there is no method %.60q", "没有方法 %.60q", method))
		return "/api/unknown"
	}
	// A form of another site can send every type but this one without asking.
	if media, _, _ := strings.Cut(string(ctx.Request.Header.ContentType()), ";"); !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		g.refuse(ctx, wire.Refuse(wire.InvalidRequest, "Content-Type must be application/json", "Content-Type 必须为 application/json"))
		ctx.SetStatusCode(fasthttp.StatusUnsupportedMediaType)
		return "/api/" + method
	}
	result, err := g.callOverHTTP(ctx, kind, spec)
	if err != nil {
		g.refuse(ctx, err)
		return "/api/" + method
	}
	if login, ok := result.(*chat.LoggedIn); ok {
		if login.Cookie && kind != Unix {
			setCookie(ctx, kind, login.Session.Token, login.MaxAge)
			login.Session.Token = ""
		}
		result = login.Session
	}
	if me, ok := result.(wire.Session); ok && method == "session.me" && me.Expires > 0 {
		if text, how := token(ctx, kind); how == cookie {
			setCookie(ctx, kind, text, time.Duration(me.Expires-g.now().UnixMilli())*time.Millisecond)
		}
	}
	if method == "session.logout" {
		setCookie(ctx, kind, "", 0)
	}
	g.reply(ctx, fasthttp.StatusOK, result)
	return "/api/" + method
}

// callOverHTTP checks everything that stands before a call and carries it out.
func (g *Gate) callOverHTTP(ctx *fasthttp.RequestCtx, kind ListenerKind, spec wire.Spec) (any, *wire.Error) {
	h := &ctx.Request.Header
	if spec.Socket {
		return nil, wire.Refuse(wire.InvalidRequest, "this method needs a connection: call it over the WebSocket at /api/ws", "此方法需要长连接：请通过 /api/ws 的 WebSocket 调用")
	}
	if _, how := token(ctx, kind); how != bearer && kind != Unix && len(h.Peek("Origin")) > 0 && !sameOrigin(ctx, kind) {
		return nil, wire.Refuse(wire.Forbidden, "pages of other sites may not call this server", "其他网站的页面不得调用本服务器")
	}
	actor, _, err := g.caller(ctx, kind)
	if err != nil && (spec.Access != wire.Public || err.Kind == wire.RateLimited) {
		return nil, err
	}
	if err != nil { // an old cookie must not stand in the way of a login
		actor = chat.Actor{}
	}
	if spec.Access != wire.Public && actor.User == 0 && !actor.Operator {
		return nil, notLoggedIn()
	}
	if g.draining.Load() {
		return nil, stopping()
	}
	from, now := g.clientAddress(ctx), g.now()
	if !actor.Operator {
		if err := g.allow(spec, actor.User, from); err != nil {
			return nil, err
		}
	}
	params, err := g.body(ctx)
	if err != nil {
		return nil, err
	}
	call := &chat.Call{Actor: actor, Lang: language(h), Trace: string(ctx.Response.Header.Peek(traceHeader)), Address: addressText(from), Now: now}
	return g.carryOut(call, spec.Name, params)
}

// body reads the JSON body.
func (g *Gate) body(ctx *fasthttp.RequestCtx) ([]byte, *wire.Error) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return bytes.Clone(ctx.Request.Body()), nil
	}
	b, err := io.ReadAll(io.LimitReader(stream, int64(g.limit().BodyBytes)+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, wire.Refuse(wire.InvalidRequest, "the body did not come in time", "请求体未及时到达")
	case err != nil:
		return nil, wire.Refuse(wire.InvalidRequest, "the body ended early", "请求体不完整")
	case len(b) > g.limit().BodyBytes:
		return nil, wire.Refusef(wire.TooLarge, "the body is longer than %d bytes", "请求体超过 %d 字节", g.limit().BodyBytes)
	}
	return b, nil
}

type outcome struct {
	result any
	err    *wire.Error
}

// carryOut calls the service and waits for its answer. What only the gate knows
// is filled in.
func (g *Gate) carryOut(call *chat.Call, method string, params []byte) (any, *wire.Error) {
	counted := g.meters.methods[method]
	if method == "server.sessions" {
		counted.Inc()
		return g.sessions(call.Actor)
	}
	ctx, cancel := context.WithTimeout(g.ctx, g.limit().CallTimeout)
	defer cancel()
	call.Context = ctx
	began := time.Now()
	running := g.o.Operations.Begin(meter.KindHTTP, method, userText(call.Actor), call.Trace, cancel)
	defer running.End()
	done := make(chan outcome, 1)
	g.service.Do(call, method, params, func(result any, err *wire.Error) { done <- outcome{result, err} })
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		o.err = wire.Refuse(wire.Internal, "no answer in time; whether it was done is unknown: ask again with the same key",
			"未及时得到结果，是否完成未知：请用同一键重试")
		if errors.Is(ctx.Err(), context.Canceled) && g.ctx.Err() == nil {
			o.err = wire.Refuse(wire.Unavailable, "an administrator cancelled this; whether it was done is unknown: ask again with the same key",
				"管理员取消了此操作，是否完成未知：请用同一键重试")
		}
	}
	if !g.byVirtual(call.Actor, o.result) {
		counted.Inc()
		g.meters.acted(actionOf(method), statusOf(o.err), time.Since(began))
	}
	return g.filled(o.result), o.err
}

func userText(a chat.Actor) string {
	if a.Operator {
		return "operator"
	}
	if a.User == 0 {
		return ""
	}
	return a.User.String()
}

// byVirtual reports whether a virtual user called, or logged in with the call.
func (g *Gate) byVirtual(a chat.Actor, result any) bool {
	if in, ok := result.(*chat.LoggedIn); ok {
		return in.Session.User.Probe
	}
	return g.virtual(a.User)
}

// filled puts into a result what only the gate knows: who is connected.
func (g *Gate) filled(result any) any {
	switch r := result.(type) {
	case *wire.StatusResult:
		r.Sessions, r.Online = g.hub.size(), g.hub.online()
	case wire.StatusResult:
		r.Sessions, r.Online = g.hub.size(), g.hub.online()
		return r
	case *wire.DeviceList:
		g.fillDevices(r.Devices)
	case wire.DeviceList:
		g.fillDevices(r.Devices)
	case *wire.Journey:
		g.fillSteps(r.Steps)
	case wire.Journey:
		g.fillSteps(r.Steps)
	}
	return result
}

func (g *Gate) fillDevices(list []wire.Device) {
	online := g.hub.devices()
	for i := range list {
		list[i].Online = online[list[i].ID]
	}
}

func (g *Gate) fillSteps(list []wire.Step) {
	online := g.hub.devices()
	for i := range list {
		list[i].Online = online[list[i].Device]
	}
}

// sessions answers server.sessions.
func (g *Gate) sessions(a chat.Actor) (any, *wire.Error) {
	if !a.Operator && a.Role != wire.Owner && a.Role != wire.Admin && a.Role != wire.Auditor {
		return nil, wire.Refuse(wire.Forbidden, "auditors, admins and owners only", "仅限审计员、管理员与所有者")
	}
	return wire.SessionList{Sessions: g.Sessions()}, nil
}

// Sessions tells the WebSockets that are logged in, in no order.
func (g *Gate) Sessions() []wire.SessionInfo {
	list := []wire.SessionInfo{}
	for _, s := range g.hub.every() {
		if s.loggedIn.Load() {
			list = append(list, s.info())
		}
	}
	return list
}

// Session tells one WebSocket by the number that Sessions tells.
func (g *Gate) Session(connection uint64) (wire.SessionInfo, bool) {
	s := g.hub.find(connection)
	if s == nil || !s.loggedIn.Load() {
		return wire.SessionInfo{}, false
	}
	return s.info(), true
}

// Disconnect closes one WebSocket by the number that Sessions tells. Its client
// may come back; ending the device's login keeps it out.
func (g *Gate) Disconnect(connection uint64) (wire.SessionInfo, bool) {
	info, ok := g.Session(connection)
	if s := g.hub.find(connection); ok && s != nil {
		s.shut(closeRestart, "disconnected by an administrator", true)
	}
	return info, ok
}

func (s *session) info() wire.SessionInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := "active"
	switch {
	case s.suspect.Load():
		state = "suspect"
	case s.stream && !s.live.Load():
		state = "lagging"
	}
	return wire.SessionInfo{Connection: s.number, Agent: s.agent.Value(), Frames: s.waiting, Unacked: len(s.progress.pending), Missed: int(s.missed.Load()), Probe: s.probe, User: s.user, Device: s.device, Address: s.address, Since: s.since,
		LastBeat: s.g.now().UnixMilli() - (s.g.ticks()-s.beat.Load())/1e6, RTT: s.rtt.Load() / 1e3, Queue: s.queued, State: state}
}

// answer makes the frame that answers a call over the socket; nil for a
// notification.
func (g *Gate) answer(id jsontext.Value, result any, err *wire.Error, lang, trace string) *frame {
	if len(id) == 0 {
		return nil
	}
	if err == nil {
		b, failed := wire.AppendResult(room(256), id, result)
		if failed == nil {
			return &frame{data: framed(b), call: true}
		}
		g.log.Error("encode answer", keyTrace, trace, keyError, failed)
		err = wire.Refuse(wire.Internal, "a fault of the server", "服务器故障")
	}
	return &frame{data: framed(wire.AppendError(room(256), id, err, lang, trace)), call: true}
}
