package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v2"

	"posthouse/sysmon/rule"
)

// shortest is the least a window of rate() can have with a sample a second on a
// busy machine.
const shortest = 5 * time.Second

// writeRules puts the shipped rules as the operator's own files into a data
// directory, every time in them divided by factor, and switches the shipped ones
// off.
func writeRules(t *testing.T, dir string, factor float64) {
	t.Helper()
	at := filepath.Join(dir, "watch", "rules")
	must(t, os.MkdirAll(filepath.Join(at, "changed"), 0o700))
	files, err := rule.Shipped()
	must(t, err)
	for _, f := range files {
		groups := parsed(t, f.Text)
		for i := range groups.Groups {
			g := &groups.Groups[i]
			if g.Interval > 0 { // else that of the samples
				g.Interval = model.Duration(max(time.Second, quicker(time.Duration(g.Interval), factor)))
			}
			seen := map[string]int{}
			for j := range g.Rules {
				r := &g.Rules[j]
				name := r.Alert + r.Record
				id := "shipped/" + f.Name + "/" + g.Name + "/" + name
				if seen[name]++; seen[name] > 1 {
					id += fmt.Sprintf("~%d", seen[name])
				}
				switchOff(t, at, id)
				r.Expr = quickerExpr(t, r.Expr, factor)
				r.For = model.Duration(quicker(time.Duration(r.For), factor))
				r.KeepFiringFor = model.Duration(quicker(time.Duration(r.KeepFiringFor), factor))
			}
		}
		text, err := yaml.Marshal(groups)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(at, f.Name), text, 0o600))
	}
}

func switchOff(t *testing.T, at, id string) {
	t.Helper()
	text := "id: " + id + "\ndisabled: true\n"
	must(t, os.WriteFile(filepath.Join(at, "changed", url.PathEscape(id)+".yml"), []byte(text), 0o600))
}

func parsed(t *testing.T, text []byte) *rulefmt.RuleGroups {
	t.Helper()
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, parser.NewParser(parser.Options{}), nil)
	for _, err := range errs {
		t.Fatal(err)
	}
	return groups
}

func quicker(d time.Duration, factor float64) time.Duration {
	return time.Duration(float64(d) / factor).Truncate(time.Millisecond)
}

// quickerExpr divides the windows, offsets and times to come of an expression,
// and the age of a process where it is compared with a time.
func quickerExpr(t *testing.T, text string, factor float64) string {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	must(t, err)
	over := &parser.NumberLiteral{Val: factor}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			n.OriginalOffset = quicker(n.OriginalOffset, factor)
		case *parser.MatrixSelector:
			n.Range = max(shortest, quicker(n.Range, factor))
		case *parser.SubqueryExpr:
			n.Range, n.Step, n.OriginalOffset = max(shortest, quicker(n.Range, factor)), quicker(n.Step, factor), quicker(n.OriginalOffset, factor)
		case *parser.Call:
			if n.Func.Name == "predict_linear" {
				n.Args[1] = &parser.BinaryExpr{Op: parser.DIV, LHS: &parser.ParenExpr{Expr: n.Args[1]}, RHS: over}
			}
		case *parser.BinaryExpr:
			if n.Op == parser.GTR && strings.HasPrefix(n.LHS.String(), "time() - process_start_time_seconds") {
				n.RHS = &parser.BinaryExpr{Op: parser.DIV, LHS: &parser.ParenExpr{Expr: n.RHS}, RHS: over}
			}
		}
		return nil
	})
	return expr.String()
}
