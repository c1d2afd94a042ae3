// Package query owns the asking: one PromQL engine with limits, the HTTP API
// of Prometheus without an HTTP library, federation, and what the query box
// offers while a person types. It knows its samples as a storage.Queryable.
//
// # Limits
//
// Every expression passes Limits: its length in bytes, the samples that may be
// held at once (16 bytes each, and as much again while they are worked on: the
// memory of a query), its time, the points of a range, the samples of an
// answer of the API, and how many run at once. What costs memory without samples is bounded
// before an expression is parsed or evaluated: the states of regular
// expressions, the depth of an expression, the steps of subqueries, the texts that label_join and
// label_replace write. Who waits for a turn waits as part of the query's time. What goes
// beyond is refused with an *Error, which says in both languages what to do.
// Rules ask through QueryFunc, and the server itself through Apart (score,
// evidence, checklists); both have turns of their own, so that a page full of
// panels or a script keeps neither waiting.
//
// # The API
//
// API.Serve answers below /api/v1/: query, query_range, series, labels,
// label/NAME/values, rules, alerts, metadata, format_query, parse_query (only
// whether it parses), query_exemplars (there are none), targets,
// status/buildinfo. Queries take timeout (which can only shorten), limit and
// lookback_delta (at most an hour). Answers are byte for byte
// what Prometheus answers: {"status":"success","data":…}, timestamps in
// seconds with at most three decimals, values as strings; a refusal is
// {"status":"error","errorType":…,"error":…} with the English text, for
// programs read it. Federate writes the text exposition format 0.0.4 with
// timestamps, as /federate does.
//
// The package runs no goroutines of its own.
package query
