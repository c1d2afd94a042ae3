package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
)

// served is a bench whose API is on a real listener.
type served struct {
	*bench
	api *API
	url string
}

func serve(t *testing.T, b *bench, now func() time.Time) *served {
	s := &served{bench: b}
	s.api = b.e.API(Deps{Now: now, Version: "1.2.3", GoVersion: "go1",
		Metadata: func() map[string]metadata.Metadata {
			return map[string]metadata.Metadata{"x_total": {Type: model.MetricTypeCounter, Help: `with "quotes"`}}
		},
		Targets: func() []Target {
			return []Target{{Job: "host", Instance: "box", URL: "in-process", Interval: 15 * time.Second, Last: start(), Err: errors.New("no such file")}}
		}})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		status, kind, body := 0, "", []byte(nil)
		if r.URL.Path == "/federate" {
			status, kind, body = s.api.Federate(r.Context(), r.Form["match[]"])
		} else {
			status, kind, body = s.api.Serve(r.Context(), r.URL.Path, r.Form)
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *served) get(path string) (int, string) {
	s.t.Helper()
	res, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func TestAnswersByteForByte(t *testing.T) {
	b := newBench(t, Limits{})
	b.fills(time.Hour, map[string]func(float64) float64{
		`x_total{host="a",path="/<\"\\>"}`: line(0, 0.5),
		`tiny`:                             always(1.5e-9),
	})
	s := serve(t, b, func() time.Time { return start().Add(time.Hour) })
	at := start().Add(time.Hour).Unix()
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{fmt.Sprintf("/api/v1/query?query=x_total&time=%d.5", at), fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x_total","host":"a","path":"/<\"\\>"},"value":[%d.500,"1800"]}]}}`, at), 200},
		{"/api/v1/query?query=tiny", fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"tiny"},"value":[%d,"1.5e-09"]}]}}`, at), 200},
		{"/api/v1/query?query=1%2F0", fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[%d,"+Inf"]}}`, at), 200},
		{"/api/v1/query?query=%22a%22", fmt.Sprintf(`{"status":"success","data":{"resultType":"string","result":[%d,"a"]}}`, at), 200},
		{"/api/v1/query?query=nothing", `{"status":"success","data":{"resultType":"vector","result":[]}}`, 200},
		{fmt.Sprintf("/api/v1/query_range?query=x_total&start=%d&end=%d&step=30", at-60, at), fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x_total","host":"a","path":"/<\"\\>"},"values":[[%d,"1770"],[%d,"1785"],[%d,"1800"]]}]}}`, at-60, at-30, at), 200},
		{"/api/v1/query?query={__name__=~\"tiny|x_total\"}&limit=1", fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"tiny"},"value":[%d,"1.5e-09"]}]},"warnings":["results truncated due to limit"]}`, at), 200},
		{"/api/v1/query?query=tiny&limit=-1", `{"status":"error","errorType":"bad_data","error":"invalid parameter \"limit\": \"-1\" is no number from 0 on"}`, 400},
		{fmt.Sprintf("/api/v1/query?query=tiny&time=%d&lookback_delta=5m", at+240), fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"tiny"},"value":[%d,"1.5e-09"]}]}}`, at+240), 200},
		{fmt.Sprintf("/api/v1/query?query=tiny&time=%d&lookback_delta=1m", at+240), `{"status":"success","data":{"resultType":"vector","result":[]}}`, 200},
		{"/api/v1/labels", `{"status":"success","data":["__name__","host","path"]}`, 200},
		{"/api/v1/label/__name__/values", `{"status":"success","data":["tiny","x_total"]}`, 200},
		{"/api/v1/label/__name__/values?limit=1", `{"status":"success","data":["tiny"],"warnings":["results truncated due to limit"]}`, 200},
		{"/api/v1/label/host/values?match[]=tiny", `{"status":"success","data":[]}`, 200},
		{"/api/v1/series?match[]=tiny&match[]=nope", `{"status":"success","data":[{"__name__":"tiny"}]}`, 200},
		{"/api/v1/series", `{"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}`, 400},
		{"/api/v1/series?match[]={a=~\".*\"}", `{"status":"error","errorType":"bad_data","error":"match[] must contain at least one non-empty matcher"}`, 400},
		{"/api/v1/format_query?query=sum(x)by(a)", `{"status":"success","data":"sum by (a) (x)"}`, 200},
		{"/api/v1/query_exemplars?query=x_total&start=1&end=2", `{"status":"success","data":[]}`, 200},
		{"/api/v1/metadata", `{"status":"success","data":{"x_total":[{"type":"counter","unit":"","help":"with \"quotes\""}]}}`, 200},
		{"/api/v1/rules", `{"status":"success","data":{"groups":[]}}`, 200},
		{"/api/v1/alerts", `{"status":"success","data":{"alerts":[]}}`, 200},
		{"/api/v1/query?query=sum(", `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"}`, 400},
		{"/api/v1/query?query=x_total*on(a)x_total&time=nonsense", `{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": cannot parse \"nonsense\" to a valid timestamp"}`, 400},
		{"/api/v1/query_range?query=x&start=2&end=1&step=1", `{"status":"error","errorType":"bad_data","error":"end timestamp must not be before start time"}`, 400},
		{"/api/v1/query_range?query=x&start=1&end=2&step=0", `{"status":"error","errorType":"bad_data","error":"zero or negative query resolution step widths are not accepted. Try a positive integer"}`, 400},
		{"/api/v1/nope", `{"status":"error","errorType":"not_found","error":"no such endpoint: /nope"}`, 404},
	} {
		if status, got := s.get(c.path); status != c.status || got != c.want {
			t.Errorf("%s:\n got %d %s\nwant %d %s", c.path, status, got, c.status, c.want)
		}
	}
	for path, part := range map[string]string{"/api/v1/targets": `"health":"down"`, "/api/v1/status/buildinfo": `"version":"3.`} {
		if status, got := s.get(path); status != 200 || !strings.Contains(got, part) {
			t.Errorf("%s: %d %s", path, status, got)
		}
	}
	// A form in the body asks the same.
	res, err := http.PostForm(s.url+"/api/v1/query", url.Values{"query": {"tiny"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if raw, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(raw), "1.5e-09") {
		t.Errorf("%s %v", raw, err)
	}
}

// promtool runs Debian's and gives what it prints.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("promtool", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestPromtoolAsks(t *testing.T) {
	b := newBench(t, Limits{})
	b.fills(time.Hour, map[string]func(float64) float64{`x_total{host="a"}`: line(0, 2), `y`: always(7)})
	s := serve(t, b, func() time.Time { return start().Add(time.Hour) })
	at := fmt.Sprint(start().Add(time.Hour).Unix())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"query", "instant", "--time=" + at, s.url, "sum by (host) (x_total)"}, `{host="a"} => 7200 @[` + at},
		{[]string{"query", "range", "--start=" + fmt.Sprint(start().Unix()), "--end=" + at, "--step=30m", s.url, "y"}, "7 @[" + at},
		{[]string{"query", "series", "--match=x_total", "--start=" + fmt.Sprint(start().Unix()), "--end=" + at, s.url}, `{__name__="x_total", host="a"}`},
		{[]string{"query", "labels", "--start=" + fmt.Sprint(start().Unix()), "--end=" + at, s.url, "host"}, "a\n"},
	} {
		if got := promtool(t, c.args...); !strings.Contains(got, c.want) {
			t.Errorf("promtool %v:\n%s\nwant %s", c.args, got, c.want)
		}
	}
	// What is federated passes its check of the format.
	_, text := s.get("/federate?match[]=x_total&match[]=y")
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil && strings.Contains(string(out), "error while linting") {
		t.Errorf("promtool check metrics: %s\n%s", out, text)
	}
}

// Debian's Prometheus pulls selected series from /federate, and answers with
// them.
func TestPrometheusFederates(t *testing.T) {
	b := benchAt(t, Limits{}, time.Now)
	now := time.Now()
	app := b.store.Appender(context.Background())
	for name, v := range map[string]float64{"wanted_total": 42, "left_out": 1} {
		l := labels.FromStrings("__name__", name, "job", "chat", "instance", "box", "text", `a"b\c`)
		if _, err := app.Append(0, l, now.Add(-time.Second).UnixMilli(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, b, time.Now)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := "scrape_configs:\n- job_name: pull\n  honor_labels: true\n  scrape_interval: 1s\n  metrics_path: /federate\n  params: {'match[]': ['{job=\"chat\",__name__=~\"wanted.*\"}']}\n" +
		"  static_configs:\n  - targets: ['" + strings.TrimPrefix(s.url, "http://") + "']\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			t.Fatal("Prometheus never had the sample")
		case <-tick.C:
		}
		res, err := http.Get("http://" + addr + "/api/v1/query?query=%7Bjob%3D%22chat%22%7D")
		if err != nil {
			continue
		}
		raw, err := io.ReadAll(res.Body)
		if err == nil {
			err = res.Body.Close()
		}
		if err != nil || !strings.Contains(string(raw), `"42"`) {
			continue
		}
		if !strings.Contains(string(raw), `"instance":"box"`) || strings.Contains(string(raw), "left_out") || !strings.Contains(string(raw), `a\"b\\c`) {
			t.Errorf("Prometheus has %s", raw)
		}
		tick.Stop()
		return
	}
}

func TestOffers(t *testing.T) {
	b := newBench(t, Limits{})
	b.fills(time.Minute, map[string]func(float64) float64{`x_total{host="a"}`: always(1), `x_total{host="b"}`: always(1), `y`: always(1)})
	at := start().Add(time.Hour)
	names, err := b.e.Names(context.Background(), at)
	if err != nil || fmt.Sprint(names) != "[{x_total metric } {y metric }]" {
		t.Error(names, err)
	}
	values, err := b.e.LabelValues(context.Background(), at, "x_total", "host")
	if err != nil || fmt.Sprint(values) != "[{a value } {b value }]" {
		t.Error(values, err)
	}
	found := map[string]bool{}
	for _, f := range Functions() {
		found[f.Text+f.Kind] = true
	}
	if !found["ratefunction"] || !found["sumaggregation"] || !found["bykeyword"] {
		t.Error(found)
	}
}
