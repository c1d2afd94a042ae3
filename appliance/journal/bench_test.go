package journal

import (
	"context"
	"os"
	"strconv"
	"testing"

	"posthouse/appliance/disk"
)

func benchBatch(entries, size int) []Entry {
	b := make([]Entry, entries)
	for i := range b {
		b[i] = Entry{Kind: 1, Payload: make([]byte, size)}
		for k := range b[i].Payload {
			b[i].Payload[k] = byte(k | 1)
		}
	}
	return b
}

func benchAppend(b *testing.B, opt Options, entries int) {
	j := must(Open(b.TempDir(), opt))(b)
	batch := benchBatch(entries, 250)
	b.ReportAllocs()
	for b.Loop() {
		must(j.Append(batch))(b)
	}
	b.StopTimer()
	check(b, j.Close())
}

// BenchmarkAppend: 200 entries of 250 bytes with the disk.
func BenchmarkAppend(b *testing.B)    { benchAppend(b, Options{}, 200) }
func BenchmarkAppendOne(b *testing.B) { benchAppend(b, Options{}, 1) }

// BenchmarkAppendNoSync: the same without fdatasync: what the journal itself
// costs, with the write into the page cache and the SHA-256.
func BenchmarkAppendNoSync(b *testing.B) { benchAppend(b, Options{FS: noSync{disk.OS{}}}, 200) }

// BenchmarkRawWriteAndSync is the yardstick: the same bytes, one write, one
// fdatasync, no journal.
func BenchmarkRawWriteAndSync(b *testing.B) {
	f := must(disk.OS{}.OpenFile(b.TempDir()+"/raw", os.O_CREATE|os.O_WRONLY, 0o600))(b)
	data := benchBatch(1, 200*270)[0].Payload
	for b.Loop() {
		must(f.Write(data))(b)
		check(b, f.Sync())
	}
	check(b, f.Close())
}

// benchJournal writes JOURNAL_BENCH_RECORDS (default 300,000) records of 300
// bytes and leaves it as a crash would, without Close's trimming mattering.
func benchJournal(b *testing.B) string {
	total := 300_000
	if s := os.Getenv("JOURNAL_BENCH_RECORDS"); s != "" {
		total = must(strconv.Atoi(s))(b)
	}
	dir := b.TempDir()
	j := must(Open(dir, Options{FS: noSync{disk.OS{}}}))(b)
	batch := benchBatch(1000, 280)
	for range total / len(batch) {
		must(j.Append(batch))(b)
	}
	check(b, j.Close())
	return dir
}

func BenchmarkOpen(b *testing.B) {
	dir := benchJournal(b)
	b.ResetTimer()
	for b.Loop() {
		check(b, must(Open(dir, Options{}))(b).Close())
	}
}

func BenchmarkCheck(b *testing.B) {
	dir := benchJournal(b)
	b.ResetTimer()
	for b.Loop() {
		b.SetBytes(must(Check(context.Background(), dir, Options{}, nil))(b).Bytes)
	}
}

func BenchmarkRead(b *testing.B) {
	j := must(Open(benchJournal(b), Options{ReadOnly: true}))(b)
	r := must(j.ReadFrom(1))(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			check(b, r.Close())
			r = must(j.ReadFrom(1))(b)
		}
	}
	check(b, r.Close())
}
