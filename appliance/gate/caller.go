package gate

import (
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// credential is how a request says who it is.
type credential int

const (
	noCredential credential = iota
	operatorSocket
	bearer
	cookie
)

// cookieName is the cookie's name. __Host- makes browsers refuse it from other
// hosts, other paths and without encryption.
func cookieName(kind ListenerKind) string {
	if kind == TLS {
		return "__Host-posthouse"
	}
	return "posthouse"
}

// setCookie puts a device token into a cookie that scripts cannot read; an
// empty token takes the cookie away.
func setCookie(ctx *fasthttp.RequestCtx, kind ListenerKind, token string, age time.Duration) {
	c := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(c)
	c.SetKey(cookieName(kind))
	c.SetValue(token)
	c.SetPath("/")
	c.SetHTTPOnly(true)
	c.SetSecure(kind == TLS)
	c.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	switch {
	case token == "":
		c.SetExpire(fasthttp.CookieExpireDelete)
	case age > 0:
		c.SetMaxAge(int(age.Seconds()))
	}
	ctx.Response.Header.SetCookie(c)
}

// origin is what browsers call a page of this server, in their Origin header.
func origin(ctx *fasthttp.RequestCtx, kind ListenerKind) string {
	scheme := "http://"
	if kind == TLS {
		scheme = "https://"
	}
	return scheme + strings.ToLower(string(ctx.Request.Header.Host()))
}

// sameOrigin reports whether a browser sent the request for a page of this
// server. Without Origin the browser has to say so in Sec-Fetch-Site.
func sameOrigin(ctx *fasthttp.RequestCtx, kind ListenerKind) bool {
	h := &ctx.Request.Header
	if from := h.Peek("Origin"); len(from) > 0 {
		return string(from) == origin(ctx, kind)
	}
	site := string(h.Peek("Sec-Fetch-Site"))
	return site == "same-origin" || site == "none"
}

// token finds the device token of a request. A Bearer header goes before the
// cookie. There is no other place: in an address it would end up in logs.
func token(ctx *fasthttp.RequestCtx, kind ListenerKind) (string, credential) {
	h := &ctx.Request.Header
	if scheme, value, found := strings.Cut(string(h.Peek("Authorization")), " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), bearer
	}
	if c := h.Cookie(cookieName(kind)); len(c) > 0 {
		return string(c), cookie
	}
	return "", noCredential
}

// caller finds out who sends a request. Nobody is no error. A cookie counts
// only where the request comes from a page of this server, or changes nothing
// (browsers send no Origin with a GET of their own).
func (g *Gate) caller(ctx *fasthttp.RequestCtx, kind ListenerKind) (chat.Actor, credential, *wire.Error) {
	if kind == Unix {
		return chat.Actor{Operator: true}, operatorSocket, nil
	}
	secret, how := token(ctx, kind)
	if how == noCredential {
		return chat.Actor{}, how, nil
	}
	if how == cookie && !reading(ctx) && !sameOrigin(ctx, kind) {
		return chat.Actor{}, how, wire.Refuse(wire.Forbidden,
			"a request with a cookie must come from a page of this server", "带 cookie 的请求必须来自本服务器的页面")
	}
	actor, err := g.service.Authenticate(secret, g.now())
	if err == nil {
		return actor, how, nil
	}
	if wait := g.limiter.take(addressKey(g.clientAddress(ctx), forPublic), g.limit().Public, g.ticks()); wait > 0 {
		return chat.Actor{}, how, tooOften(wait)
	}
	return chat.Actor{}, how, err
}

func notLoggedIn() *wire.Error {
	return wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
}

// identified calls a handler with a caller who is logged in.
func (g *Gate) identified(ctx *fasthttp.RequestCtx, kind ListenerKind, endpoint string, handle func(*fasthttp.RequestCtx, chat.Actor)) {
	actor, _, err := g.caller(ctx, kind)
	if err == nil && actor.User == 0 && !actor.Operator {
		err = notLoggedIn()
	}
	if err != nil {
		g.refuse(ctx, err)
		return
	}
	running := g.o.Operations.Begin(meter.KindTransfer, string(ctx.Method())+" "+endpoint, userText(actor), string(ctx.Response.Header.Peek(traceHeader)), cutter(ctx))
	defer running.End()
	handle(ctx, actor)
}

// cutter closes the connection of a request, which is how a transfer is
// cancelled.
func cutter(ctx *fasthttp.RequestCtx) func() {
	p := peerOf(ctx.Conn())
	if p == nil {
		return nil
	}
	return p.kill
}
