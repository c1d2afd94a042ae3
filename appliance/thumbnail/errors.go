package thumbnail

import (
	"errors"
	"fmt"
)

// Errors, to be tested with errors.Is. The first four are said of the picture
// and will be said again of the same one.
var (
	// ErrUnsupported: not a PNG, JPEG, GIF or WebP.
	ErrUnsupported = errors.New("not a supported picture")
	// ErrTooLarge: too many pixels, or too many bytes of file.
	ErrTooLarge = errors.New("picture is too large")
	// ErrDamaged: the decoder gave up on it.
	ErrDamaged = errors.New("picture is damaged")
	// ErrLimits: the child ran out of memory, CPU or time, or crashed.
	ErrLimits = errors.New("picture takes too much to decode")
	// ErrKey: Get was called with a key that is not 64 lower case hex digits,
	// or an edge that is not positive.
	ErrKey = errors.New("not a thumbnail key")
	// ErrClosed: the Maker is closed.
	ErrClosed = errors.New("thumbnail maker is closed")
)

// Exit codes of the child. 1 and 2 are taken: by exit habits and by the Go
// runtime when it dies.
const (
	exitOther       = 1
	exitUnsupported = 65
	exitTooLarge    = 66
	exitDamaged     = 67
)

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrUnsupported):
		return exitUnsupported
	case errors.Is(err, ErrTooLarge):
		return exitTooLarge
	case errors.Is(err, ErrDamaged):
		return exitDamaged
	}
	return exitOther
}

// refusal is what exitCode was made of; note is the child's last words.
func refusal(code int, note string) error {
	switch code {
	case exitUnsupported:
		return ErrUnsupported
	case exitTooLarge:
		return fmt.Errorf("%w (child: %s)", ErrTooLarge, note)
	case exitDamaged:
		return fmt.Errorf("%w (child: %s)", ErrDamaged, note)
	case exitOther:
		return fmt.Errorf("child failed: %s", note)
	}
	return fmt.Errorf("%w (exit code %d, child: %s)", ErrLimits, code, note)
}

// lasting gives the word under which a refusal is remembered, "" for errors
// that may be gone at the next try.
func lasting(err error) string {
	switch {
	case errors.Is(err, ErrUnsupported):
		return "unsupported"
	case errors.Is(err, ErrTooLarge):
		return "too large"
	case errors.Is(err, ErrDamaged):
		return "damaged"
	case errors.Is(err, ErrLimits):
		return "limits"
	}
	return ""
}

func remembered(word string) error {
	switch word {
	case "unsupported":
		return ErrUnsupported
	case "too large":
		return ErrTooLarge
	case "damaged":
		return ErrDamaged
	case "limits":
		return ErrLimits
	}
	return nil
}
