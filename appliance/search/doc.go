// Package search owns the index of messages: a follower of the journal that
// finds every visible part of two or more characters of every message and of the
// documents it carries, newest first. It also parses queries.
//
// # What is found
//
// The words of a message are what its reader sees (markup.Shown), the same with
// the signs of lists and quotes and with logins (markup.Plain), the addresses
// behind its links, the names of its files and the text of its documents, each
// folded (package fold). Of a document, as package doctext reads it, the first
// textBytes count, with each run of white space as one space. Lines that a room
// writes itself, previews of answered messages and foreign payloads are not
// searched. A message that is edited is found by its new text at its old place; a
// recalled one is not found. When somebody gets another name, the messages that
// mention them are indexed anew, because they show it.
//
// The text of a document is read when the first message with it comes, on the
// follower's goroutine, within readTime, and kept in the file for as long as a
// message carries the content. A content that is missing, that is damaged or
// takes too long has no text until the index is made anew: that is no error, and
// is logged at debug.
//
// A query of terms apart by spaces finds the messages that hold every term; in
// double quotes, or when a term has a single character, it is one text to be
// found as it stands. So whatever is cut out of a message finds it again. A
// query has 2 to MaxQuery characters after folding; a single character, Chinese
// ones included, is refused, because nearly every message would be an answer.
//
// # Promises
//
// Nothing is found in a room that the caller is no member of when the answer is
// made: every hit is asked of state, with membership and message under one lock.
// What is found is true: postings only propose messages, and the words of the
// present message are compared. The file stands for a position of the journal,
// written in one transaction with what it stands for; a process that is killed
// reads on from there. A file that is missing, damaged, made by other rules, or
// older than the journal reaches back, is made anew from state, while Search
// answers from what there is and says how far it is, but for the moment in which
// the old file is closed, when it asks to try again. The index never stops the
// server: when its file cannot be written, Search says that it needs a restart.
//
// # Documents and grams
//
// In what follows a document is a message with all it carries. It is numbered by
// the journal position at which the message was sent, so the index is a function
// of the messages and their contents alone. A gram is 48 bits: two neighbouring
// characters (21 bits each) of the words, the second not a space; and, when both
// are ASCII letters or digits, 6 bits for the character after them: 1–26 for a
// letter, 27–36 for a digit, 0 for anything else or the end. That makes three
// letters of English as selective as two characters of Chinese.
//
// # The file
//
// One bbolt file; integers are big endian, varints those of encoding/binary.
//
//	meta      "index"       crc(4) format(4) rules(4) position(8) stamp(8)
//	                        made(8) next(8) count(4), then for each segment,
//	                        oldest first: id(8) first(8) last(8) docs(8)
//	                        postings(8)
//	docs      block(8)      crc(4), then entries of 24 bytes, see below
//	segments  id(8)         a bucket of blocks of lists:
//	          gram(6) at(4) crc(4), then lists, see below
//	texts     content(33)   crc(4), text, empty or one frame of Zstandard
//	carries   document(8)   crc(4), the contents it carries, 33 bytes each
//	carriers  content(33) document(8)
//	                        nothing
//
// crc is CRC-32C of the key and of what follows it. stamp is the time of the
// record at position, to notice another journal. made is 0 once everything up to
// position is indexed; while the index is made from state it is the position
// that this leads to. A content is the SHA-256 of a file and, in one byte, how it
// is read (doctext.Form).
//
// A document entry: room(8) sender's low half(4) number in the room(4) time in
// ms(6) flags and position(2), whose low 10 bits with the block's number are the
// position, and whose bit 15 says that it has files.
//
// A list says which documents have a gram: varint gram less that of the list
// before it (in a block's first list: less that of the key, so 0), varint first
// document, varint count, varint gaps (count-1 of them). Documents are counted
// from the segment's first. Lists are in the order of grams and, of one gram, of
// documents: a long list is in several parts, which need not be in one block. A
// block has at most blockBytes; its key is the gram and the first document of its
// first list. So a list is found with one seek and a pass over one block.
//
// A flush writes what is in memory as a new segment; segments of one size class
// are merged four at a time, up to segmentDocs and segmentPostings. Documents of
// a segment lie between its first and last, and segments do not overlap. A merge
// is written in several transactions and becomes true in the last; a bucket that
// meta does not name is a merge that was cut off, and is removed at Open.
//
// Edits and recalls of what is in the file are collected and carried out with
// the next flush, within seconds: the document is taken out of every posting of
// its segment, whatever it had said, and put in again with its new words. bbolt
// reuses the pages that held the old ones; it does not overwrite them at once. A
// text goes in the transaction that takes out the last document that carries it.
//
// # Memory
//
// A generation in memory, two while one is written; postings and texts are read
// from the mapped file. A flush comes after FlushDocs documents, FlushGrams
// entries of their lists, flushText bytes of packed texts, FlushAge, or ChangeAge
// after an edit or recall; so one is some tens of MB, and one document more: at
// most wire.MaxFiles times textBytes of text. Reading a content takes what
// package doctext says. A search keeps shelfBytes of folded texts.
//
// # Goroutines
//
// follow reads the journal (or builds from state) into memory; write flushes and
// merges. Both are born in Open and end in Close.
package search
