package store

import (
	"io"
	"math"
	"time"

	"posthouse/sysmon/words"
)

// Stats is how the store is.
type Stats struct {
	Taking      bool        // samples are taken
	Trouble     *words.Text // why not, or what was set aside at the last opening; nil: nothing to say
	Series      int         // in the head
	MaxSeries   int
	MaxPerJob   int
	Jobs        []JobSeries // the most first
	Refused     uint64      // new series, since the start
	Samples     uint64      // taken since the start
	OutOfOrder  uint64      // samples refused: older than the newest of their series
	OutOfBounds uint64      // samples refused: older than what can still be added
	Paused      uint64      // samples refused for want of room, or while opening anew
	Reopened    uint64      // openings, the first one included
	Damaged     uint64      // parts set aside since the start
	Ahead       uint64      // times that a future was set aside
	RawBytes    int64       // blocks
	LogBytes    int64       // write-ahead log and chunks of the head
	RollBytes   int64
	RawFrom     time.Time // of the oldest raw sample; zero: none
	RollFrom    time.Time // of the oldest rolled-up figure; zero: none
	Newest      time.Time // sample; zero: none
}

// Stats looks at the store. It walks the log's directory.
func (s *Store) Stats() Stats {
	c := &s.counts
	st := Stats{Taking: condition(s.state.Load()) == taking, Trouble: s.trouble.Load(), MaxSeries: s.o.MaxSeries, MaxPerJob: s.series.share,
		Samples: c.taken.Load(), OutOfOrder: c.outOfOrder.Load(), OutOfBounds: c.outOfBounds.Load(), Paused: c.pausedLost.Load(),
		Reopened: c.reopened.Load(), Damaged: c.damaged.Load(), Ahead: c.ahead.Load()}
	st.Series, st.Refused, st.Jobs = s.series.jobs()
	st.LogBytes = logBytes(s.path(rawDir, "wal")) + logBytes(s.path(rawDir, "chunks_head"))
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.raw != nil {
		for _, b := range s.raw.Blocks() {
			st.RawBytes += b.Size()
		}
		st.RawFrom = asTime(s.rawBegins())
		newest := s.raw.Head().MaxTime()
		if newest == math.MinInt64 {
			newest = lastMaxTime(s.raw.Blocks())
		}
		st.Newest = asTime(newest)
	}
	if s.roll != nil {
		first := int64(math.MaxInt64)
		for _, b := range s.roll.Blocks() {
			st.RollBytes += b.Size()
			first = min(first, b.MinTime())
		}
		st.RollFrom = asTime(first)
	}
	return st
}

// asTime is a time of the database; its bounds, which mean none, are zero.
func asTime(ms int64) time.Time {
	if ms > math.MaxInt64/4 || ms < math.MinInt64/4 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Write writes the store's own metrics in the text format.
func (s *Store) Write(w io.Writer) {
	st := s.Stats()
	for _, m := range metrics() {
		m.write(w, st)
	}
}
