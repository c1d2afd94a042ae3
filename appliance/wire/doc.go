// Package wire owns the client protocol: the table of methods, the types of
// their parameters and results, the events, and the JSON-RPC 2.0 framing. It
// does no I/O.
//
// One table, two transports. A frame of the WebSocket at /api/ws is one
// JSON-RPC 2.0 request object (https://www.jsonrpc.org/specification; batches
// are refused), and every method that does not need a connection is also
// POST /api/<method> with the params as the JSON body. The table generates the
// reference, the OpenRPC and OpenAPI documents and the TypeScript types.
//
// JSON is read strictly: unknown members, duplicate members, invalid UTF-8 and
// nesting deeper than MaxDepth are refused. Times are Unix milliseconds.
// Journal positions and sequence numbers stay below 2^53, so a JavaScript
// number holds them.
//
// Choices made where the field has no custom of its own: events travel as
// notifications of the method "event" with position, type and data; an event
// without a position is not a record and is never sent again. Members of
// direct rooms and groups of up to LiveReceipts members see each other's
// receipts and read marks live; in larger rooms they are asked for with
// message.journey and message.readers.
//
// It runs no goroutines.
package wire

// Limits of the protocol. Limits that an operator may change are settings of
// the gate.
const (
	MaxDepth     = 16    // nesting of JSON in a frame
	MaxRequestID = 64    // bytes of a JSON-RPC id
	MaxFiles     = 20    // files in one message
	MaxMentions  = 100   // people mentioned in one message
	MaxEmoji     = 32    // bytes of a reaction
	MaxReactions = 50    // different reactions under one message
	MaxForeign   = 16384 // bytes of a foreign payload
	MaxKVValue   = 16384 // bytes of a value
	MaxKVKey     = 128   // bytes of a key
	MaxKVEntries = 500   // entries per scope
	MaxName      = 100   // characters of a name
	MaxTopic     = 500   // characters of a topic
	MinPassword  = 8     // bytes
	MaxPassword  = 256   // bytes
	LiveReceipts = 50    // members up to which receipts travel live
	MaxPinned    = 100   // pinned messages in a room
)
