package bench

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Opcodes of RFC 6455.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

var errFrame = errors.New("a frame that no server sends")

// appendMasked appends a frame as a client sends it. The key is zero, which
// takes nothing from a measurement on loopback: the payload
// can be encoded beforehand and changed in place.
func appendMasked(b []byte, op byte, payload []byte) []byte {
	const final, masked = 0x80, 0x80
	b = append(b, final|op)
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// cutFrame takes the first whole frame from what was received. ok is false
// when the rest of it has not come yet.
func cutFrame(b []byte) (op byte, payload, rest []byte, ok bool, err error) {
	if len(b) < 2 {
		return 0, nil, b, false, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, b, false, errFrame
	}
	head, n := 2, uint64(b[1])
	switch n {
	case 126:
		if head = 4; len(b) < head {
			return 0, nil, b, false, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return 0, nil, b, false, nil
		}
		if n = binary.BigEndian.Uint64(b[2:]); n > 1<<30 {
			return 0, nil, b, false, errFrame
		}
	}
	if uint64(len(b)-head) < n {
		return 0, nil, b, false, nil
	}
	end := head + int(n)
	return b[0] & 15, b[head:end], b[end:], true, nil
}

// What frames begin with, and where in them is what the generator looks for.
const (
	answerHead = `{"jsonrpc":"2.0","id":`
	eventHead  = `{"jsonrpc":"2.0","method":"event","params":{"position":`
	textField  = `"text":"`
)

func isAnswer(frame []byte) bool {
	return len(frame) > len(answerHead) && string(frame[:len(answerHead)]) == answerHead
}

// refused reports an answer that is an error.
func refused(frame []byte) bool {
	rest := frame[len(answerHead):]
	return bytes.Contains(rest[:min(len(rest), 40)], []byte(`"error"`))
}

// digits reads the number that b begins with.
func digits(b []byte) (v uint64) {
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		v = v*10 + uint64(c-'0')
	}
	return v
}

// position is that of an event that is a record, else 1: the relay's frames
// have none, and are acknowledged all the same.
func position(frame []byte) uint64 {
	if len(frame) > len(eventHead) && string(frame[:len(eventHead)]) == eventHead {
		return digits(frame[len(eventHead):])
	}
	return 1
}

// stampWidth is the length of the time in a text, hexadecimal ns.
const stampWidth = 16

// stamped finds the time in a frame that carries a text of letter.
func stamped(frame []byte) (time.Duration, bool) {
	at := bytes.Index(frame, []byte(textField))
	if at < 0 || len(frame) < at+len(textField)+stampWidth {
		return 0, false
	}
	var v uint64
	for _, c := range frame[at+len(textField) : at+len(textField)+stampWidth] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return time.Duration(v), true
}

// letter makes the frames of messages to one room: a template in which the key
// and the time are changed in place.
type letter struct {
	frame []byte
	key   int // where the key stands in frame
	stamp int
	dice  *rand.PCG
	count uint32
}

// newLetter makes messages with a text of size bytes.
func newLetter(room string, size int, seed uint64) *letter {
	text := bytes.Repeat([]byte("m"), max(size, stampWidth))
	head := `{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"room":"` + room + `","key":"`
	payload := []byte(head + "00000000-0000-7000-8000-000000000000" + `",` + textField)
	at := len(payload)
	payload = append(append(payload, text...), `"}}`...)
	frame := appendMasked(nil, opText, payload)
	shift := len(frame) - len(payload)
	return &letter{frame: frame, key: shift + len(head), stamp: shift + at, dice: rand.NewPCG(seed, uint64(time.Now().UnixNano()))}
}

// append appends the next message, sent at a time.
func (l *letter) append(b []byte, now time.Duration, wall int64) []byte {
	l.count++
	var id [16]byte // a UUID of version 7: time, counter, dice
	binary.BigEndian.PutUint64(id[:], uint64(wall)<<16|0x7000|uint64(l.count&0xfff))
	binary.BigEndian.PutUint64(id[8:], l.dice.Uint64()>>2|1<<63)
	k := l.frame[l.key:]
	hex.Encode(k, id[:4])
	hex.Encode(k[9:], id[4:6])
	hex.Encode(k[14:], id[6:8])
	hex.Encode(k[19:], id[8:10])
	hex.Encode(k[24:], id[10:])
	putStamp(l.frame[l.stamp:], now)
	return append(b, l.frame...)
}

func putStamp(b []byte, now time.Duration) {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], uint64(now))
	hex.Encode(b, raw[:])
}

// appendAck appends an acknowledgement of everything up to a position.
func appendAck(b []byte, position uint64) []byte {
	const head = `{"jsonrpc":"2.0","method":"sync.ack","params":{"position":`
	at := len(b)
	b = append(b, 0x80|opText, 0x80, 0, 0, 0, 0)
	start := len(b)
	b = append(b, head...)
	b = strconv.AppendUint(b, position, 10)
	b = append(b, "}}"...)
	b[at+1] |= byte(len(b) - start) // below 126 with any position
	return b
}

// request makes any other call; id must be a number.
func request(id int, method, params string) []byte {
	return appendMasked(nil, opText, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params))
}
