package query

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// Whatever is asked, the answer is JSON with a status, within the limits.
func FuzzServe(f *testing.F) {
	b := newBench(f, Limits{Samples: 20_000, Time: 2 * time.Second, Points: 200})
	b.fills(10*time.Minute, map[string]func(float64) float64{`x{a="1"}`: func(s float64) float64 { return s }, `x{a="2"}`: func(float64) float64 { return 1 }})
	api := b.e.API(Deps{Now: func() time.Time { return start().Add(10 * time.Minute) }})
	for _, s := range [][2]string{
		{"/api/v1/query", "query=x&time=1730505600"},
		{"/api/v1/query_range", `query=rate(x[1m])&start=2026-11-02T00:00:00Z&end=2026-11-02T00:10:00Z&step=15`},
		{"/api/v1/query_range", "query=x&start=9223372036854775807&end=-1&step=1e-9"},
		{"/api/v1/series", "match[]=x&match[]={a=~\".*\"}"},
		{"/api/v1/label/a/values", "start=NaN"},
		{"/api/v1/labels", "limit=-1"},
		{"/api/v1/format_query", "query=sum(x"},
		{"/api/v1/metadata", "metric=x&limit=1"},
		{"/api/v1/rules", "type=alert"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		status, kind, body := api.Serve(context.Background(), path, form)
		if kind != jsonType {
			t.Fatalf("%s is %q", path, kind)
		}
		var got struct{ Status string }
		if err := json.Unmarshal(body, &got); err != nil || (status == 200) != (got.Status == "success") {
			t.Errorf("%s?%s: %d %q %v", path, text, status, body, err)
		}
	})
}

// An expression is answered or refused; the engine lives on.
func FuzzExpression(f *testing.F) {
	b := newBench(f, Limits{Samples: 20_000, Time: 2 * time.Second})
	b.fills(10*time.Minute, map[string]func(float64) float64{`x{a="1"}`: func(s float64) float64 { return s }})
	for _, s := range []string{"x", "sum by (a) (rate(x[5m]))", "x[10m:1s]", "absent(nothing)", "quantile_over_time(0.9, x[5m] offset -1m)", "label_replace(x, \"b\", \"$1\", \"a\", \"(.*)\")",
		"x @ end()", "1/0", "histogram_quantile(0.9, x)", "predict_linear(x[10m], 1e300)", "x ^ x % x", "{__name__=~\".+\"}", "topk(1e9, x)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		got, err := b.e.Instant(context.Background(), expr, start().Add(5*time.Minute))
		if (got == nil) == (err == nil) {
			t.Errorf("%q: %v and %v", expr, got, err)
		}
		if two, err := b.e.Instant(context.Background(), "x", start().Add(5*time.Minute)); err != nil || two.Value.(promql.Vector)[0].F != 300 {
			t.Fatalf("after %q: %v %v", expr, two, err)
		}
	})
}
