// Package alert owns what becomes of an alert after a rule has found it: whom
// it is told, how often, what people did about it, and what is remembered.
//
// Grouping, de-duplication, inhibition, silences, repetition and the resolved
// notice are Alertmanager's own parts (dispatch, inhibit, silence, nflog,
// notify, timeinterval) in this process, without its cluster and its pages.
// Around them stand what they do not have: a memory that survives, people, escalation, a digest after quiet
// hours, rate limits, the dead-man heartbeat.
//
// # Promises
//
//   - What fired is remembered before it is told: an episode, a silence, an acknowledgement and the
//     notification log are in the file (fsync) when the call returns. After kill -9 an alert goes on
//     firing as the same episode, its end is told, and
//     a channel that took a notice gets it again only when the server died between the answer and the log.
//   - A restart resolves nothing: what fired keeps firing for Options.Grace, so that its rule can speak again.
//   - A jump of the clock neither resolves nor repeats: ends and waits are measured on the monotonic
//     clock, and entries of the notification log that lie in the future are brought back.
//   - An alert about the chat or its storage (label subject="chat" or "storage") never goes only to rooms of
//     the chat: the second channels, or else every other channel, get it too. When a room cannot
//     be posted to, its notice goes to the second channels.
//   - Silences, inhibition, quiet hours and acknowledgement keep messages back. They never
//     keep an alert from the list or the history.
//   - A rate limit loses nothing: what it withheld comes as one digest.
//   - A list of 10,000 alerts at once is taken; what is beyond Options.MaxActive is counted and refused.
//
// # Files
//
// In dir (mode 0700): channels.json (package notify), alerting.json (Plan, as JSON with "version":1; mode
// 0600, replaced as a whole) and alerts.db, a bbolt file:
//
//	episodes  start, Unix ms, big endian (8) fingerprint, big endian (8)   JSON of Episode
//	engine    "nflog"                                                      snapshot of nflog (delimited protobuf)
//	engine    "silences"                                                   snapshot of silence (delimited protobuf)
//	quiet     id of quiet hours                                            Unix ms when they began, decimal; while they last
//
// An episode is one time that one alert fired. It is written when it begins, when anything
// happens to it, and when it ends; after Options.Retention it is removed.
//
// # Choices
//
// A box that nobody has set up tells Options.First of everything, so that
// somebody sees the first alert. Steps of the escalation for other severities are
// passed over. Severities are warning, serious and critical; any other label is routed as a warning. An acknowledged alert is not
// repeated and not escalated; its end is told. Critical alerts may use the
// last fifth of a channel's rate, others not. Digest and escalation go around the groups: they are told at once.
//
// # Goroutines
//
// From Open to Close one loop (ends, escalation, quiet hours, digests, retention) and one for the heartbeat, so
// that no slow channel delays it. Alertmanager's dispatcher and inhibitor run theirs and are
// stopped by Close and by a change of the plan. An acknowledgement is told to PagerDuty in a goroutine that Close waits for.
package alert
