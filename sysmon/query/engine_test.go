package query

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"posthouse/sysmon/store"
)

// bench is a real store and an engine over it.
type bench struct {
	t     testing.TB
	store *store.Store
	e     *Engine
}

func newBench(t testing.TB, l Limits) *bench {
	return benchAt(t, l, func() time.Time { return start().Add(24 * time.Hour) })
}

func benchAt(t testing.TB, l Limits, now func() time.Time) *bench {
	s, err := store.Open(t.TempDir(), store.Options{Tend: time.Hour, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: s, e: New(s.Queryable(), l)}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func start() time.Time { return time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC) }

// fills writes a sample of each series every 15 s for a time; value is by the
// seconds since the start.
func (b *bench) fills(d time.Duration, series map[string]func(s float64) float64) {
	b.t.Helper()
	parsed := map[string]labels.Labels{}
	for text := range series {
		l, err := b.e.parse.ParseMetric(text)
		if err != nil {
			b.t.Fatal(err)
		}
		parsed[text] = l
	}
	for at := time.Duration(0); at <= d; at += 15 * time.Second {
		app := b.store.Appender(context.Background())
		for text, value := range series {
			if _, err := app.Append(0, parsed[text], start().Add(at).UnixMilli(), value(at.Seconds())); err != nil {
				b.t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) refuses(kind Kind, contains string, ask func(e *Engine) (*promql.Result, error)) {
	b.t.Helper()
	_, err := ask(b.e)
	var e *Error
	if !errors.As(err, &e) {
		b.t.Fatalf("got %v, want a refusal", err)
	}
	if e.Kind != kind || !strings.Contains(e.Say.EN, contains) || e.Say.ZH == "" || e.Say.ZH == e.Say.EN {
		b.t.Errorf("got %s: %q / %q, want %s: …%s…", e.Kind, e.Say.EN, e.Say.ZH, kind, contains)
	}
}

func instant(expr string) func(e *Engine) (*promql.Result, error) {
	return func(e *Engine) (*promql.Result, error) {
		return e.Instant(context.Background(), expr, start().Add(time.Hour))
	}
}

func TestQueriesThatWouldEatTheBox(t *testing.T) {
	b := newBench(t, Limits{Samples: 20_000, Time: 5 * time.Second, Length: 500, Concurrency: 1})
	series := map[string]func(float64) float64{}
	for i := range 100 {
		series[`x{n="`+string(rune('a'+i%26))+string(rune('a'+i/26))+`"}`] = func(s float64) float64 { return s }
	}
	b.fills(time.Hour, series)
	b.refuses(BadData, "bytes", instant("x"+strings.Repeat("+x", 400)))
	b.refuses(BadData, "parse error", instant("sum(rate(x[5m])"))
	b.refuses(BadData, "unknown function", instant("nope(x)"))
	b.refuses(BadData, "expected type", instant("rate(x)"))
	b.refuses(Execution, "too many samples", instant("x[1h]"))
	b.refuses(Execution, "many-to-many", instant("x * on(job) x"))
	b.refuses(Timeout, "timed out", func(*Engine) (*promql.Result, error) {
		hasty := New(b.store.Queryable(), Limits{Time: 100 * time.Millisecond})
		return hasty.Range(context.Background(), "quantile_over_time(0.5, sum(x)[1h:1s])", start(), start().Add(time.Hour), time.Second)
	})
	b.refuses(BadData, "11,000 points", func(e *Engine) (*promql.Result, error) {
		return e.Range(context.Background(), "x", start(), start().Add(24*time.Hour), time.Second)
	})
	b.refuses(Canceled, "canceled", func(e *Engine) (*promql.Result, error) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return e.Instant(ctx, "x", start())
	})

	// The one turn is taken: people wait, rules and the server itself do not.
	b.e.turns <- struct{}{}
	b.refuses(Timeout, "turn", instant("x"))
	if v, err := b.e.QueryFunc()(context.Background(), "count(x)", start().Add(time.Hour)); err != nil || len(v) != 1 || v[0].F != 100 {
		t.Errorf("a rule got %v %v", v, err)
	}
	if res, err := b.e.Apart().Instant(context.Background(), "count(x)", start().Add(time.Hour)); err != nil || len(res.Value.(promql.Vector)) != 1 {
		t.Errorf("the server itself got %v %v", res, err)
	}
	<-b.e.turns
	if _, err := b.e.QueryFunc()(context.Background(), `"text"`, start()); err == nil {
		t.Error("a rule may be a text")
	}
}

func TestErrorsPointAtTheirPlace(t *testing.T) {
	b := newBench(t, Limits{})
	_, err := b.e.Parse("sum(x)\n + 平均")
	var e *Error
	if !errors.As(err, &e) || e.From != 10 || !strings.Contains(e.Say.ZH, "第 2 行第 4 个字符") {
		t.Errorf("%+v", e)
	}
}
