package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a fixed time that moves by hand.
type clock struct{ ms int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms) }

// must is for must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// payload is the content of a position in the tests that care.
func payload(pos uint64) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%d.", pos)), int(pos%7)+1)
}

func batchFrom(pos uint64, n int) []Entry {
	b := make([]Entry, n)
	for i := range b {
		b[i] = Entry{Kind: uint16(pos + uint64(i)), Payload: payload(pos + uint64(i))}
	}
	return b
}

// readAll reads from pos to the head and checks content.
func readAll(j *Journal, pos uint64) (n int, err error) {
	r, err := j.ReadFrom(pos)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for ; ; n++ {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if rec.Pos != pos+uint64(n) || rec.Kind != uint16(rec.Pos) || !bytes.Equal(rec.Payload, payload(rec.Pos)) {
			return n, fmt.Errorf("position %d: got %d, kind %d, %q", pos+uint64(n), rec.Pos, rec.Kind, rec.Payload)
		}
	}
}

func wantAll(t testing.TB, j *Journal, head uint64) {
	t.Helper()
	if j.Head() != head {
		t.Fatalf("head is %d, want %d", j.Head(), head)
	}
	n, err := readAll(j, j.First())
	if err != nil || uint64(n) != head+1-j.First() {
		t.Fatalf("read %d records: %v", n, err)
	}
}

func TestRoundTripAndReopen(t *testing.T) {
	dir := t.TempDir() + "/a/journal"
	opt := Options{SegmentBytes: 600}
	head := uint64(0)
	for range 5 {
		j := must(Open(dir, opt))(t)
		wantAll(t, j, head)
		for n := 1; n < 9; n++ {
			if first := must(j.Append(batchFrom(head+1, n)))(t); first != head+1 {
				t.Fatalf("first is %d, want %d", first, head+1)
			}
			head += uint64(n)
		}
		wantAll(t, j, head)
		for pos := uint64(1); pos <= head+1; pos++ {
			if n, err := readAll(j, pos); err != nil || uint64(n) != head+1-pos {
				t.Fatalf("from %d: %d records, %v", pos, n, err)
			}
		}
		check(t, j.Close())
		check(t, j.Close())
	}
}

// sealHeader makes an edited header valid again.
func sealHeader(b []byte) {
	binary.LittleEndian.PutUint32(b[76:], crc32.Checksum(b[:76], castagnoli))
}
