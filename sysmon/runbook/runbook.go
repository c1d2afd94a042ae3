// Package runbook owns what to do about each shipped alert: what it means, the
// evidence that answers the first questions, and the steps as actions that can
// be tried without effect, run, and are kept in the audit.
//
// When an alert opens its evidence is collected at once and kept with it as a
// Case, because an hour later the processes and figures are others. Of the
// memory alerts the heap is profiled again whenever the memory in use has grown
// by a twentieth, so that the last profile is the one of the peak.
//
// # Actions
//
// The catalogue (Actions) says of each what it is, who may run it, how long it
// rests afterwards and what must be typed; what it does is given to Open as a
// Deed. An action without a deed is not offered. Every run, dry or not, and
// every refusal goes to the audit; runs go to the operators' room and to the
// alert's timeline too.
//
// # Automatic actions
//
// None by default: an admin allows an action for an alert, and only actions that
// the catalogue marks as harmless. Loops are impossible by these bounds:
//
//   - one automatic action a case, once, when it opens;
//   - the action's cool-down holds, whoever ran it;
//   - at most PerHour runs of a permission an hour, and 12 of all together;
//   - an alert that opens while an automatic action runs or within five minutes
//     after one ended starts nothing automatic: an action never triggers an action;
//   - when the same alert opens again within an hour after its action for the
//     third time, or the action fails twice in a row, the permission is broken:
//     it does nothing until a person closes it again.
//
// # Files
//
// In the directory given to Open, each replaced whole, JSON: cases/ID.json
// (Case; the newest 500 are kept) and auto.json (list of Permission).
//
// It runs one goroutine: Run. Everything else is safe for concurrent use.
package runbook

import (
	"context"
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

// Alert is what a case is about.
type Alert struct {
	ID      string            `json:"id"` // fingerprint, hexadecimal
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels,omitempty"`
	Summary words.Text        `json:"summary,omitzero"`
	Starts  time.Time         `json:"starts"`
	Link    string            `json:"link,omitempty"`
	// Foreign: another Prometheus or an Alertmanager judged, not this box's rules.
	Foreign bool `json:"foreign,omitempty"`
}

// Runbook is what to do about an alert.
type Runbook struct {
	Alert    string
	Means    words.Text // what it means and what usually causes it
	Evidence []Evidence
	Steps    []Step
	Peak     string // expression; while it grows, evidence of the kind heap is taken again
}

// Evidence is a question that is answered when the alert opens.
type Evidence struct {
	ID    string
	Title words.Text
	Expr  string // PromQL; empty: a collector of this ID
	Unit  string // percent, bytes, seconds, ms, per second; empty: a number
	Link  string
}

// Step is one thing to do, in order.
type Step struct {
	ID     string
	Why    words.Text
	Action string            // of the catalogue; empty: a place to look at
	Args   map[string]string // fixed arguments
	Link   string            // where to look
}

// Finding is an answer.
type Finding struct {
	ID    string       `json:"id"`
	Title words.Text   `json:"title"`
	At    time.Time    `json:"at"`
	Unit  string       `json:"unit,omitempty"`
	Expr  string       `json:"expr,omitempty"`
	Head  []words.Text `json:"head,omitempty"`
	Rows  [][]string   `json:"rows,omitempty"`
	Text  string       `json:"text,omitempty"`
	Link  string       `json:"link,omitempty"`
	Error string       `json:"error,omitempty"` // why there is no answer
}

// Collector answers a question that figures cannot. It fills Head and Rows, or
// Text, and Link.
type Collector func(ctx context.Context, a Alert) (Finding, error)

// Person is who acts.
type Person struct {
	ID      string `json:"id,omitempty"` // account; empty: the box itself
	Name    string `json:"name"`
	Role    string `json:"role"` // owner, admin, auditor, member; box
	Address string `json:"address,omitempty"`
}

// Act is one run of an action.
type Act struct {
	At     time.Time         `json:"at"`
	Step   string            `json:"step"`
	Action string            `json:"action"`
	Args   map[string]string `json:"args,omitempty"`
	Who    Person            `json:"who"`
	Dry    bool              `json:"dry,omitempty"`
	Auto   bool              `json:"auto,omitempty"`
	Result words.Text        `json:"result"`
	Failed bool              `json:"failed,omitempty"`
	Took   time.Duration     `json:"took_ns,omitempty"`
}

// Case is an alert that opened, with its evidence and what was done.
type Case struct {
	ID       string    `json:"id"`
	Alert    Alert     `json:"alert"`
	Resolved time.Time `json:"resolved,omitzero"`
	Findings []Finding `json:"findings"`
	Acts     []Act     `json:"acts,omitempty"`
	Peak     float64   `json:"peak,omitempty"`
}

// AuditEntry is what is told to the audit.
type AuditEntry struct {
	Who                    Person
	Action, Object, Detail string
	Outcome                string // done, refused, failed, tried
}

// Options say with what to work.
type Options struct {
	Source     health.Source
	Collectors map[string]Collector
	Deeds      map[string]Deed
	Audit      func(ctx context.Context, e AuditEntry)
	Post       func(ctx context.Context, text words.Text)               // to the operators' room
	Note       func(ctx context.Context, a Alert, who, text words.Text) // to the alert's timeline
	// Fires says whether an alert fires, by its fingerprint. Cases whose alert ended
	// while nobody could tell, as during a restart, are closed by it. Nil: they
	// stay open.
	Fires func(fingerprint string) bool
	Now   func() time.Time
	Log   *slog.Logger
}

// Books is the runbooks at work.
type Books struct {
	dir string
	opt Options

	mu      sync.Mutex
	cases   map[string]*Case
	order   []string // by time of opening, oldest first
	ran     map[string]time.Time
	busy    map[string]bool
	auto    []Permission
	quiet   time.Time // until then an alert starts nothing automatic
	queue   chan Alert
	waiting map[string]bool // foreign cases in the queue, and the one whose evidence is being collected
	within  int             // automatic actions that run now
}

const (
	casesDir  = "cases"
	keptCases = 500
	autoFile  = "auto.json"
	// keptForeign is how many foreign cases stay when there is no room for all.
	keptForeign = 100
)

// Open reads what was kept in a directory, and makes it when needed.
func Open(dir string, opt Options) (*Books, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Audit == nil {
		opt.Audit = func(context.Context, AuditEntry) {}
	}
	if opt.Post == nil {
		opt.Post = func(context.Context, words.Text) {}
	}
	if opt.Note == nil {
		opt.Note = func(context.Context, Alert, words.Text, words.Text) {}
	}
	if err := os.MkdirAll(filepath.Join(dir, casesDir), 0o700); err != nil {
		return nil, fmt.Errorf("open runbooks: %w", err)
	}
	b := &Books{dir: dir, opt: opt, cases: map[string]*Case{}, ran: map[string]time.Time{}, busy: map[string]bool{}, queue: make(chan Alert, 256), waiting: map[string]bool{}}
	if err := b.readCases(); err != nil {
		return nil, err
	}
	return b, b.readAuto()
}

func (b *Books) readCases() error {
	list, err := os.ReadDir(filepath.Join(b.dir, casesDir))
	if err != nil {
		return fmt.Errorf("open runbooks: %w", err)
	}
	for _, e := range list {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(b.dir, casesDir, e.Name()))
		if err != nil {
			return fmt.Errorf("read case: %w", err)
		}
		c := new(Case)
		if err := json.Unmarshal(raw, c); err != nil || c.ID != id {
			b.opt.Log.Warn("a case of a runbook cannot be read and is left out", "file", e.Name(), "error", err)
			continue
		}
		b.cases[id] = c
		b.order = append(b.order, id)
		for _, a := range c.Acts {
			if !a.Dry && a.At.After(b.ran[a.Action]) {
				b.ran[a.Action] = a.At
			}
		}
	}
	slices.SortFunc(b.order, func(x, y string) int { return b.cases[x].Alert.Starts.Compare(b.cases[y].Alert.Starts) })
	return nil
}

// CaseID names the case of an alert that started at a time.
func CaseID(fingerprint string, starts time.Time) string {
	return fmt.Sprintf("%s-%d", fingerprint, starts.Unix())
}

// save writes a case; the caller holds the lock.
func (b *Books) save(c *Case) {
	raw, err := json.Marshal(c)
	if err == nil {
		err = renameio.WriteFile(filepath.Join(b.dir, casesDir, c.ID+".json"), raw, 0o600)
	}
	if err != nil {
		b.opt.Log.Error("keep a case of a runbook", "case", c.ID, "error", err)
	}
	for len(b.order) > keptCases {
		at := b.expendable()
		old := b.order[at]
		if err := os.Remove(filepath.Join(b.dir, casesDir, old+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.opt.Log.Error("forget a case of a runbook", "case", old, "error", err)
		}
		delete(b.cases, old)
		b.order = slices.Delete(b.order, at, at+1)
	}
}

// expendable is the place in order of the case that goes next: the oldest, or
// the oldest foreign one while there are many. The caller holds the lock.
func (b *Books) expendable() int {
	oldest, foreign := 0, 0
	for i, id := range slices.Backward(b.order) {
		if b.cases[id].Alert.Foreign {
			oldest, foreign = i, foreign+1
		}
	}
	if foreign > keptForeign {
		return oldest
	}
	return 0
}

// ErrNoCase says that there is no such case.
var ErrNoCase = errors.New("there is no such case: it is too old, or the alert has not opened yet")

// Case is a copy of a case. ErrNoCase when there is none.
func (b *Books) Case(id string) (Case, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cases[id]
	if c == nil {
		return Case{}, ErrNoCase
	}
	return c.copied(), nil
}

func (c *Case) copied() Case {
	n := *c
	n.Findings, n.Acts = slices.Clone(c.Findings), slices.Clone(c.Acts)
	return n
}

// CaseOf is the newest case of an alert, by its fingerprint.
func (b *Books) CaseOf(fingerprint string) (Case, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Backward(b.order) {
		if c := b.cases[id]; c.Alert.ID == fingerprint {
			return c.copied(), nil
		}
	}
	return Case{}, ErrNoCase
}

// Of is the runbook of an alert's name; the general one for a rule of one's own.
func (b *Books) Of(alert string) Runbook {
	for _, r := range All() {
		if r.Alert == alert {
			return r
		}
	}
	r := general()
	r.Alert = alert
	return r
}

// For is the runbook of an alert. What others judge has one of its own, also
// under the name of a shipped alert: it may be about another machine.
func (b *Books) For(a Alert) Runbook {
	if a.Foreign {
		r := elsewhere()
		r.Alert = a.Name
		return r
	}
	return b.Of(a.Name)
}

// mostForeign bounds the foreign cases that are open at once: a sender of
// thousands of alerts does not keep the box busy. One whose alerts come and go
// does not drive the box's own cases out either: see keptForeign.
const mostForeign = 50

// OpenedElsewhere is Opened for foreign alerts. Nothing automatic is done about
// them. What is beyond the bound has no case until others are over and it is
// told again.
func (b *Books) OpenedElsewhere(list ...Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := len(b.waiting)
	for _, c := range b.cases {
		if c.Alert.Foreign && c.Resolved.IsZero() {
			open++
		}
	}
	left := 0
	for _, a := range list {
		id := CaseID(a.ID, a.Starts)
		if b.cases[id] != nil || b.waiting[id] {
			continue
		}
		if open >= mostForeign {
			left++
			continue
		}
		a.Foreign = true
		select {
		case b.queue <- a:
			b.waiting[id] = true
			open++
		default:
			left++
		}
	}
	if left > 0 {
		b.opt.Log.Warn("many foreign alerts fire: of some no evidence is collected", "alerts", left)
	}
}

// Opened tells that alerts began to fire. It does not wait: Run collects the
// evidence. One that is open already changes nothing.
func (b *Books) Opened(list ...Alert) {
	for _, a := range list {
		select {
		case b.queue <- a:
		default:
			b.opt.Log.Warn("too many alerts at once: evidence of one is not collected", "alert", a.Name)
		}
	}
}

// Resolved tells that an alert ended.
func (b *Books) Resolved(a Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.cases[CaseID(a.ID, a.Starts)]; c != nil && c.Resolved.IsZero() {
		c.Resolved = b.opt.Now()
		b.save(c)
	}
}

// closeEnded closes cases whose alert has ended without a word.
func (b *Books) closeEnded() {
	if b.opt.Fires == nil {
		return
	}
	b.mu.Lock()
	var open []Alert
	for _, id := range b.order {
		if c := b.cases[id]; c.Resolved.IsZero() {
			open = append(open, c.Alert)
		}
	}
	b.mu.Unlock()
	for _, a := range open {
		if !b.opt.Fires(a.ID) {
			b.Resolved(a)
		}
	}
}

// peakEvery is how often open cases are looked at.
const peakEvery = 15 * time.Second

// Run collects evidence until ctx ends.
func (b *Books) Run(ctx context.Context) {
	tick := time.NewTicker(peakEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-b.queue:
			if _, err := b.Open(ctx, a); err != nil {
				b.opt.Log.Error("collect evidence", "alert", a.Name, "error", err)
			}
		case <-tick.C:
			b.peaks(ctx)
			b.closeEnded()
		}
	}
}

// Open makes the case of an alert, collects its evidence, and runs what is
// allowed to run by itself. A case that exists is returned as it is.
func (b *Books) Open(ctx context.Context, a Alert) (Case, error) {
	id := CaseID(a.ID, a.Starts)
	if a.ID == "" || strings.ContainsFunc(a.ID, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') }) {
		return Case{}, fmt.Errorf("open case of %s: %q is no fingerprint", a.Name, a.ID)
	}
	defer func() {
		b.mu.Lock()
		delete(b.waiting, id)
		b.mu.Unlock()
	}()
	if c, err := b.Case(id); err == nil {
		return c, nil
	}
	book := b.For(a)
	c := &Case{ID: id, Alert: a, Findings: b.collect(ctx, book, a)}
	if book.Peak != "" {
		c.Peak = b.figure(ctx, book.Peak)
	}
	b.mu.Lock()
	if b.cases[id] == nil {
		b.cases[id] = c
		b.order = append(b.order, id)
		b.save(c)
	}
	b.mu.Unlock()
	if !a.Foreign {
		b.automatic(ctx, id)
	}
	return b.Case(id)
}

// Again collects the evidence of a case anew.
func (b *Books) Again(ctx context.Context, id string) (Case, error) {
	c, err := b.Case(id)
	if err != nil {
		return c, err
	}
	found := b.collect(ctx, b.For(c.Alert), c.Alert)
	b.mu.Lock()
	if now := b.cases[id]; now != nil {
		now.Findings = found
		b.save(now)
	}
	b.mu.Unlock()
	return b.Case(id)
}
