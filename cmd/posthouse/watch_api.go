package main

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/gate"
	"posthouse/sysmon"
	"posthouse/sysmon/query"
)

// apiMounts answer the query API of Prometheus below /api/v1 and /federate on
// every listener, for those who may read the figures. The samples themselves
// have no other door. Who sends the token, or comes from an address in
// watch.metrics_networks, may ask 300 times at once and 50 times a second (a
// dashboard of Grafana asks 30 at once); who guesses has the limit of strangers.
func (s *server) apiMounts() []gate.Mount {
	door := &metricsDoor{dataDir: s.cfg.Server.DataDir, networks: s.cfg.Watch.Metrics()}
	return []gate.Mount{
		{Prefix: "/api/v1", Reads: true, Knows: door.lets, Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string {
			s.answerFigures(ctx, v, func(a *query.API, c context.Context, path string, form url.Values) (int, string, []byte) {
				return a.Serve(c, path, form)
			})
			return "/api/v1"
		}},
		{Prefix: "/federate", Reads: true, Knows: door.lets, Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string {
			s.answerFigures(ctx, v, func(a *query.API, c context.Context, _ string, form url.Values) (int, string, []byte) {
				return a.Federate(c, form["match[]"])
			})
			return "/federate"
		}},
	}
}

// answerFigures lets the API answer, once the door is open.
func (s *server) answerFigures(ctx *fasthttp.RequestCtx, v gate.Visitor,
	answer func(a *query.API, c context.Context, path string, form url.Values) (int, string, []byte)) {
	if !readsFigures(ctx, v) {
		return
	}
	if s.watch == nil {
		refuseFigures(ctx, fasthttp.StatusServiceUnavailable, "unavailable", "this server does not watch itself")
		return
	}
	if !ctx.IsGet() && !ctx.IsPost() && !ctx.IsHead() {
		ctx.Response.Header.Set("Allow", "GET, HEAD, POST")
		refuseFigures(ctx, fasthttp.StatusMethodNotAllowed, "bad_data", "method not allowed: ask with GET or POST")
		return
	}
	form := url.Values{}
	for key, value := range ctx.QueryArgs().All() {
		form.Add(string(key), string(value))
	}
	for key, value := range ctx.PostArgs().All() {
		form.Add(string(key), string(value))
	}
	path := string(ctx.Path())
	// The engine has its own limit of time; a request that is used again after
	// its end must not be asked whether it has ended.
	status, kind, body := answer(apiOver(s.watch, s.cfg.Server.HostName, s.cfg.Watch.Interval), context.Background(), path, form)
	stream, ok := s.figuresSent.take(body)
	if !ok {
		refuseFigures(ctx, fasthttp.StatusServiceUnavailable, "unavailable", "too many large answers are being read: try again, or ask for less at once")
		return
	}
	ctx.Response.Header.SetContentType(kind)
	ctx.SetStatusCode(status)
	ctx.SetBodyStream(stream, len(body))
}

// refuseFigures is a refusal in the words of the API; text needs no escapes.
func refuseFigures(ctx *fasthttp.RequestCtx, status int, kind, text string) {
	ctx.Response.Header.SetContentType("application/json")
	ctx.SetStatusCode(status)
	ctx.SetBodyString(`{"status":"error","errorType":"` + kind + `","error":"` + text + `"}`)
}

// mostSending is how many bytes of answers may wait for their readers: one of a
// million samples has 30 MB, and a slow reader takes long.
const mostSending = 128 << 20

// smallAnswer is what is never too much.
const smallAnswer = 64 << 10

// sending counts the bytes of answers that are being read.
type sending struct{ bytes atomic.Int64 }

// take makes a body of an answer that is counted until it is closed; false when
// it would be too much.
func (s *sending) take(body []byte) (io.ReadCloser, bool) {
	n := int64(len(body))
	if all := s.bytes.Add(n); all > mostSending && n > smallAnswer {
		s.bytes.Add(-n)
		return nil, false
	}
	return &counted{Reader: bytes.NewReader(body), done: sync.OnceFunc(func() { s.bytes.Add(-n) })}, true
}

// counted is a body that tells when it is not needed any more.
type counted struct {
	*bytes.Reader
	done func()
}

// Close implements io.Closer.
func (c *counted) Close() error {
	c.done()
	return nil
}

// apiOver is the API over what watches.
func apiOver(w *sysmon.Watch, instance string, every time.Duration) *query.API {
	return w.Query.API(query.Deps{Version: version(), GoVersion: runtime.Version(), Groups: w.Rules.Groups, Metadata: w.Store.Metadata,
		Targets: func() []query.Target {
			var out []query.Target
			for _, st := range w.Scraper.Status() {
				out = append(out, query.Target{Job: st.Job, Instance: instance, URL: "in-process:" + st.Job, Interval: every, Last: st.At, Took: st.Took, Err: st.Err})
			}
			return out
		}})
}
