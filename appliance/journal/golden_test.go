package journal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"posthouse/appliance/disk"
)

// goldenDir was written by the first version of the format. It is read for
// ever and never written again; a new format gets a directory of its own.
const goldenDir = "testdata/golden-v1"

// writeGolden makes the journal that goldenDir holds.
func writeGolden(t *testing.T, dir string) {
	c := &clock{ms: 1_767_225_600_000}
	opt := Options{SegmentBytes: 400, MaxPayload: 1 << 16, Now: c.now}
	j := must(Open(dir, opt))(t)
	for n := range 9 {
		must(j.Append(batchFrom(j.Head()+1, n%4+1)))(t)
		c.ms += 1000
	}
	check(t, j.Close())
}

func goldenFiles(t *testing.T, dir string) map[string][]byte {
	files := map[string][]byte{}
	for _, path := range must(filepath.Glob(filepath.Join(dir, "*")))(t) {
		if base := filepath.Base(path); base != lockName {
			files[base] = must(os.ReadFile(path))(t)
		}
	}
	return files
}

func TestGoldenIsReadForEver(t *testing.T) {
	j := must(Open(goldenDir, Options{ReadOnly: true, Witness: 21}))(t)
	wantAll(t, j, 21)
	check(t, j.Close())
	rep := must(Check(context.Background(), goldenDir, Options{}, nil))(t)
	if rep.Records != 21 || rep.Segments < 3 || rep.TornBytes != 0 || rep.First != 1 || rep.Head != 21 {
		t.Errorf("%+v", rep)
	}
	infos := must(Inspect(goldenDir, disk.OS{}))(t)
	if len(infos) != rep.Segments || !infos[0].Sealed || len(infos[0].ChainHash) != 64 ||
		infos[0].Created != 1_767_225_600_000 || infos[len(infos)-1].Sealed {
		t.Errorf("%+v", infos)
	}
}

func TestGoldenIsWhatIsWrittenToday(t *testing.T) {
	want, dir := goldenFiles(t, goldenDir), t.TempDir()
	writeGolden(t, dir)
	got := goldenFiles(t, dir)
	if len(want) != len(got) || len(want) == 0 {
		t.Fatalf("%d files today, %d golden", len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s differs from the golden file", name)
		}
	}
}

// TestGoldenCanBeContinued: today's program appends to a journal of the first
// version.
func TestGoldenCanBeContinued(t *testing.T) {
	dir := t.TempDir()
	check(t, os.CopyFS(dir, os.DirFS(goldenDir)))
	j := must(Open(dir, Options{SegmentBytes: 400}))(t)
	for range 5 {
		must(j.Append(batchFrom(j.Head()+1, 4)))(t)
	}
	wantAll(t, j, 41)
	removed := must(j.Release(30, time.Now().Add(time.Hour)))(t)
	if len(removed) == 0 || j.First() != removed[len(removed)-1].Last+1 {
		t.Errorf("removed %v, first %d", removed, j.First())
	}
	wantAll(t, j, 41)
	check(t, j.Close())
	must(Check(context.Background(), dir, Options{}, nil))(t)
}
