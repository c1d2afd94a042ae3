// Package tus reads and writes the header fields of the tus resumable upload
// protocol, version 1.0.0, as https://tus.io/protocols/resumable-upload
// describes it: the core protocol and the extensions creation,
// creation-with-upload, creation-defer-length, expiration, checksum and
// termination.
//
// It owns the syntax and the status codes, nothing else: no I/O, no state, no
// goroutines. Field values come in as strings, so that any HTTP server will do.
// Values are read strictly: no sign, no leading or trailing white space inside
// a number, padded base64 without line breaks, no duplicate keys.
package tus
