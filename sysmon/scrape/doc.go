// Package scrape owns the rounds in which every source of metrics is read and
// what it says is stored.
//
// A source is a func that writes the Prometheus text format; there is no HTTP
// between. Each of its samples gets the labels job (the source's name) and
// instance, as a Prometheus that scrapes would add them, and each round adds
// up, scrape_duration_seconds and scrape_samples_scraped for every source. All
// samples of a round carry the same time. A series that is missing from a
// round, or whose source failed, gets the staleness marker of Prometheus, and so does every series
// when the rounds end: what was not measured is a gap, not a line.
//
// A round takes at most Options.Timeout. A source that takes longer, writes
// more than Options.MaxBytes, or writes what is not the format, is down (up 0)
// for that round with all its samples; a source that still runs is not asked
// again before it has ended. What the store refuses (too many series, a clock
// that was set back) costs that sample alone; the store counts it.
//
// Rounds come every Options.Interval. While somebody watches (Watched was
// called in the last WatchedFor), they come every second, so that charts
// move: the price is the CPU of a round a second, and of what they store.
//
// It runs one goroutine in Run, and one for each source during a round.
package scrape
