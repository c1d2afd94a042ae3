package search

import (
	"bytes"
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"
)

const (
	// blockBytes is the most that a block of lists takes. Four of them, with
	// their keys, fill a page of bbolt.
	blockBytes = 980
	// splitBytes is the room at a block's end for which a list is split.
	splitBytes = 48
)

// posting says that a document has a gram.
type posting struct {
	gram gram
	doc  uint32 // counted from the segment's first
}

func before(a, b posting) int {
	switch {
	case a.gram < b.gram || a.gram == b.gram && a.doc < b.doc:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// lists goes through the lists of a block. After next, gram, first and count
// tell of one; its documents are decoded on demand.
type lists struct {
	key   []byte
	rest  []byte
	gram  gram
	first uint32
	count int // of documents
	left  int // gaps of this list that were not passed yet
}

// open checks a block and begins to read it.
func (c codec) lists(key, value []byte) (lists, error) {
	body, ok := c.open(key, value)
	if !ok || len(key) != gramSize+4 || len(body) == 0 {
		return lists{}, damaged("postings %x", key)
	}
	return lists{key: key, rest: body, gram: gramOf(key)}, nil
}

func (l *lists) varint() (uint64, error) {
	if len(l.rest) > 0 && l.rest[0] < 0x80 {
		v := uint64(l.rest[0])
		l.rest = l.rest[1:]
		return v, nil
	}
	v, n := binary.Uvarint(l.rest)
	if n <= 0 {
		return 0, damaged("postings %x", l.key)
	}
	l.rest = l.rest[n:]
	return v, nil
}

// next goes to the list that follows; false at the end.
func (l *lists) next() (bool, error) {
	at := 0
	for ; l.left > 0 && at < len(l.rest); at++ {
		if l.rest[at] < 0x80 {
			l.left--
		}
	}
	if l.rest = l.rest[at:]; len(l.rest) == 0 && l.left == 0 {
		return false, nil
	}
	var head [3]uint64
	for i := range head {
		var err error
		if head[i], err = l.varint(); err != nil {
			return false, err
		}
	}
	l.gram, l.first = l.gram+gram(head[0]), uint32(head[1])
	if head[2] == 0 || head[2] > uint64(len(l.rest))+1 {
		return false, damaged("postings %x", l.key)
	}
	l.count, l.left = int(head[2]), int(head[2])-1
	return true, nil
}

// documents appends those of the list that next went to; once.
func (l *lists) documents(docs []uint32) ([]uint32, error) {
	at := l.first
	docs = append(docs, at)
	for ; l.left > 0; l.left-- {
		gap, err := l.varint()
		if err != nil {
			return docs, err
		}
		at += uint32(gap)
		docs = append(docs, at)
	}
	return docs, nil
}

// covering finds the block that holds a place, or would: the last one that
// does not begin after it; false when all do.
func covering(c *bolt.Cursor, want []byte) (key, value []byte, ok bool) {
	key, value = c.Seek(want)
	switch {
	case key == nil:
		key, value = c.Last()
	case !bytes.Equal(key, want):
		key, value = c.Prev()
	}
	return key, value, key != nil
}

// blocks writes lists, in order, into blocks of a bucket.
type blocks struct {
	bucket *bolt.Bucket // nil: only size is wanted
	codec  codec
	most   int // bytes of a block
	key    []byte
	value  []byte // of the block under way; empty: there is none
	gram   gram   // of the last list in it
	size   int    // of what was written
}

// uvarintLen is how many bytes a varint takes.
func uvarintLen(v uint64) (n int) {
	for n = 1; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// add writes the list of a gram, in parts if it must be.
func (w *blocks) add(k gram, docs []uint32) error {
	for len(docs) > 0 {
		if len(w.value) == 0 {
			w.key, w.gram = k.key(make([]byte, 0, gramSize+4), docs[0]), k
			w.value = make([]byte, crcSize, blockBytes)
		}
		room := w.most - len(w.value) - uvarintLen(uint64(k-w.gram)) - uvarintLen(uint64(docs[0])) - 2
		n := 1
		for ; n < len(docs) && room > 0; n++ {
			room -= uvarintLen(uint64(docs[n] - docs[n-1]))
			if room < 0 {
				break
			}
		}
		if free := w.most - len(w.value); len(w.value) > crcSize && (room < 0 && n == 1 || n < len(docs) && free < splitBytes) {
			if err := w.flush(); err != nil {
				return err
			}
			continue
		}
		w.value = binary.AppendUvarint(w.value, uint64(k-w.gram))
		w.value = binary.AppendUvarint(w.value, uint64(docs[0]))
		w.value = binary.AppendUvarint(w.value, uint64(n))
		for i := 1; i < n; i++ {
			w.value = binary.AppendUvarint(w.value, uint64(docs[i]-docs[i-1]))
		}
		w.gram = k
		if docs = docs[n:]; len(docs) > 0 {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the block under way.
func (w *blocks) flush() error {
	if len(w.value) == 0 {
		return nil
	}
	w.size += len(w.key) + len(w.value)
	value := w.value
	w.value = nil
	if w.bucket == nil {
		return nil
	}
	return w.bucket.Put(w.key, w.codec.seal(w.key, value))
}

// putPostings writes what a block holds after a change, as one block or as
// several of like size.
func (c codec) putPostings(b *bolt.Bucket, list []posting) error {
	probe := blocks{most: 1 << 30}
	if err := eachList(list, probe.add); err != nil {
		return err
	}
	n := (len(probe.value) + blockBytes - 1) / blockBytes
	w := blocks{bucket: b, codec: c, most: blockBytes}
	if n > 1 {
		w.most = min(blockBytes, len(probe.value)/n+splitBytes)
	}
	if err := eachList(list, w.add); err != nil {
		return err
	}
	return w.flush()
}

// eachList visits the lists of some postings, which are in order.
func eachList(list []posting, visit func(gram, []uint32) error) error {
	var docs []uint32
	for len(list) > 0 {
		k := list[0].gram
		docs = docs[:0]
		for len(list) > 0 && list[0].gram == k {
			docs = append(docs, list[0].doc)
			list = list[1:]
		}
		if err := visit(k, docs); err != nil {
			return err
		}
	}
	return nil
}

// postings appends all that a block holds.
func (c codec) postings(list []posting, key, value []byte) ([]posting, error) {
	l, err := c.lists(key, value)
	if err != nil {
		return list, err
	}
	var docs []uint32
	for {
		more, err := l.next()
		if err != nil || !more {
			return list, err
		}
		if docs, err = l.documents(docs[:0]); err != nil {
			return list, err
		}
		for _, d := range docs {
			list = append(list, posting{l.gram, d})
		}
	}
}

// amending is a segment under change: blocks that change, by the key they have.
type amending struct {
	bucket *bolt.Bucket
	cursor *bolt.Cursor
	codec  codec
	held   map[string][]posting
	grown  map[string]bool
}

// takeOut takes documents, which are in order, out of every list.
func (a *amending) takeOut(out []uint32) error {
	var list []posting
	isOut := func(p posting) bool {
		if p.doc < out[0] || p.doc > out[len(out)-1] {
			return false
		}
		_, found := slices.BinarySearch(out, p.doc)
		return found
	}
	return a.bucket.ForEach(func(key, value []byte) (err error) {
		if list, err = a.codec.postings(list[:0], key, value); err != nil {
			return err
		}
		if slices.ContainsFunc(list, isOut) {
			a.held[string(key)] = slices.DeleteFunc(slices.Clone(list), isOut)
		}
		return nil
	})
}

// putIn puts a document into the lists of some grams.
func (a *amending) putIn(grams []gram, doc uint32) error {
	for _, k := range grams {
		want := k.key(make([]byte, 0, gramSize+4), doc)
		key, value, ok := covering(a.cursor, want)
		if !ok {
			key, value = a.cursor.First()
		}
		at := "" // of an empty segment
		if key != nil {
			at = string(key)
			if _, held := a.held[at]; !held {
				list, err := a.codec.postings(nil, key, value)
				if err != nil {
					return err
				}
				a.held[at] = list
			}
		}
		a.held[at] = append(a.held[at], posting{k, doc})
		a.grown[at] = true
	}
	return nil
}

// write carries the changes out.
func (a *amending) write() error {
	for key := range a.held {
		if err := a.bucket.Delete([]byte(key)); err != nil {
			return err
		}
	}
	for key, list := range a.held {
		if a.grown[key] {
			slices.SortFunc(list, before)
			list = slices.Compact(list)
		}
		if len(list) == 0 {
			continue
		}
		if err := a.codec.putPostings(a.bucket, list); err != nil {
			return err
		}
	}
	return nil
}
