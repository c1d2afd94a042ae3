package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
)

// ears is another side with many doors: it keeps the notices and the texts that
// come to each.
type ears struct {
	url   string
	mu    sync.Mutex
	heard map[string][]notify.Message
	read  map[string][]string
}

func openEars(t *testing.T) *ears {
	t.Helper()
	e := &ears{heard: map[string][]notify.Message{}, read: map[string][]string{}}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender was stopped
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		var m notify.Message
		if json.Unmarshal(raw, &m) == nil && m.Event != "" {
			e.heard[r.URL.Path] = append(e.heard[r.URL.Path], m)
		}
		e.read[r.URL.Path] = append(e.read[r.URL.Path], string(raw))
	}))
	t.Cleanup(s.Close)
	e.url = s.URL
	return e
}

// at are the notices that came to a door and that a rule takes.
func (e *ears) at(door string, takes func(m notify.Message) bool) []notify.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.heard["/"+door]), func(m notify.Message) bool { return !takes(m) })
}

// about takes notices of an event about an alert.
func about(event, name string) func(notify.Message) bool {
	return func(m notify.Message) bool {
		return m.Event == event && slices.ContainsFunc(m.Items, func(it notify.Item) bool { return it.Name == name })
	}
}

// appoints gives the stopped server channels and a plan, as its files have them.
func (s *server) appoints(channels []notify.Channel, plan alert.Plan) {
	s.t.Helper()
	for file, v := range map[string]any{"channels.json": map[string]any{"version": 1, "channels": channels}, "alerting.json": struct {
		Version int `json:"version"`
		alert.Plan
	}{1, plan}} {
		raw, err := json.Marshal(v)
		must(s.t, err)
		must(s.t, os.WriteFile(filepath.Join(s.dir, "watch", file), raw, 0o600))
	}
}

// The running server tells as its plan says: in groups, in the language of each
// channel, the graver alert for both, again, higher when nobody acknowledges,
// outside of the chat when the chat is the patient, within its rate, and that it
// is alive.
func TestTheServerTellsAsPlanned(t *testing.T) {
	t.Parallel()
	e := openEars(t)
	hook := func(id string) notify.Channel {
		return notify.Channel{ID: id, Name: id, Kind: "webhook", Lang: "en", PerHour: 100000, Settings: map[string]string{"url": e.url + "/" + id}}
	}
	sms := func(id, lang string) notify.Channel {
		return notify.Channel{ID: id, Name: id, Kind: "sms", Lang: lang, PerHour: 100000, Settings: map[string]string{"url": e.url + "/" + id, "type": "text/plain", "body": "{text}", "phones": "+8613800138000"}}
	}
	slow := hook("slow")
	slow.PerHour = 4
	room := notify.Channel{ID: "room", Name: "room", Kind: "room", Lang: "zh", PerHour: 100000, Settings: map[string]string{"room": "operators"}}
	ms := func(n int) alert.Span { return alert.Span(n * 1_000_000) }
	plan := alert.DefaultPlan()
	plan.Routes = map[string][]string{"critical": {"ops"}, "serious": {"room"}, "warning": {"zh", "en", "slow"}}
	plan.Second = []string{"second"}
	plan.Wait, plan.Between, plan.Repeat = ms(1000), ms(500), ms(3000)
	plan.Escalation = []alert.Step{{After: ms(2000), Channels: []string{"boss"}, Severities: []string{"critical"}}, {After: ms(3000), Channels: []string{"chief"}, Severities: []string{"critical"}}}
	plan.Heartbeat = alert.HeartbeatTo{Channel: "alive", Every: ms(1000)}

	o := openOffice(t)
	o.stop()
	o.appoints([]notify.Channel{hook("ops"), hook("second"), hook("boss"), hook("chief"), hook("alive"), slow, room, sms("zh", "zh"), sms("en", "en")}, plan)
	o.start()
	must(t, o.owner.WaitConnected(background(t)))
	hears := func(what, door string, takes func(notify.Message) bool, n int) {
		t.Helper()
		await(t, func() string { return what + " at " + door }, func() bool { return len(e.at(door, takes)) >= n })
	}
	hears("two heartbeats", "alive", func(m notify.Message) bool { return m.Event == "heartbeat" }, 2)

	var group []map[string]any
	one := func(name, severity, key, value string) map[string]any {
		return map[string]any{"labels": map[string]string{"alertname": name, "severity": severity, "instance": "nas", key: value},
			"annotations": map[string]string{"summary": name + " in English", "summary_zh": name + " 中文", "value": "9", "threshold": "1"}}
	}
	for i := range 3 {
		group = append(group, one("RaidDegraded", "critical", "disk", fmt.Sprint("sd", i)))
	}
	post := func(list ...map[string]any) {
		t.Helper()
		raw, err := json.Marshal(list)
		must(t, err)
		if status, text := o.postsAlerts(raw); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	post(group...)
	hears("the group twice", "ops", about(notify.Firing, "RaidDegraded"), 2)
	for _, m := range e.at("ops", about(notify.Firing, "RaidDegraded")) {
		if len(m.Items) != 3 {
			t.Errorf("a group of %d", len(m.Items))
		}
	}
	hears("the escalation", "boss", about(notify.Escalated, "RaidDegraded"), 1)
	hears("its second step", "chief", about(notify.Escalated, "RaidDegraded"), 1)

	// The graver speaks for both: the other is kept back, and in the list.
	post(one("CriticalCPUUsage", "critical", "core", "all"))
	hears("the graver", "ops", about(notify.Firing, "CriticalCPUUsage"), 1)
	post(one("HighCPUUsage", "critical", "core", "all"))
	hears("the graver again", "ops", about(notify.Firing, "CriticalCPUUsage"), 1+len(e.at("ops", about(notify.Firing, "CriticalCPUUsage"))))
	if n := len(e.at("ops", about(notify.Firing, "HighCPUUsage"))); n != 0 {
		t.Errorf("what is inhibited was told %d times", n)
	}

	// The chat is the patient: its room is not enough.
	post(one("ChatProbeFailed", "serious", "subject", "chat"), one("DiskSlow", "serious", "subject", "disk"))
	hears("the second channel", "second", about(notify.Firing, "ChatProbeFailed"), 1)
	card := o.owner.card(o.owner.operatorsRoom(), "DiskSlow 中文")
	if strings.Contains(card.Text, "Threshold") {
		t.Errorf("the card is in another language: %s", card.Text)
	}
	if n := len(e.at("second", about(notify.Firing, "DiskSlow"))); n != 0 {
		t.Errorf("the second channel was told %d times of what is not about the chat", n)
	}

	// Each in its language; what is over the rate is withheld, and says so.
	for i := range 6 {
		post(one(fmt.Sprintf("Note%d", i), "warning", "n", "x"))
	}
	text := func(door, want string) {
		t.Helper()
		await(t, func() string { return want + " at " + door }, func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			return slices.ContainsFunc(e.read["/"+door], func(s string) bool { return strings.Contains(s, want) })
		})
	}
	text("zh", "Note5 中文")
	text("en", "Note5 in English")
	c := newConsole(t, o.url())
	c.login("ann")
	await(t, func() string { return "a notice that was withheld in a timeline" }, func() bool {
		_, list := c.ask("/admin/alerts", nil)
		for _, fp := range between(list, `id="alert-`, `"`) {
			if _, page := c.ask("/admin/alerts/one?fp="+fp, nil); strings.Contains(page, "withheld from slow by its rate limit") {
				return true
			}
		}
		return false
	})
	if n := len(e.at("slow", func(notify.Message) bool { return true })); n > 4 {
		t.Errorf("%d messages through a channel of 4 an hour", n)
	}
}

// In quiet hours the running server tells what is critical and keeps the rest
// back, in its list; when they are over, also over a restart, comes a digest.
func TestQuietHoursOfTheServer(t *testing.T) {
	t.Parallel()
	e := openEars(t)
	ops := notify.Channel{ID: "ops", Name: "ops", Kind: "webhook", Lang: "en", PerHour: 100000, Settings: map[string]string{"url": e.url + "/ops"}}
	plan := alert.DefaultPlan()
	plan.Routes = map[string][]string{"critical": {"ops"}, "serious": {"ops"}, "warning": {"ops"}}
	plan.Wait, plan.Between = alert.Span(100_000_000), alert.Span(500_000_000)
	plan.Quiet = []alert.Quiet{{ID: "q", Name: "night", Days: []int{0, 1, 2, 3, 4, 5, 6}, From: "00:00", To: "24:00", Zone: "Asia/Shanghai", Severities: []string{"warning"}}}
	o := openOffice(t)
	o.stop()
	o.appoints([]notify.Channel{ops}, plan)
	o.start()
	must(t, o.owner.WaitConnected(background(t)))
	o.alarm("FanLoud", "warning", "the fan is loud")
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	heard := func(what string, takes func(notify.Message) bool) {
		t.Helper()
		await(t, func() string { return what }, func() bool { return len(e.at("ops", takes)) > 0 })
	}
	heard("what is critical", about(notify.Firing, "RaidDegraded"))
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/alerts")
	p.finds(".alert-card .badge", "quiet hours: night")
	if n := len(e.at("ops", about(notify.Firing, "FanLoud"))); n != 0 {
		t.Errorf("told in the quiet hours %d times", n)
	}
	p.expects(refusedConnections)
	o.replan(func(m map[string]any) {
		m["quiet"].([]any)[0].(map[string]any)["from"], m["quiet"].([]any)[0].(map[string]any)["to"] = "00:00", "00:01"
		m["quiet"].([]any)[0].(map[string]any)["days"] = []int{(int(time.Now().UTC().Weekday()) + 3) % 7}
	})
	heard("the digest", about(notify.Digest, "FanLoud"))
	heard("what still fires", about(notify.Firing, "FanLoud"))
}
