package search

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/fold"
)

// bucket names and the key of the manifest, see the package comment.
const (
	bMeta     = "meta"
	bDocs     = "docs"
	bSegments = "segments"
	bTexts    = "texts"
	bCarries  = "carries"
	bCarriers = "carriers"
	metaKey   = "index"
)

// format of the file; rules grows with every change of what the words of a
// message are.
const (
	format = 3
	rules  = fold.Version<<16 | 2
)

// segment is a range of documents with postings of their own.
type segment struct {
	id          uint64
	first, last uint64 // positions
	docs        uint64
	postings    uint64 // about: edits and recalls do not change it
}

func (s segment) key() []byte { return binary.BigEndian.AppendUint64(nil, s.id) }

// manifest is what the file stands for.
type manifest struct {
	position uint64
	stamp    int64 // time of the record there
	made     uint64
	next     uint64 // id of the next segment
	segments []segment

	anew bool // not in the file: it is to be made anew
}

const (
	manifestHead = crcSize + 4 + 4 + 8 + 8 + 8 + 8 + 4
	manifestItem = 5 * 8
)

func (x *Index) readManifest(tx *bolt.Tx) (m manifest, err error) {
	v := tx.Bucket([]byte(bMeta)).Get([]byte(metaKey))
	if v == nil {
		m.anew = true
		return m, nil
	}
	b, ok := x.codec.open([]byte(metaKey), v)
	if !ok || len(v) < manifestHead || binary.BigEndian.Uint32(b) != format || binary.BigEndian.Uint32(b[4:]) != rules {
		return m, damaged("it is of another form")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	m.position, m.stamp, m.made, m.next = u64(8), int64(u64(16)), u64(24), u64(32)
	n := int(binary.BigEndian.Uint32(b[40:]))
	if b = b[44:]; len(b) != manifestItem*n {
		return m, damaged("list of segments")
	}
	for ; len(b) > 0; b = b[manifestItem:] {
		m.segments = append(m.segments, segment{id: u64(0), first: u64(8), last: u64(16), docs: u64(24), postings: u64(32)})
	}
	return m, nil
}

func (x *Index) putManifest(tx *bolt.Tx, m manifest) error {
	b := make([]byte, crcSize, manifestHead+manifestItem*len(m.segments))
	b = binary.BigEndian.AppendUint32(b, format)
	b = binary.BigEndian.AppendUint32(b, rules)
	for _, v := range []uint64{m.position, uint64(m.stamp), m.made, m.next} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.segments)))
	for _, s := range m.segments {
		for _, v := range []uint64{s.id, s.first, s.last, s.docs, s.postings} {
			b = binary.BigEndian.AppendUint64(b, v)
		}
	}
	return tx.Bucket([]byte(bMeta)).Put([]byte(metaKey), x.codec.seal([]byte(metaKey), b))
}

// removeOrphans removes merges that were cut off.
func removeOrphans(tx *bolt.Tx, m manifest) error {
	known := map[uint64]bool{}
	for _, s := range m.segments {
		known[s.id] = true
	}
	all := tx.Bucket([]byte(bSegments))
	var gone [][]byte
	if err := all.ForEachBucket(func(k []byte) error {
		if len(k) != 8 || !known[binary.BigEndian.Uint64(k)] {
			gone = append(gone, append([]byte(nil), k...))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := all.DeleteBucket(k); err != nil {
			return err
		}
	}
	for _, s := range m.segments {
		if all.Bucket(s.key()) == nil {
			return damaged("segment %d is missing", s.id)
		}
	}
	return nil
}
