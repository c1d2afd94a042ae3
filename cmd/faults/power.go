package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/disk"
	"posthouse/appliance/disk/disktest"
)

// The power harness: a workload runs on a recorded file system; then, for each
// of its mutations, the states that a power cut right after it may leave are
// built and recovered.

// recording is a run of the workload, ready to be cut anywhere.
type recording struct {
	sim   *disktest.Sim
	acks  []ack
	marks []int
}

// workSegment makes segments roll every thirty records.
const workSegment = 8 << 10

func runPower(r *run) (string, error) {
	want := r.count(60, 3000, 1000000)
	steps := map[size]int{tiny: 40, ci: 800, soak: 5000}[r.size]
	record := recordFuse
	if r.noFuse {
		record = recordSim
	}
	began := time.Now()
	rec, err := record(r, steps)
	if err != nil {
		return "", err
	}
	r.say("power: recorded %d mutations, %d answers in %.1f s", rec.sim.Ops(), len(rec.acks), time.Since(began).Seconds())
	return rec.cut(r, want)
}

// recordFuse runs the workload in a child on a mounted recorder.
func recordFuse(r *run, steps int) (*recording, error) {
	under, mnt := filepath.Join(r.dir, "under"), filepath.Join(r.dir, "mnt")
	if err := errors.Join(os.MkdirAll(filepath.Join(under), 0o700), os.MkdirAll(mnt, 0o700)); err != nil {
		return nil, err
	}
	f, err := mountRecorder(under, mnt)
	if err != nil {
		return nil, fmt.Errorf("mount a FUSE file system (needs /dev/fuse and root; -no-fuse leaves bbolt out): %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "child", "workload", mnt, strconv.Itoa(steps), strconv.FormatUint(r.seed, 10))
	out, err := cmd.CombinedOutput()
	if uerr := f.srv.Unmount(); err == nil {
		err = uerr
	}
	if err != nil {
		return nil, fmt.Errorf("workload: %w\n%s", err, out)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad != nil {
		return nil, fmt.Errorf("the recorder met what it does not know: %w", f.bad)
	}
	return &recording{f.sim, f.acks, f.marks}, nil
}

// recordSim runs the workload in this process, journal and files in memory.
// The state file is left out: every recovery rebuilds it.
func recordSim(r *run, steps int) (*recording, error) {
	rec := &recording{sim: disktest.NewSim()}
	if err := errors.Join(rec.sim.MkdirAll("/data", 0o700), rec.sim.SyncDir("/")); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	w := work{dir: "/data", state: filepath.Join(r.dir, "state.db"), fs: rec.sim, steps: steps, seed: r.seed, acked: func(a ack) {
		mu.Lock()
		defer mu.Unlock()
		a.Op = rec.sim.Ops()
		rec.acks, rec.marks = append(rec.acks, a), append(rec.marks, a.Op)
	}}
	return rec, w.run()
}

// childWorkload is the workload on the recorder: mount point, steps, seed.
func childWorkload(_ context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("workload takes a directory, steps and a seed")
	}
	steps, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	acks, err := os.OpenFile(filepath.Join(args[0], "acks"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	w := work{dir: filepath.Join(args[0], "data"), steps: steps, seed: seed, acked: func(a ack) {
		b, _ := json.Marshal(a) // numbers and texts
		mu.Lock()
		defer mu.Unlock()
		_, _ = acks.Write(append(b, '\n')) // a lost ack only checks less
	}}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	if err := (disk.OS{}).SyncDir(args[0]); err != nil { // as an installer does
		return err
	}
	return w.run()
}

// work is the workload: founding, traffic from three sides with uploads, a
// stop, more traffic, a release of old segments, traffic, and no orderly end.
type work struct {
	dir   string
	state string
	fs    disk.FS
	steps int
	seed  uint64
	acked func(ack)
}

func (w *work) open() (*office, error) {
	return openOffice(w.dir, officeOptions{fs: w.fs, state: w.state, segment: workSegment, flush: 40 * time.Millisecond})
}

func (w *work) run() error {
	o, err := w.open()
	if err != nil {
		return err
	}
	defer func() { o.abandon() }()
	base := &life{o: o, rng: rand.New(rand.NewPCG(w.seed, 0)), acked: w.acked}
	if err := base.found(4, 4); err != nil {
		return err
	}
	if err := w.traffic(o, base, w.steps/2, 1); err != nil {
		return err
	}
	if err := o.close(); err != nil {
		return err
	}
	if o, err = w.open(); err != nil {
		return err
	}
	if err := w.traffic(o, base, w.steps/4, 2); err != nil {
		return err
	}
	if w.fs == nil { // the file of the simulated run is not recorded
		at, err := o.s.Snapshot(filepath.Join(w.dir, "base.db"))
		if err != nil {
			return err
		}
		if _, err := o.j.Release(at, time.Now().Add(time.Hour)); err != nil {
			return err
		}
	}
	return w.traffic(o, base, w.steps/4, 3)
}

// traffic is three people at once, the first of whom uploads too.
func (w *work) traffic(o *office, base *life, steps int, stream uint64) error {
	errs := make(chan error, 3)
	for i := range 3 {
		l := &life{o: o, rng: rand.New(rand.NewPCG(w.seed, stream<<8+uint64(i))), people: base.people, rooms: base.rooms, acked: w.acked}
		go func() {
			var err error
			for n := 0; n < steps/3 && err == nil; n++ {
				if err = l.step(); err == nil && i == 0 && n%5 == 1 {
					err = l.upload(1 + l.rng.IntN(6000))
				}
			}
			errs <- err
		}()
	}
	return errors.Join(<-errs, <-errs, <-errs)
}

// cut builds crash states and recovers them, about as many as wanted.
func (rec *recording) cut(r *run, want int) (string, error) {
	mem, remove, err := r.memory()
	if err != nil {
		return "", err
	}
	defer remove()
	acks := filepath.Join(mem, "acks.json")
	b, err := json.Marshal(rec.acks)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(acks, b, 0o600); err != nil {
		return "", err
	}
	indices := rec.choose(r.rng(1), want/3)
	tasks := make(chan recoverOrder, 8)
	var made, torn, nothing atomic.Int64
	// About half of the kinds give a state that another kind gave already.
	go rec.build(r, indices, max(1, want/(3*len(indices))), mem, acks, tasks, &made)
	spread(r, 2, "recover", tasks, func(t recoverOrder, a recoverAnswer, err error) {
		if err != nil {
			a.Bad = append(a.Bad, err.Error())
		}
		if a.Torn {
			torn.Add(1)
		}
		if a.Head == 0 {
			nothing.Add(1)
		}
		for _, bad := range a.Bad {
			r.violation("power cut after mutation %d, %s: %s", t.Ops, keepName(t.Keep), bad)
		}
		_ = os.RemoveAll(t.Dir)
	})
	if made.Load() == 0 && !r.broken() {
		r.violation("no crash state was built")
	}
	return fmt.Sprintf("%d mutations, %d answers; %d places cut, %d different states recovered, %d torn tails",
		rec.sim.Ops(), len(rec.acks), len(indices), made.Load(), torn.Load()), nil
}

func keepName(k disktest.Keep) string {
	return [...]string{"nothing unsynced kept", "everything kept", "random writes kept", "random sectors kept", "the oldest kept, torn", "all names, random sectors"}[k]
}

// choose takes all mutations when there are few enough, else half of them
// where names or syncs are concerned and half anywhere.
func (rec *recording) choose(rng *rand.Rand, n int) []int {
	all := rec.sim.Ops()
	var list []int
	if n >= all {
		for i := range all {
			list = append(list, i+1)
		}
		return list
	}
	marks := slices.Clone(rec.marks)
	rng.Shuffle(len(marks), func(i, j int) { marks[i], marks[j] = marks[j], marks[i] })
	list = append(list, marks[:min(n/2, len(marks))]...)
	for len(list) < n {
		list = append(list, 1+rng.IntN(all))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// build makes the states, each once.
func (rec *recording) build(r *run, indices []int, rounds int, mem, acks string, tasks chan<- recoverOrder, made *atomic.Int64) {
	defer close(tasks)
	rng := r.rng(2)
	replay := rec.sim.Replay()
	now := tree{seed: maphash.MakeSeed(), files: map[string][]byte{}}
	for _, n := range indices {
		replay.To(n)
		seen := map[uint64]bool{}
		for round := range rounds {
			for keep := range disktest.Keeps {
				err := now.read(replay.Crash(keep, rng), "/data")
				if seen[now.sum] {
					continue
				}
				seen[now.sum] = true
				dir := filepath.Join(mem, fmt.Sprintf("%d-%d-%d", n, keep, round))
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					err = now.write(dir)
				}
				if err != nil {
					r.violation("write a crash state: %v", err)
					return
				}
				deep := made.Add(1)%10 == 0
				select {
				case tasks <- recoverOrder{Dir: dir, Acks: acks, Ops: n, Keep: keep, Deep: deep, Alone: r.noFuse}:
				case <-r.ctx.Done():
					return
				}
				if m := made.Load(); m%1000 == 0 {
					r.say("power: %d states", m)
				}
			}
		}
		if r.broken() {
			return
		}
	}
}
