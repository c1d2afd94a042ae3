package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
)

// file is the state file with its figures. Compact puts another database into
// its place; whoever began to read before reads on in the old one.
type file struct {
	p       atomic.Pointer[bolt.DB]
	path    string
	reading atomic.Int64 // transactions open
	took    *meter.Histograms
	onSlow  atomic.Pointer[func(op string, took time.Duration)]
}

func newFile(path string, db *bolt.DB) *file {
	f := &file{path: path, took: meter.NewHistograms([]string{"op"}, meter.Latency()...)}
	f.p.Store(db)
	return f
}

// reading is a read transaction that is counted until its end.
type reading struct {
	*bolt.Tx
	f     *file
	op    string
	began time.Time
}

// Rollback ends it.
func (r *reading) Rollback() error {
	r.f.reading.Add(-1)
	r.f.done(r.op, r.began)
	return r.Tx.Rollback()
}

// begin begins a read transaction.
func (f *file) begin(op string) (*reading, error) {
	began := time.Now()
	for {
		db := f.p.Load()
		tx, err := db.Begin(false)
		if err == nil {
			f.reading.Add(1)
			return &reading{Tx: tx, f: f, op: op, began: began}, nil
		}
		if !errors.Is(err, bolterrors.ErrDatabaseNotOpen) || f.p.Load() == db {
			return nil, meter.Here(err)
		}
	}
}

// view reads in one transaction.
func (f *file) view(op string, do func(tx *bolt.Tx) error) error {
	tx, err := f.begin(op)
	if err != nil {
		return err
	}
	return errors.Join(do(tx.Tx), tx.Rollback())
}

// update writes in one transaction. The caller holds flushMu.
func (f *file) update(op string, do func(tx *bolt.Tx) error) error {
	defer f.done(op, time.Now())
	return f.p.Load().Update(do)
}

func (f *file) close() error { return f.p.Load().Close() }

func (f *file) done(op string, began time.Time) {
	took := time.Since(began)
	f.took.With(op).Took(took)
	if took >= meter.SlowAfter {
		if tell := f.onSlow.Load(); tell != nil {
			(*tell)(op, took)
		}
	}
}

// Took counts a transaction of the store that began elsewhere: the append of
// the sequencer, the files of the index and of the hooks.
func (s *State) Took(op string, began time.Time) { s.db.done(op, began) }

// OnSlow has a function told of transactions of a second or more, on the
// goroutine that made them.
func (s *State) OnSlow(tell func(op string, took time.Duration)) { s.db.onSlow.Store(&tell) }

// BucketSize is one bucket of a database file.
type BucketSize struct {
	Name  string
	Keys  int
	Bytes int64 // of the pages it uses; of the entries where it is so small that it shares a page with others
}

// FileSize is what a database file consists of.
type FileSize struct {
	Bytes     int64
	PageBytes int
	FreePages int // that the next writes use before the file grows
	Buckets   []BucketSize
	At        time.Time
}

// Inspect looks at every page of a database: seconds for some gigabytes, in
// one read transaction.
func Inspect(db *bolt.DB) (FileSize, error) {
	out := FileSize{At: time.Now()}
	err := db.View(func(tx *bolt.Tx) error {
		out.Bytes, out.PageBytes = tx.Size(), db.Info().PageSize
		used := 2 // the meta pages
		err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			st := b.Stats()
			pages := st.BranchPageN + st.BranchOverflowN + st.LeafPageN + st.LeafOverflowN
			used += pages
			size := int64(pages) * int64(out.PageBytes)
			if pages == 0 {
				size = int64(st.InlineBucketInuse)
			}
			out.Buckets = append(out.Buckets, BucketSize{Name: string(name), Keys: st.KeyN, Bytes: size})
			return nil
		})
		out.FreePages = max(0, int(out.Bytes/int64(out.PageBytes))-used)
		return err
	})
	return out, err
}

// Inspect looks at every page of the state file.
func (s *State) Inspect() (FileSize, error) { return Inspect(s.db.p.Load()) }

// FileBytes is the size of the state file; 0 when it cannot be seen.
func (s *State) FileBytes() int64 {
	info, err := os.Stat(s.db.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Compacted is what compacting came to.
type Compacted struct {
	Before, After int64 // bytes
	Took          time.Duration
}

const (
	compactSuffix = ".compact"
	compactTx     = 16 << 20 // bytes written in one transaction
)

// Compact writes the state file anew without its free pages and puts it into
// the place of the old one, whole or not at all. Messages flow meanwhile: they
// are durable in the journal, and what waits for a flush waits in memory until
// it is done. A crash leaves the old file or the new one; both stand at the
// same position. It refuses while the volume has no room for a second file.
func (s *State) Compact(ctx context.Context) (Compacted, error) {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	began, old := time.Now(), s.db.p.Load()
	out := Compacted{Before: s.FileBytes()}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(s.db.path), &fs); err != nil {
		return out, fmt.Errorf("compact state: %w", err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < out.Before+out.Before/8+256<<20 {
		return out, wire.Refuse(wire.Unavailable, "the volume has no room for a second copy of the file: free some space first", "磁盘空间不足以写入文件的第二份副本，请先清理空间")
	}
	tmp := s.db.path + compactSuffix
	fresh, err := s.copied(old, tmp)
	if err != nil {
		_ = os.Remove(tmp)
		return out, fmt.Errorf("compact state: %w", err)
	}
	if err := os.Rename(tmp, s.db.path); err != nil {
		return out, errors.Join(fmt.Errorf("compact state: %w", err), fresh.Close(), os.Remove(tmp))
	}
	s.mu.Lock()
	s.db.p.Store(fresh)
	s.mu.Unlock()
	// From here on the new file is the one that is written: an error means that
	// a power cut may bring the old one back, whose position the journal goes on
	// from.
	err = errors.Join(syncDir(filepath.Dir(s.db.path)), old.Close())
	out.After, out.Took = s.FileBytes(), time.Since(began)
	if err != nil {
		return out, fmt.Errorf("compact state: %w", err)
	}
	return out, nil
}

func (s *State) copied(old *bolt.DB, tmp string) (*bolt.DB, error) {
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	fresh, err := open(tmp, s.opt)
	if err != nil {
		return nil, err
	}
	usual := fresh.AllocSize
	fresh.AllocSize = 64 << 10 // what it grows by; the usual 16 MiB would be room that nobody asked for
	if err := bolt.Compact(fresh, old, compactTx); err != nil {
		return nil, errors.Join(err, fresh.Close())
	}
	fresh.AllocSize = usual
	return fresh, nil
}
