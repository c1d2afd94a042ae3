package search_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"posthouse/appliance/search"
	"posthouse/appliance/state"
)

// BenchmarkMake makes the index of 40,000 messages from state.
func BenchmarkMake(b *testing.B) {
	o := openOffice(b, search.Options{})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	dice := rand.New(rand.NewPCG(1, 2))
	words := rand.NewZipf(dice, 1.1, 10, 20000)
	const n = 40000
	for range n / 200 {
		done := make(chan error, 200)
		for range 200 {
			var text strings.Builder
			for range 15 {
				w := words.Uint64()
				if w%3 == 0 {
					fmt.Fprintf(&text, " w%dord", w)
				} else {
					text.WriteRune(rune(0x4E00 + w%6000))
					text.WriteRune(rune(0x5E00 + w/7))
				}
			}
			o.q.Go(b.Context(), state.Actor{User: ann}, &state.SendMessage{Room: room, Key: newKey(), Text: text.String()}, o.done(done))
		}
		for range 200 {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
	}
	o.reached()
	for o.s.Pending() > 0 {
		if err := o.s.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		o.x.Rebuild()
		o.send(ann, room, "wake up")
		o.reached()
	}
	b.StopTimer()
	o.closeIndex()
	if info, err := os.Stat(o.path()); err == nil {
		b.ReportMetric(float64(info.Size())/n, "B/msg")
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkDocuments makes the index of 300 messages with a document of 100 kB
// each from state, and searches them.
func BenchmarkDocuments(b *testing.B) {
	o := openOffice(b, search.Options{})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	dice := rand.New(rand.NewPCG(1, 2))
	words := rand.NewZipf(dice, 1.1, 10, 20000)
	const n = 300
	for i := range n {
		var text strings.Builder
		for text.Len() < 100_000 {
			w := words.Uint64()
			text.WriteRune(rune(0x4E00 + w%6000))
			text.WriteRune(rune(0x5E00 + w/7))
		}
		o.send(ann, room, "", o.document(ann, fmt.Sprint(i, ".txt"), []byte(text.String())))
	}
	o.reached()
	for o.s.Pending() > 0 {
		if err := o.s.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			o.x.Rebuild()
			o.send(ann, room, "wake up")
			o.reached()
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	})
	o.closeIndex()
	if info, err := os.Stat(o.path()); err == nil {
		b.Logf("%d bytes a document", info.Size()/n)
	}
	o.openIndex()
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			w := words.Uint64()
			if _, err := o.x.Search(b.Context(), search.Query{User: ann, Text: string([]rune{rune(0x4E00 + w%6000), rune(0x5E00 + w/7)}), Limit: 20}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
