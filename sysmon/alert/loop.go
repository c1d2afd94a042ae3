package alert

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// Beat is how the dead-man heartbeat fares.
type Beat struct {
	Channel string // name; empty: there is none
	Every   time.Duration
	Sent    time.Time // the last that was taken
	Tried   time.Time
	Error   words.Text // of the last; empty: it was taken
}

// Heartbeat tells how it fares.
func (m *Manager) Heartbeat() Beat {
	p := m.Plan().Heartbeat
	c, _ := m.book.Find(p.Channel)
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.beat
	b.Channel, b.Every = c.Name, time.Duration(p.Every)
	return b
}

func (m *Manager) loop() {
	defer m.wg.Done()
	tick := time.NewTicker(m.o.Tick)
	defer tick.Stop()
	var swept time.Time
	for {
		m.sweepEnded()
		m.escalate(m.ctx)
		m.quietHours(m.ctx)
		m.flushWithheld(m.ctx)
		if time.Since(swept) > time.Hour {
			swept = time.Now()
			m.retain()
		}
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *Manager) beats() {
	defer m.wg.Done()
	tick := time.NewTicker(m.o.Tick)
	defer tick.Stop()
	for {
		m.heartbeat(m.ctx)
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepEnded ends what nobody spoke of in time.
func (m *Manager) sweepEnded() {
	now := time.Now()
	m.taking.Lock()
	defer m.taking.Unlock()
	m.mu.Lock()
	var ended []*Episode
	for fp, e := range m.current {
		if !e.Firing() {
			if now.Sub(e.End) > kept {
				delete(m.current, fp)
			}
			continue
		}
		id, err := model.FingerprintFromString(fp)
		m.complain("read a fingerprint", err)
		a, err := m.alerts.Get(id)
		if err != nil || a.ResolvedAt(now) {
			at := now
			if err == nil && !a.EndsAt.After(now) {
				at = a.EndsAt
			}
			m.finish(e, at)
			ended = append(ended, e)
		}
	}
	for k, t := range m.fellBack {
		if now.Sub(t) > fallBackEvery {
			delete(m.fellBack, k)
		}
	}
	err := m.db.put(ended...)
	m.mu.Unlock()
	m.complain("write ended alerts", err)
	if len(ended) > 0 {
		m.o.Changed()
	}
}

func (m *Manager) complain(what string, err error) {
	if err != nil {
		m.o.Log.Error(what, "err", err)
	}
}

func (m *Manager) retain() {
	m.complain("forget old alerts", m.db.forget(time.Now().Add(-m.o.Retention)))
	m.complain("forget old notices", m.ledger.sweep())
	m.complain("forget old silences", m.sweepSilences())
}

// escalate tells the next channels of what nobody acknowledged, and those that
// were told that way when it is over.
func (m *Manager) escalate(ctx context.Context) {
	p := m.Plan()
	type turn struct {
		e     Episode
		to    []string
		level int
		over  bool
	}
	var turns []turn
	m.mu.Lock()
	for fp, e := range m.current {
		switch {
		case !e.Firing() && e.Level > 0 && e.Level <= len(p.Escalation):
			var to []string
			for _, s := range p.Escalation[:e.Level] {
				if s.covers(e.Severity()) {
					to = append(to, s.Channels...)
				}
			}
			turns = append(turns, turn{e.copy(), to, 0, true})
		case e.Firing() && e.AckAt.IsZero() && e.Level < len(p.Escalation):
			next := p.nextStep(e)
			if next < 0 {
				continue
			}
			step := p.Escalation[next]
			from, told := m.since[fp]
			if !told {
				// Nobody could be told yet: count from when it fired.
				from = time.Now().Add(-max(0, min(time.Since(e.Start), time.Since(m.started))))
			}
			if time.Since(from) >= time.Duration(step.After) {
				turns = append(turns, turn{e.copy(), step.Channels, next + 1, false})
			}
		}
	}
	m.mu.Unlock()
	for _, t := range turns {
		if !t.over && m.muted(ctx, &t.e) {
			// Waiting begins when it can be told again.
			m.mu.Lock()
			m.since[t.e.Fingerprint] = time.Now()
			m.mu.Unlock()
			continue
		}
		if m.setLevel(t.e.Fingerprint, t.level) {
			m.raise(ctx, &t.e, t.to, t.over)
		}
	}
}

// nextStep is the next step for an episode: steps for other severities are
// passed over. -1: there is none.
func (p *Plan) nextStep(e *Episode) int {
	for i := e.Level; i < len(p.Escalation); i++ {
		if p.Escalation[i].covers(e.Severity()) {
			return i
		}
	}
	return -1
}

// Covered are the severities that a step is for.
func (s *Step) Covered() []string {
	if len(s.Severities) == 0 {
		return []string{"critical", "serious"}
	}
	return s.Severities
}

func (s *Step) covers(severity string) bool { return slices.Contains(s.Covered(), severity) }

// setLevel keeps how far an episode has been raised before anybody is told, so
// that a crash tells nobody twice.
func (m *Manager) setLevel(fp string, level int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.current[fp]
	if e == nil {
		return false
	}
	e.Level = level
	err := m.db.put(e)
	m.complain("write an escalation", err)
	return err == nil
}

func (m *Manager) raise(ctx context.Context, e *Episode, to []string, over bool) {
	msg := arrange(notify.Message{Group: "escalation/" + e.ID(), Host: m.o.Host, Link: m.o.ExternalURL + "/admin/alerts"}, []notify.Item{m.item(e)})
	kind := Told
	if !over {
		msg.Event, kind = notify.Escalated, Raised
		waited := time.Since(e.Start).Round(time.Minute)
		msg.Note = words.Of(sprint("It has fired for %s and nobody has acknowledged it.", waited), sprint("已触发 %s，仍无人确认。", waited))
	}
	m.tell(ctx, to, msg, kind)
}

// muted says that something keeps the messages about an alert back now.
func (m *Manager) muted(ctx context.Context, e *Episode) bool {
	v := m.view(ctx, e)
	return len(v.SilencedBy) > 0 || v.Inhibited || len(v.Quiet) > 0
}

// quietHours notices when quiet hours begin and end, and sends the digest.
func (m *Manager) quietHours(ctx context.Context) {
	now := time.Now()
	p := m.Plan()
	for i := range p.Quiet {
		q := &p.Quiet[i]
		began := m.db.blob("quiet", q.ID)
		switch in := q.Lasts(now); {
		case in && len(began) == 0:
			m.complain("keep the beginning of quiet hours", m.db.setBlob("quiet", q.ID, []byte(strconv.FormatInt(now.UnixMilli(), 10))))
		case !in && len(began) > 0:
			ms, err := strconv.ParseInt(string(began), 10, 64)
			m.complain("read the beginning of quiet hours", err)
			if err := m.db.setBlob("quiet", q.ID, nil); err != nil {
				m.complain("keep the end of quiet hours", err)
				continue
			}
			m.digest(ctx, p, q, time.UnixMilli(ms))
		}
	}
}

// digest tells what fired in quiet hours, also what is over.
func (m *Manager) digest(ctx context.Context, p Plan, q *Quiet, since time.Time) {
	for _, sev := range q.Severities {
		var items []notify.Item
		firing := 0
		err := m.db.walk(time.Time{}, func(e Episode) bool {
			if e.Start.Before(since) {
				return false
			}
			if e.Severity() == sev {
				items = append(items, m.item(&e))
				if e.Firing() {
					firing++
				}
			}
			return len(items) < 1000
		})
		m.complain("read what fired in quiet hours", err)
		if len(items) == 0 {
			continue
		}
		n := len(items)
		msg := arrange(notify.Message{Group: "quiet/" + q.ID + "/" + sev + "/" + since.UTC().Format(time.RFC3339), Host: m.o.Host, Link: m.o.ExternalURL + "/admin/alerts/history"}, items)
		msg.Event = notify.Digest
		msg.Title = words.Of(sprint("%d alerts in the quiet hours %q, %d still firing", n, q.Name, firing), sprint("静默时段“%s”内共 %d 条告警，%d 条仍在触发", q.Name, n, firing))
		m.tell(ctx, p.Routes[sev], msg, Told)
	}
}

func (m *Manager) heartbeat(ctx context.Context) {
	p := m.Plan().Heartbeat
	c, ok := m.book.Find(p.Channel)
	if !ok || c.Off {
		return
	}
	m.mu.Lock()
	due := m.beat.Tried.IsZero() || time.Since(m.beat.Tried) >= time.Duration(p.Every)
	if due {
		m.beat.Tried = time.Now()
	}
	n := m.firing()
	m.mu.Unlock()
	if !due {
		return
	}
	_, err := m.sender.Send(ctx, c, notify.Message{Event: "heartbeat", Severity: "warning", Group: "heartbeat", Host: m.o.Host, Receiver: c.Name, Link: m.o.ExternalURL + "/admin/alerts",
		Title: words.Of(sprint("%s is alive, %d alerts firing", m.o.Host, n), sprint("%s 运行正常，%d 条告警触发中", m.o.Host, n))})
	m.count.sent(c.Name, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beat.Error = words.Text{}
	if err != nil {
		m.beat.Error = notify.Why(err)
		return
	}
	m.beat.Sent = m.beat.Tried
}
