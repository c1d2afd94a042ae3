// Package bench owns the measurements of the product: scenarios that load a
// server over its public protocol, and the raw relay that they are compared
// with.
//
// The server and the relay run as child processes, so that their CPU time and
// memory are read from /proc apart from the load generator's, which shares the
// machine. The relay is what the same two libraries (fasthttp and its
// WebSocket) do without accounts, rooms, storage or order: it reads a frame,
// answers it and writes it on. A ratio of two figures of one run survives the
// noise of the machine; an absolute figure does not.
//
// The generator is one goroutine over epoll with all its sockets. Frames are
// encoded beforehand and masked with the key zero, answers are recognised by
// their first bytes, and the time of sending travels in the text of a message.
// It is the same for the server and the relay.
//
// What a figure promises: it comes from frames that were received and parsed,
// each of them counted; a refusal of the server ends the scenario with an
// error. Everything happens on loopback and in a temporary directory, which is
// removed.
//
// Goroutines: for each child process one that reads its log and one that waits
// for its end; while accounts are made, a bounded number of callers. All end
// when the scenario does. The relay runs fasthttp's and one writer for each
// connection that is written to by joining.
package bench
