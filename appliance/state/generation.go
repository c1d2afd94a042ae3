package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"posthouse/appliance/id"
	"posthouse/appliance/meter"
)

// bucket names, in the order of the package comment.
const (
	bMeta      = "meta"
	bUsers     = "users"
	bPasswords = "passwords"
	bDevices   = "devices"
	bDepts     = "depts"
	bInvites   = "invites"
	bRooms     = "rooms"
	bExtras    = "extras"
	bMembers   = "members"
	bReads     = "reads"
	bFiles     = "files"
	bKV        = "kv"
	bMarks     = "marks"
	bMessages  = "messages"
	bRevisions = "revisions"
	bKeys      = "keys"

	bNotices     = "notices"
	bNoticeMarks = "noticemarks"
	bConfirms    = "confirms"
	bScheduled   = "scheduled"
	bHooks       = "hooks"
	bAudit       = "audit"
)

func buckets() []string {
	return []string{bMeta, bUsers, bPasswords, bDevices, bDepts, bInvites, bRooms, bExtras,
		bMembers, bReads, bFiles, bKV, bMarks, bMessages, bRevisions, bKeys, bNotices, bNoticeMarks, bConfirms, bScheduled, bHooks, bAudit}
}

// slot names an entity in the file.
type slot struct {
	bucket string
	a, b   uint64
	text   string // kv key, or version of a revision
}

func (s slot) key() []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 24), s.a)
	switch s.bucket {
	case bMembers, bReads, bMessages, bConfirms:
		k = binary.BigEndian.AppendUint64(k, s.b)
	case bRevisions:
		k = binary.BigEndian.AppendUint64(k, s.b)
		k = append(k, s.text...)
	case bKV:
		k = append(k, s.text...)
	}
	return k
}

func messageKey(room id.ID, seq uint64) []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(room))
	return binary.BigEndian.AppendUint64(k, seq)
}

func (k clientKey) bytes() []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 24), k.key[:]...), uint64(k.user))
}

// generation is what Apply made between two flushes. The one being flushed is
// never changed any more.
type generation struct {
	messages map[msgKey]*Message
	keys     map[clientKey]keyRef
	puts     map[slot]any // nil = delete
	audits   []*audited   // by position
	last     uint64       // position of the last record in it
}

func newGeneration() *generation {
	return &generation{messages: map[msgKey]*Message{}, keys: map[clientKey]keyRef{}, puts: map[slot]any{}}
}

func (g *generation) size() int { return len(g.messages) + len(g.puts) }

func (s *State) put(bucket string, a, b uint64, v any) {
	s.tail.puts[slot{bucket: bucket, a: a, b: b}] = v
}
func (s *State) del(bucket string, a, b uint64) { s.tail.puts[slot{bucket: bucket, a: a, b: b}] = nil }

// ErrDamaged says that a value in the state file is not what was written.
var ErrDamaged = errors.New("the state file is damaged: move it away and start again, it is rebuilt from the journal")

const crcSize = 4

// sealed appends a value as the file holds it to b and returns where it begins.
func (s *State) sealed(b *bytes.Buffer, v any) (from int, err error) {
	from = b.Len()
	b.Write(make([]byte, crcSize))
	if err := s.codec.Marshal(b, v); err != nil {
		return from, err
	}
	whole := b.Bytes()[from:]
	binary.BigEndian.PutUint32(whole, crc32.Checksum(whole[crcSize:], s.crc))
	return from, nil
}

func (s *State) unseal(bucket string, key, value []byte, into any) error {
	if len(value) < crcSize || binary.BigEndian.Uint32(value) != crc32.Checksum(value[crcSize:], s.crc) {
		return meter.Here(fmt.Errorf("%s %x: checksum: %w", bucket, key, ErrDamaged))
	}
	if err := s.codec.Unmarshal(value[crcSize:], into); err != nil {
		return meter.Here(fmt.Errorf("%s %x: %w: %w", bucket, key, err, ErrDamaged))
	}
	return nil
}

// lookup reads the file in one transaction that begins with the first read:
// most lookups end in a generation and need none. It must be made, and end,
// under the lock, or be made again when a generation was dropped.
type lookup struct {
	db *file
	tx *reading
}

// get reads a value; nil when there is none. It is valid until end.
func (l *lookup) get(bucket string, key []byte) ([]byte, error) {
	if l.tx == nil {
		tx, err := l.db.begin("read")
		if err != nil {
			return nil, fmt.Errorf("read state file: %w", err)
		}
		l.tx = tx
	}
	return l.tx.Bucket([]byte(bucket)).Get(key), nil
}

func (l *lookup) end() {
	if l.tx != nil {
		_ = l.tx.Rollback()
		l.tx = nil
	}
}

// message finds an entry; nil when there is none. The caller holds the lock
// (either way), or refreshes tx under it.
func (s *State) message(tx *lookup, room id.ID, seq uint64) (*Message, error) {
	k := msgKey{room, seq}
	if m := s.tail.messages[k]; m != nil {
		return m, nil
	}
	if s.flushing != nil {
		if m := s.flushing.messages[k]; m != nil {
			return m, nil
		}
	}
	return s.storedMessage(tx, room, seq)
}

func (s *State) storedMessage(tx *lookup, room id.ID, seq uint64) (*Message, error) {
	key := messageKey(room, seq)
	v, err := tx.get(bMessages, key)
	if v == nil {
		return nil, err
	}
	m := new(Message)
	return m, s.unseal(bMessages, key, v, m)
}

// clientKey finds what a client key has made; the zero ref when nothing.
func (s *State) clientKey(tx *lookup, k clientKey) (keyRef, error) {
	if r, ok := s.tail.keys[k]; ok {
		return r, nil
	}
	if s.flushing != nil {
		if r, ok := s.flushing.keys[k]; ok {
			return r, nil
		}
	}
	key := k.bytes()
	v, err := tx.get(bKeys, key)
	if v == nil {
		return keyRef{}, err
	}
	var r keyRef
	return r, s.unseal(bKeys, key, v, &r)
}
