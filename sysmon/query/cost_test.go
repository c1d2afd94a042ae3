package query

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
)

// residentMB is the memory that this process has had at most, as the kernel
// counts it.
func residentMB(t *testing.T) int {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n >> 10
}

// doubled has a label that is twice as long with each link of a chain.
func doubled(of string, links int) string {
	for range links {
		of = `label_join(` + of + `, "a", "", "a", "a")`
	}
	return of
}

// None of these reads many samples; each would take gigabytes, or did.
func TestQueriesThatWouldEatTheMemory(t *testing.T) {
	b := newBench(t, Limits{})
	b.fills(time.Hour, map[string]func(float64) float64{`x{a="0123456789abcdef"}`: func(s float64) float64 { return s }})
	bomb := `x{a=~"` + strings.Repeat("(a{0,1000}b?)", 1100) + `"}`
	before := residentMB(t)

	b.refuses(Execution, "steps", instant("sum_over_time(x[100y:1s])"))
	b.refuses(Execution, "steps", instant("sum_over_time(x[2y:10s])"))
	b.refuses(Execution, "steps", instant(strings.Repeat("max_over_time(", 100)+"x"+strings.Repeat("[1d:1s])", 100)))
	b.refuses(Execution, "steps", func(e *Engine) (*promql.Result, error) {
		return e.Range(context.Background(), "max_over_time(x[1m:1ms])", start(), start().Add(24*time.Hour), time.Minute)
	})
	b.refuses(BadData, "regular expressions", instant(bomb))
	b.refuses(BadData, "regular expressions", instant(`label_replace(x, "a", "", "a", "`+strings.Repeat("[a-z]{1000}", 100)+`")`))
	b.refuses(Execution, "label_join", instant(doubled("x", 10)))
	b.refuses(Execution, "label_join", instant(doubled("x", 350)))
	b.refuses(BadData, "nested", instant(strings.Repeat("sum(", 3000)+"x"+strings.Repeat(")", 3000)))
	b.refuses(BadData, "nested", instant("1"+strings.Repeat("+1", 8000)))
	b.refuses(Execution, "label_join", instant(`label_join(x, "a", ""`+strings.Repeat(`, "a"`, 2000)+`)`))
	b.refuses(Execution, "label_join", instant(`label_replace(x, "a", "`+strings.Repeat("$1", 2000)+`", "a", "(.*)")`))
	var many []string
	for i := range 100 {
		many = append(many, `label_replace(vector(1), "i", "`+strconv.Itoa(i)+`", "", "")`)
	}
	seconds := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	api := b.e.API(Deps{})
	if status, _, body := api.Serve(context.Background(), "/api/v1/query_range", url.Values{"query": {strings.Join(many, " or ")}, "step": {"1"},
		"start": {seconds(start())}, "end": {seconds(start().Add(3 * time.Hour))}}); status != 422 || !strings.Contains(string(body), "the answer has 1,080,100 samples") {
		t.Errorf("an answer of 30 MB: %d %.200s", status, body)
	}
	if status, _, body := api.Serve(context.Background(), "/api/v1/format_query", url.Values{"query": {strings.Repeat("(", 8000) + "1" + strings.Repeat(")", 8000)}}); status != 400 {
		t.Errorf("an expression 8,000 deep: %d %.200s", status, body)
	}
	for _, path := range []string{"/api/v1/series", "/api/v1/labels"} {
		if status, _, body := api.Serve(context.Background(), path, url.Values{"match[]": {bomb}}); status != 400 || !strings.Contains(string(body), "regular expressions") {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	if grown := residentMB(t) - before; grown > 200 {
		t.Errorf("refusing took %d MB", grown)
	}

	// What people ask goes on.
	for _, expr := range []string{doubled("x", 2), "x" + strings.Repeat(" + x", 200), `max_over_time(sum(x)[30d:1m])`, `avg_over_time(rate(x[5m])[2y:5m])`, `x{a=~"[0-9a-f]{16,64}|` + strings.Repeat("host-1.example.com|", 500) + `b"}`,
		`label_replace(x, "b", "$1-$2", "a", "(.)(.*)")`} {
		if res, err := instant(expr)(b.e); err != nil || len(res.Value.(promql.Vector)) != 1 {
			t.Errorf("%.80s: %v %v", expr, res, err)
		}
	}
}
