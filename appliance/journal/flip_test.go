package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
)

// snapshot is the content of a directory.
type snapshot map[string][]byte

func takeSnapshot(t testing.TB, fsys disk.FS) snapshot {
	t.Helper()
	s := snapshot{}
	for _, e := range must(fsys.ReadDir(simDir))(t) {
		s[e.Name()] = must(disk.ReadFile(fsys, filepath.Join(simDir, e.Name()), 1<<20))(t)
	}
	return s
}

// restore makes a file system of it.
func (s snapshot) restore(t testing.TB) *disktest.Sim {
	t.Helper()
	sim := disktest.NewSim()
	check(t, sim.MkdirAll(simDir, 0o700))
	for name, data := range s {
		f := must(sim.OpenFile(filepath.Join(simDir, name), os.O_CREATE|os.O_WRONLY, 0o600))(t)
		must(f.Write(data))(t)
		check(t, f.Close())
	}
	return sim
}

// smallJournal has several segments, batches of several records, and hwm at
// its head.
func smallJournal(t testing.TB, batches ...int) snapshot {
	t.Helper()
	sim := disktest.NewSim()
	opt := simOptions(sim)
	opt.SegmentBytes = 420
	j := must(Open(simDir, opt))(t)
	for _, n := range batches {
		must(j.Append(batchFrom(j.Head()+1, n)))(t)
	}
	check(t, j.Close())
	return takeSnapshot(t, sim)
}

// eachFlip calls f with a copy of the journal for every bit of every file.
func eachFlip(s snapshot, step int, f func(name string, bit int)) {
	var names []string
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	n := 0
	for _, name := range names {
		data := s[name]
		for bit := range len(data) * 8 {
			if n++; n%step != 0 {
				continue
			}
			data[bit/8] ^= 1 << (bit % 8)
			f(name, bit)
			data[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// TestEveryBitOfAVouchedJournal: with hwm at the head every flipped bit is
// reported by Check, and Open and a reader never give a wrong or short journal.
func TestEveryBitOfAVouchedJournal(t *testing.T) {
	s := smallJournal(t, 4, 3, 5, 2, 4)
	total, latent := 0, 0
	eachFlip(s, 1, func(name string, bit int) {
		total++
		opt := simOptions(s.restore(t))
		opt.ReadOnly = true
		var d *DamageError
		if _, err := Check(context.Background(), simDir, opt, nil); !errors.As(err, &d) && !errors.Is(err, ErrVersion) {
			t.Fatalf("%s bit %d: check says %v", name, bit, err)
		}
		j, err := Open(simDir, opt)
		if err != nil {
			return
		}
		latent++
		n, err := readAll(j, 1)
		if err == nil && n != 18 || err != nil && !errors.As(err, &d) {
			t.Fatalf("%s bit %d: %d records, %v", name, bit, n, err)
		}
		check(t, j.Close())
	})
	t.Logf("%d flips, %d of them in sealed segments that only Check reads", total, latent)
}

// TestEveryBitOfALoneJournal: without hwm only the last record can go, and only
// it; everything else is still damage.
func TestEveryBitOfALoneJournal(t *testing.T) {
	s := smallJournal(t, 4, 3, 5, 2, 4)
	delete(s, hwmName)
	cut := 0
	eachFlip(s, 1, func(name string, bit int) {
		opt := simOptions(s.restore(t))
		opt.ReadOnly = true
		j, err := Open(simDir, opt)
		if err != nil {
			return
		}
		n, err := readAll(j, 1)
		switch {
		case err != nil:
		case n == 17:
			cut++
		case n != 18:
			t.Fatalf("%s bit %d: %d records", name, bit, n)
		}
		check(t, j.Close())
	})
	if last := (recordHead + len(payload(18))) * 8; cut > last {
		t.Errorf("%d flips cost a record, the last record has %d bits", cut, last)
	}
}

// TestRepairAfterEveryBit: after Repair the journal opens, checks clean, and
// what is gone is exactly what the report says.
func TestRepairAfterEveryBit(t *testing.T) {
	s := smallJournal(t, 4, 3, 5, 2, 4)
	step := 5
	if testing.Short() {
		step = 101
	}
	whole, flips := 0, 0
	eachFlip(s, step, func(name string, bit int) {
		flips++
		sim := s.restore(t)
		opt := simOptions(sim)
		rep, err := Repair(simDir, opt)
		if errors.Is(err, ErrVersion) {
			return
		}
		if err != nil || len(rep.Damage) == 0 {
			t.Fatalf("%s bit %d: %+v, %v", name, bit, rep, err)
		}
		j := must(Open(simDir, opt))(t)
		wantAll(t, j, rep.Head)
		switch {
		case len(rep.Lost) == 0 && rep.Head == 18:
			whole++
		case len(rep.Lost) != 1 || rep.Lost[0] != Range{rep.Head + 1, 18}:
			t.Fatalf("%s bit %d: lost %v, head %d", name, bit, rep.Lost, rep.Head)
		}
		must(j.Append(batchFrom(rep.Head+1, 2)))(t)
		check(t, j.Close())
		must(Check(context.Background(), simDir, opt, nil))(t)
		if again := must(Repair(simDir, opt))(t); len(again.Damage) > 0 {
			t.Fatalf("%s bit %d: second repair found %v", name, bit, again.Damage)
		}
	})
	t.Logf("%d flips, %d repaired without loss", flips, whole)
}
