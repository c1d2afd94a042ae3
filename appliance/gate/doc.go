// Package gate owns the door of the server: listeners, HTTP, WebSockets, who is
// calling, how often anybody may call, and which session gets which event. It
// knows no rules of the chat: those are asked of the service.
//
// What it promises:
//
//   - A session that called sync.start gets every event that concerns it after
//     its position, in the order of the journal, without gap or repetition, or
//     is told to start again. Events of one record go out in one write.
//   - Everything that is written to a WebSocket, control frames of the library
//     included, goes through the one writer of its session.
//   - A connection that does not read costs nobody else anything: its queue is
//     bounded, then it is fed from the ring of recent events by position, then
//     it is told to start again, and a write that does not end in time closes it.
//   - A session whose device or account ended is closed with 4401 as soon as
//     the record that ended it is read.
//   - Incoming hooks (POST /hooks/<token>, /robot/send?access_token=<token>) are
//     told apart by their token alone, which no log and no metric holds.
//   - A Mount is asked with who is calling; what changes something comes to it
//     from pages of this server alone.
//   - GET changes nothing. A cookie counts only for requests of the same origin.
//     Header X-Forwarded-For is believed of trusted proxies alone; its kin are
//     not read.
//
// Framing of the socket: one JSON-RPC 2.0 object per text frame, not compressed
// (RFC 7692 is not offered: its inflated size cannot be bounded). Close codes
// beside those of RFC 6455: 4401 not logged in (any more), 4408 silent for too
// long, 4409 too many connections, 4429 too many frames.
//
// Events live in a ring, bounded in number and bytes, under an index of their
// own: several events may come from one record and share its position. A
// session is live, then the fan-out puts events into its queue; or it is
// behind, then its own writer reads the ring after the session's cursor and
// makes it live when the cursor has reached the end of the ring. Both happen
// under the session's lock, the end of the ring is looked at under the ring's.
//
// Order of locks: hub, session, ring or marks. The service is never called with
// one of them held, and none is taken inside a call back of the service: its
// own locks stand above all of them.
//
// Goroutines: one accept loop for each Serve with fasthttp's workers; fanOut,
// which reads the journal's records; beat, which scans the sessions for silent
// ones and tells presence; mark, which tells and saves receipts and sleeps
// when there are none; for each WebSocket one reader, and one writer while
// there is something to write. All of them end in Close.
package gate
