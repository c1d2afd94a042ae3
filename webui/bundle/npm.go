package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Package makes the npm package posthouse-client as npm itself would pack it: a
// tarball whose bytes depend on nothing but the sources. dir is the webui
// directory. The script is bundled from npm/index.ts; index.d.ts is what the
// compiler of TypeScript makes of it, committed and held fresh by a test; the
// declarations of the protocol come from src/api.ts, without its values.
func Package(dir, version string) ([]byte, error) {
	script, err := bundle(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "npm", "index.ts")}, Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
	})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"index.js": script}
	for name, path := range map[string]string{
		"index.d.ts": "npm/index.d.ts", "README.md": "npm/README.md", "examples/echo.mjs": "npm/examples/echo.mjs",
		"package.json": "npm/package.json", "api.d.ts": "src/api.ts", "LICENSE": "../LICENSE",
	} {
		if files[name], err = os.ReadFile(filepath.Join(dir, path)); err != nil {
			return nil, fmt.Errorf("read a file of the package: %w", err)
		}
	}
	files["api.d.ts"] = values.ReplaceAll(files["api.d.ts"], nil)
	numbered := bytes.Replace(files["package.json"], []byte(`"version": "0.0.0"`), []byte(`"version": "`+version+`"`), 1)
	if bytes.Equal(numbered, files["package.json"]) || strings.ContainsAny(version, "\"\\\n") {
		return nil, errors.New(`put the version into package.json: it must say "version": "0.0.0", and the version be one`)
	}
	files["package.json"] = numbered
	return tarball(files)
}

// values are the constants of api.ts, with the comments before them.
var values = regexp.MustCompile(`(?m)^(/\*\*.*\*/\n)?export const [\s\S]*?^[\]}].*;\n`)

func tarball(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := &tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	for _, c := range []io.Closer{w, z} {
		if err := c.Close(); err != nil {
			return nil, fmt.Errorf("pack: %w", err)
		}
	}
	return b.Bytes(), nil
}
