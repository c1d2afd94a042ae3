package sysmon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/expo"
	"posthouse/sysmon/health"
	"posthouse/sysmon/host"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/probe"
	"posthouse/sysmon/query"
	"posthouse/sysmon/remote"
	"posthouse/sysmon/rule"
	"posthouse/sysmon/runbook"
	"posthouse/sysmon/scrape"
	"posthouse/sysmon/store"
	"posthouse/sysmon/words"
)

// Options are what a Watch is made of.
type Options struct {
	Dir         string // watch, below DataDir
	DataDir     string
	Version     string
	HostName    string // label instance, and how messages call the box
	ExternalURL string // address of the server without a slash at its end, for links
	LinkMbit    int    // Mbit/s of network cards that do not say it; 0: not known

	Interval    time.Duration // of sampling and of rules
	Raw, Rollup time.Duration // how long samples are kept
	MaxSeries   int

	// RemoteURL is a receiver that gets every sample too, with the token that
	// RemoteToken, a file, holds. Empty: none.
	RemoteURL, RemoteToken string

	Sources  []scrape.Target // of the program's parts
	Families []expo.Family   // what they write

	Probe probe.Options // Dir and Log are filled in

	// Post writes to a room of the chat as the box; Operators writes to the
	// operators' room. Nil: there is no chat.
	Post      func(ctx context.Context, room, text string) error
	Operators func(ctx context.Context, text words.Text) error
	// FirstChannel is the channel that a box has from the start.
	FirstChannel notify.Channel

	Events     func(ctx context.Context, from, to time.Time) []health.Event
	Audit      func(ctx context.Context, e runbook.AuditEntry)
	Collectors map[string]runbook.Collector
	Deeds      map[string]runbook.Deed
	Checks     []checklist.Check
	// Changed is told after the lists of alerts changed; it does not block.
	Changed func()
	Log     *slog.Logger
}

// Watch is everything that watches. Its parts may be used between Open and
// Close.
type Watch struct {
	Host    *host.Host
	Store   *store.Store
	Query   *query.Engine
	Scraper *scrape.Scraper
	Rules   *rule.Manager
	Alerts  *alert.Manager
	Health  *health.Health
	Books   *runbook.Books
	Lists   *checklist.Lists
	Probes  *probe.Prober
	Remote  *remote.Writer // nil: nothing is sent on

	o       Options
	figures health.Source // for what the server asks by itself
	cancel  context.CancelFunc
	loops   sync.WaitGroup
}

// longestBacklog is how long a receiver of samples may be away.
const longestBacklog = 72 * time.Hour

// hostPatience is how long a sample of the machine waits for a part that hangs;
// with a short interval less, so that the other parts come in time.
const hostPatience = 2 * time.Second

// After a restart an alert goes on for so many rounds of the rules, so that its
// own can speak again. One whose condition must hold for a time is not told by
// its rule in the first half minute.
const (
	graceRounds = 20
	leastGrace  = time.Minute
)

// Open opens the parts. Nothing is sampled before Start.
func Open(o Options) (w *Watch, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Operators == nil {
		o.Operators = func(context.Context, words.Text) error { return nil }
	}
	w = &Watch{o: o, cancel: func() {}}
	opened := w
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
			w = nil
		}
	}()
	w.Host = host.New(host.Options{DataDir: o.DataDir, Version: o.Version, LinkMbit: o.LinkMbit, Patience: min(hostPatience, o.Interval*8/10)})
	if w.Store, err = store.Open(o.Dir, store.Options{Raw: o.Raw, Rollup: o.Rollup, MaxSeries: o.MaxSeries, Log: calmed(o.Log)}); err != nil {
		return w, fmt.Errorf("open the store of metrics: %w", err)
	}
	w.Query = query.New(w.Store.Queryable(), query.Limits{})
	w.Query.OnStorageError(func(error) { w.Store.Suspect() })
	if w.Alerts, err = alert.Open(o.Dir, alert.Options{Host: o.HostName, ExternalURL: o.ExternalURL, Grace: max(leastGrace, graceRounds*o.Interval), Post: o.Post,
		First: o.FirstChannel, Changed: o.Changed, Log: calmed(o.Log)}); err != nil {
		return w, fmt.Errorf("open the alerts: %w", err)
	}
	if err = w.openJudges(); err != nil {
		return w, err
	}
	if o.RemoteURL != "" {
		if w.Remote, err = remote.New(remote.Options{Dir: o.Dir, URL: o.RemoteURL, TokenFile: o.RemoteToken, Queryable: w.Store.Queryable(), Interval: o.Interval,
			Backlog: min(longestBacklog, o.Raw*3/4), Log: o.Log}); err != nil {
			return w, err
		}
	}
	targets := append([]scrape.Target{{Job: "host", Source: w.Host.Write}, {Job: "watch", Source: w.write}}, o.Sources...)
	w.Scraper = scrape.New(scrape.Options{Store: w.Store, Targets: targets, Instance: o.HostName, Interval: o.Interval, Log: o.Log})
	return w, nil
}

// openJudges opens what asks the store.
func (w *Watch) openJudges() (err error) {
	o := w.o
	w.figures = health.Figures(w.Query.Apart())
	figures := w.figures
	if w.Health, err = health.Open(filepath.Join(o.Dir, "health"), health.Options{Source: figures, Events: o.Events}); err != nil {
		return fmt.Errorf("open the health: %w", err)
	}
	if w.Books, err = runbook.Open(filepath.Join(o.Dir, "runbooks"), runbook.Options{Source: figures, Collectors: o.Collectors, Deeds: o.Deeds, Audit: o.Audit, Fires: w.Alerts.Fires,
		Post: w.tell, Note: w.noteOnAlert, Log: o.Log}); err != nil {
		return fmt.Errorf("open the runbooks: %w", err)
	}
	if w.Lists, err = checklist.Open(filepath.Join(o.Dir, "checklists"), checklist.Options{Source: figures, Health: w.Health, More: o.Checks, Host: o.HostName, Log: o.Log,
		Post: func(ctx context.Context, card words.Text, _ bool) error { return o.Operators(ctx, card) }}); err != nil {
		return fmt.Errorf("open the checklists: %w", err)
	}
	o.Probe.Dir, o.Probe.Log = o.Dir, o.Log
	if w.Probes, err = probe.Open(o.Probe); err != nil {
		return fmt.Errorf("open the probes: %w", err)
	}
	w.Rules, err = rule.Open(filepath.Join(o.Dir, "rules"), rule.Options{Query: w.Query.QueryFunc(), Queryable: w.Store.Queryable(), Appendable: w.Store,
		Notify: w.notify, ExternalURL: o.ExternalURL, Interval: o.Interval, Logger: calmed(o.Log),
		Range: func(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
			res, err := w.Query.Range(ctx, expr, from, to, step)
			if err != nil {
				return nil, err
			}
			return res.Matrix()
		}})
	if err != nil {
		return fmt.Errorf("open the rules: %w", err)
	}
	return nil
}

func (w *Watch) tell(ctx context.Context, text words.Text) {
	if err := w.o.Operators(ctx, text); err != nil {
		w.o.Log.Warn("the operators' room is not told", "error", err)
	}
}

func (w *Watch) noteOnAlert(_ context.Context, a runbook.Alert, who, text words.Text) {
	if err := w.Alerts.Note(a.ID, who.EN, text); err != nil {
		w.o.Log.Warn("the alert's timeline is not told", "alert", a.Name, "error", err)
	}
}

// Start begins to sample, to judge and to tell.
func (w *Watch) Start() error {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	loops := []func(context.Context){w.Scraper.Run, w.Books.Run, w.Lists.Run, w.Probes.Run, w.judge}
	if w.Remote != nil {
		loops = append(loops, w.Remote.Run)
	}
	for _, loop := range loops {
		w.loops.Go(func() { loop(ctx) })
	}
	return w.Host.Start()
}

func (w *Watch) judge(ctx context.Context) {
	if err := w.Rules.Run(ctx); err != nil && ctx.Err() == nil {
		w.o.Log.Error("the rules ended", "error", err)
	}
}

// Close ends everything and waits for it. It may be called again.
func (w *Watch) Close() error {
	w.cancel()
	w.loops.Wait()
	var err error
	if w.Probes != nil {
		err = errors.Join(err, w.Probes.Close())
	}
	if w.Alerts != nil {
		err = errors.Join(err, w.Alerts.Close())
	}
	if w.Store != nil {
		err = errors.Join(err, w.Store.Close())
	}
	if w.Host != nil {
		err = errors.Join(err, w.Host.Stop())
	}
	return err
}

// Families describe every metric that is sampled.
func (w *Watch) Families() []expo.Family {
	out := w.Host.Families()
	for _, list := range [][]expo.Family{w.o.Families, w.Health.Families(), w.Alerts.Families(), w.Probes.Families(), w.Store.Families(), w.Scraper.Families(), w.Rules.Families()} {
		out = append(out, list...)
	}
	if w.Remote != nil {
		out = append(out, w.Remote.Families()...)
	}
	return out
}
