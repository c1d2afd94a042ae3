package main

import (
	"context"
	"net/url"
	"runtime"
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
		ctx.Response.Header.SetContentType("application/json")
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		ctx.SetBodyString(`{"status":"error","errorType":"unavailable","error":"this server does not watch itself"}`)
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
	ctx.Response.Header.SetContentType(kind)
	ctx.SetStatusCode(status)
	ctx.SetBody(body)
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
