package alert

import (
	"context"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/silence"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// Active is an alert that fires, with what holds for it now.
type Active struct {
	Episode
	SilencedBy []string // ids of silences
	Inhibited  bool     // a graver alert speaks for it
	Quiet      []string // names of the quiet hours that last
	Times      int      // episodes in the last 7 days, this one included
	Item       notify.Item
}

// firingNow copies the episodes that fire.
func (m *Manager) firingNow() []Episode {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Episode
	for _, e := range m.current {
		if e.Firing() {
			out = append(out, e.copy())
		}
	}
	return out
}

func (m *Manager) view(ctx context.Context, e *Episode) Active {
	a := Active{Episode: *e, Item: m.item(e)}
	set := labelSet(e.Labels)
	if list, _, err := m.silences.Query(ctx, silence.QState(silence.SilenceStateActive), silence.QMatches(set)); err == nil {
		for _, s := range list {
			a.SilencedBy = append(a.SilencedBy, s.Id)
		}
	}
	m.mu.Lock()
	inhibitor := m.inhibitor
	m.mu.Unlock()
	a.Inhibited = inhibitor != nil && inhibitor.Mutes(ctx, set)
	now := time.Now()
	for _, q := range m.Plan().Quiet {
		if q.covers(e.Severity()) && q.Lasts(now) {
			a.Quiet = append(a.Quiet, q.Name)
		}
	}
	return a
}

// Active lists what fires: not yet acknowledged first, then by severity, then
// the longest firing.
func (m *Manager) Active(ctx context.Context) []Active {
	times := map[string]int{}
	week := time.Now().Add(-7 * 24 * time.Hour)
	firing := m.firingNow()
	err := m.db.walk(time.Time{}, func(e Episode) bool {
		times[e.Fingerprint]++
		return e.Start.After(week)
	})
	m.complain("count alerts", err)
	out := make([]Active, 0, len(firing))
	for i := range firing {
		a := m.view(ctx, &firing[i])
		a.Times = max(1, times[a.Fingerprint])
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if x, y := a.AckAt.IsZero(), b.AckAt.IsZero(); x != y {
			return x
		}
		if x, y := rank(a.Severity()), rank(b.Severity()); x != y {
			return x < y
		}
		if !a.Start.Equal(b.Start) {
			return a.Start.Before(b.Start)
		}
		return a.Fingerprint < b.Fingerprint
	})
	return out
}

// Firing counts what fires by severity, for a badge.
func (m *Manager) Firing() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int{}
	for _, e := range m.current {
		if e.Firing() {
			out[e.Severity()]++
		}
	}
	return out
}

// Fires says whether an alert fires, by its fingerprint.
func (m *Manager) Fires(fp string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.current[fp]
	return e != nil && e.Firing()
}

// Current is a copy of the newest episode of an alert that fires, or that ended
// a short while ago.
func (m *Manager) Current(fp string) (Episode, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.current[fp]; e != nil {
		return e.copy(), true
	}
	return Episode{}, false
}

// One gives the newest episode of an alert, and whether there is one.
func (m *Manager) One(ctx context.Context, fp string) (Active, bool, error) {
	m.mu.Lock()
	var e Episode
	c := m.current[fp]
	if c != nil {
		e = c.copy()
	}
	m.mu.Unlock()
	times, week := 0, time.Now().Add(-7*24*time.Hour)
	err := m.db.walk(time.Time{}, func(v Episode) bool {
		if v.Fingerprint == fp {
			if c == nil && e.Fingerprint == "" {
				e = v
			}
			if v.Start.After(week) {
				times++
			}
		}
		return e.Fingerprint == "" || v.Start.After(week)
	})
	if err != nil || e.Fingerprint == "" {
		return Active{}, false, err
	}
	a := m.view(ctx, &e)
	a.Times = max(1, times)
	return a, true, nil
}

// Episode gives one of the history by Episode.ID.
func (m *Manager) Episode(id string) (Episode, bool, error) { return m.db.get(id) }

// Query chooses from the history.
type Query struct {
	Text     string // in name, labels, summary, people; case does not matter
	Name     string // alertname
	Severity string
	State    string    // firing, ended; empty: both
	From, To time.Time // start in [From, To); zero: open
	Before   string    // Episode.ID: only older ones, for the next page
	Limit    int       // 1 to 10,000; 0: 50
}

// History lists episodes, the newest first, and says whether there are more.
func (m *Manager) History(q Query) ([]Episode, bool, error) {
	if q.Limit <= 0 || q.Limit > 10_000 {
		q.Limit = 50
	}
	before := q.To
	last, found, err := m.db.get(q.Before)
	if err != nil {
		return nil, false, err
	}
	if found {
		before = last.Start.Add(time.Millisecond)
	}
	var out []Episode
	more := false
	text := strings.ToLower(q.Text)
	err = m.db.walk(before, func(e Episode) bool {
		if !q.From.IsZero() && e.Start.Before(q.From) {
			return false
		}
		if found && e.ID() >= q.Before || !q.To.IsZero() && !e.Start.Before(q.To) || !q.takes(&e, text) {
			return true
		}
		if len(out) == q.Limit {
			more = true
			return false
		}
		out = append(out, e)
		return true
	})
	return out, more, err
}

// Takes says whether the query chooses an episode by Text, Name, Severity and
// State.
func (q *Query) Takes(e *Episode) bool { return q.takes(e, strings.ToLower(q.Text)) }

func (q *Query) takes(e *Episode, text string) bool {
	if q.Name != "" && e.Name() != q.Name || q.Severity != "" && e.Severity() != q.Severity {
		return false
	}
	if q.State == "firing" && !e.Firing() || q.State == "ended" && e.Firing() {
		return false
	}
	if text == "" {
		return true
	}
	all := []string{e.AckBy, e.Assignee}
	for _, m := range []map[string]string{e.Labels, e.Annotations} {
		for _, v := range m {
			all = append(all, v)
		}
	}
	for _, v := range e.Events {
		all = append(all, v.Text)
	}
	for _, v := range all {
		if strings.Contains(strings.ToLower(v), text) {
			return true
		}
	}
	return false
}

// Told says whether anybody is told of alerts of a severity, and whether that is
// still so when the chat is down.
func (m *Manager) Told(sev string) (told, outside bool) {
	p := m.Plan()
	return len(m.on(p.Routes[sev])) > 0, len(m.outside(m.forPatient(p, sev))) > 0
}

// Findings are what is wrong with the plan itself, for the top of the list: one
// sentence for whom nobody tells, one for the day when the chat is down, one
// for a heartbeat that fails.
func (m *Manager) Findings() []words.Text {
	var out []words.Text
	var en, zh []string
	alone := false
	for _, sev := range Severities() {
		told, outside := m.Told(sev)
		if !told {
			t := notify.Severity(sev)
			en, zh = append(en, t.EN), append(zh, t.ZH)
		} else if !outside {
			alone = true
		}
	}
	switch {
	case len(en) == len(Severities()):
		out = append(out, words.Of("Nobody is told of alerts: make a channel, or switch one on.", "没有人会收到告警：请新建或启用通知渠道。"))
	case len(en) > 0:
		out = append(out, words.Of("Nobody is told of these alerts: "+strings.Join(en, ", ")+". Choose channels for them.", "没有人会收到这些级别的告警："+strings.Join(zh, "、")+"。请为其选择渠道。"))
	}
	if alone {
		out = append(out, words.Of("When the chat is down, alerts reach nobody: add a channel outside the chat, as e-mail.", "聊天不可用时，告警将无人收到：请添加聊天之外的渠道，如电子邮件。"))
	}
	if b := m.Heartbeat(); b.Channel != "" && b.Error != (words.Text{}) {
		out = append(out, words.Of("The heartbeat does not get out: "+b.Error.EN, "心跳无法发出："+b.Error.ZH))
	}
	return out
}

// on are those of the channels that are switched on.
func (m *Manager) on(ids []string) []string {
	var out []string
	for _, id := range ids {
		if c, ok := m.book.Find(id); ok && !c.Off {
			out = append(out, id)
		}
	}
	return out
}
