// Package meter owns the figures that the server tells of itself: counters,
// gauges and histograms with buckets by upper bound (le), each described in
// both languages, and the text that Prometheus reads. It also keeps what took
// long and what went wrong: the operations under way, the slow ones, and the
// faults in groups.
//
// Whoever counts owns the counter and makes it without asking anybody; a
// Registry gives it a name and a description. So the hot path is an atomic
// addition, and a package works the same whether somebody reads its figures or
// not.
//
// The text is the Prometheus text format 0.0.4: for each family a HELP and a
// TYPE line, then its samples; families by name. Two names that the field's
// documents use break the rules by which Prometheus' own linter goes. A gauge
// whose name ends in _total is written with TYPE untyped, which the linter
// takes and every query reads alike. A name with an abbreviated unit stands
// beside the clean one as Family.Alias: WriteAll writes it, WritePrometheus,
// which the linter reads, does not.
//
// Labels come from short fixed lists. A family that would get more than
// MaxSeries of them counts the rest under "other" in each label, so that
// nobody outside can fill the memory with series.
//
// Operations keep at most MaxSlow slow ones, Faults at most MaxFaults groups;
// the oldest go first. All of it is in memory and begins anew with the process.
//
// It runs no goroutines; everything is safe for concurrent use.
package meter
