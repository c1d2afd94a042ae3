package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"posthouse/appliance/blob"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
)

// auditOrder names a data directory that no process has open, and a directory
// for scratch files.
type auditOrder struct{ Dir, Scratch string }

type auditAnswer struct {
	Bad  []string
	Head uint64
	Hash string // of the state rebuilt from the journal
	// Damaged uploads are no broken promise after a power cut: the names of one
	// that was never acknowledged may have come to the disk in any order.
	Damaged []string
}

// auditTask opens a data directory, replays it, and compares everything with
// everything: the bytes of the journal with their checksums, the state with its
// invariants and with one rebuilt from nothing, attachments with their
// addresses.
func auditTask(ctx context.Context, t auditOrder) (a auditAnswer) {
	bad := func(format string, args ...any) { a.Bad = append(a.Bad, fmt.Sprintf(format, args...)) }
	o, err := openOffice(t.Dir, officeOptions{})
	if err != nil {
		bad("open: %v", err)
		return a
	}
	if err := o.close(); err != nil {
		bad("close: %v", err)
	}
	s, err := state.Open(filepath.Join(t.Dir, "state.db"), state.Options{ReadOnly: true})
	if err != nil {
		bad("open the state file: %v", err)
		return a
	}
	defer s.Abandon()
	if err := s.Check(); err != nil {
		bad("%v", err)
	}
	dir := filepath.Join(t.Dir, "journal")
	rep, err := journal.Check(ctx, dir, journal.Options{Witness: s.Flushed()}, nil)
	if err != nil {
		bad("%v", err)
	}
	a.Head = rep.Head
	if rep.TornBytes > 0 || rep.Head != s.Flushed() {
		bad("the journal ends at %d with %d torn bytes, the state stands at %d", rep.Head, rep.TornBytes, s.Flushed())
	}
	a.contents(ctx, filepath.Join(t.Dir, "files"), s)
	a.rebuild(dir, t.Scratch, s)
	return a
}

func (a *auditAnswer) contents(ctx context.Context, dir string, s *state.State) {
	b, err := blob.Open(dir, blob.Options{})
	if err != nil {
		a.Bad = append(a.Bad, err.Error())
		return
	}
	for d := range s.Content() {
		if ctx.Err() != nil {
			return
		}
		if err := b.Verify(blob.Digest(d)); err != nil {
			a.Bad = append(a.Bad, fmt.Sprintf("content %x: %v", d[:4], err))
		}
	}
	a.Damaged = b.Damaged()
}

// rebuild applies the whole journal to an empty state and compares.
func (a *auditAnswer) rebuild(dir, scratch string, live *state.State) {
	fail := func(err error) { a.Bad = append(a.Bad, "rebuild: "+err.Error()) }
	if err := emptyDir(scratch); err != nil {
		fail(err)
		return
	}
	defer os.RemoveAll(scratch)
	path := filepath.Join(scratch, "rebuilt.db")
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "base.db")); err == nil { // older segments are gone
		if err := os.WriteFile(path, b, 0o600); err != nil {
			fail(err)
			return
		}
	}
	fresh, err := rebuilt(dir, path)
	if err != nil {
		fail(err)
		return
	}
	defer fresh.Abandon()
	if where, err := live.Differ(fresh); err != nil || where != "" {
		a.Bad = append(a.Bad, fmt.Sprintf("the state file is not what the journal says: %s %v", where, err))
	}
	sum, err := fresh.Hash()
	if err != nil {
		fail(err)
	}
	a.Hash = fmt.Sprintf("%x", sum[:])
}

// rebuilt is a flushed state made from the journal, and from nothing else
// unless there is a file at path.
func rebuilt(journalDir, path string) (*state.State, error) {
	j, err := journal.Open(journalDir, journal.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer j.Close()
	s, err := state.Open(path, state.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	err = sequencer.Replay(j, record.NewCodec(), s, j.Head(), nil)
	if err == nil {
		err = s.Flush()
	}
	if err != nil {
		s.Abandon()
		return nil, err
	}
	return s, nil
}
