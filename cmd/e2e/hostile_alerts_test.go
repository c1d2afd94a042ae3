package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever comes to the door for alerts and to the forms of alerting: what can
// be taken is taken, the rest is refused with a reason, the server goes on and
// logs no fault.
func TestHostileAlerts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	labels := func(n int) string {
		l := map[string]string{"alertname": "Many"}
		for i := range n {
			l[fmt.Sprint("l", i)] = "x"
		}
		raw, err := json.Marshal(l)
		must(t, err)
		return string(raw)
	}
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "hello", "half": `[{"labels":{"alertname":"x"`, "a number": "7", "null in it": `[null]`, "wrong types": `[{"labels":[1,2]}]`, "no name": `[{"labels":{"a":"b"}}]`,
		"deep": strings.Repeat(`[`, 100_000), "deep objects": strings.Repeat(`{"alerts":[`, 50_000), "thousands of labels": `[{"labels":` + labels(5000) + `}]`,
		"a name of 1 MB": `[{"labels":{"alertname":"` + strings.Repeat("x", 1<<20) + `"}}]`, "an annotation of 1 MB": `[{"labels":{"alertname":"x"},"annotations":{"summary":"` + strings.Repeat("x", 1<<20) + `"}}]`,
		"a bad label": `[{"labels":{"alertname":"x","a b":"c"}}]`, "bad UTF-8": "[{\"labels\":{\"alertname\":\"x\",\"a\":\"\xff\xfe\"},\"annotations\":{\"\xff\":\"y\"}}]", "a bad time": `[{"labels":{"alertname":"x"},"startsAt":"yesterday"}]`,
		"20,000 alerts": `[` + strings.Repeat(`{"labels":{"alertname":"x"}},`, 20_000) + `{}]`, "5 MB": `[` + strings.Repeat(" ", 5<<20) + `]`,
	} {
		for range 2 {
			status, text, err := o.triesAlerts([]byte(body))
			if err != nil && len(body) > 1<<20 {
				continue // it did not wait for the end
			}
			must(t, err)
			if status/100 != 4 || text == "" || len(text) > 1000 {
				t.Errorf("%s: %d %.200s", name, status, text)
			}
		}
	}
	// Markup and control characters in every text; the same twice, its end
	// before its beginning, and a mixture of good and bad.
	evil := `<img src=x onerror=alert(1)><script>alert(2)</script>"'&{{.}}` + "\u202e\u0007"
	raw, err := json.Marshal([]any{
		map[string]any{"labels": map[string]string{"alertname": "Evil", "severity": "critical", "instance": evil, "which": evil}, "annotations": map[string]string{"summary": evil, "summary_zh": evil, "description": evil, "value": evil, "threshold": evil, "runbook_url": "javascript:alert(3)"}, "generatorURL": "javascript:alert(4)"},
		map[string]any{"labels": map[string]string{"severity": "critical"}},
	})
	must(t, err)
	for range 2 {
		if status, text := o.postsAlerts(raw); status != http.StatusBadRequest || !strings.Contains(text, "1 of 2 alerts were not taken") {
			t.Errorf("good and bad together: %d %s", status, text)
		}
	}
	o.calm("NeverFired", "critical")
	c := newConsole(t, o.url())
	c.login("ann")
	_, list := c.ask("/admin/alerts", nil)
	fps := between(list, `id="alert-`, `"`)
	if len(fps) != 1 {
		t.Fatalf("%d alerts fire", len(fps))
	}
	pages := []string{list}
	for _, at := range []string{"/admin/alerts/one?fp=" + fps[0], "/admin/alerts/history", "/admin/silences?fp=" + fps[0], "/admin", "/admin/alerts/history?format=csv"} {
		res, page := c.ask(at, nil)
		if res.StatusCode != 200 {
			t.Errorf("%s: %s", at, res.Status)
		}
		if !strings.Contains(at, "csv") {
			pages = append(pages, page)
		}
	}
	for _, page := range pages {
		if strings.Contains(page, "<img src=x") || strings.Contains(page, "<script>alert") || strings.Contains(page, `href="javascript:`) {
			t.Errorf("the text of an alert is markup: %s", part(page, "<img src=x"))
		}
	}
	hostileForms(t, c, fps[0])
	if res, _ := c.ask("/admin/alerts", nil); res.StatusCode != 200 {
		t.Errorf("the list afterwards: %s", res.Status)
	}
}

// hostileForms posts what no browser would to every form of alerting.
func hostileForms(t *testing.T, c *console, fp string) {
	t.Helper()
	long, nul := strings.Repeat("x", 200_000), "a\x00b\xff\r\nBcc: x"
	for _, f := range []struct {
		at   string
		form url.Values
	}{
		{"/admin/alerts/ack", url.Values{"fp": {long}}},
		{"/admin/alerts/ack", url.Values{}},
		{"/admin/alerts/assign", url.Values{"fp": {fp}, "assignee": {long}}},
		{"/admin/alerts/comment", url.Values{"fp": {fp}, "text": {long}}},
		{"/admin/alerts/comment", url.Values{"fp": {fp}, "text": {nul}}},
		{"/admin/alerts/silence", url.Values{"fp": {fp}, "for": {"-9999999h"}, "reason": {"x"}}},
		{"/admin/alerts/silence", url.Values{"fp": {fp}, "for": {"999999999999999999999h"}, "reason": {"x"}}},
		{"/admin/alerts/silence", url.Values{"fp": {fp}, "for": {"1h"}, "reason": {long}}},
		{"/admin/silences", url.Values{"matchers": {long}, "for": {"1h"}, "reason": {"x"}}},
		{"/admin/silences", url.Values{"matchers": {strings.Repeat("a=\"b\"\n", 20_000)}, "for": {"1h"}, "reason": {"x"}}},
		{"/admin/silences", url.Values{"matchers": {`a=~"(((((.*)*)*)*)*"` + strings.Repeat("\n"+`a=~"(x{1000}){1000}"`, 3)}, "for": {"1h"}, "reason": {"x"}, "do": {"preview"}}},
		{"/admin/silences/end", url.Values{"id": {long}}},
		{"/admin/quiet", url.Values{"name": {long}, "from": {"22:00"}, "until": {"07:00"}}},
		{"/admin/quiet", url.Values{"name": {"x"}, "from": {"99:99"}, "until": {nul}, "zone": {"../../etc/passwd"}, "day0": {"on"}, "warning": {"on"}}},
		{"/admin/channels/edit", url.Values{"kind": {"nothing"}, "name": {"x"}}},
		{"/admin/channels/edit", url.Values{"kind": {"email"}, "name": {long}}},
		{"/admin/channels/edit", url.Values{"kind": {"email"}, "name": {"x"}, "lang": {"en"}, "per_hour": {"-1"}, "set-host": {nul}, "set-from": {nul}, "set-to": {long}}},
		{"/admin/channels/edit", url.Values{"id": {"gone"}, "kind": {"webhook"}, "name": {"x"}, "lang": {"en"}, "per_hour": {"1"}, "set-url": {"http://127.0.0.1:9/"}}},
		{"/admin/channels/edit", url.Values{"kind": {"webhook"}, "name": {"x"}, "lang": {"en"}, "per_hour": {"1"}, "set-url": {"file:///etc/passwd"}}},
		{"/admin/channels/plan", url.Values{"repeat": {"NaN"}, "every": {"1e400"}}},
		{"/admin/channels/plan", url.Values{"repeat": {"-4"}, "heartbeat": {"nobody"}, "every": {"60"}}},
		{"/admin/channels/remove", url.Values{"id": {"room"}, "typed": {long}}},
		{"/admin/automatic", url.Values{"alert": {"HighMemoryUsage"}, "action": {"read_only_on"}, "typed": {"read_only_on"}, "on": {"yes"}, "per_hour": {"1"}}},
		{"/admin/automatic", url.Values{"alert": {long}, "action": {nul}}},
	} {
		f.form.Set("csrf", c.csrf)
		for range 2 {
			res, page := c.ask(f.at, f.form)
			if res.StatusCode/100 != 4 {
				t.Errorf("POST %s %.80v: %s %.200s", f.at, f.form, res.Status, part(page, "<main"))
			}
		}
	}
}
