package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/tsdb"

	"posthouse/sysmon/words"
)

// Options are the bounds of a store. The zero value of a field means the
// figure named beside it.
type Options struct {
	Raw         time.Duration // covered time that is kept as sampled: 15 days
	Rollup      time.Duration // covered time that is kept rolled up: two years (730 days)
	MaxSeries   int           // series in the head: 20,000
	MaxShare    float64       // of MaxSeries that one job may hold: 0.6
	MinFree     int64         // bytes free on the file system below which samples are refused: 64 MiB
	MaxRawBytes int64         // of raw blocks; the oldest go first: 3 GiB
	Tend        time.Duration // how often the store looks after itself: a minute
	Log         *slog.Logger  // none: silent
	Now         func() time.Time
}

func (o Options) filled() Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Raw, 15*24*time.Hour)
	set(&o.Rollup, 730*24*time.Hour)
	set(&o.Tend, time.Minute)
	if o.MaxSeries <= 0 {
		o.MaxSeries = 20_000
	}
	if o.MaxShare <= 0 || o.MaxShare > 1 {
		o.MaxShare = 0.6
	}
	if o.MinFree <= 0 {
		o.MinFree = 64 << 20
	}
	if o.MaxRawBytes <= 0 {
		o.MaxRawBytes = 3 << 30
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// What an appender or a querier answers when it cannot do its work. The
// store's own Stats say why, for people.
var (
	ErrSeriesCap = errors.New("store: too many series")              // one new series is refused; known ones go on
	ErrPaused    = errors.New("store: no samples are taken for now") // the disk is full, or the database is being opened anew
	ErrClosed    = errors.New("store: the database is not open now") // nothing can be read
)

// Store is the two databases. Its methods may be called from any goroutine.
type Store struct {
	dir string
	o   Options
	log *slog.Logger

	// mu is held for reading as long as an appender or a querier is in use,
	// and taken for writing only with TryLock: a reader may hold it twice.
	mu         sync.RWMutex
	raw, roll  *tsdb.DB
	generation uint64 // of raw; part of every reference to a series

	series *seriesCap
	kinds  *kinds
	counts counts

	state     atomic.Int32 // condition
	suspected atomic.Bool  // blocks are to be read through
	trouble   atomic.Pointer[words.Text]

	tending sync.Mutex     // one tends at a time; it guards the fields below
	wrongAt time.Time      // when the clock was first seen behind
	rolled  map[int64]bool // windows known to be empty or done

	cutFailed time.Time // when a block could not be cut last

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// condition is whether samples are taken.
type condition int32

const (
	taking condition = iota // samples are taken
	paused                  // the disk is full; the database is sound
	broken                  // a write failed, or it could not be opened: to be opened anew
)

// Open opens the databases below dir and begins to tend them. What is damaged
// is set aside; a disk that is full is waited for. The error says that the
// directory cannot be made or used at all.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, o: o.filled(), wake: make(chan struct{}, 1), done: make(chan struct{}), rolled: map[int64]bool{}}
	s.log = s.o.Log
	for _, d := range []string{dir, s.path(rawDir), s.path(rollDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open metric store: %w", err)
		}
	}
	if left, err := filepath.Glob(s.path("gather-*")); err == nil {
		for _, dir := range left {
			_ = os.RemoveAll(dir) // of no use; seen again at the next opening
		}
	}
	s.series = newSeriesCap(s.o.MaxSeries, s.o.MaxShare)
	s.kinds = readKinds(s.path(kindsFile), s.log)
	s.reopen()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.tend(ctx)
	return s, nil
}

// The names below the directory.
const (
	rawDir     = "raw"
	rollDir    = "rollup"
	damagedDir = "damaged"
	aheadDir   = "ahead"
	kindsFile  = "kinds.json"
)

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// Close stops tending and closes the databases. It waits up to ten seconds
// for queries that still read.
func (s *Store) Close() error {
	s.cancel()
	<-s.done
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if !s.lockAll(ctx) {
		return errors.New("close metric store: a query is still reading")
	}
	defer s.mu.Unlock()
	s.state.Store(int32(broken))
	return errors.Join(s.kinds.save(s.path(kindsFile)), s.closeDBs())
}

// lockAll takes mu for writing without making readers wait behind it.
func (s *Store) lockAll(ctx context.Context) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !s.mu.TryLock() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// closeDBs closes what is open; mu is held for writing. A panic of the
// library (a chunk that cannot be written) becomes an error.
func (s *Store) closeDBs() error {
	var errs []error
	for _, db := range []**tsdb.DB{&s.raw, &s.roll} {
		if *db == nil {
			continue
		}
		errs = append(errs, guard("close metric database", (*db).Close))
		*db = nil
	}
	return errors.Join(errs...)
}

// guard turns a panic within f into an error: the library panics where a
// write to the disk fails.
func guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", what, r)
			if cause, ok := r.(error); ok {
				err = fmt.Errorf("%s: %w", what, cause)
			}
		}
	}()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// poke wakes tend without waiting.
func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// fail notes that a write failed: no more samples until the database has been
// opened anew.
func (s *Store) fail(err error, say words.Text) {
	if condition(s.state.Swap(int32(broken))) != broken {
		s.log.Error("metric store: a write failed; samples are refused until it is opened anew", "err", err)
	}
	s.trouble.Store(&say)
	s.poke()
}
