package reference

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the generated and golden files")

// The browser client compiles against a committed copy, so that a change of
// the protocol shows in its diff.
func TestTypeScriptOfTheBrowserClientIsUpToDate(t *testing.T) {
	compare(t, filepath.Join("..", "..", "webui", "src", "api.ts"), TypeScript())
}

func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, want) {
		t.Fatalf("%s is not what the tables give (%v). Run: make generate", path, err)
	}
}
