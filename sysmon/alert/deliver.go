package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// bucket is the rate limit of a channel: a token a message, filled at its rate
// an hour.
type bucket struct {
	tokens  float64
	at      time.Time
	waiting []notify.Item // withheld, the newest maxItems
	more    int           // withheld beyond those
}

// take uses a token. The last fifth is for critical messages.
func (b *bucket) take(perHour int, critical bool, now time.Time) bool {
	full := float64(perHour)
	b.tokens = min(full, b.tokens+now.Sub(b.at).Hours()*full)
	b.at = now
	floor := full / 5
	if critical || full < 5 {
		floor = 0
	}
	if b.tokens-1 < floor {
		return false
	}
	b.tokens--
	return true
}

func limit(c notify.Channel) int {
	if c.PerHour > 0 {
		return c.PerHour
	}
	return notify.DefaultPerHour
}

// bucketOf finds or makes a channel's. The caller holds mu.
func (m *Manager) bucketOf(c notify.Channel) *bucket {
	b := m.buckets[c.ID]
	if b == nil {
		b = &bucket{tokens: float64(limit(c)), at: time.Now()}
		m.buckets[c.ID] = b
	}
	return b
}

// deliver sends through a channel within its rate and writes what became of it
// into the timelines. Withheld is no error; that nobody is there yet is one, and
// nothing becomes of it.
func (m *Manager) deliver(ctx context.Context, c notify.Channel, msg notify.Message, kind string) error {
	m.mu.Lock()
	b := m.bucketOf(c)
	ok := b.take(limit(c), msg.Severity == "critical", time.Now())
	if !ok {
		b.waiting = append(b.waiting, msg.Items...)
		if over := len(b.waiting) - maxItems; over > 0 {
			b.waiting, b.more = b.waiting[over:], b.more+over
		}
	}
	m.mu.Unlock()
	if !ok {
		m.count.add("posthouse_notifications_total", c.Name, "withheld", 1)
		return m.note(msg.Items, Event{At: time.Now(), Kind: Withheld, Object: c.Name})
	}
	_, err := m.sender.Send(ctx, c, msg)
	if errors.Is(err, notify.ErrNobody) { // every try counts for nothing until somebody is there
		m.mu.Lock()
		b.tokens++
		m.mu.Unlock()
		return err
	}
	m.count.sent(c.Name, err)
	if err != nil {
		m.o.Log.Warn("a notice was not delivered", "channel", c.Name, "err", err)
		why := notify.Why(err)
		if nerr := m.note(msg.Items, Event{At: time.Now(), Kind: NotTold, Object: c.Name, Text: why.EN, ZH: why.ZH}); nerr != nil {
			m.o.Log.Error("write the timeline of an alert", "err", nerr)
		}
		return err
	}
	return m.note(msg.Items, Event{At: time.Now(), Kind: kind, Object: c.Name})
}

// note adds an event to the episodes of a message.
func (m *Manager) note(items []notify.Item, v Event) error {
	v.At = v.At.Round(0)
	defer m.o.Changed() // after the lock is given back
	m.mu.Lock()
	defer m.mu.Unlock()
	var write []*Episode
	for _, it := range items {
		e := m.current[it.Fingerprint]
		if e == nil {
			continue
		}
		if (v.Kind == Told || v.Kind == Raised) && e.FirstTold.IsZero() {
			e.FirstTold = v.At
			m.since[e.Fingerprint] = time.Now()
		}
		e.add(v)
		write = append(write, e)
	}
	return m.db.put(write...)
}

// fallBackEvery is how often one group that cannot be posted to its room goes
// to the second channels.
const fallBackEvery = time.Hour

// fallBack tells the second channels what a room of the chat did not take.
func (m *Manager) fallBack(ctx context.Context, msg notify.Message, room string) {
	p := m.Plan()
	to := m.outside(p.Second)
	key := msg.Group + "/" + msg.Event
	m.mu.Lock()
	last, told := m.fellBack[key]
	if told && time.Since(last) < fallBackEvery || len(to) == 0 {
		m.mu.Unlock()
		return
	}
	m.fellBack[key] = time.Now()
	m.mu.Unlock()
	msg.Note = words.Of("The room "+room+" could not be posted to, so this comes here.", "无法发送到房间“"+room+"”，因此改由此渠道通知。")
	for _, id := range to {
		if c, ok := m.book.Find(id); ok {
			_ = m.deliver(ctx, c, msg, Told) // its outcome is in the timeline
		}
	}
}

// tell sends one message to several channels, around the groups.
func (m *Manager) tell(ctx context.Context, ids []string, msg notify.Message, kind string) {
	for _, id := range unique(ids) {
		c, ok := m.book.Find(id)
		if !ok || c.Off {
			continue
		}
		msg.Receiver = c.Name
		_ = m.deliver(ctx, c, msg, kind) // its outcome is in the timeline and the counters
	}
}

// flushWithheld sends a digest of what the rate limit kept back, once a
// channel has a token again.
func (m *Manager) flushWithheld(ctx context.Context) {
	for _, c := range m.book.List() {
		m.mu.Lock()
		b := m.bucketOf(c)
		if len(b.waiting) == 0 || !b.take(limit(c), false, time.Now()) {
			m.mu.Unlock()
			continue
		}
		items, more := b.waiting, b.more
		b.waiting, b.more = nil, 0
		m.mu.Unlock()
		msg := arrange(notify.Message{Group: "withheld/" + c.ID, Receiver: c.Name, Host: m.o.Host, Link: m.o.ExternalURL + "/admin/alerts"}, items)
		msg.Event, msg.More = notify.Digest, msg.More+more
		n := len(items) + more
		msg.Title = words.Of(sprint("%d notices were withheld by the rate limit", n), sprint("频率限制暂扣了 %d 条通知", n))
		_, err := m.sender.Send(ctx, c, msg)
		m.count.sent(c.Name, err)
		if err != nil {
			m.mu.Lock()
			b.waiting, b.more = append(items, b.waiting...), b.more+more
			m.mu.Unlock()
			continue
		}
		m.complain("write the timeline of alerts", m.note(items, Event{At: time.Now(), Kind: Told, Object: c.Name}))
	}
}

// rewithhold puts an alert back among what a channel has still to hear, when
// the server died before the digest.
func (m *Manager) rewithhold(e *Episode) {
	open := map[string]bool{}
	for _, v := range e.Events {
		if v.Kind == Withheld || v.Kind == Told {
			open[v.Object] = v.Kind == Withheld
		}
	}
	for _, c := range m.book.List() {
		if open[c.Name] {
			b := m.bucketOf(c)
			b.waiting = append(b.waiting, m.item(e))
		}
	}
}
