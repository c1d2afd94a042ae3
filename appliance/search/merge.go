package search

import (
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// classOf is the size class of a segment: each is mergeWidth times the one
// below.
func classOf(docs uint64) int {
	n := 0
	for docs >= mergeWidth {
		docs /= mergeWidth
		n++
	}
	return n
}

// due finds the newest segments that are to become one, of a larger class than
// the oldest of them; nil when there are none. That leaves a few of each class.
func due(list []segment) []segment {
	for to := len(list); to >= mergeWidth; to-- {
		from := to - mergeWidth
		docs, postings := uint64(0), uint64(0)
		for _, s := range list[from:to] {
			docs += s.docs
			postings += s.postings
		}
		if docs <= segmentDocs && postings <= segmentPostings && list[to-1].last-list[from].first < 1<<32 && classOf(docs) > classOf(list[from].docs) {
			return list[from:to]
		}
	}
	return nil
}

// mergeAll merges until nothing is due.
func (x *Index) mergeAll() error {
	for {
		x.mu.RLock()
		m := x.filed
		x.mu.RUnlock()
		list := due(m.segments)
		if list == nil || m.anew {
			return nil
		}
		if err := x.merge(m, list); err != nil {
			return fmt.Errorf("merge index: %w", err)
		}
	}
}

// merge writes segments as one, some megabytes a transaction. The last one puts
// it into their place.
func (x *Index) merge(m manifest, list []segment) (err error) {
	defer caught(&err)
	s := segment{id: m.next, first: list[0].first, last: list[len(list)-1].last}
	for _, old := range list {
		s.docs += old.docs
		s.postings += old.postings
	}
	m.next++
	from := slices.Index(m.segments, list[0])
	m.segments = slices.Replace(slices.Clone(m.segments), from, from+len(list), s)
	for next, done := []byte{}, false; !done; {
		if err := x.db.Update(func(tx *bolt.Tx) error {
			all := tx.Bucket([]byte(bSegments))
			b, err := all.CreateBucketIfNotExists(s.key())
			if err != nil {
				return err
			}
			b.FillPercent = 1 // keys come in order
			if next, err = x.mergeSome(all, b, s, list, next); err != nil || next != nil {
				return err
			}
			done = true
			for _, old := range list {
				if err := all.DeleteBucket(old.key()); err != nil {
					return err
				}
			}
			return x.putManifest(tx, m)
		}); err != nil {
			return err
		}
	}
	x.nowFiled(m)
	return nil
}

// mergeSome merges the grams that come next. It returns where it stopped; nil
// at the end.
func (x *Index) mergeSome(all, into *bolt.Bucket, s segment, list []segment, from []byte) ([]byte, error) {
	type head struct {
		c        *bolt.Cursor
		key, val []byte
		shift    uint32
	}
	heads := make([]head, len(list))
	for i, old := range list {
		b := all.Bucket(old.key())
		if b == nil {
			return nil, damaged("segment %d is missing", old.id)
		}
		heads[i] = head{c: b.Cursor(), shift: uint32(old.first - s.first)}
		heads[i].key, heads[i].val = heads[i].c.Seek(from)
	}
	var docs []uint32
	for written := 0; ; {
		var k gram
		none := true
		for i := range heads {
			if heads[i].key != nil && (none || gramOf(heads[i].key) < k) {
				k, none = gramOf(heads[i].key), false
			}
		}
		if none {
			return nil, nil
		}
		if written > mergeBytes {
			return k.key(nil, 0), nil
		}
		docs = docs[:0]
		for i := range heads {
			h := &heads[i]
			for h.key != nil && gramOf(h.key) == k {
				n := len(docs)
				var err error
				if docs, err = x.codec.documents(docs, h.key, h.val); err != nil {
					return nil, err
				}
				for j := n; j < len(docs); j++ {
					docs[j] += h.shift
				}
				h.key, h.val = h.c.Next()
			}
		}
		size, err := x.putList(into, k, docs)
		if err != nil {
			return nil, err
		}
		written += size
	}
}

// keyAt is the first document of a value.
func keyAt(key []byte) uint32 { return binary.BigEndian.Uint32(key[gramSize:]) }
