package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"posthouse/appliance/disk/disktest"
)

// TestReadersBesideTheAppender: readers follow from the start while batches
// are appended, segments roll and the list is looked at.
func TestReadersBesideTheAppender(t *testing.T) {
	dir := t.TempDir()
	opt := Options{SegmentBytes: 20_000}
	j := must(Open(dir, opt))(t)
	const total, readers = 4000, 4
	var wg sync.WaitGroup
	var wakes []chan struct{}
	for range readers {
		wake := make(chan struct{}, 1)
		wakes = append(wakes, wake)
		wg.Go(func() { follow(t, j, total, wake) })
	}
	for n := 1; j.Head() < total; n++ {
		must(j.Append(batchFrom(j.Head()+1, int(min(uint64(n%40+1), total-j.Head())))))(t)
		for _, w := range wakes {
			select {
			case w <- struct{}{}:
			default:
			}
		}
		if n%50 == 0 {
			j.Segments()
			must(Check(context.Background(), dir, opt, nil))(t)
			must(Inspect(dir, nil))(t)
			ro := must(Open(dir, Options{ReadOnly: true}))(t)
			wantAll(t, ro, ro.Head())
			check(t, ro.Close())
		}
	}
	wg.Wait()
	check(t, j.Close())
}

// follow reads positions 1 to total; wake says that there is more.
func follow(t *testing.T, j *Journal, total uint64, wake <-chan struct{}) {
	r, err := j.ReadFrom(1)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	for next := uint64(1); next <= total; {
		rec, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			<-wake
		case err != nil || rec.Pos != next || string(rec.Payload) != string(payload(next)):
			t.Errorf("want %d, got %d %q, %v", next, rec.Pos, rec.Payload, err)
			return
		default:
			next++
		}
	}
}

func TestManyAppenders(t *testing.T) {
	j := must(Open(t.TempDir(), Options{SegmentBytes: 5000}))(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]bool{}
	for range 4 {
		wg.Go(func() {
			for range 50 {
				first, err := j.Append([]Entry{{Payload: []byte("a")}, {Payload: []byte("b")}})
				mu.Lock()
				if err != nil || seen[first] || first%2 != 1 {
					t.Errorf("first %d, %v", first, err)
				}
				seen[first] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if j.Head() != 400 {
		t.Errorf("head %d", j.Head())
	}
	check(t, j.Close())
}

func TestReadBounds(t *testing.T) {
	j := must(Open(t.TempDir(), Options{}))(t)
	if _, err := j.ReadFrom(0); !errors.Is(err, ErrReleased) {
		t.Error(err)
	}
	if _, err := j.ReadFrom(2); !errors.Is(err, ErrBeyondHead) {
		t.Error(err)
	}
	r := must(j.ReadFrom(1))(t)
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	must(j.Append(batchFrom(1, 2)))(t)
	if rec := must(r.Next())(t); rec.Pos != 1 {
		t.Error(rec.Pos)
	}
	check(t, r.Close())
	if _, err := r.Next(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	check(t, j.Close())
}

func TestRelease(t *testing.T) {
	dir := t.TempDir()
	c := &clock{ms: 1_000_000}
	opt := Options{SegmentBytes: 400, Now: c.now}
	j := must(Open(dir, opt))(t)
	for range 12 {
		must(j.Append(batchFrom(j.Head()+1, 3)))(t)
		c.ms += 1000
	}
	slow := must(j.ReadFrom(1))(t)
	must(slow.Next())(t)
	segs := j.Segments()
	if gone := must(j.Release(1000, time.UnixMilli(segs[0].SealedAt)))(t); len(gone) != 0 {
		t.Errorf("released %v, which was not older", gone)
	}
	if gone := must(j.Release(segs[1].Last, time.UnixMilli(segs[0].SealedAt+1)))(t); len(gone) != 1 || gone[0].Name != segs[0].Name {
		t.Errorf("released %v", gone)
	}
	if gone := must(j.Release(1000, time.UnixMilli(c.ms+1)))(t); len(gone) != len(segs)-2 {
		t.Errorf("released %d of %d", len(gone), len(segs))
	}
	if _, err := j.ReadFrom(segs[1].First); !errors.Is(err, ErrReleased) {
		t.Error(err)
	}
	wantAll(t, j, 36)
	for pos := uint64(2); ; pos++ { // an open reader finishes its segment
		if rec, err := slow.Next(); err != nil {
			if !errors.Is(err, ErrReleased) || pos != segs[0].Last+1 {
				t.Errorf("position %d: %v", pos, err)
			}
			break
		} else if rec.Pos != pos {
			t.Errorf("position %d, want %d", rec.Pos, pos)
		}
	}
	check(t, slow.Close())
	check(t, j.Close())
	j = must(Open(dir, opt))(t)
	if j.First() != segs[len(segs)-1].First {
		t.Errorf("first %d", j.First())
	}
	wantAll(t, j, 36)
	check(t, j.Close())
	check(t, os.Remove(filepath.Join(dir, hwmName))) // as after a restore
	j = must(Open(dir, opt))(t)
	wantAll(t, j, 36)
	check(t, j.Close())
}

func TestSegmentAge(t *testing.T) {
	c := &clock{ms: 1_000_000}
	j := must(Open(t.TempDir(), Options{SegmentAge: time.Hour, Now: c.now}))(t)
	must(j.Append(batchFrom(1, 2)))(t)
	c.ms += time.Hour.Milliseconds()
	must(j.Append(batchFrom(3, 2)))(t)
	if n := len(j.Segments()); n != 1 {
		t.Errorf("%d segments after exactly an hour", n)
	}
	c.ms++
	must(j.Append(batchFrom(5, 2)))(t)
	if s := j.Segments(); len(s) != 2 || !s[0].Sealed || s[0].Last != 4 || s[1].Last != 6 {
		t.Errorf("%+v", s)
	}
	wantAll(t, j, 6)
	check(t, j.Close())
}

// TestHighWaterFollows: hwm is written 5 s after the first record it does not
// cover, or after 4,096; a failure is shown, tried again, and stops no append.
func TestHighWaterFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faulty := disktest.NewFaulty(disktest.NewSim())
		j := must(Open(simDir, Options{FS: faulty, SegmentBytes: 1 << 20}))(t)
		want := func(pos uint64, failing bool) {
			t.Helper()
			synctest.Wait()
			if got, err := j.HighWater(); got != pos || (err != nil) != failing {
				t.Errorf("high water %d, %v; want %d", got, err, pos)
			}
		}
		must(j.Append(batchFrom(1, 3)))(t)
		want(0, false)
		<-time.After(markInterval + time.Millisecond)
		want(3, false)
		must(j.Append(batchFrom(4, markEvery-1)))(t)
		want(3, false)
		must(j.Append(batchFrom(markEvery+3, 1)))(t)
		want(markEvery+3, false)
		faulty.Set(disktest.Fault{N: 1, Forever: true, Err: syscall.ENOSPC, Match: func(_, name string) bool {
			return strings.Contains(name, hwmName)
		}})
		must(j.Append(batchFrom(markEvery+4, 1)))(t)
		<-time.After(markInterval + time.Millisecond)
		want(markEvery+3, true)
		must(j.Append(batchFrom(markEvery+5, 1)))(t)
		faulty.Set(disktest.Fault{})
		<-time.After(markInterval + time.Millisecond)
		want(markEvery+5, false)
		check(t, j.Close())
	})
}

// TestModel drives the journal with random calls beside a slice.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{ms: 1_000_000}
		opt := Options{
			FS: disktest.NewSim(), MaxPayload: 300, Now: c.now,
			SegmentBytes: rapid.Int64Range(200, 3000).Draw(t, "segment"),
		}
		var model []Entry
		first := uint64(1)
		j, err := Open(simDir, opt)
		if err != nil {
			t.Fatal(err)
		}
		entry := rapid.Custom(func(t *rapid.T) Entry {
			return Entry{rapid.Uint16().Draw(t, "kind"), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")}
		})
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				batch := rapid.SliceOfN(entry, 1, 12).Draw(t, "batch")
				got, err := j.Append(batch)
				if err != nil || got != uint64(len(model))+1 {
					t.Fatalf("append: %d, %v", got, err)
				}
				model = append(model, batch...)
			},
			"reopen": func(t *rapid.T) {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				if j, err = Open(simDir, opt); err != nil {
					t.Fatal(err)
				}
			},
			"release": func(t *rapid.T) {
				c.ms += 10
				gone, err := j.Release(rapid.Uint64Range(0, uint64(len(model))).Draw(t, "upTo"), c.now())
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range gone {
					if s.First != first {
						t.Fatalf("released %d, first was %d", s.First, first)
					}
					first = s.Last + 1
				}
			},
			"read": func(t *rapid.T) {
				from := rapid.Uint64Range(first, uint64(len(model))+1).Draw(t, "from")
				if err := compare(j, model, from); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				if j.Head() != uint64(len(model)) || j.First() != first {
					t.Fatalf("head %d first %d, model %d %d", j.Head(), j.First(), len(model), first)
				}
			},
		})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(context.Background(), simDir, opt, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// compare reads from a position to the head and compares with the model.
func compare(j *Journal, model []Entry, from uint64) error {
	r, err := j.ReadFrom(from)
	if err != nil {
		return err
	}
	defer r.Close()
	for pos := from; ; pos++ {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) && pos == uint64(len(model))+1 {
			return nil
		}
		if err != nil {
			return err
		}
		if want := model[pos-1]; rec.Pos != pos || rec.Kind != want.Kind || string(rec.Payload) != string(want.Payload) {
			return fmt.Errorf("position %d: got %+v", pos, rec)
		}
	}
}
