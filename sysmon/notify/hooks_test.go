package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPagerDutyTriggersAcknowledgesResolves(t *testing.T) {
	var actions []string
	s := side(t, func(r seen) (int, string) {
		var e struct {
			RoutingKey  string `json:"routing_key"`
			EventAction string `json:"event_action"`
			DedupKey    string `json:"dedup_key"`
			Payload     *struct {
				Summary, Source, Severity string
				CustomDetails             map[string]string `json:"custom_details"`
			}
			Links []struct{ Href string }
		}
		if json.Unmarshal(r.body, &e) != nil || len(e.RoutingKey) != 32 {
			return 400, `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}`
		}
		if e.EventAction == "trigger" && (e.Payload == nil || e.Payload.Severity != "critical" || e.Payload.Source != "box1" || e.Payload.CustomDetails["threshold"] != "80 %" || len(e.Links) != 1) {
			return 400, `{"status":"invalid event"}`
		}
		actions = append(actions, e.EventAction+" "+e.DedupKey)
		return 202, `{"status":"success","message":"Event processed","dedup_key":"` + e.DedupKey + `"}`
	})
	c := channel("pagerduty", "en", "url", s.URL+"/v2/enqueue", "token", strings.Repeat("a", 32))
	ack := hot()
	ack.Event = Acknowledge
	for _, m := range []Message{hot(), ack, over()} {
		answer, err := sender(nil).Send(t.Context(), c, m)
		must(t, answer, err)
	}
	if have := strings.Join(actions, ","); have != "trigger posthouse/00000000deadbeef,acknowledge posthouse/00000000deadbeef,resolve posthouse/00000000deadbeef" {
		t.Error(have)
	}
	c.Settings["token"] = "short"
	answer, err := sender(nil).Send(t.Context(), c, hot())
	if f := failure(t, err); f.Again || !strings.Contains(answer, "routing_key") {
		t.Errorf("%q %v", answer, f)
	}
}

func TestAWebhookIsSigned(t *testing.T) {
	s := side(t, func(r seen) (int, string) {
		var ts int64
		var sum string
		if _, err := fmt.Sscanf(strings.ReplaceAll(r.Header.Get("X-Posthouse-Signature"), ",", " "), "t=%d v1=%s", &ts, &sum); err != nil {
			return 401, err.Error()
		}
		h := hmac.New(sha256.New, []byte("hook-secret"))
		h.Write([]byte(fmt.Sprintf("%d.%s", ts, r.body)))
		if sum != hex.EncodeToString(h.Sum(nil)) || r.Header.Get("Authorization") != "Bearer tok-77" {
			return 401, "bad signature"
		}
		var m Message
		if json.Unmarshal(r.body, &m) != nil || len(m.Items) != 1 || m.Items[0].Value != "93.1 %" || m.Items[0].Runbook == "" || m.Items[0].Since.IsZero() {
			return 400, "bad form"
		}
		return 200, "thanks"
	})
	answer, err := sender(nil).Send(t.Context(), channel("webhook", "en", "url", s.URL, "secret", "hook-secret", "token", "tok-77"), hot())
	if must(t, answer, err) != "200 thanks" {
		t.Error(answer)
	}
}

func TestTheFormOfAnAlertmanager(t *testing.T) {
	s := side(t, func(r seen) (int, string) {
		var w struct {
			Version, GroupKey, Status, Receiver string
			GroupLabels, CommonLabels           map[string]string
			Alerts                              []struct {
				Status      string
				Labels      map[string]string
				StartsAt    time.Time
				Fingerprint string
			}
		}
		if json.Unmarshal(r.body, &w) != nil || w.Version != "4" || w.Status != "firing" || w.GroupLabels["alertname"] != "HighCPUUsage" || w.CommonLabels["instance"] != "box1" ||
			len(w.Alerts) != 1 || w.Alerts[0].Status != "firing" || w.Alerts[0].StartsAt.IsZero() || w.Alerts[0].Fingerprint == "" {
			return 400, string(r.body)
		}
		return 200, ""
	})
	answer, err := sender(nil).Send(t.Context(), channel("am-webhook", "en", "url", s.URL), hot())
	must(t, answer, err)
}
