package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestPut(t *testing.T) {
	h := open(t, Options{MaxUpload: 1 << 20})
	data := noise(1<<20, 1)
	for range 2 {
		d, n, err := h.Put(t.Context(), bytes.NewReader(data))
		must(t, err)
		if d != sha256.Sum256(data) || n != 1<<20 {
			t.Fatal(d, n)
		}
		h.has(d, data)
	}
	_, _, err := h.Put(t.Context(), bytes.NewReader(noise(1<<20+1, 1)))
	wants(t, err, ErrTooLarge)
	_, _, err = h.Put(t.Context(), io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrNoProgress)))
	wants(t, err, io.ErrNoProgress)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = h.Put(ctx, strings.NewReader("x"))
	wants(t, err, context.Canceled)
	if left := h.staging(); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
	st, err := os.Stat(h.contentPath(sha256.Sum256(data)))
	must(t, err)
	if st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestBlobReads(t *testing.T) {
	h := open(t, Options{})
	data := noise(10_000, 1)
	d, _, err := h.Put(t.Context(), bytes.NewReader(data))
	must(t, err)
	b, err := h.OpenBlob(d)
	must(t, err)
	defer b.Close()
	must(t, iotest.TestReader(b, data))
	must(t, h.Bin(d))
	_, _, err = h.Empty(time.Now().Add(time.Hour))
	must(t, err)
	got := make([]byte, 10)
	_, err = b.ReadAt(got, 5000)
	must(t, err)
	if !bytes.Equal(got, data[5000:5010]) {
		t.Error("content changed under its reader")
	}
	_, err = h.OpenBlob(d)
	wants(t, err, ErrNotFound)
	wants(t, h.Verify(d), ErrNotFound)
}

func TestVerifyAndHeal(t *testing.T) {
	h := open(t, Options{})
	data := noise(10_000, 1)
	d, _, err := h.Put(t.Context(), bytes.NewReader(data))
	must(t, err)
	bad := bytes.Clone(data)
	bad[77] ^= 1
	for _, b := range [][]byte{bad, data[:9999], append(bytes.Clone(data), 0), nil} {
		must(t, os.WriteFile(h.contentPath(d), b, 0o600))
		wants(t, h.Verify(d), ErrDamaged)
	}
	id := h.create(10_000)
	h.append(id, 0, data)
	h.finish(id, data)
}

func TestBin(t *testing.T) {
	now := time.Now()
	h := open(t, Options{Now: func() time.Time { return now }})
	d, _, err := h.Put(t.Context(), strings.NewReader("hello"))
	must(t, err)
	e, _, err := h.Put(t.Context(), strings.NewReader("world!"))
	must(t, err)
	must(t, h.Bin(d))
	wants(t, h.Bin(d), ErrNotFound)
	_, err = h.OpenBlob(d)
	wants(t, err, ErrNotFound)
	h.reopen()
	must(t, h.Restore(d))
	must(t, h.Restore(d))
	h.has(d, []byte("hello"))
	must(t, h.Bin(d))
	now = now.Add(time.Hour)
	must(t, h.Bin(e))
	n, size, err := h.Empty(now)
	must(t, err)
	if n != 1 || size != 5 {
		t.Errorf("emptied %d files, %d bytes", n, size)
	}
	wants(t, h.Restore(d), ErrNotFound)
	u, err := h.Usage()
	must(t, err)
	if u.Blobs != 0 || u.Binned != 1 || u.BinnedBytes != 6 {
		t.Errorf("usage %+v", u)
	}
	must(t, h.Restore(e))
	h.has(e, []byte("world!"))
}

// Finish repeated after the content was binned brings it back: its answer must
// not name what is not there.
func TestFinishAgainAfterBin(t *testing.T) {
	h := open(t, Options{})
	id := h.create(5)
	h.append(id, 0, []byte("hello"))
	d := h.finish(id, []byte("hello"))
	must(t, h.Bin(d))
	h.finish(id, []byte("hello"))
	must(t, h.Bin(d))
	_, _, err := h.Empty(time.Now().Add(time.Hour))
	must(t, err)
	_, _, err = h.Finish(id)
	wants(t, err, ErrNotFound)
	must(t, h.Terminate(id))
}

func TestList(t *testing.T) {
	h := open(t, Options{})
	want := make(map[Digest]int64)
	for i := range 50 {
		data := noise(i, uint64(i))
		want[sha256.Sum256(data)] = int64(i)
		_, _, err := h.Put(t.Context(), bytes.NewReader(data))
		must(t, err)
	}
	must(t, os.WriteFile(filepath.Join(h.contentDir(), "README"), nil, 0o600))
	must(t, os.MkdirAll(filepath.Join(h.contentDir(), "zz"), 0o700))
	last := ""
	must(t, h.List(t.Context(), func(d Digest, size int64, mod time.Time) error {
		if want[d] != size || d.String() <= last || time.Since(mod) > time.Minute {
			t.Errorf("%s: %d bytes, %v", d, size, mod)
		}
		last = d.String()
		delete(want, d)
		return nil
	}))
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	stop := errors.New("stop")
	wants(t, h.List(t.Context(), func(Digest, int64, time.Time) error { return stop }), stop)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wants(t, h.List(ctx, nil), context.Canceled)
}

func TestParseDigest(t *testing.T) {
	d := Digest(sha256.Sum256(nil))
	got, err := ParseDigest(d.String())
	if err != nil || got != d {
		t.Error(got, err)
	}
	for _, s := range []string{"", "..", d.String()[1:], d.String() + "0", strings.ToUpper(d.String()), strings.Repeat("g", 64), "../" + d.String()[3:]} {
		if _, err := ParseDigest(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	h := open(b, Options{})
	data := noise(64<<20, 1)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		id := h.create(int64(len(data)))
		_, err := h.Append(b.Context(), id, 0, bytes.NewReader(data), nil)
		must(b, err)
		d, _, err := h.Finish(id)
		must(b, err)
		must(b, h.Terminate(id))
		must(b, h.Bin(d))
		_, _, err = h.Empty(time.Now().Add(time.Hour))
		must(b, err)
	}
}
