package admin

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/rule"
	"posthouse/sysmon/words"
)

// ruleAnswer is the data of one chart: GET /admin/data/rules/rule?id= for a
// rule over the last day, and /admin/data/rules/preview with the fields of the form over
// the last seven. Times are Unix seconds; null is a gap.
type ruleAnswer struct {
	From       float64           `json:"from"`
	To         float64           `json:"to"`
	Step       float64           `json:"step"`
	Times      []int64           `json:"times"`
	Series     []boundAnswer     `json:"series"`
	Thresholds []thresholdAnswer `json:"thresholds,omitempty"`
	Periods    []periodAnswer    `json:"periods,omitempty"`
	Error      string            `json:"error,omitempty"`
}

// boundAnswer is a series, or an edge of the band of what is usual.
type boundAnswer struct {
	Label  string   `json:"label"`
	Values []number `json:"values"`
	Bound  bool     `json:"bound,omitempty"`
}

// ruleData is the figure of a rule with when it fired.
func (a *Admin) ruleData(r *Request) {
	m := a.o.Rules.Manager
	if m == nil {
		r.refuse(fasthttp.StatusNotFound, words.Of("There are no rules.", "没有规则。"))
		return
	}
	one, ok := m.Rule(r.Query("id"))
	if !ok {
		r.refuse(fasthttp.StatusNotFound, words.Of("There is no such rule.", "没有这条规则。"))
		return
	}
	in := entered{spec: one.Spec, form: one.Form}
	if in.form == nil {
		if f, ok := rule.FormOf(one.Spec); ok {
			in.form = &f
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), boardTime)
	defer cancel()
	to := a.o.Now()
	from := to.Add(-24 * time.Hour)
	out := drawRule(ctx, m, in, from, to, r.Tongue())
	spans, err := m.Timeline(ctx, one.ID, from, to)
	if err != nil {
		out.Error = trouble(err, r.Tongue())
	}
	for _, s := range spans {
		if s.State == rule.Firing {
			out.Periods = append(out.Periods, periodAnswer{seconds(s.From), seconds(s.To), one.Spec.Name(), string(severityOf(one.Severity()))})
		}
	}
	r.JSON(out)
}

// rulePreviewData is what was entered, with when it would have fired.
func (a *Admin) rulePreviewData(r *Request) {
	m := a.o.Rules.Manager
	if m == nil {
		r.refuse(fasthttp.StatusNotFound, words.Of("There are no rules.", "没有规则。"))
		return
	}
	base := rule.Spec{Alert: r.Query("name"), Labels: map[string]string{"subject": r.Query("subject")}}
	in := readRule(r.Queries(), base)
	for _, text := range in.errors {
		r.refuse(fasthttp.StatusBadRequest, text)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), boardTime)
	defer cancel()
	to := a.o.Now()
	out := drawRule(ctx, m, in, to.Add(-previewSpan), to, r.Tongue())
	p, err := a.previewOf(ctx, m, in)
	if err != nil {
		out.Error = trouble(err, r.Tongue())
	}
	for _, one := range p.Periods {
		out.Periods = append(out.Periods, periodAnswer{seconds(one.From), seconds(one.To), in.spec.Name(), string(severityOf(in.spec.Labels["severity"]))})
	}
	r.JSON(out)
}

// drawRule evaluates the figure and its bounds. Bounds are drawn of the first
// series: a band for each of many is a fog.
func drawRule(ctx context.Context, m *rule.Manager, in entered, from, to time.Time, lang string) ruleAnswer {
	out := ruleAnswer{From: seconds(from), To: seconds(to), Times: []int64{}, Series: []boundAnswer{}}
	form := rule.Form{Name: "x", Expr: in.spec.Expr, Op: ">", Severity: "warning"}
	if in.form != nil {
		form = *in.form
	}
	drawn, err := m.Draw(ctx, form, from, to)
	if err != nil {
		out.Error = trouble(err, lang)
		return out
	}
	g := grid{first: from, last: to, step: drawn.Step}
	out.Step = drawn.Step.Seconds()
	for t := from; !t.After(to); t = t.Add(drawn.Step) {
		out.Times = append(out.Times, t.Unix())
	}
	for _, s := range drawn.Value {
		if len(out.Series) == seriesOfOne {
			break
		}
		name := labelText(s.Metric.Map())
		if name == "" {
			name = words.Of("figure", "指标").In(lang)
		}
		out.Series = append(out.Series, boundAnswer{Label: name, Values: g.column(s.Floats)})
	}
	if in.form == nil || len(drawn.Value) == 0 {
		return out
	}
	if form.Bound.Kind == rule.Static || form.Bound.Kind == "" {
		out.Thresholds = []thresholdAnswer{{form.Threshold, words.Of("threshold", "阈值").In(lang), form.Severity, form.Op[0] == '<'}}
		return out
	}
	first := drawn.Value[0].Metric
	lower, upper := sameSeries(drawn.Lower, first), sameSeries(drawn.Upper, first)
	pair := lower != nil && upper != nil
	if lower != nil {
		out.Series = append(out.Series, boundAnswer{Label: words.Of("lower bound", "下界").In(lang), Values: g.column(lower.Floats), Bound: pair})
	}
	if upper != nil {
		out.Series = append(out.Series, boundAnswer{Label: words.Of("upper bound", "上界").In(lang), Values: g.column(upper.Floats), Bound: pair})
	}
	return out
}

// sameSeries finds the bound that belongs to a series; the name does not count.
func sameSeries(list promql.Matrix, of labels.Labels) *promql.Series {
	i := slices.IndexFunc(list, func(s promql.Series) bool { return labelText(s.Metric.Map()) == labelText(of.Map()) })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// column puts points on the grid.
func (g grid) column(points []promql.FPoint) []number {
	out := make([]number, g.size())
	for i := range out {
		out[i] = number(math.NaN())
	}
	for _, p := range points {
		if i := (p.T - g.first.UnixMilli()) / g.step.Milliseconds(); i >= 0 && int(i) < len(out) {
			out[i] = number(p.F)
		}
	}
	return out
}
