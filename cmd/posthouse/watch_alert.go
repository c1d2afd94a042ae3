package main

import (
	"context"
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/admin"
	"posthouse/appliance/gate"
	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/rule"
	texts "posthouse/sysmon/words"
)

// alertOptions adds alerting to the console.
func (s *server) alertOptions(o *admin.Options) {
	o.Alerts.Manager = s.watch.Alerts
	o.Alerts.Changes = s.alertChanges.Load
	o.Alerts.Waiting = s.waiting
	o.Alerts.Did = s.didToAlerts
}

// waiting are the alerts that are pending, and the rules that cannot say.
func (s *server) waiting(context.Context) []admin.Waiting {
	var out []admin.Waiting
	for _, r := range s.watch.Rules.Rules() {
		if r.State == rule.NoData || r.State == rule.Failed {
			state := map[rule.State]string{rule.NoData: admin.NoData, rule.Failed: admin.Errs}[r.State]
			out = append(out, admin.Waiting{State: state, Name: r.Spec.Name(), Severity: r.Severity(), Summary: r.Reason, Since: r.Since})
		}
		for _, a := range r.Alerts {
			if a.State == rule.Pending {
				out = append(out, admin.Waiting{State: admin.Pending, Name: a.Labels["alertname"], Severity: a.Labels["severity"], Host: a.Labels["instance"], Value: a.Annotations["value"],
					Summary: texts.Of(a.Annotations["summary"], a.Annotations["summary_zh"]), Since: a.ActiveAt})
			}
		}
	}
	return out
}

// didToAlerts notes what somebody did to alerts in the audit.
func (s *server) didToAlerts(r *admin.Request, action, object, detail string) {
	e := wire.AuditEntry{Actor: r.User, Name: r.Name, Role: string(r.Role), Address: r.Address.String(), Action: action, Object: object, Detail: detail, Outcome: "done"}
	if r.Operator {
		e.Name, e.Role, e.Address = "operator", "operator", "local"
	}
	if err := s.chat.Audit(r.Context(), e); err != nil {
		s.log.Error("an act is not in the audit", "action", action, "error", err)
	}
	if action == "alert.ack" {
		what := object
		if x, found, err := s.watch.Alerts.One(r.Context(), object); err == nil && found {
			what = x.Name()
		}
		s.room.Tended(r.Context(), e.Name, what)
	}
}

// foreignMount takes alerts in Alertmanager's terms, from a Prometheus or an
// Alertmanager that has the token of the figures. An address that may read
// figures may not therefore raise alarms.
func (s *server) foreignMount() gate.Mount {
	door := &metricsDoor{dataDir: s.cfg.Server.DataDir}
	return gate.Mount{Prefix: "/api/v2/alerts", Knows: door.lets, Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string {
		const pattern = "/api/v2/alerts"
		ctx.Response.Header.SetContentType("text/plain; charset=utf-8")
		switch {
		case !v.Actor.Operator && !v.Known:
			ctx.Response.Header.Set("WWW-Authenticate", `Bearer realm="alerts"`)
			ctx.Error("send the token that posthouse metrics token prints\n", fasthttp.StatusUnauthorized)
		case s.watch == nil:
			ctx.Error("this server does not watch itself\n", fasthttp.StatusServiceUnavailable)
		case !ctx.IsPost():
			ctx.Error("POST alerts here\n", fasthttp.StatusMethodNotAllowed)
		default:
			list, err := alert.Foreign(ctx.PostBody())
			if err != nil {
				ctx.Error(err.Error()+"\n", fasthttp.StatusBadRequest)
				return pattern
			}
			taken, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			var some *alert.NotTaken
			switch err := s.watch.Take(taken, list); {
			case errors.As(err, &some):
				ctx.Error(err.Error()+"\n", fasthttp.StatusBadRequest)
			case err != nil: // the disk's; a Prometheus tries again after a 5xx
				s.log.Error("alerts from elsewhere were not taken", "error", err)
				ctx.Error("the alerts could not be written, see the log\n", fasthttp.StatusServiceUnavailable)
			}
		}
		return pattern
	}}
}
