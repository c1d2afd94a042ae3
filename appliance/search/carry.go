package search

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
)

func carrierKey(k textKey, pos uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, len(k)+8), k[:]...), pos)
}

// keepTexts writes what the documents of a generation carry.
func (x *Index) keepTexts(tx *bolt.Tx, g *generation) error {
	texts, carries, carriers := tx.Bucket([]byte(bTexts)), tx.Bucket([]byte(bCarries)), tx.Bucket([]byte(bCarriers))
	for _, pos := range slices.Sorted(maps.Keys(g.carries)) {
		key := blockKey(pos)
		value := make([]byte, crcSize, crcSize+len(textKey{}))
		for _, k := range g.carries[pos] {
			value = append(value, k[:]...)
			if err := carriers.Put(carrierKey(k, pos), []byte{}); err != nil {
				return err
			}
			if texts.Get(k[:]) != nil {
				continue
			}
			if err := texts.Put(k[:], x.codec.seal(k[:], append(make([]byte, crcSize), g.texts[k]...))); err != nil {
				return err
			}
		}
		if err := carries.Put(key, x.codec.seal(key, value)); err != nil {
			return err
		}
	}
	return nil
}

// dropCarriers takes documents that are gone off the list of what they carried,
// which it returns.
func (x *Index) dropCarriers(tx *bolt.Tx, changes []change) (loose []textKey, err error) {
	carries, carriers := tx.Bucket([]byte(bCarries)), tx.Bucket([]byte(bCarriers))
	for _, c := range changes {
		if !c.gone {
			continue
		}
		key := blockKey(c.entry.pos)
		keys, err := x.carriedBy(carries, key)
		if err != nil || len(keys) == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		if err := carries.Delete(key); err != nil {
			return nil, err
		}
		for _, k := range keys {
			if err := carriers.Delete(carrierKey(k, c.entry.pos)); err != nil {
				return nil, err
			}
		}
		loose = append(loose, keys...)
	}
	return loose, nil
}

// carriedBy reads a value of carries.
func (x *Index) carriedBy(b *bolt.Bucket, key []byte) (keys []textKey, err error) {
	value := b.Get(key)
	if value == nil {
		return nil, nil
	}
	body, ok := x.codec.open(key, value)
	if !ok || len(body)%len(textKey{}) != 0 {
		return nil, damaged("documents carried by %x", key)
	}
	for ; len(body) > 0; body = body[len(textKey{}):] {
		keys = append(keys, textKey(body[:len(textKey{})]))
	}
	return keys, nil
}

// dropTexts removes those texts that nothing carries any more.
func dropTexts(tx *bolt.Tx, loose []textKey) error {
	texts, carriers := tx.Bucket([]byte(bTexts)), tx.Bucket([]byte(bCarriers)).Cursor()
	for _, k := range loose {
		if held, _ := carriers.Seek(k[:]); bytes.HasPrefix(held, k[:]) {
			continue
		}
		if err := texts.Delete(k[:]); err != nil {
			return err
		}
	}
	return nil
}
