package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"posthouse/admin"
	"posthouse/sysmon/runbook"
)

// Whatever is written into the audit has a name in both languages. The actions
// are found where they are written: as an argument of what notes them.
func TestEveryDeedHasWords(t *testing.T) {
	t.Parallel()
	notes := map[string]int{"noted": 1, "noteDeed": 1, "note": 1, "did": 1, "Changed": 2, "ruleDid": 2} // by the place of the action
	found := map[string]string{}
	for _, dir := range []string{"../../admin", "../../appliance/chat", "."} {
		walk := func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := ""
				switch f := call.Fun.(type) {
				case *ast.Ident:
					name = f.Name
				case *ast.SelectorExpr:
					name = f.Sel.Name
				}
				at, ok := notes[name]
				if !ok || at >= len(call.Args) {
					return true
				}
				if lit, ok := call.Args[at].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					action, _ := strconv.Unquote(lit.Value)
					if name == "ruleDid" {
						action = "rule." + action
					}
					found[action] = path
				}
				return true
			})
			return nil
		}
		if err := filepath.WalkDir(dir, walk); err != nil {
			t.Fatal(err)
		}
	}
	for _, action := range []string{auditStarted, auditUpgraded, auditConfig, "rule.created", "rule.saved", "runbook.auto"} {
		found[action] = "a constant"
	}
	for _, mark := range []admin.PartMark{admin.MarkDone, admin.MarkSkipped, admin.MarkOpen} {
		found["setup."+string(mark)] = "what people say of the set-up"
	}
	for _, a := range runbook.Actions() {
		found["runbook."+a.ID] = "the catalogue of runbooks"
	}
	if len(found) < 60 {
		t.Errorf("only %d actions were found: the walk misses some", len(found))
	}
	for action, where := range found {
		if d := admin.Deed(action); d.EN == action || d.ZH == action || !strings.ContainsFunc(d.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s (%s) has no words: %+v", action, where, d)
		}
	}
}
