package sequencer_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
)

// BenchmarkSend is the message path without doors: 400 senders, each waiting
// for its answer before the next message, over a real journal.
func BenchmarkSend(b *testing.B) {
	o := openOffice(b, b.TempDir(), state.Limits{})
	const pairs = 200
	var people []id.ID
	for i := range 2 * pairs {
		people = append(people, o.person("p"+strings.Repeat("x", i%40)+string(rune('a'+i%26))+string(rune('a'+i/26%26))))
	}
	var rooms []id.ID
	for i := range pairs {
		rooms = append(rooms, o.do(people[2*i], &state.OpenDirect{User: people[2*i+1]}).Room)
	}
	text := strings.Repeat("x", 200)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	left := make(chan struct{}, b.N)
	for range b.N {
		left <- struct{}{}
	}
	close(left)
	for i := range 2 * pairs {
		wg.Go(func() {
			done := make(chan error, 1)
			for range left {
				o.q.Go(context.Background(), state.Actor{User: people[i]}, &state.SendMessage{Room: rooms[i/2], Key: newKey(), Text: text},
					func(_ sequencer.Result, err error) { done <- err })
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
