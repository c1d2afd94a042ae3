package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

func TestUploadInPieces(t *testing.T) {
	h := open(t, Options{})
	data := noise(300_000, 1)
	id := h.create(int64(len(data)))
	h.append(id, 0, data[:100_000])
	h.reopen()
	h.offset(id, 100_000)
	h.append(id, 100_000, nil)
	h.append(id, 100_000, data[100_000:250_000])
	_, _, err := h.Finish(id)
	wants(t, err, ErrIncomplete)
	h.append(id, 250_000, data[250_000:])
	d := h.finish(id, data)
	h.finish(id, data)
	_, err = h.Append(t.Context(), id, 300_000, strings.NewReader("x"), nil)
	wants(t, err, ErrFinished)
	h.reopen()
	h.finish(id, data)
	u, err := h.Upload(id)
	must(t, err)
	if !u.Finished || u.Digest != d || u.Meta["filename"] != "наш файл.png" || u.Owner != 7 {
		t.Errorf("after a restart: %+v", u)
	}
	must(t, h.Terminate(id))
	wants(t, h.Terminate(id), ErrNotFound)
	h.has(d, data)
	if left := h.staging(); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
}

func TestUploadOfNothing(t *testing.T) {
	h := open(t, Options{})
	h.finish(h.create(0), nil)
}

func TestDeferredSize(t *testing.T) {
	h := open(t, Options{MaxUpload: 1000})
	id := h.create(-1)
	h.append(id, 0, noise(500, 1))
	_, _, err := h.Finish(id)
	wants(t, err, ErrIncomplete)
	for size, want := range map[int64]error{499: ErrSize, -1: ErrSize, -2: ErrSize, 1001: ErrTooLarge} {
		_, err = h.SetSize(id, size)
		wants(t, err, want)
	}
	_, err = h.Append(t.Context(), id, 500, bytes.NewReader(noise(501, 2)), nil)
	wants(t, err, ErrTooLarge)
	h.offset(id, 500)
	_, err = h.SetSize(id, 500)
	must(t, err)
	_, err = h.SetSize(id, 500)
	must(t, err)
	_, err = h.SetSize(id, 501)
	wants(t, err, ErrSize)
	h.reopen()
	h.finish(id, noise(500, 1))
}

func TestAppendRefuses(t *testing.T) {
	h := open(t, Options{MaxUpload: 1 << 30})
	data := noise(1000, 1)
	id := h.create(1000)
	h.append(id, 0, data[:400])
	f := func(name string, offset int64, r io.Reader, sum *Checksum, want error) {
		t.Helper()
		n, err := h.Append(t.Context(), id, offset, r, sum)
		if !errors.Is(err, want) || (n != 400 && n != 0) {
			t.Errorf("%s: got %d and %v, want %v", name, n, err, want)
		}
		h.offset(id, 400)
	}
	rest := func() io.Reader { return bytes.NewReader(data[400:]) }
	sum := sha256.Sum256(data[400:])
	f("offset too low", 0, rest(), nil, ErrOffset)
	f("offset too high", 401, rest(), nil, ErrOffset)
	f("offset below zero", -1, rest(), nil, ErrOffset)
	f("one byte too many", 400, bytes.NewReader(noise(601, 3)), nil, ErrTooLarge)
	f("40 MB too many", 400, bytes.NewReader(noise(40<<20, 3)), nil, ErrTooLarge)
	f("wrong sum", 400, rest(), &Checksum{"sha256", make([]byte, 32)}, ErrChecksum)
	f("short sum", 400, rest(), &Checksum{"sha256", sum[:31]}, ErrChecksum)
	f("no sum", 400, rest(), &Checksum{"sha256", nil}, ErrChecksum)
	f("sum of another algorithm", 400, rest(), &Checksum{"sha1", sum[:]}, ErrChecksum)
	f("unknown algorithm", 400, rest(), &Checksum{"crc32", sum[:4]}, ErrAlgorithm)
	f("broken with a sum", 400, iotest.TimeoutReader(io.MultiReader(bytes.NewReader(data[400:500]), rest())), &Checksum{"sha256", sum[:]}, iotest.ErrTimeout)
	h.append(id, 400, data[400:])
	h.finish(id, data)
}

func TestChecksums(t *testing.T) {
	h := open(t, Options{})
	data := noise(40<<20, 1) // more than one checkpoint
	s256, s1, m5 := sha256.Sum256(data), sha1.Sum(data), md5.Sum(data)
	for algo, sum := range map[string][]byte{"sha256": s256[:], "sha1": s1[:], "md5": m5[:]} {
		id := h.create(int64(len(data)))
		bad := bytes.Clone(sum)
		bad[0]++
		_, err := h.Append(t.Context(), id, 0, bytes.NewReader(data), &Checksum{algo, bad})
		wants(t, err, ErrChecksum)
		h.offset(id, 0)
		_, err = h.Append(t.Context(), id, 0, bytes.NewReader(data), &Checksum{algo, sum})
		must(t, err)
		h.finish(id, data)
	}
}

// A chunk beyond the size is dropped whole, also when checkpoints had made its
// beginning durable, and a restart agrees.
func TestRollBackAcrossCheckpoints(t *testing.T) {
	h := open(t, Options{})
	data := noise(50<<20, 1)
	id := h.create(int64(len(data)) - 1)
	h.append(id, 0, data[:1000])
	_, err := h.Append(t.Context(), id, 1000, bytes.NewReader(data[1000:]), nil)
	wants(t, err, ErrTooLarge)
	h.offset(id, 1000)
	h.reopen()
	h.offset(id, 1000)
	h.append(id, 1000, data[1000:len(data)-1])
	h.finish(id, data[:len(data)-1])
}

func TestBrokenReaderKeepsWhatArrived(t *testing.T) {
	h := open(t, Options{})
	data := noise(1000, 1)
	id := h.create(1000)
	r := io.MultiReader(bytes.NewReader(data[:300]), iotest.ErrReader(io.ErrUnexpectedEOF))
	n, err := h.Append(t.Context(), id, 0, r, nil)
	wants(t, err, io.ErrUnexpectedEOF)
	if n != 300 {
		t.Fatalf("offset %d", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r = readFunc(func(b []byte) (int, error) { cancel(); return copy(b, data[300:400]), nil })
	n, err = h.Append(ctx, id, 300, r, nil)
	wants(t, err, context.Canceled)
	if n != 400 {
		t.Fatalf("offset %d", n)
	}
	h.reopen()
	h.offset(id, 400)
	_, err = h.Append(t.Context(), id, 400, iotest.OneByteReader(bytes.NewReader(data[400:])), nil)
	must(t, err)
	h.finish(id, data)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func TestOneAppendAtATime(t *testing.T) {
	h := open(t, Options{})
	id := h.create(10)
	pr, pw := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := h.Append(t.Context(), id, 0, pr, nil)
		done <- err
	}()
	_, err := pw.Write([]byte("hello")) // the Append has the upload by now
	must(t, err)
	_, err = h.Append(t.Context(), id, 0, strings.NewReader("x"), nil)
	wants(t, err, ErrBusy)
	_, _, err = h.Finish(id)
	wants(t, err, ErrBusy)
	_, err = h.SetSize(id, 10)
	wants(t, err, ErrBusy)
	wants(t, h.Terminate(id), ErrBusy)
	if n, _, err := h.Sweep(time.Now().Add(2 * time.Hour)); n != 0 || err != nil {
		t.Errorf("sweep took %d uploads in use, %v", n, err)
	}
	h.offset(id, 0)
	must(t, pw.Close())
	must(t, <-done)
	h.offset(id, 5)
}

func TestConcurrentUploads(t *testing.T) {
	h := open(t, Options{})
	same := noise(200_000, 1)
	var wg sync.WaitGroup
	for i := range 12 {
		data := same
		if i%3 == 0 {
			data = noise(100_000, uint64(i+2))
		}
		wg.Go(func() {
			u, err := h.Create(1, int64(len(data)), nil, time.Now().Add(time.Hour))
			if err != nil {
				t.Error(err)
				return
			}
			for at := int64(0); at < int64(len(data)); {
				end := min(at+30_000, int64(len(data)))
				at, err = h.Append(t.Context(), u.ID, at, bytes.NewReader(data[at:end]), nil)
				if err != nil {
					t.Error(err)
					return
				}
			}
			d, _, err := h.Finish(u.ID)
			if err == nil {
				err = h.Verify(d)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	u, err := h.Usage()
	must(t, err)
	if u.Blobs != 5 || u.BlobBytes != 600_000 || u.Uploads != 0 {
		t.Errorf("usage %+v", u)
	}
}

func TestIDsAreNotPaths(t *testing.T) {
	h := open(t, Options{})
	outside := filepath.Join(h.dir, "victim.part")
	must(t, os.WriteFile(outside, []byte("x"), 0o600))
	for _, id := range []string{
		"", ".", "..", "../victim", "../../etc/passwd", "/etc/passwd", `..\victim`, hexID("A"), hexID("g"),
		hexID("a") + "\x00", hexID("a")[1:], hexID("a") + "a", "../" + hexID("a")[3:], hexID("a"), hexID("%2"),
	} {
		_, err := h.Upload(id)
		wants(t, err, ErrNotFound)
		_, err = h.Append(t.Context(), id, 0, strings.NewReader("x"), nil)
		wants(t, err, ErrNotFound)
		_, err = h.SetSize(id, 1)
		wants(t, err, ErrNotFound)
		_, _, err = h.Finish(id)
		wants(t, err, ErrNotFound)
		wants(t, h.Terminate(id), ErrNotFound)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestCreateRefuses(t *testing.T) {
	h := open(t, Options{MaxUpload: 1000})
	f := func(size int64, meta map[string]string, want error) {
		t.Helper()
		_, err := h.Create(1, size, meta, time.Now().Add(time.Hour))
		wants(t, err, want)
	}
	f(1001, nil, ErrTooLarge)
	f(-2, nil, ErrSize)
	f(1, map[string]string{"a": strings.Repeat("x", maxMetaBytes)}, ErrMeta)
	f(1, map[string]string{"a": "\xff"}, ErrMeta)
	f(1, map[string]string{"\xff": "a"}, ErrMeta)
	if left := h.staging(); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Now()
	h := open(t, Options{Now: func() time.Time { return now }})
	kept := h.create(10)
	short, err := h.Create(1, 10, nil, now.Add(time.Minute))
	must(t, err)
	h.append(short.ID, 0, []byte("hello"))
	now = now.Add(2 * time.Minute)
	_, err = h.Upload(short.ID)
	wants(t, err, ErrNotFound)
	h.reopen()
	_, err = h.Append(t.Context(), short.ID, 5, strings.NewReader("x"), nil)
	wants(t, err, ErrNotFound)
	n, bytes, err := h.Sweep(now)
	must(t, err)
	if n != 1 || bytes != 5 {
		t.Errorf("swept %d uploads, %d bytes", n, bytes)
	}
	h.offset(kept, 0)
	if left := h.staging(); len(left) != 3 {
		t.Errorf("left in staging: %v", left)
	}
}

func TestOpenClearsLitter(t *testing.T) {
	h := open(t, Options{})
	id := h.create(10)
	for _, name := range []string{
		hexID("a") + ".part", hexID("a") + ".pos", hexID("b") + ".put", id + ".json.tmp", hexID("c") + ".json.tmp",
	} {
		must(t, os.WriteFile(filepath.Join(h.stagingDir(), name), []byte("x"), 0o600))
	}
	h.reopen()
	if left := h.staging(); len(left) != 3 {
		t.Errorf("left in staging: %v", left)
	}
	h.offset(id, 0)
}

func TestDamagedStagingIsKeptForAWeek(t *testing.T) {
	h := open(t, Options{})
	id, fine := h.create(10), h.create(10)
	must(t, os.WriteFile(h.stagingPath(id, ".json"), []byte("{"), 0o600))
	h.reopen()
	_, err := h.Upload(id)
	wants(t, err, ErrNotFound)
	h.offset(fine, 0)
	if d := h.Damaged(); len(d) != 1 || !strings.Contains(d[0], id) {
		t.Errorf("damaged: %v", d)
	}
	n, _, err := h.Sweep(time.Now())
	must(t, err)
	if n != 0 {
		t.Errorf("swept %d", n)
	}
	_, _, err = h.Sweep(time.Now().Add(damagedAge + time.Hour))
	must(t, err)
	if left := h.staging(); len(left) != 0 {
		t.Errorf("left in staging: %v", left)
	}
}

func TestReserveIsLeftFree(t *testing.T) {
	free := int64(2000)
	var mu sync.Mutex
	h := open(t, Options{FreeReserve: 1000, FreeBytes: func(string) (int64, error) {
		mu.Lock()
		defer mu.Unlock()
		return free, nil
	}})
	id := h.create(600)
	_, err := h.Create(1, 600, nil, time.Now().Add(time.Hour)) // the first has still to bring 600
	wants(t, err, ErrNoSpace)
	free = 999
	_, err = h.Create(1, -1, nil, time.Now().Add(time.Hour))
	wants(t, err, ErrNoSpace)
	_, err = h.Append(t.Context(), id, 0, strings.NewReader("x"), nil)
	wants(t, err, ErrNoSpace)
	_, _, err = h.Put(t.Context(), strings.NewReader("x"))
	wants(t, err, ErrNoSpace)
	free = 5000
	h.append(id, 0, noise(600, 1))
	h.finish(id, noise(600, 1))
}

func TestPositionSlots(t *testing.T) {
	h := open(t, Options{})
	id := h.create(-1)
	h.append(id, 0, noise(100, 1))
	h.append(id, 100, noise(100, 2))
	name := h.stagingPath(id, ".pos")
	good, err := os.ReadFile(name)
	must(t, err)
	p, err := readPosition(h.fsys, name)
	must(t, err)
	if p.offset != 200 || p.seq != 3 {
		t.Fatalf("position %+v", p)
	}
	// Any damage to the newer slot falls back to the older one.
	at := slotAt(p.seq)
	for i := range int64(slotBytes) {
		bad := bytes.Clone(good)
		bad[at+i] ^= 0x40
		must(t, os.WriteFile(name, bad, 0o600))
		p, err := readPosition(h.fsys, name)
		if err != nil || p.offset != 100 {
			t.Fatalf("byte %d: %+v, %v", i, p, err)
		}
	}
	h.reopen()
	h.offset(id, 100)
	h.append(id, 100, noise(100, 2))
}

// A hash state that this build cannot read costs a read of the content.
func TestForeignHashState(t *testing.T) {
	h := open(t, Options{})
	data := noise(1000, 1)
	for _, state := range [][]byte{nil, []byte("sha\x09 of another build")} {
		id := h.create(1000)
		h.append(id, 0, data[:600])
		must(t, h.advance(h.uploads[id], position{offset: 600, hash: state}))
		h.reopen()
		h.append(id, 600, data[600:])
		h.finish(id, data)
	}
}
