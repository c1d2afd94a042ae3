package blob

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/disk"
)

// client uploads as a browser would: it asks for the offset after an error and
// goes on from there. answered is the highest offset it was given.
type client struct {
	h        *house
	data     []byte
	id       string
	answered int64
	errs     []error
}

// try runs until the digest is there, or an error it cannot get over, or too
// many tries.
func (c *client) try() (Digest, error) {
	for len(c.errs) < 20 {
		d, err := c.step()
		if err == nil && d != (Digest{}) {
			return d, nil
		}
		if err == nil {
			continue
		}
		c.errs = append(c.errs, err)
		if errors.Is(err, ErrFailed) || errors.Is(err, ErrNotFound) {
			return Digest{}, err
		}
	}
	return Digest{}, errors.Join(c.errs...)
}

func (c *client) step() (Digest, error) {
	if c.id == "" {
		u, err := c.h.Create(1, int64(len(c.data)), nil, time.Now().Add(time.Hour))
		if err == nil {
			c.id = u.ID
		}
		return Digest{}, err
	}
	u, err := c.h.Upload(c.id)
	if err != nil {
		return Digest{}, err
	}
	if u.Offset < c.answered {
		c.h.t.Fatalf("offset went back from %d to %d", c.answered, u.Offset)
	}
	if u.Offset == int64(len(c.data)) {
		d, _, err := c.h.Finish(c.id)
		return d, err
	}
	end := min(u.Offset+1000, int64(len(c.data)))
	if u.Offset == 1000 { // one chunk that arrives damaged
		_, err := c.h.Append(context.Background(), c.id, 1000, strings.NewReader("damaged"), &Checksum{"md5", make([]byte, 16)})
		if !errors.Is(err, ErrChecksum) {
			return Digest{}, err
		}
	}
	c.answered, err = c.h.Append(context.Background(), c.id, u.Offset, bytes.NewReader(c.data[u.Offset:end]), nil)
	return Digest{}, err
}

// Every mutation of an upload fails once, and fails from then on until there
// is space again: what was answered stays true, space is got over, and content
// is never wrong.
func TestEveryCallFails(t *testing.T) {
	data := noise(3500, 1)
	for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		full := errno != syscall.EIO
		for n := 1; ; n++ {
			ff := &faults{FS: disk.OS{}}
			h := open(t, Options{FS: ff})
			ff.set(func(i int, op string) error {
				if i == n {
					return errno
				}
				return nil
			})
			c := &client{h: h, data: data}
			d, err := c.try()
			name := fmt.Sprintf("%v at call %d", errno, n)
			ops := ff.log
			ff.set(nil)
			if len(ops) < n {
				t.Logf("%v: %d calls failed one by one", errno, n-1)
				break
			}
			name += " (" + ops[n-1] + ")"
			for _, e := range c.errs {
				if full && !errors.Is(e, ErrNoSpace) {
					t.Errorf("%s: no ErrNoSpace in %v", name, e)
				}
				if !full && !errors.Is(e, syscall.EIO) && !errors.Is(e, ErrFailed) {
					t.Errorf("%s: %v", name, e)
				}
			}
			if full && err != nil {
				t.Errorf("%s: not resumable: %v", name, err)
			}
			h.reopen()
			if err == nil {
				h.has(d, data)
				h.finish(c.id, data)
			} else if u, uerr := h.Upload(c.id); uerr == nil && u.Offset < c.answered {
				t.Errorf("%s: answered %d, after a restart %d", name, c.answered, u.Offset)
			}
			h.check()
		}
	}
}

// A disk that stays full stops an upload anywhere; a restart in that state and
// space afterwards bring it to its end.
func TestFullDiskAndRestart(t *testing.T) {
	data := noise(3500, 1)
	for n := 1; ; n++ {
		ff := &faults{FS: disk.OS{}}
		h := open(t, Options{FS: ff})
		ff.set(func(i int, op string) error {
			if i >= n && !strings.HasPrefix(op, "remove") && !strings.HasPrefix(op, "truncate") {
				return syscall.ENOSPC
			}
			return nil
		})
		c := &client{h: h, data: data}
		_, err := c.try()
		if err == nil {
			t.Logf("%d calls", n-1)
			break
		}
		wants(t, err, ErrNoSpace)
		ff.set(nil)
		c.errs = nil
		h.reopen()
		d, err := c.try()
		must(t, err)
		h.has(d, data)
	}
}

func TestFullDiskKeepsNothingOfAPut(t *testing.T) {
	ff := &faults{FS: disk.OS{}}
	h := open(t, Options{FS: ff})
	for _, op := range []string{"create .put", "write .put", "sync .put", "rename .put"} {
		ff.set(only(op, syscall.ENOSPC))
		_, _, err := h.Put(t.Context(), strings.NewReader("hello"))
		wants(t, err, ErrNoSpace)
		ff.set(only(op, syscall.EIO))
		_, _, err = h.Put(t.Context(), strings.NewReader("hello"))
		wants(t, err, syscall.EIO)
	}
	if left := h.staging(); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
	ff.set(nil)
	_, _, err := h.Put(t.Context(), strings.NewReader("hello"))
	must(t, err)
}

// An error of the disk ends an upload for good, also across a restart, and
// leaves the others alone.
func TestFailedUploadStaysFailed(t *testing.T) {
	ff := &faults{FS: disk.OS{}}
	h := open(t, Options{FS: ff})
	id, other := h.create(10), h.create(5)
	ff.set(only("sync .part", syscall.EIO))
	_, err := h.Append(t.Context(), id, 0, strings.NewReader("hello"), nil)
	wants(t, err, ErrFailed)
	wants(t, err, syscall.EIO)
	ff.set(nil)
	for range 2 {
		h.offset(id, 0)
		_, err = h.Append(t.Context(), id, 0, strings.NewReader("hello"), nil)
		wants(t, err, ErrFailed)
		_, err = h.SetSize(id, 10)
		wants(t, err, ErrFailed)
		_, _, err = h.Finish(id)
		wants(t, err, ErrFailed)
		h.reopen()
	}
	must(t, h.Terminate(id))
	h.append(other, 0, []byte("hello"))
	h.finish(other, []byte("hello"))
}

// What a crash between the steps of Finish leaves is finished by the next one.
func TestCrashInFinish(t *testing.T) {
	for _, op := range []string{"rename .json.tmp", "rename .tmp", "syncdir staging", "create .tmp", "sync .tmp", "rename .part", "syncdir sha256"} {
		ff := &faults{FS: disk.OS{}}
		h := open(t, Options{FS: ff})
		id := h.create(5)
		h.append(id, 0, []byte("hello"))
		ff.set(only(op, syscall.EIO))
		_, _, err := h.Finish(id)
		if err == nil && op != "rename .json.tmp" {
			t.Errorf("%s: no error", op)
		}
		ff.set(nil)
		h.reopen()
		h.finish(id, []byte("hello"))
	}
}

// A lost tail of .part, which no file system should produce, is noticed.
func TestShortPartFails(t *testing.T) {
	h := open(t, Options{})
	id := h.create(10)
	h.append(id, 0, []byte("hello"))
	must(t, os.Truncate(h.stagingPath(id, ".part"), 3))
	_, err := h.Append(t.Context(), id, 5, strings.NewReader("x"), nil)
	wants(t, err, ErrFailed)
	wants(t, err, ErrDamaged)
	h.reopen()
	_, err = h.Append(t.Context(), id, 5, strings.NewReader("x"), nil)
	wants(t, err, ErrFailed)
}

// pattern is an endless content whose every byte is known.
type pattern struct{ at int64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(uint64(p.at) * 2654435761 >> 13)
		p.at++
	}
	return len(b), nil
}

// appendChild appends for ever: chunks of 1 MiB, then one without end. It says
// every offset it was given.
func appendChild(dir, id string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	u, err := s.Upload(id)
	if err != nil {
		return err
	}
	at := u.Offset
	for range 8 {
		at, err = s.Append(context.Background(), id, at, io.LimitReader(&pattern{at}, 1<<20), nil)
		if err != nil {
			return err
		}
		fmt.Println("at", at)
	}
	fmt.Println("endless")
	_, err = s.Append(context.Background(), id, at, &pattern{at}, nil)
	return err
}

// The server is killed while it appends, again and again: the offset after the
// restart is at least the one answered, and the bytes below it are right.
func TestKillInAppend(t *testing.T) {
	h := open(t, Options{})
	id := h.create(-1)
	exe, err := os.Executable()
	must(t, err)
	answered := int64(0)
	for round := range 12 {
		cmd := exec.Command(exe, "append-child", h.dir, id)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if text, ok := strings.CutPrefix(lines.Text(), "at "); ok {
				answered, err = strconv.ParseInt(text, 10, 64)
				must(t, err)
			} else if lines.Text() != "endless" {
				t.Fatal(lines.Text())
			}
			if n == round%9 {
				break
			}
		}
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		h.reopen()
		u, err := h.Upload(id)
		must(t, err)
		if u.Offset < answered {
			t.Fatalf("round %d: answered %d, after the kill %d", round, answered, u.Offset)
		}
		answered = u.Offset
	}
	_, err = h.SetSize(id, answered)
	must(t, err)
	want, err := io.ReadAll(io.LimitReader(&pattern{}, answered))
	must(t, err)
	h.finish(id, want)
	t.Logf("12 kills, %d bytes", answered)
}

// The slot of an offset that could not be confirmed may be on disk: the bytes
// it speaks of must not be given up before it is taken back.
func TestRestartAfterUnconfirmedPosition(t *testing.T) {
	ff := &faults{FS: disk.OS{}}
	h := open(t, Options{FS: ff})
	id := h.create(10)
	ff.set(only("sync .pos", syscall.ENOSPC))
	_, err := h.Append(t.Context(), id, 0, strings.NewReader("hello"), nil)
	wants(t, err, ErrNoSpace)
	h.offset(id, 0)
	ff.set(nil)
	h.reopen()
	u, err := h.Upload(id)
	must(t, err)
	h.append(id, u.Offset, []byte("helloworld")[u.Offset:])
	h.finish(id, []byte("helloworld"))
}
