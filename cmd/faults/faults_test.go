package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be its own child, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(command(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// bin is a server built once for all tests.
func bin(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "posthouse")
	r := run{ctx: t.Context(), root: filepath.Join("..", "..")}
	if err := r.build(path, "./cmd/posthouse"); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHarnesses runs each harness in its smallest size: it must find nothing.
func TestHarnesses(t *testing.T) {
	server := bin(t)
	for _, h := range harnesses() {
		t.Run(h.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			if code := command(t.Context(), []string{"-tiny", "-bin", server, h.name}, nil, &out, &errOut); code != 0 {
				t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
			}
			if lines := strings.Split(out.String(), "\n"); len(lines) > 4 {
				t.Log(lines[len(lines)-3])
			}
		})
	}
}

// TestPowerWithoutFuse is the simulated file system.
func TestPowerWithoutFuse(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := command(t.Context(), []string{"power", "-tiny", "-no-fuse"}, nil, &out, &errOut); code != 0 {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"nothing"}, {"-what"}, {"kill", "nothing"}} {
		var out, errOut bytes.Buffer
		if code := command(t.Context(), args, nil, &out, &errOut); code != 2 || errOut.Len() == 0 {
			t.Errorf("%v: exit code %d, %q", args, code, errOut.String())
		}
	}
}

// TestMutantsHaveTheirPlace finds a planted mistake whose place has gone
// without building anything.
func TestMutantsHaveTheirPlace(t *testing.T) {
	for _, m := range mutants() {
		b, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), m.old); n != 1 {
			t.Errorf("%s: its place is %d times in %s", m.name, n, m.file)
		}
	}
}

// TestEveryMistakeHasItsPlace finds at once what the mutants harness would
// find after minutes.
func TestEveryMistakeHasItsPlace(t *testing.T) {
	for _, m := range mutants() {
		b, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), m.old); n != 1 {
			t.Errorf("%s: its place is %d times in %s: plant it anew", m.name, n, m.file)
		}
	}
}
