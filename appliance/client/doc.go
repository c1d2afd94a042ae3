// Package client owns a Go client of the public protocol: tests, probes, bots,
// the load generator and the command line talk to a server through it and
// through nothing else.
//
// Three types, from much help to none:
//
//   - Client keeps a WebSocket open. It connects again after a break, resumes
//     where it was, notices holes in a room and fills them, confirms what has
//     arrived, and sends an unanswered message again with the same key.
//   - HTTP calls methods with POST, uploads and downloads. It keeps no state
//     but its token.
//   - Conn carries raw frames, for generators of load.
//
// What a Client promises about events that are records (the others may be
// lost):
//
//   - Messages of a room arrive once each, in the order of their numbers, and
//     without a hole from the first one on that the Client knows of.
//   - Other events arrive at least once. One may come again after a break, as
//     the last of those that it had before; it tells a state, not a difference.
//   - When the server says that the Client is too far back, an event Synced
//     with Reset carries all rooms, and everything known before is void but the
//     messages: those written meanwhile in rooms that the Client knew follow.
//
// Errors that the server gave are *wire.Error; errors.Is with ErrClosed and
// ErrLost tells the others apart.
//
// Goroutines: a Client runs one reader, which also connects, and while it is
// connected one writer. A POST, upload or download runs one goroutine for as
// long as it takes when its context can be cancelled. Close of Client and HTTP
// waits for all of them. A Conn runs none.
package client
