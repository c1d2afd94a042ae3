// Package rule owns the alerting and recording rules: the set that comes with
// the program, the operator's own files and changes, their evaluation by
// Prometheus's own rules package in this process, and what a rule would have
// done in the past. Rules are Prometheus rule files and run unchanged.
//
// # Promises
//
//   - A file that cannot be used is refused with its name, the line and the
//     reason in both languages, and everything else goes on; a file that was
//     good before goes on as it was until it is mended.
//   - The shipped set is part of the program. What the operator changes is kept
//     beside it and never overwritten: a new version of the program brings its
//     rules, and the operator's changes apply to those of the same name.
//   - Every change is checked before it is written, and written to the history
//     first, with who, when, and the text before and after.
//   - For how long a condition has held survives a restart (ALERTS_FOR_STATE, an hour at
//     most), except for rules with a for shorter than 30 s.
//
// # States
//
// Beside Prometheus's inactive, pending and firing a rule can have no data (a
// metric it cannot do without has no series; labels are not looked at, because
// before the first failure no series has status="500"), an error, or be disabled. No data and errors are
// recorded as posthouse_rule_state{rule,state} 1 while they last, so that the timeline knows them.
//
// # Files
//
// In the directory (0700, files 0600), replaced as a whole by rename:
//
//	NAME.yml, NAME.yaml   the operator's Prometheus rule files; taken up within 30 s
//	console.NAME.yml      the same, made in the console: one group "console", one rule; the line
//	                      "# form: {JSON of Form}" keeps what was entered
//	changed/ID.yml        what is different about one rule, ID escaped as in a URL's path:
//	                        id: shipped/host.yml/host/HighCPUUsage
//	                        disabled: true       (it does not run)
//	                        rule: {alert, expr, for, …}   (it runs like this)
//	                        form: {…}            (as it was entered, if it was)
//	history/NNNNNNNN.json one change (Version); the last 1,000 are kept. A crash can leave
//	                      one whose change did not happen.
//
// The id of a rule is FILE/GROUP/NAME, with ~2, ~3 … for further rules of a
// name in a group. Limits: 1 MiB and 2,000 rules a file, 200 files.
//
// # Bounds
//
// A Form makes a rule of a figure and a bound: a number; the mean of a window
// before ± k deviations (the time the condition has to last, and five minutes,
// are kept out of the window: otherwise a rise explains itself); or mean ± k
// deviations of the same hour of earlier days or weeks, of which those count that are stored. k is 6.5 −
// sensitivity/2, and a twentieth of the mean is added, so that a figure that never moved does not ring
// at once. All of it is PromQL in the rule itself: nothing is learnt that a restart could lose, the bounds are in
// the stored samples.
//
// # Choices
//
//   - Alerts are evaluated every 15 s, those that look at weeks once a minute.
//   - Deliveries arriving: under 99.9 % of those to connected devices in 5 minutes, with five missing at least.
//   - Connections dropped: under 80 % of the most in the last 15 minutes, and under 80 % of what the same time of
//     the last three weeks did in its 15 minutes; five at least.
//   - Few people, few messages: only where a week ago there were enough of them.
//   - Bandwidth: bytes per second against the speed of the link in bytes per second; a card that does not tell
//     it is taken for 1 Gbit/s.
//   - Slow operations: ten in five minutes; each of them takes over a second.
//   - Latency alerts use the median, which a single slow phone does not move.
//   - CPU: the window of 45 s holds three samples, so that five minutes of load fire after five minutes and a half.
//
// # Goroutines
//
// Run looks at the directory every 30 s, and Prometheus's manager runs one
// goroutine a group, and one that waits for the end; all of them end with Run. Nothing runs otherwise.
package rule
