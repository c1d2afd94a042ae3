package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floors is the plan of the house: an import goes down, never sideways on a
// floor, never up.
func floors() map[string]int {
	return map[string]int{
		"appliance/disk": 0, "appliance/id": 0, "appliance/fold": 0,

		"appliance/disk/disktest": 1, "appliance/record": 1, "appliance/wire": 1, "appliance/journal": 1, "appliance/blob": 1,
		"appliance/markup": 1, "appliance/tus": 1, "appliance/filename": 1, "appliance/thumbnail": 1, "appliance/config": 1,
		"appliance/lancert": 1, "appliance/doctext": 1, "appliance/pinyin": 1, "appliance/migrate": 1, "webui": 1, "webui/bundle": 2, "webui/pages": 0,

		"appliance/state": 2, "appliance/hook": 2, "appliance/netguard": 1, "appliance/outhook": 3, "appliance/client": 2, "appliance/reference": 2,
		"appliance/sequencer": 3, "appliance/search": 3,
		"appliance/chat": 4, "appliance/bench": 4,
		"appliance/gate": 5,

		"appliance/meter": 0, "appliance/probe": 3,

		"sysmon/words": 0,
		"sysmon/expo":  1, "sysmon/store": 2, "sysmon/notify": 1, "sysmon/board": 1, "sysmon/bundle": 1, "webui/console": 1,
		"sysmon/host": 2, "sysmon/query": 2, "sysmon/scrape": 3, "sysmon/remote": 2, "sysmon/alert": 2, "sysmon/probe": 2,
		"sysmon/rule": 3, "sysmon/health": 3, "sysmon/health/healthtest": 4,
		"sysmon/runbook": 4, "sysmon/checklist": 4,
		"sysmon": 5,
		"admin":  6, "doctor": 6, "support": 6,

		"cmd/posthouse": 7, "cmd/e2e": 7, "cmd/benchweb": 7, "cmd/faults": 7, "webui/build": 7, "appliance/client/examples/echo": 7, "webui/build/emoji": 7, "webui/build/pages": 7,
	}
}

// owners are the packages that alone may import a library.
func owners() map[string][]string {
	return map[string][]string{
		"go.etcd.io/bbolt":                   {"appliance/state", "appliance/search", "appliance/outhook", "sysmon/alert"},
		"github.com/klauspost/compress/zstd": {"appliance/search"},
		"github.com/mozillazg/go-pinyin":     {"appliance/pinyin"},
		"github.com/fasthttp/websocket":      {"appliance/gate", "appliance/client", "appliance/bench"},
		"github.com/shirou/gopsutil/v3":      {"sysmon/host"},
		"github.com/a-h/templ":               {"webui", "webui/pages", "webui/console", "webui/build/pages", "admin"},
		"github.com/fxamacker/cbor/v2":       {"appliance/record"},
		"github.com/pelletier/go-toml/v2":    {"appliance/config"},
	}
}

type source struct {
	pkg  string // below the module
	path string
	file *ast.File
	set  *token.FileSet
	size int // lines
	test bool
}

// sources parses every Go file of the module. It does not ask the go command,
// whose test cache would not see a new file.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var out []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "data") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, raw, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		out = append(out, source{pkg: filepath.ToSlash(rel), path: path, file: f, set: set,
			size: strings.Count(string(raw), "\n"), test: strings.HasSuffix(name, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImportsGoDown(t *testing.T) {
	floor := floors()
	for _, s := range sources(t) {
		mine, known := floor[s.pkg]
		if !known {
			t.Errorf("%s: package %s stands on no floor: give it one", s.path, s.pkg)
			continue
		}
		for _, imp := range s.file.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for lib, who := range owners() {
				if (path == lib || strings.HasPrefix(path, lib+"/")) && !s.test && !contains(who, s.pkg) {
					t.Errorf("%s imports %s, which belongs to %v", s.path, path, who)
				}
			}
			below, ours := strings.CutPrefix(path, "posthouse/")
			if !ours || s.test {
				continue
			}
			if theirs, ok := floor[below]; !ok || theirs >= mine {
				t.Errorf("%s: %s (floor %d) imports %s (floor %d): imports go down", s.path, s.pkg, mine, below, theirs)
			}
			if strings.HasPrefix(s.pkg, "appliance") && (strings.HasPrefix(below, "webui") || strings.HasPrefix(below, "sysmon") || below == "admin" || below == "doctor" || below == "support") {
				t.Errorf("%s: the appliance knows nothing of %s", s.path, below)
			}
			if strings.HasPrefix(s.pkg, "sysmon") && !strings.HasPrefix(below, "sysmon") {
				t.Errorf("%s: what watches knows nothing of %s", s.path, below)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			said[s.pkg] = said[s.pkg] || s.file.Doc != nil && len(s.file.Doc.Text()) > 80
		}
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("package %s has no comment that says what it owns", pkg)
		}
	}
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	const fileLines, funcLines = 600, 100
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_templ.go") {
			continue
		}
		if s.size > fileLines {
			t.Errorf("%s has %d lines: split it", s.path, s.size)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init functions", s.path)
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line; n > funcLines && !s.test {
				t.Errorf("%s: %s has %d lines", s.path, f.Name.Name, n)
			}
		}
	}
}

// Every key of the configuration is read by something outside the package that
// reads the file, or by a method beside its field.
func TestEveryKeyOfTheConfigurationHasAnEffect(t *testing.T) {
	keys, used := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if s.pkg == "appliance/config" && !s.test && n.Tag != nil && strings.Contains(n.Tag.Value, `default:"`) {
					for _, name := range n.Names {
						keys[name.Name] = true
					}
				}
			case *ast.SelectorExpr:
				used[n.Sel.Name] = used[n.Sel.Name] || !s.test && (s.pkg != "appliance/config" || filepath.Base(s.path) == "config.go")
			}
			return true
		})
	}
	if len(keys) < 50 {
		t.Fatalf("only %d keys were found", len(keys))
	}
	for key := range keys {
		if !used[key] {
			t.Errorf("nothing reads the configuration's %s", key)
		}
	}
}
