package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"posthouse/appliance/disk/disktest"
)

// FuzzReader takes arbitrary bytes as the last segment. Whatever they are, the
// journal opens with records that verify, or says what is wrong; it does not
// panic and does not allocate what a length field asks for.
func FuzzReader(f *testing.F) {
	s := smallJournal(f, 4, 3, 5)
	for name, data := range s {
		if _, ok := parseSegmentName(name); ok {
			f.Add(data, false)
			f.Add(data[:len(data)*2/3], false)
			f.Add(append(data[headerSize:len(data):len(data)], data[headerSize:]...), true)
		}
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0x03, 0, 0, 0, 0}, true)
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		if head { // a valid header in front lets the fuzzer get at the records
			h := header{first: 1, maxPayload: 1 << 20}
			data = append(h.encode(), data...)
		}
		fuzzOne(t, data)
	})
}

func fuzzOne(t *testing.T, data []byte) {
	sim := disktest.NewSim()
	check(t, sim.MkdirAll(simDir, 0o700))
	first := uint64(1)
	if h, reason := decodeHeader(data); reason == "" {
		first = h.first
	}
	file := must(sim.OpenFile(filepath.Join(simDir, segmentName(first)), os.O_CREATE|os.O_WRONLY, 0o600))(t)
	must(file.Write(data))(t)
	opt := simOptions(sim)
	var d *DamageError
	j, err := Open(simDir, opt)
	if err != nil {
		if !errors.As(err, &d) && !errors.Is(err, ErrVersion) {
			t.Fatal(err)
		}
		if _, err := Repair(simDir, opt); err != nil && !errors.Is(err, ErrVersion) {
			t.Fatal(err)
		}
		return
	}
	r := must(j.ReadFrom(j.First()))(t)
	h, _ := decodeHeader(data)
	chain, off := h.prevChain, int64(headerSize)
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n := int64(recordHead + len(rec.Payload))
		crc := frameCRC(chain^h.salt, data[off:off+n])
		if crc != binary.LittleEndian.Uint32(data[off+4:]) {
			t.Fatalf("position %d was accepted past its checksum", rec.Pos)
		}
		chain, off = crc, off+n
	}
	check(t, r.Close())
	must(j.Append(batchFrom(j.Head()+1, 1)))(t)
	check(t, j.Close())
	must(Check(context.Background(), simDir, opt, nil))(t)
}
