package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrReleased: the position was removed by Release, or never existed (0).
	ErrReleased = errors.New("journal position is released")
	// ErrBeyondHead: the position is more than one past Head.
	ErrBeyondHead = errors.New("journal position is beyond the head")
	// ErrClosed: the journal or the reader is closed.
	ErrClosed = errors.New("journal is closed")
	// ErrReadOnly: the journal was opened with Options.ReadOnly.
	ErrReadOnly = errors.New("journal is open for reading only")
	// ErrEmptyBatch: Append was called without entries. Not sticky.
	ErrEmptyBatch = errors.New("journal batch is empty")
	// ErrTooLarge: a payload is longer than Options.MaxPayload bytes, or a
	// batch has more than MaxBatch entries or bytes. Nothing was written; not
	// sticky.
	ErrTooLarge = errors.New("journal entry or batch is too large")
	// ErrVersion: a newer program wrote the journal. Not damage, and nothing to
	// repair.
	ErrVersion = errors.New("journal has a format version that this program does not read")
	// ErrLocked: another process holds the journal.
	ErrLocked = errors.New("journal is in use by another process")
)

// DamageError says that bytes which were once durable are not what was
// written, or are gone. Open changes nothing when it returns one.
type DamageError struct {
	File     string // path of the damaged file
	Offset   int64  // bytes from its start
	Position uint64 // first position that cannot be vouched for
	Reason   string // what does not fit
}

// Error names the file, the offset and the command to run.
func (e *DamageError) Error() string {
	dir := filepath.Dir(e.File)
	return fmt.Sprintf("journal damaged at position %d: %s offset %d: %s; nothing was changed; "+
		"restore from a backup, or cut the journal there with: posthouse journal repair %s",
		e.Position, e.File, e.Offset, e.Reason, dir)
}
