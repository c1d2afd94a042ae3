package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/blob"
	"posthouse/appliance/disk"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// office is everything durable of a box, opened as the server opens it, driven
// by commands and without doors.
type office struct {
	j     *journal.Journal
	s     *state.State
	q     *sequencer.Sequencer
	b     *blob.Store
	codec *record.Codec
	fatal chan error
}

// officeOptions differ from those of the server in their sizes, so that little
// work meets every step: rolls, flushes, marks.
type officeOptions struct {
	fs      disk.FS // of journal and files; nil = the real one
	segment int64
	flush   time.Duration
	state   string // path of the state file; empty: in dir
	files   string // directory of the files; empty: in dir
	flushAt int
}

func openOffice(dir string, opt officeOptions) (o *office, err error) {
	o = &office{codec: record.NewCodec(), fatal: make(chan error, 1)}
	defer func() {
		if err != nil {
			o.abandon()
		}
	}()
	if opt.state == "" {
		opt.state = filepath.Join(dir, "state.db")
	}
	if opt.files == "" {
		opt.files = filepath.Join(dir, "files")
	}
	if o.s, err = state.Open(opt.state, state.Options{}); err != nil {
		return o, err
	}
	if o.j, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{FS: opt.fs, SegmentBytes: opt.segment, Witness: o.s.Flushed()}); err != nil {
		return o, err
	}
	room := blob.Options{FS: opt.fs}
	if opt.fs != nil { // it may be nowhere on a volume
		room.FreeBytes = func(string) (int64, error) { return 1 << 40, nil }
	}
	if o.b, err = blob.Open(opt.files, room); err != nil {
		return o, err
	}
	o.q, err = sequencer.Start(o.j, o.s, sequencer.Options{FlushEvery: opt.flush, FlushAt: opt.flushAt, Fatal: func(err error) { o.fatal <- err }})
	return o, err
}

func (o *office) close() error {
	if o.q.Failed() != nil {
		o.abandon()
		return nil
	}
	err := o.q.Close(context.Background())
	return errors.Join(err, o.s.Close(), o.j.Close())
}

// abandon is what a server does whose store has failed.
func (o *office) abandon() {
	if o.q != nil {
		_ = o.q.Close(context.Background())
	}
	if o.j != nil {
		_ = o.j.Close()
	}
	if o.s != nil {
		o.s.Abandon()
	}
}

// ack is one promise the office made, and how to see that it is kept.
type ack struct {
	Op     int    // mutations of the file system before it was given
	Pos    uint64 // of the record
	Sum    string // of kind and payload, for Pos; of the bytes up to Offset
	Room   id.ID
	Seq    uint64
	Digest string // of content that was finished or put
	Upload string // of an upload under way
	Offset int64
}

func (o *office) ackOf(r sequencer.Result) ack {
	a := ack{Pos: r.Position(), Room: r.Ref.Room, Seq: r.Ref.Seq}
	if r.Record.Body != nil {
		var b bytes.Buffer
		if err := o.codec.Append(&b, r.Record); err == nil {
			a.Sum = payloadSum(uint16(r.Record.Body.Kind()), b.Bytes())
		}
	}
	return a
}

func payloadSum(kind uint16, payload []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d ", kind)
	h.Write(payload)
	return fmt.Sprintf("%x", h.Sum(nil)[:12])
}

// life drives an office with random commands. Every answer becomes an ack.
type life struct {
	o      *office
	rng    *rand.Rand
	people []id.ID
	rooms  []id.ID
	files  []id.ID
	sent   []id.Message
	n      int
	acked  func(ack)
}

func newKey() []byte { k := uuid.Must(uuid.NewV7()); return k[:] }

func (l *life) do(who id.ID, c state.Command) (sequencer.Result, error) {
	r, err := l.o.q.Submit(context.Background(), state.Actor{User: who, Operator: who == 0}, c)
	if a := l.o.ackOf(r); err == nil && (a.Pos > 0 || a.Sum != "") {
		l.acked(a)
	}
	return r, err
}

// found makes the people and the rooms.
func (l *life) found(people, rooms int) error {
	for i := range people {
		c := &state.OpenAccount{User: record.User{Login: fmt.Sprintf("person%d", i), Name: fmt.Sprintf("Person %d", i)}, PHC: "none"}
		if i == 0 {
			c.Setup, c.Organisation = true, "Office"
		}
		r, err := l.do(0, c)
		if err != nil {
			return fmt.Errorf("make an account: %w", err)
		}
		l.people = append(l.people, r.Record.Body.(*record.AccountOpened).User.ID)
	}
	for i := range rooms {
		var r sequencer.Result
		var err error
		if i%3 == 2 {
			r, err = l.do(l.people[i%people], &state.OpenDirect{User: l.people[(i+1)%people]})
		} else {
			r, err = l.do(l.people[0], &state.CreateRoom{Form: wire.Group, Name: fmt.Sprintf("room %d", i), Members: l.people[1:]})
		}
		if err != nil {
			return fmt.Errorf("make a room: %w", err)
		}
		l.rooms = append(l.rooms, r.Room)
	}
	return nil
}

// step does one thing people do. A refusal is fine; a fault is the answer.
func (l *life) step() error {
	l.n++
	who := l.people[l.rng.IntN(len(l.people))]
	room := l.rooms[l.rng.IntN(len(l.rooms))]
	var c state.Command
	switch k := l.rng.IntN(20); {
	case k < 12 || len(l.sent) == 0:
		c = &state.SendMessage{Room: room, Key: newKey(), Text: l.text(), Files: l.file(k)}
	case k < 14:
		c = &state.EditMessage{Message: l.message(), Text: l.text()}
	case k < 16:
		c = &state.React{Message: l.message(), Emoji: []string{"👍", "❤", "🎉"}[l.rng.IntN(3)], On: l.rng.IntN(4) > 0}
	case k < 17:
		c = &state.RecallMessage{Message: l.message()}
	case k < 18:
		c = &state.Pin{Message: l.message(), On: l.rng.IntN(2) == 0}
	default:
		ref := l.message()
		c = &state.MarkRead{Room: ref.Room, Seq: ref.Seq}
	}
	r, err := l.do(who, c)
	if _, ok := c.(*state.SendMessage); ok && err == nil {
		l.sent = append(l.sent, r.Ref)
	}
	return unlessRefused(err)
}

// unlessRefused leaves out the answers a person can act on; an unavailable
// store is a fault.
func unlessRefused(err error) error {
	var e *wire.Error
	if errors.As(err, &e) && e.Kind != wire.Unavailable {
		return nil
	}
	return err
}

func (l *life) message() id.Message { return l.sent[l.rng.IntN(len(l.sent))] }

func (l *life) text() string {
	b := make([]byte, 10+l.rng.IntN(300))
	for i := range b {
		b[i] = "abcdefghijklmnop qrstuvwxyz"[l.rng.IntN(27)]
	}
	return fmt.Sprintf("%d 你好 %s", l.n, b)
}

func (l *life) file(k int) []id.ID {
	if k > 0 || len(l.files) == 0 {
		return nil
	}
	return []id.ID{l.files[l.rng.IntN(len(l.files))]}
}

// upload carries a file in pieces and stores its record.
func (l *life) upload(size int) error {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(l.rng.Uint32())
	}
	b, ctx := l.o.b, context.Background()
	u, err := b.Create(uint64(l.people[0]), int64(size), map[string]string{"filename": "f.bin"}, time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	for off := int64(0); off < int64(size); {
		n := min(int64(size)-off, int64(1+l.rng.IntN(size)))
		if off, err = b.Append(ctx, u.ID, off, bytes.NewReader(content[off:off+n]), nil); err != nil {
			return err
		}
		sum := sha256.Sum256(content[:off])
		l.acked(ack{Upload: u.ID, Offset: off, Sum: fmt.Sprintf("%x", sum[:12])})
	}
	d, _, err := b.Finish(u.ID)
	if err != nil {
		return err
	}
	l.acked(ack{Digest: fmt.Sprintf("%x", d[:])})
	r, err := l.do(l.people[0], &state.StoreFile{File: record.File{Name: "f.bin", Size: int64(size), Type: "application/octet-stream", SHA256: d[:], Upload: u.ID}})
	if err == nil {
		l.files = append(l.files, r.File)
	}
	return unlessRefused(err)
}

// emptyDir makes a directory with nothing in it.
func emptyDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}
