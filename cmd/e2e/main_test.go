package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// patience is how long a condition may take to come true. It is what a slow
// and busy machine needs; on an idle one everything happens in milliseconds.
const patience = 60 * time.Second

// look is the pause between two looks at a condition.
const look = 30 * time.Millisecond

var (
	binary string   // the program under test
	shared *browser // of all tests that have no wishes of their own
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "posthouse-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared = newBrowser(filepath.Join(dir, "chromium"))
	defer shared.close()
	return m.Run()
}

func build(dir string) (string, error) {
	if given := os.Getenv("POSTHOUSE_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	out := filepath.Join(dir, "posthouse")
	args := []string{"build", "-o", out}
	if raced() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/posthouse")...)
	cmd.Dir = "../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program under test: %w\n%s", err, text)
	}
	return out, nil
}

// raced reports whether the tests run under the race detector.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" && s.Value == "true" {
			return true
		}
	}
	return false
}

// need finds a program that a test cannot do without.
func need(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; make deps installs what the tests need", names[0])
	return ""
}

// await looks at a condition until it holds. what says what is waited for, and
// is asked only when it did not come.
func await(t *testing.T, what func() string, is func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !is() {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", patience, what())
		}
		<-time.After(look)
	}
}

// background is the context of one call that must not hang.
func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// runs runs a program to its end and gives what it printed.
func runs(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	return starts(t, env, name, args...)()
}

// starts starts a program; what it gives waits for the end, which must be a
// success, and gives what was printed.
func starts(t *testing.T, env []string, name string, args ...string) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	var out, said strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", filepath.Base(name), err)
	}
	return func() string {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", filepath.Base(name), err, out.String(), said.String())
		}
		return out.String()
	}
}
