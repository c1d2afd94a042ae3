package gate

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the gate's metrics. Histograms have buckets by upper bound (le),
// as Prometheus reads them.
type meters struct {
	set         *metrics.Set
	connections *metrics.Counter
	refused     *metrics.Counter
	pushed      *metrics.Counter
	dropped     *metrics.Counter
	behind      *metrics.Counter
	resets      *metrics.Counter
	evicted     *metrics.Counter
	limited     *metrics.Counter
	panics      *metrics.Counter
	duration    *histogram
	fanout      *histogram
	http        *histogram
}

func newMeters(g *Gate) *meters {
	set := metrics.NewSet()
	m := &meters{
		set:         set,
		connections: set.NewCounter("connections_total"),
		refused:     set.NewCounter("connections_refused_total"),
		pushed:      set.NewCounter("im_messages_pushed_total"),
		dropped:     set.NewCounter("im_passing_events_dropped_total"),
		behind:      set.NewCounter("im_sessions_behind_total"),
		resets:      set.NewCounter("im_sessions_reset_total"),
		evicted:     set.NewCounter("im_sessions_evicted_total"),
		limited:     set.NewCounter("rate_limited_total"),
		panics:      set.NewCounter("panics_total"),
		duration:    newHistogram("session_duration_sec", 1, 10, 60, 600, 3600, 8*3600, 24*3600),
		fanout:      newHistogram("im_fanout_delay_seconds", .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5),
		http:        newHistogram("http_request_duration_seconds", .001, .005, .01, .05, .1, .5, 1, 5, 30),
	}
	set.NewGauge("connections_active", func() float64 { return float64(g.peers.size()) })
	set.NewGauge("im_sessions_active", func() float64 { return float64(g.hub.size()) })
	set.NewGauge("im_active_users_total", func() float64 { return float64(g.hub.online()) })
	set.NewGauge("im_ring_events", func() float64 {
		g.ring.mu.RLock()
		defer g.ring.mu.RUnlock()
		return float64(g.ring.next - g.ring.first)
	})
	set.NewGauge("im_ring_bytes", func() float64 {
		g.ring.mu.RLock()
		defer g.ring.mu.RUnlock()
		return float64(g.ring.bytes)
	})
	set.NewGauge("im_stream_position", func() float64 { return float64(g.ring.position()) })
	for _, h := range []*histogram{m.duration, m.fanout, m.http} {
		set.RegisterMetricsWriter(h.write)
	}
	return m
}

// request counts an HTTP request. The endpoint is one of a fixed list.
func (m *meters) request(method, endpoint string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BAD":
	default:
		method = "OTHER"
	}
	m.set.GetOrCreateCounter(fmt.Sprintf("http_requests_total{method=%q,endpoint=%q,status=%q}", method, endpoint, strconv.Itoa(status))).Inc()
	m.http.observe(took.Seconds())
}

func (m *meters) lasted(d time.Duration) { m.duration.observe(d.Seconds()) }

// delay is the time from a record's decision to its fan-out, in ms.
func (m *meters) delay(ms int64) { m.fanout.observe(max(0, float64(ms)/1000)) }

// histogram counts values by upper bound.
type histogram struct {
	name   string
	bounds []float64
	counts []atomic.Uint64 // one more than bounds
	sum    atomic.Uint64   // bits of a float64
}

func newHistogram(name string, bounds ...float64) *histogram {
	return &histogram{name: name, bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (h *histogram) observe(v float64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (h *histogram) write(w io.Writer) {
	var total uint64
	for i, bound := range h.bounds {
		total += h.counts[i].Load()
		fmt.Fprintf(w, "%s_bucket{le=%q} %d\n", h.name, strconv.FormatFloat(bound, 'g', -1, 64), total)
	}
	total += h.counts[len(h.bounds)].Load()
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", h.name, total, h.name, math.Float64frombits(h.sum.Load()), h.name, total)
}
