package rule

import (
	"strings"
	"testing"
	"time"
)

func at(d time.Duration) time.Time { return time.Unix(0, 0).UTC().Add(d) }

func TestASeasonalBoundKnowsTheHour(t *testing.T) {
	b := newBench(t)
	// Days of 20 connections by night and 220 by day. On the last day 200 at three and 200 at ten.
	b.load(at(0), 5*m, []input{{series: `connections_active{instance="box"}`, steps: dayCycle(9, func(when time.Duration, v float64) float64 {
		if when >= 8*day+3*h && when < 8*day+4*h || when >= 8*day+10*h && when < 8*day+11*h {
			return 200
		}
		return v
	})}})
	for _, season := range []string{"week", "day"} {
		form := unusual()
		form.Bound.Season, form.Bound.Cycles, form.Bound.Direction = season, 0, Above
		// A new manager on the same store: there is nothing else that could be lost.
		for range 2 {
			man := open(t, b.options())
			s, bad := form.Spec(Spec{})
			if bad != nil {
				t.Fatal(bad.EN)
			}
			p, err := man.Preview(t.Context(), s, "", at(8*day), at(9*day))
			if err != nil {
				t.Fatal(err)
			}
			if p.Times != 1 || p.Periods[0].From.Before(at(8*day+3*h)) || p.Periods[0].From.After(at(8*day+3*h+25*m)) || p.Periods[0].To.After(at(8*day+4*h+30*m)) {
				t.Errorf("%s: it would have fired %d times: %v", season, p.Times, p.Periods)
			}
			drawn, err := man.Draw(t.Context(), form, at(8*day), at(9*day))
			if err != nil {
				t.Fatal(err)
			}
			if len(drawn.Value) != 1 || len(drawn.Upper) != 1 || len(drawn.Lower) != 0 {
				t.Fatalf("drawn: %d %d %d", len(drawn.Value), len(drawn.Upper), len(drawn.Lower))
			}
			night, noon := 0.0, 0.0
			for _, p := range drawn.Upper[0].Floats {
				switch {
				case p.T < at(8*day+3*h).UnixMilli():
					night = p.F
				case p.T < at(8*day+10*h).UnixMilli():
					noon = p.F
				}
			}
			if night == 0 || night > 100 || noon < 200 {
				t.Errorf("%s: the upper bound is %.0f at three and %.0f at ten", season, night, noon)
			}
		}
	}
}

func TestAMovingBoundFollowsAndSensitivityMatters(t *testing.T) {
	b := newBench(t)
	noise := []string{}
	for i := range 600 { // minutes: a slow rise with noise, a step of 30 at minute 400 for 20 minutes
		v := 100 + float64(i)/20 + 3*float64(i*7919%11-5)/5
		if i >= 400 && i < 420 {
			v += 15
		}
		noise = append(noise, number(v))
	}
	b.load(at(0), m, []input{{series: `latency{instance="box"}`, steps: noise}})
	man := open(t, b.options())
	times := map[int]int{}
	for _, sensitivity := range []int{1, 9} {
		form := Form{Name: "LatencyUnusual", Expr: "latency", Severity: "warning", For: 5 * m,
			Bound: Bound{Kind: Moving, Sensitivity: sensitivity, Window: 2 * h, Direction: Above}}
		s, bad := form.Spec(Spec{})
		if bad != nil {
			t.Fatal(bad.EN)
		}
		p, err := man.Preview(t.Context(), s, "", at(3*h), at(9*h))
		if err != nil {
			t.Fatal(err)
		}
		times[sensitivity] = p.Times
	}
	if times[1] != 0 || times[9] != 1 {
		t.Errorf("it would have fired %v times", times)
	}
}

func TestPreviewCountsAsPrometheusDoes(t *testing.T) {
	b := newBench(t)
	b.load(at(0), m, []input{{series: `queue_length{queue="out"}`, steps: []string{
		"5+0x59", "20+0x9", "5+0x29", "20+0x3", "5+0x26", "20+0x7", "5+0x1", "20+0x7", "5+0x29"}}})
	// 20 in minutes 60–69 (fires), 100–103 (too short), 131–138 and 141–148 (a dip of two minutes between).
	man := open(t, b.options())
	s := Spec{Alert: "QueueLong", Expr: "queue_length > 10", For: 5 * m}
	count := func(s Spec, hold string) Preview {
		p, err := man.Preview(t.Context(), s, hold, at(0), at(170*m))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := count(s, "")
	if p.Times != 3 || !p.Periods[0].From.Equal(at(65*m)) || !p.Periods[0].To.Equal(at(70*m).Add(4*m+15*time.Second).Truncate(time.Second)) && p.Periods[0].To.Before(at(70*m)) {
		t.Errorf("%d times: %v", p.Times, p.Periods)
	}
	s.KeepFiringFor = 10 * m
	if p := count(s, ""); p.Times != 2 {
		t.Errorf("with keep_firing_for %d times: %v", p.Times, p.Periods)
	}
	// The dip to 5 stays above a recovery threshold of 4: the alert never ends.
	recovery := 4.0
	form := Form{Name: "QueueLong", Expr: "queue_length", Op: ">", Threshold: 10, Recovery: &recovery, For: 5 * m, Severity: "warning"}
	s.KeepFiringFor = 0
	if p := count(s, form.Hold()); p.Times != 1 || !p.Periods[0].Open {
		t.Errorf("with a recovery threshold %d times: %v", p.Times, p.Periods)
	}
}

func TestARecoveryThresholdHoldsTheAlert(t *testing.T) {
	recovery := 70.0
	form := Form{Name: "Hot", Expr: "sum by (instance) (heat)", Op: ">", Threshold: 80, Recovery: &recovery, For: m, Severity: "serious"}
	s, bad := form.Spec(Spec{Labels: map[string]string{"subject": "host"}})
	if bad != nil {
		t.Fatal(bad.EN)
	}
	b := newBench(t)
	b.load(at(0), m, []input{level(`heat{instance="box"}`, phase{5 * m, 75}, phase{5 * m, 85}, phase{5 * m, 75}, phase{5 * m, 65}, phase{5 * m, 75})})
	man, err := Open(t.TempDir(), b.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := man.Create(s, &form, "ann"); err != nil {
		t.Fatal(err)
	}
	want := map[time.Duration]bool{4 * m: false, 7 * m: true, 13 * m: true, 16 * m: false, 22 * m: false}
	for _, g := range b.groups(man) {
		if g.File() != "console.Hot.yml" {
			continue
		}
		for when := time.Duration(0); when < 25*m; when += m {
			g.Eval(t.Context(), at(when))
			if expected, looked := want[when]; looked && (len(g.AlertingRules()[0].ActiveAlerts()) == 1) != expected {
				t.Errorf("at %s: active %v", when, !expected)
			}
		}
	}
}

func TestFormsRefuseInBothLanguages(t *testing.T) {
	good := Form{Name: "X", Expr: "up", Op: "<", Threshold: 1, Severity: "warning"}
	if _, bad := good.Spec(Spec{}); bad != nil {
		t.Fatal(bad.EN)
	}
	low, high := 0.5, 2.0
	for name, edit := range map[string]func(f *Form){
		"name": func(f *Form) { f.Name = "a b" }, "severity": func(f *Form) { f.Severity = "info" }, "expr": func(f *Form) { f.Expr = "sum(" },
		"range": func(f *Form) { f.Expr = "up[5m]" }, "op": func(f *Form) { f.Op = "=>" }, "guard": func(f *Form) { f.Guard = "or vector(1)" },
		"for": func(f *Form) { f.For = -1 }, "recovery": func(f *Form) { f.Recovery = &low }, "kind": func(f *Form) { f.Bound.Kind = "magic" },
		"sensitivity": func(f *Form) { f.Bound = Bound{Kind: Moving, Sensitivity: 11} }, "guard text": func(f *Form) { f.Guard = "and (" },
		"window": func(f *Form) { f.Bound = Bound{Kind: Seasonal, Window: time.Second} },
	} {
		f := good
		edit(&f)
		if _, bad := f.Spec(Spec{}); bad == nil || bad.EN == "" || bad.ZH == "" || bad.EN == bad.ZH {
			t.Errorf("%s: %v", name, bad)
		}
	}
	good.Recovery = &high
	if _, bad := good.Spec(Spec{}); bad != nil {
		t.Error(bad.EN)
	}
}

func TestFormsOfShippedRulesMakeTheSameRules(t *testing.T) {
	forms := 0
	for _, r := range open(t, newBench(t).options()).Rules() {
		f, ok := FormOf(r.Spec)
		if !ok {
			continue
		}
		forms++
		s, bad := f.Spec(r.Spec)
		if bad != nil {
			t.Errorf("%s: %s", r.ID, bad.EN)
		} else if s.Expr != r.Spec.Expr || s.For != r.Spec.For || s.KeepFiringFor != r.Spec.KeepFiringFor {
			t.Errorf("%s: %q became %q", r.ID, r.Spec.Expr, s.Expr)
		}
	}
	if forms < 30 {
		t.Errorf("only %d shipped rules fit the form", forms)
	}
}

func TestWhatARuleNeeds(t *testing.T) {
	for expr, want := range map[string]string{
		`a / b > 1`: "a b", `a or b`: "", `c or b`: "c b", `c or d`: "c d", `a unless c`: "", `absent(c)`: "", `a > 2 and b offset 1w > 1`: "", `c offset 5m`: "",
		`sum(rate(c{status="500"}[5m])) / sum(rate(a[5m]))`: "c", `ALERTS{alertname="x"}`: "", `{job="x"}`: "", `avg_over_time((c)[1h:5m])`: "c",
	} {
		e, err := newParser().ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		have := "a"
		if want == "a b" {
			have = "none"
		}
		got := strings.Join(needOf(e).missing(func(metric string) bool { return metric == have }), " ")
		if got != want {
			t.Errorf("%s: missing %q, want %q", expr, got, want)
		}
	}
}
