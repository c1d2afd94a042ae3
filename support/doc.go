// Package support owns what a support bundle may hold: each of its files as
// text or CSV, made of what the caller hands over.
//
// It promises that nothing a person or another program wrote comes along. What
// goes in is chosen field by field: names of this program's own things, numbers,
// times, and values of short fixed lists; what is not on its list is called
// other. No text of messages, no name, address, token or password is copied, and
// of the configuration only numbers, switches and choices are told.
//
// Times are UTC, in RFC 3339 with milliseconds. The archive itself is of package
// bundle. It runs no goroutines.
package support
