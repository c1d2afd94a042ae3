package search

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
)

// buildSpan is how many positions are sorted at once; 24 bytes each.
const buildSpan = 2_000_000

type place struct {
	pos uint64
	ref id.Message
}

// build makes an empty index from state, up to the position that its file
// stands for; the journal tells of the rest. It goes through positions in spans,
// and for each through all timelines, so that memory stays bounded.
func (x *Index) build(ctx context.Context) error {
	to := x.state.Flushed()
	x.mu.Lock()
	x.filed.anew, x.filed.made = false, to
	x.mu.Unlock()
	for after := uint64(0); after < to; {
		upTo := min(after+buildSpan, to)
		var list []place
		if err := x.state.EachEntry(after, upTo, func(pos uint64, ref id.Message) bool {
			list = append(list, place{pos, ref})
			return ctx.Err() == nil
		}); err != nil {
			return err
		}
		slices.SortFunc(list, func(a, b place) int { return cmp.Compare(a.pos, b.pos) })
		if err := x.buildSpan(ctx, list); err != nil || ctx.Err() != nil {
			return err
		}
		x.put(nil, upTo, 0)
		after = upTo
	}
	return x.stamp(to)
}

// stamp remembers the time of the record at the end of a build.
func (x *Index) stamp(at uint64) error {
	if at == 0 {
		return nil
	}
	recs, err := x.log.Records(at-1, 1)
	if errors.Is(err, journal.ErrReleased) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(recs) == 1 {
		x.put(nil, at, recs[0].Time)
	}
	return nil
}

func (x *Index) buildSpan(ctx context.Context, list []place) error {
	for len(list) > 0 && ctx.Err() == nil {
		if x.wantsAnew() {
			return x.idle(errAnew)
		}
		docs := make([]found, 0, lockRecords)
		n := 0
		for heavy := false; n < min(len(list), lockRecords) && !heavy; n++ {
			w, err := x.state.Words(list[n].ref)
			if err != nil {
				return err
			}
			if w != nil && !w.Gone {
				f, err := x.document(ctx, entryOf(list[n].ref, w), w.Text, w.Files)
				if err != nil {
					return err
				}
				docs, heavy = append(docs, f), len(f.texts) > 0
			}
		}
		x.put(docs, list[n-1].pos, 0)
		list = list[n:]
		if err := x.makeRoom(ctx); err != nil {
			return err
		}
	}
	return nil
}
