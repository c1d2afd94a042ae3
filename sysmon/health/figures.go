package health

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"

	"posthouse/sysmon/query"
)

// Figures is the Source of a query engine.
func Figures(e *query.Engine) Source { return figures{e} }

type figures struct{ e *query.Engine }

// Instant implements Source.
func (f figures) Instant(ctx context.Context, expr string, at time.Time) ([]Sample, error) {
	r, err := f.e.Instant(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	var out []Sample
	switch v := r.Value.(type) {
	case promql.Vector:
		for _, s := range v {
			out = append(out, Sample{Labels: s.Metric.Map(), Value: s.F})
		}
	case promql.Scalar:
		out = append(out, Sample{Value: v.V})
	default:
		return nil, fmt.Errorf("%s gives a %s, not one value for each series", expr, v.Type())
	}
	return out, nil
}

// Range implements Source.
func (f figures) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error) {
	r, err := f.e.Range(ctx, expr, from, to, step)
	if err != nil {
		return nil, err
	}
	m, err := r.Matrix()
	if err != nil {
		return nil, err
	}
	var out []Series
	for _, s := range m {
		l := Series{Labels: s.Metric.Map()}
		for _, p := range s.Floats {
			l.Points = append(l.Points, Point{At: time.UnixMilli(p.T), Value: p.F})
		}
		out = append(out, l)
	}
	return out, nil
}
