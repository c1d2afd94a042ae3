package notify

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pagerduty sends one event an alert, so that each can be acknowledged alone.
func (s *Sender) pagerduty(ctx context.Context, c *Channel, m *Message) (string, error) {
	var answers []string
	for i := range m.Items {
		answer, err := s.pagerdutyEvent(ctx, c, m, &m.Items[i])
		answers = append(answers, answer)
		if err != nil {
			return strings.Join(answers, "\n"), err
		}
	}
	return strings.Join(answers, "\n"), nil
}

func (s *Sender) pagerdutyEvent(ctx context.Context, c *Channel, m *Message, it *Item) (string, error) {
	action := "trigger"
	switch {
	case m.Event == Acknowledge:
		action = "acknowledge"
	case !it.Firing:
		action = "resolve"
	}
	event := map[string]any{"routing_key": c.get("token"), "event_action": action, "dedup_key": "posthouse/" + it.Fingerprint}
	if action == "trigger" {
		level := map[string]string{"critical": "critical", "serious": "error"}[it.Severity]
		if level == "" {
			level = "warning"
		}
		details := map[string]string{"value": it.Value, "threshold": it.Threshold, "runbook": it.Runbook, "since": stamp(it.Since), "details": it.Details.In(c.Lang)}
		event["payload"] = map[string]any{"summary": clip(it.title(c.Lang), 1024), "source": first(it.Host, m.Host, "posthouse"), "severity": level,
			"timestamp": it.Since.UTC().Format(time.RFC3339), "component": it.Name, "group": clip(m.Group, 255), "custom_details": details}
		event["client"], event["client_url"] = "Posthouse", it.Link
		if it.Runbook != "" {
			event["links"] = []map[string]string{{"href": it.Runbook, "text": "runbook"}}
		}
	}
	body, err := json.Marshal(event)
	if err != nil {
		return "", unwritable(err)
	}
	answer, err := s.call(ctx, http.MethodPost, c.get("url"), body, jsonHeader())
	if err != nil {
		return answer, err
	}
	var v struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(payload(answer), &v) != nil || v.Status != "success" {
		return answer, refused(answer, "the event was not taken", "对方未接收该事件")
	}
	return answer, nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// Sign is the value of X-Posthouse-Signature for a body at a time.
func Sign(secret string, at time.Time, body []byte) string {
	ts := strconv.FormatInt(at.Unix(), 10)
	return "t=" + ts + ",v1=" + hex.EncodeToString(mac(secret, ts+"."+string(body)))
}

func (s *Sender) webhook(ctx context.Context, c *Channel, m *Message) (string, error) {
	body, err := json.Marshal(struct {
		Version int `json:"version"`
		*Message
		Text string `json:"text"`
	}{1, m, m.Text(c.Lang, 8000)})
	if err != nil {
		return "", unwritable(err)
	}
	h := bearer(jsonHeader(), c.get("token"))
	if secret := c.get("secret"); secret != "" {
		h.Set("X-Posthouse-Signature", Sign(secret, s.o.Now(), body))
	}
	return s.call(ctx, http.MethodPost, c.get("url"), body, h)
}

// foreign is an alert as an Alertmanager writes it to a webhook.
type foreign struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

func (s *Sender) amWebhook(ctx context.Context, c *Channel, m *Message) (string, error) {
	if m.Event == Acknowledge {
		return "", nil
	}
	group := map[string]string{}
	for _, p := range m.GroupBy {
		group[p.Name] = p.Value
	}
	status, list := "resolved", make([]foreign, len(m.Items))
	for i, it := range m.Items {
		list[i] = foreign{"resolved", it.Labels, notNil(it.Annotations), it.Since, it.Ended, first(it.Source, it.Link), it.Fingerprint}
		if it.Firing {
			status, list[i].Status, list[i].EndsAt = "firing", "firing", time.Time{}
		}
	}
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": m.Group, "truncatedAlerts": m.More, "status": status, "receiver": m.Receiver,
		"groupLabels": group, "commonLabels": shared(m.Items, func(it Item) map[string]string { return it.Labels }),
		"commonAnnotations": shared(m.Items, func(it Item) map[string]string { return it.Annotations }), "externalURL": s.o.Link, "alerts": list})
	if err != nil {
		return "", unwritable(err)
	}
	return s.call(ctx, http.MethodPost, c.get("url"), body, bearer(jsonHeader(), c.get("token")))
}

func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// shared are the pairs that all items have.
func shared(items []Item, of func(Item) map[string]string) map[string]string {
	out := map[string]string{}
	for i, it := range items {
		if i == 0 {
			for k, v := range of(it) {
				out[k] = v
			}
		}
		for k, v := range out {
			if w, ok := of(it)[k]; !ok || w != v {
				delete(out, k)
			}
		}
	}
	return out
}

// resend is how long an Alertmanager believes an alert it is not told of
// again: notices repeat after hours, so it is told an end far away, and the
// real one when it comes.
const resend = 7 * 24 * time.Hour

func (s *Sender) alertmanager(ctx context.Context, c *Channel, m *Message) (string, error) {
	if m.Event == Acknowledge {
		return "", nil
	}
	list := make([]map[string]any, len(m.Items))
	for i, it := range m.Items {
		end := it.Ended
		if it.Firing {
			end = s.o.Now().Add(resend)
		}
		list[i] = map[string]any{"labels": it.Labels, "annotations": notNil(it.Annotations), "startsAt": it.Since, "endsAt": end, "generatorURL": first(it.Source, it.Link)}
	}
	body, err := json.Marshal(list)
	if err != nil {
		return "", unwritable(err)
	}
	h := jsonHeader()
	if u := c.get("user"); u != "" {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u+":"+c.get("token"))))
	}
	return s.call(ctx, http.MethodPost, strings.TrimRight(c.get("url"), "/")+"/api/v2/alerts", body, h)
}
