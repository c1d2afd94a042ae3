package remote

import (
	"context"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// point is a sample on its way.
type point struct {
	t int64
	v float64
	s *stream
}

// What the results of rules are told apart by.
const judgeLabel, judgeName = "evaluated_by", "posthouse"

// stream is a series that has something to be sent.
type stream struct {
	labels labels.Labels
	hash   uint64
}

// read gives what is stored between two times, both inclusive, and was not
// sent, the oldest first. The store is let go of before anything is sent.
func (w *Writer) read(ctx context.Context, from, until int64) (list []point, err error) {
	q, err := w.o.Queryable.Querier(from, until)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := q.Close(); err == nil {
			err = cerr
		}
	}()
	set := q.Select(ctx, false, nil, labels.MustNewMatcher(labels.MatchNotEqual, model.MetricNameLabel, ""))
	var it chunkenc.Iterator
	for set.Next() {
		series := set.At()
		s := &stream{labels: series.Labels()}
		s.hash = s.labels.Hash()
		if name := s.labels.Get(model.MetricNameLabel); strings.Contains(name, ":") || strings.HasPrefix(name, "ALERTS") {
			s.labels = labels.NewBuilder(s.labels).Set(judgeLabel, judgeName).Labels()
		}
		after, known := w.seen[s.hash]
		if !known {
			after = w.floor
		}
		it = series.Iterator(it)
		for kind := it.Seek(max(from, after+1)); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValFloat {
				continue
			}
			t, v := it.At()
			if t > until {
				break
			}
			if t > after {
				list = append(list, point{t, v, s})
			}
		}
		if err := it.Err(); err != nil {
			return nil, err
		}
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b point) int {
		switch {
		case a.t < b.t:
			return -1
		case a.t > b.t:
			return 1
		}
		return 0
	})
	return list, nil
}
