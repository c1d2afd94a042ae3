// Package blob keeps attachments under the SHA-256 of their content, and the
// uploads that are still on their way.
//
// It owns one directory. Nobody else writes there, and one Store at a time has
// it open; the data directory's lock, which is the caller's, sees to that.
//
//	<dir>/sha256/ab/<62 hex>         content; the address is the SHA-256
//	<dir>/bin/ab/<62 hex>.<unix ms>  content taken away by Bin at that time
//	<dir>/staging/<id>.part          the bytes of an upload so far
//	<dir>/staging/<id>.pos           how many of them are durable
//	<dir>/staging/<id>.json          what the upload is; its commit mark
//	<dir>/staging/<id>.put           the bytes of a Put; worthless after a crash
//
// Directories have mode 0700, files 0600. An id is 128 random bits in 32 lower
// case hex digits; anything else is ErrNotFound before a path is made of it.
//
// # Promises
//
// When Create, SetSize, Append, Finish, Put, Bin, Restore or Terminate return
// without an error, what they did survives a power cut. An offset that was
// answered, by Append or by Upload, is never taken back, except by an Append
// that itself answers ErrChecksum or ErrTooLarge. Content is only ever seen
// whole: it gets its address by a rename, after a sync. Finishing content that
// is there already replaces the file by the new copy, so that uploading again
// heals a damaged one.
//
// A full disk is ErrNoSpace. The upload keeps the offset it had and goes on
// when there is room. Any other error of writing or syncing an upload's files
// is final for that upload (ErrFailed): the kernel may have dropped pages that
// a second sync would call fine.
//
// Who may see or upload what, quotas and reference counts are the caller's.
// The caller must also keep Bin and Finish of the same digest apart, or call
// Restore when it refers to content that it finds binned.
//
// # Formats
//
// <id>.json is one JSON object, a newline, CRC-32C of the object in 8 hex
// digits, and a newline. It is replaced as a whole:
//
//	v        1
//	id       the upload's id
//	owner    number of the account
//	size     bytes, -1 when it is not known yet
//	meta     object of strings
//	created  unix milliseconds
//	expires  unix milliseconds
//	digest   64 hex digits once Finish has decided the address, else absent
//	failed   true after ErrFailed, else absent
//
// With a digest and a .part the move to the address is still to be done; with
// a digest and no .part it is done.
//
// <id>.pos has two slots of 256 bytes, at byte 0 and at byte 4096, written in
// turn, so that a torn write costs one of them. The valid slot with the higher
// sequence number counts. Numbers are big-endian.
//
//	 0   4  "PHUP"
//	 4   1  version, 1
//	 5   3  zero
//	 8   8  sequence number of this write
//	16   8  offset: bytes of .part that are durable
//	24   1  n, length of the hash state
//	25   n  state of crypto/sha256 after those bytes, as MarshalBinary gives it;
//	        one that cannot be read is computed again from .part
//	..      zero
//	252  4  CRC-32C of bytes 0 to 251
//
// A slot is written after the bytes it speaks of are synced. Before .part is
// cut below an offset that a slot may name, a slot with the lower offset is
// made durable. Bytes of .part beyond the offset mean nothing and are cut off.
//
// The package runs no goroutines, and a Store has no file open between calls.
package blob
