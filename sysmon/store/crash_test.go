package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_CHILD"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes a sample a time, and says each that is committed.
func writeUntilKilled(dir string) {
	s, err := Open(dir, Options{Tend: time.Hour})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	begin := noon().UnixMilli()
	for i := int64(0); ; i++ {
		app := s.Appender(context.Background())
		for series := range 50 {
			_, err = app.Append(0, named("x", "n", fmt.Sprint(series)), begin+i*15_000, float64(i))
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
		if err := app.Commit(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if i%240 == 239 {
			s.tendOnce(context.Background())
		}
		fmt.Println(i)
	}
}

func TestKilled(t *testing.T) {
	b := &box{t: t, dir: t.TempDir(), o: Options{Tend: time.Hour}}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+b.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	for sc := bufio.NewScanner(out); sc.Scan(); {
		if _, err := fmt.Sscan(sc.Text(), &last); err != nil {
			t.Fatal(sc.Text())
		}
		if last == 1500 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	at := noon().Add(time.Duration(last) * 15 * time.Second)
	b.clock(at)
	b.o.Now = b.time
	b.open()
	defer b.close()
	if st := b.s.Stats(); st.Damaged != 0 || st.Series != 50 {
		t.Errorf("after kill -9: %+v", st)
	}
	for _, v := range b.asks("count_over_time(x[7h])") {
		if int64(v.F) < last+1 {
			t.Fatalf("%s has %v samples, %d were committed", v.Metric, v.F, last+1)
		}
	}
	if v := b.asks("x"); len(v) != 50 || int64(v[0].F) != last {
		t.Errorf("%d series, last %v, committed %d", len(v), v[0].F, last)
	}
}

// smallDisk is a file system of its own.
func smallDisk(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mount a small disk (these tests run as root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes until nothing fits, and gives the file.
func fill(t *testing.T, dir string) string {
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	return path
}

func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name    string
		minFree int64
	}{{"kept free", 4 << 20}, {"down to the last byte", 1}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, Options{})
			b.close()
			b.dir = smallDisk(t, "48m")
			b.o.MinFree = c.minFree
			b.open()
			many := func(i int, put func(labels.Labels, float64)) {
				for n := range 300 {
					put(named("x", "n", fmt.Sprint(n)), float64(i*n%977))
				}
			}
			b.runs(2*time.Hour, many)
			full := b.time()
			filler := fill(t, b.dir)
			b.tend()
			lost := 0
			for i := range 720 { // three hours: chunks are full, a block is due
				app := b.s.Appender(context.Background())
				for n := range 300 {
					if _, err := app.Append(0, named("x", "n", fmt.Sprint(n)), b.now.Load(), float64(i*n%977)); err != nil {
						lost++
					}
				}
				if app.Commit() != nil {
					lost++
				}
				b.clock(b.time().Add(15 * time.Second))
				if i%20 == 0 {
					b.tend()
				}
			}
			st := b.s.Stats()
			if lost == 0 || st.Taking || st.Trouble == nil || st.Trouble.ZH == "" {
				t.Fatalf("the disk is full, lost %d, stats %+v", lost, st)
			}
			if n := len(b.asksAt("x", full)); n != 300 {
				t.Errorf("%d series can be read while the disk is full", n)
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			b.tend()
			b.runs(time.Hour, many)
			if st := b.s.Stats(); !st.Taking || st.Damaged > 0 {
				t.Errorf("after there was room: %+v", st)
			}
			b.gives("count(x)", full.Add(-15*time.Second), 300)
			b.gives("count(count_over_time(x[2h]) > 470)", full, 300)
			b.gives("count(x)", b.time(), 300)
			b.gives("count(x)", full.Add(2*time.Hour), nothing())
			b.close()
			b.open()
			b.gives("count(x)", b.time(), 300)
			b.close()
		})
	}
}

func TestOpensOnAFullDisk(t *testing.T) {
	b := newBox(t, Options{MinFree: 1 << 20})
	b.close()
	b.dir = smallDisk(t, "32m")
	filler := fill(t, b.dir)
	b.open()
	if _, err := b.s.Queryable().Querier(0, 1); err == nil {
		t.Error("a database that is not open gives a querier")
	}
	if b.put(named("x"), 1) == nil {
		t.Error("a sample was taken")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.tend()
	if err := b.put(named("x"), 1); err != nil {
		t.Error(err)
	}
	b.gives("x", b.time(), 1)
	b.close()
}

func TestDamage(t *testing.T) {
	day := func(t *testing.T) *box {
		b := newBox(t, Options{})
		b.runs(14*time.Hour, func(i int, put func(labels.Labels, float64)) { put(named("x"), float64(i)) })
		return b
	}
	spoil := func(t *testing.T, pattern string, at float64) string {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v %v", pattern, files, err)
		}
		raw, err := os.ReadFile(files[len(files)-1])
		if err != nil {
			t.Fatal(err)
		}
		for i := int(float64(len(raw)) * at); i < len(raw) && i < int(float64(len(raw))*at)+40; i++ {
			raw[i] ^= 0xa5
		}
		if err := os.WriteFile(files[len(files)-1], raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return files[len(files)-1]
	}
	for _, c := range []struct {
		file     string
		at       float64
		setAside bool
	}{
		{"raw/*/index", 0, true}, {"raw/*/index", 0.99, true}, {"raw/*/meta.json", 0, true}, {"raw/*/chunks/000001", 0, true},
		{"rollup/*/index", 0, true}, {"rollup/*/meta.json", 0, true},
		{"raw/wal/0*", 0.3, false}, {"raw/chunks_head/*", 0, true}, {"kinds.json", 0, false},
	} {
		t.Run(strings.ReplaceAll(c.file, "/", "_")+fmt.Sprint(c.at), func(t *testing.T) {
			b := day(t)
			b.s.Describe("x", kindOf("gauge"))
			b.close()
			spoil(t, filepath.Join(b.dir, c.file), c.at)
			b.open()
			st := b.s.Stats()
			if !st.Taking || (st.Damaged > 0) != c.setAside {
				t.Errorf("stats %+v", st)
			}
			if c.setAside && (st.Trouble == nil || !strings.Contains(st.Trouble.EN, "moved to") || st.Trouble.ZH == "") {
				t.Errorf("said %v", st.Trouble)
			}
			if err := b.put(named("x"), 5); err != nil {
				t.Error(err)
			}
			b.gives("x", b.time(), 5)
			if strings.HasPrefix(c.file, "raw/chunks_head") || c.file == "kinds.json" {
				b.gives("count_over_time(x[15h])", b.time(), 14*240+1)
			}
		})
	}
}

// A flaw within a chunk shows only when it is read; the block goes then.
func TestDamageFoundByAQuery(t *testing.T) {
	b := newBox(t, Options{})
	b.runs(14*time.Hour, func(i int, put func(labels.Labels, float64)) { put(named("x"), float64(i*i%1000)) })
	b.close()
	files, err := filepath.Glob(filepath.Join(b.dir, "raw/*/chunks/000001"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(files[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b.open()
	ask := func() error {
		q, err := b.s.Queryable().Querier(0, b.now.Load())
		if err != nil {
			return err
		}
		defer q.Close()
		return readAll(q)
	}
	if ask() == nil {
		t.Fatal("the flaw is not seen")
	}
	b.s.Suspect()
	b.tend()
	if err := ask(); err != nil {
		t.Errorf("after looking at the blocks: %v", err)
	}
	if st := b.s.Stats(); st.Damaged != 1 || st.Trouble == nil {
		t.Errorf("stats %+v", st)
	}
}
