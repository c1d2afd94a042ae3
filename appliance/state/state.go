package state

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// Format of the state file. A newer one is refused.
const Format = 1

// Limits are the bounds that Decide keeps. Zero means the default.
type Limits struct {
	MessageBytes   int // of text
	MembersPerRoom int
	RoomsPerUser   int
	UserQuota      int64         // bytes of files a person may own
	RoomQuota      int64         // bytes of files in a room's messages
	UploadBytes    int64         // of one file
	ModeratorsCall bool          // moderators of a room, not admins alone, choose the addresses that hooks call
	Devices        int           // sessions of an account; one more ends the one unused the longest
	Bin            time.Duration // how long a file outlives its last message
	Unsent         time.Duration // how long a file may wait for its first message
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.MessageBytes, 32<<10)
	def(&l.MembersPerRoom, 20000)
	def(&l.RoomsPerUser, 5000)
	def(&l.Devices, 50)
	def64(&l.UserQuota, 20<<30)
	def64(&l.RoomQuota, 100<<30)
	def64(&l.UploadBytes, 4<<30)
	def64((*int64)(&l.Bin), int64(7*24*time.Hour))
	def64((*int64)(&l.Unsent), int64(24*time.Hour))
	return l
}

// Options say how to open a state.
type Options struct {
	Limits Limits
	// NoSync leaves out fsync: only for a scratch state that verify throws
	// away. A power cut destroys such a file.
	NoSync bool
	// ReadOnly opens the file for looking; Apply and Flush must not be called.
	ReadOnly bool
	// Check runs the invariants in Close. Tests set it; the server does not,
	// because it takes seconds.
	Check bool
}

// State is what is true. Apply and Flush are the sequencer's; views are for
// everybody.
type State struct {
	mu      sync.RWMutex
	flushMu sync.Mutex // before mu
	db      *file
	codec   *record.Codec
	crc     *crc32.Table
	opt     Options

	applied  uint64
	flushed  atomic.Uint64
	tail     *generation
	flushing *generation
	drops    uint64 // how often a flushed generation was dropped

	changed atomic.Uint64 // no record after this position changed a message that was there

	names *names // how they are read; not state

	organisation string
	messages     uint64
	users        map[id.ID]*record.User
	logins       map[string]id.ID
	probes       map[id.ID]struct{} // virtual users among them
	probeRooms   map[id.ID]struct{} // rooms that these made
	passwords    map[id.ID]string
	devices      map[id.ID]*record.Device
	tokens       map[[32]byte]id.ID
	userDevices  map[id.ID][]id.ID
	marks        map[id.ID]*markLog
	depts        map[id.ID]*record.Department
	invites      map[id.ID]*record.Invite
	codes        map[[32]byte]id.ID
	rooms        map[id.ID]*room
	userRooms    map[id.ID]map[id.ID]struct{}
	directs      map[pair]id.ID
	reads        map[roomUser]*readMark
	files        map[id.ID]*fileState
	uploads      map[string]id.ID
	userBytes    map[id.ID]int64
	userFiles    map[id.ID]int
	kv           map[id.ID]map[string]*kvEntry // by account or device
	hooks        map[id.ID]*record.Hook
	hookTokens   map[[32]byte]id.ID
	roomHooks    map[id.ID][]id.ID // by room; zero: those of every room

	notices       map[id.ID]*notice
	noticeOrder   []id.ID // by time of sending
	scheduled     map[id.ID]*scheduled
	userScheduled map[id.ID]map[id.ID]struct{}
}

// ErrLocked says that another process holds the state file.
var ErrLocked = errors.New("another process holds it")

// mapSize is the address space bbolt maps at once, so that growing the file
// never waits for readers. It is not memory.
const mapSize = 64 << 30

// Retune replaces the limits that Decide keeps, from the next command on.
func (s *State) Retune(l Limits) {
	s.mu.Lock()
	s.opt.Limits = l.withDefaults()
	s.mu.Unlock()
}

// Open opens or makes the state file at path. It is made whole: under a
// temporary name, synced, renamed, and its directory synced.
func Open(path string, opt Options) (*State, error) {
	opt.Limits = opt.Limits.withDefaults()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && !opt.ReadOnly {
		if err := create(path, opt); err != nil {
			return nil, fmt.Errorf("make state file: %w", err)
		}
	}
	if !opt.ReadOnly { // what a crash left of a Compact
		if err := os.Remove(path + compactSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("open state file %s: %w", path, err)
		}
	}
	db, err := open(path, opt)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		err = ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		err = fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	if err := addBuckets(db, opt); err != nil {
		db.Close()
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	s := &State{db: newFile(path, db), opt: opt, codec: record.NewCodec(), crc: crc32.MakeTable(crc32.Castagnoli), tail: newGeneration(), names: newNames()}
	s.reset()
	if err := s.load(); err != nil {
		db.Close()
		return nil, fmt.Errorf("load state file %s: %w", path, err)
	}
	return s, nil
}

func open(path string, opt Options) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         2 * time.Second,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: mapSize,
		NoSync:          opt.NoSync,
		NoGrowSync:      opt.NoSync,
		NoFreelistSync:  opt.NoSync,
		ReadOnly:        opt.ReadOnly,
		NoStatistics:    true,
	})
}

func create(path string, opt Options) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := open(tmp, opt)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, db.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// later reports whether a bucket came after the first release: a file may be
// without it.
func later(name string) bool {
	switch name {
	case bNotices, bNoticeMarks, bConfirms, bScheduled, bHooks, bAudit:
		return true
	}
	return false
}

// addBuckets gives a file the buckets that came after it was made.
func addBuckets(db *bolt.DB, opt Options) error {
	if opt.ReadOnly {
		return nil
	}
	var missing []string
	if err := db.View(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if later(name) && tx.Bucket([]byte(name)) == nil {
				missing = append(missing, name)
			}
		}
		return nil
	}); err != nil || len(missing) == 0 {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, name := range missing {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *State) reset() {
	s.users = map[id.ID]*record.User{}
	s.probes = map[id.ID]struct{}{}
	s.probeRooms = map[id.ID]struct{}{}
	s.logins = map[string]id.ID{}
	s.passwords = map[id.ID]string{}
	s.devices = map[id.ID]*record.Device{}
	s.tokens = map[[32]byte]id.ID{}
	s.userDevices = map[id.ID][]id.ID{}
	s.marks = map[id.ID]*markLog{}
	s.depts = map[id.ID]*record.Department{}
	s.invites = map[id.ID]*record.Invite{}
	s.codes = map[[32]byte]id.ID{}
	s.rooms = map[id.ID]*room{}
	s.userRooms = map[id.ID]map[id.ID]struct{}{}
	s.directs = map[pair]id.ID{}
	s.reads = map[roomUser]*readMark{}
	s.files = map[id.ID]*fileState{}
	s.uploads = map[string]id.ID{}
	s.userBytes = map[id.ID]int64{}
	s.userFiles = map[id.ID]int{}
	s.kv = map[id.ID]map[string]*kvEntry{}
	s.hooks = map[id.ID]*record.Hook{}
	s.hookTokens = map[[32]byte]id.ID{}
	s.roomHooks = map[id.ID][]id.ID{}
	s.notices = map[id.ID]*notice{}
	s.noticeOrder = nil
	s.scheduled = map[id.ID]*scheduled{}
	s.userScheduled = map[id.ID]map[id.ID]struct{}{}
}

// Applied is the position of the last record applied.
func (s *State) Applied() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.applied
}

// Flushed is the position the file stands for.
func (s *State) Flushed() uint64 { return s.flushed.Load() }

// Pending is how many entities wait for a flush.
func (s *State) Pending() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.tail.size()
	if s.flushing != nil {
		n += s.flushing.size()
	}
	return n
}

// Close flushes and closes the file. With Options.Check it also runs the
// invariants and returns the first that does not hold.
func (s *State) Close() error {
	var err error
	if !s.opt.ReadOnly {
		err = s.Flush()
	}
	if err == nil && s.opt.Check {
		err = s.Check()
	}
	return errors.Join(err, s.db.close())
}

// Abandon closes the file without a flush, after an error that must not be
// retried.
func (s *State) Abandon() { _ = s.db.close() }
