package search

import (
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
)

// entry is what is known of a document without asking state.
type entry struct {
	pos    uint64
	room   id.ID
	seq    uint32
	sender uint32 // low half of the account
	time   int64  // ms
	files  bool
}

const (
	entrySize  = 24
	blockBits  = 10
	filesFlag  = 1 << 15
	lowBits    = 1<<blockBits - 1
	latestTime = 1<<48 - 1
)

func (e *entry) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.room))
	b = binary.BigEndian.AppendUint32(b, e.sender)
	b = binary.BigEndian.AppendUint32(b, e.seq)
	low := e.pos & lowBits
	if e.files {
		low |= filesFlag
	}
	return binary.BigEndian.AppendUint64(b, uint64(min(max(e.time, 0), latestTime))<<16|low)
}

func readEntry(block uint64, b []byte) entry {
	tail := binary.BigEndian.Uint64(b[16:])
	return entry{room: id.ID(binary.BigEndian.Uint64(b)), sender: binary.BigEndian.Uint32(b[8:]), seq: binary.BigEndian.Uint32(b[12:]),
		time: int64(tail >> 16), files: tail&filesFlag != 0, pos: block<<blockBits | tail&lowBits}
}

func (e *entry) ref() id.Message { return id.Message{Room: e.room, Seq: uint64(e.seq)} }

func blockKey(block uint64) []byte { return binary.BigEndian.AppendUint64(nil, block) }

// table reads document entries of one transaction; it keeps the last block.
type table struct {
	bucket *bolt.Bucket
	codec  codec
	block  uint64
	body   []byte // of block; nil = none yet
}

// find looks a document up.
func (t *table) find(pos uint64) (e entry, ok bool, err error) {
	if block := pos >> blockBits; t.body == nil || block != t.block {
		key := blockKey(block)
		value := t.bucket.Get(key)
		if value == nil {
			return e, false, nil
		}
		body, sound := t.codec.open(key, value)
		if !sound || len(body)%entrySize != 0 {
			return e, false, damaged("documents %x", key)
		}
		t.block, t.body = block, body
	}
	low := uint16(pos & lowBits)
	lo, hi := 0, len(t.body)/entrySize
	for lo < hi {
		mid := (lo + hi) / 2
		switch at := binary.BigEndian.Uint16(t.body[mid*entrySize+22:]) & lowBits; {
		case at == low:
			return readEntry(t.block, t.body[mid*entrySize:]), true, nil
		case at < low:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return e, false, nil
}

// putEntries adds and removes entries, in the order of positions.
func putEntries(b *bolt.Bucket, c codec, put []entry, gone []uint64) error {
	blocks := map[uint64][]entry{}
	order := []uint64{}
	load := func(block uint64) error {
		if _, ok := blocks[block]; ok {
			return nil
		}
		order = append(order, block)
		blocks[block] = nil
		key := blockKey(block)
		value := b.Get(key)
		if value == nil {
			return nil
		}
		list, err := readBlock(c, key, value)
		blocks[block] = list
		return err
	}
	for _, pos := range gone {
		block := pos >> blockBits
		if err := load(block); err != nil {
			return err
		}
		blocks[block] = slices.DeleteFunc(blocks[block], func(e entry) bool { return e.pos == pos })
	}
	for _, e := range put {
		block := e.pos >> blockBits
		if err := load(block); err != nil {
			return err
		}
		blocks[block] = append(blocks[block], e)
	}
	slices.Sort(order)
	for _, block := range order {
		key, list := blockKey(block), blocks[block]
		if len(list) == 0 {
			if err := b.Delete(key); err != nil {
				return err
			}
			continue
		}
		slices.SortFunc(list, func(x, y entry) int { return int(int64(x.pos) - int64(y.pos)) })
		value := make([]byte, crcSize, crcSize+len(list)*entrySize)
		for i := range list {
			value = list[i].append(value)
		}
		if err := b.Put(key, c.seal(key, value)); err != nil {
			return err
		}
	}
	return nil
}

func readBlock(c codec, key, value []byte) ([]entry, error) {
	body, ok := c.open(key, value)
	if !ok || len(body)%entrySize != 0 || len(key) != 8 {
		return nil, damaged("documents %x", key)
	}
	list := make([]entry, 0, len(body)/entrySize)
	for ; len(body) > 0; body = body[entrySize:] {
		list = append(list, readEntry(binary.BigEndian.Uint64(key), body))
	}
	return list, nil
}
