package search

import (
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
	next, done := gram(0), false
	for !done {
		if err := x.db.Update(func(tx *bolt.Tx) error {
			all := tx.Bucket([]byte(bSegments))
			b, err := all.CreateBucketIfNotExists(s.key())
			if err != nil {
				return err
			}
			b.FillPercent = 1 // keys come in order
			if next, done, err = x.mergeSome(all, b, s, list, next); err != nil || !done {
				return err
			}
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

// head is a segment under merge, at one of its lists.
type head struct {
	cursor *bolt.Cursor
	codec  codec
	lists  lists
	more   bool
	shift  uint32 // of its documents in the merged segment
}

// seek goes to the first list of a gram or of one after it.
func (h *head) seek(k gram) error {
	key, value, ok := covering(h.cursor, k.key(nil, 0))
	if !ok {
		key, value = h.cursor.First()
	}
	if err := h.begin(key, value); err != nil {
		return err
	}
	for h.more && h.lists.gram < k {
		if err := h.next(); err != nil {
			return err
		}
	}
	return nil
}

// begin goes to the first list of a block; there is none without a key.
func (h *head) begin(key, value []byte) (err error) {
	if h.more = key != nil; !h.more {
		return nil
	}
	if h.lists, err = h.codec.lists(key, value); err == nil {
		_, err = h.lists.next()
	}
	return err
}

// next goes to the list that follows, in this block or in the next.
func (h *head) next() error {
	more, err := h.lists.next()
	if err != nil || more {
		return err
	}
	return h.begin(h.cursor.Next())
}

// mergeSome merges the grams that come next, from one on. It returns where it
// stopped; done at the end.
func (x *Index) mergeSome(all, into *bolt.Bucket, s segment, list []segment, from gram) (next gram, done bool, err error) {
	heads := make([]head, len(list))
	for i, old := range list {
		b := all.Bucket(old.key())
		if b == nil {
			return 0, false, damaged("segment %d is missing", old.id)
		}
		heads[i] = head{cursor: b.Cursor(), codec: x.codec, shift: uint32(old.first - s.first)}
		if err := heads[i].seek(from); err != nil {
			return 0, false, err
		}
	}
	w := blocks{bucket: into, codec: x.codec, most: blockBytes}
	var docs []uint32
	for {
		var k gram
		none := true
		for i := range heads {
			if heads[i].more && (none || heads[i].lists.gram < k) {
				k, none = heads[i].lists.gram, false
			}
		}
		if none || w.size > mergeBytes {
			return k, none, w.flush()
		}
		docs = docs[:0]
		for i := range heads {
			if docs, err = heads[i].gather(docs, k); err != nil {
				return 0, false, err
			}
		}
		if err := w.add(k, docs); err != nil {
			return 0, false, err
		}
	}
}

// gather appends the documents of a gram, and passes its lists.
func (h *head) gather(docs []uint32, k gram) ([]uint32, error) {
	for h.more && h.lists.gram == k {
		n := len(docs)
		var err error
		if docs, err = h.lists.documents(docs); err != nil {
			return docs, err
		}
		for j := n; j < len(docs); j++ {
			docs[j] += h.shift
		}
		if err := h.next(); err != nil {
			return docs, err
		}
	}
	return docs, nil
}
