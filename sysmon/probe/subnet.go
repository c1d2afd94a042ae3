package probe

import (
	"slices"
	"time"
)

// States of a subnet; the package comment says what they mean.
const (
	Well    = "well"
	Slow    = "slow"
	Server  = "server"
	Network = "network"
	Silent  = "silent"
	Waiting = "waiting"
)

// Subnet is a tile of the map: one agent and how it is there.
type Subnet struct {
	Agent   string
	Name    string // of the subnet
	State   string
	At      time.Time // of the newest report; zero: none since the start
	Round   time.Time // of the newest round
	Address string    // that reports came from
	Host    string
	Version string
	Dropped int
	Failed  string // step of the newest round that failed
	Err     string
	Rounds  int           // in the last hour
	Arrived float64       // share of them that went through, 0 to 1
	Median  time.Duration // from end to end, of those
	Worst   time.Duration
	Cells   []Cell // the last hour, by minute
}

// Cell is a minute of a subnet.
type Cell struct {
	At       time.Time
	State    string // well, slow, network (the round failed); empty: nothing is known
	EndToEnd time.Duration
}

// Sick reports whether people there cannot talk while the server itself is well.
func (s Subnet) Sick() bool { return s.State == Network || s.State == Silent }

// Subnets is the map.
func (p *Prober) Subnets() []Subnet {
	light := p.Light()
	list := p.Agents()
	p.agents.mu.Lock()
	defer p.agents.mu.Unlock()
	out := make([]Subnet, 0, len(list))
	for _, a := range list {
		out = append(out, p.judge(a, p.agents.said[a.Name], light))
	}
	return out
}

// judge makes the tile of an agent.
func (p *Prober) judge(a Agent, h *heard, light Light) Subnet {
	s := Subnet{Agent: a.Name, Name: a.Subnet, State: Waiting}
	now := p.o.Now()
	s.Cells = cells(h, now, p.o.Slow)
	if h == nil {
		return s
	}
	s.At, s.Address, s.Host, s.Version, s.Dropped = h.at, h.from, h.host, h.version, h.dropped
	var e2e []time.Duration
	for _, r := range h.rounds {
		if now.Sub(time.UnixMilli(r.At)) > time.Hour {
			continue
		}
		s.Rounds++
		if _, bad := r.failed(); !bad {
			e2e = append(e2e, r.endToEnd())
		}
	}
	if s.Rounds > 0 {
		s.Arrived = float64(len(e2e)) / float64(s.Rounds)
	}
	if len(e2e) > 0 {
		slices.Sort(e2e)
		s.Median, s.Worst = e2e[len(e2e)/2], e2e[len(e2e)-1]
	}
	if len(h.rounds) > 0 {
		s.State = Well
		newest := h.rounds[len(h.rounds)-1]
		s.Round = time.UnixMilli(newest.At)
		if step, bad := newest.failed(); bad {
			s.Failed, s.Err = step.Name, step.Err
			s.State = Network
			if light.State == LightSick {
				s.State = Server
			}
		} else if newest.endToEnd() > p.o.Slow {
			s.State = Slow
		}
	}
	if now.Sub(h.at) > 3*time.Duration(a.Every)*time.Second {
		s.State = Silent
		if light.State == LightSick {
			s.State = Server
		}
	}
	return s
}

func (r Round) endToEnd() time.Duration { return time.Duration(r.EndToEnd * float64(time.Millisecond)) }

// cells are the last sixty minutes.
func cells(h *heard, now time.Time, slow time.Duration) []Cell {
	out := make([]Cell, 60)
	first := now.Unix()/60 - 59
	for i := range out {
		out[i].At = time.Unix((first+int64(i))*60, 0)
	}
	if h == nil {
		return out
	}
	for _, r := range h.rounds {
		i := r.At/60000 - first
		if i < 0 || i >= int64(len(out)) {
			continue
		}
		c := &out[i]
		switch _, bad := r.failed(); {
		case bad:
			c.State = Network
		case c.State == Network:
		case r.endToEnd() > slow:
			c.State, c.EndToEnd = Slow, r.endToEnd()
		default:
			c.State, c.EndToEnd = Well, max(c.EndToEnd, r.endToEnd())
		}
	}
	return out
}
