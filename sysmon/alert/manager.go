package alert

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"posthouse/sysmon/notify"
)

// Options make a Manager.
type Options struct {
	Host        string // how the box calls itself in messages
	ExternalURL string // address of the server without a slash at its end, for links
	// Post writes a message to a room of the chat as the box; nil: there is no chat.
	// It answers notify.ErrNobody while nobody has an account.
	Post func(ctx context.Context, room, text string) error
	// First is the channel that a box has from the start: while nobody has made
	// a channel or a plan, it is made and told of everything. No kind: none.
	First notify.Channel
	// Changed is told after anything in the lists changed; it does not block. May be nil.
	Changed   func()
	Retention time.Duration // of ended episodes; 0: 180 days
	Grace     time.Duration // how long what fired goes on firing after a restart; 0: 5 min
	Resolve   time.Duration // how long an alert without an end is believed; 0: 5 min
	Tick      time.Duration // of the loop; 0: 5 s
	Timeout   time.Duration // of one message through one channel; 0: 15 s
	MaxActive int           // alerts that fire at once; 0: 10,000
	Log       *slog.Logger  // nil: discarded
}

func (o *Options) fill() {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&o.Retention, 180*24*time.Hour)
	set(&o.Grace, 5*time.Minute)
	set(&o.Resolve, 5*time.Minute)
	set(&o.Tick, 5*time.Second)
	if o.MaxActive == 0 {
		o.MaxActive = 10_000
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Manager is the part of the box that tells people. Its methods may be called
// by many at once.
type Manager struct {
	o      Options
	dir    string
	db     *db
	book   *notify.Book
	sender *notify.Sender
	ledger *ledger
	count  *counters

	alerts   *mem.Alerts
	silences *silence.Silences
	silencer *silence.Silencer
	groups   marker.GroupMarker
	pipeline *amnotify.PipelineBuilder

	stop    context.CancelFunc
	ctx     context.Context
	wg      sync.WaitGroup
	started time.Time

	engineMu sync.Mutex   // one change of the plan at a time
	silMu    sync.Mutex   // a silence and its snapshot
	flights  sync.RWMutex // held for reading while a group is told
	taking   sync.Mutex   // what is taken is in current and in alerts, or in neither; before mu

	mu         sync.Mutex
	plan       Plan
	dispatcher *dispatch.Dispatcher
	inhibitor  *inhibit.Inhibitor
	current    map[string]*Episode  // by fingerprint: what fires, and what ended a while ago
	since      map[string]time.Time // by fingerprint: first told, on the monotonic clock
	buckets    map[string]*bucket   // by channel: the rate limit
	fellBack   map[string]time.Time // by group: when a room failed and the second channels were told
	beat       Beat
}

// Open reads dir, which is made when missing, and begins.
func Open(dir string, o Options) (*Manager, error) {
	o.fill()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of alerts: %w", err)
	}
	plan, err := readPlan(dir)
	if err != nil {
		return nil, err
	}
	book, err := notify.OpenBook(dir)
	if err != nil {
		return nil, err
	}
	d, err := openDB(filepath.Join(dir, dbFile))
	if err != nil {
		return nil, err
	}
	m := &Manager{o: o, dir: dir, db: d, book: book, plan: plan, count: newCounters(), groups: marker.NewGroupMarker(), started: time.Now(),
		sender:  notify.New(notify.Options{Host: o.Host, Link: o.ExternalURL, Timeout: o.Timeout, Room: o.Post}),
		current: map[string]*Episode{}, since: map[string]time.Time{}, buckets: map[string]*bucket{}, fellBack: map[string]time.Time{}}
	m.ctx, m.stop = context.WithCancel(context.Background())
	if err := m.open(); err != nil {
		m.stop()
		return nil, errors.Join(err, d.b.Close())
	}
	return m, nil
}

func (m *Manager) open() error {
	reg := prometheus.NewRegistry()
	err := m.first()
	if err != nil {
		return err
	}
	if m.ledger, err = openLedger(m.db); err != nil {
		return err
	}
	if err := m.openSilences(reg); err != nil {
		return err
	}
	m.alerts, err = mem.NewAlerts(m.ctx, time.Minute, 0, nil, m.o.Log, eventrecorder.NopRecorder(), reg, featurecontrol.NoopFlags{})
	if err != nil {
		return fmt.Errorf("make the set of alerts: %w", err)
	}
	m.pipeline = amnotify.NewPipelineBuilder(reg, featurecontrol.NoopFlags{}, eventrecorder.NopRecorder())
	if err := m.restore(); err != nil {
		m.alerts.Close()
		return err
	}
	if err := m.begin(m.plan); err != nil {
		m.alerts.Close()
		return err
	}
	m.wg.Add(2)
	go m.loop()
	go m.beats()
	return nil
}

// first makes the channel of the beginning, and the plan that leads to it. A
// crash between the two is mended by the next start.
func (m *Manager) first() error {
	if m.o.First.Kind == "" || planned(m.dir) {
		return nil
	}
	if m.book.Fresh() {
		if _, err := m.book.Save(m.o.First); err != nil {
			return fmt.Errorf("make the first channel: %w", err)
		}
	}
	list := m.book.List()
	if len(list) != 1 || list[0].Kind != m.o.First.Kind || !maps.Equal(list[0].Settings, m.o.First.Settings) {
		return nil
	}
	for _, s := range Severities() {
		m.plan.Routes[s] = []string{list[0].ID}
	}
	return writePlan(m.dir, m.plan)
}

// kept is how long an ended episode stays at hand so that its end can be told.
const kept = 2 * time.Hour

// restore puts back what fired when the server stopped, and what ended shortly
// before: the notification log knows whether its end was told.
func (m *Manager) restore() error {
	now := time.Now()
	var list []*alert.Alert
	err := m.db.walk(time.Time{}, func(e Episode) bool {
		if e.Firing() || now.Sub(e.End) < kept {
			if _, later := m.current[e.Fingerprint]; !later {
				m.current[e.Fingerprint] = &e
				list = append(list, m.revive(&e, now))
				m.rewithhold(&e)
			}
		}
		// Episodes are in order of their start, and one may fire for long.
		return true
	})
	if err != nil {
		return err
	}
	if err := m.alerts.Put(m.ctx, list...); err != nil {
		return fmt.Errorf("put back what fired: %w", err)
	}
	return nil
}

func (m *Manager) revive(e *Episode, now time.Time) *alert.Alert {
	a := &alert.Alert{Alert: model.Alert{Labels: labelSet(e.Labels), Annotations: labelSet(e.Annotations), StartsAt: e.Start, EndsAt: e.End, GeneratorURL: e.Source}, UpdatedAt: now}
	if e.Firing() {
		a.EndsAt, a.Timeout = now.Add(m.o.Grace), true
		if told := e.FirstTold; !told.IsZero() {
			m.since[e.Fingerprint] = now.Add(-max(0, now.Sub(told)))
		}
	}
	return a
}

func labelSet(l map[string]string) model.LabelSet {
	out := make(model.LabelSet, len(l))
	for k, v := range l {
		out[model.LabelName(k)] = model.LabelValue(v)
	}
	return out
}

// Close stops telling, and keeps what there is. It waits for messages that are
// under way at most until their timeout.
func (m *Manager) Close() error {
	m.stop()
	m.engineMu.Lock()
	defer m.engineMu.Unlock()
	m.end()
	m.alerts.Close()
	m.wg.Wait()
	if err := m.db.b.Close(); err != nil {
		return fmt.Errorf("close alerts: %w", err)
	}
	return nil
}

// Incoming is an alert as a rule or a foreign sender tells it.
type Incoming struct {
	Labels      map[string]string
	Annotations map[string]string
	Start       time.Time // zero: now
	End         time.Time // past: it is over; future: until when to believe it; zero: Options.Resolve from now
	Source      string    // where it is from, a URL; may be empty; left out above 16 KiB
}

// maxBelief is how far in the future an end is believed.
const maxBelief = 8 * 24 * time.Hour

// Receive takes alerts. What began is in the file when it returns. Bad alerts
// are left out and counted in the error, good ones are taken all the same.
func (m *Manager) Receive(ctx context.Context, list []Incoming) error {
	now := time.Now()
	var put []*alert.Alert
	var write []*Episode
	var bad int
	var why error
	m.taking.Lock()
	defer m.taking.Unlock()
	m.mu.Lock()
	room := m.o.MaxActive - m.firing()
	for i := range list {
		a, err := m.accept(&list[i], now)
		if err != nil {
			bad, why = bad+1, err
			continue
		}
		e, changed := m.follow(&list[i], a, now, room)
		switch {
		case e == nil:
			m.count.add("posthouse_alerts_refused_total", "", "", 1)
			bad, why = bad+1, fmt.Errorf("already %d alerts fire", m.o.MaxActive)
		case changed:
			write = append(write, e)
			put = append(put, a)
			if e.Firing() {
				room--
			}
		case e.Firing():
			put = append(put, a)
		}
	}
	err := m.db.put(write...)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	if err := m.alerts.Put(ctx, put...); err != nil {
		return fmt.Errorf("take alerts: %w", err)
	}
	if len(write) > 0 {
		m.o.Changed()
	}
	if bad > 0 {
		return &NotTaken{Bad: bad, Of: len(list), Why: why}
	}
	return nil
}

// NotTaken says that some alerts of a list were refused; the others were taken.
type NotTaken struct {
	Bad, Of int
	Why     error // of the last
}

func (n *NotTaken) Error() string {
	return fmt.Sprintf("%d of %d alerts were not taken: %v", n.Bad, n.Of, n.Why)
}

// Unwrap gives the reason.
func (n *NotTaken) Unwrap() error { return n.Why }

// accept checks an alert and puts its times on the monotonic clock.
func (m *Manager) accept(in *Incoming, now time.Time) (*alert.Alert, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if len(in.Source) > maxSource { // a Prometheus puts the whole expression in
		in.Source = ""
	}
	a := &alert.Alert{Alert: model.Alert{Labels: labelSet(in.Labels), Annotations: labelSet(in.Annotations), StartsAt: in.Start, EndsAt: in.End, GeneratorURL: in.Source}, UpdatedAt: now}
	if a.StartsAt.Unix() < 0 || a.StartsAt.After(now) { // keys are ordered from 1970
		a.StartsAt = now.Truncate(time.Millisecond)
	}
	switch left := in.End.Sub(now); {
	case in.End.IsZero():
		a.EndsAt, a.Timeout = now.Add(m.o.Resolve), true
	case left > 0:
		a.EndsAt = now.Add(min(left, maxBelief))
	case in.End.Before(a.StartsAt):
		a.EndsAt = a.StartsAt
	}
	return a, nil
}

// follow keeps the episode of an alert in step, and says whether it is to be
// written. Nil: too many fire. The caller holds mu.
func (m *Manager) follow(in *Incoming, a *alert.Alert, now time.Time, room int) (*Episode, bool) {
	fp := a.Fingerprint().String()
	e := m.current[fp]
	over := !in.End.IsZero() && !a.EndsAt.After(now)
	switch {
	case over && e == nil:
		return &Episode{End: now}, false // known to nobody: nobody needs to hear
	case over && !e.Firing():
		return e, false
	case over && in.End.Before(e.Start) && in.Start.Unix() > 0 && in.Start.Before(e.Start):
		return &Episode{End: now}, false // the end of an earlier time, come late
	case over:
		m.finish(e, a.EndsAt)
		return e, true
	case e != nil && e.Firing():
		e.Annotations, e.Source = in.Annotations, in.Source // the value of now
		return e, false
	case room <= 0:
		return nil, false
	}
	if e != nil && !a.StartsAt.After(e.End) {
		a.StartsAt = now.Truncate(time.Millisecond) // it does not begin before the last one ended
	}
	e = &Episode{Fingerprint: fp, Labels: in.Labels, Annotations: in.Annotations, Source: in.Source, Start: a.StartsAt.Round(0)}
	e.add(Event{At: now.Round(0), Kind: Fired})
	m.current[fp] = e
	return e, true
}

func (m *Manager) firing() int {
	n := 0
	for _, e := range m.current {
		if e.Firing() {
			n++
		}
	}
	return n
}

// finish ends an episode. The caller holds mu.
func (m *Manager) finish(e *Episode, at time.Time) {
	if at.Before(e.Start) { // by the clock of a sender
		at = e.Start
	}
	e.End = at.Round(0)
	e.add(Event{At: e.End, Kind: Ended})
	delete(m.since, e.Fingerprint)
}

// Channels gives the channels as pages may show them, without secrets.
func (m *Manager) Channels() []notify.Channel {
	list := m.book.List()
	for i := range list {
		list[i] = list[i].Masked()
	}
	return list
}

// SaveChannel adds (ID empty) or changes a channel. Its error is a
// *notify.Invalid, or the disk's.
func (m *Manager) SaveChannel(c notify.Channel) (notify.Channel, error) {
	kept, err := m.book.Save(c)
	if err != nil {
		return c, err
	}
	return kept.Masked(), m.reload()
}

// TestChannel sends a test through a channel as given: masked secrets are those
// that are kept. The answer is the other side's.
func (m *Manager) TestChannel(ctx context.Context, c notify.Channel) (string, error) {
	if old, ok := m.book.Find(c.ID); ok {
		c = c.Merge(old)
	}
	answer, err := m.sender.Test(ctx, c)
	m.count.sent(c.Name, err)
	return answer, err
}

// RemoveChannel removes a channel, also from the plan.
func (m *Manager) RemoveChannel(id string) error {
	p := m.Plan()
	drop := func(list []string) []string {
		var out []string
		for _, v := range list {
			if v != id {
				out = append(out, v)
			}
		}
		return out
	}
	for s, list := range p.Routes {
		p.Routes[s] = drop(list)
	}
	p.Second = drop(p.Second)
	var steps []Step
	for _, s := range p.Escalation {
		if s.Channels = drop(s.Channels); len(s.Channels) > 0 {
			steps = append(steps, s)
		}
	}
	p.Escalation = steps
	if p.Heartbeat.Channel == id {
		p.Heartbeat.Channel = ""
	}
	if err := m.SetPlan(p); err != nil {
		return err
	}
	if err := m.book.Remove(id); err != nil {
		return err
	}
	return m.reload()
}

// Plan gives a copy of the plan.
func (m *Manager) Plan() Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.plan
	p.Routes = map[string][]string{}
	for s, list := range m.plan.Routes {
		p.Routes[s] = append([]string(nil), list...)
	}
	p.Second = append([]string(nil), p.Second...)
	p.Quiet = append([]Quiet(nil), p.Quiet...)
	p.Escalation = append([]Step(nil), p.Escalation...)
	p.Inhibit = append([]Inhibit(nil), p.Inhibit...)
	return p
}

// SetPlan checks, keeps and follows a new plan. Quiet hours without an id get
// one. Its error is a
// *notify.Invalid, or the disk's; then the old plan goes on.
func (m *Manager) SetPlan(p Plan) error {
	for i := range p.Quiet {
		if p.Quiet[i].ID == "" {
			p.Quiet[i].ID = "q" + rand.Text()
		}
	}
	if err := p.Check(m.book.List()); err != nil {
		return err
	}
	m.engineMu.Lock()
	defer m.engineMu.Unlock()
	if m.ctx.Err() != nil {
		return fs.ErrClosed
	}
	if err := writePlan(m.dir, p); err != nil {
		return err
	}
	m.mu.Lock()
	m.plan = p
	m.mu.Unlock()
	return m.restart(p)
}

// reload makes a change of the channels count: which of them can stand in for
// the chat is decided when the routes are made.
func (m *Manager) reload() error {
	m.engineMu.Lock()
	defer m.engineMu.Unlock()
	if m.ctx.Err() != nil {
		return fs.ErrClosed
	}
	return m.restart(m.Plan())
}

func (m *Manager) restart(p Plan) error {
	m.end()
	err := m.begin(p)
	m.o.Changed()
	return err
}
