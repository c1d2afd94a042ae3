package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// ErrGone says that no such alert fires or fired lately.
var ErrGone = errors.New("there is no such alert now")

// change alters the current episode of an alert and adds an event to it.
func (m *Manager) change(fp string, v Event, f func(*Episode) error) (Episode, error) {
	defer m.o.Changed() // after the lock is given back
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.current[fp]
	if e == nil {
		return Episode{}, ErrGone
	}
	next := e.copy()
	if err := f(&next); err != nil {
		return Episode{}, err
	}
	v.At = time.Now().Round(0)
	next.add(v)
	if err := m.db.put(&next); err != nil {
		return Episode{}, err
	}
	*e = next
	return next.copy(), nil
}

// Ack says that somebody takes care: no repetition, no escalation. It errs
// with ErrGone.
func (m *Manager) Ack(fp, who string) error {
	e, err := m.change(fp, Event{Kind: Acknowledged, Who: who}, func(e *Episode) error {
		if !e.Firing() {
			return invalid("", "the alert is over already", "该告警已经恢复")
		}
		if !e.AckAt.IsZero() {
			return invalid("", "%s has acknowledged it already", "%s 已经确认过", e.AckBy)
		}
		e.AckBy, e.AckAt = who, time.Now().Round(0)
		return nil
	})
	if err != nil {
		return err
	}
	m.wg.Add(1)
	go m.tellAck(e)
	return nil
}

// tellAck tells the channels that keep a state of their own.
func (m *Manager) tellAck(e Episode) {
	defer m.wg.Done()
	for _, id := range m.Plan().Routes[e.Severity()] {
		c, ok := m.book.Find(id)
		if k, _ := notify.KindOf(c.Kind); ok && k.Ack && !c.Off {
			msg := arrange(notify.Message{Group: "ack/" + e.ID(), Host: m.o.Host, Link: m.o.ExternalURL + "/admin/alerts"}, []notify.Item{m.item(&e)})
			msg.Event = notify.Acknowledge
			_ = m.deliver(m.ctx, c, msg, Told) // its outcome is in the timeline
		}
	}
}

// Unack takes an acknowledgement back; escalation begins anew.
func (m *Manager) Unack(fp, who string) error {
	_, err := m.change(fp, Event{Kind: Unacked, Who: who}, func(e *Episode) error {
		if e.AckAt.IsZero() {
			return invalid("", "nobody has acknowledged it", "还没有人确认")
		}
		e.AckBy, e.AckAt = "", time.Time{}
		m.since[fp] = time.Now()
		return nil
	})
	return err
}

// Assign says who takes care; empty: nobody in particular.
func (m *Manager) Assign(fp, who, to string) error {
	_, err := m.change(fp, Event{Kind: Assigned, Who: who, Object: to}, func(e *Episode) error {
		if len(to) > 200 {
			return invalid("assignee", "that name is too long", "名称过长")
		}
		e.Assignee = to
		return nil
	})
	return err
}

// Comment adds words to the timeline.
func (m *Manager) Comment(fp, who, text string) error {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxComment || !utf8.ValidString(text) {
		return invalid("text", "a comment has 1 to %d bytes", "评论长度为 1 到 %d 字节", maxComment)
	}
	_, err := m.change(fp, Event{Kind: Commented, Who: who, Text: text}, func(*Episode) error { return nil })
	return err
}

// Note adds what a step of a runbook did to the timeline; who is empty when it
// ran by itself.
func (m *Manager) Note(fp, who string, did words.Text) error {
	_, err := m.change(fp, Event{Kind: Action, Who: who, Text: did.EN, ZH: did.ZH}, func(*Episode) error { return nil })
	return err
}

// Silence keeps messages about what its matchers match back until its end.
type Silence struct {
	ID       string
	Matchers []string // as instance="box1"
	Start    time.Time
	End      time.Time
	Author   string
	Reason   string
	State    string // pending, active, expired
	Affects  int    // alerts that fire and match; of an active one
}

const maxSilences = 1000

func (m *Manager) openSilences(reg prometheus.Registerer) error {
	s, err := silence.New(silence.Options{SnapshotReader: bytes.NewReader(m.db.blob("engine", "silences")), Retention: m.o.Retention, Logger: m.o.Log, Metrics: reg,
		EventRecorder: eventrecorder.NopRecorder(),
		Limits:        silence.Limits{MaxSilences: func() int { return maxSilences }, MaxSilenceSizeBytes: func() int { return 32 << 10 }}})
	if err != nil {
		return fmt.Errorf("open silences: %w", err)
	}
	m.silences, m.silencer = s, silence.NewSilencer(s, m.o.Log, eventrecorder.NopRecorder())
	return nil
}

func (m *Manager) saveSilences() error {
	raw, err := m.silences.MarshalBinary()
	if err != nil {
		return fmt.Errorf("read silences: %w", err)
	}
	return m.db.setBlob("engine", "silences", append([]byte{}, raw...))
}

func (m *Manager) sweepSilences() error {
	m.silMu.Lock()
	defer m.silMu.Unlock()
	if n, err := m.silences.GC(); err != nil || n == 0 {
		return err
	}
	return m.saveSilences()
}

// Silence makes one and returns its id. Start zero: now. Its error is a
// *notify.Invalid, or the disk's.
func (m *Manager) Silence(ctx context.Context, s Silence) (string, error) {
	ms, err := matchers(s.Matchers)
	if err != nil {
		return "", err
	}
	now := time.Now()
	switch {
	case len(ms) == 0:
		return "", invalid("matchers", "say which alerts: at least one matcher", "请指明告警：至少一个匹配条件")
	case strings.TrimSpace(s.Reason) == "" || len(s.Reason) > maxComment:
		return "", invalid("reason", "say why", "请填写原因")
	case !s.End.After(now) || s.End.Sub(now) > 366*24*time.Hour:
		return "", invalid("end", "the end is in the future, within a year", "结束时间应在未来一年之内")
	case !s.Start.IsZero() && !s.Start.Before(s.End):
		return "", invalid("start", "it begins before it ends", "开始时间应早于结束时间")
	}
	p := &silencepb.Silence{EndsAt: timestamppb.New(s.End), CreatedBy: s.Author, Comment: s.Reason, MatcherSets: []*silencepb.MatcherSet{{}}}
	if !s.Start.IsZero() {
		p.StartsAt = timestamppb.New(s.Start)
	}
	for _, x := range ms {
		p.MatcherSets[0].Matchers = append(p.MatcherSets[0].Matchers, &silencepb.Matcher{Type: matchType(x.Type), Name: x.Name, Pattern: x.Value})
	}
	m.silMu.Lock()
	defer m.silMu.Unlock()
	if err := m.silences.Set(ctx, p); err != nil {
		return "", invalid("matchers", "not taken: %s", "未被接受：%s", err)
	}
	if err := m.saveSilences(); err != nil {
		return "", err
	}
	for _, e := range m.firingNow() {
		if ms.Matches(labelSet(e.Labels)) && !s.Start.After(now) {
			if _, err := m.change(e.Fingerprint, Event{Kind: Silenced, Who: s.Author, Text: s.Reason}, func(*Episode) error { return nil }); err != nil && !errors.Is(err, ErrGone) {
				return p.Id, err
			}
		}
	}
	m.o.Changed()
	return p.Id, nil
}

// Matching are the alerts that fire now and that matchers match. Its error is
// a *notify.Invalid.
func (m *Manager) Matching(list []string) ([]Episode, error) {
	ms, err := matchers(list)
	if err != nil {
		return nil, err
	}
	if len(ms) == 0 {
		return nil, invalid("matchers", "say which alerts: at least one matcher", "请指明告警：至少一个匹配条件")
	}
	var out []Episode
	for _, e := range m.firingNow() {
		if ms.Matches(labelSet(e.Labels)) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Episode) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return out, nil
}

func matchType(t labels.MatchType) silencepb.Matcher_Type {
	switch t {
	case labels.MatchNotEqual:
		return silencepb.Matcher_NOT_EQUAL
	case labels.MatchRegexp:
		return silencepb.Matcher_REGEXP
	case labels.MatchNotRegexp:
		return silencepb.Matcher_NOT_REGEXP
	}
	return silencepb.Matcher_EQUAL
}

// Expire ends a silence now.
func (m *Manager) Expire(ctx context.Context, id string) error {
	m.silMu.Lock()
	defer m.silMu.Unlock()
	if err := m.silences.Expire(ctx, id); err != nil {
		return invalid("id", "the silence is gone", "该静默已不存在")
	}
	if s, err := m.silences.QueryOne(ctx, silence.QIDs(id)); err == nil && s.EndsAt.AsTime().After(time.Now().Add(time.Second)) {
		return invalid("id", "the clock went back since the silence was made: it ends at %s", "静默创建后时钟被调回，它将在 %s 结束", s.EndsAt.AsTime().Format(time.RFC3339))
	}
	err := m.saveSilences()
	m.o.Changed()
	return err
}

// Silences lists those that are active or to come, then those that are over,
// the newest first.
func (m *Manager) Silences(ctx context.Context) ([]Silence, error) {
	list, _, err := m.silences.Query(ctx)
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	firing, now := m.firingNow(), time.Now()
	var out []Silence
	for _, p := range list {
		s := Silence{ID: p.Id, Start: p.StartsAt.AsTime(), End: p.EndsAt.AsTime(), Author: p.CreatedBy, Reason: p.Comment, State: "active"}
		var ms labels.Matchers
		for _, set := range p.MatcherSets {
			for _, x := range set.Matchers {
				if l, err := labels.NewMatcher(labels.MatchType(ourType(x.Type)), x.Name, x.Pattern); err == nil {
					ms, s.Matchers = append(ms, l), append(s.Matchers, l.String())
				}
			}
		}
		switch {
		case !s.End.After(now):
			s.State = "expired"
		case s.Start.After(now):
			s.State = "pending"
		default:
			for _, e := range firing {
				if ms.Matches(labelSet(e.Labels)) {
					s.Affects++
				}
			}
		}
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i].State == "expired", out[j].State == "expired"
		if a != b {
			return b
		}
		return out[i].End.After(out[j].End)
	})
	return out, nil
}

func ourType(t silencepb.Matcher_Type) labels.MatchType {
	switch t {
	case silencepb.Matcher_NOT_EQUAL:
		return labels.MatchNotEqual
	case silencepb.Matcher_REGEXP:
		return labels.MatchRegexp
	case silencepb.Matcher_NOT_REGEXP:
		return labels.MatchNotRegexp
	}
	return labels.MatchEqual
}
