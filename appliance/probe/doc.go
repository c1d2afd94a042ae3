// Package probe owns the round that two virtual users make over the public
// listener, as two people would: connect, log in, open a WebSocket, send,
// receive, acknowledge, read the history, upload and read a file. It says what
// each step took and which one failed, with the words of the error. It runs on the box and on
// other machines of the network alike, through appliance/client and nothing else.
//
// # Steps
//
//	connect   a TCP connection to the listener
//	tls       a handshake with verification of the chain and the name; only with https
//	login     both log in with their passwords over POST
//	socket    both open a WebSocket and begin the stream of events
//	send      Ann sends to their direct room; the answer means on disk
//	receive   the message reaches Bob's WebSocket
//	ack       Bob's acknowledgement reaches Ann as a receipt
//	history   Bob reads the newest page and finds the message, and marks it read
//	upload    Ann uploads a file of random bytes
//	download  Ann reads it back, and it is the same
//	clean     the message is taken back, the file discarded, both log out
//
// A step that fails ends the round, but for clean, which is always tried.
// Result.EndToEnd is the time from Ann's call of send until Bob has the message,
// by one clock.
//
// # What is left behind
//
// All rounds of a pair use one direct room. The message of a round is taken back at
// its end, so that no text of it stays in state or in the index; the file is discarded, and both
// devices are removed. A round that was cut off leaves devices, which the next
// one removes once they are ten minutes old. What stays is the entry of a message taken
// back (about 100 bytes of state a round) and the records in the journal (under 2 kB a
// round), which go with their segments.
//
// # Choices
//
// The accounts are virtual users (wire.User.Probe): not in the directory, in no
// figure about people. They log in with passwords and not with tokens kept,
// because logging in is the first thing that people miss.
//
// # Goroutines
//
// A round runs those of its two clients, and has ended them when Run returns.
package probe
