package query

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/sysmon/words"
)

// Offer is something the query box offers while a person types.
type Offer struct {
	Text   string // what is put in
	Kind   string // metric, label, value, function, aggregation, keyword
	Detail string // of a metric its type, of a function its arguments
}

// Functions are the functions and aggregations of the language, by name.
func Functions() []Offer {
	var out []Offer
	for name, f := range parser.Functions {
		if f.Experimental {
			continue
		}
		var args []string
		for _, t := range f.ArgTypes {
			args = append(args, string(t))
		}
		out = append(out, Offer{name, "function", "(" + strings.Join(args, ", ") + ") " + string(f.ReturnType)})
	}
	for _, name := range []string{"sum", "avg", "min", "max", "count", "count_values", "topk", "bottomk", "quantile", "stddev", "stdvar", "group"} {
		out = append(out, Offer{name, "aggregation", "by (…) / without (…)"})
	}
	for _, name := range []string{"by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless"} {
		out = append(out, Offer{name, "keyword", ""})
	}
	slices.SortFunc(out, func(a, b Offer) int { return strings.Compare(a.Text, b.Text) })
	return out
}

// Names are the metrics with samples in the last day, by name; Detail is not
// filled in. The error is an *Error.
func (e *Engine) Names(ctx context.Context, now time.Time) ([]Offer, error) {
	return e.offers(ctx, now, "metric", model.MetricNameLabel, "")
}

// LabelNames are the labels of a metric; of none: of all.
func (e *Engine) LabelNames(ctx context.Context, now time.Time, metric string) ([]Offer, error) {
	return e.offers(ctx, now, "label", "", metric)
}

// LabelValues are the values that a label of a metric has; of none: of any.
func (e *Engine) LabelValues(ctx context.Context, now time.Time, metric, label string) ([]Offer, error) {
	return e.offers(ctx, now, "value", label, metric)
}

// mostOffers bounds a list that a person picks from.
const mostOffers = 5000

func (e *Engine) offers(ctx context.Context, now time.Time, kind, label, metric string) (out []Offer, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.limits.Time)
	defer cancel()
	q, err := e.over.Querier(now.Add(-24*time.Hour).UnixMilli(), now.UnixMilli())
	if err != nil {
		return nil, refuse(Unready, err, err.Error(), "指标数据库暂时未打开："+err.Error())
	}
	defer func() {
		if closed := q.Close(); err == nil && closed != nil {
			err = e.failed(closed)
		}
	}()
	var set []*labels.Matcher
	if metric != "" {
		set = append(set, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, metric))
	}
	var texts []string
	if label == "" {
		texts, _, err = q.LabelNames(ctx, nil, set...)
	} else {
		texts, _, err = q.LabelValues(ctx, label, nil, set...)
	}
	if err != nil {
		return nil, e.failed(err)
	}
	slices.Sort(texts)
	for _, t := range texts[:min(len(texts), mostOffers)] {
		out = append(out, Offer{Text: strings.Clone(t), Kind: kind})
	}
	return out, nil
}

// Ready says that the store can be asked; the error is an *Error.
func (e *Engine) Ready() error {
	q, err := e.over.Querier(0, 1)
	if err != nil {
		return &Error{Kind: Unready, Say: words.Of("the metric store is not open: "+err.Error(), "指标数据库未打开："+err.Error()), Cause: err}
	}
	return q.Close()
}
