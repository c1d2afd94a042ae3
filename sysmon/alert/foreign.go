package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Bounds of what foreign senders may send.
const (
	MaxForeign      = 4 << 20 // bytes of one request
	maxForeignCount = 10_000
	maxLabels       = 64
	maxLabelName    = 256
	maxLabelValue   = 4096
	maxAnnotation   = 16 << 10
	maxSource       = 16 << 10 // a longer one is left out
)

// foreignAlert is one of Alertmanager's API v2, and of its webhook.
type foreignAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Status       json.RawMessage   `json:"status"` // a word in a webhook, an object in the API
}

// Foreign reads a request in Alertmanager's terms: the list of POST
// /api/v2/alerts, as a Prometheus sends it, or the body of an Alertmanager's
// webhook. Its error says what is wrong; what each alert holds is checked by
// Receive, which takes the good ones.
func Foreign(body []byte) ([]Incoming, error) {
	if len(body) > MaxForeign {
		return nil, fmt.Errorf("more than %d bytes", MaxForeign)
	}
	var list []foreignAlert
	body = bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(body, []byte("[")):
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fmt.Errorf("not a list of alerts: %w", err)
		}
	case bytes.HasPrefix(body, []byte("{")):
		var w struct {
			Alerts []foreignAlert `json:"alerts"`
		}
		if err := json.Unmarshal(body, &w); err != nil {
			return nil, fmt.Errorf("not an Alertmanager's webhook: %w", err)
		}
		list = w.Alerts
	default:
		return nil, errors.New("neither a list of alerts nor an Alertmanager's webhook")
	}
	if len(list) > maxForeignCount {
		return nil, fmt.Errorf("more than %d alerts", maxForeignCount)
	}
	out := make([]Incoming, 0, len(list))
	for _, a := range list {
		in := Incoming{Labels: a.Labels, Annotations: a.Annotations, Start: a.StartsAt, End: a.EndsAt, Source: a.GeneratorURL}
		if string(a.Status) == `"firing"` {
			// An Alertmanager repeats after hours: believe it until it says otherwise.
			in.End = time.Now().Add(maxBelief)
		}
		for k, v := range in.Labels {
			if v == "" {
				delete(in.Labels, k)
			}
		}
		out = append(out, in)
	}
	return out, nil
}

func (in *Incoming) check() error {
	switch {
	case in.Labels["alertname"] == "":
		return errors.New("an alert without the label alertname")
	case len(in.Labels) > maxLabels || len(in.Annotations) > maxLabels:
		return fmt.Errorf("an alert with more than %d labels or annotations", maxLabels)
	}
	for k, v := range in.Labels {
		if !name(k) || len(v) > maxLabelValue || !utf8.ValidString(v) {
			return fmt.Errorf("the label %.40q is no label, or too long", k)
		}
	}
	for k, v := range in.Annotations {
		if !name(k) || len(v) > maxAnnotation || !utf8.ValidString(v) {
			return fmt.Errorf("the annotation %.40q is none, or too long", k)
		}
	}
	return nil
}

// name is a label name of the classic form.
func name(s string) bool {
	if s == "" || len(s) > maxLabelName {
		return false
	}
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}
