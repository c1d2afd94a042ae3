package query

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// Limits bound what one query may cost. The zero value of a field means the
// figure named beside it.
type Limits struct {
	Samples     int           // held at once by a query: 5,000,000
	Time        time.Duration // of a query, waiting for a turn included: 20 s
	Length      int           // bytes of an expression: 16,384
	Answer      int           // samples that the API answers: 1,000,000
	Points      int           // of a range query, for each series: 11,000
	Series      int           // answered by series, labels and values: 20,000
	Concurrency int           // queries at a time, those of rules not counted: 4
	Lookback    time.Duration // how old a sample an instant may take: 5 min
}

func (l Limits) filled() Limits {
	set := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	set(&l.Samples, 5_000_000)
	set(&l.Length, 16<<10)
	set(&l.Answer, 1_000_000)
	set(&l.Points, 11_000)
	set(&l.Series, 20_000)
	set(&l.Concurrency, 4)
	if l.Time <= 0 {
		l.Time = 20 * time.Second
	}
	if l.Lookback <= 0 {
		l.Lookback = 5 * time.Minute
	}
	return l
}

// Engine evaluates PromQL over one storage. It is safe for any number of
// goroutines.
type Engine struct {
	over   storage.Queryable
	limits Limits
	ql     *promql.Engine
	parse  parser.Parser
	turns  chan struct{} // of people and programs
	mine   chan struct{} // of rules
	onBad  func(error)
}

// New makes an engine over a storage.
func New(over storage.Queryable, l Limits) *Engine {
	l = l.filled()
	e := &Engine{over: over, limits: l, parse: parser.NewParser(parser.Options{}),
		turns: make(chan struct{}, l.Concurrency), mine: make(chan struct{}, 2), onBad: func(error) {}}
	e.ql = promql.NewEngine(promql.EngineOpts{Logger: slog.New(slog.DiscardHandler), MaxSamples: l.Samples, Timeout: l.Time,
		LookbackDelta: l.Lookback, EnableAtModifier: true, EnableNegativeOffset: true, Parser: e.parse,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() }})
	return e
}

// OnStorageError has f called with each error of the storage that stopped a
// query: samples that cannot be read. It is set before the first query.
func (e *Engine) OnStorageError(f func(error)) { e.onBad = f }

// Apart is the same engine with two turns of its own, for what the server asks
// by itself: people who ask much keep nobody from the score and the evidence.
func (e *Engine) Apart() *Engine {
	own := *e
	own.turns = make(chan struct{}, 2)
	return &own
}

// Limits are the bounds in force.
func (e *Engine) Limits() Limits { return e.limits }

// Instant evaluates an expression at a time. The value of the result is a
// Vector, a Matrix, a Scalar or a String. Errors are *Error.
func (e *Engine) Instant(ctx context.Context, expr string, t time.Time) (*promql.Result, error) {
	return e.instant(ctx, expr, t, 0)
}

// instant is Instant with a lookback of its own; 0: that of the limits.
func (e *Engine) instant(ctx context.Context, expr string, t time.Time, lookback time.Duration) (*promql.Result, error) {
	return e.run(ctx, e.turns, expr, 0, func(ctx context.Context) (promql.Query, error) {
		return e.ql.NewInstantQuery(ctx, e.over, promql.NewPrometheusQueryOpts(false, lookback), expr, t)
	})
}

// Range evaluates an expression at from, from+step, … up to and including to.
// The value of the result is a Matrix. Errors are *Error.
func (e *Engine) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) (*promql.Result, error) {
	return e.spread(ctx, expr, from, to, step, 0)
}

// spread is Range with a lookback of its own; 0: that of the limits.
func (e *Engine) spread(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) (*promql.Result, error) {
	switch {
	case step <= 0:
		return nil, refuse(BadData, nil, "zero or negative query resolution step widths are not accepted. Try a positive integer", "步长必须大于零。")
	case to.Before(from):
		return nil, refuse(BadData, nil, "end timestamp must not be before start time", "结束时间不能早于开始时间。")
	case int64(to.Sub(from)/step) > int64(e.limits.Points):
		return nil, refuse(BadData, nil, fmt.Sprintf("exceeded maximum resolution of %s points per timeseries. Try decreasing the query resolution (?step=XX)", thousands(e.limits.Points)),
			fmt.Sprintf("每个序列最多 %s 个点，请增大步长或缩短时间范围。", thousands(e.limits.Points)))
	}
	return e.run(ctx, e.turns, expr, to.Sub(from), func(ctx context.Context) (promql.Query, error) {
		return e.ql.NewRangeQuery(ctx, e.over, promql.NewPrometheusQueryOpts(false, lookback), expr, from, to, step)
	})
}

// QueryFunc is how rules ask.
func (e *Engine) QueryFunc() rules.QueryFunc {
	return func(ctx context.Context, expr string, t time.Time) (promql.Vector, error) {
		res, err := e.run(ctx, e.mine, expr, 0, func(ctx context.Context) (promql.Query, error) {
			return e.ql.NewInstantQuery(ctx, e.over, nil, expr, t)
		})
		if err != nil {
			return nil, err
		}
		switch v := res.Value.(type) {
		case promql.Vector:
			return v, nil
		case promql.Scalar:
			return promql.Vector{promql.Sample{T: v.T, F: v.V}}, nil
		}
		return nil, refuse(BadData, nil, "rule result is not a vector or scalar", "规则表达式的结果必须是瞬时向量或标量。")
	}
}

// Parse reads an expression within the limits. The error is an *Error.
func (e *Engine) Parse(expr string) (parser.Expr, error) {
	if err := e.short(expr); err != nil {
		return nil, err
	}
	if err := Affordable(expr); err != nil {
		return nil, err
	}
	parsed, err := e.parse.ParseExpr(expr)
	if err != nil {
		return nil, notParsed(err)
	}
	if err := nested(parsed); err != nil {
		return nil, err
	}
	return parsed, nil
}

func (e *Engine) short(expr string) error {
	if len(expr) <= e.limits.Length {
		return nil
	}
	return refuse(BadData, nil, fmt.Sprintf("the expression has %s bytes, %s are allowed: shorten it or record a part of it with a rule", thousands(len(expr)), thousands(e.limits.Length)),
		fmt.Sprintf("表达式有 %s 字节，最多允许 %s：请缩短，或用记录规则保存其中一部分。", thousands(len(expr)), thousands(e.limits.Length)))
}

// run evaluates when it is its turn, and gives a result of its own. span is the
// time from the first to the last instant.
func (e *Engine) run(ctx context.Context, turns chan struct{}, expr string, span time.Duration, prepare func(context.Context) (promql.Query, error)) (*promql.Result, error) {
	parsed, err := e.Parse(expr)
	if err != nil {
		return nil, err
	}
	if err := e.payable(parsed, span); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.limits.Time)
	defer cancel()
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, e.failed(ctx.Err())
		}
		return nil, refuse(Timeout, nil, fmt.Sprintf("query timed out waiting for its turn: %d queries run at a time", cap(turns)),
			fmt.Sprintf("排队等待超时：同时最多执行 %d 个查询，请稍后再试。", cap(turns)))
	}
	q, err := prepare(ctx)
	if err != nil {
		return nil, notParsed(err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, e.failed(res.Err)
	}
	return &promql.Result{Value: own(res.Value), Warnings: res.Warnings}, nil
}

// own copies what the engine takes back when a query is closed.
func own(v parser.Value) parser.Value {
	switch v := v.(type) {
	case promql.Vector:
		return append(promql.Vector{}, v...)
	case promql.Matrix:
		out := make(promql.Matrix, len(v))
		for i, s := range v {
			out[i] = promql.Series{Metric: s.Metric, DropName: s.DropName, Floats: append([]promql.FPoint(nil), s.Floats...)}
			for _, h := range s.Histograms {
				out[i].Histograms = append(out[i].Histograms, promql.HPoint{T: h.T, H: h.H.Copy()})
			}
		}
		return out
	}
	return v
}
