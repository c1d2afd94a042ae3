package rule

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestPackagedRulesAreCurrent compares what is packaged with the shipped set,
// and has Debian's promtool read it; UPDATE_GOLDEN=1 writes it anew.
func TestPackagedRulesAreCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "packaging", "prometheus")
	exported, err := Exported()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"check", "rules"}
	for _, f := range exported {
		names = append(names, f.Name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || !bytes.Equal(got, f.Text) {
			t.Errorf("packaging/prometheus/%s is not current (%v): UPDATE_GOLDEN=1 go test ./sysmon/rule -run Packaged", f.Name, err)
		}
	}
	promtool(t, dir, names...)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(exported) {
		t.Errorf("packaging/prometheus has %d files, the set has %d", len(entries), len(exported))
	}
}
