package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// Snapshot writes a copy of the file as it is after the last flush, whole or
// not at all, and returns the position it stands for. It is a long read: what
// is flushed meanwhile cannot reuse pages.
func (s *State) Snapshot(path string) (position uint64, err error) {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, fmt.Errorf("snapshot state: %w", err)
	}
	err = s.db.view("snapshot", func(tx *bolt.Tx) error {
		var m meta
		raw := tx.Bucket([]byte(bMeta)).Get([]byte("state"))
		if raw != nil {
			if err := s.unseal(bMeta, []byte("state"), raw, &m); err != nil {
				return err
			}
		}
		position = m.Applied
		_, err := tx.WriteTo(f)
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return 0, fmt.Errorf("snapshot state: %w", err)
	}
	return position, nil
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
