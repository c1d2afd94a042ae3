// Package id owns the identifiers that people, rooms, devices, files and
// messages carry.
//
// An ID is 64 random bits, written as 13 characters of Crockford's base 32 in
// lower case (https://www.crockford.com/base32.html, without check symbol), so
// it can neither be guessed nor enumerated and survives being read aloud.
// Zero is "none" and is written as the empty string.
//
// A message is named by its room and its sequence number in that room: the
// text form is the room's ID, a hyphen and the number in the same base 32.
// Clients treat it as opaque.
package id

import (
	"errors"
	"fmt"
	"strings"
)

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// length of the text form of an ID.
const length = 13

// ErrSyntax says that a text is not an identifier.
var ErrSyntax = errors.New("not an identifier")

// ID names a user, room, device, department, invitation or file.
type ID uint64

// AppendText implements encoding.TextAppender.
func (i ID) AppendText(b []byte) ([]byte, error) {
	if i == 0 {
		return b, nil
	}
	v := uint64(i)
	for shift := 60; shift >= 0; shift -= 5 {
		b = append(b, alphabet[v>>uint(shift)&31])
	}
	return b, nil
}

// MarshalText implements encoding.TextMarshaler.
func (i ID) MarshalText() ([]byte, error) { return i.AppendText(make([]byte, 0, length)) }

// String is the text form.
func (i ID) String() string {
	b, _ := i.AppendText(make([]byte, 0, length))
	return string(b)
}

// IsZero reports whether the ID names nothing.
func (i ID) IsZero() bool { return i == 0 }

// UnmarshalText accepts the text form, in either case; the empty text is zero.
func (i *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = 0
		return nil
	}
	v, err := Parse(string(b))
	*i = v
	return err
}

// Parse reads the text form of an ID that must be there.
func Parse(s string) (ID, error) {
	if len(s) != length {
		return 0, fmt.Errorf("%w: %.40q", ErrSyntax, s)
	}
	v, ok := number(s)
	if !ok || v == 0 || (s[0] != '0' && digit(s[0]) > 15) {
		return 0, fmt.Errorf("%w: %.40q", ErrSyntax, s)
	}
	return ID(v), nil
}

func digit(c byte) int {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return strings.IndexByte(alphabet, c)
}

func number(s string) (uint64, bool) {
	var v uint64
	for k := range len(s) {
		d := digit(s[k])
		if d < 0 {
			return 0, false
		}
		v = v<<5 | uint64(d)
	}
	return v, true
}

// Message names one message: its room and its sequence number there, from 1.
type Message struct {
	Room ID
	Seq  uint64
}

// IsZero reports whether it names nothing.
func (m Message) IsZero() bool { return m.Seq == 0 }

// AppendText implements encoding.TextAppender.
func (m Message) AppendText(b []byte) ([]byte, error) {
	if m.Seq == 0 {
		return b, nil
	}
	b, _ = m.Room.AppendText(b)
	b = append(b, '-')
	started := false
	for shift := 60; shift >= 0; shift -= 5 {
		d := m.Seq >> uint(shift) & 31
		if d != 0 || started || shift == 0 {
			started = true
			b = append(b, alphabet[d])
		}
	}
	return b, nil
}

// MarshalText implements encoding.TextMarshaler.
func (m Message) MarshalText() ([]byte, error) { return m.AppendText(nil) }

// String is the text form.
func (m Message) String() string {
	b, _ := m.AppendText(nil)
	return string(b)
}

// UnmarshalText accepts the text form; the empty text is zero.
func (m *Message) UnmarshalText(b []byte) error {
	*m = Message{}
	if len(b) == 0 {
		return nil
	}
	room, seq, found := strings.Cut(string(b), "-")
	r, err := Parse(room)
	if err != nil || !found || len(seq) == 0 || len(seq) > 12 {
		return fmt.Errorf("%w: %.40q", ErrSyntax, b)
	}
	v, ok := number(seq)
	if !ok || v == 0 {
		return fmt.Errorf("%w: %.40q", ErrSyntax, b)
	}
	*m = Message{Room: r, Seq: v}
	return nil
}
