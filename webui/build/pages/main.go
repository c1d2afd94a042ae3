// Pages writes the Go code of the templates in webui/pages and webui/console
// anew, as the templ command of the version in go.mod would. Run it from the
// top of the repository:
//
//	go run ./webui/build/pages
//
// It is a command of its own because what webui/build renders is made of these
// files: they have to be there before it can be built.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"

	"github.com/a-h/templ"
	"github.com/a-h/templ/generator"
	"github.com/a-h/templ/parser/v2"
)

func main() {
	if err := run("webui"); err != nil {
		fmt.Fprintln(os.Stderr, "webui/build/pages:", err)
		os.Exit(1)
	}
}

// directories are those with templates, below webui.
func directories() []string { return []string{"pages", "console"} }

func run(webui string) error {
	for _, d := range directories() {
		files, err := generate(filepath.Join(webui, d))
		if err != nil {
			return err
		}
		for path, code := range files {
			if err := os.WriteFile(path, code, 0o644); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
	}
	return nil
}

// generate makes the code of every template of a directory: by its path,
// x_templ.go beside x.templ.
func generate(dir string) (map[string][]byte, error) {
	templates, err := filepath.Glob(filepath.Join(dir, "*.templ"))
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	out := map[string][]byte{}
	for _, path := range templates {
		t, err := parser.Parse(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		var b bytes.Buffer
		// The name stands in error messages of the running program.
		if _, err := generator.Generate(t, &b, generator.WithVersion(templ.Version()), generator.WithFileName(filepath.Base(path))); err != nil {
			return nil, fmt.Errorf("generate %s: %w", path, err)
		}
		code, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("format the code of %s: %w", path, err)
		}
		out[strings.TrimSuffix(path, ".templ")+"_templ.go"] = code
	}
	return out, nil
}
