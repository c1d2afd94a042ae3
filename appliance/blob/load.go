package blob

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"posthouse/appliance/disk"
)

const (
	maxMetaFile = 128 << 10
	// damagedAge is how long staging files that cannot be read are kept.
	damagedAge = 7 * 24 * time.Hour
)

// loadStaging brings the uploads back and removes litter: temporary files, the
// bytes of Puts, and files of an upload that has no .json.
func (s *Store) loadStaging() error {
	files, err := s.fsys.ReadDir(s.stagingDir())
	if err != nil {
		return fmt.Errorf("list staging: %w", err)
	}
	committed := make(map[string]bool)
	for _, file := range files {
		id, ext := splitStaging(file.Name())
		if ext != ".json" {
			continue
		}
		committed[id] = true
		e, err := s.loadUpload(id)
		switch {
		case errors.Is(err, errUnreadable):
			s.damaged = append(s.damaged, s.stagingPath(id, ".json"))
		case err != nil:
			return fmt.Errorf("load upload: %w", err)
		default:
			s.uploads[id] = e
		}
	}
	for _, file := range files {
		id, ext := splitStaging(file.Name())
		switch ext {
		case ".part", ".pos":
			if !committed[id] {
				s.discard(filepath.Join(s.stagingDir(), file.Name()))
			}
		case ".put", ".json.tmp":
			s.discard(filepath.Join(s.stagingDir(), file.Name()))
		}
	}
	return nil
}

// errUnreadable: the files are there but do not make sense.
var errUnreadable = errors.New("upload files do not make sense")

func (s *Store) loadUpload(id string) (*entry, error) {
	b, err := disk.ReadFile(s.fsys, s.stagingPath(id, ".json"), maxMetaFile)
	if err != nil {
		return nil, err
	}
	text, crc, _ := bytes.Cut(b, []byte("\n"))
	if string(crc) != fmt.Sprintf("%08x\n", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))) {
		return nil, errUnreadable
	}
	var m metaFile
	if err := json.Unmarshal(text, &m); err != nil || m.V != 1 || m.ID != id || m.Size < -1 {
		return nil, errUnreadable
	}
	e := &entry{failed: m.Failed, up: Upload{
		ID: id, Owner: m.Owner, Size: m.Size, Meta: m.Meta, Created: m.Created, Expires: m.Expires,
	}}
	if m.Digest != "" {
		if e.digest, err = ParseDigest(m.Digest); err != nil {
			return nil, errUnreadable
		}
		e.decided = true
		e.up.Offset = m.Size
	}
	part, err := s.fsys.Stat(s.stagingPath(id, ".part"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if e.decided {
		if err != nil {
			e.up.Finished, e.up.Digest = true, e.digest
		}
		return e, nil
	}
	if err != nil {
		return nil, errUnreadable
	}
	p, err := readPosition(s.fsys, s.stagingPath(id, ".pos"))
	if err != nil {
		return nil, errUnreadable
	}
	e.seq, e.tried = p.seq, p.seq
	e.hash = p.hash
	e.up.Offset = p.offset
	if part.Size() < p.offset || m.Size >= 0 && p.offset > m.Size {
		e.failed = true
	}
	return e, nil
}

// sweepDamaged removes staging files that no upload in memory owns and that
// are older than damagedAge.
func (s *Store) sweepDamaged(now time.Time) (n int, bytes int64, err error) {
	if len(s.damaged) == 0 {
		return 0, 0, nil
	}
	files, err := s.fsys.ReadDir(s.stagingDir())
	if err != nil {
		return 0, 0, fmt.Errorf("sweep staging: %w", err)
	}
	var errs []error
	for _, file := range files {
		id, _ := splitStaging(file.Name())
		if !s.isDamaged(id) {
			continue
		}
		info, err := file.Info()
		if err != nil || now.Sub(info.ModTime()) < damagedAge {
			continue
		}
		if err := s.fsys.Remove(filepath.Join(s.stagingDir(), file.Name())); err != nil {
			errs = append(errs, fmt.Errorf("sweep staging: %w", err))
			continue
		}
		n++
		bytes += info.Size()
	}
	return n, bytes, errors.Join(errs...)
}

func (s *Store) isDamaged(id string) bool {
	for _, name := range s.damaged {
		if id != "" && name == s.stagingPath(id, ".json") {
			return true
		}
	}
	return false
}

// splitStaging gives id and extension of a staging file, or nothing.
func splitStaging(name string) (id, ext string) {
	id, ext, ok := strings.Cut(name, ".")
	if !ok || !validID(id) {
		return "", ""
	}
	return id, "." + ext
}
