package scrape

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"posthouse/sysmon/expo"
)

// Live rounds.
const (
	LiveInterval = time.Second
	WatchedFor   = 30 * time.Second
)

// Store is where samples go.
type Store interface {
	Appender(ctx context.Context) storage.Appender
	Describe(name string, m metadata.Metadata)
}

// Target is one source of metrics.
type Target struct {
	Job    string // label job
	Source expo.Source
}

// Options are what a Scraper is made of. Zero durations and sizes get the
// value named beside them.
type Options struct {
	Store    Store
	Targets  []Target
	Instance string        // label instance: the host's name
	Interval time.Duration // 15 s
	Timeout  time.Duration // of one source in one round: 10 s, less than Interval
	MaxBytes int           // that a source may write in one round: 16 MiB
	Log      *slog.Logger  // none: silent
	Now      func() time.Time
}

// Scraper reads the sources. Once and Run must not run at the same time;
// Watched and Status may be called from any goroutine.
type Scraper struct {
	o       Options
	targets []*target
	round   uint64
	last    int64 // time of the last round, Unix ms
	watched atomic.Int64
	wake    chan struct{}
	status  atomic.Pointer[[]Status]
}

// Status is how a source did in the last round.
type Status struct {
	Job     string
	At      time.Time
	Took    time.Duration
	Samples int
	Err     error // nil: up
}

// New makes a Scraper.
func New(o Options) *Scraper {
	if o.Interval <= 0 {
		o.Interval = 15 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	o.Timeout = min(o.Timeout, o.Interval*9/10)
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Scraper{o: o, wake: make(chan struct{}, 1)}
	for _, t := range o.Targets {
		s.targets = append(s.targets, newTarget(t, o))
	}
	return s
}

// Watched says that somebody looks at live figures now.
func (s *Scraper) Watched() {
	s.watched.Store(s.o.Now().UnixNano())
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// interval is the time to the next round.
func (s *Scraper) interval() time.Duration {
	since := time.Duration(s.o.Now().UnixNano() - s.watched.Load())
	if since >= 0 && since < WatchedFor {
		return min(LiveInterval, s.o.Interval)
	}
	return s.o.Interval
}

// Status tells how each source did in the last round; empty before the first.
func (s *Scraper) Status() []Status {
	if p := s.status.Load(); p != nil {
		return *p
	}
	return nil
}

// Run makes a round at once and then every interval until ctx ends, and marks
// every series as stale then.
func (s *Scraper) Run(ctx context.Context) {
	told := ""
	for {
		began := time.Now()
		why := ""
		if err := s.Once(ctx, s.o.Now()); err != nil && ctx.Err() == nil {
			why = err.Error()
		}
		if why != "" && why != told {
			s.o.Log.Warn("metrics are not stored", "error", why)
		}
		told = why
		if !s.pause(ctx, began) {
			s.end()
			return
		}
	}
}

// pause waits for the next round; it is false when ctx has ended.
func (s *Scraper) pause(ctx context.Context, began time.Time) bool {
	for {
		rest := s.interval() - time.Since(began)
		if rest <= 0 {
			return ctx.Err() == nil
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
			return true
		case <-s.wake: // the interval may be shorter now
			timer.Stop()
		}
	}
}

// Once makes a round whose samples carry the time at. The error is that of
// storing; what is wrong with a source is in Status.
func (s *Scraper) Once(ctx context.Context, at time.Time) error {
	s.round++
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	for _, t := range s.targets {
		t.begin()
	}
	s.last = at.UnixMilli()
	app := s.o.Store.Appender(context.WithoutCancel(ctx))
	list := make([]Status, 0, len(s.targets))
	for _, t := range s.targets {
		text, took, err := t.wait(ctx)
		samples := 0
		if err == nil {
			samples, err = t.append(app, s.o.Store, text, s.last, s.round)
		}
		if err != nil {
			s.o.Log.Debug("a source of metrics is down", "job", t.job, "error", err)
		}
		t.close(app, s.last, s.round, took, samples, err)
		list = append(list, Status{Job: t.job, At: at, Took: took, Samples: samples, Err: err})
	}
	s.status.Store(&list)
	if err := app.Commit(); err != nil {
		return fmt.Errorf("store a round of metrics: %w", err)
	}
	return nil
}

// end marks every series as stale, a moment after the last round.
func (s *Scraper) end() {
	app := s.o.Store.Appender(context.Background())
	at := max(s.last+1, s.o.Now().UnixMilli())
	for _, t := range s.targets {
		t.stale(app, at, s.round+1)
	}
	if err := app.Commit(); err != nil && !errors.Is(err, context.Canceled) {
		s.o.Log.Debug("the end of the metrics is not marked", "error", err)
	}
}
