package gate

import (
	"math/rand/v2"
	"time"

	"posthouse/appliance/wire"
)

// beat scans the sessions several times in a heartbeat. A session that has been
// silent for four fifths of the interval is pinged, after one interval it is
// suspect, and before two have passed it is closed. Sockets that never log in
// are closed here too, and changes of presence are told once a second at most.
func (g *Gate) beat() {
	interval := g.o.Heartbeat
	tick := min(max(interval/25, 5*time.Millisecond), time.Second)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	told := g.ticks()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
			now := g.ticks()
			for _, s := range g.hub.every() {
				s.check(now, interval, tick)
			}
			if now-told >= int64(min(time.Second, interval)) {
				told = now
				g.tellPresence()
			}
		}
	}
}

// check looks at one session.
func (s *session) check(now int64, interval, tick time.Duration) {
	s.settleOpen(now)
	silent := time.Duration(now - s.beat.Load())
	switch {
	case !s.loggedIn.Load():
		if silent > s.g.limit().AuthTimeout {
			s.shut(closeNoLogin, "log in first", true)
		}
	case silent >= 2*interval-2*tick:
		s.shut(closeSilent, "silent for too long", false)
	case silent >= interval:
		if !s.suspect.Swap(true) {
			s.g.presence.changed(s.user)
			s.missed.Add(1)
			if !s.probe {
				s.g.meters.missed.Inc()
			}
		}
	case silent >= interval*4/5:
		s.sendPing(now)
	}
}

// sendPing asks for a sign of life, once until the answer.
func (s *session) sendPing(now int64) {
	if sent := s.pinged.Load(); sent > s.beat.Load() {
		return
	}
	s.pinged.Store(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.ping = true
		s.wake()
	}
}

// sayDrain tells a client that the server stops and when to come back: not all
// of them at once.
func (s *session) sayDrain() {
	spread := int64(2500 + 2*s.g.hub.size())
	f, err := passing(wire.EventDrain, wire.Drain{ReconnectAfterMS: 500 + rand.Int64N(spread)})
	if err != nil {
		s.g.log.Error("encode event", keyError, err)
		return
	}
	s.push(f)
}
