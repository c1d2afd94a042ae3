package search

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"posthouse/appliance/fold"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
)

// Log is the journal as a follower reads it; a sequencer is one.
type Log interface {
	Records(after uint64, max int) ([]record.Record, error)
	Position() uint64
	Watch() (wake <-chan struct{}, cancel func())
	ReadOnly() error
}

// Options say how to run. Zero values mean the defaults.
type Options struct {
	// Content opens the content with a SHA-256. Without it documents are not
	// searched, only their names; that stays so for the life of a file.
	Content    func(sum [sha256.Size]byte) (Content, error)
	FlushDocs  int           // messages in memory that make a flush; default 16,384
	FlushGrams int           // likewise their grams; default 1,048,576
	FlushAge   time.Duration // what is in memory goes to the file after this; default 5 min
	ChangeAge  time.Duration // likewise after an edit or a recall; default 10 s
	Budget     time.Duration // of one search before it answers with what it has; default 30 ms
	NoSync     bool          // leave out fsync: only for tests that cut no power
	Check      bool          // compare the index with state in Close; tests set it
	Log        *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.FlushDocs == 0 {
		o.FlushDocs = 16384
	}
	if o.FlushGrams == 0 {
		o.FlushGrams = 1 << 20
	}
	if o.FlushAge == 0 {
		o.FlushAge = 5 * time.Minute
	}
	if o.ChangeAge == 0 {
		o.ChangeAge = 10 * time.Second
	}
	if o.Budget == 0 {
		o.Budget = 30 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Index is the index of messages. It is safe for concurrent use.
type Index struct {
	path   string
	opt    Options
	log    Log
	state  *state.State
	fold   *fold.Folder
	codec  codec
	packer packer

	mu       sync.RWMutex
	db       *bolt.DB
	filed    manifest // what the file holds
	tail     *generation
	flushing *generation
	moved    chan struct{} // closed, and made anew, when tail has grown
	failed   error

	shownAs  map[id.ID]string // names that accounts have got since Open; the follower's
	again    chan struct{}    // wakes follow for Rebuild
	work     chan *generation // to write
	written  chan error       // from write, one for each generation
	stop     context.CancelFunc
	finished sync.WaitGroup
}

// mapSize is the address space bbolt maps at once, so that growing the file
// never waits for readers. It is not memory.
const mapSize = 64 << 30

// errDamaged says that the file is not what was written: it is made anew.
var errDamaged = errors.New("the index of messages is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errDamaged}, args...)...)
}

// Open opens or makes the index at path and begins to follow. It returns at
// once; Status tells how far it is, and why not when there can be no file. The
// error is state.ErrLocked. It owns neither log nor state: close them after
// Close.
func Open(path string, log Log, s *state.State, opt Options) (*Index, error) {
	x := &Index{path: path, opt: opt.withDefaults(), log: log, state: s, fold: fold.New(), codec: newCodec(), tail: newGeneration(0, 0), shownAs: map[id.ID]string{},
		moved: make(chan struct{}), again: make(chan struct{}, 1), work: make(chan *generation, 1), written: make(chan error, 1)}
	var err error
	if x.packer, err = newPacker(); err != nil {
		return nil, err
	}
	err = x.load()
	if err == nil {
		err = x.fits()
	}
	if err != nil {
		if errors.Is(err, bolterrors.ErrTimeout) {
			return nil, fmt.Errorf("open index %s: %w", path, state.ErrLocked)
		}
		x.opt.Log.Warn("the index of messages is made anew", "why", err.Error())
		if x.failed = x.reset(); x.failed != nil {
			x.opt.Log.Error("there is no index of messages; a restart may help", "error", x.failed)
			x.stop = func() {}
			return x, nil
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	x.finished.Add(2)
	go x.write()
	go x.follow(ctx)
	return x, nil
}

// load opens the file and reads what it stands for. Nobody else uses x, or the
// caller holds the lock.
func (x *Index) load() (err error) {
	defer caught(&err)
	db, err := bolt.Open(x.path, 0o600, &bolt.Options{Timeout: 2 * time.Second, FreelistType: bolt.FreelistMapType,
		InitialMmapSize: mapSize, NoStatistics: true, NoSync: x.opt.NoSync, NoGrowSync: x.opt.NoSync})
	if err != nil {
		return fmt.Errorf("open index %s: %w", x.path, err)
	}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	var m manifest
	if err := db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{bMeta, bDocs, bSegments, bTexts, bCarries, bCarriers} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		if m, err = x.readManifest(tx); err != nil {
			return err
		}
		return removeOrphans(tx, m)
	}); err != nil {
		return err
	}
	x.db, x.filed, x.flushing = db, m, nil
	x.tail = newGeneration(m.position, m.stamp)
	return nil
}

// fits finds out whether the file belongs to the journal.
func (x *Index) fits() error {
	at := x.filed.position
	if at > x.log.Position() {
		return damaged("it stands at %d, the journal ends at %d", at, x.log.Position())
	}
	if at == 0 || x.filed.stamp == 0 {
		return nil
	}
	recs, err := x.log.Records(at-1, 1)
	if errors.Is(err, journal.ErrReleased) {
		return nil // whether the file can be followed on from is seen when it is
	}
	if err == nil && len(recs) == 1 && recs[0].Time != x.filed.stamp {
		err = damaged("it was made from another journal")
	}
	return err
}

// caught turns a panic of bbolt, which is how it meets a page that is not what
// it should be, into damage.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = damaged("%v", p)
	}
}

// reset throws the file away and begins with an empty one.
func (x *Index) reset() error {
	x.mu.Lock()
	db := x.db
	x.db = nil
	x.mu.Unlock()
	// Not under the lock: Close waits for searches, which take it.
	if db != nil {
		_ = db.Close()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := os.Remove(x.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove index: %w", err)
	}
	return x.load()
}

// Status tells how the index is.
type Status struct {
	Position uint64 // everything up to this journal position is found
	Filed    uint64 // position of the file
	Building int    // 1 to 99: the index is being made, so many percent; 0: it is whole
	Segments int
	Failed   error // why it no longer follows
}

// Status tells how the index is.
func (x *Index) Status() Status {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Status{Position: x.tail.pos, Filed: x.filed.position, Segments: len(x.filed.segments), Failed: x.failed}
	s.Building = x.building()
	return s
}

// building is Status.Building; the caller holds the lock.
func (x *Index) building() int {
	switch {
	case x.filed.anew:
		return 1
	case x.tail.pos < x.filed.made:
		return int(min(99, max(1, x.tail.pos*100/x.filed.made)))
	}
	return 0
}

// Reached waits until everything up to a position is found, ctx ends, or the
// index has failed.
func (x *Index) Reached(ctx context.Context, position uint64) error {
	for {
		x.mu.RLock()
		at, anew, failed, moved := x.tail.pos, x.filed.anew, x.failed, x.moved
		x.mu.RUnlock()
		if failed != nil {
			return failed
		}
		if at >= position && !anew {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Rebuild throws the index away and makes it anew from state, beside searches.
// A search that goes on from page to page meanwhile may miss messages: its
// answers say that the index is being made.
func (x *Index) Rebuild() {
	x.mu.Lock()
	x.filed.anew = true
	x.mu.Unlock()
	select {
	case x.again <- struct{}{}:
	default:
	}
}

// Close writes what is in memory and closes the file. It waits until ctx ends;
// what was not written then is read again from the journal.
func (x *Index) Close(ctx context.Context) error {
	x.stop()
	done := make(chan struct{})
	go func() { x.finished.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("close index: %w", ctx.Err())
	}
	var err error
	if x.opt.Check && x.failed == nil {
		err = x.Check()
	}
	if x.db == nil {
		return err
	}
	return errors.Join(err, x.db.Close())
}

// Remove deletes the index of a data directory whose server is down; the next
// start makes it anew.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove index: %w", err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("remove index: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
