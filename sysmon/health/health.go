// Package health owns the opinion of how well the box is: a score from 0 to
// 100 with its terms, a sentence and a list of checks, what changed in the hour
// before something went wrong, the days until a disk is full, and advice on
// capacity. It asks the stored figures through Source and knows nothing else.
//
// # The score
//
// 100 minus the points of four terms, not below 0. Each term takes points in
// proportion, up to its weight, which people may change:
//
//	cpu     share of the processors in use        0 … 100 %    default 30 points
//	memory  share of the memory in use            0 … 100 %    default 20
//	rtt     mean round trip of the connections    0 … 50 ms    default 30
//	loss    deliveries not acknowledged           0 … 10 %     default 20
//
// All are means of five minutes. The term of loss is bounded like the others.
// A term without data takes nothing and says so. What makes a chat useless
// whatever these say bounds the score: read-only storage or a failing chat
// probe to 30, a certificate that ended to 50. Below 60 the box asks for help.
//
// # Files
//
// In the directory given to Open, replaced whole: weights.json (Weights).
//
// # Choices
//
// What changed is looked for in the hour before. It is ranked by what usually
// breaks things (configuration and upgrades first), by whether its kind goes
// with the alert, and by how shortly before it happened. A login storm is a
// minute with at least one login a second and five times the mean of the day
// before.
//
// The growth of a disk is the median slope (Theil–Sen) of 7 and 30 days. One or
// two sudden drops in a week are clean-ups and are added back, so that they
// hide no growth; where there are more the largest value of each day counts.
//
// It runs no goroutines and is safe for concurrent use.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// Sample is one value of an expression.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Point is a value at a time.
type Point struct {
	At    time.Time
	Value float64
}

// Series is one line of a range.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Source answers PromQL from what is stored.
type Source interface {
	Instant(ctx context.Context, expr string, at time.Time) ([]Sample, error)
	Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error)
}

// Options say how to judge.
type Options struct {
	Source Source
	// Events tells what happened to the box between two times: changes of the
	// configuration, upgrades, new bots, backups, edited rules; nil: nothing.
	Events func(ctx context.Context, from, to time.Time) []Event
	// Cores is the number of processors that the program may use; 0: as many as
	// the figures tell.
	Cores float64
	Now   func() time.Time
}

// Health judges the box.
type Health struct {
	dir string
	opt Options

	mu      sync.Mutex
	weights Weights
	last    Report
}

// Weights are the most points that each term takes, and the value at which it
// takes them all.
type Weights struct {
	CPU     float64 `json:"cpu"`
	Memory  float64 `json:"memory"`
	RTT     float64 `json:"rtt"`
	Loss    float64 `json:"loss"`
	RTTFull float64 `json:"rtt_full_ms"` // milliseconds
	LossAll float64 `json:"loss_full"`   // percent
	Warn    float64 `json:"warn"`        // below this the box asks for help
}

// DefaultWeights are those a new box has.
func DefaultWeights() Weights {
	return Weights{CPU: 30, Memory: 20, RTT: 30, Loss: 20, RTTFull: 50, LossAll: 10, Warn: 60}
}

// ErrWeights says what weights may be.
var ErrWeights = errors.New("weights: each from 0 to 100, together not more than 100; the bounds of round trip (1 to 10,000 ms), loss (1 to 100 %) and warning (1 to 99) above 0")

func (w Weights) check() error {
	sum := 0.0
	for _, v := range []float64{w.CPU, w.Memory, w.RTT, w.Loss} {
		if !(v >= 0 && v <= 100) {
			return ErrWeights
		}
		sum += v
	}
	if sum > 100 || !(w.RTTFull >= 1 && w.RTTFull <= 10000) || !(w.LossAll >= 1 && w.LossAll <= 100) || !(w.Warn >= 1 && w.Warn <= 99) {
		return ErrWeights
	}
	return nil
}

const weightsFile = "weights.json"

// Open reads the weights and events of a directory, and makes it when needed.
func Open(dir string, opt Options) (*Health, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open health: %w", err)
	}
	h := &Health{dir: dir, opt: opt, weights: DefaultWeights()}
	raw, err := os.ReadFile(filepath.Join(dir, weightsFile))
	if err == nil {
		w := DefaultWeights()
		if err = json.Unmarshal(raw, &w); err == nil {
			err = w.check()
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w; remove it to begin with the defaults", filepath.Join(dir, weightsFile), err)
		}
		h.weights = w
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open health: %w", err)
	}
	return h, nil
}

// Weights are those in force.
func (h *Health) Weights() Weights {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.weights
}

// SetWeights replaces the weights, durably. ErrWeights when they cannot be.
func (h *Health) SetWeights(w Weights) error {
	if err := w.check(); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := renameio.WriteFile(filepath.Join(h.dir, weightsFile), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	h.weights, h.last = w, Report{}
	return nil
}

// Status is how something stands.
type Status string

// The four.
const (
	Good    Status = "good"
	Warn    Status = "warn"
	Bad     Status = "bad"
	Unknown Status = "unknown" // no data
)

// Term is one part of the score.
type Term struct {
	ID     string // cpu, memory, rtt, loss
	Name   words.Text
	Value  float64 // in Unit; NaN without data
	Unit   string  // percent, ms
	Points float64 // taken from the score
	Most   float64 // points it can take
	Expr   string  // where the value is from
}

// Check is one line of what is right and wrong.
type Check struct {
	ID     string
	Name   words.Text
	Status Status
	Text   words.Text
	Link   string // where to look, in the console
}

// Report is the opinion at a time.
type Report struct {
	At       time.Time
	Score    float64
	Status   Status
	Sentence words.Text
	Terms    []Term
	Bound    words.Text // why the score is bounded; empty: it is not
	Checks   []Check
}

// fresh is how long a report stands before it is made again.
const fresh = 10 * time.Second

// Now is the opinion of at most ten seconds ago.
func (h *Health) Now(ctx context.Context) (Report, error) {
	at := h.opt.Now()
	h.mu.Lock()
	last := h.last
	h.mu.Unlock()
	if age := at.Sub(last.At); !last.At.IsZero() && age >= 0 && age < fresh {
		return last, nil
	}
	r, err := h.At(ctx, at)
	if err == nil {
		h.mu.Lock()
		h.last = r
		h.mu.Unlock()
	}
	return r, err
}

// The expressions of the terms.
const (
	exprCPU    = `100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))`
	exprMemory = `100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)`
	exprRTT    = `1000 * sum(rate(im_session_rtt_seconds_sum[5m])) / (sum(rate(im_session_rtt_seconds_count[5m])) > 0)`
	exprLoss   = `100 * clamp(1 - sum(rate(im_delivery_acks_total[5m])) / (sum(rate(im_deliveries_total[5m])) > 0), 0, 1)`
)

// At is the opinion at a time, from what is stored.
func (h *Health) At(ctx context.Context, at time.Time) (Report, error) {
	w := h.Weights()
	r := Report{At: at, Score: 100, Terms: []Term{
		{ID: "cpu", Name: words.Of("Processors in use", "处理器使用率"), Unit: "percent", Most: w.CPU, Expr: exprCPU},
		{ID: "memory", Name: words.Of("Memory in use", "内存使用率"), Unit: "percent", Most: w.Memory, Expr: exprMemory},
		{ID: "rtt", Name: words.Of("Round trip of connections", "连接往返时延"), Unit: "ms", Most: w.RTT, Expr: exprRTT},
		{ID: "loss", Name: words.Of("Deliveries not acknowledged", "未确认的投递"), Unit: "percent", Most: w.Loss, Expr: exprLoss},
	}}
	full := []float64{100, 100, w.RTTFull, w.LossAll}
	known := 0
	for i := range r.Terms {
		t := &r.Terms[i]
		v, err := h.one(ctx, t.Expr, at)
		if err != nil {
			return Report{}, fmt.Errorf("judge %s: %w", t.ID, err)
		}
		if t.Value = v; math.IsNaN(v) {
			continue
		}
		known++
		t.Points = t.Most * min(1, max(0, v/full[i]))
		r.Score -= t.Points
	}
	checks, err := h.checks(ctx, at)
	if err != nil {
		return Report{}, err
	}
	r.Checks = checks
	for _, b := range bounds() {
		for _, c := range checks {
			if c.ID == b.check && c.Status == Bad && r.Score > b.most {
				r.Score, r.Bound = b.most, c.Text
			}
		}
	}
	r.Score = math.Round(max(0, r.Score)*10) / 10
	r.finish(w, known)
	return r, nil
}

type bound struct {
	check string
	most  float64
}

// bounds are checks that bound the score whatever the terms say.
func bounds() []bound {
	return []bound{{"storage", 30}, {"probe", 30}, {"certificate", 50}}
}

// finish gives the report its status and its sentence.
func (r *Report) finish(w Weights, known int) {
	var worst *Check
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Status == Bad && (worst == nil || worst.Status != Bad) || c.Status == Warn && worst == nil {
			worst = c
		}
	}
	switch {
	case known == 0:
		r.Status, r.Sentence = Unknown, words.Of("There are no figures yet: wait a minute.", "还没有数据，请等待一分钟。")
		return
	case r.Score < w.Warn:
		r.Status = Bad
	case worst != nil:
		r.Status = Warn
	default:
		r.Status, r.Sentence = Good, words.Of("Everything works.", "一切正常。")
		return
	}
	if worst != nil {
		r.Sentence = worst.Text
		return
	}
	most := r.Terms[0]
	for _, t := range r.Terms {
		if t.Points > most.Points {
			most = t
		}
	}
	r.Sentence = words.Of(fmt.Sprintf("%s takes most from the score: %s.", most.Name.EN, figure(most)), fmt.Sprintf("%s扣分最多：%s。", most.Name.ZH, figure(most)))
}

func figure(t Term) string {
	if t.Unit == "percent" {
		return fmt.Sprintf("%.1f %%", t.Value)
	}
	return fmt.Sprintf("%.1f ms", t.Value)
}

// one is the only value of an expression; NaN when there is none.
func (h *Health) one(ctx context.Context, expr string, at time.Time) (float64, error) {
	s, err := h.opt.Source.Instant(ctx, expr, at)
	if err != nil {
		return 0, fmt.Errorf("query %s: %w", expr, err)
	}
	if len(s) == 0 || math.IsInf(s[0].Value, 0) {
		return math.NaN(), nil
	}
	return s[0].Value, nil
}

// sourceWait bounds what a scrape waits for the opinion.
const sourceWait = 2 * time.Second

// Write writes the score and its terms in the text format. It is an
// expo.Source.
func (h *Health) Write(w io.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), sourceWait)
	defer cancel()
	r, err := h.Now(ctx)
	if err != nil || r.Status == Unknown {
		return
	}
	f := h.Families()
	expo.Header(w, f[0])
	expo.Sample(w, f[0].Name, r.Score)
	expo.Header(w, f[1])
	for _, t := range r.Terms {
		expo.Sample(w, f[1].Name, t.Points, "term", t.ID)
	}
}

// Families describe what Write writes.
func (h *Health) Families() []expo.Family {
	return []expo.Family{
		{Name: "posthouse_health_score", Type: "gauge", Help: words.Of("How well the box is, from 0 to 100.", "整机健康分，0 到 100。"),
			Normal: words.Of("Above 80.", "80 以上。"), Action: words.Of("Below 60: open the health page, which names what takes the points.", "低于 60 时打开健康页面，查看扣分项。"), Source: "sysmon/health"},
		{Name: "posthouse_health_term", Type: "gauge", Labels: []string{"term"}, Help: words.Of("Points that a term takes from the health score.", "各项从健康分中扣除的分数。"),
			Normal: words.Of("Near 0, cpu and memory in proportion to their use.", "接近 0；处理器与内存按使用率扣分。"), Action: words.Of("The largest term tells where to look.", "从扣分最多的一项查起。"), Source: "sysmon/health"},
	}
}
