package migrate

import (
	"bufio"
	"fmt"
	"os"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// place is where the spool holds a message.
type place struct {
	at   int64 // its time, Unix ms
	from int64
	size int32
}

// spool puts messages aside in a file that has no name, so that the order of an
// archive and its size do not matter. Nobody else can read it, and it goes
// with the process.
type spool struct {
	file *os.File
	w    *bufio.Writer
	at   int64
	buf  []byte
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "posthouse-import-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("hide the temporary file: %w", err)
	}
	return &spool{file: f, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

func (s *spool) close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

func (s *spool) add(e *Entry) (place, error) {
	b, err := json.Marshal(e, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return place{}, fmt.Errorf("put a message aside: %w", err)
	}
	if _, err := s.w.Write(b); err != nil {
		return place{}, fmt.Errorf("put a message aside: %w", err)
	}
	p := place{e.At, s.at, int32(len(b))}
	s.at += int64(len(b))
	return p, nil
}

func (s *spool) flush() error { return s.w.Flush() }

func (s *spool) read(p place, e *Entry) error {
	s.buf = slices.Grow(s.buf[:0], int(p.size))[:p.size]
	if _, err := s.file.ReadAt(s.buf, p.from); err != nil {
		return fmt.Errorf("read a message that was put aside: %w", err)
	}
	if err := json.Unmarshal(s.buf, e); err != nil {
		return fmt.Errorf("read a message that was put aside: %w", err)
	}
	return nil
}

// reader collects what a parser finds.
type reader struct {
	plan   *Plan
	emoji  emoji
	lost   losses
	known  map[string]bool   // people, by ID
	called map[string]string // their names
}

func newReader(system string, ar *archive, tmp string) (*reader, error) {
	sp, err := newSpool(tmp)
	if err != nil {
		return nil, err
	}
	return &reader{plan: &Plan{System: system, archive: ar, spool: sp}, emoji: newEmoji(), known: map[string]bool{}, called: map[string]string{}}, nil
}

func (r *reader) person(p Person) {
	if p.ID == "" || r.known[p.ID] {
		return
	}
	r.known[p.ID], r.called[p.ID] = true, p.Name
	r.plan.People = append(r.plan.People, p)
}

// author makes sure that whoever wrote is among the people: an account that
// only a message names comes as a disabled one.
func (r *reader) author(id, name string, bot bool) string {
	if !r.known[id] {
		if name == "" {
			name = id
		}
		r.person(Person{ID: id, Login: Login(name, id), Name: Name(name, id), Bot: bot, Disabled: true, Found: true})
		r.lost.add(NotAuthors, name)
	}
	return id
}

// take puts a message into a room.
func (r *reader) take(room *Room, e *Entry) error {
	e.Text = trimText(e.Text)
	if e.Text == "" && len(e.Files) == 0 {
		return nil
	}
	pl, err := r.plan.spool.add(e)
	if err != nil {
		return err
	}
	room.index = append(room.index, pl)
	room.authors[e.Author] = struct{}{}
	t := &r.plan.Totals
	t.Messages++
	if e.Thread != nil {
		t.Replies++
	}
	for _, x := range e.Reactions {
		t.Reactions += len(x.People)
	}
	if e.EditedAt != 0 {
		t.Edited++
	}
	if e.PinnedAt != 0 {
		t.Pinned++
	}
	for _, f := range e.Files {
		if f.Path == "" {
			t.Missing++
			r.lost.add(NotFiles, f.Name)
			continue
		}
		room.files = true
		t.Files++
		t.Bytes += f.Size
	}
	return nil
}

// done sorts and counts.
func (r *reader) done() (*Plan, error) {
	p := r.plan
	if err := p.spool.flush(); err != nil {
		return nil, fmt.Errorf("put messages aside: %w", err)
	}
	for _, room := range p.Rooms {
		slices.SortStableFunc(room.index, func(a, b place) int {
			switch {
			case a.at < b.at:
				return -1
			case a.at > b.at:
				return 1
			}
			return 0
		})
		if room.Messages = len(room.index); room.Messages > 0 {
			room.First, room.Last = room.index[0].at, room.index[room.Messages-1].at
			if p.Totals.First == 0 || room.First < p.Totals.First {
				p.Totals.First = room.First
			}
			p.Totals.Last = max(p.Totals.Last, room.Last)
		}
	}
	slices.SortStableFunc(p.Rooms, func(a, b *Room) int {
		x, y := max(a.Last, a.Created), max(b.Last, b.Created)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	p.Losses = r.lost.list()
	return p, nil
}
