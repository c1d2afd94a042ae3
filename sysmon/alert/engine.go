package alert

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// patients are the values of the label subject for which the second channels
// are told too.
const patients = "chat|storage"

// nobody is the receiver of the root of the routes, which nothing reaches.
const nobody = "nobody"

func matchers(list []string) (labels.Matchers, error) {
	var out labels.Matchers
	for _, s := range list {
		ms, err := labels.ParseMatchers(s)
		if err != nil || len(ms) == 0 {
			return nil, invalid("matcher", "%q is no matcher: write it like instance=\"box1\" or alertname=~\"High.*\"", "%q 不是匹配条件：请写作 instance=\"box1\" 或 alertname=~\"High.*\"", s)
		}
		out = append(out, ms...)
	}
	return out, nil
}

func (p *Plan) inhibitRules() ([]amcommon.InhibitRule, error) {
	var out []amcommon.InhibitRule
	for _, r := range p.Inhibit {
		src, err := matchers(r.Source)
		if err != nil {
			return nil, err
		}
		dst, err := matchers(r.Target)
		if err != nil {
			return nil, err
		}
		if len(src) == 0 || len(dst) == 0 {
			return nil, invalid("inhibit", "an inhibition needs a source and a target", "抑制规则需要来源和目标")
		}
		out = append(out, amcommon.InhibitRule{SourceMatchers: amcommon.Matchers(src), TargetMatchers: amcommon.Matchers(dst), Equal: r.Equal})
	}
	return out, nil
}

// route is the plan as Alertmanager's tree: a branch for each severity, the
// last one for what has none of the three, each with a twig for what is about
// the chat.
func (p *Plan) route() (*config.Route, error) {
	wait, between, repeat := model.Duration(p.Wait), model.Duration(p.Between), model.Duration(p.Repeat)
	root := &config.Route{Receiver: nobody, GroupWait: &wait, GroupInterval: &between, RepeatInterval: &repeat, GroupBy: []model.LabelName{}}
	for _, l := range p.GroupBy {
		root.GroupBy = append(root.GroupBy, model.LabelName(l))
	}
	chat, err := labels.NewMatcher(labels.MatchRegexp, "subject", patients)
	if err != nil {
		return nil, err
	}
	for _, sev := range Severities() {
		var quiet []string
		for i := range p.Quiet {
			if p.Quiet[i].covers(sev) {
				quiet = append(quiet, p.Quiet[i].ID)
			}
		}
		r := &config.Route{Receiver: sev, MuteTimeIntervals: quiet}
		if sev != "warning" {
			is, err := labels.NewMatcher(labels.MatchEqual, "severity", sev)
			if err != nil {
				return nil, err
			}
			r.Matchers = amcommon.Matchers{is}
		}
		r.Routes = []*config.Route{{Receiver: sev + "/chat", Matchers: amcommon.Matchers{chat}, MuteTimeIntervals: quiet}}
		root.Routes = append(root.Routes, r)
	}
	return root, nil
}

// begin starts the parts that depend on the plan, as Alertmanager does at a
// reload: the inhibitor first, so that nothing is told that it mutes.
func (m *Manager) begin(p Plan) error {
	rules, err := p.inhibitRules()
	if err != nil {
		return err
	}
	conf, err := p.route()
	if err != nil {
		return err
	}
	quiet := map[string][]timeinterval.TimeInterval{}
	for i := range p.Quiet {
		if quiet[p.Quiet[i].ID], err = p.Quiet[i].intervals(); err != nil {
			return err
		}
	}
	log, rec := m.o.Log, eventrecorder.NopRecorder()
	inhibitor := inhibit.NewInhibitor(m.alerts, rules, log, rec)
	receivers := map[string][]amnotify.Integration{nobody: nil}
	for _, sev := range Severities() {
		receivers[sev] = m.integrations(sev, p.Routes[sev])
		receivers[sev+"/chat"] = m.integrations(sev+"/chat", m.forPatient(p, sev))
	}
	pipeline := m.pipeline.New(receivers, func() time.Duration { return 0 }, inhibitor, m.silencer, timeinterval.NewIntervener(quiet), m.groups, m.ledger, nil)
	stage := amnotify.StageFunc(func(ctx context.Context, l *slog.Logger, list ...*alert.Alert) (context.Context, []*alert.Alert, error) {
		m.flights.RLock()
		defer m.flights.RUnlock()
		return pipeline.Exec(ctx, l, list...)
	})
	timeout := func(d time.Duration) time.Duration { return max(d, amnotify.MinTimeout) }
	dispatcher := dispatch.NewDispatcher(m.alerts, dispatch.NewRoute(conf, nil), stage, m.groups, timeout, 30*time.Second, nil, log, rec, nil, nil)
	go inhibitor.Run()
	inhibitor.WaitForLoading()
	go dispatcher.Run(m.started)
	dispatcher.WaitForLoading()
	m.mu.Lock()
	m.inhibitor, m.dispatcher = inhibitor, dispatcher
	m.mu.Unlock()
	return nil
}

func (m *Manager) end() {
	m.mu.Lock()
	i, d := m.inhibitor, m.dispatcher
	m.mu.Unlock()
	if d != nil {
		d.Stop()
		i.Stop()
		// What is under way ends and is logged, so that it is not told again.
		m.flights.Lock()
		defer m.flights.Unlock()
	}
}

// forPatient are the channels for an alert about the chat: those of its
// severity and the second ones; when all of them are rooms, every other too.
func (m *Manager) forPatient(p Plan, sev string) []string {
	list := append(append([]string(nil), p.Routes[sev]...), p.Second...)
	if len(p.Routes[sev]) == 0 {
		return nil // nobody wants to hear of this severity
	}
	others := m.outside(list)
	if len(others) > 0 {
		return unique(list)
	}
	var all []string
	for _, c := range m.book.List() {
		all = append(all, c.ID)
	}
	return unique(append(list, m.outside(all)...))
}

// outside are those of the channels that work without the chat.
func (m *Manager) outside(ids []string) []string {
	var out []string
	for _, id := range ids {
		c, ok := m.book.Find(id)
		k, _ := notify.KindOf(c.Kind)
		if ok && !c.Off && !k.Chat {
			out = append(out, id)
		}
	}
	return out
}

func unique(list []string) []string {
	seen, out := map[string]bool{}, []string(nil)
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func (m *Manager) integrations(receiver string, ids []string) []amnotify.Integration {
	var out []amnotify.Integration
	for _, id := range unique(ids) {
		// The channel's id is its name in the notification log, its place in
		// the list is not: a changed order tells nothing twice.
		s := &sink{m: m, id: id}
		out = append(out, amnotify.NewIntegration(s, s, id, 0, receiver))
	}
	return out
}

// sink is a channel as Alertmanager's pipeline sees it.
type sink struct {
	m  *Manager
	id string
}

// SendResolved says whether ends are told.
func (s *sink) SendResolved() bool {
	c, ok := s.m.book.Find(s.id)
	return ok && !c.NoEnd
}

// Notify tells a group of alerts. It says whether to try again.
func (s *sink) Notify(ctx context.Context, list ...*alert.Alert) (bool, error) {
	c, ok := s.m.book.Find(s.id)
	if !ok || c.Off {
		return false, nil
	}
	if why, _ := amnotify.NotificationReason(ctx); why == amnotify.ReasonRepeatIntervalElapsed && s.m.allAcknowledged(list) {
		return false, nil
	}
	msg := s.m.message(ctx, c.Name, list)
	ctx = context.WithoutCancel(ctx) // Options.Timeout ends it; a change of the plan does not
	err := s.m.deliver(ctx, c, msg, Told)
	if err == nil {
		return false, nil
	}
	if k, _ := notify.KindOf(c.Kind); k.Chat {
		s.m.fallBack(ctx, msg, c.Name)
	}
	var f *notify.Failure
	return errors.As(err, &f) && f.Again, err
}

func (m *Manager) allAcknowledged(list []*alert.Alert) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range list {
		e := m.current[a.Fingerprint().String()]
		if !a.Resolved() && (e == nil || e.AckAt.IsZero()) {
			return false
		}
	}
	return true
}

// maxItems is how many alerts a message carries; the rest is counted.
const maxItems = 50

func (m *Manager) message(ctx context.Context, receiver string, list []*alert.Alert) notify.Message {
	key, _ := amnotify.GroupKey(ctx)
	group, _ := amnotify.GroupLabels(ctx)
	out := notify.Message{Group: key, Receiver: receiver, Host: m.o.Host, Link: m.o.ExternalURL + "/admin/alerts"}
	for k, v := range group {
		out.GroupBy = append(out.GroupBy, notify.Pair{Name: string(k), Value: string(v)})
	}
	sort.Slice(out.GroupBy, func(i, j int) bool { return out.GroupBy[i].Name < out.GroupBy[j].Name })
	var items []notify.Item
	for _, a := range list {
		items = append(items, m.item(episodeOf(a)))
	}
	return arrange(out, items)
}

func episodeOf(a *alert.Alert) *Episode {
	e := &Episode{Fingerprint: a.Fingerprint().String(), Labels: plain(a.Labels), Annotations: plain(a.Annotations), Source: a.GeneratorURL, Start: a.StartsAt.Round(0)}
	if a.Resolved() {
		e.End = a.EndsAt.Round(0)
	}
	return e
}

func plain(l model.LabelSet) map[string]string {
	out := make(map[string]string, len(l))
	for k, v := range l {
		out[string(k)] = string(v)
	}
	return out
}

func rank(severity string) int {
	for i, s := range Severities() {
		if s == severity {
			return i
		}
	}
	return len(Severities())
}

// arrange puts the gravest alert that fires first, and makes title and
// severity of it.
func arrange(msg notify.Message, items []notify.Item) notify.Message {
	sort.SliceStable(items, func(i, j int) bool {
		if items[i].Firing != items[j].Firing {
			return items[i].Firing
		}
		return rank(items[i].Severity) < rank(items[j].Severity)
	})
	msg.Event, msg.Severity = notify.Resolved, "warning"
	if len(items) > 0 {
		msg.Severity, msg.Title = items[0].Severity, items[0].Summary
		if items[0].Firing {
			msg.Event = notify.Firing
		}
		if n := len(items) - 1; n > 0 {
			msg.Title = words.Of(msg.Title.EN+sprint(" (and %d more)", n), msg.Title.ZH+sprint("（另有 %d 条）", n))
		}
	}
	if len(items) > maxItems {
		msg.More, items = len(items)-maxItems, items[:maxItems]
	}
	msg.Items = items
	return msg
}

// AlertPath is where the page of an alert stands below the server's address.
func AlertPath(fingerprint string) string { return "/admin/alerts/one?fp=" + fingerprint }

// item is an episode as a message carries it.
func (m *Manager) item(e *Episode) notify.Item {
	link := m.o.ExternalURL + AlertPath(e.Fingerprint)
	runbook := e.RunbookURL()
	if runbook == "" {
		runbook = link + "#runbook"
	}
	host := e.Labels["instance"]
	if host == "" {
		host = m.o.Host
	}
	return notify.Item{Fingerprint: e.Fingerprint, Name: e.Name(), Severity: e.Severity(), Firing: e.Firing(), Summary: e.Summary(), Details: e.Details(), Host: host,
		Value: e.Annotations["value"], Threshold: e.Annotations["threshold"], Since: e.Start, Ended: e.End, Link: link, Runbook: runbook, Source: e.Source,
		Labels: e.Labels, Annotations: e.Annotations}
}
