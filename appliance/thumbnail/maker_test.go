package thumbnail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func testMaker(t *testing.T, arg string) *Maker {
	t.Helper()
	m, err := NewMaker(filepath.Join(t.TempDir(), "thumbs"), self(t), []string{arg})
	must(t, err)
	m.lim = testLimits()
	t.Cleanup(m.Close)
	return m
}

func key(c string) string { return strings.Repeat(c, 64) }

type source struct {
	data  []byte
	opens atomic.Int64
}

func (s *source) open() (io.ReadCloser, error) {
	s.opens.Add(1)
	return io.NopCloser(bytes.NewReader(s.data)), nil
}

func TestGetMakesOnceForAll(t *testing.T) {
	m := testMaker(t, "thumbnail-child")
	src := &source{data: jpegOf(t, scene(1000, 1000))}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			path, kind, err := m.Get(t.Context(), key("a"), 200, src.open)
			if err != nil || kind != "image/jpeg" || filepath.Base(path) != key("a")+"-320" {
				t.Error(path, kind, err)
			}
		})
	}
	wg.Wait()
	if n := src.opens.Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
	must(t, os.RemoveAll(m.dir))
	_, _, err := m.Get(t.Context(), key("a"), 256, src.open)
	must(t, err)
	must(t, m.Forget(key("a")))
	if left, _ := os.ReadDir(m.dir); len(left) != 0 {
		t.Errorf("left after Forget: %v", left)
	}
}

func TestGetRemembersRefusals(t *testing.T) {
	m := testMaker(t, "thumbnail-child")
	for c, f := range map[string]struct {
		data []byte
		want error
	}{
		"a": {hollowPNG(50000, 50000, 8, 2), ErrTooLarge},
		"b": {[]byte("text"), ErrUnsupported},
		"c": {hollowPNG(50, 50, 8, 2), ErrDamaged},
	} {
		src := &source{data: f.data}
		for range 3 {
			if _, _, err := m.Get(t.Context(), key(c), 100, src.open); !errors.Is(err, f.want) {
				t.Errorf("got %v, want %v", err, f.want)
			}
		}
		if n := src.opens.Load(); n != 1 {
			t.Errorf("%v: tried %d times", f.want, n)
		}
	}
}

func TestGetForgetsLimitsAfterAWhile(t *testing.T) {
	m := testMaker(t, "liar-child")
	src := &source{data: []byte("x")}
	for range 2 {
		if _, _, err := m.Get(t.Context(), key("a"), 100, src.open); !errors.Is(err, ErrLimits) {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * limitsMemory)
	must(t, os.Chtimes(m.refusalPath(key("a")), old, old))
	_, _, _ = m.Get(t.Context(), key("a"), 100, src.open)
	if n := src.opens.Load(); n != 2 {
		t.Errorf("tried %d times", n)
	}
}

func TestGetRefusesKeys(t *testing.T) {
	m := testMaker(t, "thumbnail-child")
	for _, d := range []string{"", "../../../etc/passwd", key("A"), key("g"), key("a")[1:], key("a") + "/"} {
		if _, _, err := m.Get(t.Context(), d, 64, nil); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", d, err)
		}
	}
	if _, _, err := m.Get(t.Context(), key("a"), 0, nil); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func TestGetEndsWithItsLastWaiter(t *testing.T) {
	m := testMaker(t, "hang-child")
	src := &source{data: []byte("x")}
	opened := make(chan struct{})
	open := func() (io.ReadCloser, error) {
		defer close(opened)
		return src.open()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := m.Get(ctx, key("a"), 100, open)
		done <- err
	}()
	<-opened
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	m.work.Wait()
	if m.refused(key("a")) != nil {
		t.Error("giving up was remembered as a refusal")
	}
}

func TestCloseEndsAll(t *testing.T) {
	m := testMaker(t, "hang-child")
	var wg sync.WaitGroup
	opened := make(chan struct{}, children)
	for _, c := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			_, _, err := m.Get(t.Context(), key(c), 100, func() (io.ReadCloser, error) {
				opened <- struct{}{}
				return io.NopCloser(strings.NewReader("x")), nil
			})
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	for range children {
		<-opened
	}
	m.Close()
	wg.Wait()
	if _, _, err := m.Get(t.Context(), key("a"), 100, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if len(opened) != 0 {
		t.Error("more children than slots")
	}
}

func TestTrimRemovesTheOldest(t *testing.T) {
	m := testMaker(t, "thumbnail-child")
	now := time.Now()
	for i, c := range []string{"a", "b", "c"} {
		name := filepath.Join(m.dir, key(c)+"-64")
		must(t, os.WriteFile(name, make([]byte, 100), 0o600))
		must(t, os.Chtimes(name, now, now.Add(time.Duration(i)*time.Minute)))
	}
	n, bytes, err := m.Trim(250)
	must(t, err)
	if _, err := os.Stat(filepath.Join(m.dir, key("a")+"-64")); n != 1 || bytes != 100 || err == nil {
		t.Errorf("removed %d files, %d bytes, oldest: %v", n, bytes, err)
	}
}
