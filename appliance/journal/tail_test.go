package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lay writes batches into a new directory, closes and returns the path of the
// last segment and its bytes.
func lay(t testing.TB, opt Options, batches ...int) (dir, last string, data []byte) {
	t.Helper()
	dir = t.TempDir()
	j := must(Open(dir, opt))(t)
	for _, n := range batches {
		must(j.Append(batchFrom(j.Head()+1, n)))(t)
	}
	segs := j.Segments()
	check(t, j.Close())
	last = filepath.Join(dir, segs[len(segs)-1].Name)
	return dir, last, must(os.ReadFile(last))(t)
}

func damageOf(t testing.TB, err error) *DamageError {
	t.Helper()
	var d *DamageError
	if !errors.As(err, &d) {
		t.Fatalf("no damage reported: %v", err)
	}
	if want := "posthouse journal repair " + filepath.Dir(d.File); !strings.Contains(d.Error(), want) {
		t.Fatalf("message does not name the command: %v", d)
	}
	return d
}

// offsets returns where the records of a segment start, and the end.
func offsets(t testing.TB, data []byte) (offs []int64) {
	t.Helper()
	h, reason := decodeHeader(data)
	if reason != "" {
		t.Fatal(reason)
	}
	c := newCursor(strings.NewReader(string(data)), h, int64(len(data)), 4096)
	for {
		offs = append(offs, c.off)
		if _, st, err := c.advance(); err != nil || st != stepRecord {
			return offs
		}
	}
}

func TestTornTails(t *testing.T) {
	type tail struct {
		name string
		edit func(data []byte, offs []int64) []byte
		head uint64 // 0 = damage
		keep int    // torn files
	}
	// Nine records: a batch of four, then one of five.
	for _, c := range []tail{
		{"nothing", func(d []byte, _ []int64) []byte { return d }, 9, 0},
		{"zeros behind", func(d []byte, _ []int64) []byte { return append(d, make([]byte, 5000)...) }, 9, 0},
		{"half a record", func(d []byte, o []int64) []byte { return d[:o[8]+25] }, 8, 1},
		{"three bytes of a record", func(d []byte, o []int64) []byte { return d[:o[8]+3] }, 8, 1},
		{"zeroed end of a record", func(d []byte, o []int64) []byte { clear(d[o[8]+25:]); return d }, 8, 1},
		{"garbage behind", func(d []byte, _ []int64) []byte { return append(d, "garbage"...) }, 9, 1},
		{"absurd length behind", func(d []byte, _ []int64) []byte { return append(d, 0xfe, 0xff, 0xff, 0xff, 1, 2, 3, 4) }, 9, 1},
		{"half a footer", func(d []byte, _ []int64) []byte { return append(d, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 9) }, 9, 1},
		{"bit in the last record", func(d []byte, o []int64) []byte { d[o[8]+21] ^= 4; return d }, 8, 1},
		{"bit, same batch behind", func(d []byte, o []int64) []byte { d[o[5]+21] ^= 4; return d }, 0, 0},
		{"bit, later batch behind", func(d []byte, o []int64) []byte { d[o[1]+21] ^= 4; return d }, 0, 0},
		{"bit in a checksum", func(d []byte, o []int64) []byte { d[o[7]+4] ^= 4; return d }, 0, 0},
		{"bit in a length", func(d []byte, o []int64) []byte { d[o[6]] ^= 4; return d }, 0, 0},
		{"zeros in an earlier batch", func(d []byte, o []int64) []byte { clear(d[o[1]:o[2]]); return d }, 0, 0},
		{"header", func(d []byte, _ []int64) []byte { d[20] ^= 1; return d }, 0, 0},
		{"shorter than a header", func(d []byte, _ []int64) []byte { return d[:40] }, 0, 0},
		{"empty file", func([]byte, []int64) []byte { return nil }, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, last, data := lay(t, Options{}, 4, 5)
			check(t, os.Remove(filepath.Join(dir, hwmName)))
			edited := c.edit(data, offsets(t, data))
			check(t, os.WriteFile(last, edited, 0o600))
			before := slices.Clone(edited)
			j, err := Open(dir, Options{ReadOnly: true})
			if c.head == 0 {
				damageOf(t, err)
				_, err = Open(dir, Options{})
				damageOf(t, err)
				if after := must(os.ReadFile(last))(t); !slices.Equal(before, after) {
					t.Error("a refused open changed the file")
				}
				return
			}
			check(t, err)
			wantAll(t, j, c.head)
			check(t, j.Close())
			_, err = Open(dir, Options{Witness: c.head + 1})
			damageOf(t, err)
			j = must(Open(dir, Options{Witness: c.head}))(t)
			torn := must(filepath.Glob(filepath.Join(dir, "torn-*")))(t)
			if len(torn) != c.keep || (j.Recovery().TornFile != "") != (c.keep > 0) {
				t.Errorf("copies %v, recovery %+v", torn, j.Recovery())
			}
			must(j.Append(batchFrom(c.head+1, 2)))(t)
			wantAll(t, j, c.head+2)
			check(t, j.Close())
			must(Check(context.Background(), dir, Options{}, nil))(t)
		})
	}
}

// TestTornBatchWithMissingSector: only the middle sector of the batch in
// flight is missing, so records that verify stand behind the hole.
func TestTornBatchWithMissingSector(t *testing.T) {
	dir, last, data := lay(t, Options{}, 4, 100)
	check(t, os.Remove(filepath.Join(dir, hwmName)))
	clear(data[1024:1536])
	check(t, os.WriteFile(last, data, 0o600))
	j := must(Open(dir, Options{}))(t)
	if j.Head() < 4 || j.Head() > 60 || j.Recovery().TornBytes == 0 {
		t.Errorf("head %d, recovery %+v", j.Head(), j.Recovery())
	}
	check(t, j.Close())
}

// TestPastedJournalIsNoEvidence: somebody sends a piece of a journal as a
// message. Its records must not pass for ones that stand behind a torn tail.
func TestPastedJournalIsNoEvidence(t *testing.T) {
	_, _, other := lay(t, Options{}, 8, 8, 8)
	dir := t.TempDir()
	j := must(Open(dir, Options{}))(t)
	must(j.Append([]Entry{{Kind: 1, Payload: other[offsets(t, other)[1]:]}}))(t)
	name := filepath.Join(dir, j.Segments()[0].Name)
	check(t, j.Close())
	check(t, os.Remove(filepath.Join(dir, hwmName)))
	data := must(os.ReadFile(name))(t)
	data[headerSize+recordHead] ^= 1
	check(t, os.WriteFile(name, data, 0o600))
	j = must(Open(dir, Options{}))(t)
	if j.Head() != 0 || j.Recovery().TornBytes == 0 {
		t.Errorf("head %d, recovery %+v", j.Head(), j.Recovery())
	}
	check(t, j.Close())
}

func TestHighWaterIsAWitness(t *testing.T) {
	dir, last, data := lay(t, Options{}, 4, 5)
	offs := offsets(t, data)
	check(t, os.Truncate(last, offs[8]+25))
	_, err := Open(dir, Options{})
	if d := damageOf(t, err); d.Position != 9 || d.Offset != offs[8] {
		t.Errorf("%+v", d)
	}
	check(t, os.Remove(last))
	_, err = Open(dir, Options{})
	damageOf(t, err)
}

func TestMissingSwappedAndForeignSegments(t *testing.T) {
	opt := Options{SegmentBytes: 300}
	build := func(t *testing.T) (string, []string) {
		dir, _, _ := lay(t, opt, 3, 3, 3, 3, 3)
		segs := must(filepath.Glob(filepath.Join(dir, "*.seg")))(t)
		if len(segs) < 4 {
			t.Fatalf("%d segments", len(segs))
		}
		return dir, segs
	}
	for name, hurt := range map[string]func(t *testing.T, segs []string){
		"first missing":  func(t *testing.T, s []string) { check(t, os.Remove(s[0])) },
		"middle missing": func(t *testing.T, s []string) { check(t, os.Remove(s[1])) },
		"last missing":   func(t *testing.T, s []string) { check(t, os.Remove(s[len(s)-1])) },
		"swapped": func(t *testing.T, s []string) {
			check(t, os.Rename(s[1], s[1]+"x"))
			check(t, os.Rename(s[2], s[1]))
			check(t, os.Rename(s[1]+"x", s[2]))
		},
		"from another journal": func(t *testing.T, s []string) {
			o := opt
			o.Now = (&clock{ms: 1}).now
			other, _, _ := lay(t, o, 3, 3, 3, 3, 3)
			check(t, os.Rename(filepath.Join(other, filepath.Base(s[1])), s[1]))
		},
		"footer cut off": func(t *testing.T, s []string) {
			check(t, os.Truncate(s[1], must(os.Stat(s[1]))(t).Size()-footerSize))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, segs := build(t)
			hurt(t, segs)
			_, err := Open(dir, opt)
			damageOf(t, err)
			_, err = Check(context.Background(), dir, opt, nil)
			damageOf(t, err)
		})
	}
}

func TestNewerFormatIsNotDamage(t *testing.T) {
	dir, last, data := lay(t, Options{}, 3)
	data[8] = 2
	h := header{first: 1}
	copy(data, h.encode())
	data[8] = 2
	sealHeader(data)
	check(t, os.WriteFile(last, data, 0o600))
	for _, err := range []error{
		second(Open(dir, Options{})), second(Repair(dir, Options{})),
		second(Check(context.Background(), dir, Options{}, nil)),
	} {
		var d *DamageError
		if !errors.Is(err, ErrVersion) || errors.As(err, &d) {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestLockNamesTheHolder(t *testing.T) {
	dir := t.TempDir()
	j := must(Open(dir, Options{}))(t)
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process ") {
		t.Fatal(err)
	}
	ro := must(Open(dir, Options{ReadOnly: true}))(t)
	if _, err := ro.Append(batchFrom(1, 1)); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	check(t, ro.Close())
	check(t, j.Close())
	check(t, must(Open(dir, Options{}))(t).Close())
}

func TestBoundsAreNotSticky(t *testing.T) {
	j := must(Open(t.TempDir(), Options{MaxPayload: 10}))(t)
	if _, err := j.Append(nil); !errors.Is(err, ErrEmptyBatch) {
		t.Error(err)
	}
	if _, err := j.Append([]Entry{{Payload: make([]byte, 11)}}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	must(j.Append([]Entry{{Payload: make([]byte, 10)}, {}}))(t)
	check(t, j.Close())
	if _, err := j.Append([]Entry{{}}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestLargerPayloadsAfterReopen: the bound stands in the header, so a raised
// option needs a new segment, with and without records in the old one.
func TestLargerPayloadsAfterReopen(t *testing.T) {
	for _, n := range []int{0, 3} {
		dir := t.TempDir()
		j := must(Open(dir, Options{MaxPayload: 20}))(t)
		if n > 0 {
			must(j.Append(batchFrom(1, n)))(t)
		}
		check(t, j.Close())
		j = must(Open(dir, Options{MaxPayload: 2000}))(t)
		must(j.Append([]Entry{{Payload: make([]byte, 2000)}}))(t)
		check(t, j.Close())
		must(Check(context.Background(), dir, Options{}, nil))(t)
		j = must(Open(dir, Options{MaxPayload: 20}))(t)
		if j.Head() != uint64(n)+1 {
			t.Errorf("head %d", j.Head())
		}
		check(t, j.Close())
	}
}
