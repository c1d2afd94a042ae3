// Package state owns what is true: accounts, rooms, members, read marks,
// devices, files and messages. It decides (Decide) and it applies (Apply);
// nothing else changes it.
//
// # One apply
//
// Apply is the only way a record becomes state: on the live path, in recovery,
// in verify and in a restore. It has no clock, no dice, no network and no log,
// and applying a record that is already applied changes nothing.
//
// # Where it lives
//
// The directory, rooms, memberships, read marks, devices, files and key-value
// entries are resident maps, loaded at Open; so are notices and scheduled
// messages. Messages, revisions, client keys and entries of the audit
// live in bbolt, and in generations while they are not flushed: the tail
// takes what Apply makes, a Flush freezes the tail, writes it in one bbolt
// transaction together with the position it stands for, and drops it.
// Entities are replaced, never changed in place, so that a flush and readers
// may keep pointers without a lock.
//
// # The file
//
// One bbolt file with these buckets; integers in keys are big endian, every
// value is CRC-32C (4 bytes, of the rest) followed by deterministic CBOR of
// the struct named:
//
//	meta      "state"               meta
//	users     user(8)               record.User
//	passwords user(8)               secret
//	devices   device(8)             record.Device
//	depts     department(8)         record.Department
//	invites   invite(8)             record.Invite
//	rooms     room(8)               record.Room
//	extras    room(8)               extra (pins, @all messages)
//	members   room(8) user(8)       record.Member
//	reads     room(8) user(8)       readMark
//	files     file(8)               fileState
//	kv        subject(8) key        kvEntry
//	marks     device(8)             markLog
//	messages  room(8) seq(8)        Message
//	revisions room(8) seq(8) ver(4) Revision
//	keys      uuid(16) user(8)      keyRef
//	notices   notice(8)             record.Notice
//	noticemarks notice(8)           noticeMark (messages, reminders, closing)
//	confirms  notice(8) user(8)     confirmation
//	scheduled scheduled(8)          scheduled
//	hooks     hook(8)               record.Hook
//	audit     position(8)           audited
//
// A file made before a bucket was added gets it, empty, when it is opened for
// writing; opened for reading only, it counts as empty.
//
// # Choices
//
// New members of a room see its whole history. A person's own message moves
// their read mark. Unread is the count of messages after the read mark, so
// lines that the room itself writes are not unread. A recalled message keeps
// its number, author and time; its text, revisions and files go from state
// at once, and with them from every client.
//
// Whom a notice asks is decided when it is sent: who joins a room or department
// later is not asked. Who was asked and is disabled, or is in none of the rooms
// and departments addressed any more, is "gone": not reminded and not waited
// for, but listed, and free to confirm. A notice past its deadline can still be
// confirmed. A message that shows a notice is posted by the box in its author's
// name, into a room the author has meanwhile left too; it cannot be edited, and
// taking it back does not close the notice. Reminders by the clock count from
// the last reminder of any sort, and start anew when the clock was set back.
//
// A scheduled message is sent when the clock has reached its time, late when
// the box was down; sending and removing it is one record. One that is refused
// then stays, with the reason, until its author changes or removes it. Its
// files are kept as if a message carried them.
//
// Imported messages carry the author and time that they had elsewhere, and
// come in the order of their numbers, not of their times: Head.Time may go
// back. Their keys and those of imported rooms belong to account 0. They go
// only into rooms without any other message; members have read them.
//
// An entry of the audit is named by the journal position of its record, and
// stays for ever.
//
// It runs no goroutines; the sequencer drives Apply and Flush.
package state
