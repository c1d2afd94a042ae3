package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
)

const simDir = "no-such-place-on-disk/journal"

// ack says that after ops mutations head was acknowledged.
type ack struct {
	ops  int
	head uint64
}

func simOptions(fsys disk.FS) Options {
	c := &clock{ms: 1_700_000_000_000}
	return Options{FS: fsys, SegmentBytes: 1500, MaxPayload: 4096, Now: c.now}
}

// workload appends batches of mixed sizes, reopens and releases on the way.
func workload(t *testing.T, sim *disktest.Sim) []ack {
	var acks []ack
	opt := simOptions(sim)
	head := uint64(0)
	for round := range 3 {
		j := must(Open(simDir, opt))(t)
		for n := range 8 {
			b := batchFrom(head+1, 1+n*n%11)
			if n == 5 {
				b = batchFrom(head+1, 60) // several sectors, several segments' worth
			}
			must(j.Append(b))(t)
			head += uint64(len(b))
			acks = append(acks, ack{sim.Ops(), head})
		}
		if round == 1 {
			must(j.Release(head/2, time.UnixMilli(1_800_000_000_000)))(t)
		}
		check(t, j.Close())
	}
	return acks
}

// ackedAt is the highest head acknowledged within the first ops mutations.
func ackedAt(acks []ack, ops int) (head uint64) {
	for _, a := range acks {
		if a.ops <= ops {
			head = a.head
		}
	}
	return head
}

// verify opens what a crash left, twice with an append between, and checks
// that everything acknowledged is there.
func verify(sim *disktest.Sim, acked uint64) error {
	opt := simOptions(sim)
	for range 2 {
		j, err := Open(simDir, opt)
		if err != nil {
			return err
		}
		err = errors.Join(verifyOpen(j, acked), j.Close())
		if err != nil {
			return err
		}
		acked = j.Head()
	}
	_, err := Check(context.Background(), simDir, opt, nil)
	return err
}

// verifyOpen reads all and appends a little.
func verifyOpen(j *Journal, acked uint64) error {
	if j.Head() < acked {
		return fmt.Errorf("head is %d, acknowledged was %d", j.Head(), acked)
	}
	if _, err := readAll(j, j.First()); err != nil {
		return err
	}
	first, err := j.Append(batchFrom(j.Head()+1, 3))
	if err == nil && first+2 != j.Head() {
		err = fmt.Errorf("appended at %d, head is %d", first, j.Head())
	}
	return err
}

func TestPowerCutAfterEveryMutation(t *testing.T) {
	sim := disktest.NewSim()
	acks := workload(t, sim)
	rng := rand.New(rand.NewPCG(1, 2))
	each := 12 // JOURNAL_POWER_STATES=1000 for a release
	if s := os.Getenv("JOURNAL_POWER_STATES"); s != "" {
		each = must(strconv.Atoi(s))(t)
	}
	states, torn := 0, 0
	for r, n := sim.Replay(), 0; n <= r.Len(); n++ {
		r.To(n)
		for i := range each {
			keep := disktest.Keep(i % int(disktest.Keeps))
			after := r.Crash(keep, rng)
			if err := verify(after, ackedAt(acks, n)); err != nil {
				t.Fatalf("cut after mutation %d, keep %d: %v", n, keep, err)
			}
			states++
			if names(t, after, "torn-") > 0 {
				torn++
			}
		}
	}
	t.Logf("%d mutations, %d states, %d torn tails", sim.Ops(), states, torn)
	if torn == 0 {
		t.Error("no state had a torn tail: the test does not test")
	}
}

// names counts the files with a prefix.
func names(t testing.TB, fsys disk.FS, prefix string) (n int) {
	t.Helper()
	for _, e := range must(fsys.ReadDir(simDir))(t) {
		if strings.HasPrefix(e.Name(), prefix) {
			n++
		}
	}
	return n
}

// noSync is a file system whose promises are lies: the test of the test above.
type noSync struct{ disk.FS }
type noSyncFile struct{ disk.File }

func (n noSync) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := n.FS.OpenFile(name, flag, perm)
	return noSyncFile{f}, err
}
func (noSyncFile) Sync() error { return nil }

// noDirSync does not make names durable.
type noDirSync struct{ disk.FS }

func (noDirSync) SyncDir(string) error { return nil }

func TestPowerCutFindsMissingSync(t *testing.T) {
	for name, lie := range map[string]func(disk.FS) disk.FS{
		"files":       func(f disk.FS) disk.FS { return noSync{f} },
		"directories": func(f disk.FS) disk.FS { return noDirSync{f} },
	} {
		t.Run(name, func(t *testing.T) {
			sim := disktest.NewSim()
			j := must(Open(simDir, simOptions(lie(sim))))(t)
			must(j.Append(batchFrom(1, 5)))(t)
			r := sim.Replay()
			r.To(r.Len())
			if err := verify(r.Crash(disktest.KeepNone, random(1)), 5); err == nil {
				t.Error("a journal that does not sync passed the power cut")
			}
			check(t, j.Close())
		})
	}
}

// TestFailingCalls fails the n-th call of a workload, for every n, with each
// error, once and for good; then opens with a healthy disk.
func TestFailingCalls(t *testing.T) {
	for _, f := range []disktest.Fault{
		{Err: syscall.EIO}, {Err: syscall.EIO, Forever: true},
		{Err: syscall.ENOSPC, Short: true}, {Err: syscall.ENOSPC, Short: true, Forever: true},
	} {
		t.Run(fmt.Sprintf("%v short=%v forever=%v", f.Err, f.Short, f.Forever), func(t *testing.T) {
			n := int64(1)
			for ; ; n++ {
				f.N = n
				if !failOne(t, f) {
					break
				}
			}
			t.Logf("%d calls failed", n-1)
		})
	}
}

// failOne answers whether the fault struck.
func failOne(t *testing.T, fault disktest.Fault) bool {
	sim := disktest.NewSim()
	faulty := disktest.NewFaulty(sim)
	what := ""
	fault.Then = func(op, name string) { what = op + " " + name }
	faulty.Set(fault)
	acked, failed := uint64(0), false
	opt := simOptions(faulty)
	for range 2 {
		j, err := Open(simDir, opt)
		if err != nil {
			failed = true
			continue
		}
		var sticky error
		for n := range 6 {
			first, err := j.Append(batchFrom(acked+1, 2+n))
			switch {
			case sticky != nil && !errors.Is(err, sticky):
				t.Fatalf("call %d: append after %v gave %v", fault.N, sticky, err)
			case err != nil:
				sticky, failed = err, true
			case first != acked+1:
				t.Fatalf("call %d: first is %d, want %d", fault.N, first, acked+1)
			default:
				acked += uint64(2 + n)
			}
		}
		if j.Head() != acked {
			t.Fatalf("call %d: head %d, acknowledged %d", fault.N, j.Head(), acked)
		}
		if sticky == nil {
			if _, err := j.Release(acked/2, time.UnixMilli(1_800_000_000_000)); err != nil {
				failed = true
			}
		}
		if err := j.Close(); err != nil {
			failed = true
		}
		if sticky != nil {
			break // what was not acknowledged may be there: positions are no longer the test's
		}
	}
	struck := faulty.Hits() > 0
	reading := strings.HasPrefix(what, "close") && !strings.HasSuffix(what, tmpSuffix)
	if struck && !failed && !reading {
		t.Fatalf("call %d, %s, failed and nobody said so", fault.N, what)
	}
	if err := verify(sim, acked); err != nil {
		t.Fatalf("after failure of call %d: %v", fault.N, err)
	}
	return struck
}

// TestFailedSyncIsWrittenAnew: a record whose sync failed stays readable in the
// page cache. Open must not serve it before it is on the disk.
func TestFailedSyncIsWrittenAnew(t *testing.T) {
	sim := disktest.NewSim()
	faulty := disktest.NewFaulty(sim)
	opt := simOptions(faulty)
	j := must(Open(simDir, opt))(t)
	must(j.Append(batchFrom(1, 3)))(t)
	faulty.Set(disktest.Fault{
		N: 1, Err: syscall.EIO, Then: func(_, name string) { sim.LoseUnsynced(name) },
		Match: func(op, name string) bool { return op == "sync" && strings.Contains(name, segSuffix) },
	})
	if _, err := j.Append(batchFrom(4, 3)); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	check(t, j.Close())
	j = must(Open(simDir, opt))(t)
	head := j.Head()
	r := sim.Replay()
	r.To(r.Len())
	if err := verify(r.Crash(disktest.KeepNone, random(1)), head); err != nil {
		t.Errorf("head %d was served and lost: %v", head, err)
	}
	check(t, j.Close())
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// durably is the file system after everything in it was kept.
func durably(t testing.TB, sim *disktest.Sim) *disktest.Sim {
	t.Helper()
	r := sim.Replay()
	r.To(r.Len())
	return r.Crash(disktest.KeepAll, random(1))
}
