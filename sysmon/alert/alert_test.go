package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// phone is another side that keeps the notices it gets.
type phone struct {
	t    *testing.T
	url  string
	got  chan notify.Message
	mu   sync.Mutex
	fail bool
}

func ring(t *testing.T) *phone {
	t.Helper()
	p := &phone{t: t, got: make(chan notify.Message, 1000)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.fail {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var m notify.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		p.got <- m
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *phone) broken(v bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = v
}

// hears waits for the next notice of an event.
func (p *phone) hears(event string) notify.Message {
	p.t.Helper()
	select {
	case m := <-p.got:
		if m.Event != event {
			p.t.Fatalf("heard %s %q, want %s", m.Event, m.Title.EN, event)
		}
		return m
	case <-time.After(time.Minute): // the machine may be busy
		p.t.Fatalf("heard nothing, want %s", event)
	}
	return notify.Message{}
}

// hearsNothing for some rounds of the groups.
func (p *phone) hearsNothing(d time.Duration) {
	p.t.Helper()
	select {
	case m := <-p.got:
		p.t.Fatalf("heard %s %q, want nothing", m.Event, m.Title.EN)
	case <-time.After(d):
	}
}

// comesToRest waits until nothing has come for that long; what was on its way
// may still arrive.
func (p *phone) comesToRest(d time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		select {
		case <-p.got:
		case <-time.After(d):
			return
		}
	}
	p.t.Fatal("it never stops")
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quick() Options {
	return Options{Host: "box1", ExternalURL: "https://chat.lan", Tick: 20 * time.Millisecond, Grace: time.Minute, Timeout: 5 * time.Second}
}

func open(t *testing.T, dir string, o Options) *Manager {
	t.Helper()
	m, err := Open(dir, o)
	ok(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func hook(t *testing.T, m *Manager, name string, p *phone, change ...func(*notify.Channel)) string {
	t.Helper()
	c := notify.Channel{Name: name, Kind: "webhook", Lang: "en", Settings: map[string]string{"url": p.url}}
	for _, f := range change {
		f(&c)
	}
	c, err := m.SaveChannel(c)
	ok(t, err)
	return c.ID
}

// plan sets a quick plan that tells one channel everything.
func plan(t *testing.T, m *Manager, id string, change ...func(*Plan)) {
	t.Helper()
	p := DefaultPlan()
	p.Wait, p.Between, p.Repeat = Span(30*time.Millisecond), Span(60*time.Millisecond), Span(time.Hour)
	for _, s := range Severities() {
		p.Routes[s] = []string{id}
	}
	for _, f := range change {
		f(&p)
	}
	ok(t, m.SetPlan(p))
}

func alarm(name, severity string, more ...string) Incoming {
	in := Incoming{Labels: map[string]string{"alertname": name, "severity": severity, "instance": "box1"}, End: time.Now().Add(time.Hour),
		Annotations: map[string]string{"summary": name + " fires", "summary_zh": name + " 触发", "value": "93 %", "threshold": "80 %"}}
	for i := 0; i+1 < len(more); i += 2 {
		in.Labels[more[i]] = more[i+1]
	}
	return in
}

func (in Incoming) over() Incoming {
	in.End = time.Now()
	return in
}

func fires(t *testing.T, m *Manager, list ...Incoming) {
	t.Helper()
	ok(t, m.Receive(t.Context(), list))
}

// only is the one alert that fires.
func only(t *testing.T, m *Manager) Active {
	t.Helper()
	list := m.Active(t.Context())
	if len(list) != 1 {
		t.Fatalf("%d alerts fire, want one", len(list))
	}
	return list[0]
}

// eventually waits until something holds, looking after each change.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func kinds(e Episode) string {
	var out []string
	for _, v := range e.Events {
		out = append(out, v.Kind)
	}
	return strings.Join(out, " ")
}

func TestAnAlertIsToldOnceAndItsEndToo(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	fires(t, m, alarm("HighCPUUsage", "warning"))
	msg := p.hears(notify.Firing)
	it := msg.Items[0]
	if it.Value != "93 %" || it.Threshold != "80 %" || it.Host != "box1" || it.Since.IsZero() || it.Summary.ZH != "HighCPUUsage 触发" ||
		it.Link != "https://chat.lan"+AlertPath(it.Fingerprint) || it.Runbook == "" {
		t.Errorf("the notice lacks facts: %+v", it)
	}
	fires(t, m, alarm("HighCPUUsage", "warning"))
	p.hearsNothing(300 * time.Millisecond)
	eventually(t, "the timeline has it", func() bool { a := only(t, m); return kinds(a.Episode) == "fired told" && a.Times == 1 })
	fires(t, m, alarm("HighCPUUsage", "warning").over())
	if msg := p.hears(notify.Resolved); msg.Items[0].Ended.IsZero() {
		t.Error("no end")
	}
	eventually(t, "the history knows it all", func() bool {
		list, more, err := m.History(Query{})
		return err == nil && !more && len(list) == 1 && kinds(list[0]) == "fired told ended told"
	})
	fires(t, m, alarm("HighCPUUsage", "warning"))
	p.hears(notify.Firing)
	if a := only(t, m); a.Times != 2 {
		t.Errorf("%d times", a.Times)
	}
}

func TestAlertsOfOneKindAreOneNotice(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p), func(p *Plan) { p.Wait = Span(150 * time.Millisecond) })
	var list []Incoming
	for i := range 60 {
		list = append(list, alarm("HighDiskUsage", "warning", "mountpoint", fmt.Sprint("/", i)))
	}
	fires(t, m, list...)
	if msg := p.hears(notify.Firing); len(msg.Items) != maxItems || msg.More != 10 {
		t.Errorf("%d alerts and %d more", len(msg.Items), msg.More)
	}
	p.hearsNothing(200 * time.Millisecond)
}

func TestEachSeverityHasItsOwnWay(t *testing.T) {
	m := open(t, t.TempDir(), quick())
	all := map[string]*phone{}
	ids := map[string][]string{}
	for _, s := range Severities() {
		all[s] = ring(t)
		ids[s] = []string{hook(t, m, s, all[s])}
	}
	plan(t, m, ids["warning"][0], func(p *Plan) { p.Routes = ids })
	fires(t, m, alarm("A", "warning"), alarm("B", "serious"), alarm("C", "critical"), alarm("D", "unheard-of"))
	for s, p := range all {
		if msg := p.hears(notify.Firing); s != "warning" && msg.Severity != s {
			t.Errorf("%s heard %s", s, msg.Severity)
		}
	}
	all["warning"].hears(notify.Firing)
	all["critical"].hearsNothing(100 * time.Millisecond)
}

func TestTheGraverAlertSpeaksForBoth(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	fires(t, m, alarm("CriticalCPUUsage", "critical"))
	p.hears(notify.Firing)
	fires(t, m, alarm("HighCPUUsage", "warning"))
	p.hearsNothing(200 * time.Millisecond)
	list := m.Active(t.Context())
	if len(list) != 2 || !list[1].Inhibited {
		t.Errorf("the list hides what is inhibited: %+v", list)
	}
	fires(t, m, alarm("CriticalCPUUsage", "critical").over())
	heard := map[string]string{}
	for range 2 { // of two groups, in any order
		msg := <-p.got
		heard[msg.Event] = msg.Items[0].Name
	}
	if heard[notify.Resolved] != "CriticalCPUUsage" || heard[notify.Firing] != "HighCPUUsage" {
		t.Error(heard)
	}
}

func TestASilenceKeepsMessagesBackNotTheAlert(t *testing.T) {
	dir := t.TempDir()
	m, p := open(t, dir, quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p))
	id, err := m.Silence(t.Context(), Silence{Matchers: []string{`alertname=~"High.*"`, `instance="box1"`}, End: time.Now().Add(time.Hour), Author: "ann", Reason: "disk swap"})
	ok(t, err)
	fires(t, m, alarm("HighCPUUsage", "critical"))
	p.hearsNothing(200 * time.Millisecond)
	if a := only(t, m); len(a.SilencedBy) != 1 || a.SilencedBy[0] != id {
		t.Errorf("silenced by %v", a.SilencedBy)
	}
	ok(t, m.Close())
	m = open(t, dir, quick())
	list, err := m.Silences(t.Context())
	ok(t, err)
	if len(list) != 1 || list[0].Author != "ann" || list[0].Reason != "disk swap" || list[0].State != "active" || list[0].Affects != 1 || strings.Join(list[0].Matchers, ",") != `alertname=~"High.*",instance="box1"` {
		t.Fatalf("after a restart: %+v", list)
	}
	p.hearsNothing(200 * time.Millisecond)
	ok(t, m.Expire(t.Context(), id))
	p.hears(notify.Firing)
	begins := time.Now().Add(time.Hour)
	_, err = m.Silence(t.Context(), Silence{Matchers: []string{`instance="box1"`}, Start: begins, End: begins.Add(time.Hour), Author: "ann", Reason: "power cut on Saturday"})
	ok(t, err)
	list, err = m.Silences(t.Context())
	ok(t, err)
	if a := only(t, m); list[0].State != "pending" || !list[0].Start.Equal(begins) || list[0].Affects != 0 || len(a.SilencedBy) != 0 || strings.Count(kinds(a.Episode), "silenced") != 0 {
		t.Errorf("one to come: %+v, the alert %+v", list[0], a)
	}
	for field, s := range map[string]Silence{
		"matchers": {End: time.Now().Add(time.Hour), Reason: "x"},
		"matcher":  {Matchers: []string{`a=~"("`}, End: time.Now().Add(time.Hour), Reason: "x"},
		"reason":   {Matchers: []string{`a="b"`}, End: time.Now().Add(time.Hour)},
		"end":      {Matchers: []string{`a="b"`}, End: time.Now().Add(-time.Hour), Reason: "x"},
	} {
		var bad *notify.Invalid
		if _, err := m.Silence(t.Context(), s); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestPeopleTakeCare(t *testing.T) {
	m, p, boss := open(t, t.TempDir(), quick()), ring(t), ring(t)
	id, up := hook(t, m, "ops", p), hook(t, m, "boss", boss)
	plan(t, m, id, func(p *Plan) {
		p.Repeat = Span(100 * time.Millisecond)
		p.Escalation = []Step{{After: Span(time.Second), Channels: []string{up}}}
	})
	fires(t, m, alarm("HighErrorRate", "serious"))
	p.hears(notify.Firing)
	p.hears(notify.Firing) // the same again after a while
	fp := only(t, m).Fingerprint
	if msg := boss.hears(notify.Escalated); !strings.Contains(msg.Note.EN, "nobody has acknowledged") {
		t.Error(msg.Note)
	}
	eventually(t, "the timeline knows", func() bool { return strings.Contains(kinds(only(t, m).Episode), "escalated") })
	ok(t, m.Ack(fp, "ann"))
	ok(t, m.Assign(fp, "ann", "bo"))
	ok(t, m.Comment(fp, "bo", "looking at the proxy"))
	if err := m.Ack(fp, "bo"); err == nil {
		t.Error("acknowledged twice")
	}
	p.comesToRest(400 * time.Millisecond)
	boss.hearsNothing(time.Millisecond)
	a := only(t, m)
	if a.AckBy != "ann" || a.Assignee != "bo" || !strings.HasSuffix(strings.ReplaceAll(kinds(a.Episode), " told", ""), "ack assigned comment") {
		t.Errorf("%+v", a.Episode)
	}
	fires(t, m, alarm("HighErrorRate", "serious").over())
	p.hears(notify.Resolved)
	boss.hears(notify.Resolved) // who was woken hears that it is over
	if err := m.Ack("0123456789abcdef", "ann"); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

func TestAnAcknowledgedAlertIsNotEscalated(t *testing.T) {
	m, p, boss := open(t, t.TempDir(), quick()), ring(t), ring(t)
	id, up := hook(t, m, "ops", p), hook(t, m, "boss", boss)
	plan(t, m, id, func(p *Plan) { p.Escalation = []Step{{After: Span(3 * time.Second), Channels: []string{up}}} })
	fires(t, m, alarm("HighErrorRate", "critical"), alarm("HighLoad", "warning"))
	p.hears(notify.Firing)
	for _, a := range m.Active(t.Context()) {
		if a.Name() == "HighErrorRate" {
			ok(t, m.Ack(a.Fingerprint, "ann"))
		}
	}
	boss.hearsNothing(3500 * time.Millisecond)
}

func TestQuietHoursEndWithADigest(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	id := hook(t, m, "ops", p)
	now := time.Now()
	allDay := Quiet{ID: "q1", Name: "night", Days: []int{0, 1, 2, 3, 4, 5, 6}, From: "00:00", To: "24:00", Severities: []string{"warning"}}
	plan(t, m, id, func(p *Plan) { p.Quiet = []Quiet{allDay} })
	eventually(t, "quiet hours began", func() bool { return len(m.db.blob("quiet", "q1")) > 0 })
	fires(t, m, alarm("HighLoad", "warning"), alarm("NetworkErrors", "warning"), alarm("ServiceDown", "critical"))
	if msg := p.hears(notify.Firing); msg.Items[0].Name != "ServiceDown" {
		t.Error("critical alerts know no quiet hours")
	}
	fires(t, m, alarm("NetworkErrors", "warning").over())
	p.hearsNothing(200 * time.Millisecond)
	for _, a := range m.Active(t.Context()) {
		if a.Name() == "HighLoad" && strings.Join(a.Quiet, "") != "night" {
			t.Errorf("%+v", a)
		}
	}
	other := int(now.Weekday()+3) % 7
	allDay.Days = []int{other}
	plan(t, m, id, func(p *Plan) { p.Quiet = []Quiet{allDay} })
	heard := map[string]notify.Message{}
	for range 2 {
		msg := <-p.got
		heard[msg.Event] = msg
	}
	d := heard[notify.Digest]
	if len(d.Items) != 2 || !strings.Contains(d.Title.EN, "2 alerts in the quiet hours \"night\", 1 still firing") {
		t.Errorf("digest %+v", d)
	}
	if heard[notify.Firing].Items[0].Name != "HighLoad" {
		t.Error("what still fires is not told after the quiet hours")
	}
}

func TestQuietHoursOverMidnight(t *testing.T) {
	q := Quiet{ID: "q", Name: "night", Days: []int{5}, From: "22:00", To: "07:00", Zone: "Asia/Shanghai", Severities: []string{"warning"}}
	zone, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	for at, want := range map[string]bool{"20 21:59": false, "20 22:00": true, "21 06:59": true, "21 07:00": false, "21 23:00": false} { // the 20th of November 2026 is a Friday
		when, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-"+at, zone)
		ok(t, err)
		if q.Lasts(when) != want {
			t.Errorf("%s: %v", at, !want)
		}
	}
	for _, bad := range []Quiet{{Name: "x", Days: []int{1}, From: "25:00", To: "07:00", Severities: []string{"warning"}}, {Name: "x", Days: []int{7}, From: "22:00", To: "07:00", Severities: []string{"warning"}},
		{Name: "x", Days: []int{1}, From: "22:00", To: "07:00", Zone: "Mars/Base", Severities: []string{"warning"}}, {Name: "x", From: "22:00", To: "07:00", Severities: []string{"warning"}}} {
		if _, err := bad.intervals(); err == nil {
			t.Errorf("taken: %+v", bad)
		}
	}
}

func TestWhenTheChatIsIllTheRoomIsNotEnough(t *testing.T) {
	o := quick()
	var mu sync.Mutex
	down := false
	posts := make(chan string, 100)
	o.Post = func(_ context.Context, room, text string) error {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return errors.New("the storage is read only")
		}
		posts <- text
		return nil
	}
	m, p := open(t, t.TempDir(), o), ring(t)
	room, err := m.SaveChannel(notify.Channel{Name: "#ops", Kind: "room", Lang: "zh", Settings: map[string]string{"room": "#ops"}})
	ok(t, err)
	plan(t, m, room.ID)
	if list := m.Findings(); !strings.Contains(fmt.Sprint(list), "alerts reach nobody") {
		t.Errorf("nothing warns that the chat is alone: %v", list)
	}
	hook(t, m, "sms", p) // a channel nobody chose
	fires(t, m, alarm("HighCPUUsage", "warning"))
	<-posts
	p.hearsNothing(100 * time.Millisecond)
	fires(t, m, alarm("ChatProbeFailed", "critical", "subject", "chat"))
	if msg := p.hears(notify.Firing); msg.Items[0].Name != "ChatProbeFailed" {
		t.Error(msg.Title)
	}
	if text := <-posts; !strings.Contains(text, "［紧急］ ChatProbeFailed 触发") {
		t.Error(text)
	}
	mu.Lock()
	down = true
	mu.Unlock()
	plan(t, m, room.ID, func(pl *Plan) { pl.Second = []string{m.book.List()[1].ID} })
	fires(t, m, alarm("HighLoad", "warning"))
	if msg := p.hears(notify.Firing); !strings.Contains(msg.Note.EN, "could not be posted to") {
		t.Errorf("%+v", msg)
	}
}

// Until somebody has an account the room waits: that is no failure, and uses up
// no rate.
func TestNobodyToTellYet(t *testing.T) {
	o := quick()
	var tries atomic.Int32
	var somebody atomic.Bool
	posts := make(chan string, 10)
	o.Post = func(_ context.Context, _, text string) error {
		if tries.Add(1); !somebody.Load() {
			return fmt.Errorf("open the room: %w", notify.ErrNobody)
		}
		posts <- text
		return nil
	}
	m := open(t, t.TempDir(), o)
	room, err := m.SaveChannel(notify.Channel{Name: "ops", Kind: "room", Lang: "en", PerHour: 2, Settings: map[string]string{"room": "ops"}})
	ok(t, err)
	plan(t, m, room.ID)
	fires(t, m, alarm("HighLoad", "warning"))
	eventually(t, "more tries than the rate allows", func() bool { return tries.Load() > 3 })
	somebody.Store(true)
	if text := <-posts; !strings.Contains(text, "HighLoad") {
		t.Error(text)
	}
	var text string
	eventually(t, "a notice that was told", func() bool {
		var b strings.Builder
		m.Write(&b)
		text = b.String()
		return strings.Contains(text, `posthouse_notifications_total{channel="ops",result="ok"} 1`)
	})
	if !strings.Contains(text, `posthouse_notifications_total{channel="ops",result="error"} 0`) || strings.Contains(text, "withheld") {
		t.Errorf("waiting counts for something:\n%s", text)
	}
	if did := kinds(only(t, m).Episode); strings.Contains(did, NotTold) {
		t.Errorf("the timeline tells of it: %s", did)
	}
}

func TestARateLimitWithholdsAndTellsLater(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	plan(t, m, hook(t, m, "ops", p, func(c *notify.Channel) { c.PerHour = 4 }))
	var list []Incoming
	for i := range 10 {
		list = append(list, alarm(fmt.Sprint("Alert", i), "warning"))
	}
	fires(t, m, list...)
	for range 4 {
		p.hears(notify.Firing)
	}
	p.hearsNothing(200 * time.Millisecond)
	m.mu.Lock()
	for _, b := range m.buckets {
		b.at = b.at.Add(-time.Hour)
	}
	m.mu.Unlock()
	if msg := p.hears(notify.Digest); len(msg.Items) != 6 || !strings.Contains(msg.Title.ZH, "暂扣了 6 条") {
		t.Errorf("%d: %v", len(msg.Items), msg.Title)
	}
}

func TestAChannelThatFailsIsTriedAgain(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	p.broken(true)
	plan(t, m, hook(t, m, "ops", p))
	fires(t, m, alarm("HighCPUUsage", "warning"))
	eventually(t, "the failure is in the timeline", func() bool { return strings.Contains(kinds(only(t, m).Episode), "not_told") })
	p.broken(false)
	p.hears(notify.Firing)
	var b strings.Builder
	m.Write(&b)
	if !strings.Contains(b.String(), `posthouse_notifications_total{channel="ops",result="error"}`) || !strings.Contains(b.String(), `posthouse_alerts_firing{severity="warning"} 1`) {
		t.Error(b.String())
	}
}

func TestTheHeartbeatGetsOut(t *testing.T) {
	m, p := open(t, t.TempDir(), quick()), ring(t)
	id := hook(t, m, "watchdog", p)
	plan(t, m, id, func(p *Plan) { p.Heartbeat = HeartbeatTo{Channel: id, Every: Span(time.Second)} })
	p.hears("heartbeat")
	p.hears("heartbeat")
	eventually(t, "it says so", func() bool {
		b := m.Heartbeat()
		return b.Channel == "watchdog" && !b.Sent.IsZero() && b.Error == words.Text{}
	})
	p.broken(true)
	eventually(t, "it says that it fails", func() bool { return strings.Contains(fmt.Sprint(m.Findings()), "heartbeat does not get out") })
}
