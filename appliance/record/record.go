// Package record owns the vocabulary of the journal: what can have happened.
// It does no I/O.
//
// A record is a decision, not a wish: it holds everything that was decided,
// so that applying it needs no clock, no dice and no network. Kinds and fields
// are numbered and never reused; old ones stay readable for ever (golden
// files in testdata). Decoding refuses unknown kinds and unknown fields, so an
// older program never half-understands a newer journal.
//
// Payload of a journal entry, by byte:
//
//	0..7    time of the decision, Unix milliseconds, big endian
//	8..15   account that acted, 0 = the box itself
//	16..23  device that acted, 0 = none
//	24..    body: one CBOR map with integer keys in the core deterministic
//	        encoding of RFC 8949 section 4.2.1; its fields are the
//	        `cbor:"N,keyasint"` tags of the kind's struct
//
// It runs no goroutines.
package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"posthouse/appliance/id"
)

// Kind numbers a kind of record. Numbers are never reused.
type Kind uint16

// Record is one decision with its place in the journal.
type Record struct {
	Pos    uint64 // journal position, from 1
	Time   int64  // Unix milliseconds
	User   id.ID  // who acted; 0 = the box itself
	Device id.ID  // with which device
	Body   Body
}

// Body is what was decided: a pointer to one of the structs of this package.
// A body is never changed once it is in a Record.
type Body interface{ Kind() Kind }

// ErrUnknown says that a record is of a kind or form this program does not
// know: it was written by a newer one.
var ErrUnknown = errors.New("record of an unknown kind or form: it was written by a newer version of posthouse")

const header = 24

// Codec encodes and decodes records. It is safe for concurrent use.
type Codec struct {
	enc cbor.UserBufferEncMode
	dec cbor.DecMode
}

// NewCodec makes a Codec.
func NewCodec() *Codec {
	eo := cbor.CoreDetEncOptions()
	enc, err := eo.UserBufferEncMode()
	if err != nil {
		panic(err) // constant options
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   8,
		MaxArrayElements:  2_000_000, // bounded by the payload, which is checked first
		MaxMapPairs:       1024,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err) // constant options
	}
	return &Codec{enc, dec}
}

// Append appends the payload of a record to b; its position and kind travel in
// the journal's own frame. After an error b holds a part of it.
func (c *Codec) Append(b *bytes.Buffer, r Record) error {
	var head [header]byte
	binary.BigEndian.PutUint64(head[:], uint64(r.Time))
	binary.BigEndian.PutUint64(head[8:], uint64(r.User))
	binary.BigEndian.PutUint64(head[16:], uint64(r.Device))
	b.Write(head[:])
	if err := c.enc.MarshalToBuffer(r.Body, b); err != nil {
		return fmt.Errorf("encode record of kind %d: %w", r.Body.Kind(), err)
	}
	return nil
}

// Decode reads a payload. The record shares no memory with it.
func (c *Codec) Decode(pos uint64, kind uint16, payload []byte) (Record, error) {
	if len(payload) < header {
		return Record{}, fmt.Errorf("record %d: %d bytes are too few", pos, len(payload))
	}
	body := blank(Kind(kind))
	if body == nil {
		return Record{}, fmt.Errorf("record %d, kind %d: %w", pos, kind, ErrUnknown)
	}
	if err := c.dec.Unmarshal(payload[header:], body); err != nil {
		var unknown *cbor.UnknownFieldError
		if errors.As(err, &unknown) {
			err = ErrUnknown
		}
		return Record{}, fmt.Errorf("record %d, kind %d: %w", pos, kind, err)
	}
	return Record{
		Pos:    pos,
		Time:   int64(binary.BigEndian.Uint64(payload)),
		User:   id.ID(binary.BigEndian.Uint64(payload[8:])),
		Device: id.ID(binary.BigEndian.Uint64(payload[16:])),
		Body:   body,
	}, nil
}

// Marshal appends one value in the same deterministic form to b: state keeps
// its entities with it.
func (c *Codec) Marshal(b *bytes.Buffer, v any) error { return c.enc.MarshalToBuffer(v, b) }

// Unmarshal is the reverse of Marshal.
func (c *Codec) Unmarshal(b []byte, v any) error { return c.dec.Unmarshal(b, v) }
