package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSearchRebuild(t *testing.T) {
	d := newDesk(t)
	d.serve()
	file := filepath.Join(d.data, searchFile)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	d.do("status").prints("search")
	d.do("search", "rebuild").prints("anew")
	d.stop()
	d.do("search", "rebuild").prints("next start")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the index is still there: %v", err)
	}
	d.serve()
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
