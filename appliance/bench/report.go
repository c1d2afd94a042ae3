package bench

import (
	"cmp"
	"context"
	"time"

	"posthouse/appliance/wire"
)

// Row is one figure of a report.
type Row struct {
	Name   string    `json:"name"` // stable
	Text   wire.Text `json:"-"`
	Value  float64   `json:"value"`
	Unit   string    `json:"unit,omitempty"`
	Target *Target   `json:"target,omitempty"`
}

// Target is what a figure should be.
type Target struct {
	AtLeast bool    `json:"at_least"` // else: at most
	Value   float64 `json:"value"`
	Met     bool    `json:"met"`
}

// Report is what a scenario came to.
type Report struct {
	Scenario string    `json:"scenario"`
	Title    wire.Text `json:"-"`
	Rows     []Row     `json:"rows"`
	Took     float64   `json:"took_seconds"`
}

func (r *Report) add(name string, value float64, unit, en, zh string) *Row {
	r.Rows = append(r.Rows, Row{Name: name, Text: wire.Text{En: en, Zh: zh}, Value: value, Unit: unit})
	return &r.Rows[len(r.Rows)-1]
}

func (r *Row) atLeast(v float64) { r.Target = &Target{AtLeast: true, Value: v, Met: r.Value >= v} }
func (r *Row) atMost(v float64)  { r.Target = &Target{Value: v, Met: r.Value <= v} }

// Scenario is one measurement.
type Scenario struct {
	Name  string
	Title wire.Text
	run   func(ctx context.Context, s *Setup, r *Report) error
}

// Scenarios are all there are, in the order in which they run.
func Scenarios() []Scenario {
	return []Scenario{
		{"one-to-one", wire.Text{En: "200 pairs write to each other, one way", Zh: "200 对用户单向对话"}, oneToOne},
		{"room", wire.Text{En: "one room of 1,000 connected members", Zh: "一个房间，1000 名在线成员"}, room},
		{"idle", wire.Text{En: "8,000 idle connections", Zh: "8000 个空闲连接"}, idle},
		{"reconnect", wire.Text{En: "2,000 clients come back at once", Zh: "2000 个客户端同时重连"}, reconnect},
		{"start", wire.Text{En: "starting on a large history, and reading in it", Zh: "大量历史下的启动与翻阅"}, start},
		{"search", wire.Text{En: "searching 1,000,000 messages", Zh: "在 100 万条消息中搜索"}, searching},
		{"watch", wire.Text{En: "what watching itself costs", Zh: "自我监控的开销"}, watching},
		{"flush", wire.Text{En: "answers while state is flushed", Zh: "状态落盘期间的应答"}, flush},
	}
}

// Run carries a scenario out.
func (s Scenario) Run(ctx context.Context, setup *Setup) (*Report, error) {
	r := &Report{Scenario: s.Name, Title: s.Title}
	began := time.Now()
	err := s.run(ctx, setup, r)
	r.Took = time.Since(began).Seconds()
	return r, err
}

// run is one measured stretch of one side.
type run struct {
	took    time.Duration
	done    uint64 // messages or deliveries
	cpu     time.Duration
	rss     int64
	latency Histogram
}

func (r *run) rate() float64 { return float64(r.done) / r.took.Seconds() }

// each is the CPU time of one message, in µs.
func (r *run) each() float64 { return float64(r.cpu.Microseconds()) / float64(max(r.done, 1)) }

// middle gives the median of a figure of several runs.
func middle(runs []run, figure func(*run) float64) float64 {
	var list []float64
	for i := range runs {
		list = append(list, figure(&runs[i]))
	}
	return Median(list)
}

func quantileMS(q float64) func(*run) float64 {
	return func(r *run) float64 { return milli(r.latency.Quantile(q)) }
}

func milli(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ratio(a, b float64) float64 { return a / cmp.Or(b, 1) }

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
