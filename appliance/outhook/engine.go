package outhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
)

// Journal is what the engine follows: the sequencer.
type Journal interface {
	Position() uint64
	Records(after uint64, max int) ([]record.Record, error)
	Watch() (wake <-chan struct{}, cancel func())
}

// Options say how to run. Journal, State and Client must be there.
type Options struct {
	Journal Journal
	State   *state.State
	Client  *http.Client // keeps the rules of netguard
	// Post sends a message by a hook's bot; the same key again sends nothing.
	Post func(ctx context.Context, h *record.Hook, room id.ID, text string, key [16]byte) error
	Log  *slog.Logger

	CommandTimeout time.Duration   // of a command's request; default 5 s
	Backoff        []time.Duration // between tries
	Queue          int             // deliveries that wait for one hook; default 10,000
	Dead           int             // dead letters kept of one hook; default 1000
	Now            func() time.Time
	Alarm          func(at time.Time) <-chan time.Time // receives when it is so late
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CommandTimeout == 0 {
		o.CommandTimeout = 5 * time.Second
	}
	if o.Backoff == nil {
		o.Backoff = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}
	}
	if o.Queue == 0 {
		o.Queue = 10_000
	}
	if o.Dead == 0 {
		o.Dead = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Alarm == nil {
		o.Alarm = func(at time.Time) <-chan time.Time { return time.After(time.Until(at)) }
	}
	return o
}

// Engine delivers. It is safe for concurrent use.
type Engine struct {
	o      Options
	db     *bolt.DB
	counts *Counts
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	calls   int           // commands under way
	running map[id.ID]int // the same, by hook and by caller
	workers map[id.ID]*worker
	waiting map[id.ID]int // length of the queues
	dead    map[id.ID]int
	seen    uint64 // position that follow has come to
	saved   uint64 // position in the file
}

// worker is the deliver of one hook; a kick makes it look again.
type worker struct{ kick chan struct{} }

// Commands under way at once: in all, of one hook, and of one caller, so that
// a program that does not answer keeps nobody from the others.
const (
	mostCalls   = 64
	callsOfHook = 16
	callsOfOne  = 4
)

// Open opens or makes the file at path. A damaged one is put aside, as path with
// .damaged behind it, and told in the log. Nothing happens before Start: the
// command line opens a box and calls nobody.
func Open(path string, o Options) (*Engine, error) {
	o = o.withDefaults()
	e, err := open(path, o)
	if !errors.Is(err, errDamaged) {
		return e, err
	}
	aside := path + ".damaged"
	o.Log.Error("the hooks file is damaged; what waited in it is not delivered", "error", err, "kept_as", aside)
	if err := os.Rename(path, aside); err != nil {
		return nil, fmt.Errorf("put damaged hooks file aside: %w", err)
	}
	return open(path, o)
}

// errDamaged says that the file is not what was written.
var errDamaged = errors.New("the file is damaged")

// caught turns a panic of bbolt, which is how it meets a page that is not what
// it should be, into damage.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
	}
}

func open(path string, o Options) (e *Engine, err error) {
	var db *bolt.DB
	defer func() {
		if err != nil && db != nil {
			_ = db.Close()
		}
	}()
	defer caught(&err)
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: 2 * time.Second, FreelistType: bolt.FreelistMapType, NoStatistics: true})
	if errors.Is(err, bolterrors.ErrInvalid) || errors.Is(err, bolterrors.ErrChecksum) || errors.Is(err, bolterrors.ErrVersionMismatch) {
		return nil, fmt.Errorf("open hooks file %s: %w: %w", path, errDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open hooks file %s: %w", path, err)
	}
	e = &Engine{o: o, db: db, counts: NewCounts(),
		running: map[id.ID]int{}, workers: map[id.ID]*worker{}, waiting: map[id.ID]int{}, dead: map[id.ID]int{}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if err := e.load(); err != nil {
		e.cancel()
		return nil, fmt.Errorf("load hooks file %s: %w", path, err)
	}
	return e, nil
}

// Start begins to follow the journal and to deliver. It is called once.
func (e *Engine) Start() {
	e.work.Add(2)
	go e.follow()
	go e.save()
	e.mu.Lock()
	waiting := slices.Collect(maps.Keys(e.waiting))
	e.mu.Unlock()
	for _, hid := range waiting {
		e.kick(hid)
	}
}

// Close stops everything and writes what is not written. Requests under way
// are given up, and will be made again.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.work.Wait()
	return errors.Join(e.write(), e.db.Close())
}

// Counts are the counters of all hooks.
func (e *Engine) Counts() *Counts { return e.counts }

// Seen is the journal position that the engine has come to.
func (e *Engine) Seen() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen
}

// Queue tells how many deliveries of a hook wait, and how many were given up.
func (e *Engine) Queue(hook id.ID) (waiting, dead int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.waiting[hook], e.dead[hook]
}

const saveEvery = 5 * time.Second

// save writes counters and position now and then.
func (e *Engine) save() {
	defer e.work.Done()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
			if err := e.write(); err != nil {
				e.o.Log.Error("write hooks file", "error", err)
			}
		}
	}
}

// kick makes a hook's worker look at its queue, and starts it when there is
// none.
func (e *Engine) kick(hook id.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	w := e.workers[hook]
	if w == nil {
		w = &worker{kick: make(chan struct{}, 1)}
		e.workers[hook] = w
		e.work.Add(1)
		go e.deliver(hook, w)
		return
	}
	select {
	case w.kick <- struct{}{}:
	default:
	}
}
