package search

import (
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
			return all.Bucket(k).ForEach(func(k, _ []byte) error {
				if want[gramOf(k)] {
					n++
				}
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
