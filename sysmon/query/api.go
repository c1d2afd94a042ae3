package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Target is a source of samples as /api/v1/targets shows it.
type Target struct {
	Job, Instance string
	URL           string // where the samples are from
	Interval      time.Duration
	Last          time.Time // of the last scrape; zero: none yet
	Took          time.Duration
	Err           error // of the last scrape
}

// Deps are what the API tells besides samples. A nil func tells nothing.
type Deps struct {
	Groups    func() []*rules.Group
	Metadata  func() map[string]metadata.Metadata // by the name of the family
	Targets   func() []Target
	Version   string // of this program, told as that of the build
	GoVersion string
	Now       func() time.Time
}

// API answers the HTTP API of Prometheus.
type API struct {
	e *Engine
	d Deps
}

// API makes the HTTP API over the engine.
func (e *Engine) API(d Deps) *API {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Groups == nil {
		d.Groups = func() []*rules.Group { return nil }
	}
	if d.Metadata == nil {
		d.Metadata = func() map[string]metadata.Metadata { return nil }
	}
	if d.Targets == nil {
		d.Targets = func() []Target { return nil }
	}
	return &API{e: e, d: d}
}

const jsonType = "application/json"

var errTruncated = errors.New("results truncated due to limit")

// answer is the data of a success, encoded.
type answer struct {
	data []byte
	warn annotations.Annotations
	expr string // that the warnings are about
}

// Serve answers a request: path is that below the root, as /api/v1/query or
// /api/v1/label/job/values, escapes resolved; form holds the parameters of the
// address and of a form in the body. It never fails: errors are answers.
func (a *API) Serve(ctx context.Context, path string, form url.Values) (status int, contentType string, body []byte) {
	got, err := a.route(ctx, strings.TrimPrefix(path, "/api/v1"), form)
	if err != nil {
		return a.refusal(err)
	}
	body = append([]byte(`{"status":"success","data":`), got.data...)
	warnings, infos := got.warn.AsStrings(got.expr, 10, 10)
	for _, list := range []struct {
		name  string
		texts []string
	}{{"warnings", warnings}, {"infos", infos}} {
		if len(list.texts) == 0 {
			continue
		}
		raw, err := marshal(list.texts)
		if err != nil {
			return a.refusal(err)
		}
		body = append(body, `,"`+list.name+`":`...)
		body = append(body, raw...)
	}
	return 200, jsonType, append(body, '}')
}

func (a *API) refusal(err error) (status int, contentType string, body []byte) {
	var e *Error
	if !errors.As(err, &e) {
		e = refuse(Internal, err, err.Error(), "内部错误："+err.Error())
	}
	body, err = marshal(struct {
		Status string `json:"status"`
		Type   Kind   `json:"errorType"`
		Text   string `json:"error"`
	}{"error", e.Kind, e.Say.EN})
	if err != nil {
		body = []byte(`{"status":"error","errorType":"internal","error":"write error"}`)
	}
	return e.Kind.Status(), jsonType, body
}

func (a *API) route(ctx context.Context, path string, form url.Values) (answer, error) {
	if name, ok := strings.CutPrefix(path, "/label/"); ok {
		if name, ok = strings.CutSuffix(name, "/values"); ok {
			return a.labelValues(ctx, name, form)
		}
	}
	switch path {
	case "/query":
		return a.query(ctx, form)
	case "/query_range":
		return a.queryRange(ctx, form)
	case "/format_query", "/parse_query":
		return a.format(form)
	case "/query_exemplars":
		if _, err := a.e.Parse(form.Get("query")); err != nil {
			return answer{}, named("query", err)
		}
		return answer{data: []byte("[]")}, nil // none are kept
	case "/series":
		return a.series(ctx, form)
	case "/labels":
		return a.labelNames(ctx, form)
	case "/rules":
		return a.rules(form)
	case "/alerts":
		return a.alerts()
	case "/metadata":
		return a.metadata(form)
	case "/targets":
		return a.targets(form)
	case "/status/buildinfo":
		return a.buildInfo()
	}
	return answer{}, refuse(NotFound, nil, "no such endpoint: "+path, "没有这个接口："+path)
}

func (a *API) query(ctx context.Context, form url.Values) (answer, error) {
	at, err := timeOf(form, "time", a.d.Now())
	if err != nil {
		return answer{}, err
	}
	return a.asked(ctx, form, func(ctx context.Context, expr string, lookback time.Duration) (*promql.Result, error) {
		return a.e.instant(ctx, expr, at, lookback)
	})
}

func (a *API) queryRange(ctx context.Context, form url.Values) (answer, error) {
	from, err := timeOf(form, "start", time.Time{})
	if err != nil {
		return answer{}, err
	}
	to, err := timeOf(form, "end", time.Time{})
	if err != nil {
		return answer{}, err
	}
	step, err := Duration(form.Get("step"))
	if err != nil {
		return answer{}, invalid("step", err)
	}
	if from.IsZero() || to.IsZero() {
		return answer{}, invalid("start", errors.New(`cannot parse "" to a valid timestamp`))
	}
	return a.asked(ctx, form, func(ctx context.Context, expr string, lookback time.Duration) (*promql.Result, error) {
		return a.e.spread(ctx, expr, from, to, step, lookback)
	})
}

// asked evaluates with the parameters that both kinds of queries have.
func (a *API) asked(ctx context.Context, form url.Values, eval func(context.Context, string, time.Duration) (*promql.Result, error)) (answer, error) {
	ctx, cancel, err := within(ctx, form)
	if err != nil {
		return answer{}, err
	}
	defer cancel()
	limit, err := limitOf(form)
	if err != nil {
		return answer{}, err
	}
	lookback, err := lookbackOf(form)
	if err != nil {
		return answer{}, err
	}
	expr := form.Get("query")
	res, err := eval(ctx, expr, lookback)
	if err != nil {
		return answer{}, named("query", err)
	}
	if limit > 0 {
		truncate(res, limit)
	}
	return a.result(res, expr)
}

// truncate leaves the first series of a result, with a warning when there were
// more.
func truncate(res *promql.Result, limit int) {
	cut := false
	switch v := res.Value.(type) {
	case promql.Vector:
		if cut = len(v) > limit; cut {
			res.Value = v[:limit]
		}
	case promql.Matrix:
		if cut = len(v) > limit; cut {
			res.Value = v[:limit]
		}
	}
	if cut {
		res.Warnings = res.Warnings.Add(errTruncated)
	}
}

// result writes what the engine found.
func (a *API) result(res *promql.Result, expr string) (answer, error) {
	most := a.e.limits.Answer
	if m, ok := res.Value.(promql.Matrix); ok && m.TotalSamples() > most {
		return answer{}, refuse(Execution, nil, fmt.Sprintf("the answer has %s samples, %s are allowed: ask for a longer step, less time or fewer series", thousands(m.TotalSamples()), thousands(most)),
			fmt.Sprintf("结果有 %s 个样本，最多允许 %s：请增大步长、缩短时间范围或减少序列。", thousands(m.TotalSamples()), thousands(most)))
	}
	raw, err := appendValue(nil, res.Value)
	return answer{raw, res.Warnings, expr}, err
}

// named tells the parameter that a bad expression came in, as Prometheus does.
func named(param string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Kind == BadData && e.Cause != nil {
		out := *e
		out.Say.EN = fmt.Sprintf("invalid parameter %q: %s", param, e.Say.EN)
		return &out
	}
	return err
}

func (a *API) format(form url.Values) (answer, error) {
	expr, err := a.e.Parse(form.Get("query"))
	if err != nil {
		return answer{}, named("query", err)
	}
	raw, err := marshal(expr.Pretty(0))
	return answer{data: raw}, err
}

// selection is what series, labels and values have in common.
type selection struct {
	from, to time.Time
	limit    int // 0: none was asked for
	sets     [][]*labels.Matcher
}

func (a *API) selection(form url.Values) (s selection, err error) {
	if s.from, err = timeOf(form, "start", time.UnixMilli(math.MinInt64/1000)); err != nil {
		return s, err
	}
	if s.to, err = timeOf(form, "end", time.UnixMilli(math.MaxInt64/1000)); err != nil {
		return s, err
	}
	if s.limit, err = limitOf(form); err != nil {
		return s, err
	}
	s.sets, err = a.e.matchers(form["match[]"])
	return s, err
}

// matchers reads selectors. One that matches every series is refused.
func (e *Engine) matchers(texts []string) ([][]*labels.Matcher, error) {
	for _, text := range texts {
		if err := e.short(text); err != nil {
			return nil, err
		}
	}
	if len(texts) > 100 {
		return nil, refuse(BadData, nil, "more than 100 match[] parameters", "match[] 参数超过 100 个。")
	}
	if err := Affordable(strings.Join(texts, "\n")); err != nil {
		return nil, err
	}
	sets, err := e.parse.ParseMetricSelectors(texts)
	if err != nil {
		return nil, named("match[]", notParsed(err))
	}
	for _, set := range sets {
		if !slices.ContainsFunc(set, func(m *labels.Matcher) bool { return !m.Matches("") }) {
			return nil, refuse(BadData, nil, "match[] must contain at least one non-empty matcher", "match[] 至少要有一个不匹配空值的条件。")
		}
	}
	return sets, nil
}

// bounded opens a querier as part of a turn, with the time limit.
func (a *API) bounded(ctx context.Context, s selection, f func(context.Context, storage.Querier) (answer, error)) (got answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.e.limits.Time)
	defer cancel()
	select {
	case a.e.turns <- struct{}{}:
		defer func() { <-a.e.turns }()
	case <-ctx.Done():
		return answer{}, a.e.failed(ctx.Err())
	}
	q, err := a.e.over.Querier(s.from.UnixMilli(), s.to.UnixMilli())
	if err != nil {
		return answer{}, refuse(Unready, err, err.Error(), "指标数据库暂时未打开："+err.Error())
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	if got, err = f(ctx, q); err != nil {
		return answer{}, a.e.failed(err)
	}
	return got, nil
}

func (a *API) series(ctx context.Context, form url.Values) (answer, error) {
	if len(form["match[]"]) == 0 {
		return answer{}, refuse(BadData, nil, "no match[] parameter provided", "缺少 match[] 参数。")
	}
	s, err := a.selection(form)
	if err != nil {
		return answer{}, err
	}
	return a.bounded(ctx, s, func(ctx context.Context, q storage.Querier) (answer, error) {
		hints := &storage.SelectHints{Start: s.from.UnixMilli(), End: s.to.UnixMilli(), Func: "series"}
		var sets []storage.SeriesSet
		for _, set := range s.sets {
			sets = append(sets, q.Select(ctx, len(s.sets) > 1, hints, set...))
		}
		all := storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
		out, n, warn := []byte{'['}, 0, annotations.Annotations(nil)
		for all.Next() {
			if n == a.most(s) {
				warn = warn.Add(errTruncated)
				break
			}
			if n++; n > 1 {
				out = append(out, ',')
			}
			out = appendLabels(out, all.At().Labels())
		}
		return answer{data: append(out, ']'), warn: warn}, errors.Join(all.Err(), ctx.Err())
	})
}

// most is how many entries are answered.
func (a *API) most(s selection) int {
	if s.limit > 0 {
		return min(s.limit, a.e.limits.Series)
	}
	return a.e.limits.Series
}

func (a *API) labelNames(ctx context.Context, form url.Values) (answer, error) {
	return a.texts(ctx, form, func(ctx context.Context, q storage.Querier, set []*labels.Matcher) ([]string, error) {
		names, _, err := q.LabelNames(ctx, nil, set...)
		return names, err
	})
}

func (a *API) labelValues(ctx context.Context, name string, form url.Values) (answer, error) {
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return answer{}, refuse(BadData, nil, fmt.Sprintf("invalid label name: %q", name), fmt.Sprintf("标签名无效：%q", name))
	}
	return a.texts(ctx, form, func(ctx context.Context, q storage.Querier, set []*labels.Matcher) ([]string, error) {
		values, _, err := q.LabelValues(ctx, name, nil, set...)
		return values, err
	})
}

// texts answers names or values, sorted, each once.
func (a *API) texts(ctx context.Context, form url.Values, of func(context.Context, storage.Querier, []*labels.Matcher) ([]string, error)) (answer, error) {
	s, err := a.selection(form)
	if err != nil {
		return answer{}, err
	}
	if len(s.sets) == 0 {
		s.sets = [][]*labels.Matcher{nil}
	}
	return a.bounded(ctx, s, func(ctx context.Context, q storage.Querier) (answer, error) {
		all := []string{}
		for _, set := range s.sets {
			got, err := of(ctx, q, set)
			if err != nil {
				return answer{}, err
			}
			all = append(all, got...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		var warn annotations.Annotations
		if len(all) > a.most(s) {
			all = all[:a.most(s)]
			warn = warn.Add(errTruncated)
		}
		raw, err := marshal(all)
		return answer{data: raw, warn: warn}, err
	})
}
