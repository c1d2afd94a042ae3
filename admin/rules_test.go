package admin

import (
	"context"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/rule"
)

// ruleBench is a console on a real rule manager with a week of one figure.
type ruleBench struct {
	t       *testing.T
	admin   *Admin
	manager *rule.Manager
	changed []string
}

func newRuleBench(t *testing.T) *ruleBench {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	store := teststorage.New(t)
	app := store.Appender(t.Context())
	for i := range 7 * 24 * 12 { // every 5 minutes; 20 for an hour on three of the days
		at, v := now.Add(time.Duration(i-7*24*12)*5*time.Minute), 5.0
		if at.Hour() == 3 && at.Day()%2 == 0 {
			v = 20
		}
		if _, err := app.Append(0, labels.FromStrings("__name__", "queue_length", "queue", "out"), at.UnixMilli(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: parser.NewParser(parser.Options{})})
	m, err := rule.Open(t.TempDir(), rule.Options{Query: rules.EngineQueryFunc(engine, store), Queryable: store, Appendable: store, Now: func() time.Time { return now },
		Range: func(ctx context.Context, expr string, from, to time.Time, step time.Duration) (promql.Matrix, error) {
			q, err := engine.NewRangeQuery(ctx, store, nil, expr, from, to, step)
			if err != nil {
				return nil, err
			}
			return q.Exec(ctx).Matrix()
		}})
	if err != nil {
		t.Fatal(err)
	}
	b := &ruleBench{t: t, manager: m}
	b.admin = New(Options{Now: func() time.Time { return now }, Rules: Rules{Manager: m, Changed: func(_ context.Context, v Visitor, action, object string) {
		b.changed = append(b.changed, v.Login+" "+action+" "+object)
	}}})
	t.Cleanup(b.admin.Close)
	return b
}

// ask makes a request as somebody with a role; form is nil for a GET.
func (b *ruleBench) ask(role wire.Role, lang, address string, form url.Values) (int, string) {
	b.t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	ctx.Request.SetRequestURI(address)
	if form != nil {
		ctx.Request.Header.SetMethod("POST")
		ctx.Request.Header.SetContentType("application/x-www-form-urlencoded")
		ctx.Request.SetBodyString(form.Encode())
	}
	b.admin.Serve(&ctx, Visitor{User: 1, Device: 1, Role: role, LoggedIn: true, Login: "ann", Name: "Ann", Lang: lang})
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

func (b *ruleBench) sees(role wire.Role, lang, address string, want ...string) {
	b.t.Helper()
	code, body := b.ask(role, lang, address, nil)
	if code != 200 {
		b.t.Errorf("GET %s: %d", address, code)
	}
	for _, w := range want {
		if !strings.Contains(body, w) {
			b.t.Errorf("GET %s (%s) does not say %q", address, lang, w)
		}
	}
}

func (b *ruleBench) posts(role wire.Role, address string, code int, form url.Values) string {
	b.t.Helper()
	got, body := b.ask(role, "en", address, form)
	if got != code {
		b.t.Errorf("POST %s: %d, want %d", address, got, code)
	}
	return body
}

func TestRulesAreListedInBothLanguages(t *testing.T) {
	b := newRuleBench(t)
	b.sees(wire.Auditor, "en", "/admin/rules", "HighCPUUsage", "Not evaluated yet", "Severity")
	b.sees(wire.Auditor, "zh", "/admin/rules?q=HighCPU&severity=warning", "HighCPUUsage", "尚未评估", "级别")
	b.sees(wire.Auditor, "en", "/admin/rules?format=csv", "HighCPUUsage", "node_cpu_seconds_total")
	id := "shipped/host.yml/host/HighCPUUsage"
	b.sees(wire.Auditor, "en", "/admin/rules/rule?id="+escape(id), "Nobody has changed it", "/admin/runbooks/HighCPUUsage")
	b.sees(wire.Auditor, "zh", "/admin/rules/rule?id="+escape(id), "尚无修改记录")
	b.sees(wire.Auditor, "en", "/admin/rules/file?name="+escape("shipped/host.yml"), "DiskFillsUp")
	b.sees(wire.Admin, "zh", "/admin/rules/edit?id="+escape(id), "灵敏度", `value="80"`)
	if code, body := b.ask(wire.Auditor, "en", "/admin/rules/rule?id="+escape(id), nil); code != 200 || strings.Contains(body, "/admin/rules/disable") {
		t.Error("an auditor is offered to disable a rule")
	}
	if code, _ := b.ask(wire.Auditor, "en", "/admin/rules/edit", nil); code != 403 {
		t.Errorf("an auditor gets the form: %d", code)
	}
}

func TestARuleIsTriedSavedAndTakenBack(t *testing.T) {
	b := newRuleBench(t)
	form := url.Values{"name": {"QueueLong"}, "expr": {"queue_length"}, "kind": {"static"}, "op": {">"}, "threshold": {"10"}, "for": {"5m"}, "keep": {"0s"}, "severity": {"serious"}, "do": {"preview"}}
	if body := b.posts(wire.Admin, "/admin/rules/edit", 200, form); !strings.Contains(body, "It would have fired 4 times") && !strings.Contains(body, "It would have fired 3 times") {
		t.Errorf("preview: %s", body[strings.Index(body, "<main"):])
	}
	code, data := b.ask(wire.Admin, "en", "/admin/data/rules/preview?"+form.Encode(), nil)
	if code != 200 || !strings.Contains(data, `"periods":[{`) || !strings.Contains(data, `"thresholds":[{"value":10`) {
		t.Errorf("data: %d %.300s", code, data)
	}
	if _, ok := b.manager.Rule("console.QueueLong.yml/console/QueueLong"); ok {
		t.Fatal("trying a rule saved it")
	}
	wrong := url.Values{}
	for k, v := range form {
		wrong[k] = v
	}
	wrong.Set("threshold", "many")
	if body := b.posts(wire.Admin, "/admin/rules/edit", 422, wrong); !strings.Contains(body, "has to be a number") {
		t.Error("a wrong threshold is not told")
	}
	form.Set("do", "save")
	b.posts(wire.Auditor, "/admin/rules/edit", 403, form)
	b.posts(wire.Admin, "/admin/rules/edit", 303, form)
	id := "console.QueueLong.yml/console/QueueLong"
	if _, ok := b.manager.Rule(id); !ok {
		t.Fatal("the rule was not saved")
	}
	// Disabling wants its name.
	b.posts(wire.Admin, "/admin/rules/disable", 422, url.Values{"id": {id}, "typed": {"Queue"}})
	b.posts(wire.Admin, "/admin/rules/disable", 303, url.Values{"id": {id}, "typed": {"QueueLong"}})
	if r, _ := b.manager.Rule(id); r.State != rule.Disabled {
		t.Errorf("after disabling it is %s", r.State)
	}
	b.sees(wire.Auditor, "en", "/admin/rules/rule?id="+escape(id), "Disabled", "Made", "ann", "alert: QueueLong")
	b.posts(wire.Admin, "/admin/rules/revert", 303, url.Values{"id": {id}, "number": {"2"}})
	if r, _ := b.manager.Rule(id); r.State == rule.Disabled {
		t.Error("taking back did not enable it")
	}
	b.posts(wire.Admin, "/admin/rules/delete", 303, url.Values{"id": {id}, "typed": {"QueueLong"}})
	if body := b.posts(wire.Admin, "/admin/rules/file", 422, url.Values{"file": {"mine.yml"}, "text": {"groups:\n  - name: a\n    rules:\n      - alert: X\n        expr: sum(\n"}}); !strings.Contains(body, "line 5") {
		t.Error("a broken file is not told with its line")
	}
	if want := "ann rule.created " + id; len(b.changed) != 4 || b.changed[0] != want {
		t.Errorf("told of %q", b.changed)
	}
}

func TestARuleFileIsRemovedByItsNameAndComesBack(t *testing.T) {
	b := newRuleBench(t)
	text := "groups:\n  - name: a\n    rules:\n      - alert: QueueStands\n        expr: queue_length > 9\n"
	b.posts(wire.Admin, "/admin/rules/file", 303, url.Values{"file": {"mine.yml"}, "text": {text}})
	b.sees(wire.Admin, "en", "/admin/rules/file?name=mine.yml", "Remove the file", "1 rules end", "QueueStands", "Its text stays")
	b.sees(wire.Admin, "zh", "/admin/rules/file?name=mine.yml", "移除此文件？", "1 条规则将停止")
	if _, body := b.ask(wire.Auditor, "en", "/admin/rules/file?name=mine.yml", nil); strings.Contains(body, "/admin/rules/file/remove") {
		t.Error("an auditor is offered to remove a file")
	}
	if _, body := b.ask(wire.Admin, "en", "/admin/rules/file?name="+escape("shipped/host.yml"), nil); strings.Contains(body, "/admin/rules/file/remove") {
		t.Error("a shipped file is offered to be removed")
	}
	remove := func(file, typed string) url.Values { return url.Values{"file": {file}, "typed": {typed}} }
	b.posts(wire.Auditor, "/admin/rules/file/remove", 403, remove("mine.yml", "mine.yml"))
	if body := b.posts(wire.Admin, "/admin/rules/file/remove", 422, remove("mine.yml", "mine")); !strings.Contains(body, "is not that of the file") {
		t.Error("a wrong name is not told")
	}
	b.posts(wire.Admin, "/admin/rules/file/remove", 409, remove("shipped/host.yml", "shipped/host.yml"))
	const id = "mine.yml/a/QueueStands"
	if _, ok := b.manager.Rule(id); !ok {
		t.Fatal("the rule is gone")
	}
	b.posts(wire.Admin, "/admin/rules/file/remove", 303, remove("mine.yml", "mine.yml"))
	if _, ok := b.manager.Rule(id); ok {
		t.Error("the rule is still there")
	}
	b.sees(wire.Admin, "en", "/admin/rules/file", "Changes of files", "mine.yml", "Deleted", "Back to before this change")
	b.posts(wire.Admin, "/admin/rules/revert", 303, url.Values{"id": {""}, "number": {"2"}})
	if _, ok := b.manager.Rule(id); !ok {
		t.Error("taking back did not bring the file back")
	}
	if want := "ann rule.file_removed mine.yml"; !slices.Contains(b.changed, want) {
		t.Errorf("told of %q", b.changed)
	}
}

func TestASeasonalRuleIsDrawnWithItsBounds(t *testing.T) {
	b := newRuleBench(t)
	form := url.Values{"name": {"QueueOdd"}, "expr": {"queue_length"}, "kind": {"seasonal"}, "season": {"day"}, "direction": {"both"}, "sensitivity": {"5"}, "window": {"1h"}, "for": {"0"}, "severity": {"warning"}}
	code, data := b.ask(wire.Auditor, "en", "/admin/data/rules/preview?"+form.Encode(), nil)
	if code != 200 || !strings.Contains(data, `"label":"upper bound"`) || !strings.Contains(data, `"bound":true`) {
		t.Errorf("data: %d %.300s", code, data)
	}
	if code, data := b.ask(wire.Auditor, "en", "/admin/data/rules/rule?id="+escape("shipped/host.yml/host/HighLoad"), nil); code != 200 || !strings.Contains(data, `"thresholds"`) && !strings.Contains(data, `"series":[]`) {
		t.Errorf("data: %d %.300s", code, data)
	}
}

// From the dictionary one step leads to a rule about a metric, for those who
// may make one.
func TestEveryMetricCanCarryARule(t *testing.T) {
	b := newRuleBench(t)
	b.admin.o.Inside.Metrics = func() []Metric {
		return []Metric{{Name: "depth", Type: "gauge"}, {Name: "sent_total", Type: "counter"}, {Name: "took_seconds", Type: "histogram"}}
	}
	for expr, name := range map[string]string{"max(depth)": "depth", "sum(rate(sent_total[5m]))": "sent_total",
		"histogram_quantile(0.95, sum by (le) (rate(took_seconds_bucket[5m])))": "took_seconds"} {
		to := "/admin/rules/edit?expr=" + escape(expr)
		b.sees(wire.Admin, "en", "/admin/metrics", html.EscapeString(to), "Make a rule of "+name)
		b.sees(wire.Admin, "zh", to, html.EscapeString(expr))
	}
	if _, page := b.ask(wire.Auditor, "en", "/admin/metrics", nil); strings.Contains(page, "/admin/rules/edit") {
		t.Error("an auditor is led to a form that refuses them")
	}
}
