// Package outhook owns what the server tells other programs: outgoing hooks,
// slash commands, and the counters of all hooks.
//
// It is a follower of the journal. It reads on from its own position, turns
// what happened in a room into deliveries to the hooks of that room, and keeps
// them in a file of its own until they are done. A message of a bot makes no
// delivery, so that no two hooks talk to each other without end; neither does
// an imported one, nor what happened before its hook was made.
//
// # Promises
//
//   - At least once: a delivery and the position it came from are written in
//     one transaction, and it is removed after the target answered 2xx. A
//     target that has seen a delivery id may forget it.
//   - In order for each hook: the next delivery waits for the one before it.
//   - No target delays another, or the chat: each hook with something to do
//     has a goroutine of its own, a request ends with the timeout of
//     Options.Client, and of an answer 64 KiB are read.
//   - A delivery that fails is tried again after 10 s, 1 min, 5 min, 30 min,
//     2 h and 6 h. Then, or when it fails and is older than all of that
//     together, it becomes a dead letter, and the next one has its turn. A hook
//     keeps the newest 1000 dead letters and at most 10,000 deliveries that
//     wait; what comes on top becomes a dead letter at once.
//   - The text of a message is in no file of this package: a request is made
//     from state when it is sent, so an edit is told as it is then, and what
//     was recalled meanwhile is told as recalled, without text.
//
// # Request
//
//	POST <url>
//	Content-Type: application/json
//	User-Agent: posthouse
//	X-Posthouse-Event: message
//	X-Posthouse-Delivery: <hook>-<position>-<n>   the same at each try
//	X-Posthouse-Attempt: 1
//	X-Posthouse-Signature: t=<unix s>,v1=<hex>    HMAC-SHA256(secret, t "." body)
//
//	{"event":"message","delivery":…,"hook":…,"time":<ms>,
//	 "room":{"id":…,"kind":…,"name":…},
//	 "sender":{"id":…,"login":…,"name":…},
//	 "message":{…}}             as in the events of the WebSocket
//
// A command is event "command" with {"command":"word","text":"arguments"} in
// place of message. An answer {"text":"…"} (JSON) is posted to the room by the
// hook's bot, once for a delivery, its mentions as text; to a command's,
// "visibility":"me" or Mattermost's "response_type":"ephemeral" shows it to the
// caller alone.
//
// # File
//
// hooks.db, a bbolt file. Integers in keys are big endian.
//
//	meta    "position"                      journal position (8)
//	queue   hook(8) position(8) n(1)        JSON of entry
//	dead    hook(8) position(8) n(1)        JSON of entry
//	counts  hook(8)                         JSON of Stat
//
// A lost or damaged file costs what waited and the counters: following begins
// anew at the head of the journal. Counters are written every few seconds.
//
// Goroutines: follow, and save, from Start to Close; one deliver for each hook
// with something to do; those of the requests of commands, which Close waits
// for.
package outhook
