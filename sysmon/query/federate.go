package query

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// TextType is the content type of the text exposition format.
const TextType = "text/plain; version=0.0.4; charset=utf-8"

// Federate writes the newest sample of each series that any of the selectors
// matches, none older than the lookback, in the text exposition format with
// timestamps. A series without the label instance gets an empty one, so that
// who scrapes with honor_labels does not put its own there. A refusal is a
// line of English text.
func (a *API) Federate(ctx context.Context, match []string) (status int, contentType string, body []byte) {
	vec, err := a.newest(ctx, match)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = refuse(Internal, err, err.Error(), err.Error())
		}
		return e.Kind.Status(), "text/plain; charset=utf-8", []byte(e.Say.EN + "\n")
	}
	last := ""
	for _, s := range vec {
		name := s.Metric.Get(model.MetricNameLabel)
		if name == "" || !model.LegacyValidation.IsValidMetricName(name) {
			continue
		}
		if name != last {
			body = append(body, "# TYPE "+name+" untyped\n"...)
			last = name
		}
		body = appendExposed(body, name, s)
	}
	return 200, TextType, body
}

// newest is the newest sample of each series, by name.
func (a *API) newest(ctx context.Context, match []string) (vec promql.Vector, err error) {
	if len(match) == 0 {
		return nil, nil
	}
	sets, err := a.e.matchers(match)
	if err != nil {
		return nil, err
	}
	now := a.d.Now()
	s := selection{from: now.Add(-a.e.limits.Lookback), to: now}
	_, err = a.bounded(ctx, s, func(ctx context.Context, q storage.Querier) (answer, error) {
		hints := &storage.SelectHints{Start: s.from.UnixMilli(), End: s.to.UnixMilli()}
		var parts []storage.SeriesSet
		for _, set := range sets {
			parts = append(parts, q.Select(ctx, true, hints, set...))
		}
		all := storage.NewMergeSeriesSet(parts, 0, storage.ChainedSeriesMerge)
		var it chunkenc.Iterator
		for all.Next() {
			it = all.At().Iterator(it)
			t, v := int64(math.MinInt64), 0.0
			for k := it.Next(); k != chunkenc.ValNone; k = it.Next() {
				if k == chunkenc.ValFloat {
					t, v = it.At()
				}
			}
			if err := it.Err(); err != nil {
				return answer{}, promql.ErrStorage{Err: err}
			}
			if t != math.MinInt64 && !value.IsStaleNaN(v) {
				vec = append(vec, promql.Sample{Metric: all.At().Labels(), T: t, F: v})
			}
			if len(vec) > a.e.limits.Series {
				return answer{}, refuse(Execution, nil, "more than "+thousands(a.e.limits.Series)+" series match: narrow match[]", "匹配的序列超过 "+thousands(a.e.limits.Series)+" 个：请缩小 match[] 的范围。")
			}
		}
		if err := all.Err(); err != nil {
			return answer{}, promql.ErrStorage{Err: err}
		}
		return answer{}, ctx.Err()
	})
	slices.SortStableFunc(vec, func(a, b promql.Sample) int {
		return strings.Compare(a.Metric.Get(model.MetricNameLabel), b.Metric.Get(model.MetricNameLabel))
	})
	return vec, err
}

func appendExposed(b []byte, name string, s promql.Sample) []byte {
	b = append(append(b, name...), '{')
	instance, n := false, 0
	s.Metric.Range(func(l labels.Label) {
		if l.Name == model.MetricNameLabel {
			return
		}
		if n++; n > 1 {
			b = append(b, ',')
		}
		instance = instance || l.Name == model.InstanceLabel
		b = append(append(append(b, l.Name...), `="`...), strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(l.Value)...)
		b = append(b, '"')
	})
	if !instance {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `instance=""`...)
	}
	b = append(b, "} "...)
	switch {
	case math.IsInf(s.F, 1):
		b = append(b, "+Inf"...)
	case math.IsInf(s.F, -1):
		b = append(b, "-Inf"...)
	default:
		b = strconv.AppendFloat(b, s.F, 'g', -1, 64)
	}
	b = append(b, ' ')
	b = strconv.AppendInt(b, s.T, 10)
	return append(b, '\n')
}
