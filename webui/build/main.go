// Build writes webui/dist anew from webui/src and webui/static, and packs the
// client for npm. Run it from the top of the repository:
//
//	go run ./webui/build                 writes webui/dist
//	go run ./webui/build icons           draws webui/static/icon-*.png
//	go run ./webui/build npm 1.2.3 bin   writes bin/posthouse-client-1.2.3.tgz
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"posthouse/webui/bundle"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "webui/build:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 0:
		return write("webui")
	case len(args) == 1 && args[0] == "icons":
		return drawIcons("webui")
	case len(args) == 3 && args[0] == "npm":
		return pack("webui", args[1], args[2])
	}
	return errors.New("run it without arguments, or with: icons, or with: npm VERSION DIRECTORY")
}

// pack writes the npm package.
func pack(dir, version, to string) error {
	content, err := bundle.Package(dir, version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	path := filepath.Join(to, "posthouse-client-"+version+".tgz")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	fmt.Println(path)
	return nil
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

// drawIcons writes the icons.
func drawIcons(dir string) error {
	icons, err := bundle.Icons()
	if err != nil {
		return err
	}
	for name, content := range icons {
		if err := os.WriteFile(filepath.Join(dir, "static", name), content, 0o644); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}
