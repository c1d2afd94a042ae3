package store

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"posthouse/sysmon/words"
)

// Suspect tells the store that a query could not read its samples: every
// block is read through soon, and damaged ones are set aside.
func (s *Store) Suspect() {
	s.suspected.Store(true)
	s.poke()
}

// readThrough reads every sample of every block and sets aside the blocks
// whose samples cannot be read.
func (s *Store) readThrough(ctx context.Context) {
	s.mu.RLock()
	bad := map[string]error{}
	for name, db := range map[string]*tsdb.DB{rawDir: s.raw, rollDir: s.roll} {
		if db == nil {
			continue
		}
		for _, b := range db.Blocks() {
			if err := guard("read block", func() error { return readBlock(b) }); err != nil && isDamage(err) {
				bad[filepath.Join(name, b.Meta().ULID.String())] = err
			}
		}
	}
	s.mu.RUnlock()
	if len(bad) == 0 {
		return
	}
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if !s.lockAll(wait) {
		s.suspected.Store(true)
		return
	}
	defer s.mu.Unlock()
	if err := s.closeDBs(); err != nil {
		s.log.Error("metric store", "err", err)
	}
	var said words.Text
	for part, err := range bad {
		said = s.setAside(part, err)
	}
	s.reopen()
	if condition(s.state.Load()) == taking {
		s.trouble.Store(&said)
	}
}

func readBlock(b *tsdb.Block) (err error) {
	q, err := tsdb.NewBlockQuerier(b, b.MinTime(), b.MaxTime())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	return readAll(q)
}

func readAll(q storage.Querier) error {
	all, err := labels.NewMatcher(labels.MatchNotEqual, model.MetricNameLabel, "")
	if err != nil {
		return err
	}
	set := q.Select(context.Background(), false, nil, all)
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		for it.Next() != chunkenc.ValNone {
			continue
		}
		if err := it.Err(); err != nil {
			return err
		}
	}
	return set.Err()
}
