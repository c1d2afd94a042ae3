package search

import (
	"bytes"
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

// inFile is the list of one gram in a segment; it keeps one value decoded.
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

// load decodes the value that covers a document.
func (f *inFile) load(doc uint32) error {
	want := f.gram.key(f.key[:0], doc)
	key, value := f.cursor.Seek(want)
	if key == nil {
		key, value = f.cursor.Last()
	} else if !bytes.Equal(key, want) {
		key, value = f.cursor.Prev()
	}
	if key == nil || gramOf(key) != f.gram {
		f.none = true
		return nil
	}
	var err error
	f.docs, err = f.codec.documents(f.docs[:0], key, value)
	f.at = len(f.docs)
	return err
}

// density is how much of the documents the list takes, as far as it is known.
func (f *inFile) density() float64 {
	if f.none || len(f.docs) == 0 {
		return 0
	}
	return float64(len(f.docs)) / float64(f.docs[len(f.docs)-1]-f.docs[0]+1)
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
	var docs []uint32
	for k, v := cursor.Seek(pair.key(nil, 0)); k != nil && gramOf(k)>>classBits == pair>>classBits; k, v = cursor.Next() {
		var err error
		if docs, err = c.documents(docs[:0], k, v); err != nil {
			return nil, err
		}
		if docs[len(docs)-1] > span {
			return nil, damaged("postings %x", k)
		}
		m.add(docs)
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
