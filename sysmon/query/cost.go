package query

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/strutil"
)

// What an expression costs beside its samples, each bounded before anything is
// evaluated, because the engine asks neither for its own books of a subquery
// nor for texts whether there is room:
//
//   - The steps of all subqueries together pass Limits.Samples no more: the
//     engine keeps eight bytes for each of them before it reads a sample.
//   - Regular expressions are compiled while an expression is parsed, some 360
//     bytes for each state: (a{0,1000}){…} is 2,000 states in ten bytes.
//   - An expression deep in itself takes the cube of its depth to be written
//     neatly.
//   - label_join and label_replace write labels out of labels; a chain of them
//     doubles a text with each link.
const (
	mostStates  = 40_000 // of all regular expressions of an expression
	mostNested  = 400    // parts of an expression inside each other
	mostWritten = 16_384 // bytes that functions write into labels of one series
	usualLabel  = 256    // bytes taken for a label as it is stored
	usualStep   = time.Minute
)

// Affordable refuses what no limit on samples would stop. It is asked before
// the expression is parsed, which alone would cost too much. The error is an
// *Error.
func Affordable(text string) error {
	states := 0
	var item parser.Item
	for lex := parser.Lex(text); ; {
		lex.NextItem(&item)
		switch item.Typ {
		case parser.EOF, parser.ERROR:
			return nil
		case parser.STRING:
			states += statesOf(item.Val)
		}
		if states > mostStates {
			return refuse(BadData, nil, fmt.Sprintf("the regular expressions are too large: over %s states; use smaller repetitions", thousands(mostStates)),
				fmt.Sprintf("正则表达式过大（超过 %s 个状态）：请减小重复次数。", thousands(mostStates)))
		}
	}
}

// statesOf is how many states a quoted text has as a regular expression; one
// that is none has none.
func statesOf(quoted string) int {
	pattern, err := strutil.Unquote(quoted)
	if err != nil {
		return 0
	}
	re, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL)
	if err != nil {
		return 0
	}
	return states(re)
}

func states(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 16
	}
	for _, sub := range re.Sub {
		n += states(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(1, re.Min+1, re.Max)
	}
	return n
}

// nested refuses an expression that is too deep in itself.
func nested(expr parser.Expr) error {
	if depth(expr, 0) <= mostNested {
		return nil
	}
	return refuse(BadData, nil, fmt.Sprintf("the expression is nested more than %d deep: record a part of it with a rule", mostNested),
		fmt.Sprintf("表达式嵌套超过 %d 层：请用记录规则保存其中一部分。", mostNested))
}

// depth is counted no further than one over mostNested.
func depth(node parser.Node, above int) int {
	deepest := above + 1
	if deepest > mostNested {
		return deepest
	}
	for child := range parser.ChildrenIter(node) {
		deepest = max(deepest, depth(child, above+1))
	}
	return deepest
}

// payable refuses a parsed expression whose subqueries or labels would take
// more than there is. span is the time that is evaluated.
func (e *Engine) payable(expr parser.Expr, span time.Duration) error {
	if n := steps(expr, span.Milliseconds()); n > int64(e.limits.Samples) {
		return refuse(Execution, nil, fmt.Sprintf("the subqueries have %s steps, %s are allowed: ask for less time or a longer step, as in [7d:5m]", thousands(int(n)), thousands(e.limits.Samples)),
			fmt.Sprintf("子查询共有 %s 步，最多允许 %s：请缩短时间范围或增大步长，如 [7d:5m]。", thousands(int(n)), thousands(e.limits.Samples)))
	}
	if _, n := written(expr); n > mostWritten {
		return refuse(Execution, nil, fmt.Sprintf("label_join and label_replace would write over %s bytes into the labels of each series", thousands(mostWritten)),
			fmt.Sprintf("label_join 和 label_replace 会在每个序列的标签中写入超过 %s 字节。", thousands(mostWritten)))
	}
	return nil
}

// steps is how often all subqueries of an expression are evaluated, when it is
// evaluated over a span of so many
// milliseconds.
func steps(node parser.Node, span int64) int64 {
	n := int64(0)
	if sub, ok := node.(*parser.SubqueryExpr); ok {
		step := sub.Step
		if step <= 0 {
			step = usualStep
		}
		span += sub.Range.Milliseconds()
		n = span / max(1, step.Milliseconds())
	}
	for child := range parser.ChildrenIter(node) {
		n += steps(child, span)
	}
	return n
}

// written is the longest label that an expression may have and the bytes that
// it writes into labels of a series, both counted no further than a little over
// mostWritten.
func written(node parser.Node) (longest, total int) {
	longest = usualLabel
	for child := range parser.ChildrenIter(node) {
		l, t := written(child)
		longest, total = max(longest, l), min(total+t, mostWritten+1)
	}
	call, ok := node.(*parser.Call)
	if !ok {
		return longest, total
	}
	text := func(i int) string {
		if i < len(call.Args) {
			if s, ok := call.Args[i].(*parser.StringLiteral); ok {
				return s.Val
			}
		}
		return ""
	}
	made := 0
	switch call.Func.Name {
	case "label_join":
		made = max(0, len(call.Args)-3) * (longest + len(text(2)))
	case "label_replace":
		made = strings.Count(text(2), "$")*longest + len(text(2))
	}
	made = min(made, mostWritten+1)
	return max(longest, made), min(total+made, mostWritten+1)
}
