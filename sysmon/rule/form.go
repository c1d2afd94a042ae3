package rule

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/sysmon/words"
)

// Kinds of bounds.
const (
	Static   = "static"   // a number
	Moving   = "moving"   // mean and deviation of the time before
	Seasonal = "seasonal" // mean and deviation of the same hour of earlier days or weeks
)

// Directions of a moving or seasonal bound.
const (
	Above = "above"
	Below = "below"
	Both  = "both"
)

// Bound says what a figure is compared with.
type Bound struct {
	Kind        string        `yaml:"kind" json:"kind"`
	Direction   string        `yaml:"direction,omitempty" json:"direction,omitempty"`
	Sensitivity int           `yaml:"sensitivity,omitempty" json:"sensitivity,omitempty"` // 1 (few alerts) to 10 (many)
	Window      time.Duration `yaml:"window,omitempty" json:"window,omitempty"`           // moving: how much of the past; seasonal: width of the hour
	Season      string        `yaml:"season,omitempty" json:"season,omitempty"`           // day or week
	Cycles      int           `yaml:"cycles,omitempty" json:"cycles,omitempty"`           // how many days or weeks
}

// Form is a rule as the console's form shows it; Spec makes the rule of it.
type Form struct {
	Name          string        `yaml:"name" json:"name"`
	Expr          string        `yaml:"expr" json:"expr"` // the figure
	Op            string        `yaml:"op,omitempty" json:"op,omitempty"`
	Threshold     float64       `yaml:"threshold,omitempty" json:"threshold,omitempty"`
	Recovery      *float64      `yaml:"recovery,omitempty" json:"recovery,omitempty"` // static bounds: it ends only when this is passed too
	Guard         string        `yaml:"guard,omitempty" json:"guard,omitempty"`       // "and …" or "unless …": a further condition
	For           time.Duration `yaml:"for,omitempty" json:"for,omitempty"`
	KeepFiringFor time.Duration `yaml:"keep_firing_for,omitempty" json:"keep_firing_for,omitempty"`
	Severity      string        `yaml:"severity" json:"severity"`
	Bound         Bound         `yaml:"bound" json:"bound"`
}

// Lines are the expressions of what is drawn: the figure and its bounds. Upper
// or Lower is empty when there is none.
type Lines struct {
	Value, Lower, Upper string
}

// Deviations is how many standard deviations a sensitivity allows: 6 at 1,
// 4 at 5, 1.5 at 10.
func Deviations(sensitivity int) float64 { return 6.5 - float64(sensitivity)/2 }

// margin is the part of the mean that is allowed beside the deviation, so that
// a figure that never moves does not ring at the first ripple.
const margin = 0.05

// Spec makes the rule. Labels and annotations are taken from base, which may be
// zero; severity and the threshold that people read are set.
func (f Form) Spec(base Spec) (Spec, *words.Text) {
	f = f.complete()
	if bad := f.check(); bad != nil {
		return Spec{}, bad
	}
	out := Spec{Alert: f.Name, For: f.For, KeepFiringFor: f.KeepFiringFor, Labels: map[string]string{}, Annotations: map[string]string{}}
	for k, v := range base.Labels {
		out.Labels[k] = v
	}
	for k, v := range base.Annotations {
		out.Annotations[k] = v
	}
	out.Labels["severity"] = f.Severity
	f.annotate(out.Annotations)
	out.Expr = f.expr(out.Labels)
	if _, err := newParser().ParseExpr(out.Expr); err != nil {
		return Spec{}, refuse("the expression does not parse: "+err.Error(), "表达式无法解析："+err.Error())
	}
	return out, nil
}

func refuse(en, zh string) *words.Text { t := words.Of(en, zh); return &t }

// complete puts in what a form may leave out.
func (f Form) complete() Form {
	f.Expr, f.Guard = strings.TrimSpace(f.Expr), strings.TrimSpace(f.Guard)
	b := &f.Bound
	if b.Kind == "" {
		b.Kind = Static
	}
	if b.Kind == Static {
		*b = Bound{Kind: Static}
		return f
	}
	if b.Direction == "" {
		b.Direction = Above
	}
	if b.Sensitivity == 0 {
		b.Sensitivity = 5
	}
	if b.Window == 0 {
		b.Window = time.Hour
	}
	if b.Kind == Seasonal && b.Season == "" {
		b.Season = "week"
	}
	if b.Kind == Seasonal && b.Cycles == 0 {
		b.Cycles = 4
		if b.Season == "day" {
			b.Cycles = 7
		}
	}
	return f
}

// check refuses what makes no sense, in both languages.
func (f Form) check() *words.Text {
	if !model.LegacyValidation.IsValidLabelName(f.Name) {
		return refuse("the name may have letters, digits and _ and begins with a letter", "名称只能包含字母、数字和下划线，且以字母开头")
	}
	if f.Severity != "warning" && f.Severity != "serious" && f.Severity != "critical" {
		return refuse("the severity is warning, serious or critical", "级别应为警告、严重或紧急")
	}
	expr, err := newParser().ParseExpr(f.Expr)
	if err != nil {
		return refuse("the figure does not parse: "+err.Error(), "指标表达式无法解析："+err.Error())
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return refuse("the figure has to be one number a series, not a range: use rate() or avg_over_time()", "指标须为瞬时值而不是区间，请使用 rate() 或 avg_over_time()")
	}
	if f.Guard != "" && !strings.HasPrefix(f.Guard, "and ") && !strings.HasPrefix(f.Guard, "unless ") {
		return refuse(`the further condition begins with "and" or "unless"`, "附加条件须以 and 或 unless 开头")
	}
	if f.For < 0 || f.For > 31*24*time.Hour || f.KeepFiringFor < 0 || f.KeepFiringFor > 31*24*time.Hour {
		return refuse("durations are between 0 and 31 days", "时长应在 0 到 31 天之间")
	}
	if f.Bound.Kind == Static {
		return f.checkStatic()
	}
	return f.Bound.check()
}

func (f Form) checkStatic() *words.Text {
	switch f.Op {
	case ">", ">=", "<", "<=", "==", "!=":
	default:
		return refuse("the comparison is one of > >= < <= == !=", "比较符应为 > >= < <= == != 之一")
	}
	if math.IsNaN(f.Threshold) || math.IsInf(f.Threshold, 0) {
		return refuse("the threshold has to be a number", "阈值必须是数字")
	}
	if f.Recovery == nil {
		return nil
	}
	up := strings.HasPrefix(f.Op, ">")
	if f.Op == "==" || f.Op == "!=" || up && *f.Recovery >= f.Threshold || !up && *f.Recovery <= f.Threshold {
		return refuse("the recovery threshold lies on the calm side of the threshold", "恢复阈值必须位于阈值的正常一侧")
	}
	return nil
}

func (b Bound) check() *words.Text {
	switch {
	case b.Kind != Moving && b.Kind != Seasonal:
		return refuse("the bound is static, moving or seasonal", "阈值类型应为静态、移动平均或周期")
	case b.Direction != Above && b.Direction != Below && b.Direction != Both:
		return refuse("the direction is above, below or both", "方向应为高于、低于或双向")
	case b.Sensitivity < 1 || b.Sensitivity > 10:
		return refuse("the sensitivity is between 1 and 10", "灵敏度应在 1 到 10 之间")
	case b.Window < 5*time.Minute || b.Window > 24*time.Hour:
		return refuse("the window is between 5 minutes and 24 hours", "窗口应在 5 分钟到 24 小时之间")
	case b.Kind == Seasonal && b.Season != "day" && b.Season != "week":
		return refuse("the season is a day or a week", "周期应为天或周")
	case b.Kind == Seasonal && (b.Cycles < 1 || b.Cycles > 14):
		return refuse("1 to 14 earlier days or weeks are compared", "可比较 1 到 14 个以往周期")
	}
	return nil
}

// annotate sets what people read of the bound, and texts where there are none.
func (f Form) annotate(a map[string]string) {
	a["threshold"] = strings.TrimSpace(f.Op + " " + number(f.Threshold))
	if f.Bound.Kind != Static {
		a["threshold"] = "μ ± " + number(Deviations(f.Bound.Sensitivity)) + "σ"
	}
	for k, v := range map[string]string{
		"summary":    f.Name + `: {{ printf "%.4g" $value }}`,
		"summary_zh": f.Name + `：{{ printf "%.4g" $value }}`,
		"value":      `{{ printf "%.4g" $value }}`,
		"link":       "{{ $externalURL }}/admin/alerts?name=" + f.Name,
	} {
		if a[k] == "" {
			a[k] = v
		}
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// expr is the condition.
func (f Form) expr(labels map[string]string) string {
	guard := ""
	if f.Guard != "" {
		guard = "\n" + f.Guard
	}
	if f.Bound.Kind == Static {
		fire := operand(f.Expr) + " " + f.Op + " " + number(f.Threshold) + guard
		if f.Recovery == nil {
			return fire
		}
		ignored := []string{"alertname", "alertstate"}
		ignored = append(ignored, sorted(labels)...)
		return fmt.Sprintf("(%s)\nor (\n  %s %s %s\n  and ignoring (%s) ALERTS{alertname=%q,alertstate=\"firing\",severity=%q}\n)",
			fire, operand(f.Expr), f.Op, number(*f.Recovery), strings.Join(ignored, ", "), f.Name, f.Severity)
	}
	l := f.Lines()
	var sides []string
	if l.Upper != "" {
		sides = append(sides, operand(f.Expr)+" > "+l.Upper)
	}
	if l.Lower != "" {
		sides = append(sides, operand(f.Expr)+" < "+l.Lower)
	}
	if len(sides) == 1 {
		return sides[0] + guard
	}
	return "(\n" + sides[0] + "\nor\n" + sides[1] + "\n)" + guard
}

// operand puts and, or, unless and comparisons into parentheses.
func operand(expr string) string {
	e, err := newParser().ParseExpr(expr)
	if err != nil { // refused by check
		return "(" + expr + ")"
	}
	if b, ok := e.(*parser.BinaryExpr); ok && b.Op.IsSetOperator() {
		return "(" + expr + ")"
	}
	return expr
}

// Lines are the figure and its bounds as expressions to draw.
func (f Form) Lines() Lines {
	f = f.complete()
	l := Lines{Value: f.Expr}
	if f.Bound.Kind == Static {
		line := fmt.Sprintf("(%s) * 0 + %s", f.Expr, number(f.Threshold))
		if strings.HasPrefix(f.Op, "<") {
			l.Lower = line
		} else {
			l.Upper = line
		}
		return l
	}
	mean, deviation := f.mean(), ""
	if f.Bound.Kind == Moving {
		deviation = f.over("stddev_over_time", f.Expr, f.movingOffset(), "1m")
	} else {
		deviation = fmt.Sprintf("sqrt(clamp_min(%s - (%s) ^ 2, 0))", f.seasons("("+f.Expr+") ^ 2"), mean)
	}
	band := fmt.Sprintf("(%s * %s + %s * abs(%s))", number(Deviations(f.Bound.Sensitivity)), deviation, number(margin), mean)
	if f.Bound.Direction != Below {
		l.Upper = "(" + mean + " + " + band + ")"
	}
	if f.Bound.Direction != Above {
		l.Lower = "(" + mean + " - " + band + ")"
	}
	return l
}

func (f Form) mean() string {
	if f.Bound.Kind == Moving {
		return f.over("avg_over_time", f.Expr, f.movingOffset(), "1m")
	}
	return f.seasons(f.Expr)
}

// movingOffset keeps what is being judged out of what it is judged by: the
// time it has to last, and five minutes.
func (f Form) movingOffset() time.Duration { return f.For + 5*time.Minute }

func (f Form) over(function, expr string, offset time.Duration, step string) string {
	return fmt.Sprintf("%s((%s)[%s:%s] offset %s)", function, expr, model.Duration(f.Bound.Window), step, model.Duration(offset))
}

// seasons is the mean of an expression around the same time of earlier days or
// weeks; those of which nothing is known do not count.
func (f Form) seasons(expr string) string {
	length := 7 * 24 * time.Hour
	if f.Bound.Season == "day" {
		length = 24 * time.Hour
	}
	var parts []string
	for i := 1; i <= f.Bound.Cycles; i++ {
		past := f.over("avg_over_time", expr, time.Duration(i)*length-f.Bound.Window/2, "5m")
		parts = append(parts, fmt.Sprintf("label_replace(%s, \"season\", \"%d\", \"\", \"\")", past, i))
	}
	return "avg without (season) (" + strings.Join(parts, " or ") + ")"
}

// FormOf reads a rule back into a form: a comparison with a number, with a
// further condition or without. It is false for any other expression.
func FormOf(s Spec) (Form, bool) {
	e, err := newParser().ParseExpr(s.Expr)
	if err != nil || s.Alert == "" {
		return Form{}, false
	}
	f := Form{Name: s.Alert, For: s.For, KeepFiringFor: s.KeepFiringFor, Severity: s.Labels["severity"], Bound: Bound{Kind: Static}}
	top, ok := e.(*parser.BinaryExpr)
	if !ok {
		return Form{}, false
	}
	if top.Op == parser.LAND || top.Op == parser.LUNLESS {
		inner, ok := top.LHS.(*parser.BinaryExpr)
		if !ok {
			return Form{}, false
		}
		f.Guard = strings.TrimSpace(s.Expr[inner.PositionRange().End:])
		top = inner
	}
	limit, ok := numberOf(top.RHS)
	if !top.Op.IsComparisonOperator() || top.ReturnBool || !ok {
		return Form{}, false
	}
	f.Op, f.Threshold = top.Op.String(), limit
	f.Expr = s.Expr[top.LHS.PositionRange().Start:top.LHS.PositionRange().End]
	return f, true
}

func numberOf(e parser.Expr) (float64, bool) {
	switch e := e.(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.UnaryExpr:
		v, ok := numberOf(e.Expr)
		if e.Op == parser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}
