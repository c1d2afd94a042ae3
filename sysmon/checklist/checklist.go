// Package checklist owns the checks that somebody would otherwise do by hand
// every day, week and month: they run themselves, are kept, are posted to the
// operators' room as a card, and can be printed as a signed report.
//
// Daily ones run at Options.Hour (8 o'clock) in Options.Zone, weekly ones on
// Monday and monthly ones on the first, at the same hour. A run that was missed
// because the box was off is caught up once when it is on again, however many
// were missed; a new box begins with what is due next. What is not ready for a check (no backup is set up, no figures
// yet) is not red but says so.
//
// # Files
//
// In the directory given to Open, each replaced whole: PERIOD-DATE.json
// (Report; of each period 120 are kept) and report.key, an Ed25519 seed in
// base64, and since, the RFC 3339 time of the first start. A report's signature is of the JSON of the Report with an empty
// Signature. A run that was posted has Posted set: a crash between running and
// posting posts again rather than not at all.
//
// It runs one goroutine: Run. Everything else is safe for concurrent use.
package checklist

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/health"
	"posthouse/sysmon/words"
)

// Period is how often.
type Period string

// The three.
const (
	Daily   Period = "daily"
	Weekly  Period = "weekly"
	Monthly Period = "monthly"
)

// Periods are all of them.
func Periods() []Period { return []Period{Daily, Weekly, Monthly} }

// Title is what a person calls it.
func (p Period) Title() words.Text {
	switch p {
	case Weekly:
		return words.Of("Weekly check", "每周检查")
	case Monthly:
		return words.Of("Monthly check", "每月检查")
	}
	return words.Of("Daily check", "每日检查")
}

// Item is one check and what it came to.
type Item struct {
	ID     string        `json:"id"`
	Name   words.Text    `json:"name"`
	Status health.Status `json:"status"`
	Text   words.Text    `json:"text"`
	Link   string        `json:"link,omitempty"` // of what to do when it is red
}

// Report is a run.
type Report struct {
	ID        string        `json:"id"` // PERIOD-DATE
	Period    Period        `json:"period"`
	Due       time.Time     `json:"due"`
	At        time.Time     `json:"at"`
	Host      string        `json:"host,omitempty"`
	Score     float64       `json:"score,omitempty"`
	Status    health.Status `json:"status"` // of the worst item
	Items     []Item        `json:"items"`
	Forecast  []Disk        `json:"forecast,omitempty"`
	Posted    time.Time     `json:"posted,omitzero"`
	Key       string        `json:"key"`                 // Ed25519 public key, base64
	Signature string        `json:"signature,omitempty"` // base64
}

// Disk is a line of the forecast.
type Disk struct {
	Mount string  `json:"mount"`
	Size  float64 `json:"size"` // bytes
	Used  float64 `json:"used"`
	Days  float64 `json:"days,omitempty"` // until full; 0: it does not fill up
}

// Check is one line of a checklist.
type Check struct {
	ID      string
	Periods []Period
	Name    words.Text
	Link    string
	Do      func(ctx context.Context, s Span) (health.Status, words.Text, error)
}

// Span is the time that a run looks back on.
type Span struct {
	From, To time.Time
	Period   Period
}

// Options say what to check.
type Options struct {
	Source health.Source
	Health *health.Health
	// More are checks that figures cannot do, such as accounts and backups.
	More []Check
	Post func(ctx context.Context, card words.Text, red bool) error // to the operators' room
	Host string
	Hour int // of the day; default 8
	Zone *time.Location
	Now  func() time.Time
	Log  *slog.Logger
}

// Lists runs the checks.
type Lists struct {
	dir string
	opt Options
	key ed25519.PrivateKey

	since time.Time // what was due before is no matter of this box

	mu   sync.Mutex
	kept map[Period][]string // IDs, oldest first
}

const (
	keyFile     = "report.key"
	sinceFile   = "since"
	keptReports = 120
	dateFormat  = "2006-01-02"
)

// Open reads what was kept in a directory, and makes it when needed.
func Open(dir string, opt Options) (*Lists, error) {
	if opt.Hour == 0 {
		opt.Hour = 8
	}
	if opt.Zone == nil {
		opt.Zone = time.Local
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Post == nil {
		opt.Post = func(context.Context, words.Text, bool) error { return nil }
	}
	l := &Lists{dir: dir, opt: opt, kept: map[Period][]string{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open checklists: %w", err)
	}
	if err := l.readKey(); err != nil {
		return nil, err
	}
	if err := l.readSince(); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open checklists: %w", err)
	}
	for _, e := range list { // by name, which is by date
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if p, date, cut := strings.Cut(id, "-"); ok && cut && slices.Contains(Periods(), Period(p)) {
			if _, err := time.Parse(dateFormat, date); err == nil {
				l.kept[Period(p)] = append(l.kept[Period(p)], id)
			}
		}
	}
	return l, nil
}

func (l *Lists) readSince() error {
	name := filepath.Join(l.dir, sinceFile)
	raw, err := os.ReadFile(name)
	if err == nil {
		if l.since, err = time.Parse(time.RFC3339, strings.TrimSpace(string(raw))); err == nil {
			return nil
		}
		l.opt.Log.Warn("when the checklists began is not known: they begin now", "error", err)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open checklists: %w", err)
	}
	l.since = l.opt.Now()
	if err := renameio.WriteFile(name, []byte(l.since.UTC().Format(time.RFC3339)+"\n"), 0o600); err != nil {
		return fmt.Errorf("open checklists: %w", err)
	}
	return nil
}

func (l *Lists) readKey() error {
	name := filepath.Join(l.dir, keyFile)
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err == nil {
			err = renameio.WriteFile(name, []byte(base64.StdEncoding.EncodeToString(key.Seed())+"\n"), 0o600)
		}
		if err != nil {
			return fmt.Errorf("make key of reports: %w", err)
		}
		l.key = key
		return nil
	}
	if err != nil {
		return fmt.Errorf("read key of reports: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return fmt.Errorf("read %s: it is no key; remove it to have a new one made", name)
	}
	l.key = ed25519.NewKeyFromSeed(seed)
	return nil
}

// Due is the last time at or before now at which a period was to run.
func (l *Lists) Due(p Period, now time.Time) time.Time {
	now = now.In(l.opt.Zone)
	at := time.Date(now.Year(), now.Month(), now.Day(), l.opt.Hour, 0, 0, 0, l.opt.Zone)
	if at.After(now) {
		at = at.AddDate(0, 0, -1)
	}
	switch p {
	case Weekly:
		at = at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
	case Monthly:
		at = at.AddDate(0, 0, 1-at.Day())
	}
	return at
}

// Next is when a period runs next after now.
func (l *Lists) Next(p Period, now time.Time) time.Time {
	switch d := l.Due(p, now); p {
	case Weekly:
		return d.AddDate(0, 0, 7)
	case Monthly:
		return d.AddDate(0, 1, 0)
	default:
		return d.AddDate(0, 0, 1)
	}
}

// lookEvery is how often the clock is looked at.
const lookEvery = 20 * time.Second

// Run runs what is due, and what was missed, until ctx ends.
func (l *Lists) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		l.Catch(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Catch runs every period whose last due time has no run yet, and posts what
// was not posted.
func (l *Lists) Catch(ctx context.Context) {
	now := l.opt.Now()
	for _, p := range Periods() {
		due := l.Due(p, now)
		last, err := l.Last(p)
		switch {
		case errors.Is(err, ErrNoReport) || err == nil && last.Due.Before(due):
			if due.Before(l.since) {
				continue
			}
			if _, err := l.Now(ctx, p); err != nil && ctx.Err() == nil {
				l.opt.Log.Error("checklist", "period", string(p), "error", err)
			}
		case err != nil:
			l.opt.Log.Error("checklist", "period", string(p), "error", err)
		case last.Posted.IsZero() && now.Sub(last.At) < 24*time.Hour:
			l.post(ctx, &last)
		}
	}
}

// ErrNoReport says that there is no such report.
var ErrNoReport = errors.New("there is no such report")

// Last is the newest report of a period. ErrNoReport when there is none.
func (l *Lists) Last(p Period) (Report, error) {
	l.mu.Lock()
	list := l.kept[p]
	l.mu.Unlock()
	if len(list) == 0 {
		return Report{}, ErrNoReport
	}
	return l.Report(list[len(list)-1])
}

// Reports are the IDs of a period, newest first.
func (l *Lists) Reports(p Period) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.kept[p])
	slices.Reverse(out)
	return out
}

// Report reads a report. ErrNoReport when there is none.
func (l *Lists) Report(id string) (Report, error) {
	p, _, _ := strings.Cut(id, "-")
	l.mu.Lock()
	known := slices.Contains(l.kept[Period(p)], id)
	l.mu.Unlock()
	if !known {
		return Report{}, ErrNoReport
	}
	raw, err := os.ReadFile(filepath.Join(l.dir, id+".json"))
	if err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	var r Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return Report{}, fmt.Errorf("read report %s: %w", id, err)
	}
	return r, nil
}

// Verify reports whether a report is as the box signed it, with this key.
func (l *Lists) Verify(r Report) bool {
	sum, err := base64.StdEncoding.DecodeString(r.Signature)
	if err != nil {
		return false
	}
	public := l.key.Public().(ed25519.PublicKey)
	body, err := r.signed()
	return err == nil && r.Key == base64.StdEncoding.EncodeToString(public) && ed25519.Verify(public, body, sum)
}

// signed is what a signature is of: everything but itself and the posting.
func (r Report) signed() ([]byte, error) {
	r.Signature, r.Posted = "", time.Time{}
	return json.Marshal(r)
}

// keep signs and writes a report.
func (l *Lists) keep(r *Report) error {
	r.Key = base64.StdEncoding.EncodeToString(l.key.Public().(ed25519.PublicKey))
	body, err := r.signed()
	if err != nil {
		return err
	}
	r.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(l.key, body))
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := renameio.WriteFile(filepath.Join(l.dir, r.ID+".json"), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep report: %w", err)
	}
	list := l.kept[r.Period]
	if !slices.Contains(list, r.ID) {
		list = append(list, r.ID)
		slices.Sort(list)
	}
	for len(list) > keptReports {
		if err := os.Remove(filepath.Join(l.dir, list[0]+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget old report: %w", err)
		}
		list = list[1:]
	}
	l.kept[r.Period] = list
	return nil
}
