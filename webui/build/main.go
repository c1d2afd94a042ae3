// Build writes webui/dist anew from webui/src and webui/static. Run it from the
// top of the repository: go run ./webui/build
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"posthouse/webui/bundle"
)

func main() {
	if err := write("webui"); err != nil {
		fmt.Fprintln(os.Stderr, "webui/build:", err)
		os.Exit(1)
	}
}

// write makes the files first and removes the old ones after, so that a
// mistake in the sources leaves dist as it was.
func write(dir string) error {
	files, err := bundle.Build(dir)
	if err != nil {
		return err
	}
	dist := filepath.Join(dir, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("remove the old files: %w", err)
	}
	for name, content := range files {
		path := filepath.Join(dist, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the directory: %w", err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}
