// Package journal is the durable, ordered sequence of bytes that everything
// else in the appliance is derived from. It knows bytes, not records: an entry
// is a kind (16 bits) and a payload, and gets a position.
//
// # Owns
//
// One directory: the segment files, the high-water file "hwm", the lock file
// "LOCK", copies of cut tails ("torn-<pos>-<ms>.bin") and, after an explicit
// repair, directories "damaged-<ms>". Nothing else may write there.
//
// # Promises
//
//   - When Append returns nil the entries, and the names of the files that hold
//     them, survive a crash of the process, the kernel and the power, as long
//     as the disk keeps what it confirmed.
//   - Positions are contiguous and start at 1. A reader never sees a position
//     that is not durable yet.
//   - A batch is not atomic: after a crash a prefix of the batch in flight may
//     be there. It was never acknowledged.
//   - After a failed write or sync no later Append succeeds; the caller exits
//     and opens the journal again. Open writes every record above the
//     high-water mark anew and syncs it, because a record that a failed sync
//     left in the page cache can be read and is still not on the disk.
//   - Only a torn tail is ever cut by Open: in the last, unsealed segment, with
//     nothing behind it that a later batch wrote, and not below a witness. A
//     copy is kept. Anything else is a *DamageError and nothing is changed.
//
// # Files, byte by byte
//
// Integers are little-endian. CRC is CRC-32C (Castagnoli).
//
// A segment is named by the first position in it, 20 decimal digits, ".seg".
// It is created as "<name>.tmp", synced, renamed, and the directory is synced.
//
//	header, 80 bytes
//	 0   8  magic "PHJRNL\r\n"
//	 8   4  format version, 1
//	12   4  bound of a payload in bytes (at most 64 MiB)
//	16   8  first position
//	24   8  created, Unix milliseconds
//	32   4  chain: CRC of the last record of the previous segment, 0 = none
//	36   4  zero
//	40  32  SHA-256 of the previous segment (its footer's), zeros = none
//	72   4  zero
//	76   4  CRC of bytes 0..75, called "salt" below
//
//	record, 20 bytes + payload
//	 0   4  len: bytes after the crc field, 12 + payload
//	 4   4  crc of the len field and everything after the crc field, seeded with
//	        chain XOR salt, where chain is the crc of the record before (of the
//	        header's chain field for the first record)
//	 8   8  position
//	16   2  kind
//	18   2  index in its batch, so position-index is where its batch began
//	20   …  payload
//
//	footer, 72 bytes, last thing in a sealed segment
//	 0   4  0xFFFFFFFF, a length no record has
//	 4   4  crc of bytes 0..3 and 8..71, seeded with salt
//	 8   8  number of records
//	16   8  last position
//	24   8  sealed, Unix milliseconds
//	32   4  chain: crc of the last record
//	36   4  zero
//	40  32  SHA-256 of everything before the footer
//
// The salt ties a record to its file. It is known to nobody who only sends
// messages, so bytes inside a payload do not pass for a record when a torn tail
// is searched, except one time in four billion. A len of zero ends the
// records: the last segment is extended with zeros in steps of 1 MiB (not
// beyond Options.SegmentBytes), so that
// fdatasync has no file size to write, and Close and sealing cut them off.
//
//	hwm, 36 bytes, replaced by temporary name and rename
//	 0   8  magic "PHHWMRK\n"
//	 8   8  highest position known to be durable
//	16   8  first position that is not released
//	24   8  written, Unix milliseconds
//	32   4  CRC of bytes 0..31
//
// LOCK holds the decimal process id of the holder and is held with flock(2).
//
// # Torn tail
//
// Appends are strictly one after the other, each synced before the next, so a
// power cut can only tear the one batch in flight, in any pattern of 512-byte
// sectors. The tail after the last good record is searched byte by byte for
// records that verify. One of a later batch proves that the bad one was once
// synced: damage. One of the same batch is accepted as torn only if a sector
// before it is missing (all zeros); a flipped bit is not a torn write.
// Independently, a tail that would leave the journal below the witness (the
// larger of Options.Witness and hwm) is damage.
//
// # Goroutines
//
// Open (unless ReadOnly) starts two, Close ends and awaits them: keeper
// rewrites hwm 4,096 records or 5 s after the first record it does not cover,
// and hasher feeds the segment's SHA-256 while Append waits for the disk.
package journal
