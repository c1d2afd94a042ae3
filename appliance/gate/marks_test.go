package gate

import (
	"testing"
	"time"
)

// TestAnAnswerBeforeTheNoteCounts acknowledges in both orders: a quick device
// answers before the writer has noted what it wrote.
func TestAnAnswerBeforeTheNoteCounts(t *testing.T) {
	for _, early := range []bool{false, true} {
		g := &Gate{marks: newMarks(), meters: newMeters(), ring: newRing(16, 1<<20), now: time.Now}
		g.ring.begin(9)
		s := &session{g: g, user: 1, device: 2}
		f := &frame{pos: 7, seq: 3, room: 5, sender: 4, at: time.Now().UnixMilli()}
		write := func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.wrote(f)
		}
		if early {
			s.ack(7, time.Now())
			write()
		} else {
			write()
			s.ack(7, time.Now())
		}
		if r := s.progress.receipts; len(r) != 1 || r[0].Pushed != 3 || r[0].Acked != 3 {
			t.Errorf("early %v: receipts %+v", early, r)
		}
		if n := g.meters.acks.Get(); n != 1 || len(s.progress.pending) != 0 {
			t.Errorf("early %v: %v counted, %d wait", early, n, len(s.progress.pending))
		}
	}
}
