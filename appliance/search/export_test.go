package search

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/fold"
)

// CountPostings counts the values of an index's file for grams of a text that
// another one does not have.
func CountPostings(t testing.TB, path, text, except string) (n int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f := fold.New()
	want := map[gram]bool{}
	eachGram(f.Text(text), func(g gram) { want[g] = true })
	eachGram(f.Text(except), func(g gram) { delete(want, g) })
	if len(want) == 0 {
		t.Fatalf("%q has no grams of its own", text)
	}
	if err := db.View(func(tx *bolt.Tx) error {
		all := tx.Bucket([]byte(bSegments))
		return all.ForEachBucket(func(k []byte) error {
			return all.Bucket(k).ForEach(func(k, v []byte) error {
				list, err := newCodec().postings(nil, k, v)
				for _, p := range list {
					if want[p.gram] {
						n++
					}
				}
				return err
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Hurts are what can happen to an index while nobody holds it.
func Hurts() map[string]func(testing.TB, string) {
	change := func(f func(tx *bolt.Tx) error) func(testing.TB, string) {
		return func(t testing.TB, path string) {
			t.Helper()
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Update(f), db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	manifestByte := func(at int) func(tx *bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bMeta))
			v := slices.Clone(b.Get([]byte(metaKey)))
			v[at]++
			newCodec().seal([]byte(metaKey), v)
			return b.Put([]byte(metaKey), v)
		}
	}
	file := func(f func(path string, size int64) error) func(testing.TB, string) {
		return func(t testing.TB, path string) {
			t.Helper()
			info, err := os.Stat(path)
			if err == nil {
				err = f(path, info.Size())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]func(testing.TB, string){
		"removed": file(func(path string, _ int64) error { return os.Remove(path) }),
		"emptied": file(func(path string, _ int64) error { return os.Truncate(path, 0) }),
		"overwritten": file(func(path string, size int64) error {
			return os.WriteFile(path, bytes.Repeat([]byte{7}, int(size)), 0o600)
		}),
		"other rules":    change(manifestByte(crcSize + 7)),
		"ahead":          change(manifestByte(crcSize + 8 + 3)),
		"of other times": change(manifestByte(crcSize + 16 + 7)),
		"without a segment": change(func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bSegments))
			k, _ := b.Cursor().First()
			return b.DeleteBucket(slices.Clone(k))
		}),
		"with a merge cut off": change(func(tx *bolt.Tx) error {
			b, err := tx.Bucket([]byte(bSegments)).CreateBucket([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
			if err != nil {
				return err
			}
			return b.Put([]byte("0123456789"), []byte("x"))
		}),
	}
}

// CountTexts counts the texts that an index's file keeps.
func CountTexts(t testing.TB, path string) (n int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket([]byte(bTexts)).Stats().KeyN
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
