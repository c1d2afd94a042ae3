package gate

import (
	"context"
	"strings"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/hook"
	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// The paths of incoming hooks: our own, and the one of DingTalk's robots.
const (
	hookPath     = "/hooks/"
	dingTalkPath = "/robot/send"
)

const maxHookToken = 128 // bytes

func isHook(path string) bool { return strings.HasPrefix(path, hookPath) || path == dingTalkPath }

// serveHook is POST /hooks/<token> and POST /robot/send?access_token=<token>.
// The token is the only credential: no cookie is read, nothing is said to pages
// of other sites (no CORS), and the path is not logged. Requests are counted
// against their address, and again against the hook.
func (g *Gate) serveHook(ctx *fasthttp.RequestCtx, path string) {
	from := g.clientAddress(ctx)
	p := &chat.Posted{DingTalk: path == dingTalkPath, Address: addressText(from), Lang: language(&ctx.Request.Header),
		Trace: string(ctx.Response.Header.Peek(traceHeader)), Now: g.now()}
	if p.DingTalk {
		p.Token = string(ctx.QueryArgs().Peek("access_token"))
	} else {
		p.Token = strings.TrimSuffix(path[len(hookPath):], "/")
	}
	p.Request = hook.Request{
		Type:   string(ctx.Request.Header.ContentType()),
		Header: func(name string) string { return string(ctx.Request.Header.Peek(name)) },
		Query:  func(name string) string { return string(ctx.QueryArgs().Peek(name)) },
	}
	answer, refusal := g.takeHook(ctx, p)
	if refusal != nil {
		answer = p.Refused(refusal)
		if refusal.RetryAfter > 0 {
			ctx.Response.Header.Set("Retry-After", retryAfter(refusal))
		}
	}
	ctx.SetStatusCode(answer.Status)
	ctx.SetContentType(answer.Type)
	ctx.SetBodyString(answer.Body)
}

// takeHook counts the request, reads its body and posts it. The request's
// context is not used after it has returned.
func (g *Gate) takeHook(ctx *fasthttp.RequestCtx, p *chat.Posted) (chat.PostAnswer, *wire.Error) {
	from, now, limits := g.clientAddress(ctx), g.ticks(), g.limits.Load()
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		e := wire.Refuse(wire.InvalidRequest, "this address takes POST", "此地址仅接受 POST")
		a := p.Refused(e)
		a.Status = fasthttp.StatusMethodNotAllowed
		return a, nil
	}
	if g.draining.Load() {
		return chat.PostAnswer{}, stopping()
	}
	if wait := g.limiter.take(addressKey(from, forHooks), limits.HooksFrom, now); wait > 0 {
		g.meters.limited.Inc()
		return chat.PostAnswer{}, tooOften(wait)
	}
	known, ok := g.service.KnowsHook(p.Token)
	if len(p.Token) > maxHookToken {
		ok = false
	}
	what, limit, k := forHooks, limits.Hook, accountKey(known, forHooks)
	if !ok { // guessing costs what calls without a login cost
		what, limit = forPublic, limits.Public
		k = addressKey(from, what)
	}
	if wait := g.limiter.take(k, limit, now); wait > 0 {
		g.meters.limited.Inc()
		return chat.PostAnswer{}, tooOften(wait)
	}
	body, err := g.body(ctx)
	if err != nil {
		return chat.PostAnswer{}, err
	}
	p.Body = body
	within, cancel := context.WithTimeout(g.ctx, limits.CallTimeout)
	defer cancel()
	running := g.o.Operations.Begin(meter.KindHTTP, "POST /hooks", known.String(), p.Trace, cancel)
	a := g.service.Post(within, p)
	running.End()
	if a.Unknown {
		g.log.Info("hook unknown", keyAddress, p.Address, keyTrace, p.Trace)
	}
	return a, nil
}
