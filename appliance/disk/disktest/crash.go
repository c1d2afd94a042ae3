package disktest

import (
	"math/rand/v2"
	"slices"
)

// Keep says what a power cut leaves of the mutations that were not synced.
type Keep int

// The kinds of crash state.
const (
	KeepNone    Keep = iota // nothing
	KeepAll                 // everything
	KeepRandom              // any subset of writes and names
	KeepSectors             // any subset of 512-byte sectors, any subset of names
	KeepPrefix              // the oldest, the last of them torn at a sector
	KeepNames               // all names, any subset of sectors
	Keeps                   // the number of kinds
)

// Replay walks the log of a Sim and builds crash states on the way.
type Replay struct {
	log     []op
	at      int
	durable []*node
	pending []op
}

// Replay starts before the first mutation. It sees the mutations made until
// now.
func (s *Sim) Replay() *Replay {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Replay{log: slices.Clip(s.log), durable: cloneAll(s.base)}
}

// To moves forward until n mutations are done.
func (r *Replay) To(n int) {
	for ; r.at < n && r.at < len(r.log); r.at++ {
		r.step(r.log[r.at])
	}
}

// Len is the number of mutations in the log.
func (r *Replay) Len() int { return len(r.log) }

func (r *Replay) step(o op) {
	switch o.kind {
	case opNew:
		n := &node{dir: o.isDir}
		if o.isDir {
			n.entries = map[string]int{}
		}
		r.durable = append(r.durable, n)
	case opSync:
		r.settle(func(p op) bool { return (p.kind == opWrite || p.kind == opSize) && p.node == o.node })
	case opSyncDir:
		r.settle(func(p op) bool {
			switch p.kind {
			case opLink, opUnlink:
				return p.dir == o.node
			case opRename:
				return p.dir == o.node || p.to == o.node
			}
			return false
		})
	case opLose:
		r.pending = slices.DeleteFunc(r.pending, func(p op) bool { return p.kind == opWrite && p.node == o.node })
	default:
		r.pending = append(r.pending, o)
	}
}

// settle makes the matching pending mutations durable, in order.
func (r *Replay) settle(match func(op) bool) {
	rest := r.pending[:0:0]
	for _, p := range r.pending {
		if match(p) {
			apply(r.durable, p)
		} else {
			rest = append(rest, p)
		}
	}
	r.pending = rest
}

func apply(nodes []*node, o op) {
	switch o.kind {
	case opWrite:
		nodes[o.node].write(o.data, o.off)
	case opSize:
		nodes[o.node].cut(o.off)
	case opLink:
		nodes[o.dir].entries[o.name] = o.node
	case opUnlink:
		delete(nodes[o.dir].entries, o.name)
	case opRename:
		if nodes[o.dir].entries[o.name] == o.node {
			delete(nodes[o.dir].entries, o.name)
		}
		nodes[o.to].entries[o.toName] = o.node
	}
}

// Crash returns the file system as a machine finds it that lost power after
// the mutations done so far.
func (r *Replay) Crash(keep Keep, rng *rand.Rand) *Sim {
	nodes := cloneAll(r.durable)
	upTo := len(r.pending)
	if keep == KeepPrefix {
		upTo = rng.IntN(upTo + 1)
	}
	for i, o := range r.pending {
		name := o.kind != opWrite && o.kind != opSize
		switch {
		case keep == KeepAll, keep == KeepPrefix && i < upTo, keep == KeepNames && name:
			apply(nodes, o)
		case keep == KeepNone:
		case keep == KeepPrefix:
			if i == upTo && o.kind == opWrite {
				o.data = o.data[:cutAt(o, rng)]
				apply(nodes, o)
			}
		case (keep == KeepSectors || keep == KeepNames) && o.kind == opWrite:
			applySectors(nodes, o, rng)
		case rng.IntN(2) == 0:
			apply(nodes, o)
		}
	}
	return newSim(nodes)
}

const sector = 512

// cutAt is how many bytes of a torn write arrive, ending at a sector.
func cutAt(o op, rng *rand.Rand) int {
	end := (o.off/sector + int64(rng.IntN(len(o.data)/sector+2))) * sector
	return int(min(max(end-o.off, 0), int64(len(o.data))))
}

// applySectors writes each sector or not; the file may get its size without
// the data.
func applySectors(nodes []*node, o op, rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		n := nodes[o.node]
		n.cut(max(int64(len(n.data)), o.off+int64(len(o.data))))
	}
	odds := 1 + rng.IntN(4)
	for i := 0; i < len(o.data); {
		stop := min(len(o.data), i+sector-int((o.off+int64(i))%sector))
		if rng.IntN(4) < odds {
			apply(nodes, op{kind: opWrite, node: o.node, off: o.off + int64(i), data: o.data[i:stop]})
		}
		i = stop
	}
}
