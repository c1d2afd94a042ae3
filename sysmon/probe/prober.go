package probe

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/words"
)

// Options say where a Prober keeps its files and how it reaches the own box.
type Options struct {
	Dir     string // watch, below the data directory
	Shipped []Definition
	Chat    func(ctx context.Context) Outcome // the round of the virtual users; nil: its check fails and says so
	OwnTLS  *tls.Config                       // for definitions with Own
	OwnDial Dialer                            // likewise
	Slow    time.Duration                     // from end to end; 2 s when 0
	Now     func() time.Time
	Log     *slog.Logger
}

// parallel is how many checks run at a time.
const parallel = 8

// Prober runs the checks. Its methods may be called from any goroutine.
type Prober struct {
	o      Options
	wake   chan struct{} // size 1: definitions have changed
	slots  chan struct{}
	agents agents

	mu     sync.Mutex
	all    []*probe // in the order they were made
	closed bool
}

// probe is a definition and what is known of it.
type probe struct {
	d       Definition
	ring    *ring
	next    time.Time
	running bool
	last    Outcome // zero: never run since the start
	kept    kept
}

// Change is a turn from good to bad or back.
type Change struct {
	At  time.Time `json:"at"`
	OK  bool      `json:"ok"`
	Err string    `json:"err,omitempty"`
}

// kept is the file beside a ring.
type kept struct {
	LastError string    `json:"last_error,omitempty"`
	ErrorAt   time.Time `json:"error_at,omitzero"`
	Changes   []Change  `json:"changes,omitempty"` // newest last
}

const maxChanges = 50

// Status is a definition with its history.
type Status struct {
	Definition
	Last             Outcome // zero At: not run since the start
	Running          bool
	LastError        string
	ErrorAt          time.Time
	Changes          []Change // newest last
	Day, Week, Month Uptime
	Bars             []Bar // the last 24 hours
	HasSecret        bool
	Next             time.Time
}

// Open reads definitions, agents and history.
func Open(o Options) (*Prober, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Slow <= 0 {
		o.Slow = 2 * time.Second
	}
	p := &Prober{o: o, wake: make(chan struct{}, 1), slots: make(chan struct{}, parallel)}
	p.agents.path = filepath.Join(o.Dir, "agents.json")
	if err := os.MkdirAll(p.dir(), 0o700); err != nil {
		return nil, fmt.Errorf("open probes: %w", err)
	}
	defs, err := load(p.path(), o.Shipped)
	if err != nil {
		return nil, err
	}
	for _, d := range defs {
		one, err := p.open(d)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.all = append(p.all, one)
	}
	if err := p.agents.recall(p.o.Now()); err != nil {
		p.o.Log.Warn("who reported before is not known", "error", err)
	}
	if err := p.agents.reload(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Prober) dir() string  { return filepath.Join(p.o.Dir, "probes") }
func (p *Prober) path() string { return filepath.Join(p.o.Dir, "probes.json") }

// open reads the history of a definition, and spreads first runs over the
// first ten seconds.
func (p *Prober) open(d Definition) (*probe, error) {
	r, err := openRing(filepath.Join(p.dir(), d.ID+".ring"))
	if err != nil {
		return nil, err
	}
	h := fnv.New32()
	_, _ = h.Write([]byte(d.ID))
	one := &probe{d: d, ring: r, next: p.o.Now().Add(time.Duration(h.Sum32()%uint32(min(d.Every, 10)*1000)) * time.Millisecond)}
	raw, err := os.ReadFile(filepath.Join(p.dir(), d.ID+".json"))
	if err == nil {
		err = json.Unmarshal(raw, &one.kept)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.o.Log.Warn("history of a probe is lost", "probe", d.Name, "error", err)
	}
	return one, nil
}

// Close closes the files. Run must have ended.
func (p *Prober) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, one := range p.all {
		errs = append(errs, one.ring.close())
	}
	p.all = nil
	return errors.Join(errs...)
}

// Run carries the checks out until ctx ends, and waits for those under way.
func (p *Prober) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		due, wait := p.due()
		for _, one := range due {
			work.Go(func() { p.carryOut(ctx, one) })
		}
		timer.Reset(wait)
	}
}

// due marks what is to be run now, and says when to look again. A clock that
// was set does not hold a check back for longer than its interval.
func (p *Prober) due() ([]*probe, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	wait := time.Minute
	var out []*probe
	for _, one := range p.all {
		if one.d.Disabled || one.running {
			continue
		}
		if left := one.next.Sub(now); left > one.d.every() {
			one.next = now.Add(one.d.every())
		}
		if !one.next.After(now) {
			one.running = true
			one.next = one.next.Add(one.d.every())
			if !one.next.After(now) {
				one.next = now.Add(one.d.every())
			}
			out = append(out, one)
		}
		wait = min(wait, one.next.Sub(now))
	}
	return out, max(wait, 10*time.Millisecond)
}

// carryOut runs a check that is marked as running, and notes what came of it.
func (p *Prober) carryOut(ctx context.Context, one *probe) Outcome {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		p.mu.Lock()
		one.running = false
		p.mu.Unlock()
		return Outcome{Err: ctx.Err().Error()}
	}
	p.mu.Lock()
	d := one.d
	p.mu.Unlock()
	out := p.try(ctx, d)
	p.mu.Lock()
	defer p.mu.Unlock()
	one.running = false
	if ctx.Err() == nil && !p.closed && !out.Skipped && slices.Contains(p.all, one) {
		p.note(one, out)
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return out
}

// note keeps an outcome; the lock is held.
func (p *Prober) note(one *probe, out Outcome) {
	one.last = out
	if err := one.ring.put(out.At, out.OK(), out.Took); err != nil {
		p.o.Log.Error("keep the history of a probe", "probe", one.d.Name, "error", err)
	}
	was := len(one.kept.Changes) == 0 || one.kept.Changes[len(one.kept.Changes)-1].OK
	if !out.OK() {
		one.kept.LastError, one.kept.ErrorAt = clip(out.Err), out.At
	}
	if was == out.OK() && (out.OK() || time.Since(one.kept.ErrorAt) < time.Minute) {
		return
	}
	if was != out.OK() {
		one.kept.Changes = append(one.kept.Changes, Change{out.At, out.OK(), clip(out.Err)})
		one.kept.Changes = one.kept.Changes[max(0, len(one.kept.Changes)-maxChanges):]
		p.o.Log.Info("probe changed", "probe", one.d.Name, "ok", out.OK(), "error", clip(out.Err))
	}
	p.keep(one)
}

func (p *Prober) keep(one *probe) {
	raw, err := json.Marshal(one.kept)
	if err == nil {
		err = renameio.WriteFile(filepath.Join(p.dir(), one.d.ID+".json"), raw, 0o600)
	}
	if err != nil {
		p.o.Log.Error("keep the history of a probe", "probe", one.d.Name, "error", err)
	}
}

// clip bounds a text that came from outside.
func clip(s string) string {
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}

// List tells all definitions and how they are. Secrets are left out.
func (p *Prober) List() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Status, 0, len(p.all))
	for _, one := range p.all {
		out = append(out, p.status(one))
	}
	return out
}

// Get is one of List.
func (p *Prober) Get(id string) (Status, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.find(id); one != nil {
		return p.status(one), true
	}
	return Status{}, false
}

func (p *Prober) find(id string) *probe {
	for _, one := range p.all {
		if one.d.ID == id {
			return one
		}
	}
	return nil
}

func (p *Prober) status(one *probe) Status {
	now := p.o.Now()
	s := Status{Definition: one.d, Last: one.last, Running: one.running, LastError: one.kept.LastError, ErrorAt: one.kept.ErrorAt,
		Changes: slices.Clone(one.kept.Changes), Day: one.ring.uptime(now, 24), Week: one.ring.uptime(now, 7*24), Month: one.ring.uptime(now, 30*24),
		Bars: one.ring.bars(now, 24), HasSecret: one.d.Secret != "", Next: one.next}
	s.Secret = ""
	return s
}

// Minute is one result of the history.
type Minute struct {
	At   time.Time
	OK   bool
	Took time.Duration
}

// History are the results of a definition, oldest first; 31 days at most.
func (p *Prober) History(id string, from, to time.Time) ([]Minute, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.find(id)
	if one == nil {
		return nil, missing()
	}
	slots, err := one.ring.minutes(from, to)
	out := make([]Minute, len(slots))
	for i, s := range slots {
		out[i] = Minute{time.Unix(s.minute*60, 0), s.good, time.Duration(s.millis) * time.Millisecond}
	}
	return out, err
}

func missing() error {
	return &Wrong{"id", words.Of("there is no such probe", "没有这个探测")}
}

// Put makes a definition (without an ID) or changes one. An empty Secret
// leaves the one that is there, unless the target changed. A *Wrong says what is refused.
func (p *Prober) Put(d Definition) (Definition, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.find(d.ID)
	switch {
	case d.ID != "" && old == nil:
		return d, missing()
	case old != nil && old.d.Shipped:
		changed := old.d
		changed.Every, changed.Patience, changed.Disabled = d.Every, d.Patience, d.Disabled
		d = changed
	default:
		d.Shipped, d.Own = false, false
		if old != nil && d.Secret == "" && d.Target == old.d.Target && d.User == old.d.User {
			d.Secret = old.d.Secret
		}
	}
	if err := d.check(); err != nil {
		return d, err
	}
	for _, one := range p.all {
		if one.d.ID != d.ID && strings.EqualFold(one.d.Name, d.Name) {
			return d, wrong("name", "another probe has this name", "已有同名探测")
		}
	}
	if old == nil {
		return p.add(d)
	}
	before := old.d
	old.d = d
	if err := p.save(); err != nil {
		old.d = before
		return d, err
	}
	old.next = p.o.Now()
	p.nudge()
	return d, nil
}

func (p *Prober) add(d Definition) (Definition, error) {
	if len(p.all) >= MaxDefinitions {
		return d, wrong("name", fmt.Sprintf("%d probes at most: remove one first", MaxDefinitions), fmt.Sprintf("最多 %d 个探测：请先删除一个", MaxDefinitions))
	}
	d.ID = fresh()
	one, err := p.open(d)
	if err != nil {
		return d, err
	}
	one.next = p.o.Now()
	p.all = append(p.all, one)
	if err := p.save(); err != nil {
		p.all = p.all[:len(p.all)-1]
		return d, errors.Join(err, one.ring.close())
	}
	p.nudge()
	return d, nil
}

// save writes the definitions; the lock is held.
func (p *Prober) save() error {
	defs := make([]Definition, len(p.all))
	for i, one := range p.all {
		defs[i] = one.d
	}
	return save(p.path(), defs)
}

func (p *Prober) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Remove forgets a definition and its history. Shipped ones stay.
func (p *Prober) Remove(id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.find(id)
	if one == nil {
		return missing()
	}
	if one.d.Shipped {
		return wrong("id", "this probe is part of the server: switch it off instead", "该探测为内置项：可以停用，不能删除")
	}
	before := slices.Clone(p.all)
	p.all = slices.DeleteFunc(p.all, func(o *probe) bool { return o == one })
	if err := p.save(); err != nil {
		p.all = before
		return err
	}
	err := one.ring.close()
	for _, ext := range []string{".ring", ".json"} {
		if e := os.Remove(filepath.Join(p.dir(), id+ext)); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// Try carries a definition out without keeping anything; an ID lends its secret.
func (p *Prober) Try(ctx context.Context, d Definition) (Outcome, error) {
	p.mu.Lock()
	if old := p.find(d.ID); old != nil {
		if old.d.Shipped {
			d = old.d
		} else if d.Secret == "" && d.Target == old.d.Target && d.User == old.d.User {
			d.Secret = old.d.Secret
		}
	} else {
		d.Shipped, d.Own = false, false
	}
	p.mu.Unlock()
	if err := d.check(); err != nil {
		return Outcome{}, err
	}
	return p.try(ctx, d), nil
}

// RunNow carries a kept definition out at once and notes the outcome.
func (p *Prober) RunNow(ctx context.Context, id string) (Outcome, error) {
	p.mu.Lock()
	one := p.find(id)
	if one == nil {
		p.mu.Unlock()
		return Outcome{}, missing()
	}
	if one.running {
		p.mu.Unlock()
		return Outcome{}, wrong("id", "it runs at this moment", "正在进行中")
	}
	one.running = true
	p.mu.Unlock()
	return p.carryOut(ctx, one), nil
}

// States of the light.
const (
	LightWell    = "well"
	LightSlow    = "slow"
	LightSick    = "sick"
	LightUnknown = "unknown"
)

// Light is the state of the path of a message: what the chat check found last.
type Light struct {
	State    string
	At       time.Time
	EndToEnd time.Duration
	Failed   string // step
	Err      string
}

// Light tells whether messages get through.
func (p *Prober) Light() Light {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		if one.d.Kind != Chat {
			continue
		}
		l := Light{State: LightWell, At: one.last.At, EndToEnd: one.last.EndToEnd, Err: one.last.Err}
		switch {
		case one.d.Disabled || l.At.IsZero() || p.o.Now().Sub(l.At) > 3*one.d.every():
			l.State = LightUnknown
		case l.Err != "":
			l.State = LightSick
			for _, s := range one.last.Steps {
				if s.Err != "" {
					l.Failed = s.Name
					break
				}
			}
		case l.EndToEnd > p.o.Slow:
			l.State = LightSlow
		}
		return l
	}
	return Light{State: LightUnknown}
}
