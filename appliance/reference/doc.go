// Package reference owns the descriptions of the client protocol that are made
// from its tables: the OpenRPC and OpenAPI documents, the TypeScript types of
// the browser client, and the reference page in English and Chinese.
//
// Everything is made by reflection over wire.Table, wire.Events and
// wire.KindTable, so a description cannot tell something other than what the
// server decodes. What reflection cannot see (the values of named string types,
// the limits, the uploads) is written here by hand, and a test compares it with
// the source of package wire.
//
// The functions are pure: the same binary gives the same bytes. It runs no
// goroutines.
package reference
