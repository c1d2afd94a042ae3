package search_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/search"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// office is a box without doors and its index, driven as a script.
type office struct {
	t   testing.TB
	dir string
	opt search.Options
	j   *journal.Journal
	s   *state.State
	q   *sequencer.Sequencer
	x   *search.Index

	mu       sync.Mutex
	contents map[[32]byte][]byte
	read     map[[32]byte]int // how often
}

// content is what is stored of a file.
type content struct{ *bytes.Reader }

func (content) Close() error { return nil }

func (o *office) open32(sum [32]byte) (search.Content, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read[sum]++
	body, ok := o.contents[sum]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return content{bytes.NewReader(body)}, nil
}

// document uploads a file with a content.
func (o *office) document(a id.ID, name string, body []byte) id.ID {
	o.t.Helper()
	sum := o.keep(body)
	return o.do(a, &state.StoreFile{File: record.File{Name: name, Size: int64(len(body)), Type: "", SHA256: sum[:], Owner: a, Upload: uuid.NewString()}}).Body.(*record.FileStored).File.ID
}

// keep stores a content.
func (o *office) keep(body []byte) [32]byte {
	sum := sha256.Sum256(body)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.contents[sum] = body
	return sum
}

// reads is how often a content was read.
func (o *office) reads(body []byte) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read[sha256.Sum256(body)]
}

func openOffice(t testing.TB, opt search.Options) *office {
	t.Helper()
	opt.Check, opt.NoSync = true, true
	if opt.Budget == 0 {
		opt.Budget = time.Minute
	}
	o := &office{t: t, dir: t.TempDir(), opt: opt, contents: map[[32]byte][]byte{}, read: map[[32]byte]int{}}
	o.opt.Content = o.open32
	o.open()
	t.Cleanup(o.close)
	return o
}

func (o *office) path() string { return filepath.Join(o.dir, "search.db") }

func (o *office) open() {
	o.t.Helper()
	var err error
	if o.s, err = state.Open(filepath.Join(o.dir, "state.db"), state.Options{NoSync: true, Check: true}); err != nil {
		o.t.Fatal(err)
	}
	if o.j, err = journal.Open(filepath.Join(o.dir, "journal"), journal.Options{Witness: o.s.Flushed(), SegmentBytes: 1 << 20}); err != nil {
		o.t.Fatal(err)
	}
	if o.q, err = sequencer.Start(o.j, o.s, sequencer.Options{FlushEvery: 20 * time.Millisecond, Ring: 64,
		Fatal: func(err error) { o.t.Errorf("fatal: %v", err) }}); err != nil {
		o.t.Fatal(err)
	}
	o.openIndex()
}

func (o *office) openIndex() {
	o.t.Helper()
	var err error
	if o.x, err = search.Open(o.path(), o.q, o.s, o.opt); err != nil {
		o.t.Fatal(err)
	}
}

// reached waits until the index knows of everything.
func (o *office) reached() {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := o.x.Reached(ctx, o.q.Position()); err != nil {
		o.t.Fatalf("the index stands at %+v, the journal at %d: %v", o.x.Status(), o.q.Position(), err)
	}
}

// closeIndex closes the index alone, which checks it.
func (o *office) closeIndex() {
	o.t.Helper()
	o.reached()
	if err := o.s.Flush(); err != nil {
		o.t.Fatal(err)
	}
	if err := o.x.Close(context.Background()); err != nil {
		o.t.Errorf("close index: %v", err)
	}
	o.x = nil
}

func (o *office) close() {
	o.t.Helper()
	if o.q == nil {
		return
	}
	if o.x != nil {
		o.closeIndex()
	}
	if err := errors.Join(o.q.Close(context.Background()), o.s.Close(), o.j.Close()); err != nil {
		o.t.Errorf("close: %v", err)
	}
	o.q = nil
}

func (o *office) do(a id.ID, c state.Command) sequencer.Result {
	o.t.Helper()
	r, err := o.q.Submit(context.Background(), state.Actor{User: a, Operator: a == 0}, c)
	if err != nil {
		o.t.Fatalf("%T by %s: %v", c, a, err)
	}
	return r
}

// person makes an account; the first is the owner.
func (o *office) person(login, name string) id.ID {
	o.t.Helper()
	c := &state.OpenAccount{User: record.User{Login: login, Name: name}}
	if o.s.Counts().Users == 0 {
		c.Setup, c.Organisation = true, "Office"
	}
	return o.do(0, c).Body.(*record.AccountOpened).User.ID
}

func (o *office) room(owner id.ID, name string, members ...id.ID) id.ID {
	o.t.Helper()
	return o.do(owner, &state.CreateRoom{Form: wire.Group, Name: name, Members: members}).Room
}

func newKey() []byte { k := uuid.Must(uuid.NewV7()); return k[:] }

func (o *office) send(a, room id.ID, text string, files ...id.ID) id.Message {
	o.t.Helper()
	return o.do(a, &state.SendMessage{Room: room, Key: newKey(), Text: text, Files: files}).Ref
}

func (o *office) file(a id.ID, name string) id.ID {
	o.t.Helper()
	sum := make([]byte, 32)
	copy(sum, name)
	return o.do(a, &state.StoreFile{File: record.File{Name: name, Size: 1, Type: "text/plain", SHA256: sum, Owner: a, Upload: name}}).Body.(*record.FileStored).File.ID
}

// ask searches to the end, page by page.
func (o *office) ask(q search.Query) []wire.Message {
	o.t.Helper()
	o.reached()
	if q.Limit == 0 {
		q.Limit = 7
	}
	out := []wire.Message{}
	for {
		a, err := o.x.Search(context.Background(), q)
		if err != nil {
			o.t.Fatalf("search %q: %v", q.Text, err)
		}
		for _, h := range a.Hits {
			if n := len(out); n > 0 && h.Message.Position >= out[n-1].Position {
				o.t.Errorf("search %q: %d comes after %d", q.Text, h.Message.Position, out[n-1].Position)
			}
			out = append(out, h.Message)
		}
		if a.Next == 0 {
			return out
		}
		q.Page = a.Next
	}
}

// finds says what a person finds with a query, newest first.
func (o *office) finds(user id.ID, text string, want ...id.Message) {
	o.t.Helper()
	o.findsWith(search.Query{User: user, Text: text}, want...)
}

func (o *office) findsWith(q search.Query, want ...id.Message) {
	o.t.Helper()
	var got []id.Message
	for _, m := range o.ask(q) {
		got = append(got, m.ID)
	}
	if len(got) != len(want) {
		o.t.Errorf("%q finds %v, want %v", q.Text, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			o.t.Errorf("%q finds %v, want %v", q.Text, got, want)
			return
		}
	}
}

func (o *office) done(ch chan error) func(sequencer.Result, error) {
	return func(_ sequencer.Result, err error) { ch <- err }
}
