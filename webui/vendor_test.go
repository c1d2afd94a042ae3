package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVendoredFiles holds every directory of vendor to its SHA256SUMS, which
// lists all of its files, and wants the licence beside them.
func TestVendoredFiles(t *testing.T) {
	dirs, err := os.ReadDir("vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if d.Name() == "README" {
			continue
		}
		if !d.IsDir() {
			t.Errorf("vendor/%s: each package has a directory of its own", d.Name())
			continue
		}
		root := filepath.Join("vendor", d.Name())
		list, err := os.ReadFile(filepath.Join(root, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for line := range strings.Lines(string(list)) {
			sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
			if !ok {
				t.Fatalf("%s: a line of SHA256SUMS is %q", root, line)
			}
			want[name] = sum
		}
		if want["LICENSE"] == "" {
			t.Errorf("%s has no LICENSE", root)
		}
		err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || e.Name() == "SHA256SUMS" {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/")
			sum := sha256.Sum256(body)
			if got := hex.EncodeToString(sum[:]); got != want[name] {
				t.Errorf("%s has the checksum %s, SHA256SUMS says %q", path, got, want[name])
			}
			delete(want, name)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name := range want {
			t.Errorf("%s: %s is listed and missing", root, name)
		}
	}
}
