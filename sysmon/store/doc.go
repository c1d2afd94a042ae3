// Package store owns the figures of the past: every sample of every metric,
// in two Prometheus databases below one directory, read as one.
//
//	<dir>/raw/        samples as they were taken, Options.Raw of them (15 days)
//	<dir>/rollup/     one figure for every five minutes, Options.Rollup (two years)
//	<dir>/damaged/    what was found broken, moved aside at open, with its name
//	<dir>/ahead/      samples from a future that a clock made up (the newest three)
//	<dir>/gather-*    while a block of the roll-up is made; leftovers are deleted at open
//	<dir>/kinds.json  name, type, unit and help of each metric that was described
//
// raw and rollup are the formats of the Prometheus TSDB (blocks of an index
// and chunks; raw has a write-ahead log and memory-mapped chunks of the head
// besides). Debian's promtool reads both. kinds.json is
// {"format":1,"metrics":{"NAME":{"type":"counter","unit":"","help":"…"}}},
// written to a temporary file and renamed.
//
// # The roll-up
//
// Windows are five minutes long, aligned to the Unix epoch, open at the left:
// the figure at 10:05:00 stands for (10:00:00, 10:05:00]. Of a counter (and of
// buckets, sums and counts of histograms) it is the last value of the window,
// and around a reset also the last value before and the first one after it, at
// their own times: rate() sees every increase that raw samples showed. Of
// everything else it is the mean, and the series NAME:min5m and NAME:max5m
// carry the least and the greatest. A mean is rounded to 17 significant bits
// (an error below 1/100,000), which makes it three times smaller on disk; a
// value that did not change within the window stays exact. Native histograms
// are not rolled up; nothing here writes them. The roll-up is computed from
// raw blocks, six hours at a time, once they can no longer change, so it needs
// no log of its own: what a crash loses is computed again.
//
// A query sees raw samples where the raw database begins, and the roll-up
// before: never both for one moment. rate() and increase() over five minutes or
// more, in a chart whose points are ten minutes or more apart, see the roll-up as
// far as it goes, also where there are raw samples: increases are the same, and
// a week is read in a fraction of the time. NAME:min5m and NAME:max5m exist in the
// roll-up only and are seen over its whole length. Where a range selector is
// shorter than ten minutes, the roll-up is read with points in between, on the
// straight line between neighbours, so that rate(x[5m]) in a chart of a year
// gives the mean rate of each five minutes, not nothing.
//
// # What is promised
//
// Retention counts time that is covered by samples, not the calendar: a clock
// that jumps ten years ahead deletes nothing. A sample older than the newest
// one of its series is refused and counted. When the clock comes back from a
// future, what was sampled there is moved to ahead/ and sampling goes on;
// when most of what is stored seems to lie in the future, it is the clock that
// is wrong, and it gets ten minutes to be set first.
//
// A full disk never ends the process: below Options.MinFree bytes samples are
// refused (a gap), and reading goes on; when there is room again, the
// database is opened anew if a write had failed, and sampling goes on. After
// kill -9 everything committed is there. A damaged block or log is moved to
// damaged/ at open and said in the log and in Stats; Open fails for nothing
// that is found in the directory.
//
// At most Options.MaxSeries series are in the head (those with samples of the
// last two to three hours), and one job holds at most Options.MaxShare of
// them: a source that invents series is refused the next one (ErrSeriesCap),
// and the others go on.
//
// Raw blocks span two hours at first and are merged up to 54 hours: few enough
// to read a week quickly. A deletion waits until the roll-up has been made.
//
// # Goroutines
//
// One, tend: it moves full chunks out of memory, cuts blocks, rolls up, keeps
// the retention, watches free space and the clock, once a minute and when it
// is woken. The two databases have goroutines of their own that idle: tend does
// their work itself, for where a write of a chunk fails the library panics,
// and tend can catch that.
package store
