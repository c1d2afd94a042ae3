package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/gate"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon"
	"posthouse/sysmon/health"
	"posthouse/sysmon/runbook"
	"posthouse/sysmon/scrape"
)

// openWatch starts what watches the box, before anybody is served. The chat
// does not depend on it: when it cannot start, the log says why, and the
// console has no figures.
func (s *server) openWatch(log *slog.Logger) {
	c := s.cfg.Watch
	if !c.Enabled {
		return
	}
	tries, err := s.probeOptions()
	if err != nil {
		log.Error("the virtual users cannot trust the own certificate", "error", err)
	}
	if !c.VirtualUsers {
		tries.Chat, tries.Shipped = nil, tries.Shipped[min(1, len(tries.Shipped)):]
	}
	day := 24 * time.Hour
	s.room = newOperators(s.box, func(_ context.Context, fingerprint, who string) error { return s.watch.Alerts.Ack(fingerprint, who) })
	w, err := sysmon.Open(sysmon.Options{Probe: tries,
		Dir: filepath.Join(s.cfg.Server.DataDir, watchDir), DataDir: s.cfg.Server.DataDir, Version: version(),
		HostName: s.cfg.Server.HostName, ExternalURL: s.externalURL(), LinkMbit: c.LinkMbit,
		Interval: c.Interval, Raw: time.Duration(c.RawDays) * day, Rollup: time.Duration(c.RollupDays) * day, MaxSeries: c.MaxSeries,
		RemoteURL: c.RemoteWriteURL, RemoteToken: c.RemoteWriteFile,
		Sources:  []scrape.Target{{Job: "posthouse", Source: s.writeMetrics}},
		Families: familiesOf(s.figures.meter),
		Changed:  func() { s.alertChanges.Add(1) },
		Events:   s.events, Audit: s.auditAct, Log: log,
		Post: s.room.PostIn, FirstChannel: s.firstChannel(), Operators: s.room.Post, Collectors: s.collectors(), Deeds: s.deeds(), Checks: s.routine(),
	})
	if err == nil {
		s.watch = w // the loops ask for it
		err = w.Start()
	}
	if err != nil {
		log.Error("the server runs without watching itself", "error", err)
		if s.watch = nil; w != nil {
			_ = w.Close() // the first error is the one to tell
		}
	}
}

// writeMetrics is what the parts of the chat say of themselves, under all of
// their names.
func (s *server) writeMetrics(w io.Writer) { s.figures.meter.WriteAll(w) }

// externalURL is where people open the server, for links in notices.
func (s *server) externalURL() string {
	u, err := url.Parse(baseURL(s.cfg))
	if err != nil {
		return ""
	}
	u.Path = ""
	return u.String()
}

// metricsMount answers /metrics on every listener, for those who may read the
// figures.
func (s *server) metricsMount() gate.Mount {
	door := &metricsDoor{dataDir: s.cfg.Server.DataDir, networks: s.cfg.Watch.Metrics()}
	return gate.Mount{Prefix: "/metrics", Knows: door.lets, Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string {
		if !readsFigures(ctx, v) {
			return "/metrics"
		}
		text := s.metricsText(string(ctx.Path()) == metricsAll)
		ctx.Response.Header.SetContentType("text/plain; version=0.0.4; charset=utf-8")
		ctx.Response.SetBody(text)
		return "/metrics"
	}}
}

// metricsAll has every figure under every name: what a Prometheus should
// scrape. /metrics has what Prometheus' linter (promtool check metrics) has
// nothing to say about. It objects to the capital letters in a dozen of
// node_exporter's own names (node_memory_MemAvailable_bytes and its kin,
// node_netstat_Tcp_…) and to session_duration_sec; under other names the
// dashboards and rules that people own would not find them, so /metrics leaves
// them out and says so in its first line.
const metricsAll = "/metrics/all"

// metricsText is what the server tells a scraper: all, or what passes the linter.
func (s *server) metricsText(all bool) []byte {
	var b, watch bytes.Buffer
	if s.watch != nil {
		s.watch.Write(&watch)
	}
	if all {
		s.writeMetrics(&b)
		b.Write(watch.Bytes())
		return b.Bytes()
	}
	b.WriteString("# Names that promtool check metrics objects to are at " + metricsAll + " alone: node_exporter's with capital letters, session_duration_sec.\n")
	s.figures.meter.WritePrometheus(&b)
	b.Write(withoutCapitals(watch.Bytes()))
	return b.Bytes()
}

// withoutCapitals leaves out the families whose names have capital letters.
func withoutCapitals(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for line := range bytes.Lines(text) {
		name := bytes.TrimPrefix(bytes.TrimPrefix(line, []byte("# HELP ")), []byte("# TYPE "))
		if end := bytes.IndexAny(name, "{ "); end >= 0 {
			name = name[:end]
		}
		if bytes.Equal(name, bytes.ToLower(name)) {
			out = append(out, line...)
		}
	}
	return out
}

// readsFigures lets a reader of figures in, or refuses: a program that the mount's
// metricsDoor lets in, with a limit of its own; those who see the console, with
// their login; the command line through the socket.
func readsFigures(ctx *fasthttp.RequestCtx, v gate.Visitor) bool {
	if v.Known || v.Actor.Operator || v.LoggedIn && (v.Actor.Role == wire.Auditor || v.Actor.Role == wire.Admin || v.Actor.Role == wire.Owner) {
		return true
	}
	ctx.Response.Header.Set("WWW-Authenticate", `Bearer realm="metrics"`)
	ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
	ctx.SetStatusCode(fasthttp.StatusUnauthorized)
	say := "The figures are for the addresses in watch.metrics_networks, and for whoever sends the token that posthouse metrics token prints.\n"
	if v.Lang == "zh" {
		say = "仅 watch.metrics_networks 中的地址，或携带 posthouse metrics token 所示令牌的请求可以读取数据。\n"
	}
	ctx.SetBodyString(say)
	return false
}

// auditAct notes what was done from a runbook.
func (s *server) auditAct(ctx context.Context, e runbook.AuditEntry) {
	entry := wire.AuditEntry{Name: e.Who.Name, Role: e.Who.Role, Address: e.Who.Address, Action: e.Action, Object: e.Object, Detail: e.Detail, Outcome: e.Outcome}
	if actor, err := id.Parse(e.Who.ID); err == nil {
		entry.Actor = actor
	}
	if err := s.chat.Audit(ctx, entry); err != nil {
		s.log.Error("an act is not in the audit", "action", e.Action, "error", err)
	}
}

// eventPages bounds how far back events are read for one question.
const eventPages = 5

// events are what happened to the box between two times, as the audit has it.
func (s *server) events(_ context.Context, from, to time.Time) []health.Event {
	var out []health.Event
	p := wire.AuditListParams{From: from.UnixMilli(), To: to.UnixMilli()}
	for range eventPages {
		list, err := s.state.Audits(p)
		if err != nil {
			s.log.Warn("what changed cannot be read", "error", err)
			break
		}
		for _, e := range list.Entries {
			if ev, ok := eventOf(e); ok {
				out = append(out, ev)
			}
		}
		if p.Before = list.Next; p.Before == 0 {
			break
		}
	}
	return out
}
