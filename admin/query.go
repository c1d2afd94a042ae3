package admin

import (
	"context"
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/sysmon/query"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Asking is what the query page asks with. Without an engine the page says
// that the server does not watch itself.
type Asking struct {
	Engine   *query.Engine
	Types    func() map[string]string // of metrics, by the name of the family
	Interval time.Duration            // of samples
}

// rowsOfQuery bounds the table; the file has all of them.
const rowsOfQuery = 500

func queryRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/query", Title: words.Of("Query", "查询"), Group: Reference, Icon: "query", Need: Sees, Handle: (*Admin).queryPage},
		{Method: "GET", Path: "/admin/data/query", Need: Sees, Handle: (*Admin).queryData},
		{Method: "GET", Path: "/admin/data/offers", Need: Sees, Handle: (*Admin).queryOffers},
	}
}

// queryPage shows an expression, its value at the end of the range as a table,
// and the range as a chart: GET /admin/query?q=&from=&to=. With format=csv the
// table is a file.
func (a *Admin) queryPage(r *Request) {
	s, err := readSpan(r.Query("from"), r.Query("to"), a.o.Now())
	wrong := words.Text{}
	if err != nil {
		wrong, s = spanText(err, s), lastHour(a.o.Now())
	}
	p := console.Query{Expr: r.Query("q"), From: s.FromText, To: s.ToText, At: s.To, Ready: a.o.Asking.Engine != nil}
	if p.Expr != "" && p.Ready {
		address := url.Values{"q": {p.Expr}, "from": {s.FromText}, "to": {s.ToText}}
		p.Data = "/admin/data/query?" + address.Encode() + "&width={width}"
		address.Set("format", "csv")
		p.CSV = "/admin/query?" + address.Encode()
		if r.May(Manages) && a.o.Rules.Manager != nil {
			p.Rule = "/admin/rules/edit?expr=" + url.QueryEscape(p.Expr)
		}
		began := time.Now()
		var failed words.Text
		if p.Rows, failed = a.ask(p.Expr, s.To); failed != (words.Text{}) {
			wrong = failed
		}
		p.Took = time.Since(began)
	}
	if r.WantsCSV() && wrong == (words.Text{}) {
		out := make([][]string, 0, len(p.Rows))
		for _, row := range p.Rows {
			out = append(out, []string{row.Series, row.Value, row.At.UTC().Format(time.RFC3339)})
		}
		r.CSV("query", []string{"series", "value", "time"}, out)
		return
	}
	if p.Total = len(p.Rows); p.Total > rowsOfQuery {
		p.Rows = p.Rows[:rowsOfQuery]
	}
	r.Page(func(v console.View) templ.Component {
		p.Wrong = v.In(wrong)
		return console.QueryPage(v, p)
	})
}

// ask gives the rows of an expression at a time, or what is wrong with it.
func (a *Admin) ask(expr string, at time.Time) ([]console.QueryRow, words.Text) {
	res, err := a.o.Asking.Engine.Instant(context.Background(), expr, at) // it has a limit of time of its own
	if err != nil {
		return nil, queryText(err)
	}
	var rows []console.QueryRow
	add := func(series string, v float64, ms int64) {
		rows = append(rows, console.QueryRow{Series: series, Value: strconv.FormatFloat(v, 'f', -1, 64), At: time.UnixMilli(ms)})
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		for _, s := range v {
			add(s.Metric.String(), s.F, s.T)
		}
	case promql.Scalar:
		add("", v.V, v.T)
	case promql.String:
		rows = append(rows, console.QueryRow{Value: v.V, At: time.UnixMilli(v.T)})
	case promql.Matrix:
		for _, s := range v {
			for _, f := range s.Floats {
				add(s.Metric.String(), f.F, f.T)
			}
		}
	}
	return rows, words.Text{}
}

// queryText is what an error of the engine says to people.
func queryText(err error) words.Text {
	var e *query.Error
	if errors.As(err, &e) {
		return e.Say
	}
	return words.Of(err.Error(), err.Error())
}

// queryData is the chart of an expression over a range, as charts take it.
func (a *Admin) queryData(r *Request) {
	s, err := readSpan(r.Query("from"), r.Query("to"), a.o.Now())
	if err != nil {
		r.refuse(400, spanText(err, s))
		return
	}
	type answer struct {
		From   int64          `json:"from"`
		To     int64          `json:"to"`
		Step   int64          `json:"step"`
		Times  []int64        `json:"times"`
		Series []seriesAnswer `json:"series"`
		Error  string         `json:"error,omitempty"`
	}
	width, _ := strconv.Atoi(r.Query("width")) // 0: a narrow one
	step := stepOf(s, width, a.o.Asking.Interval)
	from, to := s.From.Truncate(step), s.To.Truncate(step)
	out := answer{From: from.Unix(), To: s.To.Unix(), Step: int64(step.Seconds()), Times: []int64{}, Series: []seriesAnswer{}}
	e := a.o.Asking.Engine
	if e == nil {
		r.refuse(404, words.Of("This server does not watch itself.", "此服务器未启用自我监控。"))
		return
	}
	expr := r.Query("q")
	parsed, err := e.Parse(expr)
	if err == nil && parsed.Type() != parser.ValueTypeVector && parsed.Type() != parser.ValueTypeScalar {
		out.Error = words.Of("This has no chart: it is a range or a text. The table shows it.", "区间向量或文本无法绘制图表，请查看表格。").In(r.Tongue())
		r.JSON(out)
		return
	}
	var res *promql.Result
	if err == nil {
		res, err = e.Range(context.Background(), expr, from, to, step)
	}
	if err != nil {
		out.Error = queryText(err).In(r.Tongue())
		r.JSON(out)
		return
	}
	for t := from; !t.After(to); t = t.Add(step) {
		out.Times = append(out.Times, t.Unix())
	}
	m, _ := res.Value.(promql.Matrix) // a range has no other value
	for _, line := range m[:min(len(m), seriesOfOne)] {
		one := seriesAnswer{Label: line.Metric.String(), Values: make([]number, len(out.Times))}
		for i := range one.Values {
			one.Values[i] = number(math.NaN())
		}
		for _, p := range line.Floats {
			if i := (p.T/1000 - out.From) / out.Step; i >= 0 && int(i) < len(one.Values) {
				one.Values[i] = number(p.F)
			}
		}
		out.Series = append(out.Series, one)
	}
	r.JSON(out)
}

// queryOffers lists what the box completes: GET /admin/data/offers, metrics and
// functions; with metric, the labels of it; with label too, the values.
func (a *Admin) queryOffers(r *Request) {
	type offer struct {
		Text   string `json:"text"`
		Kind   string `json:"kind"`
		Detail string `json:"detail,omitempty"`
	}
	out := []offer{}
	e := a.o.Asking.Engine
	if e == nil {
		r.JSON(out)
		return
	}
	metric, label, now := r.Query("metric"), r.Query("label"), a.o.Now()
	var list []query.Offer
	var err error
	switch {
	case label != "":
		list, err = e.LabelValues(context.Background(), now, metric, label)
	case r.Queries().Has("metric"):
		list, err = e.LabelNames(context.Background(), now, metric)
	default:
		list, err = e.Names(context.Background(), now)
		if types := a.o.Asking.Types; err == nil && types != nil {
			known := types()
			for i := range list {
				list[i].Detail = known[list[i].Text]
			}
		}
		list = slices.Concat(list, query.Functions())
	}
	if err != nil {
		r.refuse(503, queryText(err))
		return
	}
	for _, o := range list {
		out = append(out, offer(o))
	}
	r.JSON(out)
}
