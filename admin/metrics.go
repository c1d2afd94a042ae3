package admin

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"posthouse/webui/console"
)

// metricsPage is the dictionary of metrics.
func (a *Admin) metricsPage(r *Request) {
	var all []Metric
	if a.o.Inside.Metrics != nil {
		all = a.o.Inside.Metrics()
	}
	var sources []string
	for _, m := range all {
		sources = append(sources, m.Source)
	}
	slices.Sort(sources)
	sources = slices.Compact(sources)
	if kind, source := r.Query("type"), r.Query("source"); kind != "" || source != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(m Metric) bool { return kind != "" && typeOf(m) != kind || source != "" && m.Source != source })
	}
	l := r.List("name")
	rows := Pick(&l, all, func(m Metric, q string) bool {
		return Holds(q, m.Name, m.Alias, m.Help.EN, m.Help.ZH, m.Normal.EN, m.Normal.ZH, m.Action.EN, m.Action.ZH)
	}, map[string]func(a, b Metric) int{
		"name":   func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) },
		"type":   func(a, b Metric) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name)) },
		"source": func(a, b Metric) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name)) },
	})
	v := r.View(r.Route.Title)
	list := make([]console.Metric, 0, len(rows))
	for _, m := range rows {
		c := console.Metric{Name: m.Name, Alias: m.Alias, Type: typeOf(m), Unit: m.Unit, Labels: strings.Join(m.Labels, ", "), Source: m.Source,
			Help: v.In(m.Help), Normal: v.In(m.Normal), Action: v.In(m.Action)}
		if _, args := a.find("GET", "/admin/query"); args != nil {
			c.Query = "/admin/query?q=" + url.QueryEscape(m.Name)
		}
		if r.May(Manages) && a.o.Rules.Manager != nil {
			c.Rule = "/admin/rules/edit?expr=" + url.QueryEscape(watched(m))
		}
		list = append(list, c)
	}
	if r.WantsCSV() {
		header := []string{v.Say("Name", "名称"), v.Say("Type", "类型"), v.Say("Unit", "单位"), v.Say("Labels", "标签"), v.Say("From", "来源"), v.Say("What it is", "含义"), v.Say("Usual", "正常范围"), v.Say("What to do", "处理办法")}
		var out [][]string
		for _, m := range list {
			out = append(out, []string{m.Name, m.Type, m.Unit, m.Labels, m.Source, m.Help, m.Normal, m.Action})
		}
		r.CSV("metrics", header, out)
		return
	}
	r.Page(func(v console.View) templ.Component { return console.MetricsPage(v, l, sources, list) })
}

// watched is the expression by which a rule watches a metric: a gauge as it is,
// a counter by its rate, a histogram by its 95th percentile.
func watched(m Metric) string {
	switch m.Type {
	case "counter":
		return "sum(rate(" + m.Name + "[5m]))"
	case "histogram":
		return "histogram_quantile(0.95, sum by (le) (rate(" + m.Name + "_bucket[5m])))"
	}
	return "max(" + m.Name + ")"
}

// typeOf is the type as people read it: a gauge that is written without a type
// is one all the same.
func typeOf(m Metric) string {
	if m.Type == "untyped" {
		return "gauge"
	}
	return m.Type
}
