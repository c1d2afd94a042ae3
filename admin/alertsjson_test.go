package admin

import (
	"encoding/json"
	"testing"
	"time"

	"posthouse/sysmon/alert"
)

// A program reads the history page by page to its end, and is told of a page
// that there is not, rather than given the first one again.
func TestHistoryIsPaged(t *testing.T) {
	m, err := alert.Open(t.TempDir(), alert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	var list []alert.Incoming
	for i, name := range []string{"A", "B", "C"} {
		list = append(list, alert.Incoming{Labels: map[string]string{"alertname": name}, Start: time.Now().Add(time.Duration(i-10) * time.Minute)})
	}
	if err := m.Receive(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, Options{Alerts: Alerts{Manager: m}})
	before, names := "", ""
	for more := true; more; {
		status, _, body := d.ask("GET", "/admin/alerts/history/json?limit=1&before="+before, nil)
		var page struct {
			Alerts []AlertJSON
			More   bool
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 || len(page.Alerts) != 1 {
			t.Fatalf("%d %s", status, body)
		}
		names, before, more = names+page.Alerts[0].Name, page.Alerts[0].Episode, page.More
	}
	if names != "CBA" {
		t.Errorf("the pages hold %s", names)
	}
	for _, wrong := range []string{"x", "00000000000000000000000000000000"} {
		if status, _, body := d.ask("GET", "/admin/alerts/history/json?before="+wrong, nil); status != 422 {
			t.Errorf("before %s: %d %s", wrong, status, body)
		}
	}
}
