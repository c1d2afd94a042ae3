// Package migrate reads the archives of other chat systems into a neutral plan:
// people, rooms, messages. It knows nothing of this system's state; whoever
// carries a plan out asks for one room's messages after another.
//
// # Promises
//
// Memory is bounded: people, rooms, 24 bytes a message, some hundred a thread,
// and one message of at most 16 MiB. Messages go through a temporary file that has no name, so
// that the order of an archive does not matter and nothing is left behind.
// Nothing of an archive is ever written to a path that it names. What cannot be
// read is counted and left out; the rest is read. Reading the same archive
// twice gives the same keys: a key is a UUID of version 5 over where something
// came from, so that an import can be done again, or go on after a break, and
// adds nothing twice.
//
// An archive is refused when it is no export of the system at all, when it has
// more than 2,000,000 entries, when a JSON file has more than 256 MiB (lists of
// people and rooms 64 MiB), or all of them together more than 64 GiB.
//
// # Slack
//
// A zip, as "Export data" of a workspace makes it, also inside of one folder:
//
//	users.json                    people
//	channels.json groups.json     public and private channels
//	dms.json mpims.json           direct messages, group direct messages
//	<channel>/YYYY-MM-DD.json     messages of a day; the folder is the name of
//	                              the channel, or the id of a direct room
//	__uploads/<file id>/<name>    files, when a tool has put them there; also
//	…/attachments/<file id>-<name>
//
// Slack itself puts only the addresses of files into an export. Public channels
// become channels; private ones and group direct messages become groups.
//
// # Mattermost
//
// A bulk export: JSON lines, bare or as the .jsonl of a zip with attachments
// under data/. Lines are version, info, role, scheme, team, channel, user, bot,
// post, direct_channel, direct_post, emoji, in any order. Rooms are known by
// team and channel, people by username, messages by room, author and
// millisecond: an export has no identifiers.
//
// # Choices
//
// Lines about joining and leaving are left out and counted. An edited message
// comes with its last text and the time of the edit. Thread replies point at
// their first message. Names of emoji become characters; an organisation's own
// stay as :name:. Authors that only messages know come as disabled accounts.
//
// It runs no goroutines.
package migrate
