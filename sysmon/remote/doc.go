// Package remote owns the copy of every sample that another Prometheus gets
// through its remote write receiver.
//
// It is a follower of the store, not a tap on sampling: every Options.Interval
// it asks the store for what came after its position and posts that. Nothing
// waits in memory, sampling never waits, and a receiver that was away is given
// what it missed, from disk, a minute of it at a time, Options.Backlog of it at
// most; what is older by then is given up and counted in seconds. A restart of
// this program goes on where it stood.
//
// The position is a time: everything up to it has been answered for by the
// receiver. A sample may be stored a little after its own time (a rule took
// long), so the last two minutes are read again and what was not sent is told
// by the newest time of each series. When the clock is set back by more than a
// minute, the position follows it. Samples of a first start, and of a new
// address, begin then: what is older stays here.
//
// # What is sent
//
// POST, remote write 1.0: Content-Type application/x-protobuf, Content-Encoding
// snappy, X-Prometheus-Remote-Write-Version 0.1.0, the message
// prometheus.WriteRequest with the series' labels as they are stored (job and
// instance included) and up to 10,000 samples, staleness markers among them.
// Results of this box's rules (ALERTS, ALERTS_FOR_STATE, names with a colon) get
// the label evaluated_by="posthouse": a receiver that evaluates the same rules
// has series of its own under the same names, at other times.
// No metadata, exemplars or native histograms: the store has none to give.
// Redirects are not followed.
//
// The token is read from Options.TokenFile for each request, is sent as
// "Authorization: Bearer …", and is taken out of what a receiver answers before
// that is logged or shown. Of the address only scheme, host and path are.
//
// # What the receiver answers
//
// 2xx: taken. 400, 413, 422: something in it is not wanted (too old, out of
// order, beyond a limit). It is halved by time and sent again, and a moment
// that is refused is halved by series, 64 times a minute at most, so that what
// is wanted arrives; the rest is counted as refused. Everything else, and no
// answer within 30 s: the same again, after 1 s, 2 s, … 30 s, or what
// Retry-After says (5 minutes at most), for as long as it takes.
//
// A receiver takes what is old only where it has nothing newer: Debian's
// Prometheus refuses what is an hour older than its own newest sample, unless
// storage.tsdb.out_of_order_time_window says more.
//
// # File
//
//	<dir>/remote.json  {"format":1,"to":"https://host/path","until":1795270000000}
//
// until is the position in Unix milliseconds. It is written at most once a
// minute, when it moved, and at the end: after kill -9 a minute is sent twice,
// which receivers refuse or take for the same.
//
// # Goroutines
//
// None of its own; Run is called on one.
package remote
