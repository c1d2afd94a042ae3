package search

import (
	"math/bits"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// source gives documents of a run backwards, counted from where the run begins.
type source interface {
	// before is the last document that is not after a given one.
	before(doc uint32) (found uint32, ok bool, err error)
}

// inMemory is a list of a generation.
type inMemory []uint32

func (l inMemory) before(doc uint32) (uint32, bool, error) {
	i, found := slices.BinarySearch(l, doc)
	if found {
		return doc, true, nil
	}
	if i == 0 {
		return 0, false, nil
	}
	return l[i-1], true, nil
}

// inFile is the list of one gram in a segment; it keeps one part decoded.
type inFile struct {
	cursor *bolt.Cursor
	codec  codec
	gram   gram
	key    [gramSize + 4]byte
	docs   []uint32
	at     int // documents from here on are behind
	none   bool
}

func (f *inFile) before(doc uint32) (uint32, bool, error) {
	if f.none {
		return 0, false, nil
	}
	if len(f.docs) == 0 || doc < f.docs[0] {
		if err := f.load(doc); err != nil || f.none {
			return 0, false, err
		}
	}
	// Most steps are short.
	at := f.at
	for step := 1; at > 0 && f.docs[at-1] > doc; step *= 2 {
		if at < step || f.docs[at-step] <= doc {
			i, found := slices.BinarySearch(f.docs[max(0, at-step):at], doc)
			if at = max(0, at-step) + i; found {
				at++
			}
			break
		}
		at -= step
	}
	f.at = at
	return f.docs[at-1], true, nil
}

// load decodes the part of the list that covers a document.
func (f *inFile) load(doc uint32) error {
	key, value, ok := covering(f.cursor, f.gram.key(f.key[:0], doc))
	f.docs = f.docs[:0]
	if ok {
		l, err := f.codec.lists(key, value)
		if err != nil {
			return err
		}
		for {
			more, err := l.next()
			if err != nil {
				return err
			}
			if !more || l.gram > f.gram || l.gram == f.gram && l.first > doc {
				break
			}
			if l.gram == f.gram {
				if f.docs, err = l.documents(f.docs[:0]); err != nil {
					return err
				}
			}
		}
	}
	f.none, f.at = len(f.docs) == 0, len(f.docs)
	return nil
}

// density is how much of the documents up to one the list takes, as far as it
// is known.
func (f *inFile) density(upTo uint32) float64 {
	if f.none {
		return 0
	}
	return float64(len(f.docs)) / float64(upTo-f.docs[0]+1)
}

// bitmap is a union of lists.
type bitmap []uint64

func (m bitmap) add(docs []uint32) {
	for _, d := range docs {
		m[d/64] |= 1 << (d % 64)
	}
}

func (m bitmap) before(doc uint32) (uint32, bool, error) {
	i := int(doc / 64)
	if i >= len(m) {
		i = len(m) - 1
		doc = uint32(i)*64 + 63
	}
	if i < 0 {
		return 0, false, nil
	}
	word := m[i] << (63 - doc%64) >> (63 - doc%64)
	for word == 0 {
		if i--; i < 0 {
			return 0, false, nil
		}
		word = m[i]
	}
	return uint32(i*64 + 63 - bits.LeadingZeros64(word)), true, nil
}

// openPair is the union of all lists of two letters, whatever follows them.
func openPair(b *bolt.Bucket, c codec, pair gram, span uint32) (bitmap, error) {
	m := make(bitmap, span/64+1)
	cursor := b.Cursor()
	key, value, ok := covering(cursor, pair.key(nil, 0))
	if !ok {
		key, value = cursor.First()
	}
	var docs []uint32
	for ; key != nil && gramOf(key)>>classBits <= pair>>classBits; key, value = cursor.Next() {
		l, err := c.lists(key, value)
		if err != nil {
			return nil, err
		}
		for {
			more, err := l.next()
			if err != nil {
				return nil, err
			}
			if !more || l.gram>>classBits > pair>>classBits {
				break
			}
			if l.gram>>classBits < pair>>classBits {
				continue
			}
			if docs, err = l.documents(docs[:0]); err != nil {
				return nil, err
			}
			if docs[len(docs)-1] > span {
				return nil, damaged("postings %x", key)
			}
			m.add(docs)
		}
	}
	return m, nil
}

// meet is the last document not after a given one that all sources have.
func meet(sources []source, doc uint32) (uint32, bool, error) {
	for i, same := 0, 0; same < len(sources); i = (i + 1) % len(sources) {
		got, ok, err := sources[i].before(doc)
		if err != nil || !ok {
			return 0, false, err
		}
		if got == doc {
			same++
			continue
		}
		doc, same = got, 1
	}
	return doc, true, nil
}
