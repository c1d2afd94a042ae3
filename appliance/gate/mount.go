package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// Mount is a part of the address space that somebody else answers: everything
// at Prefix and below it. The gate finds out who is calling, keeps its limits,
// and refuses what changes something and does not come from a page of this
// server; everything else is the mount's.
//
// Serve returns the pattern of the route that answered, for metrics: one of a
// fixed list, never the address itself. An answer that does not end (a stream
// of events) is written with SetBodyStreamWriter: every write of it has
// Limits.WriteTimeout of its own, and the stream must end when ctx.Done does.
type Mount struct {
	Prefix string // such as /admin, without a slash at the end
	Serve  func(ctx *fasthttp.RequestCtx, v Visitor) (endpoint string)

	// Apart mounts are served through ServeApart alone, and on Unix sockets.
	Apart bool
	// Reads mounts change nothing, whatever the method: a POST to them is a
	// question too long for an address, and needs to come from no page.
	Reads bool
	// Allowed tells whether an address may come in; nil lets everybody. Others
	// are told that nothing is here. Unix sockets are not asked.
	Allowed func(netip.Addr) bool
	// Knows tells whether a request without a login comes from a program that
	// may: one at an address that is let in, or with a secret of the mount's own
	// in its Authorization header. Such a program has Limits.Programs, enough
	// for a page of dashboards; everybody else has Limits.Public, and so has
	// every guess at the secret. A secret must be long enough to be asked of
	// all requests: whoever shares an address with one who guesses is let in.
	// May be nil. It is called by many goroutines.
	Knows func(from netip.Addr, authorization string) bool
}

// Visitor is who opens a page of a mount.
type Visitor struct {
	Actor    chat.Actor // of nobody: the zero value
	LoggedIn bool       // as a person, or the operator on the Unix socket
	Login    string     // what the person logs in with; empty for the operator
	Name     string
	Lang     string // zh or en, as the client asks for
	Trace    string
	Address  netip.Addr // zero on a Unix socket
	// SameOrigin tells that a browser sent the request for a page of this
	// server.
	SameOrigin bool
	// Known tells that Mount.Knows this program. It is nobody's login.
	Known bool
	// Secure tells that the connection is encrypted.
	Secure bool
	// Proof is what a form of this visitor has to carry, so that a page of
	// another site cannot make one. It comes from the login and is worth
	// nothing without it. Empty: the login was not a cookie, no page can borrow it.
	Proof string

	kind ListenerKind
}

// mounted finds the mount that answers a path on a listener.
func (g *Gate) mounted(path string, kind ListenerKind, apart bool) *Mount {
	for i := range g.o.Mounts {
		m := &g.o.Mounts[i]
		rest, below := strings.CutPrefix(path, m.Prefix)
		if below && (rest == "" || rest[0] == '/') && (m.Apart == apart || kind == Unix) {
			return m
		}
	}
	return nil
}

// serveMount lets a mount answer.
func (g *Gate) serveMount(ctx *fasthttp.RequestCtx, kind ListenerKind, m *Mount) string {
	from := g.clientAddress(ctx)
	if kind != Unix && m.Allowed != nil && !m.Allowed(from) {
		g.log.Info("turned away by the list of addresses", keyAddress, addressText(from), "prefix", m.Prefix)
		g.serveStatic(ctx, m.Prefix) // as any address where nothing is
		return m.Prefix
	}
	v, err := g.visitor(ctx, kind, from, m)
	if err == nil && !reading(ctx) {
		err = g.bringBody(ctx)
	}
	if err != nil {
		g.refuse(ctx, err)
		return m.Prefix
	}
	running := g.o.Operations.Begin(meter.KindHTTP, m.Prefix, userText(v.Actor), v.Trace, nil)
	defer running.End()
	endpoint := m.Serve(ctx, v)
	running.As(string(ctx.Method())+" "+endpoint, "")
	return endpoint
}

// visitor finds out who opens a page. A login that has ended is nobody: the
// mount shows where to log in. Limits are kept here.
func (g *Gate) visitor(ctx *fasthttp.RequestCtx, kind ListenerKind, from netip.Addr, m *Mount) (Visitor, *wire.Error) {
	v := Visitor{kind: kind, Lang: language(&ctx.Request.Header), Trace: string(ctx.Response.Header.Peek(traceHeader)),
		Address: from, SameOrigin: sameOrigin(ctx, kind), Secure: kind == TLS}
	secret, how := token(ctx, kind)
	if !m.Reads && !reading(ctx) && kind != Unix && how != bearer && !v.SameOrigin {
		return v, wire.Refuse(wire.Forbidden, "a form must come from a page of this server", "表单必须来自本服务器的页面")
	}
	if v.Known = how != cookie && kind != Unix && m.Knows != nil && m.Knows(from, string(ctx.Request.Header.Peek("Authorization"))); v.Known {
		return v, g.within(addressKey(from, forPrograms), g.limit().Programs)
	}
	actor, _, err := g.caller(ctx, kind)
	switch {
	case err != nil && err.Kind == wire.RateLimited:
		return v, err
	case err == nil && (actor.Operator || actor.User != 0):
		v.Actor, v.LoggedIn = actor, true
		if u, ok := g.service.User(actor.User); ok {
			v.Login, v.Name = u.Login, u.Name
		}
		if how == cookie {
			v.Proof = proof(secret)
		}
	}
	if v.Actor.Operator {
		return v, nil
	}
	key, rate := addressKey(from, forPublic), g.limit().Public
	if v.LoggedIn {
		key, rate = accountKey(actor.User, wire.Query), g.limit().Query
	}
	return v, g.within(key, rate)
}

// within takes a token of a bucket, or refuses.
func (g *Gate) within(k key, r Rate) *wire.Error {
	if wait := g.limiter.take(k, r, g.ticks()); wait > 0 {
		g.meters.limited.Inc()
		return tooOften(wait)
	}
	return nil
}

// proof is derived from a device token by a one-way function.
func proof(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("posthouse form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// bringBody reads the body into the request, within the limit, so that a mount
// reads forms as usual.
func (g *Gate) bringBody(ctx *fasthttp.RequestCtx) *wire.Error {
	body, err := g.body(ctx)
	if err != nil {
		ctx.SetConnectionClose()
		return err
	}
	ctx.Request.SetBody(body)
	return nil
}

// Call carries out a method of the table as the visitor, with the limits that
// hold for POST /api/<method>. The result is a value of the method's result
// type. session.login with cookie sets the cookie, session.logout takes it
// away.
func (g *Gate) Call(ctx *fasthttp.RequestCtx, v Visitor, method string, params any) (any, *wire.Error) {
	spec, known := g.specs[method]
	if !known || spec.Socket {
		return nil, wire.Refusef(wire.MethodNotFound, "there is no method %.60q", "没有方法 %.60q", method)
	}
	raw, fault := json.Marshal(params)
	if fault != nil {
		return nil, wire.Refuse(wire.InvalidParams, "the parameters cannot be written as JSON", "参数无法写成 JSON")
	}
	if g.draining.Load() {
		return nil, stopping()
	}
	if !v.Actor.Operator {
		if err := g.allow(spec, v.Actor.User, v.Address); err != nil {
			return nil, err
		}
	}
	call := &chat.Call{Actor: v.Actor, Lang: v.Lang, Trace: v.Trace, Address: addressText(v.Address), Now: g.now()}
	result, err := g.carryOut(call, method, raw)
	if err != nil {
		return nil, err
	}
	if login, ok := result.(*chat.LoggedIn); ok {
		if login.Cookie && v.kind != Unix {
			setCookie(ctx, v.kind, login.Session.Token, login.MaxAge)
			login.Session.Token = ""
		}
		result = login.Session
	}
	if method == "session.logout" {
		setCookie(ctx, v.kind, "", 0)
	}
	return result, nil
}

// Still reports whether a visitor's login holds, and the role it has now. The
// operator's always does.
func (g *Gate) Still(v Visitor) (chat.Actor, bool) {
	if v.Actor.Operator {
		return v.Actor, true
	}
	return g.service.StillValid(v.Actor)
}

// ServeApart is Serve for a listener that serves the mounts that are Apart and
// the files they are made of, and nothing else.
func (g *Gate) ServeApart(ln net.Listener, kind ListenerKind) error { return g.serve(ln, kind, true) }
