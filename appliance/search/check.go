package search

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
)

// Check compares the file with state and returns all that differs, joined: every
// flushed message is in the index with the grams of its present words and no
// others, and nothing else is. It reads everything: seconds for millions. Nothing
// may be in memory and nothing be written meanwhile: Close does it with
// Options.Check.
func (x *Index) Check() error {
	if x.filed.position != x.log.Position() || !x.tail.empty() {
		return nil // there is nothing to compare with
	}
	return x.db.View(func(tx *bolt.Tx) error {
		m, err := x.readManifest(tx)
		if err != nil {
			return err
		}
		c := &checker{x: x, have: map[uint64]sum{}, texts: shelf{x: x, bucket: tx.Bucket([]byte(bTexts))}, carried: map[textKey]int{}}
		c.segments(tx, m)
		c.documents(tx)
		c.contents(tx)
		c.entries(m.position)
		return errors.Join(c.wrong...)
	})
}

// sum stands for a set of grams.
type sum struct {
	n    int
	hash uint64
}

func (s *sum) add(g gram) {
	s.n++
	v := uint64(g) * 0x9e3779b97f4a7c15
	s.hash += v ^ v>>29
}

type checker struct {
	x       *Index
	have    map[uint64]sum // by document, from postings
	docs    map[uint64]bool
	texts   shelf
	carried map[textKey]int // how many documents carry a text
	carries int             // how many documents carry any
	wrong   []error
}

func (c *checker) bad(format string, args ...any) {
	if len(c.wrong) < 50 {
		c.wrong = append(c.wrong, fmt.Errorf("index: "+format, args...))
	}
}

func (c *checker) segments(tx *bolt.Tx, m manifest) {
	after := uint64(0)
	for _, s := range m.segments {
		if s.first <= after || s.last < s.first || s.last > m.position {
			c.bad("segment %d of %d to %d comes after %d, the index stands at %d", s.id, s.first, s.last, after, m.position)
		}
		after = s.last
		last := posting{}
		var list []posting
		err := tx.Bucket([]byte(bSegments)).Bucket(s.key()).ForEach(func(key, value []byte) (err error) {
			if list, err = c.x.codec.postings(list[:0], key, value); err != nil {
				return err
			}
			if !bytes.Equal(list[0].gram.key(nil, list[0].doc), key) || len(value) > blockBytes {
				c.bad("segment %d: block %x of %d bytes begins with %x", s.id, key, len(value), list[0])
			}
			for _, p := range list {
				if last != (posting{}) && before(last, p) >= 0 {
					c.bad("segment %d: %x comes after %x", s.id, p, last)
				}
				last = p
				if s.first+uint64(p.doc) > s.last {
					c.bad("segment %d: document %d is not in it", s.id, s.first+uint64(p.doc))
				}
				v := c.have[s.first+uint64(p.doc)]
				v.add(p.gram)
				c.have[s.first+uint64(p.doc)] = v
			}
			return nil
		})
		if err != nil {
			c.bad("segment %d: %w", s.id, err)
		}
	}
}

func (c *checker) documents(tx *bolt.Tx) {
	c.docs = map[uint64]bool{}
	err := tx.Bucket([]byte(bDocs)).ForEach(func(key, value []byte) error {
		list, err := readBlock(c.x.codec, key, value)
		for _, e := range list {
			c.document(e)
		}
		return err
	})
	if err != nil {
		c.bad("documents: %w", err)
	}
	for pos := range c.have {
		if !c.docs[pos] {
			c.bad("postings of document %d, which is not there", pos)
		}
	}
}

func (c *checker) document(e entry) {
	c.docs[e.pos] = true
	w, err := c.x.state.Words(e.ref())
	if err != nil || w == nil || w.Gone {
		c.bad("document %d: message %s is gone (%v)", e.pos, e.ref(), err)
		return
	}
	if got := entryOf(e.ref(), w); got != e {
		c.bad("document %d is %+v, the message is %+v", e.pos, e, got)
	}
	keys := c.x.keysOf(w.Files)
	c.carry(e.pos, keys)
	grams, err := c.texts.grams(c.x.words(w.Text, w.Files), keys)
	if err != nil {
		c.bad("document %d: %w", e.pos, err)
	}
	var want sum
	for _, g := range grams {
		want.add(g)
	}
	if c.have[e.pos] != want {
		c.bad("document %d: message %s has %d grams, its postings are %d", e.pos, e.ref(), want.n, c.have[e.pos].n)
	}
}

// carry checks what the file says that a document carries.
func (c *checker) carry(pos uint64, keys []textKey) {
	tx := c.texts.bucket.Tx()
	got, err := c.x.carriedBy(tx.Bucket([]byte(bCarries)), blockKey(pos))
	if err != nil || !slices.Equal(got, keys) {
		c.bad("document %d carries %x, the file says %x (%v)", pos, keys, got, err)
	}
	if len(keys) > 0 {
		c.carries++
	}
	for _, k := range keys {
		c.carried[k]++
		if tx.Bucket([]byte(bCarriers)).Get(carrierKey(k, pos)) == nil {
			c.bad("document %d is no carrier of %x", pos, k)
		}
		if c.texts.bucket.Get(k[:]) == nil {
			c.bad("document %d: there is no text %x", pos, k)
		}
	}
}

// contents looks for texts and carriers too many.
func (c *checker) contents(tx *bolt.Tx) {
	count := func(name string) (n int) {
		_ = tx.Bucket([]byte(name)).ForEach(func(_, _ []byte) error { n++; return nil })
		return n
	}
	carriers := 0
	for _, n := range c.carried {
		carriers += n
	}
	for name, want := range map[string]int{bTexts: len(c.carried), bCarries: c.carries, bCarriers: carriers} {
		if got := count(name); got != want {
			c.bad("%s has %d keys, want %d", name, got, want)
		}
	}
}

// entries asks state for what the index should have.
func (c *checker) entries(to uint64) {
	err := c.x.state.EachEntry(0, to, func(pos uint64, ref id.Message) bool {
		w, err := c.x.state.Words(ref)
		if err != nil {
			c.bad("message %s: %w", ref, err)
		} else if w != nil && !w.Gone && !c.docs[pos] {
			c.bad("message %s is not in the index", ref)
		}
		return true
	})
	if err != nil {
		c.bad("state: %w", err)
	}
}
