package thumbnail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxInput  = 64 << 20
	maxOutput = 4 << 20
	maxNote   = 512
)

// limits are those of a child.
type limits struct {
	data    uint64 // bytes; 0 is none, for tests under the race detector
	cpu     uint64 // seconds
	timeout time.Duration
	// memory is what the child's garbage collector aims at, in bytes; it keeps
	// garbage from running into data.
	memory int64
}

func defaultLimits() limits {
	return limits{data: 256 << 20, cpu: 10, timeout: 15 * time.Second, memory: 208 << 20}
}

// Make runs exe with args and the edge in pixels as one more argument, gives it
// the picture that r reads, at most 64 MiB, and returns the thumbnail with its
// width and height in pixels. exe must call ChildMain. r must not block for
// ever. Errors: ErrUnsupported, ErrTooLarge, ErrDamaged, ErrLimits; r's; ctx's;
// or that the child cannot be run.
func Make(ctx context.Context, exe string, args []string, r io.Reader, maxEdge int) (jpegOrPng []byte, w, h int, err error) {
	return makeLimited(ctx, exe, args, r, maxEdge, defaultLimits())
}

func makeLimited(ctx context.Context, exe string, args []string, r io.Reader, maxEdge int, lim limits) ([]byte, int, int, error) {
	if maxEdge < 1 || maxEdge > MaxEdge {
		return nil, 0, 0, fmt.Errorf("make thumbnail: edge %d is not in 1 to %d", maxEdge, MaxEdge)
	}
	args = append(slices.Clone(args), strconv.Itoa(maxEdge))
	out, err := runChild(ctx, exe, args, r, lim)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("make thumbnail: %w", err)
	}
	w, h, format, err := Probe(bytes.NewReader(out))
	if err != nil || format != "jpeg" && format != "png" || w > maxEdge || h > maxEdge {
		return nil, 0, 0, fmt.Errorf("make thumbnail: %w: what the child wrote is no thumbnail", ErrLimits)
	}
	return out, w, h, nil
}

// runChild returns what the child wrote to standard output.
func runChild(parent context.Context, exe string, args []string, r io.Reader, lim limits) ([]byte, error) {
	ctx, cancel := context.WithTimeout(parent, lim.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none", "GOMEMLIMIT=" + strconv.FormatInt(lim.memory, 10)}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 2 * time.Second
	out := &capped{max: maxOutput, full: cancel}
	note := &capped{max: maxNote}
	cmd.Stdout, cmd.Stderr = out, note
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child: %w", err)
	}
	if err := setLimits(cmd.Process.Pid, lim); err != nil {
		cancel()
		_ = cmd.Wait()
		return nil, fmt.Errorf("limit child: %w", err)
	}
	src := &sourceReader{r: io.LimitReader(r, maxInput+1)}
	fed := make(chan int64)
	go func() {
		n, _ := io.Copy(stdin, src) // a child that has seen enough closes the pipe
		_ = stdin.Close()
		fed <- n
	}()
	err = cmd.Wait()
	n := <-fed
	switch {
	case src.err != nil:
		return nil, fmt.Errorf("read picture: %w", src.err)
	case n > maxInput:
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, maxInput)
	case parent.Err() != nil:
		return nil, parent.Err()
	case out.over:
		return nil, fmt.Errorf("%w: over %d bytes of output", ErrLimits, maxOutput)
	case err != nil:
		return nil, childError(err, ctx.Err(), note.b.String())
	}
	return out.b.Bytes(), nil
}

// childError says why a child ended as it did. timeout is the error of its
// context.
func childError(err, timeout error, note string) error {
	note, _, _ = strings.Cut(strings.TrimSpace(note), "\n")
	if timeout != nil {
		return fmt.Errorf("%w: out of time", ErrLimits)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("wait for child: %w", err)
	}
	if st, ok := exit.Sys().(syscall.WaitStatus); ok && st.Signaled() {
		return fmt.Errorf("%w: %s", ErrLimits, st.Signal())
	}
	return refusal(exit.ExitCode(), strconv.Quote(note))
}

// setLimits works on a child that waits for its standard input. Its limits can
// only go down from here.
func setLimits(pid int, lim limits) error {
	list := []struct {
		resource int
		max      uint64
	}{
		{unix.RLIMIT_CPU, lim.cpu},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, 32},
		{unix.RLIMIT_DATA, lim.data},
	}
	for _, l := range list {
		if l.resource == unix.RLIMIT_DATA && l.max == 0 {
			continue
		}
		rl := &unix.Rlimit{Cur: l.max, Max: l.max}
		if err := unix.Prlimit(pid, l.resource, rl, nil); err != nil {
			return fmt.Errorf("prlimit: %w", err)
		}
	}
	return nil
}

// capped keeps the first max bytes; the first byte too many sets over and calls
// full. It never fails, so that the child is not told.
type capped struct {
	b    bytes.Buffer
	max  int
	over bool
	full func()
}

func (c *capped) Write(p []byte) (int, error) {
	room := c.max - c.b.Len()
	if len(p) <= room {
		return c.b.Write(p)
	}
	c.b.Write(p[:room])
	if !c.over && c.full != nil {
		c.full()
	}
	c.over = true
	return len(p), nil
}
