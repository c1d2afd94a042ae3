package search

import (
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	mergeWidth      = 4       // segments of one class that are merged
	segmentDocs     = 1 << 18 // most documents of a merged segment
	segmentPostings = 1 << 24 // and most entries of its lists
	mergeBytes      = 4 << 20 // written in one transaction of a merge
)

// write flushes generations, and merges segments after each.
func (x *Index) write() {
	defer x.finished.Done()
	for g := range x.work {
		err := x.flush(g)
		if err == nil {
			err = x.mergeAll()
		}
		x.written <- err
	}
}

// flush writes a generation, in one transaction with the position it stands
// for.
func (x *Index) flush(g *generation) (err error) {
	defer caught(&err)
	x.mu.RLock()
	m := x.filed
	x.mu.RUnlock()
	m.segments = slices.Clone(m.segments)
	m.position, m.stamp = g.pos, g.stamp
	began := time.Now()
	err = x.db.Update(func(tx *bolt.Tx) error {
		if err := x.amend(tx, &m, g.others); err != nil {
			return err
		}
		loose, err := x.dropCarriers(tx, g.others)
		if err != nil {
			return err
		}
		if len(g.entries) > 0 {
			if err := x.addSegment(tx, &m, g); err != nil {
				return err
			}
		}
		if err := x.keepTexts(tx, g); err != nil {
			return err
		}
		if err := dropTexts(tx, loose); err != nil {
			return err
		}
		return x.putManifest(tx, m)
	})
	x.state.Took("search_write", began)
	if err != nil {
		return fmt.Errorf("write index at %d: %w", g.pos, err)
	}
	x.nowFiled(m)
	return nil
}

// nowFiled makes known what the file holds.
func (x *Index) nowFiled(m manifest) {
	x.mu.Lock()
	m.anew, m.made = x.filed.anew, x.filed.made
	x.filed = m
	x.mu.Unlock()
}

func (x *Index) addSegment(tx *bolt.Tx, m *manifest, g *generation) error {
	s := segment{id: m.next, first: g.entries[0].pos, last: g.entries[len(g.entries)-1].pos, docs: uint64(len(g.entries)), postings: uint64(g.postings)}
	m.next++
	m.segments = append(m.segments, s)
	if err := putEntries(tx.Bucket([]byte(bDocs)), x.codec, g.entries, nil); err != nil {
		return err
	}
	b, err := tx.Bucket([]byte(bSegments)).CreateBucket(s.key())
	if err != nil {
		return err
	}
	b.FillPercent = 1 // keys come in order
	keys := make([]gram, 0, len(g.lists))
	for k, i := range g.at {
		if len(g.lists[i]) > 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	shift := uint32(s.first - g.base)
	w := blocks{bucket: b, codec: x.codec, most: blockBytes}
	var docs []uint32
	for _, k := range keys {
		docs = docs[:0]
		for _, at := range g.list(k) {
			docs = append(docs, at-shift)
		}
		if err := w.add(k, docs); err != nil {
			return err
		}
	}
	return w.flush()
}

// amend takes changed documents out of every posting of their segments and puts
// them in again with their new words.
func (x *Index) amend(tx *bolt.Tx, m *manifest, changes []change) error {
	var put []entry
	var gone []uint64
	for i := range m.segments {
		s := &m.segments[i]
		var mine []change
		for _, c := range changes {
			if c.entry.pos >= s.first && c.entry.pos <= s.last {
				mine = append(mine, c)
			}
		}
		if len(mine) == 0 {
			continue
		}
		for _, c := range mine {
			gone = append(gone, c.entry.pos)
			if !c.gone {
				put = append(put, c.entry)
			}
		}
		if err := x.amendSegment(tx, *s, mine); err != nil {
			return err
		}
	}
	return putEntries(tx.Bucket([]byte(bDocs)), x.codec, put, gone)
}

// amendSegment changes one segment.
func (x *Index) amendSegment(tx *bolt.Tx, s segment, changes []change) error {
	b := tx.Bucket([]byte(bSegments)).Bucket(s.key())
	texts := shelf{x: x, bucket: tx.Bucket([]byte(bTexts))}
	a := amending{bucket: b, cursor: b.Cursor(), codec: x.codec, held: map[string][]posting{}, grown: map[string]bool{}}
	out := make([]uint32, len(changes))
	for i, c := range changes {
		out[i] = uint32(c.entry.pos - s.first)
	}
	if err := a.takeOut(out); err != nil {
		return err
	}
	for i, c := range changes {
		if c.gone {
			continue
		}
		grams, err := texts.grams(c.words, c.keys)
		if err != nil {
			return err
		}
		if err := a.putIn(grams, out[i]); err != nil {
			return err
		}
	}
	return a.write()
}
