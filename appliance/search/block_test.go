package search

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// somePostings are lists of all lengths, in order.
func somePostings(dice *rand.Rand) []posting {
	var list []posting
	k := gram(0)
	for range 300 {
		k += gram(1 + dice.Uint64N(1<<dice.Uint64N(30)))
		doc := uint32(0)
		for range 1 + dice.IntN(1<<dice.IntN(12)) {
			list = append(list, posting{k, doc})
			doc += 1 + uint32(dice.Uint64N(1<<dice.Uint64N(18)))
		}
	}
	return list
}

// What was written is read, list by list, from any place on; and after changes.
func TestBlocksOfLists(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "blocks"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dice := rand.New(rand.NewPCG(5, 6))
	c := newCodec()
	for round := range 8 {
		want := somePostings(dice)
		if err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte{byte(round)})
			if err != nil {
				return err
			}
			w := blocks{bucket: b, codec: c, most: blockBytes}
			if err := errors.Join(eachList(want, w.add), w.flush()); err != nil {
				return err
			}
			compare(t, c, b, want, dice)
			for range 3 {
				want = exchange(t, c, b, want, dice)
				compare(t, c, b, want, dice)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// exchange takes a document out and puts it in again with other grams.
func exchange(t *testing.T, c codec, b *bolt.Bucket, list []posting, dice *rand.Rand) []posting {
	t.Helper()
	doc := list[dice.IntN(len(list))].doc
	var grams []gram
	for range 200 {
		grams = append(grams, list[dice.IntN(len(list))].gram+gram(dice.IntN(3)))
	}
	slices.Sort(grams)
	grams = slices.Compact(grams)
	a := amending{bucket: b, cursor: b.Cursor(), codec: c, held: map[string][]posting{}, grown: map[string]bool{}}
	if err := errors.Join(a.takeOut([]uint32{doc}), a.putIn(grams, doc), a.write()); err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(slices.Clone(list), func(p posting) bool { return p.doc == doc })
	for _, k := range grams {
		list = append(list, posting{k, doc})
	}
	slices.SortFunc(list, before)
	return list
}

func compare(t *testing.T, c codec, b *bolt.Bucket, want []posting, dice *rand.Rand) {
	t.Helper()
	var got []posting
	if err := b.ForEach(func(k, v []byte) (err error) {
		if len(v) > blockBytes {
			t.Errorf("a block has %d bytes", len(v))
		}
		got, err = c.postings(got, k, v)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d postings are read, %d were written", len(got), len(want))
	}
	for range 500 {
		p := want[dice.IntN(len(want))]
		p.doc += uint32(dice.IntN(5))
		if dice.IntN(5) == 0 {
			p.doc = dice.Uint32N(1 << 20)
		}
		i, found := slices.BinarySearchFunc(want, p, before)
		if !found {
			i--
		}
		f := inFile{cursor: b.Cursor(), codec: c, gram: p.gram}
		doc, ok, err := f.before(p.doc)
		if has := i >= 0 && want[i].gram == p.gram; err != nil || ok != has || has && doc != want[i].doc {
			t.Fatalf("before %x: %d %v %v, want %v", p, doc, ok, err, want[max(i, 0)])
		}
	}
}

// Bytes that are not what was written are damage, whatever they are.
func TestBlocksThatAreDamaged(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 8))
	c := newCodec()
	key := gram(77).key(nil, 5)
	for range 20000 {
		value := make([]byte, crcSize+dice.IntN(40))
		for i := range value {
			value[i] = byte(dice.Uint32()) >> dice.IntN(8)
		}
		if list, err := c.postings(nil, key, c.seal(key, value)); err != nil && !errors.Is(err, errDamaged) || len(list) > 40 {
			t.Fatalf("%x: %d, %v", value, len(list), err)
		}
		if _, err := c.postings(nil, gram(78).key(nil, 5), value); !errors.Is(err, errDamaged) {
			t.Fatalf("%x under another key: %v", value, err)
		}
	}
}
