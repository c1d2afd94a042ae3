package blob

import "posthouse/appliance/disk"

// Look gives a Store that is only good for OpenBlob, Verify and List: it makes
// no directory, removes no left-over and may look at a store that is in use.
func Look(dir string) *Store { return &Store{dir: dir, fsys: disk.OS{}} }
