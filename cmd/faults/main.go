// Command faults breaks Posthouse on purpose and checks that nothing that was
// acknowledged is lost, doubled, reordered or changed in silence.
//
//	go run ./cmd/faults [flags] kill|power|flip|nth|bad|steps|slow|hash|mutants|all
//
//	kill     kill -9 of the real server under load, at random moments
//	power    power cuts after every mutation of the file system, bbolt included
//	flip     every bit of journal, state file and attachments turned over
//	nth      the n-th call of the file system fails; a disk that is really full
//	hash     one journal, five processes that differ in everything but the journal
//	mutants  planted mistakes: each must be caught by the harness named with it
//	slow     readers that never read, beside readers that do
//	bad      the table of bad inputs in testdata/badinputs against a live server
//	steps    bad inputs that take time, many connections or a change of rights
//
// It owns nothing but a scratch directory, listens and dials on loopback only,
// and every loop has a bound. It prints the seed; the same seed and size choose
// the same kills, states and bits, but not the same scheduling. The exit code
// is 0 when no promise was broken, 1 when one was, 2 for wrong usage.
//
// A harness gives a report: figures for people, and violations. What cannot run
// here (no /dev/fuse, no strace, not root) is a violation too, unless a flag
// asks for less, because a test that was skipped in silence is worse than none.
//
// Recoveries run in child processes of this same program ("faults child …"),
// because a damaged bbolt file can end the process that opens it.
//
// Goroutines are those of the harness that runs; each harness waits for its
// own before it returns, and the children are killed with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// size is how much of a harness runs.
type size int

const (
	tiny size = iota // go test
	ci               // every submission
	soak             // a release
)

// run is what a harness works with.
type run struct {
	ctx    context.Context
	seed   uint64
	n      int // 0 = what the size says
	size   size
	noFuse bool
	only   string // of mutants and bad: the rows whose name contains this
	root   string // of the module
	dir    string // scratch
	out    io.Writer
	bin    string // posthouse; built when first needed

	print *sync.Mutex // of out, shared by all runs
	mu    sync.Mutex
	bad   []string
}

// harness is one way to break things. It returns a line of figures.
type harness struct {
	name  string
	run   func(*run) (string, error)
	waits bool // more than it works
}

func harnesses() []harness {
	return []harness{
		{"kill", runKill, true}, {"bad", runBad, true}, {"steps", runSteps, true},
		{"power", runPower, false}, {"flip", runFlip, false}, {"nth", runNth, false},
		{"hash", runHash, false}, {"slow", runSlow, false}, {"mutants", runMutants, false},
	}
}

func command(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	if len(args) > 0 && args[0] == "child" {
		return child(ctx, args[1:], in, out, errOut)
	}
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(errOut)
	var r run
	big := fs.Bool("soak", false, "the sizes of a release: hours")
	small := fs.Bool("tiny", false, "the sizes of go test: seconds")
	fs.IntVar(&r.n, "n", 0, "kills, states, flips, …; 0 = what fits the size; nth -n -1 leaves the real server out")
	fs.Uint64Var(&r.seed, "seed", 0, "0 = a new one")
	fs.BoolVar(&r.noFuse, "no-fuse", false, "power: simulate the file system in memory; leaves bbolt out")
	fs.StringVar(&r.only, "only", "", "bad, steps, mutants: only rows whose name contains this")
	fs.StringVar(&r.bin, "bin", "", "posthouse binary; built if empty")
	names, err := parse(fs, args)
	if err != nil {
		return 2
	}
	r.ctx, r.out, r.size, r.print = ctx, out, ci, new(sync.Mutex)
	switch {
	case *big:
		r.size = soak
	case *small:
		r.size = tiny
	}
	if r.seed == 0 {
		r.seed = rand.Uint64() >> 1
	}
	chosen, err := choose(names)
	if err != nil {
		fmt.Fprintln(errOut, err)
		fs.Usage()
		return 2
	}
	if err := r.prepare(); err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	defer os.RemoveAll(r.dir)
	return r.all(chosen)
}

// parse takes flags before and after the names.
func parse(fs *flag.FlagSet, args []string) (names []string, err error) {
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if args = fs.Args(); len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	return names, nil
}

func choose(names []string) ([]harness, error) {
	all := harnesses()
	if len(names) == 1 && names[0] == "all" {
		return all, nil
	}
	var chosen []harness
	for _, name := range names {
		i := slices.IndexFunc(all, func(h harness) bool { return h.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no harness %q", name)
		}
		chosen = append(chosen, all[i])
	}
	if len(chosen) == 0 {
		return nil, errors.New("name a harness, or all")
	}
	return chosen, nil
}

// prepare finds the module and makes the scratch directory.
func (r *run) prepare() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for r.root = dir; ; r.root = filepath.Dir(r.root) {
		if _, err := os.Stat(filepath.Join(r.root, "go.mod")); err == nil {
			break
		}
		if r.root == filepath.Dir(r.root) {
			return errors.New("run this inside the module: there is no go.mod above " + dir)
		}
	}
	r.dir, err = os.MkdirTemp("", "faults")
	return err
}

type line struct {
	name, figures string
	took          time.Duration
	bad           []string
}

// all runs those that mostly wait side by side, then the others one by one:
// what they measure must not be each other.
func (r *run) all(chosen []harness) int {
	fmt.Fprintf(r.out, "seed %d\n", r.seed)
	lines := make([]line, len(chosen))
	if len(chosen) > 1 { // built once, not three times at once
		built := r.child("build")
		if _, err := built.posthouse(); err != nil {
			fmt.Fprintln(r.out, err)
			return 1
		}
		r.bin = built.bin
	}
	var wg sync.WaitGroup
	for i, h := range chosen {
		if h.waits {
			wg.Go(func() { lines[i] = r.one(h) })
		}
	}
	wg.Wait()
	for i, h := range chosen {
		if !h.waits && r.ctx.Err() == nil {
			lines[i] = r.one(h)
		}
	}
	return r.table(lines)
}

func (r *run) one(h harness) line {
	began := time.Now()
	sub := r.child(h.name)
	figures, err := h.run(sub)
	if err != nil {
		sub.violation("%s could not run: %v", h.name, err)
	}
	_ = os.RemoveAll(sub.dir)
	r.say("%s: %s", h.name, figures)
	return line{h.name, figures, time.Since(began), sub.bad}
}

func (r *run) table(lines []line) int {
	broken := 0
	fmt.Fprintf(r.out, "\n%-8s %8s  %s\n", "harness", "seconds", "figures")
	for _, l := range lines {
		if l.name == "" {
			l.name, l.bad = "?", []string{"a harness did not run: interrupted"}
		}
		broken += len(l.bad)
		fmt.Fprintf(r.out, "%-8s %8.1f  %s\n", l.name, l.took.Seconds(), l.figures)
		for i, b := range l.bad {
			if i == 20 {
				fmt.Fprintf(r.out, "         … and %d more\n", len(l.bad)-i)
				break
			}
			fmt.Fprintf(r.out, "         BROKEN: %s\n", strings.ReplaceAll(b, "\n", "\n         "))
		}
	}
	if broken > 0 {
		fmt.Fprintf(r.out, "FAIL: %d violations, seed %d\n", broken, r.seed)
		return 1
	}
	fmt.Fprintln(r.out, "ok: no promise was broken")
	return 0
}

// child is a run of its own directory.
func (r *run) child(name string) *run {
	dir := filepath.Join(r.dir, name)
	_ = os.MkdirAll(dir, 0o700) // what follows fails if it is not there
	return &run{ctx: r.ctx, seed: r.seed, n: r.n, size: r.size, noFuse: r.noFuse, only: r.only, root: r.root, dir: dir, out: r.out, bin: r.bin, print: r.print}
}

// count is -n, or the number that the size says.
func (r *run) count(sizes ...int) int {
	if r.n > 0 {
		return r.n
	}
	return sizes[r.size]
}

func (r *run) rng(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(r.seed, stream)) }

func (r *run) say(format string, args ...any) {
	r.print.Lock()
	defer r.print.Unlock()
	fmt.Fprintf(r.out, format+"\n", args...)
}

// violation notes a broken promise; the run goes on.
func (r *run) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	r.bad = append(r.bad, text)
	few := len(r.bad) <= 5
	r.mu.Unlock()
	if few {
		r.say("BROKEN: %s", text)
	}
}

// broken reports whether there are so many violations that more say nothing.
func (r *run) broken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bad) >= 50 || r.ctx.Err() != nil
}

// memory is a scratch directory that needs no disk, where there is one.
func (r *run) memory() (string, func(), error) {
	base := "/dev/shm"
	if st, err := os.Stat(base); err != nil || !st.IsDir() {
		base = r.dir
	}
	dir, err := os.MkdirTemp(base, "faults")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// posthouse builds the server, once.
func (r *run) posthouse() (string, error) {
	if r.bin != "" {
		return r.bin, nil
	}
	bin := filepath.Join(filepath.Dir(r.dir), "posthouse")
	if err := r.build(bin, "./cmd/posthouse"); err != nil {
		return "", err
	}
	r.bin = bin
	return bin, nil
}

// build runs go build; overlay arguments may follow.
func (r *run) build(out, pkg string, args ...string) error {
	args = append(append([]string{"build", "-o", out}, args...), pkg)
	cmd := exec.CommandContext(r.ctx, "go", args...)
	cmd.Dir = r.root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return nil
}
