// Package client owns a Go client of the public protocol: tests, probes, bots,
// the load generator and the command line talk to a server through it and
// through nothing else. Other modules import it as posthouse/appliance/client,
// with posthouse/appliance/wire for the types of the protocol and
// posthouse/appliance/id for its ids; nothing else of Posthouse is needed. Until
// the module has an address of its own, they name a copy of the sources:
//
//	go mod edit -require posthouse@v0.0.0 -replace posthouse=../posthouse
//
// An administrator makes an account for a bot (user.create with bot) and its
// token (user.token); the bot dials with it and reads events:
//
//	bot, err := client.Dial(ctx, client.Options{URL: "https://chat.lan", Token: token})
//	…
//	for e := range bot.Events() {
//		if m, ok := e.Message(); ok && m.Sender != bot.User() && m.Text != "" {
//			_, err := bot.Send(ctx, m.Room, m.Text)
//			…
//		}
//	}
//
// examples/echo is the whole program. Methods of the table without a Go method
// of their own are called with Client.Call. A server with a certificate of its
// own is trusted through Options.TLS. A program that is started again resumes
// with Options.Since, which Client.Since told before.
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
