package gate

import (
	"encoding/binary"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Opcodes and close codes of RFC 6455, and close codes of this server.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
	final   = 0x80

	closeUnwanted = 1003 // binary frames
	closeBadUTF8  = 1007
	closeFault    = 1011
	closeRestart  = 1012
	closeNoLogin  = 4401
	closeSilent   = 4408
	closeTooMany  = 4409

	maxHeader  = 10  // of an unmasked frame
	maxControl = 125 // payload of a control frame
)

// frame is one WebSocket frame as it goes out, shared by all its recipients.
type frame struct {
	data   []byte // header and payload; never changed
	pos    uint64 // journal position of a record's event, else 0
	room   id.ID  // of a message …
	seq    uint64 // … its number in the room, else 0
	sender id.ID  // … and who wrote it
	call   bool   // answers a call
	at     int64  // of a new message that counts: when it was accepted, Unix ms
}

// header appends the header of an unmasked frame (RFC 6455 section 5.2).
func header(b []byte, op byte, size int) []byte {
	b = append(b, final|op)
	switch {
	case size < 126:
		return append(b, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
	}
}

// textFrame makes the bytes of a text frame.
func textFrame(text []byte) []byte {
	return append(header(make([]byte, 0, len(text)+maxHeader), opText, len(text)), text...)
}

// framed finishes a text frame whose JSON was appended to room: the header is
// put right before the JSON, so nothing is copied.
func framed(b []byte) []byte {
	var h [maxHeader]byte
	head := header(h[:0], opText, len(b)-maxHeader)
	start := maxHeader - len(head)
	copy(b[start:], head)
	return b[start:]
}

// room is the beginning of a buffer for framed.
func room(size int) []byte { return make([]byte, maxHeader, maxHeader+size) }

// controlFrame makes a ping, pong or close frame; the payload is cut at 125
// bytes.
func controlFrame(op byte, payload []byte) []byte {
	payload = payload[:min(len(payload), maxControl)]
	return append(header(make([]byte, 0, 2+len(payload)), op, len(payload)), payload...)
}

// closeFrameOf makes a close frame; code 0 carries none.
func closeFrameOf(code int, reason string) []byte {
	if code == 0 {
		return controlFrame(opClose, nil)
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return controlFrame(opClose, append(b, reason...))
}

// event is one delivery in the ring.
type event struct {
	frame
	d chat.Delivery // without its Frame
}

func newEvent(d chat.Delivery) *event {
	e := &event{d: d, frame: frame{data: textFrame(d.Frame), pos: d.Position}}
	e.d.Frame = nil
	if d.Seq > 0 && !d.Room.IsZero() {
		e.room, e.seq, e.sender = d.Room, d.Seq, d.Sender
		e.at = d.Time
	}
	return e
}

// passing makes an event that is no record: it carries no position and is not
// sent again.
func passing(t wire.EventType, data any) (*frame, error) {
	b, err := wire.AppendEvent(room(128), 0, t, data)
	if err != nil {
		return nil, err
	}
	return &frame{data: framed(b)}, nil
}
