package gate

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
)

// reply answers with a JSON body.
func (g *Gate) reply(ctx *fasthttp.RequestCtx, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		g.log.Error("encode answer", keyError, err)
		status, body = fasthttp.StatusInternalServerError, []byte(`{"code":-32603,"message":"internal error","data":{"kind":"internal"}}`)
	}
	ctx.SetStatusCode(status)
	ctx.Response.Header.SetContentType(jsonType)
	ctx.Response.SetBody(body)
}

// health is the body of /health/ready and /health/live.
type health struct {
	Status string `json:"status"` // ok, read_only or draining
	Reason string `json:"reason,omitempty"`
}

// serveHealth answers probes: live while the process runs, ready while it takes
// messages.
func (g *Gate) serveHealth(ctx *fasthttp.RequestCtx, ready bool) {
	if !reading(ctx) {
		g.notAllowed(ctx, "GET, HEAD")
		return
	}
	switch err := g.service.ReadOnly(); {
	case !ready:
	case g.draining.Load():
		g.reply(ctx, fasthttp.StatusServiceUnavailable, health{"draining", "the server stops"})
		return
	case err != nil:
		g.reply(ctx, fasthttp.StatusServiceUnavailable, health{"read_only", err.Error()})
		return
	}
	g.reply(ctx, fasthttp.StatusOK, health{Status: "ok"})
}

func (g *Gate) serveMetrics(ctx *fasthttp.RequestCtx) {
	if !reading(ctx) {
		g.notAllowed(ctx, "GET, HEAD")
		return
	}
	var b bytes.Buffer
	g.WriteMetrics(&b)
	ctx.Response.Header.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	ctx.Response.SetBody(b.Bytes())
}

// serveStatic gives out the web client and the reference.
func (g *Gate) serveStatic(ctx *fasthttp.RequestCtx, path string) {
	missing := wire.Refuse(wire.NotFound, "nothing is here", "此处没有内容")
	if !reading(ctx) {
		if len(path) > 5 && path[:5] == "/api/" {
			g.notAllowed(ctx, "POST")
			return
		}
		g.notAllowed(ctx, "GET, HEAD")
		return
	}
	if g.o.Static == nil {
		g.refuse(ctx, missing)
		return
	}
	h := &ctx.Request.Header
	file, ok := g.o.Static(path, string(h.Peek("Accept-Language")), string(h.Peek("Accept-Encoding")))
	if !ok {
		g.refuse(ctx, missing)
		if g.o.Missing != nil && strings.Contains(string(h.Peek("Accept")), "text/html") {
			ctx.SetContentType("text/html; charset=utf-8")
			ctx.Response.SetBodyRaw(g.o.Missing(string(h.Peek("Accept-Language"))))
		}
		return
	}
	out := &ctx.Response.Header
	out.Set("Vary", "Accept-Encoding, Accept-Language")
	pick(&file.CacheControl, "no-cache")
	out.Set("Cache-Control", file.CacheControl)
	for name, value := range map[string]string{"ETag": file.ETag, "Content-Encoding": file.Encoding, "Content-Language": file.Language,
		"Content-Security-Policy": file.Policy} {
		if value != "" {
			out.Set(name, value)
		}
	}
	if file.ETag != "" && string(h.Peek("If-None-Match")) == file.ETag {
		ctx.SetStatusCode(fasthttp.StatusNotModified)
		return
	}
	out.SetContentType(file.Type)
	ctx.Response.SetBodyRaw(file.Body)
}

func reading(ctx *fasthttp.RequestCtx) bool { return ctx.IsGet() || ctx.IsHead() }

func (g *Gate) notAllowed(ctx *fasthttp.RequestCtx, allow string) {
	g.refuse(ctx, wire.Refuse(wire.InvalidRequest, "not with this HTTP method; use "+allow, "不支持该 HTTP 方法，请使用 "+allow))
	ctx.Response.Header.Set("Allow", allow)
	ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
}
