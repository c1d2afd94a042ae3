package query

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/sysmon/words"
)

// Kind is what went wrong, as the API of Prometheus names it.
type Kind string

// The kinds of errors and the HTTP status of each.
const (
	BadData   Kind = "bad_data"    // 400: the question is wrong
	Execution Kind = "execution"   // 422: it cannot be answered within the limits
	Canceled  Kind = "canceled"    // 499: who asked went away
	Timeout   Kind = "timeout"     // 503: it took too long
	Internal  Kind = "internal"    // 500: samples could not be read
	NotFound  Kind = "not_found"   // 404: no such path
	Unready   Kind = "unavailable" // 503: the store is not open
)

// Status is the HTTP status of a kind.
func (k Kind) Status() int {
	switch k {
	case BadData:
		return 400
	case Execution:
		return 422
	case Canceled:
		return 499
	case NotFound:
		return 404
	case Timeout, Unready:
		return 503
	}
	return 500
}

// Error is why a query was not answered. From and To are the bytes of the
// expression that it is about; equal: the whole.
type Error struct {
	Kind     Kind
	Say      words.Text
	From, To int
	Cause    error
}

// Error is the English text.
func (e *Error) Error() string { return e.Say.EN }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

func refuse(k Kind, cause error, en, zh string) *Error {
	return &Error{Kind: k, Say: words.Of(en, zh), Cause: cause}
}

// notParsed is the refusal of an expression that is none.
func notParsed(err error) error {
	var list parser.ParseErrors
	if !errors.As(err, &list) || len(list) == 0 {
		return refuse(BadData, err, err.Error(), "表达式有误："+err.Error())
	}
	first := list[0]
	out := refuse(BadData, err, err.Error(), fmt.Sprintf("表达式在%s有误：%s", place(first), first.Err))
	out.From, out.To = int(first.PositionRange.Start), int(first.PositionRange.End)
	return out
}

// place says where in an expression of one or several lines.
func place(p parser.ParseErr) string {
	line, at := 1, int(p.PositionRange.Start)
	if at > len(p.Query) || at < 0 {
		return "此处"
	}
	before := p.Query[:at]
	line += strings.Count(before, "\n")
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return fmt.Sprintf("第 %d 行第 %d 个字符处", line, column)
}

// failed is the error of a query that was begun.
func (e *Engine) failed(err error) error {
	var tooMany promql.ErrTooManySamples
	var timeout promql.ErrQueryTimeout
	var canceled promql.ErrQueryCanceled
	var bad promql.ErrStorage
	var said *Error
	switch {
	case errors.As(err, &said):
		return said
	case errors.As(err, &tooMany):
		return refuse(Execution, err, err.Error()+fmt.Sprintf(": more than %s samples; ask for less time, a longer step or fewer series", thousands(e.limits.Samples)),
			fmt.Sprintf("查询需要同时读取超过 %s 个样本，已停止：请缩短时间范围、增大步长，或用标签减少序列。", thousands(e.limits.Samples)))
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return refuse(Timeout, err, fmt.Sprintf("query timed out: it may take %s; ask for less time, a longer step or fewer series", e.limits.Time),
			fmt.Sprintf("查询超时（上限 %s）：请缩短时间范围、增大步长，或减少序列。", e.limits.Time))
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return refuse(Canceled, err, "query was canceled", "查询已取消。")
	case errors.As(err, &bad):
		e.onBad(bad.Err)
		return refuse(Internal, err, "read samples: "+bad.Err.Error(), "读取样本失败："+bad.Err.Error())
	}
	return refuse(Execution, err, err.Error(), "无法计算："+err.Error())
}

// thousands writes 11000 as 11,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
