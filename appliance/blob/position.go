package blob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"posthouse/appliance/disk"
)

const (
	slotBytes   = 256
	slotStride  = 4096
	slotMagic   = "PHUP"
	slotVersion = 1
	slotCRC     = slotBytes - 4
	slotMaxHash = slotCRC - 25
)

// position is one slot of a .pos file.
type position struct {
	seq    uint64
	offset int64
	hash   []byte
}

func (p position) encode() []byte {
	b := make([]byte, slotBytes)
	copy(b, slotMagic)
	b[4] = slotVersion
	binary.BigEndian.PutUint64(b[8:], p.seq)
	binary.BigEndian.PutUint64(b[16:], uint64(p.offset))
	if len(p.hash) <= slotMaxHash {
		b[24] = byte(len(p.hash))
		copy(b[25:], p.hash)
	}
	binary.BigEndian.PutUint32(b[slotCRC:], crc32.Checksum(b[:slotCRC], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func decodePosition(b []byte) (position, bool) {
	if len(b) != slotBytes || string(b[:4]) != slotMagic || b[4] != slotVersion {
		return position{}, false
	}
	if crc32.Checksum(b[:slotCRC], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(b[slotCRC:]) {
		return position{}, false
	}
	n, off := int(b[24]), binary.BigEndian.Uint64(b[16:])
	if n > slotMaxHash || off > 1<<62 {
		return position{}, false
	}
	return position{
		seq:    binary.BigEndian.Uint64(b[8:]),
		offset: int64(off),
		hash:   append([]byte(nil), b[25:25+n]...),
	}, true
}

// readPosition gives the newer of the valid slots.
func readPosition(fsys disk.FS, name string) (position, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return position{}, err
	}
	defer f.Close()
	var best position
	found := false
	for i := range int64(2) {
		b := make([]byte, slotBytes)
		if _, err := f.ReadAt(b, i*slotStride); err != nil && !errors.Is(err, io.EOF) {
			return position{}, err
		}
		if p, ok := decodePosition(b); ok && (!found || p.seq > best.seq) {
			best, found = p, true
		}
	}
	if !found {
		return position{}, fmt.Errorf("%s: no valid slot", name)
	}
	return best, nil
}

// createPosition makes a .pos file with both slots filled, so that later
// writes need no new blocks. Its name is durable after the caller's SyncDir.
func createPosition(fsys disk.FS, name string, p position) error {
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	older := p
	older.seq--
	_, err = f.WriteAt(older.encode(), slotAt(older.seq))
	if err == nil {
		_, err = f.WriteAt(p.encode(), slotAt(p.seq))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writePosition writes the slot that p.seq selects and makes it durable.
func writePosition(fsys disk.FS, name string, p position) error {
	f, err := fsys.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(p.encode(), slotAt(p.seq))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func slotAt(seq uint64) int64 { return int64(seq%2) * slotStride }
