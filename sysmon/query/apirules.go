package query

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// The documents of /api/v1/rules and /api/v1/alerts; fields and their order
// are those of Prometheus.
type (
	groupsDoc struct {
		Groups []groupDoc `json:"groups"`
	}
	groupDoc struct {
		Name           string    `json:"name"`
		File           string    `json:"file"`
		Rules          []any     `json:"rules"`
		Interval       float64   `json:"interval"`
		Limit          int       `json:"limit"`
		EvaluationTime float64   `json:"evaluationTime"`
		LastEvaluation time.Time `json:"lastEvaluation"`
	}
	alertingDoc struct {
		State          string        `json:"state"`
		Name           string        `json:"name"`
		Query          string        `json:"query"`
		Duration       float64       `json:"duration"`
		KeepFiringFor  float64       `json:"keepFiringFor"`
		Labels         labels.Labels `json:"labels"`
		Annotations    labels.Labels `json:"annotations"`
		Alerts         []alertDoc    `json:"alerts"`
		Health         string        `json:"health"`
		LastError      string        `json:"lastError,omitempty"`
		EvaluationTime float64       `json:"evaluationTime"`
		LastEvaluation time.Time     `json:"lastEvaluation"`
		Type           string        `json:"type"`
	}
	recordingDoc struct {
		Name           string         `json:"name"`
		Query          string         `json:"query"`
		Labels         *labels.Labels `json:"labels,omitempty"`
		Health         string         `json:"health"`
		LastError      string         `json:"lastError,omitempty"`
		EvaluationTime float64        `json:"evaluationTime"`
		LastEvaluation time.Time      `json:"lastEvaluation"`
		Type           string         `json:"type"`
	}
	alertsDoc struct {
		Alerts []alertDoc `json:"alerts"`
	}
	alertDoc struct {
		Labels          labels.Labels `json:"labels"`
		Annotations     labels.Labels `json:"annotations"`
		State           string        `json:"state"`
		ActiveAt        *time.Time    `json:"activeAt,omitempty"`
		KeepFiringSince *time.Time    `json:"keepFiringSince,omitempty"`
		Value           string        `json:"value"`
	}
)

func (a *API) rules(form url.Values) (answer, error) {
	kind := strings.ToLower(form.Get("type"))
	if kind != "" && kind != "alert" && kind != "record" {
		return answer{}, refuse(BadData, nil, `invalid parameter "type": not supported value "`+kind+`"`, "type 参数只能是 alert 或 record。")
	}
	without, err := strconv.ParseBool(form.Get("exclude_alerts"))
	if form.Get("exclude_alerts") != "" && err != nil {
		return answer{}, invalid("exclude_alerts", err)
	}
	out := groupsDoc{Groups: []groupDoc{}}
	for _, g := range a.d.Groups() {
		if !wanted(form["rule_group[]"], g.Name()) || !wanted(form["file[]"], g.File()) {
			continue
		}
		doc := groupDoc{Name: g.Name(), File: g.File(), Rules: []any{}, Interval: g.Interval().Seconds(), Limit: g.Limit(),
			EvaluationTime: g.GetEvaluationTime().Seconds(), LastEvaluation: g.GetLastEvaluation()}
		for _, r := range g.Rules() {
			if !wanted(form["rule_name[]"], r.Name()) {
				continue
			}
			if one := ruleDoc(r, kind, without); one != nil {
				doc.Rules = append(doc.Rules, one)
			}
		}
		if len(doc.Rules) > 0 {
			out.Groups = append(out.Groups, doc)
		}
	}
	raw, err := marshal(out)
	return answer{data: raw}, err
}

// wanted says whether a name is on a list; an empty list has every name.
func wanted(list []string, name string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return len(list) == 0
}

// ruleDoc is nil for a rule of another kind.
func ruleDoc(r rules.Rule, kind string, withoutAlerts bool) any {
	failure := ""
	if err := r.LastError(); err != nil {
		failure = err.Error()
	}
	switch r := r.(type) {
	case *rules.AlertingRule:
		if kind == "record" {
			return nil
		}
		var active []alertDoc
		if !withoutAlerts {
			active = alertDocs(r.ActiveAlerts())
		}
		return alertingDoc{State: r.State().String(), Name: r.Name(), Query: r.Query().String(), Duration: r.HoldDuration().Seconds(),
			KeepFiringFor: r.KeepFiringFor().Seconds(), Labels: r.Labels(), Annotations: r.Annotations(), Alerts: active,
			Health: string(r.Health()), LastError: failure, EvaluationTime: r.GetEvaluationDuration().Seconds(),
			LastEvaluation: r.GetEvaluationTimestamp(), Type: "alerting"}
	case *rules.RecordingRule:
		if kind == "alert" {
			return nil
		}
		doc := recordingDoc{Name: r.Name(), Query: r.Query().String(), Health: string(r.Health()), LastError: failure,
			EvaluationTime: r.GetEvaluationDuration().Seconds(), LastEvaluation: r.GetEvaluationTimestamp(), Type: "recording"}
		if l := r.Labels(); !l.IsEmpty() {
			doc.Labels = &l
		}
		return doc
	}
	return nil
}

func (a *API) alerts() (answer, error) {
	out := alertsDoc{Alerts: []alertDoc{}}
	for _, g := range a.d.Groups() {
		for _, r := range g.AlertingRules() {
			out.Alerts = append(out.Alerts, alertDocs(r.ActiveAlerts())...)
		}
	}
	raw, err := marshal(out)
	return answer{data: raw}, err
}

func alertDocs(active []*rules.Alert) []alertDoc {
	out := []alertDoc{}
	for _, al := range active {
		at := al.ActiveAt
		doc := alertDoc{Labels: al.Labels, Annotations: al.Annotations, State: al.State.String(), ActiveAt: &at,
			Value: strconv.FormatFloat(al.Value, 'e', -1, 64)}
		if since := al.KeepFiringSince; !since.IsZero() {
			doc.KeepFiringSince = &since
		}
		out = append(out, doc)
	}
	return out
}
