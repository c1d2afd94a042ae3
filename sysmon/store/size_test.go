package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
)

// What 2,000 series sampled every 15 s take on disk. Sizes do not depend on the
// machine: a fifth of the series are gauges that wander with all the digits of a
// float64, a tenth never change, half of the others are counters that count.
func TestTwoThousandSeriesFitTheDisk(t *testing.T) {
	const days, series = 2, 2000
	const mostADay, mostAYear = 60e6, 1e9
	b := newBox(t, Options{})
	for i := range 20 {
		b.s.Describe(fmt.Sprintf("c%d_total", i), metadata.Metadata{Type: model.MetricTypeCounter})
	}
	dice := rand.New(rand.NewPCG(1, 2))
	ls, vs := make([]labels.Labels, series), make([]float64, series)
	for i := range ls {
		name := fmt.Sprintf("c%d_total", i%20)
		if i < series*3/10 {
			name = fmt.Sprintf("g%d", i%20)
		}
		ls[i] = labels.FromStrings("__name__", name, "instance", "box", "job", "chat", "n", fmt.Sprint(i))
	}
	begin := b.time()
	b.runs(days*24*time.Hour+8*time.Hour, func(_ int, put func(labels.Labels, float64)) { // a span is rolled up hours after its end
		for i := range ls {
			switch {
			case i < series*2/10:
				vs[i] += dice.NormFloat64()
			case i >= series*3/10 && i%2 == 0:
				vs[i] += float64(dice.IntN(50))
			}
			put(ls[i], vs[i])
		}
	})
	for range 10 {
		b.tend()
	}
	st := b.s.Stats()
	covered := func(dir string) (from, to time.Time) {
		for _, block := range map[string][][2]int64{rawDir: b.s.rawSpans()[:len(b.s.raw.Blocks())], rollDir: rollSpans(b.s)}[dir] {
			if at := time.UnixMilli(block[0]); from.IsZero() || at.Before(from) {
				from = at
			}
			if at := time.UnixMilli(block[1]); at.After(to) {
				to = at
			}
		}
		return from, to
	}
	from, to := covered(rawDir)
	aDay := float64(st.RawBytes) / to.Sub(from).Hours() * 24
	rollFrom, rollTo := covered(rollDir)
	if rollFrom.After(begin.Add(time.Hour)) || rollTo.Before(begin.Add(days*24*time.Hour-time.Hour)) {
		t.Fatalf("rolled up from %s to %s, of samples from %s: %+v", rollFrom, rollTo, begin, st)
	}
	aYear := float64(st.RollBytes) / rollTo.Sub(rollFrom).Hours() * 24 * 365
	t.Logf("raw %.1f MB a day, rolled up %.0f MB a year, log %.1f MB", aDay/1e6, aYear/1e6, float64(st.LogBytes)/1e6)
	if aDay > mostADay || aYear > mostAYear {
		t.Errorf("raw %.1f MB a day, want under %.0f; rolled up %.0f MB a year, want under %.0f", aDay/1e6, mostADay/1e6, aYear/1e6, mostAYear/1e6)
	}
	// Nothing of the making is left, and every series can be read in the roll-up.
	if left, err := filepath.Glob(b.s.path("gather-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if entries, err := os.ReadDir(b.s.path(rollDir)); err != nil || strings.Contains(fmt.Sprint(entries), ".tmp") {
		t.Errorf("%v %v", entries, err)
	}
	rolled, err := b.s.roll.Querier(begin.Add(24*time.Hour).UnixMilli(), begin.Add(24*time.Hour+5*time.Minute).UnixMilli()-1)
	if err != nil {
		t.Fatal(err)
	}
	defer rolled.Close()
	n := 0
	for set := rolled.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchNotRegexp, model.MetricNameLabel, ".*:(min|max)5m")); set.Next(); {
		n++
	}
	if n != series {
		t.Errorf("%d series are in the roll-up, want %d", n, series)
	}
}

func rollSpans(s *Store) (out [][2]int64) {
	for _, b := range s.roll.Blocks() {
		out = append(out, [2]int64{b.MinTime(), b.MaxTime()})
	}
	return out
}
