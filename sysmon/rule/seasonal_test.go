package rule

import "testing"

// unusual is the form of which the shipped seasonal rule is made.
func unusual() Form {
	return Form{Name: "ConnectionsUnusual", Expr: "sum by (instance) (connections_active)", Severity: "warning", For: 15 * m,
		Guard: "and on (instance) sum by (instance) (avg_over_time(connections_active[1d])) >= 20",
		Bound: Bound{Kind: Seasonal, Direction: Both, Sensitivity: 5, Window: h, Season: "week", Cycles: 4}}
}

func TestTheShippedSeasonalRuleIsWhatTheFormMakes(t *testing.T) {
	want, bad := unusual().Spec(Spec{})
	if bad != nil {
		t.Fatal(bad.EN)
	}
	got, ok := open(t, newBench(t).options()).Rule("shipped/business.yml/business_seasonal/ConnectionsUnusual")
	if !ok {
		t.Fatal("no rule ConnectionsUnusual")
	}
	if got.Spec.Expr != want.Expr || got.Spec.For != want.For {
		t.Errorf("the shipped rule is\n%s\nthe form makes\n%s", got.Spec.Expr, want.Expr)
	}
}
