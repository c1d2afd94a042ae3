package rule

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// Options say what a Manager works on.
type Options struct {
	// Query evaluates a rule's expression at one time.
	Query rules.QueryFunc
	// Range evaluates an expression over a stretch of time; previews, bounds and
	// timelines are made with it.
	Range func(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error)
	// Queryable is where ALERTS_FOR_STATE is read from after a restart.
	Queryable storage.Queryable
	// Appendable takes ALERTS, ALERTS_FOR_STATE and what recording rules record.
	Appendable storage.Appendable
	// Notify is handed alerts that fire, still fire (once a minute) or were
	// resolved. It must not wait long: the rules of the group wait for it.
	Notify func(ctx context.Context, expr string, alerts ...*rules.Alert)
	// ExternalURL is the console's address as the people who are told can open
	// it, without a slash at the end; {{ $externalURL }} in annotations.
	ExternalURL string
	// Interval is how often rules are evaluated; 0 is 15 s.
	Interval time.Duration
	Logger   *slog.Logger     // nil: none
	Now      func() time.Time // nil: time.Now
}

// Manager evaluates rules and keeps the operator's changes to them. Its
// methods may be called from any goroutine.
type Manager struct {
	dir string
	o   Options

	edit sync.Mutex // one change of the directory at a time; taken before mu

	mu      sync.Mutex
	set     *set
	notes   map[string]note // by id
	present presence
	running *rules.Manager // nil before Run and after it
}

// Open reads the rules; nothing runs before Run. The directory is made when
// it is missing. Files that cannot be used do not stop it: Problems tells them.
func Open(dir string, o Options) (*Manager, error) {
	if o.Interval == 0 {
		o.Interval = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []string{dir, filepath.Join(dir, changedDir), filepath.Join(dir, historyDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("make the directory of rules: %w", err)
		}
	}
	s, err := load(dir, nil)
	if err != nil {
		return nil, err
	}
	return &Manager{dir: dir, o: o, set: s, notes: map[string]note{},
		present: presence{asked: map[string]time.Time{}, found: map[string]bool{}}}, nil
}

// How Prometheus's manager keeps the state of alerts over a restart.
const (
	outageTolerance = time.Hour        // an alert that was active before a longer stop begins anew
	graceAfterStart = 30 * time.Second // an alert restored as pending does not fire sooner
	resendDelay     = time.Minute
	lookEvery       = 30 * time.Second // at the directory
)

// Run evaluates the rules until ctx ends. It may be called once.
func (m *Manager) Run(ctx context.Context) error {
	evaluate, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	external, err := url.Parse(m.o.ExternalURL)
	if err != nil {
		return fmt.Errorf("read the console's address: %w", err)
	}
	pm := rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: model.UTF8Validation,
		ExternalURL:          external,
		QueryFunc:            m.o.Query,
		NotifyFunc:           m.notify,
		Context:              evaluate,
		Appendable:           m.o.Appendable,
		Queryable:            m.o.Queryable,
		Logger:               m.o.Logger,
		OutageTolerance:      outageTolerance,
		ForGracePeriod:       graceAfterStart,
		ResendDelay:          resendDelay,
		GroupLoader:          loader{m},
		Parser:               newParser(),
	})
	m.edit.Lock()
	m.mu.Lock()
	m.running = pm
	m.mu.Unlock()
	err = m.update()
	m.edit.Unlock()
	if err != nil {
		return err
	}
	var done sync.WaitGroup
	done.Go(pm.Run)
	m.lookAtDirectory(ctx)
	m.edit.Lock() // a change that is being made is finished first
	m.mu.Lock()
	m.running = nil
	m.mu.Unlock()
	m.edit.Unlock()
	pm.Stop()
	done.Wait()
	return nil
}

// lookAtDirectory takes up files that were changed by hand until ctx ends.
func (m *Manager) lookAtDirectory(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.mu.Lock()
			same := m.set.sign == signature(m.dir)
			m.mu.Unlock()
			if same {
				continue
			}
			if err := m.Reload(); err != nil {
				m.o.Logger.Error("rules were not read again", "err", err)
			}
		}
	}
}

// Reload reads the directory again and takes up what is good in it.
func (m *Manager) Reload() error {
	m.edit.Lock()
	defer m.edit.Unlock()
	return m.reload()
}

// reload is Reload for who holds the lock of changes.
func (m *Manager) reload() error {
	m.mu.Lock()
	before := m.set
	m.mu.Unlock()
	s, err := load(m.dir, before)
	if err != nil {
		return err
	}
	for _, p := range s.problems {
		m.o.Logger.Warn("rule file refused", "file", p.File, "line", p.Line, "reason", p.Reason.EN)
	}
	m.mu.Lock()
	m.set = s
	for id := range m.notes {
		if e := s.byID[id]; e == nil || e.disabled {
			delete(m.notes, id)
		}
	}
	m.mu.Unlock()
	return m.update()
}

// update hands the set to Prometheus's manager, which goes on with groups that
// did not change. The caller holds the lock of changes.
func (m *Manager) update() error {
	m.mu.Lock()
	pm := m.running
	var names []string
	for _, f := range m.set.files {
		names = append(names, f.name)
	}
	m.mu.Unlock()
	if pm == nil {
		return nil
	}
	if err := pm.Update(m.o.Interval, names, labels.EmptyLabels(), m.o.ExternalURL, m.iterate); err != nil {
		return fmt.Errorf("take up rules: %w", err)
	}
	return nil
}

// Problems lists the files that are refused now, and why.
func (m *Manager) Problems() []Problem {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Problem(nil), m.set.problems...)
}

// Groups are the groups that are evaluated, for who speaks Prometheus's API.
// Before Run there are none.
func (m *Manager) Groups() []*rules.Group {
	m.mu.Lock()
	pm := m.running
	m.mu.Unlock()
	if pm == nil {
		return nil
	}
	return pm.RuleGroups()
}

func (m *Manager) notify(ctx context.Context, expr string, alerts ...*rules.Alert) {
	if m.o.Notify != nil && len(alerts) > 0 {
		m.o.Notify(ctx, expr, alerts...)
	}
}

// loader gives Prometheus's manager the set instead of files.
type loader struct{ m *Manager }

// Load returns the groups of a file of the set, changes applied.
func (l loader) Load(name string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	f := l.m.set.file(name)
	if f == nil {
		return nil, []error{fmt.Errorf("load rules: no file %s", name)}
	}
	return f.groups, nil
}

// Parse reads an expression.
func (l loader) Parse(query string) (parser.Expr, error) { return newParser().ParseExpr(query) }

// note is what is known of a rule beside Prometheus's own state.
type note struct {
	state   State // NoData, Failed or empty
	missing []string
	since   time.Time
}

// iterate evaluates a group as Prometheus does, and then asks which of its
// rules had nothing to look at.
func (m *Manager) iterate(ctx context.Context, g *rules.Group, at time.Time) {
	rules.DefaultEvalIterationFunc(ctx, g, at)
	m.mu.Lock()
	ids := m.set.running(g.File(), g.Name())
	m.mu.Unlock()
	var samples []promql.Sample
	for i, r := range g.Rules() {
		if i >= len(ids) || ids[i].spec.Name() != r.Name() {
			break // the set was replaced meanwhile
		}
		n := note{}
		if r.Health() == rules.HealthBad {
			n.state = Failed
		} else if ar, ok := r.(*rules.AlertingRule); !ok || ar.State() == rules.StateInactive {
			if n.missing = ids[i].need.missing(func(metric string) bool { return m.has(ctx, metric, at) }); n.missing != nil {
				n.state = NoData
			}
		}
		samples = append(samples, m.take(ids[i], n, at)...)
	}
	m.append(ctx, samples)
}

// running lists the rules of a group in the order in which they are evaluated.
func (s *set) running(file, group string) []*entry {
	f := s.file(file)
	if f == nil {
		return nil
	}
	var out []*entry
	for _, e := range f.entries {
		if e.group == group && !e.disabled {
			out = append(out, e)
		}
	}
	return out
}

// stateMetric is the series that keeps for how long a rule had no data or an
// error: value 1 while it lasts.
const stateMetric = "posthouse_rule_state"

// take notes a rule's state and returns what is to be recorded of it.
func (m *Manager) take(e *entry, n note, at time.Time) []promql.Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.notes[e.id]
	n.since = before.since
	var out []promql.Sample
	if before.state != n.state {
		n.since = at
		if before.state != "" {
			out = append(out, promql.Sample{Metric: stateSeries(e, before.state), T: at.UnixMilli(), F: math.Float64frombits(value.StaleNaN)})
		}
	}
	m.notes[e.id] = n
	if n.state != "" {
		out = append(out, promql.Sample{Metric: stateSeries(e, n.state), T: at.UnixMilli(), F: 1})
	}
	return out
}

func stateSeries(e *entry, s State) labels.Labels {
	return labels.FromStrings(model.MetricNameLabel, stateMetric, "rule", e.id, "state", string(s))
}

// append records samples. What cannot be recorded is missing in the timeline
// and nowhere else.
func (m *Manager) append(ctx context.Context, samples []promql.Sample) {
	if len(samples) == 0 || m.o.Appendable == nil {
		return
	}
	app := m.o.Appendable.Appender(ctx)
	for _, s := range samples {
		if _, err := app.Append(0, s.Metric, s.T, s.F); err != nil {
			m.o.Logger.Debug("state of a rule not recorded", "series", s.Metric.String(), "err", err)
		}
	}
	if err := app.Commit(); err != nil {
		m.o.Logger.Warn("states of rules not recorded", "err", err)
	}
}
