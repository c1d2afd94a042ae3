package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The code that is committed is that of the templates, and there is none
// whose template has gone.
func TestPagesAreUpToDate(t *testing.T) {
	for _, d := range directories() {
		dir := filepath.Join("..", "..", d)
		files, err := generate(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("no templates in %s", dir)
		}
		for path, code := range files {
			if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, code) {
				t.Errorf("%s is stale: go run ./webui/build/pages (%v)", path, err)
			}
		}
		there, err := filepath.Glob(filepath.Join(dir, "*_templ.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range there {
			if files[path] == nil {
				t.Errorf("%s has no template any more: remove it", path)
			}
		}
	}
}
