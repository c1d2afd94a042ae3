package state

import (
	"fmt"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// Every bucket with something in it has a size, also one that is kept within
// another's page; pages that were freed are counted as free.
func TestInspect(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "x.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fill := func(name string, n int) {
		t.Helper()
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(name))
			for i := 0; i < n && err == nil; i++ {
				err = b.Put(fmt.Appendf(nil, "%08d", i), make([]byte, 100))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill("empty", 0)
	fill("gone", 2000)
	fill("large", 2000)
	fill("small", 1)
	if err := db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("gone")) }); err != nil {
		t.Fatal(err)
	}
	size, err := Inspect(db)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]BucketSize{}
	for _, b := range size.Buckets {
		got[b.Name] = b
	}
	if b := got["large"]; len(got) != 3 || b.Keys != 2000 || b.Bytes < 2000*108 || b.Bytes > 2000*108*3 {
		t.Errorf("%+v", size)
	}
	if b := got["small"]; b.Keys != 1 || b.Bytes < 108 || b.Bytes >= int64(size.PageBytes) {
		t.Errorf("the small one: %+v", b)
	}
	if free := int64(size.FreePages) * int64(size.PageBytes); free < 2000*108 || free >= size.Bytes {
		t.Errorf("%d bytes are free of %d", free, size.Bytes)
	}
}
