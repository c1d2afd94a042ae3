package search

import (
	"slices"
	"time"
)

// generation is what came between two flushes. The follower alone changes it,
// under the lock; the one that is being written is not changed any more.
type generation struct {
	base    uint64 // its own documents come after this position
	pos     uint64 // everything up to here is in it or in the file
	stamp   int64  // time of the record at pos
	entries []entry
	at      map[gram]int         // place in lists
	lists   [][]uint32           // documents, counted from base, ascending
	changes map[uint64]change    // by document, its own ones too
	carries map[uint64][]textKey // by its own documents
	texts   map[textKey][]byte   // packed; those of all its documents, also of changed ones that are its own
	born    time.Time            // of its first document
	changed time.Time            // of its first change of what is not its own
	others  []change             // of documents in the file; set when it is handed over

	postings  int // entries of lists
	textBytes int // of texts
}

// change is what an edit or recall came to.
type change struct {
	entry entry
	words string // folded; with gone there are none
	keys  []textKey
	gone  bool
}

func newGeneration(pos uint64, stamp int64) *generation {
	return &generation{base: pos, pos: pos, stamp: stamp, at: map[gram]int{}, changes: map[uint64]change{},
		carries: map[uint64][]textKey{}, texts: map[textKey][]byte{}}
}

func (g *generation) empty() bool { return len(g.entries) == 0 && len(g.changes) == 0 }

// own finds a document among those that the generation brought.
func (g *generation) own(pos uint64) (entry, bool) {
	i, ok := slices.BinarySearchFunc(g.entries, pos, func(e entry, pos uint64) int {
		switch {
		case e.pos < pos:
			return -1
		case e.pos > pos:
			return 1
		}
		return 0
	})
	if !ok {
		return entry{}, false
	}
	return g.entries[i], true
}

// full tells how many times full it is.
func (g *generation) full(o *Options) int {
	return max(len(g.entries)/o.FlushDocs, g.postings/o.FlushGrams, g.textBytes/flushText, len(g.changes)/maxChanges)
}

func (g *generation) add(f *found) {
	if len(g.entries) == 0 {
		g.born = time.Now()
	}
	g.entries = append(g.entries, f.entry)
	at := uint32(f.entry.pos - g.base)
	for _, k := range f.grams {
		list := g.slot(k)
		*list = append(*list, at)
	}
	g.postings += len(f.grams)
	if len(f.keys) > 0 {
		g.carries[f.entry.pos] = f.keys
	}
	for k, packed := range f.texts {
		if _, known := g.texts[k]; !known {
			g.texts[k] = packed
			g.textBytes += len(packed)
		}
	}
}

// slot is the place of a gram's list, made if needed. It is good until the next
// one is made.
func (g *generation) slot(k gram) *[]uint32 {
	i, ok := g.at[k]
	if !ok {
		i = len(g.lists)
		g.at[k] = i
		g.lists = append(g.lists, nil)
	}
	return &g.lists[i]
}

// list is the list of a gram; empty when there is none.
func (g *generation) list(k gram) []uint32 {
	if i, ok := g.at[k]; ok {
		return g.lists[i]
	}
	return nil
}

func (g *generation) change(c change) {
	if _, own := g.own(c.entry.pos); !own && g.changed.IsZero() {
		g.changed = time.Now()
	}
	g.changes[c.entry.pos] = c
}

// settle carries out the changes of its own documents, whose grams as they are
// now the caller gives. It returns those of others, in the order of documents.
func (g *generation) settle(now map[uint64][]gram) []change {
	var others []change
	stale := map[uint32]bool{}
	for pos, c := range g.changes {
		if _, own := g.own(pos); own {
			stale[uint32(pos-g.base)] = true
		} else {
			others = append(others, c)
		}
	}
	slices.SortFunc(others, func(a, b change) int { return int(int64(a.entry.pos) - int64(b.entry.pos)) })
	if len(stale) == 0 {
		return others
	}
	for i, list := range g.lists {
		g.lists[i] = slices.DeleteFunc(list, func(at uint32) bool { return stale[at] })
	}
	g.entries = slices.DeleteFunc(slices.Clone(g.entries), func(e entry) bool { return g.changes[e.pos].gone })
	for at := range stale {
		pos := g.base + uint64(at)
		if g.changes[pos].gone {
			delete(g.carries, pos)
			continue
		}
		for _, k := range now[pos] {
			list := g.slot(k)
			if i, found := slices.BinarySearch(*list, at); !found {
				*list = slices.Insert(*list, i, at)
			}
		}
	}
	return others
}
