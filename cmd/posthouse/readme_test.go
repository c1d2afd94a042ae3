package main

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The tour in README.md names packages and functions: they must be there.
func TestTheTourIsTrue(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, s := range sources(t) {
		have[s.pkg] = true
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil && len(f.Recv.List) == 1 {
				typ := f.Recv.List[0].Type
				if p, ok := typ.(*ast.StarExpr); ok {
					if id, ok := p.X.(*ast.Ident); ok {
						name = "(*" + id.Name + ")." + name
					}
				}
			}
			have[s.pkg+" "+name] = true
		}
	}
	found := regexp.MustCompile("`(appliance/[a-z]+)`\\s+`([^`]+)`").FindAllStringSubmatch(string(raw), -1)
	if len(found) < 8 {
		t.Fatalf("the tour names %d functions", len(found))
	}
	for _, m := range found {
		if !have[m[1]+" "+m[2]] {
			t.Errorf("README.md names %s in %s, which is not there", m[2], m[1])
		}
	}
	for _, dir := range regexp.MustCompile("`((?:appliance|cmd|webui)/?[a-z]*)`").FindAllStringSubmatch(string(raw), -1) {
		name := strings.TrimSuffix(dir[1], "/")
		if _, err := os.Stat("../../" + name); err != nil { // webui has directories without Go
			t.Errorf("README.md names %s, which is not there", name)
		}
	}
	if strings.Contains(string(raw), "FIGURES") {
		t.Error("README.md has no figures yet")
	}
}
