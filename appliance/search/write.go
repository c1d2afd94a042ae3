package search

import (
	"bytes"
	"fmt"
	"slices"

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
	var docs []uint32
	for _, k := range keys {
		docs = docs[:0]
		for _, at := range g.list(k) {
			docs = append(docs, at-shift)
		}
		if _, err := x.putList(b, k, docs); err != nil {
			return err
		}
	}
	return nil
}

// putList writes the documents of one gram, in order, in as many values as it
// takes. It returns the bytes written.
func (x *Index) putList(b *bolt.Bucket, k gram, docs []uint32) (size int, err error) {
	for len(docs) > 0 {
		n := len(docs)
		if n > chunkDocs {
			n = chunkDocs
		}
		key := k.key(make([]byte, 0, gramSize+4), docs[0])
		value := x.codec.postings(make([]byte, 0, crcSize+2+2*n), key, docs[:n])
		if err := b.Put(key, value); err != nil {
			return size, err
		}
		size += len(key) + len(value)
		docs = docs[n:]
	}
	return size, nil
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

// amendSegment changes one segment. Values to write are collected first: a
// cursor must not see its bucket change.
func (x *Index) amendSegment(tx *bolt.Tx, s segment, changes []change) error {
	b := tx.Bucket([]byte(bSegments)).Bucket(s.key())
	texts := shelf{x: x, bucket: tx.Bucket([]byte(bTexts))}
	out := make([]uint32, len(changes))
	for i, c := range changes {
		out[i] = uint32(c.entry.pos - s.first)
	}
	lists := map[string][]uint32{} // by the key they have now
	if err := x.eachValueWith(b, out, func(key []byte, docs []uint32) {
		lists[string(key)] = slices.DeleteFunc(slices.Clone(docs), func(d uint32) bool { return slices.Contains(out, d) })
	}); err != nil {
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
		for _, k := range grams {
			if err := x.insert(b, lists, k, out[i]); err != nil {
				return err
			}
		}
	}
	for key := range lists {
		if err := b.Delete([]byte(key)); err != nil {
			return err
		}
	}
	for key, docs := range lists {
		if _, err := x.putList(b, gramOf([]byte(key)), docs); err != nil {
			return err
		}
	}
	return nil
}

// eachValueWith visits every value that lists one of the documents, which are
// in order.
func (x *Index) eachValueWith(b *bolt.Bucket, out []uint32, visit func(key []byte, docs []uint32)) error {
	var docs []uint32
	return b.ForEach(func(k, v []byte) (err error) {
		if len(k) != gramSize+4 {
			return damaged("postings %x", k)
		}
		first := keyAt(k)
		if out[len(out)-1] < first {
			return nil
		}
		if docs, err = x.codec.documents(docs[:0], k, v); err != nil {
			return err
		}
		for _, d := range out {
			if _, found := slices.BinarySearch(docs, d); found {
				visit(k, docs)
				return nil
			}
		}
		return nil
	})
}

// insert puts a document into the list of a gram that covers it.
func (x *Index) insert(b *bolt.Bucket, lists map[string][]uint32, k gram, doc uint32) error {
	want := k.key(nil, doc)
	c := b.Cursor()
	key, value := c.Seek(want)
	if key == nil {
		key, value = c.Last()
	} else if !bytes.Equal(key, want) {
		if before, v := c.Prev(); before != nil && gramOf(before) == k {
			key, value = before, v
		}
	}
	at := string(want)
	var docs []uint32
	if key != nil && gramOf(key) == k {
		at = string(key)
		if _, loaded := lists[at]; !loaded {
			list, err := x.codec.documents(nil, key, value)
			if err != nil {
				return err
			}
			lists[at] = list
		}
	}
	docs = lists[at]
	if i, found := slices.BinarySearch(docs, doc); !found {
		lists[at] = slices.Insert(docs, i, doc)
	}
	return nil
}
