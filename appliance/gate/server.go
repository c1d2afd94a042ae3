package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
)

const (
	traceHeader    = "Posthouse-Trace"
	languageHeader = "Posthouse-Language"
	jsonType       = "application/json; charset=utf-8"

	contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
		"media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; font-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// server is fasthttp for one listener. KeepHijackedConns is vital: without it
// the connection of one person goes back to a pool while it is in use, and the
// next person gets it. StreamRequestBody keeps a declared length from being
// allocated before anything came.
func (g *Gate) server(kind ListenerKind, apart bool) *fasthttp.Server {
	l := g.limit()
	return &fasthttp.Server{
		Handler:                      g.handler(kind, apart),
		ErrorHandler:                 g.badRequest,
		HeaderReceived:               g.headerReceived,
		KeepHijackedConns:            true,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadTimeout:                  l.ReadTimeout,
		WriteTimeout:                 l.WriteTimeout,
		IdleTimeout:                  l.IdleTimeout,
		ReadBufferSize:               l.HeaderBytes,
		WriteBufferSize:              4 << 10,
		MaxRequestBodySize:           l.BodyBytes,
		MaxRequestsPerConn:           10_000,
		Concurrency:                  l.Connections,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		CloseOnShutdown:              true,
		Logger:                       quietLog{g.log},
	}
}

// quietLog puts what fasthttp says into the log as debug lines: it tells of
// clients' faults, not of ours.
type quietLog struct{ log *slog.Logger }

// Printf implements fasthttp.Logger.
func (q quietLog) Printf(format string, args ...any) { q.log.Debug(fmt.Sprintf(format, args...)) }

// headerReceived gives uploads a body limit and a time of their own.
func (g *Gate) headerReceived(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if !bytes.HasPrefix(h.RequestURI(), []byte("/api/uploads")) {
		return fasthttp.RequestConfig{}
	}
	size := h.ContentLength()
	if size < 0 || size > g.limit().UploadBytes {
		size = g.limit().UploadBytes
	}
	return fasthttp.RequestConfig{
		MaxRequestBodySize: g.limit().UploadBytes,
		ReadTimeout:        g.limit().ReadTimeout + time.Duration(size/g.limit().UploadFloor)*time.Second,
	}
}

// handler is the way of one HTTP request.
func (g *Gate) handler(kind ListenerKind, apart bool) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		start := time.Now()
		trace := newTrace()
		ctx.Response.Header.Set(traceHeader, trace)
		endpoint := "other"
		func() {
			defer func() {
				if p := recover(); p != nil {
					g.report("http "+string(ctx.Path()), p)
					ctx.Response.ResetBody()
					ctx.SetConnectionClose()
					g.refuse(ctx, wire.Refuse(wire.Internal, "a fault of the server", "服务器故障"))
				}
			}()
			if refusal, status := g.screen(ctx, kind); refusal != nil {
				ctx.SetConnectionClose()
				g.refuse(ctx, refusal)
				ctx.SetStatusCode(status)
				return
			}
			endpoint = g.route(ctx, kind, apart)
		}()
		g.secure(ctx, kind)
		if !ctx.Hijacked() && unread(ctx) {
			// What is left of the body would be taken for the next request.
			ctx.SetConnectionClose()
		}
		g.meters.request(string(ctx.Method()), endpoint, ctx.Response.StatusCode(), time.Since(start))
	}
}

// A connection that is closed while its client still sends is reset, and the
// answer may be lost with it. So the rest of a body is waited for, this much
// and this long.
const (
	lingerBytes = 4 << 20
	lingerTime  = 300 * time.Millisecond
)

// unread reports whether the request's body has not come to its end with what
// is in memory already. Then the connection must be closed; more is only read
// so that the client gets the answer.
func unread(ctx *fasthttp.RequestCtx) bool {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return false
	}
	if err := ctx.Conn().SetReadDeadline(time.Unix(1, 0)); err != nil {
		return true
	}
	if _, err := io.Copy(io.Discard, stream); err == nil {
		return false
	}
	if err := ctx.Conn().SetReadDeadline(time.Now().Add(lingerTime)); err == nil {
		_, _ = io.CopyN(io.Discard, stream, lingerBytes)
	}
	return true
}

// screen refuses what no handler must see.
func (g *Gate) screen(ctx *fasthttp.RequestCtx, kind ListenerKind) (*wire.Error, int) {
	h := &ctx.Request.Header
	switch string(ctx.Method()) {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		return wire.Refuse(wire.InvalidRequest, "this HTTP method is not served", "不支持该 HTTP 方法"), fasthttp.StatusMethodNotAllowed
	}
	// Two lengths are how requests are smuggled; fasthttp would believe one.
	if h.ContentLength() == -1 && hasHeader(h.RawHeaders(), "content-length") {
		return wire.Refuse(wire.InvalidRequest, "Content-Length and Transfer-Encoding together", "不能同时使用 Content-Length 与 Transfer-Encoding"), fasthttp.StatusBadRequest
	}
	if uri := h.RequestURI(); len(uri) == 0 || uri[0] != '/' {
		return wire.Refuse(wire.InvalidRequest, "the request target must begin with /", "请求目标必须以 / 开头"), fasthttp.StatusBadRequest
	}
	if !g.ourHost(ctx, kind) {
		return wire.Refuse(wire.InvalidRequest, "this server does not go by that name", "本服务器不使用该主机名"), fasthttp.StatusMisdirectedRequest
	}
	return nil, 0
}

// hasHeader looks for a field in raw headers.
func hasHeader(raw []byte, name string) bool {
	for line := range bytes.Lines(raw) {
		field, _, found := bytes.Cut(line, []byte{':'})
		if found && strings.EqualFold(string(bytes.TrimSpace(field)), name) {
			return true
		}
	}
	return false
}

// ourHost checks the Host header: loopback, the address the connection came in
// on, or a name that the operator gave the server.
func (g *Gate) ourHost(ctx *fasthttp.RequestCtx, kind ListenerKind) bool {
	if kind == Unix {
		return true
	}
	host := hostname(string(ctx.Request.Header.Host()))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		if ip.IsLoopback() || ip == addressOf(ctx.LocalAddr()).WithZone("") {
			return true
		}
	}
	return host == "localhost" || (host != "" && g.o.AllowedHosts != nil && g.o.AllowedHosts(host))
}

// hostname is a Host header without port, brackets and trailing dot, in lower
// case.
func hostname(host string) string {
	if strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host[1:], "]")
	} else if at := strings.LastIndexByte(host, ':'); at >= 0 {
		host = host[:at]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// route hands the request to its handler and names the endpoint for metrics.
func (g *Gate) route(ctx *fasthttp.RequestCtx, kind ListenerKind, apart bool) string {
	path := string(ctx.Path())
	if m := g.mounted(path, kind, apart); m != nil {
		return g.serveMount(ctx, kind, m)
	}
	if apart && !strings.HasPrefix(path, "/assets/") && path != "/favicon.ico" && !strings.HasPrefix(path, "/health/") {
		path = "/apart" // where nothing is
	}
	switch {
	case path == "/health/live" || path == "/health/ready":
		g.serveHealth(ctx, path == "/health/ready")
		return path
	case (path == "/health" || path == "/api/health") && !apart: // what foreign monitors ask first
		g.serveHealth(ctx, true)
		return "/health/ready"
	case path == "/metrics" && kind != TLS:
		g.serveMetrics(ctx)
		return path
	case path == "/api/ws":
		g.serveSocket(ctx, kind)
		return path
	case path == "/api/uploads" || strings.HasPrefix(path, "/api/uploads/"):
		g.identified(ctx, kind, "/api/uploads", g.serveUpload)
		return "/api/uploads"
	case strings.HasPrefix(path, "/files/"):
		g.identified(ctx, kind, "/files", g.serveDownload)
		return "/files"
	case isHook(path):
		g.serveHook(ctx, path)
		return "/hooks"
	case strings.HasPrefix(path, "/api/") && ctx.IsPost():
		return g.serveCall(ctx, kind, path[len("/api/"):])
	default:
		g.serveStatic(ctx, path)
		return "static"
	}
}

// secure sets the headers that every answer carries. A handler may have set a
// stricter policy of its own.
func (g *Gate) secure(ctx *fasthttp.RequestCtx, kind ListenerKind) {
	h := &ctx.Response.Header
	if len(h.Peek("Content-Security-Policy")) == 0 {
		h.Set("Content-Security-Policy", contentPolicy)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	if len(h.Peek("Referrer-Policy")) == 0 {
		h.Set("Referrer-Policy", "no-referrer")
	}
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if len(h.Peek("Cache-Control")) == 0 {
		h.Set("Cache-Control", "no-store")
	}
}

// badRequest answers what fasthttp could not read.
func (g *Gate) badRequest(ctx *fasthttp.RequestCtx, err error) {
	e, status := wire.Refuse(wire.InvalidRequest, "not a request this server reads", "无法读取该请求"), fasthttp.StatusBadRequest
	var small *fasthttp.ErrSmallBuffer
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &small):
		e, status = wire.Refusef(wire.TooLarge, "headers of more than %d bytes", "请求头超过 %d 字节", g.limit().HeaderBytes), fasthttp.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		e, status = wire.Refuse(wire.TooLarge, "the body is too large", "请求体过大"), fasthttp.StatusRequestEntityTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		e, status = wire.Refuse(wire.InvalidRequest, "the request did not come in time", "请求超时"), fasthttp.StatusRequestTimeout
	}
	ctx.Response.Header.Set(traceHeader, newTrace())
	g.refuse(ctx, e)
	ctx.SetStatusCode(status)
	g.secure(ctx, TLS)
	g.meters.request("BAD", "other", status, 0)
}

// refuse answers with an error in the reader's language. The status is that of
// the error's kind.
func (g *Gate) refuse(ctx *fasthttp.RequestCtx, e *wire.Error) {
	g.meters.errors.With(string(e.Kind)).Inc()
	trace := string(ctx.Response.Header.Peek(traceHeader))
	if e.RetryAfter > 0 {
		ctx.Response.Header.Set("Retry-After", retryAfter(e))
	}
	g.reply(ctx, e.Kind.Info().Status, e.Body(language(&ctx.Request.Header), trace))
}

// retryAfter is the value of Retry-After: whole seconds.
func retryAfter(e *wire.Error) string { return strconv.FormatInt((e.RetryAfter+999)/1000, 10) }

// language is zh or en, as the client asks for.
func language(h *fasthttp.RequestHeader) string {
	wanted := h.Peek(languageHeader)
	if len(wanted) == 0 {
		wanted = h.Peek("Accept-Language")
	}
	return tongue(string(wanted))
}

// tongue is the first of zh and en in a list of language tags; English if
// there is none.
func tongue(list string) string {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.ToLower(strings.TrimSpace(tag))
		switch {
		case strings.HasPrefix(tag, "zh"):
			return "zh"
		case strings.HasPrefix(tag, "en"):
			return "en"
		}
	}
	return "en"
}

// newTrace names one request or frame: 64 random bits in hex.
func newTrace() string {
	const digits = "0123456789abcdef"
	var b [16]byte
	v := rand.Uint64()
	for i := range b {
		b[i] = digits[v&15]
		v >>= 4
	}
	return string(b[:])
}
