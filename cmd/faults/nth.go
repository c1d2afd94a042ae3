package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// The nth harness: the n-th call of the file system fails, once or for good.
// After a healthy restart everything acknowledged must be there. Journal and
// attachments fail inside this process, call by call; bbolt fails in the real
// server under strace; and then there is a disk that is really full.

func runNth(r *run) (string, error) {
	calls, points, err := r.everyCall()
	if err != nil {
		return "", err
	}
	if r.n < 0 { // this much was asked for
		return fmt.Sprintf("%d calls, %d ways to fail", calls, points), nil
	}
	traced, died, err := r.traced(r.count(2, 8, 400))
	if err != nil {
		return "", err
	}
	full, err := r.fullDisk()
	return fmt.Sprintf("%d calls of journal and files, %d ways to fail; %d failures in the real server, %d of them ended it; %s", calls, points, traced, died, full), err
}

// everyCall fails every call that a small workload makes of the file system.
func (r *run) everyCall() (calls, points int, err error) {
	mem, remove, err := r.memory()
	if err != nil {
		return 0, 0, err
	}
	defer remove()
	f := disktest.NewFaulty(disk.OS{})
	f.Set(disktest.Fault{})
	if err := os.Mkdir(filepath.Join(mem, "count"), 0o700); err != nil {
		return 0, 0, err
	}
	if acks, err := errand(filepath.Join(mem, "count"), f); err != nil || len(acks) < 10 {
		return 0, 0, fmt.Errorf("the workload fails without a fault, after %d answers: %w", len(acks), err)
	}
	calls = int(f.Calls())
	ways := []disktest.Fault{{Err: syscall.EIO}, {Err: syscall.ENOSPC}, {Err: syscall.EIO, Forever: true}, {Err: syscall.ENOSPC, Forever: true}, {Err: syscall.ENOSPC, Short: true}, {Err: syscall.EIO, Short: true}}
	step := map[size]int{tiny: 29, ci: 1, soak: 1}[r.size]
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			dir := filepath.Join(mem, fmt.Sprint(w))
			for n := 1 + w; n <= calls && !r.broken(); n += 2 * step {
				for _, way := range ways {
					way.N = int64(n)
					for _, bad := range failAt(r.ctx, dir, way) {
						r.violation("call %d fails with %v (for good %v, short %v): %s", n, way.Err, way.Forever, way.Short, bad)
					}
					mu.Lock()
					points++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return calls, points, nil
}

// failAt runs the workload with a fault and recovers without.
func failAt(ctx context.Context, dir string, way disktest.Fault) (bad []string) {
	f := disktest.NewFaulty(disk.OS{})
	var what string
	way.Then = func(op, name string) { what = op + " " + filepath.Base(name) }
	f.Set(way)
	if err := emptyDir(dir); err != nil {
		return []string{err.Error()}
	}
	acks, err := errand(dir, f)
	if errors.Is(err, errCarriesOn) {
		bad = append(bad, err.Error())
	}
	bad = append(bad, recovery(ctx, recoverOrder{Dir: dir}, acks).Bad...)
	for i := range bad {
		bad[i] = "(" + what + ") " + bad[i]
	}
	return bad
}

// errCarriesOn: a store that has failed answered as if it had not.
var errCarriesOn = errors.New("the store failed and still takes messages")

// errand is a workload that meets every kind of call in a few milliseconds: a
// new box, traffic, uploads, rolls, a stop and a second start.
func errand(dir string, f *disktest.Faulty) (acks []ack, err error) {
	b := &life{rng: rand.New(rand.NewPCG(7, 7)), acked: func(a ack) { acks = append(acks, a) }}
	for round := range 2 {
		o, err := openOffice(dir, officeOptions{fs: f, segment: 4 << 10, flush: time.Hour})
		if err != nil {
			return acks, err
		}
		b.o = o
		if round == 0 {
			err = b.found(3, 3)
		}
		for i := 0; i < 12 && err == nil; i++ {
			if err = b.step(); err == nil && i%6 == 3 {
				_ = b.upload(700) // a failed upload is no failed store
			}
		}
		if o.q.Failed() != nil && len(b.rooms) > 0 {
			if r, err := b.do(b.people[0], &state.SendMessage{Room: b.rooms[0], Key: newKey(), Text: "too late"}); err == nil {
				return acks, fmt.Errorf("%w: position %d", errCarriesOn, r.Position())
			}
		}
		if err != nil {
			o.abandon()
			return acks, err
		}
		if err := o.close(); err != nil {
			return acks, err
		}
	}
	return acks, nil
}

// traced injects errors into the system calls of the real server.
func (r *run) traced(n int) (points, died int, err error) {
	if _, err := exec.LookPath("strace"); err != nil {
		r.violation("strace is not here: faults of bbolt cannot be tried (apt-get install strace, or make deps)")
		return 0, 0, nil
	}
	base := &killer{run: r}
	if err := base.begin(); err != nil {
		return 0, 0, err
	}
	base.srv.stop()
	rng := r.rng(3)
	calls := []string{"fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC", "fdatasync:error=EIO", "fsync:error=EIO", "ftruncate:error=EIO"}
	for i := range n {
		call := calls[i%len(calls)]
		when := 1 + rng.IntN(40)
		if i%6 > 3 {
			when = 1 + rng.IntN(2) // there are few of these
		}
		ended, err := r.tracedOnce(base, i, fmt.Sprintf("%s:when=%d", call, when))
		if err != nil {
			return points, died, err
		}
		points++
		if ended {
			died++
		}
		if r.broken() {
			break
		}
	}
	return points, died, nil
}

func (r *run) tracedOnce(base *killer, i int, inject string) (ended bool, err error) {
	data := filepath.Join(r.dir, fmt.Sprintf("traced%d", i))
	if err := copyImage(base.srv.data, data); err != nil {
		return false, err
	}
	_ = os.Remove(filepath.Join(data, "posthouse.sock"))
	k := &killer{run: r, people: base.people, rooms: base.rooms, owner: base.owner}
	if k.srv, err = newServer(base.srv.bin, data, base.srv.set...); err != nil {
		return false, err
	}
	defer func() { k.srv.kill(); _ = os.RemoveAll(data) }()
	name, _, _ := strings.Cut(inject, ":")
	k.srv.wrap = []string{"strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=" + name, "-e", "inject=" + inject}
	ctx, cancel := context.WithTimeout(r.ctx, 2*time.Minute) // a server that died answers nobody
	defer cancel()
	var load sync.WaitGroup
	if err := k.srv.start(r.ctx); err == nil {
		if err := k.load(ctx, &load); err == nil {
			k.until(3*time.Second, func() bool { return !k.srv.running() })
		}
	}
	ended = !k.srv.running()
	if ended {
		if code := k.srv.wait(time.Second); !slices.Contains([]int{1, 70, 75}, code) {
			r.violation("%s: the server ended with %d: %s", inject, code, k.srv.lastWords())
		}
	} else if code := k.srv.stop(); code != 0 && code != 1 && code != 70 {
		r.violation("%s: the server, asked to stop, ended with %d: %s", inject, code, k.srv.lastWords())
	}
	k.srv.wrap = nil
	if err := k.srv.start(r.ctx); err != nil {
		r.violation("%s: start on a healthy disk: %v", inject, err)
	} else if k.follow != nil && len(k.uses) == killClients {
		cancel()
		load.Wait()
		if err := k.check(); err != nil {
			r.violation("%s: %v", inject, err)
		}
	}
	cancel()
	load.Wait()
	k.close()
	if k.srv.running() {
		k.srv.stop()
		k.srv.verify(r)
	}
	return ended, nil
}

// until waits for something, not for ever.
func (k *killer) until(d time.Duration, is func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end) && k.ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if is() {
			return true
		}
	}
	return is()
}

func (k *killer) close() {
	for _, u := range k.uses {
		_ = u.c.Close()
	}
	if k.follow != nil && k.follow.c != nil {
		_ = k.follow.c.Close()
	}
}

// fullDisk fills a small volume under the server, gently and then at once.
func (r *run) fullDisk() (string, error) {
	dir := filepath.Join(r.dir, "volume")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m"); err != nil {
		r.violation("mount a small volume (needs root): %v", err)
		return "no full disk", nil
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	k := &killer{run: r.child("full")}
	k.dir = dir
	defer func() {
		for _, b := range k.bad {
			r.violation("full disk: %s", b)
		}
	}()
	if err := k.begin(); err != nil {
		return "", err
	}
	defer func() { k.srv.kill() }()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var load sync.WaitGroup
	if err := k.load(ctx, &load); err != nil {
		return "", err
	}
	k.nearlyFull(filepath.Join(dir, "filler"))
	result := k.quiteFull(filepath.Join(dir, "filler"))
	cancel()
	load.Wait()
	if err := k.check(); err != nil {
		return "", err
	}
	k.close()
	k.srv.stop()
	k.srv.verify(k.run)
	return result, nil
}

// nearlyFull: reading and logging in work, sending is refused, and all is well
// again without a restart when there is room.
func (k *killer) nearlyFull(filler string) {
	if err := fill(filler, 64<<20); err != nil {
		k.violation("fill the volume: %v", err)
	}
	quiet := k.until(time.Minute, func() bool {
		before := k.acked.Load()
		time.Sleep(200 * time.Millisecond)
		return k.acked.Load() == before
	})
	if !quiet {
		k.violation("messages are still taken with 64 MiB free")
	}
	h, err := k.srv.http("")
	if err == nil {
		defer h.Close()
		_, err = h.Login(k.ctx, "owner", password)
	}
	if err != nil {
		k.violation("log in while the disk is nearly full: %v", err)
	}
	if _, err := k.history(k.rooms[0]); err != nil {
		k.violation("read while the disk is nearly full: %v", err)
	}
	p := wire.SendParams{Room: k.rooms[0].id, Key: "0190f5fe-0000-7000-8000-000000000000", Text: "no"}
	h.SetToken(k.people[0].token)
	var e *wire.Error
	if err := h.Call(k.ctx, "message.send", p, nil); !errors.As(err, &e) || e.Kind != wire.Unavailable {
		k.violation("send while the disk is nearly full: %v", err)
	}
	before := k.acked.Load()
	if err := os.Remove(filler); err != nil {
		k.violation("%v", err)
	}
	if !k.until(time.Minute, func() bool { return k.acked.Load() > before+20 }) {
		k.violation("nothing is taken a minute after there is room again")
	}
}

// quiteFull takes the last byte under load. The server may end; it must come
// back, and say nothing that is not so.
func (k *killer) quiteFull(filler string) string {
	if err := fill(filler, 0); err != nil {
		k.violation("fill the volume: %v", err)
	}
	result := "a full disk left the server running, read-only"
	if k.until(4*time.Second, func() bool { return !k.srv.running() }) {
		result = "a full disk ended the server with 70, and it came back"
		if code := k.srv.wait(time.Second); code != 70 {
			k.violation("the server ended with %d: %s", code, k.srv.lastWords())
		}
		if err := k.srv.start(k.ctx); err != nil {
			result = "a full disk ended the server with 70; it came back when there was room"
			k.say("nth: start on the full disk: %v", err)
			if code := k.srv.wait(time.Second); code != 1 && code != 70 && code != 75 {
				k.violation("start on the full disk ended with %d: %s", code, k.srv.lastWords())
			}
		} else if h, err := k.srv.http(k.people[0].token); err == nil {
			if _, err := h.Rooms(k.ctx); err != nil {
				k.violation("read on a full disk: %v", err)
			}
			_ = h.Close()
		}
	}
	if err := os.Remove(filler); err != nil {
		k.violation("%v", err)
	}
	if !k.srv.running() {
		if err := k.srv.start(k.ctx); err != nil {
			k.violation("start when there is room again: %v", err)
			return result
		}
	}
	before := k.acked.Load()
	if !k.until(time.Minute, func() bool { return k.acked.Load() > before+20 }) {
		k.violation("nothing is taken a minute after there is room again: %s", k.srv.lastWords())
	}
	return result
}

// fill writes a file until so many bytes are free.
func fill(name string, free int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for b := make([]byte, 1<<20); ; {
		var st syscall.Statfs_t
		if err := syscall.Statfs(filepath.Dir(name), &st); err != nil {
			return err
		}
		if int64(st.Bavail)*st.Bsize <= free {
			return nil
		}
		if _, err := f.Write(b); errors.Is(err, syscall.ENOSPC) {
			if len(b) > 4096 {
				b = b[:4096]
			} else {
				return nil
			}
		} else if err != nil {
			return err
		}
	}
}
