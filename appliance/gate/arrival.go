package gate

import "time"

// answerWithin is how long a device has to acknowledge a message before it is
// asked for a sign of life. A device that gives one and still does not
// acknowledge has not got the message.
const answerWithin = 10 * time.Second

// arrival is what a session knows of deliveries that are open: neither
// acknowledged nor counted as missing. It belongs to the session's lock.
type arrival struct {
	asked   int64  // when a sign of life was asked for, ticks; 0: not asked
	through uint64 // the last position that was asked for
}

// acknowledged counts deliveries that have arrived, those of one moment
// together.
func (m *meters) acknowledged(list []pending, now int64) {
	acks, settled := 0, 0
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n].at == list[i].at && list[i+n].missing == list[i].missing {
			n++
		}
		if at := list[i].at; at > 0 {
			acks += n
			if !list[i].missing {
				settled += n
			}
			m.latency.ObserveN(float64(now-at)/1000, uint64(n))
		}
		i += n
	}
	m.deliveries.Add(settled)
	m.acks.Add(acks)
}

// open tells the beat how long the oldest open delivery waits. The lock is
// held.
func (s *session) open() {
	for _, p := range s.progress.pending {
		if p.at > 0 && !p.missing {
			s.waits.Store(p.at)
			return
		}
	}
	s.waits.Store(0)
}

// settleOpen looks at deliveries that wait for too long: it asks the device for
// a sign of life, and counts them as missing when it has given one since.
func (s *session) settleOpen(ticks int64) {
	wall := s.g.now().UnixMilli() - answerWithin.Milliseconds()
	if at := s.waits.Load(); at == 0 || at > wall {
		return
	}
	s.mu.Lock()
	a := &s.arrival
	if a.asked != 0 && s.beat.Load() > a.asked {
		missing := 0
		for i := range s.progress.pending {
			p := &s.progress.pending[i]
			if p.pos > a.through {
				break
			}
			if p.at > 0 && !p.missing {
				p.missing = true
				missing++
			}
		}
		s.g.meters.deliveries.Add(missing)
		a.asked = 0
		s.open()
	}
	ask := false
	if at := s.waits.Load(); a.asked == 0 && at != 0 && at <= wall {
		a.asked, ask = ticks, true
		for _, p := range s.progress.pending {
			if p.at > 0 && p.at <= wall {
				a.through = p.pos
			}
		}
	}
	s.mu.Unlock()
	if ask {
		s.sendPing(ticks)
	}
}

// forgetOpen counts the first n open deliveries as missing: there are too many
// to remember. The lock is held.
func (s *session) forgetOpen(n int) {
	missing := 0
	for _, p := range s.progress.pending[:n] {
		if p.at > 0 && !p.missing {
			missing++
		}
	}
	s.g.meters.deliveries.Add(missing)
}

// leaveOpen counts the open deliveries of a session that ends: its device gets
// them when it comes back. The lock is held.
func (s *session) leaveOpen() {
	left := 0
	for i := range s.progress.pending {
		p := &s.progress.pending[i]
		if p.at > 0 && !p.missing {
			p.at = 0
			left++
		}
	}
	s.g.meters.left.Add(left)
	s.waits.Store(0)
}
