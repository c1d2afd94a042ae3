// Package webui owns what a browser gets: the shell page, the chat client and
// its assets, the pages of errors, and the policy they are served under. It
// knows no transport: the door asks Lookup and writes what it answers.
//
// The chat client is TypeScript without a framework, bundled by webui/bundle
// into dist, which is committed so that go build needs nothing else;
// go run ./webui/build makes it anew, and a test fails when it is stale.
//
// # The client
//
//   - src/store.ts is one reducer fed by one ordered stream of events. It is
//     deterministic and needs no page. Unread counts are the count at the head
//     of a room less the count at the read mark, never counted up.
//   - src/connection.ts keeps one WebSocket alive; src/client.ts makes the
//     calls that the store asks for; the views draw from the store and are
//     drawn anew when what they show has changed.
//   - src/outbox.ts keeps what is written until it is answered, over reloads,
//     each message with its key from the start. A room sends one at a time, in
//     order.
//   - src/prefs.ts is what a person has set, in the person's key-value store:
//     room/<id> and notify. src/device.ts is what is set on one device.
//   - src/sw.ts is the service worker. It keeps the shell and the assets of the
//     version it was made with, under their addresses, in a cache called
//     posthouse-<version>; never an answer of the API, never a file.
//     src/resident.ts keeps who is logged in and the names of the rooms in the
//     storage of the browser, until the session ends.
//   - src/api.ts comes from the table of methods, src/markup.ts and
//     src/markup_parse.ts are the twins of appliance/markup.
//
// The icons in static are drawn by go run ./webui/build icons.
//
// # Choices made
//
//   - Opening the page asks the server first and takes the kept copy when no
//     answer comes in 2.5 s, so that a copy never hides a new version. A page
//     that stays open tells when the server has another one; it is never loaded
//     anew by itself. WorkerOff takes everything back.
//   - A notification waits 1.2 s for the word that the message is being read on
//     another device. Without a setting, direct messages and mentions notify.
//   - Who is online is unknown while there is no connection.
//   - A record may become several events with one position. After a break the
//     client asks from the position before its last one and applies those
//     events again, which changes nothing.
//   - A room opens at its newest page, with a button to the first unread entry.
//     At most 300 entries are in the page at once; the far end is dropped.
//   - The secrets of setup and invitation links stand in the fragment, which is
//     never sent, and leave the address when they are used.
//   - Calls use the socket when it stands and POST otherwise.
//   - The language is the browser's, or what was chosen on this device; a
//     switch loads the page anew, drafts and outbox survive.
//   - Enter sends unless it belongs to an input method (src/ime.ts) or stands in
//     a block of code, where it breaks the line; Ctrl+Enter always sends.
//   - A tab shows what another tab of its browser has in the outbox, and sends it
//     when that tab has not for 8 seconds.
//   - What begins with a slash is a command only when the room has one of that
//     name; everything else is a message.
//   - A voice note is at most 5 minutes of Opus (or AAC in Safari), listened to
//     before it is sent. A recording that is not sent yet lives in the page only.
//
// It runs no goroutines.
package webui
